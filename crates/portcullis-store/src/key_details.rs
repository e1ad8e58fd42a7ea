//! What the owner of a key may read again, and who made and changed it.

use portcullis_core::credential::Credential;
use portcullis_core::id::Id;
use portcullis_core::principal::User;
use portcullis_core::time::Timestamp;

use crate::engine::Row;
use crate::error::StoreError;
use crate::sql::sql;
use crate::store::{Reading, Rows, Writing};

const TABLE: &str = "key_details";

/// The details of one key.
#[derive(Clone, Debug)]
pub struct KeyDetails {
    /// The whole key, sealed.
    pub sealed: Vec<u8>,
    /// Who made it; not necessarily its owner.
    pub creator: Id<User>,
    /// What people call them.
    pub creator_name: String,
    /// Who changed it last.
    pub modifier: Id<User>,
    /// What people call them.
    pub modifier_name: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it was changed last.
    pub modified: Timestamp,
}

fn read(mut row: Row) -> Result<KeyDetails, StoreError> {
    Ok(KeyDetails {
        sealed: row.next(TABLE)?,
        creator: row.next(TABLE)?,
        creator_name: row.next(TABLE)?,
        modifier: row.next(TABLE)?,
        modifier_name: row.next(TABLE)?,
        created: row.next(TABLE)?,
        modified: row.next(TABLE)?,
    })
}

impl Writing<'_> {
    /// Keeps the details of a key that `creator` has just made.
    ///
    /// # Errors
    /// The store's own.
    pub fn insert_key_details(
        &mut self,
        credential: Id<Credential>,
        creator: Id<User>,
        sealed: &[u8],
    ) -> Result<(), StoreError> {
        let now = self.now;
        self.execute(
            &sql!(
                "INSERT INTO key_details (credential, sealed, creator, modifier, modified)
                 VALUES ($1, $2, $3, $3, $4)"
            ),
            &[credential.into(), sealed.into(), creator.into(), now.into()],
        )
        .map(drop)
    }

    /// Changes the label of a key, and takes its right to write away if `read_only` says so; what
    /// was taken away is never given back.
    ///
    /// # Errors
    /// There is no such key, or the store's own.
    pub fn update_key(
        &mut self,
        credential: Id<Credential>,
        label: Option<&str>,
        read_only: bool,
    ) -> Result<(), StoreError> {
        let revision = self.revision;
        self.execute_one(
            "key",
            &sql!(
                "UPDATE credentials SET label = COALESCE($2, label),
                     read_only = CASE WHEN $3 = 1 THEN 1 ELSE read_only END, revision = $4
                 WHERE id = $1 AND state <> 'deleted'"
            ),
            &[
                credential.into(),
                label.map(str::to_owned).into(),
                read_only.into(),
                revision.into(),
            ],
        )
    }

    /// Says who changed a key.
    ///
    /// # Errors
    /// The store's own.
    pub fn touch_key(
        &mut self,
        credential: Id<Credential>,
        modifier: Id<User>,
    ) -> Result<(), StoreError> {
        let now = self.now;
        self.execute(
            &sql!("UPDATE key_details SET modifier = $2, modified = $3 WHERE credential = $1"),
            &[credential.into(), modifier.into(), now.into()],
        )
        .map(drop)
    }
}

impl Reading<'_> {
    /// The details of a key; none of one that an operator made.
    ///
    /// # Errors
    /// The store's own.
    pub fn find_key_details(
        &mut self,
        credential: Id<Credential>,
    ) -> Result<Option<KeyDetails>, StoreError> {
        let found = self.first(
            &sql!(
                "SELECT d.sealed, d.creator, m.name, d.modifier, n.name, c.created, d.modified
                 FROM key_details d JOIN credentials c ON c.id = d.credential
                 JOIN users m ON m.id = d.creator JOIN users n ON n.id = d.modifier
                 WHERE d.credential = $1"
            ),
            &[credential.into()],
        )?;
        found.map(read).transpose()
    }
}
