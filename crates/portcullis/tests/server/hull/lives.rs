//! What ends a connector, and every token that it signed.

use serde_json::json;

use super::client::{Connector, batch, entry};
use super::{House, done};

/// The statuses of a call with the secret, of one with a token, and of a batch with that token.
fn ask(house: &House, connector: &Connector, headers_of: &Connector) -> [u16; 3] {
    let token = connector.user(&json!({ "email": "bob@bob.com" }));
    let entries = [entry("traits", &json!({ "a": 1 }), &token)];
    let body = batch(&entries, 1).to_string();
    [
        house.call("GET /api/v1/app", &connector.headers(), "").status(),
        house.call("POST /api/v1/me/traits", &connector.bearing(&token), "{}").status(),
        house.call("POST /api/v1/firehose", &headers_of.named(), &body).status(),
    ]
}

fn rotate(house: &House, connector: &Connector, overlap: &str) -> Connector {
    let words = ["connector", "rotate", &connector.id, "--overlap", overlap];
    let made = house.home().json(&words);
    let secret = made["secret"].as_str().unwrap().to_owned();
    assert_ne!(secret, connector.secret);
    Connector { id: connector.id.clone(), secret }
}

const GOOD: [u16; 3] = [200, 200, 204];
const NOT: [u16; 3] = [401, 401, 401];

#[test]
fn a_rotated_secret_counts_beside_the_new_one_for_its_overlap() {
    let house = House::new();
    let first = house.connector(&[]);
    assert_eq!(ask(&house, &first, &first), GOOD);
    let second = rotate(&house, &first, "1h");
    for connector in [&first, &second] {
        assert_eq!(ask(&house, connector, &first), GOOD);
    }
    let shown = house.home().json(&["connector", "show", &first.id]);
    assert_eq!(shown["secrets"], 2, "{shown}");
    // Without an overlap, only the new one counts, and nothing that the others signed.
    let third = rotate(&house, &second, "0s");
    for connector in [&first, &second] {
        assert_eq!(ask(&house, connector, &first), NOT);
    }
    assert_eq!(ask(&house, &third, &first), GOOD);
    assert_eq!(house.home().json(&["connector", "show", &first.id])["secrets"], 1);
}

#[test]
fn a_batch_may_have_tokens_of_both_secrets_while_both_count() {
    let house = House::new();
    let first = house.connector(&[]);
    let second = rotate(&house, &first, "1h");
    let tokens = [&first, &second].map(|it| it.user(&json!({ "email": "bob@bob.com" })));
    let inc = json!({ "n": { "operation": "inc", "value": 1 } });
    let entries = tokens.each_ref().map(|token| entry("traits", &inc, token));
    assert_eq!(second.send(&house, &batch(&entries, 1)).status(), 204);
    assert_eq!(house.subject("bob@bob.com")["traits"]["n"], 2);
    let third = rotate(&house, &second, "0s");
    assert_eq!(third.send(&house, &batch(&entries, 2)).status(), 401);
    assert_eq!(house.subject("bob@bob.com")["traits"]["n"], 2);
}

#[test]
fn so_many_secrets_count_at_once_and_no_more() {
    let house = House::new();
    let first = house.connector(&[]);
    let mut all = vec![first.clone()];
    for _ in 0..3 {
        all.push(rotate(&house, &first, "1h"));
    }
    let words = ["connector", "rotate", &first.id, "--overlap", "1h"];
    assert!(!house.home().run(&words).status.success());
    assert!(all.iter().all(|it| ask(&house, it, &first) == GOOD));
    let last = rotate(&house, &first, "0s");
    assert!(all.iter().all(|it| ask(&house, it, &first) == NOT));
    assert_eq!(ask(&house, &last, &first), GOOD);
}

#[test]
fn nothing_of_a_connector_that_was_switched_off_is_taken_and_it_looks_unknown() {
    let house = House::new();
    let connector = house.connector(&[]);
    let unknown = Connector { id: "0123456789abcdef01234567".into(), secret: "x".repeat(30) };
    let stranger = house.call("GET /api/v1/app", &unknown.headers(), "").anonymous();
    for (words, expected) in [
        (["connector", "disable", &connector.id], NOT),
        (["connector", "enable", &connector.id], GOOD),
        (["user", "disable", "zoe"], NOT),
        (["user", "enable", "zoe"], GOOD),
        (["connector", "revoke", &connector.id], NOT),
    ] {
        // What is remembered of a token is no help.
        let before = ask(&house, &connector, &connector);
        house.home().done(&words);
        assert_eq!(ask(&house, &connector, &connector), expected, "{words:?} after {before:?}");
        let told = house.call("GET /api/v1/app", &connector.headers(), "").anonymous();
        assert_eq!(told == stranger, expected == NOT, "{words:?}");
    }
    assert!(!house.home().run(&["connector", "enable", &connector.id]).status.success());
    // What it told is still there, for others to read.
    assert!(house.knows("bob@bob.com"));
    done(&house.call("GET /api/v1/app", &house.root.headers(), ""));
}

#[test]
fn a_connector_of_an_organization_that_is_off_is_not_taken() {
    let house = House::new();
    let home = house.home();
    let branch = home.json(&["org", "create", "Branch"])["number"].to_string();
    home.done(&["user", "create", "kim", "--organization", &branch]);
    let connector = Connector::create(home, "kim", &[]);
    assert_eq!(ask(&house, &connector, &connector), GOOD);
    home.done(&["org", "disable", &branch]);
    assert_eq!(ask(&house, &connector, &connector), NOT);
}

#[test]
fn an_expired_connector_is_not_taken() {
    let house = House::new();
    let connector = house.connector(&["--expires", "2020-01-01T00:00:00Z"]);
    assert_eq!(ask(&house, &connector, &connector), NOT);
    let connector = house.connector(&["--expires", "1h"]);
    assert_eq!(ask(&house, &connector, &connector), GOOD);
}

#[test]
fn what_was_told_and_kept_is_there_after_a_restart() {
    let house = House::new();
    let root = house.root.clone();
    let token = root.user(&json!({ "email": "bob@bob.com" }));
    root.traits(&house, &token, &json!({ "a": 1 }));
    done(&house.call("PUT /api/v1/app", &root.headers(), "{\"private_settings\":{\"x\":1}}"));
    let home = house.server.stop().home;
    let config = "[[mount]]\ndialect = \"hull\"\n";
    let server = crate::common::Server::serve(home, config);
    let house = House { server, red: String::new(), root };
    assert_eq!(house.root.me(&house, &json!({ "email": "bob@bob.com" }))["traits"]["a"], 1);
    let app = done(&house.call("GET /api/v1/app", &house.root.headers(), ""));
    assert_eq!(app["private_settings"], json!({ "x": 1 }));
}
