//! API keys: one's own, and for those who may, everybody's.

use std::time::Duration;

use portcullis_core::ability::MANAGE_API_KEYS;
use portcullis_core::credential::Credential;
use portcullis_core::id::Id;
use portcullis_core::organization::State;
use portcullis_core::principal::{User, within};
use portcullis_core::scheme::API_KEY;
use portcullis_core::time::Timestamp;
use portcullis_store::collections::KeyEntry;
use portcullis_store::credentials::CredentialRow;
use portcullis_store::users::UserRow;
use serde_json::{Map, Value, json};

use super::envelope::{Failure, Success};
use super::{Caller, collections, parse_id, seconds, write_id};
use crate::actions::keys::KeyOptions;
use crate::dialects::body::Fields;

/// The longest label, in bytes.
const MAX_LABEL: usize = 100;
/// The form of the keys, as the vendor counts it.
const VERSION: &str = "2";
const DAY: i64 = 86_400_000;

pub(super) async fn generate(caller: &Caller<'_>, fields: Fields<'_>) -> Result<Success, Failure> {
    if !caller.settings.api_keys {
        return Err(Failure::refused("keys_switched_off"));
    }
    let owner = match fields.text("id_user")? {
        Some(id) => user(caller, parse_id(id).ok_or(Failure::FORBIDDEN)?).await?,
        None => user(caller, caller.who.principal.user.id).await?,
    };
    let most = caller.settings.key_days;
    let days = fields.number("expires_days")?.unwrap_or(most);
    if !(1..=most).contains(&days) {
        return Err(Failure::bad(format!("`expires_days` is from 1 to {most}")));
    }
    let now = caller.call.services.clock.now().wall;
    let span = Duration::from_millis(u64::try_from(days.saturating_mul(DAY)).unwrap_or(0));
    let options = KeyOptions {
        label: label(fields)?.unwrap_or_default().to_owned(),
        read_only: fields.flag("read_only")?.unwrap_or(false),
        not_before: None,
        expires: Some(now.plus(span)),
        ..KeyOptions::default()
    };
    let made = caller.actions.generate_key(&owner, options).await?;
    let key = caller.actions.find_key(&made.id).await?;
    let told = describe(caller, &key, &owner).await?;
    Ok(Success::results(told).confirming("API Key created."))
}

/// One's own keys, or those of `?id_user=`, whole; or what a query asks of all that one may see.
pub(super) async fn list(caller: &Caller<'_>, uri: &str) -> Result<Success, Failure> {
    let own = caller.who.principal.user.id;
    let named = wanted(caller)?;
    if named.is_none() && caller.call.head.query().is_some_and(|it| !it.is_empty()) {
        return collections::list::<KeyEntry>(caller, uri).await;
    }
    let wanted = named.unwrap_or(own);
    if wanted != own && !caller.may(MANAGE_API_KEYS) {
        return Err(Failure::FORBIDDEN);
    }
    let owner = user(caller, wanted).await?;
    let mut told = Vec::new();
    for key in caller.actions.list_keys(&owner).await? {
        if key.state != State::Deleted {
            told.push(describe(caller, &key, &owner).await?);
        }
    }
    Ok(Success::results(Value::Array(told)))
}

pub(super) async fn show(caller: &Caller<'_>, id: Id<Credential>) -> Result<Success, Failure> {
    let (key, owner) = find(caller, id).await?;
    Ok(Success::results(describe(caller, &key, &owner).await?))
}

pub(super) async fn update(
    caller: &Caller<'_>,
    id: Id<Credential>,
    fields: Fields<'_>,
) -> Result<Success, Failure> {
    let (key, owner) = find(caller, id).await?;
    let read_only = fields.flag("read_only")?;
    if key.read_only && read_only == Some(false) {
        return Err(Failure::bad("a key that reads only stays so"));
    }
    let change = (label(fields)?, read_only.unwrap_or(false));
    caller.actions.update_key(&key, &owner, change).await?;
    show(caller, id).await
}

pub(super) async fn delete(caller: &Caller<'_>, id: Id<Credential>) -> Result<Success, Failure> {
    let (key, owner) = find(caller, id).await?;
    caller.actions.revoke_key(&key, &owner).await?;
    Ok(Success::results(json!({})).confirming("API Key deleted."))
}

fn label<'b>(fields: Fields<'b>) -> Result<Option<&'b str>, Failure> {
    let label = fields.text("pname")?;
    if label.is_some_and(|label| label.len() > MAX_LABEL) {
        return Err(Failure::bad("`pname` has at most 100 bytes"));
    }
    Ok(label)
}

/// The user that `?id_user=` names.
fn wanted(caller: &Caller<'_>) -> Result<Option<Id<User>>, Failure> {
    let query = caller.call.head.query().unwrap_or_default();
    let named = |pair: &str| pair.starts_with("id_user=");
    if query.contains('&') && query.split('&').any(named) {
        return Err(Failure::bad("`id_user` stands alone; beside others, say it in `$filter`"));
    }
    let id = query.strip_prefix("id_user=");
    id.map(|id| parse_id(id).ok_or(Failure::FORBIDDEN)).transpose()
}

/// The user, if they are of this site and the caller may know of them.
async fn user(caller: &Caller<'_>, id: Id<User>) -> Result<UserRow, Failure> {
    let found = caller.actions.find_user_by_id(caller.call.mount.realm, id).await?;
    let memory = caller.call.services.gate.memory();
    let own = &caller.who.principal.user;
    let near = found.id == own.id || within(found.organization, own.organization, memory);
    if near { Ok(found) } else { Err(Failure::FORBIDDEN) }
}

/// A key of the caller's own, or of anybody's for who may manage keys.
async fn find(
    caller: &Caller<'_>,
    id: Id<Credential>,
) -> Result<(CredentialRow, UserRow), Failure> {
    let key = caller.actions.find_credential(id).await?;
    let live = key.scheme == API_KEY.as_str() && key.state != State::Deleted;
    let own = key.owner == caller.who.principal.user.id;
    if !live || !own && !caller.may(MANAGE_API_KEYS) {
        return Err(Failure::FORBIDDEN);
    }
    let owner = user(caller, key.owner).await?;
    Ok((key, owner))
}

/// The key itself is for its owner's eyes, whoever made it.
async fn describe(
    caller: &Caller<'_>,
    key: &CredentialRow,
    owner: &UserRow,
) -> Result<Value, Failure> {
    let now = caller.call.services.clock.now().wall;
    let details = caller.actions.find_key_details(key).await?;
    let usage = caller.actions.find_usage(key).await?;
    let mut told = plain(key, &owner.name, usage.map(|usage| usage.last_used), now);
    let Some(details) = details else { return Ok(Value::Object(told)) };
    let more = json!({
        "creator": write_id(details.creator),
        "creator_fullname": details.creator_name,
        "create_timestamp": seconds(details.created),
        "modifier": write_id(details.modifier),
        "modifier_fullname": details.modifier_name,
        "modify_timestamp": seconds(details.modified),
    });
    if let Value::Object(more) = more {
        told.extend(more);
    }
    if owner.id == caller.who.principal.user.id {
        let whole = caller.actions.open_key(key, owner, &details)?;
        told.insert("display_key".into(), whole.expose_text().into());
    }
    Ok(Value::Object(told))
}

/// What everybody may know of a key who may know of it at all.
pub(super) fn plain(
    key: &CredentialRow,
    owner_name: &str,
    last_used: Option<Timestamp>,
    now: Timestamp,
) -> Map<String, Value> {
    let expires = key.expires.unwrap_or(Timestamp::MAX);
    let left = expires.millis().saturating_sub(now.millis()).max(0);
    let pairs = [
        ("id_api_key", write_id(key.id).into()),
        ("id_user", write_id(key.owner).into()),
        ("id_user_fullname", owner_name.into()),
        ("pname", key.label.as_str().into()),
        ("version", VERSION.into()),
        ("read_only", key.read_only.into()),
        ("expired", (expires <= now).into()),
        ("expires_days", key.expires.map(|_| (left + DAY - 1) / DAY).into()),
        ("expires_timestamp", key.expires.map(seconds).into()),
        ("last_used_timestamp", last_used.map(seconds).into()),
    ];
    pairs.into_iter().map(|(name, value): (_, Value)| (name.to_owned(), value)).collect()
}
