//! Templates: what projects are made from.

use portcullis_core::ability::MANAGE_PROJECTS;
use portcullis_core::id::Id;
use portcullis_core::name;
use portcullis_core::organization::Organization;
use portcullis_store::connections::{Connection, MAX_CONNECTIONS};
use portcullis_store::templates::{NewTemplate, Template};

use super::authority::Needs;
use super::{ActionError, Actions, Deed};

/// The longest description, in bytes.
pub(crate) const MAX_DESCRIPTION: usize = 4_096;

impl Actions {
    /// Makes a template.
    pub(crate) async fn create_template(&self, new: NewTemplate) -> Result<Template, ActionError> {
        name::title(&new.name)?;
        check_description(&new.description)?;
        check_connections(&new.connections)?;
        let needs = Needs::one(MANAGE_PROJECTS, new.organization);
        self.act(Deed::new("template.create", needs), move |writing| {
            let made = writing.insert_template(&new)?;
            writing.note(format!("template {}", made.id), &*new.name);
            Ok(made)
        })
        .await
    }

    /// The template with this number, if `organization` sees it.
    pub(crate) async fn find_template(
        &self,
        organization: Id<Organization>,
        number: i64,
    ) -> Result<Template, ActionError> {
        let found = self.store.read(move |reading| reading.find_template(organization, number));
        found.await?.ok_or_else(|| ActionError::Missing(format!("template {number}")))
    }

    /// A page of the templates that `organization` sees, numbered above `after`.
    pub(crate) async fn list_templates(
        &self,
        organization: Id<Organization>,
        after: i64,
        count: i64,
    ) -> Result<Vec<Template>, ActionError> {
        let page =
            self.store.read(move |reading| reading.list_templates(organization, after, count));
        Ok(page.await?)
    }

    /// Deletes a template; projects that were made from it stay.
    pub(crate) async fn delete_template(&self, template: &Template) -> Result<(), ActionError> {
        let (id, needs) = (template.id, Needs::one(MANAGE_PROJECTS, template.organization));
        self.act(Deed::new("template.delete", needs), move |writing| {
            writing.note(format!("template {id}"), "");
            writing.delete_template(id)
        })
        .await
    }
}

pub(super) fn check_description(text: &str) -> Result<(), ActionError> {
    let plain = !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'));
    if text.len() <= MAX_DESCRIPTION && plain {
        Ok(())
    } else {
        Err(ActionError::Unfit("a description has at most 4096 bytes and no control characters"))
    }
}

pub(super) fn check_connections(connections: &[Connection]) -> Result<(), ActionError> {
    if connections.len() > MAX_CONNECTIONS {
        return Err(ActionError::Unfit("there are at most 100 connections"));
    }
    for connection in connections {
        name::title(&connection.id)?;
        name::title(&connection.kind)?;
        if !connection.name.is_empty() {
            name::title(&connection.name)?;
        }
    }
    Ok(())
}
