//! What connectors tell of subjects, and read back. It takes no ability: the subjects are those of
//! the organization that the connector stands in, and who calls was proven.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use portcullis_core::authenticator::Authenticated;
use portcullis_core::id::Id;
use portcullis_core::organization::Organization;
use portcullis_core::subject::{Claims, Identifier, SubjectId, SubjectKind};
use portcullis_core::tracking::{Change, Entry};
use portcullis_store::tracking::{
    BadAt, Batch, Deleted, EventRow, Listed, Outcome, Search, Source, Subject, TrackError,
};
use portcullis_store::{Recording, StoreError};

use super::{ActionError, Actions};
use crate::gate::Unknown;

/// Who tells something.
#[derive(Clone)]
pub(crate) struct Teller {
    /// The connector, with whom it acts for.
    pub(crate) who: Authenticated,
    /// Whether it still may: asked at the very moment at which it is recorded.
    pub(crate) still: Arc<dyn Fn() -> Result<(), Unknown> + Send + Sync>,
}

/// What is told at once.
#[derive(Clone, Debug)]
pub(crate) struct Telling {
    /// Of whom what is told, in order.
    pub(crate) entries: Vec<(Claims, Entry)>,
    /// What tells this from all else that the connector tells: recorded once, it is not recorded
    /// again.
    pub(crate) receipt: Option<[u8; 16]>,
    /// Whether the good entries are recorded though others are bad.
    pub(crate) partial: bool,
}

/// Why nothing that was told is recorded.
#[derive(Debug)]
pub(crate) enum Untold {
    /// Entries that cannot be applied.
    Bad(Vec<BadAt>),
    /// It could not be done.
    Failed(ActionError),
    /// Whoever told it may not any more.
    Unknown(Unknown),
}

impl Teller {
    fn source(&self) -> Source {
        let principal = &self.who.principal;
        Source { organization: principal.user.organization, connector: principal.credential.id }
    }
}

impl Actions {
    /// Records what is told; answers when it is durable.
    pub(crate) async fn tell(&self, teller: Teller, telling: Telling) -> Result<Outcome, Untold> {
        let Telling { entries, receipt, partial } = telling;
        let batch = Batch { source: teller.source(), receipt, entries, partial };
        self.record(teller, move |recording| Ok(recording.apply_batch(&batch)?)).await
    }

    /// Changes traits of the subject `id`; whether it is there.
    pub(crate) async fn change_subject(
        &self,
        teller: Teller,
        id: SubjectId,
        changes: Vec<Change>,
    ) -> Result<bool, Untold> {
        let organization = teller.source().organization;
        self.record(teller, move |recording| {
            Ok(recording.change_traits(organization, id, &changes)?)
        })
        .await
    }

    /// Deletes the subject `id` with all that it did; whether it was there.
    pub(crate) async fn delete_subject(
        &self,
        teller: Teller,
        id: SubjectId,
    ) -> Result<bool, Untold> {
        let organization = teller.source().organization;
        loop {
            let deleting = self.record(teller.clone(), move |recording| {
                Ok(recording.delete_subject(organization, id)?)
            });
            match deleting.await? {
                Deleted::Absent => return Ok(false),
                Deleted::Partly => {}
                Deleted::Wholly => return Ok(true),
            }
        }
    }

    /// Whoever tells is looked at again in the transaction itself: a revoke that was answered while
    /// this one queued is obeyed.
    pub(super) async fn record<T: Send + 'static>(
        &self,
        teller: Teller,
        work: impl FnOnce(&mut Recording<'_>) -> Result<T, Untold> + Send + 'static,
    ) -> Result<T, Untold> {
        if teller.who.principal.credential.read_only {
            return Err(Untold::Failed(ActionError::NotAllowed));
        }
        let recorded = self.store.record(move |recording| {
            (teller.still)()?;
            work(recording)
        });
        recorded.await
    }

    /// The subject `id`.
    pub(crate) async fn find_subject(
        &self,
        organization: Id<Organization>,
        id: SubjectId,
    ) -> Result<Option<Subject>, ActionError> {
        Ok(self.store.read(move |reading| reading.find_subject(organization, id)).await?)
    }

    /// The subject that is called `name`.
    pub(crate) async fn find_named(
        &self,
        organization: Id<Organization>,
        kind: SubjectKind,
        name: Identifier,
    ) -> Result<Option<Subject>, ActionError> {
        let found = self.store.read(move |reading| reading.find_named(organization, kind, &name));
        Ok(found.await?)
    }

    /// The subject that `claims` act on.
    pub(crate) async fn find_claimed(
        &self,
        organization: Id<Organization>,
        claims: &Arc<Claims>,
    ) -> Result<Option<Subject>, ActionError> {
        let claims = Arc::clone(claims);
        let found = self.store.read(move |reading| reading.find_claimed(organization, &claims));
        Ok(found.await?)
    }

    /// The subjects that are looked for.
    pub(crate) async fn search_subjects(
        &self,
        organization: Id<Organization>,
        search: Search,
    ) -> Result<Listed, ActionError> {
        let found = self.store.read(move |reading| reading.list_subjects(organization, &search));
        Ok(found.await?)
    }

    /// The names of the traits that there are.
    pub(crate) async fn list_trait_names(
        &self,
        organization: Id<Organization>,
        kind: SubjectKind,
    ) -> Result<BTreeSet<String>, ActionError> {
        let found = self.store.read(move |reading| reading.list_trait_names(organization, kind));
        Ok(found.await?)
    }

    /// What a subject did, the latest first.
    pub(crate) async fn list_events(
        &self,
        organization: Id<Organization>,
        id: SubjectId,
        top: i64,
    ) -> Result<Vec<EventRow>, ActionError> {
        let found = self.store.read(move |it| it.list_events(organization, id, None, top));
        Ok(found.await?)
    }
}

impl From<Unknown> for Untold {
    fn from(unknown: Unknown) -> Self {
        Self::Unknown(unknown)
    }
}

impl From<ActionError> for Untold {
    fn from(error: ActionError) -> Self {
        Self::Failed(error)
    }
}

impl From<StoreError> for Untold {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<TrackError> for Untold {
    fn from(error: TrackError) -> Self {
        match error {
            TrackError::Bad(bad) => Self::Bad(bad),
            TrackError::Store(error) => error.into(),
        }
    }
}

impl fmt::Debug for Teller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Teller").field("who", &self.who).finish_non_exhaustive()
    }
}
