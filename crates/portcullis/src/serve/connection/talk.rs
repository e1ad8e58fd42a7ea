//! What is under way on one connection: counted, so that it can end when nothing is.

use std::any::Any;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use http::Response;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::sync::oneshot;
use tokio::time::sleep;

use super::pace::Patience;
use crate::becoming::{Keepsake, Raw};
use crate::exchange;

/// How many times as seldom as at first it is looked whether a connection is quiet.
const SELDOM: u32 = 16;

/// How many exchanges one connection has begun, and how many have ended.
#[derive(Debug, Default)]
pub(in super::super) struct Talk {
    begun: AtomicUsize,
    ended: AtomicUsize,
    /// How many answers have a piece of theirs with the client, and wait until it is taken.
    handed: AtomicUsize,
    /// How often a piece of an answer was asked for.
    moves: AtomicUsize,
    /// Whether something that was written waits for the client to take it.
    unread: AtomicBool,
    /// Who goes on when it is taken.
    waiting: Mutex<Vec<Waker>>,
    /// Whether the last request has a body, of which some may still come when it is answered.
    bodied: AtomicBool,
    ending: AtomicBool,
    /// Where the connection goes if it becomes a tunnel.
    taker: Mutex<Option<oneshot::Sender<Raw>>>,
    /// What the connection takes up.
    _held: Option<Box<dyn Any + Send + Sync>>,
}

impl Talk {
    /// Of a connection that takes up `held` for as long as it is there, or a tunnel that it became.
    pub(super) fn holding(held: impl Any + Send + Sync) -> Self {
        Self { _held: Some(Box::new(held)), ..Self::default() }
    }

    /// Whoever answers the present request may take the connection.
    pub(super) fn promise(&self, taker: oneshot::Sender<Raw>) {
        *self.taker.lock().unwrap_or_else(PoisonError::into_inner) = Some(taker);
    }

    /// Who may take the connection.
    pub(super) fn taker(&self) -> Option<oneshot::Sender<Raw>> {
        self.taker.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// How many exchanges have ended.
    pub(super) fn ended(&self) -> usize {
        self.ended.load(Ordering::Acquire)
    }

    /// Whether an exchange is under way.
    pub(super) fn is_under_way(&self) -> bool {
        let (begun, ended) = self.count();
        begun != ended
    }

    /// Has the connection end after the answers that are under way.
    pub(super) fn end(&self) {
        self.ending.store(true, Ordering::Release);
    }

    /// Whether it shall end.
    pub(super) fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Acquire)
    }

    /// A request comes, with a body or without.
    pub(super) fn hear(&self, bodied: bool) {
        self.bodied.store(bodied, Ordering::Release);
    }

    /// What was written waits for the client to take it, or does so no more.
    pub(super) fn be_unread(&self, unread: bool) {
        self.unread.store(unread, Ordering::Release);
        if !unread {
            self.waiting().drain(..).for_each(Waker::wake);
        }
    }

    /// Ready when all that was written is taken: what waits for a client waits at the upstream, and
    /// not here.
    fn poll_taken(&self, context: &Context<'_>) -> Poll<()> {
        if !self.unread.load(Ordering::Acquire) {
            return Poll::Ready(());
        }
        let mut waiting = self.waiting();
        if !waiting.iter().any(|waker| waker.will_wake(context.waker())) {
            waiting.push(context.waker().clone());
        }
        drop(waiting);
        // It may have been taken meanwhile.
        if self.unread.load(Ordering::Acquire) { Poll::Pending } else { Poll::Ready(()) }
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Waker>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Comes back when no exchange has been under way for as long as it may, and before twice that.
    pub(super) async fn none_for(&self, patience: &Patience) {
        let mut before = self.count();
        loop {
            // Whoever connects has something to say.
            sleep(if before.0 == 0 { patience.head } else { patience.idle }).await;
            let now = self.count();
            if now == before && now.0 == now.1 {
                return;
            }
            before = now;
        }
    }

    /// Comes back when, after at least one, no exchange has been under way for `a_while`, nothing of a
    /// body can still come, and all that was written is taken; and before twice that, or after what
    /// lasted, before [`SELDOM`] times as long besides.
    pub(super) async fn quiet_for(&self, a_while: Duration) {
        let (mut before, mut pause) = ((0, 0), a_while);
        loop {
            sleep(pause).await;
            let now = self.count();
            let idle = now == before && now.0 == now.1 && now.0 > 0;
            let open = [&self.bodied, &self.unread].map(|it| it.load(Ordering::Acquire));
            if idle && open == [false, false] {
                return;
            }
            // What lasts is looked at ever more seldom: there may be thousands of it.
            pause = if now == before { pause.saturating_mul(2) } else { a_while };
            (before, pause) = (now, pause.min(a_while.saturating_mul(SELDOM)));
        }
    }

    /// Comes back when, for `patience`, nothing began and nothing ended, and the client took nothing
    /// of answers that it is handed; and before twice that.
    pub(super) async fn stuck_for(&self, patience: Duration) {
        let seen = || (self.count(), self.moves.load(Ordering::Relaxed));
        let mut before = seen();
        loop {
            sleep(patience).await;
            let now = seen();
            if now == before && self.handed.load(Ordering::Relaxed) > 0 {
                return;
            }
            before = now;
        }
    }

    fn count(&self) -> (usize, usize) {
        // What has ended is read first: it has begun before.
        let ended = self.ended();
        (self.begun.load(Ordering::Acquire), ended)
    }
}

/// One exchange that is under way as long as this lives.
#[derive(Debug)]
pub(super) struct Open {
    talk: Arc<Talk>,
    handed: bool,
}

impl Open {
    pub(super) fn begin(talk: &Arc<Talk>) -> Self {
        talk.begun.fetch_add(1, Ordering::AcqRel);
        Self { talk: Arc::clone(talk), handed: false }
    }

    /// The answer with which it ends.
    pub(super) fn with(self, mut answer: Response<exchange::Body>) -> Response<Counted> {
        let open = match answer.extensions_mut().remove::<Keepsake>() {
            Some(keepsake) => {
                keepsake.lay(self);
                None
            }
            None => Some(self),
        };
        answer.map(|body| Counted { body, open })
    }

    fn hand(&mut self, handed: bool) {
        match (self.handed, handed) {
            (false, true) => drop(self.talk.handed.fetch_add(1, Ordering::Relaxed)),
            (true, false) => drop(self.talk.handed.fetch_sub(1, Ordering::Relaxed)),
            (true, true) | (false, false) => {}
        }
        self.handed = handed;
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.hand(false);
        self.talk.ended.fetch_add(1, Ordering::AcqRel);
    }
}

/// The body of an answer. With it ends the exchange.
#[derive(Debug)]
pub(super) struct Counted {
    body: exchange::Body,
    /// None where the answer begins a tunnel, which is under way for as long as that is there.
    open: Option<Open>,
}

impl Body for Counted {
    type Data = Bytes;
    type Error = <exchange::Body as Body>::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let Self { body, open } = self.get_mut();
        if let Some(open) = open {
            ready!(open.talk.poll_taken(context));
        }
        let polled = Pin::new(body).poll_frame(context);
        if let Some(open) = open {
            open.talk.moves.fetch_add(1, Ordering::Relaxed);
            open.hand(matches!(polled, Poll::Ready(Some(Ok(_)))));
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

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::time::Instant;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);
    const EACH: Patience = Patience { head: PATIENCE, idle: PATIENCE, body: PATIENCE };

    /// Whether `future` comes back within `patience`.
    async fn within(patience: Duration, future: impl Future<Output = ()>) -> bool {
        tokio::time::timeout(patience, future).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_idle_when_nothing_is_under_way_and_not_before() {
        let talk = Arc::new(Talk::default());
        let open = Open::begin(&talk);
        assert!(talk.is_under_way());
        assert!(!within(PATIENCE * 10, talk.none_for(&EACH)).await);
        drop(open);
        assert!(!talk.is_under_way());
        assert!(within(PATIENCE * 2, talk.none_for(&EACH)).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_quiet_when_all_is_said_and_taken() {
        let talk = Arc::new(Talk::default());
        assert!(!within(PATIENCE * 10, talk.quiet_for(PATIENCE)).await, "nothing was said");
        drop(Open::begin(&talk));
        talk.be_unread(true);
        assert!(!within(PATIENCE * 10, talk.quiet_for(PATIENCE)).await);
        talk.be_unread(false);
        talk.hear(true);
        assert!(!within(PATIENCE * 10, talk.quiet_for(PATIENCE)).await);
        talk.hear(false);
        assert!(within(PATIENCE * 3, talk.quiet_for(PATIENCE)).await);
    }

    #[tokio::test(start_paused = true)]
    async fn what_lasts_is_looked_at_ever_more_seldom_and_is_quiet_soon_after_it_has_ended() {
        let talk = Arc::new(Talk::default());
        let open = Open::begin(&talk);
        let mut looking = std::pin::pin!(talk.quiet_for(PATIENCE));
        let (start, looked) = (Instant::now(), std::cell::Cell::new(0));
        let mut counted = std::pin::pin!(poll_fn(|context| {
            looked.set(looked.get() + 1);
            looking.as_mut().poll(context)
        }));
        assert!(!within(PATIENCE * 1_000, counted.as_mut()).await);
        assert!(looked.get() < 100, "{}", looked.get());
        drop(open);
        assert!(within(PATIENCE * (SELDOM + 2), counted).await);
        assert!(start.elapsed() >= PATIENCE * 1_000);
    }

    #[tokio::test]
    async fn whoever_waits_for_a_client_goes_on_when_it_takes() {
        let talk = Arc::new(Talk::default());
        talk.be_unread(true);
        let shared = Arc::clone(&talk);
        let waiting = tokio::spawn(poll_fn(move |context| shared.poll_taken(context)));
        tokio::task::yield_now().await;
        assert_eq!((waiting.is_finished(), talk.waiting().len()), (false, 1));
        talk.be_unread(false);
        waiting.await.unwrap();
        assert!(talk.waiting().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_stuck_when_its_client_takes_nothing_of_what_it_is_handed() {
        let talk = Arc::new(Talk::default());
        let mut open = Open::begin(&talk);
        assert!(!within(PATIENCE * 10, talk.stuck_for(PATIENCE)).await, "the upstream thinks");
        open.hand(true);
        assert!(within(PATIENCE * 2, talk.stuck_for(PATIENCE)).await);
        open.hand(false);
        assert!(!within(PATIENCE * 10, talk.stuck_for(PATIENCE)).await, "it is asked for more");
        open.hand(true);
        drop(open);
        assert!(!within(PATIENCE * 10, talk.stuck_for(PATIENCE)).await, "it has taken all");
    }
}
