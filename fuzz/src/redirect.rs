//! Where a browser may be sent.

use http::Uri;
use portcullis_core::public_origin::{MAX_TARGET, PublicOrigin, judge_target};

/// An address to be sent to, and an origin of a site.
///
/// # Panics
/// A browser would be sent to another host than the site's, or an origin has a second form.
pub fn redirect(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let site = PublicOrigin::parse("https://help.example.com").unwrap();
    if judge_target(text, std::slice::from_ref(&site)).is_ok() {
        assert!(text.len() <= MAX_TARGET && text.bytes().all(|byte| byte.is_ascii_graphic()));
        // Another parser's opinion of the host; it knows fewer characters than browsers do.
        if let Ok(address) = text.parse::<Uri>() {
            assert_eq!(address.host(), Some(site.host()), "{text}");
            assert_eq!((address.scheme_str(), address.port_u16()), (Some("https"), None), "{text}");
        }
    }
    for tail in ["", "/", "/a", "?a", "#a"] {
        assert!(judge_target(&format!("{site}{tail}"), std::slice::from_ref(&site)).is_ok());
    }
    if let Ok(origin) = PublicOrigin::parse(text) {
        assert_eq!(origin.as_str(), text);
        let own = format!("{origin}/");
        assert!(judge_target(&own, std::slice::from_ref(&origin)).is_ok(), "{text}");
        let foreign = origin != site;
        assert_eq!(judge_target(&own, &[site]).is_err(), foreign, "{text}");
    }
}
