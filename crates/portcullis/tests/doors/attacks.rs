//! What befell others at the seam between a proxy and whoever judges for it, by number
//! (<https://www.cve.org>, <https://github.com/advisories>), replayed behind each proxy.

use portcullis_core::request::canonical_path;

use crate::checks::assert_no_secret;
use crate::place::Stand;
use crate::recorder::{target, values};

/// What no upstream may ever see.
const FORGED: &str = "forged";

/// Whose credential a request has.
#[derive(Clone, Copy, Debug)]
enum By {
    Nobody,
    Key,
    ReadingKey,
}
use By::{Key, Nobody, ReadingKey};

/// What befell others, and how: a line of a request, headers, and who sends them.
const ATTACKS: &[(&str, &str, &str, By)] = &[
    // One reads the path in another way than the other.
    ("CVE-2026-33494", "GET /public/../admin/x HTTP/1.1", "", Nobody),
    ("CVE-2026-42274", "GET /public/../orders/x HTTP/1.1", "", Nobody),
    ("CVE-2026-48020", "GET /public../admin HTTP/1.1", "", Nobody),
    ("CVE-2026-40912", "GET /public/%2e%2e/admin HTTP/1.1", "", Nobody),
    ("CVE-2025-66490", "GET /public%2f..%2fadmin HTTP/1.1", "", Nobody),
    ("CVE-2025-47952", "GET /public/%2E%2e/admin HTTP/1.1", "", Nobody),
    ("CVE-2025-32431", "GET /public/..%2fadmin HTTP/1.1", "", Nobody),
    ("CVE-2026-65600", "GET /public//../admin HTTP/1.1", "", Nobody),
    ("CVE-2026-67309", "GET /public/..;/admin HTTP/1.1", "", Nobody),
    ("CVE-2026-67309", "GET /public;/../admin HTTP/1.1", "", Nobody),
    ("CVE-2026-67309", "GET /public/..\\admin HTTP/1.1", "", Nobody),
    ("CVE-2026-67309", "GET //admin HTTP/1.1", "", Nobody),
    ("CVE-2026-67309", "GET /%61dmin HTTP/1.1", "", Nobody),
    ("CVE-2026-67309", "GET /%2561dmin HTTP/1.1", "", Nobody),
    ("GHSA-gx7w-56w6-g48x", "GET /publicity HTTP/1.1", "", Nobody),
    ("CVE-2026-27587", "GET /ADMIN HTTP/1.1", "", Nobody),
    ("CVE-2026-27588", "GET /admin HTTP/1.1", "Host: API.Example.COM\r\n", Nobody),
    ("CVE-2026-27588", "GET /admin HTTP/1.1", "Host: api.example.com.\r\n", Nobody),
    ("CVE-2023-47106", "GET /public#/../admin HTTP/1.1", "", Nobody),
    ("CVE-2026-41059", "GET /admin#/public HTTP/1.1", "", Nobody),
    ("CVE-2025-54576", "GET /admin?x=/public HTTP/1.1", "", Nobody),
    ("APISIX #13787", "GET /public/%0d%0aX-Forged:%20forged HTTP/1.1", "", Nobody),
    ("a host in the target", "GET http://api.example.com/admin HTTP/1.1", "Host: x\r\n", Nobody),
    ("a path in the host", "GET /admin HTTP/1.1", "Host: api.example.com?/public\r\n", Nobody),
    ("a path in the host", "GET /admin HTTP/1.1", "Host: api.example.com#/public\r\n", Nobody),
    // A caller says what only the proxy may say of the request.
    ("CVE-2026-40575", "GET /admin HTTP/1.1", "X-Forwarded-Uri: /public\r\n", Nobody),
    ("oauth2-proxy #3506", "GET /admin HTTP/1.1", "x-forwarded-uri: /public\r\n", Nobody),
    ("CVE-2026-39858", "GET /admin HTTP/1.1", "X_Forwarded_Uri: /public\r\n", Nobody),
    ("CVE-2026-39858", "GET /admin HTTP/1.1", "X.Forwarded.Uri: /public\r\n", Nobody),
    ("CVE-2026-39858", "GET /public HTTP/1.1", "X_Forwarded_Proto: forged\r\n", Nobody),
    ("CVE-2026-35051", "GET /public HTTP/1.1", "X-Forwarded-Prefix: /forged\r\n", Nobody),
    ("CVE-2026-54764", "GET /public HTTP/1.1", "X-Forwarded-Proto: forged\r\n", Nobody),
    ("CVE-2026-33495", "GET /public HTTP/1.1", "X-Forwarded-Proto: https\r\n", Nobody),
    (
        "X-Original-URL",
        "GET /admin HTTP/1.1",
        "X-Original-URL: http://api.example.com/public\r\n",
        Nobody,
    ),
    ("X-Original-URL", "GET /public HTTP/1.1", "X-Original-URL: /admin?forged\r\n", Nobody),
    ("X-Rewrite-URL", "GET /public HTTP/1.1", "X-Rewrite-URL: /admin?forged\r\n", Nobody),
    ("a method", "DELETE /orders HTTP/1.1", "X-Forwarded-Method: GET\r\n", ReadingKey),
    ("a method", "DELETE /orders HTTP/1.1", "X-Original-Method: GET\r\n", ReadingKey),
    ("a method", "GET /orders HTTP/1.1", "X-HTTP-Method-Override: forged\r\n", ReadingKey),
    ("a method", "GET /orders HTTP/1.1", "X_HTTP_Method_Override: forged\r\n", ReadingKey),
    ("a host", "GET /admin HTTP/1.1", "X-Forwarded-Host: elsewhere.example\r\n", Nobody),
    ("CVE-2023-36456", "GET /near HTTP/1.1", "X-Forwarded-For: 10.9.9.9\r\n", Nobody),
    ("CVE-2023-36456", "GET /near HTTP/1.1", "X_Forwarded_For: 10.9.9.9\r\n", Nobody),
    ("CVE-2022-24112", "GET /near HTTP/1.1", "X-Real-IP: 10.9.9.9\r\n", Nobody),
    ("GHSA-7jmw-8259-q9jx", "GET /near HTTP/1.1", "X-Forwarded-For: ::ffff:10.9.9.9\r\n", Nobody),
    ("RFC 7239", "GET /near HTTP/1.1", "Forwarded: for=10.9.9.9;by=forged\r\n", Nobody),
    ("CVE-2024-47070", "GET /admin HTTP/1.1", "X-Forwarded-For: unknown\r\n", Nobody),
    ("CVE-2024-47070", "GET /admin HTTP/1.1", "X-Forwarded-For: \r\n", Nobody),
    // A caller says who they are.
    ("CVE-2026-30851", "GET /public HTTP/1.1", "Portcullis-User: forged\r\n", Nobody),
    ("CVE-2026-30851", "GET /orders HTTP/1.1", "Portcullis-Subject: forged\r\n", Key),
    ("CVE-2026-39998", "GET /public HTTP/1.1", "Portcullis-User-Id: forged\r\n", Nobody),
    ("CVE-2026-33433", "GET /orders HTTP/1.1", "PORTCULLIS-USER: forged\r\n", Key),
    ("CVE-2026-33433", "GET /orders HTTP/1.1", "portcullis-user: forged\r\n", Key),
    ("CVE-2026-54763", "GET /orders HTTP/1.1", "Portcullis_User: forged\r\n", Key),
    ("CVE-2025-64484", "GET /public HTTP/1.1", "Portcullis_User: forged\r\n", Nobody),
    ("Traefik 3.7.13", "GET /orders HTTP/1.1", "Portcullis.User: forged\r\n", Key),
    ("CVE-2026-52845", "GET /orders HTTP/1.1", "Remote_Groups: forged\r\n", Key),
    ("CVE-2026-52845", "GET /orders HTTP/1.1", "Remote-Groups: forged\r\n", Key),
    ("other presets", "GET /public HTTP/1.1", "X-Consumer-Username: forged\r\n", Nobody),
    ("other presets", "GET /public HTTP/1.1", "X-Auth-Request-User: forged\r\n", Nobody),
    ("other presets", "GET /public HTTP/1.1", "Remote-User: forged\r\n", Nobody),
    (
        "two of them",
        "GET /orders HTTP/1.1",
        "Portcullis-User: forged\r\nPortcullis-User: forged\r\n",
        Key,
    ),
    ("APISIX #13057", "GET /orders HTTP/1.1", "Portcullis-User: a\tforged\r\n", Key),
    // A caller has the proxy remove what it was told to set.
    ("GHSA-w9mr-28mw-j8hg", "GET /orders HTTP/1.1", "Connection: close, Portcullis-User\r\n", Key),
    ("CVE-2024-45410", "GET /orders HTTP/1.1", "Connection: close, X-Forwarded-For\r\n", Key),
    ("CVE-2026-29054", "GET /orders HTTP/1.1", "Connection: close, portcullis-user\r\n", Key),
    (
        "CVE-2021-32813",
        "GET /near HTTP/1.1",
        "Connection: close, X-Forwarded-For, X-Forwarded-Uri\r\n",
        Nobody,
    ),
    (
        "CVE-2021-32813",
        "GET /admin HTTP/1.1",
        "Connection: close, X-Original-URL, X-Api-Key\r\n",
        Nobody,
    ),
    (
        "the door's secret",
        "GET /public HTTP/1.1",
        "Connection: close, Portcullis-Door-Secret\r\n",
        Nobody,
    ),
    // What is no proof is not taken for one.
    ("CVE-2026-25748", "GET /orders HTTP/1.1", "Cookie: wtsession=%%%;=\"\r\n", Nobody),
    ("CVE-2026-25748", "GET /orders HTTP/1.1", "Cookie: wtsession=\r\n", Nobody),
    ("CVE-2026-34457", "GET /admin HTTP/1.1", "User-Agent: kube-probe/1.30\r\n", Nobody),
    ("CVE-2026-34457", "GET /admin HTTP/1.1", "User-Agent: GoogleHC/1.0\r\n", Nobody),
    ("CVE-2026-34457", "OPTIONS /admin HTTP/1.1", "Origin: https://api.example.com\r\n", Nobody),
    ("CVE-2026-71324", "CONNECT /orders HTTP/1.1", "", Nobody),
    ("the door itself", "GET /authz/forward HTTP/1.1", "X-Forwarded-Uri: /public\r\n", Nobody),
    ("the door itself", "GET /_portcullis HTTP/1.1", "", Nobody),
];

/// No attack gets further than its sender may, with what they may not say.
pub(crate) fn every_attack_is_harmless(stand: &Stand) {
    for (what, line, headers, by) in ATTACKS {
        let credential = match by {
            Nobody => "",
            Key => &*stand.callers.key,
            ReadingKey => &*stand.callers.reading,
        };
        let (answer, reached) = stand.send(line, &format!("{headers}{credential}"));
        let told = format!("{what}: {line} {headers} {by:?}: {}", answer.0);
        assert!(reached.len() <= 1, "{told}");
        for head in &reached {
            assert!(!head.contains(FORGED) && !head.contains("10.9.9.9"), "{told} {head}");
            assert_no_secret(stand, head);
            assert_eq!(values(head, "x-forwarded-for"), ["127.0.0.1"], "{told} {head}");
            assert!(!values(head, "x-forwarded-proto").contains(&"https"), "{told} {head}");
            let path = target(head).split('?').next().unwrap();
            assert_eq!(canonical_path(path).unwrap(), path, "{told} {head}");
            let (method, user) = (head.split(' ').next().unwrap(), values(head, "portcullis-user"));
            match by {
                Nobody => {
                    assert!(path == "/public" || path.starts_with("/public/"), "{told} {head}");
                    assert!(user.concat().is_empty(), "{told} {head}");
                }
                Key | ReadingKey => {
                    assert!(path.starts_with("/orders"), "{told} {head}");
                    assert_eq!(user, ["alice"], "{told} {head}");
                }
            }
            assert!(method == "GET" || matches!(by, Key), "{told} {head}");
        }
    }
}
