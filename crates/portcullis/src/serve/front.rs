//! Where a request goes first: to our own addresses, to a dialect, or to a guard.

use std::sync::Arc;

use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, Response, Version, header};
use http_body_util::{Either, Full};
use hyper::body::{Bytes, Incoming};
use portcullis_core::request::{Connection, RequestHead, TrustedPeers, unfold};
use portcullis_core::time::Timestamp;
use uuid::Uuid;

use super::connection::Caller;
use super::key_set;
use super::request_ids::RequestIds;
use crate::becoming::Becoming;
use crate::dialects::{self, Call, Dialect, Services};
use crate::doors::forward_auth::{ForwardAuth, asker_at};
use crate::doors::proxy::Proxy;
use crate::exchange::{Body, Content, Exchange};
use crate::face::Destination;
use crate::http::problem;
use crate::refusal::Refusal;
use crate::sent::{Bounds, Sent};

/// Carries the request's id to the caller and the upstream.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("portcullis-request-id");

/// The first to see a request.
#[derive(Debug)]
pub(super) struct Front {
    pub(super) services: Services,
    pub(super) proxy: Proxy,
    pub(super) forward_auth: Arc<ForwardAuth>,
    pub(super) trusted: TrustedPeers,
    pub(super) bodies: Bounds,
    pub(super) ids: RequestIds,
}

impl Front {
    /// Answers one request; never fails.
    pub(super) async fn serve(&self, request: Request<Incoming>, from: &Caller) -> Response<Body> {
        let begun = self.services.clock.now();
        let now = begun.wall;
        let id = self.ids.next(now.millis());
        let (mut parts, body) = request.into_parts();
        let (body, ended) = Sent::watched(body, self.bodies);
        let body = body.or(Becoming::of(&mut parts)).by(from.certificate.clone());
        let closes = parts.version < Version::HTTP_2;
        let tunnel = parts.method == Method::CONNECT;
        unfold(&mut parts);
        let clock = Arc::clone(&self.services.clock);
        let mut exchange = Box::new(Exchange::begin(&parts, from.peer, (id, begun.boot), clock));
        let connection = from.connection(now);
        // Before anything of the call itself is read: only what it states counts.
        let asker = asker_at(parts.uri.path()).filter(|_| self.forward_auth.is_for(&connection));
        let mut response = if let Some(asker) = asker {
            let call = (&parts, connection);
            let answer = self.forward_auth.serve(asker, call, now, &mut exchange).await;
            exchange.answer(answer)
        } else {
            self.read((&parts, connection), body, now, exchange).await
        };
        let failed = response.status().is_client_error() || response.status().is_server_error();
        let unread = !ended.is() && (failed || !response.body().is_own());
        if closes && (unread || tunnel) {
            // RFC 9112, section 9.6: what is left of the body may never be read, so the connection
            // ends, and whoever would send more on it is told. So may be what was meant for a tunnel.
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response.headers_mut().insert(REQUEST_ID, as_header(id));
        response
    }

    /// Answers what has one meaning, and tells whoever sent another thing.
    async fn read(
        &self,
        (parts, connection): (&Parts, Connection),
        body: Sent,
        now: Timestamp,
        mut exchange: Box<Exchange>,
    ) -> Response<Body> {
        let read = RequestHead::from_connection(parts, connection, &self.trusted, now);
        match read.and_then(|head| body.check_length().map(|()| head)) {
            Ok(head) => self.answer(&head, body, exchange).await,
            Err(why) => {
                let refusal = Refusal::Malformed(why);
                exchange.refuse(&refusal);
                let spoken = self.dialect_of(parts).map(|dialect| (dialect.malformed)(why));
                let answer = spoken.unwrap_or_else(|| problem::refused(&refusal, exchange.id));
                exchange.answer(answer.map(Either::Left))
            }
        }
    }

    /// Whose error shape is used where a request has no single meaning. It is refused in any case:
    /// here alone the raw path and host are good enough.
    fn dialect_of(&self, parts: &Parts) -> Option<&'static Dialect> {
        let host = parts.headers.get(header::HOST)?.to_str().ok()?.to_ascii_lowercase();
        let host = host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name);
        let mounts = self.services.gate.memory().mounts();
        let found = dialects::find(&mounts, host, parts.uri.path());
        found.filter(|_| !self.services.gate.is_named(host)).map(|(_, dialect, _)| dialect)
    }

    /// A host that a guard names is its guards' alone; elsewhere our own addresses come first.
    async fn answer(
        &self,
        head: &RequestHead<'_>,
        body: Sent,
        mut exchange: Box<Exchange>,
    ) -> Response<Body> {
        exchange.read(head);
        let named = self.services.gate.is_named(head.host());
        if !named && let Some(own) = self.own(head, exchange.id) {
            exchange.leave_no_line();
            return exchange.answer(own);
        }
        if !named && let Some(asker) = asker_at(head.path()) {
            let answer = self.forward_auth.turn_away(asker, head.connection(), &mut exchange);
            return exchange.answer(answer);
        }
        let mounts = Arc::clone(&self.services.gate.memory().mounts());
        let spoken = || dialects::find(&mounts, head.host(), head.path());
        let Some((mount, dialect, path)) = (!named).then(spoken).flatten() else {
            return self.guard(head, body, Destination::OWN, exchange).await;
        };
        if let Some(destination) = (dialect.route)(mount, path) {
            exchange.pass(mount);
            return self.guard(head, body, destination, exchange).await;
        }
        let call = Call { head, path, mount, body, services: &self.services };
        let answered = (dialect.answer)(call).await;
        exchange.speak(mount, answered.who.as_ref(), answered.reason);
        exchange.answer(answered.response.map(Either::Left))
    }

    async fn guard(
        &self,
        head: &RequestHead<'_>,
        body: Sent,
        destination: Destination<'_>,
        mut exchange: Box<Exchange>,
    ) -> Response<Body> {
        let answer = self.proxy.serve(head, body, destination, &mut exchange).await;
        exchange.answer(answer)
    }

    /// Whether we are alive, and ready.
    fn own(&self, head: &RequestHead<'_>, id: Uuid) -> Option<Response<Content>> {
        let well = match head.path() {
            "/healthz" => true,
            "/readyz" => self.services.gate.is_ready(),
            key_set::PATH => return key_set::answer(&self.services.gate, head.method(), id),
            _ => return None,
        };
        let answer = if !matches!(*head.method(), Method::GET | Method::HEAD) {
            problem::wrong_method(id)
        } else if well {
            let mut answer = Response::new(Full::new(Bytes::from_static(b"ok\n")));
            let no_store = HeaderValue::from_static("no-store");
            answer.headers_mut().insert(header::CACHE_CONTROL, no_store);
            answer
        } else {
            problem::refused(&Refusal::Unavailable, id)
        };
        Some(answer.map(Either::Left))
    }
}

/// The id as a header carries it.
pub(super) fn as_header(id: Uuid) -> HeaderValue {
    let mut room = Uuid::encode_buffer();
    let text = id.hyphenated().encode_lower(&mut room);
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}
