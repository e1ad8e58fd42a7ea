//! Bodies: JSON or a form, by their type; strict in both.

use std::fmt;
use std::time::Duration;

use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use percent_encoding::percent_decode_str;
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::content_type;
use super::envelope::Failure;
use crate::dialects::Call;

/// The longest body, in bytes.
pub(super) const MAX_BODY: usize = 1 << 20;
/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(30);

/// A body that was read.
#[derive(PartialEq, Debug)]
pub(super) enum Body {
    /// Names and values.
    Form(Map<String, Value>),
    /// Anything.
    Json(Value),
}

impl Body {
    pub(super) const fn none() -> Self {
        Self::Json(Value::Null)
    }

    pub(super) async fn read(call: &mut Call<'_>) -> Result<Self, Failure> {
        let kind = content_type(call)?;
        let reading = Limited::new(&mut call.body, MAX_BODY).collect();
        let read = tokio::time::timeout(PATIENCE, reading).await.map_err(|_| Failure::SLOW)?;
        let bytes = read.map_err(|error| {
            if error.is::<LengthLimitError>() {
                Failure::TOO_LARGE
            } else {
                Failure::bad("the body broke off")
            }
        })?;
        Self::parse(kind.as_deref(), &bytes.to_bytes())
    }

    /// Without a type, what looks like JSON is JSON.
    fn parse(kind: Option<&str>, bytes: &[u8]) -> Result<Self, Failure> {
        let text = std::str::from_utf8(bytes).map_err(|_| Failure::bad("the body is not UTF-8"))?;
        let looks_like_json = text.trim_start().starts_with(['{', '[']);
        match kind {
            Some("application/json") => json(text).map(Self::Json),
            Some("application/x-www-form-urlencoded") => form(text).map(Self::Form),
            None if looks_like_json => json(text).map(Self::Json),
            None => form(text).map(Self::Form),
            Some(_) => Err(Failure::WRONG_TYPE),
        }
    }

    /// The fields of a body that is one object.
    pub(super) fn fields(&self) -> Result<Fields<'_>, Failure> {
        match self {
            Self::Form(fields) | Self::Json(Value::Object(fields)) => Ok(Fields(fields)),
            Self::Json(_) => Err(Failure::bad("the body is not an object")),
        }
    }

    /// The objects of a body that is a list of them, or one; no form holds a list.
    pub(super) fn objects(&self) -> Result<Vec<Fields<'_>>, Failure> {
        match self {
            Self::Form(_) => Err(Failure::WRONG_TYPE),
            Self::Json(Value::Array(items)) => items.iter().map(fields_of).collect(),
            Self::Json(value) => Ok(vec![fields_of(value)?]),
        }
    }
}

/// The fields of a value that is an object.
pub(super) fn fields_of(value: &Value) -> Result<Fields<'_>, Failure> {
    value.as_object().map(Fields).ok_or_else(|| Failure::bad("an object was expected"))
}

/// The fields of one object. What is `null` is not there; what is not asked for is left alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'b>(&'b Map<String, Value>);

impl<'b> Fields<'b> {
    pub(super) fn get(self, name: &str) -> Option<&'b Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A text.
    pub(super) fn text(self, name: &str) -> Result<Option<&'b str>, Failure> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Failure::bad(format!("`{name}` is not a text"))),
        }
    }

    /// A text that must be there.
    pub(super) fn needed(self, name: &str) -> Result<&'b str, Failure> {
        self.text(name)?.ok_or_else(|| Failure::bad(format!("`{name}` is missing")))
    }

    /// An id: a text, or a number as one of the vendor's samples has it.
    pub(super) fn id(self, name: &str) -> Result<Option<String>, Failure> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(Value::Number(number)) if number.is_i64() => Ok(Some(number.to_string())),
            Some(_) => Err(Failure::bad(format!("`{name}` is not an id"))),
        }
    }
}

fn json(text: &str) -> Result<Value, Failure> {
    serde_json::from_str::<Unique>(text).map(|it| it.0).map_err(|error| {
        // Its own words would repeat what was sent.
        Failure::bad(format!(
            "the body is not JSON, or names a field twice: line {}, column {}",
            error.line(),
            error.column()
        ))
    })
}

/// `application/x-www-form-urlencoded`, decoded strictly: what is not UTF-8 is refused.
fn form(text: &str) -> Result<Map<String, Value>, Failure> {
    let mut fields = Map::new();
    for pair in text.trim_ascii_end().split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name)?, decode(value)?);
        if fields.insert(name, Value::String(value)).is_some() {
            return Err(Failure::bad("the form names a field twice"));
        }
    }
    Ok(fields)
}

fn decode(text: &str) -> Result<String, Failure> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    decoded.map(Into::into).map_err(|_| Failure::bad("the form is not UTF-8"))
}

/// A JSON value in which no object names a field twice: the last one would win silently.
struct Unique(Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Reader).map(Self)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Value, E> {
        Number::from_f64(number).map(Value::Number).ok_or_else(|| E::custom("not a number"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Unique(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((name, Unique(value))) = entries.next_entry::<String, _>()? {
            if map.insert(name, value).is_some() {
                return Err(de::Error::custom("a field is named twice"));
            }
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const JSON: Option<&str> = Some("application/json");
    const FORM: Option<&str> = Some("application/x-www-form-urlencoded");

    #[test]
    fn a_body_is_read_by_its_type_and_by_its_looks_without_one() {
        let fields = |pairs: &[(&str, &str)]| {
            let owned = pairs.iter().map(|(name, value)| ((*name).into(), json!(value)));
            Some(Body::Form(owned.collect()))
        };
        for (kind, text, expected) in [
            (JSON, r#"{"name": "A"}"#, Some(Body::Json(json!({ "name": "A" })))),
            (JSON, "[1, 2.5, true, null]", Some(Body::Json(json!([1, 2.5, true, null])))),
            (JSON, "name=A", None),
            (JSON, "", None),
            (JSON, r#"{"a": 1, "a": 2}"#, None),
            (JSON, r#"{"a": {"b": 1, "b": 2}}"#, None),
            (JSON, &"[".repeat(1_000), None),
            (JSON, "{} {}", None),
            (FORM, "name=A+B%20C&parentId=1", fields(&[("name", "A B C"), ("parentId", "1")])),
            (FORM, "name=", fields(&[("name", "")])),
            (FORM, "name", fields(&[("name", "")])),
            (FORM, "", fields(&[])),
            (FORM, "a=1&a=2", None),
            (FORM, "a=1&%61=2", None),
            (FORM, "nonce=%80", None),
            (None, r#" {"name": "A"}"#, Some(Body::Json(json!({ "name": "A" })))),
            (None, "name=A", fields(&[("name", "A")])),
            (Some("text/plain"), "name=A", None),
        ] {
            assert_eq!(Body::parse(kind, text.as_bytes()).ok(), expected, "{kind:?} {text}");
        }
        assert!(Body::parse(JSON, b"{\"name\": \"\xff\"}").is_err());
    }

    #[test]
    fn a_field_is_what_it_should_be_or_the_message_names_it() {
        let body = Body::Json(json!({ "text": "x", "number": 7, "nothing": null, "half": 0.5 }));
        let fields = body.fields().unwrap();
        assert_eq!(fields.text("text"), Ok(Some("x")));
        assert_eq!(fields.text("nothing"), Ok(None));
        assert!(fields.text("number").is_err());
        assert!(fields.needed("nothing").is_err());
        assert_eq!(fields.id("number"), Ok(Some("7".into())));
        assert_eq!(fields.id("text"), Ok(Some("x".into())));
        assert!(fields.id("half").is_err());
        assert!(Body::Json(json!([])).fields().is_err());
        assert!(Body::Form(Map::new()).objects().is_err());
        assert!(Body::Json(json!([1])).objects().is_err());
    }
}
