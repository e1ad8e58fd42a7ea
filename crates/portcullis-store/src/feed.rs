//! What changed since a revision: complete and exact, in one snapshot.

use portcullis_core::id::Revision;
use portcullis_core::organization::Organization;
use portcullis_core::principal::Role;

use crate::credentials::{self, CredentialRow};
use crate::engine::{Row, Value};
use crate::error::StoreError;
use crate::groups::{self, GroupRow, MemberRow};
use crate::guards::{self, GuardRow};
use crate::meta::{self, Stamp};
use crate::mounts::{self, MountRow};
use crate::organizations;
use crate::roles::{self, GrantRow};
use crate::sessions::{self, SessionRow};
use crate::signing_keys::{self, SigningKeyRow};
use crate::sql::{Sql, sql};
use crate::store::{Reading, Rows};
use crate::users::{self, UserRow};

/// Every row that carries a revision above the one asked for.
#[derive(Debug)]
pub struct Changes {
    /// Where the database stood in that snapshot: "applied" once all below is.
    pub stamp: Stamp,
    /// Organizations.
    pub organizations: Vec<Organization>,
    /// Roles.
    pub roles: Vec<Role>,
    /// Users.
    pub users: Vec<UserRow>,
    /// Groups.
    pub groups: Vec<GroupRow>,
    /// Who is in which group.
    pub members: Vec<MemberRow>,
    /// Who holds which role.
    pub grants: Vec<GrantRow>,
    /// Credentials.
    pub credentials: Vec<CredentialRow>,
    /// Sessions and tokens.
    pub sessions: Vec<SessionRow>,
    /// Guards.
    pub guards: Vec<GuardRow>,
    /// Mounts.
    pub mounts: Vec<MountRow>,
    /// Keys that sign.
    pub signing_keys: Vec<SigningKeyRow>,
}

impl Reading<'_> {
    /// What changed since `since`. The revision is read first and the rows have no upper bound,
    /// so that no change can fall between two looks.
    ///
    /// # Errors
    /// A row cannot be understood, or the store's own.
    #[expect(clippy::too_many_lines, reason = "one look at every table, in one order")]
    pub fn changed_since(&mut self, since: Revision) -> Result<Changes, StoreError> {
        Ok(Changes {
            stamp: meta::stamp(self)?,
            organizations: self.all(
                &sql!(
                    "SELECT id, number, parent, name, realm, state, revision FROM organizations
                     WHERE revision > $1 ORDER BY revision"
                ),
                since,
                organizations::read,
            )?,
            roles: self.all(
                &sql!(
                    "SELECT id, name, abilities, state, revision FROM roles
                     WHERE revision > $1 ORDER BY revision"
                ),
                since,
                roles::read,
            )?,
            users: self.all(
                &sql!(
                    "SELECT id, number, organization, realm, login, email, name, signs_in, state,
                         revision
                     FROM users WHERE revision > $1 ORDER BY revision"
                ),
                since,
                users::read,
            )?,
            groups: self.all(
                &sql!(
                    "SELECT id, organization, name, state, revision FROM groups
                     WHERE revision > $1 ORDER BY revision"
                ),
                since,
                groups::read,
            )?,
            members: self.all(
                &sql!(
                    "SELECT member, circle, state, revision FROM members
                     WHERE revision > $1 ORDER BY revision"
                ),
                since,
                groups::read_member,
            )?,
            grants: self.all(
                &sql!(
                    "SELECT holder_kind, holder, role, organization, state, revision FROM grants
                     WHERE revision > $1 ORDER BY revision"
                ),
                since,
                roles::read_grant,
            )?,
            credentials: self.all(
                &sql!(
                    "SELECT id, scheme, key, verifier, owner, label, read_only, state, not_before,
                         expires, limits, revision
                     FROM credentials WHERE revision > $1 ORDER BY revision"
                ),
                since,
                credentials::read,
            )?,
            sessions: self.all(
                &sql!(
                    "SELECT s.id, s.scheme, s.key, s.verifier, s.owner, s.read_only, s.state,
                         s.expires, s.idle, s.ends, s.created, s.limits, c.scheme, c.key, s.revision
                     FROM sessions s JOIN credentials c ON c.id = s.parent
                     WHERE s.revision > $1 ORDER BY s.revision"
                ),
                since,
                sessions::read,
            )?,
            guards: self.all(
                &sql!(
                    "SELECT id, organization, name, source, definition, state, revision FROM guards
                     WHERE revision > $1 ORDER BY revision"
                ),
                since,
                guards::read,
            )?,
            mounts: self.all(
                &sql!(
                    "SELECT id, organization, name, source, definition, state, revision FROM mounts
                     WHERE revision > $1 ORDER BY revision"
                ),
                since,
                mounts::read,
            )?,
            signing_keys: self.all(
                &sql!(
                    "SELECT id, public, sealed, signs_from, state, created, revision
                     FROM signing_keys WHERE revision > $1 ORDER BY revision"
                ),
                since,
                signing_keys::read,
            )?,
        })
    }

    fn all<T>(
        &mut self,
        sql: &Sql,
        since: Revision,
        read: fn(Row) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        self.rows(sql, &[Value::from(since)])?.into_iter().map(read).collect()
    }
}
