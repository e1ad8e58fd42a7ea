//! Who sent a request that came through proxies: believed of trusted peers only.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName};
use ipnet::IpNet;

use super::Malformed;

/// How many addresses the walk looks at.
pub const MAX_FORWARDED: usize = 32;

pub(super) const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The proxies whose forwarding headers are believed: by default nobody's.
#[derive(Clone, Debug, Default)]
pub struct TrustedPeers(Vec<IpNet>);

impl TrustedPeers {
    /// Believes peers in `networks`.
    pub fn new(networks: &[IpNet]) -> Self {
        Self(networks.iter().map(|network| fold_network(*network)).collect())
    }

    /// Whether `address` is believed.
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = fold(address);
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Whom `peer` says it speaks for, if it is believed: the last address, walking from the
    /// right, that is not itself believed. What stands further left is hearsay.
    pub(super) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> Result<IpAddr, Malformed> {
        if !self.contain(peer) {
            return Ok(peer);
        }
        let lines = headers.get_all(X_FORWARDED_FOR).iter().rev();
        let entries = lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
        let mut client = peer;
        for (walked, entry) in entries.enumerate() {
            if walked == MAX_FORWARDED {
                return Err(Malformed::Forwarded);
            }
            client = parse(entry).ok_or(Malformed::Forwarded)?;
            if !self.contain(client) {
                break;
            }
        }
        Ok(client)
    }

    /// Whether `peer` says that the request came to it encrypted, if it is believed. What it says
    /// twice, or of several proxies, is not taken for that.
    pub(super) fn says_https(&self, peer: IpAddr, headers: &HeaderMap) -> bool {
        let mut said = headers.get_all(X_FORWARDED_PROTO).iter();
        let (Some(value), None) = (said.next(), said.next()) else { return false };
        value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"https") && self.contain(peer)
    }
}

/// An address, with a port or without; IPv6 with a port stands in brackets.
fn parse(entry: &[u8]) -> Option<IpAddr> {
    let entry = std::str::from_utf8(entry.trim_ascii()).ok()?;
    // A zone names an interface of the node that wrote it (RFC 4007, section 6).
    if entry.contains('%') {
        return None;
    }
    let bracketed = || entry.strip_prefix('[')?.strip_suffix(']')?.parse().ok().map(IpAddr::V6);
    let with_port = || entry.parse::<SocketAddr>().ok().map(|it| it.ip());
    entry.parse().ok().or_else(with_port).or_else(bracketed).map(fold)
}

/// An IPv4 address mapped into IPv6 is the IPv4 address (RFC 4291, section 2.5.5.2).
pub const fn fold(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// A network of mapped addresses is the IPv4 network.
pub fn fold_network(network: IpNet) -> IpNet {
    let IpNet::V6(v6) = network else { return network };
    let mapped = v6.addr().to_ipv4_mapped().zip(v6.prefix_len().checked_sub(96));
    mapped
        .and_then(|(address, length)| IpNet::new(IpAddr::V4(address), length).ok())
        .unwrap_or(network)
}
