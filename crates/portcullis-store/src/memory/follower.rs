//! Follows the feed: renews the lease, applies what changed, says what is applied.
//!
//! A renewal writes first and reads after (on a shared database): the moment, the row, a new
//! snapshot, its changes, and only then the lease counted from that moment. With one node on
//! SQLite the folder's lock stands for the row, which is written only when `applied` has moved:
//! a full disk stops writes, not decisions.

use std::fmt;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use portcullis_core::id::Revision;
use portcullis_core::seal;
use portcullis_core::time::{Clock, Timestamp};
use tokio::sync::watch;

use super::lease::FORGOTTEN_MILLIS;
use super::{Lease, Memory};
use crate::engine::{Connection, Mode, Route};
use crate::error::StoreError;
use crate::meta::{Epoch, Stamp};
use crate::nodes::{Incarnation, Node, Sightings};
use crate::store::{Store, reader};

/// How often the feed is looked at, whatever wakes it in between.
const POLL: Duration = Duration::from_secs(1);

/// What other parts see of the follower.
#[derive(Debug)]
pub struct Followed {
    /// What is live.
    pub memory: Arc<Memory>,
    /// Until when that may be relied on.
    pub lease: Lease,
}

/// The thread that follows.
pub struct Follower {
    wake: SyncSender<Wake>,
    applied: watch::Receiver<Revision>,
    thread: Option<JoinHandle<()>>,
}

enum Wake {
    Look,
    Stop,
}

/// The thread's own things.
struct Desk {
    followed: Arc<Followed>,
    route: Arc<Route>,
    clock: Arc<dyn Clock>,
    connection: Option<Connection>,
    name: String,
    incarnation: Incarnation,
    seq: i64,
    epoch: Option<Epoch>,
    applied: Revision,
    /// What the node's row says is applied.
    shown: Revision,
    /// Whether the database was seen in another history: this process never answers again.
    astray: bool,
    tell: watch::Sender<Revision>,
    wall_persisted: Timestamp,
    sightings: Arc<Mutex<Sightings>>,
}

impl Follower {
    /// Joins as the node `name`, loads everything, and follows from then on.
    ///
    /// # Errors
    /// Something cannot be loaded: then nothing may be answered.
    pub fn start(
        store: &Store,
        followed: &Arc<Followed>,
        clock: Arc<dyn Clock>,
        name: &str,
    ) -> Result<Self, StoreError> {
        let (tell, applied) = watch::channel(Revision(0));
        let mut desk = Desk {
            followed: Arc::clone(followed),
            route: Arc::clone(store.route()),
            clock,
            connection: None,
            name: name.to_owned(),
            incarnation: seal::random()?,
            seq: 0,
            epoch: None,
            applied: Revision(0),
            shown: Revision(0),
            astray: false,
            tell,
            wall_persisted: Timestamp::MIN,
            sightings: Arc::clone(store.sightings()),
        };
        let (wake, woken) = sync_channel(1);
        let (loaded, load) = sync_channel(1);
        let thread = thread::Builder::new()
            .name("store-feed".into())
            .spawn(move || {
                let first = desk.join().and_then(|()| desk.renew());
                let follow = first.is_ok();
                if loaded.send(first).is_ok() && follow {
                    desk.follow(&woken);
                }
            })
            .map_err(|source| StoreError::Folder { what: "a thread".into(), source })?;
        load.recv().map_err(|_| StoreError::Stopped)??;
        Ok(Self { wake, applied, thread: Some(thread) })
    }

    /// Has the feed looked at now. Only a hint: it is looked at every second anyway.
    pub fn wake(&self) {
        // A full channel means that a look is due already.
        drop(self.wake.try_send(Wake::Look));
    }

    /// What is applied, and when that moves.
    pub fn applied(&self) -> watch::Receiver<Revision> {
        self.applied.clone()
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        drop(self.wake.send(Wake::Stop));
        if let Some(thread) = self.thread.take() {
            // A thread that broke has let the lease run out.
            drop(thread.join());
        }
    }
}

impl fmt::Debug for Follower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follower").field("applied", &*self.applied.borrow()).finish_non_exhaustive()
    }
}

impl Desk {
    fn follow(&mut self, woken: &Receiver<Wake>) {
        loop {
            let stop = match self.wait(woken) {
                Some(Wake::Stop) => true,
                Some(Wake::Look) | None => false,
            };
            if stop {
                return self.leave();
            }
            if let Err(error) = self.renew() {
                // A failed step extends nothing; what is left of the lease is left.
                tracing::warn!(%error, "the feed could not be followed");
                self.connection = self.connection.take().filter(|it| !it.is_broken());
            }
        }
    }

    /// Until somebody rings, another node writes, or a second has gone.
    fn wait(&mut self, woken: &Receiver<Wake>) -> Option<Wake> {
        if !self.is_shared() {
            return match woken.recv_timeout(POLL) {
                Ok(wake) => Some(wake),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => Some(Wake::Stop),
            };
        }
        // One thread, two bells: this node's own, and PostgreSQL's.
        for _ in 0..100 {
            if let Ok(wake) = woken.recv_timeout(Duration::from_millis(5)) {
                return Some(wake);
            }
            match self.open().and_then(|it| it.wait(Duration::from_millis(5))) {
                Ok(false) => {}
                Ok(true) => return None,
                Err(_) => {
                    self.connection = None;
                    return woken.recv_timeout(POLL).ok();
                }
            }
        }
        None
    }

    fn open(&mut self) -> Result<&mut Connection, StoreError> {
        match &mut self.connection {
            Some(open) => Ok(open),
            none => self.route.connect().map(|open| none.insert(open)),
        }
    }

    fn join(&mut self) -> Result<(), StoreError> {
        let (incarnation, name) = (self.incarnation, self.name.clone());
        let alone = !self.is_shared();
        reader::tend(self.open()?, |tending| {
            if alone {
                tending.delete_other_nodes(incarnation)?;
            }
            tending.insert_node(incarnation, &name, "")
        })
    }

    fn renew(&mut self) -> Result<(), StoreError> {
        if self.astray {
            return Err(another_history());
        }
        let begun = self.clock.now();
        if self.is_shared() {
            self.write_row()?;
        }
        let nodes = self.catch_up()?;
        self.followed.lease.renew(begun);
        let shown = if self.applied > self.shown { self.show(begun.wall) } else { Ok(()) };
        // This process judges by it, whether or not its row could be written.
        self.tell.send_if_modified(|told| std::mem::replace(told, self.applied) != self.applied);
        shown?;
        self.forget(&nodes)
    }

    /// Says in the row what is applied.
    fn show(&mut self, now: Timestamp) -> Result<(), StoreError> {
        self.write_row()?;
        self.persist_wall(now)
    }

    /// Reads and applies everything above `applied`, in one snapshot; the nodes' rows in it.
    fn catch_up(&mut self) -> Result<Vec<Node>, StoreError> {
        let (since, memory) = (self.applied, Arc::clone(&self.followed.memory));
        let mode = if since.0 > 0 { Mode::Snapshot } else { Mode::Load };
        let read = reader::snapshot(self.open()?, mode, |reading| {
            let changes = reading.changed_since(since)?;
            let standing =
                if memory.needs_guards(&changes) { reading.list_guards()? } else { Vec::new() };
            Ok((changes, standing, reading.list_nodes()?))
        });
        let (changes, standing, nodes) = read.inspect_err(|error| self.distrust(error))?;
        self.sight(&nodes);
        self.check_history(&changes.stamp)?;
        let applied = self.followed.memory.apply(&changes, &standing);
        applied.inspect_err(|error| self.distrust(error))?;
        self.epoch = Some(changes.stamp.epoch);
        self.applied = changes.stamp.revision;
        Ok(nodes)
    }

    /// What cannot be understood may be a revoke, and a file that is gone says nothing any more:
    /// that is over at once. A database that does not answer lets the lease run out.
    fn distrust(&self, error: &StoreError) {
        if matches!(error, StoreError::Corrupt { .. } | StoreError::Folder { .. }) {
            self.followed.lease.end();
        }
    }

    /// In another history nothing that is remembered can be trusted: this process must start anew,
    /// even if the numbers should fit again later.
    fn check_history(&mut self, stamp: &Stamp) -> Result<(), StoreError> {
        let other = self.epoch.as_ref().is_some_and(|epoch| *epoch != stamp.epoch);
        let purged = self.applied.0 > 0 && stamp.floor > self.applied;
        if other || purged || stamp.revision < self.applied {
            self.astray = true;
            self.leave();
            return Err(another_history());
        }
        Ok(())
    }

    /// Remembers how the rows of the nodes stand. Where there is one node, its row stands still
    /// while it lives: that says nothing.
    fn sight(&self, nodes: &[Node]) {
        if self.is_shared() {
            let now = self.clock.now().boot;
            self.sightings.lock().unwrap_or_else(PoisonError::into_inner).see(nodes, now);
        }
    }

    /// Removes the rows of nodes that died without leaving.
    fn forget(&mut self, nodes: &[Node]) -> Result<(), StoreError> {
        let now = self.clock.now().boot;
        let seen = Arc::clone(&self.sightings);
        let still = |node: &&Node| {
            let seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.still_for(node, now) >= FORGOTTEN_MILLIS
        };
        for node in nodes.iter().filter(still) {
            reader::tend(self.open()?, |tending| tending.delete_dead_node(node))?;
        }
        Ok(())
    }

    fn is_shared(&self) -> bool {
        self.route.is_shared()
    }

    fn write_row(&mut self) -> Result<(), StoreError> {
        let (incarnation, seq, applied) = (self.incarnation, self.seq, self.applied);
        let ours =
            reader::tend(self.open()?, |tending| tending.renew_node(incarnation, seq, applied))?;
        if !ours {
            // Somebody else writes this row: a cloned machine, or an answer that was lost.
            self.followed.lease.end();
            self.incarnation = seal::random()?;
            (self.seq, self.shown) = (0, Revision(0));
            return self.join();
        }
        self.seq += 1;
        self.shown = applied;
        Ok(())
    }

    fn persist_wall(&mut self, now: Timestamp) -> Result<(), StoreError> {
        if now > self.wall_persisted {
            reader::tend(self.open()?, |tending| tending.raise_wall(now))?;
            self.wall_persisted = now;
        }
        Ok(())
    }

    fn leave(&mut self) {
        self.followed.lease.end();
        let incarnation = self.incarnation;
        let left = self
            .open()
            .and_then(|it| reader::tend(it, |tending| tending.delete_node(&incarnation)));
        if let Err(error) = left {
            tracing::warn!(%error, "the node's row could not be removed");
        }
    }
}

fn another_history() -> StoreError {
    let reason = "the history of the database is another one: restart this node".into();
    StoreError::Corrupt { table: "meta", reason }
}
