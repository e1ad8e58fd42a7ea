//! The first things of an installation: the root organization and the built-in roles.

use portcullis_core::organization::Organization;
use portcullis_store::organizations::NewOrganization;
use portcullis_store::{Store, StoreError, Write};

/// What the root organization is called until somebody renames it.
const ROOT: &str = "Root";

/// Makes the root organization, if there is none, and brings the built-in roles up to this build.
pub(crate) async fn prepare(store: &Store) -> Result<Organization, StoreError> {
    let (root, current) =
        store.read(|reading| Ok((reading.find_root()?, reading.has_built_in_roles()?))).await?;
    match (root, current) {
        (Some(root), true) => Ok(root),
        (Some(root), false) => {
            store
                .write(Write::new("server", "roles.prepare")?, |writing| {
                    writing.note("built-in roles", "");
                    writing.upsert_built_in_roles()
                })
                .await?;
            Ok(root)
        }
        (None, _) => {
            let made = store.write(Write::new("server", "setup")?, |writing| {
                let new = NewOrganization { parent: None, name: ROOT.into(), realm: true };
                writing.upsert_built_in_roles()?;
                writing.note("organization 1", "");
                writing.insert_organization(&new)
            });
            Ok(made.await?.value)
        }
    }
}
