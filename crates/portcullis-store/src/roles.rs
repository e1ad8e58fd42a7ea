//! Roles and who holds them.

use std::collections::BTreeSet;

use portcullis_core::ability::{Ability, BUILT_IN, RANKS};
use portcullis_core::id::{Id, Revision};
use portcullis_core::organization::{Organization, State};
use portcullis_core::principal::{Grant, Group, Holder, Role, User};

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

/// One page has at most so many roles.
pub const MAX_PAGE: i64 = 10_000;
/// A user or group holds at most so many roles.
pub const MAX_GRANTS: usize = 100;

/// A role held, or no longer held.
#[derive(Clone, Debug)]
pub struct GrantRow {
    /// The user or group that holds it.
    pub holder: Holder,
    /// What is held, and where.
    pub grant: Grant,
    /// Whether it still is.
    pub state: State,
    /// The revision of its last change.
    pub version: Revision,
}

/// A holder's kind and identity, as the database has them.
fn written(holder: Holder) -> (&'static str, [u8; 16]) {
    match holder {
        Holder::Group(id) => ("group", *id.as_bytes()),
        Holder::User(id) => ("user", *id.as_bytes()),
    }
}

fn read_holder(kind: &str, bytes: Id<User>) -> Result<Holder, StoreError> {
    match kind {
        "group" => Ok(Holder::Group(Id::<Group>::from_bytes(*bytes.as_bytes()))),
        "user" => Ok(Holder::User(bytes)),
        _ => Err(StoreError::Corrupt { table: "grants", reason: format!("no holder `{kind}`") }),
    }
}

pub(crate) fn read_grant(mut row: Row) -> Result<GrantRow, StoreError> {
    let table = "grants";
    let kind: String = row.next(table)?;
    Ok(GrantRow {
        holder: read_holder(&kind, row.next(table)?)?,
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
        organization.map_or(Ok(()), |organization| self.must_stand(organization))?;
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

    /// Makes every built-in role of this build, or brings it up to what this build says.
    ///
    /// # Errors
    /// The store's own.
    pub fn upsert_built_in_roles(&mut self) -> Result<(), StoreError> {
        for role in BUILT_IN {
            let (revision, abilities) = (self.revision, serde_json::json!(role.abilities));
            let touched = self.execute(
                &sql!(
                    "UPDATE roles SET abilities = $2, revision = $3
                     WHERE organization IS NULL AND name = $1"
                ),
                &[role.name.into(), abilities.to_string().into(), revision.into()],
            )?;
            if touched == 0 {
                self.insert_role(None, role.name, role.abilities)?;
            }
        }
        Ok(())
    }

    /// Changes what a role allows; a built-in one never changes.
    ///
    /// # Errors
    /// There is no such custom role, or the store's own.
    pub fn set_role_abilities(
        &mut self,
        id: Id<Role>,
        abilities: &BTreeSet<Ability>,
    ) -> Result<(), StoreError> {
        let (revision, names) = (self.revision, abilities.iter().map(Ability::as_str));
        let abilities = serde_json::json!(names.collect::<Vec<_>>()).to_string();
        self.execute_one(
            "role that can be changed",
            &sql!(
                "UPDATE roles SET abilities = $2, revision = $3
                 WHERE id = $1 AND organization IS NOT NULL AND state <> 'deleted'"
            ),
            &[id.into(), abilities.into(), revision.into()],
        )
    }

    /// Deletes a role, whoever holds it; a built-in one stays.
    ///
    /// # Errors
    /// There is no such custom role, or the store's own.
    pub fn delete_role(&mut self, id: Id<Role>) -> Result<(), StoreError> {
        let revision = self.revision;
        self.execute_one(
            "role that can be deleted",
            &sql!(
                "UPDATE roles SET state = 'deleted', revision = $2
                 WHERE id = $1 AND organization IS NOT NULL AND state <> 'deleted'"
            ),
            &[id.into(), revision.into()],
        )
    }

    /// Gives `holder` the role in `organization` and below, or takes it away.
    ///
    /// # Errors
    /// The holder has too many roles, or the store's own.
    pub fn set_grant(
        &mut self,
        holder: Holder,
        grant: Grant,
        state: State,
    ) -> Result<(), StoreError> {
        self.must_stand(grant.organization)?;
        let (revision, (kind, id)) = (self.revision, written(holder));
        if state == State::Active && grants_of(self, holder)?.len() >= MAX_GRANTS {
            return Err(StoreError::Full("nobody holds more than 100 roles"));
        }
        self.execute(
            &sql!(
                "INSERT INTO grants (role, holder, holder_kind, organization, state, revision)
                 VALUES ($1, $2, $3, $4, $5, $6)
                 ON CONFLICT (holder, role, organization) DO UPDATE SET state = excluded.state,
                     revision = excluded.revision"
            ),
            &[
                grant.role.into(),
                id.as_slice().into(),
                kind.into(),
                grant.organization.into(),
                state.into(),
                revision.into(),
            ],
        )
        .map(drop)
    }

    /// Whether `holder` holds just this.
    ///
    /// # Errors
    /// The store's own.
    pub fn holds(&mut self, holder: Holder, grant: Grant) -> Result<bool, StoreError> {
        Ok(grants_of(self, holder)?.iter().any(|held| held.grant == grant))
    }

    /// Takes every rank away that `user` holds in `organization` itself.
    ///
    /// # Errors
    /// The store's own.
    pub fn withdraw_ranks(
        &mut self,
        user: Id<User>,
        organization: Id<Organization>,
    ) -> Result<(), StoreError> {
        let revision = self.revision;
        for rank in RANKS {
            self.execute(
                &sql!(
                    "UPDATE grants SET state = 'deleted', revision = $3
                     WHERE holder = $1 AND organization = $2 AND state = 'active' AND role IN
                         (SELECT id FROM roles WHERE organization IS NULL AND name = $4)"
                ),
                &[user.into(), organization.into(), revision.into(), rank.name.into()],
            )?;
        }
        Ok(())
    }
}

impl Reading<'_> {
    /// The role that is called `name` in `organization`: a built-in one, or one of it or of an
    /// organization above it, the nearest first.
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
                "WITH RECURSIVE above (id, parent, steps) AS (
                     SELECT id, parent, 0 FROM organizations WHERE id = $1
                     UNION ALL
                     SELECT o.id, o.parent, above.steps + 1 FROM organizations o
                     JOIN above ON o.id = above.parent)
                 SELECT r.id, r.name, r.abilities, r.state, r.revision FROM roles r
                 LEFT JOIN above ON above.id = r.organization
                 WHERE r.name = $2 AND r.state <> 'deleted'
                     AND (r.organization IS NULL OR above.id IS NOT NULL)
                 ORDER BY COALESCE(above.steps, -1) LIMIT 1"
            ),
            &[organization.into(), name.into()],
        )?;
        found.map(read).transpose()
    }

    /// Whether every built-in role of this build stands as this build says.
    ///
    /// # Errors
    /// The store's own.
    pub fn has_built_in_roles(&mut self) -> Result<bool, StoreError> {
        let rows = self.rows(
            &sql!(
                "SELECT id, name, abilities, state, revision FROM roles
                 WHERE organization IS NULL AND state <> 'deleted'"
            ),
            &[],
        )?;
        let roles: Vec<Role> = rows.into_iter().map(read).collect::<Result<_, _>>()?;
        Ok(BUILT_IN.iter().all(|wanted| {
            roles.iter().any(|role| {
                *role.name == *wanted.name
                    && role.abilities.iter().map(Ability::as_str).eq(sorted(wanted.abilities))
            })
        }))
    }

    /// The roles of `organization` itself with the built-in ones.
    ///
    /// # Errors
    /// The store's own.
    pub fn list_roles(&mut self, organization: Id<Organization>) -> Result<Vec<Role>, StoreError> {
        let rows = self.rows(
            &sql!(
                "SELECT id, name, abilities, state, revision FROM roles
                 WHERE state <> 'deleted' AND (organization IS NULL OR organization = $1)
                 ORDER BY name LIMIT $2"
            ),
            &[organization.into(), MAX_PAGE.into()],
        )?;
        rows.into_iter().map(read).collect()
    }

    /// The abilities that a user holds in `organization`, through roles of their own and of their
    /// groups, held there or above.
    ///
    /// # Errors
    /// The store's own.
    pub fn abilities_of(
        &mut self,
        user: Id<User>,
        organization: Id<Organization>,
    ) -> Result<BTreeSet<Ability>, StoreError> {
        let rows = self.rows(
            &sql!(
                "WITH RECURSIVE above (id, parent) AS (
                     SELECT id, parent FROM organizations WHERE id = $2
                     UNION ALL
                     SELECT o.id, o.parent FROM organizations o JOIN above ON o.id = above.parent),
                 holders (id) AS (
                     SELECT id FROM users WHERE id = $1
                     UNION SELECT m.circle FROM members m JOIN groups g ON g.id = m.circle
                     WHERE m.member = $1 AND m.state = 'active' AND g.state = 'active')
                 SELECT r.abilities FROM grants x JOIN roles r ON r.id = x.role
                 WHERE x.holder IN (SELECT id FROM holders) AND x.state = 'active'
                     AND r.state = 'active' AND x.organization IN (SELECT id FROM above)"
            ),
            &[user.into(), organization.into()],
        )?;
        let mut abilities = BTreeSet::new();
        for mut row in rows {
            abilities.extend(read_abilities(&row.next::<String>(TABLE)?)?);
        }
        Ok(abilities)
    }

    /// The roles that `holder` holds, with the organizations they are held in.
    ///
    /// # Errors
    /// The store's own.
    pub fn list_grants(&mut self, holder: Holder) -> Result<Vec<Held>, StoreError> {
        grants_of(self, holder)
    }
}

fn sorted(names: &[&'static str]) -> Vec<&'static str> {
    names.iter().copied().collect::<BTreeSet<_>>().into_iter().collect()
}

/// A role as somebody holds it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Held {
    /// What is held, and where.
    pub grant: Grant,
    /// The name of the role.
    pub role: String,
    /// The number of the organization.
    pub organization: i64,
}

fn grants_of(from: &mut impl Rows, holder: Holder) -> Result<Vec<Held>, StoreError> {
    let (kind, id) = written(holder);
    let rows = from.rows(
        &sql!(
            "SELECT g.role, g.organization, r.name, o.number FROM grants g
             JOIN roles r ON r.id = g.role JOIN organizations o ON o.id = g.organization
             WHERE g.holder = $1 AND g.holder_kind = $2 AND g.state = 'active'
                 AND r.state <> 'deleted' AND o.state <> 'deleted'
             ORDER BY o.number, r.name"
        ),
        &[id.as_slice().into(), kind.into()],
    )?;
    let held = |mut row: Row| {
        Ok(Held {
            grant: Grant { role: row.next("grants")?, organization: row.next("grants")? },
            role: row.next("grants")?,
            organization: row.next("grants")?,
        })
    };
    rows.into_iter().map(held).collect()
}
