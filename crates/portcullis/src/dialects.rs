//! The vendors' wire surfaces, and the list of them.
//!
//! A dialect translates between its vendor's shapes and the actions; it holds no rule of who may
//! what. It sees the path below its mount, in the one canonical form, and the mount's realm alone.

mod answer;
mod body;
pub(crate) mod expert;
pub(crate) mod graph;
pub(crate) mod hull;
pub(crate) mod journey_hub;
pub(crate) mod journyx;
mod proof;

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use http::Response;
use http_body_util::Full;
use hyper::body::Bytes;
use portcullis_core::authenticator::Authenticated;
use portcullis_core::id::Revision;
use portcullis_core::limits::Site;
use portcullis_core::mount::{self, Mount};
use portcullis_core::request::{Malformed, RequestHead};
use portcullis_core::time::Clock;
use tokio::sync::watch;

use crate::actions::Actions;
use crate::body_room::BodyRoom;
use crate::face::Destination;
use crate::gate::Gate;
use crate::sent::Sent;

/// Every dialect of this build. Adding one: its folder, its `mod` line and its line here.
pub(crate) const ALL: &[Dialect] =
    &[expert::DIALECT, graph::DIALECT, hull::DIALECT, journey_hub::DIALECT, journyx::DIALECT];

/// One vendor's wire surface.
#[derive(Clone, Copy)]
pub(crate) struct Dialect {
    /// Names it in configuration and store.
    pub(crate) name: &'static str,
    /// One line for documentation and `--help`.
    pub(crate) summary: &'static str,
    /// The paths below its mount that begin its own addresses, each whole segments.
    pub(crate) paths: &'static [&'static str],
    /// The options with which everything of it can be tried out.
    pub(crate) trial: &'static [(&'static str, &'static str)],
    /// Says what is wrong with a mount's options for it.
    pub(crate) check: fn(&Options) -> Result<(), String>,
    /// The guard that a request goes to, instead of being answered here, by the path below the
    /// mount.
    pub(crate) route: Route,
    /// Answers one request that goes to no guard.
    pub(crate) answer: Answer,
    /// Answers a request that has no single meaning, and so reached nobody.
    pub(crate) malformed: fn(Malformed) -> Response<Full<Bytes>>,
}

/// A mount's options for its dialect.
pub(crate) type Options = BTreeMap<String, String>;

/// How a dialect sends requests on to guards.
pub(crate) type Route = for<'c> fn(&'c Mount, &'c str) -> Option<Destination<'c>>;

/// How a dialect answers.
pub(crate) type Answer =
    for<'c> fn(Call<'c>) -> Pin<Box<dyn Future<Output = Answered> + Send + 'c>>;

/// An answer, and what the log tells of it.
#[derive(Debug)]
pub(crate) struct Answered {
    /// What the caller gets.
    pub(crate) response: Response<Full<Bytes>>,
    /// Who the caller is, if that is known.
    pub(crate) who: Option<Authenticated>,
    /// Why it was refused, if it was.
    pub(crate) reason: Option<&'static str>,
}

/// One request to one mount of a dialect.
pub(crate) struct Call<'c> {
    /// What was judged to have one meaning.
    pub(crate) head: &'c RequestHead<'c>,
    /// The path below the mount; begins with a slash, or is empty.
    pub(crate) path: &'c str,
    /// The mount.
    pub(crate) mount: &'c Mount,
    /// The body, not read yet.
    pub(crate) body: Sent,
    /// What the dialect works with.
    pub(crate) services: &'c Services,
}

/// What every dialect works with.
#[derive(Clone, Debug)]
pub(crate) struct Services {
    /// Knows who callers are.
    pub(crate) gate: Arc<Gate>,
    /// What may be done; by nobody in particular until a principal is named.
    pub(crate) actions: Actions,
    /// The revision that the memory stands at.
    pub(crate) applied: watch::Receiver<Revision>,
    /// The one clock.
    pub(crate) clock: Arc<dyn Clock>,
    /// Where bodies are held.
    pub(crate) room: BodyRoom,
}

impl Call<'_> {
    /// Where a credential that comes with it is to count.
    pub(crate) const fn site(&self) -> Site {
        Site::house(self.mount.realm, self.head.client())
    }
}

impl fmt::Debug for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// The dialect called `name`.
pub(crate) fn named(name: &str) -> Option<&'static Dialect> {
    ALL.iter().find(|dialect| dialect.name == name)
}

/// The paths below its prefix that a mount answers for: everything, where it has a host or path of
/// its own.
pub(crate) fn paths(mount: &Mount) -> Vec<&'static str> {
    if mount.has_own_place() {
        return vec![""];
    }
    named(&mount.dialect).map(|dialect| dialect.paths.to_vec()).unwrap_or_default()
}

/// The mount that answers for `path` on `host`, its dialect, and the path below it. The longest
/// prefix wins, and a mount that names the host before one that names none. Where several share a
/// place, the first words of the path decide.
pub(crate) fn find<'m, 'p>(
    mounts: &'m [Arc<Mount>],
    host: &str,
    path: &'p str,
) -> Option<(&'m Arc<Mount>, &'static Dialect, &'p str)> {
    let near = mounts.iter().filter_map(|mount| {
        let rest = mount.rest(host, path)?;
        Some((mount, named(&mount.dialect)?, rest))
    });
    let mut found: Vec<_> = near.collect();
    found
        .sort_by_key(|(mount, ..)| (mount.hosts.is_empty(), std::cmp::Reverse(mount.prefix.len())));
    // The nearest place that claims the path, and there the dialect that names most of it.
    let claims = |(_, dialect, rest): &(&Arc<Mount>, &Dialect, &str)| {
        let own = dialect.paths.iter().filter(|path| mount::covers(path, rest));
        own.map(|path| path.split('/').count()).max()
    };
    let first = found.iter().position(|it| claims(it).is_some());
    let claimed = first.and_then(|first| {
        let place = found.get(first)?.0;
        let near = found.iter().enumerate().filter(|(_, it)| it.0.shares_place(place));
        let best = near.filter_map(|(at, it)| Some((claims(it)?, std::cmp::Reverse(at)))).max();
        best.map(|(_, std::cmp::Reverse(at))| at)
    });
    let alone = || {
        let (first, ..) = found.first()?;
        let shared = found.iter().skip(1).any(|(mount, ..)| mount.shares_place(first));
        (first.has_own_place() && !shared).then_some(0)
    };
    found.get(claimed.or_else(alone)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_core::guard::Source;
    use portcullis_core::id::Id;
    use portcullis_core::mount::Definition;

    fn mount(name: &str, hosts: &[&str], prefix: &str) -> Arc<Mount> {
        let definition = Definition {
            name: name.into(),
            dialect: journey_hub::DIALECT.name.into(),
            hosts: hosts.iter().map(|it| (*it).into()).collect(),
            prefix: prefix.into(),
            options: Options::new(),
        };
        let stamp = (Id::from_bytes([1; 16]), Revision(1));
        Arc::new(definition.build(stamp, Source::Store, Id::from_bytes([2; 16])).unwrap())
    }

    #[test]
    fn every_dialect_has_a_name_and_paths_of_its_own() {
        for (number, dialect) in ALL.iter().enumerate() {
            assert!(!dialect.summary.is_empty() && !dialect.paths.is_empty(), "{dialect:?}");
            for other in &ALL[..number] {
                assert_ne!(dialect.name, other.name);
                assert!(dialect.paths.iter().all(|path| !other.paths.contains(path)));
            }
        }
    }

    #[test]
    fn the_nearest_mount_answers_and_on_a_shared_root_only_for_its_own_words() {
        let mounts =
            [mount("root", &[], "/"), mount("hub", &[], "/hub"), mount("host", &["a"], "/")];
        for (host, path, expected) in [
            ("any", "/api/v1/org/1", Some(("root", "/api/v1/org/1"))),
            ("any", "/api/v1/orgs", None),
            ("any", "/else", None),
            ("any", "/hub/api/v1/org", Some(("hub", "/api/v1/org"))),
            ("any", "/hub/else", Some(("hub", "/else"))),
            ("any", "/hub", Some(("hub", ""))),
            ("a", "/api/v1/org", Some(("host", "/api/v1/org"))),
            ("a", "/else", Some(("host", "/else"))),
        ] {
            let found = find(&mounts, host, path).map(|(mount, _, rest)| (&*mount.name, rest));
            assert_eq!(found, expected, "{host}{path}");
        }
    }
}
