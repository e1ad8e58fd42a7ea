//! Limits of credentials, as versioned JSON.

use ipnet::IpNet;
use portcullis_core::guard::{Guard, MAX_NETWORKS};
use portcullis_core::id::Id;
use portcullis_core::limits::{Limits, MAX_GUARDS};
use portcullis_core::policy::Networks;
use serde::{Deserialize, Serialize};

use crate::error::StoreError;

/// The stored form; a later one gets another number.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    form: u32,
    networks: Option<Vec<IpNet>>,
    guards: Option<Vec<String>>,
}

const FORM: u32 = 1;

#[expect(clippy::needless_pass_by_value, reason = "an error goes where it is mapped")]
fn corrupt<R: ToString>(reason: R) -> StoreError {
    StoreError::Corrupt { table: "credentials", reason: format!("limits: {}", reason.to_string()) }
}

/// What is stored of `limits`; nothing if they limit nothing.
///
/// # Errors
/// They name too much.
pub(crate) fn write(limits: &Limits) -> Result<Option<String>, StoreError> {
    if limits.is_empty() {
        return Ok(None);
    }
    let networks: Option<Vec<IpNet>> = limits.networks.as_ref().map(|it| it.iter().collect());
    let ids = |guards: &[Id<Guard>]| guards.iter().map(Id::to_string).collect::<Vec<_>>();
    let guards = limits.guards.as_deref().map(ids);
    if networks.as_ref().is_some_and(|it| it.len() > MAX_NETWORKS) {
        return Err(StoreError::Full("a credential is limited to at most 10000 networks"));
    }
    if guards.as_ref().is_some_and(|it| it.len() > MAX_GUARDS) {
        return Err(StoreError::Full("a credential is limited to at most 100 guards"));
    }
    let stored = Stored { form: FORM, networks, guards };
    serde_json::to_string(&stored).map(Some).map_err(corrupt)
}

/// Reads what [`write()`] wrote.
///
/// # Errors
/// It is of a form that this build does not know: nobody may go on as if there were none.
pub(crate) fn read(stored: Option<String>) -> Result<Limits, StoreError> {
    let Some(json) = stored else { return Ok(Limits::default()) };
    let stored: Stored = serde_json::from_str(&json).map_err(corrupt)?;
    if stored.form != FORM {
        return Err(corrupt(format!("the form {} is not known", stored.form)));
    }
    let networks = stored.networks.map(|it| Networks::new(&it)).transpose().map_err(corrupt)?;
    let id = |text: &String| Id::parse(text).ok_or_else(|| corrupt(format!("`{text}` is no id")));
    let guards = stored.guards.map(|it| it.iter().map(id).collect::<Result<_, _>>());
    Ok(Limits { networks, guards: guards.transpose()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_an_unknown_form_is_not() {
        let networks = Networks::new(&["10.0.0.0/8".parse().unwrap()]).unwrap();
        let guards: Box<[Id<Guard>]> = Box::from([Id::from_bytes([7; 16])]);
        for limits in [
            Limits::default(),
            Limits { networks: Some(networks.clone()), guards: None },
            Limits { networks: None, guards: Some(guards.clone()) },
            Limits { networks: Some(networks), guards: Some(guards) },
        ] {
            assert_eq!(read(write(&limits).unwrap()).unwrap(), limits);
        }
        for json in [
            "",
            "{}",
            r#"{"form":2,"networks":null,"guards":null}"#,
            r#"{"form":1,"networks":[],"guards":null}"#,
            r#"{"form":1,"networks":null,"guards":null,"hours":[]}"#,
        ] {
            assert!(read(Some(json.into())).is_err(), "{json}");
        }
    }
}
