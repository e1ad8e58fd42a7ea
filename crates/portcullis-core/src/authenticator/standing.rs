//! What no scheme may forget: state, validity, owner, organization and realm.

use super::{Authenticator, Rejection};
use crate::credential::Credential;
use crate::id::Id;
use crate::lookup::CredentialLookup;
use crate::organization::{MAX_DEPTH, Organization, State};
use crate::principal::User;
use crate::time::Timestamp;

impl<L: CredentialLookup> Authenticator<L> {
    /// Whether `credential` and everything above it may be used in `realm` at `now`.
    ///
    /// Everything is looked at before one reason is chosen, so that a refusal costs what a yes
    /// does. Without an owner the realm itself stands in for the owner's organization.
    pub(super) fn standing(
        &self,
        credential: &Credential,
        owner: Option<&User>,
        realm: Id<Organization>,
        now: Timestamp,
    ) -> Result<(), Rejection> {
        let organizations = self.all_active(owner.map_or(realm, |owner| owner.organization));
        match credential.state {
            State::Deleted => return Err(Rejection::Revoked),
            State::Disabled => return Err(Rejection::Disabled),
            State::Active => {}
        }
        if now < credential.not_before {
            return Err(Rejection::NotYetValid);
        }
        if now >= credential.expires {
            return Err(Rejection::Expired);
        }
        let owner = owner.ok_or(Rejection::OwnerInactive)?;
        if owner.state != State::Active {
            return Err(Rejection::OwnerInactive);
        }
        if !organizations {
            return Err(Rejection::OrganizationInactive);
        }
        if owner.realm == realm { Ok(()) } else { Err(Rejection::OtherRealm) }
    }

    /// Whether `organization` and all above it are active; an unknown one is not.
    fn all_active(&self, organization: Id<Organization>) -> bool {
        let (mut at, mut active) = (Some(organization), true);
        for _ in 0..MAX_DEPTH {
            let Some(id) = at else { return active };
            let Some(found) = self.lookup.organization(id) else { return false };
            active &= found.state == State::Active;
            at = found.parent;
        }
        // Deeper than a tree can be: a damaged database, which proves nothing.
        false
    }
}
