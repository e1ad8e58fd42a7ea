//! Listeners as their callers meet them: both forms, every refusal, and who may call at all.

mod attacks;
mod bodies;
mod calls;
mod commands;
mod dynamic;
mod forwarding;
mod limits;
mod lives;
mod login;
mod network_only;
mod networks;
mod oauth;
mod refusals;
mod secrets;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use crate::common::{Answer, Home, Server, basic};
use crate::upstream::{Refusing, answering, read_head, upstream};

/// The password of everybody.
const PASSWORD: &str = "correct horse battery";

/// What stands before the id of a listener.
const LISTENERS: &str = "/api/v1/listener";

/// One installation with listeners of every sort, a user `zoe` of the root and `red` of the other
/// realm.
struct House {
    server: Server,
    config: String,
    _down: Refusing,
}

impl House {
    fn new() -> Self {
        Self::with("")
    }

    /// With `more` in the configuration.
    fn with(more: &str) -> Self {
        let home = Home::new();
        let red = home.json(&["org", "create", "Red", "--realm"])["number"].to_string();
        user(&home, "zoe", "1");
        user(&home, "red", &red);
        let (down, echo, teapot, telling) = (Refusing::new(), echo(), answering(TEAPOT), telling());
        let config = format!("{more}{LISTENING}")
            .replace("RED", &red)
            .replace("ECHO", &echo.to_string())
            .replace("TEAPOT", &teapot.to_string())
            .replace("TELLING", &telling.to_string())
            .replace("DOWN", &down.address.to_string());
        Self { server: Server::serve(home, &config), config, _down: down }
    }

    /// Calls with `headers`, each ending its line, and `body`.
    fn call(&self, start: &str, headers: &str, body: &str) -> Answer {
        self.call_at("site.example", start, headers, body)
    }

    fn call_at(&self, host: &str, start: &str, headers: &str, body: &str) -> Answer {
        let length = body.len();
        self.server.ask(&format!(
            "{start} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n\
             {headers}\r\n{body}"
        ))
    }

    /// Calls as `zoe`.
    fn zoe(&self, start: &str, body: &str) -> Answer {
        self.call(start, &zoe(), body)
    }
}

/// The header with which `zoe` proves who she is, with the end of its line.
fn zoe() -> String {
    format!("{}\r\n", basic("zoe", PASSWORD))
}

fn user(home: &Home, login: &str, organization: &str) {
    home.done(&["user", "create", login, "--organization", organization]);
    let file = home.write("password", &format!("{PASSWORD}\n"));
    let mut command = home.command(&["user", "password", login, "--realm", organization]);
    assert!(command.stdin(std::fs::File::open(file).unwrap()).status().unwrap().success());
}

/// An upstream that answers with the very request, or where the request has a body, with that; and
/// with what it was asked for in a header.
fn echo() -> SocketAddr {
    upstream(|mut stream| {
        let head = read_head(&mut stream);
        let body = read_body(&mut stream, &head);
        let told = if body.is_empty() { head.clone() } else { body };
        let asked = head.lines().next().unwrap_or_default();
        let answer = format!(
            "HTTP/1.1 200 OK\r\nConnection: close\r\nX-Asked: {asked}\r\nContent-Length: {}\r\n\r\n\
             {}",
            told.len(),
            if head.starts_with("HEAD") { "" } else { &told }
        );
        // Who does not wait for an answer has gone.
        drop(stream.write_all(answer.as_bytes()));
    })
}

/// An upstream that writes down what it was asked.
fn telling() -> SocketAddr {
    upstream(|mut stream| {
        let told = serde_json::json!({ "body": read_head(&mut stream) }).to_string();
        let length = told.len();
        let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}");
        stream.write_all(format!("{head}\r\n\r\n{told}").as_bytes()).unwrap();
    })
}

fn read_body(stream: &mut TcpStream, head: &str) -> String {
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).unwrap();
    String::from_utf8(body).unwrap()
}

const TEAPOT: &str = "HTTP/1.1 418 I'm a teapot\r\nContent-Length: 5\r\nConnection: close\r\n\
    X-Tea: yes\r\nAlt-Svc: h3\r\nPortcullis-User: forged\r\nSet-Cookie: a=1\r\n\
    Set-Cookie: wtsession=x\r\n\r\nshort";

const LISTENING: &str = r#"
[[mount]]
dialect = "graph"

[[mount]]
name = "second"
dialect = "graph"
path = "/second"

[[mount]]
name = "red"
dialect = "graph"
organization = RED
hosts = ["red.example"]

[[listener]]
id = "echo"
upstream = "http://ECHO/flow/in;v=1"

[[listener]]
id = "bare"
upstream = "http://ECHO"

[[listener]]
id = "passing"
upstream = "http://ECHO/"
pass_credential = true

[[listener]]
id = "telling"
upstream = "http://TELLING/"

[[listener]]
id = "teapot"
upstream = "http://TEAPOT/"

[[listener]]
id = "down"
upstream = "http://DOWN/"

[[listener]]
id = "able"
upstream = "http://ECHO/"
ability = "Moon - Reach"

[[listener]]
id = "post-only"
upstream = "http://ECHO/"
methods = ["POST"]

[[listener]]
id = "put-too"
upstream = "http://ECHO/"
methods = ["GET", "PUT"]

[[listener]]
id = "far"
upstream = "http://ECHO/"
networks = ["192.0.2.0/24"]

[[listener]]
id = "near"
upstream = "http://ECHO/"
networks = ["127.0.0.0/8"]

[[listener]]
id = "network-only"
upstream = "http://ECHO/"
schemes = []
networks = ["127.0.0.0/8", "192.0.2.0/24", "192.0.2.128/25", "2001:db8::/32"]

[[listener]]
id = "of-red"
upstream = "http://ECHO/"
organization = RED
"#;
