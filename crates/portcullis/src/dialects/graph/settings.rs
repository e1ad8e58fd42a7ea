//! What a site sets: the options of its mount.

use std::time::Duration;

use http::Uri;
use portcullis_core::scheme::bearer::MAX_LIFETIME;

use crate::dialects::Options;

/// How long a token lives, unless an option says otherwise: what the vendor's page has for example.
const LIFETIME: Duration = Duration::from_secs(24 * 3_600);
/// The shortest that a token may live.
const SHORTEST: Duration = Duration::from_secs(60);

/// The settings of one site.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Settings {
    /// How long a token lives.
    pub(super) lifetime: Duration,
    /// The address by which clients know this site (RFC 8414, section 2), without a slash at its end;
    /// without one, the address that they called.
    pub(super) issuer: Option<String>,
}

impl Settings {
    pub(super) fn read(options: &Options) -> Result<Self, String> {
        let mut settings = Self { lifetime: LIFETIME, issuer: None };
        for (name, value) in options {
            match name.as_str() {
                "issuer" => settings.issuer = Some(issuer(value)?),
                "token_lifetime" => settings.lifetime = lifetime(value)?,
                _ => return Err(format!("`graph` has no option `{name}`")),
            }
        }
        Ok(settings)
    }
}

fn lifetime(value: &str) -> Result<Duration, String> {
    let bounds = SHORTEST..=Duration::from_secs(MAX_LIFETIME);
    let read = value.parse::<jiff::SignedDuration>().ok();
    let read = read.and_then(|it| Duration::try_from(it).ok()).filter(|it| bounds.contains(it));
    read.ok_or_else(|| format!("`token_lifetime` is a time from 1m to 8760h, not `{value}`"))
}

/// RFC 8414, section 2: no query, no fragment.
fn issuer(value: &str) -> Result<String, String> {
    let bad = || format!("`issuer` is an address like `https://api.example.com`, not `{value}`");
    let uri: Uri = value.parse().map_err(|_| bad())?;
    let known = matches!(uri.scheme_str(), Some("http" | "https"));
    let plain = uri.query().is_none() && !value.contains(['#', '@']) && uri.host().is_some();
    if known && plain { Ok(value.trim_end_matches('/').to_owned()) } else { Err(bad()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_says_how_long_its_tokens_live_and_how_it_is_called() {
        for (name, value, expected) in [
            ("token_lifetime", "1h", Some((3_600, None))),
            ("token_lifetime", "59s", None),
            ("token_lifetime", "8761h", None),
            ("token_lifetime", "soon", None),
            ("issuer", "https://a.example/x/", Some((86_400, Some("https://a.example/x")))),
            ("issuer", "https://a.example?x", None),
            ("issuer", "https://me@a.example", None),
            ("issuer", "ftp://a.example", None),
            ("issuer", "/a", None),
            ("else", "1", None),
        ] {
            let read = Settings::read(&Options::from([(name.into(), value.into())]));
            let read = read.ok().map(|it| (it.lifetime.as_secs(), it.issuer));
            let expected = expected.map(|(life, issuer)| (life, issuer.map(str::to_owned)));
            assert_eq!(read, expected, "{name} = {value}");
        }
    }
}
