//! What a request is sent on: a connection of its own, or a stream of one that many share.

use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use h2::Reason;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};

use super::super::body::Outgoing;
use crate::streamed::Held;

/// What one request is sent on.
#[derive(Debug)]
pub(in super::super) enum Link {
    /// A connection of HTTP/1.1, for one request at a time.
    Alone(http1::SendRequest<Outgoing>),
    /// A stream of HTTP/2.
    Stream(http2::SendRequest<Outgoing>, Held),
}

/// The upstream broke off before it answered.
#[derive(Debug)]
pub(in super::super) struct Broken {
    pub(in super::super) error: hyper::Error,
    /// The body, if nothing of the request has left.
    pub(in super::super) unsent: Option<Outgoing>,
    /// Whether the upstream says itself that it did nothing (RFC 9113, section 8.7).
    pub(in super::super) undone: bool,
}

impl Link {
    /// Sends `request`.
    ///
    /// # Errors
    /// There is no answer.
    pub(in super::super) async fn send(
        &mut self,
        request: Request<Outgoing>,
    ) -> Result<Response<Incoming>, Broken> {
        let sent = match self {
            Self::Alone(sender) => sender.try_send_request(request).await,
            Self::Stream(sender, _) => sender.try_send_request(request).await,
        };
        sent.map_err(|mut error| {
            let unsent = error.take_message().map(Request::into_body);
            let error = error.into_error();
            Broken { undone: is_undone(&error), error, unsent }
        })
    }

    /// Whether it is a stream of HTTP/2.
    pub(in super::super) const fn is_stream(&self) -> bool {
        matches!(self, Self::Stream(..))
    }
}

/// Whether the upstream refused the stream, or went away before it came to it.
fn is_undone(error: &hyper::Error) -> bool {
    let Some(error) = error.source().and_then(|it| it.downcast_ref::<h2::Error>()) else {
        return false;
    };
    let refused = error.is_reset() && error.reason() == Some(Reason::REFUSED_STREAM);
    let gone = error.is_go_away() && error.reason() == Some(Reason::NO_ERROR);
    error.is_remote() && (refused || gone)
}

/// A connection of HTTP/2, as the pool keeps it.
#[derive(Debug)]
pub(super) struct Shared {
    sender: http2::SendRequest<Outgoing>,
    open: Arc<AtomicUsize>,
    /// How many streams the upstream takes at once.
    room: Arc<AtomicUsize>,
    /// The second in which a stream was last taken.
    used: AtomicU32,
}

impl Shared {
    pub(super) fn new(sender: http2::SendRequest<Outgoing>, room: Arc<AtomicUsize>) -> Self {
        Self { sender, open: Arc::default(), room, used: AtomicU32::new(0) }
    }

    /// Whether it has ended.
    pub(super) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Since which second nothing is under way on it.
    pub(super) fn idle_since(&self) -> Option<u32> {
        (self.open() == 0).then(|| self.used.load(Ordering::Relaxed))
    }

    /// How many streams are open on it.
    pub(super) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Whether the upstream takes one more stream.
    pub(super) fn has_room(&self) -> bool {
        self.open() < self.room.load(Ordering::Relaxed)
    }

    /// One more stream; without room, it waits for its turn.
    pub(super) fn stream(&self, now: u32) -> Link {
        self.used.store(now, Ordering::Relaxed);
        Link::Stream(self.sender.clone(), Held::new(&self.open))
    }
}
