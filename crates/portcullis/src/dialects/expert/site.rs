//! The site that a call is made to, and what every answer says of it.

use http::{HeaderMap, HeaderValue, header};
use portcullis_core::lookup::CredentialLookup as _;
use portcullis_core::time::Timestamp;

use super::cookies::{self, X_DEKI_SESSION, X_DEKI_SITE};
use super::failure::Failure;
use super::settings::Settings;
use crate::dialects::Call;

/// One site, as its documents tell of it.
pub(super) struct Site<'c> {
    pub(super) call: &'c Call<'c>,
    pub(super) settings: &'c Settings,
    /// What its addresses begin with.
    pub(super) origin: String,
    /// How it is called in documents.
    pub(super) id: String,
}

impl<'c> Site<'c> {
    pub(super) fn of(call: &'c Call<'c>, settings: &'c Settings) -> Result<Self, Failure> {
        let id = id(call).ok_or_else(Failure::unavailable)?;
        let origin = settings.origins.first().map(ToString::to_string);
        let origin = origin.unwrap_or_else(|| asked(call));
        Ok(Self { call, settings, origin, id })
    }

    /// The address of something below the API.
    pub(super) fn href(&self, path: &str) -> String {
        format!("{}{}/@api/deki/{path}", self.origin, self.call.mount.prefix)
    }
}

fn id(call: &Call<'_>) -> Option<String> {
    let realm = call.services.gate.memory().organization(call.mount.realm)?;
    Some(format!("site_{}", realm.number))
}

/// The origin that the request was made to, as far as it says.
fn asked(call: &Call<'_>) -> String {
    let host = call.head.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    format!("{}://{}", call.head.protocol(), host.unwrap_or(call.head.host()))
}

/// The address of a request, as an error repeats it; never with the query, which may hold what is
/// nobody's to see.
pub(super) fn uri(call: &Call<'_>) -> String {
    format!("{}{}", asked(call), call.head.path())
}

/// Says on an answer whose it is, and of which visit.
pub(super) fn mark(call: &Call<'_>, now: Timestamp, headers: &mut HeaderMap) {
    let site = id(call).and_then(|id| HeaderValue::try_from(format!("id=\"{id}\"")).ok());
    headers.extend(site.map(|site| (X_DEKI_SITE, site)));
    if !headers.contains_key(X_DEKI_SESSION) {
        let visit = HeaderValue::try_from(cookies::visit(call, now)).ok();
        headers.extend(visit.map(|visit| (X_DEKI_SESSION, visit)));
    }
}
