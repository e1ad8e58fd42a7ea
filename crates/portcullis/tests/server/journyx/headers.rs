//! The three headers that every changing call must carry: missing, wrong, and in each form.

use serde_json::json;

use super::client::{Client, GENERATE};
use super::{House, PASSWORD, SITE};

const ORIGIN: &str = "Origin: site.example";
const ACCEPT: &str = "Accept: application/json";
const REQUESTED: &str = "X-Requested-With: XMLHttpRequest";

/// Headers that will do.
const GOOD: &[&[&str]] = &[
    &[ORIGIN, ACCEPT, REQUESTED],
    &["Origin: SITE.Example", ACCEPT, REQUESTED],
    &["Origin: http://site.example", ACCEPT, REQUESTED],
    &["Origin: https://site.example", ACCEPT, REQUESTED],
    &["Origin: HTTPS://SITE.EXAMPLE", ACCEPT, REQUESTED],
    &[ORIGIN, "Accept: */*", REQUESTED],
    &[ORIGIN, "Accept: text/html, application/json;q=0.9", REQUESTED],
    &[ORIGIN, "Accept: application/json, text/plain, */*", REQUESTED],
    &[ORIGIN, ACCEPT, "X-Requested-With: xmlhttprequest"],
    &["origin: site.example", "accept: application/json", "x-requested-with: XMLHTTPREQUEST"],
];

/// Headers that will not, one by one and together.
const BAD: &[&[&str]] = &[
    &[],
    &[ACCEPT, REQUESTED],
    &[ORIGIN, REQUESTED],
    &[ORIGIN, ACCEPT],
    &["Origin: null", ACCEPT, REQUESTED],
    &["Origin:", ACCEPT, REQUESTED],
    &["Origin: *", ACCEPT, REQUESTED],
    &["Origin: evil.example", ACCEPT, REQUESTED],
    &["Origin: https://evil.example", ACCEPT, REQUESTED],
    &["Origin: site.example.evil.example", ACCEPT, REQUESTED],
    &["Origin: evilsite.example", ACCEPT, REQUESTED],
    &["Origin: sub.site.example", ACCEPT, REQUESTED],
    &["Origin: https://site.example@evil.example", ACCEPT, REQUESTED],
    &["Origin: https://evil.example/site.example", ACCEPT, REQUESTED],
    &["Origin: https://site.example/", ACCEPT, REQUESTED],
    &["Origin: https://site.example:8443", ACCEPT, REQUESTED],
    &["Origin: site.example:8443", ACCEPT, REQUESTED],
    &["Origin: ftp://site.example", ACCEPT, REQUESTED],
    &["Origin: //site.example", ACCEPT, REQUESTED],
    &["Origin: https://", ACCEPT, REQUESTED],
    &["Origin: site.example, evil.example", ACCEPT, REQUESTED],
    &["Origin: site.example evil.example", ACCEPT, REQUESTED],
    &[ORIGIN, "Origin: evil.example", ACCEPT, REQUESTED],
    &["Referer: https://site.example/", ACCEPT, REQUESTED],
    &[ORIGIN, "Accept:", REQUESTED],
    &[ORIGIN, "Accept: text/html", REQUESTED],
    &[ORIGIN, "Accept: application/xml, text/*", REQUESTED],
    &[ORIGIN, ACCEPT, "X-Requested-With:"],
    &[ORIGIN, ACCEPT, "X-Requested-With: fetch"],
    &[ORIGIN, ACCEPT, "X-Requested-With: XMLHttpRequests"],
];

fn lines(headers: &[&str]) -> String {
    headers.iter().map(|line| format!("{line}\r\n")).collect()
}

/// What a caller can ask that changes something.
fn changes(id: &str) -> [(&'static str, String, &'static str); 4] {
    [
        ("POST", GENERATE.to_owned(), r#"{"pname":"must not come"}"#),
        ("PATCH", format!("/api_keys/{id}"), r#"{"pname":"must not come"}"#),
        ("DELETE", format!("/api_keys/{id}"), ""),
        ("POST", "/logout".to_owned(), ""),
    ]
}

#[test]
fn a_changing_call_without_all_three_headers_is_refused_and_changes_nothing() {
    let house = House::new();
    house.user("zoe", &["API Key Generate", "API Key Sign In"]);
    let session = house.sign_in("zoe");
    let id = session.generate(&json!({}))["id_api_key"].as_str().unwrap().to_owned();
    let before = session.keys();
    for caller in [&session, &house.basic("zoe", PASSWORD)] {
        for headers in BAD {
            for (method, path, body) in changes(&id) {
                let told = caller.send(method, &path, &lines(headers), body.as_bytes());
                told.forbidden(&format!("{headers:?}"));
            }
        }
    }
    assert_eq!(session.keys(), before);
}

#[test]
fn nobody_signs_in_without_all_three_headers() {
    let house = House::new();
    house.user("zoe", &[]);
    let body = json!({ "username": "zoe", "password": PASSWORD }).to_string();
    for headers in BAD {
        let told = house.nobody().send("POST", "/login", &lines(headers), body.as_bytes());
        told.forbidden(&format!("{headers:?}"));
    }
    for headers in GOOD {
        house.nobody().send("POST", "/login", &lines(headers), body.as_bytes()).login();
    }
}

#[test]
fn each_good_form_of_the_headers_lets_every_changing_call_pass() {
    let house = House::new();
    house.user("zoe", &["API Key Generate", "API Key Sign In"]);
    for headers in GOOD {
        let caller = house.sign_in("zoe");
        let send = |method: &str, path: &str, body: &str| {
            caller.send(method, path, &lines(headers), body.as_bytes())
        };
        let made = send("POST", GENERATE, "{}").item();
        let path = format!("/api_keys/{}", made["id_api_key"].as_str().unwrap());
        assert_eq!(send("PATCH", &path, r#"{"pname":"new"}"#).item()["pname"], json!("new"));
        assert_eq!(send("DELETE", &path, "").item(), json!({}));
        assert_eq!(send("POST", "/logout", "").item(), json!({}));
    }
}

#[test]
fn an_origin_may_name_the_port_that_the_request_was_sent_to() {
    let house = House::new();
    house.user("zoe", &[]);
    let body = json!({ "username": "zoe", "password": PASSWORD }).to_string();
    let caller = house.at("site.example:8443");
    let ask = |origin: &str| {
        let origin = format!("Origin: {origin}");
        caller.send("POST", "/login", &lines(&[&origin, ACCEPT, REQUESTED]), body.as_bytes())
    };
    for origin in ["site.example:8443", "site.example", "https://site.example:8443"] {
        ask(origin).login();
    }
    for origin in ["site.example:84", "site.example:", "https://site.example:443", "other:8443"] {
        ask(origin).forbidden(origin);
    }
}

#[test]
fn reading_needs_no_header_but_the_credential() {
    let house = House::new();
    house.user("zoe", &[]);
    for caller in [house.sign_in("zoe"), house.basic("zoe", PASSWORD)] {
        for headers in ["", "Origin: https://evil.example\r\n", "Origin: null\r\n"] {
            caller.send("GET", "/users", headers, b"").page();
        }
        let head = caller.send("HEAD", "/users", "", b"");
        assert_eq!((head.status(), head.answer.body()), (200, ""));
    }
}

#[test]
fn a_host_cannot_be_smuggled_in_by_another_header() {
    let house = House::new();
    house.user("zoe", &[]);
    let caller: Client = house.sign_in("zoe");
    for line in ["X-Forwarded-Host: evil.example", "Forwarded: host=evil.example"] {
        let headers = lines(&["Origin: evil.example", ACCEPT, REQUESTED, line]);
        caller.send("POST", "/logout", &headers, b"").forbidden(line);
    }
    assert_eq!(caller.at(SITE).log_out().item(), json!({}));
}
