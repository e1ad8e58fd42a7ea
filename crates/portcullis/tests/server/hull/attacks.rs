//! What is sent to learn what one may not know, or to take what one may not have.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use portcullis_core::scheme::connector::sign;
use portcullis_core::secret::SecretBuf;
use portcullis_core::subject::MAX_IDENTIFIERS;
use portcullis_core::tracking::MAX_NAMED;
use serde_json::{Value, json};

use crate::common::{Answer, Home, Server};

/// So much more memory, in bytes, may one request leave behind that tells nothing.
const LITTLE: u64 = 64 << 20;

/// A house with one connector.
struct House {
    server: Server,
    id: String,
    secret: String,
}

impl House {
    fn new() -> Self {
        let home = Home::new();
        home.done(&["user", "create", "zoe"]);
        let (id, secret) = create(&home, &[]);
        let server = Server::serve(home, "[[mount]]\nname = \"hull\"\ndialect = \"hull\"\n");
        Self { server, id, secret }
    }

    /// A batch from whoever sends these `headers`.
    fn send(&self, headers: &str, body: &[u8]) -> Answer {
        let mut stream = self.server.connect();
        let head = format!(
            "POST /api/v1/firehose HTTP/1.1\r\nHost: any\r\nConnection: close\r\n\
             Content-Length: {}\r\n{headers}\r\n",
            body.len()
        );
        // It may be refused before it is read.
        drop(stream.write_all(&[head.as_bytes(), body].concat()));
        Answer::read(&mut stream)
    }

    fn named(&self) -> String {
        format!("Hull-App-Id: {}\r\n", self.id)
    }

    fn proven(&self) -> String {
        format!("{}Hull-Access-Token: {}\r\n", self.named(), self.secret)
    }

    /// An entry with a good token.
    fn entry(&self, kind: &str, body: &Value) -> Value {
        self.entry_of(&json!({ "io.hull.asUser": { "external_id": "42" } }), kind, body)
    }

    /// An entry with a good token that claims `subject`.
    fn entry_of(&self, subject: &Value, kind: &str, body: &Value) -> Value {
        let mut claims = json!({ "iss": self.id, "iat": 1_700_000_000 });
        claims.as_object_mut().unwrap().extend(subject.as_object().unwrap().clone());
        let token = sign(&SecretBuf::new(&*self.secret), &claims.to_string());
        json!({ "type": kind, "body": body,
            "headers": { "Hull-Access-Token": token.expose_text() } })
    }
}

fn create(home: &Home, more: &[&str]) -> (String, String) {
    let made = home.json(&[&["connector", "create", "zoe"][..], more].concat());
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("id"), text("secret"))
}

fn packed(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn who_names_a_connector_and_proves_nothing_learns_nothing_of_it() {
    let house = House::new();
    let home = &house.server.home;
    let (disabled, _) = create(home, &[]);
    home.done(&["connector", "disable", &disabled]);
    let (elsewhere, _) = create(home, &["--network", "192.0.2.0/24"]);
    let (bound, _) = create(home, &["--hull-organization", "acme.example"]);
    let long = format!("[{}]", "1,".repeat(200_000));
    for body in [
        r#"{"batch":[],"sentAt":"2026-11-22T06:11:19.061Z"}"#,
        r#"{"batch":[{"type":"traits","body":{"a":1}}]}"#,
        r#"{"batch":[{"headers":{"Hull-Access-Token":"a.b.c"}},{}]}"#,
        r#"{"batch":[7]}"#,
        "{",
        "",
        &*long,
    ] {
        let ask = |id: &str| {
            let headers = format!("Hull-App-Id: {id}\r\nHull-Organization: other.example\r\n");
            house.send(&headers, body.as_bytes()).anonymous()
        };
        let unknown = ask("5a7962e2793d3e942a03b29a");
        for id in [&house.id, &disabled, &elsewhere, &bound] {
            assert_eq!(ask(id), unknown, "{body:.60}");
        }
        let status = unknown.split_once('\n').unwrap().0;
        assert!(["400", "401", "413"].contains(&status), "{unknown}");
    }
}

#[test]
fn what_is_packed_small_and_tells_nothing_takes_no_room() {
    let house = House::new();
    let much = format!("[{}]", vec![r#"{"a":1}"#; 500_000].join(","));
    let before = house.server.memory();
    for (headers, batch, expected) in [
        (house.named(), format!(r#"{{"x":{much},"batch":[]}}"#), 413),
        (house.proven(), format!(r#"{{"x":{much},"batch":[]}}"#), 204),
        (house.proven(), format!(r#"{{"batch":{much}}}"#), 400),
        (
            house.proven(),
            format!(r#"{{"batch":[{{"type":"traits","body":{{"a":{much}}}}}]}}"#),
            401,
        ),
        (house.proven(), format!(r#"{{"batch":[{{"headers":{{"a":{much}}}}}]}}"#), 401),
    ] {
        let headers = format!("{headers}Content-Encoding: gzip\r\n");
        let answer = house.send(&headers, &packed(&batch));
        assert_eq!(answer.status(), expected, "{}", answer.0);
        let grown = house.server.memory().saturating_sub(before);
        assert!(grown < LITTLE, "{} MiB for {batch:.40}", grown >> 20);
    }
}

#[test]
fn what_is_told_takes_the_room_of_its_text_until_it_is_recorded() {
    let house = House::new();
    let many = vec![json!({ "a": 1 }); 7_000];
    let event = house.entry("track", &json!({ "event": "e", "properties": { "many": many } }));
    let traits = house.entry("traits", &json!({ "many": many }));
    let before = house.server.memory();
    for entry in [event, traits] {
        let batch = json!({ "batch": vec![entry; 70] }).to_string();
        let headers = format!("{}Content-Encoding: gzip\r\n", house.proven());
        let answer = house.send(&headers, &packed(&batch));
        assert_eq!(answer.status(), 204, "{}", answer.0);
        let grown = house.server.memory().saturating_sub(before);
        assert!(grown < LITTLE, "{} MiB", grown >> 20);
    }
}

#[test]
fn a_batch_without_a_token_of_its_own_is_told_by_its_entries_if_it_is_short() {
    let house = House::new();
    let batch = |bytes: usize| {
        let more = "x".repeat(bytes);
        json!({ "batch": [house.entry("traits", &json!({ "a": 1 }))], "more": more }).to_string()
    };
    for (headers, bytes, expected) in [
        (house.named(), 200 << 10, 204),
        (house.named(), 257 << 10, 413),
        (house.proven(), 257 << 10, 204),
        (house.proven(), 5 << 20, 413),
    ] {
        let answer = house.send(&headers, batch(bytes).as_bytes());
        assert_eq!(answer.status(), expected, "{bytes}: {}", answer.0);
    }
}

#[test]
fn every_organization_that_is_said_is_looked_at() {
    let house = House::new();
    let set = ["connector", "set", &house.id, "--hull-organization", "acme.example"];
    house.server.home.done(&set);
    let batch = json!({ "batch": [house.entry("traits", &json!({}))] }).to_string();
    let (acme, other) =
        ("Hull-Organization: Acme.example\r\n", "Hull-Organization: other.example\r\n");
    for (said, expected) in [
        (String::new(), 204),
        (acme.to_owned(), 204),
        (other.to_owned(), 401),
        (format!("{acme}{other}"), 401),
    ] {
        for headers in [house.named(), house.proven()] {
            let answer = house.send(&format!("{headers}{said}"), batch.as_bytes());
            assert_eq!(answer.status(), expected, "{said}: {}", answer.0);
        }
    }
}

#[test]
fn a_token_is_signed_for_names_that_are_read() {
    let home = Home::new();
    let secret = home.write("secret", "a-secret-of-another-system");
    let sign = |names: &[&str]| {
        let words = ["sign", "hull", "--id", "5a7962e2793d3e942a03b29a"];
        let stdin = std::fs::File::open(&secret).unwrap();
        let output = home.command(&[&words[..], names].concat()).stdin(stdin).output().unwrap();
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    for (names, wrong) in [
        (&["--user", "email=a@example.com", "--user", "external_id=1"][..], None),
        (&["--account", "domain=example.com"], None),
        (&["--user", "email=a@example.com", "--user", "extrenal_id=1"], Some("extrenal_id")),
        (&["--user", "external_id=1", "--user", "domain=example.com"], Some("domain")),
        (&["--account", "email=a@example.com"], Some("email")),
        (&["--user", "external_id=1", "--user", "external_id=2"], Some("named twice")),
    ] {
        let (signed, said) = sign(names);
        assert_eq!(signed, wrong.is_none(), "{names:?}: {said}");
        assert!(wrong.is_none_or(|wrong| said.contains(wrong)), "{names:?}: {said}");
    }
}

#[test]
fn a_batch_names_so_many_and_no_more() {
    let house = House::new();
    let names = |entry: usize| (0..MAX_IDENTIFIERS).map(|it| format!("{entry}-{it}")).collect();
    let entry = |entry: usize| {
        let names: Vec<String> = names(entry);
        house.entry_of(&json!({ "io.hull.asAccount": { "aliases": names } }), "traits", &json!({}))
    };
    let full = MAX_NAMED / MAX_IDENTIFIERS;
    for (entries, expected) in [(full, 204), (full + 1, 400)] {
        let batch = json!({ "batch": (0..entries).map(entry).collect::<Vec<_>>() }).to_string();
        let answer = house.send(&house.proven(), batch.as_bytes());
        assert_eq!(answer.status(), expected, "{entries}: {}", answer.0);
    }
}
