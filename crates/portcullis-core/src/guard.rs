//! Guards: routes with their policy and upstream, and the table in which one is found.

mod preset;
mod table;
mod upstream;

use http::header::{AUTHORIZATION, COOKIE, HeaderName};
use http::{Method, Uri};
use ipnet::IpNet;

use crate::ability::Ability;
use crate::id::{Id, Revision};
use crate::organization::Organization;
use crate::policy::{Demand, Networks, NoNetworks, Policy};
use crate::request::{Malformed, canonical_host, canonical_path, folded_eq};
use crate::scheme::{self, BadOption, Options, Scheme, SchemeName};

pub use preset::Preset;
pub use table::{GuardTable, Overlap};
pub use upstream::{MAX_UPSTREAMS, Protocol, Upstream};

/// The longest name of a guard, in bytes.
pub const MAX_GUARD_NAME: usize = 63;
/// The longest id of a listener, in bytes.
pub const MAX_LISTENER_ID: usize = 64;
/// How many segments a guard's path prefix may have.
pub const MAX_PREFIX_SEGMENTS: usize = 16;
/// How many networks one guard may name.
pub const MAX_NETWORKS: usize = 10_000;
/// How many hosts one guard may name.
pub const MAX_HOSTS: usize = 100;
/// How many protocols a guard may let connections become.
pub const MAX_UPGRADES: usize = 8;
/// The longest name of such a protocol, in bytes.
pub const MAX_UPGRADE: usize = 32;

/// The methods that a listener takes if nothing is said.
const LISTENER_METHODS: [Method; 3] = [Method::GET, Method::HEAD, Method::POST];

/// How requests come to a guard.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// By its name, through the mounts in its realm whose dialect has listeners.
    Listener,
    /// By its own hosts and path.
    Route,
}

impl Kind {
    /// What operators call a guard of this kind.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Listener => "listener",
            Self::Route => "guard",
        }
    }
}

/// A guard as an operator writes it down.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Definition {
    /// How requests come to it. A listener has neither hosts nor a path of its own.
    pub kind: Kind,
    /// Its name, unique in the installation; of a listener, its id.
    pub name: String,
    /// The hosts it answers for; empty for every host that no guard names.
    pub hosts: Vec<String>,
    /// The path it answers for, with all below it.
    pub prefix: String,
    /// Where requests go that it lets through: to one of these. None: whoever asks for a decision
    /// forwards them.
    pub upstreams: Vec<Uri>,
    /// The schemes it accepts, with its options for each. Any one of them suffices.
    pub schemes: Vec<(SchemeName, Options)>,
    /// The networks that callers must come from besides.
    pub networks: Option<Vec<IpNet>>,
    /// Whether callers must have proven a certificate besides.
    pub client_certificate: bool,
    /// The methods that pass; empty for all, of a listener for GET, HEAD and POST. Where GET passes
    /// a listener, HEAD does (RFC 9110, section 9.3.2).
    pub methods: Vec<Method>,
    /// The ability that callers must hold.
    pub ability: Option<Ability>,
    /// What connections may become, as `websocket`.
    pub upgrades: Vec<String>,
    /// Under which names the upstream is told who sends a request.
    pub identity: Vec<Preset>,
    /// Whether the upstream is told so under our signature besides.
    pub assertion: bool,
    /// Whether the upstream is handed the credential itself.
    pub pass_credential: bool,
    /// Whether the prefix is removed from the path before it is forwarded.
    pub strip_prefix: bool,
}

/// Where a guard was written down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// In the configuration file, where alone it can be changed.
    File,
    /// In the store, by command, console or API.
    Store,
}

impl Source {
    /// As the store and the command line write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Store => "store",
        }
    }

    /// Reads what [`Source::as_str`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::File, Self::Store].into_iter().find(|it| it.as_str() == text)
    }
}

/// Where a guard stands: what the store knows of it besides its definition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// Its identity.
    pub id: Id<Guard>,
    /// The revision of its last change.
    pub version: Revision,
    /// Where it was written down.
    pub source: Source,
    /// The organization it belongs to.
    pub organization: Id<Organization>,
    /// The realm whose users it knows.
    pub realm: Id<Organization>,
}

/// A guard, ready to judge.
#[derive(Debug)]
pub struct Guard {
    /// Where it stands.
    pub standing: Standing,
    /// How requests come to it.
    pub kind: Kind,
    /// Its name.
    pub name: Box<str>,
    /// The hosts it answers for, in their canonical form.
    pub hosts: Box<[Box<str>]>,
    /// The path it answers for, without a slash at the end: empty for all paths.
    pub prefix: Box<str>,
    /// Where requests go: to one of these.
    pub upstreams: Box<[Upstream]>,
    /// What callers can prove themselves with.
    pub schemes: Box<[Box<dyn Scheme>]>,
    /// What it demands.
    pub policy: Policy,
    /// Under which names the upstream is told who sends a request.
    pub identity: Box<[Preset]>,
    /// Whether the upstream is told so under our signature besides.
    pub assertion: bool,
    /// Whether the upstream is handed the credential itself.
    pub pass_credential: bool,
    /// Whether the prefix is removed before forwarding.
    pub strip_prefix: bool,
}

/// Why a guard cannot stand: the operator's fault.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadGuard {
    /// A host is none, or there are too many.
    #[error("`{0}` is not the name or address of a host (and at most {MAX_HOSTS} can be named)")]
    Host(String),
    /// The id of a listener is of the wrong form.
    #[error("`{0}` is not the id of a listener: 1 to {MAX_LISTENER_ID} of A-Z, a-z, 0-9, _ and -")]
    Id(String),
    /// Its name is of the wrong form.
    #[error(
        "`{0}` is not a name: 1 to {MAX_GUARD_NAME} of a-z, 0-9 and -, beginning with a letter or digit"
    )]
    Name(String),
    /// The list of networks is empty.
    #[error(transparent)]
    NoNetworks(#[from] NoNetworks),
    /// Nobody is demanded: neither a scheme nor a network.
    #[error("a guard accepts at least one scheme, or demands networks")]
    Open,
    /// A scheme does not take an option.
    #[error(transparent)]
    Option(#[from] BadOption),
    /// A listener names hosts or a path.
    #[error("a listener has neither hosts nor a path of its own: its mount has")]
    Placed,
    /// Its path is not one that a request can have.
    #[error("`{0}` is not a path prefix: {1}")]
    Prefix(String, String),
    /// Two of its schemes would read the same header.
    #[error("schemes `{0}` and `{1}` would both read the header `{2}`")]
    SharedHeader(SchemeName, SchemeName, HeaderName),
    /// The same scheme stands in it twice.
    #[error("scheme `{0}` stands in it twice")]
    Repeated(SchemeName),
    /// It demands an ability, but nobody can be known.
    #[error("an ability needs a scheme, for only a principal can hold one")]
    AbilityOfNobody,
    /// A listener leads nowhere, or to several places.
    #[error("a listener leads to exactly one upstream")]
    NotOneUpstream,
    /// It names more networks than [`MAX_NETWORKS`].
    #[error("a guard names at most {MAX_NETWORKS} networks")]
    TooManyNetworks,
    /// It leads to more upstreams than [`MAX_UPSTREAMS`].
    #[error("a guard leads to at most {MAX_UPSTREAMS} upstreams")]
    TooManyUpstreams,
    /// What connections are to become is no protocol, or there are too many.
    #[error(
        "`{0}` is not a protocol that connections may become, as `websocket` (and at most \
         {MAX_UPGRADES} can be named)"
    )]
    Upgrade(String),
    /// Its upstream is none.
    #[error(
        "host `{0}`: not an upstream: http://host[:port][/path], https:// or h2c://, without query or \
         user"
    )]
    Upstream(String),
}

impl Definition {
    /// Makes the guard that is defined here.
    ///
    /// # Errors
    /// The definition contradicts itself, or a part of it is of the wrong form.
    pub fn build(&self, standing: Standing) -> Result<Guard, BadGuard> {
        self.check_place()?;
        Ok(Guard {
            standing,
            kind: self.kind,
            name: self.name.as_str().into(),
            hosts: build_hosts(&self.hosts)?,
            prefix: build_prefix(&self.prefix)?,
            upstreams: self.build_upstreams()?,
            schemes: self.build_schemes()?,
            policy: self.build_policy(standing.organization)?,
            identity: self.identity.as_slice().into(),
            assertion: self.assertion,
            pass_credential: self.pass_credential,
            strip_prefix: self.strip_prefix,
        })
    }

    fn build_upstreams(&self) -> Result<Box<[Upstream]>, BadGuard> {
        if self.upstreams.len() > MAX_UPSTREAMS {
            return Err(BadGuard::TooManyUpstreams);
        }
        if self.kind == Kind::Listener && self.upstreams.len() != 1 {
            return Err(BadGuard::NotOneUpstream);
        }
        self.upstreams.iter().map(|uri| Upstream::parse(uri, self.kind)).collect()
    }

    fn build_upgrades(&self) -> Result<Box<[Box<str>]>, BadGuard> {
        if let Some(one) = self.upgrades.get(MAX_UPGRADES) {
            return Err(BadGuard::Upgrade(one.clone()));
        }
        let build = |token: &String| {
            let small = token.to_ascii_lowercase();
            let good = is_upgrade(&small);
            if good { Ok(small.into()) } else { Err(BadGuard::Upgrade(token.clone())) }
        };
        self.upgrades.iter().map(build).collect()
    }

    fn check_place(&self) -> Result<(), BadGuard> {
        match self.kind {
            Kind::Route => check_name(&self.name),
            Kind::Listener if !is_listener_id(&self.name) => Err(BadGuard::Id(self.name.clone())),
            Kind::Listener => {
                let placed = !self.hosts.is_empty() || self.prefix != "/" || self.strip_prefix;
                if placed { Err(BadGuard::Placed) } else { Ok(()) }
            }
        }
    }

    fn build_schemes(&self) -> Result<Box<[Box<dyn Scheme>]>, BadGuard> {
        let mut built: Vec<Box<dyn Scheme>> = Vec::new();
        for (name, options) in &self.schemes {
            if built.iter().any(|it| it.name() == *name) {
                return Err(BadGuard::Repeated(*name));
            }
            let kind = scheme::ALL.iter().find(|kind| kind.name == *name);
            let Some(kind) = kind else { continue };
            let scheme = (kind.build)(options)?;
            if let Some((other, header)) = shared_header(&built, scheme.as_ref()) {
                return Err(BadGuard::SharedHeader(other, *name, header));
            }
            built.push(scheme);
        }
        Ok(built.into())
    }

    fn build_policy(&self, organization: Id<Organization>) -> Result<Policy, BadGuard> {
        let networks = self.networks.as_deref();
        if networks.is_some_and(|networks| networks.len() > MAX_NETWORKS) {
            return Err(BadGuard::TooManyNetworks);
        }
        let principal = match (self.schemes.is_empty(), networks, &self.ability) {
            (false, ..) => Demand::Required,
            (true, Some(_), None) => Demand::Optional,
            (true, Some(_), Some(_)) => return Err(BadGuard::AbilityOfNobody),
            (true, None, _) => return Err(BadGuard::Open),
        };
        Ok(Policy {
            organization,
            principal,
            networks: networks.map(Networks::new).transpose()?,
            client_certificate: self.client_certificate,
            methods: self.build_methods(),
            upgrades: self.build_upgrades()?,
            ability: self.ability.clone(),
        })
    }

    fn build_methods(&self) -> Box<[Method]> {
        let reads = self.methods.contains(&Method::GET) && !self.methods.contains(&Method::HEAD);
        match self.kind {
            Kind::Listener if self.methods.is_empty() => LISTENER_METHODS.into(),
            Kind::Listener if reads => [&self.methods[..], &[Method::HEAD]].concat().into(),
            Kind::Listener | Kind::Route => self.methods.clone().into(),
        }
    }
}

/// A header that `scheme` reads whole, and one of `others` too. What stands in `Authorization` says
/// itself whose it is, and of `Cookie` each reads its own pair.
fn shared_header(
    others: &[Box<dyn Scheme>],
    scheme: &dyn Scheme,
) -> Option<(SchemeName, HeaderName)> {
    let own = scheme.headers().iter().filter(|it| !matches!(**it, AUTHORIZATION | COOKIE));
    let mut both = own.filter_map(|header| {
        let other = others.iter().find(|other| {
            other.headers().iter().any(|it| folded_eq(it.as_str(), header.as_str()))
        })?;
        Some((other.name(), header.clone()))
    });
    both.next()
}

pub(crate) fn check_name(name: &str) -> Result<(), BadGuard> {
    let letters = name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    if letters && !name.starts_with('-') && (1..=MAX_GUARD_NAME).contains(&name.len()) {
        Ok(())
    } else {
        Err(BadGuard::Name(name.to_owned()))
    }
}

fn is_listener_id(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    (1..=MAX_LISTENER_ID).contains(&id.len()) && id.bytes().all(plain)
}

/// HTTP itself is no upgrade: what came over it would be judged by nobody.
fn is_upgrade(token: &str) -> bool {
    let letters =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'/');
    let http = ["h2c", "http", "tls"].iter().any(|it| token.split('/').next() == Some(it));
    (1..=MAX_UPGRADE).contains(&token.len()) && token.bytes().all(letters) && !http
}

pub(crate) fn build_hosts(hosts: &[String]) -> Result<Box<[Box<str>]>, BadGuard> {
    if let Some(one) = hosts.get(MAX_HOSTS) {
        return Err(BadGuard::Host(one.clone()));
    }
    let build = |host: &String| {
        let canonical = canonical_host(host).map_err(|_| BadGuard::Host(host.clone()))?;
        Ok(canonical.into())
    };
    hosts.iter().map(build).collect()
}

/// A prefix in the form in which it is compared: canonical, no slash at the end.
pub(crate) fn build_prefix(prefix: &str) -> Result<Box<str>, BadGuard> {
    let bad = |why: &Malformed| BadGuard::Prefix(prefix.to_owned(), why.to_string());
    let canonical = canonical_path(prefix).map_err(|why| bad(&why))?;
    let trimmed = canonical.trim_end_matches('/');
    if trimmed.contains('+') || trimmed.contains("%2B") {
        // Escaped or not, it is one character to some servers and two to others.
        return Err(BadGuard::Prefix(prefix.to_owned(), "it has a plus sign".into()));
    }
    if trimmed.matches('/').count() > MAX_PREFIX_SEGMENTS {
        let why = format!("it has more than {MAX_PREFIX_SEGMENTS} segments");
        return Err(BadGuard::Prefix(prefix.to_owned(), why));
    }
    Ok(trimmed.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition() -> Definition {
        Definition {
            kind: Kind::Route,
            name: "orders".into(),
            hosts: vec![],
            prefix: "/orders".into(),
            upstreams: vec![Uri::from_static("http://127.0.0.1:9000/base/")],
            upgrades: vec![],
            identity: vec![],
            assertion: false,
            schemes: vec![(scheme::BASIC, Options::new())],
            networks: None,
            client_certificate: false,
            methods: vec![],
            ability: None,
            pass_credential: false,
            strip_prefix: false,
        }
    }

    fn build(change: impl FnOnce(&mut Definition)) -> Result<Guard, String> {
        let mut definition = definition();
        change(&mut definition);
        let standing = Standing {
            id: Id::from_bytes([1; 16]),
            version: Revision(1),
            source: Source::Store,
            organization: Id::from_bytes([2; 16]),
            realm: Id::from_bytes([2; 16]),
        };
        definition.build(standing).map_err(|why| why.to_string())
    }

    #[test]
    fn a_guard_is_built_in_canonical_form() {
        let guard = build(|it| {
            it.hosts = vec!["API.Example.com.".into()];
            it.prefix = "/%61pi//v1/".into();
        })
        .unwrap();
        assert_eq!(&*guard.hosts[0], "api.example.com");
        assert_eq!(&*guard.prefix, "/api/v1");
        assert_eq!(&*guard.upstreams[0].base, "/base");
    }

    #[test]
    fn a_guard_that_cannot_stand_is_refused() {
        for (change, message) in [
            ((|it| it.name = "Orders".into()) as fn(&mut Definition), "`Orders` is not a name"),
            (|it| it.hosts = vec!["a b".into()], "`a b` is not the name"),
            (|it| it.prefix = "orders".into(), "`orders` is not a path prefix"),
            (|it| it.prefix = "/a/../b".into(), "`/a/../b` is not a path prefix"),
            (|it| it.prefix = "/a".repeat(17), "is not a path prefix: it has more than 16"),
            (|it| it.upstreams = vec![Uri::from_static("ftp://a/")], "not an upstream"),
            (|it| it.upstreams = vec![Uri::from_static("http://a/?b")], "not an upstream"),
            (|it| it.upstreams = vec![Uri::from_static("http://u:p@a/")], "not an upstream"),
            (|it| it.upstreams = vec![Uri::from_static("/only/a/path")], "not an upstream"),
            (
                |it| it.upstreams = vec![Uri::from_static("http://a"); MAX_UPSTREAMS + 1],
                "at most 16 upstreams",
            ),
            (|it| it.upgrades = vec!["h2c".into()], "`h2c` is not a protocol"),
            (|it| it.upgrades = vec!["HTTP/2.0".into()], "`HTTP/2.0` is not a protocol"),
            (|it| it.upgrades = vec!["a b".into()], "`a b` is not a protocol"),
            (|it| it.upgrades = vec!["a".into(); MAX_UPGRADES + 1], "`a` is not a protocol"),
            (|it| it.schemes.clear(), "at least one scheme"),
            (|it| it.networks = Some(vec![]), "an empty list of networks"),
            (|it| it.schemes.push((scheme::BASIC, Options::new())), "stands in it twice"),
            (
                |it| {
                    let header = || Options::from([("header".into(), "X-Auth_Token".into())]);
                    it.schemes.push((scheme::API_KEY, header()));
                    it.schemes.push((scheme::SHARED_SECRET, Options::new()));
                },
                "would both read the header `x-auth-token`",
            ),
        ] {
            let refused = build(change).unwrap_err();
            assert!(refused.contains(message), "{refused}");
        }
    }

    #[test]
    fn networks_alone_suffice_but_cannot_hold_an_ability() {
        let network_only = |it: &mut Definition| {
            it.schemes.clear();
            it.networks = Some(vec!["10.0.0.0/8".parse().unwrap()]);
        };
        assert_eq!(build(network_only).unwrap().policy.principal, Demand::Optional);
        let refused = build(|it| {
            network_only(it);
            it.ability = Some(Ability::parse("Orders - Read").unwrap());
        });
        assert!(refused.unwrap_err().contains("needs a scheme"));
    }

    #[test]
    fn a_listener_has_an_id_and_no_place_of_its_own() {
        let listener = |it: &mut Definition| {
            (it.kind, it.prefix) = (Kind::Listener, "/".into());
            it.name = "0a1B_-".repeat(10);
        };
        let guard = build(listener).unwrap();
        assert_eq!((guard.kind, &*guard.prefix), (Kind::Listener, ""));
        assert_eq!(*guard.policy.methods, LISTENER_METHODS);
        assert_eq!(&*guard.upstreams[0].base, "/base/");
        for (change, message) in [
            ((|it| it.name = String::new()) as fn(&mut Definition), "`` is not the id"),
            (|it| it.name = "a".repeat(65), "is not the id of a listener"),
            (|it| it.name = "a.b".into(), "`a.b` is not the id"),
            (|it| it.name = "a%2Fb".into(), "`a%2Fb` is not the id"),
            (|it| it.hosts = vec!["a".into()], "neither hosts nor a path"),
            (|it| it.prefix = "/a".into(), "neither hosts nor a path"),
            (|it| it.strip_prefix = true, "neither hosts nor a path"),
            (|it| it.schemes.clear(), "at least one scheme"),
            (|it| it.upstreams = vec![Uri::from_static("http://a/?b")], "not an upstream"),
            (|it| it.upstreams.clear(), "exactly one upstream"),
        ] {
            let refused = build(|it| (listener(it), change(it)).0).unwrap_err();
            assert!(refused.contains(message), "{refused}");
        }
    }

    #[test]
    fn where_get_passes_a_listener_head_does_and_nothing_else_is_added() {
        for (methods, passing) in [
            (vec![], vec!["GET", "HEAD", "POST"]),
            (vec![Method::GET], vec!["GET", "HEAD"]),
            (vec![Method::HEAD, Method::GET], vec!["HEAD", "GET"]),
            (vec![Method::POST], vec!["POST"]),
        ] {
            let guard = build(|it| {
                (it.kind, it.prefix, it.methods) = (Kind::Listener, "/".into(), methods.clone());
            });
            let built: Vec<_> =
                guard.unwrap().policy.methods.iter().map(Method::to_string).collect();
            assert_eq!(built, passing);
        }
    }

    #[test]
    fn the_path_of_a_listeners_upstream_is_as_it_was_written() {
        for (uri, base) in [
            ("http://a", "/"),
            ("http://a/", "/"),
            ("http://a/flow", "/flow"),
            ("http://a/flow/", "/flow/"),
            ("http://a//flow;v=1/%7Euser", "//flow;v=1/%7Euser"),
        ] {
            let guard = build(|it| {
                (it.kind, it.prefix) = (Kind::Listener, "/".into());
                it.upstreams = vec![Uri::from_static(uri)];
            });
            assert_eq!(&*guard.unwrap().upstreams[0].base, base, "{uri}");
        }
    }
}
