//! A server with guards of every kind, an upstream that writes down what it gets, and the ways in
//! which a request of the corpus is sent.

use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::common::{Answer, Home, Server, basic, unknown_key};
use crate::http2::wire::{
    CONTINUATION, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PREFACE, RST_STREAM, Wire, block,
    frame, settings,
};
use crate::recorder::Recorder;

use super::row::{From, Row};

/// The longest frame that everybody takes.
const MAX_FRAME: usize = 16_384;
const PASSWORD: &str = "correct horse battery staple";
/// Where strangers, proxies that ask, and trusted proxies come from.
const STRANGER: &str = "127.0.0.1";
const ASKER: &str = "127.0.0.8";
const TRUSTED: &str = "127.0.0.9";

/// A way to a decision.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Door {
    Http1,
    Http2,
    Nginx,
    Forward,
}

impl Door {
    pub(super) const ALL: [Self; 4] = [Self::Http1, Self::Http2, Self::Nginx, Self::Forward];
    pub(super) const PROXY: [Self; 2] = [Self::Http1, Self::Http2];

    /// How a request is called on this way.
    pub(super) fn names(self, number: usize) -> String {
        format!("{number}-{self:?}")
    }
}

/// What stands in rows in braces, and what it stands for; what no upstream may see.
pub(super) struct Callers(Vec<(&'static str, String)>);

impl Callers {
    fn make(server: &Server) -> Self {
        let home = &server.home;
        for user in ["alice", "bob"] {
            home.done(&["user", "create", user]);
        }
        assert!(home.set_password("alice", PASSWORD).status.success());
        let made = |options: &[&str]| {
            let made = home.json(&[&["key", "create", "alice"], options].concat());
            let text = |name: &str| made[name].as_str().unwrap().to_owned();
            (text("id"), text("key"))
        };
        let (revoked, disabled) = (made(&[]), made(&[]));
        home.done(&["key", "revoke", &revoked.0]);
        home.done(&["key", "disable", &disabled.0]);
        home.done(&["mount", "create", "journyx", "--dialect", "journyx"]);
        let hidden = |line: String| line.rsplit_once(' ').unwrap().1.to_owned();
        Self(vec![
            ("{key}", made(&[]).1),
            ("{other}", made(&[]).1),
            ("{reading}", made(&["--read-only"]).1),
            ("{elsewhere}", made(&["--network", "203.0.113.0/24"]).1),
            ("{bound}", made(&["--guard", "read"]).1),
            ("{revoked}", revoked.1),
            ("{disabled}", disabled.1),
            ("{unknown}", hidden(unknown_key())),
            ("{basic}", hidden(basic("alice", PASSWORD))),
            ("{session}", session(server)),
        ])
    }

    /// `text` with what it stands for.
    pub(super) fn fill(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    }

    /// Whether `text` gives away any credential.
    pub(super) fn are_in(&self, text: &str) -> bool {
        self.0.iter().any(|(_, value)| text.contains(value))
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

/// The server, and what is behind it.
pub(super) struct Site {
    server: Server,
    upstream: Recorder,
    pub(super) sender: Sender,
}

/// Who sends the corpus.
pub(super) struct Sender {
    address: SocketAddr,
    callers: Callers,
}

impl Site {
    pub(super) fn new() -> Self {
        let upstream = Recorder::new();
        let guard = |name: &str, host: &str, path: &str, demands: &str| {
            format!(
                "[[guard]]\nname = \"{name}\"\nhosts = [\"{host}\"]\npath = \"{path}\"\n\
                 upstream = \"http://{}\"\n{demands}\n",
                upstream.address
            )
        };
        let api = |name: &str, path: &str, demands: &str| guard(name, "api.example", path, demands);
        let open = "networks = [\"0.0.0.0/0\", \"::/0\"]";
        let people = "schemes = [\"api_key\", \"basic\", \"session\"]";
        let guards = [
            api("public", "/public", open),
            api("orders", "/orders", &format!("{people}\nupgrades = [\"websocket\"]")),
            api("admin", "/admin", "schemes = [\"api_key\"]\nability = \"Orders - Administer\""),
            api("read", "/read", "schemes = [\"api_key\"]\nmethods = [\"GET\", \"HEAD\"]"),
            api("near", "/near", "networks = [\"198.51.100.0/24\"]"),
            api("cafe", "/caf%c3%a9", open),
            api("deep", "/public/private", "schemes = [\"api_key\"]"),
            api("signed", "/signed", "schemes = [\"api_key\", \"signature\"]"),
            guard("other", "other.example", "/", open),
            guard("six", "[2001:db8::1]", "/", open),
        ];
        let config = format!(
            "header_timeout = \"500ms\"\nidle_timeout = \"100ms\"\n\
             [trust]\npeers = [\"{TRUSTED}\"]\n[authz]\npeers = [\"{ASKER}\"]\n\
             [log]\nformat = \"json\"\n{}",
            guards.concat()
        );
        let server = Server::serve(Home::new(), &config);
        let callers = Callers::make(&server);
        let address = server.address.parse().unwrap();
        Self { server, upstream, sender: Sender { address, callers } }
    }

    /// Everything that the upstream heard, who called, and the log.
    pub(super) fn end(self) -> (Vec<String>, Callers, String) {
        let log = self.server.stop().stderr;
        (self.upstream.take(), self.sender.callers, log)
    }
}

impl Sender {
    /// Sends the `number`th row by `door`, and waits for what comes back.
    pub(super) fn send(&self, row: &Row, number: usize, door: Door) {
        let name = door.names(number);
        match door {
            Door::Http1 => self.speak(row, &name),
            Door::Http2 => self.speak_http2(row, &name),
            Door::Nginx | Door::Forward => self.ask(row, &name, door),
        }
    }

    fn connect(&self, from: &str) -> TcpStream {
        let from: SocketAddr = format!("{from}:0").parse().unwrap();
        let socket = async {
            let socket = tokio::net::TcpSocket::new_v4().unwrap();
            socket.bind(from).unwrap();
            socket.connect(self.address).await.unwrap().into_std().unwrap()
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        let stream = runtime.block_on(socket);
        stream.set_nonblocking(false).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream
    }

    fn whole(&self, from: &str, text: &str) {
        let mut stream = self.connect(from);
        // Whoever is refused early may be cut off.
        drop(stream.write_all(self.callers.fill(text).as_bytes()));
        Answer::read(&mut stream);
    }

    fn speak(&self, row: &Row, name: &str) {
        let mut text =
            format!("{} {} HTTP/1.1\r\nX-Request-Id: {name}\r\n", row.method, row.target);
        for host in &row.hosts {
            text.push_str(&format!("Host: {host}\r\n"));
        }
        let closes = |(name, _): &(String, String)| name.eq_ignore_ascii_case("connection");
        if !row.headers.iter().any(closes) {
            text.push_str("Connection: close\r\n");
        }
        text.push_str(&lines(row.headers.iter()));
        self.whole(address_of(row), &(text + "\r\n"));
    }

    fn speak_http2(&self, row: &Row, name: &str) {
        let filled = |text: &str| self.callers.fill(text);
        let mut fields = vec![
            (":method".to_owned(), row.method.clone()),
            (":scheme".to_owned(), "http".to_owned()),
            (":path".to_owned(), filled(&row.target)),
        ];
        let hosts = [":authority", "host"].iter().zip(&row.hosts);
        fields.extend(hosts.map(|(name, host)| ((*name).to_owned(), host.clone())));
        fields.push(("x-request-id".to_owned(), name.to_owned()));
        let headers = row.headers.iter();
        fields.extend(headers.map(|(name, value)| (name.to_lowercase(), filled(value.trim()))));
        let fields: Vec<_> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
        let mut wire = Wire::new(self.connect(address_of(row)));
        wire.write(&[PREFACE, &settings(&[]), &head(&block(&fields))].concat());
        let ends = [GOAWAY, RST_STREAM];
        let of_it = |kind: u8, flags: u8| ends.contains(&kind) || flags & END_STREAM != 0;
        wire.find(|it| of_it(it.kind, if it.stream == 1 { it.flags } else { 0 }));
    }

    /// Asks as a good proxy does, which says itself what only a proxy may say, and hands on the rest.
    fn ask(&self, row: &Row, name: &str, door: Door) {
        let overwritten: &[&str] = match door {
            Door::Nginx => &["x-original-url", "x-original-method"],
            Door::Forward | Door::Http1 | Door::Http2 => {
                &["x-forwarded-host", "x-forwarded-uri", "x-forwarded-method"]
            }
        };
        let theirs = |wanted: &str| {
            let named =
                row.headers.iter().filter(move |(name, _)| name.eq_ignore_ascii_case(wanted));
            named.map(|(_, value)| value.trim()).collect::<Vec<_>>()
        };
        let mut clients = theirs("x-forwarded-for");
        clients.push(address_of(row));
        let proto = match &theirs("x-forwarded-proto")[..] {
            ["https"] if row.from == From::Trusted => "https",
            _ => "http",
        };
        let stated: Vec<String> = match (door, &row.hosts[..]) {
            (Door::Nginx, []) => vec![format!("X-Original-URL: {proto}://{}", row.target)],
            (Door::Nginx, hosts) => hosts
                .iter()
                .map(|host| format!("X-Original-URL: {proto}://{host}{}", row.target))
                .collect(),
            (_, hosts) => hosts.iter().map(|host| format!("X-Forwarded-Host: {host}")).collect(),
        };
        let more = match door {
            Door::Nginx => format!("X-Original-Method: {}", row.method),
            Door::Forward | Door::Http1 | Door::Http2 => {
                format!("X-Forwarded-Method: {}\r\nX-Forwarded-Uri: {}", row.method, row.target)
            }
        };
        let path = if door == Door::Nginx { "nginx" } else { "forward" };
        let passed = row.headers.iter().filter(|(name, _)| {
            let name = name.to_lowercase();
            let own = ["x-forwarded-for", "x-forwarded-proto", "connection", "content-length"];
            !overwritten.contains(&&*name) && !own.contains(&&*name)
        });
        let text = format!(
            "GET /authz/{path} HTTP/1.1\r\nHost: doors\r\nConnection: close\r\n\
             X-Request-Id: {name}\r\nX-Forwarded-For: {}\r\nX-Forwarded-Proto: {proto}\r\n\
             {}\r\n{more}\r\n{}\r\n",
            clients.join(", "),
            stated.join("\r\n"),
            lines(passed)
        );
        self.whole(ASKER, &text);
    }
}

/// A head without a body, in as many frames as it needs (RFC 9113, section 4.2).
fn head(block: &[u8]) -> Vec<u8> {
    let pieces = block.chunks(MAX_FRAME).enumerate();
    let last = block.len().div_ceil(MAX_FRAME) - 1;
    let frames = pieces.map(|(at, piece)| {
        let (kind, first) = if at == 0 { (HEADERS, END_STREAM) } else { (CONTINUATION, 0) };
        frame(kind, first | if at == last { END_HEADERS } else { 0 }, 1, piece)
    });
    frames.collect::<Vec<_>>().concat()
}

const fn address_of(row: &Row) -> &'static str {
    match row.from {
        From::Stranger => STRANGER,
        From::Trusted => TRUSTED,
    }
}

fn lines<'h>(headers: impl Iterator<Item = &'h (String, String)>) -> String {
    headers.map(|(name, value)| format!("{name}: {value}\r\n")).collect()
}
