//! Sets of networks, in which an address is found by one look for each length of prefix there is.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};
use std::net::IpAddr;

use ipnet::IpNet;

use crate::request::{fold, fold_network};

/// At least one network (CIDR, IPv4 or IPv6).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Networks {
    sorted: Box<[IpNet]>,
    by_prefix: HashSet<Prefix, BuildHasherDefault<Fold>>,
    /// The lengths of their prefixes, the longest first.
    v4: Box<[u8]>,
    v6: Box<[u8]>,
}

/// The first bits of an address, as many as `length` says, and zeros.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Prefix {
    is_v4: bool,
    length: u8,
    bits: u128,
}

impl Prefix {
    fn of(address: IpAddr, length: u8) -> Self {
        // IPv4 stands in the upper bits, so that a prefix is the upper bits of both.
        let (is_v4, bits) = match address {
            IpAddr::V4(address) => (true, u128::from(address.to_bits()) << 96),
            IpAddr::V6(address) => (false, address.to_bits()),
        };
        let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
        Self { is_v4, length, bits: bits & mask }
    }
}

/// Folds by multiplication. Only an operator chooses what stands in a set, and what is looked for
/// there makes none of it slower to find, so that nothing need be drawn by lot.
#[derive(Debug, Default)]
struct Fold(u64);

impl Fold {
    /// The golden ratio's first 64 bits, as Knuth's multiplicative hashing has it.
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

    #[expect(clippy::cast_possible_truncation, reason = "both halves of the product are used")]
    const fn fold(&mut self, word: u64) {
        let product = (self.0 ^ word) as u128 * Self::FACTOR as u128;
        self.0 = (product >> 64) as u64 ^ product as u64;
    }
}

impl Hasher for Fold {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.fold(u64::from(*byte)));
    }

    fn write_u8(&mut self, number: u8) {
        self.fold(u64::from(number));
    }

    fn write_u128(&mut self, number: u128) {
        for half in [number >> 64, number & u128::from(u64::MAX)] {
            self.fold(u64::try_from(half).unwrap_or_default());
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// A list without a network: a mistake, not "everybody".
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("an empty list of networks would admit nobody; leave it out to admit everybody")]
pub struct NoNetworks;

/// What is not the one writing of a network: the operator's fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "not a network: an address, or a CIDR as `10.0.0.0/8` or `2001:db8::/32`, without leading zeros, \
     zone or bits below the mask"
)]
pub struct BadNetwork;

/// Reads a network, or a single address as the network of itself. What others read otherwise is
/// refused: `010.0.0.0/8` begins with 8 where a leading zero means octal, and `10.0.0.1/8` may have
/// meant one address.
///
/// # Errors
/// It is none, or could be read in two ways.
pub fn parse_network(text: &str) -> Result<IpNet, BadNetwork> {
    let Some((address, length)) = text.split_once('/') else {
        return text.parse::<IpAddr>().map(IpNet::from).map_err(|_| BadNetwork);
    };
    let address: IpAddr = address.parse().map_err(|_| BadNetwork)?;
    let plain = length.bytes().all(|byte| byte.is_ascii_digit());
    let length =
        length.parse().ok().filter(|_| plain && (length == "0" || !length.starts_with('0')));
    let network = length.and_then(|length| IpNet::new(address, length).ok());
    network.filter(|network| network.trunc() == *network).ok_or(BadNetwork)
}

impl Networks {
    /// The set of all addresses in `networks`, which may overlap.
    ///
    /// # Errors
    /// There is none.
    pub fn new(networks: &[IpNet]) -> Result<Self, NoNetworks> {
        if networks.is_empty() {
            return Err(NoNetworks);
        }
        let mut sorted: Vec<IpNet> =
            networks.iter().map(|network| fold_network(*network).trunc()).collect();
        sorted.sort_unstable_by_key(|network| (network.network(), network.prefix_len()));
        sorted.dedup();
        let prefixes = sorted.iter().map(|it| Prefix::of(it.network(), it.prefix_len()));
        let by_prefix: HashSet<_, _> = prefixes.collect();
        let lengths = |is_v4: bool| {
            let of_kind = by_prefix.iter().filter(|prefix| prefix.is_v4 == is_v4);
            let mut lengths: Vec<u8> = of_kind.map(|prefix| prefix.length).collect();
            lengths.sort_unstable_by(|a, b| b.cmp(a));
            lengths.dedup();
            lengths.into()
        };
        let (v4, v6) = (lengths(true), lengths(false));
        Ok(Self { sorted: sorted.into(), by_prefix, v4, v6 })
    }

    /// Each of them once, in the order of their addresses.
    pub fn iter(&self) -> impl Iterator<Item = IpNet> {
        self.sorted.iter().copied()
    }

    /// Whether `address` is in one of them; an IPv4 address mapped into IPv6 is the IPv4 one.
    pub fn contain(&self, address: IpAddr) -> bool {
        self.find(address).is_some()
    }

    /// The narrowest of them that `address` is in.
    pub fn find(&self, address: IpAddr) -> Option<IpNet> {
        let address = fold(address);
        let lengths = if address.is_ipv4() { &self.v4 } else { &self.v6 };
        let here = |length: &&u8| self.by_prefix.contains(&Prefix::of(address, **length));
        let length = *lengths.iter().find(here)?;
        IpNet::new(address, length).ok().map(|network| network.trunc())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_in_a_set_if_it_is_in_one_of_its_networks() {
        let set: Vec<IpNet> =
            ["10.0.0.0/8", "10.1.0.0/16", "192.0.2.7/32", "2001:db8::/32", "fe80::/10"]
                .map(|text| text.parse().unwrap())
                .into();
        let set = Networks::new(&set).unwrap();
        for (address, inside) in [
            ("10.0.0.0", true),
            ("10.255.255.255", true),
            ("11.0.0.0", false),
            ("9.255.255.255", false),
            ("192.0.2.7", true),
            ("192.0.2.8", false),
            ("::ffff:10.1.2.3", true),
            ("::ffff:11.1.2.3", false),
            ("2001:db8:ffff::1", true),
            ("2001:db9::", false),
            ("::", false),
            ("0.0.0.0", false),
        ] {
            assert_eq!(set.contain(address.parse().unwrap()), inside, "{address}");
        }
        assert_eq!(Networks::new(&[]), Err(NoNetworks));
    }

    #[test]
    fn the_narrowest_network_is_found_as_it_was_written() {
        let set = [
            "10.0.0.0/9",
            "10.128.0.0/9",
            "10.1.0.0/16",
            "10.1.2.3/24",
            "10.1.2.0/24",
            "::ffff:192.0.2.0/120",
            "2001:db8::/32",
            "2001:db8::7/128",
        ];
        let set = Networks::new(&set.map(|text| text.parse().unwrap())).unwrap();
        for (address, found) in [
            ("10.0.0.1", Some("10.0.0.0/9")),
            ("10.200.0.1", Some("10.128.0.0/9")),
            ("10.1.2.255", Some("10.1.2.0/24")),
            ("10.1.3.0", Some("10.1.0.0/16")),
            ("10.2.0.0", Some("10.0.0.0/9")),
            ("::ffff:10.1.2.0", Some("10.1.2.0/24")),
            ("192.0.2.7", Some("192.0.2.0/24")),
            ("2001:db8::7", Some("2001:db8::7/128")),
            ("2001:db8::8", Some("2001:db8::/32")),
            ("2001:db9::", None),
            ("11.0.0.0", None),
            ("9.0.0.0", None),
        ] {
            let expected = found.map(|text| text.parse().unwrap());
            assert_eq!(set.find(address.parse().unwrap()), expected, "{address}");
        }
    }

    #[test]
    fn a_network_is_written_in_one_way() {
        for (text, good) in [
            ("10.0.0.0/8", true),
            ("0.0.0.0/0", true),
            ("192.0.2.7", true),
            ("192.0.2.7/32", true),
            ("2001:db8::/32", true),
            ("2001:0db8:0:0:0:0:0:0/32", true),
            ("::ffff:192.0.2.0/120", true),
            ("::1", true),
            ("010.0.0.0/8", false),
            ("10.0.0.00/8", false),
            ("0000010.0.0.0/8", false),
            ("0x0a.0.0.0/8", false),
            ("10.0/8", false),
            ("167772160/8", false),
            ("10.0.0.0/08", false),
            ("10.0.0.0/+8", false),
            ("10.0.0.0/33", false),
            ("10.0.0.0/", false),
            ("10.0.0.0/8/8", false),
            ("10.0.0.0/255.0.0.0", false),
            ("10.0.0.1/8", false),
            ("2001:db8::1/32", false),
            ("2001:00db8::/32", false),
            ("::/129", false),
            ("fe80::1%eth0", false),
            ("fe80::%eth0/10", false),
            ("[::1]", false),
            (" 10.0.0.0/8", false),
            ("", false),
            ("/8", false),
        ] {
            assert_eq!(parse_network(text).is_ok(), good, "{text}");
        }
        assert_eq!(parse_network("192.0.2.7"), Ok("192.0.2.7/32".parse().unwrap()));
    }

    #[test]
    fn a_large_set_agrees_with_looking_at_each_network() {
        let networks: Vec<IpNet> = (0..10_000_u32)
            .map(|n| IpNet::new(IpAddr::from(((n * 7_919) << 8).to_be_bytes()), 28).unwrap())
            .collect();
        let set = Networks::new(&networks).unwrap();
        for n in 0..200_u32 {
            let address = IpAddr::from(((n * 104_729) << 3).to_be_bytes());
            let expected = networks.iter().any(|network| network.contains(&address));
            assert_eq!(set.contain(address), expected, "{address}");
        }
    }
}
