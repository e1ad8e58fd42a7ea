//! A caller's body, and whether it was read to its end.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};

/// A caller's body.
#[derive(Debug)]
pub(crate) struct Sent {
    body: Incoming,
    ended: Ended,
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
    pub(crate) fn watched(body: Incoming) -> (Self, Ended) {
        let ended = Ended((!body.is_end_stream()).then(Arc::default));
        (Self { body, ended: ended.clone() }, ended)
    }
}

impl Body for Sent {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Some(ended) = &self.ended.0
            && (matches!(polled, Poll::Ready(None)) || self.body.is_end_stream())
        {
            ended.store(true, Ordering::Relaxed);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
