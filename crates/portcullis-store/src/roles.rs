//! Roles and who holds them.

use std::collections::BTreeSet;

use portcullis_core::ability::{Ability, BUILT_IN};
use portcullis_core::id::{Id, Revision};
use portcullis_core::organization::{Organization, State};
use portcullis_core::principal::{Grant, Role, User};

use crate::engine::Row;
use crate::error::StoreError;
use crate::sql::sql;
use crate::store::{Reading, Rows, Writing};

const TABLE: &str = "roles";

pub(crate) fn read(mut row: Row) -> Result<Role, StoreError> {
    Ok(Role {
        id: row.next(TABLE)?,
        name: row.next::<String>(TABLE)?.into(),
        abilities: read_abilities(&row.next::<String>(TABLE)?)?,
        state: row.next(TABLE)?,
        version: row.next(TABLE)?,
    })
}

fn read_abilities(json: &str) -> Result<BTreeSet<Ability>, StoreError> {
    let corrupt = |reason: String| StoreError::Corrupt { table: TABLE, reason };
    let names: Vec<String> =
        serde_json::from_str(json).map_err(|error| corrupt(error.to_string()))?;
    names.iter().map(|name| Ability::parse(name).map_err(|bad| corrupt(bad.to_string()))).collect()
}

/// A role held, or no longer held.
#[derive(Clone, Debug)]
pub struct GrantRow {
    /// The user or group that holds it.
    pub holder: Id<User>,
    /// What is held, and where.
    pub grant: Grant,
    /// Whether it still is.
    pub state: State,
    /// The revision of its last change.
    pub version: Revision,
}

pub(crate) fn read_grant(mut row: Row) -> Result<GrantRow, StoreError> {
    let table = "grants";
    Ok(GrantRow {
        holder: row.next(table)?,
        grant: Grant { role: row.next(table)?, organization: row.next(table)? },
        state: row.next(table)?,
        version: row.next(table)?,
    })
}

impl Writing<'_> {
    /// Makes a role; without an organization, a built-in one.
    ///
    /// # Errors
    /// There is one of that name, or the store's own.
    pub fn insert_role(
        &mut self,
        organization: Option<Id<Organization>>,
        name: &str,
        abilities: &[&str],
    ) -> Result<Id<Role>, StoreError> {
        let id = Id::fresh(self.now)?;
        let abilities = serde_json::json!(abilities).to_string();
        let (now, revision) = (self.now, self.revision);
        self.execute(
            &sql!(
                "INSERT INTO roles (id, organization, name, abilities, state, created, revision)
                 VALUES ($1, $2, $3, $4, 'active', $5, $6)"
            ),
            &[
                id.into(),
                organization.into(),
                name.into(),
                abilities.into(),
                now.into(),
                revision.into(),
            ],
        )?;
        Ok(id)
    }

    /// Makes every built-in role of this build.
    ///
    /// # Errors
    /// The store's own.
    pub fn insert_built_in_roles(&mut self) -> Result<(), StoreError> {
        BUILT_IN
            .iter()
            .try_for_each(|role| self.insert_role(None, role.name, role.abilities).map(drop))
    }

    /// Gives `holder` the role in `organization` and below, or takes it away.
    ///
    /// # Errors
    /// The store's own.
    pub fn set_grant(
        &mut self,
        holder: Id<User>,
        grant: Grant,
        state: State,
    ) -> Result<(), StoreError> {
        let revision = self.revision;
        self.execute(
            &sql!(
                "INSERT INTO grants (role, holder, holder_kind, organization, state, revision)
                 VALUES ($1, $2, 'user', $3, $4, $5)
                 ON CONFLICT (holder, role, organization) DO UPDATE SET state = excluded.state,
                     revision = excluded.revision"
            ),
            &[
                grant.role.into(),
                holder.into(),
                grant.organization.into(),
                state.into(),
                revision.into(),
            ],
        )
        .map(drop)
    }
}

impl Reading<'_> {
    /// The role of `organization`, or the built-in one, that is called `name`.
    ///
    /// # Errors
    /// The store's own.
    pub fn find_role(
        &mut self,
        organization: Id<Organization>,
        name: &str,
    ) -> Result<Option<Role>, StoreError> {
        let found = self.first(
            &sql!(
                "SELECT id, name, abilities, state, revision FROM roles
                 WHERE name = $2 AND state <> 'deleted'
                     AND (organization IS NULL OR organization = $1)"
            ),
            &[organization.into(), name.into()],
        )?;
        found.map(read).transpose()
    }

    /// The roles of `organization` with the built-in ones.
    ///
    /// # Errors
    /// The store's own.
    pub fn list_roles(&mut self, organization: Id<Organization>) -> Result<Vec<Role>, StoreError> {
        let rows = self.rows(
            &sql!(
                "SELECT id, name, abilities, state, revision FROM roles
                 WHERE state <> 'deleted' AND (organization IS NULL OR organization = $1)
                 ORDER BY name LIMIT 1000"
            ),
            &[organization.into()],
        )?;
        rows.into_iter().map(read).collect()
    }
}
