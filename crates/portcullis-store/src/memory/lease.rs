//! Until when a node may answer from memory.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use portcullis_core::time::Moment;

/// How long a lease lasts from the moment its renewal began, in milliseconds.
pub const LEASE_MILLIS: u64 = 30_000;
/// After so long without a sign, by the reader's own clock, a node's lease has certainly ended.
pub const PRESUMED_DEAD_MILLIS: u64 = 34_000;
/// A node's row that has stood still for so long, by the reader's own clock, is removed.
pub const FORGOTTEN_MILLIS: u64 = 10 * PRESUMED_DEAD_MILLIS;

/// A node's right to answer from memory; none at first.
#[derive(Debug)]
pub struct Lease {
    boot: AtomicU64,
    wall: AtomicI64,
}

/// The node cannot tell any more what was revoked: 503, never yes and never no.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("this node has lost touch with its database")]
pub struct LeaseOver;

impl Lease {
    /// No lease yet.
    pub const fn none() -> Self {
        Self { boot: AtomicU64::new(0), wall: AtomicI64::new(i64::MIN) }
    }

    /// Extends it from the moment at which the renewal began.
    pub(crate) fn renew(&self, begun: Moment) {
        let span = i64::try_from(LEASE_MILLIS).unwrap_or(i64::MAX);
        self.wall.store(begun.wall.millis().saturating_add(span), Ordering::Release);
        self.boot.store(begun.boot.saturating_add(LEASE_MILLIS), Ordering::Release);
    }

    /// Ends it at once.
    pub(crate) fn end(&self) {
        self.boot.store(0, Ordering::Release);
    }

    /// Whether it holds: it is over if the time since boot or the wall clock says so.
    ///
    /// # Errors
    /// It is over.
    pub fn check(&self, now: Moment) -> Result<(), LeaseOver> {
        let holds = now.boot < self.boot.load(Ordering::Acquire)
            && now.wall.millis() < self.wall.load(Ordering::Acquire);
        if holds { Ok(()) } else { Err(LeaseOver) }
    }

    /// How many milliseconds ago the renewal began that it counts from; none if it is over.
    pub fn age(&self, now: Moment) -> Option<u64> {
        let end = self.boot.load(Ordering::Acquire);
        self.check(now).ok().map(|()| now.boot.saturating_add(LEASE_MILLIS).saturating_sub(end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_core::time::Timestamp;

    fn moment(boot: u64, wall: i64) -> Moment {
        Moment { boot, wall: Timestamp::from_millis(wall) }
    }

    #[test]
    fn a_lease_is_over_when_either_clock_says_so_or_it_was_ended() {
        let lease = Lease::none();
        assert!(lease.check(moment(0, 0)).is_err());
        lease.renew(moment(1_000, 50_000));
        assert!(lease.check(moment(30_999, 79_999)).is_ok());
        assert!(lease.check(moment(31_000, 50_000)).is_err());
        assert!(lease.check(moment(1_000, 80_000)).is_err());
        lease.end();
        assert!(lease.check(moment(1_000, 50_000)).is_err());
    }

    #[test]
    fn a_lease_is_as_old_as_its_renewal_until_it_is_over() {
        let lease = Lease::none();
        assert_eq!(lease.age(moment(0, 0)), None);
        lease.renew(moment(1_000, 50_000));
        assert_eq!(lease.age(moment(1_000, 50_000)), Some(0));
        assert_eq!(lease.age(moment(6_500, 50_000)), Some(5_500));
        assert_eq!(lease.age(moment(31_000, 50_000)), None);
    }
}
