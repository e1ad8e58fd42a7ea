//! The threads that answer callers. Each has connections of its own, and its own to the upstreams, so
//! that no request ever waits for another thread.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};

use tokio::net::TcpStream;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use super::connection::{self, Speech};
use super::front::Front;
use super::listen::Accepted;
use super::room::Place;

/// All of them. With this they end, and what is still under way on them.
#[derive(Debug)]
pub(super) struct Shards {
    all: Vec<Shard>,
    speech: Speech,
}

/// One thread.
#[derive(Debug)]
struct Shard {
    front: Arc<Front>,
    runtime: Handle,
    /// How many connections it has.
    open: Arc<AtomicUsize>,
    thread: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

/// One connection of a shard as long as this lives.
struct Open(Arc<AtomicUsize>);

impl Shards {
    /// A thread for each of `fronts`.
    ///
    /// # Errors
    /// The system gives no more of them.
    pub(super) fn start(
        fronts: impl IntoIterator<Item = Front>,
        speech: Speech,
    ) -> io::Result<Self> {
        let all = fronts.into_iter().map(Shard::start).collect::<io::Result<_>>()?;
        Ok(Self { all, speech })
    }

    /// Answers a connection on the thread that has the fewest.
    pub(super) fn take(&self, accepted: Accepted, place: Place) {
        let fewest = self.all.iter().min_by_key(|shard| shard.open.load(Ordering::Relaxed));
        let Accepted { stream, peer, stop } = accepted;
        // Readiness is told to the thread that waits for it: one that cannot be had back is lost.
        let Some((shard, stream)) = fewest.zip(stream.into_std().ok()) else { return };
        let (front, speech) = (Arc::clone(&shard.front), self.speech.clone());
        let held = (Open::count(&shard.open), place);
        shard.runtime.spawn(async move {
            if let Ok(stream) = TcpStream::from_std(stream) {
                connection::serve(front, speech, Accepted { stream, peer, stop }, held).await;
            }
        });
    }
}

impl Shard {
    fn start(front: Front) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (end, ended) = oneshot::channel();
        let handle = runtime.handle().clone();
        let answer = move || {
            // Told, or left alone: it ends in either case.
            drop(runtime.block_on(ended));
            // A name that is still being looked up is not waited for.
            runtime.shutdown_background();
        };
        let thread = thread::Builder::new().name("answer".into()).spawn(answer)?;
        let (front, open) = (Arc::new(front), Arc::default());
        Ok(Self { front, runtime: handle, open, thread: Some((end, thread)) })
    }
}

impl Drop for Shard {
    fn drop(&mut self) {
        if let Some((end, thread)) = self.thread.take() {
            drop(end);
            // One that panicked has ended as well.
            drop(thread.join());
        }
    }
}

impl Open {
    fn count(open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(open))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
