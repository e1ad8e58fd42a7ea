//! The commands: connectors made, taken over and switched; what was told, read back; tokens signed.

use std::fs::File;
use std::process::Output;

use serde_json::{Value, json};

use super::client::{Connector, batch, entry};
use super::{House, done};
use crate::common::{Home, text};

const ID: &str = "5a7962e2793d3e942a03b29a";
const SECRET: &str = "s3cr3t-connector-secret-0123456789";

/// Runs a command that reads `input`.
fn fed(home: &Home, words: &[&str], input: &str) -> Output {
    let mut command = home.command(words);
    command.stdin(File::open(home.write("input", &format!("{input}\n"))).unwrap());
    command.output().unwrap()
}

#[test]
fn an_id_and_a_secret_that_programs_have_are_taken_over() {
    let house = House::new();
    let home = house.home();
    let words = ["--json", "connector", "create", "zoe", "--id", ID, "--import"];
    let output = fed(home, &words, SECRET);
    // The secret is not said again.
    assert_eq!(text(&output.stdout), format!("{}\n", json!({ "id": ID })));
    assert!(!text(&output.stderr).contains(SECRET));
    let connector = Connector { id: ID.into(), secret: SECRET.into() };
    let app = house.call("GET /api/v1/app", &connector.headers(), "");
    assert_eq!(done(&app)["id"], ID);
    // An id is one connector's for ever, even if that is revoked.
    assert!(!fed(home, &words, SECRET).status.success());
    home.done(&["connector", "revoke", ID]);
    assert!(!fed(home, &words, SECRET).status.success());
    for (secret, why) in [
        ("short", "24 to 256"),
        (&*"x".repeat(257), "24 to 256"),
        ("with.a.dot.in.it.0123456789", "without blanks and dots"),
        ("with a blank in it 0123456789", "without blanks and dots"),
        ("pcl_con_0123456789012345678901", "begins with `pcl_`"),
        ("", "no secret on standard input"),
    ] {
        let output = fed(home, &["connector", "create", "zoe", "--import"], secret);
        let said = text(&output.stderr);
        assert!(!output.status.success() && said.contains(why), "{secret}: {said}");
        assert!(secret.is_empty() || !said.contains(secret), "{said}");
    }
    // Rotation takes a secret over too.
    let made = house.connector(&[]);
    let words = ["connector", "rotate", &made.id, "--overlap", "0s", "--import"];
    assert!(fed(home, &words, SECRET).status.success());
    let rotated = Connector { id: made.id.clone(), secret: SECRET.into() };
    done(&house.call("GET /api/v1/app", &rotated.headers(), ""));
    assert_eq!(house.call("GET /api/v1/app", &made.headers(), "").status(), 401);
}

#[test]
fn what_is_made_is_listed_and_shown_without_its_secret() {
    let house = House::new();
    let home = house.home();
    let made = house.connector(&["--label", "shop", "--query", "true", "--partial", "true"]);
    assert!(made.id.len() == 24 && made.id.bytes().all(|it| it.is_ascii_hexdigit()));
    assert!(!made.secret.contains('.'));
    let shown = home.json(&["connector", "show", &made.id]);
    assert_eq!(shown["label"], "shop");
    assert_eq!(shown["switches"], json!({ "query": "true", "partial": "true" }));
    assert_eq!((&shown["state"], &shown["secrets"]), (&json!("active"), &json!(1)));
    home.done(&["connector", "set", &made.id, "--query", "false", "--hull-organization", "a.io"]);
    let shown = home.json(&["connector", "show", &made.id]);
    let switches = json!({ "query": "false", "partial": "true", "organization": "a.io" });
    assert_eq!(shown["switches"], switches);
    let listed = home.done(&["--json", "connector", "list"]);
    assert_eq!(listed.lines().count(), 2, "{listed}");
    home.done(&["connector", "revoke", &made.id]);
    assert_eq!(home.done(&["--json", "connector", "list"]).lines().count(), 1);
    assert_eq!(home.json(&["connector", "show", &made.id])["state"], "deleted");
    for words in [
        &["connector", "create", "zoe", "--query", "true"][..],
        &["connector", "set", &house.root.id, "--query", "true"],
    ] {
        let said = text(&home.run(words).stderr);
        assert!(said.contains("warning:") && said.contains("query"), "{said}");
    }
    for words in [
        &["connector", "create", "zoe"][..],
        &["connector", "set", &house.root.id, "--query", "false"],
    ] {
        assert_eq!(text(&home.run(words).stderr), "", "{words:?}");
    }
}

#[test]
fn what_was_told_is_read_back_and_exported_as_json_lines() {
    let house = House::new();
    let (home, connector) = (house.home(), &house.root);
    assert_eq!(home.done(&["hull", "export"]), "");
    let bob = connector.token(&json!({
        "io.hull.asUser": { "email": "bob@bob.com", "anonymous_id": "s:1" },
        "io.hull.asAccount": { "domain": "bob.com" }, "io.hull.subjectType": "user",
    }));
    let event = |number: u32| json!({ "event": "Viewed", "event_id": number });
    let entries = [
        entry("traits", &json!({ "name": "Bob \"B\"" }), &bob),
        entry("track", &event(1), &bob),
        entry("track", &event(2), &bob),
    ];
    assert_eq!(connector.send(&house, &batch(&entries, 1)).status(), 204);
    let lines = home.done(&["hull", "export"]);
    let lines: Vec<Value> = lines.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
    let kinds: Vec<&str> = lines.iter().map(|it| it["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["account", "user", "event", "event"]);
    assert_eq!(lines[1]["traits"], json!({ "name": "Bob \"B\"" }));
    assert_eq!(lines[1]["account"], lines[0]["id"]);
    assert!(lines[2..].iter().all(|it| it["user"] == lines[1]["id"]));
    let id = lines[1]["id"].as_str().unwrap();
    for name in ["bob@bob.com", "email=BOB@bob.com", "s:1", "anonymous_id=s:1", id] {
        let shown = house.subject(name);
        assert_eq!(shown["id"], id, "{name}");
        assert_eq!(shown["events"].as_array().unwrap().len(), 2, "{name}");
        let told = home.done(&["hull", "subject", name]);
        for part in ["email=bob@bob.com", "anonymous_id=s:1", "Viewed", "\"Bob \\\"B\\\"\""] {
            assert!(told.contains(part), "{part}: {told}");
        }
    }
    assert_eq!(house.subject("bob.com")["kind"], "account");
    let one = home.json(&["hull", "subject", "bob@bob.com", "--events", "1"]);
    assert_eq!(one["events"].as_array().unwrap().len(), 1);
    let output = home.run(&["hull", "subject", "nobody"]);
    assert!(text(&output.stderr).contains("nobody is called `nobody`"));
    assert!(!output.status.success());
}

#[test]
fn a_token_that_is_signed_here_is_taken_there() {
    let house = House::new();
    let (home, connector) = (house.home(), &house.root);
    let signed = |more: &[&str]| {
        let words = [&["sign", "hull", "--id", &connector.id][..], more].concat();
        let output = fed(home, &words, &connector.secret);
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout).trim().to_owned()
    };
    let user = signed(&["--user", "email=bob@bob.com", "--user", "external_id=42"]);
    connector.traits(&house, &user, &json!({ "a": 1 }));
    assert_eq!(house.subject("external_id=42")["traits"], json!({ "a": 1 }));
    let account = signed(&["--account", "domain=bob.com", "--user", "external_id=42"]);
    connector.traits(&house, &account, &json!({ "b": 1 }));
    assert_eq!(house.subject("domain=bob.com")["traits"], json!({ "b": 1 }));
    let careful = signed(&["--user", "email=nobody@bob.com", "--no-create"]);
    connector.traits(&house, &careful, &json!({ "a": 1 }));
    assert!(!house.knows("nobody@bob.com"));
    let admin = signed(&["--user", "email=bob@bob.com", "--admin", "--expires", "1h"]);
    done(&house.call("GET /api/v1/me", &connector.bearing(&admin), ""));
    for (more, why) in [
        (&[][..], "no subject"),
        (&["--user", "email"], "NAME=VALUE"),
        (&["--user", "id=42"], "would not count"),
        (&["--user", "email=bob@bob.com", "--expires", "2020-01-01T00:00:00Z"], "time is over"),
    ] {
        let words = [&["sign", "hull", "--id", &connector.id][..], more].concat();
        let output = fed(home, &words, &connector.secret);
        let said = text(&output.stderr);
        assert!(!output.status.success() && said.contains(why), "{more:?}: {said}");
        assert!(!said.contains(&connector.secret));
    }
}

/// What can be read as a command and not be done, each with what is said of it.
const MISTAKES: &[(&[&str], &str)] = &[
    (&["connector", "create", "nobody"], "there is no user `nobody`"),
    (&["connector", "create", "anonymous"], "never signs in"),
    (&["connector", "create", "zoe", "--id", "5a79"], "24 hex digits"),
    (&["connector", "create", "zoe", "--expires", "soon"], "a moment is written as"),
    (&["connector", "create", "zoe", "--guard", "none"], "guard `none`"),
    (&["connector", "show", ID], "there is no connector"),
    (&["connector", "set", ID, "--query", "true"], "there is no connector"),
    (&["connector", "rotate", ID], "there is no connector"),
    (&["connector", "limit", ID], "there is no connector"),
    (&["connector", "disable", ID], "there is no connector"),
    (&["connector", "revoke", ID], "there is no connector"),
    (&["connector", "rotate", "OWN", "--overlap", "91d"], "at most 90 days"),
    (&["connector", "rotate", "OWN", "--overlap", "soon"], "a moment is written as"),
    (&["hull", "export", "--organization", "99"], "there is no organization 99"),
];

#[test]
fn a_mistake_is_told_and_does_nothing() {
    let house = House::new();
    let before = house.home().audit().len();
    for (words, why) in MISTAKES {
        let words: Vec<&str> =
            words.iter().map(|it| if *it == "OWN" { &*house.root.id } else { it }).collect();
        let output = house.home().run(&words);
        let said = text(&output.stderr);
        assert!(!output.status.success() && said.contains(why), "{words:?}: {said}");
    }
    assert_eq!(house.home().audit().len(), before);
}
