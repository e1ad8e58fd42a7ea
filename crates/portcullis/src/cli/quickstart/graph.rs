//! What the quickstart makes for Graph.

use std::net::SocketAddr;

use anyhow::Context as _;
use http::Request;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use portcullis_core::guard::{Definition, Kind, Preset};
use portcullis_core::organization::State;
use portcullis_core::scheme::{BASIC, BEARER, Options, SHARED_SECRET};
use portcullis_core::secret::SecretBuf;
use portcullis_store::users::UserRow;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::calls::send;
use super::{BasicMade, GUARD, passing, stand};
use crate::actions::Actions;
use crate::actions::keys::KeyOptions;
use crate::demo::Demo;

/// The id of the listener, as the vendor's page has it.
const LISTENER: &str = "kitewheel_endpoint";
/// From where it may be called.
const LOOPBACK: [&str; 2] = ["127.0.0.0/8", "::1/128"];
const LABEL: &str = "quickstart, for Graph";
/// The longest answer of the login, in bytes.
const MAX_ANSWER: usize = 4_096;

/// Its part of the file. It holds secrets, and so has no `Debug`.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct GraphMade {
    pub(super) listener: String,
    username: String,
    password: String,
    pub(super) shared_secret: String,
}

impl GraphMade {
    pub(super) fn into_secret(self) -> String {
        self.shared_secret
    }
}

/// One listener that leads to the demo.
pub(super) async fn listen(actions: &Actions, demo: &Demo) -> anyhow::Result<()> {
    let in_body = Options::from([("body".to_owned(), "true".to_owned())]);
    let definition = Definition {
        kind: Kind::Listener,
        name: LISTENER.into(),
        hosts: Vec::new(),
        prefix: "/".into(),
        upstreams: vec![format!("http://{}", demo.address()).parse()?],
        upgrades: vec![],
        identity: Preset::USUAL.into(),
        assertion: false,
        schemes: vec![(BASIC, Options::new()), (BEARER, in_body), (SHARED_SECRET, Options::new())],
        networks: Some(LOOPBACK.iter().map(|text| text.parse()).collect::<Result<_, _>>()?),
        client_certificate: false,
        methods: Vec::new(),
        ability: None,
        pass_credential: false,
        strip_prefix: false,
    };
    stand(actions, definition).await
}

/// A secret of the owner for listener and demo: the earlier one if it still passes.
pub(super) async fn make(
    actions: &Actions,
    (owner, basic): (&UserRow, &BasicMade),
    address: SocketAddr,
    earlier: Option<String>,
) -> anyhow::Result<GraphMade> {
    let shared_secret = match passing(address, SHARED_SECRET, earlier).await? {
        Some(kept) => kept,
        None => secret(actions, owner).await?.expose_text().to_owned(),
    };
    let (username, password) = (basic.username.clone(), basic.password.clone());
    Ok(GraphMade { listener: LISTENER.into(), username, password, shared_secret })
}

async fn secret(actions: &Actions, owner: &UserRow) -> anyhow::Result<SecretBuf> {
    for standing in actions.list_keys(owner).await? {
        if standing.state != State::Deleted && standing.label == LABEL {
            actions.set_key_state(&standing, State::Deleted).await?;
        }
    }
    let guards = [actions.find_guard(LISTENER).await?, actions.find_guard(GUARD).await?];
    let options = KeyOptions { label: LABEL.into(), ..KeyOptions::default() };
    Ok(actions.create_secret(owner, &guards, None, options).await?.shown)
}

/// A token, as a client gets it.
pub(super) async fn token(made: &GraphMade, address: SocketAddr) -> anyhow::Result<String> {
    let body = json!({ "username": made.username, "password": made.password }).to_string();
    let request = Request::post("/login")
        .header("Host", address.to_string())
        .header("Content-Type", "application/json")
        .body(Full::new(Bytes::from(body)))?;
    let answer = Limited::new(send(address, request).await?.into_body(), MAX_ANSWER);
    let answer = answer.collect().await.map_err(|error| anyhow::anyhow!("{error}"))?;
    let answer: Value = serde_json::from_slice(&answer.to_bytes())?;
    let token = answer.get("token").and_then(Value::as_str);
    Ok(token.context("the login of Graph gave no token")?.to_owned())
}
