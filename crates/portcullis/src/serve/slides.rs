//! Writes down that sessions were used which expire when they are not: many in one write, and
//! never in a request.

use std::sync::Arc;
use std::time::Duration;

use portcullis_core::credential::Credential;
use portcullis_core::id::Revision;
use portcullis_core::lookup::CredentialLookup as _;
use portcullis_store::memory::{Follower, Memory};
use portcullis_store::{Store, StoreError, Write};
use tokio::sync::mpsc;

/// How many may wait to be written; one that finds no room is handed on again at its next use.
pub(super) const WAITING: usize = 1_024;
/// One write moves at most so many.
const BATCH: usize = 500;
/// How long a store is left alone that could not write.
const PAUSE: Duration = Duration::from_secs(1);

/// Writes what was used, batch after batch, until nobody uses any more. Between two batches this
/// node judges by the first, so that no session is moved for one use twice.
pub(super) async fn store_all(
    store: Arc<Store>,
    memory: Arc<Memory>,
    follower: Arc<Follower>,
    mut used: mpsc::Receiver<Credential>,
) {
    let (mut batch, mut applied) = (Vec::new(), follower.applied());
    while used.recv_many(&mut batch, BATCH).await > 0 {
        match save(&store, &memory, &std::mem::take(&mut batch)).await {
            Ok(None) => {}
            Ok(Some(revision)) => {
                follower.wake();
                // One that follows no more has nobody who would judge by it.
                drop(applied.wait_for(|applied| *applied >= revision).await);
            }
            Err(error) => {
                tracing::warn!(%error, "the use of sessions was not written: they may expire early");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Writes what of `used` is still as it was used; the revision of the write, if there was one.
///
/// # Errors
/// The store's own.
pub(crate) async fn save(
    store: &Store,
    memory: &Memory,
    used: &[Credential],
) -> Result<Option<Revision>, StoreError> {
    let same = |one: &&Credential| {
        let now = memory.filed_at(one.filed_at);
        now.is_some_and(|now| (now.id, now.version) == (one.id, one.version))
    };
    let mut moving: Vec<_> = used.iter().filter(same).map(|one| (one.id, one.version)).collect();
    moving.sort_unstable();
    moving.dedup();
    if moving.is_empty() {
        return Ok(None);
    }
    let done = store.write(Write::new("server", "session.slide")?, move |writing| {
        let moved = writing.slide_sessions(&moving)?;
        writing.note("sessions", format!("{moved} slid"));
        Ok(())
    });
    match done.await {
        Ok(done) => Ok(Some(done.revision)),
        // Another node was faster, or they have ended meanwhile.
        Err(StoreError::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}
