//! What signing in to Journyx costs beside the bare hash of a password, and what clients that are
//! verified already notice while a thousand sign in at once: beside an idle machine, and beside one
//! on which as many hashes are computed by a stranger.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark may fail loudly, and prints"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

use portcullis_core::password::{Cost, PasswordVerifier};
use portcullis_core::seal::{MasterKey, Pepper, PepperId};
use portcullis_core::secret::SecretBuf;
use portcullis_core::time::{Clock, Moment, Timestamp};
use portcullis_store::users::NewUser;
use portcullis_store::{Store, Target, Write};

const PASSWORD: &str = "correct-horse-battery-staple";
/// How many sign in one after the other, by each of so many connections.
const STEADY: (u32, u32) = (4, 25);
/// How many sign in at once.
const CROWD: u32 = 1_000;
/// How many verified requests are timed while nobody signs in.
const QUIET: u32 = 2_000;
/// How far slow hashes stand back on Linux, as in the server's `password_pool.rs`.
const NICENESS: i32 = 10;

fn main() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let data = folder.path().join("data");
    let key = made(&data);
    let hash = bare_hash();
    println!("bare hash                        {:>8.1} per second and thread", hash.recip());
    let server = Server::start(&data, folder.path(), upstream());

    let (connections, each) = STEADY;
    let begun = Instant::now();
    at_once(connections, |one| {
        (0..each).for_each(|turn| _ = server.sign_in(one * each + turn));
    });
    let login = begun.elapsed().as_secs_f64() / f64::from(connections * each);
    println!("sign-ins, {connections} connections         {:>8.1} per second", login.recip());
    println!("a sign-in / bare hash            {:>8.2}", login / hash);

    let quiet = server.verified(&key, |count| count < QUIET);
    let hashed = beside_bare_hashes(|| server.verified(&key, |count| count < QUIET));
    let (ended, retries) = (AtomicBool::new(false), AtomicU32::new(0));
    let mut busy = Vec::new();
    let begun = Instant::now();
    thread::scope(|scope| {
        let watch = scope.spawn(|| server.verified(&key, |_| !ended.load(Ordering::Relaxed)));
        let first = connections * each;
        at_once(CROWD, |one| {
            retries.fetch_add(server.sign_in(first + one), Ordering::Relaxed);
        });
        ended.store(true, Ordering::Relaxed);
        busy = watch.join().unwrap();
    });
    let (spent, retries) = (begun.elapsed().as_secs_f64(), retries.into_inner());
    println!("{CROWD} at once: {spent:.1} s, {retries} asked to come again");
    for (name, share) in [("half", 50), ("99 %", 99)] {
        let during = at(&busy, share);
        println!("verified requests, {name} within   {during:>9.1?} beside sign-ins");
        for (beside, times) in [("nothing", &quiet), ("bare hashes elsewhere", &hashed)] {
            let before = at(times, share);
            let ratio = during.as_secs_f64() / before.as_secs_f64();
            println!("    {before:>9.1?} beside {beside}: {ratio:.2}");
        }
    }
}

/// Does `work` while a hash of a stranger's runs on every processor, standing back as the server's
/// own do.
fn beside_bare_hashes<T>(work: impl FnOnce() -> T) -> T {
    let ended = AtomicBool::new(false);
    let pepper = Pepper::new(PepperId(1), &[1; 32]);
    let hash = || {
        rustix::process::setpriority_process(None, NICENESS).unwrap();
        while !ended.load(Ordering::Relaxed) {
            PasswordVerifier::make(&SecretBuf::new(PASSWORD), Cost::OWASP, &pepper).unwrap();
        }
    };
    thread::scope(|scope| {
        let processors = thread::available_parallelism().unwrap().get();
        (0..processors).for_each(|_| drop(scope.spawn(hash)));
        let done = work();
        ended.store(true, Ordering::Relaxed);
        done
    })
}

fn at(sorted: &[Duration], percent: usize) -> Duration {
    sorted[(sorted.len() - 1) * percent / 100]
}

/// Seconds that the hash of one password takes.
fn bare_hash() -> f64 {
    let pepper = Pepper::new(PepperId(1), &[1; 32]);
    let once = || {
        let begun = Instant::now();
        PasswordVerifier::make(&SecretBuf::new(PASSWORD), Cost::OWASP, &pepper).unwrap();
        begun.elapsed().as_secs_f64()
    };
    let mut times: Vec<f64> = (0..40).map(|_| once()).collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// An installation with everybody who signs in; a key of its owner.
fn made(data: &Path) -> String {
    let run = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
        let output = command.arg("--data").arg(data).args(words).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    run(&["user", "create", "owner"]);
    run(&["role", "grant", "Owner", "owner"]);
    let key = run(&["--json", "key", "create", "owner"]);
    let key: serde_json::Value = serde_json::from_str(&key).unwrap();
    let key = key["key"].as_str().unwrap().to_owned();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let store = Store::open(Target::Sqlite(data.into()), Arc::new(Still)).unwrap();
        let master = fs::read_to_string(data.join("master.key")).unwrap();
        let peppers = store.open_peppers(&MasterKey::parse(master.trim()).unwrap()).await.unwrap();
        let password = SecretBuf::new(PASSWORD);
        // The same for everybody: what is remembered of a password is remembered of its user.
        let verifier = PasswordVerifier::make(&password, Cost::OWASP, peppers.current()).unwrap();
        let bytes = verifier.to_bytes();
        let root = store.read(|reading| reading.find_root()).await.unwrap();
        let organization = root.unwrap().id;
        let write = Write::new("bench", "setup").unwrap();
        let filled = store.write(write, move |writing| {
            for at in 0..STEADY.0 * STEADY.1 + CROWD {
                let (login, name) = (Some(format!("user{at}")), format!("User {at}"));
                let new = NewUser { organization, login, email: None, name, signs_in: true };
                let user = writing.insert_user(&new)?.id;
                writing.set_password(user, &bytes)?;
            }
            Ok(())
        });
        filled.await.unwrap();
    });
    key
}

#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn now(&self) -> Moment {
        Moment { boot: 1, wall: Timestamp::from_millis(1_700_000_000_000) }
    }
}

/// An upstream that says yes to whatever it hears.
fn upstream() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || say_yes(stream));
        }
    });
    address
}

fn say_yes(stream: TcpStream) {
    let mut told = stream.try_clone().unwrap();
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    while lines.by_ref().take_while(|line| !line.is_empty()).count() > 0 {
        told.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
    }
}

fn at_once(threads: u32, work: impl Fn(u32) + Sync) {
    let work = &work;
    thread::scope(|scope| (0..threads).for_each(|one| drop(scope.spawn(move || work(one)))));
}

/// The server; it ends with this.
struct Server {
    process: Child,
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Server {
    fn start(data: &Path, folder: &Path, upstream: SocketAddr) -> Self {
        let config = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\n[trust]\npeers = [\"127.0.0.0/8\"]\n\
             [log]\nlevel = \"error\"\n[[mount]]\ndialect = \"journyx\"\n\
             [[guard]]\nname = \"one\"\npath = \"/one\"\nupstream = \"http://{upstream}\"\n\
             networks = [\"127.0.0.0/8\"]\nschemes = [\"api_key\"]\n"
        );
        let file = folder.join("portcullis.toml");
        fs::write(&file, config).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
        command.arg("--data").arg(data).arg("serve").arg("--config").arg(file);
        let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let address = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("listening on http://").map(ToOwned::to_owned));
        thread::spawn(move || lines.for_each(drop));
        Self { process, address: address.unwrap() }
    }

    /// Signs in from an address of its own; how often that had to be asked again.
    fn sign_in(&self, user: u32) -> u32 {
        let body = format!("{{\"username\":\"user{user}\",\"password\":\"{PASSWORD}\"}}");
        let [_, _, high, low] = user.to_be_bytes();
        let request = format!(
            "POST /api/v1/login HTTP/1.1\r\nHost: any\r\nOrigin: any\r\nAccept: */*\r\n\
             X-Requested-With: XMLHttpRequest\r\nX-Forwarded-For: 203.0.{high}.{low}\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(&self.address).unwrap();
        for again in 0..1_000 {
            let Answer { status, retry_after } = ask(&mut stream, &request);
            if status == 200 {
                return again;
            }
            assert!([429, 503].contains(&status), "{status}");
            thread::sleep(retry_after);
        }
        unreachable!("a thousand times")
    }

    /// How long requests with a key take, the shortest first, for as long as `more` wants.
    fn verified(&self, key: &str, more: impl Fn(u32) -> bool) -> Vec<Duration> {
        let request = format!("GET /one HTTP/1.1\r\nHost: any\r\nX-Api-Key: {key}\r\n\r\n");
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let mut times = Vec::new();
        for count in 0.. {
            if !more(count) {
                break;
            }
            let begun = Instant::now();
            assert_eq!(ask(&mut stream, &request).status, 200);
            times.push(begun.elapsed());
            thread::sleep(Duration::from_micros(500));
        }
        times.sort_unstable();
        times
    }
}

/// What came back, and when to ask again.
struct Answer {
    status: u16,
    retry_after: Duration,
}

/// Sends it, and reads the answer to its end.
fn ask(stream: &mut TcpStream, request: &str) -> Answer {
    stream.write_all(request.as_bytes()).unwrap();
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let status = line.split(' ').nth(1).unwrap().parse().unwrap();
    let (mut length, mut retry_after) = (0, Duration::from_secs(1));
    loop {
        line.clear();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim().split_once(": ") else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().unwrap();
        } else if name.eq_ignore_ascii_case("retry-after") {
            retry_after = Duration::from_secs(value.parse().unwrap());
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    Answer { status, retry_after }
}
