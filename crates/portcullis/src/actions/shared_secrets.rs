//! Secrets that are shared with the clients of one guard, and the replacement of keys and secrets.

use std::time::Duration;

use portcullis_core::ability::MANAGE_CREDENTIALS;
use portcullis_core::credential::Credential;
use portcullis_core::id::Id;
use portcullis_core::limits::Limits;
use portcullis_core::organization::State;
use portcullis_core::policy::Networks;
use portcullis_core::scheme::{API_KEY, Issued, SHARED_SECRET, SchemeName, shared_secret};
use portcullis_core::secret::SecretBuf;
use portcullis_core::time::Timestamp;
use portcullis_store::credentials::CredentialRow;
use portcullis_store::guards::GuardRow;
use portcullis_store::rotations::Rotation;
use portcullis_store::users::UserRow;

use super::authority::Needs;
use super::keys::{KeyOptions, NewKey, check, new_key};
use super::{ActionError, Actions, Deed};

/// The longest that a replaced credential counts beside its successor: 90 days.
pub(crate) const MAX_OVERLAP: Duration = Duration::from_secs(90 * 24 * 3_600);

impl Actions {
    /// Makes a secret of `guards` that stands for `owner`: one of ours, or the `imported` one, which
    /// its customer chose, and which is of one guard.
    pub(crate) async fn create_secret(
        &self,
        owner: &UserRow,
        guards: &[GuardRow],
        imported: Option<SecretBuf>,
        options: KeyOptions,
    ) -> Result<NewKey, ActionError> {
        if !owner.signs_in {
            return Err(ActionError::Unfit("this user never signs in"));
        }
        let accepts = |guard: &GuardRow| {
            guard.definition.schemes.iter().any(|(scheme, _)| *scheme == SHARED_SECRET)
        };
        if guards.is_empty() || !guards.iter().all(accepts) {
            return Err(ActionError::Unfit(
                "this guard does not accept the scheme `shared_secret`",
            ));
        }
        check(&options)?;
        let ids = guards.iter().map(|guard| guard.id).collect();
        let limits = Limits { guards: Some(ids), ..options.limits };
        let options = KeyOptions { limits, ..options };
        let own = imported.is_none();
        let Issued { key, shown, verifier } = match (imported, guards) {
            (Some(secret), [guard]) => shared_secret::import(secret, guard.id, &self.peppers)?,
            (Some(_), _) => return Err(ActionError::Unfit("an imported secret is of one guard")),
            (None, _) => self.draw(SHARED_SECRET)?,
        };
        let new = new_key((SHARED_SECRET, key.clone()), &verifier, owner.id, options);
        let needs = Needs::one(MANAGE_CREDENTIALS, owner.organization).over(owner.id);
        let names: Vec<_> = guards.iter().map(|guard| guard.definition.name.as_str()).collect();
        let how = if own { "drawn" } else { "imported" };
        let told = format!("user {}, guards {}, {how}", owner.id, names.join(", "));
        let made = self.act(Deed::new("secret.create", needs), move |writing| {
            writing.note(format!("secret {}", new.key), &*told);
            writing.insert_credential(&new).map(drop)
        });
        made.await.map_err(|error| {
            error.or_exists(|| "this secret of the guard, perhaps a revoked one,".into())
        })?;
        Ok(NewKey { id: key, shown })
    }

    /// Replaces a key or secret by a new one that counts where it does, and as long unless `expires`
    /// says otherwise. The old one counts for
    /// `overlap` beside it, and no longer than it would have.
    pub(crate) async fn rotate_key(
        &self,
        key: &CredentialRow,
        overlap: Duration,
        expires: Option<Timestamp>,
    ) -> Result<NewKey, ActionError> {
        if key.state != State::Active {
            return Err(ActionError::Unfit("only a key that is active can be replaced"));
        }
        if overlap > MAX_OVERLAP {
            return Err(ActionError::Unfit("both keys count for at most 90 days"));
        }
        if self.find_rotation(key.id).await?.is_some() {
            return Err(ActionError::Unfit("this key was replaced before; replace its successor"));
        }
        let scheme =
            SchemeName::named(&key.scheme).filter(|it| [API_KEY, SHARED_SECRET].contains(it));
        let scheme = scheme.ok_or(ActionError::Unfit("only keys and secrets can be replaced"))?;
        let options = KeyOptions {
            label: key.label.clone(),
            read_only: key.read_only,
            not_before: key.not_before,
            expires: expires.or(key.expires),
            limits: key.limits.clone(),
        };
        let Issued { key: new_id, shown, verifier } = self.draw(scheme)?;
        let new = new_key((scheme, new_id.clone()), &verifier, key.owner, options);
        let needs = self.needs_to_manage(key).await?;
        let (id, version, old) = (key.id, key.version, key.key.clone());
        self.act(Deed::new("key.rotate", needs).urgent(), move |writing| {
            writing.note(format!("key {old}"), format!("key {}", new.key));
            writing.rotate_credential((id, version), &new, overlap).map(drop)
        })
        .await?;
        Ok(NewKey { id: new_id, shown })
    }

    /// That a credential was replaced, if it was.
    pub(crate) async fn find_rotation(
        &self,
        id: Id<Credential>,
    ) -> Result<Option<Rotation>, ActionError> {
        Ok(self.store.read(move |reading| reading.find_rotation(id)).await?)
    }

    /// Every credential that was replaced and still counts.
    pub(crate) async fn list_rotations(
        &self,
        now: Timestamp,
    ) -> Result<Vec<Rotation>, ActionError> {
        Ok(self.store.read(move |reading| reading.list_rotations(now)).await?)
    }

    /// Limits to the guards called `guards` and to `networks`; an empty list limits nothing.
    pub(crate) async fn limits(
        &self,
        guards: &[String],
        networks: &[ipnet::IpNet],
    ) -> Result<Limits, ActionError> {
        let mut ids = Vec::with_capacity(guards.len());
        for name in guards {
            ids.push(self.find_guard(name).await?.id);
        }
        Ok(Limits {
            networks: Networks::new(networks).ok(),
            guards: (!ids.is_empty()).then_some(ids.into()),
        })
    }
}
