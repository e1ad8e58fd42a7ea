//! Stores the better verifiers that the gate makes of passwords whose own have fallen behind.

use std::sync::Arc;

use portcullis_core::authenticator::Upgrade;
use portcullis_store::{Store, StoreError, Write};
use tokio::sync::mpsc;

/// How many may wait to be stored; one that finds no room is made again another time.
pub(super) const WAITING: usize = 64;

/// Stores one after the other, until nobody makes any more.
pub(super) async fn store_all(store: Arc<Store>, mut upgrades: mpsc::Receiver<Upgrade>) {
    while let Some(upgrade) = upgrades.recv().await {
        match save(&store, upgrade).await {
            // A password that has changed meanwhile stands.
            Ok(()) | Err(StoreError::NotFound(_)) => {}
            Err(error) => tracing::warn!(%error, "a password's verifier was not upgraded"),
        }
    }
}

/// Stores one.
///
/// # Errors
/// The password has changed since it was proven, or the store's own.
pub(crate) async fn save(store: &Store, upgrade: Upgrade) -> Result<(), StoreError> {
    let write = Write::new("server", "password.upgrade")?;
    let done = store.write(write, move |writing| {
        writing.note(format!("credential {}", upgrade.credential), "");
        let verifier = upgrade.verifier.to_bytes();
        writing.replace_verifier(upgrade.credential, upgrade.version, &verifier)
    });
    done.await.map(drop)
}
