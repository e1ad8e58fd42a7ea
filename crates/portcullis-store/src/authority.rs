//! That a write is still allowed at its own revision (`docs/revocation.md`).

use portcullis_core::credential::Credential;
use portcullis_core::id::{Id, Revision};
use portcullis_core::organization::Organization;
use portcullis_core::principal::User;

use crate::error::StoreError;
use crate::sql::sql;
use crate::store::{Rows, Writing};

/// What a decision to let a principal write something was made from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Authority {
    /// The revision that the decision was made at.
    pub decided_at: Revision,
    /// The credential that the principal was proven by.
    pub credential: Id<Credential>,
    /// The principal.
    pub user: Id<User>,
    /// The organization that the right must be held in.
    pub organization: Id<Organization>,
    /// The user over whom it is held, whose own rights bound it; the principal where nobody is.
    pub over: Id<User>,
}

impl Writing<'_> {
    /// Whether everything that `authority` was decided from is as it was then: the credential and
    /// its parent, whom these belong to, the user, the roles and groups of all, and the organizations
    /// above.
    ///
    /// # Errors
    /// Something changed since: decide again. Or the store's own.
    pub fn uphold(&mut self, authority: &Authority) -> Result<(), StoreError> {
        let newest = self.first(
            &sql!(
                "WITH RECURSIVE above (id, parent, revision) AS (
                     SELECT id, parent, revision FROM organizations
                     WHERE id = $2 OR id IN (SELECT organization FROM users WHERE id = $1)
                     UNION
                     SELECT o.id, o.parent, o.revision FROM organizations o
                     JOIN above ON o.id = above.parent),
                 actors (id) AS (
                     SELECT id FROM users WHERE id = $1
                     UNION SELECT owner FROM credentials WHERE id = $3
                     UNION SELECT c.owner FROM credentials c
                         JOIN sessions s ON s.parent = c.id WHERE s.id = $3),
                 people (id) AS (
                     SELECT id FROM actors UNION SELECT id FROM users WHERE id = $4),
                 holders (id) AS (
                     SELECT id FROM people
                     UNION SELECT circle FROM members
                         WHERE member IN (SELECT id FROM people)),
                 held (role, revision) AS (
                     SELECT role, revision FROM grants
                     WHERE holder IN (SELECT id FROM holders)),
                 touched (revision) AS (
                     SELECT revision FROM users WHERE id IN (SELECT id FROM actors)
                     UNION ALL SELECT revision FROM above
                     UNION ALL SELECT revision FROM members
                         WHERE member IN (SELECT id FROM people)
                     UNION ALL SELECT revision FROM groups WHERE id IN (SELECT id FROM holders)
                     UNION ALL SELECT revision FROM held
                     UNION ALL SELECT revision FROM roles WHERE id IN (SELECT role FROM held)
                     UNION ALL SELECT revision FROM credentials WHERE id = $3
                     UNION ALL SELECT revision FROM sessions WHERE id = $3
                     UNION ALL SELECT c.revision FROM credentials c
                         JOIN sessions s ON s.parent = c.id WHERE s.id = $3)
                 SELECT MAX(revision) FROM touched"
            ),
            &[
                authority.user.into(),
                authority.organization.into(),
                authority.credential.into(),
                authority.over.into(),
            ],
        )?;
        let newest = newest.ok_or(StoreError::NotFound("principal"))?.next::<Revision>("users")?;
        if newest > authority.decided_at { Err(StoreError::Changed) } else { Ok(()) }
    }
}
