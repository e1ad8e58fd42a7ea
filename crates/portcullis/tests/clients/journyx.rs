//! Journyx: the documented requests, the Python sample and the example workflow.
//!
//! <https://docs.journyx.com/docs/authentication>

use std::process::Command;

use crate::common::Quickstart;
use crate::front::Front;
use crate::place::{fail, in_node, in_python, on_each_engine, succeed, tool};

const BASIC: &str = "journyx/basic.py";
const WORKFLOW: &str = "journyx/workflow.py";
const REQUESTS: &str = "journyx/requests.js";

/// What stands for the user: their password, a key, and one that may only read.
const SECRETS: [&str; 3] = ["/journyx/password", "/journyx/api_key", "/journyx/read_only_api_key"];

#[test]
fn the_python_client_of_basic_runs_unchanged_with_password_and_keys() {
    let Some(python) = tool("PORTCULLIS_TEST_PYTHON") else { return };
    on_each_engine("journyx_basic", |server| {
        for secret in SECRETS {
            let front = Front::plain(&server.address);
            let said = succeed(told(&mut in_python(&python, BASIC), server, &front, secret));
            assert!(said.starts_with("200\n{"), "{secret}: {said}");
            assert!(said.contains("\"tablename\":\"projects\""), "{secret}: {said}");
            let sent = front.sent();
            let [get] = &sent[..] else { panic!("{sent:?}") };
            assert!(get.starts_with("GET /api/v1/projects HTTP/1.1\r\n"), "{secret}");
            assert!(get.contains("\r\nAuthorization: Basic "), "{secret}");
        }
        // As a person runs it, with the file that the quickstart wrote.
        succeed(in_python(&python, BASIC).arg(server.home.data().join("quickstart.json")));
    });
}

#[test]
fn the_python_client_of_the_example_workflow_runs_unchanged_with_password_and_keys() {
    let Some(python) = tool("PORTCULLIS_TEST_PYTHON") else { return };
    on_each_engine("journyx_workflow", |server| {
        for secret in SECRETS {
            let front = Front::plain(&server.address);
            let said = succeed(told(&mut in_python(&python, WORKFLOW), server, &front, secret));
            let user = server.text("/journyx/username");
            let start = format!("Signed in as {user} for 102000 seconds\n");
            assert!(said.starts_with(&start), "{secret}: {said}");
            assert!(said.matches("\nProject ").count() >= 3, "{secret}: {said}");
            let may_write = !secret.contains("read_only");
            assert_eq!(said.contains("\nMay not make a key\n"), !may_write, "{secret}: {said}");
            assert_eq!(said.contains("\nMade a key for 1 day\nDeleted it\n"), may_write, "{said}");
            assert!(said.ends_with("\nSigned out: 403 403\n"), "{secret}: {said}");
            check_the_python_requests(&front);
        }
        succeed(in_python(&python, WORKFLOW).arg(server.home.data().join("quickstart.json")));
    });
}

fn check_the_python_requests(front: &Front) {
    let sent = front.sent();
    let [login, projects, ..] = &sent[..] else { panic!("{} requests", sent.len()) };
    assert!(login.starts_with("POST /api/v1/login HTTP/1.1\r\n"));
    for line in [
        &format!("Origin: {}", front.address),
        "Accept: application/json",
        "X-Requested-With: XMLHttpRequest",
        "Content-Type: application/json",
    ] {
        assert!(login.contains(&format!("\r\n{line}\r\n")), "{line}");
    }
    assert!(projects.starts_with("GET /api/v1/projects HTTP/1.1\r\n"));
    assert!(projects.contains("\r\nCookie: wtsession=pcl_ses_"));
    assert!(!projects.contains("\r\nOrigin:") && !projects.contains("\r\nAuthorization:"));
}

#[test]
fn the_javascript_client_of_the_two_requests_runs_unchanged_with_password_and_keys() {
    let Some(modules) = tool("PORTCULLIS_TEST_NODE_MODULES") else { return };
    on_each_engine("journyx_requests", |server| {
        for secret in SECRETS {
            let front = Front::plain(&server.address);
            let said = succeed(told(&mut in_node(&modules, REQUESTS), server, &front, secret));
            let lines: Vec<&str> = said.lines().collect();
            let [signed_in, projects] = lines[..] else { panic!("{said}") };
            let user = server.text("/journyx/username");
            assert_eq!(signed_in, format!("signed in as {user}"), "{secret}");
            let count = projects.strip_suffix(" projects").unwrap();
            assert!(count.parse::<u32>().unwrap() >= 3, "{secret}: {said}");
            let sent = front.sent();
            let [login, get] = &sent[..] else { panic!("{} requests", sent.len()) };
            assert!(login.contains("\r\n\r\n{\n    \"username\": "), "{secret}");
            assert!(get.contains("\r\nCookie: wtsession=pcl_ses_"), "{secret}");
        }
        succeed(in_node(&modules, REQUESTS).arg(server.home.data().join("quickstart.json")));
    });
}

#[test]
fn every_python_client_of_journyx_fails_with_a_wrong_password_and_says_why() {
    let Some(python) = tool("PORTCULLIS_TEST_PYTHON") else { return };
    on_each_engine("journyx_wrong", |server| {
        let front = Front::plain(&server.address);
        for client in [BASIC, WORKFLOW] {
            let mut command = in_python(&python, client);
            let said = fail(
                told(&mut command, server, &front, SECRETS[0]).env("JX_PASSWORD", "wrong one"),
            );
            assert!(said.starts_with("403") && said.contains("\"success\":false"), "{said}");
        }
    });
}

#[test]
fn the_javascript_client_of_journyx_fails_with_a_wrong_password_and_says_why() {
    let Some(modules) = tool("PORTCULLIS_TEST_NODE_MODULES") else { return };
    on_each_engine("journyx_wrong_js", |server| {
        let front = Front::plain(&server.address);
        let mut command = in_node(&modules, REQUESTS);
        let said =
            fail(told(&mut command, server, &front, SECRETS[0]).env("JX_PASSWORD", "wrong one"));
        assert!(said.starts_with("ERROR: 403 ") && said.trim_end().lines().count() == 1, "{said}");
        assert_eq!(front.sent().len(), 1);
    });
}

/// Tells a client where the front is, who it is, and which secret it has.
fn told<'c>(
    command: &'c mut Command,
    server: &Quickstart,
    front: &Front,
    secret: &str,
) -> &'c mut Command {
    let base = format!("http://{}", front.address);
    command
        .env("JX_URL", format!("{base}{}", server.text("/journyx/endpoint")))
        .env("JX_BASE", base)
        .env("JX_USERNAME", server.text("/journyx/username"))
        .env("JX_PASSWORD", server.text(secret))
}
