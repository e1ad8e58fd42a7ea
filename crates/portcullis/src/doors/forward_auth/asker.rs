//! The proxies that ask: where, in which words, and how they want to be answered.

use std::fmt;

use portcullis_core::request::Wording;

use super::told::{self, Told};

/// A way in which proxies ask.
pub(crate) struct Asker {
    /// Names the door in the log.
    pub(super) door: &'static str,
    /// Where they ask, to the letter.
    path: &'static str,
    /// How they state the request.
    pub(super) wording: Wording,
    /// Makes what they can tell the caller of a native answer.
    pub(super) tell: fn(Told) -> Told,
}

/// All of them.
const ALL: [Asker; 2] = [
    Asker {
        door: "nginx",
        path: "/authz/nginx",
        wording: Wording::Original,
        tell: told::for_nginx,
    },
    // Caddy and Traefik hand the caller whatever is not 2xx, as it is.
    Asker {
        door: "forward",
        path: "/authz/forward",
        wording: Wording::Forwarded,
        tell: std::convert::identity,
    },
];

/// Who asks at `path`, if anybody does.
pub(crate) fn asker_at(path: &str) -> Option<&'static Asker> {
    const { &ALL }.iter().find(|asker| asker.path == path)
}

impl fmt::Debug for Asker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.door)
    }
}
