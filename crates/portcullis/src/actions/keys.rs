//! API keys.

use portcullis_core::organization::State;
use portcullis_core::scheme::{ALL, API_KEY, Issued};
use portcullis_core::secret::SecretBuf;
use portcullis_core::time::Timestamp;
use portcullis_store::credentials::{CredentialRow, NewCredential};

use super::{ActionError, Actions};

/// What a new key is to be.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyOptions {
    /// What people call it.
    pub(crate) label: String,
    /// Whether it may only read.
    pub(crate) read_only: bool,
    /// It is not valid before this.
    pub(crate) not_before: Option<Timestamp>,
    /// It is not valid from this on.
    pub(crate) expires: Option<Timestamp>,
}

/// A key that its owner sees once.
#[derive(Debug)]
pub(crate) struct NewKey {
    /// Its public part.
    pub(crate) id: String,
    /// The whole key.
    pub(crate) shown: SecretBuf,
}

impl Actions {
    /// Makes an API key of the user `login`.
    pub(crate) async fn create_key(
        &self,
        login: &str,
        options: KeyOptions,
    ) -> Result<NewKey, ActionError> {
        let owner = self.find_user(login).await?.id;
        let Issued { key, shown, verifier } = self.draw_key()?;
        let new = NewCredential {
            scheme: API_KEY,
            key: key.clone(),
            verifier: verifier.to_bytes().to_vec(),
            owner,
            label: options.label,
            read_only: options.read_only,
            not_before: options.not_before,
            expires: options.expires,
        };
        let made = self.store.write(self.write("key.create")?, move |writing| {
            writing.note(format!("key {}", new.key), &*new.label);
            writing.insert_credential(&new)
        });
        self.acknowledge.wait(&self.store, made.await?.revision).await?;
        Ok(NewKey { id: key, shown })
    }

    fn draw_key(&self) -> Result<Issued, ActionError> {
        let issue = ALL.iter().find(|kind| kind.name == API_KEY).and_then(|kind| kind.issue);
        let issue = issue.ok_or_else(|| ActionError::Missing("scheme `api_key`".into()))?;
        Ok(issue(&self.peppers)?)
    }

    /// The key with this public part.
    pub(crate) async fn find_key(&self, id: &str) -> Result<CredentialRow, ActionError> {
        let wanted = id.to_owned();
        let found =
            self.store.read(move |reading| reading.find_credential(API_KEY, &wanted)).await?;
        found.ok_or_else(|| ActionError::Missing(format!("key `{id}`")))
    }

    /// The keys of the user `login`.
    pub(crate) async fn list_keys(&self, login: &str) -> Result<Vec<CredentialRow>, ActionError> {
        let owner = self.find_user(login).await?.id;
        let mut keys = self.store.read(move |reading| reading.list_credentials(owner)).await?;
        keys.retain(|key| key.scheme == API_KEY.as_str());
        Ok(keys)
    }

    /// Switches a key, or revokes it for good; done when no server accepts it any more.
    pub(crate) async fn set_key_state(&self, id: &str, state: State) -> Result<(), ActionError> {
        let key = self.find_key(id).await?;
        let write = self.write("key.state")?.urgent();
        let done = self.store.write(write, move |writing| {
            writing.note(format!("key {}", key.key), state.as_str());
            writing.set_credential_state(key.id, state)
        });
        self.acknowledge.wait(&self.store, done.await?.revision).await
    }
}
