//! Lists of networks, of callers and of trusted peers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use portcullis_core::policy::{Networks, parse_network};
use portcullis_core::request::{TrustedPeers, fold_network};

/// How many networks of one input are looked at, for every one is compared with every other.
const MOST: usize = 64;

/// Networks and addresses, one a line.
///
/// # Panics
/// A list does not hold just the addresses whose bits are those of one of its networks.
pub fn networks(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let networks: Vec<IpNet> =
        text.lines().filter_map(|line| line.parse().ok()).take(MOST).collect();
    for (line, network) in text.lines().filter_map(|line| Some((line, parse_network(line).ok()?))) {
        // Whatever else reads the line reads the same.
        let other = line.parse().or_else(|_| line.parse::<IpAddr>().map(IpNet::from));
        assert_eq!(other.unwrap(), network, "{line}");
        assert_eq!(parse_network(&network.to_string()), Ok(network), "{line}");
    }
    let named = text.lines().filter_map(|line| line.parse().ok()).take(MOST);
    let Ok(set) = Networks::new(&networks) else {
        return assert!(networks.is_empty(), "only an empty list is refused");
    };
    let trusted = TrustedPeers::new(&networks);
    for address in networks.iter().flat_map(edges).chain(named).flat_map(both_writings) {
        let expected = networks.iter().any(|network| holds(*network, address));
        assert_eq!(set.contain(address), expected, "{address} in {networks:?}");
        assert_eq!(set.find(address), narrowest(&networks, address), "{address} in {networks:?}");
        assert_eq!(trusted.contain(address), expected, "{address} trusted by {networks:?}");
    }
}

/// The narrowest of `networks` that holds `address`, in the form in which it is told.
fn narrowest(networks: &[IpNet], address: IpAddr) -> Option<IpNet> {
    let holding = networks.iter().filter(|network| holds(**network, address));
    let told = holding.map(|network| fold_network(*network).trunc());
    told.max_by_key(IpNet::prefix_len)
}

/// Whether `network` holds `address`, bit by bit: IPv4 lives where it is mapped into IPv6
/// (RFC 4291, section 2.5.5.2), and no wider network of IPv6 holds it.
pub(crate) fn holds(network: IpNet, address: IpAddr) -> bool {
    let length = match network {
        IpNet::V4(network) => 96 + network.prefix_len(),
        IpNet::V6(network) => network.prefix_len(),
    };
    let (ours, theirs) = (bits(network.addr()), bits(address));
    let same = (ours ^ theirs).checked_shr(128 - u32::from(length)).unwrap_or(0) == 0;
    same && (length >= 96 || theirs >> 32 != 0xffff)
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// The first and the last address of a network, and those beside it.
fn edges(network: &IpNet) -> Vec<IpAddr> {
    let ends = [network.network(), network.broadcast()];
    let around = |address: IpAddr| match address {
        IpAddr::V4(it) => [u32::wrapping_sub, u32::wrapping_add]
            .map(|step| Ipv4Addr::from_bits(step(it.to_bits(), 1)).into()),
        IpAddr::V6(it) => [u128::wrapping_sub, u128::wrapping_add]
            .map(|step| Ipv6Addr::from_bits(step(it.to_bits(), 1)).into()),
    };
    ends.into_iter().chain(ends.into_iter().flat_map(around)).collect()
}

/// An address as it is, and as IPv6 writes it.
fn both_writings(address: IpAddr) -> [IpAddr; 2] {
    [address, Ipv6Addr::from_bits(bits(address)).into()]
}
