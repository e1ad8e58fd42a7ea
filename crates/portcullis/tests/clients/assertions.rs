//! Upstreams in Python and JavaScript that verify what they are told with the files of `examples`.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use portcullis_core::seal::MasterKey;
use serde_json::{Value, json};

use crate::common::{Answer, Home, Quickstart, wait};
use crate::place::{in_node, in_python, tool};

/// The verifiers, exactly as they are handed out.
const VERIFIERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/upstream");
/// The bytes of an uncompressed point of P-256, as PEM has them behind this (RFC 5480).
const SPKI: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// An upstream that verifies, behind a guard that asserts; it ends with this.
struct Upstream {
    server: Quickstart,
    address: String,
    child: Child,
}

impl Drop for Upstream {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What is sent to the upstream itself.
struct Sent<'a> {
    line: &'a str,
    host: &'a str,
    assertion: &'a str,
}

impl Upstream {
    fn start(mut command: Command) -> Self {
        let server = Quickstart::start(Home::new());
        command
            .env("PORTCULLIS_JWKS", format!("http://{}/.well-known/jwks.json", server.address))
            .env("PORTCULLIS_AUDIENCE", "my-api")
            .env("VERIFIER", VERIFIERS);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut port = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).unwrap();
        let address = format!("127.0.0.1:{}", port.trim());
        let url = format!("http://{address}");
        let guard = ["guard", "create", "my-api", "--path", "/my-api", "--upstream", &url];
        server.home.done(&[&guard[..], &["--scheme", "api_key", "--assertion"]].concat());
        Self { server, address, child }
    }

    /// What the upstream answers through the guard.
    fn through(&self, line: &str) -> Answer {
        self.server.send(&format!("{line} HTTP/1.1\r\n{}", self.server.api_key()))
    }

    /// What it answers to somebody who reached it past the guard.
    fn past(&self, Sent { line, host, assertion }: &Sent<'_>) -> Answer {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let request = format!(
            "{line} HTTP/1.1\r\nHost: {host}\r\nPortcullis-Assertion: {assertion}\r\n\
             Connection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        Answer::read(&mut stream)
    }

    /// The key that signs, taken from its owner's house: its id, public and private part.
    fn stolen(&self) -> (String, Vec<u8>, Vec<u8>) {
        let home = &self.server.home;
        let master = fs::read_to_string(home.data().join("master.key")).unwrap();
        let rows = wait(home.store().read(|reading| reading.list_signing_keys())).unwrap();
        let drawn = rows.into_iter().next().unwrap().drawn;
        let context = format!("signing_keys.sealed/{}", drawn.id);
        let master = MasterKey::parse(&master).unwrap();
        let private = master.open(&drawn.sealed, context.as_bytes()).unwrap();
        (drawn.id.to_string(), drawn.public, private.expose().to_vec())
    }
}

fn header(alg: Algorithm, kid: &str) -> Header {
    let (typ, kid) = (Some("portcullis+jwt".into()), Some(kid.into()));
    Header { typ, kid, ..Header::new(alg) }
}

/// `claims` with one of them changed, or taken away.
fn with(claims: &Value, name: &str, value: &Value) -> Value {
    let mut changed = claims.clone();
    let claims = changed.as_object_mut().unwrap();
    claims.remove(name);
    claims.extend((!value.is_null()).then(|| (name.to_owned(), value.clone())));
    changed
}

/// Everything that an upstream must not believe, and why.
fn forgeries(upstream: &Upstream, claims: &Value) -> Vec<(&'static str, String)> {
    let (kid, public, private) = upstream.stolen();
    let own = EncodingKey::from_ec_der(&private);
    let es256 = header(Algorithm::ES256, &kid);
    let signed = |header: &Header, claims: &Value| encode(header, claims, &own).unwrap();
    let changed = |name, value| signed(&es256, &with(claims, name, &value));
    let plain = |header: &Value| {
        let [header, payload] = [header, claims].map(|it| URL_SAFE_NO_PAD.encode(it.to_string()));
        format!("{header}.{payload}.")
    };
    let point = EncodingKey::from_secret(&public);
    let pem =
        URL_SAFE_NO_PAD.encode([&SPKI[..], &public].concat()).replace('-', "+").replace('_', "/");
    let lines: Vec<_> = pem.as_bytes().chunks(64).map(|it| String::from_utf8_lossy(it)).collect();
    let pem =
        format!("-----BEGIN PUBLIC KEY-----\n{}=\n-----END PUBLIC KEY-----\n", lines.join("\n"));
    let pem = EncodingKey::from_secret(pem.as_bytes());
    let hs256 = header(Algorithm::HS256, &kid);
    let stranger = rcgen::KeyPair::generate().unwrap().serialize_der();
    let stranger = |header| encode(header, claims, &EncodingKey::from_ec_der(&stranger)).unwrap();
    let good = signed(&es256, claims);
    let (start, _) = good.rsplit_once('.').unwrap();
    vec![
        ("nothing", String::new()),
        ("no token", "..".into()),
        ("expired", changed("exp", json!(1_700_000_000))),
        ("without an end", changed("exp", Value::Null)),
        ("of nobody", changed("sub", Value::Null)),
        ("for another upstream", changed("aud", json!("other-api"))),
        ("by another issuer", changed("iss", json!("somebody"))),
        ("of another method", changed("method", json!("POST"))),
        ("of another host", changed("host", json!("other.example"))),
        ("of another path", changed("path", json!("/my-api/y"))),
        ("of no path", changed("path", Value::Null)),
        ("another type", signed(&Header { typ: Some("JWT".into()), ..es256.clone() }, claims)),
        ("no type", signed(&Header { typ: None, ..es256.clone() }, claims)),
        (
            "an unknown key",
            stranger(&header(Algorithm::ES256, "0190b3a0-0000-7000-8000-000000000000")),
        ),
        ("a stranger's key under our name", stranger(&es256)),
        ("no key named", signed(&Header { kid: None, ..es256.clone() }, claims)),
        ("no algorithm", plain(&json!({ "typ": "portcullis+jwt", "alg": "none", "kid": kid }))),
        ("the public point as a secret", encode(&hs256, claims, &point).unwrap()),
        ("the public key as a secret", encode(&hs256, claims, &pem).unwrap()),
        ("no signature", format!("{start}.")),
        ("a signature of zeros", format!("{start}.{}", URL_SAFE_NO_PAD.encode([0; 64]))),
        ("four parts", format!("{good}.{start}")),
    ]
}

fn check(command: Command) {
    let upstream = Upstream::start(command);
    let answer = upstream.through("GET /my-api/x?a=1");
    assert_eq!(answer.status(), 200, "{}", answer.0);
    let told: Value = serde_json::from_str(answer.body()).unwrap();
    let claims = &told["claims"];
    assert_eq!((&claims["login"], &claims["aud"]), (&json!("owner"), &json!("my-api")));
    assert_eq!(claims["path"], "/my-api/x");
    for line in ["POST /my-api/x", "GET /my-api/%7e%20a/", "PUT /my-api"] {
        assert_eq!(upstream.through(line).status(), 200, "{line}");
    }
    let assertion = told["assertion"].as_str().unwrap();
    let good = Sent { line: "GET /my-api/x", host: "any", assertion };
    assert_eq!(upstream.past(&good).status(), 200, "as it was sent");
    let (kid, _, private) = upstream.stolen();
    let own = encode(&header(Algorithm::ES256, &kid), claims, &EncodingKey::from_ec_der(&private));
    let own = Sent { assertion: &own.unwrap(), ..good };
    assert_eq!(upstream.past(&own).status(), 200, "the forgeries differ in one thing alone");
    for (line, host) in [
        ("POST /my-api/x", "any"),
        ("GET /my-api/y", "any"),
        ("GET /my-api/x/", "any"),
        ("GET /my-api/%78", "any"),
        ("GET /my-api/x", "other"),
        ("GET /my-api/x", "any:80"),
    ] {
        assert_eq!(upstream.past(&Sent { line, host, assertion }).status(), 401, "{line} {host}");
    }
    for (why, assertion) in forgeries(&upstream, claims) {
        let answer = upstream.past(&Sent { assertion: &assertion, ..good });
        assert_eq!(answer.status(), 401, "{why}: {}", answer.0);
    }
}

#[test]
fn the_python_upstream_believes_only_what_is_asserted_of_this_very_request() {
    let Some(python) = tool("PORTCULLIS_TEST_PYTHON") else { return };
    check(in_python(&python, "upstream/serve.py"));
}

#[test]
fn the_javascript_upstream_believes_only_what_is_asserted_of_this_very_request() {
    let Some(modules) = tool("PORTCULLIS_TEST_NODE_MODULES") else { return };
    check(in_node(&modules, "upstream/serve.mjs"));
}
