//! All guards: routes by host and path prefix, where the longest prefix wins; listeners by realm and
//! id.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Guard, Kind, MAX_PREFIX_SEGMENTS};
use crate::id::Id;
use crate::organization::Organization;

/// The guards of one installation.
#[derive(Debug, Default)]
pub struct GuardTable {
    /// A host that a guard names belongs to its guards alone.
    by_host: HashMap<Box<str>, Prefixes>,
    elsewhere: Prefixes,
    listeners: HashMap<Id<Organization>, HashMap<Box<str>, Arc<Guard>>>,
}

type Prefixes = HashMap<Box<str>, Arc<Guard>>;

/// Two guards answer for the same host and path: the operator's fault.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("guards `{first}` and `{second}` both answer for {place}")]
pub struct Overlap {
    /// The guard that stands.
    pub first: String,
    /// The guard that has no place.
    pub second: String,
    /// The host and path.
    pub place: String,
}

impl GuardTable {
    /// Adds `guard`.
    ///
    /// # Errors
    /// Another answers for one of its places already; then nothing is added.
    pub fn insert(&mut self, guard: &Arc<Guard>) -> Result<(), Overlap> {
        self.check(guard)?;
        if guard.kind == Kind::Listener {
            let ids = self.listeners.entry(guard.standing.realm).or_default();
            ids.insert(guard.name.clone(), Arc::clone(guard));
            return Ok(());
        }
        if guard.hosts.is_empty() {
            self.elsewhere.insert(guard.prefix.clone(), Arc::clone(guard));
        }
        for host in &guard.hosts {
            let prefixes = self.by_host.entry(host.clone()).or_default();
            prefixes.insert(guard.prefix.clone(), Arc::clone(guard));
        }
        Ok(())
    }

    fn check(&self, guard: &Guard) -> Result<(), Overlap> {
        let taken = |found: Option<&Arc<Guard>>, place: String| match found {
            Some(first) if first.standing.id != guard.standing.id => Err(Overlap {
                first: first.name.to_string(),
                second: guard.name.to_string(),
                place,
            }),
            _ => Ok(()),
        };
        if guard.kind == Kind::Listener {
            let found = self.listener(guard.standing.realm, &guard.name);
            return taken(found, format!("listener `{}`", guard.name));
        }
        let overlap = |prefixes: &Prefixes, host: &str| {
            taken(prefixes.get(&guard.prefix), format!("{host}{}/", guard.prefix))
        };
        if guard.hosts.is_empty() {
            return overlap(&self.elsewhere, "");
        }
        guard.hosts.iter().try_for_each(|host| {
            self.by_host.get(host).map_or(Ok(()), |prefixes| overlap(prefixes, host))
        })
    }

    /// The guard that answers for the canonical `path` on the canonical `host`.
    pub fn find(&self, host: &str, path: &str) -> Option<&Arc<Guard>> {
        let prefixes = self.by_host.get(host).unwrap_or(&self.elsewhere);
        let slashes = path.bytes().enumerate().skip(1).filter(|(_, byte)| *byte == b'/');
        let ends = slashes.map(|(at, _)| at).chain([path.len()]).take(MAX_PREFIX_SEGMENTS);
        let mut found = prefixes.get("");
        for end in ends {
            found = path.get(..end).and_then(|prefix| prefixes.get(prefix)).or(found);
        }
        found
    }

    /// The listener of `realm` called `id`.
    pub fn listener(&self, realm: Id<Organization>, id: &str) -> Option<&Arc<Guard>> {
        self.listeners.get(&realm)?.get(id)
    }

    /// Every guard and listener; one that answers for several hosts comes as often.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Guard>> {
        let hosts = self.by_host.values().chain([&self.elsewhere]).flat_map(HashMap::values);
        hosts.chain(self.listeners.values().flat_map(HashMap::values))
    }

    /// Whether `guard` still stands here as it is.
    pub fn holds(&self, guard: &Guard) -> bool {
        let found = match guard.kind {
            Kind::Listener => self.listener(guard.standing.realm, &guard.name),
            Kind::Route => {
                let host = guard.hosts.first();
                let prefixes = host.map_or(Some(&self.elsewhere), |host| self.by_host.get(host));
                prefixes.and_then(|prefixes| prefixes.get(&guard.prefix))
            }
        };
        found.is_some_and(|found| found.standing == guard.standing)
    }

    /// Whether a guard names `host`.
    pub fn names(&self, host: &str) -> bool {
        self.by_host.contains_key(host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::{Definition, Source, Standing};
    use crate::id::{Id, Revision};
    use crate::scheme::{BASIC, Options};

    fn guard(number: u8, name: &str, hosts: &[&str], prefix: &str) -> Arc<Guard> {
        build(Kind::Route, (number, 0), name, (hosts, prefix))
    }

    fn listener(number: u8, realm: u8, id: &str) -> Arc<Guard> {
        build(Kind::Listener, (number, realm), id, (&[], "/"))
    }

    fn build(
        kind: Kind,
        (number, realm): (u8, u8),
        name: &str,
        (hosts, prefix): (&[&str], &str),
    ) -> Arc<Guard> {
        let definition = Definition {
            kind,
            name: name.into(),
            hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
            prefix: prefix.into(),
            upstreams: vec![http::Uri::from_static("http://127.0.0.1:1")],
            upgrades: vec![],
            identity: vec![],
            assertion: false,
            schemes: vec![(BASIC, Options::new())],
            networks: None,
            client_certificate: false,
            methods: vec![],
            ability: None,
            pass_credential: false,
            strip_prefix: false,
        };
        let standing = Standing {
            id: Id::from_bytes([number; 16]),
            version: Revision(1),
            source: Source::File,
            organization: Id::from_bytes([realm; 16]),
            realm: Id::from_bytes([realm; 16]),
        };
        Arc::new(definition.build(standing).unwrap())
    }

    #[test]
    fn a_listener_is_found_by_its_realm_and_id_and_by_no_path() {
        let mut table = GuardTable::default();
        let (one, other) = (listener(1, 1, "orders"), listener(2, 2, "orders"));
        table.insert(&one).unwrap();
        table.insert(&other).unwrap();
        let id =
            |realm, id| table.listener(Id::from_bytes([realm; 16]), id).map(|it| it.standing.id);
        assert_eq!(id(1, "orders"), Some(one.standing.id));
        assert_eq!(id(2, "orders"), Some(other.standing.id));
        assert_eq!(id(3, "orders"), None);
        assert_eq!(id(1, "Orders"), None);
        assert_eq!(id(1, ""), None);
        assert!(table.find("any", "/").is_none() && table.find("any", "/orders").is_none());
        assert!(table.holds(&one) && table.holds(&other) && !table.holds(&listener(1, 2, "x")));
        assert_eq!(
            table.insert(&listener(3, 1, "orders")).unwrap_err().to_string(),
            "guards `orders` and `orders` both answer for listener `orders`"
        );
        assert!(table.insert(&guard(3, "route", &[], "/")).is_ok(), "a route is beside it");
    }

    #[test]
    fn the_longest_prefix_wins_and_a_named_host_is_its_guards_alone() {
        let mut table = GuardTable::default();
        for guard in [
            guard(1, "all", &[], "/"),
            guard(2, "api", &[], "/api"),
            guard(3, "admin", &[], "/api/admin/"),
            guard(4, "shop", &["shop.example"], "/api"),
        ] {
            table.insert(&guard).unwrap();
        }
        for (host, path, expected) in [
            ("any.example", "/", Some("all")),
            ("any.example", "/apis", Some("all")),
            ("any.example", "/api", Some("api")),
            ("any.example", "/api/", Some("api")),
            ("any.example", "/api/administrator", Some("api")),
            ("any.example", "/api/admin", Some("admin")),
            ("any.example", "/api/admin/users/1", Some("admin")),
            ("shop.example", "/api/admin", Some("shop")),
            ("shop.example", "/", None),
        ] {
            let found = table.find(host, path).map(|guard| &*guard.name);
            assert_eq!(found, expected, "{host}{path}");
        }
    }

    #[test]
    fn two_guards_for_one_place_are_an_overlap_that_names_both() {
        let mut table = GuardTable::default();
        table.insert(&guard(1, "first", &["a.example"], "/x")).unwrap();
        let overlap = table.insert(&guard(2, "second", &["b.example", "a.example"], "/x/"));
        assert_eq!(
            overlap.unwrap_err().to_string(),
            "guards `first` and `second` both answer for a.example/x/"
        );
        assert!(!table.names("b.example"));
        assert!(table.insert(&guard(2, "second", &[], "/x")).is_ok());
    }
}
