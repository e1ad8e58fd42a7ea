//! Keys that sign what upstreams are told: made at first need, rotated, and retired.

use std::sync::Arc;

use portcullis_core::ability::MANAGE_GUARDS;
use portcullis_core::id::Id;
use portcullis_core::organization::Organization;
use portcullis_core::seal::MasterKey;
use portcullis_core::signing::{self, LEAD, SigningKey, Stage, stages};
use portcullis_core::time::Timestamp;
use portcullis_store::signing_keys::SigningKeyRow;
use portcullis_store::{StoreError, Writing};

use super::authority::Needs;
use super::{ActionError, Actions, Deed};

/// A key that signs, as operators are told of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AssertionKey {
    /// Its identity: the `kid` of what it signs.
    pub(crate) id: Id<SigningKey>,
    /// It signs from this on.
    pub(crate) signs_from: Timestamp,
    /// When it was made.
    pub(crate) created: Timestamp,
    /// What it is for now.
    pub(crate) stage: Stage,
}

impl Actions {
    /// Makes the first key, if there is none, for a guard of `organization` that is about to assert.
    pub(crate) async fn ensure_assertion_key(
        &self,
        organization: Id<Organization>,
    ) -> Result<(), ActionError> {
        if !self.store.read(|reading| reading.list_signing_keys()).await?.is_empty() {
            return Ok(());
        }
        let (master, needs) = (Arc::clone(&self.master), Needs::one(MANAGE_GUARDS, organization));
        self.act(Deed::new("assertion_key.create", needs), move |writing| {
            // Two nodes may start at once: the first one's stands.
            if writing.list_signing_keys()?.is_empty() {
                let now = writing.now;
                insert(writing, &master, now)?;
            }
            Ok(())
        })
        .await
    }

    /// Makes a key that is published now, and signs once every cache without it has run out.
    pub(crate) async fn rotate_assertion_key(&self) -> Result<AssertionKey, ActionError> {
        let (master, needs) = (Arc::clone(&self.master), self.needs_of_keys().await?);
        self.act(Deed::new("assertion_key.rotate", needs), move |writing| {
            let now = writing.now;
            let before = staged(&writing.list_signing_keys()?, now);
            for over in before.iter().filter(|key| key.stage == Stage::Over) {
                writing.delete_signing_key(over.id)?;
            }
            let from = if before.is_empty() { now } else { now.plus(LEAD) };
            let id = insert(writing, &master, from)?;
            let stage = if before.is_empty() { Stage::Signing } else { Stage::Waiting };
            Ok(AssertionKey { id, signs_from: from, created: now, stage })
        })
        .await
    }

    /// Every key that was not retired, in the order in which they sign.
    pub(crate) async fn list_assertion_keys(
        &self,
        now: Timestamp,
    ) -> Result<Vec<AssertionKey>, ActionError> {
        let rows = self.store.read(|reading| reading.list_signing_keys()).await?;
        Ok(staged(&rows, now))
    }

    /// Deletes a key. One by which something is verified still goes only `at_once`: if it was the
    /// one that signed, another takes over, which is made now if need be.
    pub(crate) async fn retire_assertion_key(
        &self,
        id: Id<SigningKey>,
        at_once: bool,
    ) -> Result<(), ActionError> {
        let (master, needs) = (Arc::clone(&self.master), self.needs_of_keys().await?);
        let deed = Deed::new("assertion_key.retire", needs).urgent();
        let done = self.act(deed, move |writing| {
            writing.note(format!("assertion key {id}"), if at_once { "at once" } else { "" });
            let now = writing.now;
            let mut keys = staged(&writing.list_signing_keys()?, now);
            let stage = keys.iter().find(|key| key.id == id).map(|key| key.stage);
            if !at_once && matches!(stage, Some(Stage::Signing | Stage::Published)) {
                return Err(StoreError::InUse(
                    "what this key signed still counts: rotate, and wait until it is over; or retire \
                     it at once",
                ));
            }
            writing.delete_signing_key(id)?;
            keys.retain(|key| key.id != id);
            if keys.iter().all(|key| key.stage == Stage::Over) {
                draw(writing, &master, now)?;
            }
            Ok(())
        });
        done.await.map_err(|error| error.or_missing(|| format!("assertion key `{id}`")))
    }

    /// Keys sign for the guards of all organizations.
    async fn needs_of_keys(&self) -> Result<Needs, ActionError> {
        Ok(Needs::one(MANAGE_GUARDS, self.root().await?.id))
    }
}

/// Adds a new key, and says so in the audit trail.
fn insert(
    writing: &mut Writing<'_>,
    master: &MasterKey,
    from: Timestamp,
) -> Result<Id<SigningKey>, StoreError> {
    let id = draw(writing, master, from)?;
    writing.note(format!("assertion key {id}"), "");
    Ok(id)
}

fn draw(
    writing: &mut Writing<'_>,
    master: &MasterKey,
    from: Timestamp,
) -> Result<Id<SigningKey>, StoreError> {
    let drawn = signing::draw(master, writing.now)?;
    writing.insert_signing_key(&drawn, from)?;
    Ok(drawn.id)
}

/// The keys with what each is for at `now`.
fn staged(rows: &[SigningKeyRow], now: Timestamp) -> Vec<AssertionKey> {
    let told = rows.iter().zip(stages(rows.iter().map(|row| row.signs_from), now));
    let told = told.map(|(row, stage)| AssertionKey {
        id: row.drawn.id,
        signs_from: row.signs_from,
        created: row.created,
        stage,
    });
    told.collect()
}
