//! Sets of networks, in which an address is found by binary search.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::request::{fold, fold_network};

/// At least one network (CIDR, IPv4 or IPv6).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Networks(Box<[Placed]>);

/// A network among others. Two networks are nested or disjoint, never half in one another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Placed {
    network: IpNet,
    /// Where the narrowest network stands that this one lies in.
    around: Option<usize>,
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
        let mut placed: Vec<Placed> = Vec::with_capacity(sorted.len());
        for network in sorted {
            let before = placed.len().checked_sub(1);
            let around = outwards(&placed, before, |outer| outer.contains(&network));
            placed.push(Placed { network, around: around.map(|(at, _)| at) });
        }
        Ok(Self(placed.into()))
    }

    /// Each of them once, in the order of their addresses.
    pub fn iter(&self) -> impl Iterator<Item = IpNet> {
        self.0.iter().map(|it| it.network)
    }

    /// Whether `address` is in one of them; an IPv4 address mapped into IPv6 is the IPv4 one.
    pub fn contain(&self, address: IpAddr) -> bool {
        self.find(address).is_some()
    }

    /// The narrowest of them that `address` is in.
    pub fn find(&self, address: IpAddr) -> Option<IpNet> {
        let address = fold(address);
        let after = self.0.partition_point(|it| it.network.network() <= address);
        // Whatever else holds the address lies around the last that begins before it.
        let found = outwards(&self.0, after.checked_sub(1), |network| network.contains(&address));
        found.map(|(_, network)| network)
    }
}

/// The first network that is `wanted`, from the one at `start` outwards, and where it stands.
fn outwards(
    all: &[Placed],
    start: Option<usize>,
    wanted: impl Fn(&IpNet) -> bool,
) -> Option<(usize, IpNet)> {
    let mut at = start;
    while let Some(place) = at {
        let here = all.get(place)?;
        if wanted(&here.network) {
            return Some((place, here.network));
        }
        at = here.around;
    }
    None
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
