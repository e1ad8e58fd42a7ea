//! Passwords: argon2id (RFC 9106) with the pepper as its secret input.
//!
//! ```text
//! form  pepper   memory   passes   lanes    salt        hash
//! 01    u32 BE   u32 BE   u32 BE   u32 BE   16 bytes    32 bytes
//! ```
//!
//! A verifier holds the parameters it was made with, so that they can rise: a right password
//! whose verifier is behind is hashed anew on use.

use std::fmt;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use zeroize::Zeroizing;

use crate::seal::{self, NoEntropy, Pepper, PepperId, Peppers};
use crate::secret::SecretBuf;
use crate::tally;

/// The longest password, in bytes.
pub const MAX_PASSWORD: usize = 1_024;
/// The shortest password that may be chosen, in characters.
///
/// NIST SP 800-63B-4 asks for 15 where a password stands alone and 8 beside a second factor; the
/// vendors' clients have shorter ones, so 8 is the floor and the documentation recommends 15.
pub const MIN_PASSWORD: usize = 8;
/// How long a verifier is, in bytes.
pub const VERIFIER_BYTES: usize = 1 + 4 * 4 + SALT + HASH;

const FORM: u8 = 1;
const SALT: usize = 16;
const HASH: usize = 32;
/// From this many bytes on, every allocation has pages of its own: glibc's threshold adapts to what
/// is freed, but never beyond 32 MiB.
const OWN_PAGES: usize = 33 << 20;

/// What one slow hash costs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cost {
    /// Memory in KiB.
    pub memory: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes, computed one after the other.
    pub lanes: u32,
}

impl Cost {
    /// OWASP's current minimum for argon2id: 19 MiB, two passes, one lane.
    pub const OWASP: Self = Self { memory: 19_456, passes: 2, lanes: 1 };

    fn params(self) -> Option<Params> {
        Params::new(self.memory, self.passes, self.lanes, Some(HASH)).ok()
    }
}

/// What the store keeps to check a password.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PasswordVerifier {
    pepper: PepperId,
    cost: Cost,
    salt: [u8; SALT],
    hash: [u8; HASH],
}

/// Why a password may not be chosen: the caller's fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadPassword {
    /// It holds a control character, which HTTP Basic cannot carry (RFC 7617, section 2).
    #[error("a password holds no control characters")]
    Control,
    /// It looks like one of our own keys, which would be read as a key.
    #[error("a password does not begin with `pcl_`")]
    LooksLikeAKey,
    /// It is longer than [`MAX_PASSWORD`].
    #[error("a password has at most {MAX_PASSWORD} bytes")]
    Long,
    /// It is shorter than [`MIN_PASSWORD`].
    #[error("a password has at least {MIN_PASSWORD} characters")]
    Short,
}

/// Whether `password` may be chosen.
///
/// # Errors
/// It may not.
pub fn check_choice(password: &str) -> Result<(), BadPassword> {
    if password.len() > MAX_PASSWORD {
        return Err(BadPassword::Long);
    }
    if password.chars().count() < MIN_PASSWORD {
        return Err(BadPassword::Short);
    }
    if password.chars().any(char::is_control) {
        return Err(BadPassword::Control);
    }
    if password.starts_with("pcl_") {
        return Err(BadPassword::LooksLikeAKey);
    }
    Ok(())
}

/// The slow hash could not be computed: our machine's fault, and never a wrong password.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// There was not enough memory, or the parameters of the verifier are impossible.
    #[error("argon2id could not run with {memory} KiB")]
    Argon2 {
        /// The memory asked for, in KiB.
        memory: u32,
    },
    /// There was no randomness for a salt.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
}

/// Memory for one hash, which goes back to the system with it; `None` if there is none.
///
/// What is smaller than [`OWN_PAGES`], glibc keeps for later, and hardly ever finds a use for: each
/// hash would take new memory. What is reserved and not used costs addresses, not memory.
fn room(blocks: usize) -> Option<Vec<Block>> {
    let mut room = Vec::new();
    room.try_reserve_exact(blocks.max(OWN_PAGES / Block::SIZE)).ok()?;
    room.resize(blocks, Block::new());
    Some(room)
}

/// What a slow check found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The password is right.
    Right {
        /// Whether its verifier is behind today's cost or pepper, and should be made anew.
        upgrade: bool,
    },
    /// It is wrong.
    Wrong,
}

impl PasswordVerifier {
    /// The verifier of a newly chosen `password`.
    ///
    /// # Errors
    /// No memory or no randomness.
    pub fn make(password: &SecretBuf, cost: Cost, pepper: &Pepper) -> Result<Self, HashError> {
        let mut made = Self { pepper: pepper.id, cost, salt: seal::random()?, hash: [0; HASH] };
        made.hash = *made.hash(password, pepper)?;
        Ok(made)
    }

    /// A verifier that no password meets, and that costs as much to find out.
    ///
    /// # Errors
    /// The system gave no randomness.
    pub fn decoy(cost: Cost, pepper: &Pepper) -> Result<Self, NoEntropy> {
        Ok(Self { pepper: pepper.id, cost, salt: seal::random()?, hash: seal::random()? })
    }

    /// Judges `password`, slowly.
    ///
    /// # Errors
    /// The hash could not be computed, so nothing is known of the password.
    pub fn check(
        &self,
        password: &SecretBuf,
        today: Cost,
        peppers: &Peppers,
    ) -> Result<Verdict, HashError> {
        let hash = self.hash(password, peppers.named(self.pepper))?;
        if !seal::equal(&*hash, &self.hash) {
            return Ok(Verdict::Wrong);
        }
        let upgrade = self.cost != today || self.pepper != peppers.current().id;
        Ok(Verdict::Right { upgrade })
    }

    fn hash(
        &self,
        password: &SecretBuf,
        pepper: &Pepper,
    ) -> Result<Zeroizing<[u8; HASH]>, HashError> {
        tally::hash();
        let failed = || HashError::Argon2 { memory: self.cost.memory };
        let params = self.cost.params().ok_or_else(failed)?;
        let mut room = room(params.block_count()).ok_or_else(failed)?;
        let argon2 =
            Argon2::new_with_secret(&*pepper.password, Algorithm::Argon2id, Version::V0x13, params);
        let mut out = Zeroizing::new([0; HASH]);
        let (password, salt) = (password.expose(), &self.salt);
        argon2
            .and_then(|it| it.hash_password_into_with_memory(password, salt, &mut *out, &mut *room))
            .map_err(|_| failed())?;
        Ok(out)
    }

    /// The stored form.
    pub fn to_bytes(&self) -> [u8; VERIFIER_BYTES] {
        let numbers = [self.pepper.0, self.cost.memory, self.cost.passes, self.cost.lanes];
        let mut bytes = [0; VERIFIER_BYTES];
        let parts = std::iter::once(FORM)
            .chain(numbers.into_iter().flat_map(u32::to_be_bytes))
            .chain(self.salt)
            .chain(self.hash);
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
        let (pepper, rest) = rest.split_first_chunk()?;
        let (memory, rest) = rest.split_first_chunk()?;
        let (passes, rest) = rest.split_first_chunk()?;
        let (lanes, rest) = rest.split_first_chunk()?;
        let (salt, rest) = rest.split_first_chunk()?;
        let cost = Cost {
            memory: u32::from_be_bytes(*memory),
            passes: u32::from_be_bytes(*passes),
            lanes: u32::from_be_bytes(*lanes),
        };
        let hash = rest.try_into().ok()?;
        Some(Self { pepper: PepperId(u32::from_be_bytes(*pepper)), cost, salt: *salt, hash })
    }
}

impl fmt::Debug for PasswordVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordVerifier").field("cost", &self.cost).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: Cost = Cost { memory: 8, passes: 1, lanes: 1 };

    fn peppers() -> Peppers {
        Peppers::new(Pepper::new(PepperId(2), &[2; 32]), vec![Pepper::new(PepperId(1), &[1; 32])])
    }

    fn secret(text: &str) -> SecretBuf {
        SecretBuf::new(text)
    }

    #[test]
    fn only_the_right_password_is_right_and_an_old_verifier_is_told() {
        let peppers = peppers();
        let old = Pepper::new(PepperId(1), &[1; 32]);
        let verifier = PasswordVerifier::make(&secret("correct horse"), CHEAP, &old).unwrap();
        let read = PasswordVerifier::from_bytes(&verifier.to_bytes()).unwrap();
        assert_eq!(read, verifier);
        let wrong = read.check(&secret("correct horsf"), CHEAP, &peppers).unwrap();
        assert!(matches!(wrong, Verdict::Wrong));
        let check = |verifier: &PasswordVerifier, today| {
            verifier.check(&secret("correct horse"), today, &peppers).unwrap()
        };
        assert_eq!(check(&read, CHEAP), Verdict::Right { upgrade: true });
        let newer =
            PasswordVerifier::make(&secret("correct horse"), CHEAP, peppers.current()).unwrap();
        assert_eq!(check(&newer, CHEAP), Verdict::Right { upgrade: false });
        let dearer = Cost { memory: 16, ..CHEAP };
        assert_eq!(check(&newer, dearer), Verdict::Right { upgrade: true });
    }

    #[test]
    fn the_stored_form_never_changes() {
        let verifier = PasswordVerifier {
            pepper: PepperId(7),
            cost: Cost::OWASP,
            salt: [0xaa; SALT],
            hash: [0xbb; HASH],
        };
        let mut golden = vec![1, 0, 0, 0, 7, 0, 0, 0x4c, 0, 0, 0, 0, 2, 0, 0, 0, 1];
        golden.extend([0xaa; 16]);
        golden.extend([0xbb; 32]);
        assert_eq!(verifier.to_bytes().as_slice(), golden);
        assert!(PasswordVerifier::from_bytes(&golden[..golden.len() - 1]).is_none());
        golden[0] = 2;
        assert!(PasswordVerifier::from_bytes(&golden).is_none());
    }

    #[test]
    fn what_may_not_be_chosen_is_refused() {
        for (password, why) in [
            ("short", BadPassword::Short),
            ("with\ttab in it", BadPassword::Control),
            ("pcl_key_looks like one", BadPassword::LooksLikeAKey),
        ] {
            assert_eq!(check_choice(password), Err(why), "{password}");
        }
        assert_eq!(check_choice(&"a".repeat(MAX_PASSWORD + 1)), Err(BadPassword::Long));
        assert_eq!(check_choice("eight ok"), Ok(()));
    }
}
