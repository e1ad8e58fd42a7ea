//! What credentials were used for: written in batches, never in a request.

use portcullis_core::credential::Credential;
use portcullis_core::id::Id;
use portcullis_core::time::Timestamp;

use crate::error::StoreError;
use crate::sql::sql;
use crate::store::{Reading, Rows, Tending};

const TABLE: &str = "usage";

/// One transaction writes the usage of at most so many credentials.
pub const MAX_BATCH: usize = 500;

/// How often a credential was used, and when last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Usage {
    /// The credential.
    pub credential: Id<Credential>,
    /// When it was used last.
    pub last_used: Timestamp,
    /// How often it was used.
    pub uses: i64,
}

impl Tending<'_> {
    /// Adds what was counted since the last time.
    ///
    /// # Errors
    /// The store's own; then nothing was added.
    pub fn add_usage(&mut self, counted: &[Usage]) -> Result<(), StoreError> {
        for one in counted {
            self.execute(
                &sql!(
                    "INSERT INTO usage (credential, last_used, uses) VALUES ($1, $2, $3)
                     ON CONFLICT (credential) DO UPDATE SET uses = usage.uses + excluded.uses,
                         last_used = CASE WHEN usage.last_used < excluded.last_used
                             THEN excluded.last_used ELSE usage.last_used END"
                ),
                &[one.credential.into(), one.last_used.into(), one.uses.into()],
            )?;
        }
        Ok(())
    }
}

impl Reading<'_> {
    /// What is known of the use of `credential`; nothing if it was never used.
    ///
    /// # Errors
    /// The store's own.
    pub fn find_usage(&mut self, credential: Id<Credential>) -> Result<Option<Usage>, StoreError> {
        let found = self.first(
            &sql!("SELECT last_used, uses FROM usage WHERE credential = $1"),
            &[credential.into()],
        )?;
        found
            .map(|mut row| {
                let (last_used, uses) = (row.next(TABLE)?, row.next(TABLE)?);
                Ok(Usage { credential, last_used, uses })
            })
            .transpose()
    }
}
