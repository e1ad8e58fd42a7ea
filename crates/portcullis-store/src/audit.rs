//! The audit trail: one row a write, in the write's own transaction.

use portcullis_core::id::Revision;
use portcullis_core::time::Timestamp;

use crate::engine::Connection;
use crate::error::StoreError;
use crate::sql::sql;
use crate::store::{Reading, Rows};

const TABLE: &str = "audit";

/// One page has at most so many entries.
pub const MAX_PAGE: i64 = 1_000;

/// Who did what to whom, when.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The revision of the write.
    pub revision: Revision,
    /// When.
    pub moment: Timestamp,
    /// Who.
    pub actor: String,
    /// What, such as `key.revoke`.
    pub action: String,
    /// The object it was done to.
    pub subject: String,
    /// What else a reader wants to know; never a secret.
    pub detail: String,
}

pub(crate) fn record(
    connection: &mut Connection,
    entry: &Entry,
    request: [u8; 16],
) -> Result<(), StoreError> {
    connection.execute(
        &sql!(
            "INSERT INTO audit (revision, request, moment, actor, action, subject, detail)
             VALUES ($1, $2, $3, $4, $5, $6, $7)"
        ),
        &[
            entry.revision.into(),
            request.as_slice().into(),
            entry.moment.into(),
            entry.actor.as_str().into(),
            entry.action.as_str().into(),
            entry.subject.as_str().into(),
            entry.detail.as_str().into(),
        ],
    )?;
    Ok(())
}

/// The revision under which `request` was written, if it was.
pub(crate) fn find_request(
    connection: &mut Connection,
    request: [u8; 16],
) -> Result<Option<Revision>, StoreError> {
    let found = connection.first(
        &sql!("SELECT revision FROM audit WHERE request = $1"),
        &[request.as_slice().into()],
    )?;
    found.map(|mut row| row.next(TABLE)).transpose()
}

impl Reading<'_> {
    /// The newest entries below revision `before`, at most [`MAX_PAGE`] of them.
    ///
    /// # Errors
    /// The store's own.
    pub fn list_audit(&mut self, before: Revision, count: i64) -> Result<Vec<Entry>, StoreError> {
        let rows = self.rows(
            &sql!(
                "SELECT revision, moment, actor, action, subject, detail FROM audit
                 WHERE revision < $1 ORDER BY revision DESC LIMIT $2"
            ),
            &[before.into(), count.clamp(1, MAX_PAGE).into()],
        )?;
        rows.into_iter()
            .map(|mut row| {
                Ok(Entry {
                    revision: row.next(TABLE)?,
                    moment: row.next(TABLE)?,
                    actor: row.next(TABLE)?,
                    action: row.next(TABLE)?,
                    subject: row.next(TABLE)?,
                    detail: row.next(TABLE)?,
                })
            })
            .collect()
    }
}
