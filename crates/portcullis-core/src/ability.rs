//! Abilities: named rights, held through roles and never directly.

use std::borrow::Borrow;
use std::fmt;

/// The longest name of an ability, in bytes.
pub const MAX_ABILITY: usize = 100;

/// A named right, such as `Users - Manage`; compared letter by letter.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ability(Box<str>);

/// A text that names no ability: the caller's fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("an ability has 1 to {MAX_ABILITY} printable ASCII characters, no space at either end")]
pub struct BadAbility;

impl Ability {
    /// The ability named `name`.
    ///
    /// # Errors
    /// It is no name of an ability.
    pub fn parse(name: &str) -> Result<Self, BadAbility> {
        let printable = name.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
        let fits = (1..=MAX_ABILITY).contains(&name.len());
        if printable && fits && name.trim().len() == name.len() {
            Ok(Self(name.into()))
        } else {
            Err(BadAbility)
        }
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Ability {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Ability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Ability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

/// To make API keys for oneself.
pub const GENERATE_API_KEY: &str = "API Key - Generate";
/// To make and change API keys of others.
pub const MANAGE_API_KEYS: &str = "API Key - Manage";
/// To sign in with an API key in place of a password, whoever made it.
pub const SIGN_IN_WITH_API_KEY: &str = "API Key - Sign In";
/// To hold a secret of the Journey Hub provisioning API, and so to use that API at all.
pub const HOLD_HUB_SECRET: &str = "Journey Hub - Hold Secret";
/// To ask what a token or key of others stands for, as a server must that is handed one.
pub const INTROSPECT: &str = "Credentials - Introspect";
/// To create, change and delete API keys and passwords of others.
pub const MANAGE_CREDENTIALS: &str = "Credentials - Manage";
/// To create, change and delete guards.
pub const MANAGE_GUARDS: &str = "Guards - Manage";
/// To create, change and delete organizations below one's own.
pub const MANAGE_ORGANIZATIONS: &str = "Organizations - Manage";
/// To create, change and delete projects.
pub const MANAGE_PROJECTS: &str = "Projects - Manage";
/// To create, change, grant and withdraw roles.
pub const MANAGE_ROLES: &str = "Roles - Manage";
/// To create, change and delete users.
pub const MANAGE_USERS: &str = "Users - Manage";

/// To sign on behalf of any user, as a server does that integrates with Expert: as good as to be each
/// of them.
pub const SIGN_FOR_USERS: &str = "Users - Sign For";

/// A role that every installation has and nobody can edit.
#[derive(Clone, Copy, Debug)]
pub struct BuiltIn {
    /// Its name, the same in every realm.
    pub name: &'static str,
    /// What it allows.
    pub abilities: &'static [&'static str],
}

/// The role that may do everything in the organization it is held in, and below.
pub const OWNER: BuiltIn = BuiltIn {
    name: "Owner",
    abilities: &[
        GENERATE_API_KEY,
        HOLD_HUB_SECRET,
        INTROSPECT,
        MANAGE_API_KEYS,
        MANAGE_CREDENTIALS,
        MANAGE_GUARDS,
        MANAGE_ORGANIZATIONS,
        MANAGE_PROJECTS,
        MANAGE_ROLES,
        MANAGE_USERS,
        SIGN_FOR_USERS,
        SIGN_IN_WITH_API_KEY,
    ],
};

/// The role that may do what an Owner may, but neither change organizations nor make Owners: for
/// nobody gives a right that they do not hold.
pub const OPERATOR: BuiltIn = BuiltIn {
    name: "Operator",
    abilities: &[
        INTROSPECT,
        MANAGE_CREDENTIALS,
        MANAGE_GUARDS,
        MANAGE_PROJECTS,
        MANAGE_ROLES,
        MANAGE_USERS,
    ],
};

/// The role that looks after people and projects.
pub const CONFIGURER: BuiltIn =
    BuiltIn { name: "Configurer", abilities: &[MANAGE_PROJECTS, MANAGE_USERS] };

/// The role that says that somebody belongs, and allows nothing.
pub const MEMBER: BuiltIn = BuiltIn { name: "Member", abilities: &[] };

/// The role that lets its holders make API keys for themselves.
pub const API_KEY_GENERATE: BuiltIn =
    BuiltIn { name: "API Key Generate", abilities: &[GENERATE_API_KEY] };

/// The role that lets its holders sign in with API keys.
pub const API_KEY_SIGN_IN: BuiltIn =
    BuiltIn { name: "API Key Sign In", abilities: &[SIGN_IN_WITH_API_KEY] };

/// The role of a server that asks what the tokens stand for that it is handed.
pub const INTROSPECTOR: BuiltIn = BuiltIn { name: "Introspector", abilities: &[INTROSPECT] };

/// The role of whoever came by the exchange of Expert: they belong to the community, and may do nothing
/// but sign in.
pub const COMMUNITY_MEMBER: BuiltIn = BuiltIn { name: "Community Member", abilities: &[] };

/// The built-in roles of which a member of an organization has one, from the one that allows most.
pub const RANKS: &[BuiltIn] = &[OWNER, OPERATOR, CONFIGURER, MEMBER];

/// Every built-in role.
pub const BUILT_IN: &[BuiltIn] = &[
    OWNER,
    OPERATOR,
    CONFIGURER,
    MEMBER,
    API_KEY_GENERATE,
    API_KEY_SIGN_IN,
    INTROSPECTOR,
    COMMUNITY_MEMBER,
];
