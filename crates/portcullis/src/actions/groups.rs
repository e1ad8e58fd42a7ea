//! Groups: named sets of users that hold roles together.

use portcullis_core::ability::MANAGE_USERS;
use portcullis_core::id::Id;
use portcullis_core::name;
use portcullis_core::organization::{Organization, State};
use portcullis_store::groups::GroupRow;
use portcullis_store::users::UserRow;

use super::authority::Needs;
use super::{ActionError, Actions, Deed};

fn needs(organization: Id<Organization>) -> Needs {
    Needs::one(MANAGE_USERS, organization)
}

impl Actions {
    /// Makes a group of `organization`.
    pub(crate) async fn create_group(
        &self,
        organization: Id<Organization>,
        name: &str,
    ) -> Result<(), ActionError> {
        let name = name::title(name)?.to_owned();
        let told = name.clone();
        let made = self.act(Deed::new("group.create", needs(organization)), move |writing| {
            writing.note(format!("group {name}"), "");
            writing.insert_group(organization, &name).map(drop)
        });
        made.await.map_err(|error| error.or_exists(|| format!("group `{told}`")))
    }

    /// The group of `organization` that is called `name`.
    pub(crate) async fn find_group(
        &self,
        organization: Id<Organization>,
        name: &str,
    ) -> Result<GroupRow, ActionError> {
        let wanted = name.to_owned();
        let found = self.store.read(move |reading| reading.find_group(organization, &wanted));
        found.await?.ok_or_else(|| ActionError::Missing(format!("group `{name}`")))
    }

    /// The groups of `organization` itself.
    pub(crate) async fn list_groups(
        &self,
        organization: Id<Organization>,
    ) -> Result<Vec<GroupRow>, ActionError> {
        Ok(self.store.read(move |reading| reading.list_groups(organization)).await?)
    }

    /// The groups that a user is in.
    pub(crate) async fn list_groups_of(
        &self,
        user: &UserRow,
    ) -> Result<Vec<GroupRow>, ActionError> {
        let id = user.id;
        Ok(self.store.read(move |reading| reading.list_groups_of(id)).await?)
    }

    /// A page of the users in a group, numbered above `after`.
    pub(crate) async fn list_members(
        &self,
        group: &GroupRow,
        after: i64,
    ) -> Result<Vec<UserRow>, ActionError> {
        let id = group.id;
        Ok(self.store.read(move |reading| reading.list_members(id, after)).await?)
    }

    /// Puts a user into a group, or takes them out of it.
    pub(crate) async fn set_member(
        &self,
        group: &GroupRow,
        user: &UserRow,
        state: State,
    ) -> Result<(), ActionError> {
        let (group_id, user_id, name) = (group.id, user.id, group.name.clone());
        let deed = Deed::new("group.member", needs(group.organization));
        let deed = if state == State::Active { deed } else { deed.urgent() };
        self.act(deed, move |writing| {
            writing.note(format!("group {name}"), format!("user {user_id} {}", state.as_str()));
            writing.set_member(user_id, group_id, state)
        })
        .await
    }

    /// Deletes a group: its members lose what they held through it.
    pub(crate) async fn delete_group(&self, group: &GroupRow) -> Result<(), ActionError> {
        let (id, name) = (group.id, group.name.clone());
        self.act(Deed::new("group.delete", needs(group.organization)).urgent(), move |writing| {
            writing.note(format!("group {name}"), "");
            writing.delete_group(id)
        })
        .await
    }
}
