//! How long a signature counts.

use sha2::{Digest as _, Sha256};

use crate::time::Timestamp;

/// It counts so many seconds after it was made: the vendor's five minutes.
pub const PAST: i64 = 300;
/// It counts so many seconds before it was made, for clocks of clients that run ahead.
pub const FUTURE: i64 = 60;

/// Why a signature does not count at a moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Untimely {
    /// It is of a time that has not come.
    Early,
    /// It was made too long ago.
    Late,
}

/// So many seconds longer than it counts is a signature known to have been spent, for clocks of nodes
/// that run behind.
const SLACK: i64 = 60;

/// From when on what was signed at `epoch` does not count any more, on any node.
pub const fn counts_until(epoch: i64) -> Timestamp {
    Timestamp::from_millis(epoch.saturating_add(PAST + 1 + SLACK).saturating_mul(1_000))
}

/// By what a signature is known that counts once: when it was made, and for whom. Its own text may be
/// written in several ways.
pub fn once(epoch: i64, user: &str) -> [u8; 16] {
    let digest = Sha256::new().chain_update(epoch.to_be_bytes()).chain_update(user).finalize();
    digest.first_chunk().copied().unwrap_or_default()
}

/// Whether what was signed at `epoch`, in seconds since 1970, counts at `now`.
///
/// # Errors
/// It was made too long ago, or has yet to be.
pub fn judge(epoch: i64, now: Timestamp) -> Result<(), Untimely> {
    let age = now.millis().div_euclid(1_000).saturating_sub(epoch);
    if age > PAST {
        return Err(Untimely::Late);
    }
    if age < -FUTURE { Err(Untimely::Early) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_counts_for_five_minutes_and_a_minute_ahead() {
        const EPOCH: i64 = 1_422_940_200;
        for (now, expected) in [
            (EPOCH * 1_000, Ok(())),
            ((EPOCH + 300) * 1_000 + 999, Ok(())),
            ((EPOCH + 301) * 1_000, Err(Untimely::Late)),
            ((EPOCH - 60) * 1_000, Ok(())),
            ((EPOCH - 60) * 1_000 - 1, Err(Untimely::Early)),
            (i64::MAX, Err(Untimely::Late)),
            (i64::MIN, Err(Untimely::Early)),
            (0, Err(Untimely::Early)),
        ] {
            assert_eq!(judge(EPOCH, Timestamp::from_millis(now)), expected, "{now}");
        }
        let late = counts_until(EPOCH).millis() - SLACK * 1_000;
        assert!(judge(EPOCH, Timestamp::from_millis(late)).is_err());
        assert!(judge(EPOCH, Timestamp::from_millis(late - 1)).is_ok());
        for epoch in [i64::MIN, i64::MAX] {
            assert!(judge(epoch, Timestamp::from_millis(EPOCH * 1_000)).is_err());
        }
    }
}
