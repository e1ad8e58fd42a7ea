//! The collection of roles: those of the realm's organizations, and the built-in ones.

use portcullis_core::id::Id;
use portcullis_core::organization::Organization;
use portcullis_core::principal::Role;
use portcullis_core::query::{Field, Kind};
use portcullis_core::time::Timestamp;

use super::column::{Column, Presence, fields};
use super::scope::{Scope, Seen, below, groups};
use super::{Collection, Entry};
use crate::engine::Row;
use crate::error::StoreError;
use crate::roles;
use crate::sql::Assembled;

/// A role, as it is listed.
#[derive(Clone, Debug)]
pub struct RoleEntry {
    /// Its own row.
    pub role: Role,
    /// The organization it belongs to; a built-in one belongs to none.
    pub organization: Option<Id<Organization>>,
    /// When it was made.
    pub created: Timestamp,
}

fields! {
    /// Its identity.
    ID = "id" Id Always "r.id";
    /// The organization it belongs to; a built-in one belongs to none.
    ORGANIZATION = "organization" Id Maybe "r.organization";
    /// Its name.
    NAME = "name" Text Always "r.name";
    /// Whether it is the same everywhere and cannot be changed.
    BUILT_IN = "built_in" Flag Always "(CASE WHEN r.organization IS NULL THEN 1 ELSE 0 END)";
    /// When it was made.
    CREATED = "created" Moment Always "r.created";
}

impl Collection for RoleEntry {
    type Named = Role;
    const FIELDS: &'static [Field] = FIELDS;
}

impl Entry for RoleEntry {
    const COLUMNS: &'static [Column] = COLUMNS;
    const SELECT: &'static str = "SELECT r.created, r.organization, r.id, r.name, r.abilities, \
                                  r.state, r.revision";
    const ID: &'static str = "r.id";
    const LAST: &'static str = "r.id";

    fn from(asked: &mut Assembled, scope: &Scope) {
        asked.text(
            " FROM roles r LEFT JOIN organizations o ON o.id = r.organization
             WHERE r.state <> 'deleted' AND (o.id IS NULL OR (o.state <> 'deleted' AND ",
        );
        if let Seen::Below(top) = &scope.seen {
            below(asked, top);
            asked.text(" AND ");
        }
        // The nearest realm at or above it: a row says no more than whether it is one.
        asked.text(
            "(WITH RECURSIVE up (id, parent, realm) AS (
                 SELECT n.id, n.parent, n.realm FROM organizations n WHERE n.id = o.id
                 UNION ALL
                 SELECT n.id, n.parent, n.realm FROM organizations n
                 JOIN up ON n.id = up.parent WHERE up.realm = 0)
             SELECT up.id FROM up WHERE up.realm = 1) = ",
        );
        asked.value(scope.realm).text("))");
        if let Seen::By(user) = scope.seen {
            asked.text(
                " AND r.id IN (SELECT x.role FROM grants x
                 JOIN organizations h ON h.id = x.organization
                 WHERE x.state = 'active' AND h.state <> 'deleted' AND (x.holder = ",
            );
            asked.value(user).text(" OR x.holder IN ");
            groups(asked, "m.circle", user);
            asked.text("))");
        }
    }

    fn read(mut row: Row) -> Result<Self, StoreError> {
        let (created, organization) = (row.next("roles")?, row.next("roles")?);
        Ok(Self { role: roles::read(row)?, organization, created })
    }
}
