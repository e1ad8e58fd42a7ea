//! What a caller's connection may become: the tunnel of an upgrade, or of a stream of HTTP/2.

use std::any::Any;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::{fmt, io};

use http::header::{CONNECTION, UPGRADE};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Version};
use hyper::body::Incoming;
use hyper::ext::Protocol;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::oneshot;

/// The one protocol that is begun over HTTP/2.
const WEBSOCKET: &str = "websocket";

/// What a request's connection, or its stream, may become.
#[derive(Debug)]
pub(crate) struct Becoming {
    /// Comes back once the request is answered so.
    pub(crate) on: On,
    /// Whether it is a stream of HTTP/2 (RFC 8441), and not a connection.
    pub(crate) stream: bool,
}

impl Becoming {
    /// Takes what the connection may become out of a request, and brings a WebSocket of HTTP/2
    /// (RFC 8441, section 5) into the form that it has in HTTP/1.1. To be done before a head is
    /// built: what is judged and forwarded is then the same for both.
    pub(crate) fn of(parts: &mut Parts) -> Option<Self> {
        if parts.version < Version::HTTP_2 {
            let Offer(offer) = parts.extensions.remove()?;
            let taken = offer.lock().unwrap_or_else(PoisonError::into_inner).take()?;
            return Some(Self { on: On::Connection(taken), stream: false });
        }
        let on = parts.extensions.remove::<OnUpgrade>()?;
        let protocol = parts.extensions.remove::<Protocol>();
        protocol.filter(|it| it.as_str().eq_ignore_ascii_case(WEBSOCKET))?;
        parts.method = Method::GET;
        parts.headers.insert(UPGRADE, HeaderValue::from_static(WEBSOCKET));
        parts.headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        Some(Self { on: On::Stream(on), stream: true })
    }
}

/// A caller's end of a tunnel.
pub(crate) type Raw = Box<dyn Duplex>;

/// What can be read and written.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

impl fmt::Debug for dyn Duplex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Duplex")
    }
}

/// Comes back as a caller's end of a tunnel, once the request is answered so.
#[derive(Debug)]
pub(crate) enum On {
    /// A connection of HTTP/1.1.
    Connection(oneshot::Receiver<Raw>),
    /// A stream of HTTP/2.
    Stream(OnUpgrade),
}

impl On {
    /// The end of the tunnel.
    ///
    /// # Errors
    /// The connection has ended.
    pub(crate) async fn open(self) -> io::Result<Raw> {
        match self {
            Self::Connection(taken) => taken.await.map_err(|_| io::ErrorKind::NotConnected.into()),
            Self::Stream(on) => {
                let opened = on.await.map_err(io::Error::other)?;
                Ok(Box::new(TokioIo::new(opened)))
            }
        }
    }
}

/// What a request of HTTP/1.1 carries to whoever answers it. Only once it can be taken.
#[derive(Clone)]
struct Offer(Arc<Mutex<Option<oneshot::Receiver<Raw>>>>);

/// Offers the connection of `request` to whoever answers it, if it asks for something else to become
/// of it: the connection is then to be sent there, unless nobody waits for it when it is over.
pub(crate) fn offer(request: &mut Request<Incoming>) -> Option<oneshot::Sender<Raw>> {
    request.extensions_mut().remove::<OnUpgrade>()?;
    let (taker, taken) = oneshot::channel();
    request.extensions_mut().insert(Offer(Arc::new(Mutex::new(Some(taken)))));
    Some(taker)
}

/// What belongs to a caller's connection, and lives as long as the tunnel that it became. It goes with
/// the answer that begins the tunnel, for the connection to lay in.
#[derive(Clone, Default)]
pub(crate) struct Keepsake(Arc<OnceLock<Box<dyn Any + Send + Sync>>>);

impl Keepsake {
    /// Lays `thing` in; the first one stays.
    pub(crate) fn lay(&self, thing: impl Any + Send + Sync) {
        drop(self.0.set(Box::new(thing)));
    }
}

impl fmt::Debug for Keepsake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keepsake")
    }
}
