//! `shared_secret`: a secret that a client was given for one guard, in a header of its own.
//!
//! ```text
//! X-Auth-Token: pcl_sec_<id>_<secret><check>     one of ours
//! X-Auth-Token: abc123                           one that a customer chose, and imported
//! ```
//!
//! An imported secret has no public part: it is filed under a digest of the guard and itself, so
//! that two guards may have the same one and neither learns it.

use std::fmt;

use http::HeaderName;

use super::{
    BadOption, Claim, Found, Issued, Kept, Kind, Options, Presented, PresentedKey, Scheme,
    SchemeName, Unread, api_key, own,
};
use crate::credential::{Credential, KeyVerifier};
use crate::guard::Guard;
use crate::id::Id;
use crate::request::RequestHead;
use crate::seal::{NoEntropy, Pepper, Peppers};
use crate::secret::{Scratch, Secret, SecretBuf};
use crate::token::{self, TokenKind};

/// The name of the scheme.
pub const NAME: SchemeName = SchemeName("shared_secret");
/// The header that it reads, unless an option says otherwise.
pub const DEFAULT_HEADER: HeaderName = HeaderName::from_static("x-auth-token");
/// The shortest secret that can be imported, in characters.
pub const MIN_IMPORTED: usize = 6;
/// The longest secret that can be imported, in characters.
pub const MAX_IMPORTED: usize = 256;
/// An imported secret that is shorter can be guessed by trying, and is warned of.
pub const GOOD_IMPORTED: usize = 24;
/// The kind of our own secrets.
const TOKEN: TokenKind = TokenKind::new("sec");

pub(super) const KIND: Kind = Kind {
    name: NAME,
    summary: "a `pcl_sec_…` or imported secret of the guard in a header (default `X-Auth-Token`)",
    build,
    issue: Some(issue),
    kept: Kept::Digest,
    present,
    named_in: None,
};

#[derive(Debug)]
struct SharedSecret {
    header: [HeaderName; 1],
}

fn build(options: &Options) -> Result<Box<dyn Scheme>, BadOption> {
    let mut header = DEFAULT_HEADER;
    for (option, value) in options {
        match option.as_str() {
            "header" => header = api_key::parse_header(NAME, value)?,
            _ => return Err(BadOption::Unknown { scheme: NAME, option: option.clone() }),
        }
    }
    Ok(Box::new(SharedSecret { header: [header] }))
}

fn issue(peppers: &Peppers) -> Result<Issued, NoEntropy> {
    own::issue(TOKEN, peppers)
}

fn present(_login: &str, secret: &str) -> (HeaderName, SecretBuf) {
    (DEFAULT_HEADER, SecretBuf::new(secret))
}

/// Why a secret cannot be imported: the caller's fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unimportable {
    /// It cannot be sent in a header as it is.
    #[error("a secret is of visible ASCII characters, without blanks")]
    Character,
    /// It is too short or too long.
    #[error("a secret has {MIN_IMPORTED} to {MAX_IMPORTED} characters")]
    Length,
    /// It looks like a credential of ours, which has a meaning already.
    #[error("a secret that begins with `pcl_` cannot be imported")]
    Ours,
}

/// The credential that `secret` is at `guard`, as its customer chose it.
///
/// # Errors
/// It is too short, too long, cannot be sent, or looks like one of ours.
pub fn import(
    secret: SecretBuf,
    guard: Id<Guard>,
    peppers: &Peppers,
) -> Result<Issued, Unimportable> {
    let text = secret.expose();
    if !text.iter().all(u8::is_ascii_graphic) {
        return Err(Unimportable::Character);
    }
    if !(MIN_IMPORTED..=MAX_IMPORTED).contains(&text.len()) {
        return Err(Unimportable::Length);
    }
    if token::is_ours(text) {
        return Err(Unimportable::Ours);
    }
    let key = ImportedKey::of(text, guard, peppers.current());
    let verifier = KeyVerifier::make(&[key.as_str().as_bytes(), text], peppers);
    Ok(Issued { key: key.as_str().to_owned(), shown: secret, verifier })
}

/// Under what an imported secret is filed: 32 hex digits of a keyed digest.
pub(crate) struct ImportedKey([u8; Self::DIGITS]);

impl ImportedKey {
    const DIGITS: usize = 32;

    /// What `secret` is filed under at `guard`.
    pub(crate) fn of(secret: &[u8], guard: Id<Guard>, pepper: &Pepper) -> Self {
        let digest = pepper.key.digest(&[b"imported\0", guard.as_bytes(), secret]);
        let mut digits = [b'0'; Self::DIGITS];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(digest) {
            let hex = [byte >> 4, byte & 0xf].map(|it| if it < 10 { b'0' + it } else { b'W' + it });
            pair.copy_from_slice(&hex);
        }
        Self(digits)
    }

    /// The digits.
    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for ImportedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Scheme for SharedSecret {
    fn name(&self) -> SchemeName {
        NAME
    }

    fn headers(&self) -> &[HeaderName] {
        &self.header
    }

    // No registered scheme names the header; RFC 9110, section 15.5.2, demands a challenge.
    fn challenge(&self) -> &'static str {
        r#"SharedSecret realm="portcullis""#
    }

    fn find<'r>(&self, request: &'r RequestHead<'_>) -> Found<'r> {
        let [header] = &self.header;
        match request.single(header) {
            Ok(None) => Found::NotMine,
            Ok(Some(text)) => Found::Claimed(Claim::new(text)),
            Err(_) => Found::Repeated,
        }
    }

    fn read<'s>(
        &self,
        claim: Claim<'s>,
        _scratch: &'s mut Scratch,
    ) -> Result<Presented<'s>, Unread> {
        let text = claim.expose().trim_ascii();
        if !token::is_ours(text) {
            let length = (MIN_IMPORTED..=MAX_IMPORTED).contains(&text.len());
            let good = length && text.iter().all(u8::is_ascii_graphic);
            let secret = Secret::new(text);
            let imported = Presented::Imported { filed_under: NAME, secret };
            return good.then_some(imported).ok_or(Unread::Malformed("no secret can be like this"));
        }
        own::read((TOKEN, NAME), text, "a credential of ours of another kind")
    }

    fn check(&self, presented: &PresentedKey<'_>, stored: &Credential, peppers: &Peppers) -> bool {
        own::is_met(presented, stored, peppers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::PepperId;

    fn peppers(byte: u8) -> Peppers {
        Peppers::new(Pepper::new(PepperId(1), &[byte; 32]), vec![])
    }

    #[test]
    fn a_secret_is_imported_as_its_customer_chose_it() {
        let guard = Id::from_bytes([1; 16]);
        for (secret, expected) in [
            ("abc123".to_owned(), None),
            ("~!@#$%^&*()".into(), None),
            ("x".repeat(256), None),
            ("abc12".into(), Some(Unimportable::Length)),
            ("x".repeat(257), Some(Unimportable::Length)),
            ("abc 123".into(), Some(Unimportable::Character)),
            ("abc123\n".into(), Some(Unimportable::Character)),
            ("abc\u{e9}123".into(), Some(Unimportable::Character)),
            ("pcl_abc123".into(), Some(Unimportable::Ours)),
        ] {
            let imported = import(SecretBuf::new(secret.as_str()), guard, &peppers(1));
            assert_eq!(imported.err(), expected, "{secret}");
        }
    }

    #[test]
    fn the_same_secret_is_filed_elsewhere_for_another_guard_and_under_another_pepper() {
        let key = |secret: &str, guard: u8, pepper| {
            let guard = Id::from_bytes([guard; 16]);
            import(SecretBuf::new(secret), guard, &peppers(pepper)).unwrap().key
        };
        let first = key("abc123", 1, 1);
        assert_eq!(first, key("abc123", 1, 1));
        assert_eq!(first.len(), ImportedKey::DIGITS);
        assert!(first.bytes().all(|it| it.is_ascii_digit() || (b'a'..=b'f').contains(&it)));
        for other in [key("abc124", 1, 1), key("abc123", 2, 1), key("abc123", 1, 2)] {
            assert_ne!(first, other);
        }
    }
}
