//! A proxy in front of an upstream, with a server that it asks, and who calls.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::common::{Answer, Home, Server, basic, connect, text};
use crate::recorder::Recorder;
use crate::running::{EXAMPLES, Kind, Places, Running};
use crate::upstream::read_head;

/// The host that the examples guard.
pub(crate) const HOST: &str = "api.example.com";
/// A door's secret of tests.
pub(crate) const SECRET: &str = "a-secret-of-tests-that-guards-nothing";
const PASSWORD: &str = "correct horse battery staple";

/// A proxy, the server that it asks, and the upstream behind it.
pub(crate) struct Stand {
    pub(crate) server: Server,
    pub(crate) proxy: Running,
    pub(crate) upstream: Recorder,
    pub(crate) callers: Callers,
}

/// Headers with credentials of `alice`.
pub(crate) struct Callers {
    pub(crate) key: String,
    pub(crate) reading: String,
    /// Everyone who may come to `/orders`, with the scheme that proves them.
    pub(crate) all: Vec<(&'static str, String)>,
    /// What no upstream may ever see of them.
    pub(crate) secrets: Vec<String>,
}

impl Stand {
    pub(crate) fn start(program: &Path, kind: &Kind) -> Self {
        let home = Home::with(&[("PORTCULLIS_AUTHZ_SECRET", SECRET.to_owned())]);
        let config = fs::read_to_string(PathBuf::from(EXAMPLES).join("portcullis.toml")).unwrap();
        let server = Server::serve(home, &config);
        let callers = Callers::make(&server);
        let guard = ["guard", "create", "near", "--host", HOST, "--path", "/near"];
        server.home.done(
            &[&guard[..], &["--no-upstream", "--network", "10.9.9.9/32", "--network-only"]]
                .concat(),
        );
        let (upstream, address) = Recorder::start();
        let places = Places { portcullis: &server.address, upstream: &address, secret: SECRET };
        let proxy = Running::start(program, kind, &places);
        upstream.take();
        Self { server, proxy, upstream, callers }
    }

    /// Sends a request to the proxy, with headers and a body.
    pub(crate) fn send_whole(&self, line: &str, rest: &str) -> (Answer, Vec<String>) {
        let mut stream = connect(&self.proxy.address);
        let request = format!("{line}\r\nHost: {HOST}\r\nConnection: close\r\n{rest}");
        stream.write_all(request.as_bytes()).unwrap();
        (Answer::read(&mut stream), self.upstream.take())
    }

    /// Sends a request to the proxy; its answer, and what of it reached the upstream.
    pub(crate) fn send(&self, line: &str, headers: &str) -> (Answer, Vec<String>) {
        let answer = ask(&self.proxy.address, line, headers);
        (answer, self.upstream.take())
    }
}

impl Callers {
    fn make(server: &Server) -> Self {
        let home = &server.home;
        home.done(&["user", "create", "alice"]);
        assert!(home.set_password("alice", PASSWORD).status.success());
        let made = |options: &[&str]| {
            let made = home.json(&[&["key", "create", "alice"], options].concat());
            made["key"].as_str().unwrap().to_owned()
        };
        let (key, reading) = (made(&[]), made(&["--read-only"]));
        home.done(&["mount", "create", "journyx", "--dialect", "journyx"]);
        home.done(&["mount", "create", "graph", "--dialect", "graph"]);
        let (session, token) = (session(server), token(server));
        let all = vec![
            ("api_key", format!("X-Api-Key: {key}\r\n")),
            ("api_key", format!("Authorization: Bearer {key}\r\n")),
            ("basic", format!("{}\r\n", basic("alice", PASSWORD))),
            ("basic", format!("{}\r\n", basic("alice", &key))),
            ("bearer", format!("Authorization: Bearer {token}\r\n")),
            ("session", format!("Cookie: theirs=1; wtsession={session}\r\n")),
        ];
        let hidden = basic("alice", PASSWORD);
        let hidden = hidden.rsplit_once(' ').unwrap().1.to_owned();
        let secrets = vec![key.clone(), reading.clone(), session, token, hidden, SECRET.to_owned()];
        let key = format!("X-Api-Key: {key}\r\n");
        Self { key, reading: format!("X-Api-Key: {reading}\r\n"), all, secrets }
    }
}

/// A session of Journyx.
fn session(server: &Server) -> String {
    let body = serde_json::json!({ "username": "alice", "password": PASSWORD }).to_string();
    let answer = server.ask(&format!(
        "POST /api/v1/login HTTP/1.1\r\nHost: any\r\nOrigin: any\r\nConnection: close\r\n\
         Accept: application/json\r\nX-Requested-With: XMLHttpRequest\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    ));
    answer.header("x-session-id").unwrap().to_owned()
}

/// A token of Graph.
fn token(server: &Server) -> String {
    let body = format!("username=alice&password={}", PASSWORD.replace(' ', "+"));
    let answer = server.ask(&format!(
        "POST /login HTTP/1.1\r\nHost: any\r\nContent-Length: {}\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}",
        body.len()
    ));
    let answer: Value = serde_json::from_str(answer.body()).unwrap();
    answer["token"].as_str().unwrap().to_owned()
}

/// Sends a request for the guarded host, with these lines of headers, and reads until its end.
pub(crate) fn ask(address: &str, line: &str, headers: &str) -> Answer {
    let host = if headers.contains("Host: ") { String::new() } else { format!("Host: {HOST}\r\n") };
    let close = if headers.contains("Connection: ") { "" } else { "Connection: close\r\n" };
    let mut stream = connect(address);
    // A proxy may refuse and close before all is written.
    drop(stream.write_all(format!("{line}\r\n{host}{close}{headers}\r\n").as_bytes()));
    let mut answer = Answer(read_head(&mut stream));
    // What was to become a tunnel stays open, as one or as a connection.
    if headers.contains("Upgrade: ") && !answer.0.is_empty() {
        let length = answer.header("content-length").map_or(0, |it| it.parse().unwrap());
        let mut body = vec![0; length];
        stream.read_exact(&mut body).unwrap();
        answer.0.push_str(&text(&body));
        return answer;
    }
    Answer(answer.0 + &Answer::read(&mut stream).0)
}

/// A tool, if the variable that names its place is set; without it the test does not run.
pub(crate) fn tool(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).map(PathBuf::from)
}
