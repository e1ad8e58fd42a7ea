//! The one place where everything is put together.

mod connection;
mod front;
mod house;
mod key_set;
mod listen;
mod redirect;
mod request_ids;
mod room;
mod shards;
pub(crate) mod slides;
pub(crate) mod spoken;
pub(crate) mod tls;
pub(crate) mod upgrades;
mod usage;

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use portcullis_core::authenticator::Authenticator;
use portcullis_core::id::Revision;
use portcullis_core::request::TrustedPeers;
use portcullis_core::time::Clock;
use portcullis_store::Store;
use portcullis_store::folder;
use portcullis_store::memory::{Followed, Follower, Lease, Memory};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::actions::{Acknowledge, Actions, Actor, Wake};
use crate::body_room::BodyRoom;
use crate::config::{self, Config, Passwords};
use crate::control::{self, Control};
use crate::dialects::Services;
use crate::doors::forward_auth::ForwardAuth;
use crate::doors::proxy::{Proxy, Terms};
use crate::gate::{Gate, Later};
use crate::password_pool::{PasswordPool, PoolSize};
use crate::roots;
use crate::sent::Bounds;
use connection::{Patience, Speech};
use front::Front;
pub(crate) use house::House;
use redirect::Redirect;
use request_ids::RequestIds;
use room::Room;
use shards::Shards;
use tls::Tls;

/// How many slow hashes may wait from one source.
const PER_SOURCE: usize = 16;
/// How often the server looks whether it is ready, asked or not.
const LOOK: Duration = Duration::from_secs(1);

/// A server that answers.
pub(crate) struct Server {
    /// Where it answers.
    pub(crate) address: SocketAddr,
    /// Where it sends callers there by https, if anywhere.
    pub(crate) redirects: Option<SocketAddr>,
    shards: Shards,
    proxy: Proxy,
    services: Services,
    listener: TcpListener,
    redirecting: Option<TcpListener>,
    tls: Option<Tls>,
    aside: JoinSet<()>,
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
        let memory = Arc::new(Memory::empty(Arc::clone(&house.master))?);
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
        let mut aside = JoinSet::new();
        let tls = config.tls.clone().map(|settings| Tls::start(settings, Arc::clone(&clock)));
        let tls = tls.transpose()?.map(|(tls, follow)| {
            aside.spawn(follow);
            tls
        });
        let listener = listen_on(config.server.listen).await?;
        let redirecting = match config.server.redirect {
            Some(address) => Some(listen_on(address).await?),
            None => None,
        };
        let applied = follower.applied();
        let actions = actions(&house, &follower, Actor::Operator("nobody".into()));
        let room = BodyRoom::default();
        let services = Services { gate, actions, applied, clock, room };
        let (proxy, fronts) = fronts(config, &services)?;
        let speech = Speech { tls: tls.clone(), patience: patience(&config.server) };
        let shards = Shards::start(fronts, speech).context("starting the threads that answer")?;
        Ok(Self {
            address: listener.local_addr()?,
            redirects: redirecting.as_ref().map(TcpListener::local_addr).transpose()?,
            shards,
            proxy,
            services,
            listener,
            redirecting,
            tls,
            aside,
            follower,
            house,
            _control: control,
            _lock: lock,
        })
    }

    /// The URL of its address.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// What knows the callers.
    #[cfg(test)]
    pub(crate) fn gate(&self) -> Arc<Gate> {
        Arc::clone(&self.services.gate)
    }

    /// The revision that it judges by.
    #[cfg(test)]
    pub(crate) fn applied(&self) -> watch::Receiver<Revision> {
        self.follower.applied()
    }

    /// The actions of this very process.
    pub(crate) fn actions(&self, actor: Actor) -> Actions {
        actions(&self.house, &self.follower, actor)
    }

    /// Answers until `stop` says so, then drains, and writes what is left to write.
    pub(crate) async fn run(mut self, stop: watch::Receiver<bool>) {
        let gate = Arc::clone(&self.services.gate);
        let (store, memory) = (Arc::clone(&self.house.store), Arc::clone(gate.memory()));
        let clock: Arc<dyn Clock> = self.house.clock.clone();
        self.aside.spawn(usage::write_often(Arc::clone(&store), Arc::clone(&memory), clock));
        self.aside.spawn(async move {
            let mut ticks = tokio::time::interval(LOOK);
            loop {
                ticks.tick().await;
                gate.is_ready();
            }
        });
        let (server, trust) = (&self.house.config.server, &self.house.config.trust);
        let (port, clock) = (self.address.port(), Arc::clone(&self.services.clock));
        let redirect = Redirect { port, clock, ids: RequestIds::default() };
        let (proxy, mut stopping) = (self.proxy, stop.clone());
        self.aside.spawn(async move {
            drop(stopping.wait_for(|stop| *stop).await);
            proxy.end_tunnels();
        });
        let listening = Listening { shards: self.shards, redirect: Arc::new(redirect), trust };
        listening.run((self.listener, self.redirecting), server, stop).await;
        self.aside.shutdown().await;
        if let Err(error) = usage::write(&store, &memory).await {
            tracing::warn!(%error, "the use of credentials was not written");
        }
    }
}

/// What answers at the addresses.
struct Listening<'c> {
    shards: Shards,
    redirect: Arc<Redirect>,
    trust: &'c config::Trust,
}

impl Listening<'_> {
    /// Answers guarded requests at the first address, and at the other, if there is one, where
    /// they are answered.
    async fn run(
        self,
        (listener, redirecting): (TcpListener, Option<TcpListener>),
        settings: &config::Server,
        stop: watch::Receiver<bool>,
    ) {
        let Self { shards, redirect, trust } = self;
        let (drain, patience) = (settings.drain, patience(settings));
        let room = || Room::new(settings, TrustedPeers::new(&trust.peers));
        let serve = |accepted, place| shards.take(accepted, place);
        let send_on = |accepted, place| {
            let answering = redirect::serve(Arc::clone(&redirect), patience, accepted);
            tokio::spawn(async move {
                answering.await;
                drop(place);
            });
        };
        let beside = async {
            if let Some(listener) = redirecting {
                listen::run(listener, room(), drain, stop.clone(), send_on).await;
            }
        };
        tokio::join!(listen::run(listener, room(), drain, stop.clone(), serve), beside);
    }
}

/// What answers the callers of each thread, and the proxy whose tunnels all of them share.
fn fronts(config: &Config, services: &Services) -> anyhow::Result<(Proxy, Vec<Front>)> {
    let threads = config.server.threads.map_or_else(thread::available_parallelism, Ok)?;
    let (gate, clock) = (Arc::clone(&services.gate), Arc::clone(&services.clock));
    let terms = terms(config, services.applied.clone())?;
    let forward_auth = Arc::new(ForwardAuth::new(Arc::clone(&gate), config));
    let proxy = Proxy::new(gate, services.room.clone(), clock, terms);
    let front = |_| Front {
        proxy: proxy.beside(),
        forward_auth: Arc::clone(&forward_auth),
        services: services.clone(),
        trusted: TrustedPeers::new(&config.trust.peers),
        bodies: bodies(config),
        ids: RequestIds::default(),
    };
    let fronts = (0..threads.get()).map(front).collect();
    Ok((proxy, fronts))
}

async fn listen_on(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let listening = TcpListener::bind(address).await;
    listening.with_context(|| format!("listening on {address}"))
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

/// How upstreams are met.
fn terms(config: &Config, applied: watch::Receiver<Revision>) -> anyhow::Result<Terms> {
    let server = &config.server;
    Ok(Terms {
        connect: server.upstream_connect_timeout,
        most: server.max_upstream_connections,
        answer: server.upstream_answer_timeout,
        tunnel_idle: server.tunnel_idle_timeout,
        tunnels: server.max_connections,
        roots: server.upstream_roots.as_ref().map(|roots| roots::read(&roots.file)).transpose()?,
        applied,
    })
}

const fn patience(server: &config::Server) -> Patience {
    Patience { head: server.header_timeout, idle: server.idle_timeout, body: server.body_timeout }
}

const fn bodies(config: &Config) -> Bounds {
    Bounds { most: config.server.max_body, patience: config.server.body_timeout }
}

fn pool_size(passwords: &Passwords) -> PoolSize {
    let count = |count| NonZeroUsize::new(count).unwrap_or(NonZeroUsize::MIN);
    PoolSize {
        threads: count(passwords.threads),
        queue: count(passwords.queue),
        per_source: count(PER_SOURCE),
    }
}
