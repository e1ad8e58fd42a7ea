//! What is told of a refusal: its status, and one word for it.

use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use hyper::body::Bytes;
use serde_json::json;

/// A refusal in the envelope of the API.
pub(super) fn plain(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(());
    *response.status_mut() = status;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    plainly(response)
}

/// A native answer in the envelope of the API: its status and headers stay.
pub(super) fn plainly<B>(native: Response<B>) -> Response<Bytes> {
    let status = native.status();
    let body = json!({ "meta": { "code": status.as_u16(), "messages": [text(status)] } });
    let mut response = native.map(|_| Bytes::from(body.to_string()));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

/// A native answer as text, that any page may read: its status and headers stay.
pub(super) fn as_text<B>(native: Response<B>) -> Response<Bytes> {
    let text = text(native.status());
    let mut response = native.map(|_| Bytes::from_static(text.as_bytes()));
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}

/// The word for a status, as the vendor spells it.
fn text(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "Unauthorised",
        other => other.canonical_reason().unwrap_or("Error"),
    }
}
