//! Subjects, as they are read back, changed and deleted.

use http::Method;
use portcullis_core::subject::SubjectId;
use portcullis_core::tracking::Entry;
use serde_json::{Value, json};

use super::caller::Caller;
use super::failure::Failure;
use super::{Told, input, shapes};
use crate::dialects::Call;

/// The subject on whose behalf the call is made: for whoever may do what the connector may.
pub(super) async fn me(call: &Call<'_>, caller: &Caller) -> Result<Told, Failure> {
    let subject = mine(call, caller).await?;
    Ok(Told::Json(shapes::subject(&subject)))
}

/// The same, flat, with its account beside it.
pub(super) async fn my_report(call: &Call<'_>, caller: &Caller) -> Result<Told, Failure> {
    let subject = mine(call, caller).await?;
    Ok(Told::Json(shapes::report(&subject)))
}

async fn mine(
    call: &Call<'_>,
    caller: &Caller,
) -> Result<portcullis_store::tracking::Subject, Failure> {
    let claims = caller.claims().ok_or_else(|| Failure::refused("no_subject"))?;
    if !caller.has_rights() {
        return Err(Failure::beyond_rights());
    }
    let found = call.services.actions.find_claimed(caller.organization(), claims).await?;
    found.ok_or_else(Failure::unknown)
}

/// One subject, by its identity.
pub(super) async fn object(
    call: &mut Call<'_>,
    caller: &Caller,
    id: SubjectId,
) -> Result<Told, Failure> {
    let (actions, organization) = (call.services.actions.clone(), caller.organization());
    match *call.head.method() {
        Method::DELETE => {
            let gone = actions.delete_subject(caller.teller(), id).await?;
            if gone { Ok(Told::Json(json!({}))) } else { Err(Failure::unknown()) }
        }
        Method::PUT => {
            let body = Value::Object(input::object(call).await?);
            let entry = Entry::parse("traits", body);
            let Entry::Traits(changes) = entry.map_err(|bad| Failure::bad(bad.to_string()))? else {
                return Err(Failure::unknown());
            };
            if !actions.change_subject(caller.teller(), id, changes).await? {
                return Err(Failure::unknown());
            }
            show(call, organization, id).await
        }
        _ => show(call, organization, id).await,
    }
}

async fn show(
    call: &Call<'_>,
    organization: portcullis_core::id::Id<portcullis_core::organization::Organization>,
    id: SubjectId,
) -> Result<Told, Failure> {
    let found = call.services.actions.find_subject(organization, id).await?;
    found.map(|it| Told::Json(shapes::subject(&it))).ok_or_else(Failure::unknown)
}
