//! Makes connections to upstreams: their name looked up, reached, TLS and HTTP agreed upon, all of it
//! within one span of time.

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::uri::Authority;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use portcullis_core::guard::Protocol;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::super::body::Outgoing;
use super::link::Shared;
use super::tls::Tls;
use crate::http::problem::UpstreamFault;

/// How many names are looked up at once. A look-up that its request no longer waits for goes on for as
/// long as the system's resolver takes, on a thread of its own.
const LOOKUPS: usize = 16;
/// How much of an answer of HTTP/1.1 is read at once, and the longest head that one may have, in
/// bytes; with it, what may come before it (1xx).
const MAX_BUFFER: usize = 32 * 1_024;
/// The longest head of an answer of HTTP/2, in bytes.
const MAX_HEAD: usize = 64 * 1_024;
/// How much of one answer of HTTP/2 is taken before its caller reads it, in bytes.
const STREAM_WINDOW: u32 = 256 * 1_024;
/// The same of all the answers of one connection.
const CONNECTION_WINDOW: u32 = 1_024 * 1_024;
/// How much of one request's body waits for an upstream of HTTP/2 that is slow to read it, in bytes.
const SEND_BUFFER: usize = 64 * 1_024;
/// How long a connection of HTTP/2 with requests on it may be silent until it is asked whether it is
/// still there.
const PING_AFTER: Duration = Duration::from_secs(20);
/// How long the answer to that may take.
const PONG_WITHIN: Duration = Duration::from_secs(10);

/// What one connection takes of the room for those to its upstream.
type Place = OwnedSemaphorePermit;

/// Makes connections.
#[derive(Debug)]
pub(super) struct Connector {
    limit: Duration,
    lookups: Arc<Semaphore>,
    tls: Tls,
}

/// A new connection.
pub(super) enum Connection {
    /// For one request at a time.
    Http1(http1::SendRequest<Outgoing>),
    /// For many.
    Http2(Shared),
}

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Purpose {
    /// Requests.
    Requests,
    /// To become something else (HTTP/1.1, `Upgrade`).
    Tunnel,
}

/// Why there is no connection: the upstream's fault.
#[derive(Debug, thiserror::Error)]
enum NoConnection {
    #[error("it does not speak HTTP: {0}")]
    Http(#[from] hyper::Error),
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("its name cannot be looked up: {0}")]
    Name(io::Error),
    #[error("TLS: {0}")]
    Tls(io::Error),
}

impl Connector {
    /// Makes connections, each within `limit`.
    pub(super) fn new(limit: Duration, tls: Tls) -> Self {
        Self { limit, lookups: Arc::new(Semaphore::new(LOOKUPS)), tls }
    }

    /// A new connection to `authority`, which takes `place` for as long as it is there; or, if it becomes
    /// something else, until then.
    pub(super) async fn connect(
        &self,
        (authority, protocol): (&Authority, Protocol),
        purpose: Purpose,
        place: Place,
    ) -> Result<Connection, UpstreamFault> {
        let connecting = self.reach((authority, protocol), purpose, place);
        match tokio::time::timeout(self.limit, Box::pin(connecting)).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(error)) => {
                tracing::warn!(%error, upstream = %authority, "the upstream cannot be reached");
                Err(UpstreamFault::Broken)
            }
            Err(_) => {
                tracing::warn!(upstream = %authority, "the upstream is not reached in time");
                Err(UpstreamFault::Slow)
            }
        }
    }

    async fn reach(
        &self,
        (authority, protocol): (&Authority, Protocol),
        purpose: Purpose,
        place: Place,
    ) -> Result<Connection, NoConnection> {
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let port = authority.port_u16().unwrap_or(protocol.port());
        let addresses = self.look_up(host, port).await.map_err(NoConnection::Name)?;
        let stream = TcpStream::connect(&*addresses).await?;
        // Small answers must not wait for more to send; losing this costs time only.
        drop(stream.set_nodelay(true));
        let tunnel = purpose == Purpose::Tunnel;
        match protocol {
            Protocol::Http1 => Ok(Connection::Http1(http1(stream, tunnel, place).await?)),
            Protocol::Http2 if tunnel => Err(NoConnection::Io(io::ErrorKind::Unsupported.into())),
            Protocol::Http2 => Ok(Connection::Http2(http2(stream, place).await?)),
            Protocol::Tls => {
                let shaken = self.tls.shake(stream, host, tunnel).await;
                let (stream, is_http2) = shaken.map_err(NoConnection::Tls)?;
                if is_http2 {
                    Ok(Connection::Http2(http2(stream, place).await?))
                } else {
                    Ok(Connection::Http1(http1(stream, tunnel, place).await?))
                }
            }
        }
    }

    async fn look_up(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let place = Arc::clone(&self.lookups).acquire_owned().await.map_err(io::Error::other)?;
        let host = host.to_owned();
        let looking = tokio::task::spawn_blocking(move || {
            let found = (host.as_str(), port).to_socket_addrs().map(Iterator::collect);
            drop(place);
            found
        });
        looking.await.map_err(io::Error::other)?
    }
}

async fn http1(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    tunnel: bool,
    place: Place,
) -> hyper::Result<http1::SendRequest<Outgoing>> {
    let mut builder = http1::Builder::new();
    builder.max_buf_size(MAX_BUFFER);
    let (sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
    tokio::spawn(async move {
        let ended = if tunnel { connection.with_upgrades().await } else { connection.await };
        drop(place);
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection to an upstream ended");
        }
    });
    Ok(sender)
}

async fn http2(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    place: Place,
) -> hyper::Result<Shared> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_header_list_size(u32::try_from(MAX_HEAD).unwrap_or(u32::MAX))
        .max_send_buf_size(SEND_BUFFER)
        .keep_alive_interval(PING_AFTER)
        .keep_alive_timeout(PONG_WITHIN);
    let (sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
    let room = Arc::new(AtomicUsize::new(connection.current_max_send_streams()));
    let shared = Shared::new(sender, Arc::clone(&room));
    tokio::spawn(async move {
        let mut connection = pin!(connection);
        let ended = poll_fn(|context| {
            let polled = connection.as_mut().poll(context);
            // The upstream may say otherwise at any time.
            room.store(connection.current_max_send_streams(), Ordering::Relaxed);
            polled
        });
        let ended = ended.await;
        drop(place);
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection to an upstream ended");
        }
    });
    Ok(shared)
}
