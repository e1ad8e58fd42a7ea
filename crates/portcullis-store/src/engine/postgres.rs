//! PostgreSQL 13 or newer, through the synchronous client on the store's own threads.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::time::Duration;

use postgres::error::SqlState;
use postgres::fallible_iterator::FallibleIterator as _;
use postgres::types::private::BytesMut;
use postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use postgres::{Client, NoTls, Statement};

use super::{CommitError, Mode, Row, Value};
use crate::error::StoreError;
use crate::sql::Sql;

/// How the migrations spell their words here.
pub(super) const WORDS: &[(&str, &str)] =
    &[("{INT}", "BIGINT"), ("{BLOB}", "BYTEA"), ("{STRICT}", ""), ("{X}", "'\\x"), ("{/X}", "'")];

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long bytes may stay without an acknowledgement before the connection counts as lost.
const UNANSWERED: Duration = Duration::from_secs(5);
/// Names the lock under which one process at a time migrates.
const MIGRATION_LOCK: &str = "SELECT pg_advisory_xact_lock(7710112)";
/// A transaction that holds the revision may not be paused for longer (`SET LOCAL` only: session
/// state is never relied on, for a pooler may stand between).
const WRITE_LIMITS: &str = "BEGIN;
    SET LOCAL lock_timeout = '2s';
    SET LOCAL statement_timeout = '2s';
    SET LOCAL idle_in_transaction_session_timeout = '2s';
    SET LOCAL synchronous_commit = on";
const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
    SET LOCAL statement_timeout = '30s'";

pub(crate) struct Connection {
    client: Client,
    prepared: HashMap<&'static str, Statement>,
    listening: bool,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("listening", &self.listening).finish_non_exhaustive()
    }
}

impl Connection {
    pub(super) fn open(url: &str) -> Result<Self, StoreError> {
        let mut config: postgres::Config = url.parse().map_err(|_| {
            // The parser's own message may quote the password.
            StoreError::Unreachable("the database URL is not one".into())
        })?;
        config.connect_timeout(CONNECT_TIMEOUT).tcp_user_timeout(UNANSWERED);
        config.application_name("portcullis");
        let client = config.connect(NoTls).map_err(|error| unreachable_because(&error))?;
        Ok(Self { client, prepared: HashMap::new(), listening: false })
    }

    fn statement(&mut self, sql: &Sql) -> Result<Statement, StoreError> {
        if let Some(statement) = self.prepared.get(sql.postgres) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql.postgres).map_err(|error| told(&error))?;
        self.prepared.insert(sql.postgres, statement.clone());
        Ok(statement)
    }

    pub(super) fn execute(&mut self, sql: &Sql, values: &[Value]) -> Result<u64, StoreError> {
        let statement = self.statement(sql)?;
        self.client.execute(&statement, &bound(values)).map_err(|error| told(&error))
    }

    pub(super) fn rows(&mut self, sql: &Sql, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        let statement = self.statement(sql)?;
        let rows = self.client.query(&statement, &bound(values)).map_err(|error| told(&error))?;
        rows.iter().map(read).collect()
    }

    pub(super) fn batch(&mut self, text: &str) -> Result<(), StoreError> {
        self.client.batch_execute(text).map_err(|error| told(&error))
    }

    #[cfg(test)]
    pub(super) fn prepare(&mut self, sql: &Sql) -> Result<(), StoreError> {
        self.statement(sql).map(drop)
    }

    pub(super) fn begin(&mut self, mode: Mode) -> Result<(), StoreError> {
        match mode {
            Mode::Snapshot => self.batch(SNAPSHOT),
            Mode::Write => self.batch(WRITE_LIMITS),
        }
    }

    /// No statement timeout bounds a COMMIT. Whatever is not a plain refusal by the server leaves
    /// the outcome open.
    pub(super) fn commit(&mut self) -> Result<(), CommitError> {
        self.client.batch_execute("COMMIT").map_err(|error| {
            // A FATAL one may come after the commit took effect on the server.
            let refused = error.as_db_error().is_some_and(|it| it.severity() == "ERROR");
            if refused && !self.client.is_closed() {
                CommitError::Failed(told(&error))
            } else {
                CommitError::Unknown
            }
        })
    }

    pub(super) fn lock_for_migration(&mut self) -> Result<(), StoreError> {
        // Another process may migrate for longer than a write may wait.
        self.batch("SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0")?;
        self.batch(MIGRATION_LOCK)
    }

    pub(super) fn notify(&mut self) -> Result<(), StoreError> {
        self.batch("NOTIFY portcullis")
    }

    pub(super) fn wait(&mut self, span: Duration) -> Result<bool, StoreError> {
        if !self.listening {
            self.batch("LISTEN portcullis")?;
            self.listening = true;
        }
        let mut told_us = self.client.notifications();
        let rung = told_us.timeout_iter(span).next().map_err(|error| told(&error))?.is_some();
        // However many there are, one look at the feed serves them all.
        told_us.iter().count().map_err(|error| told(&error)).map(|more| rung || more > 0)
    }

    pub(super) fn is_broken(&self) -> bool {
        self.client.is_closed()
    }
}

fn bound(values: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

fn read(row: &postgres::Row) -> Result<Row, StoreError> {
    let value = |(at, column): (usize, &postgres::Column)| {
        let value = match *column.type_() {
            Type::INT8 => row.try_get::<_, Option<i64>>(at).map(Value::from),
            Type::INT4 => row.try_get::<_, Option<i32>>(at).map(|it| it.map(i64::from).into()),
            Type::BYTEA => row.try_get::<_, Option<&[u8]>>(at).map(Value::from),
            _ => row.try_get::<_, Option<&str>>(at).map(Value::from),
        };
        value.map_err(|error| StoreError::Corrupt { table: "a query", reason: error.to_string() })
    };
    row.columns().iter().enumerate().map(value).collect::<Result<_, _>>().map(Row::new)
}

impl ToSql for Value {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Bytes(bytes) => bytes.to_sql(kind, out),
            Self::Integer(number) if *kind == Type::INT4 => {
                i32::try_from(*number)?.to_sql(kind, out)
            }
            Self::Integer(number) => number.to_sql(kind, out),
            Self::Null => Ok(IsNull::Yes),
            Self::Text(text) => text.to_sql(kind, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn told(error: &postgres::Error) -> StoreError {
    let Some(refusal) = error.as_db_error() else { return unreachable_because(error) };
    match *refusal.code() {
        SqlState::UNIQUE_VIOLATION => StoreError::Conflict,
        SqlState::LOCK_NOT_AVAILABLE
        | SqlState::QUERY_CANCELED
        | SqlState::T_R_SERIALIZATION_FAILURE
        | SqlState::T_R_DEADLOCK_DETECTED => StoreError::Busy,
        SqlState::ADMIN_SHUTDOWN | SqlState::CRASH_SHUTDOWN | SqlState::CANNOT_CONNECT_NOW => {
            unreachable_because(error)
        }
        _ => StoreError::Engine(format!("{} ({})", refusal.message(), refusal.code().code())),
    }
}

fn unreachable_because(error: &postgres::Error) -> StoreError {
    let cause = error.source().map(|source| format!(": {source}")).unwrap_or_default();
    StoreError::Unreachable(format!("{error}{cause}"))
}
