//! A request written down as text, so that a corpus can be read.

use std::net::IpAddr;

use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, Uri};
use portcullis_core::time::Timestamp;

/// Who sends the requests.
pub(crate) const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
/// When they arrive.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_000_000);

/// The request of `text`: `METHOD TARGET`, then one header a line; `None` where HTTP itself has
/// no such request. Lines that are no header are passed over.
pub(crate) fn parse(text: &[u8]) -> Option<Parts> {
    let mut lines = text.split(|byte| *byte == b'\n');
    let (method, target) = cut(lines.next()?, b' ')?;
    let (mut parts, ()) = Request::new(()).into_parts();
    parts.method = Method::from_bytes(method).ok()?;
    parts.uri = Uri::try_from(target).ok()?;
    for (name, value) in lines.filter_map(header) {
        parts.headers.try_append(name, value).ok()?;
    }
    Some(parts)
}

fn header(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = cut(line, b':')?;
    let value = HeaderValue::from_bytes(value.trim_ascii()).ok()?;
    Some((HeaderName::from_bytes(name).ok()?, value))
}

fn cut(text: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|byte| *byte == at)?;
    Some((&text[..at], &text[at + 1..]))
}
