//! `connector`: an id with a secret, or with a token that was signed with that secret on behalf of
//! one subject.
//!
//! ```text
//! Hull-App-Id: 5a7962e2793d3e942a03b29a          24 hex digits
//! Hull-Access-Token: pcl_con_<id>_<secret><check>       the secret: the connector itself
//! Hull-Access-Token: <header>.<claims>.<signature>      HS256 under it: on behalf of a subject
//! ?id=5a79…&secret=…          the same, where guard or dialect and connector allow it
//! ```
//!
//! A guard takes tokens only if its option `subjects` is `true`, and looks into the query only if
//! `query` is.

mod claims;

use std::sync::Arc;
use std::time::Duration;

use http::HeaderName;

use super::{
    BadOption, Claim, Found, Kept, Kind, Options, Presented, PresentedKey, Proven, Scheme,
    SchemeName, Signed, Unread, flag,
};
use crate::authenticator::Rejection;
use crate::credential::Credential;
use crate::jws::{self, BadToken, Compact};
use crate::keyring::Keyring;
use crate::request::RequestHead;
use crate::seal::{MacKey, NoEntropy, Peppers};
use crate::secret::{Scratch, Secret, SecretBuf};
use crate::subject::{Claims, SubjectId};
use crate::time::Timestamp;
use crate::token::{self, TokenKind};

pub use claims::{BadClaims, LEEWAY, MAX_AHEAD, Times};

/// The name of the scheme.
pub const NAME: SchemeName = SchemeName("connector");
const NAMED_IN: &str = "hull-app-id";
/// The header that names the connector.
pub const ID_HEADER: HeaderName = HeaderName::from_static(NAMED_IN);
/// The header that proves it, or a token of it.
pub const TOKEN_HEADER: HeaderName = HeaderName::from_static("hull-access-token");
/// The parameters of the query that stand for the two.
pub const PARAMETERS: [&str; 2] = ["id", "secret"];
/// The shortest secret that can be imported, in characters.
pub const MIN_IMPORTED: usize = 24;
/// The longest secret that can be imported, in characters.
pub const MAX_IMPORTED: usize = 256;
/// The kind of our own secrets.
const TOKEN: TokenKind = TokenKind::new("con");

/// The longest organization that a connector can be bound to, in bytes.
pub const MAX_ORGANIZATION: usize = 253;

/// The options of a connector; the first two are switched on with `true`.
pub mod option {
    /// It may be named and proven in the query.
    pub const QUERY: &str = "query";
    /// Of a batch with bad entries the good ones count.
    pub const PARTIAL: &str = "partial";
    /// For how many seconds after it was issued a token counts, whatever it says itself.
    pub const MAX_AGE: &str = "max_age";
    /// What the header `Hull-Organization` must say, if it is sent.
    pub const ORGANIZATION: &str = "organization";
}

pub(super) const KIND: Kind = Kind {
    name: NAME,
    summary: "`Hull-App-Id` with `Hull-Access-Token`: a connector's secret, or a JWT under it",
    build,
    issue: None,
    kept: Kept::Opened,
    present,
    named_in: Some(NAMED_IN),
};

static HEADERS: [HeaderName; 2] = [ID_HEADER, TOKEN_HEADER];

#[derive(Debug)]
struct Connector {
    query: bool,
    subjects: bool,
}

fn build(options: &Options) -> Result<Box<dyn Scheme>, BadOption> {
    let mut connector = Connector { query: false, subjects: false };
    for (option, value) in options {
        match option.as_str() {
            "query" => connector.query = flag(NAME, "query", value)?,
            "subjects" => connector.subjects = flag(NAME, "subjects", value)?,
            _ => return Err(BadOption::Unknown { scheme: NAME, option: option.clone() }),
        }
    }
    Ok(Box::new(connector))
}

fn present(_login: &str, secret: &str) -> (HeaderName, SecretBuf) {
    (TOKEN_HEADER, SecretBuf::new(secret))
}

/// Draws a secret.
///
/// # Errors
/// The system gave no randomness.
pub fn draw_secret() -> Result<SecretBuf, NoEntropy> {
    TOKEN.draw()
}

/// Why a secret cannot be imported: its owner's fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unimportable {
    /// It could not be told from a token, or not be sent as it is.
    #[error("a secret is of visible ASCII characters, without blanks and dots")]
    Character,
    /// It is too short or too long.
    #[error("a secret has {MIN_IMPORTED} to {MAX_IMPORTED} characters")]
    Length,
    /// It looks like a credential of ours, which has a meaning already.
    #[error("a secret that begins with `pcl_` cannot be imported")]
    Ours,
}

/// Whether `secret`, which another system gave out, can be a connector's.
///
/// # Errors
/// It is too short, too long, cannot be sent, or looks like one of ours.
pub fn check_imported(secret: &SecretBuf) -> Result<(), Unimportable> {
    let text = secret.expose();
    if !text.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'.') {
        return Err(Unimportable::Character);
    }
    if !(MIN_IMPORTED..=MAX_IMPORTED).contains(&text.len()) {
        return Err(Unimportable::Length);
    }
    if token::is_ours(text) { Err(Unimportable::Ours) } else { Ok(()) }
}

/// The token that says `claims`, which are JSON, signed with `secret`: in the form of the vendor's
/// library.
pub fn sign(secret: &SecretBuf, claims: &str) -> SecretBuf {
    jws::sign_hs256(claims.as_bytes(), |signed| MacKey::of_text(secret.expose()).digest(&[signed]))
}

/// What `token` claims, if one of the secrets of the connector `id` has signed it and it counts at
/// `now`.
///
/// # Errors
/// It is no such token.
pub fn read_token(
    token: &[u8],
    (id, keyring): (&str, &Keyring),
    now: Timestamp,
) -> Result<Claims, BadClaims> {
    let compact = Compact::split(token)?;
    let mut judged = Err(BadToken::Signature);
    for secret in keyring.secrets(now) {
        let payload = compact.verify_hs256(|signed| secret.sign(&[signed]));
        judged = payload.map(|payload| (payload, secret.until));
        if judged.is_ok() {
            break;
        }
    }
    let (payload, until) = judged?;
    let max_age = keyring.options.get(option::MAX_AGE).and_then(|text| text.parse().ok());
    let claims = Claims::read(&payload, (id, max_age.map(Duration::from_secs)), now)?;
    Ok(Claims { expires: claims.expires.min(until), ..claims })
}

impl Scheme for Connector {
    fn name(&self) -> SchemeName {
        NAME
    }

    fn headers(&self) -> &[HeaderName] {
        &HEADERS
    }

    fn parameters(&self) -> &[&str] {
        if self.query { &PARAMETERS } else { &[] }
    }

    // No registered scheme has two headers; RFC 9110, section 15.5.2, demands a challenge.
    fn challenge(&self) -> &'static str {
        r#"Connector realm="portcullis""#
    }

    /// Both from headers, or both from the query if there is neither header.
    fn find<'r>(&self, request: &'r RequestHead<'_>) -> Found<'r> {
        match (request.single(&ID_HEADER), request.single(&TOKEN_HEADER)) {
            (Err(_), _) | (_, Err(_)) => Found::Repeated,
            (Ok(None), Ok(None)) if self.query => find_in_query(request.query()),
            (Ok(None), Ok(None)) => Found::NotMine,
            (Ok(id), Ok(token)) => Found::Claimed(Claim {
                beside: id.map(Secret::new),
                text: Secret::new(token.unwrap_or_default()),
                in_query: false,
            }),
        }
    }

    fn read<'s>(
        &self,
        claim: Claim<'s>,
        scratch: &'s mut Scratch,
    ) -> Result<Presented<'s>, Unread> {
        let id = claim.beside.as_ref().ok_or(Unread::Malformed("no id beside the token"))?;
        let id = std::str::from_utf8(id.expose()).unwrap_or_default();
        SubjectId::parse(id).ok_or(Unread::Malformed("an id has 24 hex digits"))?;
        if claim.expose().is_empty() {
            return Err(Unread::Malformed("no token beside the id"));
        }
        let text =
            if claim.in_query { unescaped(claim.expose(), scratch)? } else { claim.expose() };
        let in_query = claim.in_query;
        Ok(Presented::Signed(Signed { filed_under: NAME, id, text: Secret::new(text), in_query }))
    }

    fn check(&self, _: &PresentedKey<'_>, _: &Credential, _: &Peppers) -> bool {
        false
    }

    fn prove<'s>(
        &self,
        signed: &Signed<'s>,
        keyring: &Keyring,
        now: Timestamp,
    ) -> Result<Proven<'s>, Rejection> {
        if signed.in_query && !keyring.is_on(option::QUERY) {
            return Err(Rejection::InQuery);
        }
        let text = signed.text.expose();
        if keyring.secrets(now).any(|secret| secret.is(text)) {
            return Ok(Proven::Owner);
        }
        let claims = read_token(text, (signed.id, keyring), now)?;
        Ok(Proven::Subject(Arc::new(claims)))
    }

    /// A token on behalf of a subject is for tracking: any other place says that it takes one too.
    fn admits(&self, proven: &Proven<'_>) -> bool {
        match proven {
            Proven::Owner => true,
            Proven::Subject(claims) => self.subjects || claims.admin,
            // No connector acts as a user.
            Proven::User(_) => false,
        }
    }
}

/// The two parameters, each once; a query in which one of them is missing is somebody else's.
fn find_in_query<'r>(query: Option<&'r str>) -> Found<'r> {
    let pairs = query.unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    let (mut found, mut repeated) = ([None; 2], false);
    for (name, value) in pairs {
        for (place, _) in found.iter_mut().zip(PARAMETERS).filter(|(_, own)| *own == name) {
            repeated |= place.replace(value).is_some_and(|before: &str| before != value);
        }
    }
    match found {
        [Some(_), Some(_)] if repeated => Found::Repeated,
        [Some(id), Some(secret)] => Found::Claimed(Claim {
            beside: Some(Secret::new(id.as_bytes())),
            text: Secret::new(secret.as_bytes()),
            in_query: true,
        }),
        _ => Found::NotMine,
    }
}

/// `text` without its escapes, of which neither secrets nor tokens need any.
fn unescaped<'s>(text: &'s [u8], scratch: &'s mut Scratch) -> Result<&'s [u8], Unread> {
    if !text.contains(&b'%') {
        return Ok(text);
    }
    let decoded = scratch.fill(|room| {
        let mut length = 0;
        for byte in percent_encoding::percent_decode(text) {
            *room.get_mut(length).ok_or(Unread::Malformed("too long"))? = byte;
            length += 1;
        }
        Ok(length)
    })?;
    Ok(decoded)
}
