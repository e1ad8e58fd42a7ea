//! What every failure of the API looks like, in each format.

use std::borrow::Cow;
use std::time::Duration;

use http::{HeaderValue, Response, StatusCode, header};
use hyper::body::Bytes;
use portcullis_core::authenticator::Rejection;

use super::document::Element;
use super::format::Format;
use crate::actions::ActionError;
use crate::dialects::answer::Undone;
use crate::dialects::body::BadBody;
use crate::gate::Unknown;

/// How long a caller should wait for a node that cannot tell, in seconds.
const UNAVAILABLE_SECONDS: u64 = 1;
/// What asks for a name and a password: the vendor's own words.
const CHALLENGE: &str = r#"Basic realm="DekiWiki""#;

/// A failure.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Failure {
    status: StatusCode,
    message: Cow<'static, str>,
    /// What was wrong with a token, as far as that is told; only these have a name of their own.
    argument: Option<&'static str>,
    /// The name of the reason, for the log alone.
    pub(super) reason: &'static str,
    allow: Option<&'static str>,
    retry_after: Option<u64>,
}

impl Failure {
    const fn of(status: StatusCode, message: &'static str, reason: &'static str) -> Self {
        let message = Cow::Borrowed(message);
        Self { status, message, argument: None, reason, allow: None, retry_after: None }
    }

    /// A token that does not count, for a reason that is the log's to know.
    pub(super) const fn token(reason: &'static str) -> Self {
        let mut failure = Self::of(
            StatusCode::FORBIDDEN,
            "The request failed API token validation, invalid token",
            reason,
        );
        failure.argument = Some("invalid token");
        failure
    }

    /// No token where there must be one.
    pub(super) const fn missing_token() -> Self {
        let mut failure = Self::of(
            StatusCode::FORBIDDEN,
            "The request failed API token validation, missing required token",
            "no_token",
        );
        failure.argument = Some("missing required token");
        failure
    }

    /// Nobody is proven who must be.
    pub(super) const fn unauthenticated(reason: &'static str) -> Self {
        Self::of(StatusCode::UNAUTHORIZED, "authentication failed", reason)
    }

    /// Somebody is proven who may not.
    pub(super) const fn forbidden() -> Self {
        Self::of(StatusCode::FORBIDDEN, "Access denied for this request", "forbidden")
    }

    /// The user who was signed for was switched off.
    pub(super) fn disabled(user: &str) -> Self {
        let failure = Self::of(StatusCode::FORBIDDEN, "", "user_inactive");
        Self { message: format!("User '{user}' is disabled").into(), ..failure }
    }

    pub(super) const fn unknown(message: &'static str) -> Self {
        Self::of(StatusCode::NOT_FOUND, message, "unknown")
    }

    pub(super) fn bad(message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), ..Self::of(StatusCode::BAD_REQUEST, "", "bad_request") }
    }

    pub(super) fn wrong_method(allow: &'static str) -> Self {
        let message = Cow::Owned(format!("allowed methods are {}", allow.replace(',', ", ")));
        let failure = Self::of(StatusCode::METHOD_NOT_ALLOWED, "", "wrong_method");
        Self { message, allow: Some(allow), ..failure }
    }

    fn too_many(wait: Duration) -> Self {
        let message = "too many attempts; wait before the next one";
        let failure = Self::of(StatusCode::TOO_MANY_REQUESTS, message, "too_many_attempts");
        Self { retry_after: Some(wait.as_secs().max(1)), ..failure }
    }

    pub(super) fn unavailable() -> Self {
        let failure =
            Self::of(StatusCode::SERVICE_UNAVAILABLE, "try again in a moment", "unavailable");
        Self { retry_after: Some(UNAVAILABLE_SECONDS), ..failure }
    }

    pub(super) const fn failed() -> Self {
        Self::of(StatusCode::INTERNAL_SERVER_ERROR, Undone::FAILED, "failed")
    }

    /// The answer. The address is told without its query, which may hold what is nobody's to see.
    pub(super) fn respond(&self, format: Format, uri: &str) -> Response<Bytes> {
        // What cannot be written has the status at least.
        let body = format.write(&self.document(uri)).unwrap_or_default();
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, format.content_type());
        if let Some(allow) = self.allow {
            headers.insert(header::ALLOW, HeaderValue::from_static(allow));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE));
        }
        response
    }

    fn document(&self, uri: &str) -> Element {
        let message = || Element::text("message", self.message.as_ref());
        let Some(argument) = self.argument else {
            let title = self.status.canonical_reason().unwrap_or("Error");
            return Element::new("error").of([
                Element::text("status", self.status.as_str()),
                Element::text("title", title),
                message(),
                Element::text("uri", uri),
            ]);
        };
        Element::new("error").of([
            Element::text(
                "exception",
                "MindTouch.Deki.Auth.Exceptions.TokenValidationFailedException",
            ),
            Element::text("resource", "System.API.Error.developer-token-validation-failed"),
            Element::new("arguments").with("count", 1).of([Element::text("argument", argument)]),
            message(),
        ])
    }
}

/// Why nobody is known, where `otherwise` tells of a credential that does not count.
pub(super) fn unknown(unknown: Unknown, otherwise: fn(&'static str) -> Failure) -> Failure {
    match unknown {
        Unknown::Busy(wait) => Failure::too_many(wait),
        Unknown::Changed | Unknown::Unavailable => Failure::unavailable(),
        Unknown::Rejected(no) => {
            if let Rejection::TooManyAttempts { retry_after } = no.reason {
                return Failure::too_many(retry_after);
            }
            otherwise(no.reason.name())
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
            Undone::Bad(message) => Self::bad(message),
            Undone::Conflict(message) => {
                Self { status: StatusCode::CONFLICT, ..Self::bad(message) }
            }
            Undone::Failed => Self::failed(),
            Undone::NotAllowed => Self::forbidden(),
            Undone::Unavailable => Self::unavailable(),
            Undone::Unknown => Self::unknown("there is no such object"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_does_not_count_is_told_as_the_vendor_tells_it() {
        let told = Failure::missing_token().respond(Format::Xml, "http://any/");
        assert_eq!(told.status(), StatusCode::FORBIDDEN);
        let expected = "<?xml version=\"1.0\" encoding=\"utf-8\"?><error>\
            <exception>MindTouch.Deki.Auth.Exceptions.TokenValidationFailedException</exception>\
            <resource>System.API.Error.developer-token-validation-failed</resource>\
            <arguments count=\"1\"><argument>missing required token</argument></arguments>\
            <message>The request failed API token validation, missing required token</message>\
            </error>";
        assert_eq!(std::str::from_utf8(told.body()), Ok(expected));
    }

    #[test]
    fn any_other_failure_has_a_status_a_title_and_a_message() {
        let told = Failure::wrong_method("GET,POST").respond(Format::Json, "http://any/a");
        assert_eq!(told.headers().get(header::ALLOW).unwrap(), "GET,POST");
        let expected = "{\"message\":\"allowed methods are GET, POST\",\"status\":\"405\",\
            \"title\":\"Method Not Allowed\",\"uri\":\"http://any/a\"}";
        assert_eq!(std::str::from_utf8(told.body()), Ok(expected));
    }

    #[test]
    fn all_that_may_be_wrong_with_a_token_is_one_answer() {
        let told = |reason| Failure::token(reason).respond(Format::Php, "").into_body();
        assert_eq!(told("untimely"), told("wrong_proof"));
    }
}
