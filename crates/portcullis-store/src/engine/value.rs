//! The four kinds of value that both engines share, and rows of them.

use portcullis_core::id::{Id, Revision};
use portcullis_core::organization::State;
use portcullis_core::subject::{IdentifierKind, SubjectId, SubjectKind};
use portcullis_core::time::Timestamp;

use crate::error::StoreError;

/// A value going in or coming out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Value {
    Bytes(Vec<u8>),
    Integer(i64),
    Null,
    Text(String),
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<bool> for Value {
    fn from(yes: bool) -> Self {
        Self::Integer(yes.into())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl<T> From<Id<T>> for Value {
    fn from(id: Id<T>) -> Self {
        Self::Bytes(id.as_bytes().to_vec())
    }
}

impl From<Revision> for Value {
    fn from(revision: Revision) -> Self {
        Self::Integer(revision.0)
    }
}

impl From<Timestamp> for Value {
    fn from(moment: Timestamp) -> Self {
        Self::Integer(moment.millis())
    }
}

impl From<State> for Value {
    fn from(state: State) -> Self {
        Self::from(state.as_str())
    }
}

impl From<SubjectId> for Value {
    fn from(id: SubjectId) -> Self {
        Self::Bytes(id.as_bytes().to_vec())
    }
}

impl From<SubjectKind> for Value {
    fn from(kind: SubjectKind) -> Self {
        Self::from(kind.as_str())
    }
}

impl From<IdentifierKind> for Value {
    fn from(kind: IdentifierKind) -> Self {
        Self::from(kind.as_str())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A row, taken apart column by column in the order of the SELECT.
#[derive(Debug)]
pub(crate) struct Row(std::vec::IntoIter<Value>);

impl Row {
    pub(crate) fn new(values: Vec<Value>) -> Self {
        Self(values.into_iter())
    }

    /// The next column; `table` is named if it cannot be read.
    pub(crate) fn next<T: FromValue>(&mut self, table: &'static str) -> Result<T, StoreError> {
        let value = self.0.next().unwrap_or(Value::Null);
        T::from_value(value)
            .ok_or_else(|| StoreError::Corrupt { table, reason: format!("not {}", T::KIND) })
    }
}

/// What a column can be read as.
pub(crate) trait FromValue: Sized {
    /// What it should be, for the message.
    const KIND: &'static str;
    fn from_value(value: Value) -> Option<Self>;
}

impl FromValue for i64 {
    const KIND: &'static str = "a number";
    fn from_value(value: Value) -> Option<Self> {
        if let Value::Integer(number) = value { Some(number) } else { None }
    }
}

impl FromValue for bool {
    const KIND: &'static str = "0 or 1";
    fn from_value(value: Value) -> Option<Self> {
        match i64::from_value(value)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl FromValue for String {
    const KIND: &'static str = "a text";
    fn from_value(value: Value) -> Option<Self> {
        if let Value::Text(text) = value { Some(text) } else { None }
    }
}

impl FromValue for Vec<u8> {
    const KIND: &'static str = "bytes";
    fn from_value(value: Value) -> Option<Self> {
        if let Value::Bytes(bytes) = value { Some(bytes) } else { None }
    }
}

impl<T> FromValue for Id<T> {
    const KIND: &'static str = "an id of 16 bytes";
    fn from_value(value: Value) -> Option<Self> {
        let bytes = Vec::from_value(value)?;
        bytes.as_slice().try_into().ok().map(|bytes: &[u8; 16]| Self::from_bytes(*bytes))
    }
}

impl FromValue for Revision {
    const KIND: &'static str = "a revision";
    fn from_value(value: Value) -> Option<Self> {
        i64::from_value(value).map(Self)
    }
}

impl FromValue for Timestamp {
    const KIND: &'static str = "a moment";
    fn from_value(value: Value) -> Option<Self> {
        i64::from_value(value).map(Self::from_millis)
    }
}

impl FromValue for State {
    const KIND: &'static str = "a state";
    fn from_value(value: Value) -> Option<Self> {
        Self::parse(&String::from_value(value)?)
    }
}

impl FromValue for SubjectId {
    const KIND: &'static str = "an id of 12 bytes";
    fn from_value(value: Value) -> Option<Self> {
        let bytes = Vec::from_value(value)?;
        bytes.as_slice().try_into().ok().map(|bytes: &[u8; 12]| Self::from_bytes(*bytes))
    }
}

impl FromValue for SubjectKind {
    const KIND: &'static str = "a kind of subject";
    fn from_value(value: Value) -> Option<Self> {
        Self::parse(&String::from_value(value)?)
    }
}

impl FromValue for IdentifierKind {
    const KIND: &'static str = "a kind of identifier";
    fn from_value(value: Value) -> Option<Self> {
        Self::parse(&String::from_value(value)?)
    }
}

impl<T: FromValue> FromValue for Option<T> {
    const KIND: &'static str = T::KIND;
    fn from_value(value: Value) -> Option<Self> {
        if value == Value::Null { Some(None) } else { T::from_value(value).map(Some) }
    }
}
