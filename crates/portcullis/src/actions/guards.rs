//! Guards. Those of the configuration file are changed there alone.

use std::sync::Arc;

use portcullis_core::guard::{Definition, Guard, GuardTable, Source, Standing};
use portcullis_core::id::{Id, Revision};
use portcullis_core::organization::Organization;
use portcullis_store::guards::GuardRow;

use super::{ActionError, Actions};

impl Actions {
    /// Makes a guard of the root organization.
    pub(crate) async fn create_guard(&self, definition: Definition) -> Result<(), ActionError> {
        let root = self.root().await?;
        self.check_fit(&definition, root).await?;
        let told = definition.name.clone();
        let made = self.store.write(self.write("guard.create")?, move |writing| {
            writing.note(format!("guard {}", definition.name), "");
            writing.insert_guard(root, Source::Store, &definition)
        });
        let made =
            made.await.map_err(|error| ActionError::or_exists(error, format!("guard `{told}`")))?;
        self.acknowledge.wait(&self.store, made.revision).await
    }

    /// Whether the guard can stand beside all others.
    async fn check_fit(
        &self,
        definition: &Definition,
        root: Id<Organization>,
    ) -> Result<(), ActionError> {
        let mut table = GuardTable::default();
        for row in self.list_guards().await? {
            table.insert(&Arc::new(row.definition.build(standing(&row, root))?))?;
        }
        let new = Standing {
            id: Id::from_bytes([0xff; 16]),
            version: Revision(0),
            source: Source::Store,
            organization: root,
            realm: root,
        };
        let guard: Arc<Guard> = Arc::new(definition.build(new)?);
        Ok(table.insert(&guard)?)
    }

    /// Every guard that stands.
    pub(crate) async fn list_guards(&self) -> Result<Vec<GuardRow>, ActionError> {
        Ok(self.store.read(|reading| reading.list_guards()).await?)
    }

    /// Deletes a guard: its address answers no more.
    pub(crate) async fn delete_guard(&self, name: &str) -> Result<(), ActionError> {
        let (wanted, write) = (name.to_owned(), self.write("guard.delete")?.urgent());
        let done = self.store.write(write, move |writing| {
            writing.note(format!("guard {wanted}"), "");
            writing.delete_guard(&wanted, Source::Store)
        });
        let done = done.await.map_err(|error| {
            ActionError::or_missing(error, format!("guard `{name}` in the store"))
        })?;
        self.acknowledge.wait(&self.store, done.revision).await
    }
}

const fn standing(row: &GuardRow, realm: Id<Organization>) -> Standing {
    Standing {
        id: row.id,
        version: row.version,
        source: row.source,
        organization: row.organization,
        realm,
    }
}
