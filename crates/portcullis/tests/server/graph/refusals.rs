//! Every refusal, on both forms, to the letter.

use super::{House, LISTENERS, PASSWORD, zoe};
use crate::common::basic;

/// The challenges of a listener, the one of tokens in the words of a stranger.
const CHALLENGES: &[&str] = &[
    r#"www-authenticate: Basic realm="portcullis", charset="UTF-8""#,
    r#"www-authenticate: Bearer realm="portcullis""#,
    r#"www-authenticate: SharedSecret realm="portcullis""#,
];
/// The same, for whoever sent a token (RFC 6750, section 3.1).
const BAD_TOKEN: &[&str] = &[
    r#"www-authenticate: Basic realm="portcullis", charset="UTF-8""#,
    r#"www-authenticate: Bearer realm="portcullis", error="invalid_token""#,
    r#"www-authenticate: SharedSecret realm="portcullis""#,
];
const GET_AND_POST: &[&str] = &["allow: GET, HEAD, POST"];

/// What is told: a status, the word for it, and the headers that go with it.
type Told = (u16, &'static str, &'static [&'static str]);

/// A refusal in both forms.
fn check(house: &House, (start, headers): (&str, &str), (status, word, more): Told) {
    let envelope = format!(r#"{{"meta":{{"code":{status},"messages":["{word}"]}}}}"#);
    let html = "content-type: text/html; charset=utf-8";
    let (form, any) = (format!("{start}/dc"), "access-control-allow-origin: *");
    for (start, body, own) in
        [(start, &*envelope, &["content-type: application/json"][..]), (&form, word, &[any, html])]
    {
        let told = house.call(start, headers, "").anonymous();
        let (head, told_body) = told.split_once("\n\n").unwrap();
        let mut lines: Vec<&str> = head.lines().collect();
        lines.sort_unstable();
        let status = status.to_string();
        let mut expected = [&[&*status, "cache-control: no-store"], own].concat();
        expected.extend(more);
        expected.sort_unstable();
        assert_eq!((lines, told_body), (expected, body), "{start} {headers}");
    }
}

#[test]
fn every_refusal_has_its_status_and_one_word_on_both_forms() {
    let house = House::new();
    let good = zoe();
    let bad = format!("{}\r\n", basic("zoe", "wrong"));
    let nobody = format!("{}\r\n", basic("nobody", PASSWORD));
    let red = format!("{}\r\n", basic("red", PASSWORD));
    let malformed = "Authorization: Basic x\r\n".to_owned();
    let long = format!("Authorization: Basic {}\r\n", "a".repeat(9_000));
    let cases: &[(&str, &str, Told)] = &[
        ("GET /echo", "", (401, "Unauthorised", CHALLENGES)),
        ("POST /echo", &bad, (401, "Unauthorised", CHALLENGES)),
        ("POST /echo", &nobody, (401, "Unauthorised", CHALLENGES)),
        ("POST /echo", &red, (401, "Unauthorised", CHALLENGES)),
        ("POST /echo", &malformed, (401, "Unauthorised", CHALLENGES)),
        ("GET /echo", "Authorization: Bearer x\r\n", (401, "Unauthorised", BAD_TOKEN)),
        ("GET /able", &good, (403, "Forbidden", &[])),
        ("GET /far", "", (403, "Forbidden", &[])),
        ("GET /far", &good, (403, "Forbidden", &[])),
        ("GET /far", &bad, (403, "Forbidden", &[])),
        ("DELETE /far", &good, (403, "Forbidden", &[])),
        ("GET /unknown", "", (404, "Not Found", &[])),
        ("GET /unknown", &good, (404, "Not Found", &[])),
        ("DELETE /unknown", &good, (404, "Not Found", &[])),
        ("GET /Echo", &good, (404, "Not Found", &[])),
        ("GET /%25", &good, (404, "Not Found", &[])),
        ("GET /of-red", &good, (404, "Not Found", &[])),
        ("DELETE /echo", &good, (405, "Method Not Allowed", GET_AND_POST)),
        ("PATCH /echo", "", (405, "Method Not Allowed", GET_AND_POST)),
        ("OPTIONS /echo", "", (405, "Method Not Allowed", GET_AND_POST)),
        ("OPTIONS /echo", &bad, (405, "Method Not Allowed", GET_AND_POST)),
        ("BREW /echo", &good, (405, "Method Not Allowed", GET_AND_POST)),
        ("GET /post-only", &good, (405, "Method Not Allowed", &["allow: POST"])),
        ("POST /put-too", &good, (405, "Method Not Allowed", &["allow: GET, PUT, HEAD"])),
        ("GET /down", &good, (502, "Bad Gateway", &[])),
    ];
    for (start, headers, expected) in cases {
        let start = start.replace(" /", &format!(" {LISTENERS}/"));
        check(&house, (&start, headers), *expected);
    }
    // What has no single meaning reached neither form, and is told plainly.
    for (start, headers, code, word) in [
        (format!("GET {LISTENERS}/echo/../x/dc"), &good, 400, "Bad Request"),
        (format!("GET {LISTENERS}/echo/dc"), &format!("{good}{good}"), 400, "Bad Request"),
        (format!("GET {LISTENERS}/echo/dc"), &long, 431, "Request Header Fields Too Large"),
    ] {
        let answer = house.call(&start, headers, "");
        let body = format!("{{\"meta\":{{\"code\":{code},\"messages\":[\"{word}\"]}}}}");
        assert_eq!((answer.status(), answer.body()), (code, &*body), "{start}");
    }
}

#[test]
fn a_refusal_of_head_has_the_same_head_and_no_body() {
    let house = House::new();
    for (path, status) in [("echo", 401), ("echo/dc", 401), ("unknown/dc", 404), ("far", 403)] {
        let [get, head] = ["GET", "HEAD"]
            .map(|method| house.call(&format!("{method} {LISTENERS}/{path}"), "", ""));
        assert_eq!((head.status(), head.body()), (status, ""), "{path}");
        assert_eq!(head.header("content-length"), get.header("content-length"), "{path}");
        assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
    }
}

#[test]
fn what_lies_beside_the_listeners_is_not_found_in_the_words_of_the_api() {
    let house = House::new();
    for path in [
        "/api/v1/listener",
        "/api/v1/listener/",
        "/api/v1/listener/echo/",
        "/api/v1/listener/echo/x",
        "/api/v1/listener/echo/dc/",
        "/api/v1/listener/echo/dc/dc",
        "/api/v1/listener/echo/DC",
        "/second/api/v1/listener/echo/x",
        "/second/else",
    ] {
        let answer = house.zoe(&format!("GET {path}"), "");
        let body = r#"{"meta":{"code":404,"messages":["Not Found"]}}"#;
        assert_eq!((answer.status(), answer.body()), (404, body), "{path}");
    }
    for path in ["/api/v1/listeners", "/api/v1", "/else"] {
        let answer = house.zoe(&format!("GET {path}"), "");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{path}");
    }
}

#[test]
fn after_too_many_wrong_passwords_a_caller_is_told_how_long_to_wait_on_both_forms() {
    let house = House::new();
    let bad = format!("{}\r\n", basic("zoe", "wrong"));
    for (form, word) in [
        ("", r#"{"meta":{"code":429,"messages":["Too Many Requests"]}}"#),
        ("/dc", "Too Many Requests"),
    ] {
        let guess = || house.call(&format!("GET {LISTENERS}/echo{form}"), &bad, "");
        let mut answers = std::iter::repeat_with(guess).take(50);
        let answer = answers.find(|answer| answer.status() != 401).unwrap();
        assert_eq!((answer.status(), answer.body()), (429, word));
        let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=900).contains(&seconds), "{seconds}");
        assert!(answer.header("www-authenticate").is_none());
    }
}
