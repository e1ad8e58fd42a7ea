//! How commands name organizations and users.

use clap::Args;
use portcullis_core::id::Id;
use portcullis_core::organization::Organization;
use portcullis_store::users::UserRow;

use crate::actions::{ActionError, Actions};

/// Where to look: an organization by its number.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct InOrganization {
    /// The number of the organization; the root is 1
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    organization: i64,
}

/// Whose login names are meant: those of a realm.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct InRealm {
    /// The number of the realm, or of an organization in it [default: that of --organization,
    /// where there is one; else the root]
    #[arg(long, value_name = "NUMBER")]
    realm: Option<i64>,
}

impl InOrganization {
    /// How the next command says that it means the realm of this organization.
    pub(super) fn as_realm(self) -> String {
        self.told("--realm")
    }

    /// How the next command says that it means this organization too.
    pub(super) fn as_organization(self) -> String {
        self.told("--organization")
    }

    fn told(self, option: &str) -> String {
        if self.organization == ROOT {
            String::new()
        } else {
            format!(" {option} {}", self.organization)
        }
    }

    pub(super) async fn find(self, actions: &Actions) -> Result<Organization, ActionError> {
        find(actions, self.organization).await
    }
}

impl InRealm {
    /// The same; where nothing is said, the realm of `place`.
    pub(super) fn or(self, place: InOrganization) -> Self {
        Self { realm: self.realm.or(Some(place.organization)) }
    }

    pub(super) async fn find(self, actions: &Actions) -> Result<Id<Organization>, ActionError> {
        let organization = find(actions, self.realm.unwrap_or(ROOT)).await?.id;
        Ok(actions.store.read(move |reading| reading.realm_of(organization)).await?)
    }

    /// The user with this login name, or with this number.
    pub(super) async fn user(self, actions: &Actions, login: &str) -> Result<UserRow, ActionError> {
        let realm = self.find(actions).await?;
        match (actions.find_user(realm, login).await, login.parse()) {
            // Who was made by a script may have no login name.
            (Err(ActionError::Missing(_)), Ok(number)) => {
                actions.find_user_numbered(realm, number).await
            }
            (found, _) => found,
        }
    }
}

/// The number of the root organization.
const ROOT: i64 = 1;

/// The organization with this number, wherever it stands.
pub(super) async fn find(actions: &Actions, number: i64) -> Result<Organization, ActionError> {
    let root = actions.root().await?;
    if number == root.number { Ok(root) } else { actions.find_organization(root.id, number).await }
}
