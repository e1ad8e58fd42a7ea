//! Users, and the one role each has in their organization.

use portcullis_core::ability::RANKS;
use portcullis_core::lookup::CredentialLookup as _;
use portcullis_core::organization::State;
use portcullis_core::principal::Role;
use portcullis_store::users::UserRow;
use serde_json::{Value, json};

use super::Caller;
use super::body::Body;
use super::envelope::{Failure, Success};
use super::page::Page;
use crate::actions::users::{UserOptions, UserUpdate};
use crate::dialects::body::Fields;

const KEY: &[&str] = &["users"];
/// Who is made without a role.
const DEFAULT_ROLE: &str = "Member";

pub(super) async fn list(
    caller: &Caller<'_>,
    organization: i64,
    page: Page,
) -> Result<Success, Failure> {
    let organization = caller.organization(organization).await?.id;
    let actions = &caller.actions;
    let list = |after, count| actions.list_users_of(organization, after, count);
    let (found, next) = page.fetch(|it: &UserRow| it.number, list).await?;
    Ok(Success::list(KEY, found.iter().map(|it| describe(caller, it)).collect(), next))
}

pub(super) async fn show(caller: &Caller<'_>, id: i64) -> Result<Success, Failure> {
    let user = find(caller, id).await?;
    Ok(Success::one(KEY, describe(caller, &user)))
}

/// One user or a list of them: all or nothing.
pub(super) async fn create(
    caller: &Caller<'_>,
    organization: i64,
    body: &Body,
) -> Result<Success, Failure> {
    let organization = caller.organization(organization).await?;
    let mut users = Vec::new();
    for fields in body.objects()? {
        let role = role(caller, fields).await?;
        let role = match role {
            Some(role) => role,
            None => caller.actions.find_role(caller.own, DEFAULT_ROLE).await?,
        };
        let options = UserOptions {
            login: None,
            email: fields.text("email")?.unwrap_or_default().to_owned(),
            name: Some(fields.needed("name")?.to_owned()),
        };
        users.push((options, role));
    }
    let made = caller.actions.create_users(organization.id, users).await?;
    Ok(Success::list(KEY, made.iter().map(|it| describe(caller, it)).collect(), None))
}

pub(super) async fn update(caller: &Caller<'_>, id: i64, body: &Body) -> Result<Success, Failure> {
    let fields = body.fields()?;
    let user = find(caller, id).await?;
    let update = UserUpdate {
        email: fields.text("email")?.map(Into::into),
        name: fields.text("name")?.map(Into::into),
        role: role(caller, fields).await?,
    };
    if user.id == caller.who.principal.user.id && update.role.is_some() {
        return Err(Failure::NOT_YOURS);
    }
    caller.actions.update_user(&user, update).await?;
    show(caller, id).await
}

/// Nobody deletes themselves: a script that did could not tell what became of it.
pub(super) async fn delete(caller: &Caller<'_>, id: i64) -> Result<Success, Failure> {
    let user = find(caller, id).await?;
    if user.id == caller.who.principal.user.id {
        return Err(Failure::NOT_YOURS);
    }
    let told = describe(caller, &user);
    caller.actions.set_user_state(&user, State::Deleted).await?;
    Ok(Success::one(KEY, told))
}

async fn find(caller: &Caller<'_>, id: i64) -> Result<UserRow, Failure> {
    let user = caller.actions.find_user_numbered(caller.realm(), id).await?;
    caller.sees(user.organization)?;
    Ok(user)
}

/// The built-in role that `role` names, if it is there.
async fn role(caller: &Caller<'_>, fields: Fields<'_>) -> Result<Option<Role>, Failure> {
    let Some(name) = fields.text("role")? else { return Ok(None) };
    let Some(built_in) = RANKS.iter().find(|role| role.name == name) else {
        let names: Vec<_> = RANKS.iter().map(|role| role.name).collect();
        return Err(Failure::bad(format!("`role` is one of {}", names.join(", "))));
    };
    Ok(Some(caller.actions.find_role(caller.own, built_in.name).await?))
}

fn describe(caller: &Caller<'_>, user: &UserRow) -> Value {
    json!({
        "id": user.number.to_string(),
        "name": user.name,
        "email": user.email.as_deref().unwrap_or_default(),
        "role": held(caller, user),
        "organizationId": caller.number_of(user.organization).map(|number| number.to_string()),
    })
}

/// The role that allows most of those the user holds in their own organization.
fn held(caller: &Caller<'_>, user: &UserRow) -> Option<&'static str> {
    let memory = caller.call.services.gate.memory();
    let live = memory.user(user.id)?;
    let own = live.grants.iter().filter(|grant| grant.organization == user.organization);
    let roles: Vec<_> = own.filter_map(|grant| memory.role(grant.role)).collect();
    let held = RANKS.iter().find(|wanted| roles.iter().any(|role| *role.name == *wanted.name));
    held.map(|role| role.name)
}
