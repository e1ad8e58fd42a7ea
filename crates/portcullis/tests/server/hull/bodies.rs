//! Bodies: how many entries, how many bytes, packed or not, and what is none.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use super::client::{batch, entry};
use super::{House, json_of};
use crate::common::Answer;

fn packed(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// Sends `body` as it is to the firehose, with `headers` beside the credential.
fn send(house: &House, headers: &str, body: &[u8]) -> Answer {
    let head = format!(
        "POST /api/v1/firehose HTTP/1.1\r\nHost: any\r\nConnection: close\r\n\
         Content-Length: {}\r\n{headers}{}\r\n",
        body.len(),
        house.root.headers()
    );
    let mut stream = house.server.connect();
    stream.write_all(head.as_bytes()).unwrap();
    // What is too long is answered before it is read.
    drop(stream.write_all(body));
    Answer::read(&mut stream)
}

#[test]
fn a_batch_is_bounded_in_entries_and_in_bytes() {
    let house = House::new();
    let connector = &house.root;
    let token = connector.user(&json!({ "email": "bob@bob.com" }));
    let inc = entry("traits", &json!({ "n": { "operation": "inc", "value": 1 } }), &token);
    for (count, status) in [(50, 204), (500, 204), (501, 400)] {
        let answer = connector.send(&house, &batch(&vec![inc.clone(); count], 1));
        assert_eq!(answer.status(), status, "{count}: {}", answer.0);
    }
    assert_eq!(house.subject("bob@bob.com")["traits"]["n"], 550);
    let padded = |bytes: usize| {
        let start = format!("{{\"batch\":[{inc}],\"sentAt\":{bytes}");
        format!("{start}{}}}", " ".repeat(bytes - start.len() - 1))
    };
    assert_eq!(send(&house, "", padded(4 << 20).as_bytes()).status(), 204);
    let answer = send(&house, "", padded((4 << 20) + 1).as_bytes());
    assert_eq!(answer.status(), 413, "{}", answer.0);
    assert_eq!(json_of(&answer)["status"], 413);
    assert_eq!(house.subject("bob@bob.com")["traits"]["n"], 551);
}

#[test]
fn a_packed_batch_is_bounded_by_what_it_unpacks_to() {
    let house = House::new();
    let connector = &house.root;
    let token = connector.user(&json!({ "email": "bob@bob.com" }));
    let inc = entry("traits", &json!({ "n": { "operation": "inc", "value": 1 } }), &token);
    let text = |number| batch(std::slice::from_ref(&inc), number).to_string();
    let gzip = "Content-Encoding: gzip\r\n";
    let bomb = packed(&vec![b' '; 200 << 20]);
    assert!(bomb.len() < 1 << 20);
    for (what, headers, body, status) in [
        ("packed", gzip, packed(text(1).as_bytes()), 204),
        ("by its old name", "Content-Encoding: x-gzip\r\n", packed(text(2).as_bytes()), 204),
        ("as it is", "Content-Encoding: identity\r\n", text(3).into_bytes(), 204),
        ("said to be packed", gzip, text(4).into_bytes(), 400),
        ("not said to be packed", "", packed(text(5).as_bytes()), 400),
        ("cut", gzip, packed(text(6).as_bytes())[..40].to_vec(), 400),
        ("in another way", "Content-Encoding: br\r\n", packed(text(7).as_bytes()), 415),
        ("in two ways", "Content-Encoding: gzip, gzip\r\n", packed(text(8).as_bytes()), 415),
        ("a bomb", gzip, bomb, 413),
    ] {
        let answer = send(&house, headers, &body);
        assert_eq!(answer.status(), status, "{what}: {}", answer.0);
    }
    assert_eq!(house.subject("bob@bob.com")["traits"]["n"], 3);
    assert!(house.server.memory() < 300 << 20);
}

#[test]
fn what_is_no_batch_is_refused_with_a_reason_that_repeats_nothing() {
    let house = House::new();
    let canary = "canary-7Q";
    for body in [
        "",
        "{",
        "[]",
        "7",
        "null",
        "{}",
        "{\"batch\":{}}",
        "{\"batch\":null}",
        "{\"batch\":[7]}",
        "{\"batch\":[{},null]}",
        "{\"batch\":[],\"batch\":[]}",
        "{\"batch\":[{\"type\":\"traits\",\"type\":\"traits\"}]}",
        "{\"canary-7Q\":canary-7Q}",
        "batch=canary-7Q",
        "{\"batch\":[]}canary-7Q",
    ] {
        let answer = send(&house, "", body.as_bytes());
        assert_eq!(answer.status(), 400, "{body}: {}", answer.0);
        assert_eq!(json_of(&answer)["status"], 400, "{body}");
        assert!(!answer.0.contains(canary), "{body}: {}", answer.0);
    }
    for body in [&b"{\"batch\":[]\xff}"[..], b"\xef\xbb\xbf{\"batch\":[]}"] {
        assert_eq!(send(&house, "", body).status(), 400, "{body:?}");
    }
    // Whatever type it says it is.
    for kind in
        ["application/json; charset=utf-8", "text/plain", "application/x-www-form-urlencoded"]
    {
        let headers = format!("Content-Type: {kind}\r\n");
        assert_eq!(send(&house, &headers, b"{\"batch\":[]}").status(), 204, "{kind}");
    }
}

#[test]
fn a_body_of_a_single_call_may_be_empty_or_packed() {
    let house = House::new();
    let connector = &house.root;
    let token = connector.user(&json!({ "email": "bob@bob.com" }));
    assert_eq!(house.call("POST /api/v1/me/traits", &connector.bearing(&token), "").status(), 200);
    let body = packed(b"{\"a\":1}");
    let head = format!(
        "PUT /api/v1/me/traits HTTP/1.1\r\nHost: any\r\nConnection: close\r\n\
         Content-Encoding: gzip\r\nContent-Length: {}\r\n{}\r\n",
        body.len(),
        connector.bearing(&token)
    );
    let mut stream = house.server.connect();
    stream.write_all(&[head.as_bytes(), &body].concat()).unwrap();
    assert_eq!(Answer::read(&mut stream).status(), 200);
    assert_eq!(house.subject("bob@bob.com")["traits"], json!({ "a": 1 }));
}
