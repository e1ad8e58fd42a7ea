//! Shared secrets: taken over or made, of their listener alone, until they are replaced or revoked.

use std::io::Write as _;
use std::process::{Output, Stdio};

use serde_json::{Value, json};

use super::calls::{JSON, bearer, text_of};
use super::{House, LISTENERS, zoe};
use crate::common::{Home, basic, text};

/// In front of the server stands a proxy at its own address.
const BEHIND_PROXY: &str = "[trust]\npeers = [\"127.0.0.1\"]\n";

/// More listeners and a guard that take secrets, and one that takes none.
const MORE: &str = r#"
[[listener]]
id = "kitewheel_endpoint"
upstream = "http://ECHO/"

[[listener]]
id = "renamed"
upstream = "http://ECHO/"
schemes = ["shared_secret"]
secret_header = "X-Api-Key"

[[listener]]
id = "no-secret"
upstream = "http://ECHO/"
schemes = ["basic"]

[[guard]]
name = "guard"
path = "/guard"
upstream = "http://ECHO"
schemes = ["shared_secret"]
"#;

/// Takes over `secret`, as an operator does.
fn import(home: &Home, secret: &str, words: &[&str]) -> Output {
    let mut command = home.command(&[&["--json", "secret", "import"], words].concat());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    writeln!(child.stdin.take().unwrap(), "{secret}").unwrap();
    child.wait_with_output().unwrap()
}

/// Takes it over for `zoe`, and tells its id.
#[track_caller]
fn imported(house: &House, secret: &str, guard: &str, more: &[&str]) -> String {
    let words = [&["zoe", "--guard", guard], more].concat();
    let output = import(&house.server.home, secret, &words);
    assert!(output.status.success(), "{secret}: {}", text(&output.stderr));
    text_of(&serde_json::from_slice(&output.stdout).unwrap(), "id")
}

/// Makes one for `zoe`, and tells it and its id.
fn created(house: &House, words: &[&str]) -> (String, String) {
    let made = house.server.home.json(&[&["secret", "create", "zoe"], words].concat());
    (text_of(&made, "secret"), text_of(&made, "id"))
}

fn rotated(house: &House, id: &str, more: &[&str]) -> (String, String) {
    let made = house.server.home.json(&[&["key", "rotate", id], more].concat());
    assert_eq!(made["old"], json!(id));
    (text_of(&made, "key"), text_of(&made, "id"))
}

fn header(secret: &str) -> String {
    format!("X-Auth-Token: {secret}\r\n")
}

#[test]
fn the_documented_call_passes_with_the_secret_of_the_page() {
    let house = House::with(MORE);
    imported(&house, "abc123", "kitewheel_endpoint", &[]);
    let body = r#"{"message":"hi"}"#;
    let start = format!("POST {LISTENERS}/kitewheel_endpoint");
    for (name, secret, status) in [
        ("x-auth-token", "abc123", 200),
        ("X-Auth-Token", "abc123", 200),
        ("x-auth-token", "abc124", 401),
        ("x-auth-token", "ABC123", 401),
        ("x-auth-token", "abc123x", 401),
        ("x-api-key", "abc123", 401),
    ] {
        let headers = format!("{name}: {secret}\r\n{JSON}");
        let answer = house.call(&start, &headers, body);
        assert_eq!(answer.status(), status, "{headers}");
        assert!(status != 200 || answer.body() == body, "{}", answer.0);
        assert!(status == 200 || answer.body().contains("Unauthorised"), "{}", answer.0);
    }
    let told = house.call(&format!("GET {LISTENERS}/kitewheel_endpoint"), &header("abc123"), "");
    let told = told.body().to_lowercase();
    assert!(told.contains("portcullis-scheme: shared_secret\r\n"), "{told}");
    assert!(told.contains("portcullis-user: zoe\r\n"), "{told}");
    assert!(!told.contains("x-auth-token") && !told.contains("abc123"), "{told}");
}

#[test]
fn what_cannot_be_a_secret_is_not_taken_over() {
    let house = House::with(MORE);
    let home = &house.server.home;
    imported(&house, "abc123", "echo", &[]);
    let ours = created(&house, &["--guard", "echo"]).0;
    let zoe = ["zoe", "--guard", "echo"];
    for (secret, words, expected) in [
        ("", &zoe[..], "there is no secret"),
        ("abc12", &zoe, "6 to 256 characters"),
        (&"x".repeat(257), &zoe, "6 to 256 characters"),
        ("abc 123", &zoe, "without blanks"),
        (" abc123", &zoe, "without blanks"),
        ("abc123 ", &zoe, "without blanks"),
        ("abc\t123", &zoe, "without blanks"),
        ("abcäöü", &zoe, "visible ASCII"),
        ("pcl_abc123", &zoe, "`pcl_`"),
        (&ours, &zoe, "`pcl_`"),
        ("abc123", &zoe, "exists already"),
        ("abc123", &["red", "--guard", "bare"], "red"),
        ("abc123", &["zoe", "--guard", "no-secret"], "does not accept the scheme `shared_secret`"),
        ("abc123", &["zoe", "--guard", "unknown"], "unknown"),
        ("abc123", &["zoe", "--guard", "bare", "--guard", "guard"], "of one guard"),
    ] {
        let output = import(home, secret, words);
        let told = text(&output.stderr);
        assert!(!output.status.success() && output.stdout.is_empty(), "{secret} {words:?}");
        assert!(told.contains(expected), "{secret} {words:?}: {told}");
        assert!(secret.len() < 6 || !told.contains(secret), "{told}");
    }
    imported(&house, &"x".repeat(256), "echo", &[]);
    // A short one is taken over with a warning.
    let output = import(home, "abc1234", &zoe);
    assert!(text(&output.stderr).contains("warning: "), "{}", text(&output.stderr));
}

#[test]
fn the_same_secret_of_two_listeners_is_two() {
    let house = House::with(MORE);
    let (first, second) =
        (imported(&house, "abc123", "echo", &[]), imported(&house, "abc123", "bare", &[]));
    assert_ne!(first, second);
    let both = || [house.at("echo", &header("abc123")), house.at("bare", &header("abc123"))];
    assert_eq!(both(), [200, 200]);
    assert_eq!(house.at("passing", &header("abc123")), 401);
    let elsewhere = house.call("GET /guard/x", &header("abc123"), "");
    assert_eq!(elsewhere.status(), 401);
    house.server.home.done(&["key", "revoke", &first]);
    assert_eq!(both(), [401, 200]);
    house.server.home.done(&["key", "disable", &second]);
    assert_eq!(both(), [401, 401]);
    house.server.home.done(&["key", "enable", &second]);
    assert_eq!(both(), [401, 200]);
    // What was revoked at one of them stays so.
    let again = import(&house.server.home, "abc123", &["zoe", "--guard", "echo"]);
    assert!(!again.status.success());
}

#[test]
fn a_secret_counts_at_its_guards_alone_and_several_of_one_guard_at_once() {
    let house = House::with(MORE);
    let (one, id) = created(&house, &["--guard", "echo"]);
    let (two, _) = created(&house, &["--guard", "echo", "--guard", "guard"]);
    imported(&house, "abc123", "echo", &[]);
    for (secret, echo, bare, guard) in
        [(&*one, 200, 401, 401), (&two, 200, 401, 200), ("abc123", 200, 401, 401)]
    {
        let header = header(secret);
        assert_eq!(house.at("echo", &header), echo, "{secret}");
        assert_eq!(house.at("bare", &header), bare, "{secret}");
        assert_eq!(house.at("no-secret", &header), 401, "{secret}");
        assert_eq!(house.call("GET /guard/x", &header, "").status(), guard, "{secret}");
        // It is no password, no token and no key.
        assert_eq!(house.at("echo", &bearer(secret)), 401, "{secret}");
        assert_eq!(house.at("no-secret", &format!("{}\r\n", basic("zoe", secret))), 401);
    }
    house.server.home.done(&["key", "revoke", &id]);
    assert_eq!(house.at("echo", &header(&one)), 401);
    assert_eq!(house.at("echo", &header(&two)), 200);
    for (twice, status) in [
        (format!("{}{}", header(&two), header("abc123")), 400),
        (format!("{}{}", header(&two), header(&two)), 400),
        (header(&format!("{two}, {two}")), 401),
        (header(""), 401),
    ] {
        assert_eq!(house.at("echo", &twice), status, "{twice}");
    }
}

#[test]
fn the_header_is_the_listeners_to_name() {
    let house = House::with(MORE);
    imported(&house, "abc123", "renamed", &[]);
    imported(&house, "abc123", "echo", &[]);
    for (id, name, status) in [
        ("renamed", "x-api-Key", 200),
        ("renamed", "X-Auth-Token", 401),
        ("echo", "X-Auth-Token", 200),
        ("echo", "X-Api-Key", 401),
    ] {
        assert_eq!(house.at(id, &format!("{name}: abc123\r\n")), status, "{id} {name}");
    }
    let seen = house.call(&format!("GET {LISTENERS}/renamed"), "X-Api-Key: abc123\r\n", "");
    assert!(!seen.body().to_lowercase().contains("abc123"), "{}", seen.body());
}

#[test]
fn a_secret_ends_when_it_expires_and_reads_only_if_it_may_no_more() {
    let house = House::new();
    imported(&house, "abc123", "echo", &["--expires", "2020-01-01T00:00:00Z"]);
    imported(&house, "abc456", "echo", &["--expires", "2h"]);
    imported(&house, "abc789", "echo", &["--read-only"]);
    let statuses = |house: &House| {
        ["abc123", "abc456", "abc789"].map(|secret| house.at("echo", &header(secret)))
    };
    assert_eq!(statuses(&house), [401, 200, 200]);
    let post = house.call(&format!("POST {LISTENERS}/echo"), &header("abc789"), "{}");
    assert_eq!(post.status(), 403);
    let now = house.introspect(&house.token())["iat"].as_i64().unwrap();
    let house = house.at_moment(now + 7_100);
    assert_eq!(statuses(&house), [401, 200, 200]);
    let house = house.at_moment(now + 7_300);
    assert_eq!(statuses(&house), [401, 401, 200]);
}

#[test]
fn whoever_guesses_at_secrets_waits_and_nobody_else_does() {
    let house = House::with(BEHIND_PROXY);
    imported(&house, "abc123", "echo", &[]);
    let ask = |source: &str, secret: &str| {
        let headers = format!("X-Forwarded-For: {source}\r\n{}", header(secret));
        house.call(&format!("GET {LISTENERS}/echo"), &headers, "")
    };
    let guess = || {
        let guesses = std::iter::repeat_with(|| ask("192.0.2.1", "wrong1"));
        guesses.take(50).find(|answer| answer.status() != 401).unwrap()
    };
    let slowed = guess();
    assert_eq!(slowed.status(), 429);
    let seconds: u64 = slowed.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=900).contains(&seconds), "{seconds}");
    for (source, secret, status) in [
        ("192.0.2.2", "abc123", 200),
        ("192.0.2.2", "wrong1", 401),
        ("192.0.2.2", "abc123", 200),
        ("2001:db8::1", "abc123", 200),
    ] {
        assert_eq!(ask(source, secret).status(), status, "{source} {secret}");
    }
    // The wait may be over by now, so that it may take some more until one falls into it.
    let waits = |_| {
        guess();
        ask("192.0.2.1", "abc123").status() == 429
    };
    assert!((0..20).any(waits), "the right one is looked at all the same");
    // Nobody can guess one of ours, so that nobody waits for it.
    let ours = created(&house, &["--guard", "echo"]).0;
    assert_eq!(ask("192.0.2.1", &ours).status(), 200);
}

/// How a key was used, as the operator is told.
fn usage(home: &Home, id: &str) -> Value {
    home.json(&["key", "usage", id])
}

#[test]
fn a_replaced_secret_counts_beside_the_new_one_until_it_is_killed() {
    let house = House::with(MORE);
    let old = imported(&house, "abc123", "echo", &[]);
    let (secret, new) = rotated(&house, &old, &[]);
    assert!(secret.starts_with("pcl_sec_"));
    for (secret, echo, bare) in [("abc123", 200, 401), (&*secret, 200, 401)] {
        assert_eq!(house.at("echo", &header(secret)), echo);
        assert_eq!(house.at("bare", &header(secret)), bare);
    }
    assert_eq!(house.at("echo", &header("abc123")), 200);
    for (id, expected) in [(&*old, "replaced before"), ("0123456789", "there is no")] {
        let again = house.server.home.run(&["key", "rotate", id]);
        let told = text(&again.stderr);
        assert!(!again.status.success() && told.contains(expected), "{told}");
    }
    let House { server, config, _down } = house;
    let home = server.stop().home;
    let told = usage(&home, &old);
    assert_eq!((&told["uses"], &told["uses_since_replaced"]), (&json!(2), &json!(2)), "{told}");
    assert_eq!(told["replaced_by"], json!(new));
    assert!(told["last_used"].is_string() && told["replaced"].is_string(), "{told}");
    assert_eq!(usage(&home, &new)["uses"], json!(1));
    let listed = home.json(&["key", "usage"]);
    assert_eq!(listed["id"], json!(old), "the one that is still to be killed");
    let house = House { server: crate::common::Server::serve(home, &config), config, _down };
    assert_eq!(house.at("echo", &header("abc123")), 200);
    house.server.home.done(&["key", "revoke", &old]);
    assert_eq!(house.at("echo", &header("abc123")), 401);
    assert_eq!(house.at("echo", &header(&secret)), 200);
    assert_eq!(house.server.home.done(&["--json", "key", "usage"]), "");
    let (third, _) = rotated(&house, &new, &["--overlap", "0s"]);
    assert_eq!(house.at("echo", &header(&secret)), 401);
    assert_eq!(house.at("echo", &header(&third)), 200);
}

#[test]
fn a_replaced_one_ends_with_its_overlap_and_takes_its_tokens_along() {
    let house = House::new();
    let old = imported(&house, "abc123", "echo", &[]);
    let (new, _) = rotated(&house, &old, &["--overlap", "2h", "--expires", "30d"]);
    let (key, id) = house.key("zoe", &[]);
    let paid = house.sign_in(&format!("{}\r\n", basic("zoe", &key)), "");
    let (successor, _) = rotated(&house, &id, &["--overlap", "2h"]);
    let statuses = |house: &House| {
        [
            house.at("echo", &header("abc123")),
            house.at("echo", &format!("{}\r\n", basic("zoe", &key))),
            house.at("echo", &bearer(&paid)),
            house.at("echo", &header(&new)),
            house.at("echo", &format!("{}\r\n", basic("zoe", &successor))),
        ]
    };
    assert_eq!(statuses(&house), [200; 5]);
    let now = house.introspect(&house.token())["iat"].as_i64().unwrap();
    let house = house.at_moment(now + 7_100);
    assert_eq!(statuses(&house), [200; 5]);
    let house = house.at_moment(now + 7_300);
    assert_eq!(statuses(&house), [401, 401, 401, 200, 200]);
    let house = house.at_moment(now + 31 * 24 * 3_600);
    assert_eq!(statuses(&house), [401, 401, 401, 401, 200]);
}

#[test]
fn what_is_no_overlap_replaces_nothing() {
    let house = House::new();
    let id = imported(&house, "abc123", "echo", &[]);
    for overlap in ["91d", "-1h", "soon", "2020-01-01T00:00:00Z"] {
        let option = format!("--overlap={overlap}");
        let refused = house.server.home.run(&["key", "rotate", &id, &option]);
        assert!(!refused.status.success() && refused.stdout.is_empty(), "{overlap}");
    }
    for (command, expected) in [("disable", "active"), ("revoke", "active")] {
        house.server.home.done(&["key", command, &id]);
        let refused = house.server.home.run(&["key", "rotate", &id]);
        assert!(text(&refused.stderr).contains(expected), "{command}");
    }
    assert_eq!(house.server.home.done(&["--json", "key", "usage"]), "");
    assert_eq!(house.at("echo", &zoe()), 200);
}
