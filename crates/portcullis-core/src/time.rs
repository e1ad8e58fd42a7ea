//! Time as the rules see it: handed in, never read.

use std::fmt;
use std::time::Duration;

/// A moment of wall time, in milliseconds since the Unix epoch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Before everything: a credential without a start is valid from here.
    pub const MIN: Self = Self(i64::MIN);
    /// After everything: a credential without an end expires here.
    pub const MAX: Self = Self(i64::MAX);

    /// The moment `millis` milliseconds after the Unix epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// This moment and `span` later, or [`Timestamp::MAX`].
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }

    /// This moment and `span` earlier, or [`Timestamp::MIN`].
    pub fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }
}

/// What the clock said: wall time for expiry, time since boot for leases.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moment {
    /// Milliseconds since boot, suspension included (`CLOCK_BOOTTIME`).
    pub boot: u64,
    /// Wall time that never falls behind its highest persisted value.
    pub wall: Timestamp,
}

/// Where the present moment comes from: the system, or a test's hand.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The present moment.
    fn now(&self) -> Moment;
}
