//! Limits of single credentials: where alone they count, and what is paid for with them.

use super::calls::{bearer, text_of, value};
use super::{House, LISTENERS};
use crate::common::basic;

/// In front of the server stands a proxy at its own address; and a guard of its own place.
const PLACES: &str = r#"
[trust]
peers = ["127.0.0.1"]

[[guard]]
name = "guard"
path = "/guard"
upstream = "http://ECHO"
schemes = ["api_key", "basic"]
"#;

/// Inside the networks of these tests, and outside.
const INSIDE: &str = "192.0.2.7";
const OUTSIDE: &str = "192.0.3.7";

/// The status of a call to a listener that comes from `source`.
fn from(house: &House, source: &str, id: &str, headers: &str) -> u16 {
    let headers = format!("X-Forwarded-For: {source}\r\n{headers}");
    house.call(&format!("GET {LISTENERS}/{id}"), &headers, "").status()
}

fn as_password(key: &str) -> String {
    format!("{}\r\n", basic("zoe", key))
}

#[test]
fn a_key_or_secret_counts_from_its_networks_alone_and_elsewhere_is_denied() {
    let house = House::with(PLACES);
    let networks = ["--network", "192.0.2.0/24", "--network", "2001:db8::/32"];
    let (key, _) = house.key("zoe", &networks);
    let words = [&["secret", "create", "zoe", "--guard", "echo"], &networks[..]].concat();
    let secret = text_of(&house.server.home.json(&words), "secret");
    let secret = format!("X-Auth-Token: {secret}\r\n");
    for (headers, source, status) in [
        (as_password(&key), INSIDE, 200),
        (as_password(&key), "2001:db8::7", 200),
        (as_password(&key), "::ffff:192.0.2.7", 200),
        (as_password(&key), OUTSIDE, 403),
        (as_password(&key), "2001:db9::7", 403),
        (secret.clone(), INSIDE, 200),
        (secret.clone(), OUTSIDE, 403),
        // From elsewhere only the right one is told that.
        (as_password(&key[..key.len() - 1]), OUTSIDE, 401),
        (format!("{}x\r\n", secret.trim_end()), OUTSIDE, 401),
    ] {
        assert_eq!(from(&house, source, "echo", &headers), status, "{source} {headers}");
    }
    let native = |source: &str| {
        let headers = format!("X-Forwarded-For: {source}\r\nX-Api-Key: {key}\r\n");
        house.call("GET /guard/x", &headers, "").status()
    };
    assert_eq!((native(INSIDE), native(OUTSIDE)), (200, 403));
    for (form, body) in
        [("", r#"{"meta":{"code":403,"messages":["Forbidden"]}}"#), ("/dc", "Forbidden")]
    {
        let headers = format!("X-Forwarded-For: {OUTSIDE}\r\n{secret}");
        let answer = house.call(&format!("GET {LISTENERS}/echo{form}"), &headers, "");
        assert_eq!((answer.status(), answer.body()), (403, body));
        assert!(answer.header("www-authenticate").is_none());
    }
}

#[test]
fn a_key_of_a_guard_counts_nowhere_else() {
    let house = House::with(PLACES);
    let (key, _) = house.key("zoe", &["--guard", "echo", "--guard", "guard"]);
    for (id, status) in [("echo", 200), ("bare", 401), ("near", 401), ("far", 403)] {
        assert_eq!(house.at(id, &as_password(&key)), status, "{id}");
    }
    let native = house.call("GET /guard/x", &format!("X-Api-Key: {key}\r\n"), "");
    assert_eq!(native.status(), 200);
    let (elsewhere, _) = house.key("zoe", &["--guard", "bare"]);
    let native = house.call("GET /guard/x", &format!("X-Api-Key: {elsewhere}\r\n"), "");
    assert_eq!(native.status(), 401);
    let unknown = house.server.home.run(&["key", "create", "zoe", "--guard", "unknown"]);
    assert!(!unknown.status.success() && unknown.stdout.is_empty());
}

#[test]
fn a_limit_takes_effect_at_once_and_is_taken_back_at_once() {
    let house = House::with(PLACES);
    let (key, id) = house.key("zoe", &[]);
    let paid = house.sign_in(&as_password(&key), "");
    let outside = ["--network", "198.51.100.0/24"];
    let inside = ["--network", "192.0.2.0/24"];
    for (words, at_echo, at_bare) in [
        (&[][..], 200, 200),
        (&outside, 403, 403),
        (&inside, 200, 200),
        (&["--guard", "echo"], 200, 401),
        (&["--guard", "bare"], 401, 200),
        (&["--guard", "bare", "--network", "192.0.2.0/24"], 401, 200),
        (&["--guard", "bare", "--network", "198.51.100.0/24"], 401, 403),
        (&[], 200, 200),
    ] {
        house.server.home.done(&[&["key", "limit", &id], words].concat());
        for headers in [as_password(&key), bearer(&paid)] {
            assert_eq!(from(&house, INSIDE, "echo", &headers), at_echo, "{words:?}");
            assert_eq!(from(&house, INSIDE, "bare", &headers), at_bare, "{words:?}");
        }
    }
}

#[test]
fn a_token_counts_no_further_than_the_key_that_paid_for_it() {
    let house = House::with(PLACES);
    let (key, _) =
        house.key("zoe", &["--guard", "echo", "--guard", "bare", "--network", "192.0.2.0/24"]);
    let proof = as_password(&key);
    let login = |source: &str, fields: &str| {
        house.form("/login", &format!("X-Forwarded-For: {source}\r\n{proof}"), fields)
    };
    let grant = |source: &str| {
        let headers = format!("X-Forwarded-For: {source}\r\n{proof}");
        house.form("/oauth/token", &headers, "grant_type=client_credentials")
    };
    assert_eq!(login(OUTSIDE, "").status(), 403);
    assert_eq!(grant(OUTSIDE).status(), 403);
    let whole = text_of(&value(&login(INSIDE, "")), "token");
    let echo = text_of(&value(&login(INSIDE, "scope=echo")), "token");
    let more = text_of(&value(&login(INSIDE, "scope=bare+passing")), "token");
    let granted = text_of(&value(&grant(INSIDE)), "access_token");
    for (token, at) in [
        (whole, [200, 200, 401]),
        (echo, [200, 401, 401]),
        (more, [401, 200, 401]),
        (granted, [200, 200, 401]),
    ] {
        for (id, status) in ["echo", "bare", "passing"].into_iter().zip(at) {
            assert_eq!(from(&house, INSIDE, id, &bearer(&token)), status, "{id}");
            let outside = if status == 200 { 403 } else { status };
            assert_eq!(from(&house, OUTSIDE, id, &bearer(&token)), outside, "{id}");
        }
    }
}

#[test]
fn a_secret_keeps_its_guard_and_may_be_given_other_networks() {
    let house = House::with(PLACES);
    let made = house.server.home.json(&["secret", "create", "zoe", "--guard", "echo"]);
    let (secret, id) = (text_of(&made, "secret"), text_of(&made, "id"));
    let headers = format!("X-Auth-Token: {secret}\r\n");
    for (words, status) in [
        (&["--network", "198.51.100.0/24"][..], 403),
        (&["--network", "192.0.2.7/32"], 200),
        (&[], 200),
    ] {
        house.server.home.done(&[&["key", "limit", &id], words].concat());
        assert_eq!(from(&house, INSIDE, "echo", &headers), status, "{words:?}");
        assert_eq!(from(&house, INSIDE, "bare", &headers), 401, "{words:?}");
    }
    let moved = house.server.home.run(&["key", "limit", &id, "--guard", "bare"]);
    assert!(!moved.status.success());
    assert_eq!(from(&house, INSIDE, "bare", &headers), 401);
}

#[test]
fn what_replaces_a_limited_key_is_limited_as_it_was() {
    let house = House::with(PLACES);
    let (key, id) = house.key("zoe", &["--guard", "echo", "--network", "192.0.2.0/24"]);
    let successor = text_of(&house.server.home.json(&["key", "rotate", &id]), "key");
    for key in [key, successor] {
        let proof = as_password(&key);
        assert_eq!(from(&house, INSIDE, "echo", &proof), 200);
        assert_eq!(from(&house, OUTSIDE, "echo", &proof), 403);
        assert_eq!(from(&house, INSIDE, "bare", &proof), 401);
    }
}
