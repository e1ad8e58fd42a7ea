//! What dialects answer alike: what became of an action, and the bytes of a body of JSON.

use http::{HeaderValue, Response, StatusCode, header};
use hyper::body::Bytes;
use portcullis_store::StoreError;
use serde_json::Value;

use crate::actions::ActionError;

/// Why an action was not done, as far as a caller may know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Undone {
    /// What was asked for is not what it should be.
    Bad(String),
    /// It does not go with what is there.
    Conflict(String),
    /// It failed for a reason that is in the log alone.
    Failed,
    /// The caller may not.
    NotAllowed,
    /// It may succeed later.
    Unavailable,
    /// There is no such object.
    Unknown,
}

impl Undone {
    /// What a caller is told who can do nothing about it.
    pub(crate) const FAILED: &'static str =
        "something went wrong here; the request id tells us what";
}

impl From<ActionError> for Undone {
    fn from(error: ActionError) -> Self {
        match error {
            ActionError::Missing(_) | ActionError::Store(StoreError::NotFound(_)) => Self::Unknown,
            ActionError::NotAllowed => Self::NotAllowed,
            ActionError::Exists(_)
            | ActionError::Store(
                StoreError::Conflict | StoreError::Full(_) | StoreError::InUse(_),
            ) => Self::Conflict(error.to_string()),
            ActionError::Ability(_)
            | ActionError::ConnectorSecret(_)
            | ActionError::FilesDiffer(_)
            | ActionError::Guard(_)
            | ActionError::Mount(_)
            | ActionError::Name(_)
            | ActionError::Overlap(_)
            | ActionError::Password(_)
            | ActionError::Pattern(_)
            | ActionError::Secret(_)
            | ActionError::Title(_)
            | ActionError::Unfit(_) => Self::Bad(error.to_string()),
            // Whoever acts was changed again and again while the write was under way.
            ActionError::Pending | ActionError::Store(StoreError::Changed) => Self::Unavailable,
            ActionError::Store(ref store) if store.is_passing() => {
                tracing::warn!(%error, "a write or read failed, and may succeed later");
                Self::Unavailable
            }
            ActionError::Hash(_) | ActionError::Store(_) => {
                tracing::error!(%error, "a write or read failed");
                Self::Failed
            }
        }
    }
}

/// An answer that nobody keeps.
pub(crate) fn json(status: StatusCode, body: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(format!("{body}\n")));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
