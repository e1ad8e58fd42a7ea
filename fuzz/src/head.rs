//! The head of a request: one meaning, or a refusal.

use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};
use http::{HeaderMap, HeaderName};
use portcullis_core::request::{
    MAX_CREDENTIAL, MAX_HEADER_COUNT, MAX_HEADERS, MAX_QUERY, RequestHead, TrustedPeers,
    canonical_host, canonical_path,
};

use crate::request::{NOW, PEER, parse};

/// A request: `METHOD TARGET`, then one header a line.
///
/// # Panics
/// It is taken although it has two meanings or no bounds, or means another thing once it is
/// forwarded.
pub fn head(data: &[u8]) {
    let Some(parts) = parse(data) else { return };
    let trusted = TrustedPeers::default();
    let Ok(head) = RequestHead::from_connection(&parts, PEER, &trusted, NOW) else { return };
    check_headers(head.headers());
    assert_eq!(canonical_path(head.path()).unwrap(), head.path());
    assert_eq!(canonical_host(head.host()).unwrap(), head.host());
    let query = head.query().unwrap_or_default();
    assert!(query.len() <= MAX_QUERY && query.bytes().all(|it| it.is_ascii_graphic()));
    assert_eq!((head.peer(), head.client(), head.received()), (PEER, PEER, NOW), "nobody asked");
    for name in parts.headers.keys() {
        let expected = alike(&parts.headers, name).count() == 1;
        assert_eq!(head.single(name).is_ok(), expected, "{name}");
    }
    let question = if head.query().is_some() { "?" } else { "" };
    let sent = format!("GET {}{question}{query}\nhost: {}", head.path(), head.host());
    let sent = parse(sent.as_bytes()).unwrap();
    let read = RequestHead::from_connection(&sent, PEER, &trusted, NOW).unwrap();
    let all = |head: &RequestHead<'_>| (head.host().to_owned(), head.path().to_owned());
    assert_eq!((all(&read), read.query()), (all(&head), head.query()), "as it is forwarded");
}

fn check_headers(headers: &HeaderMap) {
    let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    assert!(size <= MAX_HEADERS && headers.len() <= MAX_HEADER_COUNT);
    for name in [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE] {
        assert!(alike(headers, &name).count() <= 1, "{name} is repeated");
        assert!(alike(headers, &name).all(|length| length <= MAX_CREDENTIAL), "{name} is too long");
    }
}

/// The length of every value that a server may take for one of the header `name`.
fn alike<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = usize> + 'h {
    let folded = |name: &HeaderName| name.as_str().replace(|it: char| !it.is_alphanumeric(), "-");
    let name = folded(name);
    headers.iter().filter(move |(other, _)| folded(other) == name).map(|(_, value)| value.len())
}
