//! What connectors tell of subjects: their traits, what they did, and what else they are called.

mod batch;
mod event;
mod moment;
mod resolution;
mod traits;

use serde_json::{Map, Number, Value};

use crate::subject::{BadIdentifier, Identifier, IdentifierKind, MAX_IDENTIFIER};

pub use batch::{BadBatch, Batch, MAX_ENTRIES, MAX_NAMED, Told};
pub use event::{Event, MAX_CONTEXT, MAX_EVENT_ID, MAX_EVENT_NAME, MAX_PROPERTIES};
pub use resolution::{Holder, Holders, Joining, Plan, Resolution, Target, join, resolve};
pub use traits::{BadTraits, Json, MAX_TRAITS, MAX_TRAITS_BYTES, Overgrown, Traits};

/// One entry changes at most so many traits.
pub const MAX_CHANGES: usize = 500;
/// The longest name of a trait, in bytes.
pub const MAX_TRAIT_NAME: usize = 255;
/// The longest value of a trait, in bytes of JSON.
pub const MAX_TRAIT_VALUE: usize = 64 * 1024;
/// So many identifiers can be a subject's own, over all time.
pub const MAX_KEPT_IDENTIFIERS: usize = 256;

/// One thing that is told of a subject.
#[derive(Clone, PartialEq, Debug)]
pub enum Entry {
    /// It is called this too.
    Alias(Identifier),
    /// It did this.
    Track(Event),
    /// It is so.
    Traits(Vec<Change>),
    /// It is not called this any more.
    Unalias(Identifier),
}

/// What becomes of one trait.
#[derive(Clone, PartialEq, Debug)]
pub struct Change {
    /// The trait, its group before a slash if it has one.
    pub name: Box<str>,
    /// What becomes of it.
    pub operation: Operation,
}

/// What can become of a trait.
#[derive(Clone, PartialEq, Debug)]
pub enum Operation {
    /// It becomes less by this.
    Dec(Number),
    /// It becomes greater by this.
    Inc(Number),
    /// It becomes this; null takes it away.
    Set(Json),
    /// It becomes this if it is not there.
    SetIfNull(Json),
}

/// An entry that cannot be applied: the caller's fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadEntry {
    /// An event of an account.
    #[error("events are of users alone")]
    AccountEvent,
    /// The body is not of the form that its type has.
    #[error("the body is not an object")]
    Body,
    /// Where an event happened is told at too great a length.
    #[error("`ip`, `url`, `referer`, `source` and `type` have at most {MAX_CONTEXT} bytes each")]
    Context,
    /// The event has no name that can be one.
    #[error("`event` has 1 to {MAX_EVENT_NAME} bytes, and no control characters")]
    Event,
    /// The event's identity cannot be one.
    #[error("`event_id` has 1 to {MAX_EVENT_ID} bytes, and no control characters")]
    EventId,
    /// The other name cannot be one.
    #[error("`anonymous_id` has 1 to {MAX_IDENTIFIER} bytes, and no control characters")]
    Identifier,
    /// The type is not known.
    #[error("the type is `alias`, `track`, `traits` or `unalias`")]
    Kind,
    /// The body is nothing that JSON can say once.
    #[error("the body is not JSON, or names a field twice")]
    NotJson,
    /// What is counted by is not a number.
    #[error("what a trait is counted by is a number")]
    NotANumber,
    /// The subject would grow beyond its bounds.
    #[error(transparent)]
    Overgrown(#[from] Overgrown),
    /// The event's properties are not an object, or too long.
    #[error("`properties` is an object of at most {MAX_PROPERTIES} bytes")]
    Properties,
    /// It would have more names than one may.
    #[error("a subject has at most {MAX_KEPT_IDENTIFIERS} identifiers")]
    TooManyIdentifiers,
    /// It changes more traits than an entry may.
    #[error("an entry changes at most {MAX_CHANGES} traits")]
    TooManyTraits,
    /// A trait's name cannot be one.
    #[error("the name of a trait has 1 to {MAX_TRAIT_NAME} bytes, and no control characters")]
    TraitName,
    /// A trait's value is too long.
    #[error("the value of a trait has at most {MAX_TRAIT_VALUE} bytes of JSON")]
    TraitValue,
}

impl From<BadIdentifier> for BadEntry {
    fn from(_: BadIdentifier) -> Self {
        Self::Identifier
    }
}

impl Entry {
    /// The entry of type `kind` that `body` is.
    ///
    /// # Errors
    /// It is not one, or passes a bound.
    pub fn parse(kind: &str, body: Value) -> Result<Self, BadEntry> {
        let Value::Object(body) = body else {
            return Err(if is_known(kind) { BadEntry::Body } else { BadEntry::Kind });
        };
        match kind {
            "alias" => other_name(&body).map(Self::Alias),
            "track" => Event::parse(body).map(Self::Track),
            "traits" => changes(body).map(Self::Traits),
            "unalias" => other_name(&body).map(Self::Unalias),
            _ => Err(BadEntry::Kind),
        }
    }
}

fn is_known(kind: &str) -> bool {
    matches!(kind, "alias" | "track" | "traits" | "unalias")
}

fn other_name(body: &Map<String, Value>) -> Result<Identifier, BadEntry> {
    let name = body.get(IdentifierKind::AnonymousId.as_str()).and_then(Value::as_str);
    Ok(Identifier::new(IdentifierKind::AnonymousId, name.ok_or(BadEntry::Identifier)?)?)
}

fn changes(body: Map<String, Value>) -> Result<Vec<Change>, BadEntry> {
    if body.len() > MAX_CHANGES {
        return Err(BadEntry::TooManyTraits);
    }
    body.into_iter().map(|(name, value)| Change::parse(&name, value)).collect()
}

impl Change {
    /// What is told of the trait `name`: a value to set, or `{operation, value}` where `operation`
    /// is a known word. Any other object is a value like any other.
    ///
    /// # Errors
    /// Its name or value cannot be one.
    pub fn parse(name: &str, told: Value) -> Result<Self, BadEntry> {
        if !is_name(name, MAX_TRAIT_NAME) {
            return Err(BadEntry::TraitName);
        }
        let operation = Operation::parse(told)?;
        if let Operation::Set(value) | Operation::SetIfNull(value) = &operation
            && value.get().len() > MAX_TRAIT_VALUE
        {
            return Err(BadEntry::TraitValue);
        }
        Ok(Self { name: name.into(), operation })
    }
}

impl Operation {
    fn parse(told: Value) -> Result<Self, BadEntry> {
        let Value::Object(mut object) = told else { return Ok(Self::Set(told.into())) };
        let word = object.get("operation").and_then(Value::as_str);
        let Some(operation) = word.and_then(Word::parse) else {
            return Ok(Self::Set(Value::Object(object).into()));
        };
        let value = object.remove("value").unwrap_or_default();
        match (operation, value) {
            (Word::Dec, Value::Number(by)) => Ok(Self::Dec(by)),
            (Word::Inc, Value::Number(by)) => Ok(Self::Inc(by)),
            (Word::Dec | Word::Inc, _) => Err(BadEntry::NotANumber),
            (Word::Set, value) => Ok(Self::Set(value.into())),
            (Word::SetIfNull, value) => Ok(Self::SetIfNull(value.into())),
        }
    }
}

/// The words for operations.
#[derive(Clone, Copy)]
enum Word {
    Dec,
    Inc,
    Set,
    SetIfNull,
}

impl Word {
    fn parse(word: &str) -> Option<Self> {
        match word {
            "dec" | "decrement" => Some(Self::Dec),
            "inc" | "increment" => Some(Self::Inc),
            "set" => Some(Self::Set),
            "setIfNull" => Some(Self::SetIfNull),
            _ => None,
        }
    }
}

/// Whether `text` can name something: not empty, bounded, without control characters.
fn is_name(text: &str, longest: usize) -> bool {
    !text.trim().is_empty() && text.len() <= longest && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests;
