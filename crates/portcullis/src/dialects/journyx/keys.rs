//! API keys: one's own, and for those who may, everybody's.

use std::time::Duration;

use portcullis_core::ability::MANAGE_API_KEYS;
use portcullis_core::credential::Credential;
use portcullis_core::id::Id;
use portcullis_core::organization::State;
use portcullis_core::principal::{User, within};
use portcullis_core::scheme::API_KEY;
use portcullis_core::time::Timestamp;
use portcullis_store::credentials::CredentialRow;
use portcullis_store::users::UserRow;
use serde_json::{Value, json};

use super::envelope::{Failure, Success};
use super::{Caller, parse_id, seconds, write_id};
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
    };
    let made = caller.actions.generate_key(&owner, options).await?;
    let key = caller.actions.find_key(&made.id).await?;
    let told = describe(caller, &key, &owner).await?;
    Ok(Success::results(told).confirming("API Key created."))
}

pub(super) async fn list(caller: &Caller<'_>) -> Result<Success, Failure> {
    let own = caller.who.principal.user.id;
    let wanted = wanted(caller)?.unwrap_or(own);
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
    let mut named = query.split('&').filter_map(|pair| pair.strip_prefix("id_user="));
    let id = named.next().map(|id| parse_id(id).ok_or(Failure::FORBIDDEN)).transpose()?;
    if named.next().is_some() {
        return Err(Failure::bad("`id_user` is there twice"));
    }
    Ok(id)
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
    let details = caller.actions.find_key_details(key, owner).await?;
    let usage = caller.actions.find_usage(key).await?;
    let expires = key.expires.unwrap_or(Timestamp::MAX);
    let left = expires.millis().saturating_sub(now.millis()).max(0);
    let mut told = json!({
        "id_api_key": write_id(key.id),
        "id_user": write_id(owner.id),
        "id_user_fullname": owner.name,
        "pname": key.label,
        "version": VERSION,
        "read_only": key.read_only,
        "expired": expires <= now,
        "expires_days": key.expires.map(|_| (left + DAY - 1) / DAY),
        "expires_timestamp": key.expires.map(seconds),
        "last_used_timestamp": usage.map(|usage| seconds(usage.last_used)),
    });
    let Some((details, whole)) = details else { return Ok(told) };
    let more = json!({
        "creator": write_id(details.creator),
        "creator_fullname": details.creator_name,
        "create_timestamp": seconds(details.created),
        "modifier": write_id(details.modifier),
        "modifier_fullname": details.modifier_name,
        "modify_timestamp": seconds(details.modified),
    });
    if let (Value::Object(told), Value::Object(more)) = (&mut told, more) {
        told.extend(more);
        if owner.id == caller.who.principal.user.id {
            told.insert("display_key".into(), whole.expose_text().into());
        }
    }
    Ok(told)
}
