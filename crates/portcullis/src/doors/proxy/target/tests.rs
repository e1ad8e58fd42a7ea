//! Whatever is asked for, what is forwarded is what was judged, and where it belongs.

use std::sync::Arc;

use http::Uri;
use portcullis_core::guard::{Definition, GuardTable, Source, Standing};
use portcullis_core::id::{Id, Revision};
use portcullis_core::request::canonical_path;
use portcullis_core::scheme::{BASIC, Options};
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

const PREFIXES: [&str; 6] = ["/", "/a", "/a/b", "/admin", "/caf%c3%a9", "/a%20b/c"];

/// A guard for each prefix, in front of an upstream below `base`.
fn guards(base: &str, strip_prefix: bool) -> GuardTable {
    let mut table = GuardTable::default();
    for (number, prefix) in (0_u8..).zip(PREFIXES) {
        let definition = Definition {
            kind: Kind::Route,
            name: number.to_string(),
            hosts: vec![],
            prefix: prefix.to_owned(),
            upstreams: vec![format!("http://127.0.0.1:1{base}").parse().unwrap()],
            schemes: vec![(BASIC, Options::new())],
            networks: None,
            client_certificate: false,
            methods: vec![],
            ability: None,
            upgrades: vec![],
            identity: vec![],
            assertion: false,
            pass_credential: false,
            strip_prefix,
        };
        let standing = Standing {
            id: Id::from_bytes([number; 16]),
            version: Revision(1),
            source: Source::Store,
            organization: Id::from_bytes([0; 16]),
            realm: Id::from_bytes([0; 16]),
        };
        table.insert(&Arc::new(definition.build(standing).unwrap())).unwrap();
    }
    table
}

/// Paths of what means something to one server or another.
fn paths() -> impl Strategy<Value = String> {
    let word = select(vec![
        "/",
        "/",
        "//",
        "/a",
        "/admin",
        "/caf%C3%A9",
        "/a%20b",
        "a",
        "%61",
        "b",
        "A",
        ".",
        "..",
        "%2e",
        "%252e",
        "%2f",
        "%5c",
        "\\",
        ";",
        "%3b",
        "%00",
        "+",
        "%2B",
        "@",
        "%40",
        "%c3%a9",
        "%C0%AF",
        "%",
        "%25",
        "?",
        "#",
        "*",
        ":",
        "~",
    ]);
    prop::collection::vec(word, 0..8).prop_map(|words| format!("/{}", words.concat()))
}

/// Whether `path` is `place` or below it, by whole segments.
fn is_below(path: &str, place: &str) -> bool {
    let rest = path.strip_prefix(place.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_path_is_judged_alike_as_sent_and_as_its_upstream_gets_it(path in paths()) {
        let Ok(judged) = canonical_path(&path) else { return Ok(()) };
        prop_assert_eq!(&*canonical_path(&judged).unwrap(), &*judged);
        let table = guards("/", false);
        let guard = table.find("any", &judged).unwrap();
        let forwarded: Uri = placed(&guard.upstreams[0].base, &judged).parse().unwrap();
        prop_assert_eq!(forwarded.path(), &*judged);
        let read = canonical_path(forwarded.path()).unwrap();
        prop_assert!(Arc::ptr_eq(table.find("any", &read).unwrap(), guard));
    }

    #[test]
    fn what_is_stripped_and_placed_stays_below_the_prefix_and_the_base(
        path in paths(),
        base in select(vec!["", "/", "/v1", "/v1/", "/v1/x"]),
    ) {
        let Ok(judged) = canonical_path(&path) else { return Ok(()) };
        let table = guards(base, true);
        let guard = table.find("any", &judged).unwrap();
        prop_assert!(is_below(&judged, &guard.prefix));
        let rest = stripped(&judged, &guard.prefix);
        prop_assert!(rest.starts_with('/'), "{}", rest);
        let whole = placed(&guard.prefix, rest);
        prop_assert!(whole == *judged || rest == "/" && *judged == *guard.prefix, "{}", whole);
        let forwarded: Uri = placed(&guard.upstreams[0].base, rest).parse().unwrap();
        prop_assert!(is_below(forwarded.path(), base), "{}", forwarded);
        prop_assert_eq!(canonical_path(forwarded.path()).unwrap(), forwarded.path());
    }
}

#[test]
fn a_prefix_is_stripped_whole_and_a_base_joined_by_one_slash() {
    for (path, prefix, base, forwarded) in [
        ("/a", "/a", "", "/"),
        ("/a/", "/a", "", "/"),
        ("/a/b", "/a", "", "/b"),
        ("/a/b/", "/a", "/v1", "/v1/b/"),
        ("/a", "/a", "/v1", "/v1/"),
        ("/a/b", "", "/v1", "/v1/a/b"),
        ("/a/b", "/a", "/v1/", "/v1/b"),
    ] {
        assert_eq!(placed(base, stripped(path, prefix)), forwarded, "{path} {prefix} {base}");
    }
}
