//! A thread that changes things: batches of jobs, one COMMIT each.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use portcullis_core::id::Revision;
use portcullis_core::time::{Clock, Timestamp};

use super::job::Job;
use super::queue::{Lane, Queue, Waiting};
use super::{outcome, reader};
use crate::engine::{CommitError, Connection, Mode, Route};
use crate::error::StoreError;

/// How often the outcome of lost answers is looked up before it is told as unknown. Each look waits
/// for the old session as long as for any lock.
const LOOKS: usize = 3;

pub(super) struct Worker {
    shared: Arc<Shared>,
    clock: Arc<dyn Clock>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Worker {
    /// Starts one, with a connection if there is one already.
    pub(super) fn start(
        name: &str,
        connection: Option<Connection>,
        route: &Arc<Route>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let shared = Arc::<Shared>::default();
        let mut desk = Desk {
            connection,
            route: Arc::clone(route),
            clock: Arc::clone(&clock),
            shared: Arc::clone(&shared),
        };
        let thread = thread::Builder::new()
            .name(name.into())
            .spawn(move || desk.work())
            .map_err(|source| StoreError::Folder { what: "a thread".into(), source })?;
        Ok(Self { shared, clock, thread: Some(thread) })
    }

    pub(super) fn queue(
        &self,
        lane: Lane,
        job: Box<dyn Job>,
        urgent: bool,
    ) -> Result<(), StoreError> {
        let since = self.clock.now().boot;
        self.shared.queue().push(lane, Waiting { job, urgent, since })?;
        self.shared.changed.notify_one();
        Ok(())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.shared.queue().stopping = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // A thread that broke has told so already.
            drop(thread.join());
        }
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Worker")
    }
}

/// The thread's own things.
struct Desk {
    connection: Option<Connection>,
    route: Arc<Route>,
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
}

impl Desk {
    /// Works until it is told to stop and nothing queues any more.
    fn work(&mut self) {
        while let Some((lane, first)) = self.wait() {
            self.batch(lane, first);
            if self.connection.as_ref().is_some_and(Connection::is_broken) {
                self.connection = None;
            }
        }
    }

    fn open(&mut self) -> Result<&mut Connection, StoreError> {
        match &mut self.connection {
            Some(open) => Ok(open),
            none => self.route.connect().map(|open| none.insert(open)),
        }
    }

    fn wait(&self) -> Option<(Lane, Box<dyn Job>)> {
        let mut queue = self.shared.queue();
        loop {
            let turn = queue.turn();
            if let Some((lane, job)) = turn.and_then(|it| Some((it, self.next(&mut queue, it)?))) {
                return Some((lane, job));
            }
            if turn.is_some() {
                continue;
            }
            if queue.stopping {
                return None;
            }
            queue = self.shared.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The next of a lane; those that have queued for too long are told so, and never begun.
    fn next(&self, queue: &mut Queue, lane: Lane) -> Option<Box<dyn Job>> {
        let now = self.clock.now().boot;
        while let Some(Waiting { job, since, .. }) = queue.pop(lane) {
            if u128::from(now.saturating_sub(since)) <= self.route.deadlines.write.as_millis() {
                return Some(job);
            }
            job.finish(Err(StoreError::Busy));
        }
        None
    }

    fn batch(&mut self, lane: Lane, first: Box<dyn Job>) {
        let begun = self.clock.now();
        if let Err(error) = self.open().and_then(|connection| begin(connection, lane)) {
            return first.finish(Err(error));
        }
        let (mut standing, mut rows, mut next) = (Vec::new(), 0, Some(first));
        while let Some(job) = next.take() {
            rows += self.stand(job, begun.wall, &mut standing);
            let spent = self.clock.now().boot.saturating_sub(begun.boot);
            let room = lane.bounds().have_room(standing.len(), rows, spent);
            if room && self.connection.is_some() {
                next = self.next(&mut self.shared.queue(), lane);
            }
        }
        self.commit(lane, standing);
    }

    /// Runs one job under a savepoint: what fails is undone alone. How many rows it touched.
    fn stand(
        &mut self,
        mut job: Box<dyn Job>,
        now: Timestamp,
        standing: &mut Vec<Box<dyn Job>>,
    ) -> u64 {
        let Some(connection) = &mut self.connection else {
            job.finish(Err(cut_off()));
            return 0;
        };
        let ran = catch_unwind(AssertUnwindSafe(|| under_savepoint(connection, &mut *job, now)));
        let outcome = match ran {
            Ok(Ok(Some(touched))) => {
                standing.push(job);
                return touched;
            }
            Ok(Ok(None)) => Ok(()),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(StoreError::Stopped),
        };
        // Nothing more may be done in a transaction that cannot be told to be sound.
        if connection.batch("ROLLBACK TO SAVEPOINT one; RELEASE SAVEPOINT one").is_err() {
            self.connection = None;
        }
        job.finish(outcome);
        0
    }

    fn commit(&mut self, lane: Lane, standing: Vec<Box<dyn Job>>) {
        let Some(connection) = &mut self.connection else {
            // Without its COMMIT none of it can stand.
            return standing.into_iter().for_each(|job| job.finish(Err(cut_off())));
        };
        if standing.is_empty() {
            // A connection that could not be rolled back is broken.
            return drop(connection.rollback());
        }
        match connection.commit() {
            Ok(()) => {
                standing.into_iter().for_each(|job| job.finish(Ok(())));
                if lane == Lane::Writes {
                    // Only a hint: the other nodes poll as well.
                    drop(connection.notify());
                }
            }
            Err(CommitError::Failed(error)) => {
                let reason = error.to_string();
                for job in standing {
                    job.finish(Err(StoreError::Engine(reason.clone())));
                }
            }
            Err(CommitError::Unknown) => self.look_up(standing),
        }
    }

    /// The answer to COMMIT was lost, or late: what became of it is asked in a new session, of
    /// those that can be found again.
    fn look_up(&mut self, standing: Vec<Box<dyn Job>>) {
        self.connection = None;
        let requests: Option<Vec<_>> = standing.iter().map(|job| job.request()).collect();
        let found = requests.map_or(Err(StoreError::UnknownOutcome), |them| self.find(&them));
        let mut outcomes = found.into_iter().flatten();
        for job in standing {
            job.finish(match outcomes.next() {
                Some(Some(_)) => Ok(()),
                Some(None) => Err(cut_off()),
                None => Err(StoreError::UnknownOutcome),
            });
        }
    }

    fn find(&mut self, requests: &[[u8; 16]]) -> Result<Vec<Option<Revision>>, StoreError> {
        let mut found = Err(StoreError::Busy);
        for _ in 0..LOOKS {
            if !matches!(found, Err(StoreError::Busy)) {
                break;
            }
            found = self.open().and_then(|connection| {
                reader::tend(connection, |tending| outcome::find(tending, requests))
            });
            self.connection = self.connection.take().filter(|it| !it.is_broken());
        }
        found
    }
}

fn begin(connection: &mut Connection, lane: Lane) -> Result<(), StoreError> {
    connection.begin(Mode::Write)?;
    match lane {
        Lane::Records => connection.lock_for_recording().inspect_err(|_| {
            // The first error is the one to tell.
            drop(connection.rollback());
        }),
        Lane::Writes => Ok(()),
    }
}

/// What certainly was not done, for its connection was lost first.
fn cut_off() -> StoreError {
    StoreError::Unreachable("the connection was lost before anything was done".into())
}

fn under_savepoint(
    connection: &mut Connection,
    job: &mut dyn Job,
    now: Timestamp,
) -> Result<Option<u64>, StoreError> {
    connection.batch("SAVEPOINT one")?;
    let touched = job.run(connection, now);
    if touched.is_some() {
        connection.batch("RELEASE SAVEPOINT one")?;
    }
    Ok(touched)
}
