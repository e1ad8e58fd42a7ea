//! Who acts, and whether they may.

use std::borrow::Cow;
use std::sync::Arc;

use portcullis_core::ability::{Ability, SIGN_FOR_USERS};
use portcullis_core::authenticator::Authenticated;
use portcullis_core::credential::MAX_GENERATIONS;
use portcullis_core::id::{Id, Revision};
use portcullis_core::lookup::CredentialLookup as _;
use portcullis_core::organization::{Organization, State};
use portcullis_core::principal::{Grant, Role, User, active};
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

impl Acting {
    /// Whether what proved who acts, and all that it was minted from, still does: much may have been
    /// awaited since, such as a body.
    fn stands(&self, user: &User) -> bool {
        let credential = &self.who.principal.credential;
        let found = self.memory.filed_at(credential.filed_at).filter(|it| it.id == credential.id);
        let mut line = std::iter::successors(found.map(Some), |below| {
            let above = below.as_ref()?.parent?;
            Some(self.memory.filed_at(above))
        });
        let known = line.by_ref().take(1 + MAX_GENERATIONS).all(|one| {
            let counts = one.filter(|it| it.state == State::Active);
            let owner = counts.and_then(|it| self.memory.user(it.owner));
            owner.is_some_and(|owner| {
                let own = owner.id == user.id;
                let signs = || owner.may(SIGN_FOR_USERS, user.realm, &self.memory);
                let acts = owner.state == State::Active && active(owner.organization, &self.memory);
                acts && (own || signs())
            })
        });
        let acts = user.state == State::Active && active(user.organization, &self.memory);
        found.is_some() && known && acts
    }
}

/// The rights that a deed needs.
#[derive(Clone, Debug)]
pub(super) struct Needs {
    /// Where the deed is done.
    organization: Id<Organization>,
    /// What must be held, and where.
    rights: Vec<Right>,
    /// Whom it is done to: nobody rules over somebody who may do more.
    over: Option<Id<User>>,
    /// Whether a credential that may only read suffices.
    reading: bool,
}

type Right = (Cow<'static, str>, Id<Organization>);

impl Needs {
    /// One ability, held in `organization`.
    pub(super) fn one(ability: &'static str, organization: Id<Organization>) -> Self {
        let rights = vec![(Cow::Borrowed(ability), organization)];
        Self { organization, rights, over: None, reading: false }
    }

    /// No ability: only that the actor is who they are, with a credential that stands.
    pub(super) const fn standing(organization: Id<Organization>) -> Self {
        Self { organization, rights: Vec::new(), over: None, reading: true }
    }

    /// A credential that may write, too.
    pub(super) fn and_writing(self) -> Self {
        Self { reading: false, ..self }
    }

    /// All that `role` allows, too: nobody gives away what they do not hold.
    pub(super) fn and_role(self, role: &Role) -> Self {
        let names = role.abilities.iter().map(Ability::as_str).map(str::to_owned);
        self.and_abilities(names.collect::<Vec<_>>())
    }

    /// These abilities, too.
    pub(super) fn and_abilities(mut self, names: impl IntoIterator<Item = String>) -> Self {
        let organization = self.organization;
        self.rights.extend(names.into_iter().map(|name| (Cow::Owned(name), organization)));
        self
    }

    /// All that `user` may do, too.
    pub(super) fn over(self, user: Id<User>) -> Self {
        Self { over: Some(user), ..self }
    }
}

impl Actions {
    /// The same actions, done by somebody else.
    pub(crate) fn by(&self, actor: Actor) -> Self {
        Self { actor, ..self.clone() }
    }

    /// Whether the actor may do what `needs` the rights: for a principal, what that was decided
    /// from, so that the write can see whether it still holds.
    pub(super) fn decide(&self, needs: &Needs) -> Result<Option<Authority>, ActionError> {
        let acting = match &self.actor {
            Actor::Operator(_) => return Ok(None),
            Actor::Principal(acting) => acting,
        };
        // Read before memory is: whatever is applied in between is decided anew by the write.
        let decided_at = *acting.applied.borrow();
        let principal = &acting.who.principal;
        if principal.subject.is_some() {
            // Who acts on behalf of a subject does nothing to the house.
            return Err(ActionError::NotAllowed);
        }
        let user = acting.memory.user(principal.user.id).ok_or(ActionError::NotAllowed)?;
        if !acting.stands(&user) {
            return Err(ActionError::NotAllowed);
        }
        let mut rights = needs.rights.clone();
        if let Some(over) = needs.over.filter(|over| *over != user.id) {
            rights.extend(rights_of(&acting.memory, over));
        }
        let may =
            |(ability, organization): &Right| user.may(ability, *organization, &acting.memory);
        if (principal.credential.read_only && !needs.reading) || !rights.iter().all(may) {
            return Err(ActionError::NotAllowed);
        }
        Ok(Some(Authority {
            decided_at,
            credential: principal.credential.id,
            user: user.id,
            organization: needs.organization,
            over: needs.over.unwrap_or(user.id),
        }))
    }
}

/// Every ability that `user` holds, with where.
fn rights_of(memory: &Memory, user: Id<User>) -> Vec<Right> {
    let Some(user) = memory.user(user) else { return Vec::new() };
    let groups = user.groups.iter().filter_map(|group| memory.group(*group));
    let grants: Vec<Grant> =
        groups.flat_map(|group| group.grants.to_vec()).chain(user.grants.iter().copied()).collect();
    let of_grant = |grant: Grant| {
        let role = memory.role(grant.role);
        let names = role.iter().flat_map(|role| &role.abilities).map(Ability::to_string);
        names.map(|name| (Cow::Owned(name), grant.organization)).collect::<Vec<Right>>()
    };
    grants.into_iter().flat_map(of_grant).collect()
}
