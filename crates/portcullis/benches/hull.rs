//! What Hull costs: the check of a token beside the bare HMAC, and the firehose, durable on SQLite,
//! beside bare HMACs and bare inserts.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark measures, prints, and may fail loudly"
)]

use std::fs;
use std::hint::black_box;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{IpAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use portcullis_core::authenticator::{Authenticated, Authenticator, MAX_REMEMBERED};
use portcullis_core::id::Id;
use portcullis_core::keyring::{Binding, Keyring};
use portcullis_core::limits::{Limits, Site};
use portcullis_core::organization::Organization;
use portcullis_core::password::Cost;
use portcullis_core::scheme::{self, CONNECTOR, Options, Scheme, connector};
use portcullis_core::seal::{MacKey, MasterKey, Pepper, PepperId, Peppers};
use portcullis_core::secret::{Secret, SecretBuf};
use portcullis_core::time::{Clock, Moment, Timestamp};
use portcullis_store::credentials::NewCredential;
use portcullis_store::memory::{Followed, Follower, Lease, Memory};
use portcullis_store::organizations::NewOrganization;
use portcullis_store::users::NewUser;
use portcullis_store::{Store, Target, Write};
use serde_json::{Value, json};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

const ID: &str = "5a7962e2793d3e942a03b29a";
const SECRET: &str = "a-secret-of-a-connector-0123456789";
const NOW: i64 = 1_800_000_000;
/// So many tokens that each finds another in its place.
const TOKENS: usize = MAX_REMEMBERED * 4;
/// The vendor's client sends so many entries at once.
const BATCH: u32 = 50;
/// Batches of one round, and the connections that send them.
const LOADS: [(u32, u32); 3] = [(1, 200), (4, 800), (16, 1_600)];
/// Ticks of the kernel's account in a second; the same on every Linux that there is.
const TICKS: u64 = 100;

#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn now(&self) -> Moment {
        Moment { boot: 1, wall: Timestamp::from_millis(NOW * 1_000) }
    }
}

fn main() {
    check();
    firehose();
}

/// A token on behalf of the user `number`, as the vendor's client makes it.
fn token(id: &str, secret: &SecretBuf, number: usize, now: i64) -> SecretBuf {
    let user =
        json!({ "email": format!("user{number}@example.com"), "external_id": number.to_string() });
    let claims =
        json!({ "iss": id, "iat": now, "io.hull.asUser": user, "io.hull.subjectType": "user" });
    connector::sign(secret, &claims.to_string())
}

/// The least nanoseconds of five rounds, and the allocations of a thousand.
fn measure(name: &str, rounds: usize, mut work: impl FnMut(usize)) -> u128 {
    let mut best = u128::MAX;
    for _ in 0..5 {
        let begun = Instant::now();
        (0..rounds).for_each(&mut work);
        best = best.min(begun.elapsed().as_nanos() / rounds as u128);
    }
    let profiler = dhat::Profiler::builder().testing().build();
    (0..1_000).for_each(&mut work);
    let blocks = dhat::HeapStats::get().total_blocks;
    drop(profiler);
    println!("{name:<34} {best:>6} ns   {blocks:>5} allocations in 1000");
    best
}

fn check() {
    let secret = SecretBuf::new(SECRET);
    let tokens: Vec<SecretBuf> = (0..TOKENS).map(|it| token(ID, &secret, it, NOW)).collect();
    let (authenticator, realm, _follower) = memory();
    let options = Options::from([("subjects".to_owned(), "true".to_owned())]);
    let kind = scheme::ALL.iter().find(|kind| kind.name == CONNECTOR).unwrap();
    let scheme = (kind.build)(&options).unwrap();
    let now = Still.now().wall;
    let site = Site::house(realm, IpAddr::from([192, 0, 2, 1]));
    let who = authenticator.vouch((CONNECTOR, ID), &site, now).unwrap();
    let check = |who: &Authenticated, token: &SecretBuf| {
        let place: (&dyn Scheme, &str) = (scheme.as_ref(), ID);
        let text = Secret::new(black_box(token.expose()));
        assert!(authenticator.claims_of(Some(who), place, text, now).is_ok());
    };
    let key = MacKey::of_text(SECRET.as_bytes());
    let first = tokens.first().unwrap();
    println!("a token of {} bytes", first.expose().len());
    let signed = first.expose().rsplitn(2, |byte| *byte == b'.').last().unwrap();
    let bare = measure("bare HMAC-SHA-256 of what is signed", TOKENS, |_| {
        black_box(key.digest(&[black_box(signed)]));
    });
    let seen = measure("a token seen for the first time", TOKENS, |at| {
        check(&who, tokens.get(at % TOKENS).unwrap());
    });
    let known = measure("a token that is remembered", TOKENS, |_| check(&who, first));
    println!("first seen - bare {:>20} ns\nremembered        {known:>20} ns\n", seen - bare);
}

/// One connector, in the memory that follows a real store.
fn memory() -> (Authenticator<Arc<Memory>>, Id<Organization>, Follower) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(Target::Sqlite(folder.path().into()), Arc::new(Still)).unwrap();
    let master = Arc::new(MasterKey::fresh().unwrap());
    let sealing = Arc::clone(&master);
    let made = store.write(Write::new("bench", "setup").unwrap(), move |it| {
        let new = NewOrganization { parent: None, name: "Root".into(), realm: true };
        let root = it.insert_organization(&new)?.id;
        let login = Some("owner".to_owned());
        let name = "Owner".into();
        let new = NewUser { organization: root, login, email: None, name, signs_in: true };
        let owner = it.insert_user(&new)?.id;
        let ring = Keyring::new(SecretBuf::new(SECRET), Options::new());
        let binding = Binding { scheme: CONNECTOR, key: ID, owner: owner.as_bytes() };
        it.insert_credential(&NewCredential {
            scheme: CONNECTOR,
            key: ID.into(),
            verifier: ring.seal(&sealing, binding)?,
            owner,
            label: String::new(),
            read_only: false,
            not_before: None,
            expires: None,
            limits: Limits::default(),
        })?;
        Ok(root)
    });
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let root = runtime.block_on(made).unwrap().value;
    let memory = Arc::new(Memory::empty(master).unwrap());
    let followed = Arc::new(Followed { memory: Arc::clone(&memory), lease: Lease::none() });
    let store = Arc::new(store);
    let follower = Follower::start(&store, &followed, Arc::new(Still), "bench").unwrap();
    let peppers = Arc::new(Peppers::new(Pepper::new(PepperId(1), &[1; 32]), vec![]));
    (Authenticator::new(memory, peppers, Cost::OWASP).unwrap(), root, follower)
}

/// A server that ends with this.
struct Server {
    process: Child,
    made: Value,
    address: String,
}

impl Server {
    fn start(data: &Path) -> Self {
        let file = data.join("made.json");
        let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
        command.arg("quickstart").arg("--listen").arg("127.0.0.1:0");
        command.arg("--data").arg(data.join("data")).arg("--credentials").arg(&file);
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        // It says where the file is once it was written.
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let told = lines.map_while(Result::ok).find(|line| line.starts_with("Written to"));
        told.unwrap();
        let made: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        let address = made.pointer("/hull/organization").unwrap().as_str().unwrap().to_owned();
        Self { process, made, address }
    }

    fn text(&self, pointer: &str) -> &str {
        self.made.pointer(pointer).unwrap().as_str().unwrap()
    }

    /// The processor time that it has used, its own and the kernel's for it.
    fn processor_time(&self) -> Duration {
        processor_time(&self.process.id().to_string())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn processor_time(process: &str) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // The name, in brackets, may hold blanks; the 14th and 15th field are meant.
    let fields = stat.rsplit_once(')').unwrap().1.split_whitespace().skip(11).take(2);
    let ticks: u64 = fields.map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 1_000 / TICKS)
}

fn firehose() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let server = Server::start(folder.path());
    println!(
        "| connections | entries per second | ms a batch | CPU of the server, µs an entry | bare, µs an entry | ratio |"
    );
    println!("|---|---|---|---|---|---|");
    for (connections, count) in LOADS {
        let bodies = Bodies::draw(&server, connections, count);
        let (next, before, begun) = (AtomicU32::new(0), server.processor_time(), Instant::now());
        let send = || {
            let mut stream = TcpStream::connect(&server.address).unwrap();
            stream.set_nodelay(true).unwrap();
            while let Some(body) = bodies.0.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
                post(&mut stream, &server, body);
            }
        };
        thread::scope(|scope| (0..connections).for_each(|_| drop(scope.spawn(send))));
        let (spent, used) = (begun.elapsed(), server.processor_time() - before);
        let entries = count * BATCH;
        let bare = bare(folder.path(), count);
        let each = used.as_secs_f64() * 1e6 / f64::from(entries);
        println!(
            "| {connections} | {:.0} | {:.2} | {each:.1} | {bare:.1} | {:.2} |",
            f64::from(entries) / spent.as_secs_f64(),
            spent.as_secs_f64() * 1e3 / f64::from(count) * f64::from(connections),
            each / bare,
        );
    }
}

/// Batches as the vendor's client sends them: half of the entries are traits, half are events.
struct Bodies(Vec<String>);

impl Bodies {
    fn draw(server: &Server, connections: u32, count: u32) -> Self {
        let (id, secret) =
            (server.text("/hull/app_id"), SecretBuf::new(server.text("/hull/secret")));
        let users = 1_000;
        let tokens: Vec<_> = (0..users).map(|it| token(id, &secret, it, 1_700_000_000)).collect();
        let entry = |batch: u32, at: u32| {
            let number = (batch * BATCH + at) as usize;
            let token = tokens.get(number % users).unwrap().expose_text();
            let headers = json!({ "Hull-Access-Token": token });
            if at.is_multiple_of(2) {
                let body = json!({ "name": "Bob", "visits": { "operation": "inc", "value": 1 } });
                return json!({ "type": "traits", "body": body, "headers": headers });
            }
            let body = json!({ "ip": null, "url": null, "event": "Viewed",
                "event_id": format!("{connections}-{number}"), "properties": { "page": number } });
            json!({ "type": "track", "body": body, "headers": headers })
        };
        let body = |batch: u32| {
            let entries: Vec<Value> = (0..BATCH).map(|at| entry(batch, at)).collect();
            json!({ "batch": entries, "sentAt": format!("{connections} {batch}") }).to_string()
        };
        Self((0..count).map(body).collect())
    }
}

fn post(stream: &mut TcpStream, server: &Server, body: &str) {
    let head = format!(
        "POST /api/v1/firehose HTTP/1.1\r\nHost: {}\r\nHull-App-Id: {}\r\nHull-Access-Token: {}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        server.address,
        server.text("/hull/app_id"),
        server.text("/hull/secret"),
        body.len()
    );
    stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).unwrap();
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        answer.extend_from_slice(&byte);
    }
    assert!(answer.starts_with(b"HTTP/1.1 204"), "{}", String::from_utf8_lossy(&answer));
}

/// The processor time of one entry, in microseconds, if it is only signed for and inserted: as many
/// in a transaction, as durable, by one thread.
fn bare(folder: &Path, count: u32) -> f64 {
    let file = folder.join(format!("bare-{count}.sqlite"));
    let mut database = rusqlite::Connection::open(file).unwrap();
    let durable = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
        CREATE TABLE entries (id BLOB NOT NULL PRIMARY KEY, subject BLOB NOT NULL, body TEXT NOT NULL) STRICT;";
    database.execute_batch(durable).unwrap();
    let key = MacKey::of_text(SECRET.as_bytes());
    let signed = [b'x'; 250];
    let before = processor_time("self");
    for batch in 0..count {
        let writing = database.transaction().unwrap();
        let mut insert = writing
            .prepare_cached("INSERT INTO entries (id, subject, body) VALUES (?1, ?2, ?3)")
            .unwrap();
        for at in 0..BATCH {
            black_box(key.digest(&[black_box(&signed)]));
            let id = (batch * BATCH + at).to_be_bytes();
            let body = r#"{"event":"Viewed","properties":{"page":1}}"#;
            insert.execute((&id[..], &[7_u8; 12][..], body)).unwrap();
        }
        drop(insert);
        writing.commit().unwrap();
    }
    let spent = processor_time("self") - before;
    spent.as_secs_f64() * 1e6 / f64::from(count * BATCH)
}
