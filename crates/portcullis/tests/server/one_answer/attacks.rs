//! What befell others, by number (<https://www.cve.org>, <https://github.com/advisories>): replayed
//! at every door, or elsewhere, or why it concerns none. Behind the real nginx, Caddy and Traefik
//! `tests/doors/attacks.rs` replays those that these could bring about.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::row::Row;
use Replay::{At, Door, NotOurs};

/// Where an attack is replayed.
enum Replay {
    /// In this file of this package's tests, or below the workspace, by the test of this name.
    At(&'static str, &'static str),
    /// Here: a method and target, headers (`|` between them), and the reason of the refusal; or the
    /// guard, after a `+`.
    Door(&'static str, &'static str, &'static str),
    /// Nowhere, for this reason.
    NotOurs(&'static str),
}

const MALFORMED: &str = "malformed_request";
const KEY: &str = "X-Api-Key: {key}";
const CONNECTOR: &str = "../portcullis-core/tests/authenticator/signed.rs";
const AUTHENTICATOR: &str = "../portcullis-core/tests/authenticator.rs";
const NO_INTROSPECTION: &str = "nobody else is asked about a token, so no answer is kept";

/// Numbers, and how they are replayed.
#[rustfmt::skip]
const ATTACKS: &[(&str, &[Replay])] = &[
    // One reads the path in another way than the other.
    ("CVE-2026-33494", &[Door("GET /public/../admin/x", "", MALFORMED), Door("GET /public/%2e%2e/admin", "", MALFORMED)]),
    ("CVE-2026-42274", &[Door("GET /public/../orders/x", "", MALFORMED)]),
    ("CVE-2026-48020", &[Door("GET /public../admin", "", "no_guard")]),
    ("CVE-2026-40912", &[Door("GET /public/%2e%2e/admin", "", MALFORMED)]),
    ("CVE-2025-66490", &[Door("GET /public%2f..%2fadmin", "", MALFORMED)]),
    ("CVE-2025-47952", &[Door("GET /public/%2E%2e/admin", "", MALFORMED)]),
    ("CVE-2025-32431", &[Door("GET /public/..%2fadmin", "", MALFORMED)]),
    ("CVE-2026-65600", &[Door("GET /public//../admin", "", MALFORMED)]),
    ("CVE-2026-67309", &[Door("GET /public/..;/admin", "", MALFORMED), Door("GET /%61dmin", "", "no_credential"), Door("GET /%2561dmin", "", "no_guard")]),
    ("CVE-2023-47106", &[Door("GET /admin#/public", "", "no_credential"), Door("GET /public#/../admin", "", "+public")]),
    ("CVE-2025-54576", &[Door("GET /admin?x=/public", "", "no_credential")]),
    ("CVE-2026-41059", &[Door("GET /admin#/public", "", "no_credential")]),
    ("CVE-2026-27587", &[Door("GET /%41dmin", KEY, "no_guard"), Door("GET /ADMIN", KEY, "no_guard")]),
    ("CVE-2026-27588", &[Door("GET /admin", "Host: API.EXAMPLE.", "no_credential")]),
    ("GHSA-gx7w-56w6-g48x", &[Door("GET /adminx", KEY, "no_guard"), Door("GET /publicity", "", "no_guard")]),
    ("CVE-2026-45692", &[Door("GET /orders-of-others", KEY, "no_guard")]),
    ("APISIX #13787", &[Door("GET /public/%0d%0aX-Forged:%20forged", "", MALFORMED)]),
    ("CVE-2026-73511", &[Door("GET /public;/private", "", MALFORMED)]),
    ("CVE-2026-73551", &[Door("GET /public/.;/private", "", MALFORMED)]),
    ("CVE-2026-73553", &[Door("GET /public/..;/admin", "", MALFORMED), Door("GET /public/..%3b/admin", "", MALFORMED)]),
    ("CVE-2021-29492", &[Door("GET /public%2f..%2fadmin", "", MALFORMED), Door("GET /public%5c..%5cadmin", "", MALFORMED)]),
    ("CVE-2019-9901", &[Door("GET //admin", KEY, "ability"), Door("GET /public/./../admin", "", MALFORMED)]),
    ("CVE-2019-9900", &[Door("GET /admin", "X-Api-Key: {key}\0", MALFORMED), Door("GET /admin%00", KEY, MALFORMED)]),
    ("CVE-2026-26205", &[Door("GET //admin/x", KEY, "ability"), Door("GET //api.example/admin", KEY, "no_guard")]),
    ("CVE-2026-33186", &[Door("GET admin", KEY, MALFORMED)]),
    ("GO-2026-4950", &[Door("GET /public/%252e%252e/admin", "", "+public"), Door("GET /%2561dmin", KEY, "no_guard")]),
    // A caller says what only a proxy may say of the request.
    ("CVE-2026-33495", &[Door("GET /public", "X-Forwarded-Proto: forged", "+public"), At("tests/server/tls/http2.rs", "a_request_is_answered_as_in_any_version_and_forwarded_with_one_host"), At("tests/server/tls/handshakes.rs", "the_upstream_is_told_that_it_was_https_and_nobody_else_may_say_so")]),
    ("CVE-2026-39858", &[Door("GET /public", "X_Forwarded_Proto: forged", "+public"), Door("GET /near", "X.Forwarded.For: 198.51.100.7", "network")]),
    ("CVE-2026-35051", &[Door("GET /public", "X-Forwarded-Prefix: /forged", "+public")]),
    ("CVE-2026-54764", &[Door("GET /public", "X-Forwarded-Proto: https|X-Forwarded-Port: forged", "+public")]),
    ("CVE-2026-40575", &[Door("GET /admin", "X-Forwarded-Uri: /public", "no_credential"), Door("GET /admin", "X-Original-URL: http://api.example/public", "no_credential")]),
    ("oauth2-proxy #3506", &[At("tests/doors/calls.rs", "whoever_may_not_ask_finds_nothing")]),
    ("CVE-2022-24112", &[Door("GET /near", "X-Real-IP: 198.51.100.7", "network")]),
    ("CVE-2023-41338", &[Door("GET /near", "X-Forwarded-For: 127.0.0.1, 198.51.100.7", "network")]),
    ("CVE-2026-45045", &[Door("GET /public", "X-Real-IP: forged|X-Real-IP: forged", "+public")]),
    ("GHSA-3fxj", &[Door("GET /near", "True-Client-IP: 198.51.100.7|X-Forwarded-For: 198.51.100.7", "network")]),
    ("GHSA-9g5q", &[Door("GET /near", "X-Forwarded-For: 198.51.100.7", "network")]),
    ("GHSA-rjr7", &[Door("GET /near", "X-Real-IP: 198.51.100.7", "network")]),
    ("GHSA-7jmw-8259-q9jx", &[Door("GET /near", "X-Forwarded-For: ::ffff:198.51.100.7", "network"), At("../portcullis-core/src/policy/networks.rs", "an_address_is_in_a_set_if_it_is_in_one_of_its_networks")]),
    ("CVE-2024-45806", &[Door("GET /public", "X-Envoy-Original-Path: /forged|X-Envoy-Internal: forged", "+public")]),
    ("CVE-2023-30845", &[Door("GET /orders", "X-Api-Key: {reading}|X-HTTP-Method-Override: forged", "+orders"), Door("DELETE /orders", "X-Api-Key: {reading}|X-HTTP-Method-Override: GET", "read_only")]),
    // A caller says who they are.
    ("CVE-2026-54763", &[Door("GET /orders", "X-Api-Key: {key}|Portcullis_User: forged", "+orders")]),
    ("Traefik 3.7.13", &[Door("GET /orders", "X-Api-Key: {key}|Portcullis.User: forged", "+orders")]),
    ("CVE-2026-33433", &[Door("GET /orders", "X-Api-Key: {key}|PORTCULLIS-USER: forged", "+orders"), Door("GET /orders", "X-Api-Key: {key}|portcullis-user: forged", "+orders")]),
    ("CVE-2025-64484", &[Door("GET /public", "Portcullis_User: forged", "+public")]),
    ("CVE-2026-30851", &[Door("GET /public", "Portcullis-User: forged", "+public"), Door("GET /orders", "X-Api-Key: {key}|Portcullis-Subject: forged", "+orders")]),
    ("CVE-2026-52845", &[Door("GET /orders", "X-Api-Key: {key}|Remote_Groups: forged", "+orders")]),
    ("CVE-2026-39998", &[Door("GET /public", "Portcullis-User-Id: forged", "+public")]),
    ("CVE-2021-41130", &[Door("GET /orders", "X-Api-Key: {key}|Portcullis-User: forged|Portcullis-User: forged", "+orders")]),
    ("APISIX #13057", &[Door("GET /orders", "X-Api-Key: {key}|Portcullis-User: a\tforged", "+orders"), Door("GET /orders", "X-Api-Key: {key}|Portcullis-User: a\u{1}forged", MALFORMED)]),
    ("CVE-2026-26308", &[Door("GET /orders", "Authorization: Bearer {key}|Authorization: Bearer {other}", MALFORMED)]),
    // A caller has a proxy remove what it was told to set.
    ("GHSA-w9mr-28mw-j8hg", &[Door("GET /orders", "X-Api-Key: {key}|Connection: close, Portcullis-User", "+orders")]),
    ("CVE-2024-45410", &[Door("GET /orders", "X-Api-Key: {key}|Connection: close, X-Forwarded-For", "+orders")]),
    ("CVE-2026-29054", &[Door("GET /orders", "X-Api-Key: {key}|Connection: close, portcullis-user, x-forwarded-host", "+orders")]),
    ("CVE-2021-32813", &[Door("GET /near", "Connection: close, X-Forwarded-For, X-Forwarded-Uri", "network")]),
    ("CVE-2022-31813", &[Door("GET /public", "Connection: close, X-Forwarded-For, X-Forwarded-Host, X-Forwarded-Proto", "+public")]),
    // What cannot be read is taken for nothing good.
    ("CVE-2023-36456", &[Door("GET /near", "X-Forwarded-For: 198.51.100.7", "network")]),
    ("CVE-2024-47070", &[Door("GET /near", "X-Forwarded-For: unknown", "network"), Door("GET /admin", "X-Forwarded-For: unknown", "no_credential")]),
    ("CVE-2026-25748", &[Door("GET /orders", "Cookie: wtsession=%%%;=\"", "malformed"), Door("GET /orders", "Cookie: wtsession=", "malformed")]),
    // Methods, tunnels, connections.
    ("CVE-2026-34457", &[Door("GET /admin", "User-Agent: kube-probe/1.30", "no_credential"), Door("OPTIONS /admin", "User-Agent: GoogleHC/1.0", "no_credential")]),
    ("CVE-2026-71324", &[Door("CONNECT /orders", KEY, MALFORMED), At("tests/server/tls/http2.rs", "a_tunnel_is_refused"), At("tests/server/failures.rs", "whoever_is_refused_before_the_body_was_read_is_told_that_the_connection_ends")]),
    ("CVE-2026-88007", &[At("tests/server/proxy/several.rs", "NTLM")]),
    ("CVE-2026-73548", &[At("tests/server/proxy/tunnels.rs", "what_follows_an_upgrade_that_did_not_come_about_is_a_request_of_its_own")]),
    ("CVE-2026-73547", &[Door("CONNECT /public", "", MALFORMED)]),
    ("RUSTSEC-2026-0033", &[At("tests/server/proxy/tunnels.rs", "what_does_not_become_what_was_asked_for_is_no_tunnel")]),
    ("RUSTSEC-2026-0034", &[At("tests/server/framing.rs", "every_request_is_refused_or_has_one_reading")]),
    ("RUSTSEC-2025-0037", &[At("tests/server/failures.rs", "whoever_is_refused_before_the_body_was_read_is_told_that_the_connection_ends")]),
    // What is replayed where it is decided.
    ("CVE-2026-33032", &[At("../portcullis-core/tests/properties.rs", "what_is_allowed_meets_every_demand_and_what_meets_them_is_allowed")]),
    ("CVE-2026-71326", &[At(CONNECTOR, "a_token_that_is_remembered_is_the_very_same_token_of_the_very_same_connector")]),
    ("CVE-2026-88010", &[At(AUTHENTICATOR, "every_refusal_does_the_same_work")]),
    ("CVE-2026-32595", &[At(AUTHENTICATOR, "every_refusal_does_the_same_work")]),
    ("CVE-2026-41263", &[At(AUTHENTICATOR, "every_refusal_does_the_same_work")]),
    ("CVE-2022-23469", &[At("tests/server/leaks.rs", "no_flow_of_a_server_shows_a_secret")]),
    ("CVE-2024-45808", &[At("tests/server/leaks.rs", "no_flow_of_a_server_shows_a_secret"), Door("GET /public/%0d%0aforged", "", MALFORMED)]),
    ("CVE-2021-21291", &[At("tests/server/expert/redirects.rs", "a_link_leads_nowhere_else_and_makes_nobody")]),
    ("CVE-2020-4037", &[At("tests/server/expert/redirects.rs", "a_link_leads_nowhere_else_and_makes_nobody")]),
    ("CVE-2026-27586", &[At("tests/server/tls/certificates.rs", "a_guard_that_demands_a_certificate_lets_nobody_in_without_a_good_one")]),
    ("CVE-2026-27589", &[At("tests/server/sessions.rs", "a_cookie_acts_only_from_the_guards_own_origin_and_reads_from_anywhere")]),
    // What there is nothing of here.
    ("CVE-2026-33496", &[NotOurs(NO_INTROSPECTION)]),
    ("CVE-2021-32701", &[NotOurs(NO_INTROSPECTION), At(CONNECTOR, "a_remembered_token_dies_with_what_made_it_count")]),
    ("heimdall #3452", &[NotOurs(NO_INTROSPECTION)]),
    ("CVE-2026-26998", &[NotOurs("no door asks another server")]),
    ("CVE-2026-54762", &[NotOurs("no secret of a guard is resolved elsewhere; what cannot be read ends the start")]),
    ("CVE-2024-39321", &[NotOurs("no early data of TLS is accepted, and HTTP/3 is not spoken")]),
    ("CVE-2022-46153", &[NotOurs("TLS has one set of options for all hosts")]),
    ("CVE-2022-23632", &[NotOurs("TLS has one set of options for all hosts")]),
    ("CVE-2026-32305", &[NotOurs("TLS has one set of options for all hosts")]),
    ("CVE-2026-53622", &[NotOurs("TLS has one set of options for all hosts")]),
    ("CVE-2026-48491", &[NotOurs("TLS has one set of options for all hosts")]),
    ("CVE-2026-41181", &[NotOurs("no page of errors comes from elsewhere")]),
    ("CVE-2026-40574", &[NotOurs("nobody is let in for the domain of an address")]),
    ("CVE-2023-33189", &[NotOurs("a fault of one release that describes no request; every decision is made anew")]),
    ("CVE-2021-41230", &[NotOurs("no claims of another server are kept")]),
    ("CVE-2024-47616", &[NotOurs("nodes speak to one another through the database alone")]),
    ("CVE-2022-29266", &[NotOurs("concerns no door: secrets of JWTs are those of `connector`, and its errors name none")]),
    ("CVE-2020-11710", &[NotOurs("commands come by a local socket, and no address listens for them")]),
    ("CVE-2026-50572", &[NotOurs("memory that is used after it was freed: no `unsafe` here")]),
    ("CVE-2025-46821", &[NotOurs("no path of a guard has wildcards")]),
    ("RUSTSEC-2026-0035", &[NotOurs("no answer is cached")]),
];

/// Every request that is replayed here.
pub(super) fn rows() -> Vec<Row> {
    let of = |(number, replays): &(&str, &'static [Replay])| {
        let number = (*number).to_owned();
        replays.iter().filter_map(move |replay| match replay {
            Door(line, headers, end) => Some(row(&number, line, headers, end)),
            At(..) | NotOurs(_) => None,
        })
    };
    ATTACKS.iter().flat_map(of).collect()
}

fn row(number: &str, line: &str, headers: &str, end: &'static str) -> Row {
    let (method, target) = line.split_once(' ').unwrap();
    let (hosts, headers): (Vec<_>, Vec<_>) =
        headers.split('|').partition(|line| line.starts_with("Host: "));
    let row = Row::new(number, method, target).with(&headers.join("|"));
    let hosts: Vec<&str> = hosts.iter().map(|it| it.trim_start_matches("Host: ")).collect();
    let row = if hosts.is_empty() { row } else { row.at(&hosts) };
    let row = row.rewritten("what a proxy that asks would have to rewrite is refused there");
    match end.strip_prefix('+') {
        Some(guard) => row.allowed(guard),
        None => row.refused(end),
    }
}

/// Each number stands there once, with something; and what is replayed elsewhere is there.
pub(super) fn assert_complete() {
    let numbers: BTreeSet<&str> = ATTACKS.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers.len(), ATTACKS.len(), "one stands there twice");
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (number, replays) in ATTACKS {
        assert!(!replays.is_empty(), "{number}");
        for replay in *replays {
            match replay {
                At(file, test) => {
                    let text = fs::read_to_string(package.join(file)).unwrap();
                    assert!(text.contains(test), "{number}: {file} has no {test}");
                }
                NotOurs(why) => assert!(why.contains(' '), "{number}"),
                Door(..) => {}
            }
        }
    }
    let behind = fs::read_to_string(package.join("tests/doors/attacks.rs")).unwrap();
    for part in behind.split("(\"").skip(1).filter_map(|part| part.split('"').next()) {
        let numbered = part.starts_with("CVE-") || part.starts_with("GHSA-");
        assert!(
            !numbered || numbers.contains(part),
            "{part} is replayed behind other proxies alone"
        );
    }
}
