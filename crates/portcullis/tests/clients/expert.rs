//! Expert: the documented samples, the workflow that makes users, and a browser that is signed on.
//!
//! <https://expert-help.nice.com/Integrations_and_Extending_Content/API/Authorization_Tokens/Use_a_Server_API_Token_With_an_Integration>

use std::process::Command;

use serde_json::Value;

use crate::common::Quickstart;
use crate::front::Front;
use crate::place::{fail, in_node, in_program, in_python, on_each_engine, succeed, tool};

const PYTHON: &str = "expert/signed_call.py";
const CREATE: &str = "expert/create_user_when_not_found.py";
const NODE: &str = "expert/signed_call.js";
const POSTMAN: &str = "expert/postman.js";
const CAPITALS: &str = "expert/upper_case.js";
const PHP: &str = "expert/signed_call.php";
const JAVA: &str = "expert/SignedCall.java";
const BROWSER: &str = "expert/browser.js";

/// Users as the samples name them.
const USERS: [&str; 2] = ["=admin", "1"];

#[test]
fn the_python_client_of_expert_runs_unchanged() {
    let Some(python) = tool("PORTCULLIS_TEST_PYTHON") else { return };
    on_each_engine("expert_python", |server| {
        for user in USERS {
            let front = Front::plain(&server.address);
            page(&succeed(told(&mut in_python(&python, PYTHON), server, &front, user)));
            signed(&front, user);
        }
        page(&succeed(in_python(&python, PYTHON).arg(file(server))));
    });
}

#[test]
fn the_python_client_that_makes_users_runs_unchanged() {
    let Some(python) = tool("PORTCULLIS_TEST_PYTHON") else { return };
    on_each_engine("expert_create", |server| {
        let front = Front::plain(&server.address);
        // ISO-8859-1 on the wire, UTF-8 under the hash.
        for name in ["first_visitor", "j\u{f6}rg@example.com"] {
            let user = format!("={name}");
            let run = || succeed(told(&mut in_python(&python, CREATE), server, &front, &user));
            let found = format!("found: {name}, role Viewer\n");
            let first = format!(
                "not found\ncookie: {name}\ncookie: {name}\nbearer: {name}\njar: {name}\n{found}"
            );
            assert_eq!(run(), first);
            assert_eq!(run(), found);
        }
        succeed(in_python(&python, CREATE).arg(file(server)));
    });
}

#[test]
fn the_javascript_clients_of_expert_run_unchanged() {
    let Some(modules) = tool("PORTCULLIS_TEST_NODE_MODULES") else { return };
    on_each_engine("expert_javascript", |server| {
        for user in USERS {
            let front = Front::plain(&server.address);
            page(&succeed(told(&mut in_node(&modules, NODE), server, &front, user)));
            signed(&front, user);
            let said = succeed(told(&mut in_node(&modules, POSTMAN), server, &front, user));
            assert_eq!(said, "admin\n");
            // Browsers are sent to the site's own origin alone, which no front has.
            let base = server.text("/base_url");
            let said = succeed(tell(&mut in_node(&modules, CAPITALS), server, base, user));
            assert_eq!(said, "admin\npcl_auth\ntrue\n");
        }
        for client in [NODE, POSTMAN, CAPITALS] {
            succeed(in_node(&modules, client).arg(file(server)));
        }
    });
}

#[test]
fn the_php_client_of_expert_runs_unchanged() {
    let Some(php) = tool("PORTCULLIS_TEST_PHP") else { return };
    on_each_engine("expert_php", |server| {
        for user in USERS {
            let front = Front::plain(&server.address);
            let said = succeed(told(&mut in_program(&php, PHP), server, &front, user));
            assert!(said.ends_with("\n1 admin\n"), "{said}");
            page(&said);
            signed(&front, user);
        }
        succeed(in_program(&php, PHP).arg(file(server)));
    });
}

#[test]
fn the_java_client_of_expert_runs_unchanged() {
    let Some(java) = tool("PORTCULLIS_TEST_JAVA") else { return };
    on_each_engine("expert_java", |server| {
        for user in USERS {
            let front = Front::plain(&server.address);
            page(&succeed(told(&mut in_program(&java, JAVA), server, &front, user)));
            signed(&front, user);
        }
    });
}

#[test]
fn a_browser_is_signed_on_from_another_site_and_lands_on_its_page() {
    let (Some(chromium), Some(modules)) =
        (tool("PORTCULLIS_TEST_CHROMIUM"), tool("PORTCULLIS_TEST_NODE_MODULES"))
    else {
        return;
    };
    on_each_engine("expert_browser", |server| {
        let mut command = in_node(&modules, BROWSER);
        command.env("CHROMIUM", &chromium).env("NODE_OPTIONS", "--experimental-websocket");
        let base = server.text("/base_url");
        let said = succeed(tell(&mut command, server, base, "=first_visitor"));
        let told: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(told["address"], format!("{base}/@api/deki/users/current"));
        assert_eq!(told["username"], "first_visitor");
        assert_eq!(told["referrer"], "", "the link is told to nobody");
        assert_eq!(told["readable"], "", "no script reads a cookie");
        let mut cookies = told["cookies"].as_array().unwrap().clone();
        cookies.sort_by_key(|cookie| cookie["name"].to_string());
        let [authtoken, visit] = &cookies[..] else { panic!("{cookies:?}") };
        assert_eq!(
            (&authtoken["name"], &visit["name"]),
            (&"authtoken".into(), &"dekisession".into())
        );
        assert!(authtoken["value"].as_str().unwrap().starts_with("\"pcl_auth_"));
        for cookie in &cookies {
            assert_eq!(cookie["domain"], "127.0.0.1", "{cookie}");
            assert_eq!((&cookie["path"], &cookie["sameSite"]), (&"/".into(), &"Lax".into()));
            assert_eq!((&cookie["httpOnly"], &cookie["session"]), (&true.into(), &false.into()));
        }
    });
}

#[test]
fn the_python_clients_of_expert_fail_with_a_wrong_secret_and_say_why() {
    let Some(python) = tool("PORTCULLIS_TEST_PYTHON") else { return };
    on_each_engine("expert_wrong", |server| {
        let front = Front::plain(&server.address);
        for client in [PYTHON, CREATE] {
            let mut command = in_python(&python, client);
            let command = told(&mut command, server, &front, "=admin");
            let said = fail(command.env("EX_SECRET", "0".repeat(64)));
            assert!(said.starts_with("Error: 403 - ") && said.contains("invalid token"), "{said}");
        }
    });
}

fn file(server: &Quickstart) -> std::path::PathBuf {
    server.home.data().join("quickstart.json")
}

/// Whether the page came that every sample asks for.
#[track_caller]
fn page(said: &str) {
    assert!(said.contains("<page id=\"1\"") && said.contains("<title>Home</title>"), "{said}");
}

/// Whether the call carried a signature, and no query.
#[track_caller]
fn signed(front: &Front, user: &str) {
    let sent = front.sent();
    let call = sent.first().unwrap();
    assert!(call.starts_with("GET /@api/deki/pages/home/info HTTP/1.1\r\n"), "{call}");
    let header = call.lines().find(|line| line.to_lowercase().starts_with("x-deki-token: tkn_"));
    assert!(header.unwrap().contains(&format!("_{user}_")), "{call}");
}

/// Tells a client where the front is, which key and secret it has, and on whose behalf it signs.
fn told<'c>(
    command: &'c mut Command,
    server: &Quickstart,
    front: &Front,
    user: &str,
) -> &'c mut Command {
    tell(command, server, &format!("http://{}", front.address), user)
}

fn tell<'c>(
    command: &'c mut Command,
    server: &Quickstart,
    base: &str,
    user: &str,
) -> &'c mut Command {
    command
        .env("EX_BASE", base)
        .env("EX_KEY", server.text("/expert/key"))
        .env("EX_SECRET", server.text("/expert/secret"))
        .env("EX_USER", user)
}
