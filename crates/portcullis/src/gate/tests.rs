//! The gate over a real store, whose records change at the moments that a test chooses.

mod lasting;

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::task::Poll;

use http::Request;
use http::request::Parts;
use portcullis_core::authenticator::Rejection;
use portcullis_core::guard::{Definition, Kind, Source};
use portcullis_core::limits::{Limits, Site};
use portcullis_core::organization::State;
use portcullis_core::password::{Cost, PasswordVerifier};
use portcullis_core::principal::User;
use portcullis_core::request::TrustedPeers;
use portcullis_core::scheme::{self, Options};
use portcullis_core::seal::{MasterKey, Pepper, PepperId, Peppers};
use portcullis_core::secret::SecretBuf;
use portcullis_core::time::{Moment, Timestamp};
use portcullis_core::{credential::Credential, id::Id, organization::Organization};
use portcullis_store::credentials::NewCredential;
use portcullis_store::memory::{Follower, LEASE_MILLIS, Lease};
use portcullis_store::organizations::NewOrganization;
use portcullis_store::sessions::NewSession;
use portcullis_store::store::Writing;
use portcullis_store::users::NewUser;
use portcullis_store::{Store, StoreError, Target, Write};

use super::*;
use crate::password_pool::PoolSize;
use crate::serve::{slides, upgrades};

const CHEAP: Cost = Cost { memory: 8, passes: 1, lanes: 1 };
/// What a hash costs today; the verifiers in the store are behind it.
const TODAY: Cost = Cost { memory: 16, ..CHEAP };
const PASSWORD: &str = "correct horse";
/// When everything begins, in milliseconds since boot.
const BEGUN: u64 = 1_000;

/// A clock that a test moves: since boot, and how far the wall is ahead of that.
#[derive(Debug)]
struct Hand(AtomicU64, AtomicU64);

impl Hand {
    fn start() -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(BEGUN), AtomicU64::new(0)))
    }
}

impl Clock for Hand {
    fn now(&self) -> Moment {
        let boot = self.0.load(Ordering::Relaxed);
        let since = i64::try_from(boot + self.1.load(Ordering::Relaxed)).unwrap();
        Moment { boot, wall: Timestamp::from_millis(1_700_000_000_000 + since) }
    }
}

/// A gate, its store with one user, and a clock that the gate alone goes by.
struct House {
    gate: Gate,
    store: Store,
    follower: Follower,
    clock: Arc<Hand>,
    /// The clock of the store.
    still: Arc<Hand>,
    peppers: Arc<Peppers>,
    upgrades: mpsc::Receiver<Upgrade>,
    slides: mpsc::Receiver<Credential>,
    key: SecretBuf,
    credential: Id<Credential>,
    root: Id<Organization>,
    owner: Id<User>,
    _folder: tempfile::TempDir,
}

fn write(action: &'static str) -> Write {
    Write::new("test", action).unwrap()
}

fn guard(prefix: &str) -> Definition {
    Definition {
        kind: Kind::Route,
        name: "orders".into(),
        hosts: vec![],
        prefix: prefix.into(),
        upstreams: vec![http::Uri::from_static("http://127.0.0.1:9")],
        upgrades: vec![],
        identity: vec![],
        assertion: false,
        schemes: scheme::ALL.iter().map(|kind| (kind.name, Options::new())).collect(),
        networks: None,
        client_certificate: false,
        methods: vec![],
        ability: None,
        pass_credential: false,
        strip_prefix: false,
    }
}

fn verifier(password: &str, peppers: &Peppers) -> [u8; 65] {
    let made = PasswordVerifier::make(&SecretBuf::new(password), CHEAP, peppers.current());
    made.unwrap().to_bytes()
}

fn new_root() -> NewOrganization {
    NewOrganization { parent: None, name: "Root".into(), realm: true }
}

impl House {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (clock, still) = (Hand::start(), Hand::start());
        let store = Store::open(Target::Sqlite(folder.path().into()), still.clone()).unwrap();
        let peppers = Arc::new(Peppers::new(Pepper::new(PepperId(1), &[1; 32]), vec![]));
        let issue = scheme::ALL.iter().find_map(|kind| kind.issue).unwrap();
        let issued = issue(&peppers).unwrap();
        let password = verifier(PASSWORD, &peppers);
        let made = store.write(write("setup"), move |it| {
            let root = it.insert_organization(&new_root())?.id;
            let new = NewUser {
                organization: root,
                login: Some("owner".into()),
                email: None,
                name: "O".into(),
                signs_in: true,
            };
            let owner = it.insert_user(&new)?.id;
            it.set_password(owner, &password)?;
            let credential = it.insert_credential(&NewCredential {
                scheme: scheme::API_KEY,
                key: issued.key,
                verifier: issued.verifier.to_bytes().to_vec(),
                owner,
                label: String::new(),
                read_only: false,
                not_before: None,
                expires: None,
                limits: Limits::default(),
            })?;
            it.insert_guard(root, Source::Store, &guard("/orders"))?;
            Ok((root, owner, credential))
        });
        let (root, owner, credential) = made.await.unwrap().value;
        let memory = Arc::new(Memory::empty(Arc::new(MasterKey::fresh().unwrap())).unwrap());
        let followed = Arc::new(Followed { memory: Arc::clone(&memory), lease: Lease::none() });
        let follower = Follower::start(&store, &followed, still.clone(), "test").unwrap();
        let authenticator = Authenticator::new(memory, Arc::clone(&peppers), TODAY).unwrap();
        let [threads, queue, per_source] = [1, 8, 8].map(|n| NonZeroUsize::new(n).unwrap());
        let pool = PasswordPool::start(PoolSize { threads, queue, per_source }).unwrap();
        let (upgrade, upgrades) = mpsc::channel(8);
        let (slide, slides) = mpsc::channel(8);
        let later = Later { upgrades: upgrade, slides: slide };
        let gate = Gate::new(authenticator, followed, pool, later, clock.clone());
        Self {
            gate,
            store,
            follower,
            clock,
            still,
            peppers,
            upgrades,
            slides,
            key: issued.shown,
            credential,
            root,
            owner,
            _folder: folder,
        }
    }

    /// Writes, and waits until the gate judges by it.
    async fn change<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Writing<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let done = self.store.write(write("change"), work).await?;
        self.follower.wake();
        self.follower.applied().wait_for(|applied| *applied >= done.revision).await.unwrap();
        Ok(done.value)
    }

    async fn switch(&self, state: State) {
        let credential = self.credential;
        self.change(move |it| it.set_credential_state(credential, state)).await.unwrap();
    }

    async fn replace_guard(&self, by: Option<Definition>) {
        let root = self.root;
        let changed = self.change(move |it| {
            it.delete_guard("orders", Source::Store)?;
            by.map_or(Ok(()), |by| it.insert_guard(root, Source::Store, &by).map(drop))
        });
        changed.await.unwrap();
    }

    fn request(&self, name: scheme::SchemeName, secret: &str) -> Parts {
        let kind = scheme::ALL.iter().find(|kind| kind.name == name).unwrap();
        let (header, value) = (kind.present)("owner", secret);
        let request = Request::get("/orders/7").header("Host", "any");
        request.header(header, value.expose()).body(()).unwrap().into_parts().0
    }

    /// Sends the key; `meanwhile` runs where the upstream is reached, and is told how often it was.
    async fn admit(&self, meanwhile: impl AsyncFn(usize)) -> (Result<Judged, Refusal>, usize) {
        self.admit_with(&self.request(scheme::API_KEY, self.key.expose_text()), meanwhile).await
    }

    async fn admit_with(
        &self,
        parts: &Parts,
        meanwhile: impl AsyncFn(usize),
    ) -> (Result<Judged, Refusal>, usize) {
        self.admit_at(Address::Own, parts, meanwhile).await
    }

    async fn admit_at(
        &self,
        address: Address<'_>,
        parts: &Parts,
        meanwhile: impl AsyncFn(usize),
    ) -> (Result<Judged, Refusal>, usize) {
        let (peer, trusted) = (IpAddr::from([192, 0, 2, 1]), TrustedPeers::default());
        let now = self.clock.now().wall;
        let head = RequestHead::from_connection(parts, peer, &trusted, now).unwrap();
        let reached = Mutex::new(0);
        let admitted = self.gate.admit(&head, address, async |_| {
            let times = {
                let mut reached = reached.lock().unwrap();
                *reached += 1;
                *reached
            };
            meanwhile(times).await;
            Ok::<_, Refusal>(())
        });
        let admitted = admitted.await.map(|admitted| admitted.judged);
        let times = *reached.lock().unwrap();
        (admitted, times)
    }
}

#[tokio::test]
async fn a_good_caller_is_admitted_at_once_by_either_scheme() {
    let house = House::open().await;
    for (name, secret) in [(scheme::API_KEY, house.key.expose_text()), (scheme::BASIC, PASSWORD)] {
        let parts = house.request(name, secret);
        let (admitted, reached) = house.admit_with(&parts, async |_| {}).await;
        assert_eq!(admitted.unwrap().who.unwrap().scheme, name);
        assert_eq!(reached, 1);
    }
}

/// A house with the listener `flow` and the mount `graph`.
async fn listening() -> House {
    let house = House::open().await;
    let root = house.root;
    let listener = Definition { kind: Kind::Listener, name: "flow".into(), ..guard("/") };
    let mount = portcullis_core::mount::Definition {
        name: "graph".into(),
        dialect: "graph".into(),
        hosts: vec![],
        prefix: "/".into(),
        options: Options::new(),
    };
    let made = house.change(move |it| {
        it.insert_mount(root, Source::Store, &mount)?;
        it.insert_guard(root, Source::Store, &listener)
    });
    made.await.unwrap();
    house
}

#[tokio::test]
async fn a_listener_is_reached_by_its_id_and_not_by_the_path_of_the_request() {
    let house = listening().await;
    let parts = house.request(scheme::API_KEY, house.key.expose_text());
    let mount = Arc::clone(&house.gate.memory().mounts()[0]);
    for (id, expected) in [("flow", Ok("flow")), ("orders", Err("no_guard")), ("", Err("no_guard"))]
    {
        let address = Address::Listener { mount: &mount, id };
        let (admitted, _) = house.admit_at(address, &parts, async |_| {}).await;
        let told = admitted.as_ref().map(|judged| &*judged.guard.name).map_err(Refusal::reason);
        assert_eq!(told, expected, "{id}");
    }
}

#[tokio::test]
async fn a_listener_that_loses_its_mount_or_itself_on_the_way_is_not_there() {
    for what in ["mount", "listener"] {
        let house = listening().await;
        let parts = house.request(scheme::API_KEY, house.key.expose_text());
        let mount = Arc::clone(&house.gate.memory().mounts()[0]);
        let address = Address::Listener { mount: &mount, id: "flow" };
        let take = async |_| {
            let taken = house.change(move |it| match what {
                "mount" => it.delete_mount("graph", Source::Store),
                _ => it.delete_guard("flow", Source::Store),
            });
            taken.await.unwrap();
        };
        let (admitted, reached) = house.admit_at(address, &parts, take).await;
        assert_eq!((admitted.unwrap_err().reason(), reached), ("no_guard", 1), "{what}");
    }
}

#[tokio::test]
async fn outside_its_networks_a_guard_denies_before_it_looks_at_any_proof() {
    let house = House::open().await;
    let networks = Some(vec!["198.51.100.0/24".parse().unwrap()]);
    house.replace_guard(Some(Definition { networks, ..guard("/orders") })).await;
    let mut requests = vec![Request::get("/orders/7").header("Host", "any").body(()).unwrap()];
    for (name, secret) in [
        (scheme::API_KEY, house.key.expose_text()),
        (scheme::API_KEY, "no key"),
        (scheme::BASIC, PASSWORD),
        (scheme::BASIC, "wrong"),
    ] {
        requests.push(Request::from_parts(house.request(name, secret), ()));
    }
    for request in requests {
        let (admitted, reached) = house.admit_with(&request.into_parts().0, async |_| {}).await;
        let Refusal::Denied { denial, who, .. } = admitted.unwrap_err() else {
            panic!("not denied")
        };
        assert_eq!((denial.rule, who.is_none(), reached), (Rule::Network, true, 0));
    }
}

#[tokio::test]
async fn where_no_scheme_is_demanded_the_narrowest_network_stands_for_the_caller() {
    let house = House::open().await;
    let networks = ["192.0.0.0/16", "192.0.2.0/24"].map(|text| text.parse().unwrap());
    let alone = Definition { schemes: vec![], networks: Some(networks.into()), ..guard("/orders") };
    let beside = Definition { networks: Some(networks.into()), ..guard("/orders") };
    for (definition, expected) in [(alone, Some(networks[1])), (beside, None)] {
        house.replace_guard(Some(definition)).await;
        let (admitted, _) = house.admit(async |_| {}).await;
        let judged = admitted.unwrap();
        assert_eq!((judged.network, judged.who.is_none()), (expected, expected.is_some()));
    }
}

#[tokio::test]
async fn a_change_that_takes_nothing_away_is_judged_anew_and_not_refused() {
    let house = House::open().await;
    let (admitted, reached) = house
        .admit(async |times| {
            if times == 1 {
                house.switch(State::Disabled).await;
                house.switch(State::Active).await;
            }
        })
        .await;
    assert_eq!((admitted.unwrap().who.unwrap().principal.user.id, reached), (house.owner, 2));
}

#[tokio::test]
async fn what_is_taken_away_on_the_way_is_refused_at_the_last_look() {
    let house = House::open().await;
    for state in [State::Disabled, State::Deleted] {
        let (admitted, reached) = house.admit(async |_| house.switch(state).await).await;
        let Refusal::Rejected(no, guard) = admitted.unwrap_err() else { panic!("not rejected") };
        assert_eq!((&*guard.name, reached), ("orders", 1));
        let expected = [Rejection::Disabled, Rejection::Revoked];
        assert!(expected.contains(&no.reason), "{no:?}");
        if state == State::Disabled {
            house.switch(State::Active).await;
        }
    }
}

#[tokio::test]
async fn who_is_switched_off_while_a_password_is_hashed_is_not_known_to_a_dialect() {
    let house = House::open().await;
    let parts = house.request(scheme::BASIC, PASSWORD);
    let (peer, trusted) = (IpAddr::from([192, 0, 2, 1]), TrustedPeers::default());
    let head =
        RequestHead::from_connection(&parts, peer, &trusted, house.clock.now().wall).unwrap();
    let site = Site::any(house.root, Some(peer));
    let kinds = scheme::ALL.iter().filter(|kind| kind.name == scheme::BASIC);
    let schemes: Vec<_> = kinds.map(|kind| (kind.build)(&Options::new()).unwrap()).collect();
    // The one thread of the pool has something else to do until it is told to go on.
    let (go_on, held) = std::sync::mpsc::channel::<()>();
    let busy = house.gate.passwords.run([7; 32], peer, move || held.recv().ok().and(None), |_| {});
    let asking = house.gate.recognise(&schemes, &site, &head);
    let (mut busy, mut asking) = (std::pin::pin!(busy), std::pin::pin!(asking));
    let begun = std::future::poll_fn(|context| {
        let busy = busy.as_mut().poll(context).is_pending();
        Poll::Ready(busy && asking.as_mut().poll(context).is_pending())
    });
    assert!(begun.await);
    let owner = house.owner;
    house.change(move |it| it.set_user_state(owner, State::Disabled)).await.unwrap();
    drop(go_on);
    let known = asking.await;
    assert!(matches!(known, Err(Unknown::Rejected(_))), "{known:?}");
}

#[tokio::test]
async fn a_record_that_never_rests_is_not_judged_for_ever() {
    let house = House::open().await;
    let (admitted, reached) = house
        .admit(async |_| {
            house.switch(State::Disabled).await;
            house.switch(State::Active).await;
        })
        .await;
    assert!(matches!(admitted.unwrap_err(), Refusal::Unavailable));
    assert_eq!(reached, TRIES);
}

#[tokio::test]
async fn a_guard_that_was_replaced_on_the_way_judges_instead() {
    let house = House::open().await;
    let (admitted, reached) = house
        .admit(async |times| {
            if times == 1 {
                let upstreams = vec![http::Uri::from_static("http://127.0.0.1:10")];
                house.replace_guard(Some(Definition { upstreams, ..guard("/orders") })).await;
            }
        })
        .await;
    assert_eq!(admitted.unwrap().guard.upstreams[0].authority, "127.0.0.1:10");
    assert_eq!(reached, 2);
    let (admitted, _) = house
        .admit(async |_| {
            let methods = vec![http::Method::POST];
            house.replace_guard(Some(Definition { methods, ..guard("/orders") })).await;
        })
        .await;
    let Refusal::Denied { denial, who, .. } = admitted.unwrap_err() else { panic!("not denied") };
    assert_eq!((denial.rule, who.is_some()), (Rule::Method, true));
}

#[tokio::test]
async fn a_guard_that_stands_nearer_or_is_gone_is_seen_at_the_last_look() {
    let house = House::open().await;
    let root = house.root;
    let (admitted, reached) = house
        .admit(async |times| {
            if times == 1 {
                let nearer = Definition { name: "nearer".into(), ..guard("/orders/7") };
                let made = house.change(move |it| it.insert_guard(root, Source::Store, &nearer));
                made.await.unwrap();
            }
        })
        .await;
    assert_eq!((&*admitted.unwrap().guard.name, reached), ("nearer", 2));
    let (admitted, _) = house
        .admit(async |_| {
            let gone = house.change(|it| {
                it.delete_guard("nearer", Source::Store)?;
                it.delete_guard("orders", Source::Store)
            });
            gone.await.unwrap();
        })
        .await;
    assert!(matches!(admitted.unwrap_err(), Refusal::NoGuard));
}

#[tokio::test]
async fn a_lease_that_ends_on_the_way_permits_nothing() {
    let house = House::open().await;
    let (admitted, reached) =
        house.admit(async |_| house.clock.0.store(BEGUN + LEASE_MILLIS, Ordering::Relaxed)).await;
    assert!(matches!(admitted.unwrap_err(), Refusal::Unavailable));
    assert_eq!(reached, 1);
}

#[tokio::test]
async fn a_node_that_cannot_tell_publishes_no_keys() {
    let house = House::open().await;
    assert_eq!(house.gate.key_set().ok(), Some(None));
    house.clock.0.fetch_add(LEASE_MILLIS, Ordering::Relaxed);
    assert!(matches!(house.gate.key_set(), Err(Refusal::Unavailable)));
}

#[tokio::test]
async fn a_node_is_ready_only_while_its_lease_is_young() {
    let house = House::open().await;
    for (age, ready) in [
        (0, true),
        (READY_MILLIS, true),
        (READY_MILLIS + 1, false),
        (LEASE_MILLIS, false),
        (1, true),
    ] {
        house.clock.0.store(BEGUN + age, Ordering::Relaxed);
        assert_eq!(house.gate.is_ready(), ready, "{age}");
    }
    drop(house.follower);
    assert!(!house.gate.is_ready());
}

impl House {
    /// Signs in with `password`.
    async fn sign_in(&self, password: &str) -> Result<Judged, Refusal> {
        self.admit_with(&self.request(scheme::BASIC, password), async |_| {}).await.0
    }

    /// What the store has to check the owner's password with, and what it says of `password`.
    async fn stored(&self, password: &str) -> (Id<Credential>, Verdict) {
        let owner = self.owner;
        let mut rows = self.store.read(move |it| it.list_credentials(owner)).await.unwrap();
        rows.retain(|it| it.scheme == scheme::BASIC.as_str() && it.state == State::Active);
        let row = rows.pop().unwrap();
        let verifier = PasswordVerifier::from_bytes(&row.verifier).unwrap();
        (row.id, verifier.check(&SecretBuf::new(password), TODAY, &self.peppers).unwrap())
    }
}

#[tokio::test]
async fn a_password_that_was_hashed_cheaply_is_hashed_at_todays_cost_once_it_is_used() {
    let mut house = House::open().await;
    let (id, before) = house.stored(PASSWORD).await;
    assert_eq!(before, Verdict::Right { upgrade: true });
    let who = house.sign_in(PASSWORD).await.unwrap().who.unwrap();
    let upgrade = house.upgrades.recv().await.unwrap();
    assert_eq!((who.principal.credential.id, upgrade.credential), (id, id));
    upgrades::save(&house.store, upgrade).await.unwrap();
    assert_eq!(house.stored(PASSWORD).await, (id, Verdict::Right { upgrade: false }));

    // Any later change is applied after the upgrade: from here on the gate judges by that.
    house.switch(State::Active).await;
    let again = house.sign_in(PASSWORD).await.unwrap().who.unwrap();
    assert_eq!(again.principal.credential.id, id, "what stands on the credential stands");
    assert!(house.sign_in("correct horsf").await.is_err());
    drop(house.gate);
    assert!(house.upgrades.recv().await.is_none(), "nothing is behind any more");
}

#[tokio::test]
async fn a_password_that_changes_meanwhile_is_never_overwritten() {
    let mut house = House::open().await;
    house.sign_in(PASSWORD).await.unwrap();
    let upgrade = house.upgrades.recv().await.unwrap();
    let (owner, chosen) = (house.owner, verifier("another horse", &house.peppers));
    house.change(move |it| it.set_password(owner, &chosen)).await.unwrap();
    let refused = upgrades::save(&house.store, upgrade).await;
    assert!(matches!(refused, Err(StoreError::NotFound(_))), "{refused:?}");
    assert!(matches!(house.stored("another horse").await.1, Verdict::Right { .. }));
    assert!(house.sign_in(PASSWORD).await.is_err());
    house.sign_in("another horse").await.unwrap();
}

#[tokio::test]
async fn a_wrong_password_upgrades_nothing() {
    let mut house = House::open().await;
    assert!(house.sign_in("correct horsf").await.is_err());
    drop(house.gate);
    assert!(house.upgrades.recv().await.is_none());
}

/// How long after its last use the session of these tests expires, in milliseconds: several of
/// them fit in one lease, which nothing renews at the pace of these clocks.
const IDLE: u64 = 4_000;

impl House {
    /// A session of the owner's, opened with the key, that no use moves beyond so many idle times.
    async fn session(&self, cap: u64) -> SecretBuf {
        let issue = scheme::ALL.iter().find(|it| it.name == scheme::SESSION).unwrap().issue;
        let issued = issue.unwrap()(&self.peppers).unwrap();
        let now = self.clock.now().wall;
        let new = NewSession {
            scheme: scheme::SESSION,
            key: issued.key,
            verifier: issued.verifier.to_bytes().to_vec(),
            owner: self.owner,
            parent: self.credential,
            read_only: false,
            expires: now.plus(Duration::from_millis(IDLE)),
            idle: Duration::from_millis(IDLE),
            ends: now.plus(Duration::from_millis(IDLE * cap)),
            limits: Limits::default(),
        };
        self.change(move |it| it.insert_session(&new)).await.unwrap();
        issued.shown
    }

    /// Sends the session; nothing if it passes.
    async fn uses(&self, session: &SecretBuf) -> Option<Rejection> {
        let parts = self.request(scheme::SESSION, session.expose_text());
        match self.admit_with(&parts, async |_| {}).await.0 {
            Ok(judged) => {
                assert_eq!(judged.who.unwrap().scheme, scheme::SESSION);
                None
            }
            Err(Refusal::Rejected(no, _)) => Some(no.reason),
            Err(other) => panic!("{other:?}"),
        }
    }

    /// The rule of the guard's that a good caller's request fails, if it fails one.
    async fn denies(&self, parts: &Parts) -> Option<Rule> {
        match self.admit_with(parts, async |_| {}).await.0 {
            Ok(_) => None,
            Err(Refusal::Denied { denial, .. }) => Some(denial.rule),
            Err(other) => panic!("{other:?}"),
        }
    }

    fn passes(&self, millis: u64) {
        for clock in [&self.clock, &self.still] {
            clock.1.fetch_add(millis, Ordering::Relaxed);
        }
    }

    /// Writes what was left to be written; whether it is applied is another thing.
    async fn write_slides(&mut self) -> Option<portcullis_core::id::Revision> {
        let mut used = Vec::new();
        while let Ok(one) = self.slides.try_recv() {
            used.push(one);
        }
        slides::save(&self.store, self.gate.memory(), &used).await.unwrap()
    }

    async fn apply(&self, revision: portcullis_core::id::Revision) {
        self.follower.wake();
        self.follower.applied().wait_for(|applied| *applied >= revision).await.unwrap();
    }

    async fn slides_written(&self) -> usize {
        let all = portcullis_core::id::Revision(i64::MAX);
        let trail = self.store.read(move |it| it.list_audit(all, 1_000)).await.unwrap();
        trail.iter().filter(|it| it.action == "session.slide").count()
    }
}

#[tokio::test]
async fn a_session_in_constant_use_lives_on_and_is_written_twenty_times_an_idle_time() {
    let mut house = House::open().await;
    let session = house.session(100).await;
    // Three idle times, at three uses every thousandth of one.
    for _ in 0..3_000 {
        house.passes(IDLE / 1_000);
        for _ in 0..3 {
            assert_eq!(house.uses(&session).await, None);
        }
        if let Some(revision) = house.write_slides().await {
            house.apply(revision).await;
        }
    }
    let written = house.slides_written().await;
    assert!((50..=60).contains(&written), "{written} writes in three idle times");
    house.passes(IDLE - 1);
    assert_eq!(house.uses(&session).await, Some(Rejection::Expired), "the last use was earlier");
}

#[tokio::test]
async fn a_crowd_of_uses_is_one_write_though_this_node_has_not_seen_it_yet() {
    let mut house = House::open().await;
    let session = house.session(100).await;
    house.passes(IDLE / 2);
    for _ in 0..100 {
        assert_eq!(house.uses(&session).await, None);
    }
    let written = house.write_slides().await.unwrap();
    // Whether or not the follower has looked meanwhile.
    for _ in 0..100 {
        assert_eq!(house.uses(&session).await, None);
    }
    assert_eq!(house.write_slides().await, None);
    house.apply(written).await;
    assert_eq!(house.uses(&session).await, None);
    assert!(house.slides.try_recv().is_err(), "nothing moves so soon");
    assert_eq!(house.slides_written().await, 1);
}

#[tokio::test]
async fn a_session_ends_unused_or_at_its_cap_and_then_nothing_is_written_for_it() {
    let mut house = House::open().await;
    let unused = house.session(100).await;
    let capped = house.session(2).await;
    for _ in 0..3 {
        house.passes(IDLE / 2);
        assert_eq!(house.uses(&capped).await, None);
        if let Some(revision) = house.write_slides().await {
            house.apply(revision).await;
        }
    }
    assert_eq!(house.uses(&unused).await, Some(Rejection::Expired));
    let written = house.slides_written().await;
    assert_eq!(written, 2, "at its cap it has come to rest");
    house.passes(IDLE / 2 - 1);
    assert_eq!(house.uses(&capped).await, None);
    house.passes(1);
    assert_eq!(house.uses(&capped).await, Some(Rejection::Expired));
    assert_eq!(house.write_slides().await, None);
    assert_eq!(house.slides_written().await, written);
}

#[tokio::test]
async fn what_a_cookie_proves_changes_something_only_from_the_guards_own_origin() {
    let house = House::open().await;
    let session = house.session(2).await;
    for (method, origin, passes) in [
        ("GET", None, true),
        ("HEAD", Some("https://evil.example"), true),
        ("POST", Some("https://any"), true),
        ("DELETE", Some("http://any"), true),
        ("POST", None, false),
        ("POST", Some("null"), false),
        ("PUT", Some("https://evil.example"), false),
        ("TRACE", None, false),
    ] {
        for (name, secret) in [(scheme::SESSION, &session), (scheme::API_KEY, &house.key)] {
            let mut parts = house.request(name, secret.expose_text());
            parts.method = method.parse().unwrap();
            parts.headers.extend(origin.map(|it| (http::header::ORIGIN, it.parse().unwrap())));
            let expected = (name == scheme::SESSION && !passes).then_some(Rule::Origin);
            assert_eq!(house.denies(&parts).await, expected, "{name} {method} {origin:?}");
        }
    }
    let mut upgrade = house.request(scheme::SESSION, session.expose_text());
    upgrade.headers.insert("upgrade", "websocket".parse().unwrap());
    assert_eq!(house.denies(&upgrade).await, Some(Rule::Origin));
}
