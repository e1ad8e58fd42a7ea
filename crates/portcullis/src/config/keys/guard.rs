//! The keys of `[[guard]]`.

use super::Absence::{Default, Optional, Required};
use super::Key;
use super::Kind::{Count, Flag, List, Text};
use crate::config::guard::{
    MAX_HOSTS, MAX_METHODS, MAX_NETWORKS, MAX_ORGANIZATION, MAX_PRESETS, MAX_SCHEMES, MAX_UPGRADES,
    MAX_UPSTREAMS,
};

const SECTION: &str = "guard";

/// All of them, in the order in which they are documented.
pub(super) const KEYS: &[Key] = &[
    Key::new(
        SECTION,
        "name",
        Text("a name of 1 to 63 of `a`-`z`, `0`-`9` and `-`, not starting with `-`"),
        Required("\"orders\""),
        "The name of the guard, its own among all.",
    ),
    Key::new(
        SECTION,
        "hosts",
        List("host names or addresses without a port, as `api.example.com`", 1, MAX_HOSTS),
        Optional("every host that no guard names", "[\"api.example.com\"]"),
        "The hosts that it answers for.",
    ),
    Key::new(
        SECTION,
        "path",
        Text("a path that starts with `/`, without `//`, `.`, `..`, `?` and `#`"),
        Default("\"/\""),
        "The path that it answers for, with all below it; the longest path wins.",
    ),
    Key::new(
        SECTION,
        "upstream",
        Text(
            "a URL, as `http://127.0.0.1:9000`, `https://` or `h2c://`, without user, query and \
             fragment",
        ),
        Optional(
            "`upstreams`, or whoever asks at `/authz/…` forwards",
            "\"http://127.0.0.1:9000\"",
        ),
        "Where requests go that it lets through: by HTTP/1.1 in the clear, by TLS (`https`), or by \
         HTTP/2 in the clear (`h2c`).",
    ),
    Key::new(
        SECTION,
        "upstreams",
        List("such URLs", 1, MAX_UPSTREAMS),
        Optional("`upstream` alone", "[\"http://10.0.0.1:9000\", \"http://10.0.0.2:9000\"]"),
        "More of them, that take turns; one that fails is left out for a while.",
    ),
    Key::new(
        SECTION,
        "schemes",
        List("names of schemes", 0, MAX_SCHEMES),
        Optional("only `networks` is demanded", "[\"basic\", \"api_key\"]"),
        "The ways to prove who one is that it accepts; any one of them suffices.",
    ),
    Key::new(
        SECTION,
        "networks",
        List("networks, as `10.0.0.0/8` or `2001:db8::1`", 1, MAX_NETWORKS),
        Optional("callers may come from anywhere", "[\"10.0.0.0/8\"]"),
        "The networks that callers must come from besides.",
    ),
    Key::new(
        SECTION,
        "client_certificate",
        Flag,
        Default("false"),
        "Whether callers must have proven a certificate of `tls.client_ca` besides.",
    ),
    Key::new(
        SECTION,
        "methods",
        List("methods in capitals, as `GET`", 1, MAX_METHODS),
        Optional("all methods", "[\"GET\", \"HEAD\"]"),
        "The methods that pass.",
    ),
    Key::new(
        SECTION,
        "ability",
        Text("the name of an ability, at most 100 characters"),
        Optional("no ability is demanded", "\"Orders - Read\""),
        "The ability that callers must hold.",
    ),
    Key::new(
        SECTION,
        "organization",
        Count(1, MAX_ORGANIZATION),
        Optional("the root organization", "7"),
        "The number of the organization that the guard belongs to.",
    ),
    Key::new(
        SECTION,
        "upgrades",
        List("names of protocols, as `websocket`", 0, MAX_UPGRADES),
        Optional("none", "[\"websocket\"]"),
        "What connections may become (`Upgrade`). A tunnel ends when its credential does.",
    ),
    Key::new(
        SECTION,
        "identity",
        List("of `portcullis`, `remote`, `x-auth-request` and `x-consumer`", 0, MAX_PRESETS),
        Default("[\"portcullis\"]"),
        "Under which names the upstream is told who sends a request; see \
         [what an upstream is told](guards.md#what-an-upstream-is-told).",
    ),
    Key::new(
        SECTION,
        "assertion",
        Flag,
        Default("false"),
        "Whether the upstream is told so under a signature besides; see \
         [signed assertions](guards.md#signed-assertions).",
    ),
    Key::new(
        SECTION,
        "pass_credential",
        Flag,
        Default("false"),
        "Whether the upstream is handed the credential itself.",
    ),
    Key::new(
        SECTION,
        "strip_path",
        Flag,
        Default("false"),
        "Whether `path` is removed before a request is forwarded.",
    ),
];
