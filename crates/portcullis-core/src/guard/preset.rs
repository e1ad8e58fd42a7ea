//! Presets: under which names upstreams are told who sends a request.

/// A set of header names under which upstreams are told who sends a request.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Preset {
    /// `X-Auth-Request-*`, as oauth2-proxy has them.
    AuthRequest,
    /// `X-Consumer-*`, as Kong has them.
    Consumer,
    /// `Portcullis-*`: our own.
    Portcullis,
    /// `Remote-*`, as Authelia has them.
    Remote,
}

impl Preset {
    /// Every preset.
    pub const ALL: [Self; 4] = [Self::Portcullis, Self::Remote, Self::AuthRequest, Self::Consumer];

    /// What a guard tells its upstream if nothing is said.
    pub const USUAL: [Self; 1] = [Self::Portcullis];

    /// As configurations and the store write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthRequest => "x-auth-request",
            Self::Consumer => "x-consumer",
            Self::Portcullis => "portcullis",
            Self::Remote => "remote",
        }
    }

    /// Reads what [`Preset::as_str`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }
}
