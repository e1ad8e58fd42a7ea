//! The quickstart's connector of Hull.

use std::net::SocketAddr;

use portcullis_core::organization::State;
use portcullis_core::scheme::CONNECTOR;
use portcullis_core::scheme::connector::option;
use portcullis_core::time::Clock as _;
use portcullis_store::users::UserRow;
use serde::{Deserialize, Serialize};

use super::calls::{self, Credential};
use crate::actions::connectors::{Imported, switch};
use crate::actions::keys::KeyOptions;
use crate::actions::{ActionError, Actions};
use crate::clock::SystemClock;

/// What the connector is called.
const LABEL: &str = "quickstart";

/// The part of the file.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct HullMade {
    pub(super) app_id: String,
    pub(super) secret: String,
    organization: String,
    firehose_url: String,
}

/// A connector that may do everything; that of the earlier file, if its secret still passes.
pub(super) async fn make(
    actions: &Actions,
    owner: &UserRow,
    (address, base_url): (SocketAddr, &str),
    clock: &SystemClock,
    earlier: Option<HullMade>,
) -> anyhow::Result<HullMade> {
    let (app_id, secret) = match earlier {
        Some(made) if passes(address, &made).await? => (made.app_id, made.secret),
        Some(_) | None => connector(actions, owner, clock).await?,
    };
    let organization = address.to_string();
    let firehose_url = format!("{base_url}/api/v1/firehose");
    Ok(HullMade { app_id, secret, organization, firehose_url })
}

async fn passes(address: SocketAddr, made: &HullMade) -> anyhow::Result<bool> {
    let credential = Credential::named(CONNECTOR, &made.app_id, &made.secret);
    Ok(calls::call(address, Some(&credential)).await? == 200)
}

async fn connector(
    actions: &Actions,
    owner: &UserRow,
    clock: &SystemClock,
) -> anyhow::Result<(String, String)> {
    for standing in actions.list_connectors().await? {
        if standing.owner == owner.id && standing.label == LABEL {
            actions.set_key_state(&standing, State::Deleted).await?;
        }
    }
    let switches =
        [switch(option::QUERY, "true")].into_iter().collect::<Result<_, ActionError>>()?;
    let options = KeyOptions { label: LABEL.into(), ..KeyOptions::default() };
    let (now, drawn) = (clock.now().wall, Imported::default());
    let made = actions.create_connector(owner, now, drawn, (switches, options)).await?;
    Ok((made.id, made.shown.expose_text().to_owned()))
}
