//! Templates: what projects are made from.

use portcullis_core::id::Id;
use portcullis_core::organization::Organization;

use crate::connections::{self, Connection};
use crate::engine::Row;
use crate::error::StoreError;
use crate::sql::sql;
use crate::store::{Reading, Rows, Writing};

const TABLE: &str = "templates";

/// One page has at most so many templates.
pub const MAX_PAGE: i64 = 10_000;

/// A template to be made.
#[derive(Clone, Debug)]
pub struct NewTemplate {
    /// The organization it belongs to; those below see it too.
    pub organization: Id<Organization>,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// What projects made from it are connected to.
    pub connections: Vec<Connection>,
}

/// A template's own row.
#[derive(Clone, Debug)]
pub struct Template {
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
    /// What projects made from it are connected to.
    pub connections: Vec<Connection>,
}

fn read(mut row: Row) -> Result<Template, StoreError> {
    Ok(Template {
        id: row.next(TABLE)?,
        number: row.next(TABLE)?,
        organization: row.next(TABLE)?,
        name: row.next(TABLE)?,
        description: row.next(TABLE)?,
        connections: connections::read(&row.next::<String>(TABLE)?)?,
    })
}

impl Writing<'_> {
    /// Makes a template.
    ///
    /// # Errors
    /// There is no such organization, or the store's own.
    pub fn insert_template(&mut self, new: &NewTemplate) -> Result<Template, StoreError> {
        self.must_stand(new.organization)?;
        let id = Id::fresh(self.now)?;
        let realm = self.realm_of(new.organization)?;
        let number = self.next_number(realm, "template")?;
        let (now, revision) = (self.now, self.revision);
        self.execute(
            &sql!(
                "INSERT INTO templates (id, number, organization, realm, name, description,
                     connections, state, created, revision)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, 'active', $8, $9)"
            ),
            &[
                id.into(),
                number.into(),
                new.organization.into(),
                realm.into(),
                new.name.as_str().into(),
                new.description.as_str().into(),
                connections::write(&new.connections)?.into(),
                now.into(),
                revision.into(),
            ],
        )?;
        Ok(Template {
            id,
            number,
            organization: new.organization,
            name: new.name.clone(),
            description: new.description.clone(),
            connections: new.connections.clone(),
        })
    }

    /// Deletes a template; projects that were made from it stay.
    ///
    /// # Errors
    /// There is none, or the store's own.
    pub fn delete_template(&mut self, id: Id<Template>) -> Result<(), StoreError> {
        let revision = self.revision;
        self.execute_one(
            "template",
            &sql!(
                "UPDATE templates SET state = 'deleted', revision = $2
                 WHERE id = $1 AND state <> 'deleted'"
            ),
            &[id.into(), revision.into()],
        )
    }
}

impl Reading<'_> {
    /// The templates that `organization` sees, its own and those of its realm above it, numbered
    /// above `after`: a page of them.
    ///
    /// # Errors
    /// The store's own.
    pub fn list_templates(
        &mut self,
        organization: Id<Organization>,
        after: i64,
        count: i64,
    ) -> Result<Vec<Template>, StoreError> {
        let rows = self.rows(
            &sql!(
                "WITH RECURSIVE above (id, parent, realm) AS (
                     SELECT id, parent, realm FROM organizations WHERE id = $1
                     UNION ALL
                     SELECT o.id, o.parent, o.realm FROM organizations o
                     JOIN above ON o.id = above.parent AND above.realm = 0)
                 SELECT t.id, t.number, t.organization, t.name, t.description, t.connections
                 FROM templates t JOIN above ON above.id = t.organization
                 WHERE t.state <> 'deleted' AND t.number > $2 ORDER BY t.number LIMIT $3"
            ),
            &[organization.into(), after.into(), count.clamp(1, MAX_PAGE).into()],
        )?;
        rows.into_iter().map(read).collect()
    }

    /// The template with this number, if `organization` sees it.
    ///
    /// # Errors
    /// The store's own.
    pub fn find_template(
        &mut self,
        organization: Id<Organization>,
        number: i64,
    ) -> Result<Option<Template>, StoreError> {
        let page = self.list_templates(organization, number.saturating_sub(1), 1)?;
        Ok(page.into_iter().next().filter(|found| found.number == number))
    }
}
