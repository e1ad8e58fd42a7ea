//! Which names are ours alone.

use super::*;

#[test]
fn identity_headers_are_known_under_every_alias() {
    for name in [
        "Portcullis-User",
        "portcullis_user",
        "Portcullis.User-Id",
        "X_Forwarded_Proto",
        "X-Forwarded-For",
        "Remote-User",
        "Remote_User",
        "X.Auth.Request.User",
        "Forwarded",
        "X-Consumer-Id",
        "X-Real-Ip",
        "X_Real_IP",
    ] {
        assert!(is_reserved(&name.parse().unwrap()), "{name}");
    }
    for name in ["Accept", "X-Request-Id", "Portcullis", "Content-Type", "X-Forward"] {
        assert!(!is_reserved(&name.parse().unwrap()), "{name}");
    }
}

#[test]
fn whatever_upstreams_are_told_by_is_ours_alone_under_every_alias() {
    let told = Preset::ALL.into_iter().flat_map(headers).chain([&REQUEST]);
    let names: Vec<_> = told.map(|(name, _)| *name).chain([ASSERTION]).collect();
    for name in &names {
        let upper = name.to_ascii_uppercase();
        let folded = ["_", ".", "!", "~"].map(|other| name.replace('-', other));
        let mixed = name.replacen('-', "_", 1);
        for alias in folded.into_iter().chain([(*name).to_owned(), upper, mixed]) {
            assert!(is_reserved(&alias.parse().unwrap()), "{alias}");
        }
    }
    let mut once = names.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), names.len(), "{names:?}");
    assert_eq!(names.len(), MOST + 1);
}
