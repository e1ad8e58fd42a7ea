//! Proofs whose check needs the secret itself.

use std::sync::Arc;

use super::{Authenticated, Authenticator, Begun, Rejected, Rejection};
use crate::credential::Credential;
use crate::keyring::Keyring;
use crate::limits::Site;
use crate::lookup::CredentialLookup;
use crate::principal::Principal;
use crate::scheme::{Proven, Scheme, Signed};
use crate::secret::Secret;
use crate::subject::Claims;
use crate::time::Timestamp;

/// A credential that is kept open, found for a proof of it; or what stands in for none.
#[derive(Debug)]
pub(super) struct Signer {
    credential: Credential,
    keyring: Arc<Keyring>,
}

impl<L: CredentialLookup> Authenticator<L> {
    /// Every proof does the same work, whatever comes of it: only then is one refusal chosen.
    pub(super) fn judge_signed(
        &self,
        scheme: &dyn Scheme,
        signed: &Signed<'_>,
        (site, now): (&Site, Timestamp),
    ) -> Begun {
        let found = self.lookup.credential(signed.filed_under, signed.id);
        let signer = self.signer(found);
        let proven = self.prove(scheme, signed, &signer, now).and_then(|proven| {
            if scheme.admits(&proven) { Ok(proven) } else { Err(Rejection::NotAdmitted) }
        });
        let owner = self.lookup.user(signer.credential.owner);
        let standing = self.standing(&signer.credential, owner.as_deref(), site, now);
        let reason = match (found, proven, standing, owner) {
            (None, ..) => Rejection::Unknown,
            (_, Err(reason), ..) | (_, _, Err(reason), _) => reason,
            (.., None) => Rejection::OwnerInactive,
            (Some(credential), Ok(proven), Ok(inherited), Some(user)) => {
                let own = Principal::new(user, inherited.limit(credential));
                let principal = match proven {
                    Proven::Owner => Ok(own),
                    Proven::Subject(claims) => Ok(Principal { subject: Some(claims), ..own }),
                    Proven::User(named) => self.on_behalf(own, &named, &signer.keyring, site),
                };
                match principal {
                    Ok(principal) => {
                        let scheme = scheme.name();
                        return Begun::Authenticated(Authenticated { principal, scheme });
                    }
                    Err(reason) => reason,
                }
            }
        };
        Begun::Rejected(Rejected {
            reason,
            scheme: Some(scheme.name()),
            credential: found.map(|found| found.id),
            user: found.map(|found| found.owner),
        })
    }

    /// The keyring of `found`, or a decoy's, so that the work is the same.
    fn signer(&self, found: Option<Credential>) -> Signer {
        let credential = found.unwrap_or(self.decoy.credential);
        let keyring = self.lookup.keyring(credential.id);
        Signer { credential, keyring: keyring.unwrap_or_else(|| Arc::clone(&self.decoy.keyring)) }
    }

    /// For whom `signed` stands: out of memory, if it was verified before.
    fn prove<'s>(
        &self,
        scheme: &dyn Scheme,
        signed: &Signed<'s>,
        signer: &Signer,
        now: Timestamp,
    ) -> Result<Proven<'s>, Rejection> {
        if signed.in_query {
            // What the query may carry is the scheme's to say, each time.
            return scheme.prove(signed, &signer.keyring, now);
        }
        let text = signed.text.expose();
        if let Some(claims) = self.tokens.find(&signer.credential, text) {
            return claims.judge(now).map(|()| Proven::Subject(claims));
        }
        let proven = scheme.prove(signed, &signer.keyring, now)?;
        if let Proven::Subject(claims) = &proven {
            self.tokens.remember(&signer.credential, text, claims);
        }
        Ok(proven)
    }

    /// What `text` claims, signed by the credential that `who` named or proved, whose public part is
    /// `id`: one of many tokens that came with one request. The work is the same for nobody.
    ///
    /// # Errors
    /// It claims nothing that counts at `now`.
    pub fn claims_of(
        &self,
        who: Option<&Authenticated>,
        (scheme, id): (&dyn Scheme, &str),
        text: Secret<'_>,
        now: Timestamp,
    ) -> Result<Arc<Claims>, Rejection> {
        let signer = self.signer(who.map(|it| it.principal.credential));
        let filed_under = signer.credential.scheme;
        let signed = Signed { filed_under, id, text, in_query: false };
        match (self.prove(scheme, &signed, &signer, now)?, who) {
            (_, None) => Err(Rejection::Unknown),
            (Proven::Subject(claims), Some(_)) => Ok(claims),
            // The secret itself names no subject.
            (Proven::Owner | Proven::User(_), Some(_)) => Err(Rejection::WrongProof),
        }
    }
}
