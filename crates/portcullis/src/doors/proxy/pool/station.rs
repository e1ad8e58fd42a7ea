//! One upstream server as the pool knows it: its connections, and how it fares.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::uri::Authority;
use hyper::client::conn::http1;
use portcullis_core::guard::Protocol;
use tokio::sync::Semaphore;

use super::super::body::Outgoing;
use super::Wanted;
use super::connector::{Connection, Connector, Purpose};
use super::health::Health;
use super::link::{Link, Shared};
use crate::http::problem::UpstreamFault;

/// How many idle connections of HTTP/1.1 are kept for one upstream.
const MAX_IDLE: usize = 64;
/// How many seconds a connection may be idle to be used again: fewer than most servers wait.
const MAX_IDLE_SECONDS: u32 = 30;
/// How many connections of HTTP/2 there are at most to one upstream; more requests than these take
/// wait for their turn.
const MAX_SHARED: usize = 8;

/// One upstream server.
#[derive(Debug)]
pub(in super::super) struct Station {
    authority: Authority,
    protocol: Protocol,
    /// Connections of HTTP/1.1 with the second since which each is idle, the oldest first.
    idle: Mutex<Vec<(http1::SendRequest<Outgoing>, u32)>>,
    shared: Mutex<Vec<Shared>>,
    /// For connections of all kinds; each gives its place back when it ends.
    room: Arc<Semaphore>,
    /// Held by whoever makes a connection that all may share, with the last fault of that.
    making: tokio::sync::Mutex<Option<UpstreamFault>>,
    /// How often making one failed.
    failed: AtomicU32,
    /// Whether it has chosen HTTP/1.1, so that each makes connections of its own.
    alone: AtomicBool,
    pub(super) health: Health,
}

impl Station {
    /// One that may have `most` connections at once.
    pub(super) fn new(authority: Authority, protocol: Protocol, most: usize) -> Self {
        Self {
            room: Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS))),
            authority,
            protocol,
            idle: Mutex::default(),
            shared: Mutex::default(),
            making: tokio::sync::Mutex::new(None),
            failed: AtomicU32::new(0),
            alone: AtomicBool::new(protocol == Protocol::Http1),
            health: Health::default(),
        }
    }

    /// Something to send one request on, and whether it was there before.
    pub(super) async fn take(
        &self,
        connector: &Connector,
        wanted: Wanted,
        now: u32,
    ) -> Result<(Link, bool), UpstreamFault> {
        match wanted {
            Wanted::Any => {
                if let Some(link) = self.kept(now).await {
                    return Ok((link, true));
                }
            }
            Wanted::New => {}
            Wanted::Tunnel => return Ok((self.make_tunnel(connector).await?, false)),
        }
        if self.alone.load(Ordering::Relaxed) {
            return self.make(connector, now).await.map(|link| (link, false));
        }
        let failed = self.failed.load(Ordering::Acquire);
        let mut fault = self.making.lock().await;
        // Somebody else may have made one meanwhile, or found out that there is none to be had.
        if wanted == Wanted::Any
            && let Some(link) = self.stream(now)
        {
            return Ok((link, false));
        }
        if let Some(fault) = *fault
            && self.failed.load(Ordering::Acquire) != failed
        {
            return Err(fault);
        }
        let made = self.make(connector, now).await;
        if let Err(why) = made {
            *fault = Some(why);
            self.failed.fetch_add(1, Ordering::Release);
        }
        made.map(|link| (link, false))
    }

    async fn kept(&self, now: u32) -> Option<Link> {
        if self.protocol != Protocol::Http1
            && let Some(link) = self.stream(now)
        {
            return Some(link);
        }
        while let Some(mut sender) = self.idle_one(now) {
            if sender.ready().await.is_ok() {
                return Some(Link::Alone(sender));
            }
        }
        None
    }

    /// A stream of a connection with room for one; if there are as many as there may be, of the one
    /// with the fewest.
    fn stream(&self, now: u32) -> Option<Link> {
        let mut shared = lock(&self.shared);
        shared.retain(|it| is_alive(it, now));
        let full = shared.len() >= MAX_SHARED;
        let free = shared.iter().filter(|it| full || it.has_room());
        free.min_by_key(|it| it.open()).map(|it| it.stream(now))
    }

    fn idle_one(&self, now: u32) -> Option<http1::SendRequest<Outgoing>> {
        let mut idle = lock(&self.idle);
        idle.retain(|(sender, since)| !sender.is_closed() && !is_old(*since, now));
        // One that still hands out its last answer stays until it has.
        let ready = idle.iter().rposition(|(sender, _)| sender.is_ready())?;
        Some(idle.swap_remove(ready).0)
    }

    async fn connect(
        &self,
        connector: &Connector,
        purpose: Purpose,
    ) -> Result<Connection, UpstreamFault> {
        let place = Arc::clone(&self.room).try_acquire_owned().map_err(|_| UpstreamFault::Full)?;
        connector.connect((&self.authority, self.protocol), purpose, place).await
    }

    async fn make_tunnel(&self, connector: &Connector) -> Result<Link, UpstreamFault> {
        match self.connect(connector, Purpose::Tunnel).await? {
            Connection::Http1(sender) => Ok(Link::Alone(sender)),
            // It was offered HTTP/1.1 alone.
            Connection::Http2(_) => Err(UpstreamFault::Broken),
        }
    }

    async fn make(&self, connector: &Connector, now: u32) -> Result<Link, UpstreamFault> {
        match self.connect(connector, Purpose::Requests).await? {
            Connection::Http1(sender) => {
                self.alone.store(true, Ordering::Relaxed);
                Ok(Link::Alone(sender))
            }
            Connection::Http2(connection) => {
                self.alone.store(false, Ordering::Relaxed);
                let link = connection.stream(now);
                let mut shared = lock(&self.shared);
                shared.retain(|it| is_alive(it, now));
                // One too many, made for a request that was sent anew, ends with it.
                if shared.len() < MAX_SHARED {
                    shared.push(connection);
                }
                Ok(link)
            }
        }
    }

    /// Keeps a connection for the next request; it serves again when its answer has been read.
    pub(super) fn give_back(&self, sender: http1::SendRequest<Outgoing>, now: u32) {
        if sender.is_closed() {
            return;
        }
        let mut idle = lock(&self.idle);
        if idle.len() < MAX_IDLE {
            idle.push((sender, now));
        }
    }

    /// Ends what nobody has used for too long.
    pub(super) fn sweep(&self, now: u32) {
        lock(&self.idle).retain(|(sender, since)| !sender.is_closed() && !is_old(*since, now));
        lock(&self.shared).retain(|it| is_alive(it, now));
    }
}

fn is_alive(shared: &Shared, now: u32) -> bool {
    !shared.is_closed() && shared.idle_since().is_none_or(|since| !is_old(since, now))
}

const fn is_old(since: u32, now: u32) -> bool {
    now.saturating_sub(since) > MAX_IDLE_SECONDS
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use portcullis_core::time::{Clock, Moment, Timestamp};
    use tokio::net::TcpListener;

    use super::super::tls::Tls;
    use super::*;

    #[derive(Debug)]
    struct Still;

    impl Clock for Still {
        fn now(&self) -> Moment {
            Moment { boot: 0, wall: Timestamp::MIN }
        }
    }

    fn alone((link, _): (Link, bool)) -> http1::SendRequest<Outgoing> {
        match link {
            Link::Alone(sender) => sender,
            Link::Stream(..) => panic!("not of HTTP/1.1"),
        }
    }

    #[tokio::test]
    async fn a_connection_that_was_idle_for_too_long_is_not_used_again() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let authority = listener.local_addr().unwrap().to_string().parse().unwrap();
        let limit = Duration::from_secs(10);
        let connector = Connector::new(limit, Tls::new(None, Arc::new(Still)));
        let station = Station::new(authority, Protocol::Http1, 9);
        for (idle, kept) in [(0, true), (MAX_IDLE_SECONDS, true), (MAX_IDLE_SECONDS + 1, false)] {
            let mut sender = alone(station.take(&connector, Wanted::New, 0).await.unwrap());
            let _accepted = listener.accept().await.unwrap();
            sender.ready().await.unwrap();
            station.give_back(sender, 0);
            let (_, was_kept) = station.take(&connector, Wanted::Any, idle).await.unwrap();
            assert_eq!(was_kept, kept, "{idle}");
        }
    }

    #[tokio::test]
    async fn however_many_connections_are_made_so_many_are_shared_and_no_more() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let authority = listener.local_addr().unwrap().to_string().parse().unwrap();
        let connector = Connector::new(Duration::from_secs(10), Tls::new(None, Arc::new(Still)));
        let station = Station::new(authority, Protocol::Http2, 2 * MAX_SHARED);
        let mut open = Vec::new();
        for made in 1..MAX_SHARED + 3 {
            let taken = station.take(&connector, Wanted::New, 0).await.unwrap();
            open.push((taken, listener.accept().await.unwrap()));
            assert_eq!(lock(&station.shared).len(), made.min(MAX_SHARED));
        }
    }
}
