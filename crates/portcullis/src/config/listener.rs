//! The tables `[[listener]]`: guards with an id instead of a place.

use std::time::Duration;

use portcullis_core::guard::Preset;
use portcullis_core::scheme::bearer;

use super::Known;
use super::guard::{GuardSettings, MAX_ABILITY, Taken, method, read_schemes, title, upstream};
use super::reader::Section;
use super::server::network;
use super::source::Source;

/// How many listeners a file may have.
pub(crate) const MAX_LISTENERS: usize = 1_000;
/// What a listener accepts if nobody says.
pub(crate) const LISTENER_SCHEMES: [&str; 3] = ["basic", "bearer", "shared_secret"];
/// The same, as a file writes it.
pub(super) const SCHEMES_AS_WRITTEN: &str = r#"["basic", "bearer", "shared_secret"]"#;
/// The longest that a token may live: a year.
pub(crate) const MAX_TOKEN_LIFETIME: Duration = Duration::from_secs(bearer::MAX_LIFETIME);

/// The longest id, in bytes.
const MAX_ID: usize = portcullis_core::guard::MAX_LISTENER_ID;
/// The longest name of a header, in bytes.
const MAX_HEADER: usize = 100;

/// What a listener says of its schemes in words of its own.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct ListenerSettings {
    /// The header that carries a shared secret.
    pub(crate) secret_header: Option<String>,
    /// How long a token lives.
    pub(crate) token_lifetime: Option<Duration>,
}

/// Reads one `[[listener]]`.
pub(super) fn listener(
    mut section: Section<'_, '_>,
    source: &Source<'_>,
    known: &Known<'_>,
    taken: &mut Taken,
) -> Option<GuardSettings> {
    let (place, at_id) = (source.place(section.at()), section.at_key("id"));
    let id = section.text("id", id);
    let upstream = section.text("upstream", upstream);
    let schemes = read_schemes(&mut section, known);
    let networks = section.list("networks", network);
    let client_certificate = section.flag("client_certificate");
    let methods = section.list("methods", method);
    let ability = section.text("ability", |text| title(text, MAX_ABILITY));
    let organization = section.count("organization");
    let secret_header = section.text("secret_header", header);
    let token_lifetime = section.span("token_lifetime");
    let identity = section.list("identity", Preset::parse);
    let assertion = section.flag("assertion");
    let pass_credential = section.flag("pass_credential");
    if let Some(id) = &id {
        taken.take_name(&section, (at_id, "id"), id, &place);
    }
    section.finish(known.schemes);
    Some(GuardSettings {
        name: id?,
        listener: Some(ListenerSettings { secret_header, token_lifetime }),
        hosts: Vec::new(),
        path: "/".into(),
        upstreams: vec![upstream?],
        schemes,
        networks,
        client_certificate: client_certificate?,
        methods: methods.unwrap_or_default(),
        ability,
        organization,
        upgrades: Vec::new(),
        identity: identity?,
        assertion: assertion?,
        pass_credential: pass_credential?,
        strip_path: false,
        place,
    })
}

fn id(text: &str) -> Option<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let good = (1..=MAX_ID).contains(&text.len()) && text.bytes().all(plain);
    good.then(|| text.to_owned())
}

fn header(text: &str) -> Option<String> {
    let name: Option<http::HeaderName> = text.parse().ok();
    name.filter(|_| text.len() <= MAX_HEADER).map(|name| name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schemes_of_a_listener_are_the_same_in_both_writings() {
        assert_eq!(format!("{LISTENER_SCHEMES:?}"), SCHEMES_AS_WRITTEN);
    }
}
