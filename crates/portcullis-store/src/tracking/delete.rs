//! Subjects that are to be forgotten.

use portcullis_core::id::Id;
use portcullis_core::organization::Organization;
use portcullis_core::subject::{SubjectId, SubjectKind};

use super::desk::Space;
use crate::error::StoreError;
use crate::sql::sql;
use crate::store::Recording;

/// One transaction deletes at most so many events of a subject, or links to it.
pub const MAX_DELETED: i64 = 5_000;

/// What became of a subject that was to be deleted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Deleted {
    /// It is not there.
    Absent,
    /// Some of what hangs on it is gone; it is to be deleted again.
    Partly,
    /// It is gone, with all that hung on it.
    Wholly,
}

impl Recording<'_> {
    /// Deletes the subject `id`, as far as one transaction may.
    ///
    /// # Errors
    /// The store's own.
    pub fn delete_subject(
        &mut self,
        organization: Id<Organization>,
        id: SubjectId,
    ) -> Result<Deleted, StoreError> {
        let mut found = false;
        for kind in [SubjectKind::Account, SubjectKind::User] {
            let (desk, from) = self.desk();
            found |= desk.find(from, Space { organization, kind }, id)?.is_some();
        }
        if !found {
            return Ok(Deleted::Absent);
        }
        for statement in [
            sql!(
                "DELETE FROM events WHERE id IN
                     (SELECT id FROM events WHERE subject = $1 LIMIT $2)"
            ),
            sql!(
                "UPDATE subjects SET account = NULL WHERE id IN
                     (SELECT id FROM subjects WHERE account = $1 LIMIT $2)"
            ),
        ] {
            let gone = self.execute(&statement, &[id.into(), MAX_DELETED.into()])?;
            if i64::try_from(gone).is_ok_and(|gone| gone >= MAX_DELETED) {
                return Ok(Deleted::Partly);
            }
        }
        let (desk, _) = self.desk();
        desk.relink(id, None);
        desk.remove(id);
        self.execute(&sql!("DELETE FROM identifiers WHERE subject = $1"), &[id.into()])?;
        self.execute(&sql!("DELETE FROM subjects WHERE id = $1"), &[id.into()])?;
        Ok(Deleted::Wholly)
    }
}
