//! Room for connections: so many in all, and so many from one source.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use portcullis_core::request::TrustedPeers;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config;
use crate::source::Source;

/// The room at one address.
#[derive(Debug)]
pub(super) struct Room {
    all: Arc<Semaphore>,
    size: usize,
    /// INVARIANT: no source has nothing.
    by_source: Arc<Mutex<HashMap<Source, usize>>>,
    of_source: usize,
    trusted: TrustedPeers,
    /// How many were turned away.
    away: u64,
}

/// What one connection takes of the room; it is given back with this.
#[derive(Debug)]
pub(super) struct Place {
    _one_of_all: OwnedSemaphorePermit,
    _one_of_source: Option<OneOfSource>,
}

#[derive(Debug)]
struct OneOfSource {
    by_source: Arc<Mutex<HashMap<Source, usize>>>,
    source: Source,
}

impl Room {
    pub(super) fn new(settings: &config::Server, trusted: TrustedPeers) -> Self {
        Self {
            all: Arc::new(Semaphore::new(settings.max_connections)),
            size: settings.max_connections,
            by_source: Arc::default(),
            of_source: settings.max_connections_per_address,
            trusted,
            away: 0,
        }
    }

    /// A place for a connection from `peer`, if there is one.
    pub(super) fn place(&mut self, peer: IpAddr) -> Option<Place> {
        let place = self.find(peer);
        if place.is_none() {
            self.away = self.away.saturating_add(1);
            // A flood must not flood the log.
            if self.away.is_power_of_two() {
                tracing::warn!(away = self.away, last = %peer, "too many connections are open");
            }
        }
        place
    }

    fn find(&self, peer: IpAddr) -> Option<Place> {
        let one_of_all = Arc::clone(&self.all).try_acquire_owned().ok()?;
        // A proxy brings the connections of everybody behind it.
        let one_of_source = match self.trusted.contain(peer) {
            true => None,
            false => Some(self.one_of(peer.into())?),
        };
        Some(Place { _one_of_all: one_of_all, _one_of_source: one_of_source })
    }

    fn one_of(&self, source: Source) -> Option<OneOfSource> {
        let mut by_source = held(&self.by_source);
        let taken = by_source.entry(source).or_default();
        // One that has nothing yet finds room, so that no empty entry stays.
        if *taken >= self.of_source {
            return None;
        }
        *taken += 1;
        Some(OneOfSource { by_source: Arc::clone(&self.by_source), source })
    }

    /// Comes back when all places have been given back.
    pub(super) async fn emptied(&self) {
        let all = u32::try_from(self.size).unwrap_or(u32::MAX);
        drop(self.all.acquire_many(all).await);
    }
}

impl Drop for OneOfSource {
    fn drop(&mut self) {
        let mut by_source = held(&self.by_source);
        if let Some(taken) = by_source.get_mut(&self.source) {
            *taken -= 1;
            if *taken == 0 {
                by_source.remove(&self.source);
            }
        }
    }
}

fn held(by_source: &Mutex<HashMap<Source, usize>>) -> MutexGuard<'_, HashMap<Source, usize>> {
    by_source.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(size: usize, of_source: usize, trusted: &[&str]) -> Room {
        let trusted: Vec<_> = trusted.iter().map(|it| it.parse().unwrap()).collect();
        Room {
            all: Arc::new(Semaphore::new(size)),
            size,
            by_source: Arc::default(),
            of_source,
            trusted: TrustedPeers::new(&trusted),
            away: 0,
        }
    }

    fn peer(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_source_takes_its_share_and_leaves_the_rest_to_others() {
        let mut room = room(4, 2, &[]);
        let first = room.place(peer("192.0.2.1")).unwrap();
        let _second = room.place(peer("::ffff:192.0.2.1")).unwrap();
        assert!(room.place(peer("192.0.2.1")).is_none());
        let _other = room.place(peer("192.0.2.2")).unwrap();
        drop(first);
        let _again = room.place(peer("192.0.2.1")).unwrap();
        let _last = room.place(peer("192.0.2.3")).unwrap();
        assert!(room.place(peer("192.0.2.4")).is_none(), "there is no more room at all");
    }

    #[test]
    fn one_subscriber_is_one_source_and_a_trusted_proxy_is_none() {
        let mut room = room(9, 1, &["10.0.0.0/8"]);
        let _one = room.place(peer("2001:db8::1")).unwrap();
        assert!(room.place(peer("2001:db8::2")).is_none());
        let _proxied = [(); 3].map(|()| room.place(peer("10.1.2.3")).unwrap());
    }

    #[tokio::test]
    async fn what_is_given_back_leaves_nothing_behind() {
        let mut room = room(2, 1, &[]);
        let places = [room.place(peer("192.0.2.1")), room.place(peer("192.0.2.2"))];
        assert!(places.iter().all(Option::is_some));
        drop(places);
        room.emptied().await;
        assert!(held(&room.by_source).is_empty());
    }
}
