//! `X-Forwarded-Proto`: one word, of a trusted peer.

use std::net::IpAddr;

use http::request::Parts;
use http::{HeaderValue, Request};
use portcullis_core::request::{
    Connection, MAX_HEADER_COUNT, MAX_HEADERS, RequestHead, TrustedPeers,
};

use crate::request::{NOW, PEER};

// What is looked at of one input, so that the other bounds of a request are never met.
const MOST_BYTES: usize = MAX_HEADERS / 2;
const MOST_LINES: usize = MAX_HEADER_COUNT - 10;

/// `X-Forwarded-Proto`, line by line.
///
/// # Panics
/// A request counts as encrypted that neither came so nor is said to have by one word of a trusted
/// peer; or one that came so does not.
pub fn forwarded_proto(data: &[u8]) {
    let lines = data[..data.len().min(MOST_BYTES)].split(|byte| *byte == b'\n');
    let lines = lines.filter_map(|line| HeaderValue::from_bytes(line).ok());
    let lines: Vec<_> = lines.take(MOST_LINES).collect();
    let said = match &lines[..] {
        [line] => line.as_bytes().trim_ascii().eq_ignore_ascii_case(b"https"),
        _ => false,
    };
    for (secure, trusted) in [(false, false), (false, true), (true, false), (true, true)] {
        let judged = is_secure(&lines, secure, trusted);
        assert_eq!(judged, secure || trusted && said, "encrypted {secure}, trusted {trusted}");
    }
}

fn is_secure(lines: &[HeaderValue], secure: bool, trusted: bool) -> bool {
    let (mut parts, ()): (Parts, ()) = Request::new(()).into_parts();
    parts.headers.insert("host", HeaderValue::from_static("any"));
    for line in lines {
        parts.headers.append("x-forwarded-proto", line.clone());
    }
    let peers = if trusted { vec![IpAddr::into(PEER)] } else { Vec::new() };
    let connection = Connection { peer: PEER, secure, certified: false };
    let head =
        RequestHead::from_connection(&parts, connection, &TrustedPeers::new(&peers), NOW).unwrap();
    assert_eq!(head.protocol(), if head.is_secure() { "https" } else { "http" });
    head.is_secure()
}
