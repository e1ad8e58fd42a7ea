//! Organizations: the tree, its realms, and the sequences that number what stands in them.

use portcullis_core::id::Id;
use portcullis_core::organization::{Organization, State};

use crate::engine::Row;
use crate::error::StoreError;
use crate::sql::sql;
use crate::store::{Reading, Rows, Writing};

const TABLE: &str = "organizations";

/// One page has at most so many organizations.
pub const MAX_PAGE: i64 = 1_000;

pub(crate) fn read(mut row: Row) -> Result<Organization, StoreError> {
    Ok(Organization {
        id: row.next(TABLE)?,
        number: row.next(TABLE)?,
        parent: row.next(TABLE)?,
        name: row.next::<String>(TABLE)?.into(),
        realm: row.next(TABLE)?,
        state: row.next(TABLE)?,
        version: row.next(TABLE)?,
    })
}

impl Writing<'_> {
    /// Makes an organization below `parent`; `None` makes the root, which is a realm.
    ///
    /// # Errors
    /// A sibling has its name, or the store's own.
    pub fn insert_organization(
        &mut self,
        parent: Option<Id<Organization>>,
        name: &str,
    ) -> Result<Id<Organization>, StoreError> {
        let id = Id::fresh(self.now)?;
        let number =
            self.first(&sql!("SELECT COALESCE(MAX(number), 0) + 1 FROM organizations"), &[])?;
        let number: i64 = number.ok_or(StoreError::NotFound(TABLE))?.next(TABLE)?;
        let (now, revision) = (self.now, self.revision);
        self.execute(
            &sql!(
                "INSERT INTO organizations (id, number, parent, name, realm, state, created, revision)
                 VALUES ($1, $2, $3, $4, $5, 'active', $6, $7)"
            ),
            &[
                id.into(),
                number.into(),
                parent.into(),
                name.into(),
                parent.is_none().into(),
                now.into(),
                revision.into(),
            ],
        )?;
        Ok(id)
    }

    /// Switches an organization, and with it everything below.
    ///
    /// # Errors
    /// There is none, it was deleted, or the store's own.
    pub fn set_organization_state(
        &mut self,
        id: Id<Organization>,
        state: State,
    ) -> Result<(), StoreError> {
        let revision = self.revision;
        self.execute_one(
            "organization",
            &sql!(
                "UPDATE organizations SET state = $2, revision = $3
                 WHERE id = $1 AND state <> 'deleted'"
            ),
            &[id.into(), state.into(), revision.into()],
        )
    }

    /// The next number of one kind of thing in `realm`.
    pub(crate) fn next_number(
        &mut self,
        realm: Id<Organization>,
        kind: &str,
    ) -> Result<i64, StoreError> {
        let taken = self.first(
            &sql!(
                "INSERT INTO sequences (realm, kind, last) VALUES ($1, $2, 1)
                 ON CONFLICT (realm, kind) DO UPDATE SET last = sequences.last + 1
                 RETURNING last"
            ),
            &[realm.into(), kind.into()],
        )?;
        taken.ok_or(StoreError::NotFound("sequence"))?.next("sequences")
    }

    /// The realm of `organization`: the nearest one at or above it.
    ///
    /// # Errors
    /// There is none, or the store's own.
    pub fn realm_of(
        &mut self,
        organization: Id<Organization>,
    ) -> Result<Id<Organization>, StoreError> {
        realm_of(self, organization)
    }
}

impl Reading<'_> {
    /// The realm of `organization`: the nearest one at or above it.
    ///
    /// # Errors
    /// There is none, or the store's own.
    pub fn realm_of(
        &mut self,
        organization: Id<Organization>,
    ) -> Result<Id<Organization>, StoreError> {
        realm_of(self, organization)
    }

    /// The root of the tree, if this installation has one already.
    ///
    /// # Errors
    /// The store's own.
    pub fn find_root(&mut self) -> Result<Option<Organization>, StoreError> {
        let found = self.first(
            &sql!(
                "SELECT id, number, parent, name, realm, state, revision FROM organizations
                 WHERE parent IS NULL"
            ),
            &[],
        )?;
        found.map(read).transpose()
    }

    /// The organization with this number.
    ///
    /// # Errors
    /// The store's own.
    pub fn find_organization(&mut self, number: i64) -> Result<Option<Organization>, StoreError> {
        let found = self.first(
            &sql!(
                "SELECT id, number, parent, name, realm, state, revision FROM organizations
                 WHERE number = $1 AND state <> 'deleted'"
            ),
            &[number.into()],
        )?;
        found.map(read).transpose()
    }

    /// The organizations numbered above `after`, a page of them.
    ///
    /// # Errors
    /// The store's own.
    pub fn list_organizations(&mut self, after: i64) -> Result<Vec<Organization>, StoreError> {
        let rows = self.rows(
            &sql!(
                "SELECT id, number, parent, name, realm, state, revision FROM organizations
                 WHERE number > $1 AND state <> 'deleted' ORDER BY number LIMIT $2"
            ),
            &[after.into(), MAX_PAGE.into()],
        )?;
        rows.into_iter().map(read).collect()
    }
}

fn realm_of(
    from: &mut impl Rows,
    organization: Id<Organization>,
) -> Result<Id<Organization>, StoreError> {
    let mut at = Some(organization);
    for _ in 0..portcullis_core::organization::MAX_DEPTH {
        let Some(id) = at else { break };
        let found = from
            .first(&sql!("SELECT parent, realm FROM organizations WHERE id = $1"), &[id.into()])?;
        let mut row = found.ok_or(StoreError::NotFound("organization"))?;
        let (parent, realm) = (row.next(TABLE)?, row.next(TABLE)?);
        if realm {
            return Ok(id);
        }
        at = parent;
    }
    Err(StoreError::NotFound("realm"))
}
