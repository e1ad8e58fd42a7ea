//! Who sends a request, as upstreams are told: under names that nobody else can set.

use http::{HeaderName, HeaderValue};
use portcullis_core::guard::Preset;
use portcullis_core::request::folded_eq;
use portcullis_core::subject::Named;
use uuid::Uuid;

use crate::gate::{Judged, NETWORK};

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
    "x-credential-identifier",
    "x-anonymous-consumer",
    "true-client-ip",
    "x-original-url",
    "x-rewrite-url",
    "x-http-method-override",
    "x-method-override",
    "x-http-method",
];
const IDENTITY_PREFIXES: &[&str] =
    &["portcullis-", "x-forwarded-", "x-auth-request-", "x-consumer-", "x-authentik-", "x-envoy-"];

/// Whether a caller's header of this name is removed before anything is set.
pub(crate) fn is_reserved(name: &HeaderName) -> bool {
    let name = name.as_str();
    IDENTITY.iter().any(|ours| folded_eq(name, ours))
        || IDENTITY_PREFIXES
            .iter()
            .any(|prefix| name.get(..prefix.len()).is_some_and(|start| folded_eq(start, prefix)))
}

/// Tells who sends a request that was judged so, by each header of the guard's presets once: with its
/// value, or without one where there is nothing to tell.
pub(crate) fn tell(
    judged: &Judged,
    id: Uuid,
    mut tell: impl FnMut(&'static str, Option<HeaderValue>),
) {
    tell("portcullis-request-id", HeaderValue::try_from(id.to_string()).ok());
    for preset in &judged.guard.identity {
        let told = match preset {
            Preset::Portcullis => portcullis(judged),
            Preset::AuthRequest | Preset::Consumer | Preset::Remote => continue,
        };
        for (name, value) in told {
            tell(name, value.and_then(|value| HeaderValue::try_from(value).ok()));
        }
    }
}

/// Our own.
fn portcullis(judged: &Judged) -> [(&'static str, Option<String>); 9] {
    let who = judged.who.as_ref();
    let principal = who.map(|who| &who.principal);
    // Who acts on behalf of a subject is not the user, and has none of their rights.
    let user = principal.filter(|it| it.has_rights()).map(|it| &it.user);
    let claims = principal.and_then(|it| it.subject.as_ref());
    let network = || judged.network.map(|_| NETWORK.into());
    [
        ("portcullis-scheme", who.map(|who| who.scheme.to_string()).or_else(network)),
        ("portcullis-network", judged.network.map(|it| it.to_string())),
        ("portcullis-user-id", user.map(|it| it.id.to_string())),
        ("portcullis-user", user.and_then(|it| it.login.as_deref()).map(escaped)),
        ("portcullis-organization-id", principal.map(|it| it.user.organization.to_string())),
        ("portcullis-credential-id", principal.map(|it| it.credential.id.to_string())),
        ("portcullis-subject", claims.map(|it| it.kind.as_str().into())),
        ("portcullis-subject-user", claims.and_then(|it| it.user.as_ref()).map(names)),
        ("portcullis-subject-account", claims.and_then(|it| it.account.as_ref()).map(names)),
    ]
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
            assert!(is_reserved(&name.parse().unwrap()), "{name}");
        }
        for name in ["Accept", "X-Request-Id", "Portcullis", "Content-Type", "X-Forward"] {
            assert!(!is_reserved(&name.parse().unwrap()), "{name}");
        }
    }

    #[test]
    fn a_login_name_is_carried_as_visible_ascii() {
        assert_eq!(escaped("zo\u{eb} 100%"), "zo%C3%AB%20100%25");
    }
}
