//! The reference: what one realm's hub should know and answer, said in the plainest way.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// How deep the tree may become; the root stands at 1.
pub(crate) const MAX_DEPTH: usize = 32;

/// What an organization too deep is answered with.
pub(crate) const TOO_DEEP: u16 = 409;

pub(crate) const OWNER: &str = "Owner";

/// The highest first.
pub(crate) const ROLES: [&str; 4] = [OWNER, "Operator", "Configurer", "Member"];

/// A status that is no success, and changes nothing.
pub(crate) type Refused = u16;

#[derive(Clone, Debug)]
pub(crate) struct Org {
    pub(crate) parent: Option<u64>,
    pub(crate) name: String,
    pub(crate) gone: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) org: u64,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) role: Option<&'static str>,
    pub(crate) gone: bool,
    pub(crate) secret: Option<Secret>,
}

/// The secret of a user, whether or not it still counts.
#[derive(Clone, Debug)]
pub(crate) struct Secret {
    pub(crate) text: String,
    /// Those that have been paid with.
    pub(crate) nonces: Vec<String>,
    /// Wrong proofs since the last right one.
    pub(crate) wrong: usize,
    /// How many tokens came of it.
    pub(crate) tokens: usize,
    /// Its user lost the role since; whether it counts if the role comes back is nobody's promise.
    pub(crate) lost: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Connection {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) kind: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Project {
    pub(crate) org: u64,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) template: Option<u64>,
    pub(crate) connections: Vec<Connection>,
    pub(crate) gone: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Template {
    pub(crate) org: u64,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) connections: Vec<Connection>,
}

#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) user: u64,
    /// What it came of was replaced, or the role of its user was lost since.
    pub(crate) ended: bool,
}

/// What is to be changed of a user or a project; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub(crate) struct Change {
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) role: Option<&'static str>,
    pub(crate) description: Option<String>,
    pub(crate) connections: Option<Vec<Connection>>,
}

/// One realm by the numbers of its objects; what was deleted stays, marked as gone.
#[derive(Default)]
pub(crate) struct Model {
    pub(crate) orgs: BTreeMap<u64, Org>,
    pub(crate) users: BTreeMap<u64, User>,
    pub(crate) projects: BTreeMap<u64, Project>,
    pub(crate) templates: BTreeMap<u64, Template>,
    pub(crate) tokens: Vec<Token>,
}

impl Model {
    /// From an organization to the top of the realm.
    pub(crate) fn line(&self, org: u64) -> Vec<u64> {
        let (mut line, mut at) = (Vec::new(), Some(org));
        while let Some((number, org)) =
            at.and_then(|number| Some((number, self.orgs.get(&number)?)))
        {
            line.push(number);
            at = org.parent;
        }
        line
    }

    pub(crate) fn depth(&self, org: u64) -> usize {
        // The top of another realm than the root's stands below the root.
        let line = self.line(org);
        let beyond = usize::from(line.last() != Some(&1));
        line.len() + beyond
    }

    /// Whether a user is there and their organization too.
    fn stands(&self, user: u64) -> bool {
        self.users.get(&user).is_some_and(|user| !user.gone && !self.orgs[&user.org].gone)
    }

    /// Whether a user may be a caller at all.
    pub(crate) fn is_owner(&self, user: u64) -> bool {
        self.stands(user) && self.users[&user].role == Some(OWNER)
    }

    pub(crate) fn is_live(&self, token: &Token) -> bool {
        !token.ended && self.is_owner(token.user)
    }

    /// Whether the subtree of a caller holds an organization that is there.
    pub(crate) fn sees(&self, by: u64, org: u64) -> bool {
        let own = self.users[&by].org;
        self.orgs.get(&org).is_some_and(|org| !org.gone) && self.line(org).contains(&own)
    }

    fn must_see(&self, by: u64, org: Option<u64>) -> Result<u64, Refused> {
        org.filter(|org| self.sees(by, *org)).ok_or(404)
    }

    /// One strictly below the caller's own.
    fn below(&self, by: u64, org: Option<u64>) -> Result<u64, Refused> {
        let org = self.must_see(by, org)?;
        if org == self.users[&by].org { Err(403) } else { Ok(org) }
    }

    pub(crate) fn visible(&self, by: u64) -> Vec<u64> {
        self.orgs.keys().copied().filter(|org| self.sees(by, *org)).collect()
    }

    pub(crate) fn list_orgs(&self, by: u64) -> Vec<Value> {
        self.visible(by).into_iter().map(|org| self.org(org)).collect()
    }

    pub(crate) fn read_org(&self, by: u64, org: Option<u64>) -> Result<Value, Refused> {
        Ok(self.org(self.must_see(by, org)?))
    }

    /// The organization that a new one would stand below.
    pub(crate) fn may_create_org(&self, by: u64, parent: Option<u64>) -> Result<u64, Refused> {
        let parent = self.must_see(by, parent)?;
        if self.depth(parent) == MAX_DEPTH { Err(TOO_DEEP) } else { Ok(parent) }
    }

    pub(crate) fn rename_org(
        &mut self,
        by: u64,
        org: Option<u64>,
        name: &str,
    ) -> Result<Value, Refused> {
        let org = self.below(by, org)?;
        name.clone_into(&mut self.orgs.get_mut(&org).unwrap().name);
        Ok(self.org(org))
    }

    pub(crate) fn delete_org(&mut self, by: u64, org: Option<u64>) -> Result<Value, Refused> {
        let org = self.below(by, org)?;
        if self.orgs.values().any(|it| it.parent == Some(org) && !it.gone) {
            return Err(409);
        }
        let told = self.org(org);
        self.orgs.get_mut(&org).unwrap().gone = true;
        self.users.values_mut().filter(|user| user.org == org).for_each(|user| user.gone = true);
        self.projects.values_mut().filter(|it| it.org == org).for_each(|it| it.gone = true);
        Ok(told)
    }

    pub(crate) fn list_users(&self, by: u64, org: Option<u64>) -> Result<Vec<Value>, Refused> {
        let org = self.must_see(by, org)?;
        let all = self.users.iter().filter(|(_, user)| user.org == org && !user.gone);
        Ok(all.map(|(number, _)| self.user(*number)).collect())
    }

    fn must_see_user(&self, by: u64, user: Option<u64>) -> Result<u64, Refused> {
        user.filter(|user| self.stands(*user) && self.sees(by, self.users[user].org)).ok_or(404)
    }

    pub(crate) fn read_user(&self, by: u64, user: Option<u64>) -> Result<Value, Refused> {
        Ok(self.user(self.must_see_user(by, user)?))
    }

    /// Whether somebody of an organization has the address, apart from one.
    fn taken(&self, org: u64, email: &str, but: Option<u64>) -> bool {
        !email.is_empty()
            && self.users.iter().any(|(number, user)| {
                user.org == org && !user.gone && user.email == email && Some(*number) != but
            })
    }

    /// The organization that new users with these addresses would be of.
    pub(crate) fn may_create_users(
        &self,
        by: u64,
        org: Option<u64>,
        emails: &[String],
    ) -> Result<u64, Refused> {
        let org = self.must_see(by, org)?;
        let twice = |at: usize| !emails[at].is_empty() && emails[..at].contains(&emails[at]);
        let taken = emails.iter().any(|email| self.taken(org, email, None));
        if taken || (0..emails.len()).any(twice) { Err(409) } else { Ok(org) }
    }

    /// Nobody changes their own role, or deletes themselves.
    pub(crate) fn update_user(
        &mut self,
        by: u64,
        user: Option<u64>,
        change: &Change,
    ) -> Result<Value, Refused> {
        let number = self.must_see_user(by, user)?;
        if number == by && change.role.is_some() {
            return Err(403);
        }
        let user = &self.users[&number];
        if change.email.as_ref().is_some_and(|email| self.taken(user.org, email, Some(number))) {
            return Err(409);
        }
        let lost = user.role == Some(OWNER) && change.role.is_some_and(|role| role != OWNER);
        let user = self.users.get_mut(&number).unwrap();
        user.name = change.name.clone().unwrap_or_else(|| user.name.clone());
        user.email = change.email.clone().unwrap_or_else(|| user.email.clone());
        user.role = change.role.or(user.role);
        if lost {
            self.end(number);
        }
        Ok(self.user(number))
    }

    /// Ends the secret of a user and whatever came of it.
    pub(crate) fn end(&mut self, user: u64) {
        if let Some(secret) = &mut self.users.get_mut(&user).unwrap().secret {
            secret.lost = true;
        }
        for token in self.tokens.iter_mut().filter(|token| token.user == user) {
            token.ended = true;
        }
    }

    pub(crate) fn delete_user(&mut self, by: u64, user: Option<u64>) -> Result<Value, Refused> {
        let user = self.must_see_user(by, user)?;
        if user == by {
            return Err(403);
        }
        let told = self.user(user);
        self.users.get_mut(&user).unwrap().gone = true;
        Ok(told)
    }

    /// The templates of an organization and of those above it.
    fn offered(&self, org: u64) -> Vec<u64> {
        let line = self.line(org);
        let offered = |template: &Template| line.contains(&template.org);
        self.templates.iter().filter(|(_, it)| offered(it)).map(|(number, _)| *number).collect()
    }

    pub(crate) fn list_templates(&self, by: u64, org: Option<u64>) -> Result<Vec<Value>, Refused> {
        let offered = self.offered(self.must_see(by, org)?);
        Ok(offered.into_iter().map(|number| self.template(number)).collect())
    }

    pub(crate) fn list_projects(&self, by: u64, org: Option<u64>) -> Result<Vec<Value>, Refused> {
        let org = self.must_see(by, org)?;
        let all = self.projects.iter().filter(|(_, project)| project.org == org && !project.gone);
        Ok(all.map(|(number, _)| self.project(*number)).collect())
    }

    fn must_see_project(&self, by: u64, project: Option<u64>) -> Result<u64, Refused> {
        let found = project.and_then(|number| Some((number, self.projects.get(&number)?)));
        let seen = found.filter(|(_, it)| !it.gone && self.sees(by, it.org));
        seen.map(|(number, _)| number).ok_or(404)
    }

    pub(crate) fn read_project(&self, by: u64, project: Option<u64>) -> Result<Value, Refused> {
        Ok(self.project(self.must_see_project(by, project)?))
    }

    /// The organization that a new project would be of.
    pub(crate) fn may_create_project(
        &self,
        by: u64,
        org: Option<u64>,
        template: Option<u64>,
    ) -> Result<u64, Refused> {
        let org = self.must_see(by, org)?;
        let offered = template.is_none_or(|template| self.offered(org).contains(&template));
        if offered { Ok(org) } else { Err(404) }
    }

    pub(crate) fn update_project(
        &mut self,
        by: u64,
        project: Option<u64>,
        change: &Change,
    ) -> Result<Value, Refused> {
        let number = self.must_see_project(by, project)?;
        let project = self.projects.get_mut(&number).unwrap();
        let Change { name, description, connections, .. } = change.clone();
        project.name = name.unwrap_or_else(|| project.name.clone());
        project.description = description.unwrap_or_else(|| project.description.clone());
        project.connections = connections.unwrap_or_else(|| project.connections.clone());
        Ok(self.project(number))
    }

    pub(crate) fn delete_project(&mut self, by: u64, it: Option<u64>) -> Result<Value, Refused> {
        let project = self.must_see_project(by, it)?;
        self.projects.get_mut(&project).unwrap().gone = true;
        Ok(self.project(project))
    }

    pub(crate) fn org(&self, number: u64) -> Value {
        let org = &self.orgs[&number];
        let parent = org.parent.map(|parent| parent.to_string());
        json!({ "id": number.to_string(), "name": org.name, "parentId": parent })
    }

    pub(crate) fn user(&self, number: u64) -> Value {
        let User { org, name, email, role, .. } = &self.users[&number];
        let (id, org) = (number.to_string(), org.to_string());
        json!({ "id": id, "name": name, "email": email, "role": role, "organizationId": org })
    }

    pub(crate) fn project(&self, number: u64) -> Value {
        let Project { org, name, description, template, connections, .. } = &self.projects[&number];
        let connections = connections
            .iter()
            .map(|Connection { id, name, kind }| json!({ "id": id, "name": name, "type": kind }));
        json!({
            "id": number.to_string(), "name": name, "description": description,
            "organizationId": org.to_string(), "templateId": template.map(|it| it.to_string()),
            "templateConnections": connections.collect::<Vec<_>>(),
        })
    }

    fn template(&self, number: u64) -> Value {
        let Template { name, description, .. } = &self.templates[&number];
        json!({ "id": number.to_string(), "name": name, "description": description })
    }
}
