//! The slow part of a password claim, and what may follow from it.

use std::sync::Arc;

use crate::credential::Credential;
use crate::id::{Id, Revision};
use crate::password::{Cost, HashError, PasswordVerifier, Verdict};
use crate::seal::Peppers;
use crate::secret::SecretBuf;

/// The slow part of a [`super::Pending`] claim, owned, so that any thread can run it.
#[derive(Debug)]
pub struct SlowCheck {
    pub(super) password: SecretBuf,
    pub(super) verifier: PasswordVerifier,
    /// The password that is checked, and its version; `None` if it is nobody's.
    pub(super) meant: Option<(Id<Credential>, Revision)>,
    pub(super) cost: Cost,
    pub(super) peppers: Arc<Peppers>,
}

/// A better verifier of a password that was just proven.
#[derive(Debug)]
pub struct Upgrade {
    /// The password.
    pub credential: Id<Credential>,
    /// The version that was proven: of any other, nothing is known.
    pub version: Revision,
    /// What should check it from now on.
    pub verifier: PasswordVerifier,
}

impl SlowCheck {
    /// Computes the hash: some 16 ms and 19 MiB at the usual cost.
    ///
    /// # Errors
    /// It could not be computed, so nothing is known of the password.
    pub fn run(&self) -> Result<Verdict, HashError> {
        self.verifier.check(&self.password, self.cost, &self.peppers)
    }

    /// Makes the verifier anew at today's cost, as slowly again. Only for a password that
    /// [`SlowCheck::run`] found to be right; `None` if it is nobody's.
    ///
    /// # Errors
    /// No memory or no randomness: the old one still serves.
    pub fn upgrade(&self) -> Result<Option<Upgrade>, HashError> {
        let Some((credential, version)) = self.meant else { return Ok(None) };
        let verifier = PasswordVerifier::make(&self.password, self.cost, self.peppers.current())?;
        Ok(Some(Upgrade { credential, version, verifier }))
    }
}
