//! Expert as its callers meet it: servers that sign, browsers that are sent on, and who forges.

mod attacks;
mod browser;
mod exchange;
mod forgeries;
mod formats;
mod forwarding;
mod keys;
mod leaks;
mod redirects;
mod sessions;
mod signing;
mod users;

use std::sync::atomic::{AtomicI64, Ordering};

use portcullis_core::scheme::signature::{Form, sign};
use portcullis_core::seal::MacKey;
use portcullis_core::time::Timestamp;
use serde_json::Value;

use crate::common::{Answer, Home, Server, basic};

/// The site, wherever it is reached.
const SITE: &str = "https://help.example.com";
/// The password of whoever has one.
const PASSWORD: &str = "correct horse battery";
/// The site's mount, in a configuration.
const MOUNT: &str = "[[mount]]\nname = \"help\"\ndialect = \"expert\"\n\
                     origin = \"https://help.example.com\"\n";

/// A server token, as whoever integrates has it.
#[derive(Clone)]
struct Key {
    key: String,
    secret: String,
    form: Form,
}

impl Key {
    fn read(made: &Value) -> Self {
        let text = |name: &str| made[name].as_str().unwrap_or_default().to_owned();
        Self { key: text("key"), secret: text("secret"), form: Form::Documented }
    }

    /// Signed now.
    fn sign(&self, user: &str) -> String {
        self.sign_at(now(), user)
    }

    /// Signed at this second.
    fn sign_at(&self, epoch: i64, user: &str) -> String {
        let secret = MacKey::of_text(self.secret.as_bytes());
        let now = Timestamp::from_millis(epoch * 1_000);
        sign(self.form, (&self.key, &secret), now, user).unwrap().expose_text().to_owned()
    }
}

/// The second it is.
fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// One installation with an owner, `boss`, who answers for a server token.
struct House {
    server: Server,
    key: Key,
    made: AtomicI64,
}

impl House {
    fn new() -> Self {
        Self::with(MOUNT)
    }

    /// With this configuration.
    fn with(config: &str) -> Self {
        let home = Home::new();
        home.done(&["user", "create", "boss"]);
        home.done(&["role", "grant", "Owner", "boss"]);
        home.done(&["role", "grant", "Owner", "admin"]);
        let key = Key::read(&home.json(&["server-token", "create", "boss"]));
        let server = Server::serve(home, config);
        Self { server, key, made: AtomicI64::new(0) }
    }

    fn home(&self) -> &Home {
        &self.server.home
    }

    /// Another key of `boss`.
    fn key(&self, more: &[&str]) -> Key {
        self.made.fetch_add(1, Ordering::Relaxed);
        Key::read(&self.home().json(&[&["server-token", "create", "boss"], more].concat()))
    }

    /// Makes a user who may sign in by password.
    fn user(&self, login: &str) {
        self.home().done(&["user", "create", login]);
        assert!(self.home().set_password(login, PASSWORD).status.success());
    }

    /// How many users the site has.
    fn count(&self) -> usize {
        self.home().done(&["--json", "user", "list"]).lines().count()
    }

    /// Calls `path` below the API with these lines of headers.
    #[track_caller]
    fn call(&self, method: &str, path: &str, headers: &[&str]) -> Answer {
        self.send(method, path, headers, "")
    }

    fn send(&self, method: &str, path: &str, headers: &[&str], body: &str) -> Answer {
        let lines: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
        self.server.ask(&format!(
            "{method} /@api/deki/{path} HTTP/1.1\r\nHost: help.example.com\r\nConnection: close\r\n\
             Content-Length: {}\r\n{lines}\r\n{body}",
            body.len()
        ))
    }

    /// Calls on behalf of `user`.
    #[track_caller]
    fn signed(&self, method: &str, path: &str, user: &str) -> Answer {
        self.call(method, path, &[&token(&self.key.sign(user))])
    }

    /// As whom a call with these headers is made.
    #[track_caller]
    fn who(&self, headers: &[&str]) -> String {
        let answer = self.call("GET", "users/current?dream.out.format=json", headers);
        assert_eq!(answer.status(), 200, "{}", answer.0);
        json(&answer)["username"].as_str().unwrap().to_owned()
    }

    /// The session that the exchange gives to `user`.
    #[track_caller]
    fn session(&self, user: &str) -> String {
        let answer = self.signed("GET", "users/authenticate", user);
        assert_eq!(answer.status(), 200, "{}", answer.0);
        answer.body().to_owned()
    }

    fn basic(&self, login: &str) -> Answer {
        self.call("GET", "users/authenticate", &[&basic(login, PASSWORD)])
    }
}

/// The header of a token.
fn token(text: &str) -> String {
    format!("X-Deki-Token: {text}")
}

/// The header of a session.
fn cookie(session: &str) -> String {
    format!("Cookie: authtoken=\"{session}\"")
}

#[track_caller]
fn json(answer: &Answer) -> Value {
    serde_json::from_str(answer.body()).unwrap_or_else(|_| panic!("no JSON: {}", answer.0))
}

/// Whether the answer gives or promises anything to whoever asked.
#[track_caller]
fn refused(answer: &Answer, status: u16) {
    assert_eq!(answer.status(), status, "{}", answer.0);
    for name in ["set-cookie", "location"] {
        assert_eq!(answer.header(name), None, "{}", answer.0);
    }
    assert!(!answer.0.contains("pcl_auth_"), "{}", answer.0);
}
