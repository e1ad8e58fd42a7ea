//! Users, as the store keeps them.

use portcullis_core::id::{Id, Revision};
use portcullis_core::organization::{Organization, State};
use portcullis_core::principal::User;

use crate::engine::Row;
use crate::error::StoreError;
use crate::sql::sql;
use crate::store::{Reading, Rows, Writing};

const TABLE: &str = "users";

/// One page has at most so many users.
pub const MAX_PAGE: i64 = 10_000;

/// A user to be made.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// The organization they belong to.
    pub organization: Id<Organization>,
    /// The login name, in its canonical form.
    pub login: Option<String>,
    /// The address, in its canonical form; unique in the organization.
    pub email: Option<String>,
    /// What people call them.
    pub name: String,
    /// Whether they may sign in at all.
    pub signs_in: bool,
}

/// What is to be changed of a user; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct UserChange {
    /// The address, in its canonical form; an inner `None` takes it away.
    pub email: Option<Option<String>>,
    /// What people call them.
    pub name: Option<String>,
}

/// A user's own row.
#[derive(Clone, Debug)]
pub struct UserRow {
    /// Their identity.
    pub id: Id<User>,
    /// The number that dialects show.
    pub number: i64,
    /// The organization they belong to.
    pub organization: Id<Organization>,
    /// The realm in which their login name is unique.
    pub realm: Id<Organization>,
    /// The login name, in its canonical form.
    pub login: Option<String>,
    /// The address, in its canonical form.
    pub email: Option<String>,
    /// What people call them.
    pub name: String,
    /// Whether they may sign in at all.
    pub signs_in: bool,
    /// Whether they may act.
    pub state: State,
    /// The revision of the last change of this row.
    pub version: Revision,
}

pub(crate) fn read(mut row: Row) -> Result<UserRow, StoreError> {
    Ok(UserRow {
        id: row.next(TABLE)?,
        number: row.next(TABLE)?,
        organization: row.next(TABLE)?,
        realm: row.next(TABLE)?,
        login: row.next(TABLE)?,
        email: row.next(TABLE)?,
        name: row.next(TABLE)?,
        signs_in: row.next(TABLE)?,
        state: row.next(TABLE)?,
        version: row.next(TABLE)?,
    })
}

impl Writing<'_> {
    /// Makes a user.
    ///
    /// # Errors
    /// Somebody in the realm has the login name, or the store's own.
    pub fn insert_user(&mut self, new: &NewUser) -> Result<UserRow, StoreError> {
        let id = Id::fresh(self.now)?;
        self.must_stand(new.organization)?;
        let realm = self.realm_of(new.organization)?;
        self.free_login(realm, new.login.as_deref())?;
        let number = self.next_number(realm, "user")?;
        let (now, revision) = (self.now, self.revision);
        self.execute(
            &sql!(
                "INSERT INTO users (id, number, organization, realm, login, email, name, signs_in,
                     state, created, revision)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'active', $9, $10)"
            ),
            &[
                id.into(),
                number.into(),
                new.organization.into(),
                realm.into(),
                new.login.clone().into(),
                new.email.clone().into(),
                new.name.as_str().into(),
                new.signs_in.into(),
                now.into(),
                revision.into(),
            ],
        )?;
        Ok(UserRow {
            id,
            number,
            organization: new.organization,
            realm,
            login: new.login.clone(),
            email: new.email.clone(),
            name: new.name.clone(),
            signs_in: new.signs_in,
            state: State::Active,
            version: revision,
        })
    }

    /// A login name whose holder went with an organization is free again.
    fn free_login(
        &mut self,
        realm: Id<Organization>,
        login: Option<&str>,
    ) -> Result<(), StoreError> {
        let Some(login) = login else { return Ok(()) };
        let revision = self.revision;
        self.execute(
            &sql!(
                "UPDATE users SET state = 'deleted', revision = $3
                 WHERE realm = $1 AND login = $2 AND state <> 'deleted' AND organization IN
                     (SELECT id FROM organizations WHERE state = 'deleted')"
            ),
            &[realm.into(), login.into(), revision.into()],
        )
        .map(drop)
    }

    /// The user whose login name in `realm` is `login`, as they are in this very write.
    ///
    /// # Errors
    /// The store's own.
    pub fn find_login(
        &mut self,
        realm: Id<Organization>,
        login: &str,
    ) -> Result<Option<UserRow>, StoreError> {
        named(self, realm, login)
    }

    /// Changes what is known of a user.
    ///
    /// # Errors
    /// Somebody in the organization has the address, there is no such user, or the store's own.
    pub fn update_user(&mut self, id: Id<User>, change: &UserChange) -> Result<(), StoreError> {
        let revision = self.revision;
        self.execute_one(
            "user",
            &sql!(
                "UPDATE users SET name = COALESCE($2, name),
                     email = CASE WHEN $3 = 1 THEN $4 ELSE email END, revision = $5
                 WHERE id = $1 AND state <> 'deleted'"
            ),
            &[
                id.into(),
                change.name.clone().into(),
                change.email.is_some().into(),
                change.email.clone().flatten().into(),
                revision.into(),
            ],
        )
    }

    /// Switches a user.
    ///
    /// # Errors
    /// There is none, they were deleted, or the store's own.
    pub fn set_user_state(&mut self, id: Id<User>, state: State) -> Result<(), StoreError> {
        let revision = self.revision;
        self.execute_one(
            "user",
            &sql!(
                "UPDATE users SET state = $2, revision = $3 WHERE id = $1 AND state <> 'deleted'"
            ),
            &[id.into(), state.into(), revision.into()],
        )
    }
}

impl Reading<'_> {
    /// The user who signs in to `realm` as `login`.
    ///
    /// # Errors
    /// The store's own.
    pub fn find_user(
        &mut self,
        realm: Id<Organization>,
        login: &str,
    ) -> Result<Option<UserRow>, StoreError> {
        named(self, realm, login)
    }

    /// The user of `realm` with this number.
    ///
    /// # Errors
    /// The store's own.
    pub fn find_user_numbered(
        &mut self,
        realm: Id<Organization>,
        number: i64,
    ) -> Result<Option<UserRow>, StoreError> {
        let found = self.first(
            &sql!(
                "SELECT id, number, organization, realm, login, email, name, signs_in, state,
                     revision
                 FROM users WHERE realm = $1 AND number = $2 AND state <> 'deleted'
                     AND organization NOT IN
                         (SELECT id FROM organizations WHERE state = 'deleted')"
            ),
            &[realm.into(), number.into()],
        )?;
        found.map(read).transpose()
    }

    /// The user with this identity, whatever their state.
    ///
    /// # Errors
    /// The store's own.
    pub fn find_user_row(&mut self, id: Id<User>) -> Result<Option<UserRow>, StoreError> {
        let found = self.first(
            &sql!(
                "SELECT id, number, organization, realm, login, email, name, signs_in, state,
                     revision
                 FROM users WHERE id = $1"
            ),
            &[id.into()],
        )?;
        found.map(read).transpose()
    }

    /// The users of `realm` numbered above `after`, a page of them.
    ///
    /// # Errors
    /// The store's own.
    pub fn list_users(
        &mut self,
        realm: Id<Organization>,
        after: i64,
    ) -> Result<Vec<UserRow>, StoreError> {
        let rows = self.rows(
            &sql!(
                "SELECT id, number, organization, realm, login, email, name, signs_in, state,
                     revision
                 FROM users WHERE realm = $1 AND number > $2 AND state <> 'deleted'
                     AND organization NOT IN
                         (SELECT id FROM organizations WHERE state = 'deleted')
                 ORDER BY number LIMIT $3"
            ),
            &[realm.into(), after.into(), MAX_PAGE.into()],
        )?;
        rows.into_iter().map(read).collect()
    }

    /// The users of `organization` itself numbered above `after`, a page of them.
    ///
    /// # Errors
    /// The store's own.
    pub fn list_users_of(
        &mut self,
        organization: Id<Organization>,
        after: i64,
        count: i64,
    ) -> Result<Vec<UserRow>, StoreError> {
        let rows = self.rows(
            &sql!(
                "SELECT id, number, organization, realm, login, email, name, signs_in, state,
                     revision
                 FROM users WHERE organization = $1 AND number > $2 AND state <> 'deleted'
                 ORDER BY number LIMIT $3"
            ),
            &[organization.into(), after.into(), count.clamp(1, MAX_PAGE).into()],
        )?;
        rows.into_iter().map(read).collect()
    }
}

fn named(
    rows: &mut impl Rows,
    realm: Id<Organization>,
    login: &str,
) -> Result<Option<UserRow>, StoreError> {
    let found = rows.first(
        &sql!(
            "SELECT id, number, organization, realm, login, email, name, signs_in, state,
                 revision
             FROM users WHERE realm = $1 AND login = $2 AND state <> 'deleted'
                 AND organization NOT IN
                     (SELECT id FROM organizations WHERE state = 'deleted')"
        ),
        &[realm.into(), login.into()],
    )?;
    found.map(read).transpose()
}
