//! The first things of an installation: root, built-in roles, and the users 1 and 2.

use portcullis_core::id::Id;
use portcullis_core::organization::Organization;
use portcullis_store::users::NewUser;

use super::{ActionError, Actions};

impl Actions {
    /// The root organization; makes it, with what every realm begins with, if there is none.
    pub(crate) async fn root(&self) -> Result<Id<Organization>, ActionError> {
        if let Some(root) = self.store.read(|reading| reading.find_root()).await? {
            return Ok(root.id);
        }
        let made = self.store.write(self.write("setup")?, |writing| {
            let root = writing.insert_organization(None, "Root")?;
            writing.insert_built_in_roles()?;
            let user = |login: &str, name: &str, signs_in| NewUser {
                organization: root,
                login: Some(login.into()),
                name: name.into(),
                signs_in,
            };
            writing.insert_user(&user("admin", "Administrator", true))?;
            writing.insert_user(&user("anonymous", "Anonymous", false))?;
            writing.note("organization 1", "");
            Ok(root)
        });
        Ok(made.await?.value)
    }
}
