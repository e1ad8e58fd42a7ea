//! A request that another proxy holds, as that proxy states it when it asks whether to forward it.
//!
//! Nothing is taken from the call itself: method, scheme, host, target and client are stated, each
//! once, or there is no answer. What the call carries besides are the headers of the request.

use std::net::IpAddr;

use http::header::{CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING, UPGRADE};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};

use super::forwarded::X_FORWARDED_FOR;
use super::{Connection, Malformed, RequestHead, TrustedPeers, folded_eq};
use crate::time::Timestamp;

const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_METHOD: HeaderName = HeaderName::from_static("x-forwarded-method");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_URI: HeaderName = HeaderName::from_static("x-forwarded-uri");
const X_ORIGINAL_METHOD: HeaderName = HeaderName::from_static("x-original-method");
const X_ORIGINAL_URL: HeaderName = HeaderName::from_static("x-original-url");

/// What belongs to the call, or would state again what is stated.
static OF_THE_CALL: [HeaderName; 5] =
    [CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING, X_FORWARDED_PROTO];

/// What every handshake of a WebSocket carries (RFC 6455, section 4.1). Some proxies pass it on
/// where they take `Upgrade` away.
const WEBSOCKET: &str = "sec-websocket-";

/// In which headers a proxy states the request, besides `X-Forwarded-For` for its client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wording {
    /// `X-Forwarded-Method`, `-Proto`, `-Host` and `-Uri`, as Caddy and Traefik do.
    Forwarded,
    /// `X-Original-Method`, and `X-Original-URL` from its scheme on, as nginx is told to do.
    Original,
}

impl Wording {
    /// The headers that state the request, and are none of its own.
    fn names(self) -> &'static [HeaderName] {
        static FORWARDED: [HeaderName; 3] = [X_FORWARDED_HOST, X_FORWARDED_METHOD, X_FORWARDED_URI];
        static ORIGINAL: [HeaderName; 2] = [X_ORIGINAL_METHOD, X_ORIGINAL_URL];
        match self {
            Self::Forwarded => &FORWARDED,
            Self::Original => &ORIGINAL,
        }
    }
}

/// Why a request that a proxy holds cannot be judged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unjudged {
    /// The proxy does not state this, or so that it could be two things: the operator's fault, or
    /// that of a caller who hopes to be taken for the proxy.
    #[error("the {0} of the request is not stated exactly once")]
    Unstated(&'static str),
    /// It has no single meaning: the caller's fault.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// It has a single meaning, written in another way, and the proxy would forward it as it is
    /// written: the caller's fault.
    #[error("the target is not in its canonical form")]
    NotCanonical,
}

/// A request that another proxy holds.
pub struct Original {
    parts: Parts,
    target: Box<str>,
    secure: bool,
}

impl Original {
    /// The request that a call with these `headers` states.
    ///
    /// # Errors
    /// Something of it is not stated exactly once, under its own name and no alias of it.
    pub fn read(headers: &HeaderMap, wording: Wording) -> Result<Self, Unjudged> {
        let stated = match wording {
            Wording::Forwarded => Stated::forwarded(headers)?,
            Wording::Original => Stated::original(headers)?,
        };
        // Without it, the client would be the proxy, which may come from anywhere it likes.
        said(headers, &X_FORWARDED_FOR, "client")?;
        let (mut parts, ()) = Request::new(()).into_parts();
        let method = Method::from_bytes(stated.method.as_bytes());
        parts.method = method.map_err(|_| Unjudged::Unstated("method"))?;
        parts.uri = path_and_query(stated.target).ok_or(Unjudged::Unstated("uri"))?;
        let host = HeaderValue::from_str(stated.host);
        parts.headers = passed_on(headers, wording);
        parts.headers.insert(HOST, host.map_err(|_| Unjudged::Unstated("host"))?);
        Ok(Self { parts, target: stated.target.into(), secure: stated.secure })
    }

    /// Its head, for `asker`, who is among the `trusted`. Who opened the caller's connection, and with
    /// which certificate, is not known here.
    ///
    /// # Errors
    /// It has no single meaning, or is not written as it is judged, and nobody here can rewrite it.
    pub fn head(
        &self,
        asker: IpAddr,
        trusted: &TrustedPeers,
        received: Timestamp,
    ) -> Result<RequestHead<'_>, Unjudged> {
        let connection = Connection { peer: asker, secure: self.secure, certified: false };
        let head = RequestHead::from_connection(&self.parts, connection, trusted, received)?;
        let rest = self.target.strip_prefix(head.path());
        let written = match (rest, head.query()) {
            (Some(rest), None) => rest.is_empty(),
            (Some(rest), Some(query)) => rest.strip_prefix('?') == Some(query),
            (None, _) => false,
        };
        if written { Ok(head) } else { Err(Unjudged::NotCanonical) }
    }

    /// Its method.
    pub const fn method(&self) -> &Method {
        &self.parts.method
    }

    /// Its headers.
    pub const fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }
}

impl std::fmt::Debug for Original {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Original").field("method", &self.parts.method).finish_non_exhaustive()
    }
}

/// What is stated of a request.
struct Stated<'h> {
    method: &'h str,
    secure: bool,
    host: &'h str,
    target: &'h str,
}

impl<'h> Stated<'h> {
    fn forwarded(headers: &'h HeaderMap) -> Result<Self, Unjudged> {
        Ok(Self {
            method: said(headers, &X_FORWARDED_METHOD, "method")?,
            secure: is_https(said(headers, &X_FORWARDED_PROTO, "scheme")?)?,
            host: said(headers, &X_FORWARDED_HOST, "host")?,
            target: said(headers, &X_FORWARDED_URI, "uri")?,
        })
    }

    fn original(headers: &'h HeaderMap) -> Result<Self, Unjudged> {
        let url = said(headers, &X_ORIGINAL_URL, "uri")?;
        let (scheme, rest) = url.split_once("://").ok_or(Unjudged::Unstated("scheme"))?;
        // Whatever else a host may not hold, such as `?` and `#`, is refused where hosts are read.
        let target = rest.find('/').and_then(|at| rest.split_at_checked(at));
        let (host, target) = target.ok_or(Unjudged::Unstated("uri"))?;
        let method = said(headers, &X_ORIGINAL_METHOD, "method")?;
        Ok(Self { method, secure: is_https(scheme)?, host, target })
    }
}

/// The text of the header `name`, which stands there once and under no alias; it states `what`.
fn said<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
    what: &'static str,
) -> Result<&'h str, Unjudged> {
    let mut values = headers.get_all(name).iter();
    let alias = |other: &HeaderName| other != name && folded_eq(other.as_str(), name.as_str());
    match (values.next().and_then(|value| value.to_str().ok()), values.next()) {
        (Some(text), None) if !text.is_empty() && !headers.keys().any(alias) => Ok(text),
        _ => Err(Unjudged::Unstated(what)),
    }
}

fn is_https(scheme: &str) -> Result<bool, Unjudged> {
    match scheme {
        "http" => Ok(false),
        "https" => Ok(true),
        _ => Err(Unjudged::Unstated("scheme")),
    }
}

fn path_and_query(target: &str) -> Option<Uri> {
    PathAndQuery::try_from(target).ok().filter(|_| target.starts_with('/')).map(Uri::from)
}

/// The headers of the request itself.
fn passed_on(call: &HeaderMap, wording: Wording) -> HeaderMap {
    let mut headers = call.clone();
    for name in OF_THE_CALL.iter().chain(wording.names()) {
        headers.remove(name);
    }
    let shakes = |name: &HeaderName| {
        name.as_str().get(..WEBSOCKET.len()).is_some_and(|start| folded_eq(start, WEBSOCKET))
    };
    if !headers.contains_key(UPGRADE) && headers.keys().any(shakes) {
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    }
    headers
}

#[cfg(test)]
mod tests;
