//! That a password was verified before: one keyed MAC beside the record it was verified against.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::seal::{self, Digest};

/// The MAC of the last verified claim on one password; empty at first.
///
/// It dies with the record it stands in. Two halves of different claims, read while another
/// thread writes, match nobody: the cost is one slow hash.
pub struct Remembered([AtomicU64; 4]);

impl Remembered {
    /// Nothing verified yet.
    pub const fn empty() -> Self {
        Self([const { AtomicU64::new(0) }; 4])
    }

    /// Whether `claim` is the one that was verified.
    pub fn is(&self, claim: &Digest) -> bool {
        let mut known = [0; 32];
        for (place, word) in known.chunks_exact_mut(8).zip(&self.0) {
            place.copy_from_slice(&word.load(Ordering::Relaxed).to_ne_bytes());
        }
        // An empty memory is all zeros, which no claim may match.
        seal::equal(&known, claim) && known != [0; 32]
    }

    /// Remembers `claim`.
    pub fn set(&self, claim: &Digest) {
        for (part, word) in claim.as_chunks::<8>().0.iter().zip(&self.0) {
            word.store(u64::from_ne_bytes(*part), Ordering::Relaxed);
        }
    }
}

impl fmt::Debug for Remembered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Remembered(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_claim_is_remembered_and_an_empty_memory_knows_none() {
        let memory = Remembered::empty();
        assert!(!memory.is(&[0; 32]));
        memory.set(&[7; 32]);
        assert!(memory.is(&[7; 32]));
        memory.set(&[8; 32]);
        assert!(!memory.is(&[7; 32]));
    }
}
