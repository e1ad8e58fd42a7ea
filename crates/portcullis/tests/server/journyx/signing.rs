//! `portcullis sign journyx`: what a client must send.

use std::io::Write as _;
use std::process::{Output, Stdio};

use super::{House, PASSWORD, SITE};
use crate::common::{Home, text};

fn sign(home: &Home, secret: &str, more: &[&str]) -> Output {
    let mut command = home.command(&[&["sign", "journyx"], more].concat());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // One that refuses its arguments does not read.
    drop(child.stdin.take().unwrap().write_all(secret.as_bytes()));
    child.wait_with_output().unwrap()
}

#[test]
fn the_header_of_the_documentation_is_printed() {
    let home = Home::new();
    for secret in ["secretkey", "secretkey\n", "secretkey\r\n"] {
        let output = sign(&home, secret, &["basic", "--username", "apiuser"]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let printed = text(&output.stdout);
        let (name, value) = printed.trim_end().split_once(": ").unwrap();
        assert!(name.eq_ignore_ascii_case("authorization"), "{printed}");
        assert_eq!(value, "Basic YXBpdXNlcjpzZWNyZXRrZXk=");
    }
    assert!(!home.data().exists(), "it needs no installation");
}

#[test]
fn a_name_that_basic_cannot_carry_is_not_signed() {
    let output = sign(&Home::new(), "a secret", &["basic", "--username", "a:b"]);
    assert!(!output.status.success() && output.stdout.is_empty());
    assert!(!text(&output.stderr).contains("a secret"));
}

#[test]
fn the_command_that_is_printed_signs_in() {
    let house = House::new();
    house.user("o'neil", &[]);
    let awkward = "it's a \"good\" $HOME `password` \\ é";
    house.set_password("o'neil", awkward, "1");
    let options = ["login", "--username", "o'neil", "--origin", SITE];
    let output = sign(house.home(), awkward, &options);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let printed = text(&output.stdout);
    for part in ["curl ", "/api/v1/login", "Origin: ", "X-Requested-With: XMLHttpRequest"] {
        assert!(printed.contains(part), "{part}: {printed}");
    }
    let address = &house.server.address;
    let (_, port) = address.rsplit_once(':').unwrap();
    // The host leads here, whatever scheme and port the command has.
    let script = format!(
        "curl() {{ command curl -sS --connect-to '::127.0.0.1:{port}' \"$@\"; }}\n{}",
        printed.replace("https://", "http://")
    );
    let answer = std::process::Command::new("bash").args(["-c", &script]).output().unwrap();
    let said = text(&answer.stdout);
    assert!(said.contains("\"username\":\"o'neil\""), "{said}{}", text(&answer.stderr));
    assert!(!said.contains(PASSWORD));
}
