//! The searches that the vendor's clients make. A query is understood if it asks for everything, or
//! for one exact value.

use portcullis_core::subject::{Identifier, IdentifierKind, SubjectId, SubjectKind};
use portcullis_store::tracking::{Filter, Listed, Search};
use serde_json::{Map, Value, json};

use super::caller::Caller;
use super::failure::Failure;
use super::{Address, Told, input, shapes};
use crate::dialects::Call;

/// So many are on a page, unless it is said otherwise.
const PER_PAGE: u32 = 30;
/// A page has at most so many.
const MAX_PER_PAGE: u32 = 100;
/// So many events of one user can be paged through.
const MAX_EVENTS: i64 = portcullis_store::tracking::MAX_PAGE;
/// So deep a query may be nested.
const MAX_DEPTH: usize = 8;

/// What a query asks for.
#[derive(Clone, PartialEq, Debug)]
enum Wanted {
    All,
    /// What has exactly this value in a field.
    Exactly(String, Value),
}

/// Which page is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Page {
    number: u32,
    size: u32,
}

/// Users or accounts.
pub(super) async fn reports(call: &mut Call<'_>, caller: &Caller) -> Result<Told, Failure> {
    let kind = kind(call.path);
    let body = input::object(call).await?;
    let (wanted, page) = (read(&body)?, Page::read(&body)?);
    let (actions, organization) = (&call.services.actions, caller.organization());
    let listed = match filter(wanted)? {
        Which::Id(id) => {
            let found = actions.find_subject(organization, id).await?;
            let subjects: Vec<_> = found.into_iter().filter(|it| it.kind == kind).collect();
            Listed { total: subjects.len() as u64, subjects, cut: false }
        }
        Which::Filter(filter) => {
            let skip = page.skip();
            let search = Search { kind, filter, skip, top: page.size };
            actions.search_subjects(organization, search).await?
        }
    };
    let data: Value = listed.subjects.iter().map(shapes::report).collect();
    Ok(Told::Json(page.told(&data, listed.total)))
}

/// What one user did, the latest first.
pub(super) async fn events(call: &mut Call<'_>, caller: &Caller) -> Result<Told, Failure> {
    let body = input::object(call).await?;
    let (wanted, page) = (read(&body)?, Page::read(&body)?);
    let id = match wanted {
        Wanted::Exactly(field, Value::String(id)) if field == "user_id" => SubjectId::parse(&id),
        Wanted::All | Wanted::Exactly(..) => None,
    };
    let id = id.ok_or_else(|| Failure::bad("events are found by `term`: `user_id`"))?;
    // The latest are paged through; how many there are before them is not counted.
    let (skip, top) = (page.skip() as usize, page.skip() as usize + page.size as usize);
    let most = i64::try_from(top + 1).unwrap_or(MAX_EVENTS).min(MAX_EVENTS);
    let actions = &call.services.actions;
    let found = actions.list_events(caller.organization(), id, most).await?;
    let total = found.len() as u64;
    let shown = found.iter().take(top).skip(skip);
    Ok(Told::Json(page.told(&shown.map(shapes::event).collect(), total)))
}

/// The names of the traits that there are.
pub(super) async fn names(
    call: &Call<'_>,
    caller: &Caller,
    address: Address,
) -> Result<Told, Failure> {
    let (actions, organization) = (&call.services.actions, caller.organization());
    let names = actions.list_trait_names(organization, kind(call.path)).await?;
    let leaf = |name: &String| json!({ "id": format!("traits_{name}"), "text": name });
    if address == Address::Schema {
        let key = |name: &String| json!({ "key": name });
        return Ok(Told::Json(names.iter().map(key).collect()));
    }
    let children: Value = names.iter().map(leaf).collect();
    Ok(Told::Json(json!({ "tree": [{ "text": "Attributes", "children": children }] })))
}

fn kind(path: &str) -> SubjectKind {
    if path.contains("/account_reports") { SubjectKind::Account } else { SubjectKind::User }
}

impl Page {
    fn read(body: &Map<String, Value>) -> Result<Self, Failure> {
        let field = |name: &str, default: u32, most: u32| match body.get(name) {
            None | Some(Value::Null) => Ok(default),
            Some(value) => {
                let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
                let number = number.and_then(|number| u32::try_from(number).ok());
                let number = number.filter(|number| (1..=most).contains(number));
                number.ok_or_else(|| Failure::bad(format!("`{name}` is from 1 to {most}")))
            }
        };
        let number = field("page", 1, 1_000_000)?;
        Ok(Self { number, size: field("per_page", PER_PAGE, MAX_PER_PAGE)? })
    }

    const fn skip(self) -> u32 {
        (self.number - 1).saturating_mul(self.size)
    }

    fn told(self, data: &Value, total: u64) -> Value {
        let pages = total.div_ceil(self.size.into());
        let (page, per_page) = (self.number, self.size);
        let pagination = json!({ "total": total, "page": page, "pages": pages,
            "per_page": per_page });
        json!({ "data": data, "pagination": pagination })
    }
}

/// What the body of a search asks for.
fn read(body: &Map<String, Value>) -> Result<Wanted, Failure> {
    match body.get("query") {
        None | Some(Value::Null) => Ok(Wanted::All),
        Some(query) => understand(query, 0).ok_or_else(|| {
            Failure::bad("a query is `match_all`, or one `term`, alone or in a `bool`")
        }),
    }
}

fn understand(query: &Value, depth: usize) -> Option<Wanted> {
    let query = query.as_object().filter(|_| depth < MAX_DEPTH)?;
    let mut clauses = query.iter();
    match (clauses.next(), clauses.next()) {
        (None, _) => Some(Wanted::All),
        (Some((name, value)), None) => match name.as_str() {
            "match_all" => Some(Wanted::All),
            "term" => term(value),
            "bool" | "constant_score" => understand_clause(value, depth + 1),
            _ => None,
        },
        (Some(_), Some(_)) => None,
    }
}

/// The one clause of a `bool` that all must meet.
fn understand_clause(value: &Value, depth: usize) -> Option<Wanted> {
    let mut clauses = value.as_object()?.iter();
    let (name, clause) = clauses.next()?;
    if clauses.next().is_some() || !["filter", "must"].contains(&name.as_str()) {
        return None;
    }
    let Some(list) = clause.as_array() else { return understand(clause, depth) };
    match list.as_slice() {
        [] => Some(Wanted::All),
        [one] => understand(one, depth),
        [_, _, ..] => None,
    }
}

/// `{"field": value}` or `{"field": {"value": value}}`.
fn term(term: &Value) -> Option<Wanted> {
    let mut fields = term.as_object()?.iter();
    let (field, value) = fields.next()?;
    if fields.next().is_some() {
        return None;
    }
    let nested = value.as_object().filter(|object| object.len() == 1);
    let value = nested.map_or(Some(value), |object| object.get("value"))?;
    let field = [".exact", ".raw", ".keyword"].iter().find_map(|end| field.strip_suffix(end));
    let named = field.unwrap_or(term.as_object()?.keys().next()?);
    let fits = !value.is_object() && !value.is_array();
    fits.then(|| Wanted::Exactly(named.to_owned(), value.clone()))
}

/// Which subjects are meant.
enum Which {
    Id(SubjectId),
    Filter(Option<Filter>),
}

fn filter(wanted: Wanted) -> Result<Which, Failure> {
    let Wanted::Exactly(field, value) = wanted else { return Ok(Which::Filter(None)) };
    let kind = match field.as_str() {
        "id" => {
            let id = value.as_str().and_then(SubjectId::parse);
            return id.map(Which::Id).ok_or_else(|| Failure::bad("an id has 24 hex digits"));
        }
        "anonymous_ids" => Some(IdentifierKind::AnonymousId),
        word => IdentifierKind::parse(word),
    };
    let filter = match kind {
        None => {
            let name = field.strip_prefix("traits_").unwrap_or(&field);
            Filter::Trait(name.into(), value)
        }
        Some(kind) => {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let name = Identifier::new(kind, &text);
            Filter::Identifier(name.map_err(|bad| Failure::bad(bad.to_string()))?)
        }
    };
    Ok(Which::Filter(Some(filter)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_for_everything_or_for_one_exact_value() {
        let exactly = |field: &str, value| Some(Wanted::Exactly(field.to_owned(), value));
        for (query, expected) in [
            (json!({}), Some(Wanted::All)),
            (json!({ "match_all": {} }), Some(Wanted::All)),
            (json!({ "term": { "email": "a@b" } }), exactly("email", json!("a@b"))),
            (
                json!({ "term": { "email.exact": { "value": "a@b" } } }),
                exactly("email", json!("a@b")),
            ),
            (json!({ "bool": { "must": [{ "term": { "n": 1 } }] } }), exactly("n", json!(1))),
            (json!({ "bool": { "filter": { "term": { "n": 1 } } } }), exactly("n", json!(1))),
            (json!({ "bool": { "must": [] } }), Some(Wanted::All)),
            (json!({ "bool": { "must_not": [] } }), None),
            (json!({ "bool": { "must": [{ "match_all": {} }, { "match_all": {} }] } }), None),
            (json!({ "term": { "a": 1, "b": 2 } }), None),
            (json!({ "term": { "a": [1] } }), None),
            (json!({ "match": { "a": 1 } }), None),
            (json!("all"), None),
        ] {
            let understood = understand(&query, 0);
            assert_eq!(understood, expected, "{query}");
        }
        let mut deep = json!({ "match_all": {} });
        for _ in 0..100 {
            deep = json!({ "bool": { "must": deep } });
        }
        assert_eq!(understand(&deep, 0), None);
    }

    #[test]
    fn a_page_is_bounded() {
        let read = |body: Value| Page::read(body.as_object().unwrap()).ok();
        assert_eq!(read(json!({})), Some(Page { number: 1, size: 30 }));
        let told = json!({ "page": "3", "per_page": 100 });
        assert_eq!(read(told).map(|it| (it.skip(), it.size)), Some((200, 100)));
        for bad in [json!({ "page": 0 }), json!({ "per_page": 101 }), json!({ "page": -1 })] {
            assert_eq!(read(bad.clone()), None, "{bad}");
        }
    }
}
