//! Sessions and tokens: what was minted from a credential, and is judged by it at each request.

use std::time::Duration;

use portcullis_core::credential::Credential;
use portcullis_core::id::{Id, Revision};
use portcullis_core::limits::Limits;
use portcullis_core::organization::State;
use portcullis_core::principal::User;
use portcullis_core::scheme::SchemeName;
use portcullis_core::time::Timestamp;

use crate::engine::Row;
use crate::error::StoreError;
use crate::limits;
use crate::sql::sql;
use crate::store::{Reading, Rows, Writing};

const TABLE: &str = "sessions";

/// So many sessions of one user that one credential paid for are live at once; the oldest ends for a
/// new one.
pub const MAX_LIVE: i64 = 256;

/// A session to be made.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// The scheme it is filed under.
    pub scheme: SchemeName,
    /// Its public part.
    pub key: String,
    /// What checks a proof of it, in its stored form.
    pub verifier: Vec<u8>,
    /// Whom it stands for.
    pub owner: Id<User>,
    /// The credential that paid for it.
    pub parent: Id<Credential>,
    /// Whether it may only read.
    pub read_only: bool,
    /// It is not valid from this on, unless a use moves that.
    pub expires: Timestamp,
    /// How long after a use it expires; zero if a use moves nothing.
    pub idle: Duration,
    /// No use moves its expiry beyond this.
    pub ends: Timestamp,
    /// Where alone it counts, besides what limits its parent.
    pub limits: Limits,
}

/// A session's own row, with where its parent is filed.
#[derive(Clone, Debug)]
pub struct SessionRow {
    /// Its identity.
    pub id: Id<Credential>,
    /// The scheme it is filed under, as the database names it.
    pub scheme: String,
    /// Its public part.
    pub key: String,
    /// What checks a proof of it.
    pub verifier: Vec<u8>,
    /// Whom it stands for.
    pub owner: Id<User>,
    /// Whether it may only read.
    pub read_only: bool,
    /// Whether it may be used.
    pub state: State,
    /// It is not valid from this on, unless a use moves that.
    pub expires: Timestamp,
    /// How long after a use it expires; zero if a use moves nothing.
    pub idle: Duration,
    /// No use moves its expiry beyond this.
    pub ends: Timestamp,
    /// When it was made.
    pub created: Timestamp,
    /// Where alone it counts, besides what limits its parent.
    pub limits: Limits,
    /// The scheme that its parent is filed under.
    pub parent_scheme: String,
    /// The public part of its parent.
    pub parent_key: String,
    /// The revision of its last change.
    pub version: Revision,
}

pub(crate) fn read(mut row: Row) -> Result<SessionRow, StoreError> {
    Ok(SessionRow {
        id: row.next(TABLE)?,
        scheme: row.next(TABLE)?,
        key: row.next(TABLE)?,
        verifier: row.next(TABLE)?,
        owner: row.next(TABLE)?,
        read_only: row.next(TABLE)?,
        state: row.next(TABLE)?,
        expires: row.next(TABLE)?,
        idle: Duration::from_millis(row.next::<i64>(TABLE)?.try_into().unwrap_or(0)),
        ends: row.next(TABLE)?,
        created: row.next(TABLE)?,
        limits: limits::read(row.next(TABLE)?)?,
        parent_scheme: row.next(TABLE)?,
        parent_key: row.next(TABLE)?,
        version: row.next(TABLE)?,
    })
}

impl Writing<'_> {
    /// Makes a session. It expires no later than its parent; of too many, the oldest ends.
    ///
    /// # Errors
    /// The parent is not active any more, or the store's own.
    pub fn insert_session(&mut self, new: &NewSession) -> Result<Id<Credential>, StoreError> {
        let parent = self.first(
            &sql!("SELECT expires, read_only FROM credentials WHERE id = $1 AND state = 'active'"),
            &[new.parent.into()],
        )?;
        let mut parent = parent.ok_or(StoreError::NotFound("credential that is active"))?;
        let (ends, read_only): (Option<Timestamp>, bool) =
            (parent.next(TABLE)?, parent.next(TABLE)?);
        let ends = new.ends.min(ends.unwrap_or(Timestamp::MAX));
        let idle = i64::try_from(new.idle.as_millis()).unwrap_or(i64::MAX);
        self.end_oldest_session(new.parent, new.owner)?;
        let id = Id::fresh(self.now)?;
        let (now, revision) = (self.now, self.revision);
        self.execute(
            &sql!(
                "INSERT INTO sessions (id, scheme, key, verifier, owner, parent, read_only, state,
                     expires, idle, ends, limits, created, revision)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, 'active', $8, $9, $10, $11, $12, $13)"
            ),
            &[
                id.into(),
                new.scheme.as_str().into(),
                new.key.as_str().into(),
                new.verifier.as_slice().into(),
                new.owner.into(),
                new.parent.into(),
                (new.read_only || read_only).into(),
                new.expires.min(ends).into(),
                idle.into(),
                ends.into(),
                limits::write(&new.limits)?.into(),
                now.into(),
                revision.into(),
            ],
        )?;
        Ok(id)
    }

    /// Makes room for one more session of `owner` that `parent` paid for.
    fn end_oldest_session(
        &mut self,
        parent: Id<Credential>,
        owner: Id<User>,
    ) -> Result<(), StoreError> {
        let (now, revision) = (self.now, self.revision);
        self.execute(
            &sql!(
                "UPDATE sessions SET state = 'deleted', revision = $3
                 WHERE id IN (SELECT id FROM sessions
                     WHERE parent = $1 AND owner = $5 AND state = 'active' AND expires > $2
                     ORDER BY revision DESC LIMIT 1000 OFFSET $4)"
            ),
            &[parent.into(), now.into(), revision.into(), (MAX_LIVE - 1).into(), owner.into()],
        )
        .map(drop)
    }

    /// Moves the expiry of the `used` sessions, each at the version that it was used at, to their
    /// idle time from now, and never beyond their ends. What ended, expired or moved meanwhile stays
    /// as it is.
    ///
    /// # Errors
    /// None of them moves, so that nothing is to be written, or the store's own.
    pub fn slide_sessions(
        &mut self,
        used: &[(Id<Credential>, Revision)],
    ) -> Result<u64, StoreError> {
        let (now, revision, mut moved) = (self.now, self.revision, 0);
        for (id, version) in used {
            // The first condition keeps the sum within what fits.
            moved += self.execute(
                &sql!(
                    "UPDATE sessions SET revision = $4,
                         expires = CASE WHEN idle < ends - $3 THEN $3 + idle ELSE ends END
                     WHERE id = $1 AND revision = $2 AND state = 'active'
                         AND expires > $3 AND expires < ends AND expires - $3 < idle"
                ),
                &[(*id).into(), (*version).into(), now.into(), revision.into()],
            )?;
        }
        if moved == 0 { Err(StoreError::NotFound("session that slides")) } else { Ok(moved) }
    }

    /// Ends a session.
    ///
    /// # Errors
    /// There is none, it has ended, or the store's own.
    pub fn end_session(&mut self, id: Id<Credential>) -> Result<(), StoreError> {
        let revision = self.revision;
        self.execute_one(
            "session",
            &sql!(
                "UPDATE sessions SET state = 'deleted', revision = $2
                 WHERE id = $1 AND state <> 'deleted'"
            ),
            &[id.into(), revision.into()],
        )
    }
}

impl Reading<'_> {
    /// How many sessions of `parent` are live at `now`.
    ///
    /// # Errors
    /// The store's own.
    pub fn count_sessions(
        &mut self,
        parent: Id<Credential>,
        now: Timestamp,
    ) -> Result<i64, StoreError> {
        let count = self.first(
            &sql!(
                "SELECT COUNT(*) FROM sessions
                 WHERE parent = $1 AND state = 'active' AND expires > $2"
            ),
            &[parent.into(), now.into()],
        )?;
        count.ok_or(StoreError::NotFound("count"))?.next(TABLE)
    }
}
