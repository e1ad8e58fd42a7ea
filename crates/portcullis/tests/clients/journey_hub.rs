//! Journey Hub: the vendor's two Python samples and its JavaScript sample.
//!
//! <https://kitewheel.atlassian.net/wiki/spaces/K2/pages/517308681/Journey+Hub+API>

use std::process::Command;

use serde_json::{Value, json};

use crate::common::Quickstart;
use crate::front::Front;
use crate::hub::{Hub, Secret};
use crate::place::{fail, in_node, in_python, on_each_engine, succeed, tool};

const LIST: &str = "journey_hub/list_organizations.py";
const CREATE_AND_DELETE: &str = "journey_hub/create_and_delete.py";
const PROVISION: &str = "journey_hub/provision.js";

#[test]
fn the_python_client_that_lists_the_organizations_runs_unchanged() {
    let Some(python) = tool("PORTCULLIS_TEST_PYTHON") else { return };
    on_each_engine("list", |server| {
        let (hub, front) = (caller(server), Front::plain(&server.address));
        let before = hub.get("/org").list("organizations");
        let said = succeed(told(&mut in_python(&python, LIST), server, &front));
        let row =
            format!("{:>20}\t{:>20}\t{:>20}", before[0]["name"].as_str().unwrap(), "1", "None");
        for line in [&row, "\nCreated neworg-", "\nRenamed neworg-", "\nDeleted changed-"] {
            assert!(said.contains(line), "{line}: {said}");
        }
        assert_eq!(hub.get("/org").list("organizations"), before);
        let sent = front.sent();
        let [token, list, create, rename, delete] = &sent[..] else { panic!("{sent:?}") };
        let head = "POST /api/v1/token HTTP/1.1\r\n";
        assert!(token.starts_with(head) && !token.contains("uthorization"), "{token}");
        assert!(token.contains("Content-Type: application/x-www-form-urlencoded\r\n"), "{token}");
        assert!(token.contains("\r\n\r\nuserId="), "{token}");
        assert!(list.contains("\r\nAuthorization: pcl_hub_"), "{list}");
        assert!(create.contains("\r\n\r\nname=neworg-") && create.ends_with("&parentId=1"));
        assert!(rename.starts_with("PUT ") && rename.contains("\r\n\r\nname=changed-"));
        assert!(delete.starts_with("DELETE ") && delete.ends_with("\r\n\r\n"), "{delete}");
        // As a person runs it, with the file that the quickstart wrote.
        succeed(in_python(&python, LIST).arg(server.home.data().join("quickstart.json")));
        assert_eq!(hub.get("/org").list("organizations"), before);
    });
}

#[test]
fn the_python_client_that_insists_on_https_runs_unchanged_behind_a_front() {
    let Some(python) = tool("PORTCULLIS_TEST_PYTHON") else { return };
    on_each_engine("create", |server| {
        let (hub, front) = (caller(server), Front::tls(&server.address));
        let before = hub.get("/org").list("organizations");
        let mut command = in_python(&python, CREATE_AND_DELETE);
        command
            .env("KW_HUB", &front.address)
            .env("KW_USERID", server.text("/journey_hub/user_id"))
            .env("KW_SECRET", server.text("/journey_hub/secret"))
            .env("REQUESTS_CA_BUNDLE", front.authority());
        let said = succeed(&mut command);
        let starts = ["Created neworg-", "Renamed neworg-", "Deleted changed-"];
        for (line, start) in said.lines().zip(starts) {
            assert!(line.starts_with(start), "{said}");
        }
        assert_eq!(said.lines().count(), starts.len(), "{said}");
        assert_eq!(hub.get("/org").list("organizations"), before);
        let sent = front.sent();
        let [token, create, rename, delete] = &sent[..] else { panic!("{sent:?}") };
        assert!(token.contains("Content-Type: application/json\r\n"), "{token}");
        assert!(token.contains("\r\n\r\n{\"userId\": \""), "{token}");
        assert!(create.ends_with(", \"parentId\": \"1\"}"), "{create}");
        assert!(rename.contains("\r\n\r\n{\"name\": \"changed-"), "{rename}");
        assert!(delete.starts_with("DELETE "), "{delete}");
    });
}

#[test]
fn the_javascript_client_runs_unchanged() {
    let Some(modules) = tool("PORTCULLIS_TEST_NODE_MODULES") else { return };
    on_each_engine("provision", |server| {
        let (hub, front) = (caller(server), Front::plain(&server.address));
        let before = organizations(&hub);
        let said = succeed(told(&mut in_node(&modules, PROVISION), server, &front));
        for line in ["made organization ", "made project ", "made 3 users", " connections"] {
            assert!(said.contains(line), "{line}: {said}");
        }
        check_the_javascript_requests(&front.sent());
        // It makes one of the same name each time.
        succeed(in_node(&modules, PROVISION).arg(server.home.data().join("quickstart.json")));
        let after = organizations(&hub);
        assert_eq!(after[..before.len()], before);
        let made = &after[before.len()..];
        assert_eq!(made.len(), 2, "{made:?}");
        for organization in made {
            assert_eq!(organization["name"], json!("A New Organization"));
            assert_eq!(organization["parentId"], json!("1"));
            check_what_was_provisioned(&hub, organization["id"].as_str().unwrap());
        }
    });
}

fn check_the_javascript_requests(sent: &[String]) {
    let first = |start: &str| {
        let found = sent.iter().find(|request| request.starts_with(start));
        found.unwrap_or_else(|| panic!("no {start} in {sent:?}"))
    };
    let token = first("POST /api/v1/token HTTP/1.1\r\n");
    assert!(token.contains("\r\nauthorization: null\r\n"), "{token}");
    assert!(token.contains("\r\n\r\n{\"id\":\""), "{token}");
    let create = first("POST /api/v1/org HTTP/1.1\r\n");
    assert!(create.contains("\r\nauthorization: pcl_hub_"), "{create}");
    assert!(create.ends_with("\r\n\r\n{\"name\":\"A New Organization\"}"), "{create}");
    let users = first("POST /api/v1/user/org/");
    assert!(users.contains("\r\n\r\n[{\"name\":\"Olga Owner\",\"email\":\"\",\"role\":\"Owner\"}"));
    assert!(first("POST /api/v1/project/org/").contains(",\"templateId\":\""));
    let connect = first("PUT /api/v1/project/");
    assert!(connect.contains("\r\n\r\n{\"connections\":[{\"details\":{\"type\":\""), "{connect}");
}

fn check_what_was_provisioned(hub: &Hub, organization: &str) {
    let users = hub.get(&format!("/user/org/{organization}")).list("users");
    let told = |user: &Value| [&user["name"], &user["email"], &user["role"]].map(Value::clone);
    assert_eq!(
        users.as_array().unwrap().iter().map(told).collect::<Vec<_>>(),
        [
            [json!("Olga Owner"), json!(""), json!("Owner")],
            [json!("Maria Member"), json!(""), json!("Member")],
            [json!("Max Member"), json!(""), json!("Member")],
        ]
    );
    let project = hub.get(&format!("/project/org/{organization}")).one("projects");
    assert_eq!(project["name"], json!("First Project"));
    assert_eq!(project["description"], json!("made by a script :)"));
    assert!(!project["templateConnections"].as_array().unwrap().is_empty(), "{project}");
}

#[test]
fn every_python_client_fails_with_a_wrong_secret_and_says_why() {
    let Some(python) = tool("PORTCULLIS_TEST_PYTHON") else { return };
    on_each_engine("wrong_python", |server| {
        let (plain, tls) = (Front::plain(&server.address), Front::tls(&server.address));
        let mut list = in_python(&python, LIST);
        told(&mut list, server, &plain).env("HUB_SECRET", "wrong");
        let mut create = in_python(&python, CREATE_AND_DELETE);
        create
            .env("KW_HUB", &tls.address)
            .env("KW_USERID", server.text("/journey_hub/user_id"))
            .env("KW_SECRET", "wrong")
            .env("REQUESTS_CA_BUNDLE", tls.authority());
        for command in [&mut list, &mut create] {
            let said = fail(command);
            assert!(said.contains("\"metadata\":{\"code\":401,"), "{said}");
        }
        let said = fail(&mut in_python(&python, CREATE_AND_DELETE));
        assert_eq!(said, "Set KW_HUB, KW_USERID and KW_SECRET first.\n");
    });
}

#[test]
fn the_javascript_client_fails_with_a_wrong_secret_and_says_why() {
    let Some(modules) = tool("PORTCULLIS_TEST_NODE_MODULES") else { return };
    on_each_engine("wrong_javascript", |server| {
        let front = Front::plain(&server.address);
        let mut command = in_node(&modules, PROVISION);
        let said = fail(told(&mut command, server, &front).env("HUB_SECRET", "wrong"));
        assert!(said.starts_with("ERROR: ") && said.lines().count() == 1, "{said}");
        assert_eq!(front.sent().len(), 1);
    });
}

/// Tells a client where the front is, and who it is.
fn told<'c>(command: &'c mut Command, server: &Quickstart, front: &Front) -> &'c mut Command {
    command
        .env("HUB_URL", format!("http://{}/api/v1/", front.address))
        .env("HUB_USER_ID", server.text("/journey_hub/user_id"))
        .env("HUB_SECRET", server.text("/journey_hub/secret"))
        .env("HUB_TEMPLATE_ID", server.text("/journey_hub/template_id"))
}

fn caller(server: &Quickstart) -> Hub {
    Hub::new(server, "any", "").sign_in(&Secret::read(&server.made["journey_hub"]))
}

fn organizations(hub: &Hub) -> Vec<Value> {
    hub.get("/org").list("organizations").as_array().unwrap().clone()
}
