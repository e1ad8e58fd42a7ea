//! The threads that read, and keep house.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use portcullis_core::time::Clock;

use super::{QUEUE, Reading, Tending, committed};
use crate::engine::{Connection, Mode, Route};
use crate::error::StoreError;

/// How many threads read at once.
const THREADS: usize = 2;

type Job = Box<dyn FnOnce(Result<&mut Connection, StoreError>) + Send>;

pub(super) struct Readers {
    shared: Arc<Shared>,
    clock: Arc<dyn Clock>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    /// Each with the moment since boot at which it queued.
    jobs: VecDeque<(u64, Job)>,
    stopping: bool,
}

impl Readers {
    pub(super) fn start(route: &Arc<Route>, clock: &Arc<dyn Clock>) -> Result<Self, StoreError> {
        let clock = Arc::clone(clock);
        let mut readers = Self { shared: Arc::default(), clock, threads: Vec::new() };
        for number in 0..THREADS {
            let mut desk = Desk {
                shared: Arc::clone(&readers.shared),
                route: Arc::clone(route),
                clock: Arc::clone(&readers.clock),
                connection: None,
            };
            let thread = thread::Builder::new()
                .name(format!("store-read-{number}"))
                .spawn(move || desk.work())
                .map_err(|source| StoreError::Folder { what: "a thread".into(), source })?;
            readers.threads.push(thread);
        }
        Ok(readers)
    }

    pub(super) fn queue(&self, job: Job) -> Result<(), StoreError> {
        let mut queue = self.shared.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.stopping {
            return Err(StoreError::Stopped);
        }
        if queue.jobs.len() >= QUEUE {
            return Err(StoreError::Busy);
        }
        queue.jobs.push_back((self.clock.now().boot, job));
        drop(queue);
        self.shared.changed.notify_one();
        Ok(())
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.shared.queue.lock().unwrap_or_else(PoisonError::into_inner).stopping = true;
        self.shared.changed.notify_all();
        for thread in self.threads.drain(..) {
            // A thread that broke has told so already.
            drop(thread.join());
        }
    }
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readers").field("threads", &self.threads.len()).finish()
    }
}

/// One reading thread's own things.
struct Desk {
    shared: Arc<Shared>,
    route: Arc<Route>,
    clock: Arc<dyn Clock>,
    connection: Option<Connection>,
}

impl Desk {
    fn work(&mut self) {
        while let Some((queued, job)) = self.next() {
            let opened = self.open(queued);
            // A job that breaks loses its own answer, not the thread.
            let broke = catch_unwind(AssertUnwindSafe(|| job(opened))).is_err();
            if broke || self.connection.as_ref().is_some_and(Connection::is_broken) {
                self.connection = None;
            }
        }
    }

    /// The connection, for a job that has not queued for too long.
    fn open(&mut self, queued: u64) -> Result<&mut Connection, StoreError> {
        let waited = self.clock.now().boot.saturating_sub(queued);
        if u128::from(waited) > self.route.deadlines.read.as_millis() {
            return Err(StoreError::Busy);
        }
        match &mut self.connection {
            Some(open) => Ok(open),
            none => self.route.connect().map(|open| none.insert(open)),
        }
    }

    fn next(&self) -> Option<(u64, Job)> {
        let mut queue = self.shared.queue.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if queue.stopping {
                return None;
            }
            if let Some(job) = queue.jobs.pop_front() {
                return Some(job);
            }
            queue = self.shared.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Runs `work` in one snapshot of `connection`, which is broken if that could not be ended.
pub(crate) fn snapshot<T>(
    connection: &mut Connection,
    mode: Mode,
    work: impl FnOnce(&mut Reading<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    connection.begin(mode)?;
    let answer = work(&mut Reading(connection));
    // What was read stands, whether or not this succeeds.
    drop(connection.rollback());
    answer
}

/// Runs `work` in a transaction of its own that takes no revision.
pub(crate) fn tend<T>(
    connection: &mut Connection,
    work: impl FnOnce(&mut Tending<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    connection.begin(Mode::Write)?;
    match work(&mut Tending(connection)) {
        Ok(value) => committed(connection.commit()).map(|()| value),
        Err(error) => {
            // The first error is the one to tell; a connection that could not be rolled back is
            // broken.
            drop(connection.rollback());
            Err(error)
        }
    }
}
