//! The ways to prove who one is, and the list of them.
//!
//! A scheme *finds* its credential in a request by shape alone, *reads* it, and *checks* it
//! against what is stored. It is pure; whatever no scheme may forget (revoked, expired, owner
//! inactive, back-off) is the [authenticator](crate::authenticator)'s.

mod api_key;
pub mod authtoken;
mod basic;
pub mod bearer;
pub mod connector;
pub mod hub_token;
mod own;
pub mod session;
pub mod shared_secret;
pub mod signature;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, header::AUTHORIZATION};

use crate::authenticator::Rejection;
use crate::credential::{Credential, KeyVerifier};
use crate::keyring::Keyring;
use crate::request::RequestHead;
use crate::seal::{NoEntropy, Peppers};
use crate::secret::{Scratch, Secret, SecretBuf};
use crate::subject::Claims;
use crate::time::Timestamp;

pub use api_key::NAME as API_KEY;
pub use authtoken::{BEARER_NAME as AUTHTOKEN_BEARER, NAME as AUTHTOKEN};
pub use basic::NAME as BASIC;
pub use bearer::NAME as BEARER;
pub use connector::NAME as CONNECTOR;
pub use hub_token::NAME as HUB_TOKEN;
pub use session::NAME as SESSION;
pub use shared_secret::NAME as SHARED_SECRET;
pub use signature::NAME as SIGNATURE;
use signature::NamedUser;

/// Every scheme of this build. Adding one: a file beside these, its `mod` line and its line here.
pub const ALL: &[Kind] = &[
    api_key::KIND,
    authtoken::KIND,
    authtoken::BEARER_KIND,
    basic::KIND,
    bearer::KIND,
    connector::KIND,
    hub_token::KIND,
    session::KIND,
    shared_secret::KIND,
    signature::KIND,
];

/// Names a scheme in configuration, credentials, audit entries and metrics.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SchemeName(&'static str);

impl SchemeName {
    /// The scheme of this build that is called `name`.
    pub fn named(name: &str) -> Option<Self> {
        ALL.iter().map(|kind| kind.name).find(|it| it.0 == name)
    }

    /// How credentials that are filed under it are kept.
    pub fn kept(self) -> Kept {
        ALL.iter().find(|kind| kind.name == self).map_or(Kept::Digest, |kind| kind.kept)
    }

    /// The name itself.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for SchemeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Debug for SchemeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// What a build knows of one scheme without an instance of it.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Its name.
    pub name: SchemeName,
    /// One line for documentation, console and `--help`.
    pub summary: &'static str,
    /// Makes an instance from a guard's own options for it.
    pub build: fn(&Options) -> Result<Box<dyn Scheme>, BadOption>,
    /// Draws a new credential; `None` where the user chooses it.
    pub issue: Option<Issue>,
    /// How the store keeps what checks a credential that is filed under it.
    pub kept: Kept,
    /// The header in which a client with default options sends `secret` for the user `login`.
    pub present: fn(login: &str, secret: &str) -> (HeaderName, SecretBuf),
    /// The header in which it names the credential, where that stands apart from the proof.
    pub named_in: Option<&'static str>,
}

/// How what checks a credential is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kept {
    /// As a keyed digest: the memory holds it, and nobody can read the secret again.
    Digest,
    /// As a slow hash, beside its user.
    Password,
    /// Sealed, and open in memory alone: every check needs the secret itself.
    Opened,
    /// Sealed: the check needs the secret itself, and happens where it is opened. What is minted
    /// from such a credential is kept as a digest.
    Sealed,
}

/// Draws a new credential of one scheme, its verifier made under the current pepper.
pub type Issue = fn(&Peppers) -> Result<Issued, NoEntropy>;

/// A guard's options for one scheme: names and values.
pub type Options = BTreeMap<String, String>;

/// An option that a scheme does not take: the operator's fault.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadOption {
    /// There is no such option.
    #[error("`{scheme}` has no option `{option}`")]
    Unknown {
        /// The scheme.
        scheme: SchemeName,
        /// The option.
        option: String,
    },
    /// Its value is of the wrong form.
    #[error("option `{option}` of `{scheme}`: {expected}, not `{value}`")]
    Value {
        /// The scheme.
        scheme: SchemeName,
        /// The option.
        option: &'static str,
        /// What was given.
        value: String,
        /// What would be right.
        expected: &'static str,
    },
}

/// A newly drawn credential.
#[derive(Debug)]
pub struct Issued {
    /// Its public part, under which it is filed.
    pub key: String,
    /// What its owner is shown, once.
    pub shown: SecretBuf,
    /// What the store keeps.
    pub verifier: KeyVerifier,
}

/// One way for a caller to prove who it is.
///
/// Pure: it reads the request and the stored credential, and judges. `find` and `read` are total
/// on any bytes.
pub trait Scheme: fmt::Debug + Send + Sync {
    /// Which scheme this is.
    fn name(&self) -> SchemeName;
    /// The headers it reads; a door removes them before it forwards, of `Cookie` only the pair
    /// that [`Scheme::cookie`] names.
    fn headers(&self) -> &[HeaderName];
    /// The cookie it reads, if it reads one.
    fn cookie(&self) -> Option<&str> {
        None
    }
    /// The parameters of the query that it reads, where its credential is found in none of its
    /// headers; a door removes them then before it forwards.
    fn parameters(&self) -> &[&str] {
        &[]
    }
    /// The parameters of the query that carry its credential and nothing else, whether or not it reads
    /// them: a door forwards none of them.
    fn reserved(&self) -> &[&str] {
        &[]
    }
    /// Whether its credential is sent unasked, as browsers send cookies, wherever a request comes
    /// from: it yields to an explicit one, and policy asks for the origin.
    fn is_sent_unasked(&self) -> bool {
        self.cookie().is_some()
    }
    /// Whether it looks for its credential in a body too, which a door then reads before it asks.
    fn reads_body(&self) -> bool {
        false
    }
    /// How long after it was made its credential counts, whatever its own expiry says.
    fn max_age(&self) -> Option<Duration> {
        None
    }
    /// What a caller without a credential is told (RFC 9110, section 11.6.1).
    fn challenge(&self) -> &'static str;
    /// What a caller is told whose credential was refused.
    fn rejected_challenge(&self) -> &'static str {
        self.challenge()
    }
    /// Looks for this scheme's credential by its shape alone.
    fn find<'r>(&self, request: &'r RequestHead<'_>) -> Found<'r>;
    /// Takes apart what was found.
    ///
    /// # Errors
    /// It is not well formed.
    fn read<'s>(&self, claim: Claim<'s>, scratch: &'s mut Scratch)
    -> Result<Presented<'s>, Unread>;
    /// Whether the secret of `presented` is the one that `stored` was made of.
    fn check(&self, presented: &PresentedKey<'_>, stored: &Credential, peppers: &Peppers) -> bool;
    /// Whether `keyring` bears a proof out at `now`, and for whom; no scheme does unless its
    /// credentials are [kept open](Kept::Opened).
    ///
    /// # Errors
    /// It does not: the reason is for the log alone.
    fn prove<'s>(
        &self,
        _signed: &Signed<'s>,
        _keyring: &Keyring,
        _now: Timestamp,
    ) -> Result<Proven<'s>, Rejection> {
        Err(Rejection::WrongProof)
    }
    /// Whether whoever was proven may come in at all, wherever this instance stands.
    fn admits(&self, _proven: &Proven<'_>) -> bool {
        true
    }
}

/// What a scheme found of its own in a request.
#[derive(Debug)]
pub enum Found<'r> {
    /// Something of the scheme's shape.
    Claimed(Claim<'r>),
    /// Nothing.
    NotMine,
    /// More than one, so that nobody can say which was meant.
    Repeated,
}

/// What a scheme claims of a request, not yet taken apart.
#[derive(Debug)]
pub struct Claim<'r> {
    /// What names the credential, where that stands apart from the proof.
    pub beside: Option<Secret<'r>>,
    /// Everything else, or all of it.
    pub text: Secret<'r>,
    /// Whether both stood in the query.
    pub in_query: bool,
}

impl<'r> Claim<'r> {
    /// A claim that is one text of a header.
    pub const fn new(text: &'r [u8]) -> Self {
        Self { beside: None, text: Secret::new(text), in_query: false }
    }

    /// The text itself: the one word to search for in a review.
    pub const fn expose(&self) -> &'r [u8] {
        self.text.expose()
    }
}

/// A claim taken apart.
#[derive(Debug)]
pub enum Presented<'s> {
    /// A secret without a public part; it is filed under a digest of the guard and itself.
    Imported {
        /// The scheme it is filed under.
        filed_under: SchemeName,
        /// All of it.
        secret: Secret<'s>,
    },
    /// A key with its public and its secret part.
    Key(PresentedKey<'s>),
    /// A login name with a password.
    Password {
        /// The login name in its canonical form.
        login: Cow<'s, str>,
        /// The password.
        password: Secret<'s>,
    },
    /// A proof whose check needs the secret itself.
    Signed(Signed<'s>),
}

/// A proof whose check needs the secret itself: that secret, or what was signed with it.
#[derive(Debug)]
pub struct Signed<'s> {
    /// The scheme that its credential is filed under.
    pub filed_under: SchemeName,
    /// The public part of the credential; may be logged.
    pub id: &'s str,
    /// The proof.
    pub text: Secret<'s>,
    /// Whether it stood in the query.
    pub in_query: bool,
}

/// For whom a proof stands that was checked with the secret itself.
#[derive(Clone, Debug)]
pub enum Proven<'s> {
    /// For the owner of the credential.
    Owner,
    /// For the credential on behalf of a subject.
    Subject(Arc<Claims>),
    /// For a user of the realm, whom the credential acts as.
    User(NamedUser<'s>),
}

/// A key as it was presented.
#[derive(Debug)]
pub struct PresentedKey<'s> {
    /// The scheme it is filed under.
    pub filed_under: SchemeName,
    /// Its public part; may be logged.
    pub id: &'s str,
    /// Its secret part.
    pub secret: Secret<'s>,
    /// The login name it came with, in its canonical form, where the scheme has one: the key
    /// must be that user's.
    pub login: Option<Cow<'s, str>>,
}

/// Why a claim could not be taken apart: the caller's fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unread {
    /// It is not of the scheme's form; the text says what is wrong, for the log.
    Malformed(&'static str),
    /// It is a key of ours whose check characters are wrong.
    Mistyped,
}

/// The flag that an option of `scheme` is.
fn flag(scheme: SchemeName, option: &'static str, value: &str) -> Result<bool, BadOption> {
    let expected = "`true` or `false`";
    let bad = |_| BadOption::Value { scheme, option, value: value.to_owned(), expected };
    value.parse().map_err(bad)
}

/// The credentials of an `Authorization` header whose scheme is `scheme`, in any case
/// (RFC 9110, section 11.4).
pub(crate) fn authorization<'r>(request: &'r RequestHead<'_>, scheme: &str) -> Option<&'r [u8]> {
    let value = request.headers().get(AUTHORIZATION)?.as_bytes();
    let (name, rest) = value.split_at_checked(scheme.len())?;
    // The bare name claims the request too: nothing else that was sent may then stand for it.
    let rest = if rest.is_empty() { rest } else { rest.strip_prefix(b" ")? };
    name.eq_ignore_ascii_case(scheme.as_bytes()).then(|| rest.trim_ascii())
}
