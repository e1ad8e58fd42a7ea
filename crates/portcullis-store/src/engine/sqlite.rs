//! SQLite: one file, WAL, `synchronous=FULL`, so that what is acknowledged survives a power cut.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{ErrorCode, ToSql, ffi};

use super::{CommitError, Mode, Row, Value};
use crate::error::StoreError;
use crate::sql::Sql;

/// How the migrations spell their words here.
pub(super) const WORDS: &[(&str, &str)] = &[
    ("{INT}", "INTEGER"),
    ("{BLOB}", "BLOB"),
    ("{STRICT}", "STRICT"),
    ("{X}", "X'"),
    ("{/X}", "'"),
];

/// How long a writer waits for another process, in milliseconds.
const BUSY_TIMEOUT: &str = "2000";

#[derive(Debug)]
pub(crate) struct Connection(rusqlite::Connection);

impl Connection {
    pub(super) fn open(file: &Path) -> Result<Self, StoreError> {
        // Made before SQLite does: what lies beside it gets its rights too.
        let made = File::options().create(true).append(true).mode(0o600).open(file);
        made.map_err(|source| StoreError::Folder { what: file.display().to_string(), source })?;
        let opened = rusqlite::Connection::open(file).map_err(|error| told(&error))?;
        opened.set_prepared_statement_cache_capacity(128);
        let settings = format!(
            "PRAGMA busy_timeout = {BUSY_TIMEOUT};
             PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             PRAGMA foreign_keys = ON;
             PRAGMA cache_size = -1024;"
        );
        opened.execute_batch(&settings).map_err(|error| told(&error))?;
        Ok(Self(opened))
    }

    pub(super) fn execute(&self, sql: &Sql, values: &[Value]) -> Result<u64, StoreError> {
        let run = || self.0.prepare_cached(sql.sqlite)?.execute(rusqlite::params_from_iter(values));
        run().map(|count| count as u64).map_err(|error| told(&error))
    }

    pub(super) fn rows(&self, sql: &Sql, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        let run = || {
            let mut statement = self.0.prepare_cached(sql.sqlite)?;
            let columns = statement.column_count();
            let mut rows = statement.query(rusqlite::params_from_iter(values))?;
            let mut all = Vec::new();
            while let Some(row) = rows.next()? {
                let read = |column| row.get_ref(column).map(Value::from);
                all.push(Row::new((0..columns).map(read).collect::<Result<_, _>>()?));
            }
            Ok(all)
        };
        run().map_err(|error: rusqlite::Error| told(&error))
    }

    pub(super) fn batch(&self, text: &str) -> Result<(), StoreError> {
        self.0.execute_batch(text).map_err(|error| told(&error))
    }

    #[cfg(test)]
    pub(super) fn prepare(&self, sql: &Sql) -> Result<(), StoreError> {
        self.0.prepare(sql.sqlite).map(drop).map_err(|error| told(&error))
    }

    pub(super) fn begin(&self, mode: Mode) -> Result<(), StoreError> {
        match mode {
            Mode::Snapshot => self.batch("BEGIN DEFERRED"),
            Mode::Write => self.batch("BEGIN IMMEDIATE"),
        }
    }

    /// A COMMIT that fails here has not happened: it is rolled back, or was already.
    pub(super) fn commit(&self) -> Result<(), CommitError> {
        self.batch("COMMIT").map_err(|error| {
            if !self.0.is_autocommit() {
                // Nothing more can be done if this fails too; the next BEGIN will say so.
                drop(self.batch("ROLLBACK"));
            }
            CommitError::Failed(error)
        })
    }

    #[expect(clippy::unused_self, reason = "the other engine's connection can break")]
    pub(super) const fn is_broken(&self) -> bool {
        false
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Null => ValueRef::Null,
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

impl From<ValueRef<'_>> for Value {
    fn from(value: ValueRef<'_>) -> Self {
        match value {
            // No column is REAL: STRICT tables see to it.
            ValueRef::Null | ValueRef::Real(_) => Self::Null,
            ValueRef::Integer(number) => Self::Integer(number),
            ValueRef::Text(text) => Self::Text(String::from_utf8_lossy(text).into_owned()),
            ValueRef::Blob(bytes) => Self::Bytes(bytes.to_vec()),
        }
    }
}

fn told(error: &rusqlite::Error) -> StoreError {
    let rusqlite::Error::SqliteFailure(failure, _) = error else {
        return StoreError::Engine(error.to_string());
    };
    if matches!(failure.code, ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) {
        return StoreError::Busy;
    }
    let unique = [ffi::SQLITE_CONSTRAINT_UNIQUE, ffi::SQLITE_CONSTRAINT_PRIMARYKEY];
    if unique.contains(&failure.extended_code) {
        return StoreError::Conflict;
    }
    StoreError::Engine(error.to_string())
}
