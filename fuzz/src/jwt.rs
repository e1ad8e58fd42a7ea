//! Tokens of connectors: as they are sent, and what they claim once they are signed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_core::jws::{BadToken, Compact, MAX_TOKEN};
use portcullis_core::keyring::Keyring;
use portcullis_core::scheme::Options;
use portcullis_core::scheme::connector::{BadClaims, read_token, sign};
use portcullis_core::seal::MacKey;
use portcullis_core::secret::SecretBuf;
use portcullis_core::subject::{Claims, MAX_IDENTIFIERS, Named, SubjectKind};
use serde_json::Value;

use crate::request::NOW;

const ID: &str = "5a7962e2793d3e942a03b29a";
const SECRET: &str = "a-secret-of-a-connector-";

/// A token, or the claims of one.
///
/// # Panics
/// A token is taken that is not canonical or not signed, or claims that are not those of a
/// connector on behalf of somebody.
pub fn jwt(data: &[u8]) {
    drop(compact(data));
    let Ok(text) = std::str::from_utf8(data) else { return };
    let signed = sign(&SecretBuf::new(SECRET), text);
    if signed.expose().len() <= MAX_TOKEN && !text.is_empty() {
        assert_eq!(compact(signed.expose()).unwrap(), data, "signed, it is another");
    }
    if let Ok(claims) = read(signed.expose(), ID) {
        check(&claims, text);
    }
}

fn compact(token: &[u8]) -> Result<Vec<u8>, BadToken> {
    let key = MacKey::of_text(SECRET.as_bytes());
    let payload = Compact::split(token)?.verify_hs256(|signed| key.digest(&[signed]))?;
    let parts: Vec<&[u8]> = token.split(|byte| *byte == b'.').collect();
    assert!(parts.len() == 3 && token.len() <= MAX_TOKEN);
    assert_eq!(parts[1], URL_SAFE_NO_PAD.encode(&payload).as_bytes(), "not canonical");
    let signed = [parts[0], b".", parts[1]].concat();
    assert_eq!(parts[2], URL_SAFE_NO_PAD.encode(key.digest(&[&signed])).as_bytes());
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[0]).unwrap()).unwrap();
    assert!(header["alg"] == "HS256" && header.get("crit").is_none(), "{header}");
    Ok(payload)
}

fn read(token: &[u8], id: &str) -> Result<Claims, BadClaims> {
    read_token(token, (id, &Keyring::new(SecretBuf::new(SECRET), Options::new())), NOW)
}

fn check(claims: &Claims, text: &str) {
    let told: Value = serde_json::from_str(text).unwrap();
    assert!(told["iss"] == ID && told["iat"].is_number(), "{text}");
    assert!(claims.not_before <= NOW && NOW < claims.expires, "{claims:?}");
    let acts = match claims.kind {
        SubjectKind::Account => claims.account.is_some() || claims.user.is_some(),
        SubjectKind::User => claims.user.is_some(),
    };
    assert!(acts, "{claims:?}");
    for (kind, named) in
        [(SubjectKind::User, &claims.user), (SubjectKind::Account, &claims.account)]
    {
        named.iter().for_each(|named| check_named(named, kind));
    }
    // Nobody else issued it, and nothing in it stands twice.
    let other = ID.replace('5', "6");
    assert!(read(sign(&SecretBuf::new(SECRET), text).expose(), &other).is_err());
    let end = text.rfind('}').unwrap();
    let twice = format!("{},\"iss\":\"{ID}\"}}", text.get(..end).unwrap());
    assert!(read(sign(&SecretBuf::new(SECRET), &twice).expose(), ID).is_err(), "{twice}");
}

fn check_named(named: &Named, kind: SubjectKind) {
    assert!(!named.is_empty() && named.identifiers.len() <= MAX_IDENTIFIERS);
    assert!(
        named.identifiers.is_sorted() && named.identifiers.iter().all(|it| it.kind.is_of(kind))
    );
    assert!(named.identifiers.windows(2).all(|pair| pair[0] != pair[1]), "{named:?}");
    assert!(named.identifiers.iter().all(|it| !it.value.trim().is_empty()));
}
