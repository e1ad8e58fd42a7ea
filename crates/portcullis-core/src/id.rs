//! Identities: a UUID that knows what it names, and the revision a thing was changed at.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use uuid::Uuid;

use crate::seal::{self, NoEntropy};
use crate::time::Timestamp;

/// The UUID (version 7, RFC 9562) of one `T`.
pub struct Id<T> {
    uuid: Uuid,
    names: PhantomData<fn() -> T>,
}

impl<T> Id<T> {
    /// The identity with these bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self { uuid: Uuid::from_bytes(bytes), names: PhantomData }
    }

    /// A new identity, sortable by the moment it was made.
    ///
    /// # Errors
    /// The system gave no randomness.
    pub fn fresh(now: Timestamp) -> Result<Self, NoEntropy> {
        let millis = u64::try_from(now.millis()).unwrap_or(0);
        let random = seal::random::<10>()?;
        let uuid = uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid();
        Ok(Self { uuid, names: PhantomData })
    }

    /// The identity written as `text`, with hyphens or without.
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(|uuid| Self { uuid, names: PhantomData })
    }

    /// The sixteen bytes of it.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.uuid.as_bytes()
    }
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Id<T> {}

impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.uuid == other.uuid
    }
}

impl<T> Eq for Id<T> {}

impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.uuid.cmp(&other.uuid)
    }
}

impl<T> Hash for Id<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.uuid.hash(state);
    }
}

impl<T> fmt::Display for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.uuid.hyphenated().fmt(f)
    }
}

impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.uuid.hyphenated().fmt(f)
    }
}

/// The number of one change: the whole installation counts its writes with it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Revision(pub i64);

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_identity_is_a_uuid_of_version_seven_and_sorts_by_time() {
        let earlier = Id::<()>::fresh(Timestamp::from_millis(1_700_000_000_000)).unwrap();
        let later = Id::<()>::fresh(Timestamp::from_millis(1_700_000_000_001)).unwrap();
        assert!(earlier < later);
        assert_eq!(earlier.uuid.get_version_num(), 7);
        assert_eq!(Id::parse(&earlier.to_string()), Some(earlier));
    }
}
