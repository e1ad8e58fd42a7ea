//! Who acts, and whether they may.

use std::sync::Arc;

use portcullis_core::authenticator::Authenticated;
use portcullis_core::id::{Id, Revision};
use portcullis_core::lookup::CredentialLookup as _;
use portcullis_core::organization::Organization;
use portcullis_store::authority::Authority;
use portcullis_store::memory::Memory;
use tokio::sync::watch;

use super::{ActionError, Actions};

/// Who acts.
#[derive(Clone, Debug)]
pub(crate) enum Actor {
    /// Whoever may run commands on this machine, and the server itself: may do everything.
    Operator(String),
    /// Somebody who proved who they are: may do what their roles allow.
    #[expect(dead_code, reason = "nobody but the operator acts until a dialect is mounted")]
    Principal(Box<Acting>),
}

/// A principal who acts, and what is known of them.
#[derive(Clone, Debug)]
pub(crate) struct Acting {
    /// Who it is.
    pub(crate) who: Authenticated,
    /// What their roles are looked up in.
    pub(crate) memory: Arc<Memory>,
    /// The revision that memory stands at.
    pub(crate) applied: watch::Receiver<Revision>,
}

impl Actor {
    /// What the audit trail calls them.
    pub(super) fn told(&self) -> String {
        match self {
            Self::Operator(name) => name.clone(),
            Self::Principal(acting) => {
                let principal = &acting.who.principal;
                format!("user {} by {}", principal.user.id, principal.credential.id)
            }
        }
    }
}

/// A right, and the organization it must be held in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Needs {
    pub(super) ability: &'static str,
    pub(super) organization: Id<Organization>,
}

impl Actions {
    /// Whether the actor may do what `needs` the right: for a principal, what that was decided
    /// from, so that the write can see whether it still holds.
    pub(super) fn decide(&self, needs: &Needs) -> Result<Option<Authority>, ActionError> {
        let acting = match &self.actor {
            Actor::Operator(_) => return Ok(None),
            Actor::Principal(acting) => acting,
        };
        // Read before memory is: whatever is applied in between is decided anew by the write.
        let decided_at = *acting.applied.borrow();
        let principal = &acting.who.principal;
        let user = acting.memory.user(principal.user.id).ok_or(ActionError::NotAllowed)?;
        if principal.credential.read_only
            || !user.may(needs.ability, needs.organization, &acting.memory)
        {
            return Err(ActionError::NotAllowed);
        }
        Ok(Some(Authority {
            decided_at,
            credential: principal.credential.id,
            user: user.id,
            organization: needs.organization,
        }))
    }
}
