//! The tables `[[guard]]`: routes with what they demand and where they lead.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::net::{Ipv4Addr, Ipv6Addr};

use http::{Method, Uri};
use ipnet::IpNet;
use portcullis_core::guard::{self, Kind, MAX_UPGRADE, Preset, Upstream};

use super::Known;
use super::listener::ListenerSettings;
use super::mistake::Place;
use super::reader::Section;
use super::server::network;
use super::source::Source;
use super::store::label;

/// How many guards a file may have.
pub(crate) const MAX_GUARDS: usize = 1_000;
/// How many hosts one guard may name.
pub(crate) const MAX_HOSTS: usize = 100;
/// How many networks one list may name.
pub(crate) const MAX_NETWORKS: usize = 10_000;
/// How many methods one guard may name.
pub(crate) const MAX_METHODS: usize = 32;
/// How many schemes one guard may name.
pub(crate) const MAX_SCHEMES: usize = 32;
/// How many upstreams one guard may lead to.
pub(crate) const MAX_UPSTREAMS: usize = guard::MAX_UPSTREAMS;
/// How many protocols one guard may let connections become.
pub(crate) const MAX_UPGRADES: usize = guard::MAX_UPGRADES;
/// How many presets one guard may name.
pub(crate) const MAX_PRESETS: usize = Preset::ALL.len();
/// The longest host name, in bytes.
pub(crate) const MAX_HOST: usize = 253;
/// The longest path of a guard, in bytes.
pub(crate) const MAX_PATH: usize = 1_024;
/// The longest name of an ability, in characters.
pub(crate) const MAX_ABILITY: usize = 100;
/// The greatest number of an organization.
pub(crate) const MAX_ORGANIZATION: u32 = 10_000_000;

/// A guard as the file has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct GuardSettings {
    /// Its name, its own among all.
    pub(crate) name: String,
    /// What it says as a listener; `None` if it is reached by its hosts and path.
    pub(crate) listener: Option<ListenerSettings>,
    /// The hosts that it answers for, in small letters; empty for every host that no guard names.
    pub(crate) hosts: Vec<String>,
    /// The path that it answers for, with all below it.
    pub(crate) path: String,
    /// Where requests go that it lets through; none if others forward them.
    pub(crate) upstreams: Vec<Uri>,
    /// The schemes that it accepts, with its options for each. Any one of them suffices.
    pub(crate) schemes: Vec<(String, BTreeMap<String, String>)>,
    /// The networks that callers must come from besides; never an empty list.
    pub(crate) networks: Option<Vec<IpNet>>,
    /// Whether callers must have proven a certificate besides.
    pub(crate) client_certificate: bool,
    /// The methods that pass; empty for all.
    pub(crate) methods: Vec<Method>,
    /// The ability that callers must hold.
    pub(crate) ability: Option<String>,
    /// The number of the organization that it belongs to; the root is 1.
    pub(crate) organization: Option<u32>,
    /// What connections may become.
    pub(crate) upgrades: Vec<String>,
    /// Under which names the upstream is told who sends a request.
    pub(crate) identity: Vec<Preset>,
    /// Whether it is told so under a signature besides.
    pub(crate) assertion: bool,
    /// Whether the upstream is handed the credential itself.
    pub(crate) pass_credential: bool,
    /// Whether `path` is removed before a request is forwarded.
    pub(crate) strip_path: bool,
    /// Where its table starts.
    pub(crate) place: Place,
}

/// What guards before this one have taken.
#[derive(Default)]
pub(super) struct Taken {
    names: BTreeMap<String, Place>,
    routes: BTreeMap<(String, String), Place>,
}

/// Reads one `[[guard]]`.
pub(super) fn guard(
    mut section: Section<'_, '_>,
    source: &Source<'_>,
    known: &Known<'_>,
    taken: &mut Taken,
) -> Option<GuardSettings> {
    let (place, at_name, at_path) =
        (source.place(section.at()), section.at_key("name"), section.at_key("path"));
    let limited = section.has("schemes") || section.has("networks");
    if !limited && !section.incomplete() {
        section.note(None, "schemes", "missing: expected `schemes`, `networks` or both");
    }
    let name = section.text("name", label);
    let hosts = read_hosts(&mut section);
    let path = section.text("path", path);
    let upstreams = read_upstreams(&mut section);
    let schemes = read_schemes(&mut section, known);
    let networks = section.list("networks", network);
    let client_certificate = section.flag("client_certificate");
    let methods = section.list("methods", method);
    let ability = section.text("ability", |text| title(text, MAX_ABILITY));
    let organization = section.count("organization");
    let upgrades = section.list("upgrades", upgrade);
    let identity = section.list("identity", Preset::parse);
    let assertion = section.flag("assertion");
    let pass_credential = section.flag("pass_credential");
    let strip_path = section.flag("strip_path");
    if let Some(name) = &name {
        taken.take_name(&section, (at_name, "name"), name, &place);
    }
    if let (Some(hosts), Some(path)) = (&hosts, &path) {
        taken.take_routes(&section, at_path, (hosts, path), &place);
    }
    section.finish(known.schemes);
    Some(GuardSettings {
        name: name?,
        listener: None,
        hosts: hosts?,
        path: path?,
        upstreams: upstreams?,
        schemes,
        networks,
        client_certificate: client_certificate?,
        methods: methods.unwrap_or_default(),
        ability,
        organization,
        upgrades: upgrades.unwrap_or_default(),
        identity: identity?,
        assertion: assertion?,
        pass_credential: pass_credential?,
        strip_path: strip_path?,
        place,
    })
}

impl Taken {
    /// Takes `name`, which stands at a key of the section.
    pub(super) fn take_name(
        &mut self,
        section: &Section<'_, '_>,
        (at, key): (Option<usize>, &str),
        name: &str,
        place: &Place,
    ) {
        match self.names.entry(name.to_owned()) {
            Entry::Vacant(free) => {
                free.insert(place.clone());
            }
            Entry::Occupied(first) => {
                let message = format!("`{name}` is the name of the guard at {} too", first.get());
                section.note(at, key, message);
            }
        }
    }

    fn take_routes(
        &mut self,
        section: &Section<'_, '_>,
        at: Option<usize>,
        (hosts, path): (&[String], &str),
        place: &Place,
    ) {
        let any = [String::new()];
        let path = path.trim_end_matches('/');
        for host in if hosts.is_empty() { &any } else { hosts } {
            match self.routes.entry((host.clone(), path.to_owned())) {
                Entry::Vacant(free) => {
                    free.insert(place.clone());
                }
                Entry::Occupied(first) => {
                    let route = format!("`{host}{path}/`");
                    let message = format!("the guard at {} answers for {route} too", first.get());
                    section.note(at, "path", message);
                }
            }
        }
    }
}

/// The hosts; `None` if they were mistaken, for then no route of theirs may be judged.
fn read_hosts(section: &mut Section<'_, '_>) -> Option<Vec<String>> {
    if section.has("hosts") { section.list("hosts", host) } else { Some(Vec::new()) }
}

/// The upstreams in both ways of writing them; `None` if one was mistaken.
fn read_upstreams(section: &mut Section<'_, '_>) -> Option<Vec<Uri>> {
    let written = (section.has("upstream"), section.has("upstreams"));
    let (one, more) = (section.text("upstream", upstream), section.list("upstreams", upstream));
    let good = written == (one.is_some(), more.is_some());
    good.then(|| one.into_iter().chain(more.unwrap_or_default()).collect())
}

pub(super) fn read_schemes(
    section: &mut Section<'_, '_>,
    known: &Known<'_>,
) -> Vec<(String, BTreeMap<String, String>)> {
    let written = section.has("schemes");
    let names = section.words("schemes", known.schemes);
    let judged = names.is_some() || !written;
    let names = names.unwrap_or_default();
    for idle in known.schemes.iter().filter(|idle| !names.iter().any(|name| name == *idle)) {
        let at = section.at_key(idle);
        if section.options(idle).is_some() && judged {
            section.note(at, idle, format!("`schemes` does not name `{idle}`"));
        }
    }
    let with_options = |name: String| {
        let options = section.options(&name).unwrap_or_default();
        (name, options)
    };
    names.into_iter().map(with_options).collect()
}

/// Reads a host name, an IPv4 address or an IPv6 address in brackets, and makes its letters small.
pub(super) fn host(text: &str) -> Option<String> {
    let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    if let Some(address) = inner {
        return address.parse::<Ipv6Addr>().ok().map(|address| format!("[{address}]"));
    }
    let numeric = text.bytes().all(|it| it.is_ascii_digit() || it == b'.');
    if numeric {
        return text.parse::<Ipv4Addr>().ok().map(|address| address.to_string());
    }
    let small = text.to_ascii_lowercase();
    // Container networks have names with `_`, which DNS has not.
    let plain = |part: &str| label(&part.replace('_', "0")).is_some();
    let good = small.len() <= MAX_HOST && small.split('.').all(plain);
    good.then_some(small)
}

pub(super) fn path(text: &str) -> Option<String> {
    let segments = text.strip_prefix('/')?;
    let segments = segments.strip_suffix('/').unwrap_or(segments);
    let plain = |it: u8| it.is_ascii_graphic() && !matches!(it, b'?' | b'#' | b'\\');
    let dull = |part: &str| !matches!(part, "" | "." | "..");
    let good = text.len() <= MAX_PATH
        && text.bytes().all(plain)
        && (segments.is_empty() && text == "/" || segments.split('/').all(dull));
    good.then(|| text.to_owned())
}

pub(super) fn upstream(text: &str) -> Option<Uri> {
    let uri: Uri = text.parse().ok()?;
    let authority = uri.authority()?;
    let port = authority.as_str().rsplit_once(']').map_or(authority.as_str(), |(_, port)| port);
    let good = Upstream::parse(&uri, Kind::Listener).is_ok()
        && !text.contains('#')
        && port.split_once(':').is_none_or(|(_, port)| port.parse::<u16>().is_ok_and(|it| it != 0));
    good.then_some(uri)
}

/// The name of a protocol in small letters; which of them a guard cannot take is the core's to say.
fn upgrade(text: &str) -> Option<String> {
    let good =
        (1..=MAX_UPGRADE).contains(&text.len()) && text.bytes().all(|it| it.is_ascii_graphic());
    good.then(|| text.to_ascii_lowercase())
}

pub(super) fn method(text: &str) -> Option<Method> {
    let capitals = text.bytes().all(|it| it.is_ascii_uppercase() || it == b'-');
    Method::from_bytes(text.as_bytes()).ok().filter(|_| capitals)
}

pub(super) fn title(text: &str, most: usize) -> Option<String> {
    let good = text.trim() == text
        && !text.is_empty()
        && text.chars().count() <= most
        && !text.chars().any(char::is_control);
    good.then(|| text.to_owned())
}
