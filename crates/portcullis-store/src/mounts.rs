//! Mounts: their definitions, as versioned JSON.

use std::collections::BTreeMap;

use portcullis_core::guard::Source;
use portcullis_core::id::{Id, Revision};
use portcullis_core::mount::{Definition, Mount};
use portcullis_core::organization::{Organization, State};
use serde::{Deserialize, Serialize};

use crate::engine::Row;
use crate::error::StoreError;
use crate::sql::sql;
use crate::store::{Reading, Rows, Writing};

const TABLE: &str = "mounts";

/// The stored form of a definition; a later one gets another number.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    form: u32,
    dialect: String,
    hosts: Vec<String>,
    prefix: String,
    options: BTreeMap<String, String>,
}

/// A mount's own row.
#[derive(Clone, Debug)]
pub struct MountRow {
    /// Its identity.
    pub id: Id<Mount>,
    /// The realm whose objects are seen there.
    pub organization: Id<Organization>,
    /// Where it was written down.
    pub source: Source,
    /// What it is.
    pub definition: Definition,
    /// Whether it stands.
    pub state: State,
    /// The revision of its last change.
    pub version: Revision,
}

impl MountRow {
    /// The mount itself.
    ///
    /// # Errors
    /// It cannot stand.
    pub fn build(&self) -> Result<Mount, StoreError> {
        let built = self.definition.build((self.id, self.version), self.source, self.organization);
        built.map_err(corrupt)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "an error goes where it is mapped")]
fn corrupt<R: ToString>(reason: R) -> StoreError {
    StoreError::Corrupt { table: TABLE, reason: reason.to_string() }
}

pub(crate) fn read(mut row: Row) -> Result<MountRow, StoreError> {
    let (id, organization) = (row.next(TABLE)?, row.next(TABLE)?);
    let (name, source): (String, String) = (row.next(TABLE)?, row.next(TABLE)?);
    let stored: Stored = serde_json::from_str(&row.next::<String>(TABLE)?).map_err(corrupt)?;
    Ok(MountRow {
        id,
        organization,
        source: Source::parse(&source).ok_or_else(|| corrupt("its source is none"))?,
        definition: Definition {
            name,
            dialect: stored.dialect,
            hosts: stored.hosts,
            prefix: stored.prefix,
            options: stored.options,
        },
        state: row.next(TABLE)?,
        version: row.next(TABLE)?,
    })
}

impl Writing<'_> {
    /// Makes a mount.
    ///
    /// # Errors
    /// There is one of that name, the organization is no realm, or the store's own.
    pub fn insert_mount(
        &mut self,
        realm: Id<Organization>,
        source: Source,
        definition: &Definition,
    ) -> Result<Id<Mount>, StoreError> {
        self.must_stand(realm)?;
        if self.realm_of(realm)? != realm {
            return Err(StoreError::InUse("a dialect can be mounted for a realm alone"));
        }
        let id = Id::fresh(self.now)?;
        let stored = Stored {
            form: 1,
            dialect: definition.dialect.clone(),
            hosts: definition.hosts.clone(),
            prefix: definition.prefix.clone(),
            options: definition.options.clone(),
        };
        let (now, revision) = (self.now, self.revision);
        self.execute(
            &sql!(
                "INSERT INTO mounts (id, organization, name, source, definition, state, created,
                     revision)
                 VALUES ($1, $2, $3, $4, $5, 'active', $6, $7)"
            ),
            &[
                id.into(),
                realm.into(),
                definition.name.as_str().into(),
                source.as_str().into(),
                serde_json::to_string(&stored).map_err(corrupt)?.into(),
                now.into(),
                revision.into(),
            ],
        )?;
        Ok(id)
    }

    /// Deletes the mount called `name` that was written down in `source`.
    ///
    /// # Errors
    /// There is none, or the store's own.
    pub fn delete_mount(&mut self, name: &str, source: Source) -> Result<(), StoreError> {
        let revision = self.revision;
        self.execute_one(
            "mount of the store",
            &sql!(
                "UPDATE mounts SET state = 'deleted', revision = $3
                 WHERE name = $1 AND source = $2 AND state <> 'deleted'"
            ),
            &[name.into(), source.as_str().into(), revision.into()],
        )
    }

    /// Every mount that stands.
    ///
    /// # Errors
    /// The store's own.
    pub fn list_mounts(&mut self) -> Result<Vec<MountRow>, StoreError> {
        list(self)
    }
}

impl Reading<'_> {
    /// Every mount that stands.
    ///
    /// # Errors
    /// The store's own.
    pub fn list_mounts(&mut self) -> Result<Vec<MountRow>, StoreError> {
        list(self)
    }
}

fn list(from: &mut impl Rows) -> Result<Vec<MountRow>, StoreError> {
    let rows = from.rows(
        &sql!(
            "SELECT id, organization, name, source, definition, state, revision FROM mounts
             WHERE state <> 'deleted' ORDER BY name"
        ),
        &[],
    )?;
    rows.into_iter().map(read).collect()
}
