//! HTTP/2 (RFC 9113): how much of it one connection gets, and when it ends.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use super::super::front::Front;
use super::pace::{Paced, Patience};
use super::talk::{Open, Talk};
use super::{Caller, MAX_HEAD};

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

/// Answers one connection's requests until it ends: when nothing is under way for long enough, as in
/// HTTP/1.1, or when nobody reads what they asked for.
pub(super) async fn serve(
    front: Arc<Front>,
    caller: Caller,
    (stream, first): (impl AsyncRead + AsyncWrite + Send + Unpin + 'static, Vec<u8>),
    (patience, mut stop, talk): (Patience, watch::Receiver<bool>, Arc<Talk>),
) {
    let shared = Arc::new((front, caller, Arc::clone(&talk)));
    let service = service_fn(move |request: Request<Incoming>| {
        let shared = Arc::clone(&shared);
        async move {
            let (front, caller, talk) = &*shared;
            let open = Open::begin(talk);
            let answer = front.serve(request, caller).await;
            Ok::<_, hyper::Error>(open.with(answer))
        }
    });
    let stream = Paced::unhurried(stream, patience, Arc::clone(&talk)).after(first);
    let connection = builder().serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let (mut stopping, mut ending) = (false, false);
    loop {
        tokio::select! {
            // How a caller's connection ends is the caller's own affair.
            _ended = connection.as_mut() => return,
            () = talk.stuck_for(patience.body) => return,
            _ = stop.wait_for(|stop| *stop), if !stopping => stopping = true,
            // A peer that was told, and says nothing, is not waited for.
            () = talk.none_for(&patience) => {
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
        .enable_connect_protocol()
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
