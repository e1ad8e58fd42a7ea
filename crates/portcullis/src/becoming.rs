//! What a caller's connection may become: the tunnel of an upgrade, or of a stream of HTTP/2.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, OnceLock};

use http::header::{CONNECTION, UPGRADE};
use http::request::Parts;
use http::{HeaderValue, Method, Version};
use hyper::ext::Protocol;
use hyper::upgrade::OnUpgrade;

/// The one protocol that is begun over HTTP/2.
const WEBSOCKET: &str = "websocket";

/// What a request's connection, or its stream, may become.
#[derive(Debug)]
pub(crate) struct Becoming {
    /// Comes back once the request is answered so.
    pub(crate) on: OnUpgrade,
    /// Whether it is a stream of HTTP/2 (RFC 8441), and not a connection.
    pub(crate) stream: bool,
}

impl Becoming {
    /// Takes what the connection may become out of a request, and brings a WebSocket of HTTP/2
    /// (RFC 8441, section 5) into the form that it has in HTTP/1.1. To be done before a head is
    /// built: what is judged and forwarded is then the same for both.
    pub(crate) fn of(parts: &mut Parts) -> Option<Self> {
        let on = parts.extensions.remove::<OnUpgrade>()?;
        let stream = parts.version == Version::HTTP_2;
        if stream {
            let protocol = parts.extensions.remove::<Protocol>();
            protocol.filter(|it| it.as_str().eq_ignore_ascii_case(WEBSOCKET))?;
            parts.method = Method::GET;
            parts.headers.insert(UPGRADE, HeaderValue::from_static(WEBSOCKET));
            parts.headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        }
        Some(Self { on, stream })
    }
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
