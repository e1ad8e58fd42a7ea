//! Keeps up with the files: what changed is read anew, and taken only if it is good as a whole.

use std::fs::{self, Metadata};
use std::mem;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use portcullis_core::time::Clock;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use super::Terms;
use super::files::{BadFiles, Files};
use crate::config;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// What tells one state of a file from another without reading it: where it is on the disk, how
/// long it is, and when it was changed last, by its content and in any way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Stamp {
    place: (u64, u64),
    length: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl From<&Metadata> for Stamp {
    fn from(file: &Metadata) -> Self {
        Self {
            place: (file.dev(), file.ino()),
            length: file.len(),
            modified: (file.mtime(), file.mtime_nsec()),
            changed: (file.ctime(), file.ctime_nsec()),
        }
    }
}

/// Of certificate, key and roots; `None` for what cannot be looked at, or is not there.
pub(super) type Stamps = [Option<Stamp>; 3];

/// How the files stand at the moment. To be asked before they are read, so that what changes
/// meanwhile is seen at the next look.
pub(super) fn stamps(settings: &config::Tls) -> Stamps {
    let config::Tls { certificate, key, client_ca, .. } = settings;
    let stamp = |path: &PathBuf| fs::metadata(path).ok().as_ref().map(Stamp::from);
    [stamp(certificate), stamp(key), client_ca.as_ref().and_then(stamp)]
}

/// Tells new terms whenever the files have changed and are good; `seen` is how they stood when
/// they were read last. What is not good is told in the log, once, and what was good stays.
pub(super) async fn follow(
    settings: config::Tls,
    clock: Arc<dyn Clock>,
    mut seen: Stamps,
    tell: watch::Sender<Terms>,
) {
    let mut ticks = tokio::time::interval(LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // Files that belong together are replaced one after the other: what does not fit is given the
    // time of one more look, and what is not valid yet that until it is.
    let (mut pending, mut told) = (false, false);
    loop {
        ticks.tick().await;
        let (settings, clock) = (settings.clone(), Arc::clone(&clock));
        // A disk may take its time.
        let looking = tokio::task::spawn_blocking(move || {
            let now = stamps(&settings);
            (now, (now != seen || pending).then(|| renewed(&settings, &clock)))
        });
        let Ok((now, Some(renewed))) = looking.await else { continue };
        let changed = now != seen;
        seen = now;
        match renewed {
            Ok(terms) => {
                pending = false;
                tell.send_replace(terms);
                tracing::info!("the files of `[tls]` have changed, and count from now on");
            }
            Err(_) if changed => (pending, told) = (true, false),
            Err(error) => {
                pending = error.is_early();
                if !mem::replace(&mut told, true) {
                    tracing::warn!(%error, "the files of `[tls]` have changed; what they held stands");
                }
            }
        }
    }
}

/// A certificate that is of no use to clients is no reason to give up one that is.
fn renewed(settings: &config::Tls, clock: &Arc<dyn Clock>) -> Result<Terms, BadFiles> {
    let files = Files::read(settings)?;
    files.check_time(clock.now().wall)?;
    files.settle(clock)
}
