//! Keys of Expert: of servers, which sign on behalf of users, and of browsers, which pages carry.

use std::sync::Arc;
use std::time::Duration;

use portcullis_core::ability::{MANAGE_CREDENTIALS, OWNER, SIGN_FOR_USERS};
use portcullis_core::host_patterns::HostPatterns;
use portcullis_core::id::Id;
use portcullis_core::keyring::{Binding, Keyring};
use portcullis_core::name;
use portcullis_core::organization::{Organization, State};
use portcullis_core::scheme::signature::{self, Drawn, option};
use portcullis_core::scheme::{Options, SIGNATURE};
use portcullis_core::secret::SecretBuf;
use portcullis_core::time::Timestamp;
use portcullis_store::StoreError;
use portcullis_store::credentials::{CredentialRow, NewCredential};
use portcullis_store::users::UserRow;

use super::authority::Needs;
use super::keys::{KeyOptions, check};
use super::{ActionError, Actions, Deed};

/// Under which name a key's number stands among its options.
const NUMBER: &str = "number";

/// What a new key is for.
#[derive(Clone, Debug)]
pub(crate) enum Purpose {
    /// Pages of these hosts may use it; it signs for nobody.
    Browser(String),
    /// A server signs with it.
    Server {
        /// On behalf of this user alone.
        only: Option<UserRow>,
        /// In the older form too.
        older: bool,
    },
}

/// A new key, its secret shown once; a browser's has none.
#[derive(Debug)]
pub(crate) struct NewServerToken {
    /// Names it on the wire: 64 hex digits.
    pub(crate) key: String,
    /// What signs.
    pub(crate) secret: Option<SecretBuf>,
    /// Its number in the realm.
    pub(crate) number: i64,
}

/// What is set for a key.
#[derive(Clone, Debug)]
pub(crate) struct ServerToken {
    /// Its own row.
    pub(crate) row: CredentialRow,
    /// Its number in the realm.
    pub(crate) number: i64,
    /// The hosts whose pages may use it, if it is a browser's.
    pub(crate) hosts: Option<String>,
    /// The number of the one user on whose behalf it may be used.
    pub(crate) only: Option<i64>,
    /// Whether the older form counts too.
    pub(crate) older: bool,
    /// How many secrets of it count.
    pub(crate) secrets: usize,
}

impl Actions {
    /// Makes a key that `owner` answers for: what they may not do, nobody does by it.
    pub(crate) async fn create_server_token(
        &self,
        owner: &UserRow,
        purpose: Purpose,
        options: KeyOptions,
    ) -> Result<NewServerToken, ActionError> {
        check(&options)?;
        if !owner.signs_in {
            return Err(ActionError::Unfit("this user never signs in"));
        }
        let needs = self.needs_for(owner, &purpose).await?;
        let settings = settings(&purpose)?;
        let Drawn { key, secret } = signature::draw()?;
        let (master, shown) = (Arc::clone(&self.master), Arc::new(secret));
        let (filed, signs) = (key.clone(), Arc::clone(&shown));
        let (realm, owner) = (owner.realm, owner.id);
        let number = self
            .act(Deed::new("server_token.create", needs), move |writing| {
                writing.note(format!("server token {filed}"), &*options.label);
                let number = writing.next_number(realm, "server token")?;
                let mut settings = settings.clone();
                settings.insert(NUMBER.into(), number.to_string());
                let keyring = Keyring::new(SecretBuf::new(signs.expose()), settings);
                let binding = Binding { scheme: SIGNATURE, key: &filed, owner: owner.as_bytes() };
                writing.insert_credential(&NewCredential {
                    scheme: SIGNATURE,
                    key: filed.clone(),
                    verifier: keyring.seal(&master, binding)?,
                    owner,
                    label: options.label.clone(),
                    read_only: options.read_only,
                    not_before: options.not_before,
                    expires: options.expires,
                    limits: options.limits.clone(),
                })?;
                Ok(number)
            })
            .await?;
        let server = matches!(purpose, Purpose::Server { .. });
        let secret = server.then(|| SecretBuf::new(shown.expose()));
        Ok(NewServerToken { key, secret, number })
    }

    /// Whoever signs on behalf of all can do what any of them may.
    async fn needs_for(&self, owner: &UserRow, purpose: &Purpose) -> Result<Needs, ActionError> {
        let manage = Needs::one(MANAGE_CREDENTIALS, owner.realm).over(owner.id);
        let only = match purpose {
            Purpose::Browser(_) => return Ok(manage),
            Purpose::Server { only, .. } => only,
        };
        if only.as_ref().is_some_and(|user| user.realm != owner.realm || !user.signs_in) {
            return Err(ActionError::Unfit("this user cannot be signed for"));
        }
        let (id, realm) = (owner.id, owner.realm);
        let held = self.store.read(move |reading| reading.abilities_of(id, realm)).await?;
        if only.as_ref().is_none_or(|user| user.id != id) && !held.contains(SIGN_FOR_USERS) {
            return Err(ActionError::Unfit(
                "whoever answers for a server token needs the ability `Users - Sign For`",
            ));
        }
        Ok(match only {
            Some(user) if user.id == owner.id => manage,
            Some(user) => manage.over(user.id),
            None => manage.and_abilities(OWNER.abilities.iter().map(|it| (*it).to_owned())),
        })
    }

    /// The keys whose owners belong to `realm`, that were not revoked.
    pub(crate) async fn list_server_tokens(
        &self,
        realm: Id<Organization>,
        now: Timestamp,
    ) -> Result<Vec<ServerToken>, ActionError> {
        let rows = self.store.read(move |reading| {
            let rows = reading.list_credentials_under(SIGNATURE)?;
            let mut is_here = |row: &CredentialRow| {
                let owner = reading.find_user_row(row.owner)?;
                Ok(owner.is_some_and(|owner| owner.realm == realm))
            };
            rows.into_iter()
                .filter_map(|row| is_here(&row).map(|here| here.then_some(row)).transpose())
                .collect::<Result<Vec<_>, StoreError>>()
        });
        rows.await?.into_iter().map(|row| self.describe_server_token(row, now)).collect()
    }

    /// The key called so, whatever its state.
    pub(crate) async fn find_server_token(&self, key: &str) -> Result<CredentialRow, ActionError> {
        let wanted = key.to_owned();
        let found = self.store.read(move |reading| reading.find_credential(SIGNATURE, &wanted));
        found.await?.ok_or_else(|| ActionError::Missing(format!("server token `{key}`")))
    }

    /// What is set for a key that was not revoked.
    pub(crate) fn describe_server_token(
        &self,
        row: CredentialRow,
        now: Timestamp,
    ) -> Result<ServerToken, ActionError> {
        let keyring = self.open_keyring(&row)?;
        let number = |name: &str| keyring.options.get(name).and_then(|text| text.parse().ok());
        Ok(ServerToken {
            number: number(NUMBER).unwrap_or_default(),
            hosts: keyring.options.get(option::HOSTS).cloned(),
            only: number(option::USER),
            older: keyring.is_on(option::OLDER),
            secrets: keyring.secrets(now).count(),
            row,
        })
    }

    /// Whether the older form of a server's key counts too, from now on.
    pub(crate) async fn let_sign_older(
        &self,
        row: &CredentialRow,
        older: bool,
    ) -> Result<(), ActionError> {
        let mut keyring = self.open_keyring(row)?;
        if keyring.options.contains_key(option::HOSTS) {
            return Err(ActionError::Unfit("a browser's token signs nothing"));
        }
        keyring.options.insert(option::OLDER.into(), older.to_string());
        self.reseal(row, &keyring, ("server_token.switch", format!("older={older}"))).await
    }

    /// Says anew whose pages may use a browser's key.
    pub(crate) async fn set_hosts(
        &self,
        row: &CredentialRow,
        hosts: &str,
    ) -> Result<(), ActionError> {
        HostPatterns::parse(hosts)?;
        let mut keyring = self.open_keyring(row)?;
        if !keyring.options.contains_key(option::HOSTS) {
            return Err(ActionError::Unfit("a server's token is no page's"));
        }
        keyring.options.insert(option::HOSTS.into(), hosts.into());
        self.reseal(row, &keyring, ("server_token.hosts", hosts.into())).await
    }

    /// Gives a server's key a new secret. The one before it counts for `overlap` beside it.
    pub(crate) async fn rotate_server_token(
        &self,
        row: &CredentialRow,
        overlap: Duration,
        now: Timestamp,
    ) -> Result<SecretBuf, ActionError> {
        let keyring = self.open_keyring(row)?;
        if keyring.options.contains_key(option::HOSTS) {
            return Err(ActionError::Unfit("a browser's token has no secret"));
        }
        let Drawn { secret, .. } = signature::draw()?;
        self.rotate_keyring((row, keyring), &secret, overlap, ("server_token.rotate", now)).await?;
        Ok(secret)
    }

    /// Calls a key otherwise.
    pub(crate) async fn rename_server_token(
        &self,
        row: &CredentialRow,
        label: &str,
    ) -> Result<(), ActionError> {
        let label = name::title(label)?.to_owned();
        if row.state == State::Deleted {
            return Err(ActionError::Unfit("this was revoked, for good"));
        }
        let (id, needs) = (row.id, self.needs_to_manage(row).await?);
        self.act(Deed::new("server_token.rename", needs), move |writing| {
            writing.note(format!("credential {id}"), &*label);
            writing.update_key(id, Some(&label), false)
        })
        .await
    }
}

fn settings(purpose: &Purpose) -> Result<Options, ActionError> {
    let mut settings = Options::new();
    match purpose {
        Purpose::Browser(hosts) => {
            HostPatterns::parse(hosts)?;
            settings.insert(option::HOSTS.into(), hosts.clone());
        }
        Purpose::Server { only, older } => {
            settings
                .extend(only.as_ref().map(|user| (option::USER.into(), user.number.to_string())));
            if *older {
                settings.insert(option::OLDER.into(), "true".into());
            }
        }
    }
    Ok(settings)
}
