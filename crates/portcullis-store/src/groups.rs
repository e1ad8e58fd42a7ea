//! Groups: named sets of users, and who is in them.

use portcullis_core::id::{Id, Revision};
use portcullis_core::organization::{Organization, State};
use portcullis_core::principal::{Group, User};

use crate::engine::Row;
use crate::error::StoreError;
use crate::sql::sql;
use crate::store::{Reading, Rows, Writing};
use crate::users::{self, UserRow};

const TABLE: &str = "groups";

/// One page has at most so many groups, or members.
pub const MAX_PAGE: i64 = 10_000;
/// A user is in at most so many groups.
pub const MAX_GROUPS: i64 = 100;

/// A group's own row.
#[derive(Clone, Debug)]
pub struct GroupRow {
    /// Its identity.
    pub id: Id<Group>,
    /// The organization it belongs to.
    pub organization: Id<Organization>,
    /// Its name.
    pub name: String,
    /// Whether it counts.
    pub state: State,
    /// The revision of its last change.
    pub version: Revision,
}

pub(crate) fn read(mut row: Row) -> Result<GroupRow, StoreError> {
    Ok(GroupRow {
        id: row.next(TABLE)?,
        organization: row.next(TABLE)?,
        name: row.next(TABLE)?,
        state: row.next(TABLE)?,
        version: row.next(TABLE)?,
    })
}

/// That a user is in a group, or no longer is.
#[derive(Clone, Debug)]
pub struct MemberRow {
    /// The user.
    pub member: Id<User>,
    /// The group.
    pub group: Id<Group>,
    /// Whether they are in it.
    pub state: State,
    /// The revision of the last change.
    pub version: Revision,
}

pub(crate) fn read_member(mut row: Row) -> Result<MemberRow, StoreError> {
    Ok(MemberRow {
        member: row.next("members")?,
        group: row.next("members")?,
        state: row.next("members")?,
        version: row.next("members")?,
    })
}

impl Writing<'_> {
    /// Makes a group.
    ///
    /// # Errors
    /// The organization has one of that name, or the store's own.
    pub fn insert_group(
        &mut self,
        organization: Id<Organization>,
        name: &str,
    ) -> Result<Id<Group>, StoreError> {
        self.must_stand(organization)?;
        let id = Id::fresh(self.now)?;
        let (now, revision) = (self.now, self.revision);
        self.execute(
            &sql!(
                "INSERT INTO groups (id, organization, name, state, created, revision)
                 VALUES ($1, $2, $3, 'active', $4, $5)"
            ),
            &[id.into(), organization.into(), name.into(), now.into(), revision.into()],
        )?;
        Ok(id)
    }

    /// Deletes a group: its members lose what they held through it.
    ///
    /// # Errors
    /// There is none, or the store's own.
    pub fn delete_group(&mut self, id: Id<Group>) -> Result<(), StoreError> {
        let revision = self.revision;
        self.execute_one(
            "group",
            &sql!(
                "UPDATE groups SET state = 'deleted', revision = $2
                 WHERE id = $1 AND state <> 'deleted'"
            ),
            &[id.into(), revision.into()],
        )
    }

    /// Puts a user into a group, or takes them out of it.
    ///
    /// # Errors
    /// The user is in too many groups, or the store's own.
    pub fn set_member(
        &mut self,
        member: Id<User>,
        group: Id<Group>,
        state: State,
    ) -> Result<(), StoreError> {
        if state == State::Active && self.groups_of(member)? >= MAX_GROUPS {
            return Err(StoreError::Full("nobody is in more than 100 groups"));
        }
        let revision = self.revision;
        self.execute(
            &sql!(
                "INSERT INTO members (member, circle, state, revision) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (member, circle) DO UPDATE SET state = excluded.state,
                     revision = excluded.revision"
            ),
            &[member.into(), group.into(), state.into(), revision.into()],
        )
        .map(drop)
    }

    fn groups_of(&mut self, member: Id<User>) -> Result<i64, StoreError> {
        let count = self.first(
            &sql!("SELECT COUNT(*) FROM members WHERE member = $1 AND state = 'active'"),
            &[member.into()],
        )?;
        count.ok_or(StoreError::NotFound("count"))?.next("members")
    }
}

impl Reading<'_> {
    /// The group of `organization` that is called `name`.
    ///
    /// # Errors
    /// The store's own.
    pub fn find_group(
        &mut self,
        organization: Id<Organization>,
        name: &str,
    ) -> Result<Option<GroupRow>, StoreError> {
        let found = self.first(
            &sql!(
                "SELECT id, organization, name, state, revision FROM groups
                 WHERE organization = $1 AND name = $2 AND state <> 'deleted'"
            ),
            &[organization.into(), name.into()],
        )?;
        found.map(read).transpose()
    }

    /// The groups of `organization` itself.
    ///
    /// # Errors
    /// The store's own.
    pub fn list_groups(
        &mut self,
        organization: Id<Organization>,
    ) -> Result<Vec<GroupRow>, StoreError> {
        let rows = self.rows(
            &sql!(
                "SELECT id, organization, name, state, revision FROM groups
                 WHERE organization = $1 AND state <> 'deleted' ORDER BY name LIMIT $2"
            ),
            &[organization.into(), MAX_PAGE.into()],
        )?;
        rows.into_iter().map(read).collect()
    }

    /// The groups that a user is in.
    ///
    /// # Errors
    /// The store's own.
    pub fn list_groups_of(&mut self, member: Id<User>) -> Result<Vec<GroupRow>, StoreError> {
        let rows = self.rows(
            &sql!(
                "SELECT g.id, g.organization, g.name, g.state, g.revision FROM members m
                 JOIN groups g ON g.id = m.circle
                 WHERE m.member = $1 AND m.state = 'active' AND g.state <> 'deleted'
                 ORDER BY g.name LIMIT $2"
            ),
            &[member.into(), MAX_PAGE.into()],
        )?;
        rows.into_iter().map(read).collect()
    }

    /// The users in a group numbered above `after`, a page of them.
    ///
    /// # Errors
    /// The store's own.
    pub fn list_members(
        &mut self,
        group: Id<Group>,
        after: i64,
    ) -> Result<Vec<UserRow>, StoreError> {
        let rows = self.rows(
            &sql!(
                "SELECT u.id, u.number, u.organization, u.realm, u.login, u.email, u.name,
                     u.signs_in, u.state, u.revision
                 FROM members m JOIN users u ON u.id = m.member
                 WHERE m.circle = $1 AND m.state = 'active' AND u.state <> 'deleted'
                     AND u.number > $2
                 ORDER BY u.number LIMIT $3"
            ),
            &[group.into(), after.into(), MAX_PAGE.into()],
        )?;
        rows.into_iter().map(users::read).collect()
    }
}
