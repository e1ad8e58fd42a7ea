//! Credentials that were replaced, and still count for a while beside their successors.

use std::time::Duration;

use portcullis_core::credential::Credential;
use portcullis_core::id::{Id, Revision};
use portcullis_core::time::Timestamp;

use crate::credentials::NewCredential;
use crate::engine::Row;
use crate::error::StoreError;
use crate::sql::sql;
use crate::store::{Reading, Rows, Writing};

const TABLE: &str = "rotations";

/// One page has at most so many rotations.
pub const MAX_PAGE: i64 = 10_000;

/// That a credential was replaced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rotation {
    /// The one that was replaced.
    pub credential: Id<Credential>,
    /// The one that it was replaced by.
    pub successor: Id<Credential>,
    /// When.
    pub moment: Timestamp,
    /// How often it had been used by then, as far as that was written down.
    pub uses: i64,
}

fn read(mut row: Row) -> Result<Rotation, StoreError> {
    Ok(Rotation {
        credential: row.next(TABLE)?,
        successor: row.next(TABLE)?,
        moment: row.next(TABLE)?,
        uses: row.next(TABLE)?,
    })
}

impl Writing<'_> {
    /// Replaces the active credential `old`, as it was at this version, by `new`, and lets it count for
    /// `overlap` from now, and no longer than it would have.
    ///
    /// # Errors
    /// It is not active, or changed since: `new` would have what was taken from it. It was replaced
    /// already (`Conflict`). Or the store's own.
    pub fn rotate_credential(
        &mut self,
        (old, version): (Id<Credential>, Revision),
        new: &NewCredential,
        overlap: Duration,
    ) -> Result<Id<Credential>, StoreError> {
        let successor = self.insert_credential(new)?;
        let (now, revision) = (self.now, self.revision);
        self.execute_one(
            "credential that is active and did not change meanwhile",
            &sql!(
                "UPDATE credentials SET revision = $3,
                     expires = CASE WHEN expires < $2 THEN expires ELSE $2 END
                 WHERE id = $1 AND state = 'active' AND revision = $4"
            ),
            &[old.into(), now.plus(overlap).into(), revision.into(), version.into()],
        )?;
        self.execute(
            &sql!(
                "INSERT INTO rotations (credential, successor, moment, uses)
                 SELECT id, $2, $3, COALESCE((SELECT uses FROM usage WHERE credential = $1), 0)
                 FROM credentials WHERE id = $1"
            ),
            &[old.into(), successor.into(), now.into()],
        )?;
        Ok(successor)
    }
}

impl Reading<'_> {
    /// That `credential` was replaced, if it was.
    ///
    /// # Errors
    /// The store's own.
    pub fn find_rotation(
        &mut self,
        credential: Id<Credential>,
    ) -> Result<Option<Rotation>, StoreError> {
        let found = self.first(
            &sql!(
                "SELECT credential, successor, moment, uses FROM rotations WHERE credential = $1"
            ),
            &[credential.into()],
        )?;
        found.map(read).transpose()
    }

    /// Every credential that was replaced and counts at `now` all the same, the first to end first.
    ///
    /// # Errors
    /// The store's own.
    pub fn list_rotations(&mut self, now: Timestamp) -> Result<Vec<Rotation>, StoreError> {
        let rows = self.rows(
            &sql!(
                "SELECT r.credential, r.successor, r.moment, r.uses
                 FROM rotations r JOIN credentials c ON c.id = r.credential
                 WHERE c.state <> 'deleted' AND c.expires > $1
                 ORDER BY c.expires, r.credential LIMIT $2"
            ),
            &[now.into(), MAX_PAGE.into()],
        )?;
        rows.into_iter().map(read).collect()
    }
}
