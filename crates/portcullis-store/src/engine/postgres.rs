//! PostgreSQL 13 or newer, through the asynchronous client: each connection has a runtime of its own
//! on the thread that uses it, so that no answer is waited for longer than its deadline.
//!
//! What runs out of its deadline is never cancelled on the server: the connection is dropped.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use tokio::time::{Sleep, sleep, timeout};
use tokio_postgres::config::TargetSessionAttrs;
use tokio_postgres::error::{Severity, SqlState};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{AsyncMessage, Client, Config, NoTls, Socket, Statement};

use super::tls::Wanted;
use super::{CommitError, Deadlines, Mode, Row, Value};
use crate::error::StoreError;
use crate::sql::{Assembled, Sql};

/// How the migrations spell their words here.
pub(super) const WORDS: &[(&str, &str)] =
    &[("{INT}", "BIGINT"), ("{BLOB}", "BYTEA"), ("{STRICT}", ""), ("{X}", "'\\x"), ("{/X}", "'")];

/// How long bytes may stay without an acknowledgement before the connection counts as lost.
const UNANSWERED: Duration = Duration::from_secs(5);
/// Names the lock under which one process at a time migrates.
const MIGRATION_LOCK: &str = "SELECT pg_advisory_xact_lock(7710112)";
/// Names the lock under which one process at a time records. It is given back after what was done
/// under it can be seen, and READ COMMITTED takes a snapshot for each statement.
const RECORDING_LOCK: &str = "SELECT pg_advisory_xact_lock(7710113)";
/// PostgreSQL answers the COMMIT of an aborted transaction with success, having rolled it back: a
/// statement ahead of it fails there, and COMMIT is not reached.
const COMMIT: &str = "SELECT 1; COMMIT";

pub(crate) struct Connection {
    patience: Patience,
    client: Client,
    heard: Arc<Heard>,
    prepared: HashMap<&'static str, Statement>,
    deadlines: Deadlines,
    /// Whether a transaction may be open, be it an aborted one.
    open: bool,
    listening: bool,
}

/// Waits for answers, none longer than its deadline.
struct Patience {
    /// Ends the transaction's time.
    timer: Option<Pin<Box<Sleep>>>,
    /// How long a call outside of a transaction may last.
    lone: Duration,
    /// Whether an answer was not waited for: what comes next belongs to another call.
    lost: bool,
    /// Drives the session while one of its calls waits, and only then.
    runtime: Runtime,
}

/// What the server says without being asked.
#[derive(Default)]
struct Heard {
    bell: Notify,
    warning: AtomicBool,
}

/// No answer within the deadline.
struct Late;

impl Patience {
    /// Gives all that follows `limit` to be over.
    fn begin(&mut self, limit: Duration) {
        let _context = self.runtime.enter();
        self.timer = Some(Box::pin(sleep(limit)));
    }

    fn ask<T>(
        &mut self,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<Result<T, tokio_postgres::Error>, Late> {
        let mut answer = pin!(answer);
        let timer = &mut self.timer;
        let lone = self.lone;
        let answer = self.runtime.block_on(async {
            let mut alone = pin!(sleep(lone));
            let mut timer = timer.as_mut().map_or(alone.as_mut(), Pin::as_mut);
            poll_fn(|context| match answer.as_mut().poll(context) {
                Poll::Ready(answer) => Poll::Ready(Ok(answer)),
                Poll::Pending => timer.as_mut().poll(context).map(|()| Err(Late)),
            })
            .await
        });
        self.lost |= answer.is_err();
        answer
    }

    fn answer<T>(
        &mut self,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, StoreError> {
        self.ask(answer).map_err(|_| late())?.map_err(|error| told(&error))
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("listening", &self.listening).finish_non_exhaustive()
    }
}

impl Connection {
    pub(super) fn open(url: &str, deadlines: Deadlines) -> Result<Self, StoreError> {
        let wanted = Wanted::of(url)?;
        let mut config = wanted.config()?;
        config.connect_timeout(deadlines.connect).tcp_user_timeout(UNANSWERED);
        config.application_name("portcullis").target_session_attrs(TargetSessionAttrs::ReadWrite);
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime =
            runtime.map_err(|source| StoreError::Folder { what: "a runtime".into(), source })?;
        let heard = Arc::<Heard>::default();
        let connected = match wanted.connector()? {
            Some(tls) => connect(&runtime, &config, tls, &heard, deadlines),
            None => connect(&runtime, &config, NoTls, &heard, deadlines),
        };
        let client = match connected {
            Ok(client) => client,
            Err(error) => {
                // The system may still be looking for an address: that is not waited for.
                runtime.shutdown_background();
                return Err(error);
            }
        };
        Ok(Self {
            patience: Patience { timer: None, lone: deadlines.lock, lost: false, runtime },
            client,
            heard,
            prepared: HashMap::new(),
            deadlines,
            open: false,
            listening: false,
        })
    }

    fn statement(&mut self, sql: &Sql) -> Result<Statement, StoreError> {
        if let Some(statement) = self.prepared.get(sql.postgres) {
            return Ok(statement.clone());
        }
        let statement = self.patience.answer(self.client.prepare(sql.postgres))?;
        self.prepared.insert(sql.postgres, statement.clone());
        Ok(statement)
    }

    pub(super) fn execute(&mut self, sql: &Sql, values: &[Value]) -> Result<u64, StoreError> {
        let statement = self.statement(sql)?;
        self.patience.answer(self.client.execute(&statement, &bound(values)))
    }

    pub(super) fn rows(&mut self, sql: &Sql, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        let statement = self.statement(sql)?;
        let rows = self.patience.answer(self.client.query(&statement, &bound(values)))?;
        rows.iter().map(read).collect()
    }

    /// Nothing is kept prepared: there is no end to what can be put together.
    pub(super) fn ask(&mut self, asked: &Assembled) -> Result<Vec<Row>, StoreError> {
        let statement = self.patience.answer(self.client.prepare(asked.postgres()))?;
        let values = bound(asked.values());
        let rows = self.patience.answer(self.client.query(&statement, &values))?;
        rows.iter().map(read).collect()
    }

    pub(super) fn batch(&mut self, text: &str) -> Result<(), StoreError> {
        self.patience.answer(self.client.batch_execute(text))
    }

    #[cfg(test)]
    pub(super) fn prepare(&mut self, sql: &Sql) -> Result<(), StoreError> {
        self.statement(sql).map(drop)
    }

    /// Session state is never relied on, for a pooler may stand between: everything is LOCAL.
    pub(super) fn begin(&mut self, mode: Mode) -> Result<(), StoreError> {
        let limit = mode.limit(&self.deadlines);
        self.patience.begin(limit);
        // What fails half-way leaves an open transaction behind.
        self.open = true;
        match mode {
            Mode::Load | Mode::Snapshot => self.batch(&format!(
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
                 SET LOCAL statement_timeout = {}",
                limit.as_millis()
            )),
            // Whoever holds the number may not be paused for longer: it stops everybody else's.
            Mode::Write => self.batch(&format!(
                "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
                 SET LOCAL lock_timeout = {pause};
                 SET LOCAL statement_timeout = {pause};
                 SET LOCAL idle_in_transaction_session_timeout = {pause};
                 SET LOCAL synchronous_commit = on",
                pause = self.deadlines.lock.as_millis()
            )),
        }
    }

    /// No statement timeout bounds a COMMIT, but our own deadline does. Whatever is not a plain
    /// refusal by the server leaves the outcome open, and so does a warning: one may say that the
    /// standby was not waited for.
    pub(super) fn commit(&mut self) -> Result<(), CommitError> {
        self.heard.warning.store(false, Ordering::Relaxed);
        let answer = self.patience.ask(self.client.batch_execute(COMMIT));
        match answer {
            Ok(Ok(())) if !self.heard.warning.load(Ordering::Relaxed) => {
                self.ended();
                Ok(())
            }
            // A FATAL one may come after the commit took effect on the server.
            Ok(Err(error)) if refused(&error) && !self.client.is_closed() => {
                Err(CommitError::Failed(told(&error)))
            }
            Ok(_) | Err(Late) => Err(CommitError::Unknown),
        }
    }

    pub(super) fn rollback(&mut self) -> Result<(), StoreError> {
        self.batch("ROLLBACK")?;
        self.ended();
        Ok(())
    }

    fn ended(&mut self) {
        self.open = false;
        self.patience.timer = None;
    }

    pub(super) fn lock_for_migration(&mut self) -> Result<(), StoreError> {
        // Another process may migrate for longer than a write may wait.
        self.patience.begin(self.deadlines.load);
        let limit = self.deadlines.load.as_millis();
        self.batch(&format!("SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = {limit}"))?;
        self.batch(MIGRATION_LOCK)
    }

    pub(super) fn lock_for_recording(&mut self) -> Result<(), StoreError> {
        self.batch(RECORDING_LOCK)
    }

    pub(super) fn notify(&mut self) -> Result<(), StoreError> {
        self.batch("NOTIFY portcullis")
    }

    pub(super) fn wait(&mut self, span: Duration) -> Result<bool, StoreError> {
        if !self.listening {
            self.batch("LISTEN portcullis")?;
            self.listening = true;
        }
        // However many there are, one look at the feed serves them all.
        let bell = self.heard.bell.notified();
        let rung = self.patience.runtime.block_on(async { timeout(span, bell).await.is_ok() });
        if self.client.is_closed() {
            return Err(StoreError::Unreachable("the connection was closed".into()));
        }
        Ok(rung)
    }

    pub(super) fn is_broken(&self) -> bool {
        self.open || self.patience.lost || self.client.is_closed()
    }
}

fn connect<T>(
    runtime: &Runtime,
    config: &Config,
    tls: T,
    heard: &Arc<Heard>,
    deadlines: Deadlines,
) -> Result<Client, StoreError>
where
    T: MakeTlsConnect<Socket, Stream: Send + 'static>,
{
    let connecting = async { timeout(deadlines.connect, config.connect(tls)).await };
    let connected = runtime.block_on(connecting).map_err(|_| late())?;
    let (client, session) = connected.map_err(|error| unreachable_because(&error))?;
    runtime.spawn(hear(session, Arc::clone(heard)));
    Ok(client)
}

/// Drives a session, and keeps what the server says of itself.
async fn hear<S>(mut session: tokio_postgres::Connection<Socket, S>, heard: Arc<Heard>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(Ok(message)) = poll_fn(|context| session.poll_message(context)).await {
        if let AsyncMessage::Notification(_) = message {
            heard.bell.notify_one();
        } else if let AsyncMessage::Notice(notice) = message
            && notice.parsed_severity() == Some(Severity::Warning)
        {
            heard.warning.store(true, Ordering::Relaxed);
        }
    }
}

/// Whether the server refused, and said so plainly.
fn refused(error: &tokio_postgres::Error) -> bool {
    error.as_db_error().is_some_and(|it| it.parsed_severity() == Some(Severity::Error))
}

fn late() -> StoreError {
    StoreError::Unreachable("it did not answer in time".into())
}

fn bound(values: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

fn read(row: &tokio_postgres::Row) -> Result<Row, StoreError> {
    let value = |(at, column): (usize, &tokio_postgres::Column)| {
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

fn told(error: &tokio_postgres::Error) -> StoreError {
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

fn unreachable_because(error: &tokio_postgres::Error) -> StoreError {
    let cause = error.source().map(|source| format!(": {source}")).unwrap_or_default();
    StoreError::Unreachable(format!("{error}{cause}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection() -> Option<Connection> {
        let url = std::env::var("PORTCULLIS_TEST_POSTGRES").ok()?;
        Some(Connection::open(&url, Deadlines::default()).unwrap())
    }

    #[test]
    fn the_commit_of_an_aborted_transaction_is_a_failure() {
        let Some(mut it) = connection() else { return };
        it.begin(Mode::Write).unwrap();
        assert!(it.batch("SELECT 1 / 0").is_err());
        assert!(matches!(it.commit(), Err(CommitError::Failed(_))));
        assert!(it.is_broken());
    }

    #[test]
    fn the_commit_of_a_transaction_that_is_gone_is_unknown() {
        let Some(mut it) = connection() else { return };
        it.begin(Mode::Write).unwrap();
        it.batch("ROLLBACK").unwrap();
        assert!(matches!(it.commit(), Err(CommitError::Unknown)));
        assert!(it.is_broken());
    }

    #[test]
    fn a_connection_is_broken_while_it_may_stand_in_a_transaction() {
        let Some(mut it) = connection() else { return };
        for mode in [Mode::Load, Mode::Snapshot, Mode::Write] {
            it.begin(mode).unwrap();
            assert!(it.is_broken());
            it.rollback().unwrap();
            assert!(!it.is_broken());
            it.begin(mode).unwrap();
            it.commit().unwrap();
            assert!(!it.is_broken());
        }
        // A transaction in which BEGIN itself fails half-way.
        it.deadlines.lock = Duration::from_secs(u64::MAX / 1_000);
        assert!(it.begin(Mode::Write).is_err());
        assert!(it.is_broken());
    }

    #[test]
    fn whoever_writes_is_held_to_the_limits_of_a_lock() {
        let Some(mut it) = connection() else { return };
        it.begin(Mode::Write).unwrap();
        for limit in ["lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"] {
            let text = format!("SELECT setting FROM pg_settings WHERE name = '{limit}'");
            let row = it.patience.answer(it.client.query_one(&text, &[])).unwrap();
            assert_eq!(row.get::<_, &str>(0), "2000", "{limit}");
        }
    }
}
