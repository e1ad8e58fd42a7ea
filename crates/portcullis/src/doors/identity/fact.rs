//! What each preset tells, and under which names.

use http::HeaderName;
use portcullis_core::guard::Preset;

/// One thing that an upstream may be told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fact {
    /// Whether no user stands behind the request.
    Anonymous,
    /// The id of the credential.
    Credential,
    /// The user's address.
    Email,
    /// The user's login name.
    Login,
    /// What people call the user.
    Name,
    /// The network that stands for the caller.
    Network,
    /// The user's number, which dialects show.
    Number,
    /// The id of the organization of the credential's owner.
    Organization,
    /// The request's id.
    Request,
    /// The names of the roles that the user holds in the guard's organization.
    Roles,
    /// How the caller was proven.
    Scheme,
    /// Which kind of subject the request is on behalf of.
    Subject,
    /// The account it is on behalf of.
    SubjectAccount,
    /// The user it is on behalf of.
    SubjectUser,
    /// The user's id.
    User,
}

/// The headers of `preset`.
pub(super) const fn headers(preset: Preset) -> &'static [(HeaderName, Fact)] {
    match preset {
        Preset::AuthRequest => &AUTH_REQUEST,
        Preset::Consumer => &CONSUMER,
        Preset::Portcullis => &PORTCULLIS,
        Preset::Remote => &REMOTE,
    }
}

static AUTH_REQUEST: [(HeaderName, Fact); 4] = [
    (HeaderName::from_static("x-auth-request-user"), Fact::User),
    (HeaderName::from_static("x-auth-request-preferred-username"), Fact::Login),
    (HeaderName::from_static("x-auth-request-email"), Fact::Email),
    (HeaderName::from_static("x-auth-request-groups"), Fact::Roles),
];

static CONSUMER: [(HeaderName, Fact); 6] = [
    (HeaderName::from_static("x-consumer-id"), Fact::User),
    (HeaderName::from_static("x-consumer-custom-id"), Fact::Number),
    (HeaderName::from_static("x-consumer-username"), Fact::Login),
    (HeaderName::from_static("x-credential-identifier"), Fact::Credential),
    (HeaderName::from_static("x-consumer-groups"), Fact::Roles),
    (HeaderName::from_static("x-anonymous-consumer"), Fact::Anonymous),
];

static PORTCULLIS: [(HeaderName, Fact); 9] = [
    (HeaderName::from_static("portcullis-scheme"), Fact::Scheme),
    (HeaderName::from_static("portcullis-network"), Fact::Network),
    (HeaderName::from_static("portcullis-user-id"), Fact::User),
    (HeaderName::from_static("portcullis-user"), Fact::Login),
    (HeaderName::from_static("portcullis-organization-id"), Fact::Organization),
    (HeaderName::from_static("portcullis-credential-id"), Fact::Credential),
    (HeaderName::from_static("portcullis-subject"), Fact::Subject),
    (HeaderName::from_static("portcullis-subject-user"), Fact::SubjectUser),
    (HeaderName::from_static("portcullis-subject-account"), Fact::SubjectAccount),
];

static REMOTE: [(HeaderName, Fact); 4] = [
    (HeaderName::from_static("remote-user"), Fact::Login),
    (HeaderName::from_static("remote-groups"), Fact::Roles),
    (HeaderName::from_static("remote-name"), Fact::Name),
    (HeaderName::from_static("remote-email"), Fact::Email),
];
