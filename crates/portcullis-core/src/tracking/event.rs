//! What a subject did, and where.

use serde_json::{Map, Value};

use super::{BadEntry, Json, is_name, moment};
use crate::time::Timestamp;

/// The longest name of an event, in bytes.
pub const MAX_EVENT_NAME: usize = 255;
/// The longest identity of an event, in bytes.
pub const MAX_EVENT_ID: usize = 255;
/// The longest properties of an event, in bytes of JSON.
pub const MAX_PROPERTIES: usize = 64 * 1024;
/// The longest text of where an event happened, in bytes.
pub const MAX_CONTEXT: usize = 8 * 1024;

/// The fields that tell where an event happened.
const CONTEXT: [&str; 5] = ["ip", "referer", "source", "type", "url"];

/// Something that a subject did.
#[derive(Clone, PartialEq, Debug)]
pub struct Event {
    /// What it is called.
    pub name: Box<str>,
    /// Tells it from all others of its subject: told twice, it happened once.
    pub event_id: Option<Box<str>>,
    /// More of it: an object.
    pub properties: Json,
    /// Where it happened: those of `ip`, `url`, `referer`, `source` and `type` that are a text.
    pub context: Map<String, Value>,
    /// When it happened, if that was told in a form that is understood.
    pub created: Option<Timestamp>,
}

impl Event {
    /// The event that `body` tells of. Fields that nobody knows are left out, as is a part of the
    /// context that is not a text (`ip: 0`).
    ///
    /// # Errors
    /// It has no name, or passes a bound.
    pub fn parse(mut body: Map<String, Value>) -> Result<Self, BadEntry> {
        let name = body.get("event").and_then(Value::as_str).ok_or(BadEntry::Event)?;
        if !is_name(name, MAX_EVENT_NAME) {
            return Err(BadEntry::Event);
        }
        Ok(Self {
            name: name.into(),
            event_id: event_id(body.get("event_id"))?,
            created: body.get("created_at").and_then(moment::parse),
            context: context(&mut body)?,
            properties: properties(body.remove("properties"))?,
        })
    }
}

fn event_id(told: Option<&Value>) -> Result<Option<Box<str>>, BadEntry> {
    let text: Box<str> = match told {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(number)) => number.to_string().into(),
        Some(Value::String(text)) => text.as_str().into(),
        Some(Value::Array(_) | Value::Bool(_) | Value::Object(_)) => return Err(BadEntry::EventId),
    };
    if is_name(&text, MAX_EVENT_ID) { Ok(Some(text)) } else { Err(BadEntry::EventId) }
}

fn context(body: &mut Map<String, Value>) -> Result<Map<String, Value>, BadEntry> {
    let mut context = Map::new();
    for name in CONTEXT {
        if let Some(Value::String(text)) = body.remove(name) {
            if text.len() > MAX_CONTEXT {
                return Err(BadEntry::Context);
            }
            context.insert(name.to_owned(), Value::String(text));
        }
    }
    Ok(context)
}

fn properties(told: Option<Value>) -> Result<Json, BadEntry> {
    let told = told.filter(|it| !it.is_null()).unwrap_or_else(|| Map::new().into());
    let properties = told.is_object().then(|| Json::from(told));
    properties.filter(|it| it.get().len() <= MAX_PROPERTIES).ok_or(BadEntry::Properties)
}
