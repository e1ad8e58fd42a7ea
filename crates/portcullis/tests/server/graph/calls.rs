//! Calls that get tokens, use them and end them; and the passing of time.

use portcullis_core::time::Timestamp;
use serde_json::Value;

use super::{House, LISTENERS, PASSWORD, zoe};
use crate::common::{Answer, Server, wait};

/// The type of a form.
pub(super) const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";
/// The type of JSON.
pub(super) const JSON: &str = "Content-Type: application/json\r\n";

impl House {
    /// Sends a form.
    pub(super) fn form(&self, path: &str, headers: &str, fields: &str) -> Answer {
        self.call(&format!("POST {path}"), &format!("{FORM}{headers}"), fields)
    }

    /// Signs in as whoever `headers` prove, for what `fields` say.
    #[track_caller]
    pub(super) fn sign_in(&self, headers: &str, fields: &str) -> String {
        text_of(&value(&self.form("/login", headers, fields)), "token")
    }

    /// A token of `zoe` for whatever she may.
    #[track_caller]
    pub(super) fn token(&self) -> String {
        self.sign_in(&zoe(), "")
    }

    /// The status with which a listener answers.
    pub(super) fn at(&self, id: &str, headers: &str) -> u16 {
        self.call(&format!("GET {LISTENERS}/{id}"), headers, "").status()
    }

    /// What `zoe` is told of a token.
    #[track_caller]
    pub(super) fn introspect(&self, token: &str) -> Value {
        value(&self.form("/oauth/introspect", &zoe(), &format!("token={token}")))
    }

    /// A new key of `login`, and its id.
    pub(super) fn key(&self, login: &str, more: &[&str]) -> (String, String) {
        let made = self.server.home.json(&[&["key", "create", login], more].concat());
        (text_of(&made, "key"), text_of(&made, "id"))
    }

    /// The same house at a later moment: an installation never goes back behind the latest that it
    /// has seen.
    pub(super) fn at_moment(self, seconds: i64) -> Self {
        let Self { server, config, _down } = self;
        let home = server.stop().home;
        let moment = Timestamp::from_millis(seconds * 1_000);
        wait(home.store().tend(move |tending| tending.raise_wall(moment))).unwrap();
        Self { server: Server::serve(home, &config), config, _down }
    }
}

/// The header with a token, with the end of its line.
pub(super) fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

/// The password of everybody as it stands in a form.
pub(super) fn in_form() -> String {
    PASSWORD.replace(' ', "+")
}

/// The JSON of an answer that is a success, and that nobody may keep.
#[track_caller]
pub(super) fn value(answer: &Answer) -> Value {
    assert_eq!(answer.status(), 200, "{}", answer.0);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    serde_json::from_str(answer.body()).unwrap()
}

#[track_caller]
pub(super) fn text_of(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}")).to_owned()
}

/// The names of the fields of an object, sorted.
#[track_caller]
pub(super) fn names(value: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}
