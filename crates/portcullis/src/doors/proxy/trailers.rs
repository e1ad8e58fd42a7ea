//! Trailers: a caller's end here, an upstream's reach whoever asked for them, less what no trailer may
//! say.

use http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_TYPE, HOST, LOCATION, SET_COOKIE, TE, TRAILER, TRANSFER_ENCODING, WWW_AUTHENTICATE,
};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::headers;
use crate::doors::identity;

/// What changes how a message is framed, read or believed (RFC 9110, section 6.5.1).
const NEVER: [HeaderName; 11] = [
    AUTHORIZATION,
    CACHE_CONTROL,
    CONTENT_ENCODING,
    CONTENT_LENGTH,
    CONTENT_RANGE,
    CONTENT_TYPE,
    HOST,
    LOCATION,
    SET_COOKIE,
    TRANSFER_ENCODING,
    WWW_AUTHENTICATE,
];
/// The word with which trailers are asked for (RFC 9110, section 10.1.4).
const TRAILERS: &str = "trailers";

/// Whether a caller with these headers takes trailers.
pub(super) fn are_wanted(asked: &HeaderMap) -> bool {
    tokens(asked, &TE).any(|token| token.eq_ignore_ascii_case(TRAILERS))
}

/// Asks an upstream for trailers.
pub(super) fn ask(headers: &mut HeaderMap, http2: bool) {
    headers.insert(TE, HeaderValue::from_static(TRAILERS));
    if !http2 {
        // RFC 9110, section 10.1.4: it is for this hop alone, and says so.
        headers.insert(CONNECTION, HeaderValue::from_static("te"));
    }
}

/// What `answer` announces of its trailers, as far as they are passed on.
pub(super) fn announced(answer: &HeaderMap) -> Option<HeaderValue> {
    let names = tokens(answer, &TRAILER).filter_map(|name| HeaderName::try_from(name).ok());
    let names: Vec<_> = names.filter(passes).map(|name| name.to_string()).collect();
    HeaderValue::try_from(names.join(", ")).ok().filter(|names| !names.is_empty())
}

/// The trailers that a caller gets.
pub(super) fn sifted(mut trailers: HeaderMap) -> HeaderMap {
    let dropped: Vec<_> = trailers.keys().filter(|name| !passes(name)).cloned().collect();
    for name in dropped {
        trailers.remove(name);
    }
    trailers
}

fn passes(name: &HeaderName) -> bool {
    !NEVER.contains(name) && !headers::ends_here(name) && !identity::is_reserved(name)
}

fn tokens<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h str> {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim).filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(name: &HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name.clone(), HeaderValue::from_static(value))])
    }

    #[test]
    fn trailers_are_for_who_asks_for_them() {
        for (te, wanted) in [
            ("trailers", true),
            ("gzip, Trailers", true),
            ("trailers;q=1", false),
            ("gzip", false),
            ("", false),
        ] {
            assert_eq!(are_wanted(&one(&TE, te)), wanted, "{te:?}");
        }
        assert!(!are_wanted(&HeaderMap::new()));
    }

    #[test]
    fn what_no_trailer_may_say_is_neither_announced_nor_passed_on() {
        let all = "grpc-status, x-sum, set-cookie, content-length, connection, trailer, \
                   portcullis-user, x_forwarded_for, transfer-encoding, te";
        let left = announced(&one(&TRAILER, all)).unwrap();
        assert_eq!(left, "grpc-status, x-sum");
        assert_eq!(announced(&one(&TRAILER, "set-cookie")), None);
        let names = all.split(", ").map(|name| HeaderName::try_from(name).unwrap());
        let trailers = names.map(|name| (name, HeaderValue::from_static("0"))).collect();
        let mut left: Vec<_> = sifted(trailers).keys().map(ToString::to_string).collect();
        left.sort();
        assert_eq!(left, ["grpc-status", "x-sum"]);
    }
}
