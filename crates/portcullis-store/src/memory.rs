//! What is live, kept by the feed: the lookup that requests are judged by.

mod applier;
mod follower;
mod lease;
mod used;

use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use arc_swap::ArcSwap;
use papaya::HashMap;
use portcullis_core::credential::{Credential, FiledAt};
use portcullis_core::guard::GuardTable;
use portcullis_core::id::Id;
use portcullis_core::keyring::Keyring;
use portcullis_core::limits::Limits;
use portcullis_core::lookup::CredentialLookup;
use portcullis_core::mount::Mount;
use portcullis_core::organization::{Organization, State};
use portcullis_core::principal::{Group, Role, User};
use portcullis_core::scheme::SchemeName;
use portcullis_core::seal::{MacKey, MasterKey, NoEntropy};
use portcullis_core::signing::SigningKeys;
use portcullis_core::tally;

pub use follower::{Followed, Follower};
pub use lease::{FORGOTTEN_MILLIS, LEASE_MILLIS, Lease, LeaseOver, PRESUMED_DEAD_MILLIS};
use used::Used;

/// All live records of one node. Only its one applier changes it.
pub struct Memory {
    /// Under this key, drawn at start, places in the index are digests that leak nothing.
    places: MacKey,
    credentials: HashMap<FiledAt, Credential, Digested>,
    /// By login name, and by number.
    names: HashMap<FiledAt, Id<User>, Digested>,
    users: HashMap<Id<User>, Arc<User>>,
    organizations: HashMap<Id<Organization>, Arc<Organization>>,
    roles: HashMap<Id<Role>, Arc<Role>>,
    groups: HashMap<Id<Group>, Arc<Group>>,
    limits: HashMap<Id<Credential>, Arc<Limits>>,
    /// With where the credential is filed.
    keyrings: HashMap<Id<Credential>, (FiledAt, Arc<Keyring>)>,
    /// What keyrings are sealed under.
    master: Arc<MasterKey>,
    used: HashMap<Id<Credential>, Used>,
    guards: ArcSwap<GuardTable>,
    mounts: ArcSwap<Vec<Arc<Mount>>>,
    signing: ArcSwap<SigningKeys>,
}

/// Places are digests under a key that nobody knows: their own bytes are the best hash of them.
type Digested = BuildHasherDefault<FirstBytes>;

/// Takes the first eight bytes of a place for its hash.
#[derive(Debug, Default)]
struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.first_chunk().copied().map_or(self.0, u64::from_le_bytes);
    }

    // The length of a place, which all have.
    fn write_usize(&mut self, _length: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Memory {
    /// Nothing yet; what is kept sealed will be opened with `master`.
    ///
    /// # Errors
    /// The system gave no randomness.
    pub fn empty(master: Arc<MasterKey>) -> Result<Self, NoEntropy> {
        Ok(Self {
            places: MacKey::fresh()?,
            credentials: HashMap::default(),
            names: HashMap::default(),
            users: HashMap::new(),
            organizations: HashMap::new(),
            roles: HashMap::new(),
            groups: HashMap::new(),
            limits: HashMap::new(),
            keyrings: HashMap::new(),
            master,
            used: HashMap::new(),
            guards: ArcSwap::default(),
            mounts: ArcSwap::default(),
            signing: ArcSwap::default(),
        })
    }

    /// The guards that stand now.
    pub fn guards(&self) -> arc_swap::Guard<Arc<GuardTable>> {
        self.guards.load()
    }

    /// The mounts that stand now.
    pub fn mounts(&self) -> arc_swap::Guard<Arc<Vec<Arc<Mount>>>> {
        self.mounts.load()
    }

    /// The keys that sign what upstreams are told.
    pub fn signing_keys(&self) -> arc_swap::Guard<Arc<SigningKeys>> {
        self.signing.load()
    }

    /// Whether one of the credentials that are kept open and not switched off, of an owner in `realm`,
    /// is as `test` says.
    pub fn any_keyring(&self, realm: Id<Organization>, test: impl Fn(&Keyring) -> bool) -> bool {
        let stands = |place| {
            let found = self.filed_at(place).filter(|it| it.state == State::Active);
            let owner = found.and_then(|credential| self.user(credential.owner));
            owner.is_some_and(|owner| owner.realm == realm && owner.state == State::Active)
        };
        self.keyrings.pin().values().any(|(place, keyring)| test(keyring) && stands(*place))
    }

    fn place(&self, kind: &str, parts: [&[u8]; 2]) -> FiledAt {
        let [fixed, rest] = parts;
        let digest = self.places.digest(&[kind.as_bytes(), b"\0", fixed, b"\0", rest]);
        FiledAt(digest.first_chunk().copied().unwrap_or_default())
    }

    fn place_of_key(&self, scheme: SchemeName, key: &str) -> FiledAt {
        self.place(scheme.as_str(), [b"", key.as_bytes()])
    }

    fn place_of_name(&self, realm: Id<Organization>, login: &str) -> FiledAt {
        self.place("name", [realm.as_bytes(), login.as_bytes()])
    }

    fn place_of_number(&self, realm: Id<Organization>, number: i64) -> FiledAt {
        self.place("number", [realm.as_bytes(), &number.to_be_bytes()])
    }

    fn at(&self, place: FiledAt) -> Option<Arc<User>> {
        let id = self.names.pin().get(&place).copied()?;
        self.user(id)
    }
}

impl CredentialLookup for Memory {
    fn credential(&self, scheme: SchemeName, key: &str) -> Option<Credential> {
        self.filed_at(self.place_of_key(scheme, key))
    }

    fn filed_at(&self, place: FiledAt) -> Option<Credential> {
        tally::lookup();
        self.credentials.pin().get(&place).copied()
    }

    fn limits(&self, id: Id<Credential>) -> Option<Arc<Limits>> {
        tally::lookup();
        self.limits.pin().get(&id).map(Arc::clone)
    }

    fn keyring(&self, id: Id<Credential>) -> Option<Arc<Keyring>> {
        self.keyrings.pin().get(&id).map(|(_, keyring)| Arc::clone(keyring))
    }

    fn named(&self, realm: Id<Organization>, login: &str) -> Option<Arc<User>> {
        tally::lookup();
        self.at(self.place_of_name(realm, login))
    }

    fn numbered(&self, realm: Id<Organization>, number: i64) -> Option<Arc<User>> {
        tally::lookup();
        self.at(self.place_of_number(realm, number))
    }

    fn user(&self, id: Id<User>) -> Option<Arc<User>> {
        tally::lookup();
        self.users.pin().get(&id).map(Arc::clone)
    }

    fn organization(&self, id: Id<Organization>) -> Option<Arc<Organization>> {
        tally::lookup();
        self.organizations.pin().get(&id).map(Arc::clone)
    }

    fn group(&self, id: Id<Group>) -> Option<Arc<Group>> {
        self.groups.pin().get(&id).map(Arc::clone)
    }

    fn role(&self, id: Id<Role>) -> Option<Arc<Role>> {
        self.roles.pin().get(&id).map(Arc::clone)
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory")
            .field("credentials", &self.credentials.len())
            .field("users", &self.users.len())
            .finish_non_exhaustive()
    }
}
