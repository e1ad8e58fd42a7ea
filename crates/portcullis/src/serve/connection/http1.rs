//! HTTP/1.1 (RFC 9112): how much of it one request gets, and how a connection ends.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http::{HeaderValue, Request, header};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::watch;
use tokio::time::sleep;

use super::super::front::Front;
use super::pace::{Paced, Patience};
use super::talk::{Open, Talk};
use super::{Caller, MAX_HEAD};
use crate::becoming::{self, Duplex, Raw};

/// How long a connection is ready for the next request before it is put by, without its buffers,
/// until somebody speaks.
const DOZE: Duration = Duration::from_millis(250);
/// How long a connection between two requests is listened to once the server is told to stop:
/// whoever was about to ask is answered, and told that it was the last time (RFC 9112, section 9.6).
const LAST_WORD: Duration = Duration::from_millis(500);

/// Answers one connection's requests until it ends.
pub(super) async fn serve(
    front: Arc<Front>,
    caller: Caller,
    (stream, first): (impl AsyncRead + AsyncWrite + Send + Unpin + 'static, Vec<u8>),
    (patience, stop, talk): (Patience, watch::Receiver<bool>, Arc<Talk>),
) {
    let shared = Arc::new((front, caller, Arc::clone(&talk)));
    let service = service_fn(move |mut request: Request<Incoming>| {
        let shared = Arc::clone(&shared);
        // Boxed, for the connection keeps room for it between requests too.
        Box::pin(async move {
            let (front, caller, talk) = &*shared;
            talk.hear(!request.body().is_end_stream());
            let open = Open::begin(talk);
            if let Some(taker) = becoming::offer(&mut request) {
                talk.promise(taker);
            }
            let mut answer = front.serve(request, caller).await;
            if talk.is_ending() {
                let close = HeaderValue::from_static("close");
                answer.headers_mut().insert(header::CONNECTION, close);
            }
            Ok::<_, hyper::Error>(open.with(answer))
        })
    });
    let stream = Paced::new(stream, patience, Arc::clone(&talk)).after(first);
    speak(stream, service, &talk, stop).await;
    // A tunnel that waits for what has ended waits for nothing.
    drop(talk.taker());
}

/// Has `service` answer what comes over `stream`.
pub(in super::super) async fn speak<S>(
    mut stream: Paced<impl AsyncRead + AsyncWrite + Send + Unpin + 'static>,
    mut service: S,
    talk: &Talk,
    mut stop: watch::Receiver<bool>,
) where
    S: HttpService<
            Incoming,
            Future: Send + Unpin,
            Error: Into<Box<dyn std::error::Error + Send + Sync>>,
        > + Send
        + Unpin,
    S::ResBody: Body<Data: Send + Unpin, Error: Into<Box<dyn std::error::Error + Send + Sync>>>
        + Send
        + 'static,
{
    let mut doze = DOZE;
    let mut connection = loop {
        let awake = tokio::select! {
            awake = stream.wake() => awake,
            _ = stop.wait_for(|stop| *stop) => true,
        };
        if !awake {
            // Whoever has ended it need not hear that it has ended.
            drop(stream.shutdown().await);
            return;
        }
        let mut connection = builder().serve_connection(TokioIo::new(stream), service);
        let ended = tokio::select! {
            ended = poll_fn(|context| connection.poll_without_shutdown(context)) => Some(ended),
            _ = stop.wait_for(|stop| *stop) => break connection,
            () = talk.quiet_for(doze) => None,
        };
        let parts = connection.into_parts();
        // A copy, for the whole buffer would stay with what is mostly nothing.
        let ahead = parts.read_buf.to_vec();
        // Half a head cannot be put by, and may not come to its end for long.
        doze = if ahead.is_empty() { DOZE } else { doze.saturating_mul(2) };
        (stream, service) = (parts.io.into_inner().after(ahead), parts.service);
        match ended {
            None => {}
            Some(Ok(())) => return part(stream, talk).await,
            // How a caller's connection ends is the caller's own affair.
            Some(Err(_)) => return,
        }
    };
    talk.end();
    let mut last = pin!(sleep(LAST_WORD));
    let quiet = poll_fn(|context| {
        if Pin::new(&mut connection).poll(context).is_ready() {
            return Poll::Ready(false);
        }
        if talk.is_under_way() {
            last.as_mut().reset(sleep(LAST_WORD).deadline());
            return Poll::Pending;
        }
        last.as_mut().poll(context).map(|()| true)
    });
    if quiet.await {
        Pin::new(&mut connection).graceful_shutdown();
        drop(connection.await);
    }
}

/// Hands what was a connection on if it has become something else; else it ends.
async fn part(stream: Paced<impl Duplex + 'static>, talk: &Talk) {
    let left: Option<Raw> = match talk.taker() {
        // Nobody waits for it any more if nothing was to become of it after all.
        Some(taker) => taker.send(Box::new(stream)).err(),
        None => Some(Box::new(stream)),
    };
    if let Some(mut stream) = left {
        drop(stream.shutdown().await);
    }
}

fn builder() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        // Whoever is late is told from who is idle by `Paced`.
        .header_read_timeout(None)
        .max_buf_size(usize::try_from(MAX_HEAD).unwrap_or(usize::MAX));
    builder
}
