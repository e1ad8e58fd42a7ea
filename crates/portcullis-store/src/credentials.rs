//! Credentials: one table for all schemes.

use portcullis_core::credential::Credential;
use portcullis_core::id::{Id, Revision};
use portcullis_core::limits::Limits;
use portcullis_core::organization::State;
use portcullis_core::principal::User;
use portcullis_core::scheme::{self, SchemeName};
use portcullis_core::time::Timestamp;

use crate::engine::Row;
use crate::error::StoreError;
use crate::limits;
use crate::sql::sql;
use crate::store::{Reading, Rows, Writing};

const TABLE: &str = "credentials";

/// One page has at most so many credentials.
pub const MAX_PAGE: i64 = 10_000;
/// A user has at most so many live credentials of one scheme, those that have expired among them.
pub const MAX_LIVE: i64 = 1_000;

/// A credential to be made.
#[derive(Clone, Debug)]
pub struct NewCredential {
    /// The scheme it is filed under.
    pub scheme: SchemeName,
    /// Its public part.
    pub key: String,
    /// What checks a proof of it, in its stored form.
    pub verifier: Vec<u8>,
    /// Whom it stands for.
    pub owner: Id<User>,
    /// What people call it.
    pub label: String,
    /// Whether it may only read.
    pub read_only: bool,
    /// It is not valid before this.
    pub not_before: Option<Timestamp>,
    /// It is not valid from this on.
    pub expires: Option<Timestamp>,
    /// Where alone it counts.
    pub limits: Limits,
}

/// A credential's own row; its verifier shows nothing by itself.
#[derive(Clone, Debug)]
pub struct CredentialRow {
    /// Its identity.
    pub id: Id<Credential>,
    /// The scheme it is filed under, as the database names it.
    pub scheme: String,
    /// Its public part.
    pub key: String,
    /// What checks a proof of it.
    pub verifier: Vec<u8>,
    /// Whom it stands for.
    pub owner: Id<User>,
    /// What people call it.
    pub label: String,
    /// Whether it may only read.
    pub read_only: bool,
    /// Whether it may be used.
    pub state: State,
    /// It is not valid before this.
    pub not_before: Option<Timestamp>,
    /// It is not valid from this on.
    pub expires: Option<Timestamp>,
    /// Where alone it counts.
    pub limits: Limits,
    /// The revision of its last change.
    pub version: Revision,
}

pub(crate) fn read(mut row: Row) -> Result<CredentialRow, StoreError> {
    Ok(CredentialRow {
        id: row.next(TABLE)?,
        scheme: row.next(TABLE)?,
        key: row.next(TABLE)?,
        verifier: row.next(TABLE)?,
        owner: row.next(TABLE)?,
        label: row.next(TABLE)?,
        read_only: row.next(TABLE)?,
        state: row.next(TABLE)?,
        not_before: row.next(TABLE)?,
        expires: row.next(TABLE)?,
        limits: limits::read(row.next(TABLE)?)?,
        version: row.next(TABLE)?,
    })
}

impl Writing<'_> {
    /// Makes a credential.
    ///
    /// # Errors
    /// Its key is taken, or the store's own.
    pub fn insert_credential(&mut self, new: &NewCredential) -> Result<Id<Credential>, StoreError> {
        if self.live_credentials_of(new.owner, new.scheme)? >= MAX_LIVE {
            return Err(StoreError::Full(
                "nobody has more than 1000 keys; revoke one that is unused",
            ));
        }
        let id = Id::fresh(self.now)?;
        let (now, revision) = (self.now, self.revision);
        self.execute(
            &sql!(
                "INSERT INTO credentials (id, scheme, key, verifier, owner, label, read_only, state,
                     not_before, expires, limits, created, revision)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, 'active', $8, $9, $10, $11, $12)"
            ),
            &[
                id.into(),
                new.scheme.as_str().into(),
                new.key.as_str().into(),
                new.verifier.as_slice().into(),
                new.owner.into(),
                new.label.as_str().into(),
                new.read_only.into(),
                new.not_before.into(),
                new.expires.into(),
                limits::write(&new.limits)?.into(),
                now.into(),
                revision.into(),
            ],
        )?;
        Ok(id)
    }

    fn live_credentials_of(
        &mut self,
        owner: Id<User>,
        scheme: SchemeName,
    ) -> Result<i64, StoreError> {
        let found = self.first(
            &sql!(
                "SELECT COUNT(*) FROM credentials
                 WHERE owner = $1 AND scheme = $2 AND state <> 'deleted'"
            ),
            &[owner.into(), scheme.as_str().into()],
        )?;
        found.map_or(Ok(0), |mut row| row.next(TABLE))
    }

    /// Sets a user's password. The old one is gone with its verifier, and with it whatever was
    /// minted from it.
    ///
    /// # Errors
    /// The store's own.
    pub fn set_password(
        &mut self,
        owner: Id<User>,
        verifier: &[u8],
    ) -> Result<Id<Credential>, StoreError> {
        self.take_password(owner)?;
        let id = Id::<Credential>::fresh(self.now)?;
        let (now, revision) = (self.now, self.revision);
        self.execute(
            &sql!(
                "INSERT INTO credentials (id, scheme, key, verifier, owner, label, read_only, state,
                     created, revision)
                 VALUES ($1, $2, $3, $4, $5, 'password', 0, 'active', $6, $7)"
            ),
            &[
                id.into(),
                scheme::BASIC.as_str().into(),
                id.to_string().into(),
                verifier.into(),
                owner.into(),
                now.into(),
                revision.into(),
            ],
        )?;
        Ok(id)
    }

    /// Takes a user's password away, if they have one.
    ///
    /// # Errors
    /// The store's own.
    pub fn take_password(&mut self, owner: Id<User>) -> Result<(), StoreError> {
        self.take_credentials(owner, scheme::BASIC)
    }

    /// Revokes all credentials of `owner` that are filed under `scheme`, and wipes what checks
    /// them: what is replaced does not stay behind.
    ///
    /// # Errors
    /// The store's own.
    pub fn take_credentials(
        &mut self,
        owner: Id<User>,
        scheme: SchemeName,
    ) -> Result<(), StoreError> {
        let revision = self.revision;
        self.execute(
            &sql!(
                "UPDATE credentials SET state = 'deleted', verifier = $3, revision = $4
                 WHERE owner = $1 AND scheme = $2 AND state <> 'deleted'"
            ),
            &[owner.into(), scheme.as_str().into(), [].as_slice().into(), revision.into()],
        )
        .map(drop)
    }

    /// Replaces what checks a credential: the verifier of a password by another one of the very same
    /// password, a keyring by another one. The credential stays, and with it all that stands on it.
    ///
    /// # Errors
    /// It is no longer at `version`, so that nothing is known of it, or the store's own.
    pub fn replace_verifier(
        &mut self,
        id: Id<Credential>,
        version: Revision,
        verifier: &[u8],
    ) -> Result<(), StoreError> {
        let revision = self.revision;
        self.execute_one(
            "credential that did not change meanwhile",
            &sql!(
                "UPDATE credentials SET verifier = $3, revision = $4
                 WHERE id = $1 AND revision = $2 AND state <> 'deleted'"
            ),
            &[id.into(), version.into(), verifier.into(), revision.into()],
        )
    }

    /// Changes where alone a credential counts, and with it all that was minted from it.
    ///
    /// # Errors
    /// There is none, it was revoked, or the store's own.
    pub fn set_credential_limits(
        &mut self,
        id: Id<Credential>,
        limits: &Limits,
    ) -> Result<(), StoreError> {
        let revision = self.revision;
        self.execute_one(
            "credential",
            &sql!(
                "UPDATE credentials SET limits = $2, revision = $3
                 WHERE id = $1 AND state <> 'deleted'"
            ),
            &[id.into(), limits::write(limits)?.into(), revision.into()],
        )
    }

    /// Switches a credential; deleting revokes it, for good.
    ///
    /// # Errors
    /// There is none, it was revoked, or the store's own.
    pub fn set_credential_state(
        &mut self,
        id: Id<Credential>,
        state: State,
    ) -> Result<(), StoreError> {
        let revision = self.revision;
        self.execute_one(
            "credential",
            &sql!(
                "UPDATE credentials SET state = $2, revision = $3
                 WHERE id = $1 AND state <> 'deleted'"
            ),
            &[id.into(), state.into(), revision.into()],
        )
    }
}

impl Reading<'_> {
    /// The credential that `scheme` files under `key`.
    ///
    /// # Errors
    /// The store's own.
    pub fn find_credential(
        &mut self,
        scheme: SchemeName,
        key: &str,
    ) -> Result<Option<CredentialRow>, StoreError> {
        let found = self.first(
            &sql!(
                "SELECT id, scheme, key, verifier, owner, label, read_only, state, not_before,
                     expires, limits, revision
                 FROM credentials WHERE scheme = $1 AND key = $2"
            ),
            &[scheme.as_str().into(), key.into()],
        )?;
        found.map(read).transpose()
    }

    /// The credential with this identity, whatever its state.
    ///
    /// # Errors
    /// The store's own.
    pub fn find_credential_row(
        &mut self,
        id: Id<Credential>,
    ) -> Result<Option<CredentialRow>, StoreError> {
        let found = self.first(
            &sql!(
                "SELECT id, scheme, key, verifier, owner, label, read_only, state, not_before,
                     expires, limits, revision
                 FROM credentials WHERE id = $1"
            ),
            &[id.into()],
        )?;
        found.map(read).transpose()
    }

    /// The one live credential of `owner` that is filed under `scheme`, where there is but one.
    ///
    /// # Errors
    /// The store's own.
    pub fn find_credential_of(
        &mut self,
        owner: Id<User>,
        scheme: SchemeName,
    ) -> Result<Option<CredentialRow>, StoreError> {
        let found = self.first(
            &sql!(
                "SELECT id, scheme, key, verifier, owner, label, read_only, state, not_before,
                     expires, limits, revision
                 FROM credentials WHERE owner = $1 AND scheme = $2 AND state <> 'deleted'
                 ORDER BY revision DESC LIMIT 1"
            ),
            &[owner.into(), scheme.as_str().into()],
        )?;
        found.map(read).transpose()
    }

    /// Every credential that is filed under `scheme` and was not revoked, a page of them.
    ///
    /// # Errors
    /// The store's own.
    pub fn list_credentials_under(
        &mut self,
        scheme: SchemeName,
    ) -> Result<Vec<CredentialRow>, StoreError> {
        let rows = self.rows(
            &sql!(
                "SELECT id, scheme, key, verifier, owner, label, read_only, state, not_before,
                     expires, limits, revision
                 FROM credentials WHERE scheme = $1 AND state <> 'deleted' ORDER BY id LIMIT $2"
            ),
            &[scheme.as_str().into(), MAX_PAGE.into()],
        )?;
        rows.into_iter().map(read).collect()
    }

    /// The credentials of `owner`, a page of them. Those that live come before those that do not, so
    /// that none is ever hidden by keys of the past.
    ///
    /// # Errors
    /// The store's own.
    pub fn list_credentials(&mut self, owner: Id<User>) -> Result<Vec<CredentialRow>, StoreError> {
        let rows = self.rows(
            &sql!(
                "SELECT id, scheme, key, verifier, owner, label, read_only, state, not_before,
                     expires, limits, revision
                 FROM credentials WHERE owner = $1
                 ORDER BY CASE WHEN state = 'deleted' THEN 1 ELSE 0 END, id LIMIT $2"
            ),
            &[owner.into(), MAX_PAGE.into()],
        )?;
        rows.into_iter().map(read).collect()
    }
}
