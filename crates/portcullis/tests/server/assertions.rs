//! Signed assertions: what they assert, by which keys, and how these come and go.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use portcullis_core::seal::MasterKey;
use portcullis_core::signing::LEAD;
use serde_json::{Value, json};

use crate::common::{Answer, BASE64, Home, Server, database, text, wait};
use crate::identity::echo;

const SET: &str = "GET /.well-known/jwks.json HTTP/1.1";

/// A server with a guard that asserts, one that does not, and a key.
struct House {
    server: Server,
    key: String,
}

fn guards() -> String {
    let guard = |name: &str, more: &str| {
        format!(
            "[[guard]]\nname = \"{name}\"\npath = \"/{name}\"\nupstream = \"{}/base\"\n{more}\n",
            echo()
        )
    };
    [
        guard("my-api", "schemes = [\"api_key\"]\nassertion = true\nstrip_path = true"),
        guard("plain", "schemes = [\"api_key\"]"),
        guard("open", "networks = [\"127.0.0.0/8\"]\nassertion = true\nidentity = []"),
    ]
    .concat()
}

impl House {
    fn new() -> Self {
        Self::with(Server::serve(Home::new(), &guards()))
    }

    fn with(server: Server) -> Self {
        server.home.done(&["user", "create", "zoe"]);
        server.home.done(&["role", "create", "Reader"]);
        server.home.done(&["role", "grant", "Reader", "zoe"]);
        let key = server.home.json(&["key", "create", "zoe"])["key"].as_str().unwrap().to_owned();
        Self { server, key }
    }

    fn send(&self, line: &str, more: &str) -> Answer {
        self.server.ask(&format!(
            "{line} HTTP/1.1\r\nHost: API.example:8080\r\nX-Api-Key: {}\r\nConnection: close\r\n{more}\r\n",
            self.key
        ))
    }

    /// The assertion that the upstream was sent.
    fn asserted(&self) -> String {
        assertion(&self.send("GET /my-api/x", "")).unwrap()
    }

    fn set(&self) -> String {
        let answer = self.server.send(SET);
        assert_eq!(answer.status(), 200, "{}", answer.0);
        answer.body().to_owned()
    }

    fn kids(&self) -> Vec<String> {
        let set: Value = serde_json::from_str(&self.set()).unwrap();
        let keys = set["keys"].as_array().unwrap().iter();
        keys.map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    }

    /// Every key as `assertion-key list` tells of it.
    fn keys(&self) -> Vec<(String, String)> {
        let said = self.server.home.done(&["--json", "assertion-key", "list"]);
        let keys = said.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let word = |key: &Value, name: &str| key[name].as_str().unwrap().to_owned();
        keys.map(|key| (word(&key, "id"), word(&key, "stage"))).collect()
    }
}

fn assertion(answer: &Answer) -> Option<String> {
    assert_eq!(answer.status(), 200, "{}", answer.0);
    let mut pairs = answer.body().lines().filter_map(|line| line.split_once(": "));
    pairs.find(|(name, _)| *name == "portcullis-assertion").map(|(_, value)| value.to_owned())
}

fn kid(token: &str) -> String {
    decode_header(token).unwrap().kid.unwrap()
}

/// What another library reads of a token, by the published keys.
fn verify(token: &str, set: &str, audience: &str) -> Option<Value> {
    let set: JwkSet = serde_json::from_str(set).unwrap();
    let key = DecodingKey::from_jwk(set.find(&kid(token))?).unwrap();
    let mut rules = Validation::new(Algorithm::ES256);
    rules.set_audience(&[audience]);
    rules.set_issuer(&["portcullis"]);
    rules.set_required_spec_claims(&["exp", "aud", "iss"]);
    decode::<Value>(token, &key, &rules).ok().map(|read| read.claims)
}

#[test]
fn an_upstream_is_told_what_it_can_verify_for_this_very_request() {
    let house = House::new();
    let forged = "Portcullis-Assertion: forged\r\nPortcullis_Assertion: forged\r\n";
    let answer = house.send("POST /my-api/a%20b/%7ec?secret=1", forged);
    assert_eq!(answer.body().matches("ssertion").count(), 1, "{}", answer.0);
    let token = assertion(&answer).unwrap();
    let read = verify(&token, &house.set(), "my-api").unwrap();
    let user = house.server.home.json(&["user", "show", "zoe"])["id"].clone();
    let heard = |name: &str| {
        let start = format!("portcullis-{name}: ");
        answer.body().lines().find_map(|line| line.strip_prefix(&*start)).unwrap()
    };
    let (issued, expires) = (read["iat"].as_i64().unwrap(), read["exp"].as_i64().unwrap());
    assert_eq!(expires - issued, 60);
    assert_eq!(
        read,
        json!({
            "iss": "portcullis", "aud": "my-api", "sub": user, "iat": issued, "exp": expires,
            "jti": heard("request-id"), "scheme": "api_key",
            "credential": heard("credential-id"), "org": heard("organization-id"),
            "login": "zoe", "groups": ["Reader"],
            "method": "POST", "host": "API.example:8080", "path": "/base/a%20b/~c",
        })
    );
    assert!(answer.body().starts_with("POST /base/a%20b/~c?secret=1 "), "{}", answer.0);
    assert!(answer.body().to_lowercase().contains("\r\nhost: api.example:8080\r\n"));
    assert_eq!(answer.header("portcullis-request-id").unwrap(), heard("request-id"));
    assert_eq!(verify(&token, &house.set(), "plain"), None, "for another upstream");
    assert_eq!(assertion(&house.send("GET /plain", "")), None);
}

#[test]
fn an_assertion_of_nobody_says_so() {
    let house = House::new();
    let token = assertion(&house.send("GET /open/x", "")).unwrap();
    let read = verify(&token, &house.set(), "open").unwrap();
    assert_eq!((&read["anonymous"], &read["scheme"]), (&json!(true), &json!("network")));
    for absent in ["sub", "login", "groups", "credential", "org"] {
        assert_eq!(read.get(absent), None, "{absent}");
    }
}

#[test]
fn the_set_is_published_once_there_is_a_key_and_for_reading_alone() {
    let server = Server::serve(Home::new(), "");
    let nothing = server.send(SET);
    assert_eq!(nothing.status(), 404, "{}", nothing.0);
    let upstream = echo();
    let make = |name: &str, more: &[&str]| {
        let guard = ["guard", "create", name, "--upstream", &upstream];
        server.home.done(&[&guard, more].concat());
    };
    make("catches-all", &["--network", "127.0.0.0/8", "--network-only"]);
    assert!(server.send(SET).body().starts_with("GET /.well-known/jwks.json"), "an upstream's own");
    make("asserts", &["--path", "/asserts", "--assertion"]);
    let answer = server.send(SET);
    assert_eq!(answer.status(), 200, "{}", answer.0);
    assert_eq!(answer.header("content-type"), Some("application/jwk-set+json"));
    assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
    let set: Value = serde_json::from_str(answer.body()).unwrap();
    let key = &set["keys"][0];
    let names: Vec<_> = key.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["alg", "crv", "kid", "kty", "use", "x", "y"]);
    assert_eq!((&key["alg"], &key["use"]), (&json!("ES256"), &json!("sig")));
    let head = server.send(&SET.replace("GET", "HEAD"));
    assert_eq!((head.status(), head.body()), (200, ""));
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        assert_eq!(server.send(&SET.replace("GET", method)).status(), 405, "{method}");
    }
    make("named", &["--host", "named.example", "--network", "127.0.0.0/8", "--network-only"]);
    let named = server.ask(&format!("{SET}\r\nHost: named.example\r\nConnection: close\r\n\r\n"));
    assert!(named.body().starts_with("GET /.well-known/jwks.json"), "{}", named.0);
}

#[test]
fn a_new_key_is_published_at_once_and_signs_later() {
    let house = House::new();
    let before = house.asserted();
    let made = house.server.home.json(&["assertion-key", "rotate"]);
    let made = made["id"].as_str().unwrap().to_owned();
    assert_eq!(house.kids(), [kid(&before), made.clone()]);
    assert_eq!(kid(&house.asserted()), kid(&before), "it signs only later");
    let stages = [(kid(&before), "signing".to_owned()), (made.clone(), "waiting".to_owned())];
    assert_eq!(house.keys(), stages);
    assert!(LEAD.as_secs() > 300 + 34, "longer than a cache and a lease");
    let said = house.server.home.run(&["assertion-key", "retire", &kid(&before)]);
    assert!(!said.status.success() && text(&said.stderr).contains("retire it at once"));
    house.server.home.done(&["assertion-key", "retire", &made]);
    assert_eq!(house.kids(), [kid(&before)]);
}

#[test]
fn a_key_that_somebody_else_may_know_is_gone_at_once_and_another_signs() {
    let house = House::new();
    for waiting in [false, true] {
        let before = house.asserted();
        if waiting {
            house.server.home.done(&["assertion-key", "rotate"]);
        }
        house.server.home.done(&["assertion-key", "retire", &kid(&before), "--now"]);
        assert!(!house.kids().contains(&kid(&before)));
        assert_eq!(verify(&before, &house.set(), "my-api"), None);
        let after = house.asserted();
        assert_ne!(kid(&before), kid(&after));
        assert!(verify(&after, &house.set(), "my-api").is_some());
        assert_eq!(house.keys().len(), 1);
    }
    let gone = house.server.home.run(&["assertion-key", "retire", &uuid::Uuid::nil().to_string()]);
    assert!(!gone.status.success() && text(&gone.stderr).contains("there is no assertion key"));
    let trail = house.server.home.audit();
    let actions: Vec<_> = trail.iter().map(|entry| &*entry.action).collect();
    for action in ["assertion_key.create", "assertion_key.rotate", "assertion_key.retire"] {
        assert!(actions.contains(&action), "{actions:?}");
    }
}

#[test]
fn keys_outlive_a_restart() {
    let house = House::new();
    let before = house.asserted();
    let House { server, key } = house;
    let server = Server::serve(server.stop().home, &guards());
    let house = House { server, key };
    assert_eq!(kid(&house.asserted()), kid(&before));
    assert!(verify(&before, &house.set(), "my-api").is_some());
}

#[test]
fn nodes_that_start_at_once_share_one_key() {
    let Ok(postgres) = std::env::var("PORTCULLIS_TEST_POSTGRES") else { return };
    let variables = [
        ("PORTCULLIS_DATABASE_URL", database(&postgres, "assertion_nodes")),
        ("PORTCULLIS_MASTER_KEY", BASE64.encode("m".repeat(32))),
    ];
    let guard = ["guard", "create", "asserts", "--upstream", &echo(), "--assertion"];
    Home::with(&variables).done(&["org", "list"]);
    let nodes: Vec<_> = std::thread::scope(|scope| {
        let start = || Server::serve(Home::with(&variables), "");
        let started: Vec<_> = (0..2).map(|_| scope.spawn(start)).collect();
        started.into_iter().map(|it| it.join().unwrap()).collect()
    });
    std::thread::scope(|scope| {
        for (node, path) in nodes.iter().zip(["/a", "/b"]) {
            let mut words = guard.map(str::to_owned);
            words[2].push_str(path.trim_start_matches('/'));
            let home = &node.home;
            scope.spawn(move || {
                let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
                words.extend(["--path", path]);
                home.done(&words);
            });
        }
    });
    let sets: Vec<_> = nodes.iter().map(|node| node.send(SET).body().to_owned()).collect();
    assert_eq!(sets[0], sets[1]);
    assert_eq!(sets[0].matches("kid").count(), 1, "{}", sets[0]);
    // What one node rotates and retires is so on both when it is told as done.
    nodes[0].home.done(&["assertion-key", "rotate"]);
    for node in &nodes {
        assert_eq!(node.send(SET).body().matches("kid").count(), 2);
    }
    let old: Value = serde_json::from_str(&sets[0]).unwrap();
    let old = old["keys"][0]["kid"].as_str().unwrap();
    nodes[1].home.done(&["assertion-key", "retire", old, "--now"]);
    for node in &nodes {
        assert!(!node.send(SET).body().contains(old));
    }
}

#[test]
fn a_private_key_shows_nowhere() {
    let house = House::new();
    let token = house.asserted();
    house.server.home.done(&["assertion-key", "rotate"]);
    let mut told = house.set() + &token + &house.server.home.done(&["assertion-key", "list"]);
    let home = house.server.stop();
    told += &format!("{}{}", home.stdout, home.stderr);
    let home = home.home;
    told += &format!("{:#?}", home.audit());
    let master = fs::read_to_string(home.data().join("master.key")).unwrap();
    let master = MasterKey::parse(&master).unwrap();
    let rows = wait(home.store().read(|reading| reading.list_signing_keys())).unwrap();
    assert_eq!(rows.len(), 2);
    let files: Vec<_> = fs::read_dir(home.data()).unwrap().map(|it| it.unwrap().path()).collect();
    let files: Vec<_> =
        files.iter().filter(|it| it.is_file()).map(|it| fs::read(it).unwrap()).collect();
    for row in rows {
        let context = format!("signing_keys.sealed/{}", row.drawn.id);
        let private = master.open(&row.drawn.sealed, context.as_bytes()).unwrap();
        // RFC 5915, section 3: the private number stands behind its tag and length.
        let private = private.expose();
        let at = private.windows(2).position(|it| it == [4, 32]).unwrap() + 2;
        let number = &private[at..at + 32];
        let hex: String = number.iter().map(|byte| format!("{byte:02x}")).collect();
        for shown in
            [hex, URL_SAFE_NO_PAD.encode(number), STANDARD.encode(private), format!("{number:?}")]
        {
            assert!(!told.contains(shown.trim_matches(['[', ']'])));
        }
        assert!(files.iter().all(|file| file.windows(32).all(|it| it != number)));
    }
}
