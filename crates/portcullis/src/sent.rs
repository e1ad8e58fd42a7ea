//! A caller's body: how long it may be and how slowly it may come, and whether it was read to its
//! end.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use portcullis_core::request::Malformed;
use tokio::time::{Sleep, sleep};

/// How much of a body is taken, and how slowly.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// How many bytes it may have.
    pub(crate) most: u64,
    /// How long the next piece may be waited for.
    pub(crate) patience: Duration,
}

/// Why a body does not come to its end: always the caller's fault.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// It broke off, or is none.
    #[error("the body cannot be read")]
    Broken(#[source] hyper::Error),
    /// Nothing of it came for too long.
    #[error("the body came too slowly")]
    Slow,
    /// There is more of it than there may be.
    #[error("the body is too long")]
    TooLong,
}

impl Fault {
    /// The caller's fault that made `error`, if one did.
    pub(crate) fn behind(error: &hyper::Error) -> Option<&Self> {
        std::error::Error::source(error)?.downcast_ref()
    }
}

impl From<&Fault> for Malformed {
    fn from(fault: &Fault) -> Self {
        match fault {
            Fault::Broken(_) => Self::Framing("of the body cannot be read"),
            Fault::Slow => Self::Body,
            Fault::TooLong => Self::BodyTooLong,
        }
    }
}

use crate::becoming::Becoming;
use crate::certificate::Certificate;

/// A caller's body.
#[derive(Debug)]
pub(crate) struct Sent {
    body: Incoming,
    ended: Ended,
    /// How much of it may still come.
    left: u64,
    patience: Duration,
    /// There only while somebody waits.
    slow: Option<Pin<Box<Sleep>>>,
    becoming: Option<Becoming>,
    certificate: Option<Certificate>,
}

/// Whether a body was read to its end, as one that is none always was, for whoever has to do with its connection.
#[derive(Clone, Debug)]
pub(crate) struct Ended(Option<Arc<AtomicBool>>);

impl Ended {
    /// Whether it was, so far.
    pub(crate) fn is(&self) -> bool {
        self.0.as_ref().is_none_or(|ended| ended.load(Ordering::Relaxed))
    }
}

impl Sent {
    /// The body, and what tells of its end.
    pub(crate) fn watched(body: Incoming, bounds: Bounds) -> (Self, Ended) {
        let ended = Ended((!body.is_end_stream()).then(Arc::default));
        let Bounds { most, patience } = bounds;
        let sent = Self {
            body,
            ended: ended.clone(),
            left: most,
            patience,
            slow: None,
            becoming: None,
            certificate: None,
        };
        (sent, ended)
    }

    /// The same, and what its connection may become.
    pub(crate) fn or(self, becoming: Option<Becoming>) -> Self {
        Self { becoming, ..self }
    }

    /// The same, and what its caller has proven.
    pub(crate) fn by(self, certificate: Option<Certificate>) -> Self {
        Self { certificate, ..self }
    }

    /// What its caller has proven, once.
    pub(crate) const fn take_certificate(&mut self) -> Option<Certificate> {
        self.certificate.take()
    }

    /// What its connection may become, once.
    pub(crate) const fn take_becoming(&mut self) -> Option<Becoming> {
        self.becoming.take()
    }

    /// Looks whether it says itself that it is too long.
    ///
    /// # Errors
    /// It does.
    pub(crate) fn check_length(&self) -> Result<(), Malformed> {
        if self.body.size_hint().lower() > self.left { Err(Malformed::BodyTooLong) } else { Ok(()) }
    }

    fn poll_slow(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let patience = self.patience;
        self.slow.get_or_insert_with(|| Box::pin(sleep(patience))).as_mut().poll(context)
    }
}

impl Body for Sent {
    type Data = Bytes;
    type Error = Fault;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Fault>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) else {
            ready!(self.poll_slow(context));
            return Poll::Ready(Some(Err(Fault::Slow)));
        };
        self.slow = None;
        if let Some(ended) = &self.ended.0
            && (frame.is_none() || self.body.is_end_stream())
        {
            ended.store(true, Ordering::Relaxed);
        }
        let Some(frame) = frame.transpose().map_err(Fault::Broken)? else {
            return Poll::Ready(None);
        };
        let length = frame.data_ref().map_or(0, |data| data.len() as u64);
        let Some(left) = self.left.checked_sub(length) else {
            return Poll::Ready(Some(Err(Fault::TooLong)));
        };
        self.left = left;
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
