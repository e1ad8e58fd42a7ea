//! Connectors and their tokens: known answers, and every shape that clients send.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_core::keyring::Keyring;
use portcullis_core::scheme::Options;
use portcullis_core::scheme::connector::{BadClaims, read_token};
use portcullis_core::seal::MacKey;
use portcullis_core::secret::SecretBuf;
use portcullis_core::subject::{Claims, IdentifierKind, Named, SubjectKind};
use portcullis_core::time::Timestamp;
use serde_json::{Value, json};

/// Made with the libraries of the vendor's clients.
const VECTORS: &str = include_str!("vectors/hull_jwt.json");
const ID: &str = "5a7962e2793d3e942a03b29a";
const NOW: i64 = 1_800_000_000;

fn seconds(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

fn keyring(secret: &str) -> Keyring {
    Keyring::new(SecretBuf::new(secret), Options::new())
}

/// A token with these claims, signed as the vendor's clients do.
fn token(claims: &str) -> String {
    let header = URL_SAFE_NO_PAD.encode(r#"{"typ":"JWT","alg":"HS256"}"#);
    let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims));
    let signature = MacKey::of_text(b"a secret").digest(&[signed.as_bytes()]);
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn read(claims: &str) -> Result<Claims, BadClaims> {
    read_token(token(claims).as_bytes(), (ID, &keyring("a secret")), seconds(NOW))
}

/// The claims with an issuer and a time beside them.
fn usual(claims: &Value) -> String {
    let mut whole = json!({ "iss": ID, "iat": NOW });
    whole.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
    whole.to_string()
}

fn told(named: Option<&Named>) -> String {
    let Some(named) = named else { return String::new() };
    let id = named.id.map(|id| format!("id={id}"));
    let each = named.identifiers.iter().map(|it| format!("{}={}", it.kind.as_str(), it.value));
    id.into_iter().chain(each).collect::<Vec<_>>().join(" ")
}

#[test]
fn every_vector_is_judged_as_it_is_named() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let ring = keyring(vectors["secret"].as_str().unwrap());
    let mut seen = 0;
    for (name, token) in vectors.as_object().unwrap() {
        if ["secret", "app_id"].contains(&name.as_str()) {
            continue;
        }
        let judged = read_token(token.as_str().unwrap().as_bytes(), (ID, &ring), seconds(NOW));
        let expected = match name.as_str() {
            "valid_user" | "valid_account" | "valid_sub_admin" | "valid_exp_2100" => None,
            "expired_2020" => Some(BadClaims::Expired),
            "nbf_2100" => Some(BadClaims::NotYetValid),
            "other_iss" => Some(BadClaims::Issuer),
            "wrong_key" | "payload_swapped" => Some(BadClaims::Unsigned),
            "hs512_right_key" => Some(BadClaims::Malformed("a token is signed as HS256")),
            "alg_none" | "noncanonical_signature" | "hex_signature" => {
                Some(BadClaims::Malformed("neither the secret nor a token"))
            }
            other => unreachable!("nobody has said what comes of `{other}`"),
        };
        assert_eq!(judged.err(), expected, "{name}");
        seen += 1;
    }
    assert_eq!(seen, 13);
}

const OBJECT: &str = "51fa7afd09e50d11f1000002";

/// Claims, with the kind, the user and the account that they mean.
fn shapes() -> Vec<(Value, SubjectKind, &'static str, &'static str)> {
    vec![
        (
            json!({ "io.hull.asUser": { "email": "Bob@bob.com", "external_id": "42" },
                "io.hull.subjectType": "user" }),
            SubjectKind::User,
            "external_id=42 email=bob@bob.com",
            "",
        ),
        (json!({ "sub": OBJECT, "io.hull.subjectType": "user" }), SubjectKind::User, "id", ""),
        (json!({ "sub": OBJECT }), SubjectKind::User, "id", ""),
        (json!({ "sub": OBJECT, "io.hull.asUser": { "id": OBJECT } }), SubjectKind::User, "id", ""),
        (
            json!({ "io.hull.asAccount": { "domain": "Bob.com", "aliases": ["a", "b", "a"] },
                "io.hull.subjectType": "account" }),
            SubjectKind::Account,
            "",
            "domain=bob.com anonymous_id=a anonymous_id=b",
        ),
        (
            json!({ "io.hull.asAccount": { "external_id": 7 } }),
            SubjectKind::Account,
            "",
            "external_id=7",
        ),
        (
            json!({ "sub": OBJECT, "io.hull.asAccount": { "id": OBJECT },
                "io.hull.subjectType": "account" }),
            SubjectKind::Account,
            "",
            "id",
        ),
        (
            json!({ "io.hull.asUser": { "id": OBJECT }, "io.hull.asAccount": { "domain": "b.com" },
                "io.hull.subjectType": "account" }),
            SubjectKind::Account,
            "id",
            "domain=b.com",
        ),
        (
            json!({ "io.hull.asUser": { "external_id": "1" }, "io.hull.subjectType": "account" }),
            SubjectKind::Account,
            "external_id=1",
            "",
        ),
        (
            json!({ "io.hull.asUser": { "guest_id": "g", "name": { "a": 1 }, "email": null },
                "io.hull.asAccount": { "domain": "b.com" }, "io.hull.subjectType": "user" }),
            SubjectKind::User,
            "anonymous_id=g",
            "domain=b.com",
        ),
        (json!({ "io.hull.as": { "email": "a@b" } }), SubjectKind::User, "email=a@b", ""),
        (json!({ "io.hull.user": { "email": "a@b" } }), SubjectKind::User, "email=a@b", ""),
    ]
}

#[test]
fn every_shape_of_a_subject_that_clients_send_is_understood() {
    for (claims, kind, user, account) in shapes() {
        let read = read(&usual(&claims)).unwrap();
        let id = |text: &str| text.replace("id", &format!("id={OBJECT}"));
        let expect = |text: &str| if text == "id" { id(text) } else { text.to_owned() };
        assert_eq!(read.kind, kind, "{claims}");
        assert_eq!(told(read.user.as_ref()), expect(user), "{claims}");
        assert_eq!(told(read.account.as_ref()), expect(account), "{claims}");
        assert!(read.create && !read.admin);
    }
}

#[test]
fn what_names_nobody_or_is_of_another_type_is_refused() {
    let user = r#""io.hull.asUser":{"email":"a@b"}"#;
    let head = format!(r#"{{"iss":"{ID}","iat":{NOW},"#);
    for claims in [
        format!(r#"{{"iat":{NOW},{user}}}"#),
        format!(r#"{{"iss":["{ID}"],"iat":{NOW},{user}}}"#),
        format!(r#"{{"iss":"{}","iat":{NOW},{user}}}"#, ID.to_uppercase()),
        format!(r#"{{"iss":"{ID}",{user}}}"#),
        format!(r#"{{"iss":"{ID}","iat":"{NOW}",{user}}}"#),
        format!(r#"{{"iss":"{ID}","iat":null,{user}}}"#),
        format!(r#"{head}"exp":"{NOW}",{user}}}"#),
        format!(r#"{head}"exp":null,{user}}}"#),
        format!(r#"{head}"nbf":"0",{user}}}"#),
        format!(r#"{head}"exp":1e999,{user}}}"#),
        format!(r#"{head}"x":1}}"#),
        format!(r#"{head}"sub":"51fa","x":1}}"#),
        format!(r#"{head}"sub":7}}"#),
        format!(r#"{head}"io.hull.asUser":{{}}}}"#),
        format!(r#"{head}"io.hull.asUser":{{"email":""}}}}"#),
        format!(r#"{head}"io.hull.asUser":{{"email":true}}}}"#),
        format!(r#"{head}"io.hull.asUser":{{"email":1.5}}}}"#),
        format!(r#"{head}"io.hull.asUser":{{"email":"a\u0000"}}}}"#),
        format!(r#"{head}"io.hull.asUser":{{"id":"42"}}}}"#),
        format!(r#"{head}"io.hull.asUser":"{{\"email\":\"a@b\"}}"}}"#),
        format!(r#"{head}"io.hull.asUser":["a@b"]}}"#),
        format!(r#"{head}"io.hull.asAccount":{{"email":"a@b"}}}}"#),
        format!(r#"{head}"io.hull.subjectType":"admin",{user}}}"#),
        format!(r#"{head}"io.hull.subjectType":"user","io.hull.asAccount":{{"domain":"b"}}}}"#),
        format!(r#"{head}"scopes":"admin",{user}}}"#),
        format!(r#"{head}"scopes":["admin"],"scopes":[],{user}}}"#),
        format!(r#"{head}"io.hull.create":"no",{user}}}"#),
        format!(r#"{head}{user},{user}}}"#),
        format!(r#"{head}"io.hull.as":{{"email":"a@b"}},{user}}}"#),
        format!(r#"{head}"io.hull.asUser":{{"email":"a@b","email":"c@d"}}}}"#),
        format!(r#"{head}"io.hull.asUser":{{"email":"a@b","x":{{"y":1,"y":2}}}}}}"#),
        format!(r#"{head}"x":1,"x":2,{user}}}"#),
        format!(r#"{head}"sub":"{ID}","io.hull.asUser":{{"id":"{}"}}}}"#, ID.replace('5', "6")),
        format!("[{NOW}]"),
        format!(r#"{head}{user}}} "#) + "x",
        String::new(),
    ] {
        assert!(read(&claims).is_err(), "{claims}");
    }
    read(&format!(r#"{head}{user}}}"#)).unwrap();
}

#[test]
fn a_token_counts_between_its_times_and_a_minute_beside_them() {
    for (times, expected) in [
        (json!({}), None),
        (json!({ "iat": 0 }), None),
        (json!({ "iat": NOW + 300 }), None),
        (json!({ "iat": NOW + 301 }), Some(BadClaims::NotYetValid)),
        (json!({ "exp": NOW + 1 }), None),
        (json!({ "exp": NOW - 59 }), None),
        (json!({ "exp": NOW - 60 }), Some(BadClaims::Expired)),
        (json!({ "exp": 1_799_999_940.5 }), None),
        (json!({ "exp": 0 }), Some(BadClaims::Expired)),
        (json!({ "exp": -1 }), Some(BadClaims::Expired)),
        (json!({ "exp": 1e300 }), None),
        (json!({ "nbf": NOW + 60 }), None),
        (json!({ "nbf": NOW + 61 }), Some(BadClaims::NotYetValid)),
        (json!({ "nbf": 1e300 }), Some(BadClaims::NotYetValid)),
    ] {
        let mut claims = times.clone();
        claims["io.hull.asUser"] = json!({ "email": "a@b" });
        assert_eq!(read(&usual(&claims)).err(), expected, "{times}");
    }
}

#[test]
fn a_connector_can_say_how_old_its_tokens_may_be() {
    let options = |age: &str| Options::from([("max_age".to_owned(), age.to_owned())]);
    for (age, issued, expected) in [
        ("3600", NOW - 3_599, None),
        ("3600", NOW - 3_600, Some(BadClaims::Expired)),
        ("", 0, None),
    ] {
        let ring = Keyring::new(SecretBuf::new("a secret"), options(age));
        let claims = json!({ "iat": issued, "io.hull.asUser": { "email": "a@b" } });
        let token = token(&usual(&claims));
        let judged = read_token(token.as_bytes(), (ID, &ring), seconds(NOW));
        assert_eq!(judged.err(), expected, "{age} {issued}");
    }
}

#[test]
fn scopes_and_options_are_taken_as_they_stand() {
    for (extra, create, admin) in [
        (json!({ "scopes": ["admin"], "io.hull.create": false }), false, true),
        (json!({ "io.hull.scope": ["admin"], "io.hull.active": 5 }), true, true),
        (json!({ "scopes": ["Admin", "other"], "io.hull.scope": [] }), true, false),
    ] {
        let mut claims = extra.clone();
        claims["io.hull.asUser"] = json!({ "anonymous_id": "s:1" });
        let claims = read(&usual(&claims)).unwrap();
        assert_eq!((claims.create, claims.admin), (create, admin), "{extra}");
        let user = claims.user.unwrap();
        assert_eq!(user.identifiers[0].kind, IdentifierKind::AnonymousId);
    }
}
