//! `template`: what projects are made from.

use clap::Subcommand;
use portcullis_store::connections::Connection;
use portcullis_store::templates::{MAX_PAGE, NewTemplate, Template};
use serde_json::{Value, json};

use super::output::Output;
use super::place::InOrganization;
use crate::actions::{ActionError, Actions};

#[derive(Subcommand)]
pub(super) enum TemplateCommand {
    /// Make a template; its organization and all below see it
    Create {
        /// What to call it
        name: String,
        /// What it is for
        #[arg(long, default_value = "", hide_default_value = true)]
        description: String,
        /// What projects made from it are connected to: `TYPE` or `TYPE:NAME`; repeat for more
        #[arg(long = "connection", value_name = "TYPE[:NAME]")]
        connections: Vec<String>,
        #[command(flatten)]
        place: InOrganization,
    },
    /// List the templates that an organization sees
    List {
        #[command(flatten)]
        place: InOrganization,
    },
    /// Show what is known of a template
    Show {
        /// Its number
        id: i64,
        #[command(flatten)]
        place: InOrganization,
    },
    /// Delete a template; projects that were made from it stay
    Delete {
        /// Its number
        id: i64,
        #[command(flatten)]
        place: InOrganization,
    },
}

pub(super) async fn run(
    actions: &Actions,
    command: TemplateCommand,
    output: Output,
) -> anyhow::Result<()> {
    match command {
        TemplateCommand::Create { name, description, connections, place } => {
            let organization = place.find(actions).await?.id;
            let connections = (1..).zip(&connections).map(connection).collect();
            let new = NewTemplate { organization, name, description, connections };
            let made = actions.create_template(new).await?;
            let text = format!("template {}, `{}`, made", made.number, made.name);
            output.tell(&describe(&made), &text);
        }
        TemplateCommand::List { place } => {
            let all = list(actions, place).await?;
            let columns =
                |it: &Template| [it.number.to_string(), it.name.clone(), shown(&it.connections)];
            let rows = all.iter().map(|it| (describe(it), columns(it))).collect();
            output.list(["id", "name", "connections"], rows, "no templates");
        }
        TemplateCommand::Show { id, place } => {
            let found = actions.find_template(place.find(actions).await?.id, id).await?;
            let facts = [
                ("id", found.number.to_string()),
                ("name", found.name.clone()),
                ("description", found.description.clone()),
                ("connections", shown(&found.connections)),
            ];
            output.show(&describe(&found), &facts);
        }
        TemplateCommand::Delete { id, place } => {
            let found = actions.find_template(place.find(actions).await?.id, id).await?;
            actions.delete_template(&found).await?;
            output.tell(&json!({ "id": id.to_string() }), &format!("template {id} deleted"));
        }
    }
    Ok(())
}

async fn list(actions: &Actions, place: InOrganization) -> Result<Vec<Template>, ActionError> {
    let organization = place.find(actions).await?.id;
    let mut all: Vec<Template> = Vec::new();
    loop {
        let after = all.last().map_or(0, |it| it.number);
        let page = actions.list_templates(organization, after, MAX_PAGE).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

fn connection((number, text): (u32, &String)) -> Connection {
    let (kind, name) = text.split_once(':').unwrap_or((text, ""));
    Connection { id: number.to_string(), name: name.into(), kind: kind.into() }
}

fn shown(connections: &[Connection]) -> String {
    let words = connections.iter().map(|it| match it.name.as_str() {
        "" => it.kind.clone(),
        name => format!("{}:{name}", it.kind),
    });
    words.collect::<Vec<_>>().join(", ")
}

fn describe(template: &Template) -> Value {
    let connections = template
        .connections
        .iter()
        .map(|it| json!({ "id": it.id, "name": it.name, "type": it.kind }));
    json!({
        "id": template.number.to_string(), "name": template.name,
        "description": template.description, "connections": connections.collect::<Vec<_>>(),
    })
}
