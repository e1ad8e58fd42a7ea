//! Users and their passwords.

use portcullis_core::ability::{MANAGE_CREDENTIALS, MANAGE_USERS};
use portcullis_core::id::Id;
use portcullis_core::name;
use portcullis_core::organization::{Organization, State};
use portcullis_core::password::{PasswordVerifier, check_choice};
use portcullis_core::scheme::BASIC;
use portcullis_core::secret::SecretBuf;
use portcullis_store::users::{NewUser, UserChange, UserRow};

use super::authority::Needs;
use super::{ActionError, Actions, Deed};

/// The number of the user who never signs in, in every realm.
const ANONYMOUS: i64 = 2;

const fn needs(organization: Id<Organization>) -> Needs {
    Needs { ability: MANAGE_USERS, organization }
}

/// What a new user is to be, as somebody wrote it.
#[derive(Clone, Debug, Default)]
pub(crate) struct UserOptions {
    /// The login name; without one they cannot sign in by name.
    pub(crate) login: Option<String>,
    /// The address; empty is none.
    pub(crate) email: String,
    /// What people call them; without one, the login name.
    pub(crate) name: Option<String>,
}

impl Actions {
    /// Makes a user of `organization`.
    pub(crate) async fn create_user(
        &self,
        organization: Id<Organization>,
        options: UserOptions,
    ) -> Result<UserRow, ActionError> {
        let new = new_user(organization, options)?;
        let told = new.clone();
        let made = self.act(Deed::new("user.create", needs(organization)), move |writing| {
            let made = writing.insert_user(&new)?;
            writing.note(format!("user {}", made.id), made.login.clone().unwrap_or_default());
            Ok(made)
        });
        made.await.map_err(|error| error.or_exists(|| taken(&told)))
    }

    /// The user who signs in to `realm` as `login`.
    pub(crate) async fn find_user(
        &self,
        realm: Id<Organization>,
        login: &str,
    ) -> Result<UserRow, ActionError> {
        let login = name::canonical(login)?.into_owned();
        let told = login.clone();
        let found = self.store.read(move |reading| reading.find_user(realm, &login)).await?;
        found.ok_or_else(|| ActionError::Missing(format!("user `{told}`")))
    }

    /// A page of the users of `realm`, numbered above `after`.
    pub(crate) async fn list_users(
        &self,
        realm: Id<Organization>,
        after: i64,
    ) -> Result<Vec<UserRow>, ActionError> {
        Ok(self.store.read(move |reading| reading.list_users(realm, after)).await?)
    }

    /// Changes what is known of a user.
    pub(crate) async fn update_user(
        &self,
        user: &UserRow,
        email: Option<&str>,
        name: Option<&str>,
    ) -> Result<(), ActionError> {
        let change = UserChange {
            email: email.map(name::address).transpose()?,
            name: name.map(name::title).transpose()?.map(Into::into),
        };
        let (id, deed) = (user.id, Deed::new("user.update", needs(user.organization)));
        let done = self.act(deed, move |writing| {
            writing.note(format!("user {id}"), "");
            writing.update_user(id, &change)
        });
        done.await.map_err(|error| error.or_exists(|| "a user with this address".into()))
    }

    /// Sets a password; whatever was remembered of the old one, or minted from it, ends.
    pub(crate) async fn set_password(
        &self,
        user: &UserRow,
        password: &SecretBuf,
    ) -> Result<(), ActionError> {
        check_choice(password.expose_text())?;
        if !user.signs_in {
            return Err(ActionError::Unfit("this user never signs in"));
        }
        let verifier = PasswordVerifier::make(password, self.cost, self.peppers.current())?;
        let needs = Needs { ability: MANAGE_CREDENTIALS, organization: user.organization };
        let id = user.id;
        self.act(Deed::new("user.password", needs).urgent(), move |writing| {
            writing.note(format!("user {id}"), "");
            writing.set_password(id, &verifier.to_bytes()).map(drop)
        })
        .await
    }

    /// Whether a user has a password.
    pub(crate) async fn has_password(&self, user: &UserRow) -> Result<bool, ActionError> {
        let id = user.id;
        let found = self.store.read(move |reading| reading.list_credentials(id)).await?;
        Ok(found.iter().any(|it| it.scheme == BASIC.as_str() && it.state != State::Deleted))
    }

    /// Switches a user, and with them everything that stands for them.
    pub(crate) async fn set_user_state(
        &self,
        user: &UserRow,
        state: State,
    ) -> Result<(), ActionError> {
        if user.number == ANONYMOUS {
            return Err(ActionError::Unfit("user 2 stands for nobody, and stays as it is"));
        }
        let id = user.id;
        self.act(Deed::new("user.state", needs(user.organization)).urgent(), move |writing| {
            writing.note(format!("user {id}"), state.as_str());
            writing.set_user_state(id, state)
        })
        .await
    }
}

fn new_user(organization: Id<Organization>, options: UserOptions) -> Result<NewUser, ActionError> {
    let login = options.login.as_deref().map(name::canonical).transpose()?;
    let login = login.map(std::borrow::Cow::into_owned);
    let name = match (options.name, &login) {
        (Some(name), _) => name::title(&name)?.to_owned(),
        (None, Some(login)) => login.clone(),
        (None, None) => return Err(ActionError::Unfit("a user has a name or a login name")),
    };
    let email = name::address(&options.email)?;
    Ok(NewUser { organization, login, email, name, signs_in: true })
}

/// Which of two unique things it was, nobody can tell from the conflict alone.
fn taken(new: &NewUser) -> String {
    match (&new.login, &new.email) {
        (Some(login), None) => format!("user `{login}`"),
        (Some(login), Some(email)) => format!("user `{login}`, or one with the address `{email}`,"),
        (None, Some(email)) => format!("a user with the address `{email}`"),
        (None, None) => "the user".into(),
    }
}
