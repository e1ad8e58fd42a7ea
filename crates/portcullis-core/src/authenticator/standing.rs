//! What no scheme may forget: state, validity, owner, organization and realm.

use super::{Authenticator, Rejection};
use crate::ability::SIGN_FOR_USERS;
use crate::credential::{Credential, MAX_GENERATIONS};
use crate::id::Id;
use crate::limits::Site;
use crate::lookup::CredentialLookup;
use crate::organization::State;
use crate::principal::{User, active};
use crate::time::Timestamp;

/// What the parents of a credential leave of its rights.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Inherited {
    /// One of them may only read, and so may what was minted from it.
    ReadOnly,
    /// They take nothing away.
    Whole,
}

impl Inherited {
    /// `credential` with what is left to it.
    pub(super) const fn limit(self, credential: Credential) -> Credential {
        match self {
            Self::ReadOnly => Credential { read_only: true, ..credential },
            Self::Whole => credential,
        }
    }
}

impl<L: CredentialLookup> Authenticator<L> {
    /// Whether `credential` and everything above it may be used at `site` and `now`.
    ///
    /// Everything is looked at before one reason is chosen, so that a refusal costs what a yes
    /// does. Without an owner the realm itself stands in for the owner's organization.
    pub(super) fn standing(
        &self,
        credential: &Credential,
        owner: Option<&User>,
        site: &Site,
        now: Timestamp,
    ) -> Result<Inherited, Rejection> {
        let organizations =
            active(owner.map_or(site.realm, |owner| owner.organization), &self.lookup);
        let inherited = self.line(credential, site, now)?;
        let owner = owner.ok_or(Rejection::OwnerInactive)?;
        if owner.state != State::Active {
            return Err(Rejection::OwnerInactive);
        }
        if !organizations {
            return Err(Rejection::OrganizationInactive);
        }
        if owner.realm == site.realm { Ok(inherited) } else { Err(Rejection::OtherRealm) }
    }

    /// Whether `credential` and all it was minted from may be used at `now`; the nearest reason
    /// is told, but all are looked at.
    fn line(
        &self,
        credential: &Credential,
        site: &Site,
        now: Timestamp,
    ) -> Result<Inherited, Rejection> {
        let alone = |one: &Credential| judge_alone(one, now).and_then(|()| self.within(one, site));
        let mut standing = alone(credential).map(|()| Inherited::Whole);
        let mut above = credential.parent;
        for _ in 0..MAX_GENERATIONS {
            let Some(place) = above else { return standing };
            // A parent that is not known any more was revoked, and then forgotten.
            let parent = self.lookup.filed_at(place).ok_or(Rejection::Revoked)?;
            // What was minted on behalf of another user counts while the key's owner may sign for them.
            let own = parent.owner == credential.owner;
            let judged = alone(&parent)
                .and_then(|()| if own { Ok(()) } else { self.still_signs(parent.owner, site) });
            standing = match (standing, judged) {
                (Ok(_), Ok(())) if parent.read_only => Ok(Inherited::ReadOnly),
                (below, Ok(())) | (below @ Err(_), Err(_)) => below,
                (Ok(_), Err(reason)) => Err(reason),
            };
            above = parent.parent;
        }
        // Longer than a line can be: a damaged database, which proves nothing.
        if above.is_none() { standing } else { Err(Rejection::Revoked) }
    }

    /// Whether the owner of a key may act still, and sign on behalf of others.
    fn still_signs(&self, owner: Id<User>, site: &Site) -> Result<(), Rejection> {
        let owner = self.lookup.user(owner).ok_or(Rejection::OwnerInactive)?;
        self.acts(&owner, site, Rejection::OwnerInactive)?;
        self.may_sign(&owner, site)
    }

    /// Whether `owner` may sign on behalf of others at `site`.
    pub(super) fn may_sign(&self, owner: &User, site: &Site) -> Result<(), Rejection> {
        let may = owner.may(SIGN_FOR_USERS, site.realm, &self.lookup);
        if may { Ok(()) } else { Err(Rejection::OwnerMayNotSign) }
    }

    /// Whether `user` is one of the realm and active, as is the organization they belong to.
    pub(super) fn acts(
        &self,
        user: &User,
        site: &Site,
        inactive: Rejection,
    ) -> Result<(), Rejection> {
        if user.state != State::Active {
            return Err(inactive);
        }
        if !active(user.organization, &self.lookup) {
            return Err(Rejection::OrganizationInactive);
        }
        if user.realm == site.realm { Ok(()) } else { Err(Rejection::OtherRealm) }
    }

    /// Whether `credential` counts at `site`, as far as it is limited. Limits that are not known are
    /// those of a damaged memory, which proves nothing.
    fn within(&self, credential: &Credential, site: &Site) -> Result<(), Rejection> {
        if !credential.limited {
            return Ok(());
        }
        self.lookup.limits(credential.id).ok_or(Rejection::Revoked)?.judge(site)
    }
}

/// Whether `credential` may be used at `now`, its owner and parents apart.
fn judge_alone(credential: &Credential, now: Timestamp) -> Result<(), Rejection> {
    match credential.state {
        State::Deleted => return Err(Rejection::Revoked),
        State::Disabled => return Err(Rejection::Disabled),
        State::Active => {}
    }
    if now < credential.not_before {
        return Err(Rejection::NotYetValid);
    }
    if now >= credential.expires { Err(Rejection::Expired) } else { Ok(()) }
}
