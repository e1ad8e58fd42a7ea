//! The only files that know there are two engines.

mod postgres;
mod sqlite;
mod tls;
mod value;

use std::fmt;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use portcullis_core::secret::SecretBuf;

use crate::error::StoreError;
use crate::sql::{Assembled, Sql};

use sqlite::FileId;
pub(crate) use value::{Row, Value};

/// The name of the SQLite file in the data folder.
pub const SQLITE_FILE: &str = "portcullis.db";

/// Which database.
pub enum Target {
    /// A PostgreSQL server; the URL may hold a password.
    Postgres(SecretBuf),
    /// The file in this data folder.
    Sqlite(PathBuf),
}

impl Target {
    /// Whether what is said to it would cross a network in plain text, though nobody has said that
    /// it may (`sslmode=disable`).
    ///
    /// # Errors
    /// It is a URL that cannot be understood.
    pub fn is_exposed(&self) -> Result<bool, StoreError> {
        match self {
            Self::Postgres(url) => tls::Wanted::of(url.expose_text())?.is_exposed(),
            Self::Sqlite(_) => Ok(false),
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Postgres(_) => f.write_str("Postgres(..)"),
            Self::Sqlite(folder) => f.debug_tuple("Sqlite").field(folder).finish(),
        }
    }
}

/// How long connecting may take, from the name's address to the end of the greeting.
pub const CONNECT_DEADLINE: Duration = Duration::from_secs(5);
/// How long the first load of everything, or a migration, may take.
pub const LOAD_DEADLINE: Duration = Duration::from_mins(5);
/// How long a lock of another's is waited for, and how long a transaction that holds the revision
/// may rest or run one statement.
pub const LOCK_DEADLINE: Duration = Duration::from_secs(2);
/// How long a read may queue, and then how long it may last.
pub const READ_DEADLINE: Duration = Duration::from_secs(10);
/// How long a write may queue, and then how long its transaction may last, COMMIT included.
pub const WRITE_DEADLINE: Duration = Duration::from_secs(10);

/// How long the database may keep a thread of the store waiting.
#[derive(Clone, Copy, Debug)]
pub struct Deadlines {
    /// See [`CONNECT_DEADLINE`].
    pub connect: Duration,
    /// See [`LOAD_DEADLINE`].
    pub load: Duration,
    /// See [`LOCK_DEADLINE`].
    pub lock: Duration,
    /// See [`READ_DEADLINE`].
    pub read: Duration,
    /// See [`WRITE_DEADLINE`].
    pub write: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            connect: CONNECT_DEADLINE,
            load: LOAD_DEADLINE,
            lock: LOCK_DEADLINE,
            read: READ_DEADLINE,
            write: WRITE_DEADLINE,
        }
    }
}

/// The way to a database.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) target: Target,
    pub(crate) deadlines: Deadlines,
    /// The file that was opened or made first; no other one is opened in its place.
    file: OnceLock<FileId>,
}

impl Route {
    pub(crate) const fn new(target: Target, deadlines: Deadlines) -> Self {
        Self { target, deadlines, file: OnceLock::new() }
    }

    /// Whether several nodes may share the database.
    pub(crate) const fn is_shared(&self) -> bool {
        matches!(self.target, Target::Postgres(_))
    }

    /// Connects. The first to do so makes the file; if it goes, it is not made anew.
    pub(crate) fn connect(&self) -> Result<Connection, StoreError> {
        let connection = Connection::reach(&self.target, self.deadlines, self.file.get().copied())?;
        if let Connection::Sqlite(it) = &connection {
            self.file.get_or_init(|| it.file());
        }
        Ok(connection)
    }
}

/// How a transaction begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mode {
    /// One snapshot of everything, which may take its time.
    Load,
    /// One snapshot of everything, nothing written.
    Snapshot,
    /// Durable when committed.
    Write,
}

impl Mode {
    /// How long such a transaction may last.
    const fn limit(self, deadlines: &Deadlines) -> Duration {
        match self {
            Self::Load => deadlines.load,
            Self::Snapshot => deadlines.read,
            Self::Write => deadlines.write,
        }
    }
}

/// What became of a COMMIT that did not simply succeed.
#[derive(Debug)]
pub(crate) enum CommitError {
    /// It certainly did not happen.
    Failed(StoreError),
    /// Nobody knows yet; the connection is gone.
    Unknown,
}

/// Which history the database itself is in: after a failover, PostgreSQL counts another timeline.
/// Fails on a standby.
pub(crate) const HISTORY: Sql = Sql::both(
    "SELECT system_identifier::TEXT || '/' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)
     FROM pg_control_system()",
    "SELECT ''",
);

/// One connection.
#[derive(Debug)]
pub(crate) enum Connection {
    Postgres(Box<postgres::Connection>),
    Sqlite(sqlite::Connection),
}

/// The same call on whichever engine it is.
macro_rules! on_engine {
    ($self:expr, $connection:ident => $call:expr) => {
        match $self {
            Connection::Postgres($connection) => $call,
            Connection::Sqlite($connection) => $call,
        }
    };
}

impl Connection {
    /// Connects to `target`.
    #[cfg(test)]
    pub(crate) fn open(target: &Target) -> Result<Self, StoreError> {
        Self::reach(target, Deadlines::default(), None)
    }

    fn reach(
        target: &Target,
        deadlines: Deadlines,
        file: Option<FileId>,
    ) -> Result<Self, StoreError> {
        match target {
            Target::Postgres(url) => postgres::Connection::open(url.expose_text(), deadlines)
                .map(|it| Self::Postgres(Box::new(it))),
            Target::Sqlite(folder) => {
                sqlite::Connection::open(&folder.join(SQLITE_FILE), deadlines, file)
                    .map(Self::Sqlite)
            }
        }
    }

    /// Runs a statement; how many rows it touched.
    pub(crate) fn execute(&mut self, sql: &Sql, values: &[Value]) -> Result<u64, StoreError> {
        on_engine!(self, it => it.execute(sql, values))
    }

    /// Runs a statement; what it answered.
    pub(crate) fn rows(&mut self, sql: &Sql, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        on_engine!(self, it => it.rows(sql, values))
    }

    /// Runs a statement that was put together; what it answered.
    pub(crate) fn ask(&mut self, asked: &Assembled) -> Result<Vec<Row>, StoreError> {
        on_engine!(self, it => it.ask(asked))
    }

    /// Runs several statements without parameters: migrations and their like.
    pub(crate) fn batch(&mut self, text: &str) -> Result<(), StoreError> {
        on_engine!(self, it => it.batch(text))
    }

    /// Prepares a statement, to find out whether the engine understands it.
    #[cfg(test)]
    pub(crate) fn prepare(&mut self, sql: &Sql) -> Result<(), StoreError> {
        on_engine!(self, it => it.prepare(sql))
    }

    /// Begins a transaction.
    pub(crate) fn begin(&mut self, mode: Mode) -> Result<(), StoreError> {
        on_engine!(self, it => it.begin(mode))
    }

    /// Commits it.
    pub(crate) fn commit(&mut self) -> Result<(), CommitError> {
        on_engine!(self, it => it.commit())
    }

    /// Undoes it.
    pub(crate) fn rollback(&mut self) -> Result<(), StoreError> {
        on_engine!(self, it => it.rollback())
    }

    /// Keeps two processes from migrating at once, until the transaction ends.
    pub(crate) fn lock_for_migration(&mut self) -> Result<(), StoreError> {
        match self {
            Self::Postgres(it) => it.lock_for_migration(),
            // BEGIN IMMEDIATE has locked it.
            Self::Sqlite(_) => Ok(()),
        }
    }

    /// Keeps two processes from recording at once, until the transaction ends. Whatever is read
    /// after it was read by nobody who could still change it.
    pub(crate) fn lock_for_recording(&mut self) -> Result<(), StoreError> {
        match self {
            Self::Postgres(it) => it.lock_for_recording(),
            // BEGIN IMMEDIATE has locked it.
            Self::Sqlite(_) => Ok(()),
        }
    }

    /// Tells the other nodes that something changed; losing it costs a second, not correctness.
    pub(crate) fn notify(&mut self) -> Result<(), StoreError> {
        match self {
            Self::Postgres(it) => it.notify(),
            Self::Sqlite(_) => Ok(()),
        }
    }

    /// Waits for at most `span` until another process tells that something changed; whether one
    /// did.
    pub(crate) fn wait(&mut self, span: Duration) -> Result<bool, StoreError> {
        match self {
            Self::Postgres(it) => it.wait(span),
            Self::Sqlite(_) => Ok(false),
        }
    }

    /// Whether nothing can be expected of this connection any more: it is lost, or may stand in a
    /// transaction that nobody has ended.
    pub(crate) fn is_broken(&self) -> bool {
        on_engine!(self, it => it.is_broken())
    }

    /// Which words the migrations use.
    pub(crate) const fn words(&self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Postgres(_) => postgres::WORDS,
            Self::Sqlite(_) => sqlite::WORDS,
        }
    }
}
