//! `portcullis sign hub`: what a client must send.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::{Value, json};

use super::House;
use super::hub::hash;
use crate::common::{Home, text};

/// Secret, nonce and hash; the first two are the specification's own.
const VECTORS: &[[&str; 3]] = &[
    [
        "mylongsecret",
        "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        "764de4261dfb5d91314c5a565bb79378d18ff0b4799833b4f38a0bcda8d21df5",
    ],
    ["s3crét", "nonce-1", "45d0e2f9b8c562773acb02188d1b17d9f42fe456236210c6c796050d06c5b8a1"],
    ["a", "bc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
    ["ab", "c", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
];

fn sign(home: &Home, secret: &str, more: &[&str]) -> std::process::Output {
    let mut command = home.command(&[&["sign", "hub"], more].concat());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // One that refuses its arguments does not read.
    drop(child.stdin.take().unwrap().write_all(secret.as_bytes()));
    child.wait_with_output().unwrap()
}

#[test]
fn the_hashes_of_the_specification_are_made_with_and_without_a_line_end() {
    let home = Home::new();
    for [secret, nonce, expected] in VECTORS {
        assert_eq!(hash(secret, nonce), *expected);
        let told = json!({ "userId": "3", "nonce": nonce, "hash": expected });
        for secret in [(*secret).to_owned(), format!("{secret}\n"), format!("{secret}\r\n")] {
            let output = sign(&home, &secret, &["--user-id", "3", "--nonce", nonce]);
            assert!(output.status.success(), "{}", text(&output.stderr));
            let printed = text(&output.stdout);
            assert_eq!(printed.lines().count(), 1, "{printed}");
            assert_eq!(serde_json::from_str::<Value>(&printed).unwrap(), told);
        }
    }
    assert!(!home.data().exists(), "it needs no installation");
}

#[test]
fn a_nonce_that_the_hub_would_refuse_is_not_signed() {
    let home = Home::new();
    for nonce in ["", "é", "a\nb", "a\u{80}b", &"x".repeat(257)] {
        let output = sign(&home, "a secret", &["--user-id", "3", "--nonce", nonce]);
        assert!(!output.status.success() && output.stdout.is_empty(), "{nonce:?}");
        let told = text(&output.stderr);
        assert!(told.contains("nonce") && !told.contains("a secret"), "{nonce:?}: {told}");
    }
}

#[test]
fn what_is_printed_is_a_body_that_gets_a_token_and_another_each_time() {
    let house = House::new();
    let home = &house.server.home;
    let print = || {
        let output = sign(home, &house.owner.secret, &["--user-id", &house.owner.user_id]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    let (one, two) = (print(), print());
    assert_ne!(one, two);
    let hub = house.boss().with("");
    for body in [one, two] {
        let told = hub.call("POST", "/token", "application/json", &body).ok();
        let token = told["token"][0]["token"].as_str().unwrap();
        hub.with(token).get("/org").list("organizations");
    }
}
