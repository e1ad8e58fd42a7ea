//! Cookies: ours stay here, and an upstream cannot set them. Neither ports nor paths part the
//! cookies of one host, so that callers send ours to every guard on it.

use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue};
use portcullis_core::guard::Guard;
use portcullis_core::request::{CookiePair, cookie_pairs};
use portcullis_core::scheme::{authtoken, session};

/// A caller's `Cookie` without what any scheme of ours would read; the rest as it was sent, and
/// nothing if there is no rest.
pub(super) fn without_ours(cookies: &HeaderValue, guard: &Guard) -> Option<HeaderValue> {
    let pairs = || cookie_pairs(cookies.as_bytes());
    if !pairs().any(|pair| is_ours(&pair, guard)) {
        return Some(cookies.clone());
    }
    let theirs: Vec<&[u8]> =
        pairs().filter(|pair| !is_ours(pair, guard)).map(|pair| pair.raw).collect();
    let theirs = theirs.join(&b';');
    let rest = theirs.trim_ascii();
    let mut theirs = HeaderValue::from_bytes(rest).ok().filter(|_| !rest.is_empty())?;
    theirs.set_sensitive(cookies.is_sensitive());
    Some(theirs)
}

/// Removes from an answer each `Set-Cookie` that would set one of ours, or one for other hosts.
pub(super) fn keep_theirs(headers: &mut HeaderMap, guard: &Guard) {
    let keeps = |line: &HeaderValue| {
        let line = line.as_bytes().trim_ascii_start();
        // What is set without a name is sent without one, and its value read as a pair.
        let mut pairs = cookie_pairs(line.strip_prefix(b"=").unwrap_or(line));
        let ours = pairs.next().is_some_and(|pair| is_ours(&pair, guard));
        !ours && !pairs.any(|attribute| is_domain(&attribute))
    };
    let all: Vec<HeaderValue> = headers.get_all(SET_COOKIE).iter().cloned().collect();
    if all.iter().all(keeps) {
        return;
    }
    headers.remove(SET_COOKIE);
    for line in all.into_iter().filter(keeps) {
        headers.append(SET_COOKIE, line);
    }
}

/// RFC 6265, section 5.2.3: in any case, with blanks around it, and whether or not it has a value.
fn is_domain(attribute: &CookiePair<'_>) -> bool {
    let name = if attribute.name.is_empty() { attribute.value } else { attribute.name };
    name.trim_ascii().eq_ignore_ascii_case(b"domain")
}

/// Whether the pair is a session of ours by its name or by its shape: other guards may call it
/// otherwise.
fn is_ours(pair: &CookiePair<'_>, guard: &Guard) -> bool {
    let name = pair.name.trim_ascii();
    let read = guard.schemes.iter().filter_map(|scheme| scheme.cookie());
    read.chain([session::DEFAULT_COOKIE, authtoken::COOKIE_NAME])
        .any(|ours| name.eq_ignore_ascii_case(ours.as_bytes()))
        || session::is_ours(pair.value)
        || authtoken::is_ours(pair.value)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use portcullis_core::guard::{Definition, Kind, Source, Standing};
    use portcullis_core::id::{Id, Revision};
    use portcullis_core::scheme::{self, Options};

    /// A guard that reads a cookie called `sid`.
    pub(in super::super) fn guard() -> Guard {
        let options = Options::from([("cookie".to_owned(), "sid".to_owned())]);
        let definition = Definition {
            kind: Kind::Route,
            name: "orders".into(),
            hosts: vec![],
            prefix: "/".into(),
            upstreams: vec![http::Uri::from_static("http://127.0.0.1:9")],
            upgrades: vec![],
            identity: vec![],
            assertion: false,
            schemes: vec![(scheme::SESSION, options)],
            networks: None,
            client_certificate: false,
            methods: vec![],
            ability: None,
            pass_credential: false,
            strip_prefix: false,
        };
        let organization = Id::from_bytes([1; 16]);
        let standing = Standing {
            id: Id::from_bytes([2; 16]),
            version: Revision(1),
            source: Source::Store,
            organization,
            realm: organization,
        };
        definition.build(standing).unwrap()
    }

    #[test]
    fn our_pairs_are_removed_and_the_others_stay_as_they_were() {
        let guard = guard();
        for (sent, forwarded) in [
            ("a=1; b=2", Some("a=1; b=2")),
            ("a=1;b=\"x y\" ;; c", Some("a=1;b=\"x y\" ;; c")),
            ("sid=x", None),
            ("wtsession=x", None),
            (" sid=x ; ", None),
            ("sid=x; wtsession=y; other=pcl_ses_z", None),
            ("sid=x; a=1; b=2", Some("a=1; b=2")),
            ("a=1; sid=x; b=2", Some("a=1; b=2")),
            ("a=1;sid=x;b=2", Some("a=1;b=2")),
            ("a=1; b=2; sid=x", Some("a=1; b=2")),
            ("a=1; SID=x", Some("a=1")),
            ("a=1; sid =x", Some("a=1")),
            ("a=1; other=\"pcl_ses_x\"", Some("a=1")),
            ("a=\"1; sid=x; b=2\"", Some("a=\"1; b=2\"")),
            ("asid=1; sidx=2; sid", Some("asid=1; sidx=2; sid")),
        ] {
            let sent = HeaderValue::from_static(sent);
            let forwarded = forwarded.map(HeaderValue::from_static);
            assert_eq!(without_ours(&sent, &guard), forwarded, "{sent:?}");
        }
    }

    #[test]
    fn an_upstream_sets_neither_our_cookies_nor_any_for_other_hosts() {
        let guard = guard();
        let kept = ["a=1", "b=2; Path=/; HttpOnly", "c=domain=1; Path=/domain", "asid=3", "=d"];
        let dropped = [
            "sid=x",
            "SID=x; Path=/",
            " wtsession = x",
            "=sid=x",
            "\t= wtsession=x; Path=/",
            "=pcl_ses_x",
            "other=pcl_ses_x; Secure",
            "a=1; Domain=example.com",
            "a=1; path=/ ;\tdOMAIN =.example.com",
            "a=1;domain",
            "a=1; Domain=",
        ];
        let mut headers = HeaderMap::new();
        for line in kept.iter().chain(&dropped).chain(&kept) {
            headers.append(SET_COOKIE, HeaderValue::from_static(line));
        }
        keep_theirs(&mut headers, &guard);
        let left: Vec<_> = headers.get_all(SET_COOKIE).iter().collect();
        assert_eq!(left, [kept, kept].concat());
    }
}
