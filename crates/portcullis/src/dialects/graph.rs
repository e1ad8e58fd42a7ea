//! Xponent Graph: listeners, guarded endpoints with a name.
//!
//! A request to a listener is not answered here: it goes on to the gate, and this dialect only has
//! the words for it. The wire and its sources: `docs/dialects/graph.md`.

mod faces;
mod told;

use http::StatusCode;
use http_body_util::Full;
use portcullis_core::mount::Mount;
use uuid::Uuid;

use super::{Answered, Call, Dialect, Options};
use crate::face::Destination;
use crate::gate::Address as Listener;
use crate::http::problem;
use crate::refusal::Refusal;
use faces::{DYNAMIC, PLAIN};

pub(crate) const DIALECT: Dialect = Dialect {
    name: "graph",
    summary: "the Xponent Graph API: listeners, guarded endpoints with a name",
    paths: &[
        "/api/v1/listener",
        "/login",
        "/oauth/token",
        "/oauth/revoke",
        "/oauth/introspect",
        "/.well-known/oauth-authorization-server",
    ],
    trial: &[],
    check,
    route,
    answer: |call| Box::pin(async move { answer(&call) }),
    malformed: |why| {
        told::plainly(problem::refused(&Refusal::Malformed(why), Uuid::nil())).map(Full::new)
    },
};

/// What stands before the id of every listener.
const LISTENERS: &str = "/api/v1/listener/";
/// What follows the id where the answer is one that the upstream writes down.
const DYNAMIC_END: &str = "dc";

/// An address of the API.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Address<'p> {
    /// A listener whose upstream writes its answers down.
    Dynamic(&'p str),
    /// A listener.
    Plain(&'p str),
}

impl<'p> Address<'p> {
    /// The address that `path` names below the mount.
    fn parse(path: &'p str) -> Option<Self> {
        let rest = path.strip_prefix(LISTENERS)?;
        match rest.split_once('/') {
            _ if rest.is_empty() || rest.starts_with('/') => None,
            None => Some(Self::Plain(rest)),
            Some((id, DYNAMIC_END)) => Some(Self::Dynamic(id)),
            Some(_) => None,
        }
    }
}

fn check(options: &Options) -> Result<(), String> {
    options.keys().next().map_or(Ok(()), |name| Err(format!("`graph` has no option `{name}`")))
}

/// The listener that a request goes to. Whether there is one is the gate's to say.
fn route<'c>(mount: &'c Mount, path: &'c str) -> Option<Destination<'c>> {
    let (id, face) = match Address::parse(path)? {
        Address::Dynamic(id) => (id, &DYNAMIC),
        Address::Plain(id) => (id, &PLAIN),
    };
    Some(Destination { address: Listener::Listener { mount, id }, face })
}

/// What is no listener has no address.
fn answer(_call: &Call<'_>) -> Answered {
    let response = told::plain(StatusCode::NOT_FOUND).map(Full::new);
    Answered { response, who: None, reason: Some("no_address") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_is_named_by_one_segment_and_nothing_but_dc_lies_below() {
        for (path, expected) in [
            ("/api/v1/listener/a1B_-", Some(Address::Plain("a1B_-"))),
            ("/api/v1/listener/a/dc", Some(Address::Dynamic("a"))),
            ("/api/v1/listener/dc", Some(Address::Plain("dc"))),
            ("/api/v1/listener/dc/dc", Some(Address::Dynamic("dc"))),
            ("/api/v1/listener/%2E", Some(Address::Plain("%2E"))),
            ("/api/v1/listener", None),
            ("/api/v1/listener/", None),
            ("/api/v1/listener//dc", None),
            ("/api/v1/listener/a/", None),
            ("/api/v1/listener/a/DC", None),
            ("/api/v1/listener/a/dc/", None),
            ("/api/v1/listener/a/dc/x", None),
            ("/api/v1/listener/a/x", None),
            ("/api/v1/listeners/a", None),
            ("/login", None),
            ("", None),
        ] {
            assert_eq!(Address::parse(path), expected, "{path}");
        }
    }
}
