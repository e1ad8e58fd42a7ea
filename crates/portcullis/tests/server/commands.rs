//! The commands beside a server: their help, their JSON, and what they say of a mistake.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::Stdio;

use portcullis_core::scheme::connector::sign;
use portcullis_core::secret::SecretBuf;
use portcullis_store::folder::FolderLock;
use serde_json::{Value, json};

use crate::common::{Home, Quickstart, Server, text, wait};

/// Every command that has none below it, found by asking for help as a person does.
fn leaves(home: &Home, above: &[&str], found: &mut BTreeSet<String>) {
    let help = home.done(&[above, &["--help"]].concat());
    assert!(help.contains("Usage: portcullis"), "{above:?}: {help}");
    let about = help.lines().next().unwrap();
    assert!(about.contains(' '), "{above:?}: {about:?}");
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

/// One of each command, in an order in which each has what it speaks of; words in capitals stand for
/// what was made before.
const SPOKEN: &[&[&str]] = &[
    &["check-config", "CONFIG"],
    &["org", "create", "Tenant", "--realm"],
    &["org", "list"],
    &["org", "show", "ORG"],
    &["org", "rename", "ORG", "Customer"],
    &["org", "disable", "ORG"],
    &["org", "enable", "ORG"],
    &["user", "create", "zoe", "--email", "zoe@a.example"],
    &["user", "list"],
    &["user", "show", "zoe"],
    &["user", "update", "zoe", "--name", "a \"name\""],
    &["user", "disable", "zoe"],
    &["user", "enable", "zoe"],
    &["group", "create", "Team"],
    &["group", "add", "Team", "zoe"],
    &["group", "list"],
    &["group", "show", "Team"],
    &["role", "create", "Reacher", "--ability", "Moon - Reach"],
    &["role", "allow", "Reacher", "Mars - Reach"],
    &["role", "deny", "Reacher", "Mars - Reach"],
    &["role", "grant", "Reacher", "zoe"],
    &["role", "list"],
    &["role", "show", "Reacher"],
    &["role", "withdraw", "Reacher", "zoe"],
    &["role", "delete", "Reacher"],
    &["key", "create", "zoe", "--label", "a \"label\""],
    &["key", "list", "zoe"],
    &["key", "show", "KEY"],
    &["key", "disable", "KEY"],
    &["key", "enable", "KEY"],
    &["key", "limit", "KEY", "--network", "10.0.0.0/8"],
    &["key", "usage", "KEY"],
    &["key", "rotate", "KEY", "--overlap", "1h"],
    &["key", "usage"],
    &["key", "revoke", "KEY"],
    &["guard", "create", "one", "--path", "/one", "--upstream", GOOD],
    &["guard", "list"],
    &["guard", "show", "one"],
    &["guard", "delete", "one"],
    &["guard", "create", "two", "--upstream", GOOD, "--scheme", "shared_secret", "--path", "/two"],
    &["secret", "create", "zoe", "--guard", "two"],
    &["assertion-key", "rotate"],
    &["assertion-key", "rotate"],
    &["assertion-key", "list"],
    &["assertion-key", "retire", "ASSERTION"],
    &["listener", "create", "flow", "--upstream", GOOD],
    &["listener", "list"],
    &["listener", "show", "flow"],
    &["listener", "delete", "flow"],
    &["user", "secret", "owner"],
    &["server-token", "create", "owner", "--label", "a \"label\""],
    &["server-token", "list"],
    &["server-token", "older", "TOKEN", "true"],
    &["server-token", "rotate", "TOKEN", "--overlap", "1h"],
    &["server-token", "disable", "TOKEN"],
    &["server-token", "enable", "TOKEN"],
    &["server-token", "revoke", "TOKEN"],
    &["server-token", "create", "owner", "--browser", "shop.example"],
    &["server-token", "hosts", "TOKEN", "*.shop.example"],
    &["mount", "create", "hub", "--dialect", "journey_hub", "--path", "/hub"],
    &["mount", "list"],
    &["mount", "show", "hub"],
    &["mount", "delete", "hub"],
    &["template", "create", "Shop", "--connection", "queue:Orders"],
    &["template", "list"],
    &["template", "show", "TEMPLATE"],
    &["template", "delete", "TEMPLATE"],
    &["connector", "create", "zoe", "--label", "a \"label\""],
    &["connector", "list"],
    &["connector", "show", "CONNECTOR"],
    &["connector", "set", "CONNECTOR", "--partial", "true"],
    &["connector", "limit", "CONNECTOR", "--network", "10.0.0.0/8"],
    &["connector", "rotate", "CONNECTOR", "--overlap", "1h"],
    &["connector", "disable", "CONNECTOR"],
    &["connector", "enable", "CONNECTOR"],
    &["connector", "revoke", "CONNECTOR"],
    &["hull", "subject", "bob@bob.com"],
    &["hull", "export"],
    &["group", "remove", "Team", "zoe"],
    &["group", "delete", "Team"],
    &["user", "delete", "zoe"],
    &["org", "delete", "ORG"],
];

/// A server token of Expert.
const KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// What a command made that later ones speak of, by the word that stands for it.
fn named(words: &[&str], made: &Value) -> Option<(&'static str, String)> {
    let (name, field) = match *words {
        ["assertion-key", "rotate", ..] => ("ASSERTION", "id"),
        ["connector", "create", ..] => ("CONNECTOR", "id"),
        ["key", "create", ..] => ("KEY", "id"),
        ["org", "create", ..] => ("ORG", "number"),
        ["server-token", "create", ..] => ("TOKEN", "key"),
        ["template", "create", ..] => ("TEMPLATE", "id"),
        _ => return None,
    };
    let value = &made[field];
    Some((name, value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
}

#[test]
fn every_command_has_help_and_speaks_json() {
    let server = Quickstart::start(Home::new());
    let home = &server.home;
    tell_of_somebody(&server);
    let mut left = BTreeSet::new();
    leaves(home, &[], &mut left);
    let mut known = BTreeMap::from([("CONFIG", home.write("config.toml", ""))]);
    for spoken in SPOKEN {
        let words: Vec<String> =
            spoken.iter().map(|word| known.get(word).map_or(*word, |it| it).to_owned()).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let said = home.done(&[&["--json"], &words[..]].concat());
        let lines = said.lines().map(|line| serde_json::from_str(line).expect(line));
        let lines: Vec<Value> = lines.collect();
        assert!(!lines.is_empty(), "{words:?} says nothing");
        known.extend(named(&words, &lines[0]));
        left.remove(words[0]);
        left.remove(&words[..2].join(" "));
    }
    speak_those_that_read(home, &mut left);
    assert_eq!(left.into_iter().collect::<Vec<_>>(), WITHOUT_JSON, "not spoken with");
}

/// Speaks with the commands that read standard input.
fn speak_those_that_read(home: &Home, left: &mut BTreeSet<String>) {
    let mut command = home.command(&["--json", "user", "password", "owner"]);
    let input = std::fs::File::open(home.write("password", "a new password\n")).unwrap();
    let output = command.stdin(input).output().unwrap();
    assert_eq!(text(&output.stdout), format!("{}\n", json!({ "login": "owner" })));
    left.remove("user password");
    let mut command = home.command(&["--json", "secret", "import", "owner", "--guard", "two"]);
    let input = std::fs::File::open(home.write("secret", "abc123\n")).unwrap();
    let output = command.stdin(input).output().unwrap();
    let imported: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(imported["id"].is_string() && text(&output.stderr).contains("can be found by trying"));
    left.remove("secret import");
    let mut command = home.command(&["sign", "hub", "--user-id", "3", "--nonce", "nonce-1"]);
    let input = std::fs::File::open(home.write("secret", "s3cr\u{e9}t\n")).unwrap();
    let output = command.stdin(input).output().unwrap();
    let signed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(signed["hash"].as_str().unwrap().get(..16), Some("45d0e2f9b8c56277"));
    left.remove("sign hub");
    let of_connector = ["--id", "5a7962e2793d3e942a03b29a", "--user", "email=bob@bob.com"];
    let of_server = ["--key", KEY, "--user", "=zoe"];
    let link = [&of_server[..], &["--origin", "http://a.example"]].concat();
    for (command, words, expected) in [
        (
            "sign journyx login",
            &["--username", "zoe", "--origin", "http://a.example"][..],
            "http://a.example/api",
        ),
        ("sign journyx basic", &["--username", "zoe"], "authorization: Basic "),
        ("sign expert token", &of_server, "X-Deki-Token: tkn_0123"),
        ("sign expert link", &link, "http://a.example/@api/deki/users/authenticate?x-deki-token="),
        ("sign hull", &of_connector, "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9."),
    ] {
        let above: Vec<&str> = command.split(' ').collect();
        let mut spoken = home.command(&[&above[..], words].concat());
        let input = std::fs::File::open(home.write("secret", "a good password\n")).unwrap();
        let output = spoken.stdin(input).output().unwrap();
        assert!(text(&output.stdout).contains(expected), "{command}: {}", text(&output.stderr));
        left.remove(command);
    }
}

/// Tells of `bob@bob.com`, as a program with the quickstart's connector does.
fn tell_of_somebody(server: &Quickstart) {
    let id = server.text("/hull/app_id");
    let claims = json!({ "iss": id, "iat": 0, "io.hull.asUser": { "email": "bob@bob.com" } });
    let token = sign(&SecretBuf::new(server.text("/hull/secret")), &claims.to_string());
    let answer = server.send(&format!(
        "POST /api/v1/me/traits HTTP/1.1\r\nContent-Length: 0\r\nHull-App-Id: {id}\r\n\
         Hull-Access-Token: {}",
        token.expose_text()
    ));
    assert_eq!(answer.status(), 200, "{}", answer.0);
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
    (&["user", "update", "owner"], "give --name, --email or both"),
    (&["user", "list", "--realm", "77"], "there is no organization"),
    (&["role", "grant", "king", "owner"], "there is no role `king`"),
    (&["role", "grant", "Owner", "nobody"], "there is no user `nobody`"),
    (&["role", "deny", "Owner", "Moon - Reach"], "a built-in role never changes"),
    (&["role", "create", "Owner"], "exists already"),
    (&["role", "create", "Reacher", "--ability", ""], "an ability has"),
    (&["group", "add", "nobodies", "owner"], "there is no group `nobodies`"),
    (&["group", "create", ""], "name"),
    (&["org", "show", "77"], "there is no organization"),
    (&["user", "secret", "anonymous"], "only an Owner of their organization holds a secret"),
    (&["user", "secret", "99"], "there is no user 99"),
    (&["mount", "create", "A", "--dialect", "journey_hub"], "`A` is not a name"),
    (&["mount", "create", "a", "--dialect", "journey_hub"], "both answer for /"),
    (
        &["mount", "create", "a", "--dialect", "journey_hub", "--path", "/demo"],
        "mount `a` and guard `quickstart-demo` both answer for /demo/",
    ),
    (
        &["mount", "create", "a", "--dialect", "journey_hub", "--token-lifetime", "soon"],
        "`token_lifetime` is a time from 1s to 24h, not `soon`",
    ),
    (&["mount", "delete", "none"], "there is no mount `none`"),
    (&["template", "create", ""], "a name has 1 to 256 bytes"),
    (&["template", "show", "99"], "there is no template 99"),
    (&["sign", "hub", "--user-id", "1", "--nonce", ""], "a nonce has 1 to 256"),
    (&["sign", "hub", "--user-id", "1"], "there is no secret on standard input"),
    (&["org", "create", ""], "name"),
    (&["org", "disable", "1"], "root"),
    (&["org", "delete", "1"], "root"),
    (&["key", "create", "nobody"], "there is no user `nobody`"),
    (&["key", "create", "owner", "--expires", "tomorrow"], "a moment is written as"),
    (&["key", "create", "owner", "--not-before", ""], "a moment is written as"),
    (&["key", "list", "nobody"], "there is no user `nobody`"),
    (&["key", "show", "unknown"], "there is no key `unknown`"),
    (&["key", "disable", "unknown"], "there is no key `unknown`"),
    (&["key", "enable", "unknown"], "there is no key `unknown`"),
    (&["key", "revoke", "unknown"], "there is no key `unknown`"),
    (&["guard", "delete", "unknown"], "there is no guard `unknown`"),
    (&["guard", "create", "New", "--upstream", GOOD], "`New` is not a name"),
    (&["guard", "create", "new", "--upstream", "ftp://a.example"], "not an upstream"),
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
    (&["user", "create", "new", "--email", "no address"], "an address has one `@`"),
    (&["user", "create", "new", "--organization", "99"], "there is no organization 99"),
    (&["user", "show", "owner", "--realm", "99"], "there is no organization 99"),
    (&["user", "disable", "anonymous"], "user 2 stands for nobody"),
    (&["org", "create", "new", "--parent", "99"], "there is no organization 99"),
    (&["org", "rename", "99", "new"], "there is no organization 99"),
    (&["role", "create", "owner"], "the built-in role `owner` exists already"),
    (&["role", "create", "new", "--ability", ""], "an ability has"),
    (&["role", "allow", "Owner", "More"], "a built-in role never changes"),
    (&["role", "delete", "Owner"], "a built-in role never changes"),
    (&["role", "delete", "king"], "there is no role `king`"),
    (&["role", "grant", "Owner", "--group", "none"], "there is no group `none`"),
    (&["group", "create", " "], "a name has 1 to 256 bytes"),
    (&["group", "add", "none", "owner"], "there is no group `none`"),
    (&["key", "create", "owner", "--expires", "1d", "--not-before", "2d"], "before it expires"),
    (&["key", "create", "owner", "--label", "a\nb"], "a name has 1 to 256 bytes"),
    (&["key", "create", "anonymous"], "this user never signs in"),
];

/// What cannot be read as a command.
const MISUSES: &[(&[&str], &str)] = &[
    (&["guard", "create", "new"], "required arguments"),
    (&["guard", "create", "new", "--upstream", "no uri"], "invalid value 'no uri'"),
    (&["guard", "create", "new", "--upstream", GOOD, "--network", "300.0.0.0/8"], "'300.0.0.0/8'"),
    (&["guard", "create", "new", "--upstream", GOOD, "--method", "GE T"], "'GE T'"),
    (&["org", "show", "Root"], "invalid value 'Root'"),
    (&["role", "allow", "Owner"], "required arguments"),
    (&["serve", "--listen", "nowhere"], "invalid value 'nowhere'"),
    (&["usr"], "unrecognized subcommand 'usr'"),
];

#[test]
fn a_login_name_is_looked_for_in_the_realm_of_the_organization_that_is_named() {
    let home = Home::new();
    home.done(&["user", "create", "bob"]);
    home.done(&["org", "create", "Acme", "--realm"]);
    home.done(&["user", "create", "bob", "--organization", "2"]);
    let made = home.done(&["group", "create", "Team", "--organization", "2"]);
    assert!(made.ends_with("portcullis group add 'Team' LOGIN --organization 2\n"), "{made}");
    home.done(&["group", "add", "Team", "bob", "--organization", "2"]);
    home.done(&["role", "grant", "Owner", "bob", "--organization", "2"]);
    let groups = |realm| home.json(&["user", "show", "bob", "--realm", realm])["groups"].clone();
    assert_eq!((groups("1"), groups("2")), (json!([]), json!(["Team"])));
    // Somebody of another realm must be meant.
    home.done(&["role", "grant", "Owner", "bob", "--organization", "2", "--realm", "1"]);
    let roles = |realm| home.json(&["user", "show", "bob", "--realm", realm])["roles"].clone();
    let held = json!([{ "role": "Owner", "organization": 2 }]);
    assert_eq!((roles("1"), roles("2")), (held.clone(), held));
}

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
    assert_eq!(home.done(&["--json", "key", "list", "zoe"]).lines().count(), 2);
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
fn a_command_that_waits_for_a_server_says_so() {
    let home = Home::new();
    home.done(&["user", "create", "zoe"]);
    // A server that has a row and the folder's lock, and does nothing more.
    wait(home.store().tend(|tending| tending.insert_node([7; 16], "silent", ""))).unwrap();
    let lock = FolderLock::take(&home.data()).unwrap().unwrap();
    let mut command = home.command(&["user", "disable", "zoe"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut said).unwrap();
    assert!(said.contains("a server does not answer; waiting for it, 34 s at most"), "{said}");
    drop(lock);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && text(&output.stdout).contains("`zoe` is disabled now"));
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
fn a_database_on_another_machine_that_is_spoken_to_in_plain_text_is_warned_of() {
    let url = "postgres://portcullis:CANARY@192.0.2.7/portcullis";
    for (query, warned) in [("", true), ("?sslmode=disable", false)] {
        let home = Home::with(&[("PORTCULLIS_DATABASE_URL", format!("{url}{query}"))]);
        let output = home.run(&["check-config", &home.write("config.toml", "")]);
        let told = text(&output.stderr);
        assert!(output.status.success() && !told.contains("CANARY"), "{told}");
        assert_eq!(told.starts_with("warning: ") && told.contains("sslmode"), warned, "{told}");
    }
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
