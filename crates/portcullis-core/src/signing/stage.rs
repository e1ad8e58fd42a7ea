//! What a signing key is for at a moment: all of it follows from when each begins to sign.

use super::LINGER;
use crate::time::Timestamp;

/// What a signing key is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// Nothing that it signed counts any more.
    Over,
    /// It signs no more, but what it signed is verified by it.
    Published,
    /// It signs.
    Signing,
    /// It will sign, once everybody has read of it.
    Waiting,
}

impl Stage {
    /// As people are told.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Over => "over",
            Self::Published => "published",
            Self::Signing => "signing",
            Self::Waiting => "waiting",
        }
    }
}

/// The stages at `now` of keys that sign from `begins` on, in that order. The last one that has begun
/// signs; where none has, the first one does, for somebody must.
pub fn stages(
    begins: impl Iterator<Item = Timestamp> + Clone,
    now: Timestamp,
) -> impl Iterator<Item = Stage> {
    let begun = begins.clone().take_while(|from| *from <= now).count();
    let signer = begun.saturating_sub(1);
    let successors = begins.clone().skip(1).chain([Timestamp::MAX]);
    begins.zip(successors).enumerate().map(move |(at, (_, successor))| {
        if at > signer {
            Stage::Waiting
        } else if at == signer {
            Stage::Signing
        } else if now < successor.plus(LINGER) {
            Stage::Published
        } else {
            Stage::Over
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use Stage::{Over, Published, Signing, Waiting};

    #[test]
    fn one_key_signs_and_those_around_it_are_published() {
        let linger = i64::try_from(LINGER.as_millis()).unwrap();
        let at = Timestamp::from_millis;
        let table: &[(&[i64], i64, &[Stage])] = &[
            (&[], 0, &[]),
            (&[100], 100, &[Signing]),
            // Another node's clock, or the one before was withdrawn.
            (&[100], 99, &[Signing]),
            (&[100, 200], 99, &[Signing, Waiting]),
            (&[100, 200], 199, &[Signing, Waiting]),
            (&[100, 200], 200, &[Published, Signing]),
            (&[100, 200], 200 + linger - 1, &[Published, Signing]),
            (&[100, 200], 200 + linger, &[Over, Signing]),
            (&[100, 200, 300], 250, &[Published, Signing, Waiting]),
            (&[100, 200, 300], 200 + linger, &[Over, Published, Signing]),
            (&[100, 100], 100, &[Published, Signing]),
        ];
        for (begins, now, expected) in table {
            let told: Vec<_> = stages(begins.iter().copied().map(at), at(*now)).collect();
            assert_eq!(told, *expected, "{begins:?} at {now}");
        }
    }
}
