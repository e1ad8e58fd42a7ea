//! Bodies: JSON or a form, by their type.

use serde_json::{Map, Value};

use super::envelope::Failure;
use crate::dialects::Call;
use crate::dialects::body::{self, BadBody, Fields, fields_of};

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
        let kind = body::content_type(call)?;
        Self::parse(kind.as_deref(), &body::read(call).await?)
    }

    /// Without a type, what looks like JSON is JSON.
    fn parse(kind: Option<&str>, text: &str) -> Result<Self, Failure> {
        let looks_like_json = text.trim_start().starts_with(['{', '[']);
        match kind {
            Some("application/json") => Ok(Self::Json(body::json(text)?)),
            Some("application/x-www-form-urlencoded") => Ok(Self::Form(body::form(text)?)),
            None if looks_like_json => Ok(Self::Json(body::json(text)?)),
            None => Ok(Self::Form(body::form(text)?)),
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
            Self::Json(Value::Array(items)) => {
                Ok(items.iter().map(fields_of).collect::<Result<_, _>>()?)
            }
            Self::Json(value) => Ok(vec![fields_of(value)?]),
        }
    }
}

impl From<BadBody> for Failure {
    fn from(bad: BadBody) -> Self {
        match bad {
            BadBody::Kind => Self::WRONG_TYPE,
            BadBody::Large(_) => Self::TOO_LARGE,
            BadBody::NoRoom => Self::UNAVAILABLE,
            BadBody::Slow => Self::SLOW,
            BadBody::Broken
            | BadBody::Field(_)
            | BadBody::NotJson(..)
            | BadBody::NotUtf8
            | BadBody::Twice => Self::bad(bad.to_string()),
        }
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
            assert_eq!(Body::parse(kind, text).ok(), expected, "{kind:?} {text}");
        }
    }

    #[test]
    fn a_body_is_one_object_or_a_list_of_them() {
        assert!(Body::Json(json!([])).fields().is_err());
        assert!(Body::Form(Map::new()).objects().is_err());
        assert!(Body::Json(json!([1])).objects().is_err());
        assert_eq!(Body::Json(json!({})).objects().unwrap().len(), 1);
        assert_eq!(Body::Json(json!([{}, {}])).objects().unwrap().len(), 2);
    }
}
