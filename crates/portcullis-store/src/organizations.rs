//! Organizations: the tree, its realms, and the sequences that number what stands in them.

use portcullis_core::id::Id;
use portcullis_core::organization::{MAX_DEPTH, Organization, State};

use crate::engine::Row;
use crate::error::StoreError;
use crate::sql::sql;
use crate::store::{Reading, Rows, Writing};
use crate::users::NewUser;

const TABLE: &str = "organizations";

/// One page has at most so many organizations.
pub const MAX_PAGE: i64 = 10_000;
/// So many organizations can be made in one installation.
pub const MAX_ORGANIZATIONS: i64 = 10_000_000;

/// An organization to be made.
#[derive(Clone, Debug)]
pub struct NewOrganization {
    /// The one it stands below; only the root has none.
    pub parent: Option<Id<Organization>>,
    /// Its name.
    pub name: String,
    /// Whether its users form a name space of their own. The root is always a realm.
    pub realm: bool,
}

/// Where an organization stands: the numbers from the root to it, eight bytes each.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Path(Vec<u8>);

impl Path {
    /// The path itself, at or after which everything below it stands.
    pub(crate) fn start(&self) -> &[u8] {
        &self.0
    }

    fn depth(&self) -> usize {
        self.0.len() / 8
    }

    fn child(&self, number: i64) -> Self {
        Self([self.0.as_slice(), &number.to_be_bytes()].concat())
    }

    /// No path below this one reaches it: numbers are positive, so no part begins with `ff`.
    pub(crate) fn end(&self) -> Vec<u8> {
        [self.0.as_slice(), &[0xff]].concat()
    }
}

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
    /// Makes an organization. A realm begins with the users 1, `admin`,
    /// who has no password until one is set, and 2, `anonymous`, who never signs in.
    ///
    /// # Errors
    /// The tree would become too deep or too large, or the store's own.
    pub fn insert_organization(
        &mut self,
        new: &NewOrganization,
    ) -> Result<Organization, StoreError> {
        let id = Id::fresh(self.now)?;
        let number = self.next_organization()?;
        let path = match new.parent {
            Some(parent) => path_of(self, parent)?.child(number),
            None => Path(number.to_be_bytes().to_vec()),
        };
        if path.depth() > MAX_DEPTH {
            return Err(StoreError::Full("the tree of organizations is too deep"));
        }
        let (now, revision, realm) = (self.now, self.revision, new.realm || new.parent.is_none());
        self.execute(
            &sql!(
                "INSERT INTO organizations (id, number, parent, path, name, realm, state, created,
                     revision)
                 VALUES ($1, $2, $3, $4, $5, $6, 'active', $7, $8)"
            ),
            &[
                id.into(),
                number.into(),
                new.parent.into(),
                path.0.as_slice().into(),
                new.name.as_str().into(),
                realm.into(),
                now.into(),
                revision.into(),
            ],
        )?;
        if realm {
            self.insert_first_users(id)?;
        }
        Ok(Organization {
            id,
            version: revision,
            number,
            parent: new.parent,
            name: new.name.as_str().into(),
            realm,
            state: State::Active,
        })
    }

    fn next_organization(&mut self) -> Result<i64, StoreError> {
        let number =
            self.first(&sql!("SELECT COALESCE(MAX(number), 0) + 1 FROM organizations"), &[])?;
        let number: i64 = number.ok_or(StoreError::NotFound(TABLE))?.next(TABLE)?;
        if number > MAX_ORGANIZATIONS {
            return Err(StoreError::Full("there are too many organizations"));
        }
        Ok(number)
    }

    fn insert_first_users(&mut self, realm: Id<Organization>) -> Result<(), StoreError> {
        for (login, name, signs_in) in
            [("admin", "Administrator", true), ("anonymous", "Anonymous", false)]
        {
            self.insert_user(&NewUser {
                organization: realm,
                login: Some(login.into()),
                email: None,
                name: name.into(),
                signs_in,
            })?;
        }
        Ok(())
    }

    /// Gives an organization another name.
    ///
    /// # Errors
    /// There is none, it was deleted, or the store's own.
    pub fn rename_organization(
        &mut self,
        id: Id<Organization>,
        name: &str,
    ) -> Result<(), StoreError> {
        let revision = self.revision;
        self.execute_one(
            "organization",
            &sql!(
                "UPDATE organizations SET name = $2, revision = $3
                 WHERE id = $1 AND state <> 'deleted'"
            ),
            &[id.into(), name.into(), revision.into()],
        )
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

    /// Deletes an organization. One flag takes its users, credentials and sessions with it, for
    /// whatever stands in it is judged by it; its guards give their names back.
    ///
    /// # Errors
    /// It is the root, others stand below it, there is none, or the store's own.
    pub fn delete_organization(&mut self, id: Id<Organization>) -> Result<(), StoreError> {
        let below = self.first(
            &sql!("SELECT 1 FROM organizations WHERE parent = $1 AND state <> 'deleted' LIMIT 1"),
            &[id.into()],
        )?;
        if below.is_some() {
            return Err(StoreError::InUse("other organizations stand below it"));
        }
        let revision = self.revision;
        self.execute_one(
            "organization",
            &sql!(
                "UPDATE organizations SET state = 'deleted', revision = $2
                 WHERE id = $1 AND parent IS NOT NULL AND state <> 'deleted'"
            ),
            &[id.into(), revision.into()],
        )?;
        self.execute(
            &sql!(
                "UPDATE guards SET state = 'deleted', revision = $2
                 WHERE organization = $1 AND state <> 'deleted'"
            ),
            &[id.into(), revision.into()],
        )
        .map(drop)
    }

    /// The next number of one kind of thing in `realm`.
    ///
    /// # Errors
    /// The store's own.
    pub fn next_number(&mut self, realm: Id<Organization>, kind: &str) -> Result<i64, StoreError> {
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

    /// Whether something can be put into `organization`.
    ///
    /// # Errors
    /// There is none, it was deleted in the meantime, or the store's own.
    pub(crate) fn must_stand(&mut self, organization: Id<Organization>) -> Result<(), StoreError> {
        path_of(self, organization).map(drop)
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

    /// The organization with this number, at or below `top`; what lies outside is unknown.
    ///
    /// # Errors
    /// There is no `top`, or the store's own.
    pub fn find_organization(
        &mut self,
        top: Id<Organization>,
        number: i64,
    ) -> Result<Option<Organization>, StoreError> {
        let top = path_of(self, top)?;
        let found = self.first(
            &sql!(
                "SELECT id, number, parent, name, realm, state, revision FROM organizations
                 WHERE number = $1 AND path >= $2 AND path < $3 AND state <> 'deleted'"
            ),
            &[number.into(), top.0.as_slice().into(), top.end().as_slice().into()],
        )?;
        found.map(read).transpose()
    }

    /// A page of `top` and all below it, numbered above `after`. What is above another in the tree
    /// has the lower number, and so comes first.
    ///
    /// # Errors
    /// There is no `top`, or the store's own.
    pub fn list_organizations(
        &mut self,
        top: Id<Organization>,
        after: i64,
        count: i64,
    ) -> Result<Vec<Organization>, StoreError> {
        let (path, count) = (path_of(self, top)?, count.clamp(1, MAX_PAGE));
        let rows = if path.depth() == 1 {
            // All stand below the root: in the order of their numbers they are a page at once.
            self.rows(
                &sql!(
                    "SELECT id, number, parent, name, realm, state, revision FROM organizations
                     WHERE number > $1 AND state <> 'deleted' ORDER BY number LIMIT $2"
                ),
                &[after.into(), count.into()],
            )?
        } else {
            self.rows(
                &sql!(
                    "SELECT id, number, parent, name, realm, state, revision FROM organizations
                     WHERE path >= $1 AND path < $2 AND number > $3 AND state <> 'deleted'
                     ORDER BY number LIMIT $4"
                ),
                &[
                    path.0.as_slice().into(),
                    path.end().as_slice().into(),
                    after.into(),
                    count.into(),
                ],
            )?
        };
        rows.into_iter().map(read).collect()
    }
}

pub(crate) fn path_of(
    from: &mut impl Rows,
    organization: Id<Organization>,
) -> Result<Path, StoreError> {
    let found = from.first(
        &sql!("SELECT path FROM organizations WHERE id = $1 AND state <> 'deleted'"),
        &[organization.into()],
    )?;
    Ok(Path(found.ok_or(StoreError::NotFound("organization"))?.next(TABLE)?))
}

fn realm_of(
    from: &mut impl Rows,
    organization: Id<Organization>,
) -> Result<Id<Organization>, StoreError> {
    let mut at = Some(organization);
    for _ in 0..MAX_DEPTH {
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
