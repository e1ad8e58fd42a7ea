//! Headers: what a caller may not say, what an upstream is told, what it may not answer.

mod cookies;

use std::io::Write as _;

use http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, COOKIE, EXPECT, HOST, HeaderName, HeaderValue,
    IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, RANGE, TE,
    TRAILER, UPGRADE,
};
use http::{HeaderMap, Method, header};
use hyper::body::Bytes;
use portcullis_core::guard::Guard;
use portcullis_core::request::{RequestHead, folded_eq};
use portcullis_core::token;

use crate::doors::identity::{self, Telling};
use crate::gate::{Gate, Judged};

/// The longest address, in bytes, as it is written.
const MAX_ADDRESS: usize = 40;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");

/// What speaks for the whole origin, which is not the upstream's alone.
const NOT_THEIRS: &[&str] = &["alt-svc", "clear-site-data", "service-worker-allowed"];

/// The headers that an upstream gets.
pub(super) fn rebuilt(gate: &Gate, head: &RequestHead<'_>, telling: &Telling<'_>) -> HeaderMap {
    let judged = telling.judged;
    let mut headers = HeaderMap::with_capacity(head.headers().len() + 8);
    let says_more = head.headers().contains_key(CONNECTION);
    for (name, value) in head.headers() {
        let ends = ends_here(name) || says_more && named_in_connection(head.headers(), name);
        let read =
            !judged.guard.pass_credential && (reads(judged, name) || holds_ours(value.as_bytes()));
        if ends || read || *name == HOST || identity::is_reserved(name) {
            continue;
        }
        if *name != COOKIE || judged.guard.pass_credential {
            headers.append(name, value.clone());
        } else if let Some(theirs) = cookies::without_ours(value, &judged.guard) {
            headers.append(name, theirs);
        }
    }
    if let Some(host) = head.headers().get(HOST) {
        headers.insert(HOST, host.clone());
    }
    set_forwarded(&mut headers, head);
    if judged.guard.strip_prefix
        && let Ok(prefix) = HeaderValue::from_str(&judged.guard.prefix)
    {
        headers.insert(X_FORWARDED_PREFIX, prefix);
    }
    identity::tell(gate, telling, |name, value| {
        if let Some(value) = value {
            headers.insert(name, value);
        }
    });
    headers
}

/// Makes a request one for the whole answer, in clear: for who reads it, and not for the caller.
pub(super) fn ask_for_the_whole(headers: &mut HeaderMap, method: &Method) {
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.remove(RANGE);
    headers.remove(IF_RANGE);
    // With another method they are conditions of the change itself (RFC 9110, section 13.1.2).
    if method.is_safe() {
        headers.remove(IF_MODIFIED_SINCE);
        headers.remove(IF_NONE_MATCH);
    }
}

/// Whether it ends at the next hop (RFC 9110, section 7.6.1); an expectation is met here.
pub(super) fn ends_here(name: &HeaderName) -> bool {
    matches!(
        *name,
        CONNECTION | EXPECT | PROXY_AUTHENTICATE | PROXY_AUTHORIZATION | TE | TRAILER | UPGRADE
    ) || matches!(name.as_str(), "keep-alive" | "proxy-connection")
}

/// What the caller's own `Connection` names ends here, before anything of ours is set.
pub(super) fn named_in_connection(headers: &HeaderMap, name: &HeaderName) -> bool {
    // Framing is the parser's: a caller cannot have it removed.
    if matches!(*name, header::CONTENT_LENGTH | header::TRANSFER_ENCODING | HOST) {
        return false;
    }
    let lines = headers.get_all(CONNECTION).iter();
    lines
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .any(|token| token.trim_ascii().eq_ignore_ascii_case(name.as_str().as_bytes()))
}

/// Whether one of the guard's schemes reads the header, or an alias of it.
fn reads(judged: &Judged, name: &HeaderName) -> bool {
    // Of a cookie header only a pair is read, and only that is removed.
    let whole = judged.guard.schemes.iter().filter(|scheme| scheme.cookie().is_none());
    let read = whole.flat_map(|scheme| scheme.headers());
    [AUTHORIZATION, PROXY_AUTHORIZATION]
        .iter()
        .filter(|_| !judged.guard.schemes.is_empty())
        .chain(read)
        .any(|header| folded_eq(header.as_str(), name.as_str()))
}

/// Whether the value is a credential of ours by its shape, alone or behind the word of a scheme: it is
/// no upstream's, whichever schemes the guard reads.
fn holds_ours(value: &[u8]) -> bool {
    value.trim_ascii().rsplit(|byte| *byte == b' ').next().is_some_and(token::is_ours)
}

/// Says how long the body is that was changed here.
pub(super) fn set_length(headers: &mut HeaderMap, length: usize) {
    headers.remove(header::TRANSFER_ENCODING);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
}

fn set_forwarded(headers: &mut HeaderMap, head: &RequestHead<'_>) {
    // Both in one piece of memory, which they share.
    let mut text = Vec::with_capacity(head.host().len() + MAX_ADDRESS);
    text.extend_from_slice(head.host().as_bytes());
    // Writing to memory does not fail.
    drop(write!(text, "{}", head.client()));
    let mut host = Bytes::from(text);
    let client = host.split_off(head.host().len());
    for (name, text) in [(X_FORWARDED_FOR, client), (X_FORWARDED_HOST, host)] {
        if let Ok(value) = HeaderValue::from_maybe_shared(text) {
            headers.insert(name, value);
        }
    }
    headers.insert(X_FORWARDED_PROTO, HeaderValue::from_static(head.protocol()));
}

/// Removes from an answer what ends at this hop, and what `guard`'s upstream may not say in our
/// name.
pub(super) fn clean_answer(headers: &mut HeaderMap, guard: &Guard) {
    cookies::keep_theirs(headers, guard);
    if headers.contains_key(header::TRANSFER_ENCODING) {
        // RFC 9112, section 6.3: it was read by its chunks, and is told on so.
        headers.remove(header::CONTENT_LENGTH);
    }
    let says_more = headers.contains_key(CONNECTION);
    // All before any is removed: one of them names others.
    let dropped = headers.keys().filter(|name| {
        ends_here(name)
            || NOT_THEIRS.contains(&name.as_str())
            || name.as_str().starts_with("portcullis-")
            || says_more && named_in_connection(headers, name)
    });
    let dropped: Vec<HeaderName> = dropped.cloned().collect();
    for name in dropped {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_header_removes_what_it_names_but_never_framing() {
        let headers: HeaderMap = [
            (CONNECTION, "close, X-Trace".parse().unwrap()),
            (CONNECTION, "content-length".parse().unwrap()),
        ]
        .into_iter()
        .collect();
        let mut all = HeaderMap::new();
        for (name, value) in headers {
            all.append(name.unwrap_or(CONNECTION), value);
        }
        all.append(CONNECTION, "close, x-trace , content-length".parse().unwrap());
        assert!(named_in_connection(&all, &"x-trace".parse().unwrap()));
        assert!(!named_in_connection(&all, &header::CONTENT_LENGTH));
        assert!(!named_in_connection(&all, &"x-other".parse().unwrap()));
    }

    #[test]
    fn a_credential_of_ours_is_known_by_its_shape_wherever_it_stands() {
        for (value, ours) in [
            ("pcl_key_a_b", true),
            (" pcl_key_a_b ", true),
            ("Bearer pcl_tok_a_b", true),
            ("bearer  pcl_ses_a_b", true),
            ("Basic cGNsX2tleQ==", false),
            ("about pcl_key_a_b and others", false),
            ("x-pcl_key", false),
            ("", false),
        ] {
            assert_eq!(holds_ours(value.as_bytes()), ours, "{value}");
        }
    }

    #[test]
    fn what_an_answers_connection_names_ends_here_wherever_it_stands() {
        let guard = cookies::tests::guard();
        for names in [["connection", "x-hop", "x-end"], ["x-hop", "x-end", "connection"]] {
            let pair = |name| (HeaderName::from_static(name), HeaderValue::from_static("x-hop"));
            let mut answer: HeaderMap = names.into_iter().map(pair).collect();
            clean_answer(&mut answer, &guard);
            let left: Vec<_> = answer.keys().map(HeaderName::as_str).collect();
            assert_eq!(left, ["x-end"], "{names:?}");
        }
    }
}
