//! The tables `[[mount]]`: dialects, and where they are spoken.

use std::collections::BTreeMap;

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
    /// The dialect's own options that the file names.
    pub(crate) options: BTreeMap<String, String>,
    /// Where its table starts.
    pub(crate) place: Place,
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
    let options = read_options(&mut section);
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
        options,
        place,
    })
}

/// A dialect's name as a mount's: it has hyphens in place of underscores.
fn plain(name: &str) -> String {
    name.replace('_', "-")
}

/// The options that are switched.
const FLAGS: [&str; 6] =
    ["api_keys", "cookie_domain", "new_users", "require_token", "single_use", "sso_only"];
/// The options that are texts.
const TEXTS: [&str; 4] = ["origin", "same_site", "title", "upstream"];

/// What belongs to one dialect or another; each refuses what is not its own.
fn read_options(section: &mut Section<'_, '_>) -> BTreeMap<String, String> {
    let mut options = BTreeMap::new();
    for name in ["session_cap", "session_idle", "token_lifetime"] {
        let read = section.has(name).then(|| section.span(name)).flatten();
        options.extend(read.map(|span| (name.to_owned(), value::spell(span))));
    }
    for name in FLAGS {
        let read = section.has(name).then(|| section.flag(name)).flatten();
        options.extend(read.map(|flag| (name.to_owned(), flag.to_string())));
    }
    for name in TEXTS {
        // Its dialect says what it may be.
        let read = section.has(name).then(|| section.text(name, |text| Some(text.to_owned())));
        options.extend(read.flatten().map(|text| (name.to_owned(), text)));
    }
    let days = section.has("key_days").then(|| section.count("key_days")).flatten();
    options.extend(days.map(|days| ("key_days".to_owned(), days.to_string())));
    options
}
