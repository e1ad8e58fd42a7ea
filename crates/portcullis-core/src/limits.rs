//! Where a single credential counts, besides what its owner may.

use std::net::IpAddr;

use crate::authenticator::Rejection;
use crate::guard::Guard;
use crate::id::Id;
use crate::organization::Organization;
use crate::policy::Networks;

/// At so many guards one credential can be said to count.
pub const MAX_GUARDS: usize = 100;

/// What a credential is limited to; nothing that was minted from it is limited to less.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Limits {
    /// The networks that callers must come from, if that is demanded.
    pub networks: Option<Networks>,
    /// The guards at which alone it counts.
    pub guards: Option<Box<[Id<Guard>]>>,
}

/// Where a credential is to count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Site {
    /// The realm whose users are known there.
    pub realm: Id<Organization>,
    /// For what it is presented.
    pub audience: Audience,
    /// Whom the request comes from; `None` asks about no request.
    pub client: Option<IpAddr>,
}

/// For what a credential is presented.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Audience {
    /// For whatever it counts: somebody asks what it is, or for a token that is limited as it is.
    Any,
    /// To pass a guard.
    Guard(Id<Guard>),
    /// For an address of our own, which is no guard.
    House,
}

impl Site {
    /// An address of our own in `realm`, called from `client`.
    pub const fn house(realm: Id<Organization>, client: IpAddr) -> Self {
        Self { realm, audience: Audience::House, client: Some(client) }
    }

    /// Where `guard` stands, called from `client`.
    pub const fn guard(guard: &Guard, client: IpAddr) -> Self {
        let audience = Audience::Guard(guard.standing.id);
        Self { realm: guard.standing.realm, audience, client: Some(client) }
    }

    /// Anywhere in `realm`, whatever a credential counts for, as `client` asks for it.
    pub const fn any(realm: Id<Organization>, client: Option<IpAddr>) -> Self {
        Self { realm, audience: Audience::Any, client }
    }
}

impl Limits {
    /// Whether they limit nothing.
    pub const fn is_empty(&self) -> bool {
        self.networks.is_none() && self.guards.is_none()
    }

    /// Whether what is so limited counts at `site`.
    pub(crate) fn judge(&self, site: &Site) -> Result<(), Rejection> {
        let counts = self.guards.as_ref().is_none_or(|guards| match site.audience {
            Audience::Any => true,
            Audience::Guard(guard) => guards.contains(&guard),
            Audience::House => false,
        });
        if !counts {
            return Err(Rejection::OtherGuard);
        }
        match (&self.networks, site.client) {
            (Some(networks), Some(client)) if !networks.contain(client) => {
                Err(Rejection::OtherNetwork)
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limited_credential_counts_at_its_guards_and_from_its_networks_alone() {
        let (one, two) = (Id::from_bytes([1; 16]), Id::from_bytes([2; 16]));
        let networks = || Some(Networks::new(&["10.0.0.0/8".parse().unwrap()]).unwrap());
        let guards = || Some(Box::from([one]));
        let (inside, outside) = (Some([10, 1, 1, 1].into()), Some([11, 1, 1, 1].into()));
        let (at, other) = (Rejection::OtherGuard, Rejection::OtherNetwork);
        for (networks, guards, audience, client, expected) in [
            (None, None, Audience::House, outside, Ok(())),
            (networks(), None, Audience::House, inside, Ok(())),
            (networks(), None, Audience::House, outside, Err(other)),
            (networks(), None, Audience::Any, None, Ok(())),
            (None, guards(), Audience::Guard(one), outside, Ok(())),
            (None, guards(), Audience::Guard(two), outside, Err(at)),
            (None, guards(), Audience::House, outside, Err(at)),
            (None, guards(), Audience::Any, outside, Ok(())),
            (networks(), guards(), Audience::Any, outside, Err(other)),
            (networks(), guards(), Audience::Guard(two), outside, Err(at)),
            (networks(), guards(), Audience::Guard(one), inside, Ok(())),
        ] {
            let site = Site { realm: Id::from_bytes([9; 16]), audience, client };
            assert_eq!(Limits { networks, guards }.judge(&site), expected, "{site:?}");
        }
    }
}
