//! The one applier: what takes away becomes visible before what gives.

use std::sync::Arc;

use portcullis_core::authenticator::remembered::Remembered;
use portcullis_core::credential::{Credential, FiledAt, KeyVerifier};
use portcullis_core::guard::{GuardTable, Standing};
use portcullis_core::id::Id;
use portcullis_core::lookup::CredentialLookup as _;
use portcullis_core::organization::{Organization, State};
use portcullis_core::password::PasswordVerifier;
use portcullis_core::principal::{Password, User};
use portcullis_core::scheme::{self, SchemeName};
use portcullis_core::time::Timestamp;

use super::Memory;
use crate::credentials::CredentialRow;
use crate::error::StoreError;
use crate::feed::Changes;
use crate::guards::GuardRow;
use crate::roles::GrantRow;
use crate::users::UserRow;

/// A user as a copy that can be changed before it replaces the one in memory.
fn copy(user: &User) -> User {
    User {
        id: user.id,
        version: user.version,
        number: user.number,
        organization: user.organization,
        realm: user.realm,
        login: user.login.clone(),
        state: user.state,
        password: user.password.as_ref().map(|password| Password {
            credential: password.credential,
            verifier: password.verifier,
            remembered: Remembered::empty(),
        }),
        grants: user.grants.clone(),
        groups: user.groups.clone(),
    }
}

impl Memory {
    /// Applies what a snapshot of the feed holds; `standing` are all guards that stand in it.
    ///
    /// # Errors
    /// A row is of a kind that this build does not know: whoever applies it must not go on.
    pub fn apply(&self, changes: &Changes, standing: &[GuardRow]) -> Result<(), StoreError> {
        self.check_known(changes)?;
        for live in [false, true] {
            self.pass(changes, live);
            if !live && !changes.guards.is_empty() {
                self.guards.store(Arc::new(self.table(standing, changes)?));
            }
        }
        Ok(())
    }

    /// Everything is understood before anything is changed.
    fn check_known(&self, changes: &Changes) -> Result<(), StoreError> {
        changes.credentials.iter().try_for_each(|row| match SchemeName::named(&row.scheme) {
            Some(scheme::BASIC) => password_verifier(row).map(drop),
            Some(scheme) => self.key(row, scheme).map(drop),
            None => Err(corrupt(format!("no scheme `{}`", row.scheme))),
        })
    }

    fn pass(&self, changes: &Changes, live: bool) {
        let now = |state: State| (state == State::Active) == live;
        for row in changes.organizations.iter().filter(|row| now(row.state)) {
            self.organizations.pin().insert(row.id, Arc::new(row.clone()));
        }
        for row in changes.roles.iter().filter(|row| now(row.state)) {
            self.roles.pin().insert(row.id, Arc::new(row.clone()));
        }
        for row in changes.users.iter().filter(|row| now(row.state)) {
            self.apply_user(row);
        }
        for row in changes.grants.iter().filter(|row| now(row.state)) {
            self.apply_grant(row);
        }
        for row in changes.credentials.iter().filter(|row| now(row.state)) {
            self.apply_credential(row);
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
            self.names.pin().remove(&old);
        }
        let kept = before.as_deref().map(copy);
        let (password, grants, groups) =
            kept.map(|kept| (kept.password, kept.grants, kept.groups)).unwrap_or_default();
        let user = User {
            id: row.id,
            version: row.version,
            number: row.number,
            organization: row.organization,
            realm: row.realm,
            login: row.login.as_deref().map(Into::into),
            state: row.state,
            password,
            grants,
            groups,
        };
        self.users.pin().insert(row.id, Arc::new(user));
        if let Some(new) = new_name {
            self.names.pin().insert(new, row.id);
        }
    }

    fn change_user(&self, id: Id<User>, change: impl FnOnce(&mut User)) {
        if let Some(before) = self.user(id) {
            let mut user = copy(&before);
            change(&mut user);
            self.users.pin().insert(id, Arc::new(user));
        }
    }

    fn apply_grant(&self, row: &GrantRow) {
        self.change_user(row.holder, |user| {
            let mut grants: Vec<_> =
                user.grants.iter().copied().filter(|grant| *grant != row.grant).collect();
            if row.state == State::Active {
                grants.push(row.grant);
            }
            user.grants = grants.into();
        });
    }

    fn apply_credential(&self, row: &CredentialRow) {
        match SchemeName::named(&row.scheme) {
            Some(scheme::BASIC) => {
                if let Ok((credential, verifier)) = password_verifier(row) {
                    let remembered = Remembered::empty();
                    let password = Password { credential, verifier, remembered };
                    self.change_user(row.owner, |user| user.password = Some(password));
                }
            }
            Some(scheme) => {
                if let Ok(credential) = self.key(row, scheme) {
                    self.credentials.pin().insert(credential.filed_at, credential);
                }
            }
            // `check_known` has seen to it.
            None => {}
        }
    }

    fn key(&self, row: &CredentialRow, scheme: SchemeName) -> Result<Credential, StoreError> {
        let verifier = KeyVerifier::from_bytes(&row.verifier)
            .ok_or_else(|| corrupt("the form of a verifier is not known".into()))?;
        let filed_at = self.place_of_key(scheme, &row.key);
        Ok(Credential { verifier, filed_at, ..credential(row, scheme) })
    }

    /// The table of all guards; one that cannot be built, or overlaps, stops the node.
    fn table(&self, standing: &[GuardRow], changes: &Changes) -> Result<GuardTable, StoreError> {
        let mut table = GuardTable::default();
        for row in standing {
            let built = row.definition.build(Standing {
                id: row.id,
                version: row.version,
                source: row.source,
                organization: row.organization,
                realm: self.realm(row.organization, changes),
            });
            let guard = Arc::new(built.map_err(|bad| guard_corrupt(row, &bad.to_string()))?);
            table.insert(&guard).map_err(|overlap| guard_corrupt(row, &overlap.to_string()))?;
        }
        Ok(table)
    }

    fn realm(&self, organization: Id<Organization>, changes: &Changes) -> Id<Organization> {
        let mut at = organization;
        for _ in 0..portcullis_core::organization::MAX_DEPTH {
            let new = changes.organizations.iter().find(|it| it.id == at).cloned().map(Arc::new);
            match new.or_else(|| self.organization(at)) {
                Some(found) if !found.realm => at = found.parent.unwrap_or(organization),
                _ => return at,
            }
        }
        at
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
        read_only: row.read_only,
        verifier: KeyVerifier::decoy(portcullis_core::seal::PepperId(0), [0; 32]),
        filed_at: FiledAt([0; 16]),
    }
}

fn password_verifier(row: &CredentialRow) -> Result<(Credential, PasswordVerifier), StoreError> {
    let verifier = PasswordVerifier::from_bytes(&row.verifier)
        .ok_or_else(|| corrupt("the form of a password verifier is not known".into()))?;
    Ok((credential(row, scheme::BASIC), verifier))
}

const fn corrupt(reason: String) -> StoreError {
    StoreError::Corrupt { table: "credentials", reason }
}

fn guard_corrupt(row: &GuardRow, reason: &str) -> StoreError {
    let reason = format!("guard `{}`: {reason}", row.definition.name);
    StoreError::Corrupt { table: "guards", reason }
}
