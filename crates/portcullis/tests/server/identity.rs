//! What upstreams are told of callers, by each preset: exactly, and by nobody but us.

use std::io::Write as _;

use crate::common::{Answer, Home, Server};
use crate::upstream::{read_head, upstream};

/// An upstream that answers with the head it was sent.
pub(crate) fn echo() -> String {
    let address = upstream(|mut stream| {
        let head = read_head(&mut stream);
        let length = head.len();
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{head}");
        stream.write_all(answer.as_bytes()).unwrap();
    });
    format!("http://{address}")
}

/// The headers that the upstream was sent, of those that tell who somebody is.
fn heard(answer: &Answer) -> Vec<(String, String)> {
    assert_eq!(answer.status(), 200, "{}", answer.0);
    let pairs = answer.body().lines().filter_map(|line| line.split_once(": "));
    let pairs = pairs.map(|(name, value)| (name.to_lowercase(), value.to_owned()));
    let told = |name: &str| {
        name.starts_with("remote")
            || ["portcullis", "x-auth", "x-consumer", "x-credential", "x-anonymous"]
                .iter()
                .any(|start| name.replace(['_', '.'], "-").starts_with(start))
    };
    let mut all: Vec<_> = pairs.filter(|(name, _)| told(name)).collect();
    all.retain(|(name, _)| name != "portcullis-request-id");
    all.sort();
    all
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut all: Vec<_> =
        expected.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    all.sort();
    all
}

/// Two users and a key of each.
struct House {
    server: Server,
    zoe: serde_json::Value,
    key: serde_json::Value,
}

impl House {
    fn new() -> Self {
        let guard = |name: &str, more: &str| {
            format!(
                "[[guard]]\nname = \"{name}\"\npath = \"/{name}\"\nupstream = \"{}\"\n{more}\n",
                echo()
            )
        };
        let of = |presets: &str| format!("schemes = [\"api_key\"]\nidentity = [{presets}]");
        let all = r#""portcullis", "remote", "x-auth-request", "x-consumer""#;
        let config = [
            guard("usual", "schemes = [\"api_key\"]"),
            guard("none", &of("")),
            guard("portcullis", &of("\"portcullis\"")),
            guard("remote", &of("\"remote\"")),
            guard("auth", &of("\"x-auth-request\"")),
            guard("consumer", &of("\"x-consumer\"")),
            guard("all", &of(all)),
            guard("network", &format!("networks = [\"127.0.0.0/8\"]\nidentity = [{all}]")),
        ];
        let server = Server::serve(Home::new(), &config.concat());
        let home = &server.home;
        home.done(&[
            "user",
            "create",
            "zo\u{eb}",
            "--name",
            "Zo\u{eb} O, Owner",
            "--email",
            "z@a.example",
        ]);
        for role in ["a, Owner", "Reader"] {
            home.done(&["role", "create", role]);
            home.done(&["role", "grant", role, "zo\u{eb}"]);
        }
        let tenant = home.json(&["org", "create", "Tenant"])["number"].to_string();
        home.done(&["role", "create", "Elsewhere", "--organization", &tenant]);
        home.done(&["role", "grant", "Elsewhere", "zo\u{eb}", "--organization", &tenant]);
        home.done(&["group", "create", "Team"]);
        home.done(&["group", "add", "Team", "zo\u{eb}"]);
        home.done(&["role", "create", "By Group"]);
        home.done(&["role", "grant", "By Group", "--group", "Team"]);
        let zoe = home.json(&["user", "show", "zo\u{eb}"]);
        let key = home.json(&["key", "create", "zo\u{eb}"]);
        Self { server, zoe, key }
    }

    fn get(&self, path: &str, more: &str) -> Answer {
        let key = self.key["key"].as_str().unwrap();
        self.server.send(&format!("GET {path} HTTP/1.1\r\nX-Api-Key: {key}{more}"))
    }
}

const ROLES: &str = "By Group,Reader,a%2C Owner";

#[test]
fn each_preset_tells_what_is_documented_and_nothing_else() {
    let house = House::new();
    let user = house.zoe["id"].as_str().unwrap();
    let number = house.zoe["number"].to_string();
    let ours = |answer: &Answer, name: &str| {
        heard(answer).into_iter().find(|(own, _)| own == name).unwrap().1
    };
    let answer = house.get("/portcullis", "");
    let (credential, organization) =
        (ours(&answer, "portcullis-credential-id"), ours(&answer, "portcullis-organization-id"));
    let portcullis = [
        ("portcullis-scheme", "api_key"),
        ("portcullis-user-id", user),
        ("portcullis-user", "zo%C3%AB"),
        ("portcullis-organization-id", &organization),
        ("portcullis-credential-id", &credential),
    ];
    let remote = [
        ("remote-user", "zo%C3%AB"),
        ("remote-groups", ROLES),
        ("remote-name", "Zo%C3%AB O, Owner"),
        ("remote-email", "z@a.example"),
    ];
    let auth = [
        ("x-auth-request-user", user),
        ("x-auth-request-preferred-username", "zo%C3%AB"),
        ("x-auth-request-email", "z@a.example"),
        ("x-auth-request-groups", ROLES),
    ];
    let consumer = [
        ("x-consumer-id", user),
        ("x-consumer-custom-id", &*number),
        ("x-consumer-username", "zo%C3%AB"),
        ("x-credential-identifier", &credential),
        ("x-consumer-groups", ROLES),
    ];
    let all = [&portcullis[..], &remote, &auth, &consumer].concat();
    for (path, expected) in [
        ("/usual", &portcullis[..]),
        ("/none", &[]),
        ("/portcullis", &portcullis),
        ("/remote", &remote),
        ("/auth", &auth),
        ("/consumer", &consumer),
        ("/all", &all),
    ] {
        assert_eq!(heard(&house.get(path, "")), pairs(expected), "{path}");
    }
}

#[test]
fn a_network_is_nobody_by_every_preset() {
    let house = House::new();
    assert_eq!(
        heard(&house.server.send("GET /network HTTP/1.1")),
        pairs(&[
            ("portcullis-scheme", "network"),
            ("portcullis-network", "127.0.0.0/8"),
            ("x-anonymous-consumer", "true"),
        ])
    );
}

#[test]
fn nobody_but_us_tells_an_upstream_who_somebody_is() {
    let house = House::new();
    let honest = heard(&house.get("/all", ""));
    let names = [
        "Portcullis-User",
        "Portcullis-Assertion",
        "Portcullis-Anything",
        "Remote-User",
        "Remote-Groups",
        "Remote-Name",
        "Remote-Email",
        "X-Auth-Request-User",
        "X-Auth-Request-Groups",
        "X-Auth-Request-Redirect",
        "X-Consumer-ID",
        "X-Consumer-Custom-ID",
        "X-Consumer-Username",
        "X-Consumer-Groups",
        "X-Credential-Identifier",
        "X-Anonymous-Consumer",
    ];
    let aliases = |name: &str| {
        [name.to_owned(), name.to_uppercase(), name.replace('-', "_"), name.replace('-', ".")]
    };
    for alias in names.into_iter().flat_map(aliases) {
        let forged = format!("\r\n{alias}: owner");
        assert_eq!(heard(&house.get("/all", &forged)), honest, "{alias}");
        assert_eq!(heard(&house.get("/none", &forged)), [], "{alias}");
    }
}

#[test]
fn a_role_that_is_withdrawn_is_told_no_more() {
    let house = House::new();
    house.server.home.done(&["role", "withdraw", "Reader", "zo\u{eb}"]);
    house.server.home.done(&["group", "remove", "Team", "zo\u{eb}"]);
    house.server.home.done(&["user", "update", "zo\u{eb}", "--name", "Zoe", "--email", ""]);
    assert_eq!(
        heard(&house.get("/remote", "")),
        pairs(&[
            ("remote-user", "zo%C3%AB"),
            ("remote-groups", "a%2C Owner"),
            ("remote-name", "Zoe")
        ])
    );
}

#[test]
fn roles_are_told_as_far_as_a_server_takes_them() {
    let house = House::new();
    let home = &house.server.home;
    for number in 10..25 {
        let role = format!("{number} {}", "x".repeat(200));
        home.done(&["role", "create", &role]);
        home.done(&["role", "grant", &role, "zo\u{eb}"]);
    }
    let told = heard(&house.get("/remote", ""));
    let groups = &told.iter().find(|(name, _)| name == "remote-groups").unwrap().1;
    let names: Vec<_> = groups.split(',').collect();
    assert_eq!(names.len(), 10, "{groups}");
    assert!(names.iter().all(|name| name.len() == 203), "no half a name: {groups}");
}
