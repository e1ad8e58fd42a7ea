//! Sets of networks, in which an address is found by binary search.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::request::{fold, fold_network};

/// At least one network (CIDR, IPv4 or IPv6).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Networks(Box<[IpNet]>);

/// A list without a network: a mistake, not "everybody".
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("an empty list of networks would admit nobody; leave it out to admit everybody")]
pub struct NoNetworks;

impl Networks {
    /// The set of all addresses in `networks`, which may overlap.
    ///
    /// # Errors
    /// There is none.
    pub fn new(networks: &[IpNet]) -> Result<Self, NoNetworks> {
        if networks.is_empty() {
            return Err(NoNetworks);
        }
        let folded: Vec<IpNet> = networks.iter().map(|network| fold_network(*network)).collect();
        let mut disjoint = IpNet::aggregate(&folded);
        disjoint.sort_unstable();
        Ok(Self(disjoint.into()))
    }

    /// The fewest networks that hold the same addresses.
    pub fn iter(&self) -> impl Iterator<Item = IpNet> {
        self.0.iter().copied()
    }

    /// Whether `address` is in one of them; an IPv4 address mapped into IPv6 is the IPv4 one.
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = fold(address);
        let after = self.0.partition_point(|network| network.network() <= address);
        after
            .checked_sub(1)
            .and_then(|at| self.0.get(at))
            .is_some_and(|network| network.contains(&address))
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
