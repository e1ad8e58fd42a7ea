//! `portcullis sign expert`: what a server sends, and where it sends a browser.

use std::io::Write as _;
use std::process::{Output, Stdio};

use super::{House, SITE, cookie, refused};
use crate::common::{Home, text};

fn sign(home: &Home, secret: &str, more: &[&str]) -> Output {
    let mut command = home.command(&[&["sign", "expert"], more].concat());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // One that refuses its arguments does not read.
    drop(child.stdin.take().unwrap().write_all(secret.as_bytes()));
    child.wait_with_output().unwrap()
}

#[test]
fn a_token_and_a_link_that_are_printed_count() {
    let house = House::new();
    let (key, secret) = (&house.key.key, format!("{}\n", house.key.secret));
    let output = sign(house.home(), &secret, &["token", "--key", key, "--user", "=zo\u{eb} & co"]);
    let header = text(&output.stdout);
    assert_eq!(house.who(&[header.trim_end()]), "Anonymous");
    let options = ["link", "--key", key, "--user", "=zo\u{eb} & co", "--origin", SITE];
    let output = sign(
        house.home(),
        &secret,
        &[&options[..], &["--redirect", "https://help.example.com/a?b=c&d"]].concat(),
    );
    assert!(output.status.success(), "{}", text(&output.stderr));
    let link = text(&output.stdout);
    let path = link.trim_end().strip_prefix("https://help.example.com/@api/deki/").unwrap();
    let answer = house.call("GET", path, &[]);
    assert_eq!(answer.header("location"), Some("https://help.example.com/a?b=c&d"), "{}", answer.0);
    let set = answer.header("set-cookie").unwrap();
    let session = set.split('"').nth(1).unwrap();
    assert_eq!(house.who(&[&cookie(session)]), "zo\u{eb} & co");
    let older = sign(house.home(), &secret, &["token", "--key", key, "--user", "1", "--older"]);
    refused(&house.call("GET", "users/current", &[text(&older.stdout).trim_end()]), 403);
}

#[test]
fn what_no_server_could_sign_is_not() {
    let (home, key) = (Home::new(), "0".repeat(64));
    for options in [
        vec!["token", "--key", "x", "--user", "=a"],
        vec!["token", "--key", &key, "--user", "a"],
        vec!["token", "--key", &key, "--user", "01"],
        vec!["link", "--key", &key, "--user", "=a", "--origin", "help.example.com"],
        vec![
            "link",
            "--key",
            &key,
            "--user",
            "=a",
            "--origin",
            SITE,
            "--redirect",
            "https://evil.example",
        ],
    ] {
        let output = sign(&home, "a secret", &options);
        assert!(!output.status.success() && output.stdout.is_empty(), "{options:?}");
        assert!(!text(&output.stderr).contains("a secret"));
    }
    assert!(!home.data().exists(), "it needs no installation");
}
