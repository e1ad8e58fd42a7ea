//! Bodies: read with bounds, and taken apart strictly. What a dialect makes of a mistake is its own.

use std::time::Duration;

use http::{StatusCode, header};
use http_body_util::BodyExt as _;
use percent_encoding::percent_decode_str;
use portcullis_core::json::{self, NotJson};
use serde_json::{Map, Value};

use super::Call;
use crate::body_room::NoRoom;

/// The longest body, in bytes, where a dialect needs no less.
pub(crate) const MAX_BODY: usize = 1 << 20;
/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is wrong with a body: the caller's fault.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum BadBody {
    /// It ended before it was whole.
    #[error("the body broke off")]
    Broken,
    /// A field is missing or of the wrong kind.
    #[error("{0}")]
    Field(String),
    /// Its type is none that can be read.
    #[error("the type of the body cannot be read")]
    Kind,
    /// It is longer than it may be.
    #[error("the body is over {} KiB", .0 / 1_024)]
    Large(usize),
    /// Too many are being read: ours.
    #[error("too many bodies are being read; try again in a moment")]
    NoRoom,
    /// It is no JSON, or an object in it names a field twice. Its own words would repeat what was
    /// sent.
    #[error("the body is not JSON, or names a field twice: line {0}, column {1}")]
    NotJson(usize, usize),
    /// It is not UTF-8.
    #[error("the body is not UTF-8")]
    NotUtf8,
    /// It took too long.
    #[error("the body came too slowly")]
    Slow,
    /// A form names a field twice.
    #[error("the form names a field twice")]
    Twice,
}

impl From<NoRoom> for BadBody {
    fn from(NoRoom: NoRoom) -> Self {
        Self::NoRoom
    }
}

impl BadBody {
    /// The status that tells it.
    pub(crate) const fn status(&self) -> StatusCode {
        match self {
            Self::Large(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Kind => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NoRoom => StatusCode::SERVICE_UNAVAILABLE,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::Broken | Self::Field(_) | Self::NotJson(..) | Self::NotUtf8 | Self::Twice => {
                StatusCode::BAD_REQUEST
            }
        }
    }

    pub(crate) fn field(message: impl Into<String>) -> Self {
        Self::Field(message.into())
    }
}

/// The type of a request's body, without its parameters; none if it says none.
pub(crate) fn content_type(call: &Call<'_>) -> Result<Option<String>, BadBody> {
    let Some(value) = call.head.headers().get(header::CONTENT_TYPE) else { return Ok(None) };
    let text = value.to_str().map_err(|_| BadBody::Kind)?;
    let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    Ok(Some(essence))
}

/// The whole body, as text.
pub(crate) async fn read(call: &mut Call<'_>) -> Result<String, BadBody> {
    read_at_most(MAX_BODY, call).await
}

/// The whole body, as text, of so many bytes at most.
pub(crate) async fn read_at_most(most: usize, call: &mut Call<'_>) -> Result<String, BadBody> {
    String::from_utf8(read_bytes(most, call).await?).map_err(|_| BadBody::NotUtf8)
}

/// The whole body, of so many bytes at most.
pub(crate) async fn read_bytes(most: usize, call: &mut Call<'_>) -> Result<Vec<u8>, BadBody> {
    tokio::time::timeout(PATIENCE, gather(most, call)).await.map_err(|_| BadBody::Slow)?
}

async fn gather(most: usize, call: &mut Call<'_>) -> Result<Vec<u8>, BadBody> {
    let mut place = call.services.room.place(call.head.client());
    let mut read = Vec::new();
    while let Some(frame) = call.body.frame().await {
        // Trailers end it, and say nothing here.
        let Ok(data) = frame.map_err(|_| BadBody::Broken)?.into_data() else { break };
        if read.len() + data.len() > most {
            return Err(BadBody::Large(most));
        }
        place.take(data.len())?;
        read.extend_from_slice(&data);
    }
    Ok(read)
}

/// The fields of a value that is an object.
pub(crate) fn fields_of(value: &Value) -> Result<Fields<'_>, BadBody> {
    value.as_object().map(Fields).ok_or_else(|| BadBody::field("an object was expected"))
}

/// The fields of one object. What is `null` is not there; what is not asked for is left alone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'b>(pub(crate) &'b Map<String, Value>);

impl<'b> Fields<'b> {
    pub(crate) fn get(self, name: &str) -> Option<&'b Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A text.
    pub(crate) fn text(self, name: &str) -> Result<Option<&'b str>, BadBody> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(BadBody::Field(format!("`{name}` is not a text"))),
        }
    }

    /// A text that must be there.
    pub(crate) fn needed(self, name: &str) -> Result<&'b str, BadBody> {
        self.text(name)?.ok_or_else(|| BadBody::Field(format!("`{name}` is missing")))
    }

    /// Yes or no.
    pub(crate) fn flag(self, name: &str) -> Result<Option<bool>, BadBody> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(BadBody::Field(format!("`{name}` is neither true nor false"))),
        }
    }

    /// A whole number.
    pub(crate) fn number(self, name: &str) -> Result<Option<i64>, BadBody> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Number(number)) if number.is_i64() => Ok(number.as_i64()),
            Some(_) => Err(BadBody::Field(format!("`{name}` is no whole number"))),
        }
    }

    /// An id: a text, or a number as one of the vendor's samples has it.
    pub(crate) fn id(self, name: &str) -> Result<Option<String>, BadBody> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(Value::Number(number)) if number.is_i64() => Ok(Some(number.to_string())),
            Some(_) => Err(BadBody::Field(format!("`{name}` is not an id"))),
        }
    }
}

/// JSON in which no object names a field twice.
pub(crate) fn json(text: &str) -> Result<Value, BadBody> {
    json::parse(text).map_err(|NotJson { line, column }| BadBody::NotJson(line, column))
}

/// `application/x-www-form-urlencoded`, decoded strictly: what is not UTF-8 is refused.
pub(crate) fn form(text: &str) -> Result<Map<String, Value>, BadBody> {
    let mut fields = Map::new();
    for pair in text.trim_ascii_end().split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name)?, decode(value)?);
        if fields.insert(name, Value::String(value)).is_some() {
            return Err(BadBody::Twice);
        }
    }
    Ok(fields)
}

/// One name or value of a form or query.
pub(crate) fn decode(text: &str) -> Result<String, BadBody> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    decoded.map(Into::into).map_err(|_| BadBody::NotUtf8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_field_is_what_it_should_be_or_the_message_names_it() {
        let body = json!({ "text": "x", "number": 7, "nothing": null, "half": 0.5, "flag": true });
        let fields = fields_of(&body).unwrap();
        assert_eq!(fields.text("text"), Ok(Some("x")));
        assert_eq!(fields.text("nothing"), Ok(None));
        assert!(fields.text("number").is_err());
        assert!(fields.needed("nothing").is_err());
        assert_eq!(fields.id("number"), Ok(Some("7".into())));
        assert_eq!(fields.id("text"), Ok(Some("x".into())));
        assert!(fields.id("half").is_err());
        assert_eq!(fields.flag("flag"), Ok(Some(true)));
        assert!(fields.flag("number").is_err());
        assert_eq!(fields.number("number"), Ok(Some(7)));
        assert!(fields.number("half").is_err());
        assert!(fields_of(&json!([])).is_err());
    }
}
