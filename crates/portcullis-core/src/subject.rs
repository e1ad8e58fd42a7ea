//! Subjects: the people and companies that connectors tell of. A subject is never a user: none
//! signs in.

use std::fmt;

use crate::seal::{self, NoEntropy};
use crate::time::Timestamp;

/// The longest identifier, in bytes.
pub const MAX_IDENTIFIER: usize = 512;
/// So many identifiers can name one subject at once.
pub const MAX_IDENTIFIERS: usize = 32;

/// The identity of a subject: 24 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectId([u8; Self::BYTES]);

/// What is told of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SubjectKind {
    /// A company.
    Account,
    /// A person.
    User,
}

/// What an identifier is, in the order in which they are believed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum IdentifierKind {
    /// What a system of the connector's own calls the subject.
    ExternalId,
    /// A user's e-mail address.
    Email,
    /// An account's domain.
    Domain,
    /// What stood for the subject before it was known.
    AnonymousId,
}

/// One name of a subject, in its canonical form.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Identifier {
    /// What it is.
    pub kind: IdentifierKind,
    /// Its text.
    pub value: Box<str>,
}

/// How a subject is named: by its identity, by identifiers, or by both.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Named {
    /// Its identity.
    pub id: Option<SubjectId>,
    /// Its identifiers, the one to be believed first before the others, none twice.
    pub identifiers: Box<[Identifier]>,
}

/// What a token of a connector claims: on whose behalf something is done.
///
/// INVARIANT: one of `user` and `account` is there, and neither is empty.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claims {
    /// Which of the two is acted on. An account without a name is the user's.
    pub kind: SubjectKind,
    /// The user.
    pub user: Option<Named>,
    /// The account.
    pub account: Option<Named>,
    /// Whether a subject that is not there is made.
    pub create: bool,
    /// Whether it acts with all rights of its connector.
    pub admin: bool,
    /// It does not count before this.
    pub not_before: Timestamp,
    /// It does not count from this on.
    pub expires: Timestamp,
}

/// An identifier that cannot be one: the caller's fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("an identifier has 1 to {MAX_IDENTIFIER} bytes, and no control characters")]
pub struct BadIdentifier;

impl SubjectId {
    const BYTES: usize = 12;

    /// The identity with these bytes.
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// A new identity: the second it was made in (u32 BE), then randomness.
    ///
    /// # Errors
    /// The system gave no randomness.
    pub fn fresh(now: Timestamp) -> Result<Self, NoEntropy> {
        let seconds = u32::try_from(now.millis() / 1_000).unwrap_or_default().to_be_bytes();
        let mut bytes = [0; Self::BYTES];
        let parts = seconds.into_iter().chain(seal::random::<8>()?);
        bytes.iter_mut().zip(parts).for_each(|(place, byte)| *place = byte);
        Ok(Self(bytes))
    }

    /// The identity written as `text`: 24 hex digits in either case.
    pub fn parse(text: &str) -> Option<Self> {
        let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
        let mut bytes = [0; Self::BYTES];
        if pairs.len() != Self::BYTES {
            return None;
        }
        for (place, [high, low]) in bytes.iter_mut().zip(pairs) {
            let digit =
                |byte: &u8| char::from(*byte).to_digit(16).and_then(|it| u8::try_from(it).ok());
            *place = digit(high)? << 4 | digit(low)?;
        }
        Some(Self(bytes))
    }

    /// The bytes of it.
    pub const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

impl fmt::Display for SubjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for SubjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl SubjectKind {
    /// The word for it on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::User => "user",
        }
    }

    /// What `word` means.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Account, Self::User].into_iter().find(|it| it.as_str() == word)
    }
}

impl IdentifierKind {
    /// All of them, in the order in which they are believed.
    pub const ALL: [Self; 4] = [Self::ExternalId, Self::Email, Self::Domain, Self::AnonymousId];

    /// The word for it on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AnonymousId => "anonymous_id",
            Self::Domain => "domain",
            Self::Email => "email",
            Self::ExternalId => "external_id",
        }
    }

    /// What `word` means.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word)
    }

    /// Whether a subject of `kind` can have one.
    pub const fn is_of(self, kind: SubjectKind) -> bool {
        match self {
            Self::AnonymousId | Self::ExternalId => true,
            Self::Domain => matches!(kind, SubjectKind::Account),
            Self::Email => matches!(kind, SubjectKind::User),
        }
    }
}

impl Identifier {
    /// The identifier `text`: an e-mail address or a domain in lower case, anything else as it is.
    ///
    /// # Errors
    /// It is empty, too long, or holds control characters.
    pub fn new(kind: IdentifierKind, text: &str) -> Result<Self, BadIdentifier> {
        if text.trim().is_empty()
            || text.len() > MAX_IDENTIFIER
            || text.chars().any(char::is_control)
        {
            return Err(BadIdentifier);
        }
        let folds = matches!(kind, IdentifierKind::Domain | IdentifierKind::Email);
        let is_folded = |byte: u8| byte.is_ascii_graphic() && !byte.is_ascii_uppercase();
        let value = if !folds || text.bytes().all(is_folded) {
            text.into()
        } else {
            text.trim().to_lowercase().into()
        };
        Ok(Self { kind, value })
    }
}

impl Claims {
    /// How many identifiers they name.
    pub fn names(&self) -> usize {
        let named = [&self.user, &self.account].into_iter().flatten();
        named.map(|it| it.identifiers.len()).sum()
    }
}

impl Named {
    /// Whether it names nothing.
    pub fn is_empty(&self) -> bool {
        self.id.is_none() && self.identifiers.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_24_hex_digits() {
        let id = SubjectId::parse("5A7962e2793d3e942a03b29a").unwrap();
        assert_eq!(id.to_string(), "5a7962e2793d3e942a03b29a");
        assert_eq!(SubjectId::from_bytes(*id.as_bytes()), id);
        for text in [
            "",
            "5a",
            "5a7962e2793d3e942a03b29",
            "5a7962e2793d3e942a03b29g",
            "+a7962e2793d3e942a03b29a",
        ] {
            assert_eq!(SubjectId::parse(text), None, "{text}");
        }
        let fresh = SubjectId::fresh(Timestamp::from_millis(1_700_000_000_000)).unwrap();
        assert!(fresh.to_string().starts_with("6553f100"));
        assert_ne!(fresh, SubjectId::fresh(Timestamp::from_millis(1_700_000_000_000)).unwrap());
    }

    #[test]
    fn an_identifier_has_one_form() {
        for (kind, text, expected) in [
            (IdentifierKind::Email, " Bob@BOB.com", Some("bob@bob.com")),
            (IdentifierKind::Domain, "BOB.com", Some("bob.com")),
            (IdentifierKind::ExternalId, "Bob ", Some("Bob ")),
            (IdentifierKind::AnonymousId, "s:1", Some("s:1")),
            (IdentifierKind::ExternalId, " ", None),
            (IdentifierKind::ExternalId, "a\nb", None),
        ] {
            let made = Identifier::new(kind, text).map(|it| it.value);
            assert_eq!(made.as_deref().ok(), expected, "{text}");
        }
        let long = "x".repeat(MAX_IDENTIFIER);
        assert!(Identifier::new(IdentifierKind::ExternalId, &long).is_ok());
        assert!(Identifier::new(IdentifierKind::ExternalId, &(long + "x")).is_err());
    }
}
