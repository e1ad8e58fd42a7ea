//! What can be spent only once, such as a nonce.

use portcullis_core::credential::Credential;
use portcullis_core::id::Id;
use portcullis_core::time::Timestamp;

use crate::error::StoreError;
use crate::sql::sql;
use crate::store::{Rows, Tending, Writing};

/// One transaction forgets at most so much.
pub const MAX_FORGOTTEN: i64 = 1_000;
/// A credential pays so often; then it must be replaced.
pub const MAX_SPENT: i64 = 1_000_000;

impl Writing<'_> {
    /// Spends `digest` of `credential`, for as long as that lives. The insert itself is the
    /// decision: of two nodes that spend the same at once, one wins.
    ///
    /// # Errors
    /// It was spent before (`Conflict`), the credential has paid too often, or the store's own.
    pub fn spend(
        &mut self,
        credential: Id<Credential>,
        digest: [u8; 16],
    ) -> Result<(), StoreError> {
        let count = self.first(
            &sql!(
                "INSERT INTO spending (credential, count) VALUES ($1, 1)
                 ON CONFLICT (credential) DO UPDATE SET count = spending.count + 1
                 RETURNING count"
            ),
            &[credential.into()],
        )?;
        let count: i64 = count.ok_or(StoreError::NotFound("count"))?.next("spending")?;
        if count > MAX_SPENT {
            return Err(StoreError::Full("this secret was used too often; make a new one"));
        }
        self.execute(
            &sql!("INSERT INTO spent (credential, digest) VALUES ($1, $2)"),
            &[credential.into(), digest.as_slice().into()],
        )
        .map(drop)
    }

    /// Spends `digest` of `credential`, which counts until `until` alone.
    ///
    /// # Errors
    /// It was spent before (`Conflict`), or the store's own.
    pub fn spend_until(
        &mut self,
        credential: Id<Credential>,
        digest: [u8; 16],
        until: Timestamp,
    ) -> Result<(), StoreError> {
        self.execute(
            &sql!("INSERT INTO spent_signatures (credential, digest, until) VALUES ($1, $2, $3)"),
            &[credential.into(), digest.as_slice().into(), until.into()],
        )
        .map(drop)
    }
}

impl Tending<'_> {
    /// Forgets some of what would not count at `now` anyway; whether there may be more.
    ///
    /// # Errors
    /// The store's own.
    pub fn forget_signatures(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        let forgotten = self.execute(
            &sql!(
                "DELETE FROM spent_signatures WHERE (credential, digest) IN
                     (SELECT credential, digest FROM spent_signatures WHERE until < $1 LIMIT $2)"
            ),
            &[now.into(), MAX_FORGOTTEN.into()],
        )?;
        Ok(forgotten == MAX_FORGOTTEN.unsigned_abs())
    }

    /// Forgets some of what dead credentials spent; whether there may be more.
    ///
    /// # Errors
    /// The store's own.
    pub fn forget_spent(&mut self) -> Result<bool, StoreError> {
        let dead = self.0.first(
            &sql!(
                "SELECT s.credential FROM spending s JOIN credentials c ON c.id = s.credential
                 WHERE c.state = 'deleted' LIMIT 1"
            ),
            &[],
        )?;
        let Some(mut dead) = dead else { return Ok(false) };
        let credential: Id<Credential> = dead.next("spending")?;
        let forgotten = self.execute(
            &sql!(
                "DELETE FROM spent WHERE credential = $1 AND digest IN
                     (SELECT digest FROM spent WHERE credential = $1 LIMIT $2)"
            ),
            &[credential.into(), MAX_FORGOTTEN.into()],
        )?;
        if forgotten == 0 {
            let delete = sql!("DELETE FROM spending WHERE credential = $1");
            self.execute(&delete, &[credential.into()])?;
        }
        Ok(true)
    }
}
