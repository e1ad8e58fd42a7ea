//! What the quickstart makes for Journey Hub.

use std::net::SocketAddr;

use anyhow::Context as _;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use portcullis_core::id::Id;
use portcullis_core::organization::Organization;
use portcullis_core::scheme::hub_token::proof;
use portcullis_core::seal;
use portcullis_core::secret::SecretBuf;
use portcullis_core::token::random_letters;
use portcullis_store::connections::Connection;
use portcullis_store::templates::NewTemplate;
use portcullis_store::users::UserRow;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::calls::send;
use crate::actions::Actions;

/// How long a nonce of the exchange is, in characters.
const NONCE: usize = 32;

/// Its part of the file. It holds a secret, and so has no `Debug`.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct HubMade {
    url: String,
    user_id: String,
    secret: String,
    organization_id: String,
    template_id: String,
}

/// The owner's secret for Journey Hub, and a template to make projects from.
pub(super) async fn make(
    actions: &Actions,
    owner: &UserRow,
    base_url: &str,
    earlier: Option<HubMade>,
) -> anyhow::Result<HubMade> {
    let root = actions.root().await?;
    let held = actions.find_hub_secret(owner).await?;
    let kept = earlier.map(|made| made.secret).filter(|secret| {
        held.is_some_and(|held| seal::equal(held.secret.expose(), secret.as_bytes()))
    });
    let secret = match kept {
        Some(secret) => secret,
        None => actions.create_hub_secret(owner).await?.expose_text().to_owned(),
    };
    let template = match actions.list_templates(root.id, 0, 1).await?.pop() {
        Some(template) => template,
        None => actions.create_template(template(root.id)).await?,
    };
    Ok(HubMade {
        url: format!("{base_url}/api/v1/"),
        user_id: owner.number.to_string(),
        secret,
        organization_id: root.number.to_string(),
        template_id: template.number.to_string(),
    })
}

fn template(organization: Id<Organization>) -> NewTemplate {
    let connection = Connection { id: "1".into(), name: "Incoming".into(), kind: "queue".into() };
    NewTemplate {
        organization,
        name: "Quickstart".into(),
        description: "A template with one connection, to try projects out".into(),
        connections: vec![connection],
    }
}

/// A token of Journey Hub, as a client gets it.
pub(super) async fn token(hub: &HubMade, address: SocketAddr) -> anyhow::Result<String> {
    let nonce = random_letters(NONCE)?.expose_text().to_owned();
    let hash = proof(&SecretBuf::new(hub.secret.as_str()), &nonce);
    let body = json!({ "userId": hub.user_id, "nonce": nonce, "hash": hash }).to_string();
    let request = Request::post("/api/v1/token")
        .header("Host", address.to_string())
        .header("Content-Type", "application/json")
        .body(Full::new(Bytes::from(body)))?;
    let answer = send(address, request).await?.into_body().collect().await?.to_bytes();
    let answer: Value = serde_json::from_slice(&answer)?;
    let token = answer.pointer("/tokens/0/token").and_then(Value::as_str);
    Ok(token.context("the exchange of Journey Hub gave no token")?.to_owned())
}
