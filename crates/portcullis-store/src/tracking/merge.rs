//! Two who turn out to be one.

use portcullis_core::subject::SubjectId;

use super::desk::{Space, State};
use crate::error::StoreError;
use crate::sql::sql;
use crate::store::{Recording, Rows};

/// Who has done more than this, or has more users linked to it, stays on its own: to move all of it
/// would hold everybody else up.
pub const MAX_MOVED: i64 = 5_000;
/// What is told at once moves no more than this all together; whoever is left stays on their own.
pub const MAX_MOVED_AT_ONCE: i64 = 20_000;

/// How much hangs on `subject`, if that can be moved where so much is moved already.
pub(super) fn weigh(
    from: &mut impl Rows,
    subject: SubjectId,
    moved: i64,
) -> Result<Option<i64>, StoreError> {
    let found = from.first(
        &sql!(
            "SELECT (SELECT COUNT(*) FROM
                        (SELECT 1 FROM events WHERE subject = $1 LIMIT $2) AS moved)
                  + (SELECT COUNT(*) FROM
                        (SELECT 1 FROM subjects WHERE account = $1 LIMIT $2) AS linked)"
        ),
        &[subject.into(), (MAX_MOVED + 1).into()],
    )?;
    let count: i64 = found.ok_or(StoreError::NotFound("count"))?.next("events")?;
    Ok(Some(count).filter(|count| *count <= MAX_MOVED && moved + count <= MAX_MOVED_AT_ONCE))
}

impl Recording<'_> {
    /// Gives all that `other` has to `target`, who was the same all along. Where both know
    /// something, what `target` knows stands.
    pub(super) fn merge(
        &mut self,
        space: Space,
        target: SubjectId,
        other: SubjectId,
    ) -> Result<(), StoreError> {
        let (desk, _) = self.desk();
        let open = desk.remove(other).ok_or(StoreError::NotFound("subject"))?;
        let was = open.subject;
        desk.relink(other, Some(target));
        let survivor = desk.open(target)?.change();
        survivor.traits.absorb(was.traits);
        survivor.account = survivor.account.or(was.account);
        survivor.identifiers.extend(was.identifiers.iter().cloned());
        for name in was.identifiers {
            desk.rename(space, name, Some(target));
        }
        self.move_rows(target, other)?;
        if open.state != State::New {
            let delete = sql!("DELETE FROM subjects WHERE id = $1");
            self.execute(&delete, &[other.into()])?;
        }
        Ok(())
    }

    fn move_rows(&mut self, target: SubjectId, other: SubjectId) -> Result<(), StoreError> {
        for statement in [
            sql!("UPDATE identifiers SET subject = $1 WHERE subject = $2"),
            // Told of both, it happened once.
            sql!(
                "DELETE FROM events WHERE subject = $2 AND event_id IN
                     (SELECT event_id FROM events WHERE subject = $1 AND event_id IS NOT NULL)"
            ),
            sql!("UPDATE events SET subject = $1 WHERE subject = $2"),
            sql!("UPDATE subjects SET account = $1 WHERE account = $2"),
        ] {
            let moved = self.execute(&statement, &[target.into(), other.into()])?;
            let (desk, _) = self.desk();
            desk.moved = desk.moved.saturating_add_unsigned(moved);
        }
        Ok(())
    }
}
