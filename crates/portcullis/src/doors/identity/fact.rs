//! What each preset tells, and under which names.

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
pub(super) const fn headers(preset: Preset) -> &'static [(&'static str, Fact)] {
    match preset {
        Preset::AuthRequest => AUTH_REQUEST,
        Preset::Consumer => CONSUMER,
        Preset::Portcullis => PORTCULLIS,
        Preset::Remote => REMOTE,
    }
}

const AUTH_REQUEST: &[(&str, Fact)] = &[
    ("x-auth-request-user", Fact::User),
    ("x-auth-request-preferred-username", Fact::Login),
    ("x-auth-request-email", Fact::Email),
    ("x-auth-request-groups", Fact::Roles),
];

const CONSUMER: &[(&str, Fact)] = &[
    ("x-consumer-id", Fact::User),
    ("x-consumer-custom-id", Fact::Number),
    ("x-consumer-username", Fact::Login),
    ("x-credential-identifier", Fact::Credential),
    ("x-consumer-groups", Fact::Roles),
    ("x-anonymous-consumer", Fact::Anonymous),
];

const PORTCULLIS: &[(&str, Fact)] = &[
    ("portcullis-scheme", Fact::Scheme),
    ("portcullis-network", Fact::Network),
    ("portcullis-user-id", Fact::User),
    ("portcullis-user", Fact::Login),
    ("portcullis-organization-id", Fact::Organization),
    ("portcullis-credential-id", Fact::Credential),
    ("portcullis-subject", Fact::Subject),
    ("portcullis-subject-user", Fact::SubjectUser),
    ("portcullis-subject-account", Fact::SubjectAccount),
];

const REMOTE: &[(&str, Fact)] = &[
    ("remote-user", Fact::Login),
    ("remote-groups", Fact::Roles),
    ("remote-name", Fact::Name),
    ("remote-email", Fact::Email),
];
