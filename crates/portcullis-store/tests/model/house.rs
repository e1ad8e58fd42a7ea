//! The house under test: a store, its feed, and what judges by it.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use http::{HeaderName, Method, Request};
use portcullis_core::authenticator::{Authenticator, Begun, Concluded, Rejected, Rejection};
use portcullis_core::id::Revision;
use portcullis_core::limits::Site;
use portcullis_core::password::{Cost, Verdict};
use portcullis_core::policy::{Decision, Question};
use portcullis_core::request::{RequestHead, TrustedPeers};
use portcullis_core::seal::{MasterKey, Pepper, PepperId, Peppers};
use portcullis_core::secret::SecretBuf;
use portcullis_core::time::{Clock, Moment, Timestamp};
use portcullis_store::memory::{Followed, Follower, Lease, Memory};
use portcullis_store::{Store, StoreError, Target, Write, Writing};
use tokio::runtime::Runtime;

pub(crate) const CHEAP: Cost = Cost { memory: 8, passes: 1, lanes: 1 };

/// A clock that a test moves.
#[derive(Debug, Default)]
pub(crate) struct Hand(pub(crate) AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Moment {
        let wall = self.0.load(Ordering::Relaxed);
        // No lease ends in here: others test that.
        Moment { boot: 1, wall: Timestamp::from_millis(wall) }
    }
}

/// The lease is judged by the wall clock too, which this test moves by days.
#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn now(&self) -> Moment {
        Moment { boot: 1, wall: Timestamp::from_millis(1) }
    }
}

pub(crate) struct House {
    runtime: Runtime,
    store: Store,
    pub(crate) clock: Arc<Hand>,
    pub(crate) peppers: Arc<Peppers>,
    followed: Arc<Followed>,
    follower: Option<Follower>,
    authenticator: Authenticator<Arc<Memory>>,
    _folder: tempfile::TempDir,
}

impl House {
    /// An empty one; none if the engine is not here.
    pub(crate) fn open(engine: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let target = target(engine, folder.path())?;
        let clock = Arc::new(Hand(AtomicI64::new(1_700_000_000_000)));
        let store = Store::open(target, clock.clone()).unwrap();
        let peppers = Arc::new(Peppers::new(Pepper::new(PepperId(1), &[1; 32]), vec![]));
        let (followed, follower) = follow(&store);
        let memory = Arc::clone(&followed.memory);
        let authenticator = Authenticator::new(memory, Arc::clone(&peppers), CHEAP).unwrap();
        Some(Self {
            runtime: tokio::runtime::Builder::new_current_thread().build().unwrap(),
            store,
            clock,
            peppers,
            followed,
            follower: Some(follower),
            authenticator,
            _folder: folder,
        })
    }

    /// Writes, and waits until what is written is judged by.
    pub(crate) fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Writing<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let write = Write::new("model", "step").unwrap();
        let done = self.runtime.block_on(self.store.write(write, work))?;
        self.wait(done.revision);
        Ok(done.value)
    }

    fn wait(&self, revision: Revision) {
        let follower = self.follower.as_ref().unwrap();
        let mut applied = follower.applied();
        follower.wake();
        self.runtime.block_on(applied.wait_for(|now| *now >= revision)).unwrap();
    }

    /// Forgets everything and loads it anew, as a server that starts does.
    pub(crate) fn restart(&mut self) {
        drop(self.follower.take());
        let (followed, follower) = follow(&self.store);
        self.followed = followed;
        self.follower = Some(follower);
        self.renew();
    }

    /// The back-off forgets; whatever was remembered of passwords too.
    fn renew(&mut self) {
        let memory = Arc::clone(&self.followed.memory);
        self.authenticator = Authenticator::new(memory, Arc::clone(&self.peppers), CHEAP).unwrap();
    }

    /// What the house answers: `allow`, or the name of the reason.
    pub(crate) fn answer(
        &mut self,
        path: &str,
        method: &Method,
        credential: Option<(HeaderName, SecretBuf)>,
    ) -> &'static str {
        let mut request = Request::builder().method(method).uri(path).header("Host", "any");
        if let Some((header, value)) = credential {
            request = request.header(header, value.expose());
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let answer = self.judge(&parts);
        if answer != "too_many_attempts" {
            return answer;
        }
        self.renew();
        self.judge(&parts)
    }

    fn judge(&self, parts: &http::request::Parts) -> &'static str {
        let peer = IpAddr::from([192, 0, 2, 1]);
        let now = self.clock.now().wall;
        let head =
            RequestHead::from_connection(parts, peer, &TrustedPeers::default(), now).unwrap();
        let memory = &self.followed.memory;
        let guards = memory.guards();
        let Some(guard) = guards.find(head.host(), head.path()) else { return "no_guard" };
        let site = Site::guard(guard, head.client());
        let who = match self.authenticator.begin(&guard.schemes, &site, &head) {
            Begun::Anonymous => None,
            Begun::Authenticated(who) => Some(who),
            Begun::Rejected(no) => return told(no),
            Begun::Pending(mut pending) => {
                let verdict = self.authenticator.slow_check(&mut pending).run().unwrap();
                let right = matches!(verdict, Verdict::Right { .. });
                match self.authenticator.conclude(&pending, right, now) {
                    Concluded::Authenticated(who) => Some(who),
                    Concluded::Changed => panic!("nothing changes while a request is judged"),
                    Concluded::Rejected(no) => return told(no),
                }
            }
        };
        let again = (&*guard.schemes, &site);
        let who = who.map(|who| self.authenticator.look_again(&who, again, now).unwrap());
        let question = Question::of(&head, who.as_ref(), &guard.schemes);
        match guard.policy.decide(&question, memory) {
            Decision::Allow(_) => "allow",
            Decision::Deny(denial) => denial.rule.name(),
        }
    }
}

const fn told(no: Rejected) -> &'static str {
    Rejection::name(no.reason)
}

fn follow(store: &Store) -> (Arc<Followed>, Follower) {
    let memory = Arc::new(Memory::empty(Arc::new(MasterKey::fresh().unwrap())).unwrap());
    let followed = Arc::new(Followed { memory, lease: Lease::none() });
    let follower = Follower::start(store, &followed, Arc::new(Still), "model").unwrap();
    (followed, follower)
}

fn target(engine: &str, folder: &std::path::Path) -> Option<Target> {
    if engine == "sqlite" {
        return Some(Target::Sqlite(folder.to_owned()));
    }
    let url = std::env::var("PORTCULLIS_TEST_POSTGRES").ok()?;
    let mut admin = postgres::Client::connect(&url, postgres::NoTls).unwrap();
    admin.batch_execute("DROP DATABASE IF EXISTS t_model").unwrap();
    admin.batch_execute("CREATE DATABASE t_model").unwrap();
    let (server, _) = url.rsplit_once('/')?;
    Some(Target::Postgres(SecretBuf::new(format!("{server}/t_model"))))
}
