//! Wrong passwords, counted per login name and per source address, with backing off.
//!
//! A stranger who guesses at a name slows himself down, not the user: an address from which that
//! name was right before is held to its own count only. Unknown names count like known ones.
//! Two fixed tables, no lock, nothing allocated. Two callers may share a place in a table; the
//! tag beside the count tells them apart unless both are guessing at once.

use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::guard::Guard;
use crate::id::Id;
use crate::organization::Organization;
use crate::time::Timestamp;

/// Wrong passwords for one name before it is slowed down.
pub const FREE_FOR_NAME: u64 = 5;
/// Wrong passwords from one address (an IPv6 /64) before it is slowed down.
pub const FREE_FOR_SOURCE: u64 = 20;
/// The longest wait, in seconds.
pub const MAX_WAIT: u64 = 900;
/// After so many seconds without a wrong password, a count begins anew.
pub const FORGOTTEN_AFTER: u64 = 3_600;
/// Places in each table.
pub const PLACES: usize = 1 << 14;

/// What is counted.
#[derive(Debug)]
pub struct Attempts {
    hasher: RandomState,
    wrong: Box<[AtomicU64]>,
    right: Box<[AtomicU64]>,
}

/// Where one claim is counted.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    name: u64,
    source: u64,
}

impl Attempts {
    /// Nothing counted yet.
    pub fn new() -> Self {
        let table = || std::iter::repeat_with(AtomicU64::default).take(PLACES).collect();
        Self { hasher: RandomState::new(), wrong: table(), right: table() }
    }

    /// Where a claim on `login` in `realm` from `source` is counted.
    pub fn place(&self, realm: Id<Organization>, login: &str, source: IpAddr) -> Place {
        let name = self.hasher.hash_one((realm, login));
        Place { name, source: self.hasher.hash_one(network(source)) }
    }

    /// Where a claim at `guard` that names nobody is counted: by its source alone, so that no stranger
    /// slows down anybody else.
    pub fn place_at(&self, guard: Id<Guard>, source: IpAddr) -> Place {
        let source = self.hasher.hash_one(network(source));
        Place { name: self.hasher.hash_one((guard, source)), source }
    }

    /// What names the pair of name and address.
    fn both(&self, place: &Place) -> u64 {
        self.hasher.hash_one((place.name, place.source))
    }

    /// How long a claim must wait before it is looked at, if it must.
    pub fn locked(&self, place: &Place, now: Timestamp) -> Option<Duration> {
        let now = seconds(now);
        let source = self.wait(place.source, FREE_FOR_SOURCE, now);
        let name = self.wait(place.name, FREE_FOR_NAME, now);
        let name = if name > 0 && self.was_right(place) { 0 } else { name };
        let wait = source.max(name);
        (wait > 0).then(|| Duration::from_secs(wait))
    }

    fn was_right(&self, place: &Place) -> bool {
        let both = self.both(place);
        slot(&self.right, both).is_some_and(|slot| slot.load(Ordering::Relaxed) == both)
    }

    /// Counts a wrong password.
    pub fn failed(&self, place: &Place, now: Timestamp) {
        let now = seconds(now);
        self.count(place.name, FREE_FOR_NAME, now);
        self.count(place.source, FREE_FOR_SOURCE, now);
    }

    /// A right password: its name begins anew, and its address is known for it. The address's own
    /// count stays, or an attacker with one account could clear it between guesses at others.
    pub fn succeeded(&self, place: &Place) {
        let both = self.both(place);
        if let Some(slot) = slot(&self.right, both) {
            slot.store(both, Ordering::Relaxed);
        }
        if let Some(slot) = slot(&self.wrong, place.name)
            && Count::unpack(slot.load(Ordering::Relaxed)).tag == tag(place.name)
        {
            slot.store(0, Ordering::Relaxed);
        }
    }

    fn wait(&self, who: u64, free: u64, now: u64) -> u64 {
        let Some(slot) = slot(&self.wrong, who) else { return 0 };
        let count = Count::unpack(slot.load(Ordering::Relaxed));
        if count.tag != tag(who) { 0 } else { count.wait(free, now) }
    }

    fn count(&self, who: u64, free: u64, now: u64) {
        let Some(slot) = slot(&self.wrong, who) else { return };
        let _kept = slot.try_update(Ordering::Relaxed, Ordering::Relaxed, |packed| {
            let old = Count::unpack(packed);
            let number = match old.tag == tag(who) {
                true if now.saturating_sub(old.last) < FORGOTTEN_AFTER => old.number + 1,
                true => 1,
                // Somebody else who must wait keeps the place, so that it cannot be washed out.
                false if old.wait(free, now) > 0 => return None,
                false => 1,
            };
            Some(Count { tag: tag(who), number: number.min(0xff), last: now }.pack())
        });
    }
}

impl Default for Attempts {
    fn default() -> Self {
        Self::new()
    }
}

/// One place: 16 bits of tag, 8 of number, 40 of seconds.
struct Count {
    tag: u64,
    number: u64,
    last: u64,
}

impl Count {
    const fn unpack(packed: u64) -> Self {
        Self { tag: packed >> 48, number: packed >> 40 & 0xff, last: packed & 0xff_ffff_ffff }
    }

    const fn pack(&self) -> u64 {
        self.tag << 48 | self.number << 40 | self.last & 0xff_ffff_ffff
    }

    /// Seconds still to wait: 1, 2, 4 … after each one beyond the free ones.
    fn wait(&self, free: u64, now: u64) -> u64 {
        let Some(beyond) = self.number.checked_sub(free) else { return 0 };
        let span = 1_u64.checked_shl(u32::try_from(beyond).unwrap_or(u32::MAX)).unwrap_or(MAX_WAIT);
        (self.last + span.min(MAX_WAIT)).saturating_sub(now)
    }
}

fn slot(table: &[AtomicU64], who: u64) -> Option<&AtomicU64> {
    table.get(usize::try_from(who % PLACES as u64).unwrap_or(0))
}

/// Other bits of the hash than the ones that chose the place.
const fn tag(who: u64) -> u64 {
    who >> 48
}

fn seconds(now: Timestamp) -> u64 {
    u64::try_from(now.millis() / 1_000).unwrap_or(0)
}

/// Whoever has one address of an IPv6 /64 has them all.
fn network(source: IpAddr) -> IpAddr {
    match source {
        IpAddr::V4(_) => source,
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() >> 64 << 64).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REALM: Id<Organization> = Id::from_bytes([1; 16]);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_000_000_000 + seconds * 1_000)
    }

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn guesses_at_one_name_from_many_addresses_wait_longer_and_longer() {
        let attempts = Attempts::new();
        let place = |source| attempts.place(REALM, "owner", address(source));
        for source in 0..5 {
            assert_eq!(attempts.locked(&place(source), at(0)), None);
            attempts.failed(&place(source), at(0));
        }
        assert_eq!(attempts.locked(&place(9), at(0)), Some(Duration::from_secs(1)));
        assert_eq!(attempts.locked(&place(9), at(1)), None);
        attempts.failed(&place(9), at(1));
        assert_eq!(attempts.locked(&place(9), at(1)), Some(Duration::from_secs(2)));
        assert_eq!(attempts.locked(&attempts.place(REALM, "other", address(9)), at(1)), None);
    }

    #[test]
    fn the_user_at_an_address_that_was_right_before_does_not_wait_for_the_guesses_of_others() {
        let attempts = Attempts::new();
        let own = attempts.place(REALM, "owner", address(1));
        attempts.succeeded(&own);
        for _ in 0..50 {
            attempts.failed(&attempts.place(REALM, "owner", address(2)), at(0));
        }
        assert!(attempts.locked(&attempts.place(REALM, "owner", address(3)), at(0)).is_some());
        assert_eq!(attempts.locked(&own, at(0)), None);
    }

    #[test]
    fn guesses_at_many_names_from_one_network_wait_too() {
        let attempts = Attempts::new();
        let place = |name: &str, source: &str| attempts.place(REALM, name, source.parse().unwrap());
        for number in 0..20 {
            attempts
                .failed(&place(&format!("user{number}"), &format!("2001:db8::{number}")), at(0));
        }
        assert!(attempts.locked(&place("another", "2001:db8::ffff"), at(0)).is_some());
        assert_eq!(attempts.locked(&place("another", "2001:db8:0:1::1"), at(0)), None);
        attempts.succeeded(&place("another", "2001:db8::ffff"));
        assert!(attempts.locked(&place("another", "2001:db8::ffff"), at(0)).is_some());
    }

    #[test]
    fn the_wait_has_a_ceiling_and_is_forgotten() {
        let attempts = Attempts::new();
        let place = attempts.place(REALM, "owner", address(1));
        for _ in 0..300 {
            attempts.failed(&place, at(0));
        }
        assert_eq!(attempts.locked(&place, at(0)), Some(Duration::from_secs(MAX_WAIT)));
        assert_eq!(attempts.locked(&place, at(900)), None);
        attempts.failed(&place, at(3_600));
        assert_eq!(attempts.locked(&place, at(3_600)), None);
    }
}
