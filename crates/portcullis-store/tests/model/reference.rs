//! The reference: what the house should know and answer, said in the plainest way.

use std::collections::BTreeSet;

use portcullis_core::credential::Credential;
use portcullis_core::guard::Guard;
use portcullis_core::id::Id;
use portcullis_core::organization::{Organization, State};
use portcullis_core::principal::{self, Group, Role};

pub(crate) struct Org {
    pub(crate) id: Id<Organization>,
    pub(crate) parent: Option<usize>,
    pub(crate) realm: bool,
    pub(crate) state: State,
}

pub(crate) struct User {
    pub(crate) id: Id<principal::User>,
    pub(crate) org: usize,
    pub(crate) login: String,
    pub(crate) state: State,
    /// The one of `Model::keys` that is the password.
    pub(crate) password: Option<usize>,
    pub(crate) grants: BTreeSet<(usize, usize)>,
    pub(crate) groups: BTreeSet<usize>,
}

pub(crate) struct Key {
    pub(crate) id: Id<Credential>,
    /// What the owner presents: a whole key, or a password.
    pub(crate) secret: String,
    pub(crate) is_password: bool,
    pub(crate) owner: usize,
    pub(crate) state: State,
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) read_only: bool,
    pub(crate) parent: Option<usize>,
}

pub(crate) struct Circle {
    pub(crate) id: Id<Group>,
    pub(crate) org: usize,
    pub(crate) state: State,
    pub(crate) grants: BTreeSet<(usize, usize)>,
}

pub(crate) struct Rights {
    pub(crate) id: Id<Role>,
    pub(crate) state: State,
    pub(crate) abilities: BTreeSet<&'static str>,
}

pub(crate) struct Route {
    pub(crate) id: Id<Guard>,
    pub(crate) name: String,
    pub(crate) org: usize,
    pub(crate) state: State,
    pub(crate) ability: Option<&'static str>,
}

#[derive(Default)]
pub(crate) struct Model {
    pub(crate) now: i64,
    pub(crate) orgs: Vec<Org>,
    pub(crate) users: Vec<User>,
    pub(crate) keys: Vec<Key>,
    pub(crate) circles: Vec<Circle>,
    pub(crate) roles: Vec<Rights>,
    pub(crate) routes: Vec<Route>,
}

impl Model {
    /// From an organization to the root.
    fn line(&self, org: usize) -> Vec<usize> {
        let (mut line, mut at) = (vec![org], self.orgs[org].parent);
        while let Some(above) = at {
            line.push(above);
            at = self.orgs[above].parent;
        }
        line
    }

    pub(crate) fn active(&self, org: usize) -> bool {
        self.line(org).iter().all(|it| self.orgs[*it].state == State::Active)
    }

    pub(crate) fn realm(&self, org: usize) -> usize {
        self.line(org).into_iter().find(|it| self.orgs[*it].realm).unwrap()
    }

    /// Whether somebody who can be found in the realm of `org` has the login name.
    pub(crate) fn taken(&self, org: usize, login: &str) -> bool {
        self.users.iter().any(|user| {
            user.login == login
                && user.state != State::Deleted
                && self.orgs[user.org].state != State::Deleted
                && self.realm(user.org) == self.realm(org)
        })
    }

    /// Whoever had the login name went with their organization: it is another's now.
    pub(crate) fn free(&mut self, org: usize, login: &str) {
        let realm = self.realm(org);
        let same: Vec<bool> = (self.users.iter())
            .map(|user| user.login == login && self.realm(user.org) == realm)
            .collect();
        for (user, _) in self.users.iter_mut().zip(same).filter(|(_, same)| *same) {
            user.state = State::Deleted;
        }
    }

    pub(crate) fn has_children(&self, org: usize) -> bool {
        self.orgs.iter().any(|it| it.parent == Some(org) && it.state != State::Deleted)
    }

    /// Why the credential itself, or one it was minted from, is not good now.
    fn bad(&self, key: usize) -> Option<&'static str> {
        let own = &self.keys[key];
        let own = match own.state {
            State::Deleted => Some("revoked"),
            State::Disabled => Some("disabled"),
            State::Active if self.now < own.from => Some("not_yet_valid"),
            State::Active if self.now >= own.to => Some("expired"),
            State::Active => None,
        };
        own.or_else(|| self.keys[key].parent.and_then(|parent| self.bad(parent)))
    }

    fn reads_only(&self, key: usize) -> bool {
        let own = &self.keys[key];
        own.read_only || own.parent.is_some_and(|parent| self.reads_only(parent))
    }

    fn grants(&self, user: usize) -> Vec<(usize, usize)> {
        let user = &self.users[user];
        let counts = |it: &&Circle| it.state == State::Active && self.active(it.org);
        let circles = user.groups.iter().map(|it| &self.circles[*it]).filter(counts);
        circles.flat_map(|it| &it.grants).chain(&user.grants).copied().collect()
    }

    /// What the guard answers to a holder of `key` (nobody if `None`) who wants to `write` or not:
    /// `"allow"`, or the name of the reason.
    pub(crate) fn answer(&self, route: usize, key: Option<usize>, write: bool) -> &'static str {
        let route = &self.routes[route];
        if route.state == State::Deleted || !self.active(route.org) {
            return "no_guard";
        }
        let Some(key) = key else { return "principal" };
        let owner = &self.users[self.keys[key].owner];
        let elsewhere = self.realm(owner.org) != self.realm(route.org);
        if self.keys[key].is_password && (elsewhere || !self.is_live_password(key)) {
            return "refused";
        }
        if let Some(reason) = self.bad(key) {
            return reason;
        }
        if owner.state != State::Active {
            return "owner_inactive";
        }
        if !self.active(owner.org) {
            return "organization_inactive";
        }
        if elsewhere {
            return "other_realm";
        }
        self.policy(route, key, write)
    }

    /// A password is found by the login name, which another may have by now.
    fn is_live_password(&self, key: usize) -> bool {
        let owner = &self.users[self.keys[key].owner];
        owner.password == Some(key)
            && owner.state == State::Active
            && self.bad(key).is_none()
            && self.active(owner.org)
    }

    fn policy(&self, route: &Route, key: usize, write: bool) -> &'static str {
        let user = self.keys[key].owner;
        let below = |inner: usize, outer: usize| self.line(inner).contains(&outer);
        let grants = self.grants(user);
        let belongs = below(self.users[user].org, route.org)
            || grants.iter().any(|(_, org)| below(route.org, *org));
        if !belongs {
            return "organization";
        }
        if write && self.reads_only(key) {
            return "read_only";
        }
        let may = |ability: &str| {
            grants.iter().any(|(role, org)| {
                let role = &self.roles[*role];
                role.state == State::Active
                    && role.abilities.contains(ability)
                    && below(route.org, *org)
            })
        };
        if route.ability.is_none_or(may) { "allow" } else { "ability" }
    }
}
