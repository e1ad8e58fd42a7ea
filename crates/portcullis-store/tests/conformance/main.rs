//! One suite, run on both engines.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

mod collections;
mod limits;
mod resources;
mod server_tokens;
mod signing_keys;
mod store;
mod tracking;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use portcullis_core::id::Id;
use portcullis_core::organization::Organization;
use portcullis_core::secret::SecretBuf;
use portcullis_core::time::{Clock, Moment, Timestamp};
use portcullis_store::organizations::NewOrganization;
use portcullis_store::users::NewUser;
use portcullis_store::{Store, Target, Write};

/// A clock that a test moves.
#[derive(Debug, Default)]
pub(crate) struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Moment {
        let now = self.0.load(Ordering::Relaxed);
        Moment { boot: now.unsigned_abs(), wall: Timestamp::from_millis(1_700_000_000_000 + now) }
    }
}

/// A store on an engine of its own, with whatever must outlive it.
pub(crate) struct Bench {
    pub(crate) store: Store,
    pub(crate) clock: Arc<Hand>,
    _folder: tempfile::TempDir,
}

#[expect(clippy::needless_pass_by_value, reason = "a closure written where it is passed")]
pub(crate) fn run(name: &str, test: impl AsyncFn(&Bench)) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for engine in ["sqlite", "postgresql"] {
        let folder = tempfile::tempdir().unwrap();
        let Some(target) = target(engine, name, folder.path()) else { continue };
        let clock = Arc::new(Hand::default());
        let store = Store::open(target, clock.clone()).unwrap();
        runtime.block_on(test(&Bench { store, clock, _folder: folder }));
    }
}

fn target(engine: &str, name: &str, folder: &std::path::Path) -> Option<Target> {
    if engine == "sqlite" {
        return Some(Target::Sqlite(folder.to_owned()));
    }
    let url = std::env::var("PORTCULLIS_TEST_POSTGRES").ok()?;
    let mut admin = postgres::Client::connect(&url, postgres::NoTls).unwrap();
    admin.batch_execute(&format!("DROP DATABASE IF EXISTS t_{name}")).unwrap();
    admin.batch_execute(&format!("CREATE DATABASE t_{name}")).unwrap();
    let (server, _) = url.rsplit_once('/')?;
    Some(Target::Postgres(SecretBuf::new(format!("{server}/t_{name}"))))
}

pub(crate) fn write(action: &'static str) -> Write {
    Write::new("test", action).unwrap()
}

pub(crate) fn new_root() -> NewOrganization {
    NewOrganization { parent: None, name: "Root".into(), realm: true }
}

pub(crate) async fn root(store: &Store) -> Id<Organization> {
    store.write(write("org"), |it| it.insert_organization(&new_root())).await.unwrap().value.id
}

pub(crate) fn user(organization: Id<Organization>, login: &str) -> NewUser {
    NewUser {
        organization,
        login: Some(login.into()),
        email: None,
        name: login.into(),
        signs_in: true,
    }
}
