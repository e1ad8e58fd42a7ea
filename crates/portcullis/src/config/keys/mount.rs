//! The keys of `[[mount]]`.

use std::time::Duration;

use super::Absence::{Default, Optional, Required};
use super::Key;
use super::Kind::{Count, Flag, List, Span, Text};
use crate::config::guard::{MAX_HOSTS, MAX_ORGANIZATION};

const SECTION: &str = "mount";

/// All of them, in the order in which they are documented.
pub(super) const KEYS: &[Key] = &[
    Key::new(
        SECTION,
        "dialect",
        Text("the name of a dialect, see below"),
        Required("\"journey_hub\""),
        "The dialect.",
    ),
    Key::new(
        SECTION,
        "name",
        Text("small letters, digits and hyphens, at most 63, none at either end"),
        Optional("the dialect's name, with hyphens", "\"partners\""),
        "What to call the mount; no two have one name.",
    ),
    Key::new(
        SECTION,
        "organization",
        Count(1, MAX_ORGANIZATION),
        Optional("the root organization", "7"),
        "The number of the realm whose objects are seen there, and no others.",
    ),
    Key::new(
        SECTION,
        "hosts",
        List("host names or addresses", 1, MAX_HOSTS),
        Optional("every host that no guard names", "[\"hub.example.com\"]"),
        "The hosts it answers for.",
    ),
    Key::new(
        SECTION,
        "path",
        Text("a path that starts with `/`, without `.`, `..` or empty segments"),
        Default("\"/\""),
        "The path below which the dialect's own paths begin.",
    ),
    Key::new(
        SECTION,
        "token_lifetime",
        Span(Duration::from_secs(1), Duration::from_secs(86_400)),
        Optional("`journey_hub`: 1h", "\"1h\""),
        "How long a token lives that the dialect gives out.",
    ),
    Key::new(
        SECTION,
        "api_keys",
        Flag,
        Optional("`journyx`: false", "true"),
        "Whether API keys of users authenticate requests.",
    ),
    Key::new(
        SECTION,
        "sso_only",
        Flag,
        Optional("`journyx`: false", "true"),
        "Whether passwords are refused, and only keys sign in.",
    ),
    Key::new(
        SECTION,
        "key_days",
        Count(1, 180),
        Optional("`journyx`: 180", "90"),
        "How many days an API key lives at most, and where nobody asks for fewer.",
    ),
    Key::new(
        SECTION,
        "session_idle",
        Span(Duration::from_secs(60), Duration::from_secs(7_776_000)),
        Optional("`journyx`: 1700m; `expert`: 48h", "\"8h\""),
        "How long a session lives after its last use.",
    ),
    Key::new(
        SECTION,
        "session_cap",
        Span(Duration::from_secs(60), Duration::from_secs(7_776_000)),
        Optional("`journyx`: 168h; `expert`: 156h", "\"24h\""),
        "How long a session lives at most, however much it is used.",
    ),
    Key::new(
        SECTION,
        "origin",
        Text("one or more of `https://host` or `https://host:port`, parted by commas"),
        Optional("`expert`: browsers are sent nowhere", "\"https://help.example.com\""),
        "Where the site is known to its people; a sign-on leads a browser to these origins alone.",
    ),
    Key::new(
        SECTION,
        "upstream",
        Text("the id of a listener"),
        Optional("`expert`: none", "\"pages\""),
        "The listener that answers for the paths of the API that are not answered here.",
    ),
    Key::new(
        SECTION,
        "new_users",
        Flag,
        Optional("`expert`: true", "false"),
        "Whether a sign-on makes a user of a name that nobody has.",
    ),
    Key::new(
        SECTION,
        "single_use",
        Flag,
        Optional("`expert`: false", "true"),
        "Whether a link signs in once.",
    ),
    Key::new(
        SECTION,
        "require_token",
        Flag,
        Optional("`expert`: false", "true"),
        "Whether a call without a credential must at least say that a script makes it.",
    ),
    Key::new(
        SECTION,
        "cookie_domain",
        Flag,
        Optional("`expert`: false", "true"),
        "Whether the session's cookie counts for all hosts below that of the first origin.",
    ),
    Key::new(
        SECTION,
        "same_site",
        Text("`lax` or `none`"),
        Optional("`expert`: lax", "\"none\""),
        "With which requests from pages of other sites a browser sends the session's cookie.",
    ),
    Key::new(
        SECTION,
        "title",
        Text("a text"),
        Optional("`expert`: Home", "\"Help\""),
        "How the home page is called.",
    ),
];
