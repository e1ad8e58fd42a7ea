//! What the tests stand on: a clock moved by hand, a database of one's own, a node that follows it.
#![expect(clippy::needless_pass_by_value, reason = "a closure written where it is passed")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use portcullis_core::id::{Id, Revision};
use portcullis_core::limits::Limits;
use portcullis_core::organization::Organization;
use portcullis_core::scheme;
use portcullis_core::seal::{MasterKey, Pepper, PepperId, Peppers};
use portcullis_core::secret::SecretBuf;
use portcullis_core::time::{Clock, Moment, Timestamp};
use portcullis_store::credentials::NewCredential;
use portcullis_store::memory::{Followed, Follower, Lease, Memory};
use portcullis_store::nodes::Node;
use portcullis_store::organizations::NewOrganization;
use portcullis_store::users::NewUser;
use portcullis_store::{Deadlines, Store, StoreError, Target, Write};

use crate::wire::{Fault, Wire};

/// A clock that a test moves.
#[derive(Debug, Default)]
pub(crate) struct Hand(AtomicU64);

impl Hand {
    pub(crate) fn advance(&self, millis: u64) {
        self.0.fetch_add(millis, Ordering::Relaxed);
    }
}

impl Clock for Hand {
    fn now(&self) -> Moment {
        let now = self.0.load(Ordering::Relaxed);
        let wall = 1_700_000_000_000 + i64::try_from(now).unwrap();
        Moment { boot: now, wall: Timestamp::from_millis(wall) }
    }
}

/// A database of a test's own, with a store on it.
pub(crate) struct Bench {
    pub(crate) store: Store,
    pub(crate) clock: Arc<Hand>,
    pub(crate) place: Arc<Place>,
}

/// Where a test's database is; raw SQL goes there past the store.
pub(crate) enum Place {
    Postgres(String),
    Sqlite(tempfile::TempDir),
}

impl Place {
    pub(crate) fn target(&self) -> Target {
        match self {
            Self::Postgres(url) => Target::Postgres(SecretBuf::new(url.as_str())),
            Self::Sqlite(folder) => Target::Sqlite(folder.path().to_owned()),
        }
    }

    /// A few bytes, in SQL.
    pub(crate) const fn bytes(&self) -> &'static str {
        match self {
            Self::Postgres(_) => "'\\x00ff'::BYTEA",
            Self::Sqlite(_) => "x'00ff'",
        }
    }

    /// The data folder, if the database is in one.
    pub(crate) fn folder(&self) -> Option<&Path> {
        if let Self::Sqlite(folder) = self { Some(folder.path()) } else { None }
    }

    /// Runs statements in a session of their own.
    pub(crate) fn raw(&self, text: &str) {
        self.session(|session| match session {
            Session::Postgres(it) => it.batch_execute(text).unwrap(),
            Session::Sqlite(it) => it.execute_batch(text).unwrap(),
        });
    }

    /// A session on PostgreSQL that stays; not to be used inside a runtime.
    pub(crate) fn client(&self) -> postgres::Client {
        let url = if let Self::Postgres(url) = self { Some(url) } else { None };
        postgres::Client::connect(url.unwrap(), postgres::NoTls).unwrap()
    }

    /// Does `work` in a session past the store, on a thread of its own as the client demands.
    pub(crate) fn session<T: Send>(&self, work: impl FnOnce(&mut Session) -> T + Send) -> T {
        let work = || match self {
            Self::Postgres(url) => {
                let client = postgres::Client::connect(url, postgres::NoTls).unwrap();
                work(&mut Session::Postgres(Box::new(client)))
            }
            Self::Sqlite(folder) => work(&mut Session::Sqlite(file(folder.path()))),
        };
        std::thread::scope(|scope| scope.spawn(work).join().unwrap())
    }
}

/// A session on a test's database.
pub(crate) enum Session {
    Postgres(Box<postgres::Client>),
    Sqlite(rusqlite::Connection),
}

/// The file of a data folder, as another process opens it.
pub(crate) fn file(folder: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(folder.join(portcullis_store::SQLITE_FILE)).unwrap()
}

/// A fresh database on PostgreSQL, if the tests have a server.
pub(crate) fn postgres(name: &str) -> Option<Place> {
    let url = std::env::var("PORTCULLIS_TEST_POSTGRES").ok()?;
    let mut admin = postgres::Client::connect(&url, postgres::NoTls).unwrap();
    admin.batch_execute(&format!("DROP DATABASE IF EXISTS f_{name} WITH (FORCE)")).unwrap();
    admin.batch_execute(&format!("CREATE DATABASE f_{name}")).unwrap();
    let (server, _) = url.rsplit_once('/')?;
    Some(Place::Postgres(format!("{server}/f_{name}")))
}

pub(crate) fn sqlite() -> Place {
    Place::Sqlite(tempfile::tempdir().unwrap())
}

/// For tests that run out of them: long enough for a busy machine to do its work in.
pub(crate) const SHORT: Deadlines = Deadlines {
    connect: Duration::from_secs(3),
    load: Duration::from_secs(30),
    lock: Duration::from_secs(2),
    read: Duration::from_secs(3),
    write: Duration::from_secs(4),
};

impl Bench {
    pub(crate) fn on(place: Place) -> Self {
        let target = place.target();
        Self::reaching(Deadlines::default(), target, place)
    }

    /// A store that reaches `place` as `target` says.
    pub(crate) fn reaching(deadlines: Deadlines, target: Target, place: Place) -> Self {
        let clock = Arc::new(Hand::default());
        let store = Store::open_within(deadlines, target, clock.clone()).unwrap();
        Self { store, clock, place: Arc::new(place) }
    }

    /// Another process's store on the same database, over a wire of its own.
    pub(crate) fn on_same(bench: &Self) -> Self {
        let target = bench.place.target();
        let store = Store::open(target, bench.clock.clone()).unwrap();
        Self { store, clock: bench.clock.clone(), place: Arc::clone(&bench.place) }
    }

    pub(crate) async fn root(&self) -> Id<Organization> {
        let made = self.store.write(write("org"), |it| it.insert_organization(&new_root()));
        made.await.unwrap().value.id
    }

    pub(crate) async fn rows(&self) -> Vec<Node> {
        self.store.read(|it| it.list_nodes()).await.unwrap()
    }

    /// The root, and a user of it with a key.
    pub(crate) async fn root_with_key(&self) {
        let root = self.root().await;
        let peppers = Peppers::new(Pepper::new(PepperId(1), &[1; 32]), vec![]);
        let issue = scheme::ALL.iter().find_map(|kind| kind.issue).unwrap();
        let issued = issue(&peppers).unwrap();
        let made = self.store.write(write("setup"), move |it| {
            it.insert_role(None, "Owner", &["Users - Manage"])?;
            let owner = it.insert_user(&user(root, "owner"))?.id;
            it.insert_credential(&NewCredential {
                scheme: scheme::API_KEY,
                key: issued.key,
                verifier: issued.verifier.to_bytes().to_vec(),
                owner,
                label: String::new(),
                read_only: false,
                not_before: None,
                expires: None,
                limits: Limits::default(),
            })
        });
        made.await.unwrap();
    }

    pub(crate) fn follow(&self) -> Following {
        self.try_follow().unwrap()
    }

    pub(crate) fn try_follow(&self) -> Result<Following, StoreError> {
        let memory = Arc::new(Memory::empty(Arc::new(MasterKey::fresh().unwrap())).unwrap());
        let followed = Arc::new(Followed { memory, lease: Lease::none() });
        let clock = self.clock.clone();
        let follower = Follower::start(&self.store, &followed, clock, "east-1")?;
        Ok(Following { followed, follower, clock: self.clock.clone() })
    }
}

/// A node that follows.
pub(crate) struct Following {
    pub(crate) followed: Arc<Followed>,
    pub(crate) follower: Follower,
    clock: Arc<Hand>,
}

impl Following {
    pub(crate) fn may_answer(&self) -> bool {
        self.followed.lease.check(self.clock.now()).is_ok()
    }

    /// Until this node judges by `revision`.
    pub(crate) async fn reach(&self, revision: Revision) {
        self.follower.wake();
        self.follower.applied().wait_for(|now| *now >= revision).await.unwrap();
    }

    /// Until `holds`: the feed is rung again and again, so that no look is waited for.
    pub(crate) async fn until(&self, mut holds: impl AsyncFnMut() -> bool) {
        while !holds().await {
            self.follower.wake();
            tokio::task::yield_now().await;
        }
    }
}

/// Runs a test on each engine there is.
pub(crate) fn on_both(name: &str, test: impl AsyncFn(&Bench)) {
    block_on(test(&Bench::on(sqlite())));
    on_postgres(name, test);
}

/// Runs a test on PostgreSQL, if there is one.
pub(crate) fn on_postgres(name: &str, test: impl AsyncFn(&Bench)) {
    if let Some(place) = postgres(name) {
        block_on(test(&Bench::on(place)));
    }
}

/// Runs a test on PostgreSQL, if there is one, over a wire that breaks as the test says.
pub(crate) fn on_wire(name: &str, test: impl AsyncFn(&Bench, &Wire)) {
    on_wire_within(SHORT, name, test);
}

/// The same with deadlines of the test's own.
pub(crate) fn on_wire_within(deadlines: Deadlines, name: &str, test: impl AsyncFn(&Bench, &Wire)) {
    let Some(place) = postgres(name) else { return };
    let Place::Postgres(url) = &place else { return };
    let (user, rest) = url.rsplit_once('@').unwrap();
    let (server, database) = rest.split_once('/').unwrap();
    let wire = Wire::to(server);
    let url = format!("{user}@127.0.0.1:{}/{database}", wire.port);
    let bench = Bench::reaching(deadlines, Target::Postgres(SecretBuf::new(url)), place);
    block_on(test(&bench, &wire));
    // Nothing that still has to say goodbye shall wait for it.
    wire.set(Fault::None);
}

pub(crate) fn block_on<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(test)
}

pub(crate) fn write(action: &'static str) -> Write {
    Write::new("test", action).unwrap()
}

fn new_root() -> NewOrganization {
    NewOrganization { parent: None, name: "Root".into(), realm: true }
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
