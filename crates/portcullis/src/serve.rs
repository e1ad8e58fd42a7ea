//! The one place where everything is put together.

pub(crate) mod upgrades;

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulConnection, GracefulShutdown};
use portcullis_core::authenticator::Authenticator;
use portcullis_core::password::Cost;
use portcullis_core::request::TrustedPeers;
use portcullis_core::seal::{MasterKey, Peppers};
use portcullis_core::secret::SecretBuf;
use portcullis_core::time::{Clock, Timestamp};
use portcullis_store::memory::{Followed, Follower, Lease, Memory};
use portcullis_store::{Store, Target, folder};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::MissedTickBehavior;

use crate::actions::{Acknowledge, Actions, Actor, Wake, setup};
use crate::clock::SystemClock;
use crate::config::{Config, Passwords};
use crate::control::{self, Control};
use crate::doors::proxy::{Proxy, Timeouts};
use crate::gate::Gate;
use crate::password_pool::{PasswordPool, PoolSize};

/// How many slow hashes may wait from one source.
const PER_SOURCE: usize = 16;
/// How far the machine's clock may be behind the highest time ever persisted.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(5);
/// How often the server looks whether it is ready, asked or not.
const LOOK: Duration = Duration::from_secs(1);
/// The file with the master key, in the data folder.
const MASTER_KEY_FILE: &str = "master.key";

/// An opened installation.
pub(crate) struct House {
    pub(crate) store: Arc<Store>,
    pub(crate) peppers: Arc<Peppers>,
    pub(crate) clock: Arc<SystemClock>,
    config: Config,
}

impl House {
    /// Opens the store and what seals it.
    pub(crate) async fn open(config: Config) -> anyhow::Result<Self> {
        let place = &config.store;
        folder::prepare(&place.data)?;
        let clock = Arc::new(SystemClock::starting_at(Timestamp::MIN));
        let target = match &place.url {
            Some(url) => Target::Postgres(SecretBuf::new(url.expose())),
            None => Target::Sqlite(place.data.clone()),
        };
        let store = Arc::new(Store::open(target, clock.clone()).context("opening the store")?);
        let stamp = store.read(|reading| reading.stamp()).await?;
        clock.raise(stamp.wall_high);
        if clock.behind() > CLOCK_TOLERANCE {
            let behind = clock.behind().as_secs();
            tracing::warn!(
                behind,
                "the clock is behind the database's; expiry is judged by the later"
            );
        }
        let fresh = stamp.revision.0 == 0;
        let master = match &place.master_key {
            Some(text) => MasterKey::parse(text.expose())?,
            None => master_key(&place.data, fresh)?,
        };
        let peppers = Arc::new(store.open_peppers(&master).await?);
        setup::prepare(&store).await?;
        Ok(Self { store, peppers, clock, config })
    }

    /// The actions of a command, while a server may or may not run.
    pub(crate) fn actions(&self, actor: Actor) -> Actions {
        let folder = (!self.store.is_shared()).then(|| self.config.store.data.clone());
        Actions {
            store: Arc::clone(&self.store),
            peppers: Arc::clone(&self.peppers),
            cost: self.cost(),
            acknowledge: Acknowledge::Elsewhere { folder, clock: self.clock.clone() },
            actor,
        }
    }

    fn cost(&self) -> Cost {
        let passwords = &self.config.passwords;
        Cost { memory: passwords.memory_kib, passes: passwords.passes, lanes: 1 }
    }
}

/// The key in the data folder; drawn if the database is new, and never after.
fn master_key(data: &Path, fresh: bool) -> anyhow::Result<MasterKey> {
    let path = data.join(MASTER_KEY_FILE);
    if fresh {
        folder::write_new(&path, MasterKey::draw()?.expose())?;
    }
    let text = SecretBuf::new(std::fs::read(&path).with_context(|| {
        format!("the database needs its master key, and `{}` cannot be read", path.display())
    })?);
    Ok(MasterKey::parse(text.expose_text())?)
}

/// A server that answers.
pub(crate) struct Server {
    /// Where it answers.
    pub(crate) address: SocketAddr,
    proxy: Arc<Proxy>,
    gate: Arc<Gate>,
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
        let authenticator = Authenticator::new(memory, Arc::clone(&house.peppers), house.cost())?;
        let pool = PasswordPool::start(pool_size(&config.passwords))?;
        let (upgrade, upgrades) = mpsc::channel(upgrades::WAITING);
        tokio::spawn(upgrades::store_all(Arc::clone(&house.store), upgrades));
        let gate = Gate::new(authenticator, followed, pool, upgrade, Arc::clone(&clock));
        let gate = Arc::new(gate);
        let rung = Arc::clone(&follower);
        let control = control::serve(data, move || rung.wake())?;
        let listener = TcpListener::bind(config.server.listen)
            .await
            .with_context(|| format!("listening on {}", config.server.listen))?;
        let proxy = Arc::new(Proxy::new(
            Arc::clone(&gate),
            TrustedPeers::new(&config.trust.peers),
            timeouts(config),
            clock,
        ));
        let address = listener.local_addr()?;
        Ok(Self { address, proxy, gate, listener, follower, house, _control: control, _lock: lock })
    }

    /// The actions of this very process.
    pub(crate) fn actions(&self, actor: Actor) -> Actions {
        let follower = Arc::clone(&self.follower);
        let applied = self.follower.applied();
        let wake = Wake(Arc::new(move || follower.wake()));
        let acknowledge = Acknowledge::Here { wake, applied };
        Actions { acknowledge, ..self.house.actions(actor) }
    }

    /// Answers until `stop` says so, then drains.
    pub(crate) async fn run(self, mut stop: watch::Receiver<bool>) {
        let settings = &self.house.config.server;
        let graceful = GracefulShutdown::new();
        let room = Arc::new(Semaphore::new(settings.max_connections));
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                _ = stop.wait_for(|stop| *stop) => break,
                _ = look.tick() => {
                    self.gate.is_ready();
                    continue;
                }
            };
            let Ok((stream, peer)) = accepted else {
                // Out of descriptors: others must end before one more can begin.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            let Ok(place) = Arc::clone(&room).try_acquire_owned() else { continue };
            let connection = graceful.watch(connection(
                Arc::clone(&self.proxy),
                stream,
                peer,
                settings.header_timeout,
            ));
            tokio::spawn(async move {
                // How a caller's connection ends is the caller's own affair.
                drop(connection.await);
                drop(place);
            });
        }
        // Nobody may wait in its queue for a server that takes nothing new.
        drop(self.listener);
        if tokio::time::timeout(settings.drain, graceful.shutdown()).await.is_err() {
            tracing::warn!("some requests did not finish in time");
        }
    }
}

/// One caller's connection, bounded in what and how slowly it may send.
fn connection(
    proxy: Arc<Proxy>,
    stream: TcpStream,
    peer: SocketAddr,
    header_timeout: Duration,
) -> impl GracefulConnection<Error = hyper::Error> + Send {
    // Small answers must not wait for more to send; losing this costs time only.
    drop(stream.set_nodelay(true));
    let service = service_fn(move |request| {
        let proxy = Arc::clone(&proxy);
        async move { Ok::<_, hyper::Error>(proxy.serve(request, peer.ip()).await) }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(header_timeout)
        .max_headers(128)
        .max_buf_size(64 * 1_024)
        .serve_connection(TokioIo::new(stream), service)
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
