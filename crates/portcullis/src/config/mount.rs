//! The tables `[[mount]]`: dialects, and where they are spoken.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Known;
use super::guard::{host, path};
use super::mistake::Place;
use super::reader::Section;
use super::source::Source;
use super::store::label;
use super::value;

/// A mount as the file has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct MountSettings {
    /// Its name, its own among all.
    pub(crate) name: String,
    /// The dialect that is spoken there.
    pub(crate) dialect: String,
    /// The number of the realm whose objects are seen there; the root is 1.
    pub(crate) organization: Option<u32>,
    /// The hosts that it answers for; empty for every host that no guard names.
    pub(crate) hosts: Vec<String>,
    /// The path below which the dialect's own paths begin.
    pub(crate) path: String,
    /// How long a token of it lives, if the file says.
    pub(crate) token_lifetime: Option<Duration>,
    /// Where its table starts.
    pub(crate) place: Place,
}

impl MountSettings {
    /// The dialect's own options.
    pub(crate) fn options(&self) -> BTreeMap<String, String> {
        let lifetime = self.token_lifetime.map(value::spell);
        lifetime.map(|span| ("token_lifetime".to_owned(), span)).into_iter().collect()
    }
}

/// Reads one `[[mount]]`.
pub(super) fn mount(
    mut section: Section<'_, '_>,
    source: &Source<'_>,
    known: &Known<'_>,
    taken: &mut BTreeMap<String, Place>,
) -> Option<MountSettings> {
    let (place, at_name) = (source.place(section.at()), section.at_key("name"));
    let spoken = |text: &str| known.dialects.contains(&text).then(|| text.to_owned());
    let dialect = section.text("dialect", spoken);
    let name = section.text("name", label).or_else(|| dialect.as_deref().map(plain));
    let organization = section.count("organization");
    let hosts = if section.has("hosts") { section.list("hosts", host) } else { Some(Vec::new()) };
    let path = section.text("path", path);
    let token_lifetime = section.span("token_lifetime");
    if let Some(name) = &name
        && let Some(first) = taken.insert(name.clone(), place.clone())
    {
        let message = format!("`{name}` is the name of the mount at {first} too");
        section.note(at_name, "name", message);
    }
    section.finish(&[]);
    Some(MountSettings {
        name: name?,
        dialect: dialect?,
        organization,
        hosts: hosts?,
        path: path?,
        token_lifetime,
        place,
    })
}

/// A dialect's name as a mount's: it has hyphens in place of underscores.
fn plain(name: &str) -> String {
    name.replace('_', "-")
}
