//! HTTP/2 (RFC 9113): how much of it one connection gets, and when it ends.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http::Request;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use super::super::front::Front;
use super::{Caller, MAX_HEAD};
use crate::exchange;

/// How many requests may be under way at once on one connection.
const MAX_STREAMS: u32 = 100;
/// How many requests a client may take back before they are begun with: more of it is no use of
/// HTTP/2, but "rapid reset" (CVE-2023-44487), and ends the connection.
const MAX_PENDING_RESETS: usize = 20;
/// How many requests a client may have us take back by breaking the rules, in all of a connection
/// ("made you reset", CVE-2025-8671).
const MAX_LOCAL_RESETS: usize = 100;
/// How much of one request's body is taken before anybody reads it, in bytes.
const STREAM_WINDOW: u32 = 256 * 1_024;
/// The same of all the requests of one connection.
const CONNECTION_WINDOW: u32 = 1_024 * 1_024;
/// The greatest frame that is taken, in bytes: the least that RFC 9113, section 4.2, allows.
const MAX_FRAME: u32 = 16 * 1_024;
/// How much of one answer waits for a client that is slow to read it, in bytes.
const SEND_BUFFER: usize = 64 * 1_024;
/// How long a connection may be silent until its peer is asked whether it is still there.
const PING_AFTER: Duration = Duration::from_secs(20);
/// How long the answer to that may take.
const PONG_WITHIN: Duration = Duration::from_secs(10);

/// Answers one connection's requests until it ends. One on which nothing is under way for
/// `patience` is ended, as it is in HTTP/1.1.
pub(super) async fn serve(
    front: Arc<Front>,
    caller: Caller,
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    (patience, mut stop): (Duration, watch::Receiver<bool>),
) {
    let exchanges = Arc::new(Exchanges::default());
    let shared = Arc::new((front, caller, Arc::clone(&exchanges)));
    let service = service_fn(move |request: Request<Incoming>| {
        let shared = Arc::clone(&shared);
        async move {
            let (front, caller, exchanges) = &*shared;
            let open = Open::begin(exchanges);
            let answer = front.serve(request, caller).await;
            Ok::<_, hyper::Error>(answer.map(|body| Counted { body, _open: open }))
        }
    });
    let connection = builder().serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let (mut stopping, mut ending) = (false, false);
    loop {
        tokio::select! {
            // How a caller's connection ends is the caller's own affair.
            _ended = connection.as_mut() => return,
            _ = stop.wait_for(|stop| *stop), if !stopping => stopping = true,
            // A peer that was told, and says nothing, is not waited for.
            () = exchanges.none_for(patience) => {
                if ending {
                    return;
                }
                ending = true;
            }
        }
        connection.as_mut().graceful_shutdown();
    }
}

fn builder() -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_pending_accept_reset_streams(MAX_PENDING_RESETS)
        .max_local_error_reset_streams(MAX_LOCAL_RESETS)
        .max_header_list_size(MAX_HEAD)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_frame_size(MAX_FRAME)
        .max_send_buf_size(SEND_BUFFER)
        .keep_alive_interval(PING_AFTER)
        .keep_alive_timeout(PONG_WITHIN);
    builder
}

/// How many exchanges one connection has begun, and how many have ended.
#[derive(Debug, Default)]
struct Exchanges {
    begun: AtomicUsize,
    ended: AtomicUsize,
}

impl Exchanges {
    /// Comes back when none has been under way for `patience`, and before twice that.
    async fn none_for(&self, patience: Duration) {
        let mut before = self.count();
        loop {
            tokio::time::sleep(patience).await;
            let now = self.count();
            if now == before && now.0 == now.1 {
                return;
            }
            before = now;
        }
    }

    fn count(&self) -> (usize, usize) {
        // What has ended is read first: it has begun before.
        let ended = self.ended.load(Ordering::Acquire);
        (self.begun.load(Ordering::Acquire), ended)
    }
}

/// One exchange that is under way as long as this lives.
#[derive(Debug)]
struct Open(Arc<Exchanges>);

impl Open {
    fn begin(exchanges: &Arc<Exchanges>) -> Self {
        exchanges.begun.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(exchanges))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::AcqRel);
    }
}

/// The body of an answer. With it ends the exchange.
#[derive(Debug)]
struct Counted {
    body: exchange::Body,
    _open: Open,
}

impl Body for Counted {
    type Data = Bytes;
    type Error = <exchange::Body as Body>::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
