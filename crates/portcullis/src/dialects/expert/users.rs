//! Users: who one is, one of them, and all that one may see.

mod document;

use std::borrow::Cow;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use portcullis_core::id::Id;
use portcullis_core::query::{Field, MAX_TOP, Query};
use portcullis_store::collections::{Page, UserEntry, Visible, users};

use super::caller::{Caller, is_admin};
use super::document::Element;
use super::failure::Failure;
use super::site::Site;
use super::{Success, query};
use crate::actions::ActionError;
use document::{Told, describe};

/// The fields that a list can be ordered and searched by, under the vendor's names.
const FIELDS: &[Field] = &[
    users::NUMBER.named("id"),
    users::LOGIN.named("username"),
    users::LOGIN.named("nick"),
    users::NAME.named("fullname"),
    users::ACTIVE.named("status"),
    users::CREATED.named("date.created"),
    users::EMAIL,
];

/// The same for whoever is shown no addresses, which order and search would tell one letter at a time.
const PUBLIC_FIELDS: &[Field] = match FIELDS {
    [public @ .., _] => public,
    [] => &[],
};

/// Whom an address names.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Wanted {
    Current,
    Name(String),
    Number(i64),
}

impl Wanted {
    /// What a segment of the path says. A name is escaped twice, as front ends eat a layer; once is
    /// good enough.
    fn parse(segment: &str) -> Result<Self, Failure> {
        let bad = || Failure::bad("'userid' must be a user number or a username prefixed by '='");
        let once = percent_decode_str(segment).decode_utf8().map_err(|_| bad())?;
        if once == "current" {
            return Ok(Self::Current);
        }
        if let Some(name) = once.strip_prefix('=') {
            let name = percent_decode_str(name).decode_utf8().map_err(|_| bad())?;
            return if name.is_empty() { Err(bad()) } else { Ok(Self::Name(name.into_owned())) };
        }
        let number: u32 = once.parse().map_err(|_| bad())?;
        let plain = number.to_string() == once;
        if plain { Ok(Self::Number(number.into())) } else { Err(bad()) }
    }
}

/// `GET users/current`, `users/{id}` and `users/={name}`.
pub(super) async fn show(
    site: &Site<'_>,
    caller: &Caller,
    segment: &str,
) -> Result<Success, Failure> {
    let wanted = Wanted::parse(segment)?;
    let (actions, realm) = (&site.call.services.actions, site.call.mount.realm);
    let found = match &wanted {
        Wanted::Current => actions.find_user_by_id(realm, caller.user.id).await,
        Wanted::Name(name) => actions.find_user(realm, name).await,
        Wanted::Number(number) => actions.find_user_numbered(realm, *number).await,
    };
    let unknown = || Failure::unknown("Given user was not found");
    let row = match found {
        Err(ActionError::Missing(_) | ActionError::Name(_)) => None,
        other => Some(other?),
    };
    let own = row.as_ref().is_some_and(|row| row.id == caller.user.id);
    if !own {
        caller.known()?;
    }
    let row = row.ok_or_else(unknown)?;
    if !own && !caller.is_admin(site.call) {
        // Whoever may not see somebody does not learn that they are there.
        let visible = visible(site, caller);
        actions.find_visible::<UserEntry>(realm, visible, row.id).await.map_err(|error| {
            if matches!(error, ActionError::Missing(_)) { unknown() } else { error.into() }
        })?;
    }
    let told = tell(site, caller, own)?;
    Ok(describe(site, &row, told).await?.into())
}

/// `GET users`: all for who looks after them, else oneself and whoever is in a group with one.
pub(super) async fn list(site: &Site<'_>, caller: &Caller) -> Result<Success, Failure> {
    caller.known()?;
    let (actions, realm) = (&site.call.services.actions, site.call.mount.realm);
    let asked = asked(site, caller)?;
    let (skip, visible) = (asked.skip, visible(site, caller));
    let page: Page<UserEntry> = actions.list(realm, visible, asked).await?;
    let mut told = Vec::with_capacity(page.rows.len());
    for entry in &page.rows {
        let own = entry.user.id == caller.user.id;
        told.push(describe(site, &entry.user, tell(site, caller, own)?).await?);
    }
    let all = page.total.unwrap_or_else(|| i64::from(skip));
    Ok(Element::new("users")
        .with("count", told.len())
        .with("querycount", all)
        .with("totalcount", all)
        .with("href", site.href("users"))
        .of(told)
        .into())
}

fn visible(site: &Site<'_>, caller: &Caller) -> Visible {
    if is_admin(site.call, &caller.user) {
        Visible::All { top: site.call.mount.realm }
    } else {
        Visible::Groups { user: caller.user.id }
    }
}

/// What is told of a user: what the caller may know, and did not leave out.
fn tell(site: &Site<'_>, caller: &Caller, own: bool) -> Result<Told, Failure> {
    let excluded = query::value(site.call.head.query(), "exclude")?.unwrap_or_default();
    let shows = |part: &str| !excluded.split(',').any(|it| it.trim() == part);
    Ok(Told {
        private: own || caller.is_admin(site.call),
        groups: shows("groups"),
        properties: shows("properties"),
    })
}

/// The vendor's parameters, as a query of ours.
fn asked(site: &Site<'_>, caller: &Caller) -> Result<Query, Failure> {
    let (sent, all) = (site.call.head.query(), caller.is_admin(site.call));
    let known = if all { FIELDS } else { PUBLIC_FIELDS };
    let mut pairs: Vec<(&str, String)> = Vec::new();
    let mut filters = Vec::new();
    for (parameter, fields) in [
        ("usernamefilter", &["username"][..]),
        ("fullnamefilter", &["fullname"]),
        ("usernameemailfilter", if all { &["username", "email"] } else { &["username"] }),
    ] {
        let Some(text) = query::form(sent, parameter)? else { continue };
        // Login names and addresses are kept in one form, and found by it.
        let text: Cow<'_, str> =
            if fields.contains(&"fullname") { text.into() } else { text.to_lowercase().into() };
        let text = text.replace('"', "\"\"");
        let each = fields.iter().map(|field| format!("{field} contains \"{text}\""));
        filters.push(format!("({})", each.collect::<Vec<_>>().join(" or ")));
    }
    if let Some(active) = query::value(sent, "activatedfilter")? {
        let active: bool = active.parse().map_err(|_| bad("activatedfilter"))?;
        filters.push(format!("status eq {active}"));
    }
    if !filters.is_empty() {
        pairs.push(("$filter", filters.join(" and ")));
    }
    pairs.push(("$top", limit(query::value(sent, "limit")?)?));
    if let Some(offset) = query::value(sent, "offset")? {
        pairs.push(("$skip", offset));
    }
    if let Some(order) = query::value(sent, "sortby")? {
        let (field, word) = order.strip_prefix('-').map_or((&*order, ""), |it| (it, " desc"));
        pairs.push(("$orderBy", format!("{field}{word}")));
    }
    let pairs: Vec<(&str, String)> = pairs
        .into_iter()
        .map(|(name, text)| (name, utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string()))
        .collect();
    let pairs = pairs.iter().map(|(name, text)| (*name, text.as_str()));
    Query::parse(pairs, known).map_err(|_| Failure::bad("a parameter of the list cannot be read"))
}

/// So many on one page; nothing for none is no page of ours.
fn limit(limit: Option<String>) -> Result<String, Failure> {
    let Some(limit) = limit else { return Ok("100".into()) };
    if limit.eq_ignore_ascii_case("all") {
        return Ok(MAX_TOP.to_string());
    }
    let number: u32 = limit.parse().map_err(|_| bad("limit"))?;
    Ok(number.clamp(1, MAX_TOP).to_string())
}

fn bad(parameter: &'static str) -> Failure {
    Failure::bad(format!("`{parameter}` cannot be read"))
}

/// When something with this identity was made, which its first six bytes say (RFC 9562, section 5.7).
pub(super) fn made<T>(id: Id<T>) -> portcullis_core::time::Timestamp {
    let millis = id.as_bytes().iter().take(6).fold(0_i64, |all, byte| all << 8 | i64::from(*byte));
    portcullis_core::time::Timestamp::from_millis(millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_named_by_number_or_by_a_name_escaped_once_or_twice() {
        let name = |name: &str| Some(Wanted::Name(name.into()));
        for (segment, expected) in [
            ("current", Some(Wanted::Current)),
            ("1", Some(Wanted::Number(1))),
            ("4294967295", Some(Wanted::Number(4_294_967_295))),
            ("=admin", name("admin")),
            ("%3Dadmin", name("admin")),
            ("=1", name("1")),
            ("==x", name("=x")),
            ("=j%25C3%25B6rg", name("j\u{f6}rg")),
            ("=j%C3%B6rg", name("j\u{f6}rg")),
            ("=100%2525", name("100%")),
            ("=current", name("current")),
            ("4294967297", None),
            ("01", None),
            ("+1", None),
            ("-1", None),
            ("1.0", None),
            ("", None),
            ("=", None),
            ("admin", None),
            ("=%25FF", None),
        ] {
            assert_eq!(Wanted::parse(segment).ok(), expected, "{segment}");
        }
    }
}
