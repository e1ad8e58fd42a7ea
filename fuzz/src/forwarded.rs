//! `X-Forwarded-For`: read from the right, as far as the proxies are trusted.

use std::net::{IpAddr, SocketAddr};

use http::request::Parts;
use http::{HeaderValue, Request};
use ipnet::IpNet;
use portcullis_core::request::{
    MAX_FORWARDED, MAX_HEADER_COUNT, MAX_HEADERS, Malformed, RequestHead, TrustedPeers,
};

use crate::networks::holds;
use crate::request::NOW;

// What is looked at of one input, so that the other bounds of a request are never met.
const MOST_BYTES: usize = MAX_HEADERS / 2;
const MOST_LINES: usize = MAX_HEADER_COUNT - 10;

/// The peer with the trusted networks after it in the first line, then `X-Forwarded-For`, line by
/// line.
///
/// # Panics
/// Somebody else is believed than the first from the right who is not trusted.
pub fn forwarded(data: &[u8]) {
    let data = &data[..data.len().min(MOST_BYTES)];
    let mut lines = data.split(|byte| *byte == b'\n');
    let setting = lines.next().and_then(|line| std::str::from_utf8(line).ok());
    let mut words = setting.unwrap_or_default().split(' ');
    let Some(Ok(peer)) = words.next().map(str::parse::<IpAddr>) else { return };
    let trusted: Vec<IpNet> = words.filter_map(|word| word.parse().ok()).collect();
    let lines = lines.filter_map(|line| HeaderValue::from_bytes(line).ok());
    let mut lines: Vec<_> = lines.take(MOST_LINES).collect();

    let client = client(peer, &trusted, &lines);
    assert_eq!(client.ok(), expected(peer, &trusted, &lines));
    let stranger = |it: IpAddr| !trusted.iter().any(|network| holds(*network, it));
    if client.is_ok_and(stranger) {
        lines.insert(0, HeaderValue::from_static("unknown"));
        assert_eq!(self::client(peer, &trusted, &lines), client, "hearsay is believed");
    }
}

fn client(peer: IpAddr, trusted: &[IpNet], lines: &[HeaderValue]) -> Result<IpAddr, Malformed> {
    let (mut parts, ()): (Parts, ()) = Request::new(()).into_parts();
    parts.headers.insert("host", HeaderValue::from_static("any"));
    for line in lines {
        parts.headers.append("x-forwarded-for", line.clone());
    }
    let head = RequestHead::from_connection(&parts, peer, &TrustedPeers::new(trusted), NOW);
    head.map(|head| head.client())
}

fn expected(peer: IpAddr, trusted: &[IpNet], lines: &[HeaderValue]) -> Option<IpAddr> {
    let believed = |address: IpAddr| trusted.iter().any(|network| holds(*network, address));
    let peer = peer.to_canonical();
    if !believed(peer) {
        return Some(peer);
    }
    let entries = lines.iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    let mut read: Vec<Option<IpAddr>> = entries.map(address).collect();
    read.reverse();
    match read.iter().position(|entry| !entry.is_some_and(believed)) {
        Some(at) if at < MAX_FORWARDED => read[at],
        None if read.len() <= MAX_FORWARDED => read.last().copied().unwrap_or(Some(peer)),
        Some(_) | None => None,
    }
}

/// An address between blanks or tabs (RFC 9110, section 5.6.3), as proxies write it.
fn address(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?.trim_matches([' ', '\t']);
    let text = Some(text).filter(|it| !it.contains('%'))?;
    let address = text.parse().ok();
    let with_port = || text.parse().ok().map(|it: SocketAddr| it.ip());
    let without_port = || format!("{text}:1").parse().ok().map(|it: SocketAddr| it.ip());
    let bracketed = || text.ends_with(']').then(without_port).flatten();
    address.or_else(with_port).or_else(bracketed).map(|it| it.to_canonical())
}
