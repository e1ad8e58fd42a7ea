//! `site/developer-tokens`: the keys of servers and browsers.

mod asked;

use portcullis_core::ability::MANAGE_CREDENTIALS;
use portcullis_core::organization::State;

use super::Success;
use super::caller::Caller;
use super::document::Element;
use super::failure::Failure;
use super::site::Site;
use super::users::made;
use crate::actions::keys::KeyOptions;
use crate::actions::server_tokens::{NewServerToken, Purpose, ServerToken};
use crate::actions::{ActionError, Actions};
use crate::dialects::proof::acting;
use asked::Asked;

/// The longest body, in bytes.
pub(super) const MAX_BODY: usize = 16 * 1_024;

/// The actions of whoever looks after keys.
fn keeper(site: &Site<'_>, caller: &Caller) -> Result<Actions, Failure> {
    let who = caller.known()?;
    let (realm, memory) = (site.call.mount.realm, site.call.services.gate.memory());
    if caller.user.may(MANAGE_CREDENTIALS, realm, memory) {
        Ok(acting(site.call, who.clone()))
    } else {
        Err(Failure::forbidden())
    }
}

/// `GET`: every key, and no secret.
pub(super) async fn list(site: &Site<'_>, caller: &Caller) -> Result<Success, Failure> {
    let keys = all(site, &keeper(site, caller)?).await?;
    let told = keys.iter().map(describe);
    Ok(Element::new("developer-tokens").with("count", keys.len()).of(told).into())
}

/// `POST`: a new key, its secret shown once.
pub(super) async fn create(
    site: &Site<'_>,
    caller: &Caller,
    body: &str,
) -> Result<Success, Failure> {
    let (actions, realm) = (keeper(site, caller)?, site.call.mount.realm);
    let asked = Asked::read(body)?;
    let owner = actions.find_user_by_id(realm, caller.user.id).await?;
    let only = match asked.only {
        Some(number) => Some(actions.find_user_numbered(realm, number).await.map_err(nobody)?),
        None => None,
    };
    let purpose = match (&asked.host, &*asked.kind) {
        (Some(_), _) if only.is_some() => {
            return Err(Failure::bad("a browser's token signs for nobody"));
        }
        (Some(hosts), "" | "browser") => Purpose::Browser(hosts.clone()),
        (None, "" | "server") => Purpose::Server { only, older: false },
        _ => return Err(Failure::bad("a browser's token has a `host`, and a server's has none")),
    };
    let options = KeyOptions { label: asked.name.clone(), ..KeyOptions::default() };
    let NewServerToken { key, secret, .. } =
        actions.create_server_token(&owner, purpose, options).await?;
    let now = site.call.services.clock.now().wall;
    let row = actions.find_server_token(&key).await?;
    let mut told = describe(&actions.describe_server_token(row, now)?);
    if let Some(secret) = secret {
        told = told.of([Element::text("secret", secret.expose_text())]);
    }
    Ok(told.into())
}

/// `PUT …/{id}`: another name, or other hosts.
pub(super) async fn update(
    site: &Site<'_>,
    caller: &Caller,
    (number, body): (&str, &str),
) -> Result<Success, Failure> {
    let actions = keeper(site, caller)?;
    let key = find(site, &actions, number).await?;
    let asked = Asked::read(body)?;
    if asked.only.is_some() && asked.only != key.only {
        return Err(Failure::bad("for whom a token signs is not changed; make another"));
    }
    if let Some(hosts) = &asked.host {
        actions.set_hosts(&key.row, hosts).await?;
    }
    if !asked.name.is_empty() {
        actions.rename_server_token(&key.row, &asked.name).await?;
    }
    Ok(describe(&find(site, &actions, number).await?).into())
}

/// `DELETE …/{id}`: done when no server accepts it any more, nor what was minted from it.
pub(super) async fn delete(
    site: &Site<'_>,
    caller: &Caller,
    number: &str,
) -> Result<Success, Failure> {
    let actions = keeper(site, caller)?;
    let key = find(site, &actions, number).await?;
    actions.set_key_state(&key.row, State::Deleted).await?;
    Ok(describe(&key).into())
}

async fn all(site: &Site<'_>, actions: &Actions) -> Result<Vec<ServerToken>, Failure> {
    let now = site.call.services.clock.now().wall;
    Ok(actions.list_server_tokens(site.call.mount.realm, now).await?)
}

async fn find(site: &Site<'_>, actions: &Actions, number: &str) -> Result<ServerToken, Failure> {
    let keys = all(site, actions).await?;
    let found = keys.into_iter().find(|key| key.number.to_string() == number);
    found.ok_or_else(|| Failure::unknown("there is no such token"))
}

fn describe(key: &ServerToken) -> Element {
    let more = [
        key.hosts.as_ref().map(|hosts| Element::text("host", hosts.as_str())),
        key.only.map(|user| Element::text("restricted-by-user-id", user.to_string())),
    ];
    let kind = if key.hosts.is_some() { "browser" } else { "server" };
    Element::new("developer-token")
        .with("id", key.number)
        .with("type", kind)
        .with("date", super::format::rfc_1123(made(key.row.id)))
        .of([
            Element::text("key", key.row.key.as_str()),
            Element::text("name", key.row.label.as_str()),
        ])
        .of(more.into_iter().flatten())
}

fn nobody(error: ActionError) -> Failure {
    if matches!(error, ActionError::Missing(_)) {
        return Failure::bad("`restricted-by-user-id` names nobody");
    }
    error.into()
}
