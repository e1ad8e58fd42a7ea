//! What the command line may know of the dialects: their names, options and paths.

use portcullis_core::mount::Mount;

use crate::dialects::{self, Options};

/// The dialect whose mounts lead to listeners.
pub(crate) const LISTENERS: &str = dialects::graph::DIALECT.name;

/// The dialect whose mounts say where browsers may be sent.
pub(crate) const EXPERT: &str = dialects::expert::DIALECT.name;

/// Every dialect of this build, with one line on it.
pub(crate) fn all() -> Vec<(&'static str, &'static str)> {
    dialects::ALL.iter().map(|dialect| (dialect.name, dialect.summary)).collect()
}

/// The options with which everything of the dialect called `name` can be tried out.
pub(crate) fn trial(name: &str) -> Options {
    let pairs = dialects::named(name).map(|dialect| dialect.trial).unwrap_or_default();
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Their names.
pub(crate) fn names() -> Vec<&'static str> {
    dialects::ALL.iter().map(|dialect| dialect.name).collect()
}

/// Says what is wrong with a mount's `options` for the dialect called `name`.
pub(crate) fn check(name: &str, options: &Options) -> Result<(), String> {
    let dialect = dialects::named(name).ok_or_else(|| format!("there is no dialect `{name}`"))?;
    (dialect.check)(options)
}

/// The paths below its prefix that a mount answers for.
pub(crate) fn paths(mount: &Mount) -> Vec<&'static str> {
    dialects::paths(mount)
}
