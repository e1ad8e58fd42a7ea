//! What changes with every request: counted in atomics, taken out in batches.

use std::sync::atomic::{AtomicI64, Ordering};

use portcullis_core::credential::Credential;
use portcullis_core::lookup::CredentialLookup as _;
use portcullis_core::time::Timestamp;

use super::Memory;
use crate::usage::Usage;

/// The use of one credential since it was last taken out.
#[derive(Debug, Default)]
pub(super) struct Used {
    last: AtomicI64,
    uses: AtomicI64,
}

impl Memory {
    /// Counts one use of `credential`; of its parent, if it was minted from one.
    pub fn count_use(&self, credential: &Credential, now: Timestamp) {
        let parent = credential.parent.and_then(|place| self.filed_at(place));
        let id = parent.map_or(credential.id, |parent| parent.id);
        let pinned = self.used.pin();
        let used = pinned.get_or_insert_with(id, Used::default);
        used.last.fetch_max(now.millis(), Ordering::Relaxed);
        used.uses.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes out what was counted since the last time.
    pub fn take_used(&self) -> Vec<Usage> {
        let pinned = self.used.pin();
        let taken = pinned.iter().filter_map(|(id, used)| {
            let uses = used.uses.swap(0, Ordering::Relaxed);
            let last_used = Timestamp::from_millis(used.last.load(Ordering::Relaxed));
            (uses > 0).then_some(Usage { credential: *id, last_used, uses })
        });
        taken.collect()
    }

    /// Counts again what was taken out and could not be written.
    pub fn put_back_used(&self, taken: &[Usage]) {
        let pinned = self.used.pin();
        for one in taken {
            let used = pinned.get_or_insert_with(one.credential, Used::default);
            used.last.fetch_max(one.last_used.millis(), Ordering::Relaxed);
            used.uses.fetch_add(one.uses, Ordering::Relaxed);
        }
    }
}
