//! Threads for slow hashes: few, fair between callers, and one hash for identical claims.

mod queue;

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::oneshot;

use queue::FairQueue;

use crate::source::Source;

/// A bounded pool of threads that check passwords.
///
/// Each running job may hold 19 MiB, so the number of threads bounds the memory. Jobs wait in a
/// queue in which source addresses take turns: a flood from one delays that one.
pub(crate) struct PasswordPool<T> {
    shared: Arc<Shared<T>>,
    threads: Vec<JoinHandle<()>>,
}

/// How far slow hashes stand back: on a busy machine they still get about a tenth of a processor.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// How much a [`PasswordPool`] takes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct PoolSize {
    /// How many jobs run at once.
    pub(crate) threads: NonZeroUsize,
    /// How many jobs wait at once, of all sources.
    pub(crate) queue: NonZeroUsize,
    /// How many jobs of one source wait at once.
    pub(crate) per_source: NonZeroUsize,
}

/// Why a claim has no outcome.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum Busy {
    /// Our fault: the job panicked, or the pool stopped.
    #[error("a password check broke off")]
    Broken,
    /// The callers' fault: too many wait, of this source or of all.
    #[error("too many passwords wait to be checked")]
    Full {
        /// When it is worth asking again.
        retry_after: Duration,
    },
}

impl<T: Clone + Send + 'static> PasswordPool<T> {
    /// Starts the threads, named `password-0` and on; fails when the system gives none.
    pub(crate) fn start(size: PoolSize) -> io::Result<Self> {
        let shared = Arc::new(Shared { size, state: Mutex::default(), changed: Condvar::new() });
        let mut pool = Self { shared, threads: Vec::with_capacity(size.threads.get()) };
        for n in 0..size.threads.get() {
            let shared = Arc::clone(&pool.shared);
            let thread = thread::Builder::new().name(format!("password-{n}"));
            let work = move || {
                yield_to_others();
                shared.work();
            };
            pool.threads.push(thread.spawn(work)?);
        }
        Ok(pool)
    }

    /// Runs `hash` on a thread of the pool, or shares the outcome of an identical claim in flight.
    ///
    /// `claim` is a keyed MAC over credential, version and password, compared whole: claims that
    /// share it must have the same outcome. A future that is dropped gives its place in the queue
    /// back, unless another still waits for the same claim.
    ///
    /// `after` runs on the same thread once everybody has the outcome: nobody waits for it.
    pub(crate) async fn run(
        &self,
        claim: Claim,
        source: IpAddr,
        hash: impl FnOnce() -> T + Send + 'static,
        after: impl FnOnce(&T) + Send + 'static,
    ) -> Result<T, Busy> {
        let job = Job { hash: Box::new(hash), after: Box::new(after) };
        let answer = self.shared.enter(claim, source.into(), job)?;
        let mut waiter = Waiter { shared: &self.shared, claim, answer };
        (&mut waiter.answer).await.map_err(|_| Busy::Broken)
    }
}

impl<T> Drop for PasswordPool<T> {
    /// Waits for the running jobs; those still queued never run.
    fn drop(&mut self) {
        self.shared.state().stopped = true;
        self.shared.changed.notify_all();
        for thread in self.threads.drain(..) {
            drop(thread.join());
        }
    }
}

impl<T> fmt::Debug for PasswordPool<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordPool").field("size", &self.shared.size).finish_non_exhaustive()
    }
}

type Claim = [u8; 32];

/// What is computed, and what is then done with it.
struct Job<T> {
    hash: Box<dyn FnOnce() -> T + Send>,
    after: Box<dyn FnOnce(&T) + Send>,
}

/// Lets whoever is proven already go first: the threads of the pool take what time of the processors
/// the others leave. Where the system knows no priority of a single thread, all are equal.
fn yield_to_others() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!(%error, "slow hashes run at the priority of everything else");
    }
}

struct Shared<T> {
    size: PoolSize,
    state: Mutex<State<T>>,
    /// Told when a job is queued, and when the pool stops.
    changed: Condvar,
}

/// INVARIANT: every claim that is queued or running is in flight, and no other.
struct State<T> {
    queue: FairQueue<(Claim, Job<T>)>,
    flights: HashMap<Claim, Flight<T>>,
    stopped: bool,
}

/// A claim on its way, and who waits for it.
struct Flight<T> {
    source: Source,
    waiters: Vec<oneshot::Sender<T>>,
}

impl<T> Default for State<T> {
    fn default() -> Self {
        Self { queue: FairQueue::new(), flights: HashMap::new(), stopped: false }
    }
}

impl<T> Shared<T> {
    /// No job runs under this lock, so one that panics leaves the state whole.
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(
        &self,
        claim: Claim,
        source: Source,
        job: Job<T>,
    ) -> Result<oneshot::Receiver<T>, Busy> {
        let (waiter, answer) = oneshot::channel();
        let mut state = self.state();
        if let Some(flight) = state.flights.get_mut(&claim) {
            flight.waiters.push(waiter);
            return Ok(answer);
        }
        if state.is_full_for(source, self.size) {
            return Err(Busy::Full { retry_after: wait(state.queue.len(), self.size.threads) });
        }
        state.flights.insert(claim, Flight { source, waiters: vec![waiter] });
        state.queue.push(source, (claim, job));
        drop(state);
        self.changed.notify_one();
        Ok(answer)
    }

    /// The next job in turn, or none once the pool has stopped.
    fn next(&self) -> Option<(Claim, Job<T>)> {
        let mut state = self.state();
        while !state.stopped {
            if let Some(next) = state.queue.pop() {
                return Some(next);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        None
    }
}

impl<T: Clone> Shared<T> {
    fn work(&self) {
        while let Some((claim, job)) = self.next() {
            let outcome = catch_unwind(AssertUnwindSafe(job.hash));
            let flight = self.state().flights.remove(&claim);
            // Without an outcome the waiters are dropped, which tells them that it broke.
            let (Some(flight), Ok(outcome)) = (flight, outcome) else { continue };
            for waiter in flight.waiters {
                drop(waiter.send(outcome.clone()));
            }
            // The panic has been told by its hook, and nobody else asks what became of it.
            drop(catch_unwind(AssertUnwindSafe(|| (job.after)(&outcome))));
        }
    }
}

impl<T> State<T> {
    fn is_full_for(&self, source: Source, size: PoolSize) -> bool {
        self.queue.len() >= size.queue.get() || self.queue.len_of(source) >= size.per_source.get()
    }

    /// Forgets who has gone, and hands back the job that nobody waits for any more.
    fn leave(&mut self, claim: Claim) -> Option<(Claim, Job<T>)> {
        let flight = self.flights.get_mut(&claim)?;
        flight.waiters.retain(|waiter| !waiter.is_closed());
        if !flight.waiters.is_empty() {
            return None;
        }
        let queued = self.queue.remove(flight.source, |(queued, _)| *queued == claim)?;
        self.flights.remove(&claim);
        Some(queued)
    }
}

/// One caller's wait: it ends when the outcome is there, or when the caller goes away.
struct Waiter<'p, T> {
    shared: &'p Shared<T>,
    claim: Claim,
    answer: oneshot::Receiver<T>,
}

impl<T> Drop for Waiter<'_, T> {
    fn drop(&mut self) {
        self.answer.close();
        // Bound to a name, so that the job, which holds a password, is dropped after the lock.
        let _unwanted = self.shared.state().leave(self.claim);
    }
}

/// How long `queued` jobs take, which no caller should take for less or more than it can bear.
fn wait(queued: usize, threads: NonZeroUsize) -> Duration {
    let rounds = u32::try_from(queued.div_ceil(threads.get())).unwrap_or(u32::MAX);
    JOB_TIME.saturating_mul(rounds).clamp(SHORTEST_WAIT, LONGEST_WAIT)
}

/// What one argon2id hash over 19 MiB takes: 16 ms measured on a quiet machine, more on a busy one.
const JOB_TIME: Duration = Duration::from_millis(20);
/// `Retry-After` counts in whole seconds.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);
/// A longer wait would only say that the pool is too small.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests;
