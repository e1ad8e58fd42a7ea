//! HTTP/1.1 (RFC 9112): how much of it one request gets, and how a connection ends.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http::{HeaderValue, header};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::super::front::Front;
use super::pace::{Paced, Patience};
use super::talk::{Open, Talk};
use super::{Caller, MAX_HEAD};

/// The most headers a request may have before it is even looked at.
const MAX_HEADERS: usize = 128;
/// How long a connection between two requests is listened to once the server is told to stop:
/// whoever was about to ask is answered, and told that it was the last time (RFC 9112, section 9.6).
const LAST_WORD: Duration = Duration::from_millis(500);

/// Answers one connection's requests until it ends.
pub(super) async fn serve(
    front: Arc<Front>,
    caller: Caller,
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    (patience, stop): (Patience, watch::Receiver<bool>),
) {
    let talk = Arc::new(Talk::default());
    let shared = Arc::new((front, caller, Arc::clone(&talk)));
    let service = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        async move {
            let (front, caller, talk) = &*shared;
            let open = Open::begin(talk);
            let mut answer = front.serve(request, caller).await;
            if talk.is_ending() {
                let close = HeaderValue::from_static("close");
                answer.headers_mut().insert(header::CONNECTION, close);
            }
            Ok::<_, hyper::Error>(open.with(answer))
        }
    });
    speak(Paced::new(stream, patience, Arc::clone(&talk)), service, &talk, stop).await;
}

/// Has `service` answer what comes over `stream`.
pub(in super::super) async fn speak<S>(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    service: S,
    talk: &Talk,
    mut stop: watch::Receiver<bool>,
) where
    S: HttpService<Incoming, Future: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>>
        + Send,
    S::ResBody:
        Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    let connection = http1::Builder::new()
        // Whoever is late is told from who is idle by `Paced`.
        .header_read_timeout(None)
        .max_headers(MAX_HEADERS)
        .max_buf_size(usize::try_from(MAX_HEAD).unwrap_or(usize::MAX))
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    // How a caller's connection ends is the caller's own affair.
    tokio::select! {
        _ended = connection.as_mut() => return,
        _ = stop.wait_for(|stop| *stop) => talk.end(),
    }
    let mut last = pin!(sleep(LAST_WORD));
    let quiet = poll_fn(|context| {
        if connection.as_mut().poll(context).is_ready() {
            return Poll::Ready(false);
        }
        if talk.is_under_way() {
            last.as_mut().reset(Instant::now() + LAST_WORD);
            return Poll::Pending;
        }
        last.as_mut().poll(context).map(|()| true)
    });
    if quiet.await {
        connection.as_mut().graceful_shutdown();
        drop(connection.await);
    }
}
