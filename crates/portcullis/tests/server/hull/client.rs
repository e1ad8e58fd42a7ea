//! A connector, and what it sends: tokens on behalf of subjects, single calls and batches.

use std::fs::File;
use std::io::Write as _;

use portcullis_core::scheme::connector::sign;
use portcullis_core::secret::SecretBuf;
use serde_json::{Value, json};

use super::{House, json_of};
use crate::common::{Answer, Home, connect};

/// When tokens say that they were issued.
const ISSUED: i64 = 1_700_000_000;

/// An id with the secret that goes with it.
#[derive(Clone)]
pub(crate) struct Connector {
    pub(crate) id: String,
    pub(crate) secret: String,
}

impl Connector {
    pub(crate) fn create(home: &Home, login: &str, more: &[&str]) -> Self {
        let made = home.json(&[&["connector", "create", login][..], more].concat());
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        Self { id: text("id"), secret: text("secret") }
    }

    /// Takes over what programs have already.
    pub(crate) fn import(home: &Home, id: &str, secret: &str, more: &[&str]) -> Self {
        let words = ["connector", "create", "zoe", "--id", id, "--import"];
        let mut command = home.command(&[&words[..], more].concat());
        let file = File::open(home.write("imported", &format!("{secret}\n"))).unwrap();
        let output = command.stdin(file).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Self { id: id.to_owned(), secret: secret.to_owned() }
    }

    /// The two headers, with the secret.
    pub(crate) fn headers(&self) -> String {
        self.bearing(&self.secret)
    }

    /// The two headers, with this token.
    pub(crate) fn bearing(&self, token: &str) -> String {
        format!("Hull-App-Id: {}\r\nHull-Access-Token: {token}\r\n", self.id)
    }

    /// The header with the id alone.
    pub(crate) fn named(&self) -> String {
        format!("Hull-App-Id: {}\r\n", self.id)
    }

    /// A token with these claims beside `iss` and `iat`, which they may replace.
    pub(crate) fn token(&self, claims: &Value) -> String {
        let mut whole = json!({ "iss": self.id, "iat": ISSUED });
        whole.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        let signed = sign(&SecretBuf::new(&*self.secret), &whole.to_string());
        signed.expose_text().to_owned()
    }

    /// A token on behalf of the user with these identifiers.
    pub(crate) fn user(&self, identifiers: &Value) -> String {
        self.token(&json!({ "io.hull.asUser": identifiers, "io.hull.subjectType": "user" }))
    }

    /// The same, with the rights of the connector.
    pub(crate) fn admin(&self, identifiers: &Value) -> String {
        self.token(&json!({ "io.hull.asUser": identifiers, "scopes": ["admin"] }))
    }

    /// A token on behalf of the account with these identifiers.
    pub(crate) fn account(&self, identifiers: &Value) -> String {
        self.token(&json!({ "io.hull.asAccount": identifiers, "io.hull.subjectType": "account" }))
    }

    /// Tells one thing in a call of its own.
    #[track_caller]
    pub(crate) fn tell(&self, house: &House, what: &str, token: &str, body: &Value) -> Answer {
        let start = format!("POST /api/v1/{what}");
        house.call(&start, &self.bearing(token), &body.to_string())
    }

    /// Tells traits, which must be taken.
    #[track_caller]
    pub(crate) fn traits(&self, house: &House, token: &str, traits: &Value) {
        let answer = self.tell(house, "me/traits", token, traits);
        assert_eq!(answer.status(), 200, "{traits}: {}", answer.0);
    }

    /// What is known of the user with these identifiers, as an admin is told.
    #[track_caller]
    pub(crate) fn me(&self, house: &House, identifiers: &Value) -> Value {
        let token = self.admin(identifiers);
        super::done(&house.call("GET /api/v1/me", &self.bearing(&token), ""))
    }

    /// Sends a batch with the secret on top.
    pub(crate) fn send(&self, house: &House, batch: &Value) -> Answer {
        self.send_to(&house.server.address, batch)
    }

    /// The same, from any thread.
    pub(crate) fn send_to(&self, address: &str, batch: &Value) -> Answer {
        let mut stream = connect(address);
        stream.write_all(self.request(batch).as_bytes()).unwrap();
        Answer::read(&mut stream)
    }

    /// The request with a batch and the secret on top.
    pub(crate) fn request(&self, batch: &Value) -> String {
        let body = batch.to_string();
        format!(
            "POST /api/v1/firehose HTTP/1.1\r\nHost: any\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n{}\r\n{body}",
            body.len(),
            self.headers()
        )
    }
}

/// One entry of a batch.
pub(crate) fn entry(kind: &str, body: &Value, token: &str) -> Value {
    json!({ "type": kind, "body": body, "headers": { "Hull-Access-Token": token },
        "timestamp": "2026-11-22T06:11:19.007Z" })
}

/// A batch of these, dated `number`: another number is another batch.
pub(crate) fn batch(entries: &[Value], number: u32) -> Value {
    let moment = format!("2026-11-22T06:11:19.{number:03}Z");
    json!({ "batch": entries, "timestamp": moment, "sentAt": moment })
}

/// What is told of each bad entry: its index and its status.
#[track_caller]
pub(crate) fn bad_entries(answer: &Answer) -> Vec<(u64, u64)> {
    let told = json_of(answer);
    let errors = told["errors"].as_array().unwrap_or_else(|| panic!("{told}")).iter();
    let pair = |it: &Value| {
        assert!(it["error"].as_str().is_some_and(|it| !it.is_empty()), "{it}");
        (it["index"].as_u64().unwrap(), it["status"].as_u64().unwrap())
    };
    errors.map(pair).collect()
}
