//! That a token was verified before: a bounded memory of what it claims.
//!
//! A token is remembered with the identity and version of the credential that signed it, so that it
//! dies with every change of that. Whatever can change is judged anew.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::credential::Credential;
use crate::id::{Id, Revision};
use crate::seal;
use crate::secret::SecretBuf;
use crate::subject::Claims;

/// So many tokens are remembered; one more takes the place of another.
pub const MAX_REMEMBERED: usize = 8_192;
/// A longer token, in bytes, is not remembered: all together take some ten megabytes at most.
pub const MAX_REMEMBERED_TOKEN: usize = 1_024;

/// The tokens that were verified.
pub(super) struct Tokens(Box<[Mutex<Option<Entry>>]>);

struct Entry {
    signed_by: (Id<Credential>, Revision),
    token: SecretBuf,
    claims: Arc<Claims>,
}

impl Tokens {
    /// None yet.
    pub(super) fn empty() -> Self {
        Self((0..MAX_REMEMBERED).map(|_| Mutex::new(None)).collect())
    }

    /// What `token` claims, if it was verified with `signer` as it is now.
    pub(super) fn find(&self, signer: &Credential, token: &[u8]) -> Option<Arc<Claims>> {
        let slot = self.slot(token)?.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = slot.as_ref()?;
        let same = entry.signed_by == (signer.id, signer.version)
            && seal::equal(entry.token.expose(), token);
        same.then(|| Arc::clone(&entry.claims))
    }

    /// Remembers what `token` claims, which was verified with `signer`.
    pub(super) fn remember(&self, signer: &Credential, token: &[u8], claims: &Arc<Claims>) {
        let Some(slot) = self.slot(token) else { return };
        let signed_by = (signer.id, signer.version);
        let entry = Entry { signed_by, token: SecretBuf::new(token), claims: Arc::clone(claims) };
        let before = slot.lock().unwrap_or_else(PoisonError::into_inner).replace(entry);
        drop(before);
    }

    /// The one place where `token` can be remembered. Its end is a signature, which nobody chooses.
    fn slot(&self, token: &[u8]) -> Option<&Mutex<Option<Entry>>> {
        /// An odd number that spreads the bits of text (2^64 divided by the golden ratio).
        const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;
        const UNUSED: u32 = u64::BITS - MAX_REMEMBERED.ilog2();
        if token.len() > MAX_REMEMBERED_TOKEN {
            return None;
        }
        let (_, end) = token.split_last_chunk::<9>()?;
        let (end, _) = end.split_first_chunk()?;
        let place = u64::from_le_bytes(*end).wrapping_mul(SPREAD) >> UNUSED;
        self.0.get(usize::try_from(place).ok()?)
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens(..)")
    }
}
