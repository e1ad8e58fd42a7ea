//! What a site sets: the options of its mount.

use std::time::Duration;

use portcullis_core::name;
use portcullis_core::public_origin::PublicOrigin;

use crate::actions::sessions::SessionTerms;
use crate::dialects::Options;

/// How long a session lives after its last use: the vendor's two days.
const IDLE: Duration = Duration::from_secs(48 * 3_600);
/// How long a session lives at most, however much it is used: the vendor's six days and a half.
const CAP: Duration = Duration::from_secs(561_600);
/// What may be set for either.
const SPANS: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(60)..=Duration::from_secs(90 * 86_400);
/// How the home page is called where nobody says otherwise.
const TITLE: &str = "Home";
/// The option that names the listener which answers for all other addresses.
pub(super) const UPSTREAM: &str = "upstream";

/// With which requests from other sites a browser sends the cookies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum SameSite {
    /// With those that lead to a page alone.
    Lax,
    /// With all.
    None,
}

/// The settings of one site.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Settings {
    /// Where the site is known to its people, the first before the others; a browser is sent to these
    /// alone.
    pub(super) origins: Vec<PublicOrigin>,
    /// Whether the cookies count for all hosts below the site's too.
    pub(super) cookie_domain: bool,
    pub(super) same_site: SameSite,
    /// How long a session lives.
    pub(super) terms: SessionTerms,
    /// Whether a link signs in once.
    pub(super) single_use: bool,
    /// Whether the exchange makes a user of a name that nobody has.
    pub(super) new_users: bool,
    /// Whether a call without a token must at least say that a script makes it.
    pub(super) require_token: bool,
    /// How the home page is called.
    pub(super) title: String,
}

impl Settings {
    pub(super) fn read(options: &Options) -> Result<Self, String> {
        let mut settings = Self {
            origins: Vec::new(),
            cookie_domain: false,
            same_site: SameSite::Lax,
            terms: SessionTerms { lifetime: IDLE, idle: IDLE, cap: CAP },
            single_use: false,
            new_users: true,
            require_token: false,
            title: TITLE.into(),
        };
        for (name, value) in options {
            match name.as_str() {
                "origin" => settings.origins = origins(value)?,
                "cookie_domain" => settings.cookie_domain = flag(name, value)?,
                "same_site" => settings.same_site = same_site(value)?,
                "session_idle" => settings.terms.idle = span(name, value)?,
                "session_cap" => settings.terms.cap = span(name, value)?,
                "single_use" => settings.single_use = flag(name, value)?,
                "new_users" => settings.new_users = flag(name, value)?,
                "require_token" => settings.require_token = flag(name, value)?,
                "title" => settings.title = title(value)?,
                // Whether there is such a listener is the gate's to say.
                UPSTREAM => {}
                _ => return Err(format!("`expert` has no option `{name}`")),
            }
        }
        settings.terms.lifetime = settings.terms.idle;
        if settings.cookie_domain && settings.domain().is_none() {
            return Err("`cookie_domain` needs an `origin` whose host is a name with a dot".into());
        }
        Ok(settings)
    }

    /// The name below which all hosts get the cookies.
    pub(super) fn domain(&self) -> Option<&str> {
        let host = self.origins.first().filter(|_| self.cookie_domain)?.host();
        let address = host.starts_with('[') || host.parse::<std::net::Ipv4Addr>().is_ok();
        (host.contains('.') && !address).then_some(host)
    }
}

fn origins(value: &str) -> Result<Vec<PublicOrigin>, String> {
    let parts = value.split([',', ' ']).filter(|part| !part.is_empty());
    let origins = parts.map(|part| {
        PublicOrigin::parse(part).map_err(|bad| format!("`origin` is a list of origins: {bad}"))
    });
    let origins: Vec<_> = origins.collect::<Result<_, _>>()?;
    if origins.is_empty() { Err("`origin` names none".into()) } else { Ok(origins) }
}

fn flag(name: &str, value: &str) -> Result<bool, String> {
    value.parse().map_err(|_| format!("`{name}` is `true` or `false`, not `{value}`"))
}

fn same_site(value: &str) -> Result<SameSite, String> {
    match value {
        "lax" => Ok(SameSite::Lax),
        "none" => Ok(SameSite::None),
        _ => Err(format!("`same_site` is `lax` or `none`, not `{value}`")),
    }
}

fn span(name: &str, value: &str) -> Result<Duration, String> {
    let read = value.parse::<jiff::SignedDuration>().ok();
    let read = read.and_then(|it| Duration::try_from(it).ok()).filter(|it| SPANS.contains(it));
    read.ok_or_else(|| format!("`{name}` is a time from 1m to 2160h, not `{value}`"))
}

fn title(value: &str) -> Result<String, String> {
    name::title(value).map(str::to_owned).map_err(|bad| format!("`title`: {bad}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Settings, String> {
        let owned = pairs.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        Settings::read(&owned.collect())
    }

    #[test]
    fn a_site_is_as_it_says_and_as_the_vendors_where_it_says_nothing() {
        let bare = read(&[]).unwrap();
        assert!(bare.origins.is_empty() && bare.new_users && !bare.single_use);
        assert_eq!((bare.terms.lifetime, bare.terms.cap), (IDLE, CAP));
        let set = read(&[
            ("origin", "https://help.example.com, http://127.0.0.1:8080"),
            ("cookie_domain", "true"),
            ("session_idle", "1h"),
            ("session_cap", "10h"),
            ("upstream", "pages"),
            ("same_site", "none"),
            ("title", "Help"),
        ])
        .unwrap();
        assert_eq!(set.origins.len(), 2);
        assert_eq!(set.domain(), Some("help.example.com"));
        assert_eq!((set.terms.lifetime.as_secs(), set.terms.idle.as_secs()), (3_600, 3_600));
    }

    #[test]
    fn what_it_cannot_be_is_told() {
        for bad in [
            &[("origin", "")][..],
            &[("origin", "help.example.com")],
            &[("origin", "https://help.example.com/")],
            &[("cookie_domain", "true")],
            &[("cookie_domain", "true"), ("origin", "http://127.0.0.1:8080")],
            &[("cookie_domain", "true"), ("origin", "http://localhost")],
            &[("cookie_domain", "true"), ("origin", "http://[::1]")],
            &[("same_site", "strict")],
            &[("single_use", "yes")],
            &[("session_idle", "1s")],
            &[("title", " ")],
            &[("else", "1")],
        ] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }
}
