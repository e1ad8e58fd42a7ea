//! The connections of templates and projects, as they are stored.

use serde::{Deserialize, Serialize};

use crate::error::StoreError;

/// A template or project has at most so many connections.
pub const MAX_CONNECTIONS: usize = 100;

/// What a project is connected to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connection {
    /// What names it within its template or project.
    pub id: String,
    /// What people call it; may be empty.
    pub name: String,
    /// What kind of thing is connected, such as `queue`.
    #[serde(rename = "type")]
    pub kind: String,
}

pub(crate) fn write(connections: &[Connection]) -> Result<String, StoreError> {
    serde_json::to_string(connections).map_err(corrupt)
}

pub(crate) fn read(json: &str) -> Result<Vec<Connection>, StoreError> {
    serde_json::from_str(json).map_err(corrupt)
}

#[expect(clippy::needless_pass_by_value, reason = "an error goes where it is mapped")]
fn corrupt(error: serde_json::Error) -> StoreError {
    StoreError::Corrupt { table: "connections", reason: error.to_string() }
}
