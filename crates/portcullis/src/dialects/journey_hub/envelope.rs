//! What every answer of the API looks like.

use std::borrow::Cow;
use std::time::Duration;

use http::{HeaderValue, Response, StatusCode, header};
use hyper::body::Bytes;
use serde_json::{Map, Value, json};

use crate::actions::ActionError;
use crate::dialects::answer::{self, Undone};

/// What a caller is told who is not known, whatever was wrong.
const WANTED: &str = "valid credentials are needed";
/// How long a caller should wait for a node that cannot tell, in seconds.
const UNAVAILABLE_SECONDS: u64 = 1;

/// A success: always 200, with one array under a plural key.
pub(super) struct Success {
    keys: &'static [&'static str],
    objects: Vec<Value>,
    next: Option<i64>,
}

impl Success {
    pub(super) fn one(key: &'static [&'static str], object: Value) -> Self {
        Self { keys: key, objects: vec![object], next: None }
    }

    pub(super) const fn list(
        keys: &'static [&'static str],
        objects: Vec<Value>,
        next: Option<i64>,
    ) -> Self {
        Self { keys, objects, next }
    }

    pub(super) fn respond(self) -> Response<Bytes> {
        let mut metadata = json!({ "code": 200, "message": "OK" });
        if let (Some(next), Value::Object(metadata)) = (self.next, &mut metadata) {
            metadata.insert("next".into(), Value::String(next.to_string()));
        }
        let mut body = Map::from_iter([("metadata".to_owned(), metadata)]);
        for key in self.keys {
            body.insert((*key).to_owned(), Value::Array(self.objects.clone()));
        }
        answer::json(StatusCode::OK, &Value::Object(body))
    }
}

/// A failure: `metadata` alone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Failure {
    status: StatusCode,
    message: Cow<'static, str>,
    /// The name of the reason, for the log alone.
    pub(super) reason: &'static str,
    allow: Option<&'static str>,
    retry_after: Option<u64>,
}

impl Failure {
    /// One answer for whatever is wrong with a token or an exchange.
    pub(super) const BAD_TOKEN: Self = Self::of(StatusCode::UNAUTHORIZED, WANTED, "rejected");
    pub(super) const NO_ROUTE: Self = Self::of(StatusCode::NOT_FOUND, "no such route", "no_route");
    pub(super) const NO_TOKEN: Self = Self::of(StatusCode::UNAUTHORIZED, WANTED, "no_credential");
    pub(super) const NOT_YOURS: Self =
        Self::of(StatusCode::FORBIDDEN, "this is not yours to do", "not_allowed");
    pub(super) const SLOW: Self =
        Self::of(StatusCode::REQUEST_TIMEOUT, "the body came too slowly", "slow_body");
    pub(super) const TOO_LARGE: Self =
        Self::of(StatusCode::PAYLOAD_TOO_LARGE, "the body is over 1 MiB", "large_body");
    pub(super) const UNAVAILABLE: Self = Self {
        status: StatusCode::SERVICE_UNAVAILABLE,
        message: Cow::Borrowed("try again in a moment"),
        reason: "unavailable",
        allow: None,
        retry_after: Some(UNAVAILABLE_SECONDS),
    };
    pub(super) const UNKNOWN: Self =
        Self::of(StatusCode::NOT_FOUND, "there is no object with this id", "unknown_object");
    pub(super) const WRONG_TYPE: Self = Self::of(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "send application/json, or application/x-www-form-urlencoded where there are no lists",
        "content_type",
    );

    const fn of(status: StatusCode, message: &'static str, reason: &'static str) -> Self {
        let message = Cow::Borrowed(message);
        Self { status, message, reason, allow: None, retry_after: None }
    }

    /// A token or an exchange that was not accepted, for this reason.
    pub(super) fn rejected(reason: &'static str) -> Self {
        Self { reason, ..Self::BAD_TOKEN }
    }

    /// The body or a parameter is not what it should be.
    pub(super) fn bad(message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), ..Self::of(StatusCode::BAD_REQUEST, "", "bad_request") }
    }

    pub(super) fn wrong_method(allow: &'static str) -> Self {
        let message = Cow::Owned(format!("this route takes {allow}"));
        let failure = Self::of(StatusCode::METHOD_NOT_ALLOWED, "", "wrong_method");
        Self { message, allow: Some(allow), ..failure }
    }

    pub(super) fn too_many(wait: Duration) -> Self {
        let message = "too many attempts; wait before the next one";
        let failure = Self::of(StatusCode::TOO_MANY_REQUESTS, message, "too_many_attempts");
        Self { retry_after: Some(wait.as_secs().max(1)), ..failure }
    }

    pub(super) fn respond(&self) -> Response<Bytes> {
        let metadata = json!({ "code": self.status.as_u16(), "message": self.message });
        let mut response = answer::json(self.status, &json!({ "metadata": metadata }));
        let headers = response.headers_mut();
        if let Some(allow) = self.allow {
            headers.insert(header::ALLOW, HeaderValue::from_static(allow));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<ActionError> for Failure {
    fn from(error: ActionError) -> Self {
        match Undone::from(error) {
            Undone::Bad(message) => Self::bad(message),
            Undone::Conflict(message) => {
                Self { message: message.into(), ..Self::of(StatusCode::CONFLICT, "", "conflict") }
            }
            Undone::Failed => Self::of(StatusCode::INTERNAL_SERVER_ERROR, Undone::FAILED, "failed"),
            Undone::NotAllowed => Self::NOT_YOURS,
            Undone::Unavailable => Self::UNAVAILABLE,
            Undone::Unknown => Self::UNKNOWN,
        }
    }
}
