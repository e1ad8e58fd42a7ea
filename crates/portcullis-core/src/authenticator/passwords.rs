//! Passwords: judged by what is remembered of them, or hashed slowly elsewhere.

use std::net::IpAddr;
use std::sync::Arc;

use super::attempts::Place;
use super::{Authenticated, Authenticator, Begun, Rejected, Rejection, SlowCheck};
use crate::credential::Credential;
use crate::id::{Id, Revision};
use crate::limits::Site;
use crate::lookup::CredentialLookup;
use crate::password::PasswordVerifier;
use crate::principal::{Password, Principal, User};
use crate::request::RequestHead;
use crate::scheme::{self, SchemeName};
use crate::seal::Digest;
use crate::secret::{Secret, SecretBuf};
use crate::time::Timestamp;

/// A password that must be hashed slowly before anything is known.
#[derive(Debug)]
pub struct Pending {
    /// Names this very claim: the same user, password and version; nothing else has it.
    pub claim: Digest,
    /// Where it comes from, for a fair queue.
    pub source: IpAddr,
    password: SecretBuf,
    verifier: PasswordVerifier,
    place: Place,
    /// Who could be meant; `None` if nobody live is, and then no password is right.
    meant: Option<(Id<User>, Revision)>,
    no: Rejected,
}

/// What came of a slow check.
#[derive(Debug)]
pub enum Concluded {
    /// The password is right.
    Authenticated(Authenticated),
    /// The record changed while the hash ran: begin again.
    Changed,
    /// The password is wrong, or nobody live was meant.
    Rejected(Rejected),
}

/// A password as it was presented, and where it is meant to hold.
pub(super) struct PasswordClaim<'s> {
    pub(super) scheme: SchemeName,
    pub(super) site: &'s Site,
    pub(super) login: &'s str,
    pub(super) password: Secret<'s>,
}

impl<L: CredentialLookup> Authenticator<L> {
    pub(super) fn judge_password(
        &self,
        claim: &PasswordClaim<'_>,
        request: &RequestHead<'_>,
    ) -> Begun {
        let place = self.attempts.place(claim.site.realm, claim.login, request.client());
        let user = self.lookup.named(claim.site.realm, claim.login);
        if let Some(retry_after) = self.attempts.locked(&place, request.received()) {
            let reason = Rejection::TooManyAttempts { retry_after };
            return Begun::Rejected(rejected(reason, claim.scheme, user.as_deref()));
        }
        let live = self.live_password(user.as_deref(), claim.site, request.received());
        let credential = live.as_ref().map_or(self.decoy.credential, |live| live.credential);
        let mac = self.claim_mac(&credential, claim);
        let remembered = live.is_ok_and(|password| password.remembered.is(&mac));
        if remembered && let Some(user) = user {
            let principal = Principal::new(user, credential);
            return Begun::Authenticated(Authenticated { principal, scheme: claim.scheme });
        }
        let reason = live.err().unwrap_or(Rejection::WrongProof);
        let verifier = live.map_or(self.decoy.password, |live| live.verifier);
        Begun::Pending(Box::new(Pending {
            claim: mac,
            source: request.client(),
            password: SecretBuf::new(claim.password.expose()),
            verifier,
            place,
            meant: live.ok().and(user.as_ref()).map(|user| (user.id, credential.version)),
            no: rejected(reason, claim.scheme, user.as_deref()),
        }))
    }

    /// The password of a user who may sign in with it now.
    fn live_password<'u>(
        &self,
        user: Option<&'u User>,
        site: &Site,
        now: Timestamp,
    ) -> Result<&'u Password, Rejection> {
        let password = user.and_then(|user| user.password.as_deref());
        let credential = password.map_or(&self.decoy.credential, |password| &password.credential);
        let standing = self.standing(credential, user, site, now);
        let password = password.ok_or(Rejection::Unknown)?;
        standing.map(|_| password)
    }

    /// Fixed-width identity and version first, then the password: no two claims share a text.
    fn claim_mac(&self, credential: &Credential, claim: &PasswordClaim<'_>) -> Digest {
        let version = credential.version.0.to_be_bytes();
        self.memory.digest(&[credential.id.as_bytes(), &version, claim.password.expose()])
    }

    /// The slow part of `pending`, to be run elsewhere; takes the password out of it.
    pub fn slow_check(&self, pending: &mut Pending) -> SlowCheck {
        SlowCheck {
            password: std::mem::replace(&mut pending.password, SecretBuf::new([])),
            verifier: pending.verifier,
            meant: pending.meant.and_then(|(_, version)| Some((pending.no.credential?, version))),
            cost: self.cost,
            peppers: Arc::clone(&self.peppers),
        }
    }

    /// What the outcome of the slow check means, everything read again at `now`.
    pub fn conclude(&self, pending: &Pending, right: bool, now: Timestamp) -> Concluded {
        let (true, Some((id, version))) = (right, pending.meant) else {
            self.attempts.failed(&pending.place, now);
            return Concluded::Rejected(pending.no);
        };
        let Some(user) = self.lookup.user(id) else { return Concluded::Changed };
        let Some(password) = user.password.as_ref().filter(|it| it.credential.version == version)
        else {
            return Concluded::Changed;
        };
        password.remembered.set(&pending.claim);
        self.attempts.succeeded(&pending.place);
        let credential = password.credential;
        let scheme = pending.no.scheme.unwrap_or(scheme::BASIC);
        Concluded::Authenticated(Authenticated {
            principal: Principal::new(user, credential),
            scheme,
        })
    }
}

fn rejected(reason: Rejection, scheme: SchemeName, user: Option<&User>) -> Rejected {
    Rejected {
        reason,
        scheme: Some(scheme),
        credential: user.and_then(|user| user.password.as_ref()).map(|it| it.credential.id),
        user: user.map(|user| user.id),
    }
}
