//! Users and their passwords.

use portcullis_core::ability::{HOLD_HUB_SECRET, MANAGE_CREDENTIALS, MANAGE_USERS};
use portcullis_core::id::Id;
use portcullis_core::name;
use portcullis_core::organization::{Organization, State};
use portcullis_core::password::{PasswordVerifier, check_choice};
use portcullis_core::principal::{ANONYMOUS, Grant, Holder, Role, User};
use portcullis_core::scheme::{BASIC, HUB_TOKEN};
use portcullis_core::secret::SecretBuf;
use portcullis_store::users::{NewUser, UserChange, UserRow};

use super::authority::Needs;
use super::{ActionError, Actions, Deed};

fn needs(organization: Id<Organization>) -> Needs {
    Needs::one(MANAGE_USERS, organization)
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

/// What is to be changed of a user, as somebody wrote it; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub(crate) struct UserUpdate {
    /// The address; empty takes it away.
    pub(crate) email: Option<String>,
    /// What people call them.
    pub(crate) name: Option<String>,
    /// The one built-in role they are to hold in their own organization.
    pub(crate) role: Option<Role>,
}

/// One write makes at most so many users: each touches three rows, and a write holds everybody
/// else's up for as long as it takes.
pub(crate) const MAX_AT_ONCE: usize = 300;

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

    /// Makes several users of `organization`, each with a role there: all of them or none.
    pub(crate) async fn create_users(
        &self,
        organization: Id<Organization>,
        users: Vec<(UserOptions, Role)>,
    ) -> Result<Vec<UserRow>, ActionError> {
        if users.len() > MAX_AT_ONCE {
            return Err(ActionError::Unfit("at most 300 users are made at once"));
        }
        let needs = users.iter().fold(needs(organization), |needs, (_, role)| needs.and_role(role));
        let new = users.into_iter().map(|(options, role)| {
            Ok((new_user(organization, options)?, Grant { role: role.id, organization }))
        });
        let new = new.collect::<Result<Vec<_>, ActionError>>()?;
        let made = self.act(Deed::new("user.create", needs), move |writing| {
            let mut made = Vec::new();
            for (user, grant) in &new {
                let user = writing.insert_user(user)?;
                writing.set_grant(Holder::User(user.id), *grant, State::Active)?;
                made.push(user);
            }
            let ids: Vec<_> = made.iter().map(|user| user.id.to_string()).collect();
            writing.note(format!("organization {organization}"), ids.join(" "));
            Ok(made)
        });
        made.await.map_err(|error| error.or_exists(|| "a user with one of these addresses".into()))
    }

    /// The user of `realm` with this number.
    pub(crate) async fn find_user_numbered(
        &self,
        realm: Id<Organization>,
        number: i64,
    ) -> Result<UserRow, ActionError> {
        let found = self.store.read(move |reading| reading.find_user_numbered(realm, number));
        found.await?.ok_or_else(|| ActionError::Missing(format!("user {number}")))
    }

    /// The user of `realm` with this identity, as long as they are there.
    pub(crate) async fn find_user_by_id(
        &self,
        realm: Id<Organization>,
        id: Id<User>,
    ) -> Result<UserRow, ActionError> {
        let found = self.store.read(move |reading| reading.find_user_row(id)).await?;
        let found = found.filter(|user| user.realm == realm && user.state != State::Deleted);
        found.ok_or_else(|| ActionError::Missing(format!("user {id}")))
    }

    /// A page of the users of `organization` itself, numbered above `after`.
    pub(crate) async fn list_users_of(
        &self,
        organization: Id<Organization>,
        after: i64,
        count: i64,
    ) -> Result<Vec<UserRow>, ActionError> {
        let page = self.store.read(move |it| it.list_users_of(organization, after, count));
        Ok(page.await?)
    }

    /// Changes what is known of a user. With a role, it takes the place of the built-in ones that
    /// the user holds in their own organization.
    pub(crate) async fn update_user(
        &self,
        user: &UserRow,
        update: UserUpdate,
    ) -> Result<(), ActionError> {
        let change = UserChange {
            email: update.email.as_deref().map(name::address).transpose()?,
            name: update.name.as_deref().map(name::title).transpose()?.map(Into::into),
        };
        let (id, organization) = (user.id, user.organization);
        let needs = needs(organization).over(id);
        let needs = match &update.role {
            Some(role) => needs.and_role(role),
            None => needs,
        };
        let loses =
            update.role.as_ref().is_some_and(|role| !role.abilities.contains(HOLD_HUB_SECRET));
        let role = update.role.map(|role| Grant { role: role.id, organization });
        let deed = Deed::new("user.update", needs);
        let deed = if role.is_some() { deed.urgent() } else { deed };
        let done = self.act(deed, move |writing| {
            writing.note(format!("user {id}"), "");
            if let Some(grant) = role {
                writing.withdraw_ranks(id, organization)?;
                writing.set_grant(Holder::User(id), grant, State::Active)?;
            }
            if loses {
                // Dies with the role, whatever role comes later.
                writing.take_credentials(id, HUB_TOKEN)?;
            }
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
        let id = user.id;
        let needs = Needs::one(MANAGE_CREDENTIALS, user.organization).over(id);
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
        let deed = Deed::new("user.state", needs(user.organization).over(id)).urgent();
        self.act(deed, move |writing| {
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
