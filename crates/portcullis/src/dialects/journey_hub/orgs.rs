//! Organizations: the caller's own and all below it.

use portcullis_core::organization::{Organization, State};
use serde_json::{Value, json};

use super::body::Body;
use super::envelope::{Failure, Success};
use super::page::Page;
use super::{Caller, number};
use crate::actions::ActionError;

const KEY: &[&str] = &["organizations"];
/// So many are looked at together, where some may be another realm's.
const LOOK: i64 = 100;

pub(super) async fn list(caller: &Caller<'_>, page: Page) -> Result<Success, Failure> {
    let list = |after, count| here(caller, after, count);
    let (found, next) = page.fetch(|it: &Organization| it.number, list).await?;
    Ok(Success::list(KEY, found.iter().map(|it| describe(caller, it)).collect(), next))
}

/// At most `count` of the caller's organizations numbered above `after`, other realms' left out.
async fn here(
    caller: &Caller<'_>,
    mut after: i64,
    count: i64,
) -> Result<Vec<Organization>, ActionError> {
    let most = usize::try_from(count).unwrap_or(0);
    let mut found = Vec::new();
    while found.len() < most {
        let page = caller.actions.list_organizations(caller.own, after, count.max(LOOK)).await?;
        let Some(last) = page.last().map(|it| it.number) else { break };
        found.extend(page.into_iter().filter(|it| caller.is_here(it)));
        after = last;
    }
    found.truncate(most);
    Ok(found)
}

pub(super) async fn show(caller: &Caller<'_>, id: i64) -> Result<Success, Failure> {
    let found = caller.organization(id).await?;
    Ok(Success::one(KEY, describe(caller, &found)))
}

pub(super) async fn create(caller: &Caller<'_>, body: &Body) -> Result<Success, Failure> {
    let fields = body.fields()?;
    let name = fields.needed("name")?;
    let parent = match fields.id("parentId")? {
        Some(id) => caller.organization(number(&id).ok_or(Failure::UNKNOWN)?).await?,
        None => {
            let own = caller.number_of(caller.own).ok_or(Failure::UNAVAILABLE)?;
            caller.organization(own).await?
        }
    };
    let made = caller.actions.create_organization(&parent, name, false).await?;
    Ok(Success::one(KEY, describe(caller, &made)))
}

pub(super) async fn rename(caller: &Caller<'_>, id: i64, body: &Body) -> Result<Success, Failure> {
    let name = body.fields()?.needed("name")?;
    let organization = changeable(caller, id).await?;
    caller.actions.rename_organization(&organization, name).await?;
    let renamed = Organization { name: name.into(), ..organization };
    Ok(Success::one(KEY, describe(caller, &renamed)))
}

pub(super) async fn delete(caller: &Caller<'_>, id: i64) -> Result<Success, Failure> {
    let organization = changeable(caller, id).await?;
    caller.actions.set_organization_state(&organization, State::Deleted).await?;
    Ok(Success::one(KEY, describe(caller, &organization)))
}

/// Nobody changes the organization they belong to.
async fn changeable(caller: &Caller<'_>, id: i64) -> Result<Organization, Failure> {
    let organization = caller.organization(id).await?;
    if organization.id == caller.own {
        return Err(Failure::NOT_YOURS);
    }
    Ok(organization)
}

/// What stands above the realm is nobody's to know here.
fn describe(caller: &Caller<'_>, organization: &Organization) -> Value {
    let parent = organization.parent.filter(|_| organization.id != caller.realm());
    let parent = parent.and_then(|parent| caller.number_of(parent));
    json!({
        "id": organization.number.to_string(),
        "name": organization.name,
        "parentId": parent.map(|number| number.to_string()),
    })
}
