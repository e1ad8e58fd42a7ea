//! Which batches were applied.

use std::time::Duration;

use portcullis_core::credential::Credential;
use portcullis_core::id::Id;
use portcullis_core::time::Timestamp;

use crate::error::StoreError;
use crate::sql::sql;
use crate::store::{Recording, Tending};

/// For how long a batch is known again: far longer than any client tries.
pub const KEPT: Duration = Duration::from_hours(7 * 24);
/// One transaction forgets at most so many receipts.
pub const MAX_FORGOTTEN: i64 = 10_000;

impl Recording<'_> {
    /// Keeps that the batch `digest` of `connector` was applied; whether it had not been before.
    ///
    /// # Errors
    /// The store's own.
    pub fn keep_receipt(
        &mut self,
        connector: Id<Credential>,
        digest: [u8; 16],
    ) -> Result<bool, StoreError> {
        let now = self.now;
        let kept = self.execute(
            &sql!(
                "INSERT INTO receipts (connector, digest, moment) VALUES ($1, $2, $3)
                 ON CONFLICT (connector, digest) DO NOTHING"
            ),
            &[connector.into(), digest.as_slice().into(), now.into()],
        )?;
        Ok(kept == 1)
    }
}

impl Tending<'_> {
    /// Forgets receipts from before `before`, which is [`KEPT`] ago; at most `limit` and [`MAX_FORGOTTEN`] of them; how many.
    ///
    /// # Errors
    /// The store's own.
    pub fn forget_receipts(&mut self, before: Timestamp, limit: i64) -> Result<u64, StoreError> {
        self.execute(
            &sql!(
                "DELETE FROM receipts WHERE moment < $1 AND (connector, digest) IN
                     (SELECT connector, digest FROM receipts WHERE moment < $1
                      ORDER BY moment LIMIT $2)"
            ),
            &[before.into(), limit.min(MAX_FORGOTTEN).into()],
        )
    }
}
