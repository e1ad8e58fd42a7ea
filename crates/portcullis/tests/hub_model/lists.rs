//! Lists: one page of one, or all of all.

use serde_json::Value;

use crate::client::Call;
use crate::reference::Refused;
use crate::steps::number;
use crate::walk::{Caller, Expected, Walk, Wrong};

/// What can be listed: the name of the call, the address, the key of the answer.
type List = (&'static str, String, &'static str);

const ORGANIZATIONS: &str = "list orgs";
const USERS: &str = "list users";
const PROJECTS: &str = "list projects";
const TEMPLATES: &str = "list templates";

impl Walk<'_> {
    /// One page, wherever it begins.
    pub(crate) fn list(&mut self) -> Result<(), Wrong> {
        let caller = self.caller();
        let org = self.org_target(&caller);
        let list = match self.random.below(6) {
            0..2 => (ORGANIZATIONS, "org".into(), "organizations"),
            2..4 => (USERS, format!("user/org/{org}"), "users"),
            4 => (PROJECTS, format!("project/org/{org}"), "projects"),
            _ => (TEMPLATES, format!("org/{org}/templates"), "templates"),
        };
        let limit = self.random.one_in(2).then(|| 1 + self.random.below(12));
        let last = self.model.users.keys().max().copied().unwrap_or(1);
        let after = self.random.one_in(3).then(|| 1 + self.random.next() % last);
        let all = self.all(&caller, list.0, &org);
        self.page(&caller, &list, (limit, after), all).map(drop)
    }

    /// Everything that one of the callers sees, in pages of any size.
    pub(crate) fn compare_as(&mut self, caller: &Caller) -> Result<(), Wrong> {
        self.compare(caller, &(ORGANIZATIONS, "org".into(), "organizations"), "")?;
        let Ok(by) = caller.user else { return Ok(()) };
        for org in self.model.visible(by) {
            let org = org.to_string();
            self.compare(caller, &(USERS, format!("user/org/{org}"), "users"), &org)?;
            self.compare(caller, &(PROJECTS, format!("project/org/{org}"), "projects"), &org)?;
        }
        Ok(())
    }

    fn compare(&mut self, caller: &Caller, list: &List, org: &str) -> Result<(), Wrong> {
        let limit = self.random.one_in(2).then(|| 1 + self.random.below(30));
        let mut after = None;
        loop {
            let all = self.all(caller, list.0, org);
            match self.page(caller, list, (limit, after), all)? {
                Some(next) => after = Some(next),
                None => return Ok(()),
            }
        }
    }

    fn all(&self, caller: &Caller, what: &str, org: &str) -> Result<Vec<Value>, Refused> {
        if what == ORGANIZATIONS {
            return Ok(self.model.list_orgs(caller.user?));
        }
        let (by, org) = (caller.on(org)?, number(org));
        match what {
            USERS => self.model.list_users(by, org),
            PROJECTS => self.model.list_projects(by, org),
            _ => self.model.list_templates(by, org),
        }
    }

    /// Asks for one page of what should be `all`; answers after which one the next begins.
    fn page(
        &mut self,
        caller: &Caller,
        (what, path, key): &List,
        (limit, after): (Option<usize>, Option<u64>),
        all: Result<Vec<Value>, Refused>,
    ) -> Result<Option<u64>, Wrong> {
        let limit_pair = limit.map(|limit| format!("limit={limit}"));
        let after_pair = after.map(|after| format!("after={after}"));
        let pairs: Vec<String> = limit_pair.into_iter().chain(after_pair).collect();
        let mark = if pairs.is_empty() { "" } else { "?" };
        let call = Call::new("GET", format!("{path}{mark}{}", pairs.join("&")));
        let answer = self.ask(call, caller);
        let expected = all.map(|all| {
            let after = after.unwrap_or(0);
            let mut objects: Vec<Value> = all.into_iter().filter(|it| id(it) > after).collect();
            let more = limit.is_some_and(|limit| objects.len() > limit);
            objects.truncate(limit.unwrap_or(usize::MAX));
            let next = objects.last().filter(|_| more).map(id);
            Expected { objects, next }
        });
        let next = expected.as_ref().ok().and_then(|expected| expected.next);
        self.judge(what, key, &answer, expected)?;
        Ok(next)
    }
}

fn id(object: &Value) -> u64 {
    object["id"].as_str().and_then(number).unwrap()
}
