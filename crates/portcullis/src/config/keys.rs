//! Every section and key of the configuration, as data: what may be written, and what it means.

mod guard;
mod listener;
mod mount;

use std::time::Duration;

use super::MAX_MOUNTS;
use super::guard::{MAX_GUARDS, MAX_NETWORKS};
use super::listener::MAX_LISTENERS;
use super::value;
use Absence::{Default, Optional, Required};
use Kind::{Choice, Count, Flag, List, Span, Text};

/// A table of the file.
#[derive(Debug)]
pub(super) struct Header {
    /// Its name.
    pub(super) name: &'static str,
    /// How often it may be there, if it is an array of tables.
    pub(super) most: Option<usize>,
    /// What it is for.
    pub(super) meaning: &'static str,
}

/// A key of a section.
#[derive(Debug)]
pub(super) struct Key {
    /// The section that it belongs to.
    pub(super) section: &'static str,
    /// Its name.
    pub(super) name: &'static str,
    /// What may be written there.
    pub(super) kind: Kind,
    /// What holds if nothing is written.
    pub(super) absence: Absence,
    /// Where else it is read from.
    pub(super) home: Home,
    /// Whether its value must never be shown.
    pub(super) secret: bool,
    /// What it is for.
    pub(super) meaning: &'static str,
}

/// What may be written for a key.
#[derive(Debug)]
pub(super) enum Kind {
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A whole number between these bounds.
    Count(u32, u32),
    /// `true` or `false`.
    Flag,
    /// Several of what these words describe, from the first to the second number.
    List(&'static str, usize, usize),
    /// A time between these bounds.
    Span(Duration, Duration),
    /// What these words describe.
    Text(&'static str),
}

/// What holds if a key is not written. Texts of values are TOML.
#[derive(Debug)]
pub(super) enum Absence {
    /// This value.
    Default(&'static str),
    /// What the first words say; the second is an example of a value.
    Optional(&'static str, &'static str),
    /// It is a mistake; an example of a value.
    Required(&'static str),
}

/// Where a key is read from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Home {
    /// The file alone.
    File,
    /// This environment variable, else the file.
    FileOr(&'static str),
    /// This environment variable alone: the value has no place in a file.
    Only(&'static str),
}

impl Key {
    const fn new(
        section: &'static str,
        name: &'static str,
        kind: Kind,
        absence: Absence,
        meaning: &'static str,
    ) -> Self {
        Self { section, name, kind, absence, home: Home::File, secret: false, meaning }
    }

    const fn or_variable(self, name: &'static str) -> Self {
        Self { home: Home::FileOr(name), ..self }
    }

    const fn only_variable(self, name: &'static str) -> Self {
        Self { home: Home::Only(name), ..self }
    }

    const fn secret(self) -> Self {
        Self { secret: true, ..self }
    }

    /// The value that is in force, or a good one.
    pub(super) const fn example(&self) -> &'static str {
        match self.absence {
            Default(value) | Optional(_, value) | Required(value) => value,
        }
    }

    /// What may be written, in words.
    pub(super) fn expected(&self) -> String {
        match &self.kind {
            Choice(words) => format!("one of `{}`", words.join("`, `")),
            Count(least, most) => format!("a whole number from {least} to {most}"),
            Flag => "`true` or `false`".to_owned(),
            List(what, least, most) => format!("a list of {least} to {most} {what}"),
            Span(least, most) => {
                let (least, most) = (value::spell(*least), value::spell(*most));
                format!("a time from `\"{least}\"` to `\"{most}\"`")
            }
            Text(what) => (*what).to_owned(),
        }
    }

    /// The environment variable that is read for it.
    pub(super) const fn variable(&self) -> Option<&'static str> {
        match self.home {
            Home::File => None,
            Home::FileOr(name) | Home::Only(name) => Some(name),
        }
    }
}

/// All keys, in the order in which they are documented.
pub(super) fn all() -> impl Iterator<Item = &'static Key> {
    KEYS.iter().chain(guard::KEYS).chain(listener::KEYS).chain(mount::KEYS)
}

/// The keys of `section`.
pub(super) fn of(section: &str) -> impl Iterator<Item = &'static Key> {
    all().filter(move |key| key.section == section)
}

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// All tables of the file, in the order in which they are documented.
pub(super) const HEADERS: &[Header] = &[
    Header {
        name: "server",
        most: None,
        meaning: "Where requests arrive, and how long things may take.",
    },
    Header {
        name: "tls",
        most: None,
        meaning: "What the server shows to clients, and what it asks of them. Without a certificate \
                  it speaks in the clear. The files are looked at every second, and read again \
                  when they change; see [TLS](tls.md).",
    },
    Header {
        name: "store",
        most: None,
        meaning: "Where credentials, users and the audit log are kept.",
    },
    Header { name: "trust", most: None, meaning: "Who may say where a request came from." },
    Header {
        name: "authz",
        most: None,
        meaning: "Which proxies may ask whether to forward a request: nginx at `/authz/nginx`, Caddy \
                  and Traefik at `/authz/forward`; see [guards](guards.md#behind-another-proxy). To \
                  everybody else nothing answers there.",
    },
    Header { name: "log", most: None, meaning: "What is written to the standard error." },
    Header {
        name: "passwords",
        most: None,
        meaning: "What checking a password may cost (Argon2id).",
    },
    Header {
        name: "guard",
        most: Some(MAX_GUARDS),
        meaning: "A route with what it demands and where it leads. Options of a scheme stand in a \
                  table of its name, as `[guard.api_key]`. They stand in the file alone, and no \
                  command changes them. Nodes that share a database must have the same ones in \
                  their files, for those of the node that started last stand for all.",
    },
    Header {
        name: "listener",
        most: Some(MAX_LISTENERS),
        meaning: "A guard with an id instead of hosts and a path: mounts of dialect `graph` lead to \
                  it, as `/api/v1/listener/ID`. What holds for guards holds for it too.",
    },
    Header {
        name: "mount",
        most: Some(MAX_MOUNTS),
        meaning: "A dialect, and where it is spoken. None is on until a mount names it.",
    },
];

/// All but those of the tables of which there may be several.
const KEYS: &[Key] = &[
    Key::new(
        "server",
        "listen",
        Text("an address with a port, as `127.0.0.1:8080` or `[::1]:8080`"),
        Default("\"127.0.0.1:8080\""),
        "The address on which guarded requests arrive.",
    )
    .or_variable("PORTCULLIS_LISTEN"),
    Key::new(
        "server",
        "redirect",
        Text("an address with a port, as `0.0.0.0:80`"),
        Optional("nothing listens in the clear", "\"0.0.0.0:80\""),
        "A second address, which answers each request with where it is by https. Needs `[tls]`.",
    ),
    Key::new(
        "server",
        "threads",
        Count(1, 1_024),
        Optional("one for each processor", "4"),
        "How many threads answer requests. A connection stays with one of them.",
    ),
    Key::new(
        "server",
        "max_connections",
        Count(1, 1_000_000),
        Default("10000"),
        "How many connections may be open at once at each address; more are closed unanswered.",
    ),
    Key::new(
        "server",
        "max_connections_per_address",
        Count(1, 1_000_000),
        Default("1000"),
        "How many of them may come from one address, or from one /64 of IPv6; more are closed \
         unanswered. Those of `trust.peers`, who bring everybody's, are not counted.",
    ),
    Key::new(
        "server",
        "max_body_mib",
        Count(1, 1_048_576),
        Default("1024"),
        "How long the body of a request may be, in MiB; a longer one is answered 413.",
    ),
    Key::new(
        "server",
        "header_timeout",
        Span(ms(100), seconds(600)),
        Default("\"10s\""),
        "How long a client may take for a TLS handshake, for the head of a request, and to begin \
         the first one.",
    ),
    Key::new(
        "server",
        "idle_timeout",
        Span(ms(100), seconds(3_600)),
        Default("\"60s\""),
        "How long a connection may wait for the next request.",
    ),
    Key::new(
        "server",
        "body_timeout",
        Span(ms(100), seconds(3_600)),
        Default("\"30s\""),
        "How long the body of a request may stand still while it is waited for, and an answer while \
         nobody takes it.",
    ),
    Key::new(
        "server",
        "max_upstream_connections",
        Count(1, 1_000_000),
        Default("1024"),
        "How many connections each thread may have to one upstream at once; a request that would need \
         one more is answered 503.",
    ),
    Key::new(
        "server",
        "upstream_connect_timeout",
        Span(ms(10), seconds(60)),
        Default("\"5s\""),
        "How long connecting to an upstream may take.",
    ),
    Key::new(
        "server",
        "upstream_answer_timeout",
        Span(ms(10), seconds(3_600)),
        Default("\"60s\""),
        "How long an upstream may take until the head of its answer has come.",
    ),
    Key::new(
        "server",
        "upstream_roots",
        Text("the path of a PEM file"),
        Optional("the roots of the system", "\"/etc/portcullis/upstreams.pem\""),
        "The roots that vouch for upstreams that speak TLS, in the place of the system's. It is read \
         once, at start.",
    ),
    Key::new(
        "server",
        "tunnel_idle_timeout",
        Span(seconds(1), seconds(86_400)),
        Default("\"10m\""),
        "How long neither side of a tunnel, as of a WebSocket, may say anything.",
    ),
    Key::new(
        "server",
        "drain",
        Span(ms(0), seconds(600)),
        Default("\"20s\""),
        "How long requests under way may go on once the server is told to stop.",
    ),
    Key::new(
        "tls",
        "certificate",
        Text("the path of a PEM file"),
        Optional("the server speaks in the clear", "\"/etc/portcullis/chain.pem\""),
        "The certificate of the server, followed by those that lead from it to a root.",
    ),
    Key::new(
        "tls",
        "key",
        Text("the path of a PEM file"),
        Optional("the server speaks in the clear", "\"/etc/portcullis/key.pem\""),
        "The private key of the certificate: PKCS#8, SEC1 or PKCS#1, not encrypted.",
    ),
    Key::new(
        "tls",
        "client_ca",
        Text("the path of a PEM file"),
        Optional("no client is asked for a certificate", "\"/etc/portcullis/clients.pem\""),
        "The roots of the certificates that clients may show; guards demand them by \
         `client_certificate`.",
    ),
    Key::new(
        "store",
        "data",
        Text("the path of a folder"),
        Default("\"./portcullis-data\""),
        "The folder of the SQLite database and of what each node keeps for itself.",
    )
    .or_variable("PORTCULLIS_DATA"),
    Key::new(
        "store",
        "url",
        Text(
            "a URL, as `postgres://user@host/database`, for TLS with \
             `?sslmode=verify-full&sslrootcert=FILE`",
        ),
        Optional(
            "SQLite in the data folder",
            "\"postgres://portcullis@db.example/portcullis?sslmode=verify-full\
             &sslrootcert=/etc/portcullis/roots.pem\"",
        ),
        "The PostgreSQL database that several nodes share. A password in it is better given by \
         the environment variable. `sslmode` is `verify-full` (`require` means the same) or \
         `disable`, which holds if nothing is said; `sslrootcert` is the PEM file of the roots \
         that vouch for the server.",
    )
    .or_variable("PORTCULLIS_DATABASE_URL")
    .secret(),
    Key::new(
        "store",
        "master_key",
        Text("32 random bytes in base64, 44 characters, as `openssl rand -base64 32` makes them"),
        Optional("the file `master.key` in the data folder, made at the first start", "\"\""),
        "The key under which secrets are sealed. It is never read from this file, so that it \
         does not lie beside what it seals.",
    )
    .only_variable("PORTCULLIS_MASTER_KEY")
    .secret(),
    Key::new(
        "store",
        "node_name",
        Text("a name of 1 to 63 of `a`-`z`, `0`-`9` and `-`, not starting with `-`"),
        Default("\"node-1\""),
        "The name of this node, its own among all that share a database.",
    ),
    Key::new(
        "trust",
        "peers",
        List("networks, as `10.0.0.0/8` or `2001:db8::1`, but not all", 0, MAX_NETWORKS),
        Default("[]"),
        "The proxies in front of this server whose forwarding headers are believed.",
    ),
    Key::new(
        "authz",
        "peers",
        List("networks, as `10.0.0.0/8` or `2001:db8::1`, but not all", 0, MAX_NETWORKS),
        Default("[]"),
        "Where those proxies ask from. What they say of a request is believed, so nobody else may \
         be able to ask from there.",
    ),
    Key::new(
        "authz",
        "secret",
        Text("32 to 512 visible characters, as `openssl rand -hex 32` makes them"),
        Optional("they are trusted by their address", "\"\""),
        "What they must say in the header `Portcullis-Door-Secret` besides. It is never read from \
         this file, so that it can be shared.",
    )
    .only_variable("PORTCULLIS_AUTHZ_SECRET")
    .secret(),
    Key::new(
        "authz",
        "client_certificate",
        Flag,
        Default("false"),
        "Whether they must have proven a certificate of `tls.client_ca` besides.",
    ),
    Key::new(
        "log",
        "format",
        Choice(&["human", "json"]),
        Default("\"human\""),
        "The form of a line: for people, or one JSON object.",
    ),
    Key::new(
        "log",
        "level",
        Choice(&["error", "warn", "info", "debug"]),
        Default("\"info\""),
        "The least important kind of line that is written.",
    ),
    Key::new(
        "passwords",
        "threads",
        Count(1, 64),
        Default("2"),
        "How many passwords are checked at once; each needs a processor and `memory_kib`.",
    ),
    Key::new(
        "passwords",
        "queue",
        Count(1, 10_000),
        Default("64"),
        "How many checks may wait for a thread; more are answered 429, with `Retry-After`.",
    ),
    Key::new(
        "passwords",
        "memory_kib",
        Count(19_456, 262_144),
        Default("19456"),
        "The memory that one check takes, in KiB. The least is what OWASP recommends.",
    ),
    Key::new(
        "passwords",
        "passes",
        Count(2, 16),
        Default("2"),
        "How often one check goes through its memory. The least is what OWASP recommends.",
    ),
];
