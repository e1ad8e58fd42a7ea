//! The threads that read, and keep house.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use super::{QUEUE, Reading, Tending, committed};
use crate::engine::{Connection, Mode, Target};
use crate::error::StoreError;

/// How many threads read at once.
const THREADS: usize = 2;

type Job = Box<dyn FnOnce(Result<&mut Connection, StoreError>) + Send>;

pub(super) struct Readers {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    stopping: bool,
}

impl Readers {
    pub(super) fn start(target: &Arc<Target>) -> Result<Self, StoreError> {
        let mut readers = Self { shared: Arc::default(), threads: Vec::new() };
        for number in 0..THREADS {
            let (shared, target) = (Arc::clone(&readers.shared), Arc::clone(target));
            let thread = thread::Builder::new()
                .name(format!("store-read-{number}"))
                .spawn(move || work(&shared, &target))
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
        queue.jobs.push_back(job);
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

fn work(shared: &Shared, target: &Target) {
    let mut connection = None;
    while let Some(job) = next(shared) {
        let opened = match &mut connection {
            Some(open) => Ok(open),
            none => Connection::open(target).map(|open| none.insert(open)),
        };
        // A job that breaks loses its own answer, not the thread.
        let broke = catch_unwind(AssertUnwindSafe(|| job(opened))).is_err();
        if broke || connection.as_ref().is_some_and(Connection::is_broken) {
            connection = None;
        }
    }
}

fn next(shared: &Shared) -> Option<Job> {
    let mut queue = shared.queue.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if queue.stopping {
            return None;
        }
        if let Some(job) = queue.jobs.pop_front() {
            return Some(job);
        }
        queue = shared.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
    }
}

/// Runs `work` in one snapshot of `connection`.
pub(crate) fn snapshot<T>(
    connection: &mut Connection,
    work: impl FnOnce(&mut Reading<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    connection.begin(Mode::Snapshot)?;
    let answer = work(&mut Reading(connection));
    connection.batch("ROLLBACK")?;
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
            connection.batch("ROLLBACK")?;
            Err(error)
        }
    }
}
