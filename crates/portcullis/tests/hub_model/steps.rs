//! The steps of a walk: one call each, of everything that a partner's script can do.

use serde_json::{Value, json};

use crate::client::{Answer, Call};
use crate::reference::{Change, Connection, Org, Project, ROLES, User};
use crate::walk::{Caller, Expected, Walk, Wrong};

/// So many of a kind stand at once, or nearly.
const MOST: usize = 40;

/// Without templates or users, how many connections or users a call has at most.
const FEW: usize = 4;

impl Walk<'_> {
    pub(crate) fn step(&mut self) -> Result<(), Wrong> {
        match self.random.below(100) {
            0..11 => self.create_org(),
            11..15 => self.rename_org(),
            15..23 => self.delete_org(),
            23..33 => self.create_users(),
            33..43 => self.update_user(),
            43..48 => self.delete_user(),
            48..54 => self.create_project(),
            54..60 => self.update_project(),
            60..64 => self.delete_project(),
            64..74 => self.read(),
            74..83 => self.list(),
            83..91 => self.good_exchange(),
            91..94 => self.bad_exchange(),
            94..96 => self.command(),
            _ => self.mistake(),
        }
    }

    pub(crate) fn name(&mut self) -> String {
        let all = ["Org & Söhne", "a+b=c%20", "\"quoted\"", "日本", "O'Hara; --", "plain", "🦀"];
        format!("{} {}", all[self.random.below(all.len())], self.random.below(1_000))
    }

    /// Few enough that many are taken; in any case, for it does not count.
    fn email(&mut self) -> String {
        let email = format!("user-{}@mail.example", self.random.below(40));
        match self.random.below(4) {
            0 => String::new(),
            1 => email.to_uppercase(),
            _ => email,
        }
    }

    fn role(&mut self) -> &'static str {
        if self.random.one_in(3) { ROLES[0] } else { ROLES[self.random.below(ROLES.len())] }
    }

    fn scalars(&mut self, call: Call, body: &Value) -> Call {
        if self.random.one_in(3) { call.form(body) } else { call.json(body) }
    }

    fn standing(&self) -> usize {
        self.model.orgs.values().filter(|org| !org.gone).count()
    }

    fn create_org(&mut self) -> Result<(), Wrong> {
        if self.standing() > MOST {
            return self.delete_org();
        }
        let caller = self.caller();
        let parent = (!self.random.one_in(5)).then(|| self.org_target(&caller));
        self.create_org_below(&caller, parent.as_deref())
    }

    pub(crate) fn create_org_below(
        &mut self,
        caller: &Caller,
        parent: Option<&str>,
    ) -> Result<(), Wrong> {
        let name = self.name();
        let mut body = json!({ "name": name });
        if let Some(parent) = parent {
            let number = number(parent).filter(|_| self.random.one_in(2));
            body["parentId"] = number.map_or_else(|| json!(parent), |number| json!(number));
        }
        let call = self.scalars(Call::new("POST", "org"), &body);
        let answer = self.ask(call, caller);
        let allowed = caller.user.and_then(|by| {
            let own = self.model.users[&by].org;
            self.model.may_create_org(by, parent.map_or(Some(own), number))
        });
        let made = match allowed {
            Err(status) => Err(status),
            Ok(parent) => {
                let number = fresh(&answer, "organizations", self.model.orgs.keys().max())?;
                self.model.orgs.insert(number, Org { parent: Some(parent), name, gone: false });
                Ok(self.model.org(number))
            }
        };
        self.judge_one("create org", "organizations", &answer, made)
    }

    fn rename_org(&mut self) -> Result<(), Wrong> {
        let caller = self.caller();
        let (org, name) = (self.org_target(&caller), self.name());
        let call = Call::new("PUT", format!("org/{org}"));
        let call = self.scalars(call, &json!({ "name": name }));
        let answer = self.ask(call, &caller);
        let done = caller.on(&org).and_then(|by| self.model.rename_org(by, number(&org), &name));
        self.judge_one("rename org", "organizations", &answer, done)
    }

    fn delete_org(&mut self) -> Result<(), Wrong> {
        let caller = self.caller();
        let org = self.org_target(&caller);
        let answer = self.ask(Call::new("DELETE", format!("org/{org}")), &caller);
        let done = caller.on(&org).and_then(|by| self.model.delete_org(by, number(&org)));
        self.judge_one("delete org", "organizations", &answer, done)
    }

    fn create_users(&mut self) -> Result<(), Wrong> {
        let caller = self.caller();
        let org = self.org_target(&caller);
        let count = 1 + self.random.below(FEW);
        let new: Vec<(String, String, &str)> =
            (0..count).map(|_| (self.name(), self.email(), self.role())).collect();
        let body: Vec<Value> = (new.iter())
            .map(|(name, email, role)| json!({ "name": name, "email": email, "role": role }))
            .collect();
        let one = count == 1 && self.random.one_in(2);
        let body = if one { body[0].clone() } else { Value::Array(body) };
        let call = Call::new("POST", format!("user/org/{org}")).json(&body);
        let answer = self.ask(call, &caller);
        let emails: Vec<String> = new.iter().map(|(_, email, _)| email.to_lowercase()).collect();
        let allowed =
            caller.on(&org).and_then(|by| self.model.may_create_users(by, number(&org), &emails));
        let made = match allowed {
            Err(status) => Err(status),
            Ok(org) => Ok(self.made_users(&answer, org, new)?),
        };
        self.judge("create users", "users", &answer, made)
    }

    fn made_users(
        &mut self,
        answer: &Answer,
        org: u64,
        new: Vec<(String, String, &'static str)>,
    ) -> Result<Expected, Wrong> {
        let numbers = ids(answer, "users")?;
        let mut objects = Vec::new();
        for (number, (name, email, role)) in numbers.into_iter().zip(new) {
            if self.model.users.keys().max() >= Some(&number) {
                return Err(format!("user {number} is not new"));
            }
            let (email, role) = (email.to_lowercase(), Some(role));
            let user = User { org, name, email, role, gone: false, secret: None };
            self.model.users.insert(number, user);
            objects.push(self.model.user(number));
        }
        Ok(Expected { objects, next: None })
    }

    fn user_target(&mut self, caller: &Caller) -> String {
        self.target(caller, |model| &model.users, |user| user.org)
    }

    /// Whether a user is one that the walk leaves as they are.
    fn is_fixed(&self, user: &str) -> bool {
        number(user).is_some_and(|user| user <= 2 || user == self.realm.keeper)
    }

    fn update_user(&mut self) -> Result<(), Wrong> {
        let caller = self.caller();
        let user = self.user_target(&caller);
        if self.is_fixed(&user) {
            return self.read();
        }
        let change = Change {
            name: self.random.one_in(2).then(|| self.name()),
            email: self.random.one_in(3).then(|| self.email()),
            role: self.random.one_in(3).then(|| self.role()),
            ..Change::default()
        };
        let mut body = json!({});
        for (key, value) in [("name", &change.name), ("email", &change.email)] {
            if let Some(value) = value {
                body[key] = json!(value);
            }
        }
        if let Some(role) = change.role {
            body["role"] = json!(role);
        }
        let change = Change { email: change.email.map(|it| it.to_lowercase()), ..change };
        let answer = self.ask(Call::new("PUT", format!("user/{user}")).json(&body), &caller);
        let done =
            caller.on(&user).and_then(|by| self.model.update_user(by, number(&user), &change));
        self.judge_one("update user", "users", &answer, done)
    }

    fn delete_user(&mut self) -> Result<(), Wrong> {
        let caller = self.caller();
        let user = self.user_target(&caller);
        if self.is_fixed(&user) {
            return self.read();
        }
        let answer = self.ask(Call::new("DELETE", format!("user/{user}")), &caller);
        let done = caller.on(&user).and_then(|by| self.model.delete_user(by, number(&user)));
        self.judge_one("delete user", "users", &answer, done)
    }

    fn project_target(&mut self, caller: &Caller) -> String {
        self.target(caller, |model| &model.projects, |project| project.org)
    }

    fn template_target(&mut self) -> Option<u64> {
        let all: Vec<u64> = self.model.templates.keys().copied().collect();
        let some = self.random.pick(&all).map(|at| all[at]);
        match self.random.below(8) {
            0 => None,
            1 => Some(999_999_999),
            _ => some,
        }
    }

    fn create_project(&mut self) -> Result<(), Wrong> {
        if self.model.projects.values().filter(|it| !it.gone).count() > MOST {
            return self.delete_project();
        }
        let caller = self.caller();
        let (org, name, template) = (self.org_target(&caller), self.name(), self.template_target());
        let description = if self.random.one_in(2) { self.name() } else { String::new() };
        let mut body = json!({ "name": name });
        if let Some(template) = template {
            body["templateId"] = json!(template.to_string());
        }
        if !description.is_empty() || self.random.one_in(2) {
            body["description"] = json!(description);
        }
        let call = self.scalars(Call::new("POST", format!("project/org/{org}")), &body);
        let answer = self.ask(call, &caller);
        let allowed = caller
            .on(&org)
            .and_then(|by| self.model.may_create_project(by, number(&org), template));
        let made = match allowed {
            Err(status) => Err(status),
            Ok(org) => {
                let number = fresh(&answer, "projects", self.model.projects.keys().max())?;
                let connections = template.map(|it| self.model.templates[&it].connections.clone());
                let connections = connections.unwrap_or_default();
                let gone = false;
                let project = Project { org, name, description, template, connections, gone };
                self.model.projects.insert(number, project);
                Ok(self.model.project(number))
            }
        };
        self.judge_one("create project", "projects", &answer, made)
    }

    /// Some connections, all with ids of the caller's or all without.
    fn connections(&mut self) -> (Vec<Connection>, Value) {
        let own = self.random.one_in(2);
        let all: Vec<Connection> = (1..=self.random.below(FEW))
            .map(|at| Connection {
                id: if own { format!("c-{at}") } else { at.to_string() },
                name: self.name(),
                kind: ["queue", "graph", "mail"][self.random.below(3)].into(),
            })
            .collect();
        let body = all.iter().map(|Connection { id, name, kind }| {
            let mut it = json!({ "name": name, "details": { "type": kind, "more": [1] } });
            if own {
                it["id"] = json!(id);
            }
            it
        });
        let body = Value::Array(body.collect());
        (all, body)
    }

    fn update_project(&mut self) -> Result<(), Wrong> {
        let caller = self.caller();
        let project = self.project_target(&caller);
        let mut change = Change::default();
        let mut body = json!({});
        if self.random.one_in(2) {
            let name = self.name();
            body["name"] = json!(name);
            change.name = Some(name);
        }
        if self.random.one_in(3) {
            let description = self.name();
            body["description"] = json!(description);
            change.description = Some(description);
        }
        let call = Call::new("PUT", format!("project/{project}"));
        let call = if self.random.one_in(2) {
            let (all, connections) = self.connections();
            body["connections"] = connections;
            change.connections = Some(all);
            call.json(&body)
        } else {
            call.json(&body)
        };
        let answer = self.ask(call, &caller);
        let done = caller
            .on(&project)
            .and_then(|by| self.model.update_project(by, number(&project), &change));
        self.judge_one("update project", "projects", &answer, done)
    }

    fn delete_project(&mut self) -> Result<(), Wrong> {
        let caller = self.caller();
        let project = self.project_target(&caller);
        let answer = self.ask(Call::new("DELETE", format!("project/{project}")), &caller);
        let done =
            caller.on(&project).and_then(|by| self.model.delete_project(by, number(&project)));
        self.judge_one("delete project", "projects", &answer, done)
    }

    fn read(&mut self) -> Result<(), Wrong> {
        let caller = self.caller();
        match self.random.below(3) {
            0 => {
                let org = self.org_target(&caller);
                let answer = self.ask(Call::new("GET", format!("org/{org}")), &caller);
                let read = caller.on(&org).and_then(|by| self.model.read_org(by, number(&org)));
                self.judge_one("read org", "organizations", &answer, read)
            }
            1 => {
                let user = self.user_target(&caller);
                let answer = self.ask(Call::new("GET", format!("user/{user}")), &caller);
                let read = caller.on(&user).and_then(|by| self.model.read_user(by, number(&user)));
                self.judge_one("read user", "users", &answer, read)
            }
            _ => {
                let project = self.project_target(&caller);
                let answer = self.ask(Call::new("GET", format!("project/{project}")), &caller);
                let read = caller
                    .on(&project)
                    .and_then(|by| self.model.read_project(by, number(&project)));
                self.judge_one("read project", "projects", &answer, read)
            }
        }
    }
}

/// The number that an id stands for: decimal, in 64 bits with a sign, but without one.
pub(crate) fn number(id: &str) -> Option<u64> {
    let number = id.parse::<i64>().ok().filter(|number| number.to_string() == id);
    number.and_then(|number| u64::try_from(number).ok()).filter(|number| *number > 0)
}

/// The ids of the objects in an answer that should be a success.
fn ids(answer: &Answer, key: &str) -> Result<Vec<u64>, Wrong> {
    let found = answer.body[key].as_array().map(|all| {
        all.iter().map(|it| it["id"].as_str()?.parse().ok()).collect::<Option<Vec<u64>>>()
    });
    found.flatten().ok_or_else(|| format!("200 with {key} is right: {answer:?}"))
}

/// The id of what was made; it is above all that were made before.
fn fresh(answer: &Answer, key: &str, last: Option<&u64>) -> Result<u64, Wrong> {
    match *ids(answer, key)? {
        [number] if Some(&number) > last => Ok(number),
        _ => Err(format!("one new object is right, above {last:?}: {answer:?}")),
    }
}
