//! Signed tokens against everybody else: the vectors of Wycheproof, and another library as oracle.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::verify as verify_with;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use portcullis_core::jws::{BadToken, Compact, sign_hs256};
use portcullis_core::keyring::Keyring;
use portcullis_core::scheme::Options;
use portcullis_core::scheme::connector::{BadClaims, read_token};
use portcullis_core::seal::MacKey;
use portcullis_core::secret::SecretBuf;
use portcullis_core::time::Timestamp;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

const SIGNATURES: &str = include_str!("vectors/json_web_signature_test.json");
const CRYPTO: &str = include_str!("vectors/json_web_crypto_test.json");

fn verify(token: &str, key: &[u8]) -> Result<Vec<u8>, BadToken> {
    let key = MacKey::of_text(key);
    Compact::split(token.as_bytes())?.verify_hs256(|signed| key.digest(&[signed]))
}

/// The octets of the symmetric keys among those of a group.
fn octets(private: &Value) -> Vec<Vec<u8>> {
    let keys = private["keys"].as_array().cloned().unwrap_or_else(|| vec![private.clone()]);
    let octets = keys.iter().filter_map(|key| key["k"].as_str());
    octets.map(|text| URL_SAFE_NO_PAD.decode(text).unwrap()).collect()
}

/// Where our verdict is another than that of a vector: the file, the number, whether we take it,
/// and why.
const DIFFERENT: &[(&str, u64, bool, &str)] = &[
    ("signature", 367, true, "it is vector 357 to the letter, which is marked valid"),
    ("signature", 370, true, "it is vector 357 to the letter, which is marked valid"),
    ("signature", 372, false, "a header with a character outside base64url is not canonical"),
    ("signature", 373, false, "a payload with a character outside base64url is not canonical"),
    ("crypto", 47, true, "our secrets stand beside no key of another kind: it is vector 1"),
];

/// Judges every token of a file; how many of HS256 are good, of HS256 are bad, and of others.
fn judge_all(name: &str, text: &str) -> [usize; 3] {
    let file: Value = serde_json::from_str(text).unwrap();
    let mut counts = [0; 3];
    for group in file["testGroups"].as_array().unwrap() {
        let private = &group["private"];
        let keys = octets(private);
        let symmetric = !keys.is_empty() && private.to_string().contains(r#""alg":"HS256""#);
        for vector in group["tests"].as_array().unwrap() {
            // What is encrypted, or not in compact form, is no token of three parts either.
            let token = vector.get("jws").or(vector.get("jwe")).unwrap();
            let token = token.as_str().map_or_else(|| token.to_string(), str::to_owned);
            let number = vector["tcId"].as_u64().unwrap();
            if !symmetric {
                // Whatever is taken for a secret: its kind of key was never one.
                let (private, public) = (private.to_string(), public(group));
                let keys = [&b""[..], b"secret", private.as_bytes(), &public];
                assert!(keys.iter().all(|key| verify(&token, key).is_err()), "{name} {vector}");
                counts[2] += 1;
                continue;
            }
            let good = keys.iter().any(|key| verify(&token, key).is_ok());
            let known = DIFFERENT.iter().find(|it| (it.0, it.1) == (name, number));
            let expected = known.map_or(vector["result"] == "valid", |(.., good, _)| *good);
            assert_eq!(good, expected, "{name} {vector}");
            counts[usize::from(!good)] += 1;
        }
    }
    counts
}

/// A public key as text, which must never be taken for a secret.
fn public(group: &Value) -> Vec<u8> {
    group["public"].to_string().into_bytes()
}

#[test]
fn every_vector_of_wycheproof_for_signatures_is_judged_as_marked_or_for_a_reason() {
    assert_eq!(judge_all("signature", SIGNATURES), [10, 30, 361]);
    assert_eq!(judge_all("crypto", CRYPTO), [3, 17, 63]);
}

/// What another library makes of `token` under `secret`, whose clock is the machine's: the moments
/// that are drawn are far from today.
fn oracle(token: &str, secret: &[u8]) -> Option<Value> {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.required_spec_claims.clear();
    validation.validate_nbf = true;
    let key = DecodingKey::from_secret(secret);
    decode::<Value>(token, &key, &validation).ok().map(|it| it.claims)
}

const ID: &str = "5a7962e2793d3e942a03b29a";
const SECRET: &str = "s3cr3t-connector-secret-0123456789";
const NOW: i64 = 1_800_000_000;
/// Long ago, and in a long time, by any clock that runs this.
const PAST: i64 = 946_684_800;
const FUTURE: i64 = 32_503_680_000;

fn ours(token: &str) -> Result<(), BadClaims> {
    let ring = Keyring::new(SecretBuf::new(SECRET), Options::new());
    let now = Timestamp::from_millis(NOW * 1_000);
    read_token(token.as_bytes(), (ID, &ring), now).map(drop)
}

fn signed(header: &str, payload: &str, secret: &str) -> String {
    let signed = [header, payload].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
    let signature = MacKey::of_text(secret.as_bytes()).digest(&[signed.as_bytes()]);
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn headers() -> impl Strategy<Value = &'static str> {
    select(vec![
        r#"{"typ":"JWT","alg":"HS256"}"#,
        r#"{"alg":"HS256"}"#,
        r#"{ "alg" : "HS256", "kid": "a" }"#,
        r#"{"alg":"HS512"}"#,
        r#"{"alg":"none"}"#,
        r#"{"alg":"HS256","crit":["exp"]}"#,
        r#"{"typ":"JWT"}"#,
        "{}",
    ])
}

fn moments() -> impl Strategy<Value = Option<Value>> {
    let moments = [json!(PAST), json!(FUTURE), json!(PAST.to_string()), json!(null), json!([1])];
    proptest::option::of(select(moments.to_vec()))
}

fn claims() -> impl Strategy<Value = String> {
    let subject = select(vec![
        json!({ "email": "bob@bob.com" }),
        json!({ "external_id": "42" }),
        json!({}),
        json!("bob"),
    ]);
    (moments(), moments(), moments(), subject, any::<bool>()).prop_map(
        |(issued, expires, begins, subject, mine)| {
            let issuer = if mine { ID } else { "other" };
            let mut claims = json!({ "iss": issuer, "io.hull.asUser": subject });
            for (name, moment) in [("iat", issued), ("exp", expires), ("nbf", begins)] {
                if let Some(moment) = moment {
                    claims[name] = moment;
                }
            }
            claims.to_string()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn what_is_taken_another_library_takes_with_the_same_claims(
        header in headers(),
        claims in claims(),
        right in proptest::bool::weighted(0.9),
        spoilt in proptest::option::weighted(0.3, (any::<Index>(), any::<u8>())),
    ) {
        let secret = if right { SECRET } else { "another-connector-secret-012345" };
        let mut token = signed(header, &claims, secret).into_bytes();
        if let Some((place, byte)) = spoilt {
            let place = place.index(token.len());
            token[place] = byte;
        }
        let Ok(token) = String::from_utf8(token) else { return Ok(()) };
        let verified = verify(&token, SECRET.as_bytes());
        if let Ok(payload) = &verified {
            prop_assert!(right);
            let (signed, signature) = token.rsplit_once('.').unwrap();
            let (key, alg) = (DecodingKey::from_secret(SECRET.as_bytes()), Algorithm::HS256);
            prop_assert!(verify_with(signature, signed.as_bytes(), &key, alg).unwrap());
            prop_assert_eq!(decode_header(&token).unwrap().alg, alg);
            let (_, sent) = signed.split_once('.').unwrap();
            prop_assert_eq!(URL_SAFE_NO_PAD.encode(payload), sent);
        }
        if ours(&token).is_ok() {
            let claims: Value = serde_json::from_slice(&verified.unwrap()).unwrap();
            prop_assert_eq!(oracle(&token, SECRET.as_bytes()), Some(claims), "{}", token);
        }
    }

    #[test]
    fn a_good_token_is_taken_by_both_and_the_times_are_told_alike(
        expires in proptest::option::of(select(vec![PAST, FUTURE])),
        begins in proptest::option::of(select(vec![PAST, FUTURE])),
    ) {
        let mut claims = json!({ "iss": ID, "iat": PAST, "io.hull.asUser": { "email": "a@b" } });
        for (name, moment) in [("exp", expires), ("nbf", begins)] {
            if let Some(moment) = moment {
                claims[name] = json!(moment);
            }
        }
        let token = sign_hs256(claims.to_string().as_bytes(), |signed| {
            MacKey::of_text(SECRET.as_bytes()).digest(&[signed])
        });
        let token = token.expose_text();
        let good = expires != Some(PAST) && begins != Some(FUTURE);
        prop_assert_eq!(ours(token).is_ok(), good, "{}", claims);
        prop_assert_eq!(oracle(token, SECRET.as_bytes()).is_some(), good, "{}", claims);
    }
}
