//! Sessions of principals: a proof of who one is, once, for all that follows.

use std::time::Duration;

use portcullis_core::scheme::{ALL, Issued, SESSION};
use portcullis_core::secret::SecretBuf;
use portcullis_core::time::Timestamp;
use portcullis_store::sessions::NewSession;

use super::authority::Needs;
use super::{ActionError, Actions, Actor, Deed};

/// How long a new session lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct SessionTerms {
    /// Unused, from when it is made.
    pub(crate) lifetime: Duration,
    /// After each use; zero if a use moves nothing.
    pub(crate) idle: Duration,
    /// However much it is used.
    pub(crate) cap: Duration,
}

/// A session that its owner is given once.
#[derive(Debug)]
pub(crate) struct MintedSession {
    /// The value of its cookie.
    pub(crate) token: SecretBuf,
    /// It is not valid from this on, unless a use moves that.
    pub(crate) expires: Timestamp,
}

impl Actions {
    /// Opens a session for the principal who acts, on the credential that proved them: it inherits
    /// what that may not do, expires no later, and ends with it. A read-only credential opens one
    /// too, for that changes nothing but who is known.
    pub(crate) async fn mint_session(
        &self,
        now: Timestamp,
        terms: SessionTerms,
    ) -> Result<MintedSession, ActionError> {
        let Actor::Principal(acting) = &self.actor else { return Err(ActionError::NotAllowed) };
        let principal = &acting.who.principal;
        if principal.credential.parent.is_some() {
            return Err(ActionError::Unfit("a session opens no other session"));
        }
        let Issued { key, shown, verifier } = self.draw_session()?;
        let ends = now.plus(terms.cap).min(principal.credential.expires);
        let expires = now.plus(terms.lifetime).min(ends);
        let new = NewSession {
            scheme: SESSION,
            key,
            verifier: verifier.to_bytes().to_vec(),
            owner: principal.user.id,
            parent: principal.credential.id,
            read_only: principal.credential.read_only,
            expires,
            idle: terms.idle,
            ends,
        };
        let needs = Needs::nothing(principal.user.organization);
        self.act(Deed::new("session.create", needs), move |writing| {
            writing.note(format!("user {}", new.owner), format!("session {}", new.key));
            writing.insert_session(&new).map(drop)
        })
        .await?;
        Ok(MintedSession { token: shown, expires })
    }

    fn draw_session(&self) -> Result<Issued, ActionError> {
        let issue = ALL.iter().find(|kind| kind.name == SESSION).and_then(|kind| kind.issue);
        let issue = issue.ok_or_else(|| ActionError::Missing("scheme `session`".into()))?;
        Ok(issue(&self.peppers)?)
    }
}
