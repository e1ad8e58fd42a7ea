//! Hull as its callers meet it: who may do what, what becomes of what they tell, and what nobody
//! may see.

mod attacks;
mod batches;
mod bodies;
mod captured;
mod client;
mod commands;
mod credentials;
mod engines;
mod guarded;
mod identities;
mod kills;
mod links;
mod lives;
mod objects;
mod retries;
mod rights;
mod searches;
mod secrets;
mod separate;
mod traits;

use serde_json::Value;

use crate::common::{Answer, Home, Server};
use crate::upstream::{read_head, upstream};
use client::Connector;
use engines::on_each_engine;

/// One installation: a connector of the root, the dialect mounted for it and for a second realm, and
/// the firehose on a host of its own.
struct House {
    server: Server,
    /// The number of the second realm.
    red: String,
    /// A connector of the root.
    root: Connector,
}

impl House {
    fn new() -> Self {
        Self::with("")
    }

    /// With `more` in the configuration.
    fn with(more: &str) -> Self {
        Self::at_home(Home::new(), more)
    }

    fn at_home(home: Home, more: &str) -> Self {
        let red = home.json(&["org", "create", "Red", "--realm"])["number"].to_string();
        home.done(&["user", "create", "zoe"]);
        home.done(&["user", "create", "red", "--organization", &red]);
        let root = Connector::create(&home, "zoe", &[]);
        let echo = upstream(|mut stream| {
            let head = read_head(&mut stream);
            let length = head.len();
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{head}");
            drop(std::io::Write::write_all(&mut stream, answer.as_bytes()));
        });
        let config =
            format!("{more}{MOUNTS}").replace("RED", &red).replace("ECHO", &echo.to_string());
        Self { server: Server::serve(home, &config), red, root }
    }

    fn home(&self) -> &Home {
        &self.server.home
    }

    /// Makes a connector of `zoe`, of the root.
    fn connector(&self, more: &[&str]) -> Connector {
        Connector::create(self.home(), "zoe", more)
    }

    /// Makes a connector of the second realm.
    fn connector_of_red(&self) -> Connector {
        Connector::create(self.home(), "red", &["--realm", &self.red])
    }

    /// Calls with `headers`, each ending its line, and `body`.
    fn call(&self, start: &str, headers: &str, body: &str) -> Answer {
        self.call_at("hull.example", start, headers, body)
    }

    fn call_at(&self, host: &str, start: &str, headers: &str, body: &str) -> Answer {
        let length = body.len();
        self.server.ask(&format!(
            "{start} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        ))
    }

    /// What is known of whoever is called `name`, as the command tells it.
    fn subject(&self, name: &str) -> Value {
        self.home().json(&["hull", "subject", name])
    }

    /// Whether somebody is called `name`.
    fn knows(&self, name: &str) -> bool {
        self.home().run(&["hull", "subject", name]).status.success()
    }
}

/// The JSON of a body.
#[track_caller]
fn json_of(answer: &Answer) -> Value {
    let told = serde_json::from_str(answer.body());
    told.unwrap_or_else(|_| panic!("no JSON: {}", answer.0))
}

/// The JSON of a call that must be done.
#[track_caller]
fn done(answer: &Answer) -> Value {
    assert_eq!(answer.status(), 200, "{}", answer.0);
    json_of(answer)
}

const MOUNTS: &str = r#"
[[mount]]
dialect = "hull"

[[mount]]
name = "firehose"
dialect = "hull"
hosts = ["firehose.example"]

[[mount]]
name = "red"
dialect = "hull"
organization = RED
hosts = ["red.example"]

[[guard]]
name = "open"
path = "/open"
upstream = "http://ECHO"
schemes = ["connector"]

[guard.connector]
query = "true"
subjects = "true"

[[guard]]
name = "closed"
path = "/closed"
upstream = "http://ECHO"
schemes = ["connector"]
"#;
