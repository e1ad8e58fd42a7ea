//! The headers that every changing call must have, so that no page of another site can make one.

use http::header::{ACCEPT, HOST, ORIGIN};
use http::{HeaderMap, HeaderName};
use portcullis_core::request::{RequestHead, canonical_host};

use super::envelope::Failure;

const X_REQUESTED_WITH: HeaderName = HeaderName::from_static("x-requested-with");

/// Whether `Origin`, `Accept` and `X-Requested-With` are there, once each, and right.
pub(super) fn check(head: &RequestHead<'_>) -> Result<(), Failure> {
    let headers = head.headers();
    let accept = one(headers, &ACCEPT).is_some_and(accepts_json);
    let with = one(headers, &X_REQUESTED_WITH);
    let with = with.is_some_and(|it| it.eq_ignore_ascii_case("XMLHttpRequest"));
    let origin = one(headers, &ORIGIN).is_some_and(|it| is_own(it, headers, head.host()));
    if accept && with && origin { Ok(()) } else { Err(Failure::refused("required_headers")) }
}

fn one<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

fn accepts_json(accept: &str) -> bool {
    let kinds = accept.split(',').map(|it| it.split(';').next().unwrap_or_default().trim());
    kinds.into_iter().any(|it| it == "*/*" || it.eq_ignore_ascii_case("application/json"))
}

/// The documentation writes the bare host, browsers a scheme before it and a port behind it that
/// is not the scheme's own.
fn is_own(origin: &str, headers: &HeaderMap, host: &str) -> bool {
    let bare = ["https://", "http://"].into_iter().find_map(|scheme| {
        let start = origin.get(..scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then(|| origin.get(scheme.len()..)).flatten()
    });
    let bare = bare.unwrap_or(origin);
    let Some(authority) = one(headers, &HOST) else { return false };
    let names_host = |text: &str| canonical_host(text).is_ok_and(|it| it == host);
    let same_port = bare.eq_ignore_ascii_case(authority) || !has_port(bare);
    names_host(bare) && same_port
}

fn has_port(authority: &str) -> bool {
    let last = authority.rsplit_once(']').map_or(authority, |(_, rest)| rest);
    last.contains(':')
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;
    use portcullis_core::request::TrustedPeers;
    use portcullis_core::time::Timestamp;
    use std::net::IpAddr;

    fn passes(host: &str, headers: &[(&str, &str)]) -> bool {
        let mut request = Request::post("/api/v1/login").header("Host", host);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let (peer, now) = (IpAddr::from([127, 0, 0, 1]), Timestamp::from_millis(0));
        let head = RequestHead::from_connection(&parts, peer, &TrustedPeers::default(), now);
        check(&head.unwrap()).is_ok()
    }

    const ACCEPT: (&str, &str) = ("Accept", "application/json");
    const WITH: (&str, &str) = ("X-Requested-With", "XMLHttpRequest");

    #[test]
    fn an_origin_is_the_sites_own_in_each_form_and_no_other() {
        for (host, origin, expected) in [
            ("example.com", "example.com", true),
            ("example.com", "EXAMPLE.com", true),
            ("example.com", "https://example.com", true),
            ("example.com", "HTTP://example.com", true),
            ("example.com:8080", "example.com", true),
            ("example.com:8080", "http://example.com:8080", true),
            ("example.com:8080", "http://example.com:8081", false),
            ("[::1]:8080", "http://[::1]:8080", true),
            ("[::1]:8080", "[::1]", true),
            ("example.com", "null", false),
            ("example.com", "", false),
            ("example.com", "https://evil.example", false),
            ("example.com", "https://example.com.evil.example", false),
            ("example.com", "https://evil@example.com", false),
            ("example.com", "ftp://example.com", false),
        ] {
            let headers = [ACCEPT, WITH, ("Origin", origin)];
            assert_eq!(passes(host, &headers), expected, "{host} {origin}");
        }
    }

    #[test]
    fn each_header_must_be_there_once_and_right() {
        let origin = ("Origin", "example.com");
        for (headers, expected) in [
            (vec![ACCEPT, WITH, origin], true),
            (vec![("Accept", "*/*"), WITH, origin], true),
            (vec![("Accept", "text/html, application/json;q=0.9"), WITH, origin], true),
            (vec![ACCEPT, ("X-Requested-With", "xmlhttprequest"), origin], true),
            (vec![WITH, origin], false),
            (vec![ACCEPT, origin], false),
            (vec![ACCEPT, WITH], false),
            (vec![("Accept", "text/html"), WITH, origin], false),
            (vec![ACCEPT, ("X-Requested-With", "fetch"), origin], false),
            (vec![ACCEPT, WITH, origin, origin], false),
            (vec![ACCEPT, ACCEPT, WITH, origin], false),
        ] {
            assert_eq!(passes("example.com", &headers), expected, "{headers:?}");
        }
    }
}
