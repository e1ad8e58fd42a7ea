//! The two cookies of a session, and the session that confers nothing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::HeaderName;
use http::header::COOKIE;
use portcullis_core::request::{cookie_pairs, unquoted};
use portcullis_core::scheme::authtoken::COOKIE_NAME;
use portcullis_core::secret::SecretBuf;
use portcullis_core::time::Timestamp;
use uuid::Uuid;

use super::settings::{SameSite, Settings};
use crate::dialects::Call;

/// Carries the visit to whoever counts visits.
pub(super) const X_DEKI_SESSION: HeaderName = HeaderName::from_static("x-deki-session");
/// Names the site.
pub(super) const X_DEKI_SITE: HeaderName = HeaderName::from_static("x-deki-site");
const VISIT: &str = "dekisession";
/// How long a browser remembers a visit, in seconds: the vendor's six months.
const VISIT_SECONDS: u64 = 180 * 86_400;
/// The longest visit that is taken over, in bytes.
const MAX_VISIT: usize = 128;

/// The visit that a request belongs to, or a new one. It proves nothing.
pub(super) fn visit(call: &Call<'_>, now: Timestamp) -> String {
    let lines = call.head.headers().get_all(COOKIE).iter();
    let mut sent = lines
        .flat_map(|line| cookie_pairs(line.as_bytes()))
        .filter(|pair| pair.name == VISIT.as_bytes())
        .filter_map(|pair| std::str::from_utf8(unquoted(pair.value)).ok());
    sent.find(|value| is_visit(value)).map_or_else(|| new_visit(now), str::to_owned)
}

/// Base64 of an identity, `|`, and a moment in UTC.
fn is_visit(value: &str) -> bool {
    let decoded = (value.len() <= MAX_VISIT).then(|| BASE64.decode(value).ok()).flatten();
    let text = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    text.as_deref().and_then(|text| text.split_once('|')).is_some_and(|(id, moment)| {
        Uuid::try_parse(id).is_ok() && moment.parse::<jiff::civil::DateTime>().is_ok()
    })
}

fn new_visit(now: Timestamp) -> String {
    let random = portcullis_core::seal::random().unwrap_or_default();
    let id = uuid::Builder::from_random_bytes(random).into_uuid();
    let moment = jiff::Timestamp::from_millisecond(now.millis()).unwrap_or_default();
    BASE64.encode(format!("{id}|{}", moment.strftime("%Y-%m-%dT%H:%M:%S")))
}

/// Both cookies of a new session. A list of them would be cut at the comma of a date, so that they say
/// how long they live instead.
pub(super) fn set(
    call: &Call<'_>,
    settings: &Settings,
    token: &SecretBuf,
    visit: &str,
) -> [SecretBuf; 2] {
    let seconds = settings.terms.cap.as_secs();
    [
        cookie(call, settings, (COOKIE_NAME, token.expose_text()), seconds),
        cookie(call, settings, (VISIT, visit), VISIT_SECONDS),
    ]
}

/// What takes the session away.
pub(super) fn clear(call: &Call<'_>, settings: &Settings) -> SecretBuf {
    cookie(call, settings, (COOKIE_NAME, ""), 0)
}

fn cookie(
    call: &Call<'_>,
    settings: &Settings,
    (name, value): (&str, &str),
    seconds: u64,
) -> SecretBuf {
    let https = call.head.is_secure() || settings.origins.first().is_some_and(|it| it.is_secure());
    let domain = settings.domain().map(|host| format!("; Domain=.{host}")).unwrap_or_default();
    let site = match settings.same_site {
        SameSite::Lax => "Lax",
        SameSite::None => "None",
    };
    let secure = if https { "; Secure" } else { "" };
    SecretBuf::new(format!(
        "{name}=\"{value}\"{domain}; Path=/; Max-Age={seconds}; HttpOnly{secure}; SameSite={site}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visit_is_taken_over_in_its_form_alone() {
        let now = Timestamp::from_millis(1_422_940_200_000);
        let drawn = new_visit(now);
        assert!(is_visit(&drawn));
        let text = String::from_utf8(BASE64.decode(&drawn).unwrap()).unwrap();
        assert!(text.ends_with("|2015-02-03T05:10:00"), "{text}");
        for bad in ["", "x", &BASE64.encode("a|b"), &BASE64.encode("|2015-02-03T05:10:00")] {
            assert!(!is_visit(bad), "{bad}");
        }
        assert!(!is_visit(&BASE64.encode(format!("{text}\r\nSet-Cookie: a=b"))));
    }
}
