//! How the claims of a token are read: each named once, and every kind as it must be.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::json::{Names, Skipped};
use crate::subject::{Identifier, IdentifierKind, MAX_IDENTIFIERS, SubjectId, SubjectKind};

/// The claims as they stand in a token.
#[derive(Default)]
pub(super) struct Payload<'p> {
    pub(super) issuer: Option<Cow<'p, str>>,
    pub(super) issued: Option<f64>,
    pub(super) expires: Option<f64>,
    pub(super) not_before: Option<f64>,
    pub(super) subject: Option<Cow<'p, str>>,
    pub(super) kind: Option<Cow<'p, str>>,
    pub(super) user: Option<Identity>,
    pub(super) account: Option<Identity>,
    pub(super) create: Option<bool>,
    pub(super) scopes: Option<Scopes>,
    pub(super) scope: Option<Scopes>,
}

/// What an object of identifiers holds.
#[derive(Default)]
pub(super) struct Identity {
    pub(super) id: Option<SubjectId>,
    pub(super) identifiers: Vec<Identifier>,
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
pub(super) struct Scopes(pub(super) bool);

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
