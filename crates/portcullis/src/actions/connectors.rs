//! Connectors: an id that programs know, with secrets that are sealed and a few switches.

use std::ops::RangeInclusive;
use std::time::Duration;

use portcullis_core::ability::MANAGE_CREDENTIALS;
use portcullis_core::authenticator::Authenticated;
use portcullis_core::credential::Credential;
use portcullis_core::id::Id;
use portcullis_core::keyring::{Binding, Keyring};
use portcullis_core::scheme::connector::{self, option};
use portcullis_core::scheme::{CONNECTOR, Options};
use portcullis_core::secret::SecretBuf;
use portcullis_core::subject::SubjectId;
use portcullis_core::time::Timestamp;
use portcullis_store::StoreError;
use portcullis_store::credentials::{CredentialRow, NewCredential};
use portcullis_store::users::UserRow;

use serde_json::{Map, Value};

use super::authority::Needs;
use super::keys::{KeyOptions, NewKey, check};
use super::tracking::{Teller, Untold};
use super::{ActionError, Actions, Deed};

/// A maximum age that tokens can be given, in seconds: from a minute to ten years.
pub(crate) const TOKEN_AGES: RangeInclusive<u64> = 60..=10 * 365 * 24 * 3_600;
/// The longest settings that a connector keeps here, in bytes of JSON; its status too.
pub(crate) const MAX_KEPT: usize = 256 * 1_024;

/// What a connector keeps here for itself.
#[derive(Clone)]
pub(crate) struct ConnectorKept {
    /// What people call it.
    pub(crate) label: String,
    /// Its settings, which may hold what it proves itself with elsewhere.
    pub(crate) settings: Map<String, Value>,
    /// What it said of its health last.
    pub(crate) status: Map<String, Value>,
}

/// What another system gave out, and is taken over.
#[derive(Debug, Default)]
pub(crate) struct Imported {
    /// The id that its programs know; one is drawn if there is none.
    pub(crate) id: Option<String>,
    /// The secret that they have; one is drawn if there is none.
    pub(crate) secret: Option<SecretBuf>,
}

impl Actions {
    /// Makes a connector that stands for `owner`, and tells of the subjects of their organization.
    pub(crate) async fn create_connector(
        &self,
        owner: &UserRow,
        now: Timestamp,
        imported: Imported,
        (switches, options): (Options, KeyOptions),
    ) -> Result<NewKey, ActionError> {
        if !owner.signs_in {
            return Err(ActionError::Unfit("this user never signs in"));
        }
        check(&options)?;
        let id = match imported.id {
            Some(id) if SubjectId::parse(&id).is_some() => id,
            Some(_) => return Err(ActionError::Unfit("the id of a connector has 24 hex digits")),
            None => SubjectId::fresh(now)?.to_string(),
        };
        let shown = drawn_or(imported.secret)?;
        let keyring = Keyring::new(SecretBuf::new(shown.expose()), switches);
        let binding = Binding { scheme: CONNECTOR, key: &id, owner: owner.id.as_bytes() };
        let new = NewCredential {
            scheme: CONNECTOR,
            verifier: keyring.seal(&self.master, binding)?,
            key: id.clone(),
            owner: owner.id,
            label: options.label,
            read_only: options.read_only,
            not_before: options.not_before,
            expires: options.expires,
            limits: options.limits,
        };
        let needs = Needs::one(MANAGE_CREDENTIALS, owner.organization).over(owner.id);
        let made = self.act(Deed::new("connector.create", needs), move |writing| {
            writing.note(format!("connector {}", new.key), &*new.label);
            writing.insert_credential(&new).map(drop)
        });
        made.await
            .map_err(|error| error.or_exists(|| "this connector, perhaps revoked,".into()))?;
        Ok(NewKey { id, shown })
    }

    /// The connector with this id, whatever its state.
    pub(crate) async fn find_connector(&self, id: &str) -> Result<CredentialRow, ActionError> {
        let wanted = id.to_owned();
        let found = self.store.read(move |reading| reading.find_credential(CONNECTOR, &wanted));
        found.await?.ok_or_else(|| ActionError::Missing(format!("connector `{id}`")))
    }

    /// Every connector that was not revoked.
    pub(crate) async fn list_connectors(&self) -> Result<Vec<CredentialRow>, ActionError> {
        Ok(self.store.read(|reading| reading.list_credentials_under(CONNECTOR)).await?)
    }

    /// The switches of a connector, and how many secrets of it count at `now`.
    pub(crate) fn switches(
        &self,
        row: &CredentialRow,
        now: Timestamp,
    ) -> Result<(Options, usize), ActionError> {
        let keyring = self.open_keyring(row)?;
        let count = keyring.secrets(now).count();
        Ok((keyring.options, count))
    }

    /// Turns switches of a connector; what is not named stays, and what is empty goes.
    pub(crate) async fn switch_connector(
        &self,
        row: &CredentialRow,
        switches: Options,
    ) -> Result<(), ActionError> {
        let mut keyring = self.open_keyring(row)?;
        let told = switches.iter().map(|(name, value)| format!("{name}={value}"));
        let told = told.collect::<Vec<_>>().join(" ");
        keyring.options.extend(switches);
        keyring.options.retain(|_, value| !value.is_empty());
        self.reseal(row, &keyring, ("connector.switch", told)).await
    }

    /// Gives a connector a new secret. Those before it count for `overlap` beside it, and no longer
    /// than they would have.
    pub(crate) async fn rotate_connector(
        &self,
        row: &CredentialRow,
        imported: Option<SecretBuf>,
        overlap: Duration,
        now: Timestamp,
    ) -> Result<SecretBuf, ActionError> {
        let shown = drawn_or(imported)?;
        let keyring = self.open_keyring(row)?;
        self.rotate_keyring((row, keyring), &shown, overlap, ("connector.rotate", now)).await?;
        Ok(shown)
    }

    /// What a connector keeps here for itself.
    pub(crate) async fn find_connector_kept(
        &self,
        who: &Authenticated,
    ) -> Result<ConnectorKept, ActionError> {
        let id = who.principal.credential.id;
        let read = self
            .store
            .read(move |reading| Ok((reading.find_credential_row(id)?, reading.find_kept(id)?)));
        let (row, kept) = read.await?;
        let row = row.ok_or_else(|| ActionError::Missing("connector".into()))?;
        let kept = kept.unwrap_or_default();
        let open = |sealed: Vec<u8>| {
            let what = "the settings of a connector";
            let opened = self.master.open(&sealed, &settings_context(id));
            opened.map_err(|source| StoreError::Seal { what, source })
        };
        let settings = kept.settings.map(open).transpose()?;
        let settings = settings.map_or(Ok(Map::new()), |it| object(it.expose_text()))?;
        let status = if kept.status.is_empty() { Map::new() } else { object(&kept.status)? };
        Ok(ConnectorKept { label: row.label, settings, status })
    }

    /// Replaces what a connector keeps as its settings.
    pub(crate) async fn keep_connector_settings(
        &self,
        teller: Teller,
        settings: Map<String, Value>,
    ) -> Result<(), Untold> {
        let id = teller.who.principal.credential.id;
        let text = written(settings)?;
        let sealed = self.master.seal(text.expose(), &settings_context(id));
        let sealed = sealed.map_err(ActionError::from)?;
        self.record(teller, move |recording| Ok(recording.keep_settings(id, &sealed)?)).await
    }

    /// Replaces what a connector said of its health.
    pub(crate) async fn keep_connector_status(
        &self,
        teller: Teller,
        status: Map<String, Value>,
    ) -> Result<(), Untold> {
        let id = teller.who.principal.credential.id;
        let text = written(status)?;
        self.record(teller, move |recording| Ok(recording.keep_status(id, text.expose_text())?))
            .await
    }
}

/// What may be switched on a connector, as a name and a value that is checked.
pub(crate) fn switch(name: &str, value: &str) -> Result<(String, String), ActionError> {
    let fits = match name {
        option::QUERY | option::PARTIAL => matches!(value, "true" | "false"),
        option::MAX_AGE => {
            value.is_empty() || value.parse().is_ok_and(|age: u64| TOKEN_AGES.contains(&age))
        }
        option::ORGANIZATION => value.len() <= connector::MAX_ORGANIZATION,
        _ => false,
    };
    if fits {
        Ok((name.to_owned(), value.to_owned()))
    } else {
        Err(ActionError::Unfit("a connector has no such switch, or it does not take this value"))
    }
}

/// The JSON of `object`, if it can be kept.
fn written(object: Map<String, Value>) -> Result<SecretBuf, ActionError> {
    let text = SecretBuf::new(Value::Object(object).to_string());
    if text.expose().len() > MAX_KEPT {
        return Err(ActionError::Unfit(
            "a connector keeps at most 256 KiB of settings, and status",
        ));
    }
    Ok(text)
}

/// What was kept; it was an object when it was written.
fn object(text: &str) -> Result<Map<String, Value>, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::Corrupt {
        table: "connectors",
        reason: "what a connector kept is not an object".into(),
    })
}

/// What sealed settings are bound to: table, column and record.
fn settings_context(connector: Id<Credential>) -> Vec<u8> {
    format!("connectors.settings/{connector}").into_bytes()
}

fn drawn_or(imported: Option<SecretBuf>) -> Result<SecretBuf, ActionError> {
    match imported {
        Some(secret) => {
            connector::check_imported(&secret)?;
            Ok(secret)
        }
        None => Ok(connector::draw_secret()?),
    }
}
