//! Projects: what the users of an organization work on.

use portcullis_core::ability::MANAGE_PROJECTS;
use portcullis_core::id::Id;
use portcullis_core::name;
use portcullis_core::organization::Organization;
use portcullis_store::projects::{NewProject, Project, ProjectChange};

use super::authority::Needs;
use super::templates::{check_connections, check_description};
use super::{ActionError, Actions, Deed};

impl Actions {
    /// Makes a project.
    pub(crate) async fn create_project(&self, new: NewProject) -> Result<Project, ActionError> {
        name::title(&new.name)?;
        check_description(&new.description)?;
        let needs = Needs::one(MANAGE_PROJECTS, new.organization);
        self.act(Deed::new("project.create", needs), move |writing| {
            let made = writing.insert_project(&new)?;
            writing.note(format!("project {}", made.id), &*new.name);
            Ok(made)
        })
        .await
    }

    /// The project of `realm` with this number.
    pub(crate) async fn find_project(
        &self,
        realm: Id<Organization>,
        number: i64,
    ) -> Result<Project, ActionError> {
        let found = self.store.read(move |reading| reading.find_project(realm, number)).await?;
        found.ok_or_else(|| ActionError::Missing(format!("project {number}")))
    }

    /// A page of the projects of `organization` itself, numbered above `after`.
    pub(crate) async fn list_projects(
        &self,
        organization: Id<Organization>,
        after: i64,
        count: i64,
    ) -> Result<Vec<Project>, ActionError> {
        let page = self.store.read(move |it| it.list_projects(organization, after, count));
        Ok(page.await?)
    }

    /// Changes a project.
    pub(crate) async fn update_project(
        &self,
        project: &Project,
        change: ProjectChange,
    ) -> Result<(), ActionError> {
        change.name.as_deref().map(name::title).transpose()?;
        check_description(change.description.as_deref().unwrap_or_default())?;
        check_connections(change.connections.as_deref().unwrap_or_default())?;
        let (id, needs) = (project.id, Needs::one(MANAGE_PROJECTS, project.organization));
        self.act(Deed::new("project.update", needs), move |writing| {
            writing.note(format!("project {id}"), "");
            writing.update_project(id, &change)
        })
        .await
    }

    /// Deletes a project.
    pub(crate) async fn delete_project(&self, project: &Project) -> Result<(), ActionError> {
        let (id, needs) = (project.id, Needs::one(MANAGE_PROJECTS, project.organization));
        self.act(Deed::new("project.delete", needs), move |writing| {
            writing.note(format!("project {id}"), "");
            writing.delete_project(id)
        })
        .await
    }
}
