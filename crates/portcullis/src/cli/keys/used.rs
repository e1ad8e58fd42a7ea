//! How keys are used, and what their replacement leaves to be done.

use portcullis_core::time::Timestamp;
use portcullis_store::credentials::CredentialRow;
use portcullis_store::rotations::Rotation;
use portcullis_store::usage::Usage;
use serde_json::{Value, json};

use super::written;
use crate::actions::Actions;
use crate::cli::output::Output;

/// Shows the use of one key, or of all that were replaced and still count.
pub(super) async fn show(
    actions: &Actions,
    now: Timestamp,
    id: Option<&str>,
    output: Output,
) -> anyhow::Result<()> {
    if let Some(id) = id {
        let used = Used::of(actions, actions.find_key(id).await?).await?;
        output.show(&used.describe(), &used.facts());
        return Ok(());
    }
    let mut rows = Vec::new();
    for rotation in actions.list_rotations(now).await? {
        let key = actions.find_credential(rotation.credential).await?;
        let used = Used::of(actions, key).await?;
        rows.push((used.describe(), used.columns()));
    }
    let names = ["id", "label", "replaced by", "since then", "last used", "ends"];
    output.list(names, rows, "no key that was replaced still counts");
    Ok(())
}

/// What is known of the use of a key, and of its replacement.
struct Used {
    key: CredentialRow,
    usage: Option<Usage>,
    /// Whether it was replaced, and the id of what replaced it.
    rotated: Option<(Rotation, String)>,
}

impl Used {
    async fn of(actions: &Actions, key: CredentialRow) -> anyhow::Result<Self> {
        let usage = actions.find_usage(&key).await?;
        let rotated = match actions.find_rotation(key.id).await? {
            Some(rotation) => {
                Some((rotation, actions.find_credential(rotation.successor).await?.key))
            }
            None => None,
        };
        Ok(Self { key, usage, rotated })
    }

    /// How often it was used since it was replaced.
    fn since(&self) -> Option<i64> {
        let uses = self.usage.map_or(0, |usage| usage.uses);
        self.rotated.as_ref().map(|(rotation, _)| uses.saturating_sub(rotation.uses).max(0))
    }

    fn last_used(&self) -> Option<String> {
        written(self.usage.map(|usage| usage.last_used))
    }

    fn columns(&self) -> [String; 6] {
        [
            self.key.key.clone(),
            self.key.label.clone(),
            self.rotated.as_ref().map(|(_, id)| id.clone()).unwrap_or_default(),
            self.since().map(|count| count.to_string()).unwrap_or_default(),
            self.last_used().unwrap_or_else(|| "never".into()),
            written(self.key.expires).unwrap_or_else(|| "never".into()),
        ]
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        let [id, label, by, since, last, ends] = self.columns();
        let uses = self.usage.map_or(0, |usage| usage.uses).to_string();
        let mut facts = vec![("id", id), ("label", label), ("uses", uses), ("last used", last)];
        facts.push(("ends", ends));
        if self.rotated.is_some() {
            facts.extend([("replaced by", by), ("uses since then", since)]);
        }
        facts
    }

    fn describe(&self) -> Value {
        json!({
            "id": self.key.key, "label": self.key.label, "scheme": self.key.scheme,
            "uses": self.usage.map_or(0, |usage| usage.uses), "last_used": self.last_used(),
            "expires": written(self.key.expires),
            "replaced_by": self.rotated.as_ref().map(|(_, id)| id),
            "replaced": written(self.rotated.as_ref().map(|(rotation, _)| rotation.moment)),
            "uses_since_replaced": self.since(),
        })
    }
}
