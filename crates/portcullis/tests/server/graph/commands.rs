//! Listeners by command line and configuration file.

use serde_json::{Value, json};

use crate::common::{Home, text};

const GOOD: &str = "http://127.0.0.1:9/flow";

#[test]
fn a_listener_is_shown_as_it_was_made_and_apart_from_guards() {
    let home = Home::new();
    home.done(&["mount", "create", "graph", "--dialect", "graph"]);
    home.done(&["guard", "create", "route", "--upstream", GOOD]);
    home.done(&["listener", "create", "0aF_-", "--upstream", GOOD]);
    home.done(&[
        "listener",
        "create",
        "full",
        "--upstream",
        GOOD,
        "--scheme",
        "api_key",
        "--network",
        "10.0.0.0/8",
        "--network",
        "2001:db8::1/128",
        "--method",
        "POST",
        "--ability",
        "Orders - Read",
        "--pass-credential",
    ]);
    let shown = home.json(&["listener", "show", "full"]);
    assert_eq!(shown["schemes"], json!([{ "scheme": "api_key", "options": {} }]));
    assert_eq!(shown["networks"], json!(["10.0.0.0/8", "2001:db8::1/128"]));
    assert_eq!((&shown["methods"], &shown["source"]), (&json!(["POST"]), &json!("store")));
    assert_eq!(
        (&shown["ability"], &shown["pass_credential"]),
        (&json!("Orders - Read"), &json!(true))
    );
    assert_eq!((&shown["id"], &shown["upstream"]), (&json!("full"), &json!(GOOD)));
    let schemes = home.json(&["listener", "show", "0aF_-"])["schemes"].clone();
    let own =
        [("basic", json!({})), ("bearer", json!({ "body": "true" })), ("shared_secret", json!({}))];
    let own = own.map(|(scheme, options)| json!({ "scheme": scheme, "options": options }));
    assert_eq!(schemes, json!(own));
    let named = |command: &str, key: &str| -> Vec<String> {
        let told = home.done(&["--json", command, "list"]);
        let lines = told.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.map(|line| line[key].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(named("listener", "id"), ["0aF_-", "full"]);
    assert_eq!(named("guard", "name"), ["route"]);
    let table = home.done(&["listener", "list"]);
    assert!(table.starts_with("ID     SCHEMES                       UPSTREAM"), "{table}");
    let noted = home.audit();
    assert!(noted.iter().any(|entry| entry.subject == "listener full"), "{noted:?}");
}

#[test]
fn a_mistake_in_a_listener_is_told_and_makes_none() {
    let home = Home::new();
    home.done(&["guard", "create", "route", "--upstream", GOOD]);
    home.done(&["listener", "create", "flow", "--upstream", GOOD]);
    let create = ["listener", "create", "new", "--upstream", GOOD];
    for (words, expected) in [
        (
            &["listener", "create", "a.b", "--upstream", GOOD][..],
            "`a.b` is not the id of a listener",
        ),
        (&["listener", "create", "", "--upstream", GOOD], "`` is not the id"),
        (&["listener", "create", &"a".repeat(65), "--upstream", GOOD], "is not the id"),
        (&["listener", "create", "flow", "--upstream", GOOD], "listener `flow` exists already"),
        (&["listener", "create", "route", "--upstream", GOOD], "guard `route` exists already"),
        (
            &["guard", "create", "flow", "--path", "/x", "--upstream", GOOD],
            "listener `flow` exists already",
        ),
        (&["listener", "create", "new", "--upstream", "ftp://a.example"], "not an upstream"),
        (&[&create[..], &["--scheme", "digest"]].concat(), "no scheme `digest`"),
        (&[&create[..], &["--ability", " "]].concat(), "an ability has"),
        (
            &[&create[..], &["--scheme", "basic", "--secret-header", "X-Key"]].concat(),
            "the secret's header is of scheme `shared_secret`, which it does not accept",
        ),
        (
            &[&create[..], &["--scheme", "basic", "--token-lifetime", "24h"]].concat(),
            "a token's lifetime is of scheme `bearer`, which it does not accept",
        ),
        (&["guard", "delete", "flow"], "`flow` is a listener; use `portcullis listener`"),
        (&["guard", "show", "flow"], "`flow` is a listener; use `portcullis listener`"),
        (&["listener", "delete", "route"], "`route` is a guard; use `portcullis guard`"),
        (&["listener", "show", "none"], "there is no listener `none`"),
        (&["listener", "delete", "none"], "there is no listener `none`"),
    ] {
        let output = home.run(words);
        let told = text(&output.stderr);
        assert_eq!((output.status.code(), &*text(&output.stdout)), (Some(1), ""), "{words:?}");
        assert!(told.contains(expected) && told.lines().count() == 1, "{words:?}: {told}");
    }
    assert_eq!(home.done(&["--json", "listener", "list"]).lines().count(), 1);
    assert_eq!(home.done(&["--json", "guard", "list"]).lines().count(), 1);
}

#[test]
fn a_network_is_read_in_one_way_by_both_commands() {
    let home = Home::new();
    for (words, expected) in [
        (&["--network", "10.0.0.0/33"][..], "'10.0.0.0/33'"),
        (&["--network", "010.0.0.0/8"], "'010.0.0.0/8'"),
        (&["--network", "10.0/8"], "'10.0/8'"),
        (&["--network", "10.0.0.1/8"], "bits below the mask"),
        (&["--network", "fe80::%eth0/10"], "'fe80::%eth0/10'"),
        (&["--network", "::ffff:10.0.0.0/129"], "'::ffff:10.0.0.0/129'"),
        (&["--network", "0000010.0.0.0/8"], "'0000010.0.0.0/8'"),
        (&["--network", ""], "''"),
        (&["--network-only"], "--network <NETWORKS>"),
        (
            &["--network-only", "--network", "10.0.0.0/8", "--scheme", "basic"],
            "cannot be used with",
        ),
        (&["--token-lifetime", "soon"], "a time from 1s to 8760h was expected"),
    ] {
        for kind in ["listener", "guard"] {
            if kind == "guard" && words[0] == "--token-lifetime" {
                continue;
            }
            let output = home.run(&[&[kind, "create", "new", "--upstream", GOOD], words].concat());
            let told = text(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{words:?}: {told}");
            assert!(told.contains(expected), "{words:?}: {told}");
        }
    }
    assert_eq!(home.done(&["--json", "listener", "list"]), "");
    assert_eq!(home.done(&["--json", "guard", "list"]), "");
}

#[test]
fn networks_alone_suffice_by_command_too() {
    let home = Home::new();
    let only = ["--upstream", GOOD, "--network-only", "--network", "10.0.0.0/8"];
    home.done(&[&["listener", "create", "a"], &only[..]].concat());
    home.done(&[&["guard", "create", "b", "--path", "/b"], &only[..]].concat());
    for words in [["listener", "show", "a"], ["guard", "show", "b"]] {
        let shown = home.json(&words);
        assert_eq!((&shown["schemes"], &shown["networks"]), (&json!([]), &json!(["10.0.0.0/8"])));
    }
}

/// What `check-config` says of `config`, and whether it is content.
fn checked(config: &str) -> (bool, String) {
    let home = Home::new();
    let output = home.run(&["check-config", &home.write("portcullis.toml", config)]);
    (output.status.success(), text(&output.stderr))
}

#[test]
fn a_file_with_listeners_is_checked_as_one_with_guards_is() {
    let listener = "[[listener]]\nid = \"flow\"\nupstream = \"http://127.0.0.1:9\"\n";
    let mounted = format!("{listener}[[mount]]\ndialect = \"graph\"\n");
    let (good, told) = checked(&mounted);
    assert!(good && told.is_empty(), "{told}");
    for (config, expected) in [
        (
            mounted.replace("9\"\n", "9\"\nschemes = []\n"),
            "listener `flow`: a guard accepts at least",
        ),
        (
            mounted.replace("9\"\n", "9\"\nschemes = [\"basic\"]\nsecret_header = \"x-a\"\n"),
            "which it does not accept",
        ),
        (
            mounted.replace("9\"\n", "9\"\nschemes = [\"basic\"]\ntoken_lifetime = \"24h\"\n"),
            "which it does not accept",
        ),
        (
            format!(
                "{mounted}[[guard]]\nname = \"g\"\npath = \"/api/v1/listener/flow\"\n\
                     upstream = \"http://127.0.0.1:9\"\nschemes = [\"basic\"]\n"
            ),
            "mount `graph` and guard `g` both answer for /api/v1/listener/flow/",
        ),
        (
            mounted.replace("dialect = \"graph\"", "dialect = \"graph\"\napi_keys = true"),
            "`graph` has no option",
        ),
    ] {
        let (good, told) = checked(&config);
        assert!(!good && told.contains(expected), "{config}\n{told}");
    }
    for (config, warned) in [
        (listener.to_owned(), true),
        (format!("{listener}[[mount]]\ndialect = \"journyx\"\n"), true),
        (format!("{listener}[[mount]]\ndialect = \"graph\"\norganization = 7\n"), true),
        (mounted.replace("9\"\n", "9\"\norganization = 7\n"), false),
        (listener.replace("9\"\n", "9\"\norganization = 7\n"), true),
        (mounted, false),
    ] {
        let (good, told) = checked(&config);
        assert!(good, "{told}");
        assert_eq!(told.contains("listener `flow` answers nowhere"), warned, "{config}\n{told}");
    }
}

#[test]
fn a_file_may_hold_as_many_guards_as_it_says() {
    let guard = |n| {
        format!(
            "[[guard]]\nname = \"g{n}\"\npath = \"/{n}\"\nupstream = \"http://a\"\nschemes = [\"basic\"]\n"
        )
    };
    let (good, told) = checked(&(0..300).map(guard).collect::<String>());
    assert!(good, "{told}");
}
