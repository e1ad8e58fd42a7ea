//! Why a call of the site's own addresses fails, in the words of the vendor or of OAuth.

use std::borrow::Cow;
use std::time::Duration;

use http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use hyper::body::Bytes;
use portcullis_core::authenticator::Rejection;
use serde_json::json;

use super::told;
use crate::actions::ActionError;
use crate::dialects::answer::{self, Undone};
use crate::dialects::body::BadBody;
use crate::dialects::proof::Unproven;
use crate::gate::Unknown;

/// How long a caller should wait for a node that cannot tell, in seconds.
const UNAVAILABLE_SECONDS: u64 = 1;
/// How clients prove themselves (RFC 7617; RFC 6749, section 2.3.1).
const BASIC: &str = r#"Basic realm="portcullis", charset="UTF-8""#;
/// How callers prove themselves whose token is looked at (RFC 6750, section 3).
const BEARER: &str = r#"Bearer realm="portcullis", error="invalid_token""#;

/// Whose words an address is answered in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Words {
    /// OAuth's (RFC 6749, section 5.2).
    OAuth,
    /// The vendor's.
    Vendor,
}

/// A failure.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Failure {
    status: StatusCode,
    /// OAuth's name for it.
    code: &'static str,
    message: Cow<'static, str>,
    /// The name of the reason, for the log alone.
    pub(super) reason: &'static str,
    challenge: Option<&'static str>,
    allow: Option<&'static str>,
    retry_after: Option<u64>,
}

impl Failure {
    fn of(status: StatusCode, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        let message = message.into();
        Self {
            status,
            code,
            message,
            reason: code,
            challenge: None,
            allow: None,
            retry_after: None,
        }
    }

    /// What was sent is not what it should be (RFC 6749, section 5.2: `invalid_request`).
    pub(super) fn bad(message: impl Into<Cow<'static, str>>) -> Self {
        Self::of(StatusCode::BAD_REQUEST, "invalid_request", message)
    }

    /// Another of the errors of RFC 6749, section 5.2, and its kin.
    pub(super) fn named(code: &'static str, message: &'static str) -> Self {
        Self::of(StatusCode::BAD_REQUEST, code, message)
    }

    /// Whoever calls is not known, for a reason that is the log's to know.
    pub(super) fn refused(reason: &'static str) -> Self {
        let message = "the credential was not accepted";
        let failure = Self::of(StatusCode::UNAUTHORIZED, "invalid_client", message);
        Self { reason, challenge: Some(BASIC), ..failure }
    }

    /// The token that was presented does not count (RFC 6750, section 3.1).
    pub(super) fn bad_token(reason: &'static str) -> Self {
        let failure = Self::refused(reason);
        Self { code: "invalid_token", challenge: Some(BEARER), ..failure }
    }

    pub(super) fn wrong_method(allow: &'static str) -> Self {
        let message = format!("this address takes {allow}");
        let failure = Self::of(StatusCode::METHOD_NOT_ALLOWED, "invalid_request", message);
        Self { reason: "wrong_method", allow: Some(allow), ..failure }
    }

    pub(super) fn no_address() -> Self {
        let failure = Self::of(StatusCode::NOT_FOUND, "invalid_request", "nothing answers here");
        Self { reason: "no_address", ..failure }
    }

    fn too_many(wait: Duration) -> Self {
        let message = "too many attempts; wait before the next one";
        let failure = Self::of(StatusCode::TOO_MANY_REQUESTS, "temporarily_unavailable", message);
        let retry_after = Some(wait.as_secs().max(1));
        Self { reason: "too_many_attempts", retry_after, ..failure }
    }

    fn rejected(reason: Rejection) -> Self {
        if let Rejection::TooManyAttempts { retry_after } = reason {
            return Self::too_many(retry_after);
        }
        if reason == Rejection::Ambiguous {
            return Self::bad("more than one credential was presented");
        }
        if reason == Rejection::OtherNetwork {
            let message = "this credential does not count from here";
            let failure = Self::of(StatusCode::FORBIDDEN, "access_denied", message);
            return Self { reason: reason.name(), ..failure };
        }
        Self::refused(reason.name())
    }

    fn unavailable() -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let failure = Self::of(status, "temporarily_unavailable", "try again in a moment");
        Self { reason: "unavailable", retry_after: Some(UNAVAILABLE_SECONDS), ..failure }
    }

    pub(super) fn respond(&self, words: Words) -> Response<Bytes> {
        let mut response = match words {
            Words::OAuth => {
                let body = json!({ "error": self.code, "error_description": self.message });
                answer::json(self.status, &body)
            }
            Words::Vendor if self.status == StatusCode::BAD_REQUEST => {
                let body = json!({ "meta": { "code": 400, "messages": [self.message] } });
                answer::json(self.status, &body)
            }
            Words::Vendor => told::plain(self.status),
        };
        let headers = response.headers_mut();
        if let Some(challenge) = self.challenge {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if let Some(allow) = self.allow {
            headers.insert(ALLOW, HeaderValue::from_static(allow));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<Unknown> for Failure {
    fn from(unknown: Unknown) -> Self {
        match unknown {
            Unknown::Busy(wait) => Self::too_many(wait),
            Unknown::Changed | Unknown::Unavailable => Self::unavailable(),
            Unknown::Rejected(no) => Self::rejected(no.reason),
        }
    }
}

impl From<Unproven> for Failure {
    fn from(unproven: Unproven) -> Self {
        match unproven {
            Unproven::Malformed => Self::refused("malformed"),
            Unproven::Unknown(unknown) => unknown.into(),
        }
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
            Undone::Failed => {
                Self::of(StatusCode::INTERNAL_SERVER_ERROR, "server_error", Undone::FAILED)
            }
            // Whoever was proven is gone since.
            Undone::NotAllowed | Undone::Unknown => Self::refused("not_allowed"),
            Undone::Unavailable => Self::unavailable(),
        }
    }
}
