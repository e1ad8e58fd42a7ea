//! Signed tokens in compact form (RFC 7515), read strictly: one algorithm, which the reader names and
//! never the token; canonical base64url; nothing that must be understood and is not.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use crate::json::{Names, Skipped};
use crate::seal::{self, Digest};
use crate::secret::SecretBuf;

/// The longest token, in bytes.
pub const MAX_TOKEN: usize = 8 * 1_024;

/// The headers that clients send, word for word: they need not be read.
const USUAL: [&[u8]; 3] = [
    // {"typ":"JWT","alg":"HS256"}
    b"eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9",
    // {"alg":"HS256","typ":"JWT"}
    b"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9",
    // {"alg":"HS256"}
    b"eyJhbGciOiJIUzI1NiJ9",
];

/// A token with `payload`, signed by HMAC-SHA-256 (RFC 7518, section 3.2) as `mac` makes it.
pub fn sign_hs256(payload: &[u8], mac: impl FnOnce(&[u8]) -> Digest) -> SecretBuf {
    let [header, ..] = USUAL;
    let mut token = [header, b".", URL_SAFE_NO_PAD.encode(payload).as_bytes()].concat();
    let signature = URL_SAFE_NO_PAD.encode(mac(&token));
    token.push(b'.');
    token.extend_from_slice(signature.as_bytes());
    SecretBuf::new(token)
}

/// A token taken apart, nothing of it decoded.
pub struct Compact<'t> {
    header: &'t [u8],
    payload: &'t [u8],
    signature: &'t [u8],
    signed: &'t [u8],
}

/// Why a token is none: its sender's fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadToken {
    /// Its algorithm is not HS256, or it demands what is not understood (`crit`).
    #[error("not signed as HS256")]
    Algorithm,
    /// It is not of three parts in canonical base64url, or too long.
    #[error("not a compact token")]
    Form,
    /// The signature is another.
    #[error("the signature is wrong")]
    Signature,
}

impl<'t> Compact<'t> {
    /// Takes `text` apart at its dots.
    ///
    /// # Errors
    /// It has not three parts, or is too long.
    pub fn split(text: &'t [u8]) -> Result<Self, BadToken> {
        let mut dots = memchr::memchr_iter(b'.', text);
        let (Some(first), Some(second), None) = (dots.next(), dots.next(), dots.next()) else {
            return Err(BadToken::Form);
        };
        let part = |from: usize, to: usize| text.get(from..to).filter(|part| !part.is_empty());
        let parts = (part(0, first), part(first + 1, second), part(second + 1, text.len()));
        let ((Some(header), Some(payload), Some(signature)), Some(signed)) =
            (parts, text.get(..second))
        else {
            return Err(BadToken::Form);
        };
        if text.len() > MAX_TOKEN {
            return Err(BadToken::Form);
        }
        Ok(Self { header, payload, signature, signed })
    }

    /// Its payload, once its signature is that of HMAC-SHA-256 (RFC 7518, section 3.2) as `sign`
    /// makes it. What was not signed is never read, the header apart.
    ///
    /// # Errors
    /// Another algorithm, form or signature.
    pub fn verify_hs256(&self, mac: impl FnOnce(&[u8]) -> Digest) -> Result<Vec<u8>, BadToken> {
        // The work is done whatever the header says.
        let expected = mac(self.signed);
        let mut given = [0; 32];
        let decoded = URL_SAFE_NO_PAD.decode_slice(self.signature, &mut given);
        self.check_header()?;
        if decoded.map_err(|_| BadToken::Form)? != given.len() {
            return Err(BadToken::Form);
        }
        if !seal::equal(&expected, &given) {
            return Err(BadToken::Signature);
        }
        URL_SAFE_NO_PAD.decode(self.payload).map_err(|_| BadToken::Form)
    }

    fn check_header(&self) -> Result<(), BadToken> {
        if USUAL.contains(&self.header) {
            return Ok(());
        }
        let decoded = URL_SAFE_NO_PAD.decode(self.header).map_err(|_| BadToken::Form)?;
        let header: Header = serde_json::from_slice(&decoded).map_err(|_| BadToken::Form)?;
        if header.hs256 && !header.critical { Ok(()) } else { Err(BadToken::Algorithm) }
    }
}

impl fmt::Debug for Compact<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Compact(..)")
    }
}

/// What counts of a header.
#[derive(Default)]
struct Header {
    hs256: bool,
    critical: bool,
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(HeaderReader)
    }
}

struct HeaderReader;

impl<'de> Visitor<'de> for HeaderReader {
    type Value = Header;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a header")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Header, A::Error> {
        let (mut header, mut names) = (Header::default(), Names::default());
        while let Some(name) = entries.next_key::<String>()? {
            match name.as_str() {
                "alg" => header.hs256 = entries.next_value::<String>()? == "HS256",
                other => {
                    header.critical |= other == "crit";
                    entries.next_value::<Skipped>()?;
                }
            }
            names.insert(name)?;
        }
        Ok(header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::MacKey;

    fn sign(header: &str, payload: &str, key: &MacKey) -> String {
        let [header, payload] = [header, payload].map(|it| URL_SAFE_NO_PAD.encode(it));
        let signed = format!("{header}.{payload}");
        let signature = URL_SAFE_NO_PAD.encode(key.digest(&[signed.as_bytes()]));
        format!("{signed}.{signature}")
    }

    #[test]
    fn a_token_is_read_if_it_is_signed_as_its_reader_says() {
        let key = MacKey::of_text(b"a secret");
        for (header, expected) in [
            (r#"{"typ":"JWT","alg":"HS256"}"#, Ok(())),
            (r#"{"alg":"HS256"}"#, Ok(())),
            (r#"{"kid":"a","alg":"HS256","jwk":{"k":"x"},"n":[1,-1,0.5,true,null]}"#, Ok(())),
            (r#"{"alg":"none"}"#, Err(BadToken::Algorithm)),
            (r#"{"alg":"hs256"}"#, Err(BadToken::Algorithm)),
            (r#"{"alg":"HS512"}"#, Err(BadToken::Algorithm)),
            (r#"{"alg":"HS256","crit":["b64"],"b64":false}"#, Err(BadToken::Algorithm)),
            (r#"{"alg":"HS256","crit":[]}"#, Err(BadToken::Algorithm)),
            (r#"{"typ":"JWT"}"#, Err(BadToken::Algorithm)),
            (r#"{"alg":"HS256","alg":"HS256"}"#, Err(BadToken::Form)),
            (r#"{"alg":"none","\u0061lg":"HS256"}"#, Err(BadToken::Form)),
            (r#"{"alg":"HS256","a":{"b":1,"b":1}}"#, Err(BadToken::Form)),
            (r#"{"alg":["HS256"]}"#, Err(BadToken::Form)),
            (r#"["HS256"]"#, Err(BadToken::Form)),
            ("HS256", Err(BadToken::Form)),
        ] {
            let token = sign(header, "payload", &key);
            let read = Compact::split(token.as_bytes()).unwrap();
            let payload = read.verify_hs256(|signed| key.digest(&[signed]));
            assert_eq!(payload, expected.map(|()| b"payload".to_vec()), "{header}");
            let other = read.verify_hs256(|signed| MacKey::of_text(b"b").digest(&[signed]));
            assert_eq!(other, Err(expected.err().unwrap_or(BadToken::Signature)), "{header}");
        }
    }

    #[test]
    fn a_signature_and_a_payload_are_in_canonical_base64url() {
        let key = MacKey::of_text(b"a secret");
        let token = sign(r#"{"alg":"HS256"}"#, "payload", &key);
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let judge = |text: &str| {
            let read = Compact::split(text.as_bytes())?;
            read.verify_hs256(|signed| key.digest(&[signed]))
        };
        let last = char::from(signature.as_bytes()[42]);
        let next = char::from(signature.as_bytes()[42] + 1);
        for (text, expected) in [
            (token.clone(), Ok(b"payload".to_vec())),
            (format!("{token}="), Err(BadToken::Form)),
            (
                format!("{signed}.{}", signature.replace(last, &next.to_string())),
                Err(BadToken::Form),
            ),
            (token.strip_suffix(last).unwrap().to_owned(), Err(BadToken::Form)),
            (format!("{signed}.{signature}A"), Err(BadToken::Form)),
            (format!("{signed}.{}", "A".repeat(43)), Err(BadToken::Signature)),
            (format!("{signed}."), Err(BadToken::Form)),
            (signed.to_owned(), Err(BadToken::Form)),
            (format!("{token}.e30"), Err(BadToken::Form)),
            (format!(" {token}"), Err(BadToken::Signature)),
            (String::new(), Err(BadToken::Form)),
            ("..".into(), Err(BadToken::Form)),
            ("a".repeat(MAX_TOKEN) + ".b.c", Err(BadToken::Form)),
        ] {
            let judged = judge(&text);
            assert_eq!(judged.is_ok(), expected.is_ok(), "{text}");
            assert!(judged == expected || text.starts_with(' '), "{text}: {judged:?}");
        }
        let odd = format!("{}.{}", URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256"}"#), "YWJ");
        let signature = URL_SAFE_NO_PAD.encode(key.digest(&[odd.as_bytes()]));
        assert_eq!(judge(&format!("{odd}.{signature}")), Err(BadToken::Form), "not canonical");
    }
}
