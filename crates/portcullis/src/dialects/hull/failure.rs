//! Why a call fails, in the words of the vendor.

use std::borrow::Cow;

use http::header::{ALLOW, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use hyper::body::Bytes;
use portcullis_core::authenticator::Rejection;
use portcullis_core::tracking::{BadBatch, BadEntry};
use portcullis_store::tracking::BadAt;
use serde_json::{Value, json};

use crate::actions::ActionError;
use crate::actions::tracking::Untold;
use crate::dialects::answer::{self, Undone};
use crate::dialects::body::BadBody;
use crate::gate::Unknown;

/// A failure.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Failure {
    status: StatusCode,
    message: Cow<'static, str>,
    /// The name of the reason, for the log alone.
    pub(super) reason: &'static str,
    /// What is wrong with single entries.
    entries: Vec<BadTold>,
    allow: Option<&'static str>,
    retry_after: Option<u64>,
}

/// What is wrong with one entry of a batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct BadTold {
    index: usize,
    status: StatusCode,
    error: String,
}

/// All bad tokens are told alike.
const INVALID_TOKEN: &str = "invalid token";

impl BadTold {
    /// Its token does not count, or does not say for whom.
    pub(super) fn token(index: usize) -> Self {
        Self { index, status: StatusCode::UNAUTHORIZED, error: INVALID_TOKEN.into() }
    }

    /// What it tells cannot be.
    pub(super) fn entry(index: usize, bad: BadEntry) -> Self {
        Self { index, status: StatusCode::BAD_REQUEST, error: bad.to_string() }
    }

    /// It tells what its subject may not.
    pub(super) fn beyond_rights(index: usize) -> Self {
        Self { index, status: StatusCode::FORBIDDEN, error: "not allowed to this subject".into() }
    }

    /// As an answer tells it.
    pub(super) fn told(&self) -> Value {
        json!({ "index": self.index, "status": self.status.as_u16(), "error": self.error })
    }
}

impl From<BadAt> for BadTold {
    fn from(bad: BadAt) -> Self {
        Self::entry(bad.index, bad.reason)
    }
}

impl Failure {
    fn of(status: StatusCode, reason: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        let message = message.into();
        Self { status, message, reason, entries: Vec::new(), allow: None, retry_after: None }
    }

    /// What was sent is not what it should be.
    pub(super) fn bad(message: impl Into<Cow<'static, str>>) -> Self {
        Self::of(StatusCode::BAD_REQUEST, "bad_request", message)
    }

    /// Whoever calls is not known, for a reason that is the log's to know.
    pub(super) fn refused(reason: &'static str) -> Self {
        Self::of(StatusCode::UNAUTHORIZED, reason, "Unauthorized")
    }

    /// A token may not do this.
    pub(super) fn beyond_rights() -> Self {
        Self::forbidden("a token on behalf of a subject tracks, and no more")
    }

    pub(super) fn forbidden(message: &'static str) -> Self {
        Self::of(StatusCode::FORBIDDEN, "not_allowed", message)
    }

    pub(super) fn unknown() -> Self {
        Self::of(StatusCode::NOT_FOUND, "unknown", "Not Found")
    }

    pub(super) fn wrong_method(allow: &'static str) -> Self {
        let failure =
            Self::of(StatusCode::METHOD_NOT_ALLOWED, "wrong_method", "Method Not Allowed");
        Self { allow: Some(allow), ..failure }
    }

    fn unavailable(wait: u64) -> Self {
        let failure =
            Self::of(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Service Unavailable");
        Self { retry_after: Some(wait), ..failure }
    }

    /// A batch of which nothing was recorded. A bad token outweighs what else is wrong.
    pub(super) fn entries(entries: Vec<BadTold>) -> Self {
        let status = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN]
            .into_iter()
            .find(|status| entries.iter().any(|entry| entry.status == *status));
        let failure = match status {
            Some(StatusCode::UNAUTHORIZED) => Self::refused("bad_entries"),
            Some(status) => Self::of(status, "bad_entries", "Forbidden"),
            None => Self::of(StatusCode::BAD_REQUEST, "bad_entries", "Bad Request"),
        };
        Self { entries, ..failure }
    }

    /// The same refusal of somebody who proved nothing: for a `reason` that is the log's to know.
    pub(super) fn because(self, reason: &'static str) -> Self {
        let status = StatusCode::UNAUTHORIZED;
        Self { status, message: "Unauthorized".into(), reason, ..self }
    }

    /// The answer that tells it.
    pub(super) fn respond(&self) -> Response<Bytes> {
        let (status, message) = (self.status.as_u16(), &self.message);
        let errors: Vec<Value> = self.entries.iter().map(BadTold::told).collect();
        let body = if errors.is_empty() {
            json!({ "status": status, "message": message })
        } else {
            json!({ "status": status, "message": message, "errors": errors })
        };
        let mut response = answer::json(self.status, &body);
        let headers = response.headers_mut();
        if let Some(allow) = self.allow {
            headers.insert(ALLOW, HeaderValue::from_static(allow));
        }
        if let Some(wait) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(wait));
        }
        response
    }
}

impl From<BadBody> for Failure {
    fn from(bad: BadBody) -> Self {
        let status = bad.status();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            return Self::unavailable(1);
        }
        Self::of(status, "bad_body", bad.to_string())
    }
}

impl From<BadBatch> for Failure {
    fn from(bad: BadBatch) -> Self {
        Self::bad(bad.to_string())
    }
}

impl From<Unknown> for Failure {
    fn from(unknown: Unknown) -> Self {
        match unknown {
            Unknown::Busy(wait) => Self::unavailable(wait.as_secs().max(1)),
            Unknown::Changed | Unknown::Unavailable => Self::unavailable(1),
            Unknown::Rejected(no) if no.reason == Rejection::OtherNetwork => {
                Self::of(StatusCode::FORBIDDEN, no.reason.name(), "Forbidden")
            }
            Unknown::Rejected(no) => Self::refused(no.reason.name()),
        }
    }
}

impl From<Untold> for Failure {
    fn from(untold: Untold) -> Self {
        match untold {
            Untold::Bad(bad) => Self::entries(bad.into_iter().map(BadTold::from).collect()),
            Untold::Failed(error) => error.into(),
            Untold::Unknown(unknown) => unknown.into(),
        }
    }
}

impl From<ActionError> for Failure {
    fn from(error: ActionError) -> Self {
        match Undone::from(error) {
            Undone::Bad(message) | Undone::Conflict(message) => Self::bad(message),
            Undone::Failed => Self::of(StatusCode::INTERNAL_SERVER_ERROR, "failed", Undone::FAILED),
            Undone::NotAllowed => Self::beyond_rights(),
            Undone::Unavailable => Self::unavailable(1),
            Undone::Unknown => Self::unknown(),
        }
    }
}
