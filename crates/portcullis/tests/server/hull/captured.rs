//! The very requests that the vendor's clients send, byte for byte as they were recorded.

use serde_json::{Value, json};

use super::client::Connector;
use super::{House, done};
use crate::common::Answer;

const ID: &str = "5a7962e2793d3e942a03b29a";
const SECRET: &str = "s3cr3t-connector-secret-0123456789";
/// `bob@bob.com`, who is 42.
const TOKEN: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJpc3MiOiI1YTc5NjJlMjc5M2QzZTk0MmEwM2Iy\
    OWEiLCJpYXQiOjE3OTUzMjc4NzcsImlvLmh1bGwuYXNVc2VyIjp7ImVtYWlsIjoiYm9iQGJvYi5jb20iLCJleHRlcm5hbF9\
    pZCI6IjQyIn0sImlvLmh1bGwuc3ViamVjdFR5cGUiOiJ1c2VyIn0.SqFzwxJvhebOt-nurGcOqwzCJN8uQz6ji4MgBeghV4\
    s";

/// The head that `hull-client` 2.0.4 sends, up to the length of the body.
fn head(start: &str, token: &str) -> String {
    format!(
        "{start} HTTP/1.1\r\nHost: 127.0.0.1:39793\r\nAccept-Encoding: gzip, deflate\r\n\
         User-Agent: Hull Node Client version: 2.0.4\r\nContent-Type: application/json\r\n\
         Hull-App-Id: {ID}\r\nHull-Access-Token: {token}\r\nHull-Organization: 127.0.0.1:39793\r\n"
    )
}

struct Captured {
    house: House,
    connector: Connector,
}

impl Captured {
    fn new() -> Self {
        let house = House::new();
        let connector = Connector::import(house.home(), ID, SECRET, &[]);
        Self { house, connector }
    }

    fn get(&self, path: &str, token: &str) -> Answer {
        let start = format!("GET /api/v1/{path}");
        self.house.server.ask(&format!("{}Connection: close\r\n\r\n", head(&start, token)))
    }

    fn send(&self, start: &str, token: &str, body: &str) -> Answer {
        self.house.server.ask(&format!(
            "{}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            head(start, token),
            body.len()
        ))
    }

    /// The envelope of 9.4, around these entries.
    fn flush(&self, entries: &[String], token: &str) -> Answer {
        let body = format!(
            "{{\"batch\":[{}],\"timestamp\":\"2026-11-22T06:11:19.061Z\",\
             \"sentAt\":\"2026-11-22T06:11:19.061Z\"}}",
            entries.join(",")
        );
        self.send("POST /api/v1/firehose", token, &body)
    }
}

fn entry(kind: &str, body: &str, token: &str) -> String {
    format!(
        "{{\"type\":\"{kind}\",\"body\":{body},\"headers\":{{\"Hull-Access-Token\":\"{token}\"}},\
         \"timestamp\":\"2026-11-22T06:11:19.007Z\"}}"
    )
}

#[test]
fn reading_the_app_and_the_subject() {
    let it = Captured::new();
    // 9.1
    let app = done(&it.get("app", SECRET));
    assert_eq!((&app["id"], &app["private_settings"]), (&json!(ID), &json!({})));
    // 9.2: the secret names no subject, and a user is not told of itself.
    assert_eq!(it.get("me", SECRET).status(), 401);
    assert_eq!(it.get("me", TOKEN).status(), 403);
    // 9.3
    let query = "users_segments?limit=2&page=1&q=a%20b%26c";
    assert_eq!(done(&it.get(query, SECRET)), json!([]));
    let app = format!("/api/v1/{ID}");
    let put = it.send(&format!("PUT {app}"), SECRET, "{\"private_settings\":{\"x\":1}}");
    assert_eq!(done(&put)["private_settings"], json!({ "x": 1 }));
    let put = it.send("PUT /api/v1/me/traits", TOKEN, "{\"name\":\"Bob\"}");
    done(&put);
    let body = "{\"event\":\"e\",\"properties\":{}}";
    done(&it.send("POST /api/v1/t", TOKEN, body));
    let known = it.house.subject("external_id=42");
    assert_eq!(known["identifiers"]["email"], json!(["bob@bob.com"]));
    assert_eq!(known["traits"], json!({ "name": "Bob" }));
    assert_eq!(known["events"][0]["event"], "e");
    // What the middleware asks for first.
    assert_eq!(done(&it.get(ID, SECRET))["private_settings"], json!({ "x": 1 }));
    let id = known["id"].as_str().unwrap();
    done(&it.send(&format!("DELETE /api/v1/{id}"), SECRET, "{}"));
    assert!(!it.house.knows("external_id=42"));
}

#[test]
fn a_flush_of_traits_to_the_letter() {
    let it = Captured::new();
    let body = "{\"name\":\"Bob\",\"n\":{\"operation\":\"inc\",\"value\":1}}";
    // 9.4, at both addresses of the firehose.
    let traits = entry("traits", body, TOKEN);
    let answer = it.flush(std::slice::from_ref(&traits), SECRET);
    assert_eq!((answer.status(), answer.body()), (204, ""), "{}", answer.0);
    assert_eq!(it.house.subject("external_id=42")["traits"], json!({ "name": "Bob", "n": 1 }));
    let envelope = format!(
        "{{\"batch\":[{traits}],\"timestamp\":\"2026-11-22T06:11:19.062Z\",\
         \"sentAt\":\"2026-11-22T06:11:19.062Z\"}}"
    );
    assert_eq!(envelope.len(), 502, "as long as it was recorded");
    let head =
        head("POST /", SECRET).replace("127.0.0.1:39793\r\nAccept", "firehose.example\r\nAccept");
    let answer = it.house.server.ask(&format!(
        "{head}Content-Length: {}\r\nConnection: close\r\n\r\n{envelope}",
        envelope.len()
    ));
    assert_eq!(answer.status(), 204, "{}", answer.0);
    assert_eq!(it.house.subject("external_id=42")["traits"]["n"], 2);
}

#[test]
fn a_flush_of_every_kind_of_entry() {
    let it = Captured::new();
    let issued = json!({ "iss": ID, "iat": 1_795_327_877 });
    let token = |claims: Value| {
        let mut whole = issued.clone();
        whole.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        it.connector.token(&whole)
    };
    let account = token(json!({
        "io.hull.asAccount": { "domain": "bob.com" }, "io.hull.subjectType": "account",
    }));
    let linked = token(json!({
        "io.hull.asUser": { "email": "bob@bob.com", "external_id": "42" },
        "io.hull.asAccount": { "domain": "bob.com" }, "io.hull.subjectType": "account",
    }));
    let by_id = token(json!({
        "sub": "51fa7afd09e50d11f1000002", "scopes": ["admin"], "io.hull.create": false,
        "io.hull.active": true, "io.hull.subjectType": "user",
    }));
    let track = "{\"ip\":null,\"url\":null,\"referer\":null,\"source\":\"x\",\
        \"event_id\":\"ev-1\",\"properties\":{\"p\":1},\"event\":\"Viewed\"}";
    let named = "{\"anonymous_id\":\"s:1\"}";
    // 9.5
    let answer = it.flush(
        &[
            entry("track", track, TOKEN),
            entry("alias", named, TOKEN),
            entry("traits", "{\"name\":\"Bob Inc\"}", &account),
            entry("traits", "{\"k\":1}", &linked),
            entry("traits", "{\"x\":1}", &by_id),
        ],
        SECRET,
    );
    assert_eq!(answer.status(), 204, "{}", answer.0);
    let known = it.house.subject("anonymous_id=s:1");
    assert_eq!(known["identifiers"]["external_id"], json!(["42"]));
    assert_eq!(known["events"][0]["properties"], json!({ "p": 1 }));
    assert_eq!(known["events"][0]["context"], json!({ "source": "x" }));
    let company = it.house.subject("domain=bob.com");
    assert_eq!(company["traits"], json!({ "name": "Bob Inc", "k": 1 }));
    assert_eq!(known["account"], company["id"]);
    assert!(!it.house.knows("51fa7afd09e50d11f1000002"));
    assert_eq!(it.flush(&[entry("unalias", named, TOKEN)], SECRET).status(), 204);
    assert!(!it.house.knows("anonymous_id=s:1"));
}

#[test]
fn a_token_on_top_is_taken_and_an_entry_of_nobody_is_not() {
    let it = Captured::new();
    // 9.6
    let top = it.connector.token(&json!({
        "io.hull.asUser": { "email": "bob@bob.com" }, "io.hull.subjectType": "user",
    }));
    let answer = it.flush(&[entry("traits", "{\"a\":1}", TOKEN)], &top);
    assert_eq!(answer.status(), 204, "{}", answer.0);
    // 9.7
    let unscoped = "{\"type\":\"traits\",\"body\":{},\"headers\":{},\
        \"timestamp\":\"2026-11-22T06:11:19.007Z\"}";
    let answer = it.flush(&[unscoped.to_owned()], SECRET);
    assert_eq!(answer.status(), 401, "{}", answer.0);
    assert_eq!(
        super::json_of(&answer),
        json!({ "status": 401, "message": "Unauthorized",
            "errors": [{ "index": 0, "status": 401, "error": "invalid token" }] })
    );
}
