//! The system's clocks: nothing else in the program reads them.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use portcullis_core::time::{Clock, Moment, Timestamp};
use rustix::time::{ClockId, clock_gettime};

/// The machine's clocks, with a mark below which wall time never falls.
///
/// A clock that is set back would bring what has expired back to life. So wall time stands
/// still at its highest known value until the machine has caught up with it.
#[derive(Debug)]
pub(crate) struct SystemClock {
    highest: AtomicI64,
}

impl SystemClock {
    /// A clock that never says less than `highest`, the value that was persisted last.
    pub(crate) const fn starting_at(highest: Timestamp) -> Self {
        Self { highest: AtomicI64::new(highest.millis()) }
    }

    /// Lifts the mark to `seen`, a moment that another node or the store vouches for.
    ///
    /// A mark that is already higher stays.
    pub(crate) fn raise(&self, seen: Timestamp) {
        self.no_less_than(seen);
    }

    /// How far the machine's wall clock is behind the mark; nought is the healthy answer.
    pub(crate) fn behind(&self) -> Duration {
        let highest = self.highest.load(Ordering::Relaxed);
        Duration::from_millis(highest.saturating_sub(wall().millis()).try_into().unwrap_or(0))
    }

    fn no_less_than(&self, raw: Timestamp) -> Timestamp {
        let known = self.highest.load(Ordering::Relaxed);
        // Reading first lets the cores share the mark: it is written once a millisecond at most.
        if raw.millis() <= known {
            return Timestamp::from_millis(known);
        }
        let before = self.highest.fetch_max(raw.millis(), Ordering::Relaxed);
        Timestamp::from_millis(before.max(raw.millis()))
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        Moment { boot: millis(read(SINCE_BOOT)), wall: self.no_less_than(wall()) }
    }
}

fn wall() -> Timestamp {
    Timestamp::from_millis(millis(read(ClockId::Realtime)).try_into().unwrap_or(i64::MAX))
}

fn millis(span: Duration) -> u64 {
    span.as_millis().try_into().unwrap_or(u64::MAX)
}

/// A wall clock before 1970 reads as 1970.
fn read(clock: ClockId) -> Duration {
    Duration::try_from(clock_gettime(clock)).unwrap_or_default()
}

/// Counts while the machine is suspended, so that a lease ends in its sleep.
#[cfg(target_os = "linux")]
const SINCE_BOOT: ClockId = ClockId::Boottime;
#[cfg(not(target_os = "linux"))]
const SINCE_BOOT: ClockId = ClockId::Monotonic;

#[cfg(test)]
mod tests {
    use super::*;

    const FAR_AHEAD: Timestamp = Timestamp::from_millis(i64::MAX - 1);

    #[test]
    fn wall_time_follows_the_machine_and_never_falls_back() {
        let clock = SystemClock::starting_at(Timestamp::from_millis(100));
        let said = [90, 100, 150, 120, 151].map(|raw| {
            let wall = clock.no_less_than(Timestamp::from_millis(raw));
            wall.millis()
        });
        assert_eq!(said, [100, 100, 150, 150, 151]);
    }

    #[test]
    fn a_machine_set_back_stands_at_the_mark_and_says_how_far_it_is_behind() {
        let clock = SystemClock::starting_at(FAR_AHEAD);
        assert_eq!(clock.now().wall, FAR_AHEAD);
        assert!(clock.behind() > Duration::from_hours(24));
    }

    #[test]
    fn a_machine_ahead_of_the_mark_is_not_behind() {
        let clock = SystemClock::starting_at(Timestamp::MIN);
        assert_eq!(clock.behind(), Duration::ZERO);
        assert!(clock.now().wall > Timestamp::from_millis(0));
    }

    #[test]
    fn the_mark_is_raised_and_never_lowered() {
        let clock = SystemClock::starting_at(Timestamp::MIN);
        clock.raise(FAR_AHEAD);
        clock.raise(Timestamp::from_millis(1));
        assert_eq!(clock.now().wall, FAR_AHEAD);
    }

    #[test]
    fn time_since_boot_is_told_apart_from_wall_time() {
        let clock = SystemClock::starting_at(FAR_AHEAD);
        let (first, second) = (clock.now().boot, clock.now().boot);
        assert!(0 < first && first <= second);
        assert!(i64::try_from(second).unwrap() < wall().millis());
    }
}
