//! Xponent Graph: listeners, guarded endpoints with a name; the login that gives tokens for them, and
//! OAuth 2.0 beside it.
//!
//! A request to a listener is not answered here: it goes on to the gate, and this dialect only has
//! the words for it. The wire and its sources: `docs/dialects/graph.md`.

mod client;
mod faces;
mod failure;
mod oauth;
mod settings;
mod tokens;
mod told;

use http::header::PRAGMA;
use http::{HeaderValue, StatusCode};
use http_body_util::Full;
use portcullis_core::authenticator::Authenticated;
use portcullis_core::mount::Mount;
use serde_json::{Map, Value};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::body::{self, BadBody, Fields};
use super::{Answered, Call, Dialect, answer};
use crate::face::Destination;
use crate::gate;
use crate::http::problem;
use crate::refusal::Refusal;
use faces::{DYNAMIC, PLAIN};
use failure::{Failure, Words};
use settings::Settings;

pub(crate) const DIALECT: Dialect = Dialect {
    name: "graph",
    summary: "the Xponent Graph API: listeners, guarded endpoints with a name; login; OAuth 2.0",
    paths: &[
        "/api/v1/listener",
        "/login",
        "/logout",
        "/oauth/token",
        "/oauth/revoke",
        "/oauth/introspect",
        "/.well-known/oauth-authorization-server",
    ],
    trial: &[],
    check: |options| Settings::read(options).map(drop),
    route,
    answer: |call| Box::pin(answer(call)),
    malformed: |why| {
        told::plainly(problem::refused(&Refusal::Malformed(why), Uuid::nil())).map(Full::new)
    },
};

/// The longest body, in bytes, of the site's own addresses: it is read before anybody has proven who
/// they are, and holds a name, a secret and a scope at most.
const MAX_BODY: usize = 16 * 1_024;
/// What stands before the id of every listener.
const LISTENERS: &str = "/api/v1/listener/";
/// What follows the id where the answer is one that the upstream writes down.
const DYNAMIC_END: &str = "dc";

/// An address of the API.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Address<'p> {
    /// A listener whose upstream writes its answers down.
    Dynamic(&'p str),
    Introspect,
    Login,
    Logout,
    Metadata,
    /// A listener.
    Plain(&'p str),
    Revoke,
    Token,
}

impl<'p> Address<'p> {
    /// The address that `path` names below the mount.
    fn parse(path: &'p str) -> Option<Self> {
        Some(match path {
            "/login" => Self::Login,
            "/logout" => Self::Logout,
            "/oauth/introspect" => Self::Introspect,
            "/oauth/revoke" => Self::Revoke,
            "/oauth/token" => Self::Token,
            "/.well-known/oauth-authorization-server" => Self::Metadata,
            _ => return Self::listener(path),
        })
    }

    fn listener(path: &'p str) -> Option<Self> {
        let rest = path.strip_prefix(LISTENERS)?;
        match rest.split_once('/') {
            _ if rest.is_empty() || rest.starts_with('/') => None,
            None => Some(Self::Plain(rest)),
            Some((id, DYNAMIC_END)) => Some(Self::Dynamic(id)),
            Some(_) => None,
        }
    }

    /// The methods it takes.
    const fn methods(self) -> &'static str {
        if matches!(self, Self::Metadata) { "GET, HEAD" } else { "POST" }
    }

    const fn words(self) -> Words {
        match self {
            Self::Introspect | Self::Metadata | Self::Revoke | Self::Token => Words::OAuth,
            Self::Dynamic(_) | Self::Login | Self::Logout | Self::Plain(_) => Words::Vendor,
        }
    }
}

/// The listener that a request goes to. Whether there is one is the gate's to say.
fn route<'c>(mount: &'c Mount, path: &'c str) -> Option<Destination<'c>> {
    let (id, face) = match Address::listener(path)? {
        Address::Dynamic(id) => (id, &DYNAMIC),
        Address::Plain(id) => (id, &PLAIN),
        Address::Introspect
        | Address::Login
        | Address::Logout
        | Address::Metadata
        | Address::Revoke
        | Address::Token => return None,
    };
    let address = gate::Address::Listener { mount, id };
    Some(Destination { address, face, below: "" })
}

async fn answer(mut call: Call<'_>) -> Answered {
    let (address, mut who) = (Address::parse(call.path), None);
    let words = address.map_or(Words::Vendor, Address::words);
    let (response, reason) = match handle(&mut call, address, &mut who).await {
        Ok(body) => {
            let mut response = answer::json(StatusCode::OK, &body);
            if address == Some(Address::Token) {
                // RFC 6749, section 5.1.
                response.headers_mut().insert(PRAGMA, HeaderValue::from_static("no-cache"));
            }
            (response, None)
        }
        Err(failure) => (failure.respond(words), Some(failure.reason)),
    };
    Answered { response: response.map(Full::new), who, reason }
}

async fn handle(
    call: &mut Call<'_>,
    address: Option<Address<'_>>,
    who: &mut Option<Authenticated>,
) -> Result<Value, Failure> {
    let settings = Settings::read(&call.mount.options).map_err(Failure::bad)?;
    let address = address.ok_or_else(Failure::no_address)?;
    if !address.methods().split(", ").any(|it| it == call.head.method().as_str()) {
        return Err(Failure::wrong_method(address.methods()));
    }
    if address == Address::Metadata {
        return Ok(oauth::metadata(call, &settings));
    }
    let body = read(call, address.words()).await?;
    let fields = Fields(&body);
    let (told, proven) = match address {
        Address::Introspect => oauth::introspect(call, fields).await,
        Address::Login => tokens::login(call, &settings, fields).await,
        Address::Logout => tokens::logout(call).await,
        Address::Revoke => oauth::revoke(call, fields).await,
        Address::Token => oauth::token(call, &settings, fields).await,
        Address::Dynamic(_) | Address::Metadata | Address::Plain(_) => Err(Failure::no_address()),
    }?;
    *who = Some(proven);
    Ok(told)
}

/// The fields of a body: OAuth's is a form (RFC 6749, section 4.4.2), the vendor's may be JSON too.
/// None at all has no fields.
async fn read(call: &mut Call<'_>, words: Words) -> Result<Map<String, Value>, Failure> {
    let kind = body::content_type(call)?;
    let text = Zeroizing::new(body::read_at_most(MAX_BODY, call).await?);
    match kind.as_deref() {
        _ if text.trim().is_empty() => Ok(Map::new()),
        Some("application/x-www-form-urlencoded") => {
            let mut fields = body::form(&text)?;
            // RFC 6749, section 3.2: what has no value is not there.
            fields.retain(|_, value| words != Words::OAuth || value != "");
            Ok(fields)
        }
        Some("application/json") if words == Words::Vendor => {
            let Value::Object(fields) = body::json(&text)? else {
                return Err(Failure::bad("an object was expected"));
            };
            Ok(fields)
        }
        _ => Err(BadBody::Kind.into()),
    }
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
            ("/login", Some(Address::Login)),
            ("/login/", None),
            ("/oauth/token", Some(Address::Token)),
            ("/oauth", None),
            ("", None),
        ] {
            assert_eq!(Address::parse(path), expected, "{path}");
        }
    }
}
