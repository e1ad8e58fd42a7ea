//! The changes that are made, on the house and on the reference alike.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use http::{Method, Uri};
use portcullis_core::ability::Ability;
use portcullis_core::guard::{Definition, Kind, Source};
use portcullis_core::limits::Limits;
use portcullis_core::organization::State;
use portcullis_core::password::PasswordVerifier;
use portcullis_core::principal::{Grant, Holder};
use portcullis_core::scheme::{self, Options};
use portcullis_core::secret::SecretBuf;
use portcullis_core::time::Timestamp;
use portcullis_store::StoreError;
use portcullis_store::credentials::NewCredential;
use portcullis_store::organizations::NewOrganization;
use portcullis_store::sessions::NewSession;
use portcullis_store::users::NewUser;

use crate::house::{CHEAP, House};
use crate::random::Random;
use crate::reference::{Circle, Key, Model, Org, Rights, Route, User};

const ABILITIES: [&str; 3] = ["Gate - Open", "Gate - Shut", "Moat - Fill"];
const STATES: [State; 3] = [State::Active, State::Disabled, State::Active];
const HOUR: i64 = 3_600_000;
/// So many of each kind; then those there are go on being changed.
const MOST: usize = 40;

/// A walk through random changes.
pub(crate) struct Walk {
    house: House,
    model: Model,
    random: Random,
    made: usize,
    pub(crate) allowed: usize,
    pub(crate) seen: BTreeSet<&'static str>,
}

type Told = String;

impl Walk {
    pub(crate) fn begin(house: House, random: Random) -> Self {
        let new = NewOrganization { parent: None, name: "Root".into(), realm: true };
        let root = house.write(move |it| it.insert_organization(&new)).unwrap().id;
        let org = Org { id: root, parent: None, realm: true, state: State::Active };
        let now = house.clock.0.load(Ordering::Relaxed);
        let model = Model { now, orgs: vec![org], ..Model::default() };
        let (made, allowed, seen) = (0, 0, BTreeSet::new());
        Self { house, model, random, made, allowed, seen }
    }

    /// Makes one change, and says what it was.
    pub(crate) fn change(&mut self) -> Told {
        match self.random.below(32) {
            0 => self.new_org(),
            1 => self.switch_org(),
            2 if self.random.one_in(3) => self.delete_org(),
            2..=4 => self.new_user(),
            5 | 6 => self.switch_user(),
            7 | 8 => self.password(),
            9..=12 => self.new_key(),
            13..=15 => self.switch_key(),
            16 | 17 => self.new_session(),
            18..=20 => self.grant(),
            21 => self.new_role(),
            22 => self.change_role(),
            23 => self.new_circle(),
            24 => self.delete_circle(),
            25 | 26 => self.member(),
            27 | 28 => self.new_route(),
            29 => self.delete_route(),
            30 => self.wait(),
            _ if self.random.one_in(8) => self.restart(),
            _ => self.wait(),
        }
    }

    fn name(&mut self, kind: &str) -> String {
        self.made += 1;
        format!("{kind}{}", self.made)
    }

    fn restart(&mut self) -> Told {
        self.house.restart();
        "a restart".into()
    }

    fn wait(&mut self) -> Told {
        let hours = i64::try_from(self.random.below(30)).unwrap();
        self.model.now += hours * HOUR;
        self.house.clock.0.store(self.model.now, Ordering::Relaxed);
        format!("{hours} hours")
    }

    fn new_org(&mut self) -> Told {
        let (above, realm) = (self.random.below(self.model.orgs.len()), self.random.one_in(3));
        if self.model.orgs.len() >= MOST {
            return self.wait();
        }
        let (parent, name) = (self.model.orgs[above].id, self.name("org"));
        let new = NewOrganization { parent: Some(parent), name, realm };
        let made = self.house.write(move |it| it.insert_organization(&new));
        if self.model.orgs[above].state == State::Deleted {
            assert!(matches!(made, Err(StoreError::NotFound(_))), "{made:?}");
        } else {
            let (id, state) = (made.unwrap().id, State::Active);
            self.model.orgs.push(Org { id, parent: Some(above), realm, state });
        }
        format!("an organization below {above}")
    }

    fn switch_org(&mut self) -> Told {
        let at = self.random.below(self.model.orgs.len());
        let (id, state) = (self.model.orgs[at].id, STATES[self.random.below(3)]);
        if at == 0 {
            return self.wait();
        }
        let done = self.house.write(move |it| it.set_organization_state(id, state));
        if self.model.orgs[at].state == State::Deleted {
            assert!(matches!(done, Err(StoreError::NotFound(_))), "{done:?}");
        } else {
            done.unwrap();
            self.model.orgs[at].state = state;
        }
        format!("organization {at} {state:?}")
    }

    fn delete_org(&mut self) -> Told {
        let at = self.random.below(self.model.orgs.len());
        let id = self.model.orgs[at].id;
        let done = self.house.write(move |it| it.delete_organization(id));
        if self.model.has_children(at) {
            assert!(matches!(done, Err(StoreError::InUse(_))), "{done:?}");
        } else if at == 0 || self.model.orgs[at].state == State::Deleted {
            assert!(matches!(done, Err(StoreError::NotFound(_))), "{done:?}");
        } else {
            done.unwrap();
            self.model.orgs[at].state = State::Deleted;
            let gone = self.model.routes.iter_mut().filter(|route| route.org == at);
            gone.for_each(|route| route.state = State::Deleted);
        }
        format!("organization {at} deleted")
    }

    fn new_user(&mut self) -> Told {
        let org = self.random.below(self.model.orgs.len());
        let login = format!("user{}", self.random.below(MOST));
        let new = NewUser {
            organization: self.model.orgs[org].id,
            login: Some(login.clone()),
            email: None,
            name: login.clone(),
            signs_in: true,
        };
        let made = self.house.write(move |it| it.insert_user(&new));
        if self.model.orgs[org].state == State::Deleted {
            assert!(matches!(made, Err(StoreError::NotFound(_))), "{made:?}");
        } else if self.model.taken(org, &login) {
            assert!(matches!(made, Err(StoreError::Conflict)), "{made:?}");
        } else {
            let told = login.clone();
            self.model.free(org, &login);
            self.model.users.push(User {
                id: made.unwrap().id,
                org,
                login,
                state: State::Active,
                password: None,
                grants: BTreeSet::new(),
                groups: BTreeSet::new(),
            });
            return format!("user {told} in {org}");
        }
        "a user who could not be made".into()
    }

    fn switch_user(&mut self) -> Told {
        let Some(at) = self.random.pick(&self.model.users) else { return self.new_user() };
        let state =
            if self.random.one_in(12) { State::Deleted } else { STATES[self.random.below(3)] };
        let user = &mut self.model.users[at];
        let id = user.id;
        let done = self.house.write(move |it| it.set_user_state(id, state));
        // A login name that went with an organization may be another's already.
        if done.is_ok() {
            user.state = state;
        } else {
            let gone = user.state == State::Deleted
                || self.model.orgs[self.model.users[at].org].state == State::Deleted;
            assert!(gone, "{done:?}");
            self.model.users[at].state = State::Deleted;
        }
        format!("user {at} {state:?}")
    }

    fn password(&mut self) -> Told {
        let Some(owner) = self.random.pick(&self.model.users) else { return self.new_user() };
        let id = self.model.users[owner].id;
        if let Some(old) = self.model.users[owner].password.take() {
            self.model.keys[old].state = State::Deleted;
        }
        if self.random.one_in(4) {
            self.house.write(move |it| it.take_password(id)).unwrap();
            return format!("no password of {owner}");
        }
        let secret = self.name("password");
        let buf = SecretBuf::new(secret.as_str());
        let pepper = self.house.peppers.current();
        let verifier = PasswordVerifier::make(&buf, CHEAP, pepper).unwrap().to_bytes();
        let made = self.house.write(move |it| it.set_password(id, &verifier)).unwrap();
        self.model.users[owner].password = Some(self.model.keys.len());
        self.model.keys.push(Key {
            id: made,
            secret,
            is_password: true,
            owner,
            state: State::Active,
            from: i64::MIN,
            to: i64::MAX,
            read_only: false,
            parent: None,
        });
        format!("password of {owner}")
    }

    fn hours(&mut self) -> i64 {
        i64::try_from(self.random.below(200)).unwrap() * HOUR
    }

    fn new_key(&mut self) -> Told {
        let Some(owner) = self.random.pick(&self.model.users) else { return self.new_user() };
        let issued = scheme::ALL.iter().find_map(|kind| kind.issue).unwrap()(&self.house.peppers);
        let issued = issued.unwrap();
        let from = if self.random.one_in(4) { self.model.now + self.hours() } else { i64::MIN };
        let to = if self.random.one_in(3) { self.model.now + self.hours() } else { i64::MAX };
        let read_only = self.random.one_in(4);
        let new = NewCredential {
            scheme: scheme::API_KEY,
            key: issued.key,
            verifier: issued.verifier.to_bytes().to_vec(),
            owner: self.model.users[owner].id,
            label: String::new(),
            read_only,
            not_before: (from != i64::MIN).then(|| Timestamp::from_millis(from)),
            expires: (to != i64::MAX).then(|| Timestamp::from_millis(to)),
            limits: Limits::default(),
        };
        let id = self.house.write(move |it| it.insert_credential(&new)).unwrap();
        let secret = issued.shown.expose_text().to_owned();
        let (is_password, state, parent) = (false, State::Active, None);
        let key = Key { id, secret, is_password, owner, state, from, to, read_only, parent };
        self.model.keys.push(key);
        format!("key of {owner}")
    }

    fn new_session(&mut self) -> Told {
        let Some(parent) = self.random.pick(&self.model.keys) else { return self.new_key() };
        let above = &self.model.keys[parent];
        if above.parent.is_some() {
            return self.wait();
        }
        let (owner, live, ends) = (above.owner, above.state == State::Active, above.to);
        let (id, inherited) = (above.id, above.read_only);
        let issued = scheme::ALL.iter().find_map(|kind| kind.issue).unwrap()(&self.house.peppers);
        let issued = issued.unwrap();
        let (wanted, read_only) = (self.model.now + self.hours(), self.random.one_in(4));
        let new = NewSession {
            scheme: scheme::API_KEY,
            key: issued.key,
            verifier: issued.verifier.to_bytes().to_vec(),
            owner: self.model.users[owner].id,
            parent: id,
            read_only,
            expires: Timestamp::from_millis(wanted),
            idle: std::time::Duration::ZERO,
            ends: Timestamp::from_millis(wanted),
            limits: Limits::default(),
        };
        let made = self.house.write(move |it| it.insert_session(&new));
        if !live {
            assert!(matches!(made, Err(StoreError::NotFound(_))), "{made:?}");
            return format!("no session of {parent}");
        }
        self.model.keys.push(Key {
            id: made.unwrap(),
            secret: issued.shown.expose_text().to_owned(),
            is_password: false,
            owner,
            state: State::Active,
            from: i64::MIN,
            to: wanted.min(ends),
            read_only: read_only || inherited,
            parent: Some(parent),
        });
        format!("session of {parent}")
    }

    fn switch_key(&mut self) -> Told {
        let Some(at) = self.random.pick(&self.model.keys) else { return self.new_key() };
        let state =
            if self.random.one_in(5) { State::Deleted } else { STATES[self.random.below(3)] };
        let key = &mut self.model.keys[at];
        let id = key.id;
        let (done, state) = if key.parent.is_some() {
            (self.house.write(move |it| it.end_session(id)), State::Deleted)
        } else {
            // A password is taken away as a whole, never by its row alone.
            let state =
                if key.is_password && state == State::Deleted { State::Disabled } else { state };
            (self.house.write(move |it| it.set_credential_state(id, state)), state)
        };
        if key.state == State::Deleted {
            assert!(matches!(done, Err(StoreError::NotFound(_))), "{done:?}");
        } else {
            done.unwrap();
            key.state = state;
        }
        format!("key {at} {state:?}")
    }

    fn new_role(&mut self) -> Told {
        let org = self.random.below(self.model.orgs.len());
        if self.model.roles.len() >= MOST || self.model.orgs[org].state == State::Deleted {
            return self.wait();
        }
        let (organization, name) = (self.model.orgs[org].id, self.name("role"));
        let ability = ABILITIES[self.random.below(3)];
        let made =
            self.house.write(move |it| it.insert_role(Some(organization), &name, &[ability]));
        let (id, state) = (made.unwrap(), State::Active);
        self.model.roles.push(Rights { id, state, abilities: BTreeSet::from([ability]) });
        format!("role in {org}")
    }

    fn change_role(&mut self) -> Told {
        let Some(at) = self.random.pick(&self.model.roles) else { return self.new_role() };
        let role = &mut self.model.roles[at];
        let id = role.id;
        let done = if self.random.one_in(5) {
            role.abilities.clear();
            self.house.write(move |it| it.delete_role(id))
        } else {
            let ability = ABILITIES[self.random.below(3)];
            let had = role.abilities.remove(ability);
            role.abilities.extend((!had).then_some(ability));
            let abilities = role.abilities.iter().map(|it| Ability::parse(it).unwrap()).collect();
            self.house.write(move |it| it.set_role_abilities(id, &abilities))
        };
        match done {
            Ok(()) => role.state = State::Active,
            Err(StoreError::NotFound(_)) if role.state == State::Deleted => {}
            Err(error) => panic!("{error}"),
        }
        if role.abilities.is_empty() {
            role.state = State::Deleted;
            drop(self.house.write(move |it| it.delete_role(id)));
        }
        format!("role {at} changed")
    }

    fn grant(&mut self) -> Told {
        let (Some(role), org) =
            (self.random.pick(&self.model.roles), self.random.below(self.model.orgs.len()))
        else {
            return self.new_role();
        };
        let stands = self.model.orgs[org].state != State::Deleted;
        let grant =
            Grant { role: self.model.roles[role].id, organization: self.model.orgs[org].id };
        let give = !self.random.one_in(3);
        let state = if give { State::Active } else { State::Deleted };
        let (holder, held, told) = if self.random.one_in(3) {
            let Some(at) = self.random.pick(&self.model.circles) else { return self.new_circle() };
            let circle = &mut self.model.circles[at];
            (Holder::Group(circle.id), &mut circle.grants, format!("group {at}"))
        } else {
            let Some(at) = self.random.pick(&self.model.users) else { return self.new_user() };
            let user = &mut self.model.users[at];
            (Holder::User(user.id), &mut user.grants, format!("user {at}"))
        };
        let done = self.house.write(move |it| it.set_grant(holder, grant, state));
        if !stands {
            assert!(matches!(done, Err(StoreError::NotFound(_))), "{done:?}");
        } else if give {
            held.insert((role, org));
        } else {
            held.remove(&(role, org));
        }
        format!("role {role} in {org} of {told} {state:?}")
    }

    fn new_circle(&mut self) -> Told {
        let org = self.random.below(self.model.orgs.len());
        if self.model.circles.len() >= MOST || self.model.orgs[org].state == State::Deleted {
            return self.wait();
        }
        let (organization, name) = (self.model.orgs[org].id, self.name("group"));
        let id = self.house.write(move |it| it.insert_group(organization, &name)).unwrap();
        let (state, grants) = (State::Active, BTreeSet::new());
        self.model.circles.push(Circle { id, org, state, grants });
        format!("group in {org}")
    }

    fn delete_circle(&mut self) -> Told {
        let Some(at) = self.random.pick(&self.model.circles) else { return self.new_circle() };
        if !self.random.one_in(4) {
            return self.wait();
        }
        let id = self.model.circles[at].id;
        let done = self.house.write(move |it| it.delete_group(id));
        assert_eq!(done.is_ok(), self.model.circles[at].state == State::Active, "{done:?}");
        self.model.circles[at].state = State::Deleted;
        format!("group {at} deleted")
    }

    fn member(&mut self) -> Told {
        let (Some(user), Some(circle)) =
            (self.random.pick(&self.model.users), self.random.pick(&self.model.circles))
        else {
            return self.new_circle();
        };
        let (member, group) = (self.model.users[user].id, self.model.circles[circle].id);
        let enter = !self.random.one_in(3);
        let state = if enter { State::Active } else { State::Deleted };
        self.house.write(move |it| it.set_member(member, group, state)).unwrap();
        if enter {
            self.model.users[user].groups.insert(circle);
        } else {
            self.model.users[user].groups.remove(&circle);
        }
        format!("user {user} in group {circle} {state:?}")
    }

    fn new_route(&mut self) -> Told {
        let org = self.random.below(self.model.orgs.len());
        if self.model.routes.len() >= MOST || self.model.orgs[org].state == State::Deleted {
            return self.wait();
        }
        let (organization, name) = (self.model.orgs[org].id, self.name("guard"));
        let ability = self.random.one_in(2).then(|| ABILITIES[self.random.below(3)]);
        let definition = definition(&name, ability);
        let id = self
            .house
            .write(move |it| it.insert_guard(organization, Source::Store, &definition))
            .unwrap();
        let state = State::Active;
        self.model.routes.push(Route { id, name, org, state, ability });
        format!("guard in {org}")
    }

    fn delete_route(&mut self) -> Told {
        let Some(at) = self.random.pick(&self.model.routes) else { return self.new_route() };
        if !self.random.one_in(4) {
            return self.wait();
        }
        let name = self.model.routes[at].name.clone();
        let done = self.house.write(move |it| it.delete_guard(&name, Source::Store));
        assert_eq!(done.is_ok(), self.model.routes[at].state == State::Active, "{done:?}");
        self.model.routes[at].state = State::Deleted;
        format!("guard {at} deleted")
    }

    /// A question at random; half of the time one that is likely to be answered with yes.
    fn question(&mut self) -> Option<(usize, Option<usize>, bool)> {
        let hopeful = self.random.one_in(2);
        let mut question = None;
        for _ in 0..100 {
            let route = self.random.pick(&self.model.routes)?;
            let key = self.random.pick(&self.model.keys).filter(|_| !self.random.one_in(20));
            let write = self.random.one_in(3);
            question = Some((route, key, write));
            if !hopeful || self.model.answer(route, key, write) == "allow" {
                break;
            }
        }
        question
    }

    /// Asks one question of both, and compares the answers.
    pub(crate) fn probe(&mut self) -> Result<(), String> {
        let Some((route, key, write)) = self.question() else { return Ok(()) };
        let expected = self.model.answer(route, key, write);
        let credential = key.map(|key| {
            let key = &self.model.keys[key];
            let owner = &self.model.users[key.owner];
            let name = if key.is_password { scheme::BASIC } else { scheme::API_KEY };
            let kind = scheme::ALL.iter().find(|kind| kind.name == name).unwrap();
            (kind.present)(&owner.login, &key.secret)
        });
        let path = format!("/{}", self.model.routes[route].name);
        let method = if write { Method::POST } else { Method::GET };
        let answer = self.house.answer(&path, &method, credential);
        self.seen.insert(answer);
        self.allowed += usize::from(answer == "allow");
        let agreed = answer == expected || expected == "refused" && is_refusal(answer);
        if agreed {
            return Ok(());
        }
        let guard = self.model.routes[route].id;
        Err(format!("guard {guard}, key {key:?}: `{answer}`, but `{expected}` is right"))
    }
}

/// A password is found by a login name that may be another's by now: any refusal of it is right.
fn is_refusal(answer: &str) -> bool {
    matches!(
        answer,
        "unknown"
            | "wrong_proof"
            | "owner_inactive"
            | "organization_inactive"
            | "disabled"
            | "expired"
            | "revoked"
    )
}

fn definition(name: &str, ability: Option<&str>) -> Definition {
    Definition {
        kind: Kind::Route,
        name: name.into(),
        hosts: vec![],
        prefix: format!("/{name}"),
        upstreams: vec![Uri::from_static("http://127.0.0.1:9")],
        upgrades: vec![],
        identity: vec![],
        assertion: false,
        schemes: scheme::ALL
            .iter()
            .map(|kind| (kind.name, Options::from(BTreeMap::new())))
            .collect(),
        networks: None,
        client_certificate: false,
        methods: vec![],
        ability: ability.map(|it| Ability::parse(it).unwrap()),
        pass_credential: false,
        strip_prefix: false,
    }
}
