//! When a write may be called done: when every server judges by it (`docs/revocation.md`).

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use portcullis_core::id::Revision;
use portcullis_core::time::Clock;
use portcullis_store::folder::FolderLock;
use portcullis_store::memory::PRESUMED_DEAD_MILLIS;
use portcullis_store::nodes::Node;
use portcullis_store::{Store, StoreError};
use tokio::sync::watch;

use super::ActionError;
use crate::control;

/// How often the nodes' rows are looked at.
const LOOK: Duration = Duration::from_millis(20);

/// Who must have applied a write before it is done.
#[derive(Clone, Debug)]
pub(crate) enum Acknowledge {
    /// The server that writes, by its own feed.
    Here {
        /// Has the feed looked at now.
        wake: Wake,
        /// What it has applied.
        applied: watch::Receiver<Revision>,
    },
    /// Servers in other processes, by their rows.
    Elsewhere {
        /// The data folder with the control socket; none where nodes share a PostgreSQL.
        folder: Option<PathBuf>,
        /// By whose time a node counts as dead.
        clock: Arc<dyn Clock>,
    },
}

/// Rings the feed of this very process.
#[derive(Clone)]
pub(crate) struct Wake(pub(crate) Arc<dyn Fn() + Send + Sync>);

impl std::fmt::Debug for Wake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wake")
    }
}

impl Acknowledge {
    /// Waits until every server judges by `revision`.
    pub(super) async fn wait(&self, store: &Store, revision: Revision) -> Result<(), ActionError> {
        match self {
            Self::Here { wake, applied } => {
                wake.0();
                let mut applied = applied.clone();
                applied.wait_for(|now| *now >= revision).await.map_err(|_| ActionError::Pending)?;
                Ok(())
            }
            Self::Elsewhere { folder, clock } => {
                if let Some(folder) = folder {
                    // Only a hint: a server looks every second anyway.
                    drop(control::ring(folder));
                }
                elsewhere(store, revision, folder.as_ref(), clock.as_ref()).await
            }
        }
    }
}

/// Until no row is left that stands below `revision` and may be of a living node.
async fn elsewhere(
    store: &Store,
    revision: Revision,
    folder: Option<&PathBuf>,
    clock: &dyn Clock,
) -> Result<(), ActionError> {
    let begun = clock.now().boot;
    let behind = |nodes: Vec<Node>| nodes.into_iter().any(|node| node.applied < revision);
    loop {
        if !behind(store.read(|reading| reading.list_nodes()).await?) || nobody_home(folder)? {
            return Ok(());
        }
        // No lease outlives this, whoever it is that does not answer.
        if clock.now().boot.saturating_sub(begun) > PRESUMED_DEAD_MILLIS {
            return Ok(());
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Whether no server runs on the data folder: its lock is free.
fn nobody_home(folder: Option<&PathBuf>) -> Result<bool, StoreError> {
    folder.map_or(Ok(false), |folder| Ok(FolderLock::take(folder)?.is_some()))
}
