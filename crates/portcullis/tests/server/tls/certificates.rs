//! Certificates of clients, as a condition.

use super::Site;
use super::authority::Authority;
use super::client::get;
use crate::common::{Home, Server, text};
use crate::upstream::answering;

#[test]
fn a_guard_that_demands_a_certificate_lets_nobody_in_without_a_good_one() {
    let site = Site::new();
    let (good, own) = (site.clients.vouch("alice"), site.authority.vouch("alice"));
    let expired = site.clients.vouch_until("alice", 2020);
    // Nothing is answered where a certificate is shown that is not good.
    for (shown, open, strict) in [
        (None, Some(200), Some(403)),
        (Some(&good), Some(200), Some(200)),
        (Some(&own), None, None),
        (Some(&expired), None, None),
        (Some(&Authority::new().vouch("alice")), None, None),
    ] {
        let client = shown.map_or_else(|| site.client(), |pair| site.client_with(pair));
        for (path, expected) in [("/open", open), ("/strict", strict)] {
            let answer = client.send(&format!("GET {path} HTTP/1.1"));
            let status = (!answer.0.is_empty()).then(|| answer.status());
            assert_eq!(status, expected, "{path}");
            if let Some(expected) = expected {
                assert_eq!(client.ask(get(path, &[])).status(), expected, "{path} in HTTP/2");
            }
        }
    }
    let ended = site.server.stop();
    assert_eq!(
        ended.stderr.matches("reason=\"client_certificate\"").count(),
        2,
        "{}",
        ended.stderr
    );
}

#[test]
fn a_certificate_is_no_credential_and_a_credential_no_certificate() {
    let key = |home: &Home| {
        home.done(&["user", "create", "alice"]);
        home.json(&["key", "create", "alice"])["key"].as_str().unwrap().to_owned()
    };
    let site = Site::new();
    let upstream = answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let key = key(&site.server.home);
    let upstream = format!("http://{upstream}");
    let made = ["guard", "create", "both", "--path", "/both", "--upstream", &upstream];
    site.server.home.done(&[&made[..], &["--client-certificate"]].concat());
    let shown = site.server.home.json(&["guard", "show", "both"]);
    assert_eq!(shown["client_certificate"], true);
    let certified = site.client_with(&site.clients.vouch("alice"));
    for (client, credential, expected) in [
        (&certified, "", 401),
        (&certified, &*format!("\r\nX-Api-Key: {key}"), 200),
        (&site.client(), "", 403),
        (&site.client(), &*format!("\r\nX-Api-Key: {key}"), 403),
    ] {
        let answer = client.send(&format!("GET /both HTTP/1.1{credential}"));
        assert_eq!(answer.status(), expected, "{credential}");
    }
}

#[test]
fn a_proxy_that_asks_may_have_to_show_a_certificate_which_is_its_own_and_no_callers() {
    let authz = "[authz]\npeers = [\"127.0.0.1\"]\nclient_certificate = true\n";
    let site = Site::with("", authz);
    let certified = site.client_with(&site.clients.vouch("nginx"));
    for (client, target, expected) in [
        (&certified, "/open", 200),
        (&certified, "/strict", 403),
        (&site.client(), "/open", 404),
        (&site.client(), "/strict", 404),
    ] {
        let stated = [
            ("x-forwarded-for", "127.0.0.7"),
            ("x-forwarded-method", "GET"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "api.example"),
            ("x-forwarded-uri", target),
        ];
        let lines: String =
            stated.iter().map(|(name, value)| format!("\r\n{name}: {value}")).collect();
        let answer = client.send(&format!("GET /authz/forward HTTP/1.1{lines}"));
        assert_eq!(answer.status(), expected, "{target}: {}", answer.0);
        let answer = client.ask(get("/authz/forward", &stated));
        assert_eq!(answer.status(), expected, "{target} in HTTP/2");
    }
}

#[test]
fn a_guard_that_can_let_nobody_in_is_warned_of() {
    let guard = "[[guard]]\nname = \"strict\"\nupstream = \"http://127.0.0.1:9\"\n\
                 networks = [\"127.0.0.0/8\"]\nclient_certificate = true\n";
    let warning = "warning: guard `strict` demands a certificate of clients, and without \
                   `tls.client_ca` none is asked for: it refuses everybody";
    let home = Home::new();
    let file = home.write("checked.toml", guard);
    let checked = home.run(&["check-config", &file]);
    assert!(checked.status.success());
    assert_eq!(text(&checked.stderr).trim(), warning);
    let server = Server::serve(home, guard);
    assert_eq!(server.send("GET / HTTP/1.1").status(), 403);
    let ended = server.stop();
    assert_eq!(ended.stderr.matches(warning).count(), 1);
}

#[test]
fn check_config_tells_what_is_wrong_with_the_files() {
    let home = Home::new();
    let pair = Authority::new().vouch_until("localhost", 2020);
    let [certificate, key] = super::write(&home, &pair);
    let config = format!("[tls]\ncertificate = \"{certificate}\"\nkey = \"{key}\"\n");
    let file = home.write("checked.toml", &config);
    let checked = home.run(&["check-config", &file]);
    assert!(checked.status.success(), "{}", text(&checked.stderr));
    let told = text(&checked.stderr);
    assert!(told.contains("chain.pem` holds a certificate that has expired"), "{told}");
    assert!(told.contains("key.pem` is a private key, and everybody"), "{told}");
    super::write(&home, &super::Pair { key: Authority::new().vouch("any").key, ..pair });
    let checked = home.run(&["check-config", &file]);
    assert!(!checked.status.success());
    let told = text(&checked.stderr);
    assert!(told.contains("tls.key: `"), "{told}");
    assert!(told.contains("key.pem` is not the private key of the certificate"), "{told}");
    let refused = home.run(&["serve", "--config", &file]);
    assert!(!refused.status.success() && text(&refused.stderr).contains("is not the private key"));
    // Commands need no certificate.
    home.done(&["--config", &file, "user", "create", "alice"]);
}
