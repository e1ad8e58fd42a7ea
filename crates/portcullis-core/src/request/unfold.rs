//! What may be written in several ways, in the one form that is judged and forwarded.

use http::header::{CONTENT_LENGTH, COOKIE, HOST, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, Version};

/// Brings what is written in another way in HTTP/2, or in a target of absolute form, into the form
/// that it has elsewhere. To be done before a head is built.
///
/// The host of the target becomes a `Host` (RFC 9113, section 8.3.1), and a cookie that was split
/// becomes one again (section 8.2.3). In HTTP/1.1 a cookie is never split, so there a second one
/// stays what it is: ambiguous.
pub fn unfold(parts: &mut Parts) {
    if !parts.headers.contains_key(HOST)
        && let Some(authority) = parts.uri.authority()
        && let Ok(host) = HeaderValue::from_str(authority.as_str())
    {
        parts.headers.insert(HOST, host);
    }
    if parts.version == Version::HTTP_2 {
        join_cookies(&mut parts.headers);
        say_length_once(&mut parts.headers);
    }
}

fn join_cookies(headers: &mut HeaderMap) {
    let pieces: Vec<&HeaderValue> = headers.get_all(COOKIE).iter().collect();
    if pieces.len() < 2 {
        return;
    }
    let sensitive = pieces.iter().any(|piece| piece.is_sensitive());
    let joined = pieces.iter().map(|piece| piece.as_bytes()).collect::<Vec<_>>().join(&b"; "[..]);
    if let Ok(mut joined) = HeaderValue::from_bytes(&joined) {
        joined.set_sensitive(sensitive);
        headers.insert(COOKIE, joined);
    }
}

/// The same length said again means the same (RFC 9110, section 8.6), but not to every upstream;
/// what contradicts itself never comes this far.
fn say_length_once(headers: &mut HeaderMap) {
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    if let (Some(first), Some(_)) = (lengths.next().cloned(), lengths.next()) {
        headers.insert(CONTENT_LENGTH, first);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn unfolded(version: Version, uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::get(uri).version(version);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        unfold(&mut parts);
        parts
    }

    #[test]
    fn a_cookie_is_joined_where_it_may_be_split_and_nowhere_else() {
        let split = [("cookie", "a=1"), ("cookie", "b=2; c=3"), ("x", "y"), ("cookie", "d=4")];
        let joined = unfolded(Version::HTTP_2, "/", &split).headers;
        let cookies: Vec<_> = joined.get_all(COOKIE).iter().collect();
        assert_eq!(cookies, ["a=1; b=2; c=3; d=4"]);
        for version in [Version::HTTP_10, Version::HTTP_11] {
            assert_eq!(unfolded(version, "/", &split).headers.get_all(COOKIE).iter().count(), 3);
        }
        let whole = unfolded(Version::HTTP_2, "/", &[("cookie", "a=1;b")]).headers;
        assert_eq!(whole[COOKIE], "a=1;b");
    }

    #[test]
    fn the_host_of_the_target_becomes_a_host_and_never_replaces_one() {
        for (uri, sent, host) in [
            ("https://api.example:8443/a", None, Some("api.example:8443")),
            ("https://api.example/a", Some("other.example"), Some("other.example")),
            ("/a", Some("api.example"), Some("api.example")),
            ("/a", None, None),
        ] {
            for version in [Version::HTTP_11, Version::HTTP_2] {
                let headers: Vec<_> = sent.map(|it| ("host", it)).into_iter().collect();
                let parts = unfolded(version, uri, &headers);
                let found = parts.headers.get(HOST).map(|it| it.to_str().unwrap());
                assert_eq!(found, host, "{uri} {sent:?}");
            }
        }
    }

    #[test]
    fn a_length_that_is_said_twice_is_said_once() {
        let twice = [("content-length", "5"), ("content-length", "5")];
        let headers = unfolded(Version::HTTP_2, "/", &twice).headers;
        assert_eq!(headers.get_all(CONTENT_LENGTH).iter().collect::<Vec<_>>(), ["5"]);
    }
}
