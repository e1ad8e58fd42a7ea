//! Headers: what a caller may not say, what an upstream is told, what it may not answer.

mod cookies;

use http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, COOKIE, HOST, HeaderName, HeaderValue,
    IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, PROXY_AUTHORIZATION, RANGE,
};
use http::{HeaderMap, Method, header};
use portcullis_core::guard::Guard;
use portcullis_core::request::{RequestHead, folded_eq};
use portcullis_core::subject::Named;
use uuid::Uuid;

use crate::gate::{Judged, NETWORK};

/// Headers that end at the next hop (RFC 9110, section 7.6.1).
const HOP_BY_HOP: &[&str] = &[
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "upgrade",
];

/// Names that only a proxy may set: whatever a caller sends under them, or under an alias that a
/// server may fold into them, is removed before anything is set.
const IDENTITY: &[&str] = &[
    "forwarded",
    "x-real-ip",
    "x-remote-user",
    "remote-user",
    "remote-groups",
    "remote-name",
    "remote-email",
    "x-client-cert",
    "true-client-ip",
    "x-original-url",
    "x-rewrite-url",
    "x-http-method-override",
    "x-method-override",
    "x-http-method",
];
const IDENTITY_PREFIXES: &[&str] =
    &["portcullis-", "x-forwarded-", "x-auth-request-", "x-consumer-", "x-authentik-", "x-envoy-"];

/// The headers that an upstream gets.
pub(super) fn rebuilt(head: &RequestHead<'_>, judged: &Judged, id: Uuid) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(head.headers().len() + 8);
    for (name, value) in head.headers() {
        let kept = !named_in_connection(head.headers(), name)
            && !HOP_BY_HOP.contains(&name.as_str())
            && !is_identity(name)
            && *name != HOST
            && (judged.guard.pass_credential || !reads(judged, name));
        if !kept {
            continue;
        }
        if *name != COOKIE || judged.guard.pass_credential {
            headers.append(name, value.clone());
        } else if let Some(theirs) = cookies::without_ours(value, &judged.guard) {
            headers.append(name, theirs);
        }
    }
    if let Some(host) = head.headers().get(HOST) {
        headers.insert(HOST, host.clone());
    }
    set_identity(&mut headers, head, judged, id);
    headers
}

/// Makes a request one for the whole answer, in clear: for who reads it, and not for the caller.
pub(super) fn ask_for_the_whole(headers: &mut HeaderMap, method: &Method) {
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.remove(RANGE);
    headers.remove(IF_RANGE);
    // With another method they are conditions of the change itself (RFC 9110, section 13.1.2).
    if method.is_safe() {
        headers.remove(IF_MODIFIED_SINCE);
        headers.remove(IF_NONE_MATCH);
    }
}

/// What the caller's own `Connection` names ends here, before anything of ours is set.
fn named_in_connection(headers: &HeaderMap, name: &HeaderName) -> bool {
    // Framing is the parser's: a caller cannot have it removed.
    if matches!(*name, header::CONTENT_LENGTH | header::TRANSFER_ENCODING | HOST) {
        return false;
    }
    let lines = headers.get_all(CONNECTION).iter();
    lines
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .any(|token| token.trim_ascii().eq_ignore_ascii_case(name.as_str().as_bytes()))
}

fn is_identity(name: &HeaderName) -> bool {
    let name = name.as_str();
    IDENTITY.iter().any(|ours| folded_eq(name, ours))
        || IDENTITY_PREFIXES
            .iter()
            .any(|prefix| name.get(..prefix.len()).is_some_and(|start| folded_eq(start, prefix)))
}

/// Whether one of the guard's schemes reads the header, or an alias of it.
fn reads(judged: &Judged, name: &HeaderName) -> bool {
    // Of a cookie header only a pair is read, and only that is removed.
    let whole = judged.guard.schemes.iter().filter(|scheme| scheme.cookie().is_none());
    let read = whole.flat_map(|scheme| scheme.headers());
    [AUTHORIZATION, PROXY_AUTHORIZATION]
        .iter()
        .filter(|_| !judged.guard.schemes.is_empty())
        .chain(read)
        .any(|header| folded_eq(header.as_str(), name.as_str()))
}

/// Says how long the body is that was changed here.
pub(super) fn set_length(headers: &mut HeaderMap, length: usize) {
    headers.remove(header::TRANSFER_ENCODING);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
}

fn set_identity(headers: &mut HeaderMap, head: &RequestHead<'_>, judged: &Judged, id: Uuid) {
    let mut set = |name: &'static str, value: String| {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    set("portcullis-request-id", id.to_string());
    set("x-forwarded-for", head.client().to_string());
    set("x-forwarded-host", head.host().to_owned());
    set("x-forwarded-proto", head.protocol().to_owned());
    if let Some(network) = judged.network {
        set("portcullis-scheme", NETWORK.into());
        set("portcullis-network", network.to_string());
    }
    let Some(who) = &judged.who else { return };
    if who.principal.has_rights() {
        // Who acts on behalf of a subject is not the user, and has none of their rights.
        set("portcullis-user-id", who.principal.user.id.to_string());
    }
    set("portcullis-organization-id", who.principal.user.organization.to_string());
    set("portcullis-scheme", who.scheme.to_string());
    set("portcullis-credential-id", who.principal.credential.id.to_string());
    let login = who.principal.user.login.as_ref().filter(|_| who.principal.has_rights());
    if let Some(login) = login {
        set("portcullis-user", escaped(login));
    }
    if let Some(claims) = &who.principal.subject {
        set("portcullis-subject", claims.kind.as_str().into());
        for (name, subject) in [
            ("portcullis-subject-user", &claims.user),
            ("portcullis-subject-account", &claims.account),
        ] {
            subject.iter().for_each(|subject| set(name, names(subject)));
        }
    }
}

/// The identity and the identifiers of a subject: `id=… external_id=…`.
fn names(subject: &Named) -> String {
    let id = subject.id.map(|id| format!("id={id}"));
    let each = subject.identifiers.iter();
    let each = each.map(|it| format!("{}={}", it.kind.as_str(), escaped(&it.value)));
    id.into_iter().chain(each).collect::<Vec<_>>().join(" ")
}

/// A name as a header can carry it: what is not visible ASCII is percent-encoded.
fn escaped(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_graphic() && byte != b'%' {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Removes from an answer what ends at this hop, and what `guard`'s upstream may not say in our
/// name.
pub(super) fn clean_answer(headers: &mut HeaderMap, guard: &Guard) {
    cookies::keep_theirs(headers, guard);
    // All before any is removed: one of them names others.
    let dropped = headers.keys().filter(|name| {
        HOP_BY_HOP.contains(&name.as_str())
            || name.as_str().starts_with("portcullis-")
            || named_in_connection(headers, name)
    });
    let dropped: Vec<HeaderName> = dropped.cloned().collect();
    for name in dropped {
        headers.remove(name);
    }
    for name in ["alt-svc", "clear-site-data", "service-worker-allowed"] {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
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
            assert!(is_identity(&name.parse().unwrap()), "{name}");
        }
        for name in ["Accept", "X-Request-Id", "Portcullis", "Content-Type", "X-Forward"] {
            assert!(!is_identity(&name.parse().unwrap()), "{name}");
        }
    }

    #[test]
    fn a_connection_header_removes_what_it_names_but_never_framing() {
        let headers: HeaderMap = [
            (CONNECTION, "close, X-Trace".parse().unwrap()),
            (CONNECTION, "content-length".parse().unwrap()),
        ]
        .into_iter()
        .collect();
        let mut all = HeaderMap::new();
        for (name, value) in headers {
            all.append(name.unwrap_or(CONNECTION), value);
        }
        all.append(CONNECTION, "close, x-trace , content-length".parse().unwrap());
        assert!(named_in_connection(&all, &"x-trace".parse().unwrap()));
        assert!(!named_in_connection(&all, &header::CONTENT_LENGTH));
        assert!(!named_in_connection(&all, &"x-other".parse().unwrap()));
    }

    #[test]
    fn what_an_answers_connection_names_ends_here_wherever_it_stands() {
        let guard = cookies::tests::guard();
        for names in [["connection", "x-hop", "x-end"], ["x-hop", "x-end", "connection"]] {
            let pair = |name| (HeaderName::from_static(name), HeaderValue::from_static("x-hop"));
            let mut answer: HeaderMap = names.into_iter().map(pair).collect();
            clean_answer(&mut answer, &guard);
            let left: Vec<_> = answer.keys().map(HeaderName::as_str).collect();
            assert_eq!(left, ["x-end"], "{names:?}");
        }
    }

    #[test]
    fn a_login_name_is_carried_as_visible_ascii() {
        assert_eq!(escaped("zo\u{eb} 100%"), "zo%C3%AB%20100%25");
    }
}
