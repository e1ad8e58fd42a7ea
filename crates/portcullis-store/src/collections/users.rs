//! The collection of users.

use portcullis_core::principal::User;
use portcullis_core::query::{Field, Kind};
use portcullis_core::time::Timestamp;

use super::column::{Column, Presence, fields};
use super::scope::{Scope, Seen, below, mates};
use super::{Collection, Entry};
use crate::engine::Row;
use crate::error::StoreError;
use crate::sql::Assembled;
use crate::users::{self, UserRow};

/// A user, as they are listed.
#[derive(Clone, Debug)]
pub struct UserEntry {
    /// Their own row.
    pub user: UserRow,
    /// When they were made.
    pub created: Timestamp,
}

fields! {
    /// Their identity.
    ID = "id" Id Always "u.id";
    /// The number that dialects show.
    NUMBER = "number" Number Always "u.number";
    /// The organization they belong to.
    ORGANIZATION = "organization" Id Always "u.organization";
    /// The login name, in its canonical form.
    LOGIN = "login" Text Maybe "u.login";
    /// The address, in its canonical form.
    EMAIL = "email" Text Maybe "u.email";
    /// What people call them.
    NAME = "name" Text Always "u.name";
    /// Whether they may sign in at all.
    SIGNS_IN = "signs_in" Flag Always "u.signs_in";
    /// Whether they were not switched off.
    ACTIVE = "active" Flag Always "(CASE WHEN u.state = 'active' THEN 1 ELSE 0 END)";
    /// When they were made.
    CREATED = "created" Moment Always "u.created";
}

impl Collection for UserEntry {
    type Named = User;
    const FIELDS: &'static [Field] = FIELDS;
}

impl Entry for UserEntry {
    const COLUMNS: &'static [Column] = COLUMNS;
    const SELECT: &'static str = "SELECT u.created, u.id, u.number, u.organization, u.realm, \
                                  u.login, u.email, u.name, u.signs_in, u.state, u.revision";
    const ID: &'static str = "u.id";
    const LAST: &'static str = "u.number";

    fn from(asked: &mut Assembled, scope: &Scope) {
        asked.text(
            " FROM users u JOIN organizations o ON o.id = u.organization
             WHERE u.state <> 'deleted' AND o.state <> 'deleted' AND u.realm = ",
        );
        asked.value(scope.realm).text(" AND ");
        match &scope.seen {
            Seen::Below(top) => below(asked, top),
            Seen::By(user) => mates(asked, "u.id", *user),
        }
    }

    fn read(mut row: Row) -> Result<Self, StoreError> {
        Ok(Self { created: row.next("users")?, user: users::read(row)? })
    }
}
