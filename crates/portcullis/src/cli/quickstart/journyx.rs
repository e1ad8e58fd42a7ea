//! What the quickstart makes for Journyx.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use http::Request;
use http_body_util::Full;
use hyper::body::Bytes;
use portcullis_core::organization::State;
use portcullis_core::time::{Clock as _, Timestamp};
use portcullis_store::projects::NewProject;
use portcullis_store::users::UserRow;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::BasicMade;
use super::calls::send;
use crate::actions::Actions;
use crate::actions::keys::KeyOptions;
use crate::clock::SystemClock;

/// What there is to list.
const PROJECTS: [&str; 3] = ["Bridge", "Harbour", "Lighthouse"];
/// How long the keys live: the most that the dialect allows.
const LIFETIME: Duration = Duration::from_secs(180 * 86_400);
const LABEL: &str = "quickstart, for Journyx";
const READ_ONLY: &str = "quickstart, for Journyx, read only";

/// Its part of the file. It holds secrets, and so has no `Debug`.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct JournyxMade {
    username: String,
    password: String,
    api_key: String,
    read_only_api_key: String,
    endpoint: String,
}

/// The owner's keys, those of the earlier file if they still stand, and some projects.
pub(super) async fn make(
    actions: &Actions,
    (owner, basic): (&UserRow, &BasicMade),
    clock: &SystemClock,
    earlier: Option<JournyxMade>,
) -> anyhow::Result<JournyxMade> {
    let now = clock.now().wall;
    let root = actions.root().await?.id;
    if actions.list_projects(root, 0, 1).await?.is_empty() {
        for name in PROJECTS {
            let (organization, name) = (root, name.to_owned());
            let description = "A project to try collections out".to_owned();
            let new = NewProject { organization, name, description, template: None };
            actions.create_project(new).await?;
        }
    }
    let (one, other) = earlier.map(|it| (it.api_key, it.read_only_api_key)).unzip();
    Ok(JournyxMade {
        username: basic.username.clone(),
        password: basic.password.clone(),
        api_key: key(actions, owner, now, (LABEL, one)).await?,
        read_only_api_key: key(actions, owner, now, (READ_ONLY, other)).await?,
        endpoint: "/api/v1/projects".into(),
    })
}

async fn key(
    actions: &Actions,
    owner: &UserRow,
    now: Timestamp,
    (label, earlier): (&str, Option<String>),
) -> anyhow::Result<String> {
    for standing in actions.list_keys(owner).await? {
        if standing.state == State::Deleted || standing.label != label {
            continue;
        }
        let live = standing.expires.is_none_or(|expires| now < expires);
        let named = earlier.as_ref().filter(|it| it.split('_').nth(2) == Some(&*standing.key));
        if let Some(kept) = named.filter(|_| live && standing.state == State::Active) {
            return Ok(kept.clone());
        }
        actions.set_key_state(&standing, State::Deleted).await?;
    }
    let options = KeyOptions {
        label: label.into(),
        read_only: label == READ_ONLY,
        not_before: None,
        expires: Some(now.plus(LIFETIME)),
        ..KeyOptions::default()
    };
    Ok(actions.create_key(owner, options).await?.shown.expose_text().to_owned())
}

/// The cookie of a session, as a client gets it.
pub(super) async fn session(made: &JournyxMade, address: SocketAddr) -> anyhow::Result<String> {
    let body = json!({ "username": made.username, "password": made.password }).to_string();
    let request = Request::post("/api/v1/login")
        .header("Host", address.to_string())
        .header("Origin", address.to_string())
        .header("Accept", "application/json")
        .header("X-Requested-With", "XMLHttpRequest")
        .header("Content-Type", "application/json")
        .body(Full::new(Bytes::from(body)))?;
    let answer = send(address, request).await?;
    let token = answer.headers().get("x-session-id").and_then(|token| token.to_str().ok());
    Ok(token.context("the sign-in of Journyx gave no session")?.to_owned())
}
