//! How callers are answered whose requests go on to a listener, and what all answers wear.

use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Bytes;
use portcullis_core::authenticator::Rejection;

use super::failure::Failure;
use super::format::Format;
use crate::face::{Face, Told};
use crate::http::problem;
use crate::refusal::Refusal;

/// The listener's own answer; refusals in the vendor's words.
pub(super) const EXPERT: Face = Face {
    name: "expert",
    refused: |refusal, _, request| {
        let native = problem::refused(refusal, request);
        match failure(refusal) {
            Some(failure) => reworded(&native, &failure),
            None => native,
        }
    },
    fault: problem::upstream,
    remake: None,
};

/// The vendor asks for no password where a token is needed.
fn failure(refusal: &Refusal) -> Option<Failure> {
    match refusal {
        Refusal::Anonymous(_) => Some(Failure::missing_token()),
        Refusal::Rejected(no, _) => {
            let waits = matches!(no.reason, Rejection::TooManyAttempts { .. });
            (!waits).then(|| Failure::token(no.reason.name()))
        }
        Refusal::Denied { .. } => Some(Failure::forbidden()),
        Refusal::NoGuard => Some(Failure::unknown("there is no such address")),
        Refusal::Busy(..) | Refusal::Malformed(_) | Refusal::Unavailable => None,
    }
}

fn reworded(native: &Told, failure: &Failure) -> Told {
    let mut response = dressed(failure.respond(Format::Xml, ""));
    if native.status() == StatusCode::UNAUTHORIZED {
        *response.status_mut() = StatusCode::FORBIDDEN;
    }
    response.map(Full::new)
}

/// The answer as nobody keeps it, and no browser reads more into it.
pub(super) fn dressed(mut response: Response<Bytes>) -> Response<Bytes> {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
