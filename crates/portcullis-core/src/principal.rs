//! Principals: what a proven credential stands for, and what they hold.

mod profile;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::ability::Ability;
use crate::authenticator::remembered::Remembered;
use crate::credential::Credential;
use crate::id::{Id, Revision};
use crate::lookup::CredentialLookup;
use crate::organization::{MAX_DEPTH, Organization, State};
use crate::password::PasswordVerifier;
use crate::subject::Claims;

pub use profile::Profile;

/// One user, as the memory holds them.
#[derive(Clone, Debug)]
pub struct User {
    /// Their identity.
    pub id: Id<Self>,
    /// The revision of the last change of their own row.
    pub version: Revision,
    /// The number that dialects show, one sequence in a realm.
    pub number: i64,
    /// The organization they belong to.
    pub organization: Id<Organization>,
    /// The realm in which their login name is unique.
    pub realm: Id<Organization>,
    /// Their login name in its canonical form; who has none does not sign in.
    pub login: Option<Box<str>>,
    /// What people call them, and their address.
    pub profile: Profile,
    /// Whether they may act.
    pub state: State,
    /// Their password, if one was set.
    pub password: Option<Arc<Password>>,
    /// The roles they hold themselves.
    pub grants: Box<[Grant]>,
    /// The groups they are in.
    pub groups: Box<[Id<Group>]>,
}

/// A user's password, as the memory holds it.
#[derive(Debug)]
pub struct Password {
    /// The credential it is.
    pub credential: Credential,
    /// What checks it, slowly.
    pub verifier: PasswordVerifier,
    /// That it was checked before; dies with this record.
    pub remembered: Remembered,
}

/// A named set of users.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its identity.
    pub id: Id<Self>,
    /// The revision of its last change.
    pub version: Revision,
    /// The organization it belongs to.
    pub organization: Id<Organization>,
    /// Whether it counts.
    pub state: State,
    /// The roles it holds.
    pub grants: Box<[Grant]>,
}

/// A role held in an organization and everything below it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Grant {
    /// The role.
    pub role: Id<Role>,
    /// Where it is held.
    pub organization: Id<Organization>,
}

/// Who holds a role.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Holder {
    /// Everybody in a group.
    Group(Id<Group>),
    /// One user.
    User(Id<User>),
}

/// A set of abilities.
#[derive(Clone, Debug)]
pub struct Role {
    /// Its identity.
    pub id: Id<Self>,
    /// The revision of its last change.
    pub version: Revision,
    /// Its name.
    pub name: Box<str>,
    /// Whether it counts.
    pub state: State,
    /// What it allows.
    pub abilities: BTreeSet<Ability>,
}

/// What a proven credential stands for.
#[derive(Clone, Debug)]
pub struct Principal {
    /// The user.
    pub user: Arc<User>,
    /// The credential that proved it.
    pub credential: Credential,
    /// On whose behalf it acts, with so much less than the user's rights.
    pub subject: Option<Arc<Claims>>,
    /// The login name, in its canonical form, that the credential was used on behalf of, where nobody
    /// is called so: the user is then [`ANONYMOUS`].
    pub nobody: Option<Box<str>>,
}

/// The number of the user who stands for nobody, and never signs in, in every realm.
pub const ANONYMOUS: i64 = 2;

impl Principal {
    /// `user` themselves, proven by `credential`.
    pub const fn new(user: Arc<User>, credential: Credential) -> Self {
        Self { user, credential, subject: None, nobody: None }
    }

    /// Whether it has the rights of its user: who acts on behalf of a subject has none of them,
    /// unless that was said of the subject.
    pub fn has_rights(&self) -> bool {
        self.subject.as_ref().is_none_or(|claims| claims.admin)
    }
}

impl User {
    /// Whether it stands for nobody.
    pub const fn is_anonymous(&self) -> bool {
        self.number == ANONYMOUS
    }

    /// Whether one of the user's roles allows `ability` in `organization`.
    pub fn may(
        &self,
        ability: &str,
        organization: Id<Organization>,
        lookup: &impl CredentialLookup,
    ) -> bool {
        self.any_grant(lookup, |grant| {
            let allows = lookup.role(grant.role).is_some_and(|role| {
                role.state == State::Active && role.abilities.contains(ability)
            });
            allows && within(organization, grant.organization, lookup)
        })
    }

    /// Every ability that one of the user's roles allows, wherever.
    pub fn abilities(&self, lookup: &impl CredentialLookup) -> BTreeSet<Ability> {
        let mut abilities = BTreeSet::new();
        let collect = |grant: &Grant| {
            let role = lookup.role(grant.role).filter(|role| role.state == State::Active);
            role.map(|role| role.abilities.clone()).unwrap_or_default()
        };
        for grant in self.all_grants(lookup) {
            abilities.extend(collect(&grant));
        }
        abilities
    }

    /// The roles the user holds, their own and those of their groups that count.
    pub fn all_grants(&self, lookup: &impl CredentialLookup) -> Vec<Grant> {
        let groups = self.groups.iter().filter_map(|group| lookup.group(*group));
        let counts = groups
            .filter(|group| group.state == State::Active && active(group.organization, lookup));
        let held = counts.flat_map(|group| group.grants.to_vec());
        held.chain(self.grants.iter().copied()).collect()
    }

    /// The active roles that the user holds in `organization`, themselves or by a group, each name
    /// once and in order.
    pub fn roles(
        &self,
        organization: Id<Organization>,
        lookup: &impl CredentialLookup,
    ) -> Vec<Arc<Role>> {
        let held = self.all_grants(lookup).into_iter();
        let here = held.filter(|grant| within(organization, grant.organization, lookup));
        let roles = here.filter_map(|grant| lookup.role(grant.role));
        let mut roles: Vec<_> = roles.filter(|role| role.state == State::Active).collect();
        roles.sort_by(|a, b| a.name.cmp(&b.name));
        roles.dedup_by(|a, b| a.name == b.name);
        roles
    }

    /// Whether the user belongs to `organization` or to one below it, or holds a role there.
    pub fn belongs(&self, organization: Id<Organization>, lookup: &impl CredentialLookup) -> bool {
        within(self.organization, organization, lookup)
            || self.any_grant(lookup, |grant| within(organization, grant.organization, lookup))
    }

    fn any_grant(&self, lookup: &impl CredentialLookup, test: impl Fn(&Grant) -> bool) -> bool {
        self.grants.iter().any(&test)
            || self.groups.iter().any(|group| {
                lookup.group(*group).is_some_and(|group| {
                    group.state == State::Active
                        && group.grants.iter().any(&test)
                        && active(group.organization, lookup)
                })
            })
    }
}

/// Whether `organization` and all above it are active; an unknown one is not.
pub fn active(organization: Id<Organization>, lookup: &impl CredentialLookup) -> bool {
    let (mut at, mut active) = (Some(organization), true);
    for _ in 0..MAX_DEPTH {
        let Some(id) = at else { return active };
        let Some(found) = lookup.organization(id) else { return false };
        active &= found.state == State::Active;
        at = found.parent;
    }
    // Deeper than a tree can be: a damaged database, which proves nothing.
    at.is_none() && active
}

/// Whether `inner` is `outer` or stands below it.
pub fn within(
    inner: Id<Organization>,
    outer: Id<Organization>,
    lookup: &impl CredentialLookup,
) -> bool {
    let mut at = Some(inner);
    // The bound holds even if a damaged database has a ring of parents.
    for _ in 0..MAX_DEPTH {
        match at {
            Some(id) if id == outer => return true,
            Some(id) => at = lookup.organization(id).and_then(|found| found.parent),
            None => return false,
        }
    }
    false
}
