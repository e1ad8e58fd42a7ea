//! Connections to upstreams: which of several a request goes to, and what it is sent on there.

mod connector;
mod health;
mod link;
mod station;
mod tls;

use std::array;
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::Duration;

use http::uri::Authority;
use portcullis_core::guard::{Guard, Protocol, Upstream};
use portcullis_core::time::Clock;
use rustls::RootCertStore;

use crate::http::problem::UpstreamFault;
use crate::streamed::Held;
use connector::Connector;
pub(super) use link::{Broken, Link};
pub(super) use station::Station;
use tls::Tls;

/// How many upstreams of a guard a request is brought to at most that cannot be reached.
const MAX_REACHES: usize = 3;
/// How many counters there are for whose turn it is. Guards that share one disturb nothing but each
/// other's order.
const TURNS: usize = 64;
/// How long the second lasts by which idleness and failures are counted.
const SECOND: Duration = Duration::from_secs(1);
/// How many of these pass until idle connections are looked for that nobody takes.
const SWEEP_EVERY: u32 = 10;

/// Which connection is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wanted {
    /// One that was given back, if there is one; else a new one.
    Any,
    /// One that nobody has used.
    New,
    /// One that nobody has used, and that can become something else (HTTP/1.1, `Upgrade`).
    Tunnel,
}

/// Something to send a request on.
#[derive(Debug)]
pub(super) struct Reached {
    /// Which of the guard's upstreams it leads to.
    pub(super) at: usize,
    pub(super) link: Link,
    /// Whether it was used before: then it may have ended unseen.
    pub(super) kept: bool,
    station: Arc<Station>,
}

/// Connections by upstream.
pub(super) struct Pool {
    connector: Arc<Connector>,
    stations: Arc<Stations>,
    turns: [AtomicUsize; TURNS],
}

/// The upstreams that were ever asked for.
#[derive(Debug, Default)]
struct Stations {
    /// How many connections there may be to one of them.
    most: usize,
    clear: ByAuthority,
    clear_http2: ByAuthority,
    tls: ByAuthority,
    /// How many seconds the pool is old. Nobody reads a clock for a request.
    seconds: AtomicU32,
}

type ByAuthority = RwLock<HashMap<Authority, Arc<Station>>>;

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pool")
    }
}

impl Pool {
    /// No connections yet; each may take `limit` to be made, and one upstream may have `most`. Upstreams that speak TLS are believed by
    /// `roots`, or else by those of the system. To be called where tasks can be spawned.
    pub(super) fn new(
        (limit, most): (Duration, usize),
        roots: Option<RootCertStore>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self::with(Arc::new(Connector::new(limit, Tls::new(roots, clock))), most)
    }

    /// Another one, that has no connections yet. To be called where tasks can be spawned.
    pub(super) fn beside(&self) -> Self {
        Self::with(Arc::clone(&self.connector), self.stations.most)
    }

    fn with(connector: Arc<Connector>, most: usize) -> Self {
        let stations = Arc::new(Stations { most, ..Stations::default() });
        tokio::spawn(count_seconds(Arc::downgrade(&stations)));
        let turns = array::from_fn(|_| AtomicUsize::new(0));
        Self { connector, stations, turns }
    }

    /// A connection to one of the upstreams of `guard`; if it cannot be reached, to the next.
    pub(super) async fn take(
        &self,
        guard: &Guard,
        wanted: Wanted,
    ) -> Result<Reached, UpstreamFault> {
        let (mut tried, mut fault) = (unfit(guard, wanted), UpstreamFault::Broken);
        for _ in 0..MAX_REACHES {
            let now = self.stations.now();
            let Some((at, station)) = self.choose(guard, tried, now) else { break };
            tried |= 1 << at;
            match station.take(&self.connector, wanted, now).await {
                Ok((link, kept)) => return Ok(Reached { at, link, kept, station }),
                // It has all that it may have, and fares well.
                Err(UpstreamFault::Full) => fault = UpstreamFault::Full,
                Err(why) => {
                    fault = why;
                    station.health.failed(self.stations.now());
                }
            }
        }
        Err(fault)
    }

    /// The next upstream whose turn it is and that is not put aside; if all are, the one that would be
    /// tried again the soonest. Those in the set `tried` are left out.
    fn choose(&self, guard: &Guard, tried: u32, now: u32) -> Option<(usize, Arc<Station>)> {
        if let [only] = &*guard.upstreams {
            return (tried == 0).then(|| (0, self.stations.of(only)));
        }
        let count = guard.upstreams.len();
        let first = self.turn(guard) % count.max(1);
        let order = (first..count).chain(0..first).filter(|at| tried & (1 << at) == 0);
        let mut least: Option<(u32, usize, Arc<Station>)> = None;
        for at in order {
            let station = self.stations.of(guard.upstreams.get(at)?);
            if station.health.admits(now) {
                return Some((at, station));
            }
            let until = station.health.until();
            if least.as_ref().is_none_or(|(least, ..)| until < *least) {
                least = Some((until, at, station));
            }
        }
        least.map(|(_, at, station)| (at, station))
    }

    fn turn(&self, guard: &Guard) -> usize {
        let place =
            guard.standing.id.as_bytes().last().map_or(0, |byte| usize::from(*byte)) % TURNS;
        self.turns.get(place).map_or(0, |turn| turn.fetch_add(1, Ordering::Relaxed))
    }

    /// The upstream has answered on `reached`: what serves again is kept for the next request, if it
    /// may be; what is shared is held as long as the answer lasts.
    pub(super) fn answered(&self, reached: Reached, keep: bool) -> Option<Held> {
        let Reached { link, station, .. } = reached;
        station.health.answered();
        match link {
            Link::Alone(sender) if keep => station.give_back(sender, self.stations.now()),
            Link::Alone(_) => {}
            Link::Stream(_, held) => return Some(held),
        }
        None
    }

    /// The upstream broke off on `reached` before it answered.
    pub(super) fn broke(&self, reached: &Reached) {
        // One that was kept may have ended in all propriety.
        if !reached.kept {
            reached.station.health.failed(self.stations.now());
        }
    }
}

impl Stations {
    fn now(&self) -> u32 {
        self.seconds.load(Ordering::Relaxed)
    }

    fn of(&self, upstream: &Upstream) -> Arc<Station> {
        let all = match upstream.protocol {
            Protocol::Http1 => &self.clear,
            Protocol::Http2 => &self.clear_http2,
            Protocol::Tls => &self.tls,
        };
        if let Some(known) = read(all).get(&upstream.authority) {
            return Arc::clone(known);
        }
        let mut all = all.write().unwrap_or_else(PoisonError::into_inner);
        let station = all.entry(upstream.authority.clone()).or_insert_with(|| {
            Arc::new(Station::new(upstream.authority.clone(), upstream.protocol, self.most))
        });
        Arc::clone(station)
    }

    fn sweep(&self) {
        for all in [&self.clear, &self.clear_http2, &self.tls] {
            read(all).values().for_each(|station| station.sweep(self.now()));
        }
    }
}

/// The upstreams of `guard` that cannot be what is `wanted`, which is no failure of theirs.
fn unfit(guard: &Guard, wanted: Wanted) -> u32 {
    let upstreams = guard.upstreams.iter().enumerate();
    let unfit =
        upstreams.filter(|(_, it)| wanted == Wanted::Tunnel && it.protocol == Protocol::Http2);
    unfit.fold(0, |all, (at, _)| all | 1 << at)
}

fn read(all: &ByAuthority) -> std::sync::RwLockReadGuard<'_, HashMap<Authority, Arc<Station>>> {
    all.read().unwrap_or_else(PoisonError::into_inner)
}

/// Counts, as long as the pool is there.
async fn count_seconds(stations: Weak<Stations>) {
    let mut ticks = tokio::time::interval(SECOND);
    loop {
        ticks.tick().await;
        let Some(stations) = stations.upgrade() else { return };
        let before = stations.seconds.fetch_add(1, Ordering::Relaxed);
        if before % SWEEP_EVERY == 0 {
            stations.sweep();
        }
    }
}
