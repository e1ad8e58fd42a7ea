//! What a signed call costs through the proxy, beside `HAProxy` that makes the same check with its own
//! HMAC converter, in front of the same upstream, in turns.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark may fail loudly, and prints"
)]

#[path = "shared/servers.rs"]
mod servers;
#[path = "shared/threads.rs"]
mod threads;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::{fs, thread};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use portcullis_core::scheme::signature::{Form, sign};
use portcullis_core::seal::MacKey;
use portcullis_core::time::Timestamp;
use servers::{Server, await_listening, compare, free};
use threads::{spread, upstream};

/// How many requests, over how many connections.
const REQUESTS: (u32, u32) = (64_000, 16);

fn main() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let upstream = upstream();
    let (portcullis, key, secret) = portcullis(folder.path(), upstream);
    let haproxy = haproxy(folder.path(), upstream, &secret);
    if haproxy.is_none() {
        println!("HAProxy was not found, and is not measured: `apt-get install haproxy`");
    }
    let servers: Vec<_> = [Some(&portcullis), haproxy.as_ref()].into_iter().flatten().collect();
    let now = Timestamp::from_millis(jiff::Timestamp::now().as_millisecond());
    let signing = MacKey::of_text(secret.as_bytes());
    let token = sign(Form::Documented, (&key, &signing), now, "=admin").unwrap();
    let request =
        |token: &str| format!("GET /one HTTP/1.1\r\nHost: any\r\nX-Deki-Token: {token}\r\n\r\n");
    let (good, forged) = (request(token.expose_text()), request(&forge(token.expose_text())));
    for server in &servers {
        assert_eq!(ask(&mut connect(server), &good), 200, "{}", server.name);
        assert!((401..=403).contains(&ask(&mut connect(server), &forged)), "{}", server.name);
    }
    println!("{:<24}{:>12}{:>14}", "", "per second", "CPU each, µs");
    compare("a signed call on a kept connection", &servers, REQUESTS.0, |server| {
        spread(REQUESTS, |count| {
            let mut stream = connect(server);
            (0..count).for_each(|_| assert_eq!(ask(&mut stream, &good), 200));
        });
    });
}

/// The same token with another digit in its hash.
fn forge(token: &str) -> String {
    let (head, digit) = token.split_at(token.len() - 1);
    format!("{head}{}", if digit == "0" { "1" } else { "0" })
}

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Sends it, and reads the head of an answer whose body nobody needs.
fn ask(stream: &mut TcpStream, request: &str) -> u16 {
    stream.write_all(request.as_bytes()).unwrap();
    let (mut answer, mut piece) = (Vec::new(), [0; 1_024]);
    while !answer.windows(4).any(|it| it == b"\r\n\r\n") {
        let read = stream.read(&mut piece).unwrap();
        assert_ne!(read, 0, "it broke off");
        answer.extend_from_slice(&piece[..read]);
    }
    std::str::from_utf8(&answer[9..12]).unwrap().parse().unwrap()
}

/// Our own, with a server token that its guard takes, and its secret.
fn portcullis(folder: &Path, upstream: SocketAddr) -> (Server, String, String) {
    let data = folder.join("data");
    let command = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
        command.arg("--data").arg(&data);
        command
    };
    let done = |words: &[&str]| {
        let output = command().arg("--json").args(words).output().unwrap();
        assert!(output.status.success(), "{words:?}");
        output.stdout
    };
    done(&["user", "create", "owner"]);
    done(&["role", "grant", "Owner", "owner"]);
    let made = done(&["server-token", "create", "owner"]);
    let made: serde_json::Value = serde_json::from_slice(&made).unwrap();
    let config = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[log]\nlevel = \"error\"\n\
         [[guard]]\nname = \"one\"\npath = \"/one\"\nupstream = \"http://{upstream}\"\n\
         schemes = [\"signature\"]\n"
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
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (server, text("key"), text("secret"))
}

/// `HAProxy`, if it is installed: it parts the token, makes its HMAC, and looks at the moment.
fn haproxy(folder: &Path, upstream: SocketAddr, secret: &str) -> Option<Server> {
    let (address, key) = (free(), BASE64.encode(secret));
    let rules = [
        "set-var(txn.key) req.hdr(x-deki-token),field(2,_)".to_owned(),
        "set-var(txn.epoch) req.hdr(x-deki-token),field(3,_)".into(),
        "set-var(txn.user) req.hdr(x-deki-token),field(4,_)".into(),
        "set-var(txn.hash) req.hdr(x-deki-token),field(5,_),lower".into(),
        format!(
            "set-var(txn.mac) var(txn.key),concat(_,txn.epoch,_),concat(,txn.user),\
             hmac(sha256,{key}),hex,lower"
        ),
        "deny unless { var(txn.mac),strcmp(txn.hash) eq 0 }".into(),
        "deny if { date,sub(txn.epoch) gt 300 }".into(),
        "deny if { date,sub(txn.epoch),add(60) lt 0 }".into(),
    ];
    let rules: String = rules.iter().map(|rule| format!("    http-request {rule}\n")).collect();
    let config = format!(
        "global\n    nbthread 2\ndefaults\n    mode http\n    timeout connect 5s\n    \
         timeout client 60s\n    timeout server 60s\n    http-reuse always\n\
         frontend one\n    bind {address}\n{rules}    default_backend one\n\
         backend one\n    server one {upstream}\n"
    );
    let file = folder.join("haproxy.cfg");
    fs::write(&file, config).unwrap();
    let process = Command::new("haproxy").arg("-q").arg("-f").arg(file).spawn().ok()?;
    await_listening(address);
    Some(Server { name: "HAProxy", process, address })
}
