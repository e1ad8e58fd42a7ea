//! Tunnels: what a connection becomes, copied both ways until one side ends, nobody says anything for
//! too long, or it is no longer permitted.

mod websocket;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::header::{CONNECTION, UPGRADE};
use http::{HeaderMap, HeaderValue, Response, StatusCode, Version};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use portcullis_core::request::{RequestHead, Upgrade};
use tokio::io::{
    AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadHalf, WriteHalf,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use uuid::Uuid;

use super::body::Outgoing;
use super::pool::{Broken, Link, Wanted};
use super::{No, Proxy, headers};
use crate::becoming::{Becoming, Keepsake, On, Raw};
use crate::certificate::Certificate;
use crate::exchange::{Content, Exchange};
use crate::face::Destination;
use crate::gate::Admitted;
use crate::http::problem::UpstreamFault;
use crate::refusal::Refusal;
use crate::streamed::Over;
use websocket::Key;

/// How much of what one side says waits for the other to take it, in bytes.
const BUFFER: usize = 16 * 1_024;
/// How long both sides may take to become a tunnel once that is agreed.
const BEGIN: Duration = Duration::from_secs(10);

/// All tunnels.
#[derive(Clone, Debug)]
pub(super) struct Tunnels {
    room: Arc<Semaphore>,
    idle: Duration,
    end: watch::Sender<bool>,
}

impl Tunnels {
    /// At most `most`, each of which ends when nothing is said for `idle`.
    pub(super) fn new(most: usize, idle: Duration) -> Self {
        let most = most.min(Semaphore::MAX_PERMITS);
        Self { room: Arc::new(Semaphore::new(most)), idle, end: watch::Sender::new(false) }
    }

    /// Ends them all, and those that begin from now on.
    pub(super) fn end(&self) {
        self.end.send_replace(true);
    }
}

/// The protocol that the request asks for, if its connection says so too (RFC 9110, section 7.8).
pub(super) fn asked<'r>(head: &RequestHead<'r>) -> Option<&'r str> {
    match head.upgrade() {
        Upgrade::To(token) => {
            headers::named_in_connection(head.headers(), &UPGRADE).then_some(token)
        }
        Upgrade::None | Upgrade::Unclear => None,
    }
}

impl Proxy {
    /// Has the upstream become what `token` names, and with it the caller's connection.
    pub(super) async fn open(
        &self,
        head: &RequestHead<'_>,
        (becoming, token, certificate): (Becoming, &str, Option<Certificate>),
        destination: Destination<'_>,
        exchange: &mut Exchange,
    ) -> Result<Response<Content>, No> {
        let address = destination.address;
        let reach = async |judged| self.reach(judged, head.method(), Wanted::Tunnel).await;
        let admitted = self.gate.admit(head, address, reach).await?;
        let Admitted { mut judged, mut reached, permit } = admitted;
        judged.certificate = certificate;
        exchange.meet(&judged);
        exchange.allow(&permit);
        let room = Arc::clone(&self.tunnels.room).try_acquire_owned();
        let place = room.map_err(|_| Refusal::Unavailable)?;
        let mut request = self.rebuilt(head, (&judged, exchange.id), destination, &reached)?;
        let key = becoming.stream.then(Key::draw).transpose().map_err(|_| Refusal::Unavailable)?;
        ask(request.headers_mut(), token, key.as_ref())?;
        let sending = reached.link.send(request.map(|()| Outgoing::EMPTY));
        let answer = self.answer_to(sending, permit, None, || self.lasting(head, address, &judged));
        let mut answer = answer.await?.map_err(|Broken { error, .. }| {
            tracing::warn!(%error, "the upstream broke off");
            UpstreamFault::Broken
        })?;
        let status = answer.status();
        if status != StatusCode::SWITCHING_PROTOCOLS {
            // To a stream of HTTP/2, any success would be a tunnel (RFC 9113, section 8.5).
            if becoming.stream && status.is_success() {
                return Err(UpstreamFault::Broken.into());
            }
            return self.finish(head, answer, (judged, reached), destination).await;
        }
        check(&answer, token, key.as_ref())?;
        let upstream = hyper::upgrade::on(&mut answer);
        headers::clean_answer(answer.headers_mut(), &judged.guard);
        let keepsake = Keepsake::default();
        let told = told(&answer, token, (becoming.stream, keepsake.clone()));
        let tunnel = Tunnel {
            over: self.over(self.lasting(head, address, &judged)),
            idle: self.tunnels.idle,
            end: self.tunnels.end.subscribe(),
            _held: (keepsake, reached.link, place),
        };
        tokio::spawn(tunnel.run(becoming.on, upstream, exchange.id));
        Ok(told)
    }
}

/// Asks for `token`; with a `key` of our own, where the caller needs none.
fn ask(headers: &mut HeaderMap, token: &str, key: Option<&Key>) -> Result<(), No> {
    let token = HeaderValue::from_str(token).map_err(|_| UpstreamFault::Broken)?;
    headers.insert(UPGRADE, token);
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    if let Some(key) = key {
        key.ask(headers);
    }
    Ok(())
}

/// Whether the upstream became what was asked for, and nothing else.
fn check(answer: &Response<Incoming>, token: &str, key: Option<&Key>) -> Result<(), UpstreamFault> {
    let mut became = answer.headers().get_all(UPGRADE).iter();
    let one = became.next().zip(Some(became.next().is_none()));
    let same = one.is_some_and(|(became, alone)| {
        alone && became.as_bytes().trim_ascii().eq_ignore_ascii_case(token.as_bytes())
    });
    if same && key.is_none_or(|key| key.is_accepted(answer.headers())) {
        return Ok(());
    }
    tracing::warn!("the upstream became something else than it was asked to");
    Err(UpstreamFault::Broken)
}

/// What the caller is told: that the connection, or their `stream` of HTTP/2, is a tunnel now.
fn told(
    answer: &Response<Incoming>,
    token: &str,
    (stream, keepsake): (bool, Keepsake),
) -> Response<Content> {
    let mut told = Response::new(Either::Left(Full::default()));
    *told.version_mut() = Version::default();
    *told.headers_mut() = answer.headers().clone();
    told.extensions_mut().insert(keepsake);
    if stream {
        // RFC 8441, section 5: neither key nor answer to it.
        told.headers_mut().remove(websocket::ACCEPT);
        return told;
    }
    *told.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    told.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
    if let Ok(token) = HeaderValue::from_str(token) {
        told.headers_mut().insert(UPGRADE, token);
    }
    told
}

/// One tunnel.
struct Tunnel {
    over: Over,
    idle: Duration,
    end: watch::Receiver<bool>,
    _held: (Keepsake, Link, OwnedSemaphorePermit),
}

/// How much went through a tunnel, in bytes.
#[derive(Debug, Default)]
struct Passed {
    sent: AtomicU64,
    received: AtomicU64,
}

impl Passed {
    fn both(&self) -> (u64, u64) {
        (self.sent.load(Ordering::Relaxed), self.received.load(Ordering::Relaxed))
    }
}

impl Tunnel {
    /// Copies until it ends, and tells why it did.
    async fn run(mut self, caller: On, upstream: OnUpgrade, request: Uuid) {
        let passed = Passed::default();
        let upstream = async { upstream.await.map_err(io::Error::other) };
        let both = async { tokio::try_join!(caller.open(), upstream) };
        let why = match tokio::time::timeout(BEGIN, both).await {
            Ok(Ok((caller, upstream))) => self.copy(caller, upstream, &passed).await,
            Ok(Err(_)) | Err(_) => "never_began",
        };
        let (sent, received) = passed.both();
        tracing::info!(%request, sent, received, why, "tunnel ended");
    }

    async fn copy(&mut self, caller: Raw, upstream: Upgraded, passed: &Passed) -> &'static str {
        let (from_caller, to_caller) = tokio::io::split(caller);
        let (from_upstream, to_upstream) = tokio::io::split(TokioIo::new(upstream));
        let copying = async {
            tokio::try_join!(
                pour(from_caller, to_upstream, &passed.sent),
                pour(from_upstream, to_caller, &passed.received)
            )
        };
        let mut copying = std::pin::pin!(copying);
        let mut before = passed.both();
        loop {
            tokio::select! {
                copied = &mut copying => return if copied.is_ok() { "closed" } else { "broken" },
                refusal = &mut self.over => return refusal.reason(),
                _ = self.end.wait_for(|end| *end) => return "server_ends",
                () = tokio::time::sleep(self.idle) => {
                    let now = passed.both();
                    if now == before {
                        return "idle";
                    }
                    before = now;
                }
            }
        }
    }
}

/// One way of a tunnel; where one side says that it has said all, the other is told.
async fn pour(
    mut from: ReadHalf<impl AsyncRead>,
    mut to: WriteHalf<impl AsyncWrite>,
    passed: &AtomicU64,
) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        let count = from.read(&mut buffer).await?;
        let Some(read) = buffer.get(..count).filter(|read| !read.is_empty()) else {
            return to.shutdown().await;
        };
        to.write_all(read).await?;
        to.flush().await?;
        passed.fetch_add(count as u64, Ordering::Relaxed);
    }
}
