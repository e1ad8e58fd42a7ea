//! Journey Hub as its callers meet it: every call, every refusal, and what nobody may see.

mod calls;
mod forms;
pub(crate) mod hub;
mod lives;
mod nodes;
mod pages;
mod provisioned;
mod races;
mod refusals;
mod secrets;
mod shared;
mod signing;
mod tenants;
mod tokens;

use std::sync::Barrier;
use std::thread;

use serde_json::{Value, json};

use crate::common::{Home, Server};
use hub::{Hub, Secret};

/// One installation in which the dialect is mounted for the root and for two more tenants.
struct House {
    server: Server,
    /// Owns the root organization.
    owner: Secret,
    /// Owns organization `red`, a realm.
    red_owner: Secret,
    red: String,
    /// Owns organization `blue`, another realm.
    blue_owner: Secret,
    blue: String,
}

impl House {
    fn new() -> Self {
        Self::with("")
    }

    /// With `more` in the configuration.
    fn with(more: &str) -> Self {
        let home = Home::new();
        let realm = |name| home.json(&["org", "create", name, "--realm"])["number"].to_string();
        let (red, blue) = (realm("Red"), realm("Blue"));
        let owner = Secret::of_an_owner(&home, "boss", "1");
        let red_owner = Secret::of_an_owner(&home, "boss", &red);
        let blue_owner = Secret::of_an_owner(&home, "boss", &blue);
        for number in ["1", &red, &blue] {
            let connections = ["--connection", "queue", "--connection", "email:Mail out"];
            let place = ["template", "create", "Base", "--description", "for all"];
            home.done(&[&place, &connections[..], &["--organization", number]].concat());
        }
        let config = format!("{more}{MOUNTS}").replace("RED", &red).replace("BLUE", &blue);
        let server = Server::serve(home, &config);
        Self { server, owner, red_owner, red, blue_owner, blue }
    }

    /// The owner of the root, signed in below a prefix.
    fn boss(&self) -> Hub {
        self.boss_by(&self.owner)
    }

    fn boss_by(&self, secret: &Secret) -> Hub {
        Hub::new(&self.server, "any", "/hub").sign_in(secret)
    }

    fn red_boss(&self) -> Hub {
        Hub::new(&self.server, "red.example", "").sign_in(&self.red_owner)
    }

    fn blue_boss(&self) -> Hub {
        Hub::new(&self.server, "blue.example", "").sign_in(&self.blue_owner)
    }

    /// Below a prefix, by host, and for a second organization: where, who, and whose.
    fn everywhere(&self) -> [(Hub, &Secret, &str); 3] {
        [
            (self.boss(), &self.owner, "1"),
            (Hub::new(&self.server, "hub.example", "").sign_in(&self.owner), &self.owner, "1"),
            (self.red_boss(), &self.red_owner, &self.red),
        ]
    }

    /// An owner of a new organization below the root; its number, and the caller.
    fn partner(&self, login: &str) -> (String, Hub) {
        let boss = self.boss();
        let number = made(&boss.post("/org", &json!({ "name": login })).one("organizations"));
        let home = &self.server.home;
        home.done(&["user", "create", login, "--organization", &number]);
        home.done(&["role", "grant", "Owner", login, "--organization", &number]);
        let secret = Secret::make(home, login, "1");
        (number, Hub::new(&self.server, "any", "/hub").sign_in(&secret))
    }
}

const MOUNTS: &str = r#"
[[mount]]
dialect = "journey_hub"
path = "/hub"

[[mount]]
name = "by-host"
dialect = "journey_hub"
hosts = ["hub.example"]

[[mount]]
name = "red"
dialect = "journey_hub"
organization = RED
hosts = ["red.example"]

[[mount]]
name = "blue"
dialect = "journey_hub"
organization = BLUE
hosts = ["blue.example"]
"#;

/// The statuses of `count` callers at once, of which each asks for a token with the same nonce.
fn race(hubs: &[Hub], secret: &Secret, count: usize) -> Vec<u16> {
    let (body, start) = (secret.credentials(&hub::nonce()), Barrier::new(count));
    let ask = |hub: &Hub| {
        start.wait();
        let told = hub.ask_token(&body);
        let status = told.answer.status();
        let message = (status != 200).then(|| told.refused(status, "a nonce that was spent"));
        (status, message)
    };
    thread::scope(|scope| {
        let callers = hubs.iter().cycle().take(count);
        let threads: Vec<_> = callers.map(|hub| scope.spawn(|| ask(hub))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap().0).collect()
    })
}

/// One of them got a token, and the others were told that they did not.
#[track_caller]
fn check_one_winner(statuses: &[u16]) {
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    // A replay counts as a guess, so the last of them may have been slowed down.
    assert!(statuses.iter().all(|status| [200, 401, 429].contains(status)), "{statuses:?}");
}

/// The id of what was made: a text, and a number in it.
#[track_caller]
fn made(object: &Value) -> String {
    let id = object["id"].as_str().unwrap_or_else(|| panic!("no id in {object}"));
    assert!(!id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()), "{object}");
    id.to_owned()
}

/// Everything that a caller can see, to compare before and after.
fn picture(hub: &Hub) -> Value {
    let organizations = hub.get("/org").list("organizations");
    let mut all = json!({ "organizations": organizations });
    for organization in organizations.as_array().unwrap() {
        let id = organization["id"].as_str().unwrap();
        all[id] = json!({
            "users": hub.get(&format!("/user/org/{id}")).list("users"),
            "projects": hub.get(&format!("/project/org/{id}")).list("projects"),
            "templates": hub.get(&format!("/org/{id}/templates")).list("templates"),
        });
    }
    all
}
