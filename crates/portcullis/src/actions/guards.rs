//! Guards. Those of the configuration file are changed there alone.

use std::sync::Arc;

use portcullis_core::guard::{Definition, GuardTable, Source, Standing};
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
        Ok(table.insert(&Arc::new(definition.build(new(0, root))?))?)
    }

    /// Every guard that stands.
    pub(crate) async fn list_guards(&self) -> Result<Vec<GuardRow>, ActionError> {
        Ok(self.store.read(|reading| reading.list_guards()).await?)
    }

    /// Makes the guards of the configuration file stand, and no others of it. A name that stands in
    /// the store too is a mistake.
    pub(crate) async fn set_file_guards(&self, wanted: Vec<Definition>) -> Result<(), ActionError> {
        let root = self.root().await?;
        let standing = self.list_guards().await?;
        let of_file = standing.iter().filter(|row| row.source == Source::File);
        if of_file.map(|row| &row.definition).eq(sorted(&wanted)) {
            return Ok(());
        }
        let mut table = GuardTable::default();
        for row in standing.iter().filter(|row| row.source == Source::Store) {
            table.insert(&Arc::new(row.definition.build(self::standing(row, root))?))?;
        }
        for (number, definition) in (0_u16..).zip(&wanted) {
            table.insert(&Arc::new(definition.build(new(number, root))?))?;
        }
        let done = self.store.write(self.write("guard.file")?.urgent(), move |writing| {
            writing.note("guards of the configuration file", format!("{}", wanted.len()));
            for row in standing.iter().filter(|row| row.source == Source::File) {
                writing.delete_guard(&row.definition.name, Source::File)?;
            }
            wanted.iter().try_for_each(|it| writing.insert_guard(root, Source::File, it).map(drop))
        });
        let done = done.await.map_err(|error| {
            ActionError::or_exists(error, "a guard of the configuration file, in the store,".into())
        })?;
        self.acknowledge.wait(&self.store, done.revision).await
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

/// In the order in which the store lists them.
fn sorted(definitions: &[Definition]) -> Vec<&Definition> {
    let mut sorted: Vec<&Definition> = definitions.iter().collect();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    sorted
}

/// Where a guard would stand that has no row yet, told apart from others by its number.
fn new(number: u16, root: Id<Organization>) -> Standing {
    let id = (u128::MAX - u128::from(number)).to_be_bytes();
    Standing {
        id: Id::from_bytes(id),
        version: Revision(0),
        source: Source::Store,
        organization: root,
        realm: root,
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
