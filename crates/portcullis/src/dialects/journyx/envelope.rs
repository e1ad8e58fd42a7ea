//! What every answer of the API looks like.

use std::borrow::Cow;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use hyper::body::Bytes;
use portcullis_core::authenticator::Rejection;
use serde_json::{Value, json};

use crate::actions::ActionError;
use crate::dialects::Call;
use crate::dialects::answer::{self, Undone};
use crate::dialects::body::BadBody;

/// How long a caller should wait for a node that cannot tell, in seconds.
const UNAVAILABLE_SECONDS: u64 = 1;

/// The address of a request, as its answer repeats it; never with the query, which may hold what
/// is nobody's to see.
pub(super) fn uri(call: &Call<'_>) -> String {
    let host = call.head.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.unwrap_or(call.head.host());
    format!("{}://{host}{}", call.head.protocol(), call.head.path())
}

/// A success: always 200.
pub(super) struct Success {
    body: Body,
    headers: HeaderMap,
}

enum Body {
    /// As it is.
    Bare(Value),
    /// The parts of a collection, in its envelope.
    Collection(Value),
    /// In the envelope, with what it confirms.
    Results(Value, Vec<&'static str>),
}

impl Success {
    pub(super) fn bare(body: Value) -> Self {
        Self { body: Body::Bare(body), headers: HeaderMap::new() }
    }

    pub(super) fn collection(parts: Value) -> Self {
        Self { body: Body::Collection(parts), headers: HeaderMap::new() }
    }

    pub(super) fn results(results: Value) -> Self {
        Self { body: Body::Results(results, Vec::new()), headers: HeaderMap::new() }
    }

    pub(super) fn confirming(self, status: &'static str) -> Self {
        let body = match self.body {
            Body::Results(results, mut told) => {
                told.push(status);
                Body::Results(results, told)
            }
            other @ (Body::Bare(_) | Body::Collection(_)) => other,
        };
        Self { body, ..self }
    }

    pub(super) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    pub(super) fn respond(self, uri: &str) -> Response<Bytes> {
        let body = match self.body {
            Body::Bare(body) => body,
            Body::Collection(parts) => {
                let mut body = json!({
                    "response_code": 200, "success": true, "uri": uri, "status": [],
                    "errors": [], "warnings": [], "info": [],
                });
                if let (Value::Object(body), Value::Object(parts)) = (&mut body, parts) {
                    body.extend(parts);
                }
                body
            }
            Body::Results(results, status) => json!({
                "response_code": 200, "success": true, "uri": uri, "status": status,
                "errors": [], "warnings": [], "info": [], "results": results,
            }),
        };
        let mut response = answer::json(StatusCode::OK, &body);
        response.headers_mut().extend(self.headers);
        response
    }
}

/// A failure. What is unknown, forbidden or not proven is one and the same 403.
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
    pub(super) const FORBIDDEN: Self = Self::refused("forbidden");

    const fn of(status: StatusCode, message: &'static str, reason: &'static str) -> Self {
        let message = Cow::Borrowed(message);
        Self { status, message, reason, allow: None, retry_after: None }
    }

    /// No, for a reason that is the log's to know.
    pub(super) const fn refused(reason: &'static str) -> Self {
        Self::of(StatusCode::FORBIDDEN, "this is not there, or not for you", reason)
    }

    pub(super) fn rejected(reason: Rejection) -> Self {
        if let Rejection::TooManyAttempts { retry_after } = reason {
            return Self::too_many(retry_after);
        }
        Self::refused(reason.name())
    }

    /// The body or a parameter is not what it should be.
    pub(super) fn bad(message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), ..Self::of(StatusCode::BAD_REQUEST, "", "bad_request") }
    }

    pub(super) fn wrong_method(allow: &'static str) -> Self {
        let message = Cow::Owned(format!("this address takes {allow}"));
        let failure = Self::of(StatusCode::METHOD_NOT_ALLOWED, "", "wrong_method");
        Self { message, allow: Some(allow), ..failure }
    }

    pub(super) fn too_many(wait: Duration) -> Self {
        let message = "too many attempts; wait before the next one";
        let failure = Self::of(StatusCode::TOO_MANY_REQUESTS, message, "too_many_attempts");
        Self { retry_after: Some(wait.as_secs().max(1)), ..failure }
    }

    pub(super) fn unavailable() -> Self {
        let failure =
            Self::of(StatusCode::SERVICE_UNAVAILABLE, "try again in a moment", "unavailable");
        Self { retry_after: Some(UNAVAILABLE_SECONDS), ..failure }
    }

    pub(super) fn respond(&self, uri: &str) -> Response<Bytes> {
        let body = json!({
            "response_code": self.status.as_u16(), "success": false, "uri": uri, "status": [],
            "errors": [self.message], "warnings": [], "info": [], "results": null,
        });
        let mut response = answer::json(self.status, &body);
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

impl From<BadBody> for Failure {
    fn from(bad: BadBody) -> Self {
        if bad == BadBody::NoRoom {
            return Self::unavailable();
        }
        Self { status: bad.status(), ..Self::bad(bad.to_string()) }
    }
}

impl From<ActionError> for Failure {
    fn from(error: ActionError) -> Self {
        match Undone::from(error) {
            Undone::Bad(message) | Undone::Conflict(message) => Self::bad(message),
            Undone::Failed => Self::of(StatusCode::INTERNAL_SERVER_ERROR, Undone::FAILED, "failed"),
            Undone::NotAllowed | Undone::Unknown => Self::FORBIDDEN,
            Undone::Unavailable => Self::unavailable(),
        }
    }
}
