//! `POST /login` and `POST /logout`: a proof for a session's cookie, and its end.

use std::collections::BTreeSet;

use http::HeaderValue;
use http::header::{HeaderName, ORIGIN, SET_COOKIE};
use portcullis_core::ability::Ability;
use portcullis_core::authenticator::Authenticated;
use portcullis_core::scheme::{SESSION, session};
use portcullis_core::time::Timestamp;
use serde_json::json;

use super::envelope::{Failure, Success};
use super::settings::Settings;
use super::{Caller, SCHEMES, may_sign_in, seconds, write_id};
use crate::actions::sessions::{Mint, SessionTerms};
use crate::dialects::Call;
use crate::dialects::body::Fields;
use crate::dialects::proof::{Unproven, acting, prove};

/// The cookie of a session.
const COOKIE: &str = session::DEFAULT_COOKIE;
const X_SESSION_ID: HeaderName = HeaderName::from_static("x-session-id");
const X_SESSION_EXPIRES: HeaderName = HeaderName::from_static("x-session-expires");

pub(super) async fn login(
    call: &Call<'_>,
    settings: &Settings,
    fields: Fields<'_>,
) -> Result<Success, Failure> {
    let (username, password) = (fields.needed("username")?, fields.needed("password")?);
    let proven = prove(call, (&SCHEMES, &call.site()), username, password).await;
    let who = proven.map_err(|unproven| match unproven {
        Unproven::Malformed => Failure::refused("malformed"),
        Unproven::Unknown(unknown) => unknown.into(),
    })?;
    may_sign_in(call, settings, &who)?;
    let now = call.services.clock.now().wall;
    let terms = SessionTerms { lifetime: settings.idle, idle: settings.idle, cap: settings.cap };
    let opened = acting(call, who.clone()).mint(now, Mint::session(terms)).await?;
    let token = opened.token.expose_text();
    let left = opened.expires.millis().saturating_sub(now.millis());
    let body = json!({
        "success": true,
        "auth": {
            "abilities": abilities(call, &who),
            "expires": seconds(opened.expires),
            "expiresSeconds": left / 1_000,
            "userId": write_id(who.principal.user.id),
            "username": who.principal.user.login,
        },
    });
    let cookie = cookie(call, token, "");
    Ok(Success::bare(body)
        .with(X_SESSION_EXPIRES, value(&written(opened.expires, left))?)
        .with(X_SESSION_ID, secret(token)?)
        .with(SET_COOKIE, secret(&cookie)?))
}

pub(super) async fn logout(caller: &Caller<'_>) -> Result<Success, Failure> {
    let credential = caller.who.principal.credential;
    if credential.scheme != SESSION {
        return Err(Failure::refused("no_session"));
    }
    caller.actions.end_session().await?;
    let cookie = cookie(caller.call, "", "; Max-Age=0");
    Ok(Success::results(json!({})).confirming("Signed out.").with(SET_COOKIE, value(&cookie)?))
}

/// What the user may do somewhere, as short words.
fn abilities(call: &Call<'_>, who: &Authenticated) -> BTreeSet<String> {
    let (memory, user) = (call.services.gate.memory(), &who.principal.user);
    let held = user.abilities(memory);
    held.iter().map(code).collect()
}

/// `API Key - Sign In` as `api_key_sign_in`.
fn code(ability: &Ability) -> String {
    let words = ability.as_str().split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    words.join("_").to_ascii_lowercase()
}

/// `Secure` where the request or the page that signs in came by https; without it a client on plain
/// http, such as one that tries this out, would drop the cookie.
fn cookie(call: &Call<'_>, token: &str, more: &str) -> String {
    let origin = call.head.headers().get(ORIGIN).and_then(|origin| origin.to_str().ok());
    let https = call.head.is_secure() || origin.is_some_and(|it| it.starts_with("https:"));
    let secure = if https { "; Secure" } else { "" };
    format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict{secure}{more}")
}

fn secret(text: &str) -> Result<HeaderValue, Failure> {
    let mut value = value(text)?;
    value.set_sensitive(true);
    Ok(value)
}

fn value(text: &str) -> Result<HeaderValue, Failure> {
    HeaderValue::from_str(text).map_err(|_| Failure::unavailable())
}

/// Three parts: seconds since 1970, the moment in UTC without saying so, and the seconds left.
fn written(expires: Timestamp, left: i64) -> String {
    let moment = jiff::Timestamp::from_millisecond(expires.millis())
        .map(|moment| moment.strftime("%Y-%m-%dT%H:%M:%S%.6f").to_string())
        .unwrap_or_default();
    format!("{:.2}, {moment}, {:.2}", seconds(expires), seconds(Timestamp::from_millis(left)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_core::ability::BUILT_IN;

    #[test]
    fn the_expiry_has_three_parts() {
        let told = written(Timestamp::from_millis(1_729_903_436_260), 102_000_000);
        assert_eq!(told, "1729903436.26, 2024-10-26T00:43:56.260000, 102000.00");
    }

    #[test]
    fn every_built_in_ability_has_a_short_word_of_its_own() {
        let names: BTreeSet<_> = BUILT_IN.iter().flat_map(|role| role.abilities).collect();
        let codes: BTreeSet<_> =
            names.iter().map(|name| code(&Ability::parse(name).unwrap())).collect();
        assert_eq!(codes.len(), names.len());
        assert!(codes.contains("api_key_sign_in") && codes.contains("users_manage"));
    }
}
