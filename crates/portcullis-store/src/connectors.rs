//! What connectors keep here for themselves.

use portcullis_core::credential::Credential;
use portcullis_core::id::Id;

use crate::error::StoreError;
use crate::sql::sql;
use crate::store::{Reading, Recording, Rows};

const TABLE: &str = "connectors";

/// What one connector keeps.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// Its settings, sealed; none until it has told some.
    pub settings: Option<Vec<u8>>,
    /// What it said of its health last: a JSON object.
    pub status: String,
}

impl Recording<'_> {
    /// Keeps the settings of a connector, sealed.
    ///
    /// # Errors
    /// The store's own.
    pub fn keep_settings(
        &mut self,
        connector: Id<Credential>,
        sealed: &[u8],
    ) -> Result<(), StoreError> {
        self.execute(
            &sql!(
                "INSERT INTO connectors (credential, settings, status) VALUES ($1, $2, '{}')
                 ON CONFLICT (credential) DO UPDATE SET settings = excluded.settings"
            ),
            &[connector.into(), sealed.into()],
        )
        .map(drop)
    }

    /// Keeps what a connector says of its health.
    ///
    /// # Errors
    /// The store's own.
    pub fn keep_status(
        &mut self,
        connector: Id<Credential>,
        status: &str,
    ) -> Result<(), StoreError> {
        self.execute(
            &sql!(
                "INSERT INTO connectors (credential, status) VALUES ($1, $2)
                 ON CONFLICT (credential) DO UPDATE SET status = excluded.status"
            ),
            &[connector.into(), status.into()],
        )
        .map(drop)
    }
}

impl Reading<'_> {
    /// What a connector keeps here; nothing if it never kept anything.
    ///
    /// # Errors
    /// The store's own.
    pub fn find_kept(&mut self, connector: Id<Credential>) -> Result<Option<Kept>, StoreError> {
        let found = self.first(
            &sql!("SELECT settings, status FROM connectors WHERE credential = $1"),
            &[connector.into()],
        )?;
        found
            .map(|mut row| Ok(Kept { settings: row.next(TABLE)?, status: row.next(TABLE)? }))
            .transpose()
    }
}
