//! `hull`: what connectors told, read back.

use std::collections::BTreeMap;

use clap::Subcommand;
use portcullis_core::id::Id;
use portcullis_core::organization::Organization;
use portcullis_core::subject::{Identifier, IdentifierKind, SubjectId, SubjectKind};
use portcullis_store::tracking::{EventRow, MAX_PAGE, Subject};
use serde_json::{Value, json};

use super::keys::written;
use super::output::{Output, with};
use super::place::InOrganization;
use super::say;
use crate::actions::{ActionError, Actions};

/// So many events of a subject are shown, unless it is said otherwise.
const EVENTS: u16 = 20;

#[derive(Subcommand)]
pub(super) enum HullCommand {
    /// Show what is known of a user or an account: names, traits, and the latest events
    Subject {
        /// Its id; or an identifier, as `bob@example.com` or, to be exact, `external_id=42`
        name: String,
        /// How many events to show, at most 1000
        #[arg(long, default_value_t = EVENTS)]
        events: u16,
        #[command(flatten)]
        place: InOrganization,
    },
    /// Print all that connectors of an organization told, as JSON lines: accounts, users, events
    Export {
        #[command(flatten)]
        place: InOrganization,
    },
}

pub(super) async fn run(
    actions: &Actions,
    command: HullCommand,
    output: Output,
) -> anyhow::Result<()> {
    match command {
        HullCommand::Subject { name, events, place } => {
            let organization = place.find(actions).await?.id;
            let found = find(actions, organization, &name).await?;
            let subject = found.ok_or_else(|| anyhow::anyhow!("nobody is called `{name}`"))?;
            let top = i64::from(events).min(MAX_PAGE);
            let events = actions.list_events(organization, subject.id, top).await?;
            show(&subject, &events, output);
        }
        HullCommand::Export { place } => {
            let organization = place.find(actions).await?.id;
            export_subjects(actions, organization, SubjectKind::Account).await?;
            export_subjects(actions, organization, SubjectKind::User).await?;
            export_events(actions, organization).await?;
        }
    }
    Ok(())
}

/// The subject that `name` means: an id, `kind=value`, or else whatever identifier it may be.
async fn find(
    actions: &Actions,
    organization: Id<Organization>,
    name: &str,
) -> Result<Option<Subject>, ActionError> {
    if let Some(id) = SubjectId::parse(name)
        && let Some(found) = actions.find_subject(organization, id).await?
    {
        return Ok(Some(found));
    }
    let exact = name
        .split_once('=')
        .and_then(|(kind, value)| Some((vec![IdentifierKind::parse(kind)?], value)));
    let (kinds, value) = exact.unwrap_or_else(|| (IdentifierKind::ALL.to_vec(), name));
    for kind in kinds {
        for whose in [SubjectKind::User, SubjectKind::Account] {
            let Ok(identifier) = Identifier::new(kind, value) else { continue };
            if !kind.is_of(whose) {
                continue;
            }
            let found = actions.find_named(organization, whose, identifier).await?;
            if found.is_some() {
                return Ok(found);
            }
        }
    }
    Ok(None)
}

fn show(subject: &Subject, events: &[EventRow], output: Output) {
    if output.json {
        let events: Value = events.iter().map(event).collect();
        return output.tell(&with(describe(subject), json!({ "events": events })), "");
    }
    let names = subject.identifiers.iter();
    let names = names.map(|it| format!("{}={}", it.kind.as_str(), it.value));
    let account = subject.account.map(|id| id.to_string()).unwrap_or_default();
    let moment = |at| written(Some(at)).unwrap_or_default();
    let facts = [
        ("id", subject.id.to_string()),
        ("kind", subject.kind.as_str().to_owned()),
        ("names", names.collect::<Vec<_>>().join("  ")),
        ("account", account),
        ("created", moment(subject.created)),
        ("changed", moment(subject.changed)),
    ];
    output.show(&Value::Null, &facts);
    let row = |name: &str, value: String| (Value::Null, [name.to_owned(), value]);
    say("\n");
    let traits = subject.traits.iter().map(|(name, value)| row(name, visible(value.get())));
    output.list(["trait", "value"], traits.collect(), "no traits");
    say("\n");
    let events = events.iter().map(|event| {
        let properties = visible(event.properties.get());
        (Value::Null, [moment(event.moment), event.name.clone(), properties])
    });
    output.list(["moment", "event", "properties"], events.collect(), "no events");
}

async fn export_subjects(
    actions: &Actions,
    organization: Id<Organization>,
    kind: SubjectKind,
) -> anyhow::Result<()> {
    let mut after = None;
    loop {
        let page = actions
            .store
            .read(move |reading| reading.export_subjects(organization, kind, after, MAX_PAGE));
        let page = page.await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.id);
        page.iter()
            .for_each(|subject| say(&format!("{}\n", visible(&describe(subject).to_string()))));
    }
}

async fn export_events(actions: &Actions, organization: Id<Organization>) -> anyhow::Result<()> {
    let mut after = None;
    loop {
        let page =
            actions.store.read(move |reading| reading.export_events(organization, after, MAX_PAGE));
        let page = page.await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.id);
        page.iter().for_each(|row| say(&format!("{}\n", visible(&event(row).to_string()))));
    }
}

fn describe(subject: &Subject) -> Value {
    let mut names = BTreeMap::<&str, Vec<&str>>::new();
    for name in &subject.identifiers {
        names.entry(name.kind.as_str()).or_default().push(&name.value);
    }
    let traits = subject.traits.iter();
    let traits: serde_json::Map<String, Value> =
        traits.map(|(name, value)| (name.to_owned(), plain(value.get()))).collect();
    json!({
        "kind": subject.kind.as_str(), "id": subject.id.to_string(), "identifiers": names,
        "account": subject.account.map(|id| id.to_string()), "traits": traits,
        "created": written(Some(subject.created)), "changed": written(Some(subject.changed)),
    })
}

fn event(event: &EventRow) -> Value {
    json!({
        "kind": "event", "id": event.id.to_string(), "user": event.subject.to_string(),
        "event": event.name, "event_id": event.event_id, "moment": written(Some(event.moment)),
        "context": plain(event.context.get()), "properties": plain(event.properties.get()),
        "connector": event.connector.to_string(),
    })
}

/// The same JSON without what a terminal obeys: JSON itself may hold DEL and C1 controls as they are.
fn visible(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for char in json.chars() {
        if char.is_control() {
            out.push_str(&format!("\\u{:04x}", u32::from(char)));
        } else {
            out.push(char);
        }
    }
    out
}

/// What the store keeps was JSON when it was written.
fn plain(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_shown_and_stays_the_same_json() {
        let told = json!({ "a\u{7f}": "\u{9b}31m zo\u{eb}\n\"" });
        let shown = visible(&told.to_string());
        assert!(!shown.contains(char::is_control) && shown.contains("zo\u{eb}"), "{shown}");
        assert_eq!(plain(&shown), told);
    }
}
