//! Assertions, verified by somebody else's code.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::sync::LazyLock;

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use portcullis_core::assertion::{ASSERTION_LIFE, Assertion, ISSUER, Line};
use portcullis_core::id::Id;
use portcullis_core::seal::MasterKey;
use portcullis_core::signing::{Drawn, LEAD, SigningKey, SigningKeys, Unopened, draw};
use portcullis_core::time::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_999);

static MASTER: LazyLock<MasterKey> = LazyLock::new(|| MasterKey::fresh().unwrap());

fn key(from: Timestamp) -> SigningKey {
    SigningKey::open(&draw(&MASTER, from).unwrap(), from, &MASTER).unwrap()
}

const fn assertion<'a>(groups: &'a [&'a str], path: &'a str) -> Assertion<'a> {
    Assertion {
        issuer: ISSUER,
        audience: "my-api",
        user: Some(Id::from_bytes([1; 16])),
        anonymous: false,
        made: NOW,
        expires: Timestamp::from_millis(1_700_000_060_999),
        request: "0190b3a0-0000-7000-8000-000000000000",
        scheme: Some("api_key"),
        credential: Some(Id::from_bytes([2; 16])),
        organization: Some(Id::from_bytes([3; 16])),
        login: Some("zo\u{eb}"),
        groups,
        request_line: Line { method: "GET", host: "api.example.com:8080", path },
    }
}

/// What another library reads of a token, by the keys that are published.
fn verify(token: &str, set: &str) -> Option<Value> {
    let set: JwkSet = serde_json::from_str(set).unwrap();
    let header = decode_header(token).unwrap();
    assert_eq!(header.typ.as_deref(), Some("portcullis+jwt"));
    let jwk = set.find(&header.kid.unwrap())?;
    let mut rules = Validation::new(Algorithm::ES256);
    rules.set_audience(&["my-api"]);
    rules.set_issuer(&["portcullis"]);
    // The moment is the test's own.
    rules.validate_exp = false;
    let key = DecodingKey::from_jwk(jwk).unwrap();
    decode::<Value>(token, &key, &rules).ok().map(|read| read.claims)
}

#[test]
fn another_library_reads_what_was_asserted_by_the_published_key() {
    let key = key(NOW);
    let token = assertion(&["Owner", "a, b"], "/a%20b").sign(&key).unwrap();
    let published = SigningKeys::default().with(key).published(NOW);
    assert_eq!(
        verify(&token, &published).unwrap(),
        json!({
            "iss": "portcullis",
            "aud": "my-api",
            "sub": "01010101-0101-0101-0101-010101010101",
            "iat": 1_700_000_000,
            "exp": 1_700_000_060,
            "jti": "0190b3a0-0000-7000-8000-000000000000",
            "scheme": "api_key",
            "credential": "02020202-0202-0202-0202-020202020202",
            "org": "03030303-0303-0303-0303-030303030303",
            "login": "zo\u{eb}",
            "groups": ["Owner", "a, b"],
            "method": "GET",
            "host": "api.example.com:8080",
            "path": "/a%20b",
        })
    );
    assert_eq!(NOW.plus(ASSERTION_LIFE), assertion(&[], "/").expires);
}

#[test]
fn an_assertion_of_nobody_says_so_and_names_nobody() {
    let key = key(NOW);
    let nobody = Assertion {
        user: None,
        anonymous: true,
        credential: None,
        organization: None,
        login: None,
        ..assertion(&[], "/")
    };
    let token = nobody.sign(&key).unwrap();
    let read = verify(&token, &SigningKeys::default().with(key).published(NOW)).unwrap();
    assert_eq!(read["anonymous"], true);
    for absent in ["sub", "credential", "org", "login", "groups"] {
        assert_eq!(read.get(absent), None, "{absent}");
    }
}

#[test]
fn what_was_signed_is_verified_until_nothing_of_it_counts() {
    let keys = SigningKeys::default().with(key(NOW)).with(key(NOW.plus(LEAD)));
    // Every moment at which a key could sign, with all at which that could be verified.
    for signed in (0..20).map(|minute| NOW.plus(60 * std::time::Duration::from_secs(minute))) {
        let token = assertion(&[], "/").sign(keys.signer(signed).unwrap()).unwrap();
        for seconds in 0..60 {
            let now = signed.plus(std::time::Duration::from_secs(seconds));
            assert!(verify(&token, &keys.published(now)).is_some(), "{signed:?} at {now:?}");
        }
    }
    assert_eq!(keys.published(NOW.plus(2 * LEAD)).matches("kid").count(), 1);
}

#[test]
fn a_key_opens_only_as_it_was_drawn() {
    let drawn = draw(&MASTER, NOW).unwrap();
    let other = draw(&MASTER, NOW).unwrap();
    let open = |drawn: &Drawn, master: &MasterKey| SigningKey::open(drawn, NOW, master).map(drop);
    assert!(open(&drawn, &MASTER).is_ok());
    assert!(matches!(open(&drawn, &MasterKey::fresh().unwrap()), Err(Unopened::Seal(_))));
    let moved = Drawn { id: other.id, ..drawn.clone() };
    assert!(matches!(open(&moved, &MASTER), Err(Unopened::Seal(_))));
    let forged = Drawn { public: other.public, ..drawn.clone() };
    assert!(matches!(open(&forged, &MASTER), Err(Unopened::Another)));
    let swapped = Drawn { sealed: other.sealed, ..drawn };
    assert!(matches!(open(&swapped, &MASTER), Err(Unopened::Seal(_))));
}

#[test]
fn a_withdrawn_key_is_published_no_more_and_signs_no_more() {
    let (one, two) = (key(NOW), key(NOW.plus(LEAD)));
    let (first, second) = (one.id, two.id);
    let keys = SigningKeys::default().with(two).with(one);
    assert_eq!(keys.signer(NOW).unwrap().id, first);
    let left = keys.without(first);
    assert_eq!(left.signer(NOW).unwrap().id, second, "it takes over at once");
    assert!(!left.published(NOW).contains(&first.to_string()));
    assert!(left.without(second).signer(NOW).is_none() && left.without(second).is_empty());
}

#[test]
fn nothing_of_a_private_part_shows() {
    let drawn = draw(&MASTER, NOW).unwrap();
    let key = SigningKey::open(&drawn, NOW, &MASTER).unwrap();
    let shown = format!("{key:?}");
    assert!(shown.starts_with("SigningKey { id: ") && shown.ends_with(", .. }"), "{shown}");
    let published = SigningKeys::default().with(key).published(NOW);
    assert!(!published.contains("\"d\""), "{published}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_asserted_is_read_as_it_was_meant(
        path in "/[!-~]{0,40}",
        groups in proptest::collection::vec("\\PC{1,20}", 0..4),
    ) {
        let key = key(NOW);
        let groups: Vec<_> = groups.iter().map(String::as_str).collect();
        let token = assertion(&groups, &path).sign(&key).unwrap();
        let read = verify(&token, &SigningKeys::default().with(key).published(NOW)).unwrap();
        prop_assert_eq!(&read["path"], &json!(path));
        prop_assert_eq!(read.get("groups").cloned().unwrap_or(json!([])), json!(groups));
    }

    #[test]
    fn a_token_of_which_a_byte_was_changed_is_none(at in any::<prop::sample::Index>()) {
        let key = key(NOW);
        let token = assertion(&[], "/").sign(&key).unwrap();
        let keys = SigningKeys::default().with(key);
        let (signed, _) = token.rsplit_once('.').unwrap();
        let (header, _) = signed.split_once('.').unwrap();
        // Behind the header, which another library would not even read.
        let at = header.len() + 1 + at.index(signed.len() - header.len() - 1);
        let mut changed = token.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        prop_assert_eq!(verify(&changed, &keys.published(NOW)), None);
    }
}
