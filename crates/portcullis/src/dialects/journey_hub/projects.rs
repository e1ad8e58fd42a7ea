//! Projects, and the templates they are made from.

use std::collections::BTreeSet;

use portcullis_store::connections::Connection;
use portcullis_store::projects::{NewProject, Project, ProjectChange};
use portcullis_store::templates::Template;
use serde_json::{Value, json};

use super::body::Body;
use super::envelope::{Failure, Success};
use super::page::Page;
use super::{Caller, number};
use crate::dialects::body::{Fields, fields_of};

const KEY: &[&str] = &["projects"];
const TEMPLATES: &[&str] = &["templates"];

pub(super) async fn templates(
    caller: &Caller<'_>,
    organization: i64,
    page: Page,
) -> Result<Success, Failure> {
    let organization = caller.organization(organization).await?.id;
    let actions = &caller.actions;
    let list = |after, count| actions.list_templates(organization, after, count);
    let (found, next) = page.fetch(|it: &Template| it.number, list).await?;
    Ok(Success::list(TEMPLATES, found.iter().map(describe_template).collect(), next))
}

pub(super) async fn list(
    caller: &Caller<'_>,
    organization: i64,
    page: Page,
) -> Result<Success, Failure> {
    let organization = caller.organization(organization).await?.id;
    let actions = &caller.actions;
    let list = |after, count| actions.list_projects(organization, after, count);
    let (found, next) = page.fetch(|it: &Project| it.number, list).await?;
    Ok(Success::list(KEY, found.iter().map(|it| describe(caller, it)).collect(), next))
}

pub(super) async fn show(caller: &Caller<'_>, id: i64) -> Result<Success, Failure> {
    let project = find(caller, id).await?;
    Ok(Success::one(KEY, describe(caller, &project)))
}

pub(super) async fn create(
    caller: &Caller<'_>,
    organization: i64,
    body: &Body,
) -> Result<Success, Failure> {
    let organization = caller.organization(organization).await?.id;
    let fields = body.fields()?;
    let template = match fields.id("templateId")? {
        Some(id) => {
            let number = number(&id).ok_or(Failure::UNKNOWN)?;
            Some(caller.actions.find_template(organization, number).await?)
        }
        None => None,
    };
    let new = NewProject {
        organization,
        name: fields.needed("name")?.to_owned(),
        description: fields.text("description")?.unwrap_or_default().to_owned(),
        template,
    };
    let made = caller.actions.create_project(new).await?;
    Ok(Success::one(KEY, describe(caller, &made)))
}

pub(super) async fn update(caller: &Caller<'_>, id: i64, body: &Body) -> Result<Success, Failure> {
    let fields = body.fields()?;
    let change = ProjectChange {
        name: fields.text("name")?.map(Into::into),
        description: fields.text("description")?.map(Into::into),
        connections: connections(fields)?,
    };
    let project = find(caller, id).await?;
    caller.actions.update_project(&project, change).await?;
    show(caller, id).await
}

pub(super) async fn delete(caller: &Caller<'_>, id: i64) -> Result<Success, Failure> {
    let project = find(caller, id).await?;
    caller.actions.delete_project(&project).await?;
    Ok(Success::one(KEY, describe(caller, &project)))
}

async fn find(caller: &Caller<'_>, id: i64) -> Result<Project, Failure> {
    let project = caller.actions.find_project(caller.realm(), id).await?;
    caller.sees(project.organization)?;
    Ok(project)
}

/// `[{"details": {"type": …}, "id"?, "name"?}]`; what has no id gets the first number that is free.
fn connections(fields: Fields<'_>) -> Result<Option<Vec<Connection>>, Failure> {
    let Some(value) = fields.get("connections") else { return Ok(None) };
    let items = value.as_array().ok_or_else(|| Failure::bad("`connections` is not a list"))?;
    let mut read = Vec::new();
    let mut taken = BTreeSet::new();
    for item in items {
        let fields = fields_of(item)?;
        let details = fields.get("details").ok_or_else(|| Failure::bad("`details` is missing"))?;
        let kind = fields_of(details)?.needed("type")?.to_owned();
        let (id, name) = (fields.id("id")?, fields.text("name")?.unwrap_or_default().to_owned());
        if id.as_ref().is_some_and(|id| !taken.insert(id.clone())) {
            return Err(Failure::bad("two connections have one id"));
        }
        read.push((id, name, kind));
    }
    let mut free = (1_u64..).map(|number| number.to_string()).filter(|it| !taken.contains(it));
    let named = read.into_iter().map(|(id, name, kind)| {
        let id = id.or_else(|| free.next()).unwrap_or_default();
        Connection { id, name, kind }
    });
    Ok(Some(named.collect()))
}

fn describe(caller: &Caller<'_>, project: &Project) -> Value {
    let connections = project
        .connections
        .iter()
        .map(|it| json!({ "id": it.id, "name": it.name, "type": it.kind }));
    json!({
        "id": project.number.to_string(),
        "name": project.name,
        "description": project.description,
        "organizationId": caller.number_of(project.organization).map(|number| number.to_string()),
        "templateId": project.template.map(|number| number.to_string()),
        "templateConnections": connections.collect::<Vec<_>>(),
    })
}

fn describe_template(template: &Template) -> Value {
    json!({
        "id": template.number.to_string(),
        "name": template.name,
        "description": template.description,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_keep_their_ids_and_get_one_where_they_have_none() {
        let queue = |id: &str, name: &str| Connection {
            id: id.into(),
            name: name.into(),
            kind: "queue".into(),
        };
        let details = json!({ "type": "queue" });
        for (value, expected) in [
            (json!([]), Some(vec![])),
            (json!([{ "details": details }]), Some(vec![queue("1", "")])),
            (
                json!([{ "details": details }, { "details": details, "id": 1, "name": "A" }]),
                Some(vec![queue("2", ""), queue("1", "A")]),
            ),
            (json!([{ "details": details, "id": "1" }, { "details": details, "id": 1 }]), None),
            (json!([{ "details": {} }]), None),
            (json!([{}]), None),
            (json!([1]), None),
            (json!("queue"), None),
        ] {
            let body = Body::Json(json!({ "connections": value }));
            let read = connections(body.fields().unwrap()).ok().flatten();
            assert_eq!(read, expected, "{value}");
        }
    }
}
