//! One caller's connection: in the clear or over TLS, in HTTP/1.1 or HTTP/2, bounded in what and
//! how slowly it may send.

mod http2;

use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use portcullis_core::request::Connection;
use portcullis_core::time::Timestamp;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::front::Front;
use super::listen::Accepted;
use super::tls::{Client, Settled, Tls};

/// The most headers a request may have before it is even looked at.
const MAX_HEADERS: usize = 128;
/// The most bytes that a request's head may take before it is even looked at.
const MAX_HEAD: u32 = 64 * 1_024;

/// How connections are spoken on.
#[derive(Clone, Debug)]
pub(super) struct Speech {
    /// Without it, they are spoken on in the clear.
    pub(super) tls: Option<Tls>,
    /// How long a client may take for a handshake, a head, and between requests.
    pub(super) patience: Duration,
}

/// Who sends the requests of one connection.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) peer: IpAddr,
    secure: bool,
    client: Option<Client>,
}

impl Caller {
    /// What is known of the connection at `now`.
    pub(super) fn connection(&self, now: Timestamp) -> Connection {
        let certified = self.client.as_ref().is_some_and(|client| client.is_good(now));
        Connection { peer: self.peer, secure: self.secure, certified }
    }
}

/// Answers one connection's requests until it ends.
pub(super) async fn serve(front: Arc<Front>, speech: Speech, accepted: Accepted) {
    let Accepted { stream, peer, mut stop } = accepted;
    let Speech { tls, patience } = speech;
    let Some(tls) = tls else {
        let caller = Caller { peer: peer.ip(), secure: false, client: None };
        return serve_http1(front, caller, stream, (patience, stop)).await;
    };
    let settled = tokio::select! {
        settled = shake(&tls, stream, peer, patience) => settled,
        _ = stop.wait_for(|stop| *stop) => None,
    };
    let Some(Settled { stream, http2, client }) = settled else { return };
    let caller = Caller { peer: peer.ip(), secure: true, client };
    if http2 {
        http2::serve(front, caller, stream, (patience, stop)).await;
    } else {
        serve_http1(front, caller, stream, (patience, stop)).await;
    }
}

/// What a handshake settles, if it comes to an end in time.
async fn shake(
    tls: &Tls,
    stream: TcpStream,
    peer: SocketAddr,
    patience: Duration,
) -> Option<Settled> {
    let shaken = tokio::time::timeout(patience, tls.accept(stream)).await;
    match shaken {
        Ok(Ok(settled)) => return Some(settled),
        Ok(Err(error)) => tracing::debug!(%peer, %error, "a TLS handshake failed"),
        Err(_) => tracing::debug!(%peer, "a TLS handshake took too long"),
    }
    None
}

async fn serve_http1(
    front: Arc<Front>,
    caller: Caller,
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    (patience, stop): (Duration, watch::Receiver<bool>),
) {
    let shared = Arc::new((front, caller));
    let service = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        async move {
            let (front, caller) = &*shared;
            Ok::<_, hyper::Error>(front.serve(request, caller).await)
        }
    });
    speak_http1(stream, service, patience, stop).await;
}

/// Has `service` answer what comes over `stream` in HTTP/1.1.
pub(super) async fn speak_http1<S>(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    service: S,
    patience: Duration,
    mut stop: watch::Receiver<bool>,
) where
    S: HttpService<Incoming, Future: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>>
        + Send,
    S::ResBody:
        Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience)
        .max_headers(MAX_HEADERS)
        .max_buf_size(usize::try_from(MAX_HEAD).unwrap_or(usize::MAX))
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    // How a caller's connection ends is the caller's own affair.
    tokio::select! {
        _ended = connection.as_mut() => return,
        _ = stop.wait_for(|stop| *stop) => connection.as_mut().graceful_shutdown(),
    }
    drop(connection.await);
}
