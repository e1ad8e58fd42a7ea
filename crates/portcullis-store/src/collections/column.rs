//! Where the fields of a collection stand.

use portcullis_core::query::Field;

use crate::error::StoreError;
use crate::sql::Assembled;

/// Where a field stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(super) datum: &'static str,
    pub(super) sql: &'static str,
    pub(super) presence: Presence,
}

/// Whether every row has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Presence {
    Always,
    Maybe,
}

/// Where `field` stands, whatever a dialect calls it.
pub(super) fn column(columns: &[Column], field: &Field) -> Result<Column, StoreError> {
    let found = columns.iter().find(|column| column.datum == field.datum);
    found.copied().ok_or(StoreError::NotFound("field in that collection"))
}

/// The order of bytes for the text before it, whatever the database speaks.
pub(super) fn bytewise(asked: &mut Assembled) {
    asked.each(" COLLATE \"C\"", " COLLATE BINARY");
}

/// The fields of a collection, each with its kind and its column.
macro_rules! fields {
    ($($(#[$doc:meta])* $field:ident = $datum:literal $kind:ident $presence:ident $sql:literal;)*) => {
        $($(#[$doc])* pub const $field: Field = Field::new($datum, Kind::$kind);)*
        /// All of them.
        pub const FIELDS: &[Field] = &[$($field),*];
        const COLUMNS: &[Column] = &[$(
            Column { datum: $datum, sql: $sql, presence: Presence::$presence }
        ),*];
    };
}

pub(super) use fields;
