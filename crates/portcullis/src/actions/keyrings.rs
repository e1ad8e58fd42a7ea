//! Credentials that are kept open: their keyrings, opened and sealed anew.

use std::time::Duration;

use portcullis_core::keyring::{Binding, Keyring, Unopened};
use portcullis_core::organization::State;
use portcullis_core::scheme::SchemeName;
use portcullis_core::secret::SecretBuf;
use portcullis_core::time::Timestamp;
use portcullis_store::StoreError;
use portcullis_store::credentials::CredentialRow;

use super::shared_secrets::MAX_OVERLAP;
use super::{ActionError, Actions, Deed};

impl Actions {
    /// The keyring of a credential that was not revoked.
    pub(super) fn open_keyring(&self, row: &CredentialRow) -> Result<Keyring, ActionError> {
        if row.state == State::Deleted {
            return Err(ActionError::Unfit("this was revoked, for good"));
        }
        let opened = Keyring::open(&row.verifier, &self.master, binding(row)?);
        Ok(opened.map_err(|error| match error {
            Unopened::Form => corrupt("the form of a keyring is not known"),
            Unopened::Seal(source) => StoreError::Seal { what: "a secret in the database", source },
        })?)
    }

    /// Gives a credential a new secret. Those before it count for `overlap` beside it, and no longer
    /// than they would have.
    pub(super) async fn rotate_keyring(
        &self,
        (row, mut keyring): (&CredentialRow, Keyring),
        secret: &SecretBuf,
        overlap: Duration,
        (action, now): (&'static str, Timestamp),
    ) -> Result<(), ActionError> {
        if overlap > MAX_OVERLAP {
            return Err(ActionError::Unfit("both secrets count for at most 90 days"));
        }
        let secret = SecretBuf::new(secret.expose());
        keyring.rotate(secret, now.plus(overlap), now).map_err(|_| {
            ActionError::Unfit("four secrets count already; wait, or end them with `--overlap 0s`")
        })?;
        self.reseal(row, &keyring, (action, String::new())).await
    }

    /// Puts `keyring` in the place of the one that `row` had.
    pub(super) async fn reseal(
        &self,
        row: &CredentialRow,
        keyring: &Keyring,
        (action, told): (&'static str, String),
    ) -> Result<(), ActionError> {
        let sealed = keyring.seal(&self.master, binding(row)?)?;
        let (id, version, key) = (row.id, row.version, row.key.clone());
        let needs = self.needs_to_manage(row).await?;
        self.act(Deed::new(action, needs).urgent(), move |writing| {
            writing.note(format!("credential {key}"), &*told);
            writing.replace_verifier(id, version, &sealed)
        })
        .await
    }
}

fn binding(row: &CredentialRow) -> Result<Binding<'_>, StoreError> {
    let scheme = SchemeName::named(&row.scheme).ok_or_else(|| corrupt("a scheme is not known"))?;
    Ok(Binding { scheme, key: &row.key, owner: row.owner.as_bytes() })
}

fn corrupt(reason: &str) -> StoreError {
    StoreError::Corrupt { table: "credentials", reason: reason.into() }
}
