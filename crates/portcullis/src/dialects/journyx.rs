//! Journyx: sign-in with a password or an API key, by cookie or Basic; API keys; collections.
//!
//! Whatever is unknown or forbidden is one 403. The wire and its sources:
//! `docs/dialects/journyx.md`.

mod collections;
mod envelope;
mod headers;
mod keys;
mod login;
mod settings;

use std::sync::LazyLock;

use http::Method;
use http_body_util::Full;
use hyper::body::Bytes;
use portcullis_core::ability::SIGN_IN_WITH_API_KEY;
use portcullis_core::authenticator::Authenticated;
use portcullis_core::credential::Credential;
use portcullis_core::id::Id;
use portcullis_core::lookup::CredentialLookup as _;
use portcullis_core::principal::{Role, User};
use portcullis_core::scheme::{ALL, API_KEY, BASIC, Options as SchemeOptions, SESSION, Scheme};
use portcullis_core::time::Timestamp;
use portcullis_store::collections::{ProjectEntry, RoleEntry, UserEntry};
use portcullis_store::projects::Project;
use serde_json::Value;

use super::body::{self, fields_of};
use super::proof::acting;
use super::{Answered, Call, Dialect};
use crate::actions::Actions;
use crate::gate::Unknown;
use envelope::{Failure, Success};
use settings::Settings;

pub(crate) const DIALECT: Dialect = Dialect {
    name: "journyx",
    summary: "the Journyx API: sessions, Basic, API keys, users, roles and projects",
    paths: &[
        "/api/v1/login",
        "/api/v1/logout",
        "/api/v1/api_keys",
        "/api/v1/users",
        "/api/v1/roles",
        "/api/v1/projects",
    ],
    trial: &[("api_keys", "true")],
    check: |options| Settings::read(options).map(drop),
    route: |_, _| None,
    answer: |call| Box::pin(answer(call)),
    malformed: |why| Failure::bad(why.to_string()).respond("").map(Full::new),
};

/// What stands before every path.
const BASE: &str = "/api/v1/";

/// An address of the API.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Address {
    Generate,
    Key(Id<Credential>),
    Keys,
    Login,
    Logout,
    Project(Id<Project>),
    Projects,
    Role(Id<Role>),
    Roles,
    User(Id<User>),
    Users,
}

impl Address {
    /// The address that `path` names below the mount.
    fn parse(path: &str) -> Option<Self> {
        let rest = path.strip_prefix(BASE)?;
        let segments: Vec<&str> = rest.strip_suffix('/').unwrap_or(rest).split('/').collect();
        Some(match *segments.as_slice() {
            ["login"] => Self::Login,
            ["logout"] => Self::Logout,
            ["api_keys"] => Self::Keys,
            ["api_keys", "generate_api_key"] => Self::Generate,
            ["api_keys", id] => Self::Key(parse_id(id)?),
            ["projects"] => Self::Projects,
            ["projects", id] => Self::Project(parse_id(id)?),
            ["roles"] => Self::Roles,
            ["roles", id] => Self::Role(parse_id(id)?),
            ["users"] => Self::Users,
            ["users", id] => Self::User(parse_id(id)?),
            _ => return None,
        })
    }

    /// The methods it takes.
    const fn methods(self) -> &'static str {
        match self {
            Self::Generate | Self::Login | Self::Logout => "POST",
            Self::Key(_) => "GET, PATCH, DELETE",
            Self::Keys
            | Self::Project(_)
            | Self::Projects
            | Self::Role(_)
            | Self::Roles
            | Self::User(_)
            | Self::Users => "GET",
        }
    }
}

/// An id as this dialect writes it: 32 upper-case hex digits, without hyphens.
fn parse_id<T>(text: &str) -> Option<Id<T>> {
    let plain = |byte: u8| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte);
    Id::parse(text).filter(|_| text.len() == 32 && text.bytes().all(plain))
}

/// The id of something, as this dialect writes it.
fn write_id<T>(id: Id<T>) -> String {
    id.as_bytes().iter().map(|byte| format!("{byte:02X}")).collect()
}

/// Seconds since 1970, with what is behind the point.
#[expect(clippy::cast_precision_loss, reason = "exact for the next 280 000 years")]
fn seconds(moment: Timestamp) -> f64 {
    moment.millis() as f64 / 1_000.0
}

/// A caller who was recognised.
struct Caller<'c> {
    call: &'c Call<'c>,
    settings: Settings,
    who: Authenticated,
    /// What may be done, by this caller.
    actions: Actions,
}

async fn answer(mut call: Call<'_>) -> Answered {
    let mut who = None;
    let uri = envelope::uri(&call);
    let (response, reason) = match handle(&mut call, &mut who, &uri).await {
        Ok(success) => (success.respond(&uri), None),
        Err(failure) => (failure.respond(&uri), Some(failure.reason)),
    };
    Answered { response: response.map(|body: Bytes| Full::new(body)), who, reason }
}

async fn handle(
    call: &mut Call<'_>,
    who: &mut Option<Authenticated>,
    uri: &str,
) -> Result<Success, Failure> {
    let settings = Settings::read(&call.mount.options).map_err(Failure::bad)?;
    let address = Address::parse(call.path).ok_or(Failure::FORBIDDEN)?;
    // RFC 9110, section 9.3.2: whoever answers GET answers HEAD.
    let method = if call.head.method() == Method::HEAD { &Method::GET } else { call.head.method() };
    if !address.methods().split(", ").any(|it| it == method.as_str()) {
        return Err(Failure::wrong_method(address.methods()));
    }
    if *method != Method::GET {
        headers::check(call.head)?;
    }
    if address == Address::Login {
        let body = body::json(&body::read(call).await?)?;
        return login::login(call, &settings, fields_of(&body)?).await;
    }
    let proven = recognise(call, &settings).await?;
    *who = Some(proven.clone());
    let body = read(call, method).await?;
    let caller = Caller::new(call, settings, proven);
    let fields = || fields_of(&body).map_err(Failure::from);
    match (address, method) {
        (Address::Logout, _) => login::logout(&caller).await,
        (Address::Generate, _) => keys::generate(&caller, fields()?).await,
        (Address::Keys, _) => keys::list(&caller, uri).await,
        (Address::Key(id), &Method::PATCH) => keys::update(&caller, id, fields()?).await,
        (Address::Key(id), &Method::DELETE) => keys::delete(&caller, id).await,
        (Address::Key(id), _) => keys::show(&caller, id).await,
        (Address::Project(id), _) => collections::show::<ProjectEntry>(&caller, id).await,
        (Address::Projects, _) => collections::list::<ProjectEntry>(&caller, uri).await,
        (Address::Role(id), _) => collections::show::<RoleEntry>(&caller, id).await,
        (Address::Roles, _) => collections::list::<RoleEntry>(&caller, uri).await,
        (Address::User(id), _) => collections::show::<UserEntry>(&caller, id).await,
        (Address::Users, _) => collections::list::<UserEntry>(&caller, uri).await,
        (Address::Login, _) => Err(Failure::FORBIDDEN),
    }
}

/// The body of a call that may have one; none at all is an object without fields.
async fn read(call: &mut Call<'_>, method: &Method) -> Result<Value, Failure> {
    let empty = Value::Object(serde_json::Map::new());
    if !matches!(*method, Method::POST | Method::PATCH) {
        return Ok(empty);
    }
    let text = body::read(call).await?;
    if text.trim().is_empty() { Ok(empty) } else { Ok(body::json(&text)?) }
}

static SCHEMES: LazyLock<Vec<Box<dyn Scheme>>> = LazyLock::new(|| {
    let kinds = ALL.iter().filter(|kind| [BASIC, SESSION].contains(&kind.name));
    kinds.filter_map(|kind| (kind.build)(&SchemeOptions::new()).ok()).collect()
});

/// Who calls: by Basic, or by the cookie of a session.
async fn recognise(call: &Call<'_>, settings: &Settings) -> Result<Authenticated, Failure> {
    let known = call.services.gate.recognise(&SCHEMES, &call.site(), call.head).await;
    let who = known?.ok_or_else(|| Failure::refused("no_credential"))?;
    may_sign_in(call, settings, &who)?;
    Ok(who)
}

/// Whether the way in which somebody was proven is one that counts on this site. What was opened
/// with a key is judged as that key is.
fn may_sign_in(call: &Call<'_>, settings: &Settings, who: &Authenticated) -> Result<(), Failure> {
    let memory = call.services.gate.memory();
    let credential = &who.principal.credential;
    let parent = credential.parent.and_then(|place| memory.filed_at(place));
    let first = parent.map_or(credential.scheme, |parent| parent.scheme);
    if first == BASIC && settings.sso_only {
        return Err(Failure::refused("password_on_sso_site"));
    }
    if first == API_KEY {
        let user = &who.principal.user;
        if !settings.api_keys {
            return Err(Failure::refused("keys_switched_off"));
        }
        if !user.may(SIGN_IN_WITH_API_KEY, user.organization, memory) {
            return Err(Failure::refused("no_ability"));
        }
    }
    Ok(())
}

impl<'c> Caller<'c> {
    fn new(call: &'c Call<'c>, settings: Settings, who: Authenticated) -> Self {
        let actions = acting(call, who.clone());
        Self { call, settings, who, actions }
    }

    /// Whether the caller holds the ability in their own organization.
    fn may(&self, ability: &str) -> bool {
        let user = &self.who.principal.user;
        user.may(ability, user.organization, self.call.services.gate.memory())
    }
}

impl From<Unknown> for Failure {
    fn from(unknown: Unknown) -> Self {
        match unknown {
            Unknown::Busy(wait) => Self::too_many(wait),
            Unknown::Changed | Unknown::Unavailable => Self::unavailable(),
            Unknown::Rejected(no) => Self::rejected(no.reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_from_its_path_and_an_id_has_one_form() {
        let id = "84A9E688C8AF4931B206F0423C3F70EA";
        let key = Id::parse(id).unwrap();
        for (path, expected) in [
            ("/api/v1/login", Some(Address::Login)),
            ("/api/v1/logout/", Some(Address::Logout)),
            ("/api/v1/api_keys", Some(Address::Keys)),
            ("/api/v1/api_keys/generate_api_key", Some(Address::Generate)),
            (&format!("/api/v1/api_keys/{id}"), Some(Address::Key(key))),
            (&format!("/api/v1/api_keys/{}", id.to_lowercase()), None),
            ("/api/v1/api_keys/84A9E688-C8AF-4931-B206-F0423C3F70EA", None),
            ("/api/v1/api_keys/x", None),
            ("/api/v1/", None),
            ("", None),
        ] {
            assert_eq!(Address::parse(path), expected, "{path}");
        }
        assert_eq!(write_id(key), id);
    }
}
