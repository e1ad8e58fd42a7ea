//! What the Journey Hub costs beside the store alone: exchanges and creations per second, durable
//! on SQLite, and the server's processor time for each.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark may fail loudly, and prints"
)]

#[path = "../tests/hub_model/client.rs"]
#[expect(dead_code, reason = "it needs less than the test")]
mod client;
#[path = "../tests/hub_model/installation.rs"]
#[expect(dead_code, reason = "it needs less than the test")]
mod installation;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use portcullis_core::id::Id;
use portcullis_core::limits::Limits;
use portcullis_core::organization::{Organization, State};
use portcullis_core::principal::{Grant, Holder, Role, User};
use portcullis_core::scheme::{self, HUB_TOKEN};
use portcullis_core::seal::{Pepper, PepperId, Peppers};
use portcullis_core::time::{Clock, Moment, Timestamp};
use portcullis_store::credentials::NewCredential;
use portcullis_store::organizations::NewOrganization;
use portcullis_store::sessions::NewSession;
use portcullis_store::users::NewUser;
use portcullis_store::{Store, StoreError, Target, Write, Writing};
use serde_json::json;

use client::{Call, Client, proof};
use installation::{Installation, Realm, Server};

/// How many are measured of each kind, by one connection and by many.
const LOADS: [(u32, u32); 2] = [(1, 500), (16, 4_000)];

/// Ticks of the kernel's account in a second; the same on every Linux that there is.
const TICKS: u64 = 100;

/// What a round of one kind came to.
struct Round {
    each: Duration,
    processor: Duration,
}

fn main() {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let installation = Installation::make(place, "sqlite", "hub_bench").unwrap();
    let mut realms = [installation.realm(0)];
    let server = installation.serve(&mut realms);
    let [realm] = realms;
    let folder = tempfile::tempdir_in(place).unwrap();
    let bare = Bare::open(folder.path());
    println!(
        "| what | connections | per second | ms each | CPU of the server, µs | bare store, per second | ratio |"
    );
    println!("|---|---|---|---|---|---|---|");
    for (connections, count) in LOADS {
        let load = Load { server: &server, realm: &realm, connections, count };
        let told = load.run(|client, at| {
            exchange(client, &realm, &format!("{connections} {at}"));
        });
        load.print("token exchange", &told, bare.run(connections, count, Bare::exchange));
        // The exchanges before have ended every older one.
        let nonce = format!("after {connections}");
        let token = exchange(&mut Client::connect(&realm.mount), &realm, &nonce);
        let told = load.run(|client, at| {
            let body = json!({ "name": format!("Organization {at}") });
            send(client, &Call::new("POST", "org").token(&token).json(&body));
        });
        load.print("organization", &told, bare.run(connections, count, Bare::organization));
        let told = load.run(|client, at| {
            let email = format!("{connections}-{at}@mail.example");
            let body = json!([{ "name": format!("User {at}"), "email": email, "role": "Member" }]);
            send(client, &Call::new("POST", "user/org/1").token(&token).json(&body));
        });
        load.print("user", &told, bare.run(connections, count, Bare::user));
    }
}

fn send(client: &mut Client, call: &Call) -> client::Answer {
    let answer = client.send(call);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer
}

fn exchange(client: &mut Client, realm: &Realm, nonce: &str) -> String {
    let body = proof("userId", &realm.keeper.to_string(), &realm.secret, nonce);
    let answer = send(client, &Call::new("POST", "token").json(&body));
    answer.one("tokens").unwrap()["token"].as_str().unwrap().to_owned()
}

struct Load<'a> {
    server: &'a Server,
    realm: &'a Realm,
    connections: u32,
    count: u32,
}

impl Load<'_> {
    fn run(&self, work: impl Fn(&mut Client, u32) + Sync) -> Round {
        let before = processor_time(self.server.process.id());
        let connect = || Client::connect(&self.realm.mount);
        let each = share(self.connections, self.count, connect, work);
        let spent = processor_time(self.server.process.id()) - before;
        Round { each, processor: spent / self.count }
    }

    fn print(&self, what: &str, told: &Round, bare: Duration) {
        let rate = |each: Duration| each.as_secs_f64().recip();
        println!(
            "| {what} | {} | {:.0} | {:.2} | {} | {:.0} | {:.2} |",
            self.connections,
            rate(told.each),
            told.each.as_secs_f64() * 1e3,
            told.processor.as_micros(),
            rate(bare),
            told.each.as_secs_f64() / bare.as_secs_f64(),
        );
    }
}

/// Shares `count` pieces of work among so many threads; how long each took.
fn share<T>(
    threads: u32,
    count: u32,
    tool: impl Fn() -> T + Sync,
    work: impl Fn(&mut T, u32) + Sync,
) -> Duration {
    let (next, begun) = (AtomicU32::new(0), Instant::now());
    let take = || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|at| *at < count);
    let toil = || {
        let mut tool = tool();
        while let Some(at) = take() {
            work(&mut tool, at);
        }
    };
    thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(toil))));
    begun.elapsed() / count
}

/// The processor time that a process has used, its own and the kernel's for it.
fn processor_time(process: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // The name, in brackets, may hold blanks; the 14th and 15th field are meant.
    let fields = stat.rsplit_once(')').unwrap().1.split_whitespace().skip(11).take(2);
    let ticks: u64 = fields.map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 1_000 / TICKS)
}

#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn now(&self) -> Moment {
        Moment { boot: 1, wall: Timestamp::from_millis(1_700_000_000_000) }
    }
}

/// A store alone, and what the same rows belong to.
struct Bare {
    store: Store,
    peppers: Peppers,
    root: Id<Organization>,
    owner: Id<User>,
    member: Id<Role>,
    secret: Id<portcullis_core::credential::Credential>,
}

impl Bare {
    fn open(folder: &Path) -> Self {
        let store = Store::open(Target::Sqlite(folder.into()), Arc::new(Still)).unwrap();
        let made = wait(store.write(Write::new("bench", "setup").unwrap(), |writing| {
            let new = NewOrganization { parent: None, name: "Root".into(), realm: true };
            let root = writing.insert_organization(&new)?.id;
            let owner = writing.insert_user(&member_of(root, None))?.id;
            let member = writing.insert_role(None, "Member", &[])?;
            let secret = writing.insert_credential(&NewCredential {
                scheme: HUB_TOKEN,
                key: "secret".into(),
                verifier: vec![0; 100],
                owner,
                label: String::new(),
                read_only: false,
                not_before: None,
                expires: None,
                limits: Limits::default(),
            })?;
            Ok((root, owner, member, secret))
        }));
        let (root, owner, member, secret) = made.unwrap().value;
        let peppers = Peppers::new(Pepper::new(PepperId(1), &[1; 32]), vec![]);
        Self { store, peppers, root, owner, member, secret }
    }

    /// How long each of `count` writes takes while `tasks` are under way.
    fn run(&self, tasks: u32, count: u32, write: fn(&Self, u32, u32)) -> Duration {
        share(tasks, count, || (), |(), at| write(self, tasks, at))
    }

    fn write(
        &self,
        work: impl FnOnce(&mut Writing<'_>) -> Result<(), StoreError> + Send + 'static,
    ) {
        wait(self.store.write(Write::new("bench", "write").unwrap(), work)).unwrap();
    }

    fn exchange(&self, tasks: u32, at: u32) {
        let kind = scheme::ALL.iter().find(|kind| kind.name == HUB_TOKEN).unwrap();
        let issued = kind.issue.unwrap()(&self.peppers).unwrap();
        let (owner, parent) = (self.owner, self.secret);
        let digest = (u128::from(tasks) << 32 | u128::from(at)).to_be_bytes();
        self.write(move |writing| {
            writing.spend(parent, digest)?;
            let expires = Timestamp::from_millis(1_700_003_600_000);
            writing.insert_session(&NewSession {
                scheme: HUB_TOKEN,
                key: issued.key,
                verifier: issued.verifier.to_bytes().to_vec(),
                owner,
                parent,
                read_only: false,
                expires,
                idle: std::time::Duration::ZERO,
                ends: expires,
                limits: Limits::default(),
            })?;
            Ok(())
        });
    }

    fn organization(&self, _tasks: u32, at: u32) {
        let (parent, name) = (Some(self.root), format!("Organization {at}"));
        let new = NewOrganization { parent, name, realm: false };
        self.write(move |writing| writing.insert_organization(&new).map(drop));
    }

    fn user(&self, tasks: u32, at: u32) {
        let new = member_of(self.root, Some(format!("{tasks}-{at}@mail.example")));
        let grant = Grant { role: self.member, organization: self.root };
        self.write(move |writing| {
            let made = writing.insert_user(&new)?.id;
            writing.set_grant(Holder::User(made), grant, State::Active)
        });
    }
}

fn member_of(organization: Id<Organization>, email: Option<String>) -> NewUser {
    NewUser { organization, login: None, email, name: "User".into(), signs_in: true }
}

/// Runs `future` to its end.
fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}
