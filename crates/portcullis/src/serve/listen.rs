//! Takes callers' connections, and lets them end in peace.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use crate::config;

/// How long to wait for others to end when no more can begin.
const BREATH: Duration = Duration::from_millis(50);

/// A connection that was accepted.
#[derive(Debug)]
pub(super) struct Accepted {
    pub(super) stream: TcpStream,
    pub(super) peer: SocketAddr,
    /// Turns true when it shall finish what is under way, and end.
    pub(super) stop: watch::Receiver<bool>,
}

/// Has `serve` answer each connection until `stop` says so, then drains.
pub(super) async fn run<F: Future<Output = ()> + Send + 'static>(
    listener: TcpListener,
    settings: &config::Server,
    mut stop: watch::Receiver<bool>,
    serve: impl Fn(Accepted) -> F,
) {
    let (end, ending) = watch::channel(false);
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
        // Small answers must not wait for more to send; losing this costs time only.
        drop(stream.set_nodelay(true));
        let serving = serve(Accepted { stream, peer, stop: ending.clone() });
        tokio::spawn(async move {
            serving.await;
            drop(place);
        });
    }
    // Nobody may wait in its queue for a server that takes nothing new; only then do others end.
    drop(listener);
    end.send_replace(true);
    let all = u32::try_from(settings.max_connections).unwrap_or(u32::MAX);
    if tokio::time::timeout(settings.drain, room.acquire_many(all)).await.is_err() {
        tracing::warn!("some requests did not finish in time");
    }
}
