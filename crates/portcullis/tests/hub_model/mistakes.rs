//! Calls that nobody could be answered with success, by callers who might do the right thing.

use serde_json::json;

use crate::client::{Call, FORM, JSON};
use crate::walk::{Walk, Wrong};

impl Walk<'_> {
    pub(crate) fn mistake(&mut self) -> Result<(), Wrong> {
        let caller = self.live_caller();
        let by = caller.user.unwrap();
        let own = self.model.users[&by].org;
        let mut wrong = mistakes(own, by);
        if self.realm.top != 1 {
            // Alone on its host, it answers for every address.
            wrong.push((404, Call::new("GET", "nonsense")));
        }
        let (status, call) = wrong[self.random.below(wrong.len())].clone();
        let answer = self.ask(call, &caller);
        if status == 405 && answer.header("allow").is_none() {
            return Err(format!("no Allow: {answer:?}"));
        }
        self.judge("mistake", "", &answer, Err(status))
    }
}

/// Each with its status; all but one thing about each is right.
fn mistakes(own: u64, by: u64) -> Vec<(u16, Call)> {
    let raw = |kind: &'static str, text: &str| Some((kind, text.to_owned()));
    let typed = |kind, text| Call { body: raw(kind, text), ..Call::new("POST", "org") };
    let users = |body| Call::new("POST", format!("user/org/{own}")).json(&body);
    let user = |body| Call::new("PUT", format!("user/{by}")).json(&body);
    let project = |body| Call::new("POST", format!("project/org/{own}")).json(&body);
    let org = |body| Call::new("POST", "org").json(&body);
    vec![
        (400, org(json!({}))),
        (400, org(json!({ "name": "" }))),
        (400, org(json!({ "name": "a".repeat(257) }))),
        (400, org(json!({ "name": ["a"] }))),
        (400, org(json!(["a"]))),
        (400, typed(JSON, "{\"name\":")),
        (400, typed(JSON, "{\"name\":\"a\",\"name\":\"b\"}")),
        (400, typed(FORM, "name=a&name=b")),
        (415, typed("text/plain", "name=a")),
        (400, users(json!([{ "name": "a", "role": "King" }]))),
        (400, users(json!([{ "name": "a", "role": "Member" }, { "role": "Member" }]))),
        (400, users(json!([{ "name": "a", "email": "nobody", "role": "Member" }]))),
        (400, users(json!("a"))),
        (400, user(json!({ "role": "King" }))),
        (400, user(json!({ "name": "a".repeat(257) }))),
        (400, project(json!({ "name": "a", "description": "a".repeat(4_097) }))),
        (400, project(json!({ "description": "a" }))),
        (400, Call::new("GET", "org?limit=0")),
        (400, Call::new("GET", "org?limit=10001")),
        (400, Call::new("GET", "org?after=x")),
        (400, Call::new("GET", format!("user/org/{own}?limit=many"))),
        (404, Call::new("GET", "user")),
        (404, Call::new("GET", "token/nonsense")),
        (404, Call::new("GET", format!("org/{own}/nonsense"))),
        (405, Call::new("DELETE", "org")),
        (405, Call::new("PATCH", format!("org/{own}"))),
        (405, Call::new("GET", "token")),
        (405, Call::new("PUT", format!("user/org/{own}"))),
    ]
}
