//! All that judging asks of what is remembered.

use std::sync::Arc;

use crate::credential::{Credential, FiledAt};
use crate::id::Id;
use crate::keyring::Keyring;
use crate::limits::Limits;
use crate::organization::Organization;
use crate::principal::{Group, Role, User};
use crate::scheme::SchemeName;

/// What is live, answered from memory at once. Absence is an answer; not being able to tell is
/// the lease's to say, and the gate asks it last.
pub trait CredentialLookup {
    /// The credential that `scheme` files under its public part `key`.
    fn credential(&self, scheme: SchemeName, key: &str) -> Option<Credential>;
    /// The credential in the place where one was found before.
    fn filed_at(&self, place: FiledAt) -> Option<Credential>;
    /// To what a credential is limited that says it is.
    fn limits(&self, id: Id<Credential>) -> Option<Arc<Limits>>;
    /// The opened secrets of a credential that is [kept open](crate::scheme::Kept::Opened).
    fn keyring(&self, id: Id<Credential>) -> Option<Arc<Keyring>>;
    /// The user whose login name in `realm` is `login`, in its canonical form.
    fn named(&self, realm: Id<Organization>, login: &str) -> Option<Arc<User>>;
    /// The user who has this number in `realm`, and was not deleted.
    fn numbered(&self, realm: Id<Organization>, number: i64) -> Option<Arc<User>>;
    /// The user `id`.
    fn user(&self, id: Id<User>) -> Option<Arc<User>>;
    /// The organization `id`.
    fn organization(&self, id: Id<Organization>) -> Option<Arc<Organization>>;
    /// The group `id`.
    fn group(&self, id: Id<Group>) -> Option<Arc<Group>>;
    /// The role `id`.
    fn role(&self, id: Id<Role>) -> Option<Arc<Role>>;
}

impl<L: CredentialLookup + ?Sized> CredentialLookup for Arc<L> {
    fn credential(&self, scheme: SchemeName, key: &str) -> Option<Credential> {
        (**self).credential(scheme, key)
    }

    fn filed_at(&self, place: FiledAt) -> Option<Credential> {
        (**self).filed_at(place)
    }

    fn limits(&self, id: Id<Credential>) -> Option<Arc<Limits>> {
        (**self).limits(id)
    }

    fn keyring(&self, id: Id<Credential>) -> Option<Arc<Keyring>> {
        (**self).keyring(id)
    }

    fn named(&self, realm: Id<Organization>, login: &str) -> Option<Arc<User>> {
        (**self).named(realm, login)
    }

    fn numbered(&self, realm: Id<Organization>, number: i64) -> Option<Arc<User>> {
        (**self).numbered(realm, number)
    }

    fn user(&self, id: Id<User>) -> Option<Arc<User>> {
        (**self).user(id)
    }

    fn organization(&self, id: Id<Organization>) -> Option<Arc<Organization>> {
        (**self).organization(id)
    }

    fn group(&self, id: Id<Group>) -> Option<Arc<Group>> {
        (**self).group(id)
    }

    fn role(&self, id: Id<Role>) -> Option<Arc<Role>> {
        (**self).role(id)
    }
}
