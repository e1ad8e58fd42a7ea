//! The keys of `[[listener]]`.

use std::time::Duration;

use super::Absence::{Default, Optional, Required};
use super::Key;
use super::Kind::{Count, Flag, List, Span, Text};
use crate::config::guard::{MAX_METHODS, MAX_NETWORKS, MAX_ORGANIZATION, MAX_PRESETS, MAX_SCHEMES};
use crate::config::listener::{MAX_TOKEN_LIFETIME, SCHEMES_AS_WRITTEN};

const SECTION: &str = "listener";

/// All of them, in the order in which they are documented.
pub(super) const KEYS: &[Key] = &[
    Key::new(
        SECTION,
        "id",
        Text("an id of 1 to 64 of `A`-`Z`, `a`-`z`, `0`-`9`, `_` and `-`"),
        Required("\"kitewheel_endpoint\""),
        "The id of the listener, its own among all listeners and guards.",
    ),
    Key::new(
        SECTION,
        "upstream",
        Text(
            "a URL, as `http://127.0.0.1:9000/flow`, `https://` or `h2c://`, without user, query and \
             fragment",
        ),
        Required("\"http://127.0.0.1:9000/flow\""),
        "Where requests go that it lets through: this very address, with the caller's query.",
    ),
    Key::new(
        SECTION,
        "schemes",
        List("names of schemes", 0, MAX_SCHEMES),
        Default(SCHEMES_AS_WRITTEN),
        "The ways to prove who one is that it accepts; any one of them suffices. None: `networks` \
         is all that is demanded.",
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
        Optional("`GET`, `HEAD` and `POST`", "[\"POST\"]"),
        "The methods that pass; with `GET`, `HEAD`.",
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
        "The number of the organization that the listener belongs to. It is reached through the \
         mounts of dialect `graph` in the realm of that.",
    ),
    Key::new(
        SECTION,
        "secret_header",
        Text("the name of a header"),
        Optional("`x-auth-token`", "\"x-api-key\""),
        "The header that carries the secret of scheme `shared_secret`.",
    ),
    Key::new(
        SECTION,
        "token_lifetime",
        Span(Duration::from_secs(1), MAX_TOKEN_LIFETIME),
        Optional("what scheme `bearer` says", "\"24h\""),
        "How long a token of scheme `bearer` lives, in whole seconds.",
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
];
