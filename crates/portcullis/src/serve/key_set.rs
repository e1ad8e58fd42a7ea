//! Where upstreams read the public parts of the keys that sign what they are told.

use http::{HeaderValue, Method, Response, header};
use http_body_util::{Either, Full};
use portcullis_core::signing::SET_LIFE;
use uuid::Uuid;

use crate::exchange::Content;
use crate::gate::Gate;
use crate::http::problem;

/// Its address, on every host that no guard names.
pub(super) const PATH: &str = "/.well-known/jwks.json";

/// The set (RFC 7517, section 5); where there is no key, the address is nobody's but a guard's.
pub(super) fn answer(gate: &Gate, method: &Method, id: Uuid) -> Option<Response<Content>> {
    let set = match gate.key_set() {
        Ok(set) => set?,
        Err(refusal) => return Some(problem::refused(&refusal, id).map(Either::Left)),
    };
    if !matches!(*method, Method::GET | Method::HEAD) {
        return Some(problem::wrong_method(id).map(Either::Left));
    }
    let mut answer = Response::new(Full::new(set.into()));
    let kept = format!("public, max-age={}", SET_LIFE.as_secs());
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/jwk-set+json"));
    drop(kept.parse().map(|kept| headers.insert(header::CACHE_CONTROL, kept)));
    Some(answer.map(Either::Left))
}
