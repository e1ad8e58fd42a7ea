//! Journyx as its callers meet it: every call, every refusal, and what nobody may see.

mod abilities;
pub(crate) mod client;
mod collections;
mod cookies;
mod guarded;
mod headers;
mod keys;
mod lives;
mod login;
mod read_only;
mod realms;
mod secrets;
mod settings;
mod sight;
mod signing;

use serde_json::{Value, json};

use crate::common::{Home, Server, basic};
use crate::journey_hub::hub::{Hub, Secret};
use client::Client;

/// The password of everybody.
const PASSWORD: &str = "correct horse battery";

/// One installation in which the dialect is mounted for the root, in several ways, and for a
/// second realm.
struct House {
    server: Server,
    /// The number of the second realm.
    red: String,
    /// Makes what this dialect only lists.
    maker: Secret,
}

impl House {
    fn new() -> Self {
        Self::with("")
    }

    /// With `more` in the configuration.
    fn with(more: &str) -> Self {
        let home = Home::new();
        let red = home.json(&["org", "create", "Red", "--realm"])["number"].to_string();
        let maker = Secret::of_an_owner(&home, "maker", "1");
        let server = Server::serve(home, &format!("{more}{MOUNTS}").replace("RED", &red));
        Self { server, red, maker }
    }

    fn home(&self) -> &Home {
        &self.server.home
    }

    /// Makes a user of the root who holds `roles`.
    fn user(&self, login: &str, roles: &[&str]) {
        self.user_in("1", login, roles);
    }

    /// Makes a user of organization `number` who holds `roles` there.
    fn user_in(&self, number: &str, login: &str, roles: &[&str]) {
        let home = self.home();
        home.done(&["user", "create", login, "--organization", number]);
        let realm = if number == self.red { number } else { "1" };
        for role in roles {
            let place = ["--organization", number, "--realm", realm];
            home.done(&[&["role", "grant", role, login][..], &place].concat());
        }
        self.set_password(login, PASSWORD, realm);
    }

    fn set_password(&self, login: &str, password: &str, realm: &str) {
        let file = self.home().write("password", &format!("{password}\n"));
        let mut command = self.home().command(&["user", "password", login, "--realm", realm]);
        assert!(command.stdin(std::fs::File::open(file).unwrap()).status().unwrap().success());
    }

    /// Makes a key beside the server, as an operator does.
    fn key(&self, login: &str, more: &[&str]) -> String {
        let words = ["key", "create", login, "--expires", "90d"];
        let made = self.home().json(&[&words[..], more].concat());
        made["key"].as_str().unwrap().to_owned()
    }

    /// A caller who proves nothing, at the root's own mount.
    fn nobody(&self) -> Client {
        self.at(SITE)
    }

    fn at(&self, host: &str) -> Client {
        Client::new(&self.server, host)
    }

    /// A caller who signs in with the password.
    fn sign_in(&self, login: &str) -> Client {
        self.nobody().sign_in(login, PASSWORD)
    }

    /// A caller who sends a password or key with each request.
    fn basic(&self, login: &str, secret: &str) -> Client {
        self.nobody().with(&basic(login, secret))
    }

    /// An Owner of the root, who signed in.
    fn boss(&self) -> Client {
        self.user("boss", &["Owner"]);
        self.sign_in("boss")
    }

    fn hub(&self) -> Hub {
        Hub::new(&self.server, "hub.example", "").sign_in(&self.maker)
    }

    /// Makes an organization below the root; its number.
    fn organization(&self, name: &str) -> String {
        self.home().json(&["org", "create", name])["number"].to_string()
    }

    /// Makes a project in organization `number`.
    fn project(&self, number: &str, name: &str) {
        let body = json!({ "name": name, "description": format!("of {number}") });
        self.hub().post(&format!("/project/org/{number}"), &body).one("projects");
    }
}

/// The id of a user, as they are told it when they sign in.
fn user_id(house: &House, login: &str) -> String {
    let told = house.nobody().log_in(login, PASSWORD).login();
    told["auth"]["userId"].as_str().unwrap().to_owned()
}

/// The id of the only thing in a collection whose `field` is `value`.
#[track_caller]
fn id_of(caller: &Client, collection: &str, field: &str, value: &str) -> String {
    let page = caller.get(&format!("/{collection}?$top=1000")).page();
    let found: Vec<&Value> = page.iter().filter(|item| item[field] == value).collect();
    assert_eq!(found.len(), 1, "{field} {value}: {page:?}");
    found[0]["id"].as_str().unwrap().to_owned()
}

/// Whether `id` is one: 32 upper-case hexadecimal digits.
fn is_id(id: &Value) -> bool {
    let digit = |byte: u8| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte);
    id.as_str().is_some_and(|id| id.len() == 32 && id.bytes().all(digit))
}

/// The users that every realm has of itself.
const OF_THE_REALM: [&str; 2] = ["admin", "anonymous"];

/// An id that nothing has.
const UNKNOWN: &str = "0123456789ABCDEF0123456789ABCDEF";

/// Where the root's mount is asked.
const SITE: &str = "site.example";

const MOUNTS: &str = r#"
[[mount]]
dialect = "journyx"
api_keys = true

[[mount]]
name = "without-keys"
dialect = "journyx"
hosts = ["off.example"]

[[mount]]
name = "keys-alone"
dialect = "journyx"
hosts = ["sso.example"]
api_keys = true
sso_only = true

[[mount]]
name = "short"
dialect = "journyx"
hosts = ["short.example"]
api_keys = true
key_days = 30
session_idle = "1m"
session_cap = "1m"

[[mount]]
name = "red"
dialect = "journyx"
organization = RED
hosts = ["red.example"]
api_keys = true

[[mount]]
dialect = "journey_hub"
hosts = ["hub.example"]
"#;
