//! What callers list: a query and what they may see, turned into one SELECT and one COUNT.
//!
//! Both engines answer the same: texts are compared and ordered byte by byte, what is absent comes
//! first, and rows that are equal in everything asked for are told apart by a key of their own.

mod column;
mod condition;
pub mod keys;
pub mod projects;
pub mod roles;
mod scope;
pub mod users;

use portcullis_core::id::Id;
use portcullis_core::organization::Organization;
use portcullis_core::principal::User;
use portcullis_core::query::{Direction, Field, Kind, Query};

use crate::engine::Row;
use crate::error::StoreError;
use crate::sql::Assembled;
use crate::store::Reading;

use column::{Column, column};
pub use keys::KeyEntry;
pub use projects::ProjectEntry;
pub use roles::RoleEntry;
use scope::Scope;
pub use users::UserEntry;

/// What of a collection may be seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Visible {
    /// All that stands at or below an organization.
    All {
        /// The organization.
        top: Id<Organization>,
    },
    /// Somebody's own: they and who is in a group with them, the projects of the organizations of
    /// all these and of the groups, the roles that they or their groups hold, and their keys.
    Groups {
        /// Who looks.
        user: Id<User>,
    },
}

/// A part of a collection, in the order that was asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page<T> {
    /// What stands on it.
    pub rows: Vec<T>,
    /// How many there are on all pages, if that was asked.
    pub total: Option<i64>,
    /// Whether more follow.
    pub more: bool,
}

/// Something that can be listed.
#[expect(private_bounds, reason = "what is listed is decided here alone")]
pub trait Collection: Entry {
    /// What identifies it.
    type Named;
    /// What can be asked of it; a dialect gives them names of its own.
    const FIELDS: &'static [Field];
}

/// One row of a collection, and where it comes from.
pub(crate) trait Entry: Sized {
    /// Where each field stands.
    const COLUMNS: &'static [Column];
    /// The SELECT, up to its FROM, in the order in which [`Entry::read`] reads.
    const SELECT: &'static str;
    /// The column of its identity.
    const ID: &'static str;
    /// The column that tells rows apart which are equal in all else.
    const LAST: &'static str;

    /// The FROM and a WHERE that may be gone on with: all that `scope` shows.
    fn from(asked: &mut Assembled, scope: &Scope);

    /// The row.
    fn read(row: Row) -> Result<Self, StoreError>;
}

impl Reading<'_> {
    /// What `query` asks of what is `visible` in `realm`.
    ///
    /// # Errors
    /// There is no such organization, `query` is one of another collection, or the store's own.
    pub fn list<C: Collection>(
        &mut self,
        realm: Id<Organization>,
        visible: Visible,
        query: &Query,
    ) -> Result<Page<C>, StoreError> {
        let scope = Scope::of(self, realm, visible)?;
        let mut rows = self.0.ask(&page::<C>(&scope, query)?)?;
        let top = usize::try_from(query.top).unwrap_or(usize::MAX);
        let more = rows.len() > top;
        rows.truncate(top);
        let rows = rows.into_iter().map(C::read).collect::<Result<_, _>>()?;
        let total = if query.count { Some(self.count::<C>(&scope, query)?) } else { None };
        Ok(Page { rows, total, more })
    }

    /// The one of this identity, if it is `visible` in `realm`.
    ///
    /// # Errors
    /// There is no such organization, or the store's own.
    pub fn find_visible<C: Collection>(
        &mut self,
        realm: Id<Organization>,
        visible: Visible,
        id: Id<C::Named>,
    ) -> Result<Option<C>, StoreError> {
        let scope = Scope::of(self, realm, visible)?;
        let mut asked = Assembled::default();
        asked.text(C::SELECT);
        C::from(&mut asked, &scope);
        asked.text(" AND ").text(C::ID).text(" = ").value(id);
        self.0.ask(&asked)?.into_iter().next().map(C::read).transpose()
    }

    fn count<C: Collection>(&mut self, scope: &Scope, query: &Query) -> Result<i64, StoreError> {
        let mut asked = Assembled::default();
        asked.text("SELECT COUNT(*)");
        matching::<C>(&mut asked, scope, query)?;
        let count = self.0.ask(&asked)?.into_iter().next();
        count.ok_or(StoreError::NotFound("count"))?.next("a collection")
    }
}

/// One row more than the page has, to see whether another follows.
fn page<C: Collection>(scope: &Scope, query: &Query) -> Result<Assembled, StoreError> {
    let mut asked = Assembled::default();
    asked.text(C::SELECT);
    matching::<C>(&mut asked, scope, query)?;
    asked.text(" ORDER BY ");
    for key in &query.order {
        asked.text(column(C::COLUMNS, key.field)?.sql);
        if key.field.kind == Kind::Text {
            column::bytewise(&mut asked);
        }
        asked.text(match key.direction {
            Direction::Ascending => " ASC NULLS FIRST, ",
            Direction::Descending => " DESC NULLS LAST, ",
        });
    }
    asked.text(C::LAST).text(" LIMIT ").value(i64::from(query.top) + 1);
    asked.text(" OFFSET ").value(i64::from(query.skip));
    Ok(asked)
}

fn matching<C: Collection>(
    asked: &mut Assembled,
    scope: &Scope,
    query: &Query,
) -> Result<(), StoreError> {
    C::from(asked, scope);
    let Some(filter) = &query.filter else { return Ok(()) };
    asked.text(" AND ");
    condition::write(asked, C::COLUMNS, filter)
}
