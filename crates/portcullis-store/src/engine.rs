//! The only files that know there are two engines.

mod postgres;
mod sqlite;
mod value;

use std::fmt;
use std::path::PathBuf;

use portcullis_core::secret::SecretBuf;

use crate::error::StoreError;
use crate::sql::Sql;

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

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Postgres(_) => f.write_str("Postgres(..)"),
            Self::Sqlite(folder) => f.debug_tuple("Sqlite").field(folder).finish(),
        }
    }
}

/// How a transaction begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mode {
    /// One snapshot of everything, nothing written.
    Snapshot,
    /// Durable when committed.
    Write,
}

/// What became of a COMMIT that did not simply succeed.
#[derive(Debug)]
pub(crate) enum CommitError {
    /// It certainly did not happen.
    Failed(StoreError),
    /// Nobody knows yet; the connection is gone.
    Unknown,
}

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
    pub(crate) fn open(target: &Target) -> Result<Self, StoreError> {
        match target {
            Target::Postgres(url) => {
                postgres::Connection::open(url.expose_text()).map(|it| Self::Postgres(Box::new(it)))
            }
            Target::Sqlite(folder) => {
                sqlite::Connection::open(&folder.join(SQLITE_FILE)).map(Self::Sqlite)
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

    /// Keeps two processes from migrating at once, until the transaction ends.
    pub(crate) fn lock_for_migration(&mut self) -> Result<(), StoreError> {
        match self {
            Self::Postgres(it) => it.lock_for_migration(),
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
    pub(crate) fn wait(&mut self, span: std::time::Duration) -> Result<bool, StoreError> {
        match self {
            Self::Postgres(it) => it.wait(span),
            Self::Sqlite(_) => Ok(false),
        }
    }

    /// Whether nothing can be expected of this connection any more.
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
