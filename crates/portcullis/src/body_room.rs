//! Room for bodies that are held before anybody knows who sends them.
//!
//! Whoever is not known may have us hold some of what they send, and not all of our memory: there is
//! so much for one source, and so much for all.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::source::Source;

/// How much is held at once for all sources, in bytes.
pub(crate) const MAX_HELD: usize = 64 << 20;
/// How much is held at once for one source, in bytes.
pub(crate) const MAX_HELD_OF_SOURCE: usize = 8 << 20;

/// The room, shared by whoever reads bodies.
#[derive(Clone, Debug, Default)]
pub(crate) struct BodyRoom(Arc<Mutex<Held>>);

/// INVARIANT: the total is the sum of all sources, and no source has nothing.
#[derive(Debug, Default)]
struct Held {
    total: usize,
    by_source: HashMap<Source, usize>,
}

/// What one body takes of the room; it is given back with this.
#[derive(Debug)]
pub(crate) struct Place {
    room: BodyRoom,
    source: Source,
    taken: usize,
}

/// Too much is held already, of this source or of all: it may be less in a moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("too many bodies are being read")]
pub(crate) struct NoRoom;

impl BodyRoom {
    /// A place for a body from `source`, empty yet.
    pub(crate) fn place(&self, source: IpAddr) -> Place {
        Place { room: self.clone(), source: source.into(), taken: 0 }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Takes so many bytes more.
    pub(crate) fn take(&mut self, bytes: usize) -> Result<(), NoRoom> {
        let mut held = self.room.held();
        let of_source = held.by_source.get(&self.source).copied().unwrap_or_default();
        if of_source + bytes > MAX_HELD_OF_SOURCE || held.total + bytes > MAX_HELD {
            return Err(NoRoom);
        }
        if of_source + bytes > 0 {
            held.by_source.insert(self.source, of_source + bytes);
        }
        held.total += bytes;
        drop(held);
        self.taken += bytes;
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.room.held();
        held.total -= self.taken;
        let left = held.by_source.get(&self.source).map_or(0, |of_source| of_source - self.taken);
        if left == 0 {
            held.by_source.remove(&self.source);
        } else {
            held.by_source.insert(self.source, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANY: usize = MAX_HELD / MAX_HELD_OF_SOURCE;

    fn address(number: usize) -> IpAddr {
        IpAddr::from([192, 0, 2, u8::try_from(number).unwrap()])
    }

    #[test]
    fn a_source_takes_its_share_and_no_more_until_it_gives_back() {
        let room = BodyRoom::default();
        let mut one = room.place(address(1));
        one.take(MAX_HELD_OF_SOURCE).unwrap();
        let mut same = room.place(address(1));
        assert_eq!(same.take(1), Err(NoRoom));
        room.place(address(2)).take(1).unwrap();
        drop(one);
        same.take(MAX_HELD_OF_SOURCE).unwrap();
    }

    #[test]
    fn all_sources_together_take_no_more_than_there_is() {
        let room = BodyRoom::default();
        let mut places: Vec<Place> = (0..MANY).map(|number| room.place(address(number))).collect();
        places.iter_mut().for_each(|place| place.take(MAX_HELD_OF_SOURCE).unwrap());
        let mut late = room.place(address(MANY));
        assert_eq!(late.take(1), Err(NoRoom));
        drop(places.pop());
        late.take(1).unwrap();
        drop((places, late));
        let held = room.held();
        assert_eq!((held.total, held.by_source.len()), (0, 0));
    }

    #[test]
    fn addresses_of_one_subscriber_are_one_source() {
        let room = BodyRoom::default();
        let mut one = room.place("2001:db8::1".parse().unwrap());
        one.take(MAX_HELD_OF_SOURCE).unwrap();
        assert_eq!(room.place("2001:db8::2".parse().unwrap()).take(1), Err(NoRoom));
        room.place("2001:db8:0:1::2".parse().unwrap()).take(1).unwrap();
    }
}
