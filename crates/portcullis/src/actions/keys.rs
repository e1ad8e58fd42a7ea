//! API keys.

use portcullis_core::ability::{GENERATE_API_KEY, MANAGE_API_KEYS, MANAGE_CREDENTIALS};
use portcullis_core::credential::{Credential, KeyVerifier};
use portcullis_core::id::Id;
use portcullis_core::limits::Limits;
use portcullis_core::name;
use portcullis_core::organization::{Organization, State};
use portcullis_core::principal::User;
use portcullis_core::scheme::{API_KEY, Issued, SHARED_SECRET, SchemeName};
use portcullis_core::secret::SecretBuf;
use portcullis_core::time::Timestamp;
use portcullis_store::StoreError;
use portcullis_store::credentials::{CredentialRow, NewCredential};
use portcullis_store::key_details::KeyDetails;
use portcullis_store::usage::Usage;
use portcullis_store::users::UserRow;

use super::authority::Needs;
use super::{ActionError, Actions, Actor, Deed};

/// What a new key is to be.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyOptions {
    /// What people call it; may be empty.
    pub(crate) label: String,
    /// Whether it may only read.
    pub(crate) read_only: bool,
    /// It is not valid before this.
    pub(crate) not_before: Option<Timestamp>,
    /// It is not valid from this on.
    pub(crate) expires: Option<Timestamp>,
    /// Where alone it counts.
    pub(crate) limits: Limits,
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
    /// Makes an API key of `owner`.
    pub(crate) async fn create_key(
        &self,
        owner: &UserRow,
        options: KeyOptions,
    ) -> Result<NewKey, ActionError> {
        if !owner.signs_in {
            return Err(ActionError::Unfit("this user never signs in"));
        }
        check(&options)?;
        let Issued { key, shown, verifier } = self.draw(API_KEY)?;
        let new = new_key((API_KEY, key.clone()), &verifier, owner.id, options);
        let needs = Needs::one(MANAGE_CREDENTIALS, owner.organization).over(owner.id);
        self.act(Deed::new("key.create", needs), move |writing| {
            writing.note(format!("key {}", new.key), &*new.label);
            writing.insert_credential(&new).map(drop)
        })
        .await?;
        Ok(NewKey { id: key, shown })
    }

    /// Makes an API key of `owner` as a principal asks for it: for oneself, or for another, who reads
    /// it later. Its whole is sealed, for its owner alone.
    pub(crate) async fn generate_key(
        &self,
        owner: &UserRow,
        options: KeyOptions,
    ) -> Result<NewKey, ActionError> {
        let Actor::Principal(acting) = &self.actor else { return Err(ActionError::NotAllowed) };
        let creator = acting.who.principal.user.id;
        check(&options)?;
        let needs = if creator == owner.id {
            Needs::one(GENERATE_API_KEY, owner.organization)
        } else {
            Needs::one(MANAGE_API_KEYS, owner.organization).over(owner.id)
        };
        let Issued { key, shown, verifier } = self.draw(API_KEY)?;
        let sealed = self.master.seal(shown.expose(), &context(&key, owner.organization))?;
        let new = new_key((API_KEY, key.clone()), &verifier, owner.id, options);
        self.act(Deed::new("key.generate", needs), move |writing| {
            writing.note(format!("key {}", new.key), &*new.label);
            let id = writing.insert_credential(&new)?;
            writing.insert_key_details(id, creator, &sealed)
        })
        .await?;
        Ok(NewKey { id: key, shown })
    }

    /// The details of a key, the whole of it sealed.
    pub(crate) async fn find_key_details(
        &self,
        key: &CredentialRow,
    ) -> Result<Option<KeyDetails>, ActionError> {
        let id = key.id;
        Ok(self.store.read(move |reading| reading.find_key_details(id)).await?)
    }

    /// The whole key, for its owner alone.
    pub(crate) fn open_key(
        &self,
        key: &CredentialRow,
        owner: &UserRow,
        details: &KeyDetails,
    ) -> Result<SecretBuf, ActionError> {
        let Actor::Principal(acting) = &self.actor else { return Err(ActionError::NotAllowed) };
        if acting.who.principal.user.id != owner.id || key.owner != owner.id {
            return Err(ActionError::NotAllowed);
        }
        let (what, context) = ("a key in the database", context(&key.key, owner.organization));
        let opened = self.master.open(&details.sealed, &context);
        Ok(opened.map_err(|source| StoreError::Seal { what, source })?)
    }

    /// Changes the label of a key of `owner`, or takes its right to write away.
    pub(crate) async fn update_key(
        &self,
        key: &CredentialRow,
        owner: &UserRow,
        (label, read_only): (Option<&str>, bool),
    ) -> Result<(), ActionError> {
        let Actor::Principal(acting) = &self.actor else { return Err(ActionError::NotAllowed) };
        let modifier = acting.who.principal.user.id;
        let label = label.filter(|label| !label.is_empty()).map(name::title).transpose()?;
        let label = label.map(str::to_owned);
        let needs = self.needs_for_key(owner);
        let id = key.id;
        self.act(Deed::new("key.update", needs).urgent(), move |writing| {
            writing.note(format!("credential {id}"), "");
            writing.touch_key(id, modifier)?;
            writing.update_key(id, label.as_deref(), read_only)
        })
        .await
    }

    /// Revokes a key of `owner` as a principal asks for it: their own, or another's.
    pub(crate) async fn revoke_key(
        &self,
        key: &CredentialRow,
        owner: &UserRow,
    ) -> Result<(), ActionError> {
        let (id, needs) = (key.id, self.needs_for_key(owner));
        self.act(Deed::new("key.revoke", needs).urgent(), move |writing| {
            writing.note(format!("credential {id}"), "");
            writing.set_credential_state(id, State::Deleted)
        })
        .await
    }

    /// One's own keys need no right but to write; another's need that of managing keys.
    fn needs_for_key(&self, owner: &UserRow) -> Needs {
        let own = matches!(&self.actor, Actor::Principal(acting)
            if acting.who.principal.user.id == owner.id);
        if own {
            Needs::standing(owner.organization).and_writing()
        } else {
            Needs::one(MANAGE_API_KEYS, owner.organization).over(owner.id)
        }
    }

    /// The key or secret with this public part. A whole key is as good, and is not repeated to anybody.
    pub(crate) async fn find_key(&self, id: &str) -> Result<CredentialRow, ActionError> {
        let id = public_part(id);
        let wanted = id.to_owned();
        let found = self.store.read(move |reading| {
            let key = reading.find_credential(API_KEY, &wanted)?;
            key.map_or_else(|| reading.find_credential(SHARED_SECRET, &wanted), |key| Ok(Some(key)))
        });
        found.await?.ok_or_else(|| ActionError::Missing(format!("key `{id}`")))
    }

    /// The credential with this identity.
    pub(crate) async fn find_credential(
        &self,
        id: Id<Credential>,
    ) -> Result<CredentialRow, ActionError> {
        let found = self.store.read(move |reading| reading.find_credential_row(id)).await?;
        found.ok_or_else(|| ActionError::Missing(format!("credential {id}")))
    }

    /// The keys of `owner`, and the secrets of guards that are theirs.
    pub(crate) async fn list_keys(
        &self,
        owner: &UserRow,
    ) -> Result<Vec<CredentialRow>, ActionError> {
        let owner = owner.id;
        let mut keys = self.store.read(move |reading| reading.list_credentials(owner)).await?;
        let kept = [API_KEY, SHARED_SECRET].map(SchemeName::as_str);
        keys.retain(|key| kept.contains(&key.scheme.as_str()));
        Ok(keys)
    }

    /// How often a key was used, and when last, as of some seconds ago.
    pub(crate) async fn find_usage(
        &self,
        key: &CredentialRow,
    ) -> Result<Option<Usage>, ActionError> {
        let id = key.id;
        Ok(self.store.read(move |reading| reading.find_usage(id)).await?)
    }

    /// Switches a key, or revokes it for good; done when no server accepts it any more.
    pub(crate) async fn set_key_state(
        &self,
        key: &CredentialRow,
        state: State,
    ) -> Result<(), ActionError> {
        if key.state == State::Deleted {
            return Err(ActionError::Unfit("this key was revoked, for good"));
        }
        let needs = self.needs_to_manage(key).await?;
        let (id, key) = (key.id, key.key.clone());
        self.act(Deed::new("key.state", needs).urgent(), move |writing| {
            writing.note(format!("key {key}"), state.as_str());
            writing.set_credential_state(id, state)
        })
        .await
    }

    /// Changes where alone a key counts; done when no server accepts it elsewhere any more.
    pub(crate) async fn limit_key(
        &self,
        key: &CredentialRow,
        limits: Limits,
    ) -> Result<(), ActionError> {
        if key.state == State::Deleted {
            return Err(ActionError::Unfit("this key was revoked, for good"));
        }
        if key.scheme == SHARED_SECRET.as_str() && limits.guards != key.limits.guards {
            return Err(ActionError::Unfit("a secret stays its guard's"));
        }
        let needs = self.needs_to_manage(key).await?;
        let (id, key) = (key.id, key.key.clone());
        self.act(Deed::new("key.limit", needs).urgent(), move |writing| {
            let guards = limits.guards.as_ref().map_or(0, |guards| guards.len());
            let networks = limits.networks.as_ref().map_or(0, |networks| networks.iter().count());
            writing.note(format!("key {key}"), format!("{guards} guards, {networks} networks"));
            writing.set_credential_limits(id, &limits)
        })
        .await
    }

    /// What it takes to manage the key of somebody.
    pub(super) async fn needs_to_manage(&self, key: &CredentialRow) -> Result<Needs, ActionError> {
        let owner = key.owner;
        let owner = self.store.read(move |reading| reading.find_user_row(owner)).await?;
        let owner = owner.ok_or_else(|| ActionError::Missing("owner of the key".into()))?;
        Ok(Needs::one(MANAGE_CREDENTIALS, owner.organization).over(owner.id))
    }
}

pub(super) fn check(options: &KeyOptions) -> Result<(), ActionError> {
    if !options.label.is_empty() {
        name::title(&options.label)?;
    }
    if options.not_before.zip(options.expires).is_some_and(|(from, to)| from >= to) {
        return Err(ActionError::Unfit("a key must become valid before it expires"));
    }
    Ok(())
}

pub(super) fn new_key(
    (scheme, key): (SchemeName, String),
    verifier: &KeyVerifier,
    owner: Id<User>,
    options: KeyOptions,
) -> NewCredential {
    NewCredential {
        scheme,
        key,
        verifier: verifier.to_bytes().to_vec(),
        owner,
        label: options.label,
        read_only: options.read_only,
        not_before: options.not_before,
        expires: options.expires,
        limits: options.limits,
    }
}

/// What a sealed key is bound to: table, column, record and organization.
fn context(key: &str, organization: Id<Organization>) -> Vec<u8> {
    format!("key_details.sealed/api_key/{key}/{organization}").into_bytes()
}

/// What may be shown of a text that names a key, or is one.
fn public_part(text: &str) -> &str {
    let rest = text.strip_prefix("pcl_").and_then(|rest| rest.split_once('_'));
    rest.map_or(text, |(_, rest)| rest.split_once('_').map_or(rest, |(id, _)| id))
}

#[cfg(test)]
mod tests {
    use super::public_part;

    #[test]
    fn a_whole_key_names_itself_by_its_public_part() {
        for (text, id) in [
            ("0123456789abcdef", "0123456789abcdef"),
            ("pcl_key_0123456789abcdef_secret", "0123456789abcdef"),
            ("pcl_key_0123456789abcdef", "0123456789abcdef"),
            ("pcl_", "pcl_"),
            ("", ""),
        ] {
            assert_eq!(public_part(text), id);
        }
    }
}
