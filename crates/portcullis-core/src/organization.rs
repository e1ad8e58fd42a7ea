//! Organizations: the tree that everything belongs to.

use crate::id::{Id, Revision};

/// The greatest depth of the tree; the root stands at 1.
pub const MAX_DEPTH: usize = 32;

/// Whether something may be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// It may.
    Active,
    /// It was deleted (a credential: revoked), for good.
    Deleted,
    /// It was switched off and can be switched on again.
    Disabled,
}

impl State {
    /// As the store and the command line write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Deleted => "deleted",
            Self::Disabled => "disabled",
        }
    }

    /// Reads what [`State::as_str`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Active, Self::Deleted, Self::Disabled].into_iter().find(|it| it.as_str() == text)
    }
}

/// One organization, as the memory holds it.
#[derive(Clone, Debug)]
pub struct Organization {
    /// Its identity.
    pub id: Id<Self>,
    /// The revision of its last change.
    pub version: Revision,
    /// The number that dialects show; the root of the tree is 1.
    pub number: i64,
    /// The organization it stands below; only the root has none.
    pub parent: Option<Id<Self>>,
    /// Its name.
    pub name: Box<str>,
    /// Whether its users form a name space of their own, and a dialect can be mounted for it.
    pub realm: bool,
    /// Whether it may be used. Everything below shares its fate.
    pub state: State,
}
