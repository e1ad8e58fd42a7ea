//! The commands beside a server: their help, their JSON, and what they say of a mistake.

use std::collections::BTreeSet;
use std::net::TcpListener;

use serde_json::{Value, json};

use crate::common::{Home, Quickstart, Server, text};

/// Every command that has none below it, found by asking for help as a person does.
fn leaves(home: &Home, above: &[&str], found: &mut BTreeSet<String>) {
    let help = home.done(&[above, &["--help"]].concat());
    assert!(help.contains("Usage: portcullis"), "{above:?}: {help}");
    let about = help.lines().next().unwrap();
    assert!(about.contains(' ') || about == "Serve", "{above:?}: {about:?}");
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = listed.take_while(|line| !line.is_empty());
    let below: Vec<&str> = listed.filter_map(|line| line.split_whitespace().next()).collect();
    if below.is_empty() {
        found.insert(above.join(" "));
    }
    for name in below.iter().filter(|name| **name != "help") {
        leaves(home, &[above, &[name]].concat(), found);
    }
}

/// Commands that speak to people alone: they run until they are stopped.
const WITHOUT_JSON: &[&str] = &["quickstart", "serve"];

#[test]
fn every_command_has_help_and_speaks_json() {
    let server = Quickstart::start(Home::new());
    let home = &server.home;
    let config = home.write("config.toml", "");
    let mut left = BTreeSet::new();
    leaves(home, &[], &mut left);
    let mut speak = |words: &[&str], expected: &[&str]| {
        let said = home.done(&[&["--json"], words].concat());
        let lines: Vec<Value> =
            said.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
        let names = |line: &Value| -> Vec<String> {
            line.as_object().into_iter().flat_map(|it| it.keys().cloned()).collect()
        };
        for line in &lines {
            assert_eq!(names(line), expected, "{words:?}");
        }
        assert!(!lines.is_empty(), "{words:?} says nothing");
        left.retain(|leaf| !words.join(" ").starts_with(leaf));
        lines.into_iter().next_back().unwrap()
    };
    let key = [
        "expires",
        "id",
        "label",
        "last_used",
        "not_before",
        "owner",
        "read_only",
        "state",
        "uses",
    ];
    let user = ["email", "id", "login", "name", "number", "organization", "signs_in", "state"];
    let shown = [
        "email",
        "groups",
        "id",
        "login",
        "name",
        "number",
        "organization",
        "password",
        "roles",
        "signs_in",
        "state",
    ];
    let org = ["id", "name", "number", "parent", "realm", "state"];
    let guard = [
        "ability",
        "hosts",
        "id",
        "methods",
        "name",
        "networks",
        "organization",
        "pass_credential",
        "path",
        "schemes",
        "source",
        "strip_path",
        "upstream",
    ];
    let (held, role) =
        (["group", "held", "login", "organization", "role"], ["abilities", "id", "name"]);
    speak(&["check-config", &config], &[]);
    assert_eq!(speak(&["org", "create", "Acme"], &org)["number"], 2);
    assert_eq!(speak(&["org", "list"], &org)["name"], "Acme");
    assert_eq!(speak(&["org", "show", "2"], &org)["realm"], false);
    speak(&["org", "rename", "2", "Acme & Co"], &["name", "number"]);
    speak(&["org", "disable", "2"], &["number", "state"]);
    speak(&["org", "enable", "2"], &["number", "state"]);
    assert_eq!(speak(&["org", "delete", "2"], &["number", "state"])["state"], "deleted");
    assert_eq!(speak(&["user", "create", "zoe", "--name", "Zo\u{eb}"], &user)["name"], "Zo\u{eb}");
    assert_eq!(speak(&["user", "list"], &user)["login"], "zoe");
    speak(&["user", "update", "zoe", "--email", "Zoe@Example.com"], &["login"]);
    assert_eq!(speak(&["user", "show", "zoe"], &shown)["email"], "zoe@example.com");
    speak(&["user", "disable", "zoe"], &["login", "state"]);
    speak(&["user", "enable", "zoe"], &["login", "state"]);
    speak(&["role", "create", "Reader", "--ability", "Orders - Read"], &["abilities", "name"]);
    speak(&["role", "allow", "Reader", "Orders - Write"], &["name"]);
    speak(&["role", "deny", "Reader", "Orders - Read"], &["name"]);
    let allowed = &speak(&["role", "show", "Reader"], &role)["abilities"];
    assert_eq!(*allowed, json!(["Orders - Write"]));
    assert_eq!(speak(&["role", "list"], &role)["name"], "Reader");
    assert_eq!(speak(&["role", "grant", "Reader", "zoe"], &held)["held"], true);
    assert_eq!(speak(&["role", "withdraw", "Reader", "zoe"], &held)["held"], false);
    speak(&["group", "create", "Team"], &["name"]);
    speak(&["group", "list"], &["id", "name", "organization"]);
    speak(&["group", "add", "Team", "zoe"], &["login", "member", "name"]);
    let team = speak(&["group", "show", "Team"], &["id", "members", "name", "organization"]);
    assert_eq!(team["members"][0]["login"], "zoe");
    assert_eq!(speak(&["user", "show", "zoe"], &shown)["groups"], json!(["Team"]));
    speak(&["group", "remove", "Team", "zoe"], &["login", "member", "name"]);
    speak(&["group", "delete", "Team"], &["name"]);
    speak(&["role", "delete", "Reader"], &["name"]);
    let made = speak(&["key", "create", "zoe", "--label", "a \"label\""], &["id", "key"]);
    let id = made["id"].as_str().unwrap();
    assert_eq!(made["key"].as_str().unwrap().split('_').nth(2), Some(id));
    assert_eq!(speak(&["key", "list", "zoe"], &key)["label"], "a \"label\"");
    assert_eq!(speak(&["key", "show", id], &key)["state"], "active");
    assert_eq!(speak(&["key", "disable", id], &["id", "state"])["state"], "disabled");
    assert_eq!(speak(&["key", "enable", id], &["id", "state"])["state"], "active");
    assert_eq!(speak(&["key", "revoke", id], &["id", "state"])["state"], "deleted");
    let create = ["guard", "create", "one", "--path", "/one", "--upstream", "http://127.0.0.1:9"];
    speak(&create, &["name"]);
    speak(&["guard", "list"], &guard);
    assert_eq!(speak(&["guard", "show", "one"], &guard)["source"], "store");
    speak(&["guard", "delete", "one"], &["name"]);
    speak(&["user", "delete", "zoe"], &["login", "state"]);
    // It reads standard input, and so stands for itself.
    let mut command = home.command(&["--json", "user", "password", "owner"]);
    let input = std::fs::File::open(home.write("password", "a new password\n")).unwrap();
    let output = command.stdin(input).output().unwrap();
    assert_eq!(text(&output.stdout), format!("{}\n", json!({ "login": "owner" })));
    left.remove("user password");
    assert_eq!(left.into_iter().collect::<Vec<_>>(), WITHOUT_JSON, "not spoken with");
}

const GOOD: &str = "http://127.0.0.1:9";

/// What can be read as a command and not be done, each with what is said of it.
const MISTAKES: &[(&[&str], &str)] = &[
    (&["user", "create", ""], "name"),
    (&["user", "create", "a\nb"], "name"),
    (&["user", "create", "a:b"], "name"),
    (&["user", "create", "Owner"], "user `owner` exists already"),
    (&["user", "disable", "nobody"], "there is no user `nobody`"),
    (&["user", "enable", "nobody"], "there is no user `nobody`"),
    (&["user", "delete", "nobody"], "there is no user `nobody`"),
    (&["user", "create", "new", "--email", "no address"], "an address has one `@`"),
    (&["user", "create", "new", "--organization", "99"], "there is no organization 99"),
    (&["user", "update", "owner"], "give --name, --email or both"),
    (&["user", "show", "owner", "--realm", "99"], "there is no organization 99"),
    (&["user", "disable", "anonymous"], "user 2 stands for nobody"),
    (&["org", "create", ""], "a name has 1 to 256 bytes"),
    (&["org", "create", "new", "--parent", "99"], "there is no organization 99"),
    (&["org", "disable", "1"], "the root organization is always active"),
    (&["org", "delete", "1"], "the root organization is always active"),
    (&["org", "rename", "99", "new"], "there is no organization 99"),
    (&["role", "create", "owner"], "the built-in role `owner` exists already"),
    (&["role", "create", "new", "--ability", ""], "an ability has"),
    (&["role", "allow", "Owner", "More"], "a built-in role never changes"),
    (&["role", "delete", "Owner"], "a built-in role never changes"),
    (&["role", "delete", "king"], "there is no role `king`"),
    (&["role", "grant", "king", "owner"], "there is no role `king`"),
    (&["role", "grant", "Owner", "nobody"], "there is no user `nobody`"),
    (&["role", "grant", "Owner", "--group", "none"], "there is no group `none`"),
    (&["group", "create", " "], "a name has 1 to 256 bytes"),
    (&["group", "add", "none", "owner"], "there is no group `none`"),
    (&["key", "create", "owner", "--expires", "tomorrow"], "a moment is written as"),
    (&["key", "create", "owner", "--expires", "1d", "--not-before", "2d"], "before it expires"),
    (&["key", "create", "owner", "--label", "a\nb"], "a name has 1 to 256 bytes"),
    (&["key", "create", "anonymous"], "this user never signs in"),
    (&["key", "create", "nobody"], "there is no user `nobody`"),
    (&["key", "list", "nobody"], "there is no user `nobody`"),
    (&["key", "show", "unknown"], "there is no key `unknown`"),
    (&["key", "disable", "unknown"], "there is no key `unknown`"),
    (&["key", "enable", "unknown"], "there is no key `unknown`"),
    (&["key", "revoke", "unknown"], "there is no key `unknown`"),
    (&["guard", "delete", "unknown"], "there is no guard `unknown`"),
    (&["guard", "create", "New", "--upstream", GOOD], "`New` is not a name"),
    (&["guard", "create", "new", "--upstream", "https://a.example"], "not an upstream"),
    (&["guard", "create", "new", "--upstream", "http://a.example/?x"], "not an upstream"),
    (&["guard", "create", "new", "--upstream", GOOD, "--path", "new"], "not a path prefix"),
    (&["guard", "create", "new", "--upstream", GOOD, "--path", "/a/../b"], "not a path prefix"),
    (&["guard", "create", "new", "--upstream", GOOD, "--path", "/demo"], "both answer for"),
    (
        &["guard", "create", "new", "--upstream", GOOD, "--host", "a host"],
        "`a host` is not the name",
    ),
    (&["guard", "create", "new", "--upstream", GOOD, "--ability", " "], "an ability has"),
    (&["guard", "create", "new", "--upstream", GOOD, "--scheme", "digest"], "no scheme `digest`"),
    (
        &["guard", "create", "new", "--upstream", GOOD, "--api-key-header", "Cookie"],
        "no other meaning",
    ),
];

/// What cannot be read as a command.
const MISUSES: &[(&[&str], &str)] = &[
    (&["guard", "create", "new"], "required arguments"),
    (&["guard", "create", "new", "--upstream", "no uri"], "invalid value 'no uri'"),
    (&["guard", "create", "new", "--upstream", GOOD, "--network", "300.0.0.0/8"], "'300.0.0.0/8'"),
    (&["guard", "create", "new", "--upstream", GOOD, "--method", "GE T"], "'GE T'"),
    (&["role", "grant", "Owner"], "required arguments"),
    (&["serve", "--listen", "nowhere"], "invalid value 'nowhere'"),
    (&["usr"], "unrecognized subcommand 'usr'"),
];

#[test]
fn a_mistake_is_told_in_one_line_and_changes_nothing() {
    let server = Quickstart::start(Home::new());
    let home = &server.home;
    let id = server.text("/api_key/key").split('_').nth(2).unwrap();
    home.done(&["key", "revoke", id]);
    let before = home.audit();
    let revoked: (&[&str], &str) = (&["key", "enable", id], "this key was revoked, for good");
    for (words, expected) in MISTAKES.iter().chain([&revoked]) {
        let output = home.run(words);
        let told = text(&output.stderr);
        assert_eq!((output.status.code(), &*text(&output.stdout)), (Some(1), ""), "{words:?}");
        assert!(told.starts_with("error: ") && told.lines().count() == 1, "{words:?}: {told}");
        assert!(told.contains(expected), "{words:?}: {told}");
    }
    for (words, expected) in MISUSES {
        let output = home.run(words);
        let told = text(&output.stderr);
        assert_eq!((output.status.code(), &*text(&output.stdout)), (Some(2), ""), "{words:?}");
        assert!(told.starts_with("error: ") && told.contains(expected), "{words:?}: {told}");
    }
    for password in ["", "short", &"x".repeat(1_025)] {
        let output = home.set_password("owner", password);
        let told = text(&output.stderr);
        assert!(!output.status.success() && told.lines().count() == 1, "{told}");
        assert!(told.starts_with("error: ") && told.contains("password"), "{told}");
    }
    let nowhere = home.run(&["--config", "/nowhere/at/all.toml", "user", "list"]);
    assert_eq!(nowhere.status.code(), Some(1));
    assert!(text(&nowhere.stderr).starts_with("error: /nowhere/at/all.toml: "));
    assert_eq!(home.audit(), before);
    // And the server went on as if nothing had been.
    assert_eq!(server.get(&server.basic()).status(), 200);
}

#[test]
fn commands_need_no_server_and_the_next_server_knows_what_they_did() {
    let home = Home::new();
    home.done(&["user", "create", "zoe"]);
    home.done(&["key", "create", "zoe"]);
    assert!(home.set_password("zoe", "a good password").status.success());
    let made = home.json(&["key", "create", "zoe", "--label", "nightly"]);
    let upstream = ["--path", "/", "--upstream", "http://127.0.0.1:9", "--method", "POST"];
    home.done(&[&["guard", "create", "all"], &upstream[..]].concat());
    assert_eq!(home.done(&["key", "list", "zoe"]).lines().count(), 3);
    let server = Server::serve(home, "");
    for credential in [
        format!("X-Api-Key: {}", made["key"].as_str().unwrap()),
        crate::common::basic("zoe", "a good password"),
    ] {
        // Known, for only who is known is told that the method is not allowed.
        assert_eq!(server.send(&format!("GET / HTTP/1.1\r\n{credential}")).status(), 403);
    }
    let ended = server.stop();
    assert_eq!((ended.code, &*ended.stdout), (Some(0), ""));
    ended.home.done(&["user", "list"]);
}

#[test]
fn a_server_is_refused_where_another_runs_and_warned_where_a_quickstart_was() {
    let server = Quickstart::start(Home::new());
    let second = server.home.run(&["serve", "--listen", "127.0.0.1:0"]);
    let told = text(&second.stderr);
    assert!(!second.status.success() && told.contains("another server runs on"), "{told}");
    assert_eq!(server.get(&server.api_key()).status(), 200);
    let home = server.stop().home;
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let refused = home.run(&["serve", "--listen", &taken.local_addr().unwrap().to_string()]);
    let told = text(&refused.stderr);
    assert!(!refused.status.success() && told.contains("listening on 127.0.0.1"), "{told}");
    let ended = Server::serve(home, "").stop();
    assert!(ended.stderr.starts_with("warning: this folder holds the secrets of a quickstart"));
}

#[test]
fn check_config_tells_every_mistake_at_once_with_its_place() {
    let home = Home::with(&[("PORTCULLIS_LISTEN", "nowhere".into())]);
    let config = "\
[server]
drain = \"soon\"
nonsense = 1
[log]
level = \"loud\"
[[guard]]
name = \"one\"
upstream = \"http://127.0.0.1:9\"
schemes = [\"digest\"]
[[guard]]
name = \"One\"
path = \"/one\"
networks = [\"10.0.0.0/8\"]
upstream = \"http://127.0.0.1:9\"
";
    let file = home.write("config.toml", config);
    let places = ["2:9", "3:1", "5:9", "9:12", "11:8"];
    let output = home.run(&["check-config", &file]);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    for place in places {
        assert!(told.contains(&format!("{file}:{place}: ")), "{place}: {told}");
    }
    assert!(told.contains("PORTCULLIS_LISTEN: "), "{told}");
    assert!(told.ends_with("6 mistakes\n"), "{told}");
    let output = home.run(&["--json", "check-config", &file]);
    let mistakes: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(mistakes.as_array().unwrap().len(), 6, "{mistakes:#}");
    // What `check-config` refuses, `serve` does not start with, and leaves no trace of.
    let refused = home.run(&["serve", "--config", &file]);
    assert!(text(&refused.stderr).ends_with("6 mistakes\n"));
    assert!(!home.data().exists());
}
