//! Roles: sets of abilities, and who holds them where.

use std::collections::BTreeSet;

use portcullis_core::ability::{Ability, BUILT_IN, HOLD_HUB_SECRET, MANAGE_ROLES};
use portcullis_core::id::Id;
use portcullis_core::name;
use portcullis_core::organization::{Organization, State};
use portcullis_core::principal::{Grant, Holder, Role};
use portcullis_core::scheme::HUB_TOKEN;
use portcullis_store::roles::Held;

use super::authority::Needs;
use super::{ActionError, Actions, Deed};

/// A role allows at most so many abilities.
pub(crate) const MAX_ABILITIES: usize = 200;

fn needs(organization: Id<Organization>) -> Needs {
    Needs::one(MANAGE_ROLES, organization)
}

impl Actions {
    /// Makes a role of `organization`.
    pub(crate) async fn create_role(
        &self,
        organization: Id<Organization>,
        name: &str,
        abilities: &[String],
    ) -> Result<(), ActionError> {
        let name = name::title(name)?.to_owned();
        if is_built_in(&name) {
            return Err(ActionError::Exists(format!("the built-in role `{name}`")));
        }
        let abilities = parse(abilities)?;
        let told = name.clone();
        let needs = needs(organization).and_abilities(abilities.iter().map(Ability::to_string));
        let made = self.act(Deed::new("role.create", needs), move |writing| {
            let names: Vec<_> = abilities.iter().map(Ability::as_str).collect();
            writing.note(format!("role {name}"), names.join(", "));
            writing.insert_role(Some(organization), &name, &names).map(drop)
        });
        made.await.map_err(|error| error.or_exists(|| format!("role `{told}`")))
    }

    /// The role that is called `name` in `organization`: built-in, its own, or one from above.
    pub(crate) async fn find_role(
        &self,
        organization: Id<Organization>,
        name: &str,
    ) -> Result<Role, ActionError> {
        let wanted = name.to_owned();
        let found = self.store.read(move |reading| reading.find_role(organization, &wanted));
        found.await?.ok_or_else(|| ActionError::Missing(format!("role `{name}`")))
    }

    /// The roles of `organization` itself and the built-in ones.
    pub(crate) async fn list_roles(
        &self,
        organization: Id<Organization>,
    ) -> Result<Vec<Role>, ActionError> {
        Ok(self.store.read(move |reading| reading.list_roles(organization)).await?)
    }

    /// Changes what a role allows: `add` and then `remove`.
    pub(crate) async fn change_role(
        &self,
        organization: Id<Organization>,
        name: &str,
        (add, remove): (&[String], &[String]),
    ) -> Result<(), ActionError> {
        let role = self.find_changeable(organization, name).await?;
        let (add, remove) = (parse(add)?, parse(remove)?);
        let abilities: BTreeSet<Ability> =
            role.abilities.union(&add).filter(|it| !remove.contains(*it)).cloned().collect();
        if abilities.len() > MAX_ABILITIES {
            return Err(ActionError::Unfit("a role allows at most 200 abilities"));
        }
        let name = name.to_owned();
        let all = role.abilities.union(&abilities).map(Ability::to_string);
        let needs = needs(organization).and_abilities(all.collect::<Vec<_>>());
        self.act(Deed::new("role.change", needs).urgent(), move |writing| {
            let names: Vec<_> = abilities.iter().map(Ability::as_str).collect();
            writing.note(format!("role {name}"), names.join(", "));
            writing.set_role_abilities(role.id, &abilities)
        })
        .await
    }

    /// Deletes a role, whoever holds it.
    pub(crate) async fn delete_role(
        &self,
        organization: Id<Organization>,
        name: &str,
    ) -> Result<(), ActionError> {
        let (role, name) = (self.find_changeable(organization, name).await?, name.to_owned());
        let needs = needs(organization).and_role(&role);
        self.act(Deed::new("role.delete", needs).urgent(), move |writing| {
            writing.note(format!("role {name}"), "");
            writing.delete_role(role.id)
        })
        .await
    }

    async fn find_changeable(
        &self,
        organization: Id<Organization>,
        name: &str,
    ) -> Result<Role, ActionError> {
        if is_built_in(name) {
            return Err(ActionError::Unfit("a built-in role never changes"));
        }
        self.find_role(organization, name).await
    }

    /// Gives `holder` the role in `organization` and below, or takes it away.
    pub(crate) async fn set_grant(
        &self,
        holder: Holder,
        role: &Role,
        (organization, state): (Id<Organization>, State),
    ) -> Result<(), ActionError> {
        let grant = Grant { role: role.id, organization };
        let deed = Deed::new("role.grant", needs(organization).and_role(role));
        let deed = if state == State::Active { deed } else { deed.urgent() };
        let subject = match holder {
            Holder::Group(id) => format!("group {id}"),
            Holder::User(id) => format!("user {id}"),
        };
        let detail = format!("{} {}", role.name, state.as_str());
        let loses = state != State::Active && role.abilities.contains(HOLD_HUB_SECRET);
        self.act(deed, move |writing| {
            writing.note(&subject, &*detail);
            if let (Holder::User(user), true) = (holder, loses && writing.holds(holder, grant)?) {
                // Dies with the role, whatever role comes later.
                writing.take_credentials(user, HUB_TOKEN)?;
            }
            writing.set_grant(holder, grant, state)
        })
        .await
    }

    /// The roles that `holder` holds.
    pub(crate) async fn list_grants(&self, holder: Holder) -> Result<Vec<Held>, ActionError> {
        Ok(self.store.read(move |reading| reading.list_grants(holder)).await?)
    }
}

fn is_built_in(name: &str) -> bool {
    BUILT_IN.iter().any(|role| role.name.eq_ignore_ascii_case(name))
}

fn parse(names: &[String]) -> Result<BTreeSet<Ability>, ActionError> {
    if names.len() > MAX_ABILITIES {
        return Err(ActionError::Unfit("a role allows at most 200 abilities"));
    }
    Ok(names.iter().map(|name| Ability::parse(name)).collect::<Result<_, _>>()?)
}
