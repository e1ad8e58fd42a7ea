//! Tracking: what connectors tell of subjects, kept so that nothing is lost and nothing counted
//! twice.

mod apply;
mod delete;
mod desk;
mod events;
mod merge;
mod reading;
mod receipts;
mod search;

use portcullis_core::credential::Credential;
use portcullis_core::id::Id;
use portcullis_core::organization::Organization;
use portcullis_core::subject::{Claims, Identifier, SubjectId, SubjectKind};
use portcullis_core::time::Timestamp;
use portcullis_core::tracking::{BadEntry, Change, Entry, Event, Traits};
use serde_json::value::RawValue;

use crate::error::StoreError;
use crate::store::Store;

pub use delete::{Deleted, MAX_DELETED};
pub(crate) use desk::Desk;
pub use merge::{MAX_MOVED, MAX_MOVED_AT_ONCE};
pub use reading::{MAX_NAMES, MAX_PAGE, MAX_SCANNED_BYTES, NAMES_FROM};
pub use receipts::{KEPT, MAX_FORGOTTEN};
pub use search::{Filter, Listed, MAX_SCANNED, Search};

const TABLE: &str = "subjects";

/// Who tells something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Source {
    /// The organization of the connector's owner: the subjects are its own.
    pub organization: Id<Organization>,
    /// The connector's credential.
    pub connector: Id<Credential>,
}

/// What is told at once.
#[derive(Clone, PartialEq, Debug)]
pub struct Batch {
    /// Who tells it.
    pub source: Source,
    /// What tells this batch from all others of the connector: applied once, it is not applied
    /// again.
    pub receipt: Option<[u8; 16]>,
    /// Of whom what is told, in order.
    pub entries: Vec<(Claims, Entry)>,
    /// Whether the good entries are applied though others are bad.
    pub partial: bool,
}

/// What became of a batch.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Outcome {
    /// Whether it was applied before, and nothing was done now.
    pub repeated: bool,
    /// How many entries told of somebody who is there.
    pub applied: usize,
    /// Those that could not be applied, by their place; empty unless the batch is partial.
    pub bad: Vec<BadAt>,
}

/// An entry that could not be applied.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BadAt {
    /// Its place in the batch, from 0.
    pub index: usize,
    /// Why not.
    pub reason: BadEntry,
}

/// Why what was told was not recorded; then none of it was.
#[derive(Debug, thiserror::Error)]
pub enum TrackError {
    /// Entries that cannot be applied: the caller's fault.
    #[error("{} entries cannot be applied", .0.len())]
    Bad(Vec<BadAt>),
    /// The store's own.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Somebody or something that is told of.
#[derive(Clone, PartialEq, Debug)]
pub struct Subject {
    /// Its identity.
    pub id: SubjectId,
    /// The organization that it is known in.
    pub organization: Id<Organization>,
    /// What it is.
    pub kind: SubjectKind,
    /// The account that a user is linked to. It may be gone.
    pub account: Option<SubjectId>,
    /// What is known of it.
    pub traits: Traits,
    /// What it is called.
    pub identifiers: Vec<Identifier>,
    /// When it was told of first.
    pub created: Timestamp,
    /// When its traits, names or link changed last.
    pub changed: Timestamp,
}

/// Something that a subject did.
#[derive(Clone, Debug)]
pub struct EventRow {
    /// Its identity here; later ones are greater.
    pub id: Id<Event>,
    /// Who did it.
    pub subject: SubjectId,
    /// What it is called.
    pub name: String,
    /// What its teller calls this very one.
    pub event_id: Option<String>,
    /// When it happened, or else was told.
    pub moment: Timestamp,
    /// Where it happened: a JSON object.
    pub context: Box<RawValue>,
    /// More of it: a JSON object.
    pub properties: Box<RawValue>,
    /// Who told it.
    pub connector: Id<Credential>,
}

impl Store {
    /// Records what is told at once; answers when it is durable.
    ///
    /// # Errors
    /// Unless the batch is partial, a bad entry; and the store's own. Nothing was recorded then,
    /// but after [`StoreError::UnknownOutcome`] all may be: the same batch may be told again.
    pub async fn track(&self, batch: Batch) -> Result<Outcome, TrackError> {
        self.record(move |recording| recording.apply_batch(&batch)).await
    }

    /// Changes traits of the subject `id`; whether it is there.
    ///
    /// # Errors
    /// A change that cannot be made, told as entry 0, or the store's own.
    pub async fn change_traits(
        &self,
        organization: Id<Organization>,
        id: SubjectId,
        changes: Vec<Change>,
    ) -> Result<bool, TrackError> {
        self.record(move |recording| recording.change_traits(organization, id, &changes)).await
    }

    /// Deletes the subject `id` with all its events, in as many transactions as it takes; whether
    /// it was there.
    ///
    /// # Errors
    /// The store's own; some of its events may be gone then.
    pub async fn delete_subject(
        &self,
        organization: Id<Organization>,
        id: SubjectId,
    ) -> Result<bool, StoreError> {
        loop {
            match self.record(move |recording| recording.delete_subject(organization, id)).await? {
                Deleted::Absent => return Ok(false),
                Deleted::Partly => {}
                Deleted::Wholly => return Ok(true),
            }
        }
    }
}
