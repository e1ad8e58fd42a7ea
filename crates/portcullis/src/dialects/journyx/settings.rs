//! What a site sets: the options of its mount.

use std::time::Duration;

use crate::dialects::Options;

/// The most days that a key may live, and what it lives where nobody says less.
pub(super) const MAX_KEY_DAYS: i64 = 180;
/// How long a session lives after its last use: what the vendor's examples show.
const IDLE: Duration = Duration::from_secs(102_000);
/// How long a session lives at most, however much it is used.
const CAP: Duration = Duration::from_secs(7 * 86_400);
/// What may be set for either.
const SPANS: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(60)..=Duration::from_secs(90 * 86_400);

/// The settings of one site.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Settings {
    /// Whether API keys of users authenticate requests.
    pub(super) api_keys: bool,
    /// Whether passwords are refused, as people sign in elsewhere.
    pub(super) sso_only: bool,
    /// The most days that a key may live.
    pub(super) key_days: i64,
    /// How long a session lives after its last use.
    pub(super) idle: Duration,
    /// How long a session lives at most.
    pub(super) cap: Duration,
}

impl Settings {
    pub(super) fn read(options: &Options) -> Result<Self, String> {
        let mut settings =
            Self { api_keys: false, sso_only: false, key_days: MAX_KEY_DAYS, idle: IDLE, cap: CAP };
        for (name, value) in options {
            match name.as_str() {
                "api_keys" => settings.api_keys = flag(name, value)?,
                "sso_only" => settings.sso_only = flag(name, value)?,
                "key_days" => settings.key_days = days(name, value)?,
                "session_idle" => settings.idle = span(name, value)?,
                "session_cap" => settings.cap = span(name, value)?,
                _ => return Err(format!("`journyx` has no option `{name}`")),
            }
        }
        Ok(settings)
    }
}

fn flag(name: &str, value: &str) -> Result<bool, String> {
    value.parse().map_err(|_| format!("`{name}` is `true` or `false`, not `{value}`"))
}

fn days(name: &str, value: &str) -> Result<i64, String> {
    let read = value.parse().ok().filter(|days| (1..=MAX_KEY_DAYS).contains(days));
    read.ok_or_else(|| format!("`{name}` is from 1 to {MAX_KEY_DAYS}, not `{value}`"))
}

fn span(name: &str, value: &str) -> Result<Duration, String> {
    let read = value.parse::<jiff::SignedDuration>().ok();
    let read = read.and_then(|it| Duration::try_from(it).ok()).filter(|it| SPANS.contains(it));
    read.ok_or_else(|| format!("`{name}` is a time from 1m to 2160h, not `{value}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_as_it_says_and_keys_are_off_where_it_says_nothing() {
        let read = |pairs: &[(&str, &str)]| {
            let owned = pairs.iter().map(|(name, value)| ((*name).into(), (*value).into()));
            Settings::read(&owned.collect())
        };
        let bare = read(&[]).unwrap();
        assert_eq!((bare.api_keys, bare.sso_only, bare.key_days), (false, false, 180));
        assert_eq!(bare.idle, Duration::from_secs(102_000));
        let set = read(&[("api_keys", "true"), ("key_days", "30"), ("session_idle", "1h")]);
        assert_eq!(
            set.map(|it| (it.api_keys, it.key_days, it.idle.as_secs())),
            Ok((true, 30, 3_600))
        );
        for bad in [
            ("api_keys", "yes"),
            ("key_days", "0"),
            ("key_days", "181"),
            ("session_idle", "1s"),
            ("session_cap", "soon"),
            ("else", "1"),
        ] {
            assert!(read(&[bad]).is_err(), "{bad:?}");
        }
    }
}
