//! Projects: what the users of an organization work on.

use portcullis_core::id::Id;
use portcullis_core::organization::Organization;

use crate::connections::{self, Connection};
use crate::engine::Row;
use crate::error::StoreError;
use crate::sql::sql;
use crate::store::{Reading, Rows, Writing};
use crate::templates::Template;

const TABLE: &str = "projects";

/// One page has at most so many projects.
pub const MAX_PAGE: i64 = 10_000;

/// A project to be made.
#[derive(Clone, Debug)]
pub struct NewProject {
    /// The organization it belongs to.
    pub organization: Id<Organization>,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The template it is made from, whose connections it begins with.
    pub template: Option<Template>,
}

/// What is to be changed of a project; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct ProjectChange {
    /// Its name.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// What it is connected to, all of it.
    pub connections: Option<Vec<Connection>>,
}

/// A project's own row.
#[derive(Clone, Debug)]
pub struct Project {
    /// Its identity.
    pub id: Id<Self>,
    /// The number that dialects show, one sequence in a realm.
    pub number: i64,
    /// The organization it belongs to.
    pub organization: Id<Organization>,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The number of the template it was made from.
    pub template: Option<i64>,
    /// What it is connected to.
    pub connections: Vec<Connection>,
}

pub(crate) fn read(mut row: Row) -> Result<Project, StoreError> {
    Ok(Project {
        id: row.next(TABLE)?,
        number: row.next(TABLE)?,
        organization: row.next(TABLE)?,
        name: row.next(TABLE)?,
        description: row.next(TABLE)?,
        template: row.next(TABLE)?,
        connections: connections::read(&row.next::<String>(TABLE)?)?,
    })
}

impl Writing<'_> {
    /// Makes a project.
    ///
    /// # Errors
    /// There is no such organization, or the store's own.
    pub fn insert_project(&mut self, new: &NewProject) -> Result<Project, StoreError> {
        self.must_stand(new.organization)?;
        let id = Id::fresh(self.now)?;
        let realm = self.realm_of(new.organization)?;
        let number = self.next_number(realm, "project")?;
        let template = new.template.as_ref();
        let connections = template.map(|it| it.connections.clone()).unwrap_or_default();
        let (now, revision) = (self.now, self.revision);
        self.execute(
            &sql!(
                "INSERT INTO projects (id, number, organization, realm, name, description,
                     template, connections, state, created, revision)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'active', $9, $10)"
            ),
            &[
                id.into(),
                number.into(),
                new.organization.into(),
                realm.into(),
                new.name.as_str().into(),
                new.description.as_str().into(),
                template.map(|it| it.id).into(),
                connections::write(&connections)?.into(),
                now.into(),
                revision.into(),
            ],
        )?;
        Ok(Project {
            id,
            number,
            organization: new.organization,
            name: new.name.clone(),
            description: new.description.clone(),
            template: template.map(|it| it.number),
            connections,
        })
    }

    /// Changes a project.
    ///
    /// # Errors
    /// There is none, or the store's own.
    pub fn update_project(
        &mut self,
        id: Id<Project>,
        change: &ProjectChange,
    ) -> Result<(), StoreError> {
        let revision = self.revision;
        let connections = change.connections.as_deref().map(connections::write).transpose()?;
        self.execute_one(
            "project",
            &sql!(
                "UPDATE projects SET name = COALESCE($2, name),
                     description = COALESCE($3, description),
                     connections = COALESCE($4, connections), revision = $5
                 WHERE id = $1 AND state <> 'deleted'"
            ),
            &[
                id.into(),
                change.name.clone().into(),
                change.description.clone().into(),
                connections.into(),
                revision.into(),
            ],
        )
    }

    /// Deletes a project.
    ///
    /// # Errors
    /// There is none, or the store's own.
    pub fn delete_project(&mut self, id: Id<Project>) -> Result<(), StoreError> {
        let revision = self.revision;
        self.execute_one(
            "project",
            &sql!(
                "UPDATE projects SET state = 'deleted', revision = $2
                 WHERE id = $1 AND state <> 'deleted'"
            ),
            &[id.into(), revision.into()],
        )
    }
}

impl Reading<'_> {
    /// The project of `realm` with this number; none of an organization that is gone.
    ///
    /// # Errors
    /// The store's own.
    pub fn find_project(
        &mut self,
        realm: Id<Organization>,
        number: i64,
    ) -> Result<Option<Project>, StoreError> {
        let found = self.first(
            &sql!(
                "SELECT p.id, p.number, p.organization, p.name, p.description, t.number,
                     p.connections
                 FROM projects p JOIN organizations o ON o.id = p.organization
                 LEFT JOIN templates t ON t.id = p.template
                 WHERE p.realm = $1 AND p.number = $2 AND p.state <> 'deleted'
                     AND o.state <> 'deleted'"
            ),
            &[realm.into(), number.into()],
        )?;
        found.map(read).transpose()
    }

    /// The projects of `organization` itself numbered above `after`, a page of them.
    ///
    /// # Errors
    /// The store's own.
    pub fn list_projects(
        &mut self,
        organization: Id<Organization>,
        after: i64,
        count: i64,
    ) -> Result<Vec<Project>, StoreError> {
        let rows = self.rows(
            &sql!(
                "SELECT p.id, p.number, p.organization, p.name, p.description, t.number,
                     p.connections
                 FROM projects p LEFT JOIN templates t ON t.id = p.template
                 WHERE p.organization = $1 AND p.number > $2 AND p.state <> 'deleted'
                 ORDER BY p.number LIMIT $3"
            ),
            &[organization.into(), after.into(), count.clamp(1, MAX_PAGE).into()],
        )?;
        rows.into_iter().map(read).collect()
    }
}
