//! What a proxy is answered: yes, with all that the upstream is to be told; or no, in a form it
//! can hand on.

use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Bytes;

use crate::doors::identity::{self, Telling};
use crate::gate::Gate;

/// An answer of our own.
pub(super) type Told = Response<Full<Bytes>>;

/// Yes. Every header of the guard's presets is there, empty where there is nothing to tell, so that
/// a caller's own is overwritten in any case.
pub(super) fn yes(gate: &Gate, telling: &Telling<'_>) -> Told {
    let mut answer = Response::new(Full::default());
    let headers = answer.headers_mut();
    identity::tell(gate, telling, |name, value| {
        let value = value.unwrap_or(HeaderValue::from_static(""));
        headers.insert(name, value);
    });
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// nginx knows 401 and 403 alone; all else is an error of ours to it, and so it stays closed. It
/// hands on one line of challenges, and no body.
pub(super) fn for_nginx(mut native: Told) -> Told {
    let status = native.status();
    if status != StatusCode::UNAUTHORIZED && !status.is_server_error() {
        *native.status_mut() = StatusCode::FORBIDDEN;
    }
    *native.body_mut() = Full::default();
    native.headers_mut().remove(CONTENT_TYPE);
    join_challenges(native.headers_mut());
    native
}

/// Several challenges may stand in one line (RFC 9110, section 11.6.1).
fn join_challenges(headers: &mut HeaderMap) {
    let lines: Vec<_> =
        headers.get_all(WWW_AUTHENTICATE).iter().map(HeaderValue::as_bytes).collect();
    if lines.len() < 2 {
        return;
    }
    if let Ok(joined) = HeaderValue::from_bytes(&lines.join(&b", "[..])) {
        headers.insert(WWW_AUTHENTICATE, joined);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;

    #[tokio::test]
    async fn nginx_is_told_what_it_can_hand_on() {
        for (native, told) in [
            (400, 403),
            (401, 401),
            (403, 403),
            (404, 403),
            (414, 403),
            (429, 403),
            (431, 403),
            (500, 500),
            (503, 503),
        ] {
            let answer = Response::builder()
                .status(native)
                .header("www-authenticate", "Bearer realm=\"a\"")
                .header("www-authenticate", "Basic realm=\"a\", charset=\"UTF-8\"")
                .header("content-type", "application/problem+json")
                .header("retry-after", "7")
                .body(Full::from("{}"));
            let answer = for_nginx(answer.unwrap());
            assert_eq!(answer.status(), told, "{native}");
            let headers = answer.headers().clone();
            let lines: Vec<_> = headers.get_all("www-authenticate").iter().collect();
            let line = "Bearer realm=\"a\", Basic realm=\"a\", charset=\"UTF-8\"";
            let line = HeaderValue::from_static(line);
            assert_eq!((lines, &headers["retry-after"]), (vec![&line], &HeaderValue::from(7)));
            assert!(!headers.contains_key("content-type"), "{native}");
            assert!(answer.into_body().collect().await.unwrap().to_bytes().is_empty(), "{native}");
        }
    }
}
