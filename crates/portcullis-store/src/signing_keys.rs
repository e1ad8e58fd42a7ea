//! Keys that sign what upstreams are told: the public part in clear, the private one sealed.

use portcullis_core::id::{Id, Revision};
use portcullis_core::organization::State;
use portcullis_core::seal::MasterKey;
use portcullis_core::signing::{Drawn, MAX_KEYS, SigningKey, Unopened};
use portcullis_core::time::Timestamp;

use crate::engine::Row;
use crate::error::StoreError;
use crate::sql::sql;
use crate::store::{Reading, Rows, Writing};

const TABLE: &str = "signing_keys";

/// A key's own row.
#[derive(Clone, Debug)]
pub struct SigningKeyRow {
    /// What was drawn; of a deleted key nothing private is left.
    pub drawn: Drawn,
    /// It signs from this on, unless another one does.
    pub signs_from: Timestamp,
    /// Whether it counts.
    pub state: State,
    /// When it was made.
    pub created: Timestamp,
    /// The revision of its last change.
    pub version: Revision,
}

impl SigningKeyRow {
    /// The key itself.
    ///
    /// # Errors
    /// It was sealed otherwise, or its public part is another's.
    pub(crate) fn open(&self, master: &MasterKey) -> Result<SigningKey, StoreError> {
        SigningKey::open(&self.drawn, self.signs_from, master).map_err(|error| match error {
            Unopened::Seal(source) => {
                StoreError::Seal { what: "a signing key in the database", source }
            }
            other @ (Unopened::Another | Unopened::Form) => {
                StoreError::Corrupt { table: TABLE, reason: other.to_string() }
            }
        })
    }
}

pub(crate) fn read(mut row: Row) -> Result<SigningKeyRow, StoreError> {
    let drawn = Drawn { id: row.next(TABLE)?, public: row.next(TABLE)?, sealed: row.next(TABLE)? };
    Ok(SigningKeyRow {
        drawn,
        signs_from: row.next(TABLE)?,
        state: row.next(TABLE)?,
        created: row.next(TABLE)?,
        version: row.next(TABLE)?,
    })
}

impl Writing<'_> {
    /// Adds a key that signs from `signs_from` on.
    ///
    /// # Errors
    /// Too many count already, or the store's own.
    pub fn insert_signing_key(
        &mut self,
        drawn: &Drawn,
        signs_from: Timestamp,
    ) -> Result<(), StoreError> {
        if self.list_signing_keys()?.len() >= MAX_KEYS {
            return Err(StoreError::Full("too many keys wait to sign or are published still"));
        }
        let (now, revision) = (self.now, self.revision);
        self.execute(
            &sql!(
                "INSERT INTO signing_keys (id, public, sealed, signs_from, state, created, revision)
                 VALUES ($1, $2, $3, $4, 'active', $5, $6)"
            ),
            &[
                drawn.id.into(),
                drawn.public.as_slice().into(),
                drawn.sealed.as_slice().into(),
                signs_from.into(),
                now.into(),
                revision.into(),
            ],
        )
        .map(drop)
    }

    /// Deletes a key, and what is private of it for good.
    ///
    /// # Errors
    /// There is none, or the store's own.
    pub fn delete_signing_key(&mut self, id: Id<SigningKey>) -> Result<(), StoreError> {
        let revision = self.revision;
        self.execute_one(
            "signing key",
            &sql!(
                "UPDATE signing_keys SET state = 'deleted', sealed = $2, revision = $3
                 WHERE id = $1 AND state <> 'deleted'"
            ),
            &[id.into(), [].as_slice().into(), revision.into()],
        )
    }

    /// Every key that counts, in the order in which they sign.
    ///
    /// # Errors
    /// The store's own.
    pub fn list_signing_keys(&mut self) -> Result<Vec<SigningKeyRow>, StoreError> {
        list(self)
    }
}

impl Reading<'_> {
    /// Every key that counts, in the order in which they sign.
    ///
    /// # Errors
    /// The store's own.
    pub fn list_signing_keys(&mut self) -> Result<Vec<SigningKeyRow>, StoreError> {
        list(self)
    }
}

fn list(from: &mut impl Rows) -> Result<Vec<SigningKeyRow>, StoreError> {
    let rows = from.rows(
        &sql!(
            "SELECT id, public, sealed, signs_from, state, created, revision FROM signing_keys
             WHERE state <> 'deleted' ORDER BY signs_from, id"
        ),
        &[],
    )?;
    rows.into_iter().map(read).collect()
}
