//! Every refusal, to the letter: what a caller is told never changes unnoticed.

use base64::Engine as _;

use crate::common::{BASE64, Home, Quickstart, basic, unknown_key};
use crate::upstream::Refusing;

#[test]
fn every_refusal_is_told_to_the_letter() {
    let server = Quickstart::start(Home::new());
    let down = Refusing::new();
    stand_guards(&server.home, &down);
    let key = server.text("/api_key/key");
    let (good, good_basic) = (server.api_key(), server.basic());
    let encoded = |pair: &str| format!("Authorization: Basic {}", BASE64.encode(pair));
    let spoilt = |at: usize| {
        let other = if key.as_bytes()[at] == b'0' { "1" } else { "0" };
        format!("X-Api-Key: {}{other}{}", &key[..at], &key[at + 1..])
    };
    let hello = "GET /demo/hello";
    let cases: &[(&str, &str, String, &str)] = &[
        ("no credential", hello, String::new(), ANONYMOUS),
        ("a credential that no scheme reads", hello, "Cookie: session=1".into(), ANONYMOUS),
        ("malformed base64", hello, "Authorization: Basic not!base64".into(), NOT_ACCEPTED),
        ("no colon", hello, encoded("owner"), NOT_ACCEPTED),
        ("a control character in the name", hello, encoded("ow\tner:secret"), NOT_ACCEPTED),
        ("a control character in the password", hello, encoded("owner:sec\nret"), NOT_ACCEPTED),
        ("an empty user", hello, encoded(":secret"), NOT_ACCEPTED),
        ("an unknown user", hello, basic("nobody", "wrong password"), NOT_ACCEPTED),
        ("a wrong password", hello, basic("owner", "wrong password"), NOT_ACCEPTED),
        ("a user without a password", hello, basic("admin", ""), NOT_ACCEPTED),
        ("another user's key", hello, basic("admin", key), NOT_ACCEPTED),
        ("an unknown scheme", hello, "Authorization: Digest username=owner".into(), NOT_ACCEPTED),
        ("a token of others", hello, "Authorization: Bearer eyJ.eyJ.x".into(), KEY_NOT_ACCEPTED),
        ("an unknown key", hello, unknown_key(), KEY_NOT_ACCEPTED),
        ("wrong check characters", hello, spoilt(key.len() - 1), KEY_NOT_ACCEPTED),
        ("a mistyped secret", hello, spoilt(key.len() - 10), KEY_NOT_ACCEPTED),
        ("another word than key", hello, "X-Api-Key: abc123".into(), KEY_NOT_ACCEPTED),
        ("a revoked key", hello, revoked_key(&server.home), KEY_NOT_ACCEPTED),
        ("a disabled key", hello, disabled_key(&server.home), KEY_NOT_ACCEPTED),
        ("an expired key", hello, expired_key(&server.home), KEY_NOT_ACCEPTED),
        ("a key not yet valid", hello, early_key(&server.home), KEY_NOT_ACCEPTED),
        ("a disabled owner", hello, key_of_disabled(&server.home), KEY_NOT_ACCEPTED),
        ("a deleted owner", hello, key_of_deleted(&server.home), KEY_NOT_ACCEPTED),
        ("Authorization twice", hello, format!("{good_basic}\r\n{good_basic}"), REPEATED),
        ("two schemes at once", hello, format!("{good_basic}\r\n{good}"), AMBIGUOUS),
        ("a key twice", hello, format!("{good}\r\nAuthorization: Bearer {key}"), AMBIGUOUS),
        ("an alias of a header", hello, format!("{good}\r\nX_Api_Key: {key}"), AMBIGUOUS),
        ("an oversized header", hello, encoded(&"a".repeat(9_000)), TOO_LARGE),
        ("too many headers", hello, format!("{good}{}", "\r\nX-A: b".repeat(95)), TOO_LARGE),
        ("a wrong network", "GET /far", good.clone(), FORBIDDEN),
        ("a wrong method", "GET /posts", good.clone(), FORBIDDEN),
        ("a missing ability", "GET /able", good.clone(), FORBIDDEN),
        ("a write with a key that reads", "POST /demo/hello", reading_key(&server.home), FORBIDDEN),
        ("an ambiguous path", "GET /demo/a%2fb", good.clone(), BAD_PATH),
        ("an ambiguous path without credential", "GET /demo/../x", String::new(), BAD_PATH),
        ("a query with a raw character", "GET /demo/?a=é", good.clone(), BAD_QUERY),
        ("a second host", hello, "Host: other".into(), BAD_HOST),
        ("no guard", "GET /elsewhere", good.clone(), NOT_FOUND),
        ("no guard and no credential", "GET /", String::new(), NOT_FOUND),
        ("a wrong method on an address of ours", "POST /healthz", String::new(), WRONG_METHOD),
        ("a wrong method on another", "DELETE /readyz", good.clone(), WRONG_METHOD),
        ("an upstream that is down", "GET /down", good.clone(), DOWN),
    ];
    for (what, request, header, expected) in cases {
        let separator = if header.is_empty() { "" } else { "\r\n" };
        let answer = server.send(&format!("{request} HTTP/1.1{separator}{header}"));
        assert_eq!(answer.anonymous(), *expected, "{what}");
    }
}

fn stand_guards(home: &Home, down: &Refusing) {
    let upstream = format!("http://{}", down.address);
    for (name, demand) in [
        ("far", &["--network", "192.0.2.0/24"][..]),
        ("posts", &["--method", "POST"]),
        ("able", &["--ability", "Moon - Reach"]),
        ("down", &[]),
    ] {
        let path = format!("/{name}");
        let guard = ["guard", "create", name, "--path", &path, "--upstream", &upstream];
        home.done(&[&guard, demand].concat());
    }
}

/// A new key of `login`, as a header, and its id.
fn new_key(home: &Home, login: &str, options: &[&str]) -> (String, String) {
    let made = home.json(&[&["key", "create", login], options].concat());
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (format!("X-Api-Key: {}", text("key")), text("id"))
}

fn reading_key(home: &Home) -> String {
    new_key(home, "owner", &["--read-only"]).0
}

fn expired_key(home: &Home) -> String {
    new_key(home, "owner", &["--expires", "2020-01-01T00:00:00Z"]).0
}

fn early_key(home: &Home) -> String {
    new_key(home, "owner", &["--not-before", "2099-01-01T00:00:00Z"]).0
}

fn revoked_key(home: &Home) -> String {
    let (key, id) = new_key(home, "owner", &[]);
    home.done(&["key", "revoke", &id]);
    key
}

fn disabled_key(home: &Home) -> String {
    let (key, id) = new_key(home, "owner", &[]);
    home.done(&["key", "disable", &id]);
    key
}

fn key_of_disabled(home: &Home) -> String {
    home.done(&["user", "create", "zoe"]);
    let (key, _) = new_key(home, "zoe", &[]);
    home.done(&["user", "disable", "zoe"]);
    key
}

fn key_of_deleted(home: &Home) -> String {
    home.done(&["user", "create", "mia"]);
    let (key, _) = new_key(home, "mia", &[]);
    home.done(&["user", "delete", "mia"]);
    key
}

#[test]
fn after_too_many_wrong_passwords_a_caller_is_told_how_long_to_wait() {
    let server = Quickstart::start(Home::new());
    let guess = basic("owner", "wrong password");
    // A second may end between two guesses, which then is one guess more, but never many.
    let mut answers = std::iter::repeat_with(|| server.get(&guess)).take(50);
    let answer = answers.find(|answer| answer.status() != 401).unwrap();
    let seconds = answer.header("retry-after").unwrap();
    assert!((1..=900).contains(&seconds.parse::<u64>().unwrap()), "{seconds}");
    let told = answer.anonymous().replace(&format!("retry-after: {seconds}\n"), "retry-after: N\n");
    assert_eq!(told, TOO_MANY);
    // A key is no password: it cannot be guessed, and goes on.
    assert_eq!(server.get(&server.api_key()).status(), 200);
}

#[test]
fn a_refusal_of_head_has_the_same_head_and_no_body() {
    let server = Quickstart::start(Home::new());
    let (get, head) = (server.get(""), server.send("HEAD /demo/hello HTTP/1.1"));
    let told = |answer: &crate::common::Answer| {
        let named = ["portcullis-request-id", "date"];
        let headers = answer.headers().filter(|(name, _)| !named.contains(&&**name));
        headers.map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>()
    };
    assert_eq!((head.status(), head.body()), (401, ""));
    assert_eq!(told(&head), told(&get));
}

const ANONYMOUS: &str = r#"401
www-authenticate: Bearer realm="portcullis"
www-authenticate: Cookie realm="portcullis"
www-authenticate: Basic realm="portcullis", charset="UTF-8"
www-authenticate: Connector realm="portcullis"
www-authenticate: SharedSecret realm="portcullis"
www-authenticate: Signature realm="portcullis"
content-type: application/problem+json
cache-control: no-store

{"detail":"a credential is needed","instance":"urn:uuid:ID","status":401,"title":"Unauthorized","type":"urn:portcullis:problem:unauthenticated"}
"#;

const NOT_ACCEPTED: &str = r#"401
www-authenticate: Bearer realm="portcullis"
www-authenticate: Cookie realm="portcullis"
www-authenticate: Basic realm="portcullis", charset="UTF-8"
www-authenticate: Connector realm="portcullis"
www-authenticate: SharedSecret realm="portcullis"
www-authenticate: Signature realm="portcullis"
content-type: application/problem+json
cache-control: no-store

{"detail":"the credential was not accepted","instance":"urn:uuid:ID","status":401,"title":"Unauthorized","type":"urn:portcullis:problem:unauthenticated"}
"#;

// RFC 6750, section 3.1: the scheme that was tried says so, and only that.
const KEY_NOT_ACCEPTED: &str = r#"401
www-authenticate: Bearer realm="portcullis", error="invalid_token"
www-authenticate: Cookie realm="portcullis"
www-authenticate: Basic realm="portcullis", charset="UTF-8"
www-authenticate: Connector realm="portcullis"
www-authenticate: SharedSecret realm="portcullis"
www-authenticate: Signature realm="portcullis"
content-type: application/problem+json
cache-control: no-store

{"detail":"the credential was not accepted","instance":"urn:uuid:ID","status":401,"title":"Unauthorized","type":"urn:portcullis:problem:unauthenticated"}
"#;

const AMBIGUOUS: &str = r#"400
www-authenticate: Bearer realm="portcullis", error="invalid_request"
content-type: application/problem+json
cache-control: no-store

{"detail":"the request presents more than one credential; send one","instance":"urn:uuid:ID","status":400,"title":"Bad Request","type":"urn:portcullis:problem:ambiguous-credentials"}
"#;

// Before any guard is looked for, and so without its challenges.
const REPEATED: &str = r#"400
content-type: application/problem+json
cache-control: no-store

{"detail":"the request presents more than one credential; send one","instance":"urn:uuid:ID","status":400,"title":"Bad Request","type":"urn:portcullis:problem:ambiguous-credentials"}
"#;

const TOO_LARGE: &str = r#"431
content-type: application/problem+json
cache-control: no-store

{"detail":"the headers are too long or too many","instance":"urn:uuid:ID","status":431,"title":"Request Header Fields Too Large","type":"urn:portcullis:problem:headers-too-large"}
"#;

const FORBIDDEN: &str = r#"403
content-type: application/problem+json
cache-control: no-store

{"detail":"this request is not allowed","instance":"urn:uuid:ID","status":403,"title":"Forbidden","type":"urn:portcullis:problem:forbidden"}
"#;

const BAD_PATH: &str = r#"400
content-type: application/problem+json
cache-control: no-store

{"detail":"the path could be read in two ways; send it without dot segments, encoded slashes, semicolons or control characters","instance":"urn:uuid:ID","status":400,"title":"Bad Request","type":"urn:portcullis:problem:bad-path"}
"#;

const BAD_QUERY: &str = r#"400
content-type: application/problem+json
cache-control: no-store

{"detail":"the query holds a character that must be percent-encoded","instance":"urn:uuid:ID","status":400,"title":"Bad Request","type":"urn:portcullis:problem:bad-query"}
"#;

const BAD_HOST: &str = r#"400
content-type: application/problem+json
cache-control: no-store

{"detail":"send exactly one Host that names a host","instance":"urn:uuid:ID","status":400,"title":"Bad Request","type":"urn:portcullis:problem:bad-host"}
"#;

const NOT_FOUND: &str = r#"404
content-type: application/problem+json
cache-control: no-store

{"detail":"nothing answers for this address","instance":"urn:uuid:ID","status":404,"title":"Not Found","type":"urn:portcullis:problem:not-found"}
"#;

const WRONG_METHOD: &str = r#"405
allow: GET, HEAD
content-type: application/problem+json
cache-control: no-store

{"detail":"this address answers GET and HEAD","instance":"urn:uuid:ID","status":405,"title":"Method Not Allowed","type":"urn:portcullis:problem:wrong-method"}
"#;

const TOO_MANY: &str = r#"429
retry-after: N
content-type: application/problem+json
cache-control: no-store

{"detail":"too many attempts; wait before the next one","instance":"urn:uuid:ID","status":429,"title":"Too Many Requests","type":"urn:portcullis:problem:too-many-attempts"}
"#;

const DOWN: &str = r#"502
content-type: application/problem+json
cache-control: no-store

{"detail":"the upstream did not answer","instance":"urn:uuid:ID","status":502,"title":"Bad Gateway","type":"urn:portcullis:problem:upstream"}
"#;
