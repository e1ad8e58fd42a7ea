//! The one row that everything hangs on: revision, floor, epoch, and the highest wall time.

use portcullis_core::id::Revision;
use portcullis_core::seal;
use portcullis_core::time::Timestamp;

use crate::engine::{Connection, HISTORY, Mode};
use crate::error::StoreError;
use crate::sql::sql;
use crate::store::{Reading, Rows, Tending, committed};

const TABLE: &str = "meta";

/// Which history a revision belongs to: a restore renews it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Epoch {
    /// Drawn when the database was made.
    drawn: Vec<u8>,
    /// What the engine itself calls its history: system and timeline.
    history: String,
}

/// Where the database stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stamp {
    /// The history.
    pub epoch: Epoch,
    /// The number of the last write.
    pub revision: Revision,
    /// Changes up to here may have been purged.
    pub floor: Revision,
    /// The highest wall time ever persisted.
    pub wall_high: Timestamp,
}

/// Makes the row, if this database is new.
pub(crate) fn prepare(connection: &mut Connection, now: Timestamp) -> Result<(), StoreError> {
    connection.begin(Mode::Write)?;
    let epoch = seal::random::<16>()?;
    connection.execute(
        &sql!(
            "INSERT INTO meta (id, revision, floor, epoch, wall_high) VALUES (1, 0, 0, $1, $2)
             ON CONFLICT (id) DO NOTHING"
        ),
        &[epoch.as_slice().into(), now.into()],
    )?;
    committed(connection.commit())
}

/// Takes the next number. The row's lock makes commit order the order of revisions; a write that
/// is undone gives its number back, so that there are no gaps.
pub(crate) fn next_revision(
    connection: &mut Connection,
    now: Timestamp,
) -> Result<Revision, StoreError> {
    let taken = connection.first(
        &sql!(
            "UPDATE meta SET revision = revision + 1,
                 wall_high = CASE WHEN wall_high < $1 THEN $1 ELSE wall_high END
             WHERE id = 1 RETURNING revision"
        ),
        &[now.into()],
    )?;
    taken.ok_or(StoreError::NotFound(TABLE))?.next(TABLE)
}

/// Keeps everybody from taking the next number until this transaction ends: waits until whoever has
/// taken one has ended.
pub(crate) fn hold_number(tending: &mut Tending<'_>) -> Result<(), StoreError> {
    tending.execute(&sql!("UPDATE meta SET revision = revision WHERE id = 1"), &[]).map(drop)
}

/// Where the database stands, in the snapshot of `from`.
pub(crate) fn stamp(from: &mut impl Rows) -> Result<Stamp, StoreError> {
    let history = from.first(&HISTORY, &[])?.ok_or(StoreError::NotFound(TABLE))?.next(TABLE)?;
    let found =
        from.first(&sql!("SELECT epoch, revision, floor, wall_high FROM meta WHERE id = 1"), &[])?;
    let mut row = found.ok_or(StoreError::NotFound(TABLE))?;
    Ok(Stamp {
        epoch: Epoch { drawn: row.next(TABLE)?, history },
        revision: row.next(TABLE)?,
        floor: row.next(TABLE)?,
        wall_high: row.next(TABLE)?,
    })
}

impl Reading<'_> {
    /// Where the database stands.
    ///
    /// # Errors
    /// The store's own.
    pub fn stamp(&mut self) -> Result<Stamp, StoreError> {
        stamp(self)
    }
}

impl Tending<'_> {
    /// Persists the highest wall time that was seen.
    ///
    /// # Errors
    /// The store's own.
    pub fn raise_wall(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let raise = sql!("UPDATE meta SET wall_high = $1 WHERE id = 1 AND wall_high < $1");
        self.execute(&raise, &[now.into()]).map(drop)
    }
}
