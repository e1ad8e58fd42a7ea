//! Where a request goes, and the request that goes there, built from what was judged.

use http::uri::{Authority, Scheme};
use http::{HeaderMap, Method, Request, Uri, Version, header};
use portcullis_core::guard::{Guard, Kind, Protocol, Upstream};
use portcullis_core::request::RequestHead;
use uuid::Uuid;

use super::{headers, query, trailers};
use crate::doors::identity::{self, Telling};
use crate::face::Destination;
use crate::gate::{Gate, Judged};

/// How the request is spoken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Speech<'u> {
    /// To this one of the guard's upstreams.
    pub(super) upstream: &'u Upstream,
    /// Whether in HTTP/2.
    pub(super) http2: bool,
}

/// The request that is forwarded, built from what was judged.
pub(super) fn rebuilt(
    gate: &Gate,
    head: &RequestHead<'_>,
    (judged, id): (&Judged, Uuid),
    Destination { face, below, .. }: Destination<'_>,
    speech: Speech<'_>,
) -> Option<Request<()>> {
    let uri = target(head, &judged.guard, speech.upstream, below)?;
    // RFC 9110, section 9.3.2: the same head as for GET, which is in the upstream's body.
    let whole = face.remake.is_some() && head.method() == Method::HEAD;
    let method = if whole { &Method::GET } else { head.method() };
    let line = identity::line(head, method, uri.path());
    let mut headers = headers::rebuilt(gate, head, &Telling { judged, id, line });
    if face.remake.is_some() {
        headers::ask_for_the_whole(&mut headers, head.method());
    } else if trailers::are_wanted(head.headers()) {
        trailers::ask(&mut headers, speech.http2);
    }
    let mut request = Request::new(());
    *request.version_mut() = Version::HTTP_11;
    *request.uri_mut() = uri;
    if speech.http2 {
        *request.version_mut() = Version::HTTP_2;
        *request.uri_mut() = with_authority(request.uri(), &mut headers, speech.upstream)?;
    }
    *request.method_mut() = method.clone();
    *request.headers_mut() = headers;
    Some(request)
}

/// RFC 9113, section 8.3.1: the host that was judged stands in the target alone. Nor does a length of
/// HTTP/1.1's chunks stand anywhere (section 8.2.2).
fn with_authority(uri: &Uri, headers: &mut HeaderMap, upstream: &Upstream) -> Option<Uri> {
    headers.remove(header::TRANSFER_ENCODING);
    let host = headers.remove(header::HOST)?;
    let tls = upstream.protocol == Protocol::Tls;
    let mut parts = uri.clone().into_parts();
    parts.scheme = Some(if tls { Scheme::HTTPS } else { Scheme::HTTP });
    parts.authority = Some(Authority::try_from(host.as_bytes()).ok()?);
    Uri::from_parts(parts).ok()
}

/// A listener's upstream with what is `below` it, else the path that was judged, below the
/// upstream's own.
fn target(head: &RequestHead<'_>, guard: &Guard, upstream: &Upstream, below: &str) -> Option<Uri> {
    let path = match guard.kind {
        Kind::Listener => below,
        Kind::Route if guard.strip_prefix => stripped(head.path(), &guard.prefix),
        Kind::Route => head.path(),
    };
    let place = placed(&upstream.base, path);
    let target = match query::forwarded(head, guard) {
        Some(query) => format!("{place}?{query}"),
        None => place,
    };
    target.parse().ok()
}

/// What stands in `path` below `prefix`, by whole segments; never nothing.
fn stripped<'p>(path: &'p str, prefix: &str) -> &'p str {
    path.strip_prefix(prefix).filter(|rest| !rest.is_empty()).unwrap_or("/")
}

/// `path` below an upstream's own.
fn placed(base: &str, path: &str) -> String {
    let base = if path.starts_with('/') { base.strip_suffix('/').unwrap_or(base) } else { base };
    format!("{base}{path}")
}

#[cfg(test)]
mod tests;
