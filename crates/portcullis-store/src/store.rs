//! The store's own threads: one that writes, one that records, a few that read.
//!
//! The writer commits what has queued together in one transaction, each write under a savepoint
//! with its own revision, so that durability costs one sync a batch. A batch is bounded, since
//! whoever holds the number stops everybody else's.
//!
//! What is recorded changes no decision: it takes no number, and has batches of its own. Where
//! there is one writer at a time (SQLite), the thread that writes does both in turn.

mod job;
mod outcome;
mod queue;
pub(crate) mod reader;
mod recording;
mod worker;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use portcullis_core::id::Revision;
use portcullis_core::seal;
use portcullis_core::time::{Clock, Timestamp};
use tokio::sync::oneshot;

use crate::engine::{CommitError, Connection, Deadlines, Mode, Route, Row, Target, Value};
use crate::error::StoreError;
use crate::nodes::{Node, Sightings};
use crate::sql::Sql;
use crate::{audit, meta, migrations};

use job::job;
use queue::Lane;
use reader::Readers;
pub use recording::Recording;
use worker::Worker;

/// One batch of the writer has at most so many writes.
pub const BATCH_WRITES: usize = 60;
/// A batch that has touched so many rows takes no further write.
pub const BATCH_ROWS: u64 = 1_000;
/// A batch that has lasted so long, in milliseconds, takes no further write.
pub const BATCH_MILLIS: u64 = 2_000;
/// One batch of what is recorded has at most so many jobs.
pub const RECORD_BATCH: usize = 60;
/// A batch of what is recorded that has touched so many rows takes no further job.
pub const RECORD_ROWS: u64 = 5_000;
/// A batch of what is recorded that has lasted so long, in milliseconds, takes no further job: on
/// SQLite a write may wait for it.
pub const RECORD_MILLIS: u64 = 100;
/// How many jobs may wait for a thread of the store.
pub const QUEUE: usize = 10_000;

/// All that is remembered.
#[derive(Debug)]
pub struct Store {
    readers: Readers,
    writer: Worker,
    /// Where more than one can write.
    recorder: Option<Worker>,
    route: Arc<Route>,
    sightings: Arc<Mutex<Sightings>>,
}

/// What is about to be written: who does it, and what it is called in the audit trail.
#[derive(Clone, Debug)]
pub struct Write {
    /// Names this very attempt, so that a lost answer can be looked up.
    pub request: [u8; 16],
    /// Who does it.
    pub actor: String,
    /// What it is, such as `key.revoke`.
    pub action: &'static str,
    /// Whether it takes something away, and so goes to the head of the queue.
    pub urgent: bool,
}

impl Write {
    /// A write of `actor`'s that is called `action`.
    ///
    /// # Errors
    /// The system gave no randomness.
    pub fn new(actor: impl Into<String>, action: &'static str) -> Result<Self, StoreError> {
        Ok(Self { request: seal::random()?, actor: actor.into(), action, urgent: false })
    }

    /// The same, ahead of what has queued.
    #[must_use]
    pub fn urgent(self) -> Self {
        Self { urgent: true, ..self }
    }
}

/// What was written, and the revision of it.
#[derive(Clone, Copy, Debug)]
pub struct Written<T> {
    /// What the write answered.
    pub value: T,
    /// The number it took.
    pub revision: Revision,
}

/// A transaction that only reads: one snapshot.
pub struct Reading<'c>(pub(crate) &'c mut Connection);

/// A transaction that has taken its revision.
pub struct Writing<'c> {
    connection: &'c mut Connection,
    /// The number that every changed row must carry.
    pub revision: Revision,
    /// The moment of the write.
    pub now: Timestamp,
    subject: String,
    detail: String,
    touched: u64,
}

/// Housekeeping that changes no decision, and so takes no revision.
pub struct Tending<'c>(pub(crate) &'c mut Connection);

/// What a query may be asked of, whichever transaction it stands in.
pub(crate) trait Rows {
    fn rows(&mut self, sql: &Sql, values: &[Value]) -> Result<Vec<Row>, StoreError>;

    fn first(&mut self, sql: &Sql, values: &[Value]) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(sql, values)?.into_iter().next())
    }
}

impl Rows for Connection {
    fn rows(&mut self, sql: &Sql, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        self.rows(sql, values)
    }
}

impl Rows for Reading<'_> {
    fn rows(&mut self, sql: &Sql, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        self.0.rows(sql, values)
    }
}

impl Rows for Writing<'_> {
    fn rows(&mut self, sql: &Sql, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        self.connection.rows(sql, values)
    }
}

impl Writing<'_> {
    /// Does `work` under the next revision, with its row in the audit trail.
    fn run<T>(
        connection: &mut Connection,
        now: Timestamp,
        write: &Write,
        work: impl FnOnce(&mut Writing<'_>) -> Result<T, StoreError>,
    ) -> Result<(Written<T>, u64), StoreError> {
        let revision = meta::next_revision(connection, now)?;
        let mut writing = Writing {
            connection,
            revision,
            now,
            subject: String::new(),
            detail: String::new(),
            touched: 0,
        };
        let value = work(&mut writing)?;
        let (subject, detail, touched) = (writing.subject, writing.detail, writing.touched);
        let entry = audit::Entry {
            revision,
            moment: now,
            actor: write.actor.clone(),
            action: write.action.to_owned(),
            subject,
            detail,
        };
        audit::record(connection, &entry, write.request)?;
        Ok((Written { value, revision }, touched))
    }

    pub(crate) fn execute(&mut self, sql: &Sql, values: &[Value]) -> Result<u64, StoreError> {
        let touched = self.connection.execute(sql, values)?;
        self.touched += touched;
        Ok(touched)
    }

    /// Like [`Writing::execute`], where exactly one row must be touched.
    pub(crate) fn execute_one(
        &mut self,
        what: &'static str,
        sql: &Sql,
        values: &[Value],
    ) -> Result<(), StoreError> {
        match self.execute(sql, values)? {
            0 => Err(StoreError::NotFound(what)),
            _ => Ok(()),
        }
    }

    /// Says what the write was about, for its row in the audit trail. No secret belongs here.
    pub fn note(&mut self, subject: impl fmt::Display, detail: impl Into<String>) {
        self.subject = subject.to_string();
        self.detail = detail.into();
    }
}

impl Tending<'_> {
    pub(crate) fn execute(&mut self, sql: &Sql, values: &[Value]) -> Result<u64, StoreError> {
        self.0.execute(sql, values)
    }
}

impl fmt::Debug for Reading<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reading")
    }
}

impl fmt::Debug for Writing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writing").field("revision", &self.revision).finish_non_exhaustive()
    }
}

impl fmt::Debug for Tending<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tending")
    }
}

impl Store {
    /// Opens the database, migrates it, and starts the threads.
    ///
    /// # Errors
    /// It cannot be reached, is newer than this build, or is damaged.
    pub fn open(target: Target, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        Self::open_within(Deadlines::default(), target, clock)
    }

    /// The same with deadlines of one's own.
    ///
    /// # Errors
    /// It cannot be reached, is newer than this build, or is damaged.
    pub fn open_within(
        deadlines: Deadlines,
        target: Target,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let route = Arc::new(Route::new(target, deadlines));
        let now = clock.now().wall;
        // On a thread of its own, as everything of the store is: the caller's may be a runtime's.
        let prepared = std::thread::scope(|scope| scope.spawn(|| prepare(&route, now)).join());
        let connection = prepared.map_err(|_| StoreError::Stopped)??;
        let readers = Readers::start(&route, &clock)?;
        let writer = Worker::start("store-write", Some(connection), &route, Arc::clone(&clock))?;
        let recorder =
            route.is_shared().then(|| Worker::start("store-record", None, &route, clock));
        let recorder = recorder.transpose()?;
        Ok(Self { readers, writer, recorder, route, sightings: Arc::default() })
    }

    pub(crate) const fn route(&self) -> &Arc<Route> {
        &self.route
    }

    /// Whether several nodes may share it.
    pub fn is_shared(&self) -> bool {
        self.route.is_shared()
    }

    /// What this process's follower has seen of the other nodes.
    pub(crate) const fn sightings(&self) -> &Arc<Mutex<Sightings>> {
        &self.sightings
    }

    /// For how many milliseconds since boot the row of `node` had stood still, as this process's
    /// own follower saw it, when a reading that began at `now` found it; nought where none follows.
    pub fn stood_still(&self, node: &Node, now: u64) -> u64 {
        self.sightings.lock().unwrap_or_else(PoisonError::into_inner).still_for(node, now)
    }

    /// Runs `work` in one snapshot.
    ///
    /// # Errors
    /// Those of `work`, and the store's own.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Reading<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (tell, told) = oneshot::channel();
        self.readers.queue(Box::new(move |connection| {
            let answer = connection.and_then(|it| reader::snapshot(it, Mode::Snapshot, work));
            // Whoever asked may have gone away.
            drop(tell.send(answer));
        }))?;
        told.await.map_err(|_| StoreError::Stopped)?
    }

    /// Runs `work` under the next revision, with its row in the audit trail; answers when it is
    /// durable. If the answer of the database is lost or late, it is looked up by the request.
    ///
    /// # Errors
    /// Those of `work`, which then changes nothing, and the store's own. After
    /// [`StoreError::UnknownOutcome`] alone it may stand or not: [`Store::find_outcome`] tells.
    pub async fn write<T: Send + 'static>(
        &self,
        write: Write,
        work: impl FnOnce(&mut Writing<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<Written<T>, StoreError> {
        let urgent = write.urgent;
        let (job, told) = job(Some(write.request), move |connection, now| {
            Writing::run(connection, now, &write, work)
        });
        self.writer.queue(Lane::Writes, job, urgent)?;
        told.await.map_err(|_| StoreError::Stopped)?
    }

    /// Runs `work` without a revision, for what no decision depends on; answers when it is durable.
    ///
    /// # Errors
    /// Those of `work`, which then changes nothing, and the store's own. After
    /// [`StoreError::UnknownOutcome`] it may stand or not.
    pub async fn record<T, E>(
        &self,
        work: impl FnOnce(&mut Recording<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (job, told) = job(None, move |connection, now| Recording::run(connection, now, work));
        self.recorder.as_ref().unwrap_or(&self.writer).queue(Lane::Records, job, false)?;
        told.await.map_err(|_| StoreError::Stopped)?
    }

    /// What became of a write that was told as [`StoreError::UnknownOutcome`]: its revision, or
    /// `None` if it certainly was not done and will not be.
    ///
    /// # Errors
    /// It is still not known, or the store's own.
    pub async fn find_outcome(&self, request: [u8; 16]) -> Result<Option<Revision>, StoreError> {
        let found = self.tend(move |tending| outcome::find(tending, &[request]));
        Ok(found.await?.into_iter().next().flatten())
    }

    /// Runs housekeeping that changes no decision.
    ///
    /// # Errors
    /// Those of `work`, and the store's own.
    pub async fn tend<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Tending<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (tell, told) = oneshot::channel();
        self.readers.queue(Box::new(move |connection| {
            let answer = connection.and_then(|it| reader::tend(it, work));
            drop(tell.send(answer));
        }))?;
        told.await.map_err(|_| StoreError::Stopped)?
    }
}

fn prepare(route: &Route, now: Timestamp) -> Result<Connection, StoreError> {
    let mut connection = route.connect()?;
    migrations::run(&mut connection)?;
    meta::prepare(&mut connection, now)?;
    Ok(connection)
}

/// Where there is nobody to look an unknown outcome up, it is told as it is.
pub(crate) fn committed(outcome: Result<(), CommitError>) -> Result<(), StoreError> {
    outcome.map_err(|error| match error {
        CommitError::Failed(error) => error,
        CommitError::Unknown => StoreError::UnknownOutcome,
    })
}
