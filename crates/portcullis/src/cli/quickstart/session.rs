//! The session that the quickstart opens for the owner.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use portcullis_core::id::Revision;
use portcullis_core::scheme::{API_KEY, SESSION, session::DEFAULT_COOKIE};
use portcullis_core::time::Clock as _;
use portcullis_store::users::UserRow;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::passing;
use crate::actions::sessions::SessionTerms;
use crate::actions::{Acting, Actions, Actor};
use crate::clock::SystemClock;
use crate::gate::Gate;

/// How long it lives: a day, or after its last use a day more, up to a month.
const TERMS: SessionTerms = SessionTerms {
    lifetime: Duration::from_secs(24 * 3_600),
    idle: Duration::from_secs(24 * 3_600),
    cap: Duration::from_secs(30 * 24 * 3_600),
};

/// Its part of the file. It holds a secret, and so has no `Debug`.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct SessionMade {
    pub(super) cookie: String,
    pub(super) token: String,
}

/// What somebody must be proven by to act here.
pub(super) struct Caller {
    pub(super) gate: Arc<Gate>,
    pub(super) applied: watch::Receiver<Revision>,
}

impl Caller {
    /// Acts as `owner`, who has just been given `key`.
    pub(super) fn acting(
        self,
        owner: &UserRow,
        key: &str,
        clock: &SystemClock,
    ) -> anyhow::Result<Actor> {
        let id = key.split('_').nth(2).context("not a key of ours")?;
        let now = clock.now().wall;
        let who = self.gate.authenticator().vouch((API_KEY, id), owner.realm, now);
        let who = who.map_err(|no| anyhow::anyhow!("the owner's key is {}", no.name()))?;
        let memory = Arc::clone(self.gate.memory());
        Ok(Actor::Principal(Box::new(Acting { who, memory, applied: self.applied })))
    }
}

/// The session of the earlier file if it still passes at `address`, or a new one.
pub(super) async fn make(
    actions: &Actions,
    address: SocketAddr,
    clock: &SystemClock,
    earlier: Option<SessionMade>,
) -> anyhow::Result<SessionMade> {
    let kept = passing(address, SESSION, earlier.map(|made| made.token)).await?;
    let token = match kept {
        Some(kept) => kept,
        None => {
            let minted = actions.mint_session(clock.now().wall, TERMS).await?;
            tracing::debug!(expires = minted.expires.millis(), "the owner has a session");
            minted.token.expose_text().to_owned()
        }
    };
    Ok(SessionMade { cookie: DEFAULT_COOKIE.into(), token })
}
