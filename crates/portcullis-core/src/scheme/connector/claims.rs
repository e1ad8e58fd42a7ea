//! What a token of a connector claims.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::authenticator::Rejection;
use crate::json::{Names, Skipped};
use crate::jws::BadToken;
use crate::subject::{
    Claims, Identifier, IdentifierKind, MAX_IDENTIFIERS, Named, SubjectId, SubjectKind,
};
use crate::time::Timestamp;

/// By so much the clock of whoever signed may differ from ours, as to expiry and beginning.
pub const LEEWAY: Duration = Duration::from_secs(60);
/// By so much a token may say it was signed after now.
pub const MAX_AHEAD: Duration = Duration::from_secs(300);

/// Why a token does not count: its sender's fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadClaims {
    /// Its time is over.
    #[error("its time is over")]
    Expired,
    /// It names another connector as its issuer.
    #[error("its issuer is another connector")]
    Issuer,
    /// What it claims cannot be read, or is not enough.
    #[error("{0}")]
    Malformed(&'static str),
    /// It was signed with another secret.
    #[error("it was signed with another secret")]
    Unsigned,
    /// Its time has not come.
    #[error("its time has not come")]
    NotYetValid,
}

impl From<BadToken> for BadClaims {
    fn from(bad: BadToken) -> Self {
        match bad {
            BadToken::Algorithm => Self::Malformed("a token is signed as HS256"),
            BadToken::Form => Self::Malformed("neither the secret nor a token"),
            BadToken::Signature => Self::Unsigned,
        }
    }
}

impl From<BadClaims> for Rejection {
    fn from(bad: BadClaims) -> Self {
        match bad {
            BadClaims::Expired => Self::Expired,
            BadClaims::Issuer => Self::ForeignKey,
            BadClaims::Malformed(why) => Self::Malformed(why),
            BadClaims::NotYetValid => Self::NotYetValid,
            BadClaims::Unsigned => Self::WrongProof,
        }
    }
}

/// The claims as they stand in a token.
#[derive(Default)]
struct Payload<'p> {
    issuer: Option<Cow<'p, str>>,
    issued: Option<f64>,
    expires: Option<f64>,
    not_before: Option<f64>,
    subject: Option<Cow<'p, str>>,
    kind: Option<Cow<'p, str>>,
    user: Option<Identity>,
    account: Option<Identity>,
    create: Option<bool>,
    scopes: Option<Scopes>,
    scope: Option<Scopes>,
}

/// What an object of identifiers holds.
#[derive(Default)]
struct Identity {
    id: Option<SubjectId>,
    identifiers: Vec<Identifier>,
}

impl Claims {
    /// What `payload` claims at `now`, for the connector `id` that is to have issued it, and whose
    /// tokens do not count longer than `max_age`.
    ///
    /// # Errors
    /// It is not well formed, another's, or does not count at `now`.
    pub(super) fn read(
        payload: &[u8],
        (id, max_age): (&str, Option<Duration>),
        now: Timestamp,
    ) -> Result<Self, BadClaims> {
        let bad = BadClaims::Malformed("bad claims");
        // Looked at once for all texts in it.
        let payload = std::str::from_utf8(payload).map_err(|_| bad)?;
        let payload: Payload<'_> = serde_json::from_str(payload).map_err(|_| bad)?;
        if payload.issuer.as_deref() != Some(id) {
            return Err(BadClaims::Issuer);
        }
        let times = payload.times(max_age)?;
        let claims = payload.claims(times)?;
        claims.check_time(now).map(|()| claims)
    }

    fn check_time(&self, now: Timestamp) -> Result<(), BadClaims> {
        if now >= self.expires {
            return Err(BadClaims::Expired);
        }
        if now < self.not_before { Err(BadClaims::NotYetValid) } else { Ok(()) }
    }

    /// Whether they count at `now`.
    ///
    /// # Errors
    /// Not yet, or not any more.
    pub fn judge(&self, now: Timestamp) -> Result<(), Rejection> {
        Ok(self.check_time(now)?)
    }
}

/// From when to when a token counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Times {
    /// From here on.
    pub not_before: Timestamp,
    /// Up to here.
    pub expires: Timestamp,
}

impl Payload<'_> {
    fn times(&self, max_age: Option<Duration>) -> Result<Times, BadClaims> {
        let issued = moment(self.issued.ok_or(BadClaims::Malformed("no `iat`"))?);
        let begins = self.not_before.map_or(Timestamp::MIN, moment);
        let not_before = begins.minus(LEEWAY).max(issued.minus(MAX_AHEAD));
        let aged = max_age.map_or(Timestamp::MAX, |age| issued.plus(age));
        let expires = self.expires.map_or(Timestamp::MAX, |at| moment(at).plus(LEEWAY)).min(aged);
        Ok(Times { not_before, expires })
    }

    fn claims(self, Times { not_before, expires }: Times) -> Result<Claims, BadClaims> {
        let kind = match self.kind.as_deref() {
            None if self.user.is_none() && self.account.is_some() => SubjectKind::Account,
            None => SubjectKind::User,
            Some(word) => SubjectKind::parse(word)
                .ok_or(BadClaims::Malformed("an unknown kind of subject"))?,
        };
        let id = self.subject.as_deref().map(|text| {
            SubjectId::parse(text).ok_or(BadClaims::Malformed("a `sub` has 24 hex digits"))
        });
        let (mut user, mut account) = (self.user, self.account);
        if let Some(id) = id.transpose()? {
            let meant = if kind == SubjectKind::User { &mut user } else { &mut account };
            let before = meant.get_or_insert_default().id.replace(id);
            if before.is_some_and(|before| before != id) {
                return Err(BadClaims::Malformed("two subjects"));
            }
        }
        let (user, account) = (user.and_then(Identity::named), account.and_then(Identity::named));
        let acts = match kind {
            SubjectKind::Account => user.is_some() || account.is_some(),
            SubjectKind::User => user.is_some(),
        };
        if !acts {
            return Err(BadClaims::Malformed("no subject"));
        }
        let create = self.create.unwrap_or(true);
        let admin = [self.scopes, self.scope].into_iter().flatten().any(|Scopes(admin)| admin);
        Ok(Claims { kind, user, account, create, admin, not_before, expires })
    }
}

impl Identity {
    fn named(mut self) -> Option<Named> {
        self.identifiers.sort();
        self.identifiers.dedup();
        let named = Named { id: self.id, identifiers: self.identifiers.into() };
        (!named.is_empty()).then_some(named)
    }
}

/// Seconds since the Unix epoch, whole or not.
#[expect(clippy::cast_possible_truncation, reason = "a float is cast to the nearest that fits")]
fn moment(seconds: f64) -> Timestamp {
    Timestamp::from_millis((seconds * 1_000.0) as i64)
}

impl<'de> Deserialize<'de> for Payload<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(PayloadReader)
    }
}

struct PayloadReader;

impl<'de> Visitor<'de> for PayloadReader {
    type Value = Payload<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("claims")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Payload<'de>, A::Error> {
        let (mut payload, mut others) = (Payload::default(), Names::default());
        while let Some(Text(name)) = entries.next_key()? {
            if !payload.take(&name, &mut entries)? {
                others.insert(name.into_owned())?;
                entries.next_value::<Skipped>()?;
            }
        }
        Ok(payload)
    }
}

impl<'de> Payload<'de> {
    /// Takes the value of the claim `name`, if it is one that is known.
    fn take<A: MapAccess<'de>>(&mut self, name: &str, entries: &mut A) -> Result<bool, A::Error> {
        match name {
            "iss" => once(&mut self.issuer, entries.next_value::<Text<'_>>()?.0)?,
            "iat" => once(&mut self.issued, entries.next_value()?)?,
            "exp" => once(&mut self.expires, entries.next_value()?)?,
            "nbf" => once(&mut self.not_before, entries.next_value()?)?,
            "sub" => once(&mut self.subject, entries.next_value::<Text<'_>>()?.0)?,
            "io.hull.subjectType" => once(&mut self.kind, entries.next_value::<Text<'_>>()?.0)?,
            // The later two are what clients of the earlier releases say.
            "io.hull.asUser" | "io.hull.as" | "io.hull.user" => {
                once(&mut self.user, entries.next_value::<Of<User>>()?.0)?;
            }
            "io.hull.asAccount" => {
                once(&mut self.account, entries.next_value::<Of<Account>>()?.0)?;
            }
            "io.hull.create" => once(&mut self.create, entries.next_value()?)?,
            // One is what clients send, the other what the vendor's page says.
            "scopes" => once(&mut self.scopes, entries.next_value()?)?,
            "io.hull.scope" => once(&mut self.scope, entries.next_value()?)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

fn once<T, E: de::Error>(place: &mut Option<T>, value: T) -> Result<(), E> {
    if place.replace(value).is_some() { Err(twice()) } else { Ok(()) }
}

fn twice<E: de::Error>() -> E {
    E::custom("a field is named twice")
}

/// A text, borrowed unless it has escapes.
struct Text<'t>(Cow<'t, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(TextReader).map(Self)
    }
}

struct TextReader;

impl<'de> Visitor<'de> for TextReader {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

/// A list of texts, and whether `admin` is one of them.
struct Scopes(bool);

impl<'de> Deserialize<'de> for Scopes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_seq(ScopesReader)
    }
}

struct ScopesReader;

impl<'de> Visitor<'de> for ScopesReader {
    type Value = Scopes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of scopes")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Scopes, A::Error> {
        let mut admin = false;
        while let Some(Text(scope)) = items.next_element()? {
            admin |= scope == "admin";
        }
        Ok(Scopes(admin))
    }
}

/// Whose identifiers an object holds.
trait Whose {
    const KIND: SubjectKind;
}

struct Account;
struct User;

impl Whose for Account {
    const KIND: SubjectKind = SubjectKind::Account;
}

impl Whose for User {
    const KIND: SubjectKind = SubjectKind::User;
}

/// The identifiers of a `W`.
struct Of<W>(Identity, std::marker::PhantomData<W>);

impl<'de, W: Whose> Deserialize<'de> for Of<W> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let identity = from.deserialize_map(IdentityReader(W::KIND))?;
        Ok(Self(identity, std::marker::PhantomData))
    }
}

struct IdentityReader(SubjectKind);

impl<'de> Visitor<'de> for IdentityReader {
    type Value = Identity;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("identifiers")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Identity, A::Error> {
        let (mut identity, mut seen, mut others) =
            (Identity::default(), [false; NAMES.len()], Names::default());
        while let Some(Text(name)) = entries.next_key()? {
            let known = NAMES.iter().zip(&mut seen).find(|((own, _), _)| *own == name);
            let Some(((_, kind), seen)) = known else {
                others.insert(name.into_owned())?;
                entries.next_value::<Skipped>()?;
                continue;
            };
            if std::mem::replace(seen, true) {
                return Err(twice());
            }
            match kind {
                None => identity.id = entries.next_value::<OptionalId>()?.0,
                Some(kind) if kind.is_of(self.0) => {
                    let identifiers = &mut identity.identifiers;
                    entries.next_value_seed(Values { kind: *kind, identifiers })?;
                }
                Some(_) => {
                    entries.next_value::<Skipped>()?;
                }
            }
        }
        if identity.identifiers.len() > MAX_IDENTIFIERS {
            return Err(de::Error::custom("too many identifiers"));
        }
        Ok(identity)
    }
}

/// What the identifiers are called; the identity itself is none.
const NAMES: [(&str, Option<IdentifierKind>); 7] = [
    ("id", None),
    ("external_id", Some(IdentifierKind::ExternalId)),
    ("email", Some(IdentifierKind::Email)),
    ("domain", Some(IdentifierKind::Domain)),
    ("anonymous_id", Some(IdentifierKind::AnonymousId)),
    ("guest_id", Some(IdentifierKind::AnonymousId)),
    ("aliases", Some(IdentifierKind::AnonymousId)),
];

struct OptionalId(Option<SubjectId>);

impl<'de> Deserialize<'de> for OptionalId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Option::<Cow<'de, str>>::deserialize(from)?;
        let id = text.map(|text| SubjectId::parse(&text));
        match id {
            None => Ok(Self(None)),
            Some(Some(id)) => Ok(Self(Some(id))),
            Some(None) => Err(de::Error::custom("an id has 24 hex digits")),
        }
    }
}

/// Takes the values of one identifier: a text, a whole number, a list of texts; nothing is none.
struct Values<'i> {
    kind: IdentifierKind,
    identifiers: &'i mut Vec<Identifier>,
}

impl Values<'_> {
    fn add<E: de::Error>(&mut self, text: &str) -> Result<(), E> {
        if !text.is_empty() {
            self.identifiers.push(Identifier::new(self.kind, text).map_err(E::custom)?);
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Values<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Values<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a whole number, or a list of texts")
    }

    fn visit_str<E: de::Error>(mut self, text: &str) -> Result<(), E> {
        self.add(text)
    }

    fn visit_i64<E: de::Error>(mut self, number: i64) -> Result<(), E> {
        self.add(&number.to_string())
    }

    fn visit_u64<E: de::Error>(mut self, number: u64) -> Result<(), E> {
        self.add(&number.to_string())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        while let Some(Text(text)) = items.next_element()? {
            self.add(&text)?;
        }
        Ok(())
    }
}
