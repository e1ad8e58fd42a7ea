//! Takes callers' connections, and lets them end in peace.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulConnection, GracefulShutdown};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use super::front::Front;
use crate::config;

/// The most headers a request may have before it is even looked at.
const MAX_HEADERS: usize = 128;
/// The most bytes that a request's head may take before it is even looked at.
const MAX_HEAD: usize = 64 * 1_024;
/// How long to wait for others to end when no more can begin.
const BREATH: Duration = Duration::from_millis(50);

/// Answers until `stop` says so, then drains.
pub(super) async fn run(
    listener: TcpListener,
    front: Arc<Front>,
    settings: &config::Server,
    mut stop: watch::Receiver<bool>,
) {
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(settings.max_connections));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let Ok((stream, peer)) = accepted else {
            // Out of descriptors.
            tokio::time::sleep(BREATH).await;
            continue;
        };
        let Ok(place) = Arc::clone(&room).try_acquire_owned() else { continue };
        let timeout = settings.header_timeout;
        let connection = graceful.watch(connection(Arc::clone(&front), stream, peer, timeout));
        tokio::spawn(async move {
            // How a caller's connection ends is the caller's own affair.
            drop(connection.await);
            drop(place);
        });
    }
    // Nobody may wait in its queue for a server that takes nothing new.
    drop(listener);
    if tokio::time::timeout(settings.drain, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not finish in time");
    }
}

/// One caller's connection, bounded in what and how slowly it may send.
fn connection(
    front: Arc<Front>,
    stream: TcpStream,
    peer: SocketAddr,
    header_timeout: Duration,
) -> impl GracefulConnection<Error = hyper::Error> + Send {
    // Small answers must not wait for more to send; losing this costs time only.
    drop(stream.set_nodelay(true));
    let service = service_fn(move |request| {
        let front = Arc::clone(&front);
        async move { Ok::<_, hyper::Error>(front.serve(request, peer.ip()).await) }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(header_timeout)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service)
}
