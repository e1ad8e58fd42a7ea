//! The collection of API keys, with whose they are and when they were used.

use portcullis_core::credential::Credential;
use portcullis_core::query::{Field, Kind};
use portcullis_core::scheme::API_KEY;
use portcullis_core::time::Timestamp;

use super::column::{Column, Presence, fields};
use super::scope::{Scope, Seen, below};
use super::{Collection, Entry};
use crate::credentials::{self, CredentialRow};
use crate::engine::Row;
use crate::error::StoreError;
use crate::sql::Assembled;

/// An API key, as it is listed.
#[derive(Clone, Debug)]
pub struct KeyEntry {
    /// Its own row.
    pub key: CredentialRow,
    /// When it was made.
    pub created: Timestamp,
    /// The login name of its owner.
    pub owner_login: Option<String>,
    /// What people call its owner.
    pub owner_name: String,
    /// When it was used last, as far as that was written down.
    pub last_used: Option<Timestamp>,
}

fields! {
    /// Its identity.
    ID = "id" Id Always "c.id";
    /// Whom it stands for.
    OWNER = "owner" Id Always "c.owner";
    /// The login name of its owner.
    OWNER_LOGIN = "owner_login" Text Maybe "u.login";
    /// What people call its owner.
    OWNER_NAME = "owner_name" Text Always "u.name";
    /// What people call it.
    LABEL = "label" Text Always "c.label";
    /// Whether it may only read.
    READ_ONLY = "read_only" Flag Always "c.read_only";
    /// Whether it was not switched off.
    ACTIVE = "active" Flag Always "(CASE WHEN c.state = 'active' THEN 1 ELSE 0 END)";
    /// It is not valid before this.
    NOT_BEFORE = "not_before" Moment Maybe "c.not_before";
    /// It is not valid from this on.
    EXPIRES = "expires" Moment Maybe "c.expires";
    /// When it was made.
    CREATED = "created" Moment Always "c.created";
    /// When it was used last, as far as that was written down.
    LAST_USED = "last_used" Moment Maybe "l.last_used";
}

impl Collection for KeyEntry {
    type Named = Credential;
    const FIELDS: &'static [Field] = FIELDS;
}

impl Entry for KeyEntry {
    const COLUMNS: &'static [Column] = COLUMNS;
    const SELECT: &'static str = "SELECT c.created, u.login, u.name, l.last_used, c.id, c.scheme, \
                                  c.key, c.verifier, c.owner, c.label, c.read_only, c.state, \
                                  c.not_before, c.expires, c.limits, c.revision";
    const ID: &'static str = "c.id";
    const LAST: &'static str = "c.id";

    fn from(asked: &mut Assembled, scope: &Scope) {
        asked.text(
            " FROM credentials c JOIN users u ON u.id = c.owner
             JOIN organizations o ON o.id = u.organization
             LEFT JOIN usage l ON l.credential = c.id
             WHERE c.state <> 'deleted' AND u.state <> 'deleted' AND o.state <> 'deleted'
                 AND c.scheme = ",
        );
        asked.value(API_KEY.as_str()).text(" AND u.realm = ").value(scope.realm).text(" AND ");
        match &scope.seen {
            Seen::Below(top) => below(asked, top),
            Seen::By(user) => {
                asked.text("u.id = ").value(*user);
            }
        }
    }

    fn read(mut row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            created: row.next("credentials")?,
            owner_login: row.next("users")?,
            owner_name: row.next("users")?,
            last_used: row.next("usage")?,
            key: credentials::read(row)?,
        })
    }
}
