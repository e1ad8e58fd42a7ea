//! Users and their passwords.

use portcullis_core::ability::BuiltIn;
use portcullis_core::name;
use portcullis_core::organization::State;
use portcullis_core::password::{PasswordVerifier, check_choice};
use portcullis_core::principal::Grant;
use portcullis_core::secret::SecretBuf;
use portcullis_store::users::{NewUser, UserRow};

use super::{ActionError, Actions};

impl Actions {
    /// Makes a user of the root organization.
    pub(crate) async fn create_user(&self, login: &str) -> Result<(), ActionError> {
        let organization = self.root().await?;
        let login = name::canonical(login)?.into_owned();
        let told = login.clone();
        let made = self.store.write(self.write("user.create")?, move |writing| {
            let login_name = Some(login.clone());
            let new =
                NewUser { organization, login: login_name, name: login.clone(), signs_in: true };
            writing.note(format!("user {login}"), "");
            writing.insert_user(&new)
        });
        let made =
            made.await.map_err(|error| ActionError::or_exists(error, format!("user `{told}`")))?;
        self.acknowledge.wait(&self.store, made.revision).await
    }

    /// The user who signs in as `login`.
    pub(crate) async fn find_user(&self, login: &str) -> Result<UserRow, ActionError> {
        let root = self.root().await?;
        let login = name::canonical(login)?.into_owned();
        let told = login.clone();
        let found = self.store.read(move |reading| reading.find_user(root, &login)).await?;
        found.ok_or_else(|| ActionError::Missing(format!("user `{told}`")))
    }

    /// The users of the root realm.
    pub(crate) async fn list_users(&self) -> Result<Vec<UserRow>, ActionError> {
        let root = self.root().await?;
        Ok(self.store.read(move |reading| reading.list_users(root, 0)).await?)
    }

    /// Sets a password; whatever was remembered of the old one is forgotten.
    pub(crate) async fn set_password(
        &self,
        login: &str,
        password: &SecretBuf,
    ) -> Result<(), ActionError> {
        check_choice(password.expose_text())?;
        let user = self.find_user(login).await?;
        let verifier = PasswordVerifier::make(password, self.cost, self.peppers.current())?;
        let write = self.write("user.password")?.urgent();
        let done = self.store.write(write, move |writing| {
            writing.note(format!("user {}", user.id), "");
            writing.set_password(user.id, &verifier.to_bytes())
        });
        self.acknowledge.wait(&self.store, done.await?.revision).await
    }

    /// Switches a user, and with them everything that stands for them.
    pub(crate) async fn set_user_state(
        &self,
        login: &str,
        state: State,
    ) -> Result<(), ActionError> {
        let user = self.find_user(login).await?;
        let write = self.write("user.state")?.urgent();
        let done = self.store.write(write, move |writing| {
            writing.note(format!("user {}", user.id), state.as_str());
            writing.set_user_state(user.id, state)
        });
        self.acknowledge.wait(&self.store, done.await?.revision).await
    }

    /// Gives a user a built-in role in the root organization.
    pub(crate) async fn grant(&self, login: &str, role: BuiltIn) -> Result<(), ActionError> {
        let (root, user) = (self.root().await?, self.find_user(login).await?);
        let found = self.store.read(move |reading| reading.find_role(root, role.name)).await?;
        let found = found.ok_or_else(|| ActionError::Missing(format!("role `{}`", role.name)))?;
        let grant = Grant { role: found.id, organization: root };
        let done = self.store.write(self.write("role.grant")?, move |writing| {
            writing.note(format!("user {}", user.id), role.name);
            writing.set_grant(user.id, grant, State::Active)
        });
        self.acknowledge.wait(&self.store, done.await?.revision).await
    }
}
