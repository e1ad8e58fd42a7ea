//! What a request costs through the proxy, guarded and not, beside `HAProxy` that looks the key up in a
//! map of its own; and what a proxy that asks is answered for, beside a bare server that says hello.
//! Servers have one processor, what calls them and the upstream the other.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark may fail loudly, and prints"
)]

#[path = "shared/servers.rs"]
mod servers;

use std::convert::Infallible;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, fs, thread};

use http::{Request, Response};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use servers::{Server, await_listening, compare, free};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::task::{LocalSet, spawn_local};

/// How many requests, over how many connections.
const REQUESTS: (u32, u32) = (64_000, 32);
/// What the upstream answers.
const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n";
/// Has this program say hello instead of measuring.
const HELLO: &str = "PORTCULLIS_BENCH_HELLO";

fn main() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    if env::var_os(HELLO).is_some() {
        return LocalSet::new().block_on(&runtime, say_hello());
    }
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let pinned =
        pin(Command::new("taskset").args(["-apc", "1"]).arg(std::process::id().to_string()));
    if !pinned {
        println!("nothing is pinned: `taskset` or a second processor is missing");
    }
    let local = LocalSet::new();
    let upstream = local.block_on(&runtime, upstream());
    let (portcullis, key) = portcullis(folder.path(), upstream);
    let haproxy = haproxy(folder.path(), upstream, &key);
    if haproxy.is_none() {
        println!("HAProxy was not found, and is not measured: `apt-get install haproxy`");
    }
    let hello = hello();
    let get = |path: &str, more: &str| {
        format!(
            "GET {path} HTTP/1.1\r\nHost: any\r\nUser-Agent: bench\r\nAccept: */*\r\n{more}\r\n"
        )
    };
    let proof = format!("X-Api-Key: {key}\r\n");
    let asked = format!(
        "X-Original-Method: GET\r\nX-Forwarded-Proto: http\r\nX-Forwarded-For: 127.0.0.1\r\n\
         X-Original-URL: http://any/one\r\n{proof}"
    );
    let load = Load { runtime: &runtime, local: &local };
    println!("{:<24}{:>12}{:>14}", "", "per second", "CPU each, µs");
    let one = [&portcullis];
    compare("unguarded, but for a network", &one, REQUESTS.0, |server| {
        load.send(server, &get("/open", ""));
    });
    let both: Vec<_> = [Some(&portcullis), haproxy.as_ref()].into_iter().flatten().collect();
    compare("guarded: an API key", &both, REQUESTS.0, |server| {
        load.send(server, &get("/one", &proof));
    });
    compare("asked by nginx, beside hello", &[&portcullis, &hello], REQUESTS.0, |server| {
        load.send(server, &get("/authz/nginx", &asked));
    });
}

/// Whether what `command` does to a processor's share was done.
fn pin(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|it| it.success())
}

/// A command that runs on the first processor, if there is a way to say so.
fn on_first(program: &str) -> Command {
    if !pin(Command::new("taskset").args(["-c", "0", "true"])) {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.args(["-c", "0", program]);
    command
}

/// What calls servers.
struct Load<'r> {
    runtime: &'r Runtime,
    local: &'r LocalSet,
}

impl Load<'_> {
    /// Sends `request` as often as is measured.
    fn send(&self, server: &Server, request: &str) {
        let address = server.address;
        let (count, connections) = REQUESTS;
        self.local.block_on(self.runtime, async {
            let each = count / connections;
            let callers =
                (0..connections).map(|_| spawn_local(call(address, request.to_owned(), each)));
            for caller in callers.collect::<Vec<_>>() {
                caller.await.unwrap();
            }
        });
    }
}

async fn call(address: SocketAddr, request: String, count: u32) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut room = [0; 4_096];
    for _ in 0..count {
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut read = 0;
        while !is_whole(&room[..read]) {
            let more = stream.read(&mut room[read..]).await.unwrap();
            assert_ne!(more, 0, "it broke off");
            read += more;
        }
        assert!(room.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&room[..read]));
    }
}

/// Whether this is all of an answer that is empty or says hello.
fn is_whole(read: &[u8]) -> bool {
    read.ends_with(b"\r\n\r\nhello\n")
        || read.ends_with(b"\r\n\r\n")
            && read.windows(19).any(|it| it.eq_ignore_ascii_case(b"content-length: 0\r\n"))
}

/// An upstream that says hello to whatever it hears, as long as the runtime is run.
async fn upstream() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    spawn_local(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            spawn_local(say_yes(stream));
        }
    });
    address
}

async fn say_yes(mut stream: TcpStream) {
    let (mut room, mut read) = ([0; 4_096], 0);
    // Whoever asked may have gone.
    while let Ok(more @ 1..) = stream.read(&mut room[read..]).await {
        read += more;
        if room[..read].ends_with(b"\r\n\r\n") {
            read = 0;
            drop(stream.write_all(ANSWER).await);
        }
    }
}

/// A bare server, which says hello.
async fn say_hello() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{}", listener.local_addr().unwrap());
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let hello = service_fn(async |_: Request<Incoming>| {
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"hello\n"))))
        });
        spawn_local(http1::Builder::new().serve_connection(TokioIo::new(stream), hello));
    }
}

fn hello() -> Server {
    let this = env::current_exe().unwrap();
    let mut command = on_first(this.to_str().unwrap());
    let mut process = command.env(HELLO, "1").stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    Server { name: "bare hyper", process, address: line.trim().parse().unwrap() }
}

/// Our own, and the key that one of its guards demands.
fn portcullis(folder: &Path, upstream: SocketAddr) -> (Server, String) {
    let data = folder.join("data");
    let command = || {
        let mut command = on_first(env!("CARGO_BIN_EXE_portcullis"));
        command.arg("--data").arg(&data);
        command
    };
    assert!(command().args(["user", "create", "owner"]).output().unwrap().status.success());
    let key = command().args(["--json", "key", "create", "owner"]).output().unwrap().stdout;
    let key: serde_json::Value = serde_json::from_slice(&key).unwrap();
    let config = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[log]\nlevel = \"error\"\n\
         [authz]\npeers = [\"127.0.0.1\"]\n\
         [[guard]]\nname = \"one\"\npath = \"/one\"\nupstream = \"http://{upstream}\"\n\
         schemes = [\"api_key\"]\n\
         [[guard]]\nname = \"open\"\npath = \"/open\"\nupstream = \"http://{upstream}\"\n\
         networks = [\"127.0.0.0/8\"]\n"
    );
    let file = folder.join("portcullis.toml");
    fs::write(&file, config).unwrap();
    let mut serve = command();
    serve.arg("serve").arg("--config").arg(file).stderr(Stdio::piped());
    let mut process = serve.spawn().unwrap();
    let mut lines = BufReader::new(process.stderr.take().unwrap()).lines().map_while(Result::ok);
    let address = lines.find_map(|line| Some(line.strip_prefix("listening on http://")?.parse()));
    thread::spawn(move || lines.for_each(drop));
    let server = Server { name: "portcullis", process, address: address.unwrap().unwrap() };
    (server, key["key"].as_str().unwrap().to_owned())
}

/// `HAProxy`, if it is installed: it looks the key up in a map, takes it away, and tells the upstream
/// who sends the request.
fn haproxy(folder: &Path, upstream: SocketAddr, key: &str) -> Option<Server> {
    let address = free();
    let map = folder.join("keys.map");
    fs::write(&map, format!("{key} owner\nother somebody\n")).unwrap();
    let rules = [
        format!("set-var(txn.user) req.hdr(x-api-key),map({})", map.display()),
        "deny deny_status 401 unless { var(txn.user) -m found }".into(),
        "del-header x-api-key".into(),
        "set-header x-user %[var(txn.user)]".into(),
    ];
    let rules: String = rules.iter().map(|rule| format!("    http-request {rule}\n")).collect();
    let config = format!(
        "global\n    nbthread 1\ndefaults\n    mode http\n    option forwardfor\n    \
         timeout connect 5s\n    timeout client 60s\n    timeout server 60s\n    \
         http-reuse always\nfrontend one\n    bind {address}\n{rules}    default_backend one\n\
         backend one\n    server one {upstream}\n"
    );
    let file = folder.join("haproxy.cfg");
    fs::write(&file, config).unwrap();
    let mut command = on_first("haproxy");
    let found = Command::new("haproxy").arg("-v").stdout(Stdio::null()).status();
    found.ok().filter(std::process::ExitStatus::success)?;
    let process = command.arg("-db").arg("-q").arg("-f").arg(file).spawn().unwrap();
    await_listening(address);
    Some(Server { name: "HAProxy", process, address })
}
