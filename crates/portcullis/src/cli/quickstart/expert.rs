//! What the quickstart makes for Expert.

use std::net::SocketAddr;

use anyhow::Context as _;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use portcullis_core::ability::OWNER;
use portcullis_core::organization::State;
use portcullis_core::principal::Holder;
use portcullis_core::public_origin::PublicOrigin;
use portcullis_core::scheme::signature::{Form, sign};
use portcullis_core::seal::MacKey;
use portcullis_core::time::{Clock as _, Timestamp};
use portcullis_store::users::UserRow;
use serde::{Deserialize, Serialize};

use super::calls::send;
use crate::actions::Actions;
use crate::actions::keys::KeyOptions;
use crate::actions::server_tokens::{NewServerToken, Purpose};
use crate::clock::SystemClock;

const LABEL: &str = "quickstart, for Expert";

/// Its part of the file. It holds a secret, and so has no `Debug`.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct ExpertMade {
    key: String,
    secret: String,
    user: String,
    user_id: String,
}

/// A server token, that of the earlier file if it still counts.
pub(super) async fn make(
    actions: &Actions,
    owner: &UserRow,
    (address, clock): (SocketAddr, &SystemClock),
    earlier: Option<ExpertMade>,
) -> anyhow::Result<ExpertMade> {
    // The vendor's user 1 owns the site.
    let admin = actions.find_user_numbered(owner.realm, 1).await?;
    let role = actions.find_role(owner.realm, OWNER.name).await?;
    actions.set_grant(Holder::User(admin.id), &role, (owner.realm, State::Active)).await?;
    if let Some(earlier) = earlier
        && authtoken(&earlier, address, clock).await.is_ok()
    {
        return Ok(earlier);
    }
    let now = clock.now().wall;
    for token in actions.list_server_tokens(owner.realm, now).await? {
        if token.row.label == LABEL {
            actions.set_key_state(&token.row, State::Deleted).await?;
        }
    }
    let options = KeyOptions { label: LABEL.into(), ..KeyOptions::default() };
    let purpose = Purpose::Server { only: None, older: false };
    let NewServerToken { key, secret, .. } =
        actions.create_server_token(owner, purpose, options).await?;
    let secret = secret.context("a server token has a secret")?.expose_text().to_owned();
    Ok(ExpertMade { key, secret, user: "=admin".into(), user_id: "1".into() })
}

/// The origin of the quickstart itself, where browsers may be sent.
pub(super) fn origin(base_url: &str) -> Option<String> {
    // The usual port is never written.
    let bare = base_url.strip_suffix(":80").unwrap_or(base_url);
    PublicOrigin::parse(bare).ok().map(|origin| origin.to_string())
}

/// A token that counts for five minutes.
pub(super) fn token(made: &ExpertMade, now: Timestamp) -> anyhow::Result<String> {
    let secret = MacKey::of_text(made.secret.as_bytes());
    let signed = sign(Form::Documented, (&made.key, &secret), now, &made.user);
    Ok(signed.context("the user cannot be signed for")?.expose_text().to_owned())
}

/// A session, as a client gets it.
pub(super) async fn authtoken(
    made: &ExpertMade,
    address: SocketAddr,
    clock: &SystemClock,
) -> anyhow::Result<String> {
    let request = Request::get("/@api/deki/users/authenticate")
        .header("Host", address.to_string())
        .header("X-Deki-Token", token(made, clock.now().wall)?)
        .body(Full::new(Bytes::new()))?;
    let answer = send(address, request).await?;
    anyhow::ensure!(answer.status().is_success(), "the exchange of Expert gave no session");
    let body = answer.into_body().collect().await?.to_bytes();
    Ok(String::from_utf8(body.to_vec())?)
}
