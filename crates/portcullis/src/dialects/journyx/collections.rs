//! Users, roles and projects, as collections and one by one.

use portcullis_core::ability::{Ability, MANAGE_API_KEYS, MANAGE_PROJECTS, MANAGE_USERS};
use portcullis_core::id::Id;
use portcullis_core::query::{Field, Kind, Query, pairs};
use portcullis_core::time::Timestamp;
use portcullis_store::collections::{
    Collection, KeyEntry, Page, ProjectEntry, RoleEntry, UserEntry, Visible, keys, projects, roles,
    users,
};
use serde_json::{Map, Value, json};

use super::envelope::{Failure, Success};
use super::{BASE, Caller, seconds, write_id};

/// A collection, as this dialect shows it.
pub(super) trait Shown: Collection + Send + 'static
where
    Self::Named: 'static,
{
    /// Its word in addresses.
    const WORD: &'static str;
    /// Its fields, by the vendor's names.
    const SHOWN: &'static [Field];
    /// The ability by which one sees all of it.
    const ALL: &'static str;

    /// One of them, with all its fields.
    fn describe(&self, now: Timestamp) -> Value;
}

/// The identity of `id`, and where it is found.
fn common<T>(word: &str, id: Id<T>, created: f64) -> Map<String, Value> {
    let id = write_id(id);
    let base = BASE.trim_end_matches('/');
    let uri = format!("{base}/{word}/{id}");
    let pairs = [
        ("id", id.into()),
        ("uri", uri.into()),
        ("tablename", word.into()),
        ("create_timestamp", created.into()),
    ];
    pairs.into_iter().map(|(name, value): (_, Value)| (name.to_owned(), value)).collect()
}

fn with(mut common: Map<String, Value>, more: Value) -> Value {
    if let Value::Object(more) = more {
        common.extend(more);
    }
    Value::Object(common)
}

impl Shown for UserEntry {
    const WORD: &'static str = "users";
    const SHOWN: &'static [Field] = &[
        users::ID,
        users::ID.named("id_user"),
        users::LOGIN.named("username"),
        users::EMAIL,
        users::NAME.named("fullname"),
        users::ACTIVE,
        users::CREATED.named("create_timestamp"),
        Field::shown("uri", Kind::Text),
        Field::shown("tablename", Kind::Text),
        Field::shown("first_name", Kind::Text),
        Field::shown("last_name", Kind::Text),
    ];
    const ALL: &'static str = MANAGE_USERS;

    fn describe(&self, _: Timestamp) -> Value {
        let user = &self.user;
        // The last word is the family's, as the vendor makes of a full name.
        let (first, last) = user.name.rsplit_once(' ').unwrap_or((&user.name, ""));
        let active = user.state == portcullis_core::organization::State::Active;
        let more = json!({
            "id_user": write_id(user.id), "username": user.login, "email": user.email,
            "fullname": user.name, "first_name": first, "last_name": last, "active": active,
        });
        with(common(Self::WORD, user.id, seconds(self.created)), more)
    }
}

impl Shown for RoleEntry {
    const WORD: &'static str = "roles";
    const SHOWN: &'static [Field] = &[
        roles::ID,
        roles::NAME.named("pname"),
        roles::CREATED.named("create_timestamp"),
        Field::shown("built_in", Kind::Flag),
        Field::shown("uri", Kind::Text),
        Field::shown("tablename", Kind::Text),
        Field::shown("abilities", Kind::Text),
    ];
    const ALL: &'static str = MANAGE_USERS;

    fn describe(&self, _: Timestamp) -> Value {
        let abilities: Vec<_> = self.role.abilities.iter().map(Ability::as_str).collect();
        let more = json!({
            "pname": self.role.name, "abilities": abilities,
            "built_in": self.organization.is_none(),
        });
        with(common(Self::WORD, self.role.id, seconds(self.created)), more)
    }
}

impl Shown for ProjectEntry {
    const WORD: &'static str = "projects";
    const SHOWN: &'static [Field] = &[
        projects::ID,
        projects::NAME.named("pname"),
        projects::DESCRIPTION,
        projects::CREATED.named("create_timestamp"),
        Field::shown("uri", Kind::Text),
        Field::shown("tablename", Kind::Text),
    ];
    const ALL: &'static str = MANAGE_PROJECTS;

    fn describe(&self, _: Timestamp) -> Value {
        let project = &self.project;
        let more = json!({ "pname": project.name, "description": project.description });
        with(common(Self::WORD, project.id, seconds(self.created)), more)
    }
}

impl Shown for KeyEntry {
    const WORD: &'static str = "api_keys";
    const SHOWN: &'static [Field] = &[
        keys::ID.named("id_api_key"),
        keys::OWNER.named("id_user"),
        keys::OWNER_NAME.named("id_user_fullname"),
        keys::LABEL.named("pname"),
        keys::READ_ONLY,
        keys::EXPIRES.named("expires_timestamp"),
        keys::LAST_USED.named("last_used_timestamp"),
        keys::CREATED.named("create_timestamp"),
        Field::shown("version", Kind::Text),
        Field::shown("expired", Kind::Flag),
        Field::shown("expires_days", Kind::Number),
    ];
    const ALL: &'static str = MANAGE_API_KEYS;

    fn describe(&self, now: Timestamp) -> Value {
        let mut told = super::keys::plain(&self.key, &self.owner_name, self.last_used, now);
        told.insert("create_timestamp".into(), seconds(self.created).into());
        Value::Object(told)
    }
}

/// Who is not allowed everything sees what their groups see.
fn visible<C: Shown>(caller: &Caller<'_>) -> Visible
where
    C::Named: 'static,
{
    let user = &caller.who.principal.user;
    if caller.may(C::ALL) {
        Visible::All { top: user.organization }
    } else {
        Visible::Groups { user: user.id }
    }
}

pub(super) async fn list<C: Shown>(caller: &Caller<'_>, uri: &str) -> Result<Success, Failure>
where
    C::Named: 'static,
{
    let sent = caller.call.head.query().unwrap_or_default();
    let query = Query::parse(pairs(sent), C::SHOWN).map_err(|bad| Failure::bad(bad.to_string()))?;
    let realm = caller.call.mount.realm;
    let page: Page<C> = caller.actions.list(realm, visible::<C>(caller), query.clone()).await?;
    let now = caller.call.services.clock.now().wall;
    let shown = |entry: &C| selected(entry.describe(now), &query);
    let results: Vec<Value> = page.rows.iter().map(shown).collect();
    let mut body = json!({ "$skip": query.skip, "$top": results.len(), "results": results });
    if let Value::Object(body) = &mut body {
        if let Some(total) = page.total {
            body.insert("$count".into(), total.into());
        }
        if let Some(next) = query.next().filter(|_| page.more) {
            body.insert("@nextLink".into(), format!("{uri}?{next}").into());
        }
    }
    Ok(Success::collection(body))
}

pub(super) async fn show<C: Shown>(
    caller: &Caller<'_>,
    id: Id<C::Named>,
) -> Result<Success, Failure>
where
    C::Named: 'static,
{
    let realm = caller.call.mount.realm;
    let found: C = caller.actions.find_visible(realm, visible::<C>(caller), id).await?;
    Ok(Success::results(found.describe(caller.call.services.clock.now().wall)))
}

/// The fields that `$select` names, or all.
fn selected(described: Value, query: &Query) -> Value {
    let Value::Object(fields) = described else { return described };
    Value::Object(fields.into_iter().filter(|(name, _)| query.shows(name)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<C: Shown>(described: &Value)
    where
        C::Named: 'static,
    {
        let mut shown: Vec<&str> = described.as_object().unwrap().keys().map(|it| &**it).collect();
        let mut fields: Vec<&str> = C::SHOWN.iter().map(|field| field.name).collect();
        shown.sort_unstable();
        fields.sort_unstable();
        assert_eq!(shown, fields, "{}", C::WORD);
    }

    #[test]
    fn every_field_that_is_shown_can_be_selected_and_no_other() {
        let role = portcullis_core::principal::Role {
            id: Id::from_bytes([1; 16]),
            version: portcullis_core::id::Revision(1),
            name: "Reader".into(),
            state: portcullis_core::organization::State::Active,
            abilities: std::collections::BTreeSet::new(),
        };
        let created = portcullis_core::time::Timestamp::from_millis(1_500);
        let entry = RoleEntry { role, organization: None, created };
        let described = entry.describe(created);
        check::<RoleEntry>(&described);
        assert_eq!(described["create_timestamp"], 1.5);
        assert_eq!(described["uri"], format!("/api/v1/roles/{}", "01".repeat(16)));
    }
}
