//! The one applier: what takes away becomes visible before what gives.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use portcullis_core::authenticator::remembered::Remembered;
use portcullis_core::credential::{Credential, FiledAt, KeyVerifier};
use portcullis_core::guard::{GuardTable, Standing};
use portcullis_core::id::Id;
use portcullis_core::keyring::{Binding, Keyring, Unopened};
use portcullis_core::limits::Limits;
use portcullis_core::lookup::CredentialLookup as _;
use portcullis_core::mount::Mount;
use portcullis_core::organization::{MAX_DEPTH, Organization, State};
use portcullis_core::password::PasswordVerifier;
use portcullis_core::principal::{Group, Holder, Password, Profile, User};
use portcullis_core::scheme::{self, Kept, SchemeName};
use portcullis_core::signing::SigningKeys;
use portcullis_core::time::Timestamp;

use super::Memory;
use crate::credentials::CredentialRow;
use crate::error::StoreError;
use crate::feed::Changes;
use crate::groups::{GroupRow, MemberRow};
use crate::guards::GuardRow;
use crate::roles::GrantRow;
use crate::sessions::SessionRow;
use crate::users::UserRow;

impl Memory {
    /// Applies what a snapshot of the feed holds; `standing` are all guards that stand in it.
    ///
    /// # Errors
    /// A row is of a kind that this build does not know: whoever applies it must not go on.
    pub fn apply(&self, changes: &Changes, standing: &[GuardRow]) -> Result<(), StoreError> {
        self.check_known(changes)?;
        let signing = self.signing(changes)?;
        let guards = self.needs_guards(changes);
        for live in [false, true] {
            self.pass(changes, live);
            if !live && !changes.mounts.is_empty() {
                self.mounts.store(Arc::new(self.mounted(changes)?));
            }
            if !live && !changes.signing_keys.is_empty() {
                self.signing.store(Arc::new(signing.clone()));
            }
            if !live && guards {
                self.guards.store(Arc::new(self.table(standing, changes)?));
            }
        }
        Ok(())
    }

    /// Everything is understood before anything is changed.
    fn check_known(&self, changes: &Changes) -> Result<(), StoreError> {
        changes.credentials.iter().try_for_each(|row| match SchemeName::named(&row.scheme) {
            Some(scheme::BASIC) => password_verifier(row).map(drop),
            Some(scheme) => {
                self.open(row, scheme)?;
                self.key(row, scheme).map(drop)
            }
            None => Err(corrupt(format!("no scheme `{}`", row.scheme))),
        })?;
        changes.sessions.iter().try_for_each(|row| self.session(row).map(drop))
    }

    /// The mounts that stand once the changes are applied.
    fn mounted(&self, changes: &Changes) -> Result<Vec<Arc<Mount>>, StoreError> {
        let mut mounts = Vec::clone(&self.mounts());
        for row in &changes.mounts {
            mounts.retain(|mount| mount.id != row.id);
            if row.state == State::Active {
                mounts.push(Arc::new(row.build()?));
            }
        }
        Ok(mounts)
    }

    /// The keys that sign once the changes are applied.
    fn signing(&self, changes: &Changes) -> Result<SigningKeys, StoreError> {
        let now = SigningKeys::clone(&self.signing_keys());
        changes.signing_keys.iter().try_fold(now, |keys, row| match row.state {
            State::Active => Ok(keys.with(row.open(&self.master)?)),
            State::Deleted | State::Disabled => Ok(keys.without(row.drawn.id)),
        })
    }

    /// First what takes away, to what is there already; then everything, so that a row whose
    /// parent came with it finds it.
    fn pass(&self, changes: &Changes, live: bool) {
        let now = |state: State| live || state != State::Active;
        for row in changes.organizations.iter().filter(|row| now(row.state)) {
            self.organizations.pin().insert(row.id, Arc::new(row.clone()));
        }
        for row in changes.roles.iter().filter(|row| now(row.state)) {
            self.roles.pin().insert(row.id, Arc::new(row.clone()));
        }
        for row in changes.groups.iter().filter(|row| now(row.state)) {
            self.apply_group(row);
        }
        for row in changes.users.iter().filter(|row| now(row.state)) {
            self.apply_user(row);
        }
        for row in changes.members.iter().filter(|row| now(row.state)) {
            self.apply_member(row);
        }
        for row in changes.grants.iter().filter(|row| now(row.state)) {
            self.apply_grant(row);
        }
        for row in changes.credentials.iter().filter(|row| now(row.state)) {
            self.apply_credential(row);
        }
        for row in changes.sessions.iter().filter(|row| now(row.state)) {
            if let Ok(session) = self.session(row) {
                self.file(session, &row.limits);
            }
        }
    }

    fn apply_user(&self, row: &UserRow) {
        let before = self.user(row.id);
        let old_name = before.as_ref().and_then(|user| {
            user.login.as_ref().map(|login| self.place_of_name(user.realm, login))
        });
        let signs_in = row.signs_in && row.state != State::Deleted;
        let new_name =
            row.login.as_ref().filter(|_| signs_in).map(|it| self.place_of_name(row.realm, it));
        if let Some(old) = old_name.filter(|old| Some(*old) != new_name) {
            self.forget_name(old, row.id);
        }
        let kept = before.as_deref().cloned();
        let (password, grants, groups) =
            kept.map(|kept| (kept.password, kept.grants, kept.groups)).unwrap_or_default();
        let user = User {
            id: row.id,
            version: row.version,
            number: row.number,
            organization: row.organization,
            realm: row.realm,
            login: row.login.as_deref().map(Into::into),
            profile: Profile::new(&row.name, row.email.as_deref()),
            state: row.state,
            password,
            grants,
            groups,
        };
        self.users.pin().insert(row.id, Arc::new(user));
        if let Some(new) = new_name {
            self.names.pin().insert(new, row.id);
        }
        let number = self.place_of_number(row.realm, row.number);
        if row.state == State::Deleted {
            self.forget_name(number, row.id);
        } else {
            self.names.pin().insert(number, row.id);
        }
    }

    /// Somebody else may have the name already.
    fn forget_name(&self, place: FiledAt, id: Id<User>) {
        let names = self.names.pin();
        if names.get(&place) == Some(&id) {
            names.remove(&place);
        }
    }

    fn change_user(&self, id: Id<User>, change: impl FnOnce(&mut User)) {
        if let Some(mut user) = self.user(id).as_deref().cloned() {
            change(&mut user);
            self.users.pin().insert(id, Arc::new(user));
        }
    }

    fn apply_group(&self, row: &GroupRow) {
        let grants = self.group(row.id).map(|group| group.grants.clone()).unwrap_or_default();
        let (id, version, organization, state) = (row.id, row.version, row.organization, row.state);
        let group = Group { id, version, organization, state, grants };
        self.groups.pin().insert(row.id, Arc::new(group));
    }

    fn apply_member(&self, row: &MemberRow) {
        self.change_user(row.member, |user| {
            user.groups = with(&user.groups, row.group, row.state);
        });
    }

    fn apply_grant(&self, row: &GrantRow) {
        match row.holder {
            Holder::Group(id) => {
                if let Some(mut group) = self.group(id).as_deref().cloned() {
                    group.grants = with(&group.grants, row.grant, row.state);
                    self.groups.pin().insert(id, Arc::new(group));
                }
            }
            Holder::User(id) => self.change_user(id, |user| {
                user.grants = with(&user.grants, row.grant, row.state);
            }),
        }
    }

    fn apply_credential(&self, row: &CredentialRow) {
        match SchemeName::named(&row.scheme) {
            Some(scheme::BASIC) => self.apply_password(row),
            Some(scheme) => {
                if let (Ok(credential), Ok(keyring)) =
                    (self.key(row, scheme), self.open(row, scheme))
                {
                    self.keep((row.id, credential.filed_at), keyring);
                    self.file(credential, &row.limits);
                }
            }
            // `check_known` has seen to it.
            None => {}
        }
    }

    /// What limits a credential is there before the record that says it is limited. What limits it no
    /// longer stays, for a record of then may still be in somebody's hand; of one that was revoked it
    /// goes, for without it such a record proves nothing.
    fn file(&self, credential: Credential, limits: &Limits) {
        if !limits.is_empty() {
            self.limits.pin().insert(credential.id, Arc::new(limits.clone()));
        }
        self.credentials.pin().insert(credential.filed_at, credential);
        if credential.state == State::Deleted {
            self.limits.pin().remove(&credential.id);
        }
    }

    fn apply_password(&self, row: &CredentialRow) {
        let filed_at = self.place_of_key(scheme::BASIC, &row.key);
        let credential = Credential { filed_at, ..credential(row, scheme::BASIC) };
        self.credentials.pin().insert(filed_at, credential);
        self.change_user(row.owner, |user| {
            let mine = user.password.as_ref().is_none_or(|it| it.credential.id == row.id);
            match password_verifier(row) {
                Ok(Some(verifier)) => {
                    let remembered = Remembered::empty();
                    user.password = Some(Arc::new(Password { credential, verifier, remembered }));
                }
                Ok(None) | Err(_) if mine => user.password = None,
                Ok(None) | Err(_) => {}
            }
        });
    }

    fn session(&self, row: &SessionRow) -> Result<Credential, StoreError> {
        let of = |name: &str| {
            SchemeName::named(name).ok_or_else(|| corrupt(format!("no scheme `{name}`")))
        };
        let scheme = of(&row.scheme)?;
        let verifier = KeyVerifier::from_bytes(&row.verifier)
            .ok_or_else(|| corrupt("the form of a verifier is not known".into()))?;
        Ok(Credential {
            id: row.id,
            version: row.version,
            scheme,
            owner: row.owner,
            state: row.state,
            not_before: Timestamp::MIN,
            expires: row.expires,
            slides: slides(row),
            minted: row.created,
            limited: !row.limits.is_empty(),
            read_only: row.read_only,
            verifier,
            filed_at: self.place_of_key(scheme, &row.key),
            parent: Some(self.place_of_key(of(&row.parent_scheme)?, &row.parent_key)),
        })
    }

    fn key(&self, row: &CredentialRow, scheme: SchemeName) -> Result<Credential, StoreError> {
        let filed_at = self.place_of_key(scheme, &row.key);
        let stored = Credential { filed_at, ..credential(row, scheme) };
        // What checks it stands beside it, or is opened where it is needed.
        if matches!(scheme.kept(), Kept::Opened | Kept::Sealed) {
            return Ok(stored);
        }
        let verifier = KeyVerifier::from_bytes(&row.verifier)
            .ok_or_else(|| corrupt("the form of a verifier is not known".into()))?;
        Ok(Credential { verifier, ..stored })
    }

    /// The secrets of a credential that is kept open, while it may still be used again.
    fn open(
        &self,
        row: &CredentialRow,
        scheme: SchemeName,
    ) -> Result<Option<Arc<Keyring>>, StoreError> {
        if scheme.kept() != Kept::Opened || row.state == State::Deleted {
            return Ok(None);
        }
        let binding = Binding { scheme, key: &row.key, owner: row.owner.as_bytes() };
        match Keyring::open(&row.verifier, &self.master, binding) {
            Ok(keyring) => Ok(Some(Arc::new(keyring))),
            Err(Unopened::Form) => Err(corrupt("the form of a keyring is not known".into())),
            Err(Unopened::Seal(source)) => {
                Err(StoreError::Seal { what: "a secret in the database", source })
            }
        }
    }

    /// A keyring is there before the record it is of, so that no record is checked with an older one.
    fn keep(&self, (id, place): (Id<Credential>, FiledAt), keyring: Option<Arc<Keyring>>) {
        match keyring {
            Some(keyring) => drop(self.keyrings.pin().insert(id, (place, keyring))),
            None => drop(self.keyrings.pin().remove(&id)),
        }
    }

    /// Whether `changes` could change which guards stand: all of them are needed then.
    pub fn needs_guards(&self, changes: &Changes) -> bool {
        let switched = |row: &Organization| {
            self.organization(row.id).is_some_and(|before| before.state != row.state)
        };
        !changes.guards.is_empty() || changes.organizations.iter().any(switched)
    }

    /// The table of all guards whose organizations are active; one that cannot be built, or
    /// overlaps, stops the node.
    fn table(&self, standing: &[GuardRow], changes: &Changes) -> Result<GuardTable, StoreError> {
        let new = changes.organizations.iter().map(|row| (row.id, row)).collect();
        let tree = Tree { memory: self, new };
        let mut table = GuardTable::default();
        for row in standing {
            let Some(realm) = tree.realm(row.organization) else { continue };
            let built = row.definition.build(Standing {
                id: row.id,
                version: row.version,
                source: row.source,
                organization: row.organization,
                realm,
            });
            let guard = Arc::new(built.map_err(|bad| guard_corrupt(row, &bad.to_string()))?);
            table.insert(&guard).map_err(|overlap| guard_corrupt(row, &overlap.to_string()))?;
        }
        Ok(table)
    }
}

/// The organizations as they will be once the changes are applied.
struct Tree<'a> {
    memory: &'a Memory,
    new: HashMap<Id<Organization>, &'a Organization>,
}

impl Tree<'_> {
    /// The realm of `organization`, if it and all above it are active.
    fn realm(&self, organization: Id<Organization>) -> Option<Id<Organization>> {
        let (mut realm, mut at) = (None, Some(organization));
        for _ in 0..MAX_DEPTH {
            let Some(id) = at else { break };
            let (state, is_realm, parent) = self.find(id)?;
            if state != State::Active {
                return None;
            }
            realm = realm.or(is_realm.then_some(id));
            at = parent;
        }
        // Deeper than a tree can be: a damaged database, in which no guard stands.
        realm.filter(|_| at.is_none())
    }

    fn find(&self, id: Id<Organization>) -> Option<(State, bool, Option<Id<Organization>>)> {
        if let Some(new) = self.new.get(&id) {
            return Some((new.state, new.realm, new.parent));
        }
        self.memory.organization(id).map(|found| (found.state, found.realm, found.parent))
    }
}

fn credential(row: &CredentialRow, scheme: SchemeName) -> Credential {
    Credential {
        id: row.id,
        version: row.version,
        scheme,
        owner: row.owner,
        state: row.state,
        not_before: row.not_before.unwrap_or(Timestamp::MIN),
        expires: row.expires.unwrap_or(Timestamp::MAX),
        slides: None,
        minted: Timestamp::MIN,
        limited: !row.limits.is_empty(),
        read_only: row.read_only,
        verifier: KeyVerifier::decoy(portcullis_core::seal::PepperId(0), [0; 32]),
        filed_at: FiledAt([0; 16]),
        parent: None,
    }
}

/// How many seconds after its last use a session expires, while its end lets that move. What is
/// shorter than a second does not slide.
fn slides(row: &SessionRow) -> Option<NonZeroU32> {
    let seconds = u32::try_from(row.idle.as_secs()).unwrap_or(u32::MAX);
    NonZeroU32::new(seconds).filter(|_| row.expires < row.ends)
}

/// What checks a password; nothing once it is gone.
fn password_verifier(row: &CredentialRow) -> Result<Option<PasswordVerifier>, StoreError> {
    if row.state == State::Deleted {
        return Ok(None);
    }
    let verifier = PasswordVerifier::from_bytes(&row.verifier)
        .ok_or_else(|| corrupt("the form of a password verifier is not known".into()))?;
    Ok(Some(verifier))
}

/// `all` with `one` in it, or without it.
fn with<T: Copy + PartialEq>(all: &[T], one: T, state: State) -> Box<[T]> {
    let others = all.iter().copied().filter(|it| *it != one);
    others.chain((state == State::Active).then_some(one)).collect()
}

const fn corrupt(reason: String) -> StoreError {
    StoreError::Corrupt { table: "credentials", reason }
}

fn guard_corrupt(row: &GuardRow, reason: &str) -> StoreError {
    let reason = format!("guard `{}`: {reason}", row.definition.name);
    StoreError::Corrupt { table: "guards", reason }
}
