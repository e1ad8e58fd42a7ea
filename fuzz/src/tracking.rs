//! What a connector tells: an entry of a batch, and what it does to traits.

use portcullis_core::json;
use portcullis_core::subject::MAX_IDENTIFIER;
use portcullis_core::tracking::{
    BadEntry, Change, Entry, MAX_CHANGES, MAX_CONTEXT, MAX_EVENT_ID, MAX_EVENT_NAME,
    MAX_PROPERTIES, MAX_TRAIT_NAME, MAX_TRAITS, MAX_TRAITS_BYTES, Operation, Traits,
};

/// No message is longer, in bytes, however much was told.
const LONGEST_MESSAGE: usize = 120;

/// The type of an entry on the first line, its body on the others.
///
/// # Panics
/// It is taken out of bounds, or traits are not what they were written as.
pub fn tracking(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (kind, body) = text.split_once('\n').unwrap_or((text, "{}"));
    let Ok(body) = json::parse(body) else { return };
    let entry = match Entry::parse(kind, body) {
        Ok(entry) => entry,
        Err(bad) => return short(bad),
    };
    match entry {
        Entry::Alias(name) | Entry::Unalias(name) => {
            assert!((1..=MAX_IDENTIFIER).contains(&name.value.len()));
        }
        Entry::Track(event) => {
            named(&event.name, MAX_EVENT_NAME);
            event.event_id.inspect(|id| named(id, MAX_EVENT_ID));
            assert!(event.properties.get().len() <= MAX_PROPERTIES);
            let texts = event.context.values().map(|value| value.as_str().unwrap());
            assert!(texts.map(str::len).all(|length| length <= MAX_CONTEXT));
        }
        Entry::Traits(changes) => changed(&changes),
    }
}

fn short(bad: BadEntry) {
    assert!(bad.to_string().len() <= LONGEST_MESSAGE, "{bad}");
}

fn named(name: &str, longest: usize) {
    assert!((1..=longest).contains(&name.len()) && !name.contains(char::is_control), "{name:?}");
}

fn changed(changes: &[Change]) {
    assert!(changes.len() <= MAX_CHANGES);
    changes.iter().for_each(|change| named(&change.name, MAX_TRAIT_NAME));
    let once = match Traits::default().changed(changes) {
        Ok(once) => once,
        Err(overgrown) => return short(overgrown.into()),
    };
    let written = once.to_json();
    assert!(once.len() <= MAX_TRAITS && written.len() <= MAX_TRAITS_BYTES + 1);
    assert_eq!(Traits::from_json(&written).unwrap(), once);
    assert_eq!(once.size().max(1) + 1, written.len(), "{written}");
    let known = json::parse(&written).unwrap();
    for Change { name, operation } in changes {
        match operation {
            Operation::Set(value) | Operation::SetIfNull(value) if value.is_null() => {
                assert!(known.get(&**name).is_none());
            }
            Operation::Set(_) | Operation::SetIfNull(_) => assert!(known.get(&**name).is_some()),
            Operation::Dec(_) | Operation::Inc(_) => assert!(known[&**name].is_number()),
        }
    }
}
