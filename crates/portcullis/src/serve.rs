//! The one place where everything is put together.

mod front;
mod house;
mod listen;
pub(crate) mod slides;
pub(crate) mod spoken;
pub(crate) mod upgrades;
mod usage;

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use portcullis_core::authenticator::Authenticator;
use portcullis_core::request::TrustedPeers;
use portcullis_core::time::Clock;
use portcullis_store::Store;
use portcullis_store::folder;
use portcullis_store::memory::{Followed, Follower, Lease, Memory};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::actions::{Acknowledge, Actions, Actor, Wake};
use crate::config::{Config, Passwords};
use crate::control::{self, Control};
use crate::dialects::Services;
use crate::doors::proxy::{Proxy, Timeouts};
use crate::gate::{Gate, Later};
use crate::password_pool::{PasswordPool, PoolSize};
use front::Front;
pub(crate) use house::House;

/// How many slow hashes may wait from one source.
const PER_SOURCE: usize = 16;
/// How often the server looks whether it is ready, asked or not.
const LOOK: Duration = Duration::from_secs(1);

/// A server that answers.
pub(crate) struct Server {
    /// Where it answers.
    pub(crate) address: SocketAddr,
    front: Arc<Front>,
    listener: TcpListener,
    follower: Arc<Follower>,
    house: House,
    _control: Control,
    _lock: Option<folder::FolderLock>,
}

impl Server {
    /// Starts to follow the feed and listens; answers once [`Server::run`] is polled.
    pub(crate) async fn start(house: House) -> anyhow::Result<Self> {
        let config = &house.config;
        let data = &config.store.data;
        let lock = folder::FolderLock::take(data)?;
        anyhow::ensure!(
            lock.is_some() || house.store.is_shared(),
            "another server runs on `{}`",
            data.display()
        );
        let memory = Arc::new(Memory::empty()?);
        let followed = Arc::new(Followed { memory: Arc::clone(&memory), lease: Lease::none() });
        let clock: Arc<dyn Clock> = house.clock.clone();
        let (store, following) = (Arc::clone(&house.store), Arc::clone(&followed));
        let (feed_clock, name) = (Arc::clone(&clock), config.store.node_name.clone());
        let follower = tokio::task::spawn_blocking(move || {
            Follower::start(&store, &following, feed_clock, &name)
        });
        let follower = Arc::new(follower.await??);
        let authenticator =
            Authenticator::new(Arc::clone(&memory), Arc::clone(&house.peppers), house.cost())?;
        let pool = PasswordPool::start(pool_size(&config.passwords))?;
        let later = store_later(&house.store, &memory, &follower);
        let gate = Gate::new(authenticator, followed, pool, later, Arc::clone(&clock));
        let gate = Arc::new(gate);
        let rung = Arc::clone(&follower);
        let control = control::serve(data, move || rung.wake())?;
        let listener = TcpListener::bind(config.server.listen)
            .await
            .with_context(|| format!("listening on {}", config.server.listen))?;
        let applied = follower.applied();
        let actions = actions(&house, &follower, Actor::Operator("nobody".into()));
        let services = Services { gate: Arc::clone(&gate), actions, applied, clock };
        let front = Arc::new(Front {
            proxy: Proxy::new(gate, timeouts(config)),
            services,
            trusted: TrustedPeers::new(&config.trust.peers),
        });
        let address = listener.local_addr()?;
        Ok(Self { address, front, listener, follower, house, _control: control, _lock: lock })
    }

    /// What knows the callers.
    #[cfg(test)]
    pub(crate) fn gate(&self) -> Arc<Gate> {
        Arc::clone(&self.front.services.gate)
    }

    /// The revision that it judges by.
    #[cfg(test)]
    pub(crate) fn applied(&self) -> watch::Receiver<portcullis_core::id::Revision> {
        self.follower.applied()
    }

    /// The actions of this very process.
    pub(crate) fn actions(&self, actor: Actor) -> Actions {
        actions(&self.house, &self.follower, actor)
    }

    /// Answers until `stop` says so, then drains, and writes what is left to write.
    pub(crate) async fn run(self, stop: watch::Receiver<bool>) {
        let gate = Arc::clone(&self.front.services.gate);
        let mut aside = JoinSet::new();
        let (store, memory) = (Arc::clone(&self.house.store), Arc::clone(gate.memory()));
        aside.spawn(usage::write_often(Arc::clone(&store), Arc::clone(&memory)));
        aside.spawn(async move {
            let mut ticks = tokio::time::interval(LOOK);
            loop {
                ticks.tick().await;
                gate.is_ready();
            }
        });
        listen::run(self.listener, self.front, &self.house.config.server, stop).await;
        aside.shutdown().await;
        if let Err(error) = usage::write(&store, &memory).await {
            tracing::warn!(%error, "the use of credentials was not written");
        }
    }
}

/// Stores what the gate leaves for later, until the gate is gone.
fn store_later(store: &Arc<Store>, memory: &Arc<Memory>, follower: &Arc<Follower>) -> Later {
    let (upgrade, upgrades) = mpsc::channel(upgrades::WAITING);
    tokio::spawn(upgrades::store_all(Arc::clone(store), upgrades));
    let (slide, slides) = mpsc::channel(slides::WAITING);
    let (memory, follower) = (Arc::clone(memory), Arc::clone(follower));
    tokio::spawn(slides::store_all(Arc::clone(store), memory, follower, slides));
    Later { upgrades: upgrade, slides: slide }
}

/// The actions of this very process, by `actor`.
fn actions(house: &House, follower: &Arc<Follower>, actor: Actor) -> Actions {
    let (applied, rung) = (follower.applied(), Arc::clone(follower));
    let wake = Wake(Arc::new(move || rung.wake()));
    let acknowledge = Acknowledge::Here { clock: house.clock.clone(), wake, applied };
    Actions { acknowledge, ..house.actions(actor) }
}

const fn timeouts(config: &Config) -> Timeouts {
    Timeouts {
        connect: config.server.upstream_connect_timeout,
        answer: config.server.upstream_answer_timeout,
    }
}

fn pool_size(passwords: &Passwords) -> PoolSize {
    let count = |count| NonZeroUsize::new(count).unwrap_or(NonZeroUsize::MIN);
    PoolSize {
        threads: count(passwords.threads),
        queue: count(passwords.queue),
        per_source: count(PER_SOURCE),
    }
}
