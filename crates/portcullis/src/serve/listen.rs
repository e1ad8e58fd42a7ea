//! Takes callers' connections, and lets them end in peace.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::task::Poll;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::room::{Place, Room};

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

/// Has `begin` answer each connection until `stop` says so, then drains, for so long at most.
pub(super) async fn run(
    listener: TcpListener,
    mut room: Room,
    drain: Duration,
    mut stop: watch::Receiver<bool>,
    begin: impl Fn(Accepted, Place),
) {
    let (end, ending) = watch::channel(false);
    let mut take = |(stream, peer): (TcpStream, SocketAddr)| {
        let Some(place) = room.place(peer.ip()) else { return };
        // Small answers must not wait for more to send; losing this costs time only.
        drop(stream.set_nodelay(true));
        begin(Accepted { stream, peer, stop: ending.clone() }, place);
    };
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        match accepted {
            Ok(accepted) => take(accepted),
            // Out of descriptors.
            Err(_) => tokio::time::sleep(BREATH).await,
        }
    }
    // Whoever waits in its queue was connected before it was told to stop, and may have asked.
    while let Some(accepted) = queued(&listener).await {
        take(accepted);
    }
    drop(listener);
    end.send_replace(true);
    if tokio::time::timeout(drain, room.emptied()).await.is_err() {
        tracing::warn!("some requests did not finish in time");
    }
}

/// A connection that is there already.
async fn queued(listener: &TcpListener) -> Option<(TcpStream, SocketAddr)> {
    poll_fn(|context| match listener.poll_accept(context) {
        Poll::Ready(accepted) => Poll::Ready(accepted.ok()),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}
