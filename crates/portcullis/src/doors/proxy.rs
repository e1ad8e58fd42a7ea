//! The reverse proxy: what the gate permits is rebuilt from what was judged, and forwarded.

mod body;
mod headers;
mod pool;
mod query;
mod target;
mod trailers;
mod tunnel;

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http::header::{AUTHORIZATION, TRAILER};
use http::{Method, Request, Response, StatusCode, Version};
use http_body_util::{BodyExt as _, Either, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use portcullis_core::guard::Guard;
use portcullis_core::id::Revision;
use portcullis_core::policy::Permit;
use portcullis_core::request::{Malformed, RequestHead};
use portcullis_core::time::Clock;
use rustls::RootCertStore;
use tokio::sync::watch;
use uuid::Uuid;

use crate::body_room::BodyRoom;
use crate::exchange::{Content, Exchange};
use crate::face::{Destination, Face, Remake, Told};
use crate::gate::{Address, Admitted, Gate, Judged, Lasting};
use crate::http::problem::{self, UpstreamFault};
use crate::refusal::Refusal;
use crate::sent::{Fault, Sent};
use crate::streamed::{Over, Streamed};
use body::{Looked, Moved, Outgoing};
use pool::{Broken, Pool, Reached, Wanted};
use target::Speech;
use tunnel::Tunnels;

/// On what a request is sent, at most so often; again only where that does no harm.
const TRIES: [Wanted; 3] = [Wanted::Any, Wanted::New, Wanted::New];
/// Most answers begin within this; who waits longer is looked at again from then on.
const AT_ONCE: Duration = Duration::from_secs(1);
/// An answer that is known to be no longer, in bytes, ends so soon that nobody looks at it again.
const BRIEF: u64 = 64 * 1_024;

/// The door itself.
#[derive(Debug)]
pub(crate) struct Proxy {
    gate: Arc<Gate>,
    pool: Pool,
    room: BodyRoom,
    tunnels: Tunnels,
    answer_timeout: Duration,
    applied: watch::Receiver<Revision>,
}

/// How upstreams are met.
#[derive(Debug)]
pub(crate) struct Terms {
    /// How long one may take to be connected to.
    pub(crate) connect: Duration,
    /// How many connections of one thread one may have.
    pub(crate) most: usize,
    /// How long one may take to begin its answer.
    pub(crate) answer: Duration,
    /// How long nothing may be said in a tunnel.
    pub(crate) tunnel_idle: Duration,
    /// How many tunnels there may be.
    pub(crate) tunnels: usize,
    /// Who vouches for those that speak TLS; without them, the roots of the system.
    pub(crate) roots: Option<RootCertStore>,
    /// The revision that the memory stands at.
    pub(crate) applied: watch::Receiver<Revision>,
}

impl Proxy {
    /// To be called where tasks can be spawned.
    pub(crate) fn new(
        gate: Arc<Gate>,
        room: BodyRoom,
        clock: Arc<dyn Clock>,
        terms: Terms,
    ) -> Self {
        let Terms { connect, most, answer, tunnel_idle, tunnels, roots, applied } = terms;
        let pool = Pool::new((connect, most), roots, clock);
        let tunnels = Tunnels::new(tunnels, tunnel_idle);
        Self { gate, pool, room, tunnels, answer_timeout: answer, applied }
    }

    /// Another one, for a thread of its own, with connections of its own.
    pub(crate) fn beside(&self) -> Self {
        Self {
            gate: Arc::clone(&self.gate),
            pool: self.pool.beside(),
            room: self.room.clone(),
            tunnels: self.tunnels.clone(),
            answer_timeout: self.answer_timeout,
            applied: self.applied.clone(),
        }
    }

    /// Ends all tunnels: the server stops, and they have no end of their own.
    pub(crate) fn end_tunnels(&self) {
        self.tunnels.end();
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
        mut body: Sent,
        destination: Destination<'_>,
        exchange: &mut Exchange,
    ) -> Result<Response<Content>, No> {
        if *head.method() == Method::CONNECT {
            return Err(Refusal::Malformed(Malformed::Tunnel).into());
        }
        let empty = body.is_end_stream();
        let Destination { address, .. } = destination;
        let certificate = body.take_certificate();
        let becoming = body.take_becoming().filter(|_| empty);
        if let Some((becoming, token)) = becoming.zip(tunnel::asked(head)) {
            let asked = (becoming, token, certificate);
            return Box::pin(self.open(head, asked, destination, exchange)).await;
        }
        let guard = if empty { None } else { self.gate.guard(head, address) };
        let (looked, mut body, mut place) =
            body::look_into(head, guard.as_deref(), body, &self.room).await?;
        let taken = looked.as_ref().and_then(Looked::without_token);
        let head = &head.with_body_token(looked.as_ref().and_then(Looked::token));
        if let Some(taken) = &taken {
            body = body::changed(taken.clone());
        }
        // What can be sent again without harm is judged again before.
        for wanted in TRIES {
            let reach = async |judged| self.reach(judged, head.method(), wanted).await;
            let Admitted { mut judged, mut reached, permit } =
                self.gate.admit(head, address, reach).await?;
            judged.certificate.clone_from(&certificate);
            drop(place.take());
            exchange.meet(&judged);
            exchange.allow(&permit);
            let mut request = self.rebuilt(head, (&judged, exchange.id), destination, &reached)?;
            if let Some(taken) = &taken {
                headers::set_length(request.headers_mut(), taken.len());
            }
            let moved = body.moved();
            let sending = reached.link.send(request.map(|()| body));
            let lasting = || self.lasting(head, address, &judged);
            let broken = match self.answer_to(sending, permit, moved, lasting).await? {
                Ok(answer) => {
                    return self.finish(head, answer, (judged, reached), destination).await;
                }
                Err(broken) => broken,
            };
            if let Some(fault) = Fault::behind(&broken.error) {
                return Err(Refusal::Malformed(fault.into()).into());
            }
            self.pool.broke(&reached);
            let elsewhere = reached.kept || judged.guard.upstreams.len() > 1;
            let Some(again) = again(head.method(), empty, elsewhere, broken) else { break };
            body = again;
        }
        Err(No::Fault(UpstreamFault::Broken))
    }

    /// Something to send on what was judged so.
    async fn reach(&self, judged: Judged, method: &Method, wanted: Wanted) -> Result<Reached, No> {
        if *method == Method::TRACE {
            return Err(No::NotForwarded);
        }
        if judged.guard.upstreams.is_empty() {
            // Others forward what is let through here.
            return Err(Refusal::NoGuard.into());
        }
        let reached = self.pool.take(&judged.guard, wanted).await;
        reached.map_err(|fault| No::Unreached(fault, Box::new(judged)))
    }

    /// What comes of `sending`: no permit, no upstream. Time counts from when the body moved last.
    async fn answer_to(
        &self,
        sending: impl Future<Output = Answered>,
        _permit: Permit,
        moved: Option<Moved>,
        lasting: impl FnOnce() -> Lasting,
    ) -> Result<Answered, No> {
        let mut sending = pin!(sending);
        let at_once = AT_ONCE.min(self.answer_timeout);
        match tokio::time::timeout(at_once, sending.as_mut()).await {
            Ok(answered) => Ok(answered),
            Err(_) => Box::pin(self.wait_for(sending, moved, self.over(lasting()))).await,
        }
    }

    async fn wait_for(
        &self,
        mut sending: Pin<&mut impl Future<Output = Answered>>,
        moved: Option<Moved>,
        mut over: Over,
    ) -> Result<Answered, No> {
        let count = || moved.as_ref().map_or(0, |moved| moved.load(Ordering::Relaxed));
        let mut before = count();
        let mut pause = match self.answer_timeout.saturating_sub(AT_ONCE) {
            Duration::ZERO if before > 0 => self.answer_timeout,
            rest => rest,
        };
        loop {
            tokio::select! {
                answered = sending.as_mut() => return Ok(answered),
                refusal = &mut over => return Err(refusal.into()),
                () = tokio::time::sleep(pause) => {}
            }
            let now = count();
            if now == before {
                return Err(UpstreamFault::Slow.into());
            }
            (before, pause) = (now, self.answer_timeout);
        }
    }

    /// The request that goes where it was `reached`.
    fn rebuilt(
        &self,
        head: &RequestHead<'_>,
        (judged, id): (&Judged, Uuid),
        destination: Destination<'_>,
        reached: &Reached,
    ) -> Result<Request<()>, No> {
        let upstream = judged.guard.upstreams.get(reached.at).ok_or(Refusal::NoGuard)?;
        let speech = Speech { upstream, http2: reached.link.is_stream() };
        let rebuilt = target::rebuilt(&self.gate, head, (judged, id), destination, speech);
        rebuilt.ok_or_else(|| UpstreamFault::Broken.into())
    }

    /// What is kept of a permitted request that lasts.
    fn lasting(&self, head: &RequestHead<'_>, address: Address<'_>, judged: &Judged) -> Lasting {
        self.gate.lasting(head, address, judged.clone())
    }

    /// Comes back when what lasts is no longer permitted.
    fn over(&self, lasting: Lasting) -> Over {
        Box::pin(Arc::clone(&self.gate).until_over(lasting, self.applied.clone()))
    }

    /// An upstream's answer as the caller gets it.
    async fn finish(
        &self,
        head: &RequestHead<'_>,
        answer: Response<Incoming>,
        (judged, reached): (Judged, Reached),
        destination: Destination<'_>,
    ) -> Result<Response<Content>, No> {
        // Nobody asked for this.
        if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Err(UpstreamFault::Broken.into());
        }
        let held = self.pool.answered(reached, !is_bound(head, &judged.guard));
        if let Some(remake) = destination.face.remake {
            let remade = self.remake(answer, remake).await?.map(Either::Left);
            return Ok(cleaned(remade, &judged.guard));
        }
        let trailers = trailers::are_wanted(head.headers());
        let announced = trailers.then(|| trailers::announced(answer.headers())).flatten();
        let mut answer = answer.map(|body| {
            let lasts = body.size_hint().exact().is_none_or(|length| length > BRIEF);
            let streamed = Streamed::new(body, held);
            let streamed =
                if trailers { streamed.with_trailers(trailers::sifted) } else { streamed };
            Either::Right(if lasts {
                streamed.until(self.over(self.lasting(head, destination.address, &judged)))
            } else {
                streamed
            })
        });
        answer = cleaned(answer, &judged.guard);
        if let Some(announced) = announced {
            answer.headers_mut().insert(TRAILER, announced);
        }
        Ok(answer)
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

/// An upstream's answer, or that there is none.
type Answered = Result<Response<Incoming>, Broken>;

/// The body to send again, if that does no harm: nothing of it has left, or there is none and either
/// the upstream says that it did nothing, or doing it twice is doing it once (RFC 9110, section 9.2.2).
/// A connection that was new ends the second kind, unless there is another upstream.
fn again(method: &Method, empty: bool, elsewhere: bool, broken: Broken) -> Option<Outgoing> {
    let Broken { error, unsent, undone } = broken;
    let harmless = undone || method.is_idempotent() && elsewhere;
    let again = unsent.or((empty && harmless).then_some(Outgoing::EMPTY));
    if again.is_none() {
        tracing::warn!(%error, "the upstream broke off");
    }
    again
}

/// Whether the credential that is passed on proves a connection and not a request, so that nobody
/// else may be sent on it.
fn is_bound(head: &RequestHead<'_>, guard: &Guard) -> bool {
    if !guard.pass_credential && !guard.schemes.is_empty() {
        return false;
    }
    let Some(sent) = head.headers().get(AUTHORIZATION) else { return false };
    BOUND.iter().any(|bound| {
        sent.as_bytes().get(..bound.len()).is_some_and(|it| it.eq_ignore_ascii_case(bound))
    })
}

/// Schemes of others whose proof is that of a connection.
const BOUND: [&[u8]; 2] = [b"NTLM", b"Negotiate"];

/// An answer without what may not be said in our name. An upstream's version ends with its hop; the
/// caller's connection writes its own.
fn cleaned(mut answer: Response<Content>, guard: &Guard) -> Response<Content> {
    headers::clean_answer(answer.headers_mut(), guard);
    *answer.version_mut() = Version::default();
    answer
}

/// Why there is no answer of an upstream's.
enum No {
    Fault(UpstreamFault),
    /// Its method is one that is never forwarded.
    NotForwarded,
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
            Self::NotForwarded => {
                exchange.turn_away("not_forwarded");
                problem::not_forwarded(exchange.id)
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
