//! The nodes: one row a process that serves, by which a command knows what it has applied.

use portcullis_core::id::Revision;

use crate::error::StoreError;
use crate::sql::sql;
use crate::store::{Reading, Rows, Tending};

const TABLE: &str = "nodes";

/// What names one process, random at start.
pub type Incarnation = [u8; 16];

/// One process that serves, as its row says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Node {
    /// Which process.
    pub incarnation: Vec<u8>,
    /// What its operator calls it: a label only.
    pub name: String,
    /// How often it has written its row.
    pub seq: i64,
    /// The last revision it judges by.
    pub applied: Revision,
}

impl Reading<'_> {
    /// Every node that has a row.
    ///
    /// # Errors
    /// The store's own.
    pub fn list_nodes(&mut self) -> Result<Vec<Node>, StoreError> {
        let rows = self.rows(
            &sql!("SELECT incarnation, name, seq, applied FROM nodes ORDER BY incarnation"),
            &[],
        )?;
        rows.into_iter()
            .map(|mut row| {
                Ok(Node {
                    incarnation: row.next(TABLE)?,
                    name: row.next(TABLE)?,
                    seq: row.next(TABLE)?,
                    applied: row.next(TABLE)?,
                })
            })
            .collect()
    }
}

impl Tending<'_> {
    /// A node joins: its row, at seq 0.
    ///
    /// # Errors
    /// The store's own.
    pub fn insert_node(
        &mut self,
        incarnation: Incarnation,
        name: &str,
        key_ids: &str,
    ) -> Result<(), StoreError> {
        self.execute(
            &sql!(
                "INSERT INTO nodes (incarnation, name, seq, applied, key_ids)
                 VALUES ($1, $2, 0, 0, $3)"
            ),
            &[incarnation.as_slice().into(), name.into(), key_ids.into()],
        )
        .map(drop)
    }

    /// A node says what it has applied: its row goes from `seq` to the next. Whether it did; if
    /// not, somebody else has written the row, and this process is no longer that node.
    ///
    /// # Errors
    /// The store's own.
    pub fn renew_node(
        &mut self,
        incarnation: Incarnation,
        seq: i64,
        applied: Revision,
    ) -> Result<bool, StoreError> {
        let touched = self.execute(
            &sql!(
                "UPDATE nodes SET seq = seq + 1, applied = $3 WHERE incarnation = $1 AND seq = $2"
            ),
            &[incarnation.as_slice().into(), seq.into(), applied.into()],
        )?;
        Ok(touched == 1)
    }

    /// A node leaves.
    ///
    /// # Errors
    /// The store's own.
    pub fn delete_node(&mut self, incarnation: &[u8]) -> Result<(), StoreError> {
        let delete = sql!("DELETE FROM nodes WHERE incarnation = $1");
        self.execute(&delete, &[incarnation.into()]).map(drop)
    }

    /// Whoever holds the lock of the data folder is the only node: all other rows are dead.
    ///
    /// # Errors
    /// The store's own.
    pub fn delete_other_nodes(&mut self, incarnation: Incarnation) -> Result<(), StoreError> {
        let delete = sql!("DELETE FROM nodes WHERE incarnation <> $1");
        self.execute(&delete, &[incarnation.as_slice().into()]).map(drop)
    }
}
