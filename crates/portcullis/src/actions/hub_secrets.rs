//! Secrets of the Journey Hub exchange, and the tokens they pay for.

use std::time::Duration;

use portcullis_core::ability::{HOLD_HUB_SECRET, MANAGE_CREDENTIALS};
use portcullis_core::id::Id;
use portcullis_core::limits::Limits;
use portcullis_core::organization::Organization;
use portcullis_core::scheme::hub_token::{self, IssuedSecret};
use portcullis_core::scheme::{ALL, HUB_TOKEN, Issued};
use portcullis_core::secret::SecretBuf;
use portcullis_core::time::Timestamp;
use portcullis_store::StoreError;
use portcullis_store::credentials::{CredentialRow, NewCredential};
use portcullis_store::sessions::NewSession;
use portcullis_store::users::UserRow;

use super::authority::Needs;
use super::{ActionError, Actions, Actor, Deed};

/// What people see of a secret in lists.
const LABEL: &str = "Journey Hub secret";

/// A secret as it was found, opened.
#[derive(Debug)]
pub(crate) struct Held {
    /// Its own row.
    pub(crate) row: CredentialRow,
    /// The secret itself.
    pub(crate) secret: SecretBuf,
}

/// A token that was paid for.
#[derive(Debug)]
pub(crate) struct HubToken {
    /// The token itself.
    pub(crate) token: SecretBuf,
    /// It is not valid from this on.
    pub(crate) expires: Timestamp,
}

impl Actions {
    /// Makes a secret for `owner`. The old one is gone, and with it the tokens it paid for.
    pub(crate) async fn create_hub_secret(
        &self,
        owner: &UserRow,
    ) -> Result<SecretBuf, ActionError> {
        if !self.may_hold_hub_secret(owner).await? {
            return Err(ActionError::Unfit("only an Owner of their organization holds a secret"));
        }
        let IssuedSecret { key, shown } = hub_token::draw_secret()?;
        let new = NewCredential {
            scheme: HUB_TOKEN,
            verifier: self.master.seal(shown.expose(), &context(&key, owner.organization))?,
            key,
            owner: owner.id,
            label: LABEL.into(),
            read_only: false,
            not_before: None,
            expires: None,
            limits: Limits::default(),
        };
        let needs = Needs::one(MANAGE_CREDENTIALS, owner.organization).over(owner.id);
        self.act(Deed::new("hub_secret.create", needs).urgent(), move |writing| {
            writing.note(format!("user {}", new.owner), format!("secret {}", new.key));
            writing.take_credentials(new.owner, HUB_TOKEN)?;
            writing.insert_credential(&new).map(drop)
        })
        .await?;
        Ok(shown)
    }

    /// Whether a role of the user allows it in their own organization.
    async fn may_hold_hub_secret(&self, user: &UserRow) -> Result<bool, ActionError> {
        let (id, organization) = (user.id, user.organization);
        let held = self.store.read(move |it| it.abilities_of(id, organization));
        Ok(held.await?.contains(HOLD_HUB_SECRET))
    }

    /// The secret of `owner`, if they have one.
    pub(crate) async fn find_hub_secret(
        &self,
        owner: &UserRow,
    ) -> Result<Option<Held>, ActionError> {
        let id = owner.id;
        let found = self.store.read(move |it| it.find_credential_of(id, HUB_TOKEN)).await?;
        let Some(row) = found else { return Ok(None) };
        let what = "a secret in the database";
        let secret = self
            .master
            .open(&row.verifier, &context(&row.key, owner.organization))
            .map_err(|source| StoreError::Seal { what, source })?;
        Ok(Some(Held { row, secret }))
    }

    /// Spends `digest` and mints the token it pays for, in one write: whoever acts is proven by the
    /// secret itself.
    pub(crate) async fn mint_hub_token(
        &self,
        digest: [u8; 16],
        now: Timestamp,
        lifetime: Duration,
    ) -> Result<HubToken, ActionError> {
        let Actor::Principal(acting) = &self.actor else { return Err(ActionError::NotAllowed) };
        let principal = &acting.who.principal;
        let Issued { key, shown, verifier } = self.draw_hub_token()?;
        let expires = now.plus(lifetime).min(principal.credential.expires);
        let new = NewSession {
            scheme: HUB_TOKEN,
            key,
            verifier: verifier.to_bytes().to_vec(),
            owner: principal.user.id,
            parent: principal.credential.id,
            read_only: false,
            expires,
            idle: Duration::ZERO,
            ends: expires,
            limits: Limits::default(),
        };
        let needs = Needs::one(HOLD_HUB_SECRET, principal.user.organization);
        self.act(Deed::new("hub_token.create", needs), move |writing| {
            writing.note(format!("user {}", new.owner), format!("token {}", new.key));
            writing.spend(new.parent, digest)?;
            writing.insert_session(&new).map(drop)
        })
        .await?;
        Ok(HubToken { token: shown, expires })
    }

    fn draw_hub_token(&self) -> Result<Issued, ActionError> {
        let issue = ALL.iter().find(|kind| kind.name == HUB_TOKEN).and_then(|kind| kind.issue);
        let issue = issue.ok_or_else(|| ActionError::Missing("scheme `hub_token`".into()))?;
        Ok(issue(&self.peppers)?)
    }
}

/// What a sealed secret is bound to: table, column, record and organization. A new secret is a new
/// record.
fn context(key: &str, organization: Id<Organization>) -> Vec<u8> {
    format!("credentials.verifier/hub_token/{key}/{organization}").into_bytes()
}
