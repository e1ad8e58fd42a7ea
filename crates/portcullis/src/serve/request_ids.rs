//! The ids of requests: ours, whatever a caller calls them.

use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;

/// How many bits of randomness an id of version 7 has room for besides those of the counter's mix.
const EXTRA: usize = 2;
/// Adjacent numbers times this lie far apart (an odd number: no two fall together).
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Makes ids of version 7 (RFC 9562, section 5.7) that no other server makes, and none twice: what is
/// random in them is drawn once, and a counter spread over it (section 6.2).
#[derive(Debug)]
pub(super) struct RequestIds {
    drawn: [u8; EXTRA + size_of::<u64>()],
    made: AtomicU64,
}

impl Default for RequestIds {
    /// Ids are names and no secrets: without randomness they may be those of another server.
    fn default() -> Self {
        Self { drawn: portcullis_core::seal::random().unwrap_or_default(), made: AtomicU64::new(0) }
    }
}

impl RequestIds {
    /// One that begins at `now`, in milliseconds since the Unix epoch.
    pub(super) fn next(&self, now: i64) -> Uuid {
        let count = self.made.fetch_add(1, Ordering::Relaxed);
        let mut random = self.drawn;
        if let Some(low) = random.last_chunk_mut() {
            *low = u64::from_be_bytes(*low).wrapping_add(count.wrapping_mul(SPREAD)).to_be_bytes();
        }
        let now = u64::try_from(now).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(now, &random).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_ids_are_the_same_within_a_millisecond_or_between_servers() {
        let (one, other) = (RequestIds::default(), RequestIds::default());
        let made = (0..1_000).flat_map(|_| [one.next(5), other.next(5)]);
        assert_eq!(made.collect::<HashSet<_>>().len(), 2_000);
        let (id, later) = (one.next(1), one.next(2));
        assert_eq!((id.get_version_num(), id < later), (7, true));
        assert_eq!(one.next(-1).get_version_num(), 7);
    }
}
