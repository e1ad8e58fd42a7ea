//! The section `[store]`: where things are kept, and the secrets needed for it.

use std::fmt;
use std::path::PathBuf;

use portcullis_core::seal::MasterKey;
use portcullis_core::secret::SecretBuf;
use portcullis_store::Target;
use zeroize::Zeroizing;

use super::reader::Section;

/// The longest name of a node or a guard, in bytes.
const MAX_LABEL: usize = 63;

/// A text of the configuration that must not be seen, wiped when it is dropped.
pub(crate) struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Takes `text` over as a secret.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself: the one word to search for in a review.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(..)")
    }
}

/// Where credentials, users and the audit log are kept.
#[derive(Debug)]
pub(crate) struct StoreSettings {
    /// The folder of the `SQLite` database and of what each node keeps for itself.
    pub(crate) data: PathBuf,
    /// The `PostgreSQL` database that several nodes share; without it, `SQLite` in the folder.
    pub(crate) url: Option<SecretText>,
    /// The key under which secrets are sealed; from the environment alone.
    pub(crate) master_key: Option<MasterKey>,
    /// The name of this node, its own among all that share a database.
    pub(crate) node_name: String,
}

impl StoreSettings {
    /// Which database that is.
    pub(crate) fn target(&self) -> Target {
        match &self.url {
            Some(url) => Target::Postgres(SecretBuf::new(url.expose())),
            None => Target::Sqlite(self.data.clone()),
        }
    }

    /// What can be done so, but had better not.
    pub(crate) fn warning(&self) -> Option<&'static str> {
        let exposed = self.target().is_exposed().unwrap_or_default();
        exposed.then_some(
            "the database is on another machine, and what is said to it is not encrypted: add \
             `sslmode=verify-full` and `sslrootcert` to its URL, or `sslmode=disable` if that is \
             meant",
        )
    }
}

/// Reads `[store]`.
pub(super) fn store(mut section: Section<'_, '_>) -> Option<StoreSettings> {
    let data = section.text("data", path);
    let url = section.text("url", database);
    let master_key = section.text("master_key", master_key);
    let node_name = section.text("node_name", label);
    section.finish(&[]);
    Some(StoreSettings { data: data?, url, master_key, node_name: node_name? })
}

/// Reads a name of small letters, digits and hyphens, as hosts have it.
pub(super) fn label(text: &str) -> Option<String> {
    let letters = text.bytes().all(|it| matches!(it, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    let good = letters && !text.starts_with('-') && (1..=MAX_LABEL).contains(&text.len());
    good.then(|| text.to_owned())
}

/// Reads the path of a file or a folder.
pub(super) fn path(text: &str) -> Option<PathBuf> {
    let good = !text.is_empty() && !text.contains('\0');
    good.then(|| PathBuf::from(text))
}

fn database(text: &str) -> Option<SecretText> {
    let rest = text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://"))?;
    let good = !rest.is_empty()
        && rest.bytes().all(|it| it.is_ascii_graphic())
        && Target::Postgres(SecretBuf::new(text)).is_exposed().is_ok();
    good.then(|| SecretText::new(text))
}

fn master_key(text: &str) -> Option<MasterKey> {
    MasterKey::parse(text).ok()
}
