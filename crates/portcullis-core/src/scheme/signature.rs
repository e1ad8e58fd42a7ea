//! `signature`: a token that a server signs anew for each call, on behalf of a user of its choice.
//!
//! ```text
//! X-Deki-Token: tkn_<key>_<epoch>_<user>_<hash>
//!               │   │     │       │      └ hex(HMAC-SHA-256(secret, key _ epoch _ user)), either case
//!               │   │     │       └ a number, or `=` and a login name, which may hold `_` and `=`
//!               │   │     └ when it was signed, in seconds since 1970: 10 digits
//!               │   └ names the secret; may be logged
//!               └ the form; without it, and with nothing between the parts of the message, an older
//!                 one, that a key may take
//! ?x-deki-token=tkn_…         the same, where the exchange looks for it
//! ```
//!
//! The secret signs as it is written, not as what its hex digits stand for.

mod token;
mod user;
mod window;

use std::borrow::Cow;

use http::HeaderName;
use percent_encoding::percent_decode_str;

use super::{
    BadOption, Claim, Found, Kept, Kind, Options, Presented, PresentedKey, Proven, Scheme,
    SchemeName, Signed, Unread, flag,
};
use crate::authenticator::Rejection;
use crate::credential::Credential;
use crate::keyring::Keyring;
use crate::request::RequestHead;
use crate::seal::{self, NoEntropy, Peppers};
use crate::secret::{Scratch, Secret, SecretBuf};
use crate::time::Timestamp;

pub use token::{Form, HASH, MAX_TOKEN, Malformed, ServerToken, is_key, sign};
pub use user::{MAX_USER_NAME, NamedUser};
pub use window::{FUTURE, PAST, Untimely, counts_until, judge, once};

/// The name of the scheme.
pub const NAME: SchemeName = SchemeName("signature");
/// The header, and in the exchange the parameter of the query, that carries a token.
pub const CARRIER: &str = "x-deki-token";
const HEADER: HeaderName = HeaderName::from_static(CARRIER);
static HEADERS: [HeaderName; 1] = [HEADER];

/// What may be set for a key.
pub mod option {
    /// The hosts whose pages may use it: a key for browsers, that signs for nobody.
    pub const HOSTS: &str = "hosts";
    /// Whether the older form counts too, with `true`.
    pub const OLDER: &str = "older";
    /// The number of the one user on whose behalf it may be used.
    pub const USER: &str = "user";
}

pub(super) const KIND: Kind = Kind {
    name: NAME,
    summary: "`X-Deki-Token: tkn_…`, signed by a server on behalf of a user, as Expert has it",
    build,
    issue: None,
    kept: Kept::Opened,
    present: |_, token| (HEADER, SecretBuf::new(token)),
    named_in: None,
};

#[derive(Debug)]
struct Signature {
    query: bool,
}

fn build(options: &Options) -> Result<Box<dyn Scheme>, BadOption> {
    let mut query = false;
    for (option, value) in options {
        if option != "query" {
            return Err(BadOption::Unknown { scheme: NAME, option: option.clone() });
        }
        query = flag(NAME, "query", value)?;
    }
    Ok(Box::new(Signature { query }))
}

/// A newly drawn key.
#[derive(Debug)]
pub struct Drawn {
    /// Its public part, under which it is filed: 64 hex digits.
    pub key: String,
    /// What its owner is shown, once: 64 hex digits more.
    pub secret: SecretBuf,
}

/// Draws a key with its secret.
///
/// # Errors
/// The system gave no randomness.
pub fn draw() -> Result<Drawn, NoEntropy> {
    let (key, secret) = (token::write_hex(&seal::random()?), token::write_hex(&seal::random()?));
    Ok(Drawn { key, secret: SecretBuf::new(secret) })
}

impl Scheme for Signature {
    fn name(&self) -> SchemeName {
        NAME
    }

    fn headers(&self) -> &[HeaderName] {
        &HEADERS
    }

    fn parameters(&self) -> &[&str] {
        if self.query { const { &[CARRIER] } } else { &[] }
    }

    // What was sent in the wrong place counts in the right one.
    fn reserved(&self) -> &[&str] {
        const { &[CARRIER] }
    }

    // No registered scheme has a header of its own; RFC 9110, section 15.5.2, demands a challenge.
    fn challenge(&self) -> &'static str {
        r#"Signature realm="portcullis""#
    }

    /// In one place, or in both if it is the same token.
    fn find<'r>(&self, request: &'r RequestHead<'_>) -> Found<'r> {
        let Ok(header) = request.single(&HEADER) else { return Found::Repeated };
        let mut sent = self.query.then(|| in_query(request.query())).into_iter().flatten();
        match (header, sent.next()) {
            (None, None) => Found::NotMine,
            (Some(text), None) => Found::Claimed(Claim::new(text)),
            (_, Some(first)) if sent.any(|it| it != first) => Found::Repeated,
            (None, Some(text)) => {
                Found::Claimed(Claim { in_query: true, ..Claim::new(text.as_bytes()) })
            }
            (Some(text), Some(also)) if says(also, text) => Found::Claimed(Claim::new(text)),
            (Some(_), Some(_)) => Found::Repeated,
        }
    }

    fn read<'s>(
        &self,
        claim: Claim<'s>,
        scratch: &'s mut Scratch,
    ) -> Result<Presented<'s>, Unread> {
        let text = text_of(claim.expose(), scratch)?;
        // The rest of it is taken apart once, where it is proven.
        let id = token::key_of(text).map_err(|why| Unread::Malformed(why.told()))?;
        Ok(Presented::Signed(Signed {
            filed_under: NAME,
            id,
            text: Secret::new(text.as_bytes()),
            in_query: claim.in_query,
        }))
    }

    fn check(&self, _: &PresentedKey<'_>, _: &Credential, _: &Peppers) -> bool {
        false
    }

    /// Nobody without the secret learns whether key, user or clock are right.
    fn prove<'s>(
        &self,
        signed: &Signed<'s>,
        keyring: &Keyring,
        now: Timestamp,
    ) -> Result<Proven<'s>, Rejection> {
        let malformed = |why: Malformed| Rejection::Malformed(why.told());
        let text = std::str::from_utf8(signed.text.expose());
        let text = text.map_err(|_| malformed(Malformed::Parts))?;
        let token = ServerToken::parse(text).map_err(malformed)?;
        let mut proven = None;
        for secret in keyring.secrets(now) {
            proven = proven.or(token.signed_user(|parts| secret.sign(parts)));
        }
        let user = proven.ok_or(Rejection::WrongProof)?;
        // Keys for browsers have a secret that nobody was told, and no form of it counts.
        let form = token.form() == Form::Documented || keyring.is_on(option::OLDER);
        if !form || keyring.options.contains_key(option::HOSTS) {
            return Err(Rejection::WrongProof);
        }
        judge(token.epoch(), now).map_err(|_| Rejection::Untimely)?;
        Ok(Proven::User(NamedUser::read(user).ok_or(malformed(Malformed::User))?))
    }
}

/// A name that is not UTF-8 was sent as ISO-8859-1, as some clients send what was signed as UTF-8.
fn text_of<'s>(sent: &'s [u8], scratch: &'s mut Scratch) -> Result<&'s str, Unread> {
    if let Ok(text) = std::str::from_utf8(sent) {
        return Ok(text);
    }
    let read = scratch.fill(|room| {
        let mut used = 0;
        for byte in sent {
            let letter = char::from(*byte);
            let place = room.get_mut(used..used + letter.len_utf8());
            letter.encode_utf8(place.ok_or(Unread::Malformed("too long"))?);
            used += letter.len_utf8();
        }
        Ok(used)
    })?;
    std::str::from_utf8(read).map_err(|_| Unread::Malformed("not a text"))
}

/// The values of the parameter, as they were sent. A value begins after the first `=`, and may hold
/// others.
fn in_query(query: Option<&str>) -> impl Iterator<Item = &str> {
    let pairs = query.unwrap_or_default().split('&');
    pairs
        .filter_map(|pair| pair.split_once('='))
        .filter(|(name, _)| *name == CARRIER)
        .map(|it| it.1)
}

/// When the token that `request` carries, in its header or its query, says that it was signed: of the
/// very text that is proven, which a query may hold more than once.
pub fn epoch_of(request: &RequestHead<'_>) -> Option<i64> {
    let Found::Claimed(claim) = (Signature { query: true }).find(request) else { return None };
    let text = claim.expose();
    let mut parts =
        text.strip_prefix(token::PREFIX.as_bytes()).unwrap_or(text).split(|byte| *byte == b'_');
    std::str::from_utf8(parts.nth(1)?).ok()?.parse().ok()
}

/// Whether `sent` in a query is what a header says in `text`.
fn says(sent: &str, text: &[u8]) -> bool {
    let text = match std::str::from_utf8(text) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(text.iter().map(|byte| char::from(*byte)).collect()),
    };
    let is = |sent: &str| percent_decode_str(sent).eq(text.bytes());
    sent == text || is(sent) || is(&sent.replace('+', " "))
}

#[cfg(test)]
mod tests;
