//! Asks the schemes who a caller is, and does what none of them may forget.
//!
//! It is a machine without I/O: [`Authenticator::begin`] settles everything that is fast, and
//! hands back a [`Pending`] where a password must be hashed slowly, for the gate to run where it
//! likes. [`Authenticator::look_again`] is the last look, after whatever was awaited.

pub mod attempts;
mod on_behalf;
mod passwords;
mod rejection;
pub mod remembered;
mod signed;
mod slow_check;
mod standing;
mod tokens;

use std::sync::Arc;

use http::header::AUTHORIZATION;

use self::attempts::Attempts;
use self::passwords::PasswordClaim;
use self::tokens::Tokens;
use crate::credential::{Credential, KeyVerifier, MAX_GENERATIONS};
use crate::id::{Id, Revision};
use crate::keyring::Keyring;
use crate::limits::{Audience, Limits, Site};
use crate::lookup::CredentialLookup;
use crate::organization::State;
use crate::password::{Cost, PasswordVerifier};
use crate::principal::Principal;
use crate::request::RequestHead;
use crate::scheme::shared_secret::ImportedKey;
use crate::scheme::{
    self, Claim, Found, Options, Presented, PresentedKey, Scheme, SchemeName, Unread,
};
use crate::seal::{MacKey, NoEntropy, Peppers};
use crate::secret::{Scratch, Secret};
use crate::time::Timestamp;
use crate::token;

pub use passwords::{Concluded, Pending};
pub use rejection::{Rejected, Rejection};
pub use slow_check::{SlowCheck, Upgrade};
pub use tokens::{MAX_REMEMBERED, MAX_REMEMBERED_TOKEN};

/// Knows who callers are, by what `L` remembers.
#[derive(Debug)]
pub struct Authenticator<L> {
    lookup: L,
    peppers: Arc<Peppers>,
    cost: Cost,
    attempts: Attempts,
    /// Under this key, drawn at start, a verified password is remembered.
    memory: MacKey,
    tokens: Tokens,
    decoy: Decoy,
}

/// What an unknown caller is judged by, so that the work is the same.
#[derive(Debug)]
struct Decoy {
    credential: Credential,
    keyring: Arc<Keyring>,
    password: PasswordVerifier,
}

/// What is known of a caller without slow work.
#[derive(Debug)]
pub enum Begun {
    /// Nothing was presented.
    Anonymous,
    /// The credential is good.
    Authenticated(Authenticated),
    /// A password must be hashed first.
    Pending(Box<Pending>),
    /// The credential is not good.
    Rejected(Rejected),
}

/// A caller whose credential was good when it was looked at.
#[derive(Clone, Debug)]
pub struct Authenticated {
    /// Who it is.
    pub principal: Principal,
    /// How it was proven.
    pub scheme: SchemeName,
}

/// Why the last look does not confirm what was found before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Again {
    /// The record changed in between, and may still be good: begin again.
    Changed,
    /// It is no longer good.
    Rejected(Rejected),
}

impl<L: CredentialLookup> Authenticator<L> {
    /// An authenticator over what `lookup` remembers, hashing at `cost`.
    ///
    /// # Errors
    /// The system gave no randomness.
    pub fn new(lookup: L, peppers: Arc<Peppers>, cost: Cost) -> Result<Self, NoEntropy> {
        let pepper = peppers.current();
        let nobody = Id::from_bytes([0; 16]);
        let decoy = Decoy {
            credential: Credential {
                id: Id::from_bytes([0; 16]),
                version: Revision(0),
                scheme: scheme::API_KEY,
                owner: nobody,
                state: State::Deleted,
                not_before: Timestamp::MIN,
                expires: Timestamp::MIN,
                slides: None,
                minted: Timestamp::MIN,
                read_only: true,
                limited: false,
                verifier: KeyVerifier::decoy(pepper.id, crate::seal::random()?),
                filed_at: crate::credential::FiledAt([0; 16]),
                parent: None,
            },
            keyring: Arc::new(Keyring::decoy()?),
            password: PasswordVerifier::decoy(cost, pepper)?,
        };
        let (attempts, memory, tokens) = (Attempts::new(), MacKey::fresh()?, Tokens::empty());
        Ok(Self { lookup, peppers, cost, attempts, memory, tokens, decoy })
    }

    /// What is remembered.
    pub const fn lookup(&self) -> &L {
        &self.lookup
    }

    /// The wrong proofs that were counted, for exchanges that are no request's credential.
    pub const fn attempts(&self) -> &Attempts {
        &self.attempts
    }

    /// Whom the credential that `scheme` files under `key` stands for, if it is good at `site` and
    /// `now`. Whoever asks has checked the proof of it.
    ///
    /// # Errors
    /// It is not good.
    pub fn vouch(
        &self,
        (scheme, key): (SchemeName, &str),
        site: &Site,
        now: Timestamp,
    ) -> Result<Authenticated, Rejection> {
        let credential = self.lookup.credential(scheme, key).ok_or(Rejection::Unknown)?;
        self.stand_for(credential, site, now)
    }

    fn stand_for(
        &self,
        credential: Credential,
        site: &Site,
        now: Timestamp,
    ) -> Result<Authenticated, Rejection> {
        let user = self.lookup.user(credential.owner).ok_or(Rejection::OwnerInactive)?;
        let inherited = self.standing(&credential, Some(&user), site, now)?;
        let scheme = credential.scheme;
        let principal = Principal::new(user, inherited.limit(credential));
        Ok(Authenticated { principal, scheme })
    }

    /// What the credential of ours that `text` is stands for, if it is good at `site` and `now`:
    /// whoever asks may know, so that the work need not be equal.
    pub fn inspect(&self, text: &[u8], site: &Site, now: Timestamp) -> Option<Authenticated> {
        self.proven(text).and_then(|credential| self.stand_for(credential, site, now).ok())
    }

    /// The credential of ours that `text` is, whether or not it counts at the moment: what is
    /// switched off may be switched on again.
    pub fn proven(&self, text: &[u8]) -> Option<Credential> {
        let mut kinds = scheme::ALL.iter().filter(|_| token::is_ours(text));
        kinds.find_map(|kind| {
            let (scheme, mut scratch) = ((kind.build)(&Options::new()).ok()?, Scratch::new());
            let read = scheme.read(Claim::new(text), &mut scratch);
            let Ok(Presented::Key(key)) = read else { return None };
            let stored = self.lookup.credential(key.filed_under, key.id)?;
            let proven = key.login.is_none() && scheme.check(&key, &stored, &self.peppers);
            proven.then_some(stored)
        })
    }

    /// What limits `credential`, and whatever it was minted from: all of it holds at once.
    pub fn limits(&self, credential: &Credential) -> Vec<Arc<Limits>> {
        let above = |below: &Credential| self.lookup.filed_at(below.parent?);
        let line = std::iter::successors(Some(*credential), above).take(1 + MAX_GENERATIONS);
        line.filter(|one| one.limited).filter_map(|one| self.lookup.limits(one.id)).collect()
    }

    /// Looks for a credential of one of `schemes`, and settles what can be settled fast.
    pub fn begin(
        &self,
        schemes: &[Box<dyn Scheme>],
        site: &Site,
        request: &RequestHead<'_>,
    ) -> Begun {
        // What is sent unasked yields to what somebody chose to send, and is then not looked at.
        let explicit = claim_of(schemes, false, request);
        let claimed = match explicit {
            Ok(None) => claim_of(schemes, true, request),
            claimed => claimed,
        };
        let claimed = match claimed {
            Ok(claimed) => claimed,
            Err(scheme) => return reject(Rejection::Ambiguous, scheme),
        };
        let Some((scheme, claim)) = claimed else {
            let unclaimed = !schemes.is_empty() && request.headers().contains_key(AUTHORIZATION);
            if !unclaimed {
                return Begun::Anonymous;
            }
            let token = scheme::authorization(request, "Bearer").is_some();
            let reason = if token { Rejection::UnknownToken } else { Rejection::UnknownScheme };
            return reject(reason, None);
        };
        let mut scratch = Scratch::new();
        match scheme.read(claim, &mut scratch) {
            Ok(Presented::Imported { filed_under, secret }) => {
                self.judge_imported(scheme, (filed_under, secret), site, request)
            }
            Ok(Presented::Key(key)) => self.judge_key(scheme, &key, site, request),
            Ok(Presented::Signed(signed)) => {
                self.judge_signed(scheme, &signed, (site, request.received()))
            }
            Ok(Presented::Password { login, password }) => {
                let claim = PasswordClaim { scheme: scheme.name(), site, login: &login, password };
                self.judge_password(&claim, request)
            }
            Err(Unread::Malformed(why)) => reject(Rejection::Malformed(why), Some(scheme.name())),
            Err(Unread::Mistyped) => reject(Rejection::Mistyped, Some(scheme.name())),
        }
    }

    /// A secret that a customer chose can be guessed: wrong ones are counted by where they come from.
    fn judge_imported(
        &self,
        scheme: &dyn Scheme,
        (filed_under, secret): (SchemeName, Secret<'_>),
        site: &Site,
        request: &RequestHead<'_>,
    ) -> Begun {
        let Audience::Guard(guard) = site.audience else {
            return reject(Rejection::Unknown, Some(scheme.name()));
        };
        let place = self.attempts.place_at(guard, request.client());
        if let Some(retry_after) = self.attempts.locked(&place, request.received()) {
            return reject(Rejection::TooManyAttempts { retry_after }, Some(scheme.name()));
        }
        let filed = |pepper| ImportedKey::of(secret.expose(), guard, pepper);
        let known = |key: &ImportedKey| self.lookup.credential(filed_under, key.as_str()).is_some();
        let older = self.peppers.all().skip(1).map(filed).find(known);
        let key = older.unwrap_or_else(|| filed(self.peppers.current()));
        let presented = PresentedKey { filed_under, id: key.as_str(), secret, login: None };
        let judged = self.judge_key(scheme, &presented, site, request);
        match &judged {
            Begun::Rejected(no) if no.credential.is_none() => {
                self.attempts.failed(&place, request.received());
            }
            Begun::Authenticated(_) => self.attempts.succeeded(&place),
            Begun::Anonymous | Begun::Pending(_) | Begun::Rejected(_) => {}
        }
        judged
    }

    /// Every key does the same work, whatever comes of it: only then is one refusal chosen.
    fn judge_key(
        &self,
        scheme: &dyn Scheme,
        key: &PresentedKey<'_>,
        site: &Site,
        request: &RequestHead<'_>,
    ) -> Begun {
        let found = self.lookup.credential(key.filed_under, key.id);
        let stored = found.unwrap_or(self.decoy.credential);
        let proven = scheme.check(key, &stored, &self.peppers);
        let owner = self.lookup.user(stored.owner);
        let standing = self.standing(&stored, owner.as_deref(), site, request.received());
        let standing = standing.and_then(|inherited| {
            let aged = is_aged(scheme, &stored, request.received());
            if aged { Err(Rejection::Expired) } else { Ok(inherited) }
        });
        let own = key.login.as_deref().is_none_or(|login| {
            owner.as_ref().is_some_and(|owner| owner.login.as_deref() == Some(login))
        });
        let reason = match (found, proven, own, standing, owner) {
            (None, ..) => Rejection::Unknown,
            (_, false, ..) => Rejection::WrongProof,
            (_, _, false, ..) => Rejection::ForeignKey,
            (.., Err(reason), _) => reason,
            (.., Ok(_), None) => Rejection::OwnerInactive,
            (Some(credential), true, true, Ok(inherited), Some(user)) => {
                let principal = Principal::new(user, inherited.limit(credential));
                return Begun::Authenticated(Authenticated { principal, scheme: scheme.name() });
            }
        };
        Begun::Rejected(Rejected {
            reason,
            scheme: Some(scheme.name()),
            credential: found.map(|found| found.id),
            user: found.map(|found| found.owner),
        })
    }

    /// The last look before the permit: the record and its parents, read again by identity and
    /// version. What comes back has the newest of both.
    ///
    /// # Errors
    /// It changed, or is no longer good.
    pub fn look_again(
        &self,
        who: &Authenticated,
        (schemes, site): (&[Box<dyn Scheme>], &Site),
        now: Timestamp,
    ) -> Result<Authenticated, Again> {
        let before = &who.principal.credential;
        let no = |reason| {
            Again::Rejected(Rejected {
                reason,
                scheme: Some(who.scheme),
                credential: Some(before.id),
                user: Some(before.owner),
            })
        };
        let user = self.lookup.user(before.owner).ok_or(no(Rejection::OwnerInactive))?;
        let found = self.lookup.filed_at(before.filed_at);
        let credential = found.ok_or(no(Rejection::Revoked))?;
        if credential.id != before.id {
            return Err(Again::Changed);
        }
        let inherited = self.standing(&credential, Some(&user), site, now).map_err(no)?;
        let proven_by = schemes.iter().find(|scheme| scheme.name() == who.scheme);
        if proven_by.is_some_and(|scheme| is_aged(scheme.as_ref(), &credential, now)) {
            return Err(no(Rejection::Expired));
        }
        if credential.version != before.version {
            return Err(Again::Changed);
        }
        let subject = who.principal.subject.clone();
        subject.as_ref().map_or(Ok(()), |claims| claims.judge(now)).map_err(no)?;
        let user = self.still_on_behalf(who, user, site).map_err(no)?;
        let (credential, nobody) = (inherited.limit(credential), who.principal.nobody.clone());
        let principal = Principal { user, credential, subject, nobody };
        Ok(Authenticated { principal, scheme: who.scheme })
    }
}

/// A scheme, with what it claims of a request.
type Claimed<'s, 'r> = (&'s dyn Scheme, Claim<'r>);

/// The one claim to a request among the schemes whose credentials are sent `unasked`, or are not.
///
/// # Errors
/// There is more than one; the scheme is named if it made them all.
fn claim_of<'s, 'r>(
    schemes: &'s [Box<dyn Scheme>],
    unasked: bool,
    request: &'r RequestHead<'_>,
) -> Result<Option<Claimed<'s, 'r>>, Option<SchemeName>> {
    let mut claimed = None;
    for scheme in schemes.iter().filter(|it| it.is_sent_unasked() == unasked) {
        let claim = match scheme.find(request) {
            Found::NotMine => continue,
            Found::Repeated => return Err(Some(scheme.name())),
            Found::Claimed(claim) => claim,
        };
        if claimed.replace((scheme.as_ref(), claim)).is_some() {
            return Err(None);
        }
    }
    Ok(claimed)
}

/// Whether `scheme` takes a credential for too old that may not have expired yet.
fn is_aged(scheme: &dyn Scheme, credential: &Credential, now: Timestamp) -> bool {
    scheme.max_age().is_some_and(|age| now >= credential.minted.plus(age))
}

const fn reject(reason: Rejection, scheme: Option<SchemeName>) -> Begun {
    Begun::Rejected(Rejected { reason, scheme, credential: None, user: None })
}
