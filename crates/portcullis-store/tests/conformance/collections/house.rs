//! A population drawn from a seed, and what is known of it without asking the database.

#[path = "sight.rs"]
mod sight;

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use portcullis_core::ability::BUILT_IN;
use portcullis_core::id::Id;
use portcullis_core::limits::Limits;
use portcullis_core::organization::{Organization, State};
use portcullis_core::principal::{Grant, Group, Holder, Role, User};
use portcullis_core::query::Literal;
use portcullis_core::scheme;
use portcullis_core::time::{Clock as _, Timestamp};
use portcullis_store::credentials::NewCredential;
use portcullis_store::organizations::NewOrganization;
use portcullis_store::projects::NewProject;
use portcullis_store::templates::NewTemplate;
use portcullis_store::usage::Usage;
use portcullis_store::users::NewUser;
use portcullis_store::{StoreError, Writing};

use super::random::Random;
use crate::{Bench, new_root, write};

/// Names that a careless statement would take for something else, or order in another way.
pub(super) const NAMES: &[&str] = &[
    "ann",
    "Ann",
    "ANN",
    "anna",
    "zoe",
    "zo\u{eb}",
    "zoe\u{308}",
    "\u{df}",
    "\u{1f512}",
    "\u{ffee}",
    "%",
    "a%b",
    "_",
    "a_b",
    "axb",
    "\\",
    "a\\b",
    "\"",
    "'",
    "''",
    "a'b\"c",
    "';--",
    "' OR '1' = '1",
    "'; DROP TABLE users; --",
    "$1",
    "?1",
    "NULL",
    "true",
    "Robert\");",
    "a b",
    "~",
    "-",
    "\u{1}",
    "\u{7f}",
];

pub(super) type Values = BTreeMap<&'static str, Option<Literal>>;

/// Something that can be listed.
#[derive(Clone, Debug)]
pub(super) struct Thing {
    pub(super) id: [u8; 16],
    /// What tells it apart from what is equal in all else.
    pub(super) last: Vec<u8>,
    /// A built-in role has none.
    pub(super) organization: Option<Id<Organization>>,
    /// Of a key.
    pub(super) owner: Option<Id<User>>,
    pub(super) deleted: bool,
    pub(super) values: Values,
}

/// An organization.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) id: Id<Organization>,
    /// It, and all above it.
    above: Vec<Id<Organization>>,
    pub(super) realm: Id<Organization>,
    pub(super) gone: bool,
}

/// Everything there is.
#[derive(Clone, Debug, Default)]
pub(super) struct House {
    pub(super) places: Vec<Place>,
    groups: Vec<(Id<Group>, Id<Organization>, bool)>,
    members: Vec<(Id<User>, Id<Group>)>,
    grants: Vec<(Holder, Id<Role>, Id<Organization>)>,
    pub(super) users: Vec<Thing>,
    pub(super) roles: Vec<Thing>,
    pub(super) projects: Vec<Thing>,
    pub(super) keys: Vec<Thing>,
}

pub(super) fn text(text: &str) -> Option<Literal> {
    Some(Literal::Text(text.to_owned()))
}

pub(super) fn id<T>(id: Id<T>) -> Option<Literal> {
    Some(Literal::Id(*id.as_bytes()))
}

/// Draws a house under `seed`.
pub(super) async fn fill(bench: &Bench, seed: u64) -> House {
    let mut house = House::default();
    for round in 0..6 {
        bench.clock.0.fetch_add(1_234, Ordering::Relaxed);
        let mut random = Random(seed * 100 + round);
        let filled = bench.store.write(write("fill"), move |it| {
            if round == 0 {
                house.build(it)?;
                house.gather(it)?;
            }
            house.round(it, &mut random)?;
            Ok(house)
        });
        house = filled.await.unwrap().value;
    }
    let gone = house.places.last_mut().unwrap();
    gone.gone = true;
    let gone = gone.id;
    bench.store.write(write("gone"), move |it| it.delete_organization(gone)).await.unwrap();
    house.learn_of_first_users(bench).await;
    house.use_keys(bench).await;
    house
}

impl House {
    /// Two realms, one below the other, and a last organization that will be deleted.
    fn build(&mut self, it: &mut Writing<'_>) -> Result<(), StoreError> {
        let root = it.insert_organization(&new_root())?.id;
        self.places.push(Place { id: root, above: vec![root], realm: root, gone: false });
        for (parent, realm) in
            [(0, false), (1, false), (0, false), (1, true), (4, false), (5, false), (0, false)]
        {
            let parent = self.places[parent].clone();
            let new = NewOrganization { parent: Some(parent.id), name: "Same".into(), realm };
            let id = it.insert_organization(&new)?.id;
            let above = [parent.above.as_slice(), &[id]].concat();
            let realm = if realm { id } else { parent.realm };
            self.places.push(Place { id, above, realm, gone: false });
        }
        it.upsert_built_in_roles()
    }

    fn gather(&mut self, it: &mut Writing<'_>) -> Result<(), StoreError> {
        for place in self.places.clone() {
            for name in ["Group A", "Group B"] {
                let group = it.insert_group(place.id, name)?;
                self.groups.push((group, place.id, true));
            }
        }
        Ok(())
    }

    fn round(&mut self, it: &mut Writing<'_>, random: &mut Random) -> Result<(), StoreError> {
        for _ in 0..12 {
            let user = self.user(it, random)?;
            for _ in 0..random.below(4) {
                let (group, ..) = self.groups[random.below(self.groups.len())];
                it.set_member(user, group, State::Active)?;
                self.members.push((user, group));
            }
            for _ in 0..random.below(3) {
                self.key(it, random, user)?;
            }
        }
        for _ in 0..4 {
            self.role(it, random)?;
            self.project(it, random)?;
        }
        self.take_back(it, random)
    }

    /// What was given may be taken: a group, who is in one, and who holds what.
    fn take_back(&mut self, it: &mut Writing<'_>, random: &mut Random) -> Result<(), StoreError> {
        let group = random.below(self.groups.len());
        let (group, _, counts) = &mut self.groups[group];
        if *counts {
            *counts = false;
            it.delete_group(*group)?;
        }
        for _ in 0..5 {
            let (user, group) = self.members[random.below(self.members.len())];
            self.members.retain(|known| *known != (user, group));
            it.set_member(user, group, State::Deleted)?;
        }
        let Some(at) = random.pick(&self.grants) else { return Ok(()) };
        let (holder, role, organization) = self.grants[at];
        self.grants.retain(|known| *known != (holder, role, organization));
        it.set_grant(holder, Grant { role, organization }, State::Deleted)
    }

    fn user(&mut self, it: &mut Writing<'_>, random: &mut Random) -> Result<Id<User>, StoreError> {
        let place = random.below(self.places.len());
        let number = self.users.len();
        let name = NAMES[random.below(NAMES.len())];
        let login = (!random.one_in(4)).then(|| format!("{name}{number}"));
        let email = random.one_in(2).then(|| format!("{name}@{number}"));
        let signs_in = !random.one_in(3);
        let organization = self.places[place].id;
        let new = NewUser { organization, login, email, name: name.into(), signs_in };
        let row = it.insert_user(&new)?;
        let state = [State::Active, State::Active, State::Disabled, State::Deleted];
        let state = state[random.below(state.len())];
        it.set_user_state(row.id, state)?;
        let values = Values::from([
            ("id", id(row.id)),
            ("number", Some(Literal::Number(row.number))),
            ("organization", id(organization)),
            ("login", row.login.map(Literal::Text)),
            ("email", row.email.map(Literal::Text)),
            ("name", text(name)),
            ("signs_in", Some(Literal::Flag(signs_in))),
            ("active", Some(Literal::Flag(state == State::Active))),
            ("created", Some(Literal::Moment(it.now))),
        ]);
        self.users.push(Thing {
            id: *row.id.as_bytes(),
            last: row.number.to_be_bytes().into(),
            organization: Some(organization),
            owner: None,
            deleted: state == State::Deleted,
            values,
        });
        Ok(row.id)
    }

    fn key(
        &mut self,
        it: &mut Writing<'_>,
        random: &mut Random,
        owner: Id<User>,
    ) -> Result<(), StoreError> {
        let user = self.users.last().unwrap().clone();
        let number = self.keys.len();
        let scheme = if random.one_in(5) { scheme::HUB_TOKEN } else { scheme::API_KEY };
        let soon = Timestamp::from_millis(it.now.millis() + 1_500);
        let new = NewCredential {
            scheme,
            key: format!("key{number}-{}", it.now.millis()),
            verifier: vec![1; 37],
            owner,
            label: NAMES[random.below(NAMES.len())].into(),
            read_only: random.one_in(3),
            not_before: random.one_in(3).then_some(it.now),
            expires: (!random.one_in(3)).then_some(soon),
            limits: Limits::default(),
        };
        let key = it.insert_credential(&new)?;
        let state = [State::Active, State::Disabled, State::Deleted][random.below(3)];
        it.set_credential_state(key, state)?;
        let values = Values::from([
            ("id", id(key)),
            ("owner", id(owner)),
            ("owner_login", user.values["login"].clone()),
            ("owner_name", user.values["name"].clone()),
            ("label", text(&new.label)),
            ("read_only", Some(Literal::Flag(new.read_only))),
            ("active", Some(Literal::Flag(state == State::Active))),
            ("not_before", new.not_before.map(Literal::Moment)),
            ("expires", new.expires.map(Literal::Moment)),
            ("created", Some(Literal::Moment(it.now))),
            ("last_used", None),
        ]);
        self.keys.push(Thing {
            id: *key.as_bytes(),
            last: key.as_bytes().to_vec(),
            organization: user.organization,
            owner: Some(owner),
            deleted: user.deleted || state == State::Deleted || scheme != scheme::API_KEY,
            values,
        });
        Ok(())
    }

    fn role(&mut self, it: &mut Writing<'_>, random: &mut Random) -> Result<(), StoreError> {
        let place = &self.places[random.below(self.places.len())];
        let name = format!("{}{}", NAMES[random.below(NAMES.len())], self.roles.len() % 3);
        let organization = place.id;
        let taken =
            |it: &Thing| it.organization == Some(organization) && it.values["name"] == text(&name);
        if self.roles.iter().any(taken) {
            return Ok(());
        }
        let role = it.insert_role(Some(organization), &name, &["Orders - Read"])?;
        let deleted = random.one_in(5);
        for _ in 0..random.below(6) {
            let user = &self.users[random.below(self.users.len())];
            let (group, ..) = self.groups[random.below(self.groups.len())];
            let holder = match random.one_in(2) {
                true => Holder::User(Id::from_bytes(user.id)),
                false => Holder::Group(group),
            };
            let place = self.places[random.below(self.places.len())].id;
            it.set_grant(holder, Grant { role, organization: place }, State::Active)?;
            self.grants.push((holder, role, place));
        }
        if deleted {
            it.delete_role(role)?;
        }
        self.roles.push(role_thing(role, &name, Some(organization), it.now, deleted));
        Ok(())
    }

    fn project(&mut self, it: &mut Writing<'_>, random: &mut Random) -> Result<(), StoreError> {
        let place = self.places[random.below(self.places.len())].clone();
        let [name, description] = [(); 2].map(|()| NAMES[random.below(NAMES.len())].to_owned());
        let template = match random.one_in(2) {
            true => Some(it.insert_template(&NewTemplate {
                organization: place.id,
                name: "Template".into(),
                description: String::new(),
                connections: vec![],
            })?),
            false => None,
        };
        let organization = place.id;
        let new = NewProject { organization, name, description, template };
        let made = it.insert_project(&new)?;
        let deleted = random.one_in(5);
        if deleted {
            it.delete_project(made.id)?;
        }
        let values = Values::from([
            ("id", id(made.id)),
            ("number", Some(Literal::Number(made.number))),
            ("organization", id(organization)),
            ("name", text(&new.name)),
            ("description", text(&new.description)),
            ("template", made.template.map(Literal::Number)),
            ("created", Some(Literal::Moment(it.now))),
        ]);
        self.projects.push(Thing {
            id: *made.id.as_bytes(),
            last: made.number.to_be_bytes().into(),
            organization: Some(organization),
            owner: None,
            deleted,
            values,
        });
        Ok(())
    }

    /// The users and roles that stand in every house.
    async fn learn_of_first_users(&mut self, bench: &Bench) {
        let made = Timestamp::from_millis(1_700_000_001_234);
        let places = self.places.clone();
        for place in places.iter().filter(|it| it.id == it.realm) {
            let realm = place.id;
            for (number, login, name, signs_in) in
                [(1, "admin", "Administrator", true), (2, "anonymous", "Anonymous", false)]
            {
                let find = bench.store.read(move |it| it.find_user_numbered(realm, number)).await;
                let values = Values::from([
                    ("id", id(find.as_ref().unwrap().as_ref().unwrap().id)),
                    ("number", Some(Literal::Number(number))),
                    ("organization", id(realm)),
                    ("login", text(login)),
                    ("email", None),
                    ("name", text(name)),
                    ("signs_in", Some(Literal::Flag(signs_in))),
                    ("active", Some(Literal::Flag(true))),
                    ("created", Some(Literal::Moment(made))),
                ]);
                self.users.push(Thing {
                    id: *find.unwrap().unwrap().id.as_bytes(),
                    last: number.to_be_bytes().into(),
                    organization: Some(realm),
                    owner: None,
                    deleted: false,
                    values,
                });
            }
        }
        let root = self.places[0].id;
        for built_in in BUILT_IN {
            let find = bench.store.read(move |it| it.find_role(root, built_in.name)).await;
            let role = find.unwrap().unwrap();
            self.roles.push(role_thing(role.id, built_in.name, None, made, false));
        }
    }

    async fn use_keys(&mut self, bench: &Bench) {
        let last_used = bench.clock.now().wall;
        let used: Vec<_> = self.keys.iter_mut().step_by(2).collect();
        let mut counted = Vec::new();
        for key in used {
            key.values.insert("last_used", Some(Literal::Moment(last_used)));
            counted.push(Usage { credential: Id::from_bytes(key.id), last_used, uses: 1 });
        }
        bench.store.tend(move |it| it.add_usage(&counted)).await.unwrap();
    }
}

fn role_thing(
    role: Id<Role>,
    name: &str,
    organization: Option<Id<Organization>>,
    created: Timestamp,
    deleted: bool,
) -> Thing {
    let values = Values::from([
        ("id", id(role)),
        ("organization", organization.and_then(id)),
        ("name", text(name)),
        ("built_in", Some(Literal::Flag(organization.is_none()))),
        ("created", Some(Literal::Moment(created))),
    ]);
    let last = role.as_bytes().to_vec();
    Thing { id: *role.as_bytes(), last, organization, owner: None, deleted, values }
}
