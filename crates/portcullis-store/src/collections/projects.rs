//! The collection of projects.

use portcullis_core::query::{Field, Kind};
use portcullis_core::time::Timestamp;

use super::column::{Column, Presence, fields};
use super::scope::{Scope, Seen, below, groups, mates};
use super::{Collection, Entry};
use crate::engine::Row;
use crate::error::StoreError;
use crate::projects::{self, Project};
use crate::sql::Assembled;

/// A project, as it is listed.
#[derive(Clone, Debug)]
pub struct ProjectEntry {
    /// Its own row.
    pub project: Project,
    /// When it was made.
    pub created: Timestamp,
}

fields! {
    /// Its identity.
    ID = "id" Id Always "p.id";
    /// The number that dialects show.
    NUMBER = "number" Number Always "p.number";
    /// The organization it belongs to.
    ORGANIZATION = "organization" Id Always "p.organization";
    /// Its name.
    NAME = "name" Text Always "p.name";
    /// What it is for.
    DESCRIPTION = "description" Text Always "p.description";
    /// The number of the template it was made from.
    TEMPLATE = "template" Number Maybe "t.number";
    /// When it was made.
    CREATED = "created" Moment Always "p.created";
}

impl Collection for ProjectEntry {
    type Named = Project;
    const FIELDS: &'static [Field] = FIELDS;
}

impl Entry for ProjectEntry {
    const COLUMNS: &'static [Column] = COLUMNS;
    const SELECT: &'static str = "SELECT p.created, p.id, p.number, p.organization, p.name, \
                                  p.description, t.number, p.connections";
    const ID: &'static str = "p.id";
    const LAST: &'static str = "p.number";

    fn from(asked: &mut Assembled, scope: &Scope) {
        asked.text(
            " FROM projects p JOIN organizations o ON o.id = p.organization
             LEFT JOIN templates t ON t.id = p.template
             WHERE p.state <> 'deleted' AND o.state <> 'deleted' AND p.realm = ",
        );
        asked.value(scope.realm).text(" AND ");
        match &scope.seen {
            Seen::Below(top) => below(asked, top),
            Seen::By(user) => {
                asked.text(
                    "(o.id IN (SELECT u.organization FROM users u WHERE u.state <> 'deleted' AND ",
                );
                mates(asked, "u.id", *user);
                asked.text(") OR o.id IN ");
                groups(asked, "g.organization", *user);
                asked.text(")");
            }
        }
    }

    fn read(mut row: Row) -> Result<Self, StoreError> {
        Ok(Self { created: row.next("projects")?, project: projects::read(row)? })
    }
}
