//! A caller of the dialect in raw HTTP, who checks that every answer has the shape of all answers.

use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::common::{Answer, Home, Server, connect};

/// What `portcullis user secret` tells.
#[derive(Clone)]
pub(crate) struct Secret {
    pub(crate) user_id: String,
    pub(crate) secret: String,
}

impl Secret {
    /// Makes a user who owns organization `number`, and their secret.
    pub(crate) fn of_an_owner(home: &Home, login: &str, number: &str) -> Self {
        home.done(&["user", "create", login, "--organization", number]);
        let place = ["--organization", number, "--realm", number];
        home.done(&[&["role", "grant", "Owner", login], &place[..]].concat());
        Self::make(home, login, number)
    }

    /// Makes a secret for a user in the realm of organization `number`.
    pub(crate) fn make(home: &Home, login: &str, number: &str) -> Self {
        Self::read(&home.json(&["user", "secret", login, "--realm", number]))
    }

    /// The two members of that name.
    pub(crate) fn read(told: &Value) -> Self {
        let text = |name: &str| told[name].as_str().unwrap().to_owned();
        Self { user_id: text("user_id"), secret: text("secret") }
    }

    /// The body of a token request.
    pub(crate) fn credentials(&self, nonce: &str) -> Value {
        let hash = hash(&self.secret, nonce);
        json!({ "userId": self.user_id, "nonce": nonce, "hash": hash })
    }
}

/// What a client computes: hex SHA-256 over secret and nonce.
pub(crate) fn hash(secret: &str, nonce: &str) -> String {
    hash_of(format!("{secret}{nonce}").as_bytes())
}

/// Hex SHA-256.
pub(crate) fn hash_of(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A nonce that nobody had before.
pub(crate) fn nonce() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("nonce-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A caller at one mount, with the token it holds or none.
#[derive(Clone)]
pub(crate) struct Hub {
    address: String,
    host: String,
    prefix: String,
    pub(crate) token: String,
}

impl Hub {
    pub(crate) fn new(server: &Server, host: &str, prefix: &str) -> Self {
        let (host, prefix) = (host.to_owned(), prefix.to_owned());
        Self { address: server.address.clone(), host, prefix, token: String::new() }
    }

    /// The same caller with a token of its own.
    #[track_caller]
    pub(crate) fn sign_in(&self, secret: &Secret) -> Self {
        let answer = self.ask_token(&secret.credentials(&nonce())).ok();
        self.with(answer["token"][0]["token"].as_str().unwrap())
    }

    /// The same caller with this token.
    pub(crate) fn with(&self, token: &str) -> Self {
        Self { token: token.to_owned(), ..self.clone() }
    }

    pub(crate) fn ask_token(&self, body: &Value) -> Told {
        self.with("").post("/token", body)
    }

    pub(crate) fn get(&self, path: &str) -> Told {
        self.call("GET", path, "", "")
    }

    pub(crate) fn delete(&self, path: &str) -> Told {
        self.call("DELETE", path, "", "")
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Told {
        self.call("POST", path, JSON, &body.to_string())
    }

    pub(crate) fn put(&self, path: &str, body: &Value) -> Told {
        self.call("PUT", path, JSON, &body.to_string())
    }

    pub(crate) fn form(&self, method: &str, path: &str, body: &str) -> Told {
        self.call(method, path, FORM, body)
    }

    /// A call below `/api/v1` with this caller's token, if it has one.
    pub(crate) fn call(&self, method: &str, path: &str, content: &str, body: &str) -> Told {
        let mut headers = String::new();
        if !self.token.is_empty() {
            headers.push_str(&format!("Authorization: {}\r\n", self.token));
        }
        if !content.is_empty() {
            headers.push_str(&format!("Content-Type: {content}\r\n"));
        }
        self.send(method, &format!("/api/v1{path}"), &headers, body.as_bytes())
    }

    /// A call of any address, with these lines of header and no others but what HTTP demands.
    pub(crate) fn send(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Told {
        let (prefix, host) = (&self.prefix, &self.host);
        let length = match (method, body.len()) {
            ("GET" | "HEAD" | "DELETE", 0) => String::new(),
            (_, length) => format!("Content-Length: {length}\r\n"),
        };
        let head = format!(
            "{method} {prefix}{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
             {headers}{length}\r\n"
        );
        let mut stream = connect(&self.address);
        // A server that refuses a body need not read it.
        drop(stream.write_all(&[head.as_bytes(), body].concat()));
        Told { called: format!("{method} {prefix}{path}"), answer: Answer::read(&mut stream) }
    }
}

/// What an answer says, and to what.
pub(crate) struct Told {
    called: String,
    pub(crate) answer: Answer,
}

impl Told {
    /// The members of a success.
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.answer.status(), 200, "{}: {}", self.called, self.answer.0);
        let mut body = self.body();
        let metadata = body.as_object_mut().unwrap().remove("metadata").unwrap();
        assert_eq!((&metadata["code"], &metadata["message"]), (&json!(200), &json!("OK")));
        for name in metadata.as_object().unwrap().keys() {
            assert!(["code", "message", "next"].contains(&&**name), "{}: {name}", self.called);
        }
        body
    }

    /// What a success holds under its only key.
    #[track_caller]
    pub(crate) fn list(self, key: &str) -> Value {
        let called = self.called.clone();
        let mut body = self.ok();
        let list = body.as_object_mut().unwrap().remove(key);
        let list = list.unwrap_or_else(|| panic!("{called}: no `{key}` in {body}"));
        assert!(list.is_array() && body == json!({}), "{called}: {list} {body}");
        list
    }

    /// The only object of a success.
    #[track_caller]
    pub(crate) fn one(self, key: &str) -> Value {
        let called = self.called.clone();
        let mut list = self.list(key);
        let list = list.as_array_mut().unwrap();
        assert_eq!(list.len(), 1, "{called}: {list:?}");
        list.remove(0)
    }

    /// Where a page ends, if more follows.
    pub(crate) fn next(&self) -> Value {
        self.body()["metadata"]["next"].clone()
    }

    /// The message of a refusal.
    #[track_caller]
    pub(crate) fn refused(self, status: u16, what: &str) -> String {
        let what = format!("{what}, {}: {}", self.called, self.answer.0);
        assert_eq!(self.answer.status(), status, "{what}");
        let body = self.body();
        let message = body["metadata"]["message"].as_str().unwrap_or_else(|| panic!("{what}"));
        let metadata = json!({ "code": status, "message": message });
        assert_eq!(body, json!({ "metadata": metadata }), "{what}");
        assert!(!message.is_empty(), "{what}");
        let header = |name| self.answer.header(name);
        assert_eq!(status == 405, header("allow").is_some(), "{what}");
        assert_eq!(status == 429, header("retry-after").is_some(), "{what}");
        message.to_owned()
    }

    #[track_caller]
    fn body(&self) -> Value {
        let header = |name| self.answer.header(name).unwrap_or_default();
        assert_eq!(header("content-type"), JSON, "{}: {}", self.called, self.answer.0);
        assert_eq!(header("cache-control"), "no-store", "{}: {}", self.called, self.answer.0);
        serde_json::from_str(self.answer.body()).unwrap()
    }
}

pub(crate) const FORM: &str = "application/x-www-form-urlencoded";
pub(crate) const JSON: &str = "application/json";
