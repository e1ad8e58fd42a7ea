//! Tokens: given to who signs in, and ended.

use std::time::Duration;

use http::StatusCode;
use portcullis_core::authenticator::Authenticated;
use portcullis_core::guard::Guard;
use portcullis_core::id::Id;
use portcullis_core::limits::MAX_GUARDS;
use portcullis_core::scheme::BEARER;
use portcullis_core::secret::SecretBuf;
use serde_json::{Value, json};

use super::client;
use super::failure::Failure;
use super::settings::Settings;
use crate::actions::sessions::Mint;
use crate::dialects::Call;
use crate::dialects::body::Fields;
use crate::dialects::proof::acting;

/// A token that was given.
pub(super) struct Given {
    token: SecretBuf,
    seconds: i64,
    scope: Option<String>,
}

impl Given {
    /// What is told of it (RFC 6749, section 5.1).
    pub(super) fn told(&self) -> Value {
        let mut told = json!({
            "access_token": self.token.expose_text(), "token_type": "Bearer",
            "expires_in": self.seconds,
        });
        if let (Some(scope), Value::Object(told)) = (&self.scope, &mut told) {
            told.insert("scope".into(), scope.as_str().into());
        }
        told
    }
}

/// `POST /login`: the vendor's page has a token come back and does not say how.
pub(super) async fn login(
    call: &Call<'_>,
    settings: &Settings,
    fields: Fields<'_>,
) -> Result<(Value, Authenticated), Failure> {
    let who = client::user(call, fields).await?;
    let given = give(call, settings, &who, fields.text("scope")?).await?;
    let mut told = given.told();
    if let Value::Object(told) = &mut told {
        told.insert("token".into(), given.token.expose_text().into());
    }
    Ok((told, who))
}

/// `POST /logout`: ends the token in the head.
pub(super) async fn logout(call: &Call<'_>) -> Result<(Value, Authenticated), Failure> {
    let who = client::holder(call).await?;
    acting(call, who.clone()).end_session().await?;
    let code = StatusCode::OK.as_u16();
    Ok((json!({ "meta": { "code": code, "messages": ["Signed out"] } }), who))
}

/// Gives `who` a token: for the guards and listeners that `scope` names, or for all where they may.
pub(super) async fn give(
    call: &Call<'_>,
    settings: &Settings,
    who: &Authenticated,
    scope: Option<&str>,
) -> Result<Given, Failure> {
    let scope = scope.filter(|scope| !scope.trim().is_empty());
    let (guards, lifetime) = match scope {
        Some(scope) => scoped(call, scope, settings.lifetime)?,
        None => (None, settings.lifetime),
    };
    let now = call.services.clock.now().wall;
    let minted = acting(call, who.clone()).mint(now, Mint::token(lifetime, guards)).await?;
    let seconds = minted.expires.millis().saturating_sub(now.millis()) / 1_000;
    let scope = scope.map(|scope| scope.split_ascii_whitespace().collect::<Vec<_>>().join(" "));
    Ok(Given { token: minted.token, seconds, scope })
}

/// What a token is limited to, and how long it lives.
type Scoped = (Option<Box<[Id<Guard>]>>, Duration);

/// The guards and listeners that `scope` names, each by its name, and the shortest of their lifetimes.
fn scoped(call: &Call<'_>, scope: &str, most: Duration) -> Result<Scoped, Failure> {
    let unknown = || Failure::named("invalid_scope", "a scope names listeners and guards here");
    let table = call.services.gate.memory().guards();
    let (mut guards, mut lifetime) = (Vec::new(), most);
    for name in scope.split_ascii_whitespace() {
        let named = |guard: &&std::sync::Arc<Guard>| {
            *guard.name == *name && guard.standing.realm == call.mount.realm
        };
        let guard = table.all().find(named).ok_or_else(unknown)?;
        let scheme = guard.schemes.iter().find(|scheme| scheme.name() == BEARER);
        let scheme = scheme.ok_or_else(unknown)?;
        lifetime = scheme.max_age().map_or(lifetime, |age| age.min(lifetime));
        if guards.len() == MAX_GUARDS {
            return Err(Failure::named("invalid_scope", "a scope names at most 100 guards"));
        }
        guards.push(guard.standing.id);
    }
    Ok((Some(guards.into()), lifetime))
}
