//! What is remembered while properties are tested, and policies with questions to them.

use std::net::IpAddr;
use std::sync::Arc;

use http::Method;
use portcullis_core::ability::Ability;
use portcullis_core::credential::{Credential, FiledAt, KeyVerifier};
use portcullis_core::id::{Id, Revision};
use portcullis_core::keyring::Keyring;
use portcullis_core::limits::Limits;
use portcullis_core::lookup::CredentialLookup;
use portcullis_core::organization::{Organization, State};
use portcullis_core::policy::{Decision, Demand, Networks, Policy, Question};
use portcullis_core::principal::{Grant, Group, Principal, Profile, Role, User};
use portcullis_core::request::{Origin, Upgrade};
use portcullis_core::scheme::{self, SchemeName};
use portcullis_core::seal::PepperId;
use portcullis_core::time::Timestamp;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

const OWNER: Id<User> = Id::from_bytes([2; 16]);
const ORGANIZATIONS: u8 = 4;

/// The abilities of the roles.
const ABILITIES: [&str; 2] = ["Orders - Read", "Orders - Write"];

/// Four organizations, each below the one before; two roles with an ability each; one group.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    /// The one key, with the id it is filed under.
    pub(crate) key: Option<(String, Credential)>,
    /// The roles that the group holds.
    pub(crate) group: Vec<Grant>,
    /// The role that is switched off.
    pub(crate) inactive: Option<u8>,
}

/// The organization `number`.
pub(crate) fn organization(number: u8) -> Id<Organization> {
    Id::from_bytes([number + 1; 16])
}

fn role(number: u8) -> Id<Role> {
    Id::from_bytes([number + 1; 16])
}

fn ability(number: u8) -> Ability {
    Ability::parse(ABILITIES[usize::from(number)]).unwrap()
}

const GROUP: Id<Group> = Id::from_bytes([7; 16]);

/// A credential of the one user that is good.
pub(crate) fn credential(verifier: KeyVerifier) -> Credential {
    Credential {
        id: Id::from_bytes([3; 16]),
        version: Revision(1),
        scheme: scheme::API_KEY,
        owner: OWNER,
        state: State::Active,
        not_before: Timestamp::MIN,
        expires: Timestamp::MAX,
        slides: None,
        minted: Timestamp::MIN,
        limited: false,
        read_only: false,
        verifier,
        filed_at: FiledAt([0; 16]),
        parent: None,
    }
}

fn user(organization: Id<Organization>, grants: Vec<Grant>, groups: Vec<Id<Group>>) -> Arc<User> {
    Arc::new(User {
        id: OWNER,
        version: Revision(1),
        number: 1,
        organization,
        realm: self::organization(0),
        login: Some("owner".into()),
        profile: Profile::new("", None),
        state: State::Active,
        password: None,
        grants: grants.into(),
        groups: groups.into(),
    })
}

impl CredentialLookup for Shelf {
    fn credential(&self, _: SchemeName, key: &str) -> Option<Credential> {
        self.key.as_ref().filter(|(id, _)| id == key).map(|(_, credential)| *credential)
    }

    fn filed_at(&self, _: FiledAt) -> Option<Credential> {
        None
    }

    fn limits(&self, _: Id<Credential>) -> Option<Arc<Limits>> {
        None
    }

    fn keyring(&self, _: Id<Credential>) -> Option<Arc<Keyring>> {
        None
    }

    fn named(&self, _: Id<Organization>, _: &str) -> Option<Arc<User>> {
        None
    }

    fn numbered(&self, _: Id<Organization>, _: i64) -> Option<Arc<User>> {
        None
    }

    fn user(&self, id: Id<User>) -> Option<Arc<User>> {
        (id == OWNER).then(|| user(organization(0), vec![], vec![]))
    }

    fn organization(&self, id: Id<Organization>) -> Option<Arc<Organization>> {
        let number = (0..ORGANIZATIONS).find(|number| organization(*number) == id)?;
        Some(Arc::new(Organization {
            id,
            version: Revision(1),
            number: number.into(),
            parent: number.checked_sub(1).map(organization),
            name: number.to_string().into(),
            realm: number == 0,
            state: State::Active,
        }))
    }

    fn group(&self, id: Id<Group>) -> Option<Arc<Group>> {
        (id == GROUP).then(|| {
            Arc::new(Group {
                id,
                version: Revision(1),
                organization: organization(0),
                state: State::Active,
                grants: self.group.clone().into(),
            })
        })
    }

    fn role(&self, id: Id<Role>) -> Option<Arc<Role>> {
        let number = (0..2_u8).find(|number| role(*number) == id)?;
        let state = if self.inactive == Some(number) { State::Disabled } else { State::Active };
        let ability = ability(number);
        Some(Arc::new(Role {
            id,
            version: Revision(1),
            name: ability.as_str().into(),
            state,
            abilities: [ability].into(),
        }))
    }
}

/// A question to a policy, with who asks it.
#[derive(Debug)]
pub(crate) struct Asked {
    principal: Option<Principal>,
    client: IpAddr,
    method: Method,
    origin: Origin,
    upgrades: bool,
    unasked: bool,
    certified: bool,
}

/// What `policy` says to a question.
pub(crate) fn decide(policy: &Policy, asked: &Asked, shelf: &Shelf) -> Decision {
    let Asked { ref principal, client, ref method, origin, upgrades, unasked, certified } = *asked;
    let principal = principal.as_ref();
    let upgrade = if upgrades { Upgrade::To("websocket") } else { Upgrade::None };
    let question = Question { principal, client, certified, method, origin, upgrade, unasked };
    policy.decide(&question, shelf)
}

/// What a policy should say, read off what it demands; organizations are a chain, so that one
/// stands below another if its number is greater.
pub(crate) fn should_allow(policy: &Policy, asked: &Asked, shelf: &Shelf) -> bool {
    let number = |id: Id<Organization>| id.as_bytes()[0];
    let here = number(policy.organization);
    let safe = [Method::GET, Method::HEAD, Method::OPTIONS].contains(&asked.method);
    let holds = |principal: &Principal, wanted: Option<&Ability>| {
        let group = shelf.group.iter().filter(|_| !principal.user.groups.is_empty());
        principal.user.grants.iter().chain(group).any(|grant| {
            let able = wanted.is_none_or(|wanted| {
                let number = (0..2_u8).find(|number| role(*number) == grant.role).unwrap();
                shelf.inactive != Some(number) && ability(number) == *wanted
            });
            able && number(grant.organization) <= here
        })
    };
    let known = match &asked.principal {
        None => policy.principal == Demand::Optional && policy.ability.is_none(),
        Some(who) => {
            let member = number(who.user.organization) >= here || holds(who, None);
            let able = policy.ability.as_ref().is_none_or(|wanted| holds(who, Some(wanted)));
            let sent_from_here = !asked.unasked || asked.origin == Origin::Own;
            let reads = safe && !asked.upgrades;
            member && able && (reads || !who.credential.read_only) && (reads || sent_from_here)
        }
    };
    known
        && policy.networks.as_ref().is_none_or(|networks| networks.contain(asked.client))
        && (asked.certified || !policy.client_certificate)
        && (policy.methods.is_empty() || policy.methods.contains(&asked.method))
        && (!asked.upgrades || !policy.upgrades.is_empty())
}

fn grants() -> impl Strategy<Value = Vec<Grant>> {
    let grant = (0_u8..2, 0..ORGANIZATIONS)
        .prop_map(|(number, at)| Grant { role: role(number), organization: organization(at) });
    prop::collection::vec(grant, 0..3)
}

/// Any memory.
pub(crate) fn shelves() -> impl Strategy<Value = Shelf> {
    (grants(), prop::option::of(0_u8..2)).prop_map(|(group, inactive)| Shelf {
        key: None,
        group,
        inactive,
    })
}

const ADDRESSES: [&str; 4] = ["192.0.2.1", "198.51.100.7", "10.1.2.3", "2001:db8::7"];
const NETWORKS: [&str; 4] = ["192.0.2.0/24", "10.0.0.0/8", "2001:db8::/32", "0.0.0.0/0"];
const METHODS: [Method; 5] =
    [Method::GET, Method::HEAD, Method::POST, Method::DELETE, Method::TRACE];

const ORIGINS: [Origin; 3] = [Origin::Foreign, Origin::Own, Origin::Unsaid];

/// Any question.
pub(crate) fn questions() -> impl Strategy<Value = Asked> {
    let groups = any::<bool>().prop_map(|member| if member { vec![GROUP] } else { vec![] });
    let verifier = KeyVerifier::decoy(PepperId(1), [0; 32]);
    let who = (0..ORGANIZATIONS, grants(), groups, any::<bool>()).prop_map(
        move |(at, grants, groups, read_only)| Principal {
            user: user(organization(at), grants, groups),
            credential: Credential { read_only, ..credential(verifier) },
            subject: None,
            nobody: None,
        },
    );
    let sent = (select(&METHODS[..]), select(&ORIGINS[..]), any::<[bool; 3]>());
    (prop::option::of(who), select(&ADDRESSES[..]), sent).prop_map(
        |(principal, client, (method, origin, [upgrades, unasked, certified]))| {
            let client = client.parse().unwrap();
            Asked { principal, client, method, origin, upgrades, unasked, certified }
        },
    )
}

/// Any policy.
pub(crate) fn policies() -> impl Strategy<Value = Policy> {
    let networks = subsequence(&NETWORKS[..], 1..=2).prop_map(|networks| {
        let networks: Vec<_> = networks.iter().map(|it| it.parse().unwrap()).collect();
        Networks::new(&networks).unwrap()
    });
    let methods = subsequence(&METHODS[..], 0..=2);
    let principal = select(&[Demand::Optional, Demand::Required][..]);
    let ability = prop::option::of((0_u8..2).prop_map(ability));
    let who = (principal, any::<bool>());
    let upgrades = subsequence(&["websocket"][..], 0..=1)
        .prop_map(|named| named.into_iter().map(Into::into).collect::<Box<[Box<str>]>>());
    let what = (methods, upgrades);
    (0..ORGANIZATIONS, who, prop::option::of(networks), what, ability).prop_map(
        |(at, (principal, client_certificate), networks, (methods, upgrades), ability)| Policy {
            organization: organization(at),
            principal,
            networks,
            client_certificate,
            methods: methods.into(),
            upgrades,
            ability,
        },
    )
}

/// Every policy that makes one demand of `more` besides those of `policy`, where that makes none
/// of its kind.
pub(crate) fn stricter(policy: &Policy, more: &Policy) -> Vec<Policy> {
    let mut made = vec![];
    if policy.principal == Demand::Optional {
        made.push(Policy { principal: more.principal, ..copy(policy) });
    }
    if policy.networks.is_none() {
        made.push(Policy { networks: more.networks.clone(), ..copy(policy) });
    }
    if !policy.client_certificate {
        made.push(Policy { client_certificate: more.client_certificate, ..copy(policy) });
    }
    if policy.methods.is_empty() {
        made.push(Policy { methods: more.methods.clone(), ..copy(policy) });
    }
    if policy.ability.is_none() {
        made.push(Policy { ability: more.ability.clone(), ..copy(policy) });
    }
    made
}

fn copy(policy: &Policy) -> Policy {
    Policy {
        organization: policy.organization,
        principal: policy.principal,
        networks: policy.networks.clone(),
        client_certificate: policy.client_certificate,
        methods: policy.methods.clone(),
        upgrades: policy.upgrades.clone(),
        ability: policy.ability.clone(),
    }
}
