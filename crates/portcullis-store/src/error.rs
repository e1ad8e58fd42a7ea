//! Why the store could not do what it was asked.

use portcullis_core::seal::{NoEntropy, OpenError};

/// A failure of the store. Each variant says whose fault it is.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process holds the lock for too long: try again.
    #[error("the database is busy")]
    Busy,
    /// What a decision was made from has changed since: decide again.
    #[error("it changed in the meantime")]
    Changed,
    /// Something of the same name stands there already: the caller's fault.
    #[error("it exists already")]
    Conflict,
    /// A row cannot be read as what it should be: the database is damaged, or newer.
    #[error("a row of {table} cannot be read: {reason}")]
    Corrupt {
        /// Where it stands.
        table: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The engine said no: its text is for the operator.
    #[error("the database refused: {0}")]
    Engine(String),
    /// A bound would be passed: the caller's fault.
    #[error("{0}")]
    Full(&'static str),
    /// Something else depends on it: the caller's fault.
    #[error("{0}")]
    InUse(&'static str),
    /// The system gave no randomness.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
    /// A file of the data folder cannot be used: the operator's fault.
    #[error("{what}: {source}")]
    Folder {
        /// Which one, and for what.
        what: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Something that the migrations expect is not as they left it.
    #[error("migration {number} was changed after it ran on this database")]
    MigrationChanged {
        /// Its number.
        number: i64,
    },
    /// The database was made by a newer version.
    #[error("the database has migration {found}, this version knows {known}: run a newer version")]
    Newer {
        /// The newest it has.
        found: i64,
        /// The newest that this build has.
        known: i64,
    },
    /// There is nothing of that name or id.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// A secret cannot be opened.
    #[error("{what}: {source}")]
    Seal {
        /// What it is.
        what: &'static str,
        /// Why not.
        #[source]
        source: OpenError,
    },
    /// The store's threads have ended, or one of its jobs broke.
    #[error("the store has stopped")]
    Stopped,
    /// The database cannot be reached.
    #[error("the database cannot be reached: {0}")]
    Unreachable(String),
    /// The answer to COMMIT was lost, and it could not be found out since: neither done nor failed.
    #[error("whether the write was done is not known yet")]
    UnknownOutcome,
}

impl StoreError {
    /// Whether trying again later may help.
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Busy | Self::Changed | Self::Unreachable(_) | Self::UnknownOutcome)
    }
}
