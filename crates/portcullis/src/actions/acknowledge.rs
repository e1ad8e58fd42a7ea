//! When a write may be called done: when every server judges by it (`docs/revocation.md`).

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::pin::pin;
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
/// How long a command waits before it says so.
const QUIET: Duration = Duration::from_secs(1);
/// After so long no lease from before holds.
const PRESUMED_DEAD: Duration = Duration::from_millis(PRESUMED_DEAD_MILLIS);

/// Who must have applied a write before it is done.
#[derive(Clone, Debug)]
pub(crate) enum Acknowledge {
    /// The server that writes: by its own feed, and by the rows of all where several share a
    /// database.
    Here {
        /// By whose time a node counts as dead.
        clock: Arc<dyn Clock>,
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
    /// Waits until every server judges by `revision`, whose COMMIT has returned.
    pub(super) async fn wait(&self, store: &Store, revision: Revision) -> Result<(), ActionError> {
        match self {
            Self::Here { wake, clock, applied } if store.is_shared() => {
                wake.0();
                by_rows(store, revision, None, clock.as_ref()).await?;
                // The row says it a moment before whoever decides here can know.
                reached(applied, revision).await
            }
            Self::Here { wake, applied, .. } => {
                wake.0();
                reached(applied, revision).await
            }
            Self::Elsewhere { folder, clock } => {
                if let Some(folder) = folder {
                    // Only a hint: a server looks every second anyway.
                    drop(control::ring(folder));
                }
                let mut done = pin!(by_rows(store, revision, folder.as_ref(), clock.as_ref()));
                if let Ok(done) = tokio::time::timeout(QUIET, &mut done).await {
                    return Ok(done?);
                }
                let most = PRESUMED_DEAD.as_secs();
                tracing::warn!("a server does not answer; waiting for it, {most} s at most");
                Ok(done.await?)
            }
        }
    }
}

/// Until this server's own feed has passed `revision`.
async fn reached(
    applied: &watch::Receiver<Revision>,
    revision: Revision,
) -> Result<(), ActionError> {
    let mut applied = applied.clone();
    let reached = applied.wait_for(|now| *now >= revision);
    match tokio::time::timeout(PRESUMED_DEAD, reached).await {
        // This server's own lease has ended, if its feed has stood so long.
        Ok(Ok(_)) | Err(_) => Ok(()),
        Ok(Err(_)) => Err(ActionError::Pending),
    }
}

/// Until nobody is waited for any more.
async fn by_rows(
    store: &Store,
    revision: Revision,
    folder: Option<&PathBuf>,
    clock: &dyn Clock,
) -> Result<(), StoreError> {
    let mut awaited = Awaited::since(clock.now().boot, revision);
    loop {
        let begun = clock.now().boot;
        let reading = store.read(|reading| reading.list_nodes());
        // A reading that fails or hangs says nothing: the last case bounds the wait.
        if let Ok(Ok(nodes)) = tokio::time::timeout(awaited.left(begun), reading).await {
            awaited.take(&nodes, |node| store.stood_still(node, begun));
        }
        if awaited.is_done(clock.now().boot) || nobody_home(folder)? {
            return Ok(());
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Whether no server runs on the data folder: its lock is free.
fn nobody_home(folder: Option<&PathBuf>) -> Result<bool, StoreError> {
    folder.map_or(Ok(false), |folder| Ok(FolderLock::take(folder)?.is_some()))
}

/// Who is still waited for, judged by readings of the nodes' rows and one clock alone.
#[derive(Debug)]
struct Awaited {
    revision: Revision,
    /// When COMMIT had returned.
    committed: u64,
    /// The incarnations below the revision; `None` before the first reading.
    behind: Option<BTreeSet<Vec<u8>>>,
}

impl Awaited {
    const fn since(committed: u64, revision: Revision) -> Self {
        Self { revision, committed, behind: None }
    }

    /// Takes in a reading that began after COMMIT had returned. Only who stands in the first one
    /// counts, for who joins later loads what was written; a row that is gone was left by a node
    /// whose lease had ended. `still_for` says how long a row had stood still by this reading.
    fn take(&mut self, nodes: &[Node], still_for: impl Fn(&Node) -> u64) {
        let alive = |node: &&Node| still_for(node) < PRESUMED_DEAD_MILLIS;
        let behind = nodes.iter().filter(|node| node.applied < self.revision).filter(alive);
        let mut behind: BTreeSet<_> = behind.map(|node| node.incarnation.clone()).collect();
        if let Some(before) = &self.behind {
            behind.retain(|incarnation| before.contains(incarnation));
        }
        self.behind = Some(behind);
    }

    /// Whether nobody judges by less any more. In any case no lease from before outlives
    /// [`PRESUMED_DEAD_MILLIS`].
    fn is_done(&self, now: u64) -> bool {
        self.behind.as_ref().is_some_and(BTreeSet::is_empty) || self.left(now).is_zero()
    }

    /// How long until it is done in any case.
    const fn left(&self, now: u64) -> Duration {
        let gone = now.saturating_sub(self.committed);
        Duration::from_millis(PRESUMED_DEAD_MILLIS.saturating_sub(gone))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMITTED: u64 = 1_000_000;
    const SINCE: Awaited = Awaited::since(COMMITTED, Revision(7));

    /// A node's row: who, what it has applied, and how long it has stood still.
    type Row = (u8, i64, u64);

    fn take(awaited: &mut Awaited, rows: &[Row]) {
        let node = |&(incarnation, applied, still): &Row| Node {
            incarnation: vec![incarnation],
            name: String::new(),
            seq: i64::try_from(still).unwrap(),
            applied: Revision(applied),
        };
        let nodes: Vec<_> = rows.iter().map(node).collect();
        awaited.take(&nodes, |node| node.seq.unsigned_abs());
    }

    #[test]
    fn a_write_is_done_when_nobody_of_the_first_reading_stands_below_it() {
        const DEAD: u64 = PRESUMED_DEAD_MILLIS;
        let table: &[(&str, &[&[Row]], bool)] = &[
            ("no reading yet", &[], false),
            ("nobody serves", &[&[]], true),
            ("all have it", &[&[(1, 7, 0), (2, 8, 0)]], true),
            ("one is behind", &[&[(1, 7, 0), (2, 6, 0)]], false),
            ("one loads still", &[&[(1, 7, 0), (2, 0, 0)]], false),
            ("it has caught up since", &[&[(1, 6, 0)], &[(1, 7, 0)]], true),
            ("it has moved, but not far enough", &[&[(1, 4, 0)], &[(1, 6, 0)]], false),
            ("it has left", &[&[(1, 6, 0)], &[]], true),
            ("one has joined since", &[&[(1, 7, 0)], &[(1, 7, 0), (2, 0, 0)]], true),
            ("it has joined anew", &[&[(1, 6, 0)], &[(2, 0, 0)]], true),
            ("another one has joined since", &[&[(1, 6, 0)], &[(1, 6, 0), (2, 0, 0)]], false),
            ("it had stood still long enough", &[&[(1, 6, DEAD)]], true),
            ("it had stood still not long enough", &[&[(1, 6, DEAD - 1)]], false),
            ("it has stood still by the second", &[&[(1, 6, 0)], &[(1, 6, DEAD)]], true),
            ("one dead, one alive", &[&[(1, 6, DEAD), (2, 6, 0)]], false),
        ];
        for (what, readings, expected) in table {
            let mut awaited = SINCE;
            readings.iter().for_each(|rows| take(&mut awaited, rows));
            assert_eq!(awaited.is_done(COMMITTED), *expected, "{what}");
        }
    }

    #[test]
    fn in_any_case_it_is_done_when_every_lease_from_before_has_ended() {
        let end = COMMITTED + PRESUMED_DEAD_MILLIS;
        for readings in [&[][..], &[(1, 6, 0)][..]] {
            let mut awaited = SINCE;
            take(&mut awaited, &[(1, 6, 0)]);
            take(&mut awaited, readings);
            assert_eq!(awaited.is_done(end - 1), readings.is_empty());
            assert!(awaited.is_done(end));
        }
        // Not even one reading was possible.
        assert!(!SINCE.is_done(end - 1) && SINCE.is_done(end));
        assert_eq!(SINCE.left(end - 1), Duration::from_millis(1));
    }
}
