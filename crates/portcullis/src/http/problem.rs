//! The only place where a refusal or failure becomes a native response (RFC 9457).

use std::time::Duration;

use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Bytes;
use portcullis_core::authenticator::{Rejected, Rejection};
use portcullis_core::guard::Guard;
use portcullis_core::policy::Rule;
use portcullis_core::request::Malformed;
use uuid::Uuid;

use crate::refusal::Refusal;

/// How long a caller should wait for a node that cannot tell, in seconds.
const UNAVAILABLE_SECONDS: u64 = 1;

/// The way of RFC 6750.
const BEARER: &str = "Bearer";
const INVALID_REQUEST: &str = r#"Bearer realm="portcullis", error="invalid_request""#;

/// What went wrong behind the gate: the upstream's doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum UpstreamFault {
    /// It could not be reached, or broke off.
    Broken,
    /// It has as many connections as it may have.
    Full,
    /// It took too long.
    Slow,
    /// It answered what cannot be read.
    Unreadable,
}

/// What a caller is told.
struct Problem {
    status: StatusCode,
    kind: &'static str,
    detail: &'static str,
    headers: HeaderMap,
}

/// The answer to a request that was refused. It tells a good client what to do, and a bad one
/// nothing: everything that could be wrong with a credential is one answer.
pub(crate) fn refused(refusal: &Refusal, request: Uuid) -> Response<Full<Bytes>> {
    match refusal {
        Refusal::Anonymous(guard) => {
            unauthenticated("a credential is needed", guard, None).respond(request)
        }
        Refusal::Busy(wait, _) => too_many(*wait).respond(request),
        Refusal::Denied { denial, .. } => denied(denial.rule).respond(request),
        Refusal::Malformed(why) => malformed(*why).respond(request),
        Refusal::NoGuard => {
            Problem::new(StatusCode::NOT_FOUND, "not-found", "nothing answers for this address")
                .respond(request)
        }
        Refusal::Rejected(no, guard) => match no.reason {
            Rejection::TooManyAttempts { retry_after } => too_many(retry_after).respond(request),
            Rejection::Ambiguous => ambiguous(guard).respond(request),
            Rejection::OtherNetwork => denied(Rule::Network).respond(request),
            Rejection::Disabled
            | Rejection::Expired
            | Rejection::ForeignKey
            | Rejection::InQuery
            | Rejection::Malformed(_)
            | Rejection::Mistyped
            | Rejection::NotAdmitted
            | Rejection::NotYetValid
            | Rejection::OrganizationInactive
            | Rejection::OtherGuard
            | Rejection::OtherRealm
            | Rejection::OtherUser
            | Rejection::OwnerInactive
            | Rejection::OwnerMayNotSign
            | Rejection::Revoked
            | Rejection::Unknown
            | Rejection::UnknownScheme
            | Rejection::UnknownToken
            | Rejection::Untimely
            | Rejection::UserInactive
            | Rejection::WrongProof => {
                unauthenticated("the credential was not accepted", guard, Some(no)).respond(request)
            }
        },
        Refusal::Unavailable => unavailable().respond(request),
    }
}

/// The answer when the upstream is at fault.
pub(crate) fn upstream(fault: UpstreamFault, request: Uuid) -> Response<Full<Bytes>> {
    match fault {
        UpstreamFault::Broken => {
            Problem::new(StatusCode::BAD_GATEWAY, "upstream", "the upstream did not answer")
        }
        UpstreamFault::Full => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "upstream",
            "the upstream has as much to do as it may have; try again",
        )
        .retry_after(UNAVAILABLE_SECONDS),
        UpstreamFault::Slow => {
            Problem::new(StatusCode::GATEWAY_TIMEOUT, "upstream", "the upstream took too long")
        }
        UpstreamFault::Unreadable => Problem::new(
            StatusCode::BAD_GATEWAY,
            "upstream",
            "the upstream answered what cannot be read",
        ),
    }
    .respond(request)
}

/// The answer to a proxy that asks about a request without stating it.
pub(crate) fn unstated(request: Uuid) -> Response<Full<Bytes>> {
    let detail = "the request that is asked about is not stated, or not once";
    Problem::new(StatusCode::BAD_REQUEST, "request-not-stated", detail).respond(request)
}

/// The answer to a path that is judged in another form than another proxy would forward it in.
pub(crate) fn not_canonical(request: Uuid) -> Response<Full<Bytes>> {
    let detail = "the path is not in its canonical form; send it without escapes that it does not \
                  need, empty segments and fragment";
    Problem::new(StatusCode::BAD_REQUEST, "bad-path", detail).respond(request)
}

/// The answer to headers that another proxy would forward, and must not.
pub(crate) fn unrewritable(request: Uuid) -> Response<Full<Bytes>> {
    let detail = "the request has a header that only a proxy may set, or that names another method \
                  or path";
    Problem::new(StatusCode::BAD_REQUEST, "bad-header", detail).respond(request)
}

fn unauthenticated(detail: &'static str, guard: &Guard, rejected: Option<&Rejected>) -> Problem {
    let mut problem = Problem::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail);
    for challenge in challenges(guard, rejected) {
        problem.headers.append(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    problem
}

/// RFC 6750, section 3.1: more than one method in a request is an invalid request.
fn ambiguous(guard: &Guard) -> Problem {
    let mut problem = Problem::new(
        StatusCode::BAD_REQUEST,
        "ambiguous-credentials",
        "the request presents more than one credential; send one",
    );
    if guard.schemes.iter().any(|scheme| way(scheme.challenge()) == BEARER) {
        let challenge = HeaderValue::from_static(INVALID_REQUEST);
        problem.headers.insert(WWW_AUTHENTICATE, challenge);
    }
    problem
}

/// The way in which a challenge asks for a credential.
fn way(challenge: &'static str) -> &'static str {
    challenge.split(' ').next().unwrap_or_default()
}

/// The challenges of the guard's schemes, the rejected one's in its own words. Two schemes may
/// share a way to ask (RFC 9110, section 11.6.1): then it is asked once. Whoever sent a bearer token
/// has tried that way, whosever it is (RFC 6750, section 3.1).
fn challenges(guard: &Guard, rejected: Option<&Rejected>) -> Vec<&'static str> {
    let any_token = rejected.is_some_and(|no| no.reason == Rejection::UnknownToken);
    let mut told: Vec<&'static str> = Vec::new();
    for scheme in &guard.schemes {
        let tried = rejected.is_some_and(|no| no.scheme == Some(scheme.name()));
        let failed = tried || any_token && way(scheme.challenge()) == BEARER;
        let challenge = if failed { scheme.rejected_challenge() } else { scheme.challenge() };
        match told.iter_mut().find(|it| way(it) == way(challenge)) {
            Some(same) if failed => *same = challenge,
            Some(_) => {}
            None => told.push(challenge),
        }
    }
    told
}

/// Network, method and ability are one answer: what a policy demands is not the caller's to know.
fn denied(_rule: Rule) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "forbidden", "this request is not allowed")
}

fn malformed(why: Malformed) -> Problem {
    let (status, kind, detail) = match why {
        Malformed::Body => {
            (StatusCode::REQUEST_TIMEOUT, "body-timeout", "the body did not come whole in time")
        }
        Malformed::BodyTooLong => {
            (StatusCode::PAYLOAD_TOO_LARGE, "body-too-long", "the body is too long")
        }
        Malformed::Framing(_) => (
            StatusCode::BAD_REQUEST,
            "bad-framing",
            "where the body ends cannot be told; send a Content-Length, or chunks and nothing else",
        ),
        Malformed::Tunnel => (StatusCode::BAD_REQUEST, "no-tunnel", "nothing here opens a tunnel"),
        Malformed::CredentialTooLong | Malformed::HeadersTooLarge => (
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "headers-too-large",
            "the headers are too long or too many",
        ),
        Malformed::PathTooLong => {
            (StatusCode::URI_TOO_LONG, "uri-too-long", "the path or query is too long")
        }
        Malformed::Path(_) => (
            StatusCode::BAD_REQUEST,
            "bad-path",
            "the path could be read in two ways; send it without dot segments, encoded slashes, \
             semicolons or control characters",
        ),
        Malformed::Query => (
            StatusCode::BAD_REQUEST,
            "bad-query",
            "the query holds a character that must be percent-encoded",
        ),
        Malformed::Host(_) => {
            (StatusCode::BAD_REQUEST, "bad-host", "send exactly one Host that names a host")
        }
        Malformed::RepeatedCredential => (
            StatusCode::BAD_REQUEST,
            "ambiguous-credentials",
            "the request presents more than one credential; send one",
        ),
        Malformed::Forwarded => {
            (StatusCode::BAD_REQUEST, "bad-forwarding", "X-Forwarded-For cannot be read")
        }
    };
    Problem::new(status, kind, detail)
}

fn too_many(wait: Duration) -> Problem {
    let detail = "too many attempts; wait before the next one";
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-attempts", detail)
        .retry_after(wait.as_secs().max(1))
}

fn unavailable() -> Problem {
    let detail = "this node cannot tell at the moment; try again";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
        .retry_after(UNAVAILABLE_SECONDS)
}

/// The answer to a method that one of our own addresses does not take.
pub(crate) fn wrong_method(request: Uuid) -> Response<Full<Bytes>> {
    let detail = "this address answers GET and HEAD";
    let mut problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "wrong-method", detail);
    problem.headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    problem.respond(request)
}

/// The answer to a method that is never forwarded (RFC 9110, section 9.3.8): TRACE says back what the
/// upstream alone is told.
pub(crate) fn not_forwarded(request: Uuid) -> Response<Full<Bytes>> {
    let detail = "this method is not forwarded";
    let mut problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "wrong-method", detail);
    let others = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
    problem.headers.insert(ALLOW, others);
    problem.respond(request)
}

impl Problem {
    fn new(status: StatusCode, kind: &'static str, detail: &'static str) -> Self {
        Self { status, kind, detail, headers: HeaderMap::new() }
    }

    fn retry_after(mut self, seconds: u64) -> Self {
        self.headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        self
    }

    fn respond(self, request: Uuid) -> Response<Full<Bytes>> {
        let body = serde_json::json!({
            "type": format!("urn:portcullis:problem:{}", self.kind),
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "detail": self.detail,
            "instance": format!("urn:uuid:{request}"),
        });
        let mut response = Response::new(Full::new(Bytes::from(format!("{body}\n"))));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}
