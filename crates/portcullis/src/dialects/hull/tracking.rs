//! Calls that tell one thing of the subject on whose behalf they are made.

use portcullis_core::subject::{Claims, SubjectKind};
use portcullis_core::tracking::Entry;
use serde_json::{Value, json};

use super::caller::Caller;
use super::failure::{BadTold, Failure};
use super::{Told, input};
use crate::actions::tracking::Telling;
use crate::dialects::Call;

/// What a token may tell: of a user everything, of an account what it is and is called.
pub(super) fn may(claims: &Claims, entry: &Entry) -> bool {
    match (claims.kind, entry) {
        (SubjectKind::Account, Entry::Track(_)) => false,
        (SubjectKind::Account | SubjectKind::User, _) => true,
    }
}

/// Records one entry of this `kind`.
pub(super) async fn tell(
    call: &mut Call<'_>,
    caller: &Caller,
    kind: &str,
) -> Result<Told, Failure> {
    // The secret itself says nothing of a subject.
    let claims = caller.claims().ok_or_else(|| Failure::refused("no_subject"))?;
    let body = input::object(call).await?;
    let entry = Entry::parse(kind, Value::Object(body));
    let entry = entry.map_err(|bad| Failure::bad(bad.to_string()))?;
    if !may(claims, &entry) {
        return Err(Failure::entries(vec![BadTold::beyond_rights(0)]));
    }
    let entries = vec![(Claims::clone(claims), entry)];
    let telling = Telling { entries, receipt: None, partial: false };
    call.services.actions.tell(caller.teller(), telling).await?;
    Ok(Told::Json(json!({})))
}
