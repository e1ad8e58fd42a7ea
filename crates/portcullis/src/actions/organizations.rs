//! Organizations: the tree of tenants.

use portcullis_core::ability::MANAGE_ORGANIZATIONS;
use portcullis_core::id::Id;
use portcullis_core::name;
use portcullis_core::organization::{Organization, State};
use portcullis_store::organizations::NewOrganization;

use super::authority::Needs;
use super::{ActionError, Actions, Deed};

fn needs(organization: Id<Organization>) -> Needs {
    Needs::one(MANAGE_ORGANIZATIONS, organization)
}

/// Whoever changes an organization holds the right above it, and so never changes their own.
fn needs_above(organization: &Organization) -> Needs {
    needs(organization.parent.unwrap_or(organization.id))
}

impl Actions {
    /// The root of the tree.
    pub(crate) async fn root(&self) -> Result<Organization, ActionError> {
        let root = self.store.read(|reading| reading.find_root()).await?;
        root.ok_or_else(|| ActionError::Missing("root organization".into()))
    }

    /// The organization with this number, at or below `top`.
    pub(crate) async fn find_organization(
        &self,
        top: Id<Organization>,
        number: i64,
    ) -> Result<Organization, ActionError> {
        let found = self.store.read(move |reading| reading.find_organization(top, number)).await?;
        found.ok_or_else(|| ActionError::Missing(format!("organization {number}")))
    }

    /// A page of `top` and all below it, numbered above `after`.
    pub(crate) async fn list_organizations(
        &self,
        top: Id<Organization>,
        after: i64,
        count: i64,
    ) -> Result<Vec<Organization>, ActionError> {
        let page = self.store.read(move |reading| reading.list_organizations(top, after, count));
        Ok(page.await?)
    }

    /// Makes an organization below `parent`.
    pub(crate) async fn create_organization(
        &self,
        parent: &Organization,
        name: &str,
        realm: bool,
    ) -> Result<Organization, ActionError> {
        let name = name::title(name)?.to_owned();
        let new = NewOrganization { parent: Some(parent.id), name, realm };
        self.act(Deed::new("organization.create", needs(parent.id)), move |writing| {
            let made = writing.insert_organization(&new)?;
            writing.note(format!("organization {}", made.number), &*new.name);
            Ok(made)
        })
        .await
    }

    /// Gives an organization another name.
    pub(crate) async fn rename_organization(
        &self,
        organization: &Organization,
        name: &str,
    ) -> Result<(), ActionError> {
        let (id, number) = (organization.id, organization.number);
        let name = name::title(name)?.to_owned();
        self.act(Deed::new("organization.rename", needs_above(organization)), move |writing| {
            writing.note(format!("organization {number}"), &*name);
            writing.rename_organization(id, &name)
        })
        .await
    }

    /// Switches an organization, and with it everything below.
    pub(crate) async fn set_organization_state(
        &self,
        organization: &Organization,
        state: State,
    ) -> Result<(), ActionError> {
        let (id, number) = (organization.id, organization.number);
        if organization.parent.is_none() {
            return Err(ActionError::Unfit("the root organization is always active"));
        }
        let deed = Deed::new("organization.state", needs_above(organization)).urgent();
        self.act(deed, move |writing| {
            writing.note(format!("organization {number}"), state.as_str());
            match state {
                State::Deleted => writing.delete_organization(id),
                State::Active | State::Disabled => writing.set_organization_state(id, state),
            }
        })
        .await
    }
}
