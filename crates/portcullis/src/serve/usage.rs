//! Housekeeping beside the requests: writes what credentials were used for, and forgets what the
//! dead ones spent, and batches that nobody sends again.

use std::sync::Arc;
use std::time::Duration;

use portcullis_core::time::{Clock, Timestamp};
use portcullis_store::memory::Memory;
use portcullis_store::tracking::{KEPT, MAX_FORGOTTEN};
use portcullis_store::usage::MAX_BATCH;
use portcullis_store::{Store, StoreError};
use tokio::time::MissedTickBehavior;

/// How often it is written. What was counted since is lost with a server that is killed.
const INTERVAL: Duration = Duration::from_secs(10);

/// Writes what was counted again and again.
pub(super) async fn write_often(store: Arc<Store>, memory: Arc<Memory>, clock: Arc<dyn Clock>) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = write(&store, &memory).await {
            tracing::warn!(%error, "the use of credentials was not written");
        }
        if let Err(error) = forget(&store, clock.now().wall).await {
            tracing::warn!(%error, "what was spent, and counts no more, was not forgotten");
        }
        if let Err(error) = forget_receipts(&store, clock.now().wall).await {
            tracing::warn!(%error, "which batches were applied long ago was not forgotten");
        }
    }
}

/// Forgets what dead credentials spent, and what would not count any more, in small steps.
async fn forget(store: &Store, now: Timestamp) -> Result<(), StoreError> {
    while store.tend(|tending| tending.forget_spent()).await? {}
    while store.tend(move |tending| tending.forget_signatures(now)).await? {}
    Ok(())
}

/// Forgets which batches were applied so long ago that nobody sends them again.
async fn forget_receipts(store: &Store, now: Timestamp) -> Result<(), StoreError> {
    let before = now.minus(KEPT);
    while store.tend(move |tending| tending.forget_receipts(before, MAX_FORGOTTEN)).await? > 0 {}
    Ok(())
}

/// Writes what was counted since the last time; what could not be written is counted again.
pub(super) async fn write(store: &Store, memory: &Memory) -> Result<(), StoreError> {
    let counted = memory.take_used();
    for (number, batch) in counted.chunks(MAX_BATCH).enumerate() {
        let owned = batch.to_vec();
        if let Err(error) = store.tend(move |tending| tending.add_usage(&owned)).await {
            memory.put_back_used(counted.get(number * MAX_BATCH..).unwrap_or_default());
            return Err(error);
        }
    }
    Ok(())
}
