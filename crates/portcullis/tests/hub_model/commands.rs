//! What an operator does beside the callers, on the command line, and what it takes from them.

use serde_json::{Value, json};

use crate::client::Call;
use crate::reference::{OWNER, Secret};
use crate::walk::{Caller, Walk, Wrong};

impl Walk<'_> {
    pub(crate) fn command(&mut self) -> Result<(), Wrong> {
        match self.random.below(12) {
            0 => self.withdraw(),
            1 => self.shut_user(),
            2 => self.shut_org(),
            _ => self.new_secret(),
        }
    }

    /// Owners who are there, the one that the walk began with apart.
    fn owners(&self) -> Vec<u64> {
        let owners = self.model.users.keys().filter(|user| self.model.is_owner(**user));
        owners.filter(|user| **user != self.realm.keeper).copied().collect()
    }

    /// A first secret or another one; only an Owner is given one.
    pub(crate) fn new_secret(&mut self) -> Result<(), Wrong> {
        let all: Vec<u64> = self.model.users.keys().copied().collect();
        let owners = self.owners();
        match self.random.pick(&owners).filter(|_| !self.random.one_in(10)) {
            Some(at) => self.secret_of(owners[at]),
            None => {
                let at = self.random.below(all.len());
                self.secret_of(all[at])
            }
        }
    }

    fn secret_of(&mut self, user: u64) -> Result<(), Wrong> {
        let id = user.to_string();
        let output = self.run(&["--json", "user", "secret", &id]);
        let right = self.model.is_owner(user);
        if output.status.success() != right {
            return Err(format!("user secret {id}: {output:?}"));
        }
        if !right {
            return Ok(());
        }
        let made: Value = serde_json::from_slice(&output.stdout).unwrap();
        let text = made["secret"].as_str().unwrap_or_default().to_owned();
        if made != json!({ "user_id": id, "secret": text }) {
            return Err(format!("user secret {id}: {made}"));
        }
        self.model.end(user);
        let secret = Secret { text, nonces: vec![], wrong: 0, tokens: 0, lost: false };
        self.model.users.get_mut(&user).unwrap().secret = Some(secret);
        self.token_of(user)
    }

    fn run(&mut self, arguments: &[&str]) -> std::process::Output {
        let top = self.realm.top.to_string();
        let output = self.installation.run(&[arguments, &["--realm", &top]].concat());
        self.tell(format!("{arguments:?}: {}", output.status));
        output
    }

    /// Takes the role of an Owner away.
    fn withdraw(&mut self) -> Result<(), Wrong> {
        let owners = self.owners();
        let Some(at) = self.random.pick(&owners) else { return self.new_secret() };
        let (user, org) = (owners[at], self.model.users[&owners[at]].org);
        let (id, org) = (user.to_string(), org.to_string());
        let output = self.run(&["role", "withdraw", OWNER, &id, "--organization", &org]);
        if !output.status.success() {
            return Err(format!("{output:?}"));
        }
        self.model.users.get_mut(&user).unwrap().role = None;
        self.model.end(user);
        Ok(())
    }

    /// Switches a caller off and on again.
    fn shut_user(&mut self) -> Result<(), Wrong> {
        let owners = self.owners();
        let Some(at) = self.random.pick(&owners) else { return self.new_secret() };
        let (user, id) = (owners[at], owners[at].to_string());
        self.shut(&["user", "disable", &id], &["user", "enable", &id], |_, it| it == user)
    }

    /// Switches an organization off and on again, with whoever is in it or below.
    fn shut_org(&mut self) -> Result<(), Wrong> {
        let standing =
            self.model.orgs.iter().filter(|(org, it)| **org != self.realm.top && !it.gone);
        let standing: Vec<u64> = standing.map(|(org, _)| *org).collect();
        let Some(at) = self.random.pick(&standing) else { return self.new_secret() };
        let (org, id) = (standing[at], standing[at].to_string());
        let off =
            |walk: &Self, user: u64| walk.model.line(walk.model.users[&user].org).contains(&org);
        self.shut(&["org", "disable", &id], &["org", "enable", &id], off)
    }

    /// Who is `off` between two commands is refused for as long, and nobody else.
    fn shut(
        &mut self,
        close: &[&str],
        open: &[&str],
        off: impl Fn(&Self, u64) -> bool,
    ) -> Result<(), Wrong> {
        for (command, closed) in [(close, true), (open, false)] {
            let output = self.installation.run(&self.placed(command));
            self.tell(format!("{command:?}: {}", output.status));
            if !output.status.success() {
                return Err(format!("{command:?}: {output:?}"));
            }
            for caller in self.one_of_each() {
                let shut = closed && caller.user.is_ok_and(|user| off(self, user));
                self.read_own(&caller, shut)?;
            }
        }
        Ok(())
    }

    /// The call that every caller has a right to, as long as they have any.
    fn read_own(&mut self, caller: &Caller, shut: bool) -> Result<(), Wrong> {
        let own = caller.user.map_or(self.realm.top, |user| self.model.users[&user].org);
        let answer = self.ask(Call::new("GET", format!("org/{own}")), caller);
        let read = if shut { Err(401) } else { Ok(self.model.org(own)) };
        self.judge_one("read one's own", "organizations", &answer, read)
    }

    /// Users are named in a realm; organizations are not.
    fn placed(&self, command: &[&str]) -> Vec<String> {
        let mut all: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
        if command[0] == "user" {
            all.extend(["--realm".to_owned(), self.realm.top.to_string()]);
        }
        all
    }

    /// One live token of every caller.
    fn one_of_each(&self) -> Vec<Caller> {
        let mut users: Vec<u64> = Vec::new();
        let mut callers = Vec::new();
        for token in self.model.tokens.iter().filter(|token| self.model.is_live(token)) {
            if !users.contains(&token.user) {
                users.push(token.user);
                callers.push(Caller { token: Some(token.text.clone()), user: Ok(token.user) });
            }
        }
        callers
    }
}
