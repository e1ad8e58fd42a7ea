//! What a collection says of itself: which fields there are, and what may be done with each.

use super::error::{BadQuery, Excerpt};

/// What a field holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// True or false.
    Flag,
    /// A UUID, with hyphens or without.
    Id,
    /// Seconds since the Unix epoch, to the millisecond; what is finer is cut off, as it is of the
    /// moments that are kept.
    Moment,
    /// A whole number.
    Number,
    /// Characters, compared byte by byte.
    Text,
}

/// A field of a collection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Field {
    /// What callers name it by.
    pub name: &'static str,
    /// What the collection itself calls it, whatever a dialect does.
    pub datum: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether `$filter` may name it.
    pub filterable: bool,
    /// Whether `$orderBy` may name it.
    pub sortable: bool,
}

impl Field {
    /// A field that may be filtered and sorted by.
    pub const fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, datum: name, kind, filterable: true, sortable: true }
    }

    /// A field that can only be shown.
    pub const fn shown(name: &'static str, kind: Kind) -> Self {
        Self { filterable: false, sortable: false, ..Self::new(name, kind) }
    }

    /// The same datum, as a dialect calls it.
    #[must_use]
    pub const fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    /// The one of `fields` that is called `name` at the character `at` of `parameter`.
    pub(super) fn find(
        fields: &'static [Self],
        name: &str,
        parameter: &'static str,
        at: usize,
    ) -> Result<&'static Self, BadQuery> {
        let found = fields.iter().find(|field| field.name == name);
        found.ok_or_else(|| BadQuery::Field { parameter, name: Excerpt::of(name), at })
    }
}
