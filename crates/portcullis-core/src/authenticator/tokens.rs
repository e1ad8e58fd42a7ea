//! That a token was verified before: a bounded memory of what it claims.
//!
//! A token is remembered under a digest of itself with the identity and version of the credential
//! that signed it, so that it dies with every change of that. Whatever can change is judged anew.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::credential::Credential;
use crate::seal::{self, Digest, MacKey};
use crate::subject::Claims;

/// So many tokens are remembered; one more takes the place of another.
pub const MAX_REMEMBERED: usize = 8_192;
/// A longer token, in bytes, is not remembered: all together take some ten megabytes at most.
pub const MAX_REMEMBERED_TOKEN: usize = 1_024;

/// The tokens that were verified.
pub(super) struct Tokens(Box<[Mutex<Option<Entry>>]>);

type Entry = (Digest, Arc<Claims>);

impl Tokens {
    /// None yet.
    pub(super) fn empty() -> Self {
        Self((0..MAX_REMEMBERED).map(|_| Mutex::new(None)).collect())
    }

    /// Under what `token` is remembered; `None` if it is too long to be.
    ///
    /// Identity and version first, of fixed width: no two tokens share a text.
    pub(super) fn place(key: &MacKey, credential: &Credential, token: &[u8]) -> Option<Digest> {
        let version = credential.version.0.to_be_bytes();
        let short = token.len() <= MAX_REMEMBERED_TOKEN;
        short.then(|| key.digest(&[b"token\0", credential.id.as_bytes(), &version, token]))
    }

    /// What the token claims that was remembered under `place`.
    pub(super) fn find(&self, place: &Digest) -> Option<Arc<Claims>> {
        let slot = self.slot(place)?.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, claims) = slot.as_ref()?;
        seal::equal(known, place).then(|| Arc::clone(claims))
    }

    /// Remembers what a token claims.
    pub(super) fn remember(&self, place: Digest, claims: &Arc<Claims>) {
        if let Some(slot) = self.slot(&place) {
            let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
            let before = slot.replace((place, Arc::clone(claims)));
            drop(slot);
            drop(before);
        }
    }

    fn slot(&self, place: &Digest) -> Option<&Mutex<Option<Entry>>> {
        let [low, high, ..] = *place;
        self.0.get(usize::from(u16::from_le_bytes([low, high])) % MAX_REMEMBERED)
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens(..)")
    }
}
