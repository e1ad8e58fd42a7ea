//! Mounts of dialects. Those of the configuration file are changed there alone.

use std::sync::Arc;

use portcullis_core::ability::MANAGE_GUARDS;
use portcullis_core::guard::{Guard, Source, Standing};
use portcullis_core::id::{Id, Revision};
use portcullis_core::mount::{self, BadMount, Definition, MAX_MOUNTS, Mount};
use portcullis_core::organization::Organization;
use portcullis_store::guards::GuardRow;
use portcullis_store::mounts::MountRow;
use portcullis_store::{StoreError, Writing};

use super::authority::Needs;
use super::{ActionError, Actions, Deed};

/// The paths below its prefix that a mount's dialect answers for.
pub(crate) type Paths = fn(&Mount) -> Vec<&'static str>;

/// A mount of the configuration file, and the realm whose objects are seen there.
pub(crate) type FileMount = (Id<Organization>, Definition);

fn needs(organization: Id<Organization>) -> Needs {
    Needs::one(MANAGE_GUARDS, organization)
}

impl Actions {
    /// Mounts a dialect for `realm`.
    pub(crate) async fn create_mount(
        &self,
        realm: &Organization,
        definition: Definition,
    ) -> Result<(), ActionError> {
        let paths = self.paths;
        if !realm.realm {
            return Err(ActionError::Unfit("a dialect can be mounted for a realm alone"));
        }
        let (realm, wanted) = (realm.id, vec![(realm.id, definition)]);
        // Told before anything is written, and looked at again under the write's own revision.
        fit(&self.list_mounts().await?, &wanted, &self.list_guards().await?, paths)?;
        let told = wanted.first().map(|(_, it)| it.name.clone()).unwrap_or_default();
        let made = self.act(Deed::new("mount.create", needs(realm)), move |writing| {
            insert(writing, &wanted, Source::Store, paths)
        });
        made.await.map_err(|error| {
            error.or_exists(|| format!("mount `{told}`, or another in its place,"))
        })
    }

    /// The mount called `name`.
    pub(crate) async fn find_mount(&self, name: &str) -> Result<MountRow, ActionError> {
        let found = self.list_mounts().await?.into_iter().find(|row| row.definition.name == name);
        found.ok_or_else(|| ActionError::Missing(format!("mount `{name}`")))
    }

    /// Every mount that stands.
    pub(crate) async fn list_mounts(&self) -> Result<Vec<MountRow>, ActionError> {
        Ok(self.store.read(|reading| reading.list_mounts()).await?)
    }

    /// Makes the mounts of the configuration file stand, and no others of it.
    pub(crate) async fn set_file_mounts(&self, wanted: Vec<FileMount>) -> Result<(), ActionError> {
        let paths = self.paths;
        let (of_file, others): (Vec<_>, Vec<_>) =
            self.list_mounts().await?.into_iter().partition(|row| row.source == Source::File);
        let told = of_file.iter().map(|row| (row.organization, &row.definition));
        if told.eq(sorted(&wanted)) {
            return Ok(());
        }
        if !of_file.is_empty() && self.is_anothers(wanted.is_empty(), "mounts").await? {
            return Ok(());
        }
        fit(&others, &wanted, &self.list_guards().await?, paths)?;
        let root = self.root().await?.id;
        let done = self.act(Deed::new("mount.file", needs(root)).urgent(), move |writing| {
            for row in &of_file {
                writing.delete_mount(&row.definition.name, Source::File)?;
            }
            insert(writing, &wanted, Source::File, paths)?;
            writing.note("mounts of the configuration file", format!("{}", wanted.len()));
            Ok(())
        });
        done.await.map_err(|error| {
            error.or_exists(|| "a mount of the configuration file, in the store,".into())
        })
    }

    /// Deletes a mount: its addresses are guards' again.
    pub(crate) async fn delete_mount(&self, mount: &MountRow) -> Result<(), ActionError> {
        if mount.source == Source::File {
            return Err(ActionError::Unfit(
                "this mount stands in the configuration file; delete it there",
            ));
        }
        let name = mount.definition.name.clone();
        self.act(Deed::new("mount.delete", needs(mount.organization)).urgent(), move |writing| {
            writing.note(format!("mount {name}"), "");
            writing.delete_mount(&name, Source::Store)
        })
        .await
    }
}

fn insert(
    writing: &mut Writing<'_>,
    wanted: &[FileMount],
    source: Source,
    paths: Paths,
) -> Result<(), StoreError> {
    if fit(&writing.list_mounts()?, wanted, &writing.list_guards()?, paths).is_err() {
        return Err(StoreError::Conflict);
    }
    for (realm, definition) in wanted {
        writing.note(format!("mount {}", definition.name), &*definition.dialect);
        writing.insert_mount(*realm, source, definition)?;
    }
    Ok(())
}

/// Whether the mounts that are `standing` can stand beside the guards `wanted` and all others.
pub(super) fn leave_room(
    standing: &[MountRow],
    guards: &[Arc<Guard>],
    paths: Paths,
) -> Result<(), ActionError> {
    let mounts = standing.iter().map(MountRow::build).collect::<Result<Vec<_>, _>>()?;
    Ok(mount::fit(&mounts, guards, paths)?)
}

/// Whether the mounts `wanted` can stand beside those that are `standing`, and beside all guards.
fn fit(
    standing: &[MountRow],
    wanted: &[FileMount],
    guards: &[GuardRow],
    paths: Paths,
) -> Result<(), ActionError> {
    let mut mounts = Vec::new();
    for row in standing {
        mounts.push(row.build()?);
    }
    for (realm, definition) in wanted {
        let stamp = (Id::from_bytes([0; 16]), Revision(0));
        mounts.push(definition.build(stamp, Source::Store, *realm)?);
    }
    if mounts.len() > MAX_MOUNTS {
        return Err(ActionError::Unfit("there are at most 100 mounts"));
    }
    let guards = guards.iter().map(build).collect::<Result<Vec<_>, _>>()?;
    Ok(mount::fit(&mounts, &guards, paths)?)
}

fn build(row: &GuardRow) -> Result<Arc<Guard>, BadMount> {
    let standing = Standing {
        id: row.id,
        version: row.version,
        source: row.source,
        organization: row.organization,
        realm: row.organization,
    };
    Ok(Arc::new(row.definition.build(standing)?))
}

/// In the order in which the store lists them.
fn sorted(mounts: &[FileMount]) -> impl Iterator<Item = (Id<Organization>, &Definition)> {
    let mut sorted: Vec<_> = mounts.iter().map(|(at, definition)| (*at, definition)).collect();
    sorted.sort_by(|(_, a), (_, b)| a.name.cmp(&b.name));
    sorted.into_iter()
}
