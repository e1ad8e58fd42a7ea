//! The pool's promises, each with jobs that are held and released by hand.

use std::pin::Pin;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::{Context, Waker};

use super::*;

const ONE: &str = "192.0.2.1";
const OTHER: &str = "192.0.2.2";

fn pool<T: Clone + Send + 'static>(queue: usize, per_source: usize) -> PasswordPool<T> {
    let [threads, queue, per_source] =
        [1, queue, per_source].map(|count| NonZeroUsize::new(count).unwrap());
    PasswordPool::start(PoolSize { threads, queue, per_source }).unwrap()
}

fn claim(n: u8) -> Claim {
    [n; 32]
}

fn ip(address: &str) -> IpAddr {
    address.parse().unwrap()
}

type Pending<'p, T> = Pin<Box<dyn Future<Output = Result<T, Busy>> + 'p>>;

/// Lets `future` take its place in the queue, and shows that it waits there.
#[track_caller]
fn waiting<'p, T>(future: impl Future<Output = Result<T, Busy>> + 'p) -> Pending<'p, T> {
    let mut future: Pending<'p, T> = Box::pin(future);
    assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    future
}

/// What the first poll says, for those that must not wait.
fn at_once<T>(future: impl Future<Output = Result<T, Busy>>) -> Result<T, Busy> {
    let mut future = std::pin::pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        std::task::Poll::Ready(outcome) => outcome,
        std::task::Poll::Pending => panic!("it waits"),
    }
}

impl<T: Clone + Send + 'static> PasswordPool<T> {
    /// Runs `job`, with nothing after it.
    async fn ask(
        &self,
        claim: Claim,
        source: IpAddr,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Busy> {
        self.run(claim, source, job, |_| {}).await
    }
}

/// Holds the only thread of a pool, in a job that runs until [`Held::release`].
struct Held<'p, T> {
    future: Pending<'p, T>,
    release: Sender<T>,
}

impl<'p, T: Clone + Send + 'static> Held<'p, T> {
    fn thread_of(pool: &'p PasswordPool<T>) -> Self {
        let (started, running) = channel();
        let (release, released): (_, Receiver<T>) = channel();
        let future = waiting(pool.ask(claim(0), ip("203.0.113.9"), move || {
            started.send(()).unwrap();
            released.recv().unwrap()
        }));
        running.recv().unwrap();
        Self { future, release }
    }

    async fn release(self, outcome: T) -> Result<T, Busy> {
        self.release.send(outcome).unwrap();
        self.future.await
    }
}

#[tokio::test]
async fn a_job_runs_on_a_named_thread_and_its_outcome_comes_back() {
    let pool = pool(1, 1);
    let name = pool.ask(claim(1), ip(ONE), || thread::current().name().map(str::to_owned)).await;
    assert_eq!(name.unwrap().unwrap(), "password-0");
}

#[tokio::test]
async fn a_flood_from_one_source_lets_the_others_have_their_turn() {
    let pool = pool(8, 8);
    let held = Held::thread_of(&pool);
    let (ran, order) = channel();
    let mut all = Vec::new();
    for (n, source) in [(1, ONE), (2, ONE), (3, ONE), (4, OTHER)] {
        let ran = ran.clone();
        all.push(waiting(pool.ask(claim(n), ip(source), move || ran.send(n).unwrap())));
    }
    held.release(()).await.unwrap();
    for future in all {
        future.await.unwrap();
    }
    assert_eq!(order.try_iter().collect::<Vec<_>>(), [1, 4, 2, 3]);
}

#[tokio::test]
async fn identical_claims_run_once_whether_queued_or_running() {
    let pool = pool(1, 1);
    let held = Held::thread_of(&pool);
    let running = waiting(pool.ask(claim(0), ip(OTHER), || panic!("the first one's job runs")));
    let first = waiting(pool.ask(claim(1), ip(ONE), || "once"));
    let others = [ONE, OTHER, "2001:db8::1"]
        .map(|source| waiting(pool.ask(claim(1), ip(source), || panic!("it is queued already"))));
    assert_eq!(held.release("held").await, Ok("held"));
    assert_eq!(running.await, Ok("held"));
    assert_eq!(first.await, Ok("once"));
    for other in others {
        assert_eq!(other.await, Ok("once"));
    }
}

#[tokio::test]
async fn a_claim_that_is_done_is_not_remembered() {
    let pool = pool(1, 1);
    assert_eq!(pool.ask(claim(1), ip(ONE), || "first").await, Ok("first"));
    assert_eq!(pool.ask(claim(1), ip(ONE), || "second").await, Ok("second"));
    assert!(pool.shared.state().flights.is_empty());
}

#[tokio::test]
async fn claims_that_differ_in_one_byte_are_not_shared() {
    let pool = pool(2, 2);
    let held = Held::thread_of(&pool);
    let mut near = claim(1);
    near[31] = 2;
    let one = waiting(pool.ask(claim(1), ip(ONE), || 1));
    let other = waiting(pool.ask(near, ip(ONE), || 2));
    held.release(0).await.unwrap();
    assert_eq!((one.await, other.await), (Ok(1), Ok(2)));
}

#[tokio::test]
async fn a_full_queue_refuses_at_once_but_lets_identical_claims_share() {
    let pool = pool(2, 2);
    let held = Held::thread_of(&pool);
    let one = waiting(pool.ask(claim(1), ip(ONE), || 1));
    let two = waiting(pool.ask(claim(2), ip(OTHER), || 2));
    let refused = at_once(pool.ask(claim(3), ip("192.0.2.3"), || 3));
    assert_eq!(refused, Err(Busy::Full { retry_after: SHORTEST_WAIT }));
    let shared = waiting(pool.ask(claim(1), ip("192.0.2.3"), || 4));
    held.release(0).await.unwrap();
    assert_eq!((one.await, two.await, shared.await), (Ok(1), Ok(2), Ok(1)));
}

#[tokio::test]
async fn a_source_that_has_its_share_is_refused_while_others_are_not() {
    let pool = pool(8, 2);
    let held = Held::thread_of(&pool);
    let one = waiting(pool.ask(claim(1), ip("2001:db8::1"), || 1));
    let two = waiting(pool.ask(claim(2), ip("2001:db8::2"), || 2));
    let refused = at_once(pool.ask(claim(3), ip("2001:db8::3"), || 3));
    assert!(matches!(refused, Err(Busy::Full { .. })));
    let other = waiting(pool.ask(claim(4), ip(OTHER), || 4));
    held.release(0).await.unwrap();
    assert_eq!((one.await, two.await, other.await), (Ok(1), Ok(2), Ok(4)));
}

#[tokio::test]
async fn a_job_that_panics_tells_its_waiters_and_leaves_the_thread_alive() {
    let pool = pool(4, 4);
    let held = Held::thread_of(&pool);
    let broken = waiting(pool.ask(claim(1), ip(ONE), || panic!("as the test wants it")));
    let shared = waiting(pool.ask(claim(1), ip(ONE), || 1));
    held.release(0).await.unwrap();
    assert_eq!((broken.await, shared.await), (Err(Busy::Broken), Err(Busy::Broken)));
    assert_eq!(pool.ask(claim(1), ip(ONE), || 2).await, Ok(2));
}

#[tokio::test]
async fn a_waiter_that_goes_away_frees_its_place_and_its_job_never_runs() {
    let pool = pool(1, 1);
    let held = Held::thread_of(&pool);
    let (kept, dropped) = channel::<()>();
    drop(waiting(pool.ask(claim(1), ip(ONE), move || {
        drop(kept);
        panic!("nobody waits for it");
    })));
    assert!(dropped.recv().is_err(), "the job is dropped with its waiter");
    let next = waiting(pool.ask(claim(2), ip(ONE), || 2));
    held.release(0).await.unwrap();
    assert_eq!(next.await, Ok(2));
}

#[tokio::test]
async fn a_claim_stays_queued_while_anyone_waits_for_it() {
    let pool = pool(1, 1);
    let held = Held::thread_of(&pool);
    let first = waiting(pool.ask(claim(1), ip(ONE), || 1));
    let second = waiting(pool.ask(claim(1), ip(OTHER), || 2));
    drop(first);
    held.release(0).await.unwrap();
    assert_eq!(second.await, Ok(1));
}

#[tokio::test]
async fn a_running_claim_is_still_shared_after_its_first_waiter_has_gone() {
    let pool = pool(1, 1);
    let Held { future, release } = Held::thread_of(&pool);
    drop(future);
    let second = waiting(pool.ask(claim(0), ip(ONE), || 1));
    release.send(7).unwrap();
    assert_eq!(second.await, Ok(7));
}

#[tokio::test]
async fn what_comes_after_the_outcome_delays_nobody_and_may_break() {
    let pool = pool(1, 1);
    let (release, released) = channel::<()>();
    let (finish, finished) = channel();
    let after = move |outcome: &u8| {
        released.recv().unwrap();
        finish.send(*outcome).unwrap();
        panic!("as the test wants it");
    };
    assert_eq!(pool.run(claim(1), ip(ONE), || 1, after).await, Ok(1));
    assert!(finished.try_recv().is_err());
    release.send(()).unwrap();
    assert_eq!(finished.recv(), Ok(1));
    assert_eq!(pool.ask(claim(1), ip(ONE), || 2).await, Ok(2));
}

#[test]
fn dropping_the_pool_waits_for_the_running_job_and_ends_the_threads() {
    let pool = pool(1, 1);
    let shared = Arc::downgrade(&pool.shared);
    let (started, running) = channel();
    let (release, released) = channel::<()>();
    let (finish, finished) = channel();
    let future = waiting(pool.ask(claim(1), ip(ONE), move || {
        started.send(()).unwrap();
        released.recv().unwrap();
        finish.send(()).unwrap();
    }));
    running.recv().unwrap();
    drop(future);
    let dropping = thread::spawn(move || drop(pool));
    release.send(()).unwrap();
    dropping.join().unwrap();
    assert_eq!(finished.try_recv(), Ok(()));
    assert!(shared.upgrade().is_none(), "no thread holds on to the pool");
}

#[test]
fn the_wait_told_grows_with_the_queue_within_its_bounds() {
    let threads = |count| NonZeroUsize::new(count).unwrap();
    for (queued, count, told) in [
        (0, 1, SHORTEST_WAIT),
        (50, 1, Duration::from_secs(1)),
        (100, 1, Duration::from_secs(2)),
        (400, 4, Duration::from_secs(2)),
        (401, 4, Duration::from_millis(2020)),
        (usize::MAX, 1, LONGEST_WAIT),
    ] {
        assert_eq!(wait(queued, threads(count)), told, "{queued} on {count}");
    }
}
