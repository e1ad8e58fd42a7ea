//! What a token of a connector claims.

mod reader;

use std::time::Duration;

use self::reader::{Identity, Payload, Scopes};
use crate::authenticator::Rejection;
use crate::jws::BadToken;
use crate::subject::{Claims, Named, SubjectId, SubjectKind};
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
