//! SQLite: one file, WAL, `synchronous=FULL`, so that what is acknowledged survives a power cut.

use std::fs::File;
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{ErrorCode, Statement, ToSql, ffi};

use super::{CommitError, Deadlines, Mode, Row, Value};
use crate::error::StoreError;
use crate::sql::{Assembled, Sql};

/// How the migrations spell their words here.
pub(super) const WORDS: &[(&str, &str)] = &[
    ("{INT}", "INTEGER"),
    ("{BLOB}", "BLOB"),
    ("{STRICT}", "STRICT"),
    ("{X}", "X'"),
    ("{/X}", "'"),
];

#[derive(Debug)]
pub(crate) struct Connection {
    sqlite: rusqlite::Connection,
    path: PathBuf,
    file: FileId,
}

/// Which file it is: device and inode.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct FileId(u64, u64);

impl FileId {
    fn of(path: &Path) -> io::Result<Self> {
        std::fs::metadata(path).map(|found| Self(found.dev(), found.ino()))
    }
}

impl Connection {
    /// Opens the file at `path` if it is `known`; where none is yet, it may be made.
    pub(super) fn open(
        path: &Path,
        deadlines: Deadlines,
        known: Option<FileId>,
    ) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Folder { what: path.display().to_string(), source };
        // Made before SQLite does: what lies beside it gets its rights too.
        let mut options = File::options();
        let made = options.create(known.is_none()).append(true).mode(0o600).open(path);
        drop(made.map_err(failed)?);
        let file = known.map_or_else(|| FileId::of(path), Ok).map_err(failed)?;
        check(path, file)?;
        let sqlite = rusqlite::Connection::open(path).map_err(|error| told(&error))?;
        sqlite.set_prepared_statement_cache_capacity(128);
        let settings = format!(
            "PRAGMA busy_timeout = {};
             PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             PRAGMA foreign_keys = ON;
             PRAGMA cache_size = -1024;",
            deadlines.lock.as_millis()
        );
        sqlite.execute_batch(&settings).map_err(|error| told(&error))?;
        Ok(Self { sqlite, path: path.to_owned(), file })
    }

    pub(super) fn execute(&self, sql: &Sql, values: &[Value]) -> Result<u64, StoreError> {
        let run =
            || self.sqlite.prepare_cached(sql.sqlite)?.execute(rusqlite::params_from_iter(values));
        run().map(|count| count as u64).map_err(|error| told(&error))
    }

    pub(super) fn rows(&self, sql: &Sql, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        let run = || answer(&mut *self.sqlite.prepare_cached(sql.sqlite)?, values);
        run().map_err(|error| told(&error))
    }

    /// Nothing is kept prepared: there is no end to what can be put together.
    pub(super) fn ask(&self, asked: &Assembled) -> Result<Vec<Row>, StoreError> {
        let run = || answer(&mut self.sqlite.prepare(asked.sqlite())?, asked.values());
        run().map_err(|error| told(&error))
    }

    pub(super) fn batch(&self, text: &str) -> Result<(), StoreError> {
        self.sqlite.execute_batch(text).map_err(|error| told(&error))
    }

    #[cfg(test)]
    pub(super) fn prepare(&self, sql: &Sql) -> Result<(), StoreError> {
        self.sqlite.prepare(sql.sqlite).map(drop).map_err(|error| told(&error))
    }

    pub(super) fn begin(&self, mode: Mode) -> Result<(), StoreError> {
        check(&self.path, self.file)?;
        match mode {
            Mode::Load | Mode::Snapshot => self.batch("BEGIN DEFERRED"),
            Mode::Write => self.batch("BEGIN IMMEDIATE"),
        }
    }

    /// A COMMIT that fails here has not happened: it is rolled back, or was already.
    pub(super) fn commit(&self) -> Result<(), CommitError> {
        self.batch("COMMIT").map_err(|error| {
            if !self.sqlite.is_autocommit() {
                // Nothing more can be done if this fails too; the next BEGIN will say so.
                drop(self.batch("ROLLBACK"));
            }
            CommitError::Failed(error)
        })
    }

    pub(super) fn rollback(&self) -> Result<(), StoreError> {
        self.batch("ROLLBACK")
    }

    pub(super) const fn file(&self) -> FileId {
        self.file
    }

    pub(super) fn is_broken(&self) -> bool {
        !self.sqlite.is_autocommit()
    }
}

fn answer(statement: &mut Statement<'_>, values: &[Value]) -> rusqlite::Result<Vec<Row>> {
    let columns = statement.column_count();
    let mut rows = statement.query(rusqlite::params_from_iter(values))?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let read = |column| row.get_ref(column).map(Value::from);
        all.push(Row::new((0..columns).map(read).collect::<Result<_, _>>()?));
    }
    Ok(all)
}

/// SQLite would go on with a file that was removed or replaced: what it says is done would be gone,
/// and what others write would not be seen.
fn check(path: &Path, file: FileId) -> Result<(), StoreError> {
    let same = FileId::of(path).and_then(|found| match found == file {
        true => Ok(()),
        false => Err(io::Error::other("another file is in its place")),
    });
    same.map_err(|source| StoreError::Folder { what: path.display().to_string(), source })
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
