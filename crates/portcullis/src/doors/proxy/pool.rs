//! Connections to upstreams: the last one given back is the first one taken.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use portcullis_core::guard::Upstream;
use tokio::net::TcpStream;

use super::body::Outgoing;
use crate::http::problem::UpstreamFault;

/// One connection to one upstream.
pub(super) type Sender = http1::SendRequest<Outgoing>;

/// Which connection is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wanted {
    /// One that was given back, if there is one; else a new one.
    Any,
    /// One that nobody has used.
    New,
}

/// A connection, and whether it was used before: then it may have ended unseen.
#[derive(Debug)]
pub(super) struct Reached {
    pub(super) sender: Sender,
    pub(super) kept: bool,
}

/// How many idle connections are kept for one upstream.
const MAX_IDLE: usize = 64;

/// Idle connections by upstream.
pub(super) struct Pool {
    connect_timeout: Duration,
    idle: Mutex<HashMap<Upstream, Vec<Sender>>>,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pool")
    }
}

impl Pool {
    /// No connections yet; each may take `connect_timeout` to be made.
    pub(super) fn new(connect_timeout: Duration) -> Self {
        Self { connect_timeout, idle: Mutex::default() }
    }

    /// A connection to `upstream`.
    pub(super) async fn take(
        &self,
        upstream: &Upstream,
        wanted: Wanted,
    ) -> Result<Reached, UpstreamFault> {
        let idle = || (wanted == Wanted::Any).then(|| self.idle_one(upstream)).flatten();
        while let Some(mut sender) = idle() {
            if sender.ready().await.is_ok() {
                return Ok(Reached { sender, kept: true });
            }
        }
        let sender = connect(upstream, self.connect_timeout).await?;
        Ok(Reached { sender, kept: false })
    }

    fn idle_one(&self, upstream: &Upstream) -> Option<Sender> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let senders = idle.get_mut(upstream)?;
        senders.retain(|sender| !sender.is_closed());
        // One that still hands out its last answer stays until it has.
        let ready = senders.iter().rposition(Sender::is_ready)?;
        Some(senders.swap_remove(ready))
    }

    /// Keeps `sender` for the next request; it serves again when its answer has been read.
    pub(super) fn give_back(&self, upstream: &Upstream, sender: Sender) {
        if sender.is_closed() {
            return;
        }
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let senders = idle.entry(upstream.clone()).or_default();
        if senders.len() < MAX_IDLE {
            senders.push(sender);
        }
    }
}

async fn connect(upstream: &Upstream, limit: Duration) -> Result<Sender, UpstreamFault> {
    let authority = &upstream.authority;
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let port = authority.port_u16().unwrap_or(80);
    let connecting = tokio::time::timeout(limit, TcpStream::connect((host, port)));
    let stream = connecting.await.map_err(|_| UpstreamFault::Slow)?.map_err(|error| {
        tracing::warn!(%error, upstream = %authority, "the upstream cannot be reached");
        UpstreamFault::Broken
    })?;
    // Small answers must not wait for more to send; losing this costs time only.
    drop(stream.set_nodelay(true));
    let shaken = http1::handshake(TokioIo::new(stream)).await;
    let (sender, connection) = shaken.map_err(|_| UpstreamFault::Broken)?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection to an upstream ended");
        }
    });
    Ok(sender)
}
