//! What an attacker may try with credentials that are limited, switched off or named twice.

use serde_json::Value;

use super::{House, LISTENERS, zoe};
use crate::common::{Answer, basic};

const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";

/// Calls an address of OAuth as whom `headers` prove.
fn oauth(house: &House, path: &str, headers: &str, form: &str) -> Answer {
    house.call(&format!("POST /oauth/{path}"), &format!("{headers}{FORM}"), form)
}

fn told(answer: &Answer) -> Value {
    assert_eq!(answer.status(), 200, "{}", answer.body());
    serde_json::from_str(answer.body()).unwrap()
}

/// A new key of `zoe`: its id, and the header that proves her with it.
fn key(house: &House, limits: &[&str]) -> (String, String) {
    let made = house.server.home.json(&[&["key", "create", "zoe"], limits].concat());
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("id"), format!("{}\r\n", basic("zoe", &text("key"))))
}

fn token(house: &House, headers: &str) -> String {
    let given = told(&oauth(house, "token", headers, "grant_type=client_credentials"));
    given["access_token"].as_str().unwrap().to_owned()
}

fn status(house: &House, listener: &str, token: &str) -> u16 {
    let bearer = format!("Authorization: Bearer {token}\r\n");
    house.call(&format!("GET {LISTENERS}/{listener}"), &bearer, "").status()
}

#[test]
fn a_token_that_was_revoked_while_its_key_was_off_is_never_good_again() {
    let house = House::new();
    let home = &house.server.home;
    let (id, proof) = key(&house, &[]);
    let token = token(&house, &proof);
    assert_eq!(status(&house, "echo", &token), 200);
    home.done(&["key", "disable", &id]);
    assert_eq!(status(&house, "echo", &token), 401);
    let revoke = || oauth(&house, "revoke", &zoe(), &format!("token={token}"));
    assert_eq!(revoke().status(), 200);
    home.done(&["key", "enable", &id]);
    assert_eq!(status(&house, "echo", &token), 401);
    assert_eq!(revoke().status(), 200, "what is revoked needs no revoking");
}

#[test]
fn a_token_is_told_to_be_as_limited_as_the_key_that_paid_for_it() {
    let house = House::new();
    let ask = |token: &str| told(&oauth(&house, "introspect", &zoe(), &format!("token={token}")));
    let (_, proof) = key(&house, &["--guard", "echo", "--network", "127.0.0.0/8"]);
    let limited = token(&house, &proof);
    assert_eq!((status(&house, "echo", &limited), status(&house, "bare", &limited)), (200, 401));
    let told_of = ask(&limited);
    assert_eq!(told_of["aud"], serde_json::json!(["echo"]), "{told_of}");
    assert_eq!(told_of["scope"], "echo");
    assert_eq!(told_of["networks"], serde_json::json!(["127.0.0.0/8"]));
    let scoped = "grant_type=client_credentials&scope=echo+bare";
    let both = told(&oauth(&house, "token", &proof, scoped));
    let both = ask(both["access_token"].as_str().unwrap());
    assert_eq!(both["aud"], serde_json::json!(["echo"]), "{both}");
    let whole = ask(&token(&house, &zoe()));
    assert!(whole.get("aud").is_none() && whole.get("networks").is_none(), "{whole}");
}

#[test]
fn a_key_of_one_guard_does_not_ask_what_others_stand_for() {
    let house = House::new();
    let token = token(&house, &zoe());
    let (_, proof) = key(&house, &["--guard", "echo"]);
    assert_eq!(oauth(&house, "introspect", &proof, &format!("token={token}")).status(), 401);
    let (_, whole) = key(&house, &[]);
    let told = told(&oauth(&house, "introspect", &whole, &format!("token={token}")));
    assert_eq!(told["active"], true);
}

#[test]
fn a_token_beside_another_credential_is_refused_however_it_hides() {
    let house = House::new();
    let token = token(&house, &zoe());
    let echo = format!("POST {LISTENERS}/echo");
    let json = format!("{{\"token\":\"{token}\"}}");
    let kind = "Content-Type: application/json\r\n";
    for (start, headers, body) in [
        (echo.clone(), format!("{kind}{}", zoe()), &*json),
        (echo.clone(), format!("{kind}Authorization: Bearer other\r\n"), &*json),
        (format!("{echo}?access_token={token}"), zoe(), ""),
        (format!("{echo}?a=1&%61ccess%5Ftoken={token}"), zoe(), ""),
    ] {
        assert_eq!(house.call(&start, &headers, body).status(), 400, "{start} {headers}");
    }
    assert_eq!(house.call(&echo, kind, &json).status(), 200);
}

#[test]
fn little_is_read_of_whoever_has_not_proven_who_they_are() {
    let house = House::new();
    let form = |length: usize| {
        let start = "grant_type=client_credentials&x=";
        format!("{start}{}", "x".repeat(length - start.len()))
    };
    for (length, expected) in [(16_384, 200), (16_385, 413)] {
        assert_eq!(oauth(&house, "token", &zoe(), &form(length)).status(), expected, "{length}");
    }
}
