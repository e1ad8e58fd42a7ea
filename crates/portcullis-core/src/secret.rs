//! Types for what must not be seen: no `Display`, no `Clone`, no `==`, nothing in `Debug`.

use std::fmt;

use zeroize::{Zeroize, Zeroizing};

/// A secret that somebody else owns, such as a proof inside a request.
pub struct Secret<'a>(&'a [u8]);

impl<'a> Secret<'a> {
    /// Marks `bytes` as secret.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The bytes themselves: the one word to search for in a review.
    pub const fn expose(&self) -> &'a [u8] {
        self.0
    }
}

impl fmt::Debug for Secret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// A secret of our own, wiped when it is dropped.
pub struct SecretBuf(Zeroizing<Vec<u8>>);

impl SecretBuf {
    /// Takes `bytes` over as a secret.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    /// The bytes themselves.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The text itself; empty if it is none, which only a caller's mistake can make it.
    pub fn expose_text(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for SecretBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBuf(..)")
    }
}

/// Room on the stack in which a scheme decodes what was presented, wiped when it is dropped.
pub struct Scratch {
    bytes: [u8; Self::SIZE],
    used: usize,
}

impl Scratch {
    /// The longest decoded credential, in bytes: a user name, a colon and a password.
    pub const SIZE: usize = 1_296;

    /// Empty room.
    pub const fn new() -> Self {
        Self { bytes: [0; Self::SIZE], used: 0 }
    }

    /// Lets `fill` write into the room; what it says it wrote is handed back.
    pub fn fill<E>(
        &mut self,
        fill: impl FnOnce(&mut [u8; Self::SIZE]) -> Result<usize, E>,
    ) -> Result<&mut [u8], E> {
        // Whatever a failed decoder left behind is wiped too.
        self.used = Self::SIZE;
        let length = fill(&mut self.bytes)?.min(Self::SIZE);
        self.used = length;
        Ok(self.bytes.get_mut(..length).unwrap_or_default())
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Some(used) = self.bytes.get_mut(..self.used) {
            used.zeroize();
        }
    }
}

impl fmt::Debug for Scratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scratch(..)")
    }
}
