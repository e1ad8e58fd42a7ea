//! Counts the work that a caller could time, so that a test can show it equal without a clock.
//!
//! Without the feature `tally` every function here is empty.

/// What was done on this thread since [`take`] was last called.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Work {
    /// Slow password hashes.
    pub hashes: u32,
    /// Message authentication codes.
    pub macs: u32,
    /// Lookups in memory.
    pub lookups: u32,
}

#[cfg(feature = "tally")]
mod counting {
    use super::Work;
    use std::cell::Cell;

    thread_local! {
        static WORK: Cell<Work> = const { Cell::new(Work { hashes: 0, macs: 0, lookups: 0 }) };
    }

    pub(super) fn add(change: impl FnOnce(&mut Work)) {
        let mut work = WORK.get();
        change(&mut work);
        WORK.set(work);
    }

    pub(super) fn take() -> Work {
        WORK.take()
    }
}

/// Counts a slow hash.
#[inline]
pub fn hash() {
    #[cfg(feature = "tally")]
    counting::add(|work| work.hashes += 1);
}

/// Counts a message authentication code.
#[inline]
pub fn mac() {
    #[cfg(feature = "tally")]
    counting::add(|work| work.macs += 1);
}

/// Counts a lookup.
#[inline]
pub fn lookup() {
    #[cfg(feature = "tally")]
    counting::add(|work| work.lookups += 1);
}

/// What was done on this thread since the last call; nothing without the feature.
pub fn take() -> Work {
    #[cfg(feature = "tally")]
    return counting::take();
    #[cfg(not(feature = "tally"))]
    Work::default()
}
