//! What may be done to each resource. Command line, and later dialects, API and console only
//! translate to and from it; it knows no HTTP.

mod acknowledge;
pub(crate) mod guards;
pub(crate) mod keys;
pub(crate) mod setup;
pub(crate) mod users;

use std::sync::Arc;

use portcullis_core::ability::BadAbility;
use portcullis_core::guard::{BadGuard, Overlap};
use portcullis_core::name::BadName;
use portcullis_core::password::{BadPassword, Cost, HashError};
use portcullis_core::seal::{NoEntropy, Peppers};
use portcullis_store::{Store, StoreError, Write};

pub(crate) use acknowledge::{Acknowledge, Wake};

/// Everything an action needs.
#[derive(Debug)]
pub(crate) struct Actions {
    /// What is remembered.
    pub(crate) store: Arc<Store>,
    /// What verifiers are made under.
    pub(crate) peppers: Arc<Peppers>,
    /// What a password hash costs.
    pub(crate) cost: Cost,
    /// How to know that a write has reached whoever judges by it.
    pub(crate) acknowledge: Acknowledge,
    /// Who acts, as the audit trail calls them.
    pub(crate) actor: String,
}

/// Why an action was not done, or is not known to be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ActionError {
    #[error(transparent)]
    Ability(#[from] BadAbility),
    #[error("{0} exists already")]
    Exists(String),
    #[error(transparent)]
    Guard(#[from] BadGuard),
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error("there is no {0}")]
    Missing(String),
    #[error(transparent)]
    Name(#[from] BadName),
    #[error(transparent)]
    Overlap(#[from] Overlap),
    #[error(transparent)]
    Password(#[from] BadPassword),
    #[error("done in the store, but a server has not said yet that it judges by it")]
    Pending,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ActionError {
    /// A conflict told as what it is: `what` exists already.
    fn or_exists(error: StoreError, what: String) -> Self {
        if matches!(error, StoreError::Conflict) { Self::Exists(what) } else { error.into() }
    }

    /// Absence told as what it is: there is no `what`.
    fn or_missing(error: StoreError, what: String) -> Self {
        if matches!(error, StoreError::NotFound(_)) { Self::Missing(what) } else { error.into() }
    }
}

impl From<NoEntropy> for ActionError {
    fn from(error: NoEntropy) -> Self {
        Self::Store(error.into())
    }
}

impl Actions {
    fn write(&self, action: &'static str) -> Result<Write, StoreError> {
        Write::new(self.actor.as_str(), action)
    }
}
