//! A transaction that records what is told of subjects.

use std::fmt;

use portcullis_core::time::Timestamp;

use super::Rows;
use crate::engine::{Connection, Row, Value};
use crate::error::StoreError;
use crate::sql::Sql;
use crate::tracking::Desk;

/// A transaction that takes no revision, and in which nobody else records.
pub struct Recording<'c> {
    connection: &'c mut Connection,
    /// The moment of it.
    pub now: Timestamp,
    /// What was read so far, with what is to be written of it.
    desk: Desk,
    /// Whether something of it failed half-way: then none of it may stand.
    pub(crate) spoilt: bool,
    touched: u64,
}

impl Recording<'_> {
    /// Does `work`, and writes what it left on the desk.
    pub(super) fn run<T, E: From<StoreError>>(
        connection: &mut Connection,
        now: Timestamp,
        work: impl FnOnce(&mut Recording<'_>) -> Result<T, E>,
    ) -> Result<(T, u64), E> {
        let desk = Desk::default();
        let mut recording = Recording { connection, now, desk, spoilt: false, touched: 0 };
        let value = work(&mut recording)?;
        if recording.spoilt {
            return Err(StoreError::Changed.into());
        }
        recording.clear_desk()?;
        Ok((value, recording.touched))
    }

    /// What was read so far, and where more can be read.
    pub(crate) const fn desk(&mut self) -> (&mut Desk, &mut Connection) {
        (&mut self.desk, self.connection)
    }

    pub(crate) fn execute(&mut self, sql: &Sql, values: &[Value]) -> Result<u64, StoreError> {
        let touched = self.connection.execute(sql, values)?;
        self.touched += touched;
        Ok(touched)
    }
}

impl Rows for Recording<'_> {
    fn rows(&mut self, sql: &Sql, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        self.connection.rows(sql, values)
    }
}

impl fmt::Debug for Recording<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recording")
    }
}
