//! Credentials: what the store keeps to know a caller again.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use crate::id::{Id, Revision};
use crate::organization::State;
use crate::principal::User;
use crate::scheme::SchemeName;
use crate::seal::{self, Digest, MacKey, PepperId, Peppers};
use crate::time::Timestamp;

/// One credential, small enough to be copied out of the index.
///
/// The password of a user is one too; what checks it stands beside the user. So is what was
/// minted from another, such as a session: it is judged by its parent at each request.
#[derive(Clone, Copy, Debug)]
pub struct Credential {
    /// Its identity.
    pub id: Id<Self>,
    /// The revision of its last change.
    pub version: Revision,
    /// The scheme it is filed under.
    pub scheme: SchemeName,
    /// The user it stands for.
    pub owner: Id<User>,
    /// Whether it may be used.
    pub state: State,
    /// It is not valid before this.
    pub not_before: Timestamp,
    /// It is not valid from this on.
    pub expires: Timestamp,
    /// How many seconds after its last use it expires, while that can still move.
    pub slides: Option<NonZeroU32>,
    /// When it was minted; what ages by its own expiry alone has the earliest moment.
    pub minted: Timestamp,
    /// Whether it may only read.
    pub read_only: bool,
    /// Whether it counts at some places alone; which, stands apart.
    pub limited: bool,
    /// What checks a proof of it.
    pub verifier: KeyVerifier,
    /// Where the index of this process keeps it.
    pub filed_at: FiledAt,
    /// Where the credential is kept that it was minted from, if it was.
    pub parent: Option<FiledAt>,
}

/// How many generations may stand between a credential and the first of its line.
pub const MAX_GENERATIONS: usize = 4;

/// A use that moves the expiry by less than this part of the idle time is not written down: so
/// constant use costs that many writes an idle time, at any rate of requests.
pub const SLIDES_PER_IDLE: u32 = 20;

impl Credential {
    /// Whether a use at `now` moves its expiry by so much that it should be written down.
    pub fn should_slide(&self, now: Timestamp) -> bool {
        self.slides.is_some_and(|idle| {
            let idle = Duration::from_secs(idle.get().into());
            now.plus(idle - idle / SLIDES_PER_IDLE) > self.expires
        })
    }
}

/// A place in the index: a digest under a key of this process, so that a lookup leaks nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct FiledAt(pub [u8; 16]);

/// The stored form of a verifier, in bytes.
pub const KEY_VERIFIER_BYTES: usize = 1 + 4 + 32;

const FORM: u8 = 1;

/// What checks a key of our own: a keyed digest of its secret part.
#[derive(Clone, Copy)]
pub struct KeyVerifier {
    pepper: PepperId,
    digest: Digest,
}

impl KeyVerifier {
    /// The verifier of the secret `parts`, under the current pepper.
    pub fn make(parts: &[&[u8]], peppers: &Peppers) -> Self {
        let pepper = peppers.current();
        Self { pepper: pepper.id, digest: pepper.key.digest(parts) }
    }

    /// A verifier that no proof meets.
    pub const fn decoy(pepper: PepperId, digest: Digest) -> Self {
        Self { pepper, digest }
    }

    /// Whether the secret `parts` are the ones it was made of.
    pub fn is_met_by(&self, parts: &[&[u8]], peppers: &Peppers) -> bool {
        let key: &MacKey = &peppers.named(self.pepper).key;
        seal::equal(&key.digest(parts), &self.digest)
    }

    /// The stored form: `01`, the pepper (u32 BE), the digest.
    pub fn to_bytes(&self) -> [u8; KEY_VERIFIER_BYTES] {
        let mut bytes = [0; KEY_VERIFIER_BYTES];
        let parts = std::iter::once(FORM).chain(self.pepper.0.to_be_bytes()).chain(self.digest);
        for (place, byte) in bytes.iter_mut().zip(parts) {
            *place = byte;
        }
        bytes
    }

    /// Reads the stored form; `None` if it is none that this build knows.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (FORM, rest) = bytes.split_first().map(|(form, rest)| (*form, rest))? else {
            return None;
        };
        let (pepper, digest) = rest.split_first_chunk()?;
        Some(Self {
            pepper: PepperId(u32::from_be_bytes(*pepper)),
            digest: digest.try_into().ok()?,
        })
    }
}

impl fmt::Debug for KeyVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyVerifier").field("pepper", &self.pepper).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::Pepper;

    #[test]
    fn the_stored_form_never_changes() {
        let verifier = KeyVerifier::decoy(PepperId(9), [0xcc; 32]);
        let mut golden = vec![1, 0, 0, 0, 9];
        golden.extend([0xcc; 32]);
        assert_eq!(verifier.to_bytes().as_slice(), golden);
        assert!(KeyVerifier::from_bytes(&golden).is_some());
        assert!(KeyVerifier::from_bytes(&golden[1..]).is_none());
        golden[0] = 2;
        assert!(KeyVerifier::from_bytes(&golden).is_none());
    }

    #[test]
    fn a_use_slides_an_expiry_once_it_moves_it_by_a_twentieth_of_the_idle_time() {
        let credential = |slides: u32, expires| Credential {
            id: Id::from_bytes([3; 16]),
            version: Revision(1),
            scheme: crate::scheme::SESSION,
            owner: Id::from_bytes([2; 16]),
            state: State::Active,
            not_before: Timestamp::MIN,
            expires: Timestamp::from_millis(expires),
            slides: NonZeroU32::new(slides),
            minted: Timestamp::MIN,
            limited: false,
            read_only: false,
            verifier: KeyVerifier::decoy(PepperId(9), [0; 32]),
            filed_at: FiledAt([0; 16]),
            parent: None,
        };
        for (slides, expires, now, expected) in [
            (100, 100_000, 0, false),
            (100, 100_000, 5_000, false),
            (100, 100_000, 5_001, true),
            (100, 100_000, 99_999, true),
            (100, i64::MAX, i64::MAX, false),
            (u32::MAX, 1_000, 0, true),
            (0, 100_000, 99_999, false),
        ] {
            let now = Timestamp::from_millis(now);
            assert_eq!(credential(slides, expires).should_slide(now), expected, "{now:?}");
        }
    }

    #[test]
    fn an_older_pepper_still_checks_what_was_made_under_it() {
        let pepper = |id: u8| Pepper::new(PepperId(id.into()), &[id; 32]);
        let old = KeyVerifier::make(&[b"secret"], &Peppers::new(pepper(1), vec![]));
        let rotated = Peppers::new(pepper(2), vec![pepper(1)]);
        assert!(old.is_met_by(&[b"sec", b"ret"], &rotated));
        assert!(!old.is_met_by(&[b"Secret"], &rotated));
        assert!(!old.is_met_by(&[b"secret"], &Peppers::new(pepper(2), vec![])));
    }
}
