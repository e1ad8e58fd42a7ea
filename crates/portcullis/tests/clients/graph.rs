//! Graph: the documented calls with curl, every scheme from Python, and the clients of OAuth 2.0.
//!
//! <https://xponent-knowledge-base.document360.io/docs/xponent-graph-api>

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::common::Quickstart;
use crate::front::Front;
use crate::place::{fail, in_python, in_shell, on_each_engine, succeed, tool};

const LISTENER_SH: &str = "graph/listener.sh";
const LISTENER: &str = "graph/listener.py";
const OAUTH: &str = "graph/oauth.py";

/// The user, the password and the secret of the page.
const OF_THE_PAGE: [&str; 3] = ["Test", "Pass1234!", "abc123"];

/// Makes what the page has for example, for the listener of the page.
fn make_as_on_the_page(server: &Quickstart) {
    let [user, password, secret] = OF_THE_PAGE;
    server.home.done(&["user", "create", user]);
    assert!(server.home.set_password(user, password).status.success());
    let words = ["secret", "import", user, "--guard", server.text("/graph/listener")];
    let mut import = server.home.command(&words);
    let mut import = import.stdin(Stdio::piped()).spawn().unwrap();
    writeln!(import.stdin.take().unwrap(), "{secret}").unwrap();
    assert!(import.wait().unwrap().success());
}

#[test]
fn the_documented_calls_of_curl_run_unchanged_but_for_the_host() {
    on_each_engine("graph_curl", |server| {
        make_as_on_the_page(server);
        let front = Front::plain(&server.address);
        let url = format!("http://{}", front.address);
        let said = succeed(in_shell(LISTENER_SH).env("GRAPH_URL", url));
        let ways = ["x-auth-token", "Basic", "login", "token in the headers", "token in the body"];
        assert_eq!(said, ways.map(|way| format!("{way}: 200\n")).concat());
        let sent = front.sent();
        let [secret, basic, ..] = &sent[..] else { panic!("{} requests", sent.len()) };
        assert!(secret.starts_with("POST /api/v1/listener/kitewheel_endpoint HTTP/1.1\r\n"));
        assert!(secret.contains("\r\nx-auth-token: abc123\r\n"), "{secret}");
        assert!(secret.ends_with("\r\n\r\n{\"message\":\"hi\"}"), "{secret}");
        assert!(basic.contains("\r\nAuthorization: Basic VGVzdDpQYXNzMTIzNCE=\r\n"), "{basic}");
        // As a person runs it, with the file that the quickstart wrote.
        succeed(in_shell(LISTENER_SH).arg(server.home.data().join("quickstart.json")));
    });
}

#[test]
fn the_calls_of_curl_fail_with_what_is_wrong_and_say_why() {
    on_each_engine("graph_curl_wrong", |server| {
        make_as_on_the_page(server);
        let url = format!("http://{}", server.address);
        for (name, first) in [("GRAPH_SECRET", "x-auth-token"), ("GRAPH_PASSWORD", "Basic")] {
            let mut command = in_shell(LISTENER_SH);
            let said = fail(command.env("GRAPH_URL", &url).env(name, "wrong one"));
            assert!(said.contains(&format!("{first}: 401\n")), "{said}");
            assert!(said.ends_with("\"messages\":[\"Unauthorised\"]}}\n"), "{said}");
        }
    });
}

/// What the client says of each way to call a listener.
fn ways(end: &str) -> String {
    let ways =
        ["Basic", "token in the headers", "token in a form", "token in JSON", "x-auth-token"];
    ways.map(|way| format!("{way}{end}\n")).concat()
}

#[test]
fn the_python_client_of_every_scheme_passes_and_is_refused_from_elsewhere() {
    let Some(python) = tool("PORTCULLIS_TEST_PYTHON") else { return };
    on_each_engine("graph_listener", |server| {
        let near = "near";
        let upstream =
            server.home.json(&["guard", "list"])["upstreams"][0].as_str().unwrap().to_owned();
        let here = ["--upstream", &upstream, "--network", "127.0.0.1/32"];
        server.home.done(&[&["listener", "create", near], &here[..]].concat());
        let made = ["secret", "create", server.text("/graph/username"), "--guard", near];
        let secret = server.home.json(&made)["secret"].as_str().unwrap().to_owned();
        let mut command = in_python(&python, LISTENER);
        told(&mut command, server, &server.address)
            .env("GRAPH_LISTENER", near)
            .env("GRAPH_SECRET", secret)
            .env("GRAPH_ELSEWHERE", "127.0.0.2");
        let said = succeed(&mut command);
        let nothing = "nothing: 401 Unauthorised\n";
        assert_eq!(said, [&*ways(": 200"), nothing, &ways(", from elsewhere: 403")].concat());
        let file = server.home.data().join("quickstart.json");
        let said = succeed(in_python(&python, LISTENER).arg(file));
        assert_eq!(said, [&*ways(": 200"), nothing].concat());
    });
}

/// What the client says of each library that is given a token, and has it revoked.
const OAUTH_SAYS: &str = "Metadata: client_credentials
Authlib, client_secret_basic: revoked 401
Authlib, client_secret_post: revoked 401
requests-oauthlib, Basic: revoked 401
requests-oauthlib, form: revoked 401
";

#[test]
fn the_python_clients_of_oauth_get_use_and_end_tokens_by_password_and_key() {
    let Some(python) = tool("PORTCULLIS_TEST_PYTHON") else { return };
    on_each_engine("graph_oauth", |server| {
        for secret in ["/graph/password", "/basic/api_key"] {
            let front = Front::plain(&server.address);
            let mut command = in_python(&python, OAUTH);
            let password = server.text(secret);
            told(&mut command, server, &front.address).env("GRAPH_PASSWORD", password);
            assert_eq!(succeed(&mut command), OAUTH_SAYS, "{secret}");
            let sent = front.sent();
            let asked: Vec<&String> =
                sent.iter().filter(|it| it.starts_with("POST /oauth/token ")).collect();
            let [basic, _, form, _, others @ ..] = &asked[..] else { panic!("{}", asked.len()) };
            assert!(basic.contains("\r\nAuthorization: Basic "), "{secret}");
            assert!(!basic.contains("client_secret="), "{secret}");
            assert!(form.contains("client_secret=") && !form.contains("\r\nAuthorization:"));
            assert_eq!(others.len(), 4, "{secret}");
            assert!(others.iter().all(|it| it.contains("grant_type=client_credentials")));
        }
        let file = server.home.data().join("quickstart.json");
        assert_eq!(succeed(in_python(&python, OAUTH).arg(file)), OAUTH_SAYS);
    });
}

#[test]
fn every_python_client_of_graph_fails_with_a_wrong_password_and_says_why() {
    let Some(python) = tool("PORTCULLIS_TEST_PYTHON") else { return };
    on_each_engine("graph_wrong", |server| {
        for (client, expected) in [(LISTENER, "401 {\"meta\":"), (OAUTH, "\ninvalid_client: ")] {
            let mut command = in_python(&python, client);
            told(&mut command, server, &server.address).env("GRAPH_PASSWORD", "wrong one");
            let said = fail(&mut command);
            assert!(said.contains(expected) && !said.contains("Traceback"), "{client}: {said}");
        }
        let mut command = in_python(&python, LISTENER);
        told(&mut command, server, &server.address).env("GRAPH_SECRET", "wrong one");
        let said = fail(&mut command);
        assert!(said.contains("token in JSON: 200\n401 {\"meta\":"), "{said}");
    });
}

/// Tells a client where to call, who it is, and what secrets it has.
fn told<'c>(command: &'c mut Command, server: &Quickstart, address: &str) -> &'c mut Command {
    command
        .env("GRAPH_URL", format!("http://{address}"))
        .env("GRAPH_LISTENER", server.text("/graph/listener"))
        .env("GRAPH_USERNAME", server.text("/graph/username"))
        .env("GRAPH_PASSWORD", server.text("/graph/password"))
        .env("GRAPH_SECRET", server.text("/graph/shared_secret"))
}
