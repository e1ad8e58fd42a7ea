//! The table of guards: who answers for a host and a path.

use std::sync::Arc;

use http::Uri;
use portcullis_core::guard::{Definition, Guard, GuardTable, Kind, Source, Standing};
use portcullis_core::id::{Id, Revision};
use portcullis_core::scheme::{BASIC, Options};

/// How many guards of one input are looked at, for every one is compared with every other.
const MOST: u8 = 12;

/// Guards, one a line: the hosts with commas between them or `*`, a blank, the path prefix.
///
/// # Panics
/// The table refuses another guard than one that overlaps, or finds another than the one with the
/// longest prefix.
pub fn guard_table(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut table = GuardTable::default();
    let mut standing: Vec<Arc<Guard>> = Vec::new();
    let guards = (0..MOST).zip(text.lines()).filter_map(|(number, line)| guard(number, line));
    for guard in guards.map(Arc::new) {
        let overlaps = standing.iter().any(|other| overlap(&guard, other));
        assert_eq!(table.insert(&guard).is_err(), overlaps, "{guard:?}");
        assert_ne!(table.holds(&guard), overlaps, "{guard:?}");
        if !overlaps {
            standing.push(guard);
        }
    }
    for (host, path) in questions(&standing) {
        let found = table.find(&host, &path).map(|guard| guard.standing.id);
        let expected = longest(&standing, &host, &path).map(|guard| guard.standing.id);
        assert_eq!(found, expected, "{host}{path}");
        assert_eq!(table.names(&host), standing.iter().any(|guard| names(guard, &host)));
    }
}

fn guard(number: u8, line: &str) -> Option<Guard> {
    let (hosts, prefix) = line.split_once(' ')?;
    let hosts = hosts.split(',').filter(|host| *host != "*").map(str::to_owned).collect();
    let definition = Definition {
        kind: Kind::Route,
        name: number.to_string(),
        hosts,
        prefix: prefix.to_owned(),
        upstreams: vec![Uri::from_static("http://127.0.0.1:1")],
        schemes: vec![(BASIC, Options::new())],
        networks: None,
        client_certificate: false,
        methods: vec![],
        ability: None,
        upgrades: vec![],
        identity: vec![],
        assertion: false,
        pass_credential: false,
        strip_prefix: false,
    };
    let standing = Standing {
        id: Id::from_bytes([number; 16]),
        version: Revision(1),
        source: Source::Store,
        organization: Id::from_bytes([0; 16]),
        realm: Id::from_bytes([0; 16]),
    };
    definition.build(standing).ok()
}

fn overlap(one: &Guard, other: &Guard) -> bool {
    let everywhere = one.hosts.is_empty() && other.hosts.is_empty();
    one.prefix == other.prefix && (everywhere || one.hosts.iter().any(|host| names(other, host)))
}

fn names(guard: &Guard, host: &str) -> bool {
    guard.hosts.iter().any(|it| **it == *host)
}

/// Every host and one that no guard names, with every prefix, and paths below, above and beside.
fn questions(guards: &[Arc<Guard>]) -> Vec<(String, String)> {
    let named = guards.iter().flat_map(|guard| guard.hosts.iter().map(ToString::to_string));
    let hosts: Vec<String> = named.chain(["unnamed.example".to_owned()]).collect();
    let around = |prefix: &str| {
        let above = prefix.rsplit_once('/').map_or("", |(above, _)| above);
        [above, prefix]
            .map(|it| [format!("{it}/"), format!("{it}/x/y"), format!("{it}x"), it.into()])
    };
    let paths = guards.iter().flat_map(|guard| around(&guard.prefix)).flatten();
    let paths: Vec<String> = paths.filter(|path| path.starts_with('/')).collect();
    let asked = |host: &String| paths.iter().map(|path| (host.clone(), path.clone())).collect();
    hosts.iter().flat_map(|host| -> Vec<_> { asked(host) }).collect()
}

/// A host that a guard names belongs to its guards alone; among those, the longest prefix wins.
fn longest<'g>(guards: &'g [Arc<Guard>], host: &str, path: &str) -> Option<&'g Arc<Guard>> {
    let named = guards.iter().any(|guard| names(guard, host));
    let answers = |guard: &Guard| if named { names(guard, host) } else { guard.hosts.is_empty() };
    let below = |prefix: &str| {
        path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let meant = guards.iter().filter(|guard| answers(guard) && below(&guard.prefix));
    meant.max_by_key(|guard| guard.prefix.len())
}
