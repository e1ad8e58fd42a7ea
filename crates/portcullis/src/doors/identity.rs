//! Who sends a request, as upstreams are told: under names that nobody else can set.

mod assertion;
mod fact;
mod known;

use http::header::HOST;
use http::{HeaderName, HeaderValue, Method};
use hyper::body::Bytes;
use portcullis_core::assertion::Line;
use portcullis_core::guard::{Guard, Preset};
use portcullis_core::request::{RequestHead, folded_eq};
use uuid::Uuid;

use crate::gate::{Gate, Judged};
use fact::{Fact, headers};
use known::Known;

/// Names that only a proxy may set: whatever a caller sends under them, or under an alias that a
/// server may fold into them, is removed before anything is set.
const IDENTITY: &[&str] = &[
    "cf-connecting-ip",
    "client-cert",
    "client-cert-chain",
    "client-ip",
    "fastly-client-ip",
    "forwarded",
    "remote-user",
    "remote-groups",
    "remote-name",
    "remote-email",
    "true-client-ip",
    "x-anonymous-consumer",
    "x-client-cert",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-credential-identifier",
    "x-forwarded",
    "x-host",
    "x-real-ip",
    "x-rewrite-url",
    "x-http-method-override",
    "x-method-override",
    "x-http-method",
];
const IDENTITY_PREFIXES: &[&str] = &[
    "portcullis-",
    "x-auth-request-",
    "x-authentik-",
    "x-consumer-",
    "x-envoy-",
    "x-forwarded-",
    "x-original-",
    "x-remote-",
];

/// The header that carries what is signed.
static ASSERTION: HeaderName = HeaderName::from_static("portcullis-assertion");
/// What every upstream is told first.
static REQUEST: (HeaderName, Fact) =
    (HeaderName::from_static("portcullis-request-id"), Fact::Request);
/// So many bytes suffice for what is usually told.
const USUAL: usize = 256;
/// So many headers are told at most.
const MOST: usize = {
    let [a, b, c, d] = Preset::ALL;
    1 + headers(a).len() + headers(b).len() + headers(c).len() + headers(d).len()
};

/// Whether a caller's header of this name is removed before anything is set.
pub(crate) fn is_reserved(name: &HeaderName) -> bool {
    let name = name.as_str();
    // Most headers are told by their first letter.
    if !name.bytes().next().is_some_and(|first| b"cfprtx".contains(&first)) {
        return false;
    }
    IDENTITY.iter().any(|ours| folded_eq(name, ours))
        || IDENTITY_PREFIXES
            .iter()
            .any(|prefix| name.get(..prefix.len()).is_some_and(|start| folded_eq(start, prefix)))
}

/// A request that an upstream is told of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Telling<'a> {
    /// How it was judged.
    pub(crate) judged: &'a Judged,
    /// Its id.
    pub(crate) id: Uuid,
    /// What is asserted of it: how the upstream gets it.
    pub(crate) line: Line<'a>,
}

/// What is asserted of a request of `head` that goes on with `method` to `path`.
pub(crate) fn line<'a>(head: &'a RequestHead<'_>, method: &'a Method, path: &'a str) -> Line<'a> {
    let host = head.headers().get(HOST).and_then(|host| host.to_str().ok());
    Line { method: method.as_str(), host: host.unwrap_or_else(|| head.host()), path }
}

/// Tells who sends a request, by each header of the guard's presets once, and by an assertion if the
/// guard says so: with its value, or without one where there is nothing to tell.
pub(crate) fn tell(
    gate: &Gate,
    telling: &Telling<'_>,
    mut tell: impl FnMut(&'static HeaderName, Option<HeaderValue>),
) {
    let guard = &telling.judged.guard;
    let known = Known::of(telling.judged, telling.id, gate.memory());
    // All values in one piece of memory, which they share.
    let (mut text, mut ends) = (Vec::with_capacity(USUAL), [0; MOST]);
    for (end, (_, fact)) in ends.iter_mut().zip(told(guard)) {
        known.write(*fact, &mut text);
        *end = text.len();
    }
    let (text, mut start) = (Bytes::from(text), 0);
    for (end, (name, _)) in ends.into_iter().zip(told(guard)) {
        let value = (start < end).then(|| text.slice(start..end));
        tell(name, value.and_then(|value| HeaderValue::from_maybe_shared(value).ok()));
        start = end;
    }
    if guard.assertion {
        tell(&ASSERTION, assertion::sign(gate, telling, &known));
    }
}

/// The headers by which the upstream of `guard` is told, each once.
fn told(guard: &Guard) -> impl Iterator<Item = &'static (HeaderName, Fact)> {
    let presets = Preset::ALL.into_iter().filter(|preset| guard.identity.contains(preset));
    std::iter::once(&REQUEST).chain(presets.flat_map(headers))
}

#[cfg(test)]
mod tests;
