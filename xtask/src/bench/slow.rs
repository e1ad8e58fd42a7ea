//! What connections cost that do next to nothing, and whether anybody else notices them.

use std::fmt;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use super::quickstart::memory;
use super::{SETTLE, Scratch};
use crate::shell::run;

/// How many connections there are of a kind, as far as the machine lets one process have so many.
const MANY: u64 = 10_000;
/// How many there are whose answers fill the buffers of the kernel, which has so much for all.
const FEW: u64 = 2_000;
/// How much an upstream answers, in bytes: more than the buffers of the kernel take.
const MUCH: usize = 512 * 1_024;
/// Files that this program and the server need beside.
const BESIDE: u64 = 200;
/// How often somebody else asks, for the slowest hundredth of it.
const ASKED: usize = 2_000;
/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many connections are made before those made are waited for, and how long the next then wait:
/// some 4 000 of them are new in a second.
const BATCH: u64 = 500;
const PAUSE: Duration = Duration::from_millis(100);

/// A way to be slow: what is sent, and what is waited for before it is left alone.
struct Kind {
    name: &'static str,
    sends: &'static [u8],
    /// Whether something comes back at once.
    answered: bool,
    /// Whether it takes a connection to the upstream too.
    forwarded: bool,
    most: u64,
}

/// The preface of HTTP/2, settings, and the head of one request whose body follows.
const STREAM: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\
    \0\0\x1a\x01\x04\0\0\0\x01\x83\x86\x04\x05/idle\x01\x09localhost\x0f\x0d\x03999";

const KINDS: &[Kind] = &[
    Kind {
        name: "between two requests",
        sends: b"GET /healthz HTTP/1.1\r\nHost: other\r\n\r\n",
        answered: true,
        forwarded: false,
        most: MANY,
    },
    Kind {
        name: "a head in drips",
        sends: b"GET /healthz HTTP/1.1\r\nHost: other\r\nX-Slow: ",
        answered: false,
        forwarded: false,
        most: MANY,
    },
    Kind {
        name: "a body in drips",
        sends: b"POST /idle HTTP/1.1\r\nHost: any\r\nContent-Length: 999\r\n\r\nx",
        answered: false,
        forwarded: true,
        most: MANY,
    },
    Kind {
        name: "an answer that is not read",
        sends: b"GET /much HTTP/1.1\r\nHost: any\r\n\r\n",
        answered: false,
        forwarded: true,
        most: FEW,
    },
    Kind {
        name: "HTTP/2, a stream that is open",
        sends: STREAM,
        answered: true,
        forwarded: true,
        most: MANY,
    },
];

/// Measures each kind at a server of its own.
pub(crate) fn run_all(binary: &Path) -> anyhow::Result<()> {
    let files = raise_files()?;
    println!(
        "\nslow connections, the memory of the server (VmRSS) for each, and what others wait:"
    );
    for kind in KINDS {
        let share = if kind.forwarded { 2 } else { 1 };
        let count = kind.most.min((files - BESIDE) / share);
        println!("{:<32} {}", kind.name, measure(binary, kind, count)?);
    }
    Ok(())
}

/// What came of one kind.
struct Measured {
    count: u64,
    bytes: u64,
    before: Duration,
    beside: Duration,
}

impl fmt::Display for Measured {
    #[expect(clippy::cast_precision_loss, reason = "printed with one digit after the point")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each = self.bytes as f64 / self.count as f64 / 1_024.0;
        let [before, beside] = [self.before, self.beside].map(|it| it.as_micros());
        write!(f, "{:>6} at once {each:>6.1} KiB each; 99 % of others: ", self.count)?;
        write!(f, "{before} µs without them, {beside} µs beside them")
    }
}

fn measure(binary: &Path, kind: &Kind, count: u64) -> anyhow::Result<Measured> {
    let upstream = Upstream::start()?;
    let server = Slow::start(binary, upstream.address)?;
    let before = server.others()?;
    sleep(SETTLE);
    let empty = memory(server.child.id())?;
    let mut all = Vec::new();
    while (all.len() as u64) < count {
        let batch = (0..BATCH.min(count - all.len() as u64)).map(|_| server.open(kind));
        let batch = batch.collect::<anyhow::Result<Vec<_>>>()?;
        if kind.answered {
            batch.iter().try_for_each(hear)?;
        }
        all.extend(batch);
        sleep(PAUSE);
    }
    sleep(SETTLE * 2);
    if kind.forwarded {
        let reached = upstream.count();
        ensure!(reached as u64 == count, "{reached} of {count} reached the upstream");
    }
    let bytes = memory(server.child.id())?.saturating_sub(empty);
    let beside = server.others()?;
    Ok(Measured { count, bytes, before, beside })
}

/// Waits for the first bytes that come back.
fn hear(mut stream: &TcpStream) -> anyhow::Result<()> {
    ensure!(stream.read(&mut [0; 1_024])? > 0, "the server closed a connection");
    Ok(())
}

/// A server with patience.
struct Slow {
    child: Child,
    address: SocketAddr,
    _folder: Scratch,
}

impl Slow {
    fn start(binary: &Path, upstream: SocketAddr) -> anyhow::Result<Self> {
        let folder = Scratch::make("slow")?;
        let file = folder.0.join("portcullis.toml");
        let patience =
            ["header_timeout = \"10m\"", "idle_timeout = \"1h\"", "body_timeout = \"1h\""];
        let guard = format!(
            "[[guard]]\nname = \"slow\"\nhosts = [\"any\", \"localhost\"]\npath = \"/\"\n\
             upstream = \"http://{upstream}\"\nnetworks = [\"127.0.0.0/8\"]\n"
        );
        let config = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\nmax_connections = 100000\n\
             max_connections_per_address = 100000\nupstream_answer_timeout = \"1h\"\n{}\n{guard}\
             [log]\nlevel = \"warn\"\n",
            patience.join("\n")
        );
        fs::write(&file, config)?;
        let mut serve = Command::new(binary);
        serve.arg("--data").arg(folder.0.join("data")).args(["serve", "--config"]).arg(&file);
        serve.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = serve.spawn().with_context(|| format!("start {}", binary.display()))?;
        let mut lines = BufReader::new(child.stderr.take().context("no standard error")?).lines();
        let url = lines
            .find_map(|line| Some(line.ok()?.strip_prefix("listening on http://")?.to_owned()));
        // It must never wait for somebody to read what it says.
        thread::spawn(move || lines.for_each(drop));
        let address = url.context("`portcullis serve` ended before it answered")?.parse()?;
        Ok(Self { child, address, _folder: folder })
    }

    fn open(&self, kind: &Kind) -> anyhow::Result<TcpStream> {
        let mut stream = TcpStream::connect(self.address).context("connect to the server")?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(kind.sends)?;
        Ok(stream)
    }

    /// How long 99 of a hundred others wait at most.
    fn others(&self) -> anyhow::Result<Duration> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut waited = Vec::with_capacity(ASKED);
        for _ in 0..ASKED {
            let start = Instant::now();
            stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: other\r\n\r\n")?;
            hear(&stream)?;
            waited.push(start.elapsed());
        }
        waited.sort_unstable();
        waited.get(ASKED * 99 / 100).copied().context("nobody asked")
    }
}

impl Drop for Slow {
    fn drop(&mut self) {
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            println!("the server may still be running: {error}");
        }
    }
}

/// An upstream that keeps what it gets, until it is dropped: at `/much` it answers as much as anybody
/// takes, else nothing.
struct Upstream {
    address: SocketAddr,
    kept: Arc<Mutex<Vec<TcpStream>>>,
}

impl Upstream {
    fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let kept = Arc::<Mutex<Vec<TcpStream>>>::default();
        let keeping = Arc::clone(&kept);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                // One that breaks off is no loss.
                let begun = begin(stream).ok();
                keeping.lock().unwrap_or_else(PoisonError::into_inner).extend(begun);
            }
        });
        Ok(Self { address, kept })
    }

    fn count(&self) -> usize {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

fn begin(mut stream: TcpStream) -> std::io::Result<TcpStream> {
    let mut start = [0; 9];
    stream.read_exact(&mut start)?;
    if &start == b"GET /much" {
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n";
        stream.write_all(&[&head[..], &[b'x'; MUCH]].concat())?;
    }
    Ok(stream)
}

/// Lets this program, and whom it starts, have as many files as it may, and says how many those are.
fn raise_files() -> anyhow::Result<u64> {
    let limits = fs::read_to_string("/proc/self/limits")?;
    let line = limits.lines().find(|line| line.starts_with("Max open files"));
    let hard = line.and_then(|line| line.split_whitespace().nth(4)).context("no limit of files")?;
    let process = std::process::id().to_string();
    run(Command::new("prlimit").args(["--pid", &process]).arg(format!("--nofile={hard}:{hard}")))?;
    hard.parse().context("the limit of files is no number")
}
