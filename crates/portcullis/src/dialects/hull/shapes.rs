//! How subjects and events are told.

use portcullis_core::subject::{IdentifierKind, SubjectKind};
use portcullis_core::time::Timestamp;
use portcullis_store::tracking::{EventRow, Subject};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

/// A subject: its names, and its traits in an object of their own.
pub(super) fn subject(subject: &Subject) -> Value {
    let mut told = named(subject);
    let traits = subject.traits.iter().map(|(name, value)| (name.to_owned(), plain(value)));
    told.insert("traits".into(), Value::Object(traits.collect()));
    Value::Object(told)
}

/// A subject as a search tells it: flat, with `traits_` before the name of each trait.
pub(super) fn report(subject: &Subject) -> Value {
    let mut told = named(subject);
    let traits = subject.traits.iter();
    told.extend(traits.map(|(name, value)| (format!("traits_{name}"), plain(value))));
    Value::Object(told)
}

fn named(subject: &Subject) -> Map<String, Value> {
    let of = |kind: IdentifierKind| {
        let mine = subject.identifiers.iter().filter(move |it| it.kind == kind);
        mine.map(|it| Value::from(&*it.value))
    };
    let one = |kind| of(kind).next().unwrap_or_default();
    let mut told = Map::from_iter([
        ("id".to_owned(), subject.id.to_string().into()),
        ("type".to_owned(), subject.kind.as_str().into()),
        ("external_id".to_owned(), one(IdentifierKind::ExternalId)),
        ("anonymous_ids".to_owned(), of(IdentifierKind::AnonymousId).collect()),
        ("created_at".to_owned(), moment(subject.created)),
        ("updated_at".to_owned(), moment(subject.changed)),
    ]);
    match subject.kind {
        SubjectKind::Account => told.insert("domain".into(), one(IdentifierKind::Domain)),
        SubjectKind::User => {
            let account = subject.account.map(|id| json!({ "id": id.to_string() }));
            told.insert("account".into(), account.unwrap_or_default());
            told.insert("email".into(), one(IdentifierKind::Email))
        }
    };
    told
}

/// Something that a user did.
pub(super) fn event(event: &EventRow) -> Value {
    json!({
        "id": event.id.to_string(),
        "user_id": event.subject.to_string(),
        "event": event.name,
        "event_id": event.event_id,
        "created_at": moment(event.moment),
        "context": plain(&event.context),
        "properties": plain(&event.properties),
    })
}

/// What the store keeps was JSON when it was written.
fn plain(value: &RawValue) -> Value {
    serde_json::from_str(value.get()).unwrap_or_default()
}

/// RFC 3339, as the vendor's clients write moments too.
fn moment(moment: Timestamp) -> Value {
    let moment = jiff::Timestamp::from_millisecond(moment.millis());
    moment.map_or(Value::Null, |it| format!("{it:.3}").into())
}
