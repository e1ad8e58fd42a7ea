//! The configuration of the server: one TOML file, parsed once into the types that are used.
//!
//! What may be written is data, in `config/keys.rs`. A new key is a row there, and a line in the
//! struct of its section.

mod authz;
mod guard;
mod keys;
mod listener;
mod log;
mod mistake;
mod mount;
mod page;
mod passwords;
mod reader;
mod server;
mod source;
mod store;
mod tls;
mod value;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use toml::de::DeTable;

pub(crate) use authz::Authz;
pub(crate) use guard::{GuardSettings, MAX_GUARDS};
pub(crate) use listener::{LISTENER_SCHEMES, ListenerSettings, MAX_LISTENERS, MAX_TOKEN_LIFETIME};
pub(crate) use log::{Log, LogFormat, LogLevel};
pub(crate) use mistake::{Mistake, Mistakes, Origin};
pub(crate) use mount::MountSettings;
pub(crate) use page::{markdown, sample};
pub(crate) use passwords::Passwords;
pub(crate) use server::{Roots, Server, Trust};
pub(crate) use source::Environment;
#[cfg(test)]
pub(crate) use store::SecretText;
pub(crate) use store::StoreSettings;
pub(crate) use tls::Tls;

use reader::Section;
use source::Source;

/// The longest configuration file, in bytes: 1 MiB.
pub(crate) const MAX_FILE: u64 = 1 << 20;
/// How many mounts a file may have.
pub(crate) const MAX_MOUNTS: usize = portcullis_core::mount::MAX_MOUNTS;

/// All that an operator can set.
#[derive(Debug)]
pub(crate) struct Config {
    /// Where requests arrive, and how long things may take.
    pub(crate) server: Server,
    /// What the server shows to clients, and asks of them; without it, it speaks in the clear.
    pub(crate) tls: Option<Tls>,
    /// Where credentials, users and the audit log are kept.
    pub(crate) store: StoreSettings,
    /// Who may say where a request came from.
    pub(crate) trust: Trust,
    /// Which proxies may ask whether to forward a request.
    pub(crate) authz: Authz,
    /// What is written to the standard error.
    pub(crate) log: Log,
    /// What checking a password may cost.
    pub(crate) passwords: Passwords,
    /// The guards, in the order of the file, and then the listeners.
    pub(crate) guards: Vec<GuardSettings>,
    /// Where dialects are spoken.
    pub(crate) mounts: Vec<MountSettings>,
}

impl Config {
    /// Whether clients are asked for certificates.
    pub(crate) fn asks_clients(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some())
    }
}

/// What the rest of the program can do, as far as a file may name it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known<'a> {
    /// The names of the schemes.
    pub(crate) schemes: &'a [&'static str],
    /// The names of the dialects that can be mounted.
    pub(crate) dialects: &'a [&'static str],
}

/// Reads the configuration. Without a file, the defaults and the environment hold.
///
/// # Errors
/// All mistakes of the operator at once: of the file and of the environment.
pub(crate) fn load(
    file: Option<&Path>,
    environment: Environment<'_>,
    known: &Known<'_>,
) -> Result<Config, Mistakes> {
    let Some(path) = file else { return parse("", b"", environment, known) };
    let name = path.display().to_string();
    match read_file(path) {
        Ok(bytes) => parse(&name, &bytes, environment, known),
        Err(why) => Err(unreadable(name, format!("cannot be read: {why}"))),
    }
}

/// Reads the configuration from the `bytes` of a file called `name`.
///
/// # Errors
/// As [`load`].
pub(crate) fn parse(
    name: &str,
    bytes: &[u8],
    environment: Environment<'_>,
    known: &Known<'_>,
) -> Result<Config, Mistakes> {
    if bytes.len() as u64 > MAX_FILE {
        return Err(unreadable(name.to_owned(), format!("has more than {MAX_FILE} bytes")));
    }
    let text = std::str::from_utf8(bytes).map_err(|why| {
        let message = format!("is not UTF-8 from byte {} on", why.valid_up_to());
        unreadable(name.to_owned(), message)
    })?;
    let (source, table) = Source::open(name, text, environment);
    let config = read(&source, table, known);
    let mistakes = source.into_mistakes();
    // INVARIANT: a key that could not be read has left a mistake, so `None` never comes alone.
    config.filter(|_| mistakes.is_empty()).ok_or(mistakes)
}

fn read(source: &Source<'_>, table: DeTable<'_>, known: &Known<'_>) -> Option<Config> {
    let mut root = Section::root(source, table);
    let tls = root.section("tls");
    let asks = tls.has("client_ca");
    let server = server::server(root.section("server"), source, tls.has("certificate"));
    let tls = tls::tls(tls, source);
    let store = store::store(root.section("store"));
    let trust = server::trust(root.section("trust"));
    let authz = authz::authz(root.section("authz"), asks);
    let log = log::log(root.section("log"));
    let passwords = passwords::passwords(root.section("passwords"));
    let guards = read_guards(&mut root, source, known);
    let mounts = read_mounts(&mut root, source, known);
    root.finish(&[]);
    Some(Config {
        server: server?,
        tls,
        store: store?,
        trust: trust?,
        authz: authz?,
        log: log?,
        passwords: passwords?,
        guards,
        mounts,
    })
}

fn read_guards<'s, 't>(
    root: &mut Section<'s, 't>,
    source: &'s Source<'t>,
    known: &Known<'_>,
) -> Vec<GuardSettings> {
    let mut taken = guard::Taken::default();
    let mut all = Vec::new();
    for section in root.sections("guard", MAX_GUARDS) {
        all.extend(guard::guard(section, source, known, &mut taken));
    }
    for section in root.sections("listener", MAX_LISTENERS) {
        all.extend(listener::listener(section, source, known, &mut taken));
    }
    all
}

fn read_mounts<'s, 't>(
    root: &mut Section<'s, 't>,
    source: &'s Source<'t>,
    known: &Known<'_>,
) -> Vec<MountSettings> {
    let mut taken = BTreeMap::new();
    let sections = root.sections("mount", MAX_MOUNTS).into_iter();
    sections.filter_map(|section| mount::mount(section, source, known, &mut taken)).collect()
}

fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One byte beyond the limit shows that there is more, without reading all of it.
    File::open(path)?.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn unreadable(file: String, message: String) -> Mistakes {
    let mut mistakes = Mistakes::default();
    mistakes.push(Mistake { origin: Origin::File { file }, key: String::new(), message });
    mistakes
}
