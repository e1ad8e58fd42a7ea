//! OAuth 2.0 beside the vendor's login: client credentials (RFC 6749, section 4.4), revocation
//! (RFC 7009), introspection (RFC 7662) and metadata (RFC 8414).

use std::sync::Arc;

use http::header::HOST;
use portcullis_core::ability::INTROSPECT;
use portcullis_core::authenticator::Authenticated;
use portcullis_core::guard::Guard;
use portcullis_core::id::Id;
use portcullis_core::limits::{Limits, Site};
use portcullis_core::organization::State;
use portcullis_core::scheme::BEARER;
use portcullis_core::time::Timestamp;
use serde_json::{Map, Value, json};

use super::failure::Failure;
use super::settings::Settings;
use super::{client, tokens};
use crate::dialects::Call;
use crate::dialects::body::Fields;
use crate::dialects::proof::acting;

/// `POST /oauth/token` (RFC 6749, section 4.4.2).
pub(super) async fn token(
    call: &Call<'_>,
    settings: &Settings,
    fields: Fields<'_>,
) -> Result<(Value, Authenticated), Failure> {
    match fields.needed("grant_type")? {
        "client_credentials" => {}
        _ => {
            let message = "the one grant here is `client_credentials`";
            return Err(Failure::named("unsupported_grant_type", message));
        }
    }
    let who = client::client(call, fields).await?;
    let given = tokens::give(call, settings, &who, fields.text("scope")?).await?;
    Ok((given.told(), who))
}

/// `POST /oauth/revoke` (RFC 7009, section 2.1). What is not a live token needs no revoking.
pub(super) async fn revoke(
    call: &Call<'_>,
    fields: Fields<'_>,
) -> Result<(Value, Authenticated), Failure> {
    let token = fields.needed("token")?;
    let who = client::client(call, fields).await?;
    // One that does not count at the moment, for its parent is switched off, may do so again.
    let Some(held) = call.services.gate.authenticator().proven(token.as_bytes()) else {
        return Ok((json!({}), who));
    };
    let own = held.owner == who.principal.user.id;
    if held.state == State::Deleted || !own && inspect(call, token).is_none() {
        return Ok((json!({}), who));
    }
    if held.scheme != BEARER {
        let message = "an API key is revoked by its owner or an operator";
        return Err(Failure::named("unsupported_token_type", message));
    }
    if !own {
        return Err(Failure::named("invalid_grant", "the token was given to another client"));
    }
    acting(call, who.clone()).end_own(&held).await?;
    Ok((json!({}), who))
}

/// `POST /oauth/introspect` (RFC 7662, section 2), of tokens and of API keys.
pub(super) async fn introspect(
    call: &Call<'_>,
    fields: Fields<'_>,
) -> Result<(Value, Authenticated), Failure> {
    let token = fields.needed("token")?;
    let who = client::server(call, fields).await?;
    let seen = inspect(call, token).filter(|held| may_ask(call, &who, held));
    let told = seen.map_or_else(|| json!({ "active": false }), |held| told(call, &held));
    Ok((told, who))
}

/// Whom a token or key stands for, if it is good for anything.
fn inspect(call: &Call<'_>, token: &str) -> Option<Authenticated> {
    let site = Site::any(call.mount.realm, None);
    let now = call.services.clock.now().wall;
    call.services.gate.authenticator().inspect(token.as_bytes(), &site, now)
}

/// One's own, or those of an organization in which one has the right to ask.
fn may_ask(call: &Call<'_>, who: &Authenticated, held: &Authenticated) -> bool {
    let (user, owner) = (&who.principal.user, &held.principal.user);
    user.id == owner.id || user.may(INTROSPECT, owner.organization, call.services.gate.memory())
}

/// RFC 7662, section 2.2.
fn told(call: &Call<'_>, held: &Authenticated) -> Value {
    let (user, credential) = (&held.principal.user, &held.principal.credential);
    let mut told = Map::new();
    let mut tell = |name: &str, value: Value| told.insert(name.to_owned(), value);
    tell("active", true.into());
    tell("token_type", if held.scheme == BEARER { "Bearer" } else { held.scheme.as_str() }.into());
    tell("sub", user.id.to_string().into());
    tell("read_only", credential.read_only.into());
    if let Some(login) = &user.login {
        tell("client_id", (**login).into());
        tell("username", (**login).into());
    }
    for (name, moment, unknown) in [
        ("iat", credential.minted, Timestamp::MIN),
        ("nbf", credential.not_before, Timestamp::MIN),
        ("exp", credential.expires, Timestamp::MAX),
    ] {
        if moment != unknown {
            tell(name, moment.millis().div_euclid(1_000).into());
        }
    }
    let limits = call.services.gate.authenticator().limits(credential);
    if let Some(guards) = common_guards(&limits) {
        let names = names(call, &guards);
        tell("scope", names.join(" ").into());
        tell("aud", names.into());
    }
    // What is minted is limited to no networks of its own, so that there is one list at most.
    if let Some(networks) = limits.iter().find_map(|it| it.networks.as_ref()) {
        let networks: Vec<String> = networks.iter().map(|it| it.to_string()).collect();
        tell("networks", networks.into());
    }
    Value::Object(told)
}

/// The guards that all of `limits` name, as far as any does.
fn common_guards(limits: &[Arc<Limits>]) -> Option<Vec<Id<Guard>>> {
    let named = limits.iter().filter_map(|it| it.guards.as_deref()).map(<[_]>::to_vec);
    named.reduce(|mut common, others| {
        common.retain(|guard| others.contains(guard));
        common
    })
}

/// The names of the guards that still stand.
fn names(call: &Call<'_>, guards: &[Id<Guard>]) -> Vec<String> {
    let table = call.services.gate.memory().guards();
    let named = |id: &Id<Guard>| table.all().find(|guard| guard.standing.id == *id);
    guards.iter().filter_map(named).map(|guard| guard.name.to_string()).collect()
}

/// `GET /.well-known/oauth-authorization-server` (RFC 8414, section 2).
pub(super) fn metadata(call: &Call<'_>, settings: &Settings) -> Value {
    let issuer = settings.issuer.clone().unwrap_or_else(|| {
        let host = call.head.headers().get(HOST).and_then(|host| host.to_str().ok());
        let protocol = call.head.protocol();
        format!("{protocol}://{}{}", host.unwrap_or(call.head.host()), call.mount.prefix)
    });
    let proofs = ["client_secret_basic", "client_secret_post"];
    json!({
        "issuer": issuer,
        "token_endpoint": format!("{issuer}/oauth/token"),
        "token_endpoint_auth_methods_supported": proofs,
        "revocation_endpoint": format!("{issuer}/oauth/revoke"),
        "revocation_endpoint_auth_methods_supported": proofs,
        "introspection_endpoint": format!("{issuer}/oauth/introspect"),
        "introspection_endpoint_auth_methods_supported": proofs,
        "grant_types_supported": ["client_credentials"],
        // There is no authorization endpoint; the member is required all the same.
        "response_types_supported": [],
    })
}
