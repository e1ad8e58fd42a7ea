//! The nodes: one row a process that serves, by which a command knows what it has applied.

use std::collections::HashMap;

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

/// How long each node's row has stood still, by one reader's own clock since boot.
///
/// No moment of the database or of another machine is compared: only this reader's own looks.
#[derive(Debug, Default)]
pub struct Sightings(HashMap<Vec<u8>, Sighting>);

/// A row as it was first seen with its present `seq`.
#[derive(Clone, Copy, Debug)]
struct Sighting {
    seq: i64,
    since: u64,
}

impl Sightings {
    /// Takes in a reading of all rows that had returned by `now`; rows that are gone are forgotten.
    pub fn see(&mut self, nodes: &[Node], now: u64) {
        let before = std::mem::take(&mut self.0);
        let sight = |node: &Node| {
            let fresh = Sighting { seq: node.seq, since: now };
            let known = before.get(&node.incarnation).filter(|known| known.seq == node.seq);
            (node.incarnation.clone(), known.copied().unwrap_or(fresh))
        };
        self.0 = nodes.iter().map(sight).collect();
    }

    /// For how many milliseconds the row had stood as `node` is, when a reading that began at `now`
    /// found it so; nought if it was never seen like that.
    pub fn still_for(&self, node: &Node, now: u64) -> u64 {
        let seen = self.0.get(&node.incarnation).filter(|seen| seen.seq == node.seq);
        seen.map_or(0, |seen| now.saturating_sub(seen.since))
    }
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

    /// Removes a row, if it stands still as `node` was read.
    ///
    /// # Errors
    /// The store's own.
    pub fn delete_dead_node(&mut self, node: &Node) -> Result<(), StoreError> {
        let delete = sql!("DELETE FROM nodes WHERE incarnation = $1 AND seq = $2");
        self.execute(&delete, &[node.incarnation.as_slice().into(), node.seq.into()]).map(drop)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn node(incarnation: u8, seq: i64) -> Node {
        Node { incarnation: vec![incarnation], name: "n".into(), seq, applied: Revision(0) }
    }

    #[test]
    fn a_row_stands_still_from_the_first_look_that_found_its_seq() {
        let mut seen = Sightings::default();
        assert_eq!(seen.still_for(&node(1, 5), 9_000), 0);
        seen.see(&[node(1, 5), node(2, 1)], 1_000);
        seen.see(&[node(1, 5), node(2, 2)], 4_000);
        for (row, now, expected) in [
            (node(1, 5), 9_000, 8_000),
            (node(2, 2), 9_000, 5_000),
            // Moved since the last look, or never seen so.
            (node(1, 6), 9_000, 0),
            (node(3, 0), 9_000, 0),
            // A reading that began before the row was seen.
            (node(1, 5), 500, 0),
        ] {
            assert_eq!(seen.still_for(&row, now), expected, "{row:?} at {now}");
        }
    }

    #[test]
    fn a_row_that_was_gone_begins_anew() {
        let mut seen = Sightings::default();
        seen.see(&[node(1, 5)], 1_000);
        seen.see(&[], 2_000);
        seen.see(&[node(1, 5)], 3_000);
        assert_eq!(seen.still_for(&node(1, 5), 9_000), 6_000);
    }
}
