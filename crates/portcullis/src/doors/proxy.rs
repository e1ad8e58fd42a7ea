//! The reverse proxy: what the gate permits is rebuilt from what was judged, and forwarded.

mod body;
mod headers;
mod pool;
mod query;

use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request, Response, StatusCode, Uri, Version};
use http_body_util::{BodyExt as _, Either, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use portcullis_core::guard::{Guard, Kind, Upstream};
use portcullis_core::policy::Permit;
use portcullis_core::request::{Malformed, RequestHead};
use uuid::Uuid;

use crate::body_room::BodyRoom;
use crate::doors::identity::{self, Telling};
use crate::exchange::{Content, Exchange};
use crate::face::{Destination, Face, Remake, Told};
use crate::gate::{Admitted, Gate, Judged};
use crate::http::problem::UpstreamFault;
use crate::refusal::Refusal;
use crate::sent::{Fault, Sent};
use body::{Looked, Outgoing};
use pool::{Pool, Reached, Sender, Wanted};

/// The door itself.
#[derive(Debug)]
pub(crate) struct Proxy {
    gate: Arc<Gate>,
    pool: Pool,
    room: BodyRoom,
    answer_timeout: Duration,
}

/// How long an upstream may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    /// To be connected to.
    pub(crate) connect: Duration,
    /// To begin its answer.
    pub(crate) answer: Duration,
}

impl Proxy {
    pub(crate) fn new(gate: Arc<Gate>, room: BodyRoom, timeouts: Timeouts) -> Self {
        Self { gate, pool: Pool::new(timeouts.connect), room, answer_timeout: timeouts.answer }
    }

    /// Answers one request, in the words of its destination; never fails.
    pub(crate) async fn serve(
        &self,
        head: &RequestHead<'_>,
        body: Sent,
        destination: Destination<'_>,
        exchange: &mut Exchange,
    ) -> Response<Content> {
        let answer = self.forward(head, body, destination, exchange).await;
        answer.unwrap_or_else(|no| no.told(destination.face, head.method(), exchange))
    }

    async fn forward(
        &self,
        head: &RequestHead<'_>,
        body: Sent,
        destination: Destination<'_>,
        exchange: &mut Exchange,
    ) -> Result<Response<Content>, No> {
        if *head.method() == Method::CONNECT {
            return Err(Refusal::Malformed(Malformed::Tunnel).into());
        }
        // RFC 9110, section 9.2.2: a safe method may be repeated, and nothing of its body is gone.
        let harmless = head.method().is_safe() && body.is_end_stream();
        let Destination { address, face, .. } = destination;
        let guard = if body.is_end_stream() { None } else { self.gate.guard(head, address) };
        let (looked, mut body, mut place) =
            body::look_into(head, guard.as_deref(), body, &self.room).await?;
        let taken = looked.as_ref().and_then(Looked::without_token);
        let head = &head.with_body_token(looked.as_ref().and_then(Looked::token));
        if let Some(taken) = &taken {
            body = body::changed(taken.clone());
        }
        // A connection that was kept may have ended unseen: what can be sent twice without harm is
        // then judged again, and sent on a new one.
        for wanted in [Wanted::Any, Wanted::New] {
            let reach = async |judged: Judged| {
                let upstream = upstream(&judged.guard)?;
                let reached = self.pool.take(upstream, wanted).await;
                reached.map_err(|fault| No::Unreached(fault, Box::new(judged)))
            };
            let Admitted { judged, reached, permit } =
                self.gate.admit(head, address, reach).await?;
            let Reached { mut sender, kept } = reached;
            drop(place.take());
            exchange.meet(&judged);
            exchange.allow(&permit);
            let mut request = rebuild(&self.gate, head, &judged, (destination, exchange.id))
                .ok_or(UpstreamFault::Broken)?;
            if let Some(taken) = &taken {
                headers::set_length(request.headers_mut(), taken.len());
            }
            let answering = forward(&mut sender, request, body, permit);
            let answer = tokio::time::timeout(self.answer_timeout, answering).await;
            self.pool.give_back(upstream(&judged.guard)?, sender);
            let Broken { error, unsent } = match answer.map_err(|_| UpstreamFault::Slow)? {
                Ok(response) => return Ok(self.finish(response, &judged.guard, face).await?),
                Err(broken) => broken,
            };
            if let Some(fault) = Fault::behind(&error) {
                return Err(Refusal::Malformed(fault.into()).into());
            }
            let again = unsent.or(harmless.then_some(Outgoing::EMPTY));
            let Some(again) = again.filter(|_| kept) else {
                tracing::warn!(%error, "the upstream broke off");
                break;
            };
            body = again;
        }
        Err(No::Fault(UpstreamFault::Broken))
    }

    /// An upstream's answer as the caller gets it.
    async fn finish(
        &self,
        response: Response<Incoming>,
        guard: &Guard,
        face: &Face,
    ) -> Result<Response<Content>, UpstreamFault> {
        // Upgrades are not forwarded, so nobody asked for this.
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Err(UpstreamFault::Broken);
        }
        let mut response = match face.remake {
            Some(remake) => self.remake(response, remake).await?.map(Either::Left),
            None => response.map(Either::Right),
        };
        headers::clean_answer(response.headers_mut(), guard);
        // An upstream's version ends with its hop; the caller's connection writes its own.
        *response.version_mut() = Version::default();
        Ok(response)
    }

    /// Another answer, made of an upstream's, which may take as long as it may to begin.
    async fn remake(
        &self,
        response: Response<Incoming>,
        Remake { most, make }: Remake,
    ) -> Result<Told, UpstreamFault> {
        let (parts, body) = response.into_parts();
        let reading = tokio::time::timeout(self.answer_timeout, Limited::new(body, most).collect());
        let read = reading.await.map_err(|_| UpstreamFault::Slow)?;
        let made = match read {
            Ok(body) => make(&Response::from_parts(parts, body.to_bytes())),
            Err(error) if error.is::<LengthLimitError>() => Err("it is too long".into()),
            Err(error) => {
                tracing::warn!(%error, "the upstream broke off");
                return Err(UpstreamFault::Broken);
            }
        };
        made.map_err(|why| {
            tracing::warn!(%why, "the upstream answered what cannot be read");
            UpstreamFault::Unreadable
        })
    }
}

/// The upstream broke off before it answered.
struct Broken {
    error: hyper::Error,
    /// The body, if nothing of the request has left.
    unsent: Option<Outgoing>,
}

/// Why there is no answer of an upstream's.
enum No {
    Fault(UpstreamFault),
    Refusal(Refusal),
    Unreached(UpstreamFault, Box<Judged>),
}

impl No {
    /// The answer in its place.
    fn told(&self, face: &Face, method: &Method, exchange: &mut Exchange) -> Response<Content> {
        if let Self::Unreached(_, judged) = self {
            exchange.meet(judged);
        }
        match self {
            Self::Fault(fault) | Self::Unreached(fault, _) => {
                exchange.fail(*fault);
                (face.fault)(*fault, exchange.id)
            }
            Self::Refusal(refusal) => {
                exchange.refuse(refusal);
                (face.refused)(refusal, method, exchange.id)
            }
        }
        .map(Either::Left)
    }
}

impl From<UpstreamFault> for No {
    fn from(fault: UpstreamFault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Refusal> for No {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(refusal)
    }
}

/// No permit, no upstream.
async fn forward(
    sender: &mut Sender,
    request: Request<()>,
    body: Outgoing,
    _permit: Permit,
) -> Result<Response<Incoming>, Broken> {
    sender.try_send_request(request.map(|()| body)).await.map_err(|mut error| {
        let unsent = error.take_message().map(Request::into_body);
        Broken { error: error.into_error(), unsent }
    })
}

/// The request that is forwarded, built from what was judged.
fn rebuild(
    gate: &Gate,
    head: &RequestHead<'_>,
    judged: &Judged,
    (Destination { face, below, .. }, id): (Destination<'_>, Uuid),
) -> Option<Request<()>> {
    let uri = target(head, &judged.guard, below)?;
    // RFC 9110, section 9.3.2: the same head as for GET, which is in the upstream's body.
    let whole = face.remake.is_some() && head.method() == Method::HEAD;
    let method = if whole { &Method::GET } else { head.method() };
    let line = identity::line(head, method, uri.path());
    let headers = headers::rebuilt(gate, head, &Telling { judged, id, line });
    let mut request = Request::builder().uri(uri).version(Version::HTTP_11).body(()).ok()?;
    *request.method_mut() = method.clone();
    *request.headers_mut() = headers;
    if face.remake.is_some() {
        headers::ask_for_the_whole(request.headers_mut(), head.method());
    }
    Some(request)
}

/// Where `guard` leads; what only other proxies forward is not to be had here.
fn upstream(guard: &Guard) -> Result<&Upstream, Refusal> {
    guard.upstreams.first().ok_or(Refusal::NoGuard)
}

/// Where the request goes: a listener's upstream with what is `below` it, else the path that was judged,
/// below the upstream's own.
fn target(head: &RequestHead<'_>, guard: &Guard, below: &str) -> Option<Uri> {
    let path = match guard.kind {
        Kind::Listener => below,
        Kind::Route if guard.strip_prefix => {
            head.path().strip_prefix(&*guard.prefix).filter(|rest| !rest.is_empty()).unwrap_or("/")
        }
        Kind::Route => head.path(),
    };
    let base = &*upstream(guard).ok()?.base;
    let base = if path.starts_with('/') { base.strip_suffix('/').unwrap_or(base) } else { base };
    let target = match query::forwarded(head, guard) {
        Some(query) => format!("{base}{path}?{query}"),
        None => format!("{base}{path}"),
    };
    target.parse().ok()
}
