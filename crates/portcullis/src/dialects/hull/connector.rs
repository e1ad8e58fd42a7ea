//! The connector itself: its settings, that it keeps here, and the status that it tells.

use serde_json::{Map, Value, json};

use super::caller::Caller;
use super::failure::Failure;
use super::{Address, Told, input};
use crate::dialects::Call;

/// The connector, with the settings that are its own.
pub(super) async fn show(call: &Call<'_>, caller: &Caller) -> Result<Told, Failure> {
    let kept = call.services.actions.find_connector_kept(&caller.who).await?;
    let label = kept.label.clone();
    Ok(Told::Json(json!({
        "id": caller.id,
        "type": "ship",
        "name": label,
        "private_settings": kept.settings,
        "settings": {},
        "status": kept.status,
    })))
}

/// What a page may know of the connector: nothing of its settings.
pub(super) fn settings(caller: &Caller) -> Told {
    Told::Json(json!({ "id": caller.id, "settings": {} }))
}

/// The status that the connector told last.
pub(super) async fn status(call: &Call<'_>, caller: &Caller) -> Result<Told, Failure> {
    let kept = call.services.actions.find_connector_kept(&caller.who).await?;
    Ok(Told::Json(Value::Object(kept.status)))
}

/// Replaces the settings, or the status.
pub(super) async fn change(
    call: &mut Call<'_>,
    caller: &Caller,
    what: Address,
) -> Result<Told, Failure> {
    let body = input::object(call).await?;
    let actions = call.services.actions.clone();
    if what == Address::AppStatus {
        actions.keep_connector_status(caller.teller(), body).await?;
        return status(call, caller).await;
    }
    actions.keep_connector_settings(caller.teller(), wanted(body)?).await?;
    show(call, caller).await
}

fn wanted(mut body: Map<String, Value>) -> Result<Map<String, Value>, Failure> {
    match body.remove("private_settings") {
        Some(Value::Object(settings)) => Ok(settings),
        Some(_) | None => Err(Failure::bad("`private_settings` is an object")),
    }
}
