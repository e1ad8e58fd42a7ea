//! A key that may only read, and the sessions opened with it: every method, and every trick.

use serde_json::json;

use super::client::{Client, GENERATE};
use super::{House, PASSWORD};

/// Ways to ask for another method than the one that is sent.
const OVERRIDES: &[&str] = &[
    "X-HTTP-Method-Override",
    "X-HTTP-Method",
    "X-Method-Override",
    "X-Original-Method",
    "X-Forwarded-Method",
    "X-Rewrite-Method",
];

/// An Owner who proves themselves with a key that may only read, in both ways.
fn readers(house: &House) -> [Client; 2] {
    house.user("boss", &["Owner"]);
    let key = house.key("boss", &["--read-only"]);
    [house.basic("boss", &key), house.nobody().sign_in("boss", &key)]
}

fn id_of_a_key(house: &House) -> String {
    let caller = house.basic("boss", PASSWORD);
    caller.generate(&json!({ "pname": "kept" }))["id_api_key"].as_str().unwrap().to_owned()
}

#[test]
fn what_may_only_read_reads_everything_and_changes_nothing() {
    let house = House::new();
    let readers = readers(&house);
    let id = id_of_a_key(&house);
    let before = readers[0].keys();
    let path = format!("/api_keys/{id}");
    for reader in &readers {
        for collection in ["/users", "/roles", "/projects"] {
            reader.get(collection).page();
            assert_eq!(reader.call("HEAD", collection, "").status(), 200, "{collection}");
        }
        reader.get(&path).item();
        for (method, path, body) in [
            ("POST", GENERATE, "{}"),
            ("POST", GENERATE, r#"{"read_only":true}"#),
            ("PATCH", &path, r#"{"pname":"changed"}"#),
            ("PATCH", &path, r#"{"read_only":true}"#),
            ("DELETE", &path, ""),
        ] {
            reader.call(method, path, body).forbidden("it may only read");
        }
        for method in ["PUT", "TRACE", "OPTIONS", "PROPPATCH"] {
            let status = reader.call(method, &path, "{}").status();
            assert!([403, 405, 501].contains(&status), "{method}: {status}");
        }
    }
    assert_eq!(readers[0].keys(), before);
}

#[test]
fn no_header_and_no_parameter_turns_one_method_into_another() {
    let house = House::new();
    let readers = readers(&house);
    let id = id_of_a_key(&house);
    let path = format!("/api_keys/{id}");
    let before = readers[0].keys();
    let writer = house.basic("boss", PASSWORD);
    for header in OVERRIDES {
        for reader in &readers {
            let asks = |method: &str, as_if: &str| {
                let headers = format!("{}{header}: {as_if}\r\n", reader.guard());
                reader.send(method, &path, &headers, b"")
            };
            for as_if in ["DELETE", "PATCH", "POST"] {
                assert_eq!(asks("GET", as_if).item()["id_api_key"], json!(id), "{header}");
            }
            for method in ["PATCH", "DELETE"] {
                asks(method, "GET").forbidden(header);
            }
            let headers = format!("{}{header}: GET\r\n", reader.guard());
            reader.send("POST", GENERATE, &headers, b"{}").forbidden(header);
        }
        // Who may do all is not misunderstood either.
        let headers = format!("{}{header}: DELETE\r\n", writer.guard());
        assert_eq!(writer.send("GET", &path, &headers, b"").item()["id_api_key"], json!(id));
    }
    for query in ["_method=DELETE", "_method=PATCH", "X-HTTP-Method-Override=DELETE"] {
        let told = readers[1].get(&format!("{path}?{query}"));
        assert!([200, 400].contains(&told.status()), "{query}: {}", told.answer.0);
    }
    assert_eq!(readers[0].keys(), before);
}

#[test]
fn what_may_only_read_can_sign_in_and_out() {
    let house = House::new();
    let [basic, session] = readers(&house);
    basic.log_out().forbidden("Basic has no session");
    assert_eq!(session.log_out().item(), json!({}));
    session.get("/users").forbidden("signed out");
}

#[test]
fn a_key_that_becomes_read_only_takes_its_sessions_along() {
    let house = House::new();
    house.user("zoe", &["API Key Generate", "API Key Sign In"]);
    let writer = house.sign_in("zoe");
    let made = writer.generate(&json!({}));
    let session = house.nobody().sign_in("zoe", made["display_key"].as_str().unwrap());
    session.generate(&json!({}));
    let path = format!("/api_keys/{}", made["id_api_key"].as_str().unwrap());
    assert_eq!(writer.patch(&path, &json!({ "read_only": true })).item()["read_only"], json!(true));
    session.post(GENERATE, &json!({})).forbidden("it may only read now");
    session.get("/users").page();
    for value in [json!(false), json!("true"), json!(1)] {
        let told = writer.patch(&path, &json!({ "read_only": &value }));
        told.refused(400, &value.to_string());
    }
    assert_eq!(writer.get(&path).item()["read_only"], json!(true));
}
