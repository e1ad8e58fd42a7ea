//! Mounts: a dialect's addresses, for one realm.

use std::sync::Arc;

use crate::guard::{BadGuard, Guard, Kind, Source, build_hosts, build_prefix, check_name};
use crate::id::{Id, Revision};
use crate::organization::Organization;
use crate::scheme::Options;
use crate::subject::SubjectId;

/// The greatest number of mounts.
pub const MAX_MOUNTS: usize = 100;

/// A mount as it was written down.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Definition {
    /// Its name, its own among all.
    pub name: String,
    /// The dialect that is spoken there.
    pub dialect: String,
    /// The hosts it answers for; empty for all that no guard names.
    pub hosts: Vec<String>,
    /// The path below which the dialect's own paths begin.
    pub prefix: String,
    /// The dialect's own options.
    pub options: Options,
}

/// A mount in the form in which it is compared.
#[derive(Clone, Debug)]
pub struct Mount {
    /// Its identity.
    pub id: Id<Self>,
    /// The revision of its last change.
    pub version: Revision,
    /// Where it was written down.
    pub source: Source,
    /// The realm whose objects are seen there.
    pub realm: Id<Organization>,
    /// Its name.
    pub name: Box<str>,
    /// The dialect.
    pub dialect: Box<str>,
    /// The hosts in canonical form.
    pub hosts: Box<[Box<str>]>,
    /// The path in canonical form, without a slash at its end.
    pub prefix: Box<str>,
    /// The dialect's own options.
    pub options: Options,
}

/// A mount that cannot stand: the operator's fault.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadMount {
    /// A guard stands in its place.
    #[error("mount `{mount}` and guard `{guard}` both answer for {place}")]
    Guarded {
        /// The mount.
        mount: String,
        /// The guard.
        guard: String,
        /// Where.
        place: String,
    },
    /// Its name, a host or its path is none.
    #[error(transparent)]
    Place(#[from] BadGuard),
    /// Another mount answers for the same paths.
    #[error("mounts `{first}` and `{second}` both answer for {place}")]
    Taken {
        /// The one that stands.
        first: String,
        /// The one that has no place.
        second: String,
        /// Where.
        place: String,
    },
}

impl Definition {
    /// The mount itself.
    ///
    /// # Errors
    /// Its name, a host or its path is none.
    pub fn build(
        &self,
        (id, version): (Id<Mount>, Revision),
        source: Source,
        realm: Id<Organization>,
    ) -> Result<Mount, BadMount> {
        check_name(&self.name)?;
        Ok(Mount {
            id,
            version,
            source,
            realm,
            name: self.name.as_str().into(),
            dialect: self.dialect.as_str().into(),
            hosts: build_hosts(&self.hosts)?,
            prefix: build_prefix(&self.prefix)?,
            options: self.options.clone(),
        })
    }
}

impl Mount {
    /// What is left of the canonical `path` on `host` below the mount, if it lies there.
    pub fn rest<'p>(&self, host: &str, path: &'p str) -> Option<&'p str> {
        let here = self.hosts.is_empty() || self.hosts.iter().any(|it| **it == *host);
        let rest = path.strip_prefix(&*self.prefix).filter(|_| here)?;
        (rest.is_empty() || rest.starts_with('/')).then_some(rest)
    }

    /// Whether it names a host or a path of its own.
    pub fn has_own_place(&self) -> bool {
        !self.hosts.is_empty() || !self.prefix.is_empty()
    }

    /// Whether it begins where `other` begins.
    pub fn shares_place(&self, other: &Self) -> bool {
        self.prefix == other.prefix && share(&self.hosts, &other.hosts)
    }

    /// Whether both are the same mount, as it was then.
    pub fn is(&self, other: &Self) -> bool {
        self.id == other.id && self.version == other.version
    }
}

fn share(some: &[Box<str>], others: &[Box<str>]) -> bool {
    some.is_empty() && others.is_empty() || some.iter().any(|host| others.contains(host))
}

/// Whether all `mounts` can stand beside one another and beside `guards`; `paths` tells the paths,
/// below its prefix, that a mount's dialect answers for.
///
/// # Errors
/// Two answer for one place; both are named.
pub fn fit(
    mounts: &[Mount],
    guards: &[Arc<Guard>],
    paths: impl Fn(&Mount) -> Vec<&'static str>,
) -> Result<(), BadMount> {
    for (number, mount) in mounts.iter().enumerate() {
        let earlier = mounts.get(..number).unwrap_or_default();
        if let Some(first) = earlier.iter().find(|it| {
            it.name == mount.name || it.shares_place(mount) && it.dialect == mount.dialect
        }) {
            return Err(BadMount::Taken {
                first: first.name.to_string(),
                second: mount.name.to_string(),
                place: format!("{}/", mount.prefix),
            });
        }
        let own: Vec<String> =
            paths(mount).iter().map(|path| format!("{}{path}", mount.prefix)).collect();
        let guarded = guards.iter().find(|guard| {
            guard.kind == Kind::Route
                && share(&guard.hosts, &mount.hosts)
                && own.iter().any(|path| covers(path, &guard.prefix))
        });
        if let Some(guard) = guarded {
            return Err(BadMount::Guarded {
                mount: mount.name.to_string(),
                guard: guard.name.to_string(),
                place: format!("{}/", guard.prefix),
            });
        }
    }
    Ok(())
}

/// A segment of a path that stands for any 24 hex digits.
pub const OBJECT: &str = "{object}";

/// Whether `path` is one that `pattern` stands for, or lies below one.
pub fn covers(pattern: &str, path: &str) -> bool {
    let mut segments = path.split('/');
    pattern.split('/').all(|wanted| {
        segments.next().is_some_and(|segment| match wanted {
            OBJECT => SubjectId::parse(segment).is_some(),
            _ => segment == wanted,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::Standing;

    fn mount(number: u8, hosts: &[&str], prefix: &str) -> Mount {
        let definition = Definition {
            name: format!("m{number}"),
            dialect: "one".into(),
            hosts: hosts.iter().map(|it| (*it).into()).collect(),
            prefix: prefix.into(),
            options: Options::new(),
        };
        let stamp = (Id::from_bytes([number; 16]), Revision(1));
        definition.build(stamp, Source::Store, Id::from_bytes([9; 16])).unwrap()
    }

    fn guard(hosts: &[&str], prefix: &str) -> Arc<Guard> {
        let definition = crate::guard::Definition {
            kind: Kind::Route,
            name: "g".into(),
            hosts: hosts.iter().map(|it| (*it).into()).collect(),
            prefix: prefix.into(),
            upstreams: vec![http::Uri::from_static("http://127.0.0.1:9")],
            upgrades: vec![],
            identity: vec![],
            assertion: false,
            schemes: vec![(crate::scheme::BASIC, Options::new())],
            networks: None,
            client_certificate: false,
            methods: vec![],
            ability: None,
            pass_credential: false,
            strip_prefix: false,
        };
        let standing = Standing {
            id: Id::from_bytes([8; 16]),
            version: Revision(1),
            source: Source::Store,
            organization: Id::from_bytes([9; 16]),
            realm: Id::from_bytes([9; 16]),
        };
        Arc::new(definition.build(standing).unwrap())
    }

    #[test]
    fn a_pattern_covers_itself_and_what_lies_below() {
        for (pattern, path, expected) in [
            ("/api/v1/org", "/api/v1/org", true),
            ("/api/v1/org", "/api/v1/org/1", true),
            ("/api/v1/org", "/api/v1/orgs", false),
            ("/api/v1/org", "/api/v1", false),
            ("", "", true),
            ("", "/api", true),
            ("/api/{object}", "/api/5a7962e2793d3e942a03b29a", true),
            ("/api/{object}", "/api/5A7962E2793d3e942a03b29a/traits", true),
            ("/api/{object}", "/api/5a7962e2793d3e942a03b29", false),
            ("/api/{object}", "/api/42", false),
            ("/api/{object}", "/api", false),
        ] {
            assert_eq!(covers(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn a_mount_answers_on_its_hosts_and_below_its_path() {
        for (hosts, prefix, host, path, rest) in [
            (&[][..], "/", "any", "/api", Some("/api")),
            (&[], "/hub/", "any", "/hub/api", Some("/api")),
            (&[], "/hub", "any", "/hub", Some("")),
            (&[], "/hub", "any", "/hubs", None),
            (&["A.example"], "/", "a.example", "/api", Some("/api")),
            (&["a.example"], "/", "b.example", "/api", None),
        ] {
            assert_eq!(mount(1, hosts, prefix).rest(host, path), rest, "{host}{path}");
        }
    }

    #[test]
    fn two_mounts_or_a_mount_and_a_guard_in_one_place_are_refused_by_name() {
        let paths = |_: &Mount| vec!["/api/v1/org"];
        for (mounts, guards, fits) in [
            (vec![mount(1, &[], "/")], vec![], true),
            (vec![mount(1, &[], "/"), mount(2, &[], "/hub")], vec![], true),
            (vec![mount(1, &[], "/"), mount(2, &["a"], "/")], vec![], true),
            (vec![mount(1, &[], "/"), mount(2, &[], "/")], vec![], false),
            (vec![mount(1, &["a", "b"], "/"), mount(2, &["b"], "/")], vec![], false),
            (vec![mount(1, &[], "/")], vec![guard(&[], "/")], true),
            (vec![mount(1, &[], "/")], vec![guard(&[], "/api/v1")], true),
            (vec![mount(1, &[], "/")], vec![guard(&[], "/api/v1/org/1")], false),
            (vec![mount(1, &[], "/hub")], vec![guard(&[], "/api/v1/org")], true),
            (vec![mount(1, &["a"], "/")], vec![guard(&[], "/api/v1/org")], true),
        ] {
            assert_eq!(fit(&mounts, &guards, paths).is_ok(), fits, "{mounts:?}");
        }
    }
}
