//! What streams from an upstream: its trailers sifted, and cut off when it is no longer permitted.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use http::HeaderMap;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};

use crate::refusal::Refusal;

/// How many pieces of an answer pass at most before it is looked whether it is still permitted. It is
/// looked besides whenever a piece is waited for.
const PIECES: u32 = 32;

/// The body of an upstream's answer.
pub(crate) struct Streamed {
    body: Incoming,
    /// What its trailers become; without it, they end here.
    trailers: Option<fn(HeaderMap) -> HeaderMap>,
    /// Comes back when it is no longer permitted; none where it ends so soon that nobody looks.
    over: Option<Over>,
    pieces: u32,
    _held: Option<Held>,
}

/// Comes back when an exchange is no longer permitted.
pub(crate) type Over = Pin<Box<dyn Future<Output = Refusal> + Send>>;

/// An answer was cut off because it is no longer permitted.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("no longer permitted: {0}")]
pub(crate) struct CutOff(pub(crate) &'static str);

/// One of the exchanges on a connection that several share: it is one less when this is dropped.
#[derive(Debug)]
pub(crate) struct Held(Arc<AtomicUsize>);

impl Held {
    /// One more of those that `count` counts.
    pub(crate) fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Streamed {
    /// An upstream's body, without its trailers.
    pub(crate) const fn new(body: Incoming, held: Option<Held>) -> Self {
        Self { body, trailers: None, over: None, pieces: 0, _held: held }
    }

    /// Passes its trailers on, as `sift` leaves them.
    pub(crate) fn with_trailers(self, sift: fn(HeaderMap) -> HeaderMap) -> Self {
        Self { trailers: Some(sift), ..self }
    }

    /// Cuts it off as soon as `over` comes back.
    pub(crate) fn until(self, over: Over) -> Self {
        Self { over: Some(over), ..self }
    }

    fn poll_over(&mut self, context: &mut Context<'_>) -> Poll<CutOff> {
        let Some(over) = &mut self.over else { return Poll::Pending };
        over.as_mut().poll(context).map(|refusal| CutOff(refusal.reason()))
    }
}

impl Body for Streamed {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.pieces = self.pieces.wrapping_add(1);
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if (polled.is_pending() || self.pieces.is_multiple_of(PIECES))
            && let Poll::Ready(cut) = self.poll_over(context)
        {
            return Poll::Ready(Some(Err(cut.into())));
        }
        let sift = self.trailers;
        polled.map(|frame| match frame? {
            Ok(frame) => match (frame.into_trailers(), sift) {
                (Err(frame), _) => Some(Ok(frame)),
                (Ok(trailers), Some(sift)) => Some(Ok(Frame::trailers(sift(trailers)))),
                (Ok(_), None) => None,
            },
            Err(error) => Some(Err(error.into())),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl fmt::Debug for Streamed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streamed").finish_non_exhaustive()
    }
}
