//! The two ways in which callers of a listener are answered: plainly, and by what the upstream
//! writes down (`/dc`).

use http::header::{ALLOW, CACHE_CONTROL, CONTENT_ENCODING};
use http::{HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Bytes;
use portcullis_core::dynamic::{Answer, MAX_ANSWER};
use portcullis_core::guard::Guard;
use portcullis_core::policy::Rule;
use uuid::Uuid;

use super::told;
use crate::face::{Face, Remake, Told};
use crate::http::problem;
use crate::refusal::Refusal;

/// The upstream's own answer; refusals in the envelope of the API.
pub(super) const PLAIN: Face = Face {
    name: "graph",
    refused: |refusal, method, request| {
        told::plainly(refused(refusal, method, request)).map(Full::new)
    },
    fault: |fault, request| told::plainly(problem::upstream(fault, request)).map(Full::new),
    remake: None,
};

/// The answer that the upstream writes down; refusals as text.
pub(super) const DYNAMIC: Face = Face {
    name: "graph, dynamic",
    refused: |refusal, method, request| {
        told::as_text(refused(refusal, method, request)).map(Full::new)
    },
    fault: |fault, request| told::as_text(problem::upstream(fault, request)).map(Full::new),
    remake: Some(Remake { most: MAX_ANSWER, make }),
};

/// The native refusal, but for a method that the listener takes from nobody: that is told to
/// whoever may stand there, proven or not, for a browser asks first without a credential.
fn refused(refusal: &Refusal, method: &Method, request: Uuid) -> Told {
    let outside = matches!(refusal, Refusal::Denied { denial, .. }
        if matches!(denial.rule, Rule::Network | Rule::ClientCertificate));
    match refusal.guard().filter(|guard| !outside && !guard.policy.methods.contains(method)) {
        Some(guard) => wrong_method(guard),
        None => problem::refused(refusal, request),
    }
}

fn wrong_method(guard: &Guard) -> Told {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    let methods: Vec<&str> = guard.policy.methods.iter().map(Method::as_str).collect();
    let headers = response.headers_mut();
    headers.extend(HeaderValue::try_from(methods.join(", ")).map(|methods| (ALLOW, methods)));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The answer that an upstream wrote down. Whatever else it says in its own head is its own.
fn make(written: &Response<Bytes>) -> Result<Told, String> {
    let status = written.status();
    if !status.is_success() {
        return Err(format!("its status is {}", status.as_u16()));
    }
    if written.headers().contains_key(CONTENT_ENCODING) {
        return Err("it is encoded, though nobody asked for that".into());
    }
    let answer = Answer::parse(written.body()).map_err(|bad| bad.to_string())?;
    let mut response = Response::new(Full::from(answer.body));
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    Ok(response)
}
