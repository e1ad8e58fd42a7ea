//! Guards. Those of the configuration file are changed there alone.

use std::sync::Arc;

use portcullis_core::ability::MANAGE_GUARDS;
use portcullis_core::guard::{
    BadGuard, Definition, Guard, GuardTable, Kind, Overlap, Source, Standing,
};
use portcullis_core::id::{Id, Revision};
use portcullis_core::organization::Organization;
use portcullis_store::StoreError;
use portcullis_store::guards::GuardRow;

use super::authority::Needs;
use super::mounts::leave_room;
use super::{ActionError, Actions, Deed};

fn needs(organization: Id<Organization>) -> Needs {
    Needs::one(MANAGE_GUARDS, organization)
}

/// A guard of the configuration file, and the organization it belongs to.
pub(crate) type FileGuard = (Id<Organization>, Definition);

impl Actions {
    /// Makes a guard of `organization`.
    pub(crate) async fn create_guard(
        &self,
        organization: Id<Organization>,
        definition: Definition,
    ) -> Result<(), ActionError> {
        // Told before anything is written, and looked at again under the write's own revision.
        let wanted = [(organization, definition.clone())];
        let standing = self.list_guards().await?;
        if let Some(taken) = standing.iter().find(|row| row.definition.name == definition.name) {
            return Err(ActionError::Exists(named(&taken.definition)));
        }
        let guards = fit(&standing, &wanted)?;
        leave_room(&self.list_mounts().await?, &guards, self.paths)?;
        self.prepare_for(&wanted).await?;
        let (told, paths) = (named(&definition), self.paths);
        let made = self.act(Deed::new("guard.create", needs(organization)), move |writing| {
            writing.note(format!("{} {}", definition.kind.word(), definition.name), "");
            let guards = fit(&writing.list_guards()?, &wanted).map_err(|_| StoreError::Conflict)?;
            leave_room(&writing.list_mounts()?, &guards, paths)
                .map_err(|_| StoreError::Conflict)?;
            writing.insert_guard(organization, Source::Store, &definition).map(drop)
        });
        made.await.map_err(|error| error.or_exists(|| format!("{told}, or another in its place,")))
    }

    /// Makes the guard of the store another one of the same name, whose secrets go on counting.
    pub(crate) async fn change_guard(
        &self,
        guard: &GuardRow,
        definition: Definition,
    ) -> Result<(), ActionError> {
        let (id, wanted) = (guard.id, [(guard.organization, definition.clone())]);
        let mut others = self.list_guards().await?;
        others.retain(|row| row.id != id);
        let guards = fit(&others, &wanted)?;
        leave_room(&self.list_mounts().await?, &guards, self.paths)?;
        self.prepare_for(&wanted).await?;
        let paths = self.paths;
        let deed = Deed::new("guard.change", needs(guard.organization)).urgent();
        self.act(deed, move |writing| {
            writing.note(format!("guard {}", definition.name), "");
            let mut others = writing.list_guards()?;
            others.retain(|row| row.id != id);
            let guards = fit(&others, &wanted).map_err(|_| StoreError::Conflict)?;
            leave_room(&writing.list_mounts()?, &guards, paths)
                .map_err(|_| StoreError::Conflict)?;
            writing.update_guard(id, &definition)
        })
        .await
    }

    /// The guard called `name`, of whichever kind.
    pub(crate) async fn find_guard(&self, name: &str) -> Result<GuardRow, ActionError> {
        let found = self.list_guards().await?.into_iter().find(|row| row.definition.name == name);
        found.ok_or_else(|| ActionError::Missing(format!("guard `{name}`")))
    }

    /// The listeners that no mount of `dialect` leads to, for none stands in their realms.
    pub(crate) async fn unmounted(
        &self,
        dialect: &'static str,
    ) -> Result<Vec<String>, ActionError> {
        let found = self.store.read(move |reading| {
            let mounts = reading.list_mounts()?.into_iter();
            let leading = mounts.filter(|row| row.definition.dialect == dialect);
            let realms: Vec<_> = leading.map(|row| row.organization).collect();
            let mut listeners = reading.list_guards()?;
            listeners.retain(|row| row.definition.kind == Kind::Listener);
            let mut found = Vec::new();
            for row in listeners {
                found.push((reading.realm_of(row.organization)?, row.definition.name));
            }
            let unmounted = found.into_iter().filter(|(realm, _)| !realms.contains(realm));
            Ok(unmounted.map(|(_, id)| id).collect())
        });
        Ok(found.await?)
    }

    /// Every guard that stands.
    pub(crate) async fn list_guards(&self) -> Result<Vec<GuardRow>, ActionError> {
        Ok(self.store.read(|reading| reading.list_guards()).await?)
    }

    /// Makes the guards of the configuration file stand, and no others of it. A name that stands in
    /// the store too is a mistake.
    pub(crate) async fn set_file_guards(&self, wanted: Vec<FileGuard>) -> Result<(), ActionError> {
        let standing = self.list_guards().await?;
        let (of_file, others): (Vec<_>, Vec<_>) =
            standing.into_iter().partition(|row| row.source == Source::File);
        let told = of_file.iter().map(|row| (row.organization, &row.definition));
        if told.eq(sorted(&wanted)) {
            return Ok(());
        }
        if !of_file.is_empty() && self.is_anothers(wanted.is_empty(), "guards").await? {
            return Ok(());
        }
        let guards = fit(&others, &wanted)?;
        let mounts = self.list_mounts().await?;
        let of_store = mounts.into_iter().filter(|row| row.source == Source::Store);
        leave_room(&of_store.collect::<Vec<_>>(), &guards, self.paths)?;
        self.prepare_for(&wanted).await?;
        let root = self.root().await?.id;
        let done = self.act(Deed::new("guard.file", needs(root)).urgent(), move |writing| {
            writing.note("guards of the configuration file", format!("{}", wanted.len()));
            // What stays has its identity still: secrets of it go on counting.
            let stays = |row: &GuardRow, (organization, it): &FileGuard| {
                row.definition.name == it.name && row.organization == *organization
            };
            for row in of_file.iter().filter(|row| !wanted.iter().any(|it| stays(row, it))) {
                writing.delete_guard(&row.definition.name, Source::File)?;
            }
            wanted.iter().try_for_each(|it| match of_file.iter().find(|row| stays(row, it)) {
                Some(row) if row.definition == it.1 => Ok(()),
                Some(row) => writing.update_guard(row.id, &it.1),
                None => writing.insert_guard(it.0, Source::File, &it.1).map(drop),
            })
        });
        done.await.map_err(|error| {
            error.or_exists(|| "a guard of the configuration file, in the store,".into())
        })
    }

    /// A guard that asserts has a key to do it with before it stands.
    async fn prepare_for(&self, wanted: &[FileGuard]) -> Result<(), ActionError> {
        match wanted.iter().find(|(_, definition)| definition.assertion) {
            Some((organization, _)) => self.ensure_assertion_key(*organization).await,
            None => Ok(()),
        }
    }

    /// Deletes a guard: its address answers no more.
    pub(crate) async fn delete_guard(&self, guard: &GuardRow) -> Result<(), ActionError> {
        if guard.source == Source::File {
            return Err(ActionError::Unfit(
                "this guard stands in the configuration file; delete it there",
            ));
        }
        let (wanted, kind) = (guard.definition.name.clone(), guard.definition.kind);
        let told = named(&guard.definition);
        let deed = Deed::new("guard.delete", needs(guard.organization)).urgent();
        let done = self.act(deed, move |writing| {
            writing.note(format!("{} {wanted}", kind.word()), "");
            writing.delete_guard(&wanted, Source::Store)
        });
        done.await.map_err(|error| error.or_missing(|| format!("{told} in the store")))
    }
}

/// A guard as a message names it.
fn named(definition: &Definition) -> String {
    format!("{} `{}`", definition.kind.word(), definition.name)
}

/// Why guards cannot stand side by side.
#[derive(Debug, thiserror::Error)]
enum Unfit {
    #[error(transparent)]
    Bad(#[from] BadGuard),
    #[error(transparent)]
    Overlap(#[from] Overlap),
}

impl From<Unfit> for ActionError {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::Bad(bad) => bad.into(),
            Unfit::Overlap(overlap) => overlap.into(),
        }
    }
}

/// Whether the guards `wanted` can be built, and stand beside those that are `standing`; all.
fn fit(standing: &[GuardRow], wanted: &[FileGuard]) -> Result<Vec<Arc<Guard>>, Unfit> {
    let (mut table, mut all) = (GuardTable::default(), Vec::new());
    for row in standing {
        let place = Standing {
            id: row.id,
            version: row.version,
            source: row.source,
            organization: row.organization,
            realm: row.organization,
        };
        all.push(Arc::new(row.definition.build(place)?));
    }
    for (number, (organization, definition)) in (0_u16..).zip(wanted) {
        all.push(Arc::new(definition.build(new(number, *organization))?));
    }
    all.iter().try_for_each(|guard| table.insert(guard))?;
    Ok(all)
}

/// In the order in which the store lists them.
fn sorted(guards: &[FileGuard]) -> impl Iterator<Item = (Id<Organization>, &Definition)> {
    let mut sorted: Vec<_> = guards.iter().map(|(at, definition)| (*at, definition)).collect();
    sorted.sort_by(|(_, a), (_, b)| a.name.cmp(&b.name));
    sorted.into_iter()
}

/// Where a guard would stand that has no row yet, told apart from others by its number.
fn new(number: u16, organization: Id<Organization>) -> Standing {
    let id = (u128::MAX - u128::from(number)).to_be_bytes();
    Standing {
        id: Id::from_bytes(id),
        version: Revision(0),
        source: Source::Store,
        organization,
        realm: organization,
    }
}
