//! The thread that writes: batches of writes, one COMMIT each.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use portcullis_core::id::Revision;
use portcullis_core::time::{Clock, Timestamp};
use tokio::sync::oneshot;

use super::{BATCH_MILLIS, BATCH_ROWS, BATCH_WRITES, QUEUE, Write, Writing, Written};
use super::{outcome, reader};
use crate::engine::{CommitError, Connection, Mode, Route};
use crate::error::StoreError;
use crate::{audit, meta};

/// How often the outcome of lost answers is looked up before it is told as unknown. Each look waits
/// for the old session as long as for any lock.
const LOOKS: usize = 3;

pub(super) struct Writer {
    shared: Arc<Shared>,
    clock: Arc<dyn Clock>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    /// Each with the moment since boot at which it queued.
    jobs: VecDeque<(u64, Box<dyn Job>)>,
    stopping: bool,
}

/// One write that waits for its turn.
pub(super) trait Job: Send {
    /// What it is.
    fn write(&self) -> &Write;
    /// Does it, once, inside its savepoint.
    fn run(&mut self, writing: &mut Writing<'_>) -> Result<(), StoreError>;
    /// Tells whoever waits what became of it.
    fn finish(self: Box<Self>, outcome: Result<Revision, StoreError>);
}

struct Asked<T, F> {
    write: Write,
    work: Option<F>,
    value: Option<T>,
    tell: oneshot::Sender<Result<Written<T>, StoreError>>,
}

pub(super) fn job<T: Send + 'static>(
    write: Write,
    work: impl FnOnce(&mut Writing<'_>) -> Result<T, StoreError> + Send + 'static,
    tell: oneshot::Sender<Result<Written<T>, StoreError>>,
) -> Box<dyn Job> {
    Box::new(Asked { write, work: Some(work), value: None, tell })
}

impl<T, F> Job for Asked<T, F>
where
    T: Send,
    F: FnOnce(&mut Writing<'_>) -> Result<T, StoreError> + Send,
{
    fn write(&self) -> &Write {
        &self.write
    }

    fn run(&mut self, writing: &mut Writing<'_>) -> Result<(), StoreError> {
        let work = self.work.take().ok_or(StoreError::Stopped)?;
        self.value = Some(work(writing)?);
        Ok(())
    }

    fn finish(self: Box<Self>, outcome: Result<Revision, StoreError>) {
        let value = self.value.ok_or(StoreError::Stopped);
        let answer = outcome.and_then(|revision| value.map(|value| Written { value, revision }));
        // Whoever asked may have gone away.
        drop(self.tell.send(answer));
    }
}

impl Writer {
    pub(super) fn start(
        connection: Connection,
        route: Arc<Route>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let shared = Arc::<Shared>::default();
        let mut desk = Desk {
            connection: Some(connection),
            route,
            clock: Arc::clone(&clock),
            shared: Arc::clone(&shared),
        };
        let thread = thread::Builder::new()
            .name("store-write".into())
            .spawn(move || desk.work())
            .map_err(|source| StoreError::Folder { what: "a thread".into(), source })?;
        Ok(Self { shared, clock, thread: Some(thread) })
    }

    pub(super) fn queue(&self, job: Box<dyn Job>) -> Result<(), StoreError> {
        let mut queue = self.shared.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.stopping {
            return Err(StoreError::Stopped);
        }
        if queue.jobs.len() >= QUEUE {
            return Err(StoreError::Busy);
        }
        let now = self.clock.now().boot;
        if job.write().urgent {
            let behind = queue.jobs.iter().take_while(|(_, job)| job.write().urgent).count();
            queue.jobs.insert(behind, (now, job));
        } else {
            queue.jobs.push_back((now, job));
        }
        drop(queue);
        self.shared.changed.notify_one();
        Ok(())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.queue.lock().unwrap_or_else(PoisonError::into_inner).stopping = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // A thread that broke has told so already.
            drop(thread.join());
        }
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Writer")
    }
}

/// The writing thread's own things.
struct Desk {
    connection: Option<Connection>,
    route: Arc<Route>,
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
}

/// A write that stands in the open transaction.
type Standing = (Box<dyn Job>, Revision);

impl Desk {
    /// Writes until it is told to stop and nothing queues any more.
    fn work(&mut self) {
        while let Some(first) = self.wait() {
            if let Err(error) = self.open() {
                first.finish(Err(error));
                continue;
            }
            self.batch(first);
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

    fn wait(&self) -> Option<Box<dyn Job>> {
        let mut queue = self.shared.queue.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(job) = self.next(&mut queue) {
                return Some(job);
            }
            if queue.stopping {
                return None;
            }
            queue = self.shared.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn waiting(&self) -> Option<Box<dyn Job>> {
        self.next(&mut self.shared.queue.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The next write; those that have queued for too long are told so, and never begun.
    fn next(&self, queue: &mut Queue) -> Option<Box<dyn Job>> {
        let now = self.clock.now().boot;
        while let Some((queued, job)) = queue.jobs.pop_front() {
            if u128::from(now.saturating_sub(queued)) <= self.route.deadlines.write.as_millis() {
                return Some(job);
            }
            job.finish(Err(StoreError::Busy));
        }
        None
    }

    fn batch(&mut self, first: Box<dyn Job>) {
        let begun = self.clock.now();
        let opened = self.open().and_then(|connection| connection.begin(Mode::Write));
        if let Err(error) = opened {
            return first.finish(Err(error));
        }
        let (mut standing, mut rows, mut next) = (Vec::new(), 0, Some(first));
        while let Some(job) = next.take() {
            rows += self.stand(job, begun.wall, &mut standing);
            let spent = self.clock.now().boot.saturating_sub(begun.boot);
            let room = standing.len() < BATCH_WRITES && rows < BATCH_ROWS && spent < BATCH_MILLIS;
            if room && self.connection.is_some() {
                next = self.waiting();
            }
        }
        self.commit(standing);
    }

    /// Runs one write under a savepoint: what fails is undone alone. How many rows it touched.
    fn stand(
        &mut self,
        mut job: Box<dyn Job>,
        now: Timestamp,
        standing: &mut Vec<Standing>,
    ) -> u64 {
        let Some(connection) = &mut self.connection else {
            job.finish(Err(cut_off()));
            return 0;
        };
        let ran = catch_unwind(AssertUnwindSafe(|| under_savepoint(connection, &mut *job, now)));
        match ran.unwrap_or(Err(StoreError::Stopped)) {
            Ok((revision, touched)) => {
                standing.push((job, revision));
                touched
            }
            Err(error) => {
                // Nothing more may be done in a transaction that cannot be told to be sound.
                let undone = connection.batch("ROLLBACK TO SAVEPOINT one; RELEASE SAVEPOINT one");
                if undone.is_err() {
                    self.connection = None;
                }
                job.finish(Err(error));
                0
            }
        }
    }

    fn commit(&mut self, standing: Vec<Standing>) {
        let Some(connection) = &mut self.connection else {
            // Without its COMMIT none of it can stand.
            return standing.into_iter().for_each(|(job, _)| job.finish(Err(cut_off())));
        };
        if standing.is_empty() {
            // A connection that could not be rolled back is broken.
            return drop(connection.rollback());
        }
        match connection.commit() {
            Ok(()) => {
                standing.into_iter().for_each(|(job, revision)| job.finish(Ok(revision)));
                // Only a hint: the other nodes poll as well.
                drop(connection.notify());
            }
            Err(CommitError::Failed(error)) => {
                let reason = error.to_string();
                for (job, _) in standing {
                    job.finish(Err(StoreError::Engine(reason.clone())));
                }
            }
            Err(CommitError::Unknown) => self.look_up(standing),
        }
    }

    /// The answer to COMMIT was lost, or late: what became of it is asked in a new session.
    fn look_up(&mut self, standing: Vec<Standing>) {
        self.connection = None;
        let requests: Vec<_> = standing.iter().map(|(job, _)| job.write().request).collect();
        let mut found = Err(StoreError::Busy);
        for _ in 0..LOOKS {
            if !matches!(found, Err(StoreError::Busy)) {
                break;
            }
            found = self.open().and_then(|connection| {
                reader::tend(connection, |tending| outcome::find(tending, &requests))
            });
            self.connection = self.connection.take().filter(|it| !it.is_broken());
        }
        let mut outcomes = found.into_iter().flatten().map(|it| it.ok_or_else(cut_off));
        for (job, _) in standing {
            job.finish(outcomes.next().unwrap_or(Err(StoreError::UnknownOutcome)));
        }
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
) -> Result<(Revision, u64), StoreError> {
    connection.batch("SAVEPOINT one")?;
    let revision = meta::next_revision(connection, now)?;
    let mut writing = Writing {
        connection,
        revision,
        now,
        subject: String::new(),
        detail: String::new(),
        touched: 0,
    };
    job.run(&mut writing)?;
    let (subject, detail, touched) = (writing.subject, writing.detail, writing.touched);
    let entry = audit::Entry {
        revision,
        moment: now,
        actor: job.write().actor.clone(),
        action: job.write().action.to_owned(),
        subject,
        detail,
    };
    audit::record(connection, &entry, job.write().request)?;
    connection.batch("RELEASE SAVEPOINT one")?;
    Ok((revision, touched))
}
