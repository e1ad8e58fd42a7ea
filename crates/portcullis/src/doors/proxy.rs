//! The reverse proxy: what the gate permits is rebuilt from what was judged, and forwarded.

mod headers;
mod pool;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request, Response, StatusCode, Uri, Version};
use http_body_util::{BodyExt as _, Full, combinators::BoxBody};
use hyper::body::{Bytes, Incoming};
use portcullis_core::guard::Guard;
use portcullis_core::policy::Permit;
use portcullis_core::request::{RequestHead, TrustedPeers};
use portcullis_core::time::Clock;
use uuid::Uuid;

use crate::gate::{Gate, Judged};
use crate::http::problem::{self, UpstreamFault};
use crate::refusal::Refusal;
use pool::{Pool, Sender};

/// What every answer's body is.
pub(crate) type Body = BoxBody<Bytes, hyper::Error>;

/// Carries the request's id to the caller and the upstream.
const REQUEST_ID: &str = "portcullis-request-id";

/// The door itself.
#[derive(Debug)]
pub(crate) struct Proxy {
    gate: Arc<Gate>,
    pool: Pool,
    trusted: TrustedPeers,
    answer_timeout: Duration,
    clock: Arc<dyn Clock>,
}

/// How long an upstream may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    /// To be connected to.
    pub(crate) connect: Duration,
    /// To begin its answer.
    pub(crate) answer: Duration,
}

/// The part of a request that is forwarded, built from what was judged.
struct Rebuilt {
    request: http::request::Builder,
    client: IpAddr,
    method: Method,
}

impl Proxy {
    pub(crate) fn new(
        gate: Arc<Gate>,
        trusted: TrustedPeers,
        timeouts: Timeouts,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let pool = Pool::new(timeouts.connect);
        Self { gate, pool, trusted, answer_timeout: timeouts.answer, clock }
    }

    /// Answers one request; never fails.
    pub(crate) async fn serve(&self, request: Request<Incoming>, peer: IpAddr) -> Response<Body> {
        let id = request_id(self.clock.now().wall.millis());
        let mut response = match own(&self.gate, &request, id) {
            Some(own) => own.map(full),
            None => self.guarded(request, peer, id).await,
        };
        if let Ok(value) = id.to_string().parse() {
            response.headers_mut().insert(REQUEST_ID, value);
        }
        response
    }

    async fn guarded(&self, request: Request<Incoming>, peer: IpAddr, id: Uuid) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let received = self.clock.now().wall;
        let head = match RequestHead::from_connection(&parts, peer, &self.trusted, received) {
            Ok(head) => head,
            Err(why) => return refuse(&Refusal::Malformed(why), id, peer),
        };
        let mut judged = match self.gate.judge(&head).await {
            Ok(judged) => judged,
            Err(refusal) => return refuse(&refusal, id, head.client()),
        };
        let Some(rebuilt) = rebuild(&head, &judged, id) else {
            return problem::upstream(UpstreamFault::Broken, id).map(full);
        };
        let mut sender = match self.pool.take(&judged.guard.upstream).await {
            Ok(sender) => sender,
            Err(fault) => return problem::upstream(fault, id).map(full),
        };
        let permit = match self.gate.permit(&mut judged, &rebuilt.method, rebuilt.client) {
            Ok(permit) => permit,
            Err(refusal) => return refuse(&refusal, id, rebuilt.client),
        };
        log_allowed(&judged, id);
        let answering = forward(&mut sender, rebuilt.request, body, permit);
        let answer = tokio::time::timeout(self.answer_timeout, answering).await;
        self.pool.give_back(&judged.guard.upstream, sender);
        answer
            .unwrap_or(Err(UpstreamFault::Slow))
            .unwrap_or_else(|fault| problem::upstream(fault, id).map(full))
    }
}

/// No permit, no upstream.
async fn forward(
    sender: &mut Sender,
    request: http::request::Builder,
    body: Incoming,
    _permit: Permit,
) -> Result<Response<Body>, UpstreamFault> {
    let request = request.body(body).map_err(|_| UpstreamFault::Broken)?;
    let response = sender.send_request(request).await.map_err(|error| {
        tracing::warn!(%error, "the upstream broke off");
        UpstreamFault::Broken
    })?;
    // Upgrades are not forwarded, so nobody asked for this.
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return Err(UpstreamFault::Broken);
    }
    let mut response = response.map(http_body_util::BodyExt::boxed);
    headers::clean_answer(response.headers_mut());
    *response.version_mut() = Version::HTTP_11;
    Ok(response)
}

fn rebuild(head: &RequestHead<'_>, judged: &Judged, id: Uuid) -> Option<Rebuilt> {
    let uri = target(head, &judged.guard)?;
    let mut request = Request::builder().method(head.method()).uri(uri).version(Version::HTTP_11);
    *request.headers_mut()? = headers::rebuilt(head, judged, id);
    Some(Rebuilt { request, client: head.client(), method: head.method().clone() })
}

/// The path that was judged, below the upstream's own.
fn target(head: &RequestHead<'_>, guard: &Guard) -> Option<Uri> {
    let path = if guard.strip_prefix {
        head.path().strip_prefix(&*guard.prefix).filter(|rest| !rest.is_empty()).unwrap_or("/")
    } else {
        head.path()
    };
    let base = &guard.upstream.base;
    let target = match head.query() {
        Some(query) => format!("{base}{path}?{query}"),
        None => format!("{base}{path}"),
    };
    target.parse().ok()
}

/// Our own addresses, wherever no guard names the host.
fn own(gate: &Gate, request: &Request<Incoming>, id: Uuid) -> Option<Response<Full<Bytes>>> {
    let health = match request.uri().path() {
        "/healthz" => true,
        "/readyz" => gate.is_ready(),
        _ => return None,
    };
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Some(problem::wrong_method(id));
    }
    if !health {
        return Some(problem::refused(&Refusal::Unavailable, id));
    }
    let mut response = Response::new(Full::new(Bytes::from_static(b"ok\n")));
    response
        .headers_mut()
        .insert(http::header::CACHE_CONTROL, http::HeaderValue::from_static("no-store"));
    Some(response)
}

fn refuse(refusal: &Refusal, id: Uuid, client: IpAddr) -> Response<Body> {
    let reason = refusal.reason();
    match refusal {
        Refusal::Rejected(no, guard) => tracing::info!(
            request = %id, %client, reason, guard = %guard.name,
            scheme = no.scheme.map(tracing::field::display),
            credential = no.credential.map(tracing::field::display),
            user = no.user.map(tracing::field::display),
            "refused"
        ),
        Refusal::Anonymous(_)
        | Refusal::Busy(..)
        | Refusal::Denied { .. }
        | Refusal::Malformed(_)
        | Refusal::NoGuard
        | Refusal::Unavailable => {
            tracing::info!(request = %id, %client, reason, "refused");
        }
    }
    problem::refused(refusal, id).map(full)
}

fn log_allowed(judged: &Judged, id: Uuid) {
    let who = judged.who.as_ref();
    tracing::info!(
        request = %id, guard = %judged.guard.name,
        scheme = who.map(|who| tracing::field::display(who.scheme)),
        user = who.map(|who| tracing::field::display(who.principal.user.id)),
        credential = who.map(|who| tracing::field::display(who.principal.credential.id)),
        "allowed"
    );
}

fn full(body: Full<Bytes>) -> Body {
    body.map_err(|never| match never {}).boxed()
}

/// The request's id is always ours.
fn request_id(now: i64) -> Uuid {
    let random = portcullis_core::seal::random::<10>().unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(u64::try_from(now).unwrap_or(0), &random).into_uuid()
}
