//! What is sent to an upstream, and the token that a guard may look for in it.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use portcullis_core::guard::Guard;
use portcullis_core::request::{BodyForm, BodyToken, MAX_LOOKED_INTO, Malformed, RequestHead};

use crate::body_room::{BodyRoom, NoRoom, Place};
use crate::refusal::Refusal;
use crate::sent::Sent;

/// How long a body may take to arrive that is looked into.
const PATIENCE: Duration = Duration::from_secs(30);

/// A body that is sent: what was read of it, and what the caller still sends.
#[derive(Debug)]
pub(super) struct Outgoing {
    read: Option<Bytes>,
    rest: Option<Sent>,
    moved: Option<Moved>,
}

/// How many pieces of a body have left.
pub(super) type Moved = Arc<AtomicUsize>;

impl Outgoing {
    /// Nothing.
    pub(super) const EMPTY: Self = Self { read: None, rest: None, moved: None };

    /// The caller's body, none of it read.
    pub(super) fn streaming(body: Sent) -> Self {
        Self::after(None, body)
    }

    /// What was `read` of the caller's body, and then what comes still.
    fn after(read: Option<Bytes>, body: Sent) -> Self {
        let moved = (!body.is_end_stream()).then(Moved::default);
        Self { read, rest: Some(body), moved }
    }

    /// Tells how far it has come; nothing if it is all there.
    pub(super) fn moved(&self) -> Option<Moved> {
        self.moved.clone()
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = <Sent as Body>::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Some(read) = self.read.take() {
            return Poll::Ready(Some(Ok(Frame::data(read))));
        }
        let Some(rest) = self.rest.as_mut() else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(rest).poll_frame(context));
        if let Some(moved) = &self.moved {
            moved.fetch_add(1, Ordering::Relaxed);
        }
        // Nobody has judged what stands in trailers (RFC 9110, section 6.5.1).
        Poll::Ready(frame.filter(|frame| !matches!(frame, Ok(frame) if frame.is_trailers())))
    }

    fn is_end_stream(&self) -> bool {
        self.read.is_none() && self.rest.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let read = self.read.as_ref().map_or(0, |read| read.len() as u64);
        let rest = self.rest.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint);
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(read));
        if let Some(upper) = rest.upper().and_then(|upper| upper.checked_add(read)) {
            hint.set_upper(upper);
        }
        hint
    }
}

/// A body that was read whole, because a token may stand in it.
#[derive(Debug)]
pub(super) struct Looked {
    form: BodyForm,
    body: Bytes,
    /// Whether the upstream is handed the token too.
    passes: bool,
}

impl Looked {
    /// The token in it.
    pub(super) fn token(&self) -> Option<BodyToken<'_>> {
        self.form.token(&self.body)
    }

    /// What is sent instead of it: a token is not the upstream's, unless the guard says so.
    pub(super) fn without_token(&self) -> Option<Bytes> {
        let taken = self.token().is_some() && !self.passes;
        taken.then(|| self.form.without_token(&self.body).into())
    }
}

/// What came of looking: a body that was read whole, what is sent, and the room that it takes until
/// somebody is known.
pub(super) type LookedInto = (Option<Looked>, Outgoing, Option<Place>);

/// Reads the body of a request to `guard` if a token of its schemes may stand in it. What is longer
/// than [`MAX_LOOKED_INTO`] is sent on as it comes, and nobody looks for a token in it.
pub(super) async fn look_into(
    head: &RequestHead<'_>,
    guard: Option<&Guard>,
    mut body: Sent,
    room: &BodyRoom,
) -> Result<LookedInto, Refusal> {
    let guard = guard.filter(|guard| {
        guard.schemes.iter().any(|scheme| scheme.reads_body())
            && !guard.policy.shuts_out(head)
            && !body.is_end_stream()
            && body.size_hint().lower() <= MAX_LOOKED_INTO as u64
    });
    let Some((form, guard)) = BodyForm::of(head.headers()).zip(guard) else {
        return Ok((None, Outgoing::streaming(body), None));
    };
    let mut place = room.place(head.client());
    let reading = tokio::time::timeout(PATIENCE, read(&mut body, &mut place)).await;
    let (read, whole) = reading.map_err(|_| Refusal::Malformed(Malformed::Body))??;
    if !whole {
        return Ok((None, Outgoing::after(Some(read), body), Some(place)));
    }
    let passes = guard.pass_credential;
    let looked = Looked { form, body: read.clone(), passes };
    Ok((Some(looked), Outgoing { read: Some(read), rest: None, moved: None }, Some(place)))
}

/// The body as far as it is looked into, and whether that is all of it.
async fn read(body: &mut Sent, place: &mut Place) -> Result<(Bytes, bool), Refusal> {
    let mut read = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|fault| Refusal::Malformed((&fault).into()))?;
        // Trailers end it, and no header may stand in them that anybody judges.
        let Ok(data) = frame.into_data() else { break };
        place.take(data.len()).map_err(|NoRoom| Refusal::Unavailable)?;
        read.extend_from_slice(&data);
        if read.len() > MAX_LOOKED_INTO {
            return Ok((read.into(), false));
        }
    }
    Ok((read.into(), true))
}

/// A body that was changed before it is sent.
pub(super) const fn changed(body: Bytes) -> Outgoing {
    Outgoing { read: Some(body), rest: None, moved: None }
}
