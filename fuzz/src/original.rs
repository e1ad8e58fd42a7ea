//! A request that another proxy holds, as it states it: canonical to the letter, or refused.

use portcullis_core::request::{Original, TrustedPeers, Wording, canonical_host, canonical_path};

use crate::request::{NOW, PEER, parse};

/// A call: `METHOD TARGET`, then one header a line. The call's own line means nothing.
///
/// # Panics
/// A request is taken that would be forwarded in another form than it was judged in, that is not
/// stated in the call's headers, or that depends on the call itself.
pub fn original(data: &[u8]) {
    let Some(mut call) = parse(data) else { return };
    let trusted = TrustedPeers::new(&[PEER.into()]);
    for wording in [Wording::Forwarded, Wording::Original] {
        let Ok(original) = Original::read(&call.headers, wording) else { continue };
        let Ok(head) = original.head(PEER, &trusted, NOW) else { continue };
        assert_eq!(canonical_path(head.path()).unwrap(), head.path());
        assert_eq!(canonical_host(head.host()).unwrap(), head.host());
        let target = match head.query() {
            Some(query) => format!("{}?{query}", head.path()),
            None => head.path().to_owned(),
        };
        let (name, method) = match wording {
            Wording::Forwarded => ("x-forwarded-uri", "x-forwarded-method"),
            Wording::Original => ("x-original-url", "x-original-method"),
        };
        let stated = call.headers[name].to_str().unwrap();
        assert!(stated.ends_with(&target), "{stated} is forwarded, {target} was judged");
        assert_eq!(call.headers[method], head.method().as_str());
        let encrypted = match wording {
            Wording::Forwarded => call.headers["x-forwarded-proto"] == "https",
            Wording::Original => stated.starts_with("https://"),
        };
        assert_eq!(head.is_secure(), encrypted, "the scheme is the stated one");
        assert!(!head.is_certified(), "nobody here has seen a certificate");
        let judged = (head.host().to_owned(), target, head.client(), head.is_secure());
        call.headers.insert("host", "another.example".parse().unwrap());
        let again = Original::read(&call.headers, wording).unwrap();
        let again = again.head(PEER, &trusted, NOW).unwrap();
        assert_eq!(again.headers().get_all("host").iter().count(), 1);
        assert_eq!(
            (again.host(), again.client(), again.is_secure()),
            (&*judged.0, judged.2, judged.3)
        );
    }
}
