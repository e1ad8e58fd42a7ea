//! `hub_token`: a token of the Journey Hub provisioning API, and the exchange that pays for it.
//!
//! ```text
//! POST …/token     userId, nonce, hash = hex(SHA-256(secret ‖ nonce))
//! Authorization: pcl_hub_<id>_<secret><check>          the raw token, as the vendor has it
//! Authorization: Bearer pcl_hub_<id>_<secret><check>   tolerated
//! ```

use http::{HeaderName, header::AUTHORIZATION};
use sha2::{Digest as _, Sha256};

use super::{
    BadOption, Claim, Found, Issued, Kept, Kind, Options, Presented, PresentedKey, Scheme,
    SchemeName, Unread, authorization, own,
};
use crate::credential::Credential;
use crate::request::RequestHead;
use crate::seal::{self, NoEntropy, Peppers};
use crate::secret::{Scratch, SecretBuf};
use crate::token::TokenKind;

/// The name of the scheme.
pub const NAME: SchemeName = SchemeName("hub_token");
/// The kind of its tokens.
const TOKEN: TokenKind = TokenKind::new("hub");
/// The kind of the secrets that are exchanged for them.
const SECRET: TokenKind = TokenKind::new("hubsecret");
/// The longest nonce, in characters.
pub const MAX_NONCE: usize = 256;

pub(super) const KIND: Kind = Kind {
    name: NAME,
    summary: "a raw `pcl_hub_…` token in `Authorization`, from the Journey Hub exchange",
    build,
    issue: Some(issue),
    kept: Kept::Sealed,
    present,
    named_in: None,
};

const HEADERS: &[HeaderName] = &[AUTHORIZATION];

#[derive(Debug)]
struct HubToken;

fn build(options: &Options) -> Result<Box<dyn Scheme>, BadOption> {
    match options.keys().next() {
        Some(option) => Err(BadOption::Unknown { scheme: NAME, option: option.clone() }),
        None => Ok(Box::new(HubToken)),
    }
}

fn issue(peppers: &Peppers) -> Result<Issued, NoEntropy> {
    own::issue(TOKEN, peppers)
}

fn present(_login: &str, secret: &str) -> (HeaderName, SecretBuf) {
    (AUTHORIZATION, SecretBuf::new(secret))
}

impl Scheme for HubToken {
    fn name(&self) -> SchemeName {
        NAME
    }

    fn headers(&self) -> &[HeaderName] {
        HEADERS
    }

    fn challenge(&self) -> &'static str {
        r#"Bearer realm="portcullis""#
    }

    // RFC 6750, section 3.1.
    fn rejected_challenge(&self) -> &'static str {
        r#"Bearer realm="portcullis", error="invalid_token""#
    }

    fn find<'r>(&self, request: &'r RequestHead<'_>) -> Found<'r> {
        let raw = request.headers().get(AUTHORIZATION).map(|value| value.as_bytes().trim_ascii());
        let bearer = authorization(request, "Bearer");
        let claimed = bearer.or(raw).filter(|text| TOKEN.claims(text));
        claimed.map_or(Found::NotMine, |text| Found::Claimed(Claim::new(text)))
    }

    fn read<'s>(
        &self,
        claim: Claim<'s>,
        _scratch: &'s mut Scratch,
    ) -> Result<Presented<'s>, Unread> {
        own::read((TOKEN, NAME), claim.expose(), "not a token of ours")
    }

    fn check(&self, presented: &PresentedKey<'_>, stored: &Credential, peppers: &Peppers) -> bool {
        own::is_met(presented, stored, peppers)
    }
}

/// A newly drawn secret, to be sealed and never hashed, for every exchange needs it whole.
#[derive(Debug)]
pub struct IssuedSecret {
    /// Its public part, under which it is filed.
    pub key: String,
    /// What its owner is shown, once; all of it goes into the hash.
    pub shown: SecretBuf,
}

/// Draws a secret. All have one length: without a separator, `a` with nonce `bc` and `ab` with
/// nonce `c` would prove each other.
///
/// # Errors
/// The system gave no randomness.
pub fn draw_secret() -> Result<IssuedSecret, NoEntropy> {
    let shown = SECRET.draw()?;
    let key = SECRET.parse(shown.expose()).map_err(|_| NoEntropy)?.id.to_owned();
    Ok(IssuedSecret { key, shown })
}

/// A nonce that cannot be one: the caller's fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a nonce has 1 to {MAX_NONCE} printable ASCII characters")]
pub struct BadNonce;

/// Whether `nonce` may be one.
///
/// SHA-256(secret ‖ nonce) can be extended by who does not know the secret: but the padding that
/// this needs begins with the byte 80, which is no ASCII.
///
/// # Errors
/// It is empty, too long, or has other characters than printable ASCII.
pub fn check_nonce(nonce: &str) -> Result<(), BadNonce> {
    let printable = nonce.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    let fits = (1..=MAX_NONCE).contains(&nonce.len());
    if printable && fits { Ok(()) } else { Err(BadNonce) }
}

/// What a client sends to prove that it knows `secret`: the hash in lower-case hex.
pub fn proof(secret: &SecretBuf, nonce: &str) -> String {
    digest(secret, nonce).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// By which a spent nonce is remembered, if `hash` proves that its sender knows `secret`.
///
/// Half of the proof itself: nobody without the secret can make the other half, and a thief of the
/// database has nothing that was not spent.
pub fn spend(secret: &SecretBuf, nonce: &str, hash: &str) -> Option<[u8; 16]> {
    let digest = digest(secret, nonce);
    let given = hash.to_ascii_lowercase();
    let right = seal::equal(proof(secret, nonce).as_bytes(), given.as_bytes());
    digest.first_chunk().copied().filter(|_| right)
}

fn digest(secret: &SecretBuf, nonce: &str) -> [u8; 32] {
    Sha256::new().chain_update(secret.expose()).chain_update(nonce).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    // The vectors of the vendor's scheme: secret, nonce, hash.
    const VECTORS: &[(&str, &str, &str)] = &[
        (
            "mylongsecret",
            "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
            "764de4261dfb5d91314c5a565bb79378d18ff0b4799833b4f38a0bcda8d21df5",
        ),
        (
            "s3cr\u{e9}t",
            "nonce-1",
            "45d0e2f9b8c562773acb02188d1b17d9f42fe456236210c6c796050d06c5b8a1",
        ),
    ];

    #[test]
    fn a_hash_proves_its_own_secret_and_nonce_alone() {
        for (secret, nonce, hash) in VECTORS {
            let buf = SecretBuf::new(*secret);
            assert_eq!(proof(&buf, nonce), *hash);
            assert!(spend(&buf, nonce, hash).is_some());
            assert!(spend(&buf, nonce, &hash.to_uppercase()).is_some());
            assert!(spend(&buf, "another", hash).is_none());
            assert!(spend(&SecretBuf::new("another"), nonce, hash).is_none());
            assert!(spend(&buf, nonce, "").is_none());
            assert!(spend(&buf, nonce, hash.get(..63).unwrap()).is_none());
        }
    }

    #[test]
    fn a_nonce_is_printable_ascii_so_that_no_hash_can_be_extended() {
        for good in ["x", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "~ !", &"n".repeat(MAX_NONCE)] {
            assert!(check_nonce(good).is_ok(), "{good}");
        }
        for bad in ["", "a\u{80}b", "a\0b", "a\nb", "\u{e9}", "a\u{7f}", &"n".repeat(MAX_NONCE + 1)]
        {
            assert_eq!(check_nonce(bad), Err(BadNonce), "{bad:?}");
        }
    }

    #[test]
    fn every_secret_has_one_length_and_a_prefix_that_no_scheme_claims() {
        let lengths: Vec<_> = (0..5).map(|_| draw_secret().unwrap().shown.expose().len()).collect();
        assert!(lengths.windows(2).all(|pair| pair[0] == pair[1]), "{lengths:?}");
        let secret = draw_secret().unwrap().shown;
        assert!(!TOKEN.claims(secret.expose()));
    }
}
