//! How an upstream has fared: one that fails is put aside for a while, which grows as it goes on.

use std::sync::atomic::{AtomicU32, Ordering};

/// The longest while that an upstream is put aside, as a power of two of seconds: 32.
const LONGEST: u32 = 5;

/// How an upstream has fared lately. Seconds are counted by the pool.
#[derive(Debug, Default)]
pub(super) struct Health {
    /// How often it failed in a row.
    failures: AtomicU32,
    /// The second from which on it is tried again.
    until: AtomicU32,
}

impl Health {
    /// Whether a request may be sent there in this second. After a failure one request finds out for
    /// all; the others stay away for another second.
    pub(super) fn admits(&self, now: u32) -> bool {
        if self.failures.load(Ordering::Relaxed) == 0 {
            return true;
        }
        let until = self.until.load(Ordering::Relaxed);
        let next = now.saturating_add(1);
        until <= now
            && self
                .until
                .compare_exchange(until, next, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    /// The second from which on it is tried again, to tell which is the least bad.
    pub(super) fn until(&self) -> u32 {
        self.until.load(Ordering::Relaxed)
    }

    /// It could not be reached, or broke off before it answered.
    pub(super) fn failed(&self, now: u32) {
        let before = self.failures.fetch_add(1, Ordering::Relaxed);
        self.until.store(now.saturating_add(1 << before.min(LONGEST)), Ordering::Relaxed);
    }

    /// It answered.
    pub(super) fn answered(&self) {
        // Read first, so that the cores share what hardly ever changes.
        if self.failures.load(Ordering::Relaxed) != 0 {
            self.failures.store(0, Ordering::Relaxed);
            self.until.store(0, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_puts_aside_for_twice_as_long_each_time_and_an_answer_ends_it() {
        let health = Health::default();
        let mut now = 0;
        for span in [1, 2, 4, 8, 16, 32, 32, 32] {
            health.failed(now);
            assert!(!health.admits(now + span - 1), "{span}");
            assert!(health.admits(now + span), "{span}");
            now += span;
        }
        health.answered();
        assert!(health.admits(now));
        health.failed(now);
        assert!(health.admits(now + 1));
    }

    #[test]
    fn one_request_finds_out_for_all() {
        let health = Health::default();
        health.failed(0);
        assert!(health.admits(1));
        assert!(!health.admits(1));
        assert!(health.admits(2), "nobody came back");
    }
}
