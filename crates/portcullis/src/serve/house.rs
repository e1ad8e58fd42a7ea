//! An opened installation: its store, what seals it, and who may change it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use portcullis_core::password::Cost;
use portcullis_core::seal::{MasterKey, Peppers};
use portcullis_core::secret::SecretBuf;
use portcullis_core::time::Timestamp;
use portcullis_store::{Store, folder};

use super::spoken;
use crate::actions::{Acknowledge, Actions, Actor, setup};
use crate::clock::SystemClock;
use crate::config::Config;

/// How far the machine's clock may be behind the highest time ever persisted.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(5);
/// The file with the master key, in the data folder.
const MASTER_KEY_FILE: &str = "master.key";

/// An opened installation.
pub(crate) struct House {
    pub(crate) store: Arc<Store>,
    pub(crate) peppers: Arc<Peppers>,
    pub(super) master: Arc<MasterKey>,
    pub(crate) clock: Arc<SystemClock>,
    pub(super) config: Config,
}

impl House {
    /// Opens the store and what seals it.
    pub(crate) async fn open(mut config: Config) -> anyhow::Result<Self> {
        let given = config.store.master_key.take();
        let place = &config.store;
        folder::prepare(&place.data)?;
        let clock = Arc::new(SystemClock::starting_at(Timestamp::MIN));
        let store = Store::open(place.target(), clock.clone()).context("opening the store")?;
        let store = Arc::new(store);
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
        let master = match given {
            Some(given) => given,
            None => master_key(&place.data, fresh)?,
        };
        let peppers = Arc::new(store.open_peppers(&master).await?);
        setup::prepare(&store).await?;
        Ok(Self { store, peppers, master: Arc::new(master), clock, config })
    }

    /// The actions of a command, while a server may or may not run.
    pub(crate) fn actions(&self, actor: Actor) -> Actions {
        let folder = (!self.store.is_shared()).then(|| self.config.store.data.clone());
        Actions {
            store: Arc::clone(&self.store),
            peppers: Arc::clone(&self.peppers),
            master: Arc::clone(&self.master),
            cost: self.cost(),
            acknowledge: Acknowledge::Elsewhere { folder, clock: self.clock.clone() },
            actor,
            paths: spoken::paths,
        }
    }

    pub(super) fn cost(&self) -> Cost {
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
