//! What holds for the whole configuration: each mistake, its place, and the table of keys.

use std::fmt::Write as _;

use portcullis_core::guard::Preset;
use portcullis_core::seal::MasterKey;
use proptest::prelude::*;

use super::keys::{self, Absence, HEADERS, Home, Key};
use super::mistake::{MAX_MISTAKES, Place};
use super::*;

const KNOWN: Known<'_> = Known {
    schemes: &["api_key", "basic", "bearer", "shared_secret"],
    dialects: &["journey_hub", "journyx"],
};

const GUARD: &str = "[[guard]]\nname = \"a\"\nupstream = \"http://h\"\nschemes = [\"basic\"]\n";

fn nothing(_: &str) -> Option<String> {
    None
}

fn read(text: &str) -> Result<Config, Mistakes> {
    parse("p.toml", text.as_bytes(), &nothing, &KNOWN)
}

#[test]
fn a_password_in_an_upstream_is_never_repeated() {
    let told =
        told("[[guard]]\nname = \"a\"\nupstream = \"http://user:canary@h\"\nschemes = [\"basic\"]");
    assert!(
        told.concat().contains("guard[0].upstream") && !told.concat().contains("canary"),
        "{told:?}"
    );
}

/// The lines that are told of `text`, without the count.
fn told(text: &str) -> Vec<String> {
    read(text).map_or_else(|all| all.iter().map(ToString::to_string).collect(), |_| Vec::new())
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    assert_eq!(told(text), expected, "{text}");
}

#[test]
fn without_a_file_the_defaults_hold() {
    let config = load(None, &nothing, &KNOWN).unwrap();
    assert_eq!(config.server.listen, "127.0.0.1:8080".parse().unwrap());
    assert_eq!(config.server.max_connections, 10_000);
    assert_eq!(config.server.max_connections_per_address, 1_000);
    assert_eq!(config.server.max_body, 1 << 30);
    assert_eq!(config.server.header_timeout.as_secs(), 10);
    assert_eq!(config.server.idle_timeout.as_secs(), 60);
    assert_eq!(config.server.body_timeout.as_secs(), 30);
    assert_eq!(config.server.upstream_connect_timeout.as_secs(), 5);
    assert_eq!(config.server.upstream_answer_timeout.as_secs(), 60);
    assert_eq!(config.server.drain.as_secs(), 20);
    assert_eq!(config.store.data, Path::new("./portcullis-data"));
    assert!(config.store.url.is_none() && config.store.master_key.is_none());
    assert_eq!(config.store.node_name, "node-1");
    assert_eq!(config.trust.peers, []);
    assert_eq!(config.authz.peers, []);
    assert!(config.authz.secret.is_none() && !config.authz.client_certificate);
    assert_eq!(config.log, Log { format: LogFormat::Human, level: LogLevel::Info });
    let passwords = Passwords { threads: 2, queue: 64, memory_kib: 19_456, passes: 2 };
    assert_eq!(config.passwords, passwords);
    assert_eq!(config.guards, []);
}

/// A file with something of everything.
const EVERYTHING: &str = r#"
        server.listen = "[::1]:9"
        server.drain = "500ms"
        trust = { peers = ["10.0.0.0/8", "2001:db8::1"] }
        authz = { peers = ["127.0.0.1"] }
        log = { format = "json", level = "debug" }
        [store]
        url = "postgres://db/p"
        [[guard]]
        name = "orders"
        hosts = ["API.example.com", "[::1]", "10.0.0.1"]
        path = "/orders/"
        upstream = "http://127.0.0.1:9000/v1"
        schemes = ["basic", "api_key"]
        networks = ["192.0.2.1"]
        client_certificate = true
        methods = ["GET", "M-SEARCH"]
        ability = "Orders - Read"
        organization = 7
        upgrades = ["WebSocket"]
        identity = ["remote"]
        assertion = true
        pass_credential = true
        strip_path = true
        [guard.api_key]
        header = "X-Api-Key"
        [[mount]]
        dialect = "journey_hub"
        [[mount]]
        name = "partners"
        dialect = "journey_hub"
        organization = 7
        hosts = ["Hub.example.com"]
        path = "/hub/"
        token_lifetime = "90s"
    "#;

#[test]
fn everything_that_is_written_is_read() {
    let config = read(EVERYTHING).unwrap();
    let [one, other] = config.mounts.as_slice() else { panic!("not two") };
    assert_eq!((&*one.name, &*one.path), ("journey-hub", "/"));
    assert_eq!((&*other.name, other.organization, &*other.path), ("partners", Some(7), "/hub/"));
    assert_eq!((&*other.hosts[0], &*other.options["token_lifetime"]), ("hub.example.com", "90s"));
    let told = format!("{:?} {:?}", config.server.drain, config.trust.peers);
    assert_eq!(told, "500ms [10.0.0.0/8, 2001:db8::1/128]");
    assert_eq!(config.authz.peers, ["127.0.0.1/32".parse().unwrap()]);
    assert_eq!(config.server.listen, "[::1]:9".parse().unwrap());
    assert_eq!(config.log, Log { format: LogFormat::Json, level: LogLevel::Debug });
    assert_eq!(config.store.url.unwrap().expose(), "postgres://db/p");
    let expected = GuardSettings {
        name: "orders".into(),
        listener: None,
        hosts: ["api.example.com", "[::1]", "10.0.0.1"].map(String::from).to_vec(),
        path: "/orders/".into(),
        upstreams: vec![http::Uri::from_static("http://127.0.0.1:9000/v1")],
        schemes: vec![
            ("basic".into(), [].into()),
            ("api_key".into(), [("header".into(), "X-Api-Key".into())].into()),
        ],
        networks: Some(vec!["192.0.2.1/32".parse().unwrap()]),
        client_certificate: true,
        methods: vec![http::Method::GET, http::Method::from_bytes(b"M-SEARCH").unwrap()],
        ability: Some("Orders - Read".into()),
        organization: Some(7),
        upgrades: vec!["websocket".into()],
        identity: vec![Preset::Remote],
        assertion: true,
        pass_credential: true,
        strip_path: true,
        place: Place { file: "p.toml".into(), line: 9, column: 9 },
    };
    assert_eq!(config.guards, [expected]);
}

#[test]
fn a_listener_is_read_as_it_is_written_and_what_it_leaves_out_is_what_the_page_has() {
    let text = r#"
        [[listener]]
        id = "9f_-Z"
        upstream = "http://h/flow/"
        schemes = ["api_key"]
        networks = ["192.0.2.1"]
        methods = ["POST"]
        ability = "Orders - Read"
        organization = 7
        secret_header = "X-Api-Key"
        client_certificate = true
        token_lifetime = "24h"
        pass_credential = true
        [listener.api_key]
        header = "X-Key"
        [[listener]]
        id = "bare"
        upstream = "http://h"
        [[listener]]
        id = "networks-alone"
        upstream = "http://h"
        schemes = []
        networks = ["192.0.2.0/24"]
    "#;
    let config = read(text).unwrap();
    let [full, bare, alone] = config.guards.as_slice() else { panic!("not three") };
    let expected = GuardSettings {
        name: "9f_-Z".into(),
        listener: Some(ListenerSettings {
            secret_header: Some("x-api-key".into()),
            token_lifetime: Some(std::time::Duration::from_secs(86_400)),
        }),
        hosts: vec![],
        path: "/".into(),
        upstreams: vec![http::Uri::from_static("http://h/flow/")],
        schemes: vec![("api_key".into(), [("header".into(), "X-Key".into())].into())],
        networks: Some(vec!["192.0.2.1/32".parse().unwrap()]),
        client_certificate: true,
        methods: vec![http::Method::POST],
        ability: Some("Orders - Read".into()),
        organization: Some(7),
        upgrades: vec![],
        identity: Preset::USUAL.into(),
        assertion: false,
        pass_credential: true,
        strip_path: false,
        place: Place { file: "p.toml".into(), line: 2, column: 9 },
    };
    assert_eq!(*full, expected);
    let schemes: Vec<_> = bare.schemes.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(schemes, ["basic", "bearer", "shared_secret"]);
    assert_eq!((bare.networks.as_ref(), &bare.methods), (None, &vec![]));
    assert_eq!((alone.schemes.len(), alone.networks.as_ref().map(Vec::len)), (0, Some(1)));
}

#[test]
fn a_mistake_in_a_listener_is_told_at_its_place() {
    let listener =
        |line: &str| format!("[[listener]]\nid = \"a\"\nupstream = \"http://h\"\n{line}");
    let long = format!("id = \"{}\"", "a".repeat(65));
    for (text, expected) in [
        (listener("hosts = [\"a\"]"), "p.toml:4:1: listener[0].hosts: unknown"),
        (listener("path = \"/\""), "p.toml:4:1: listener[0].path: unknown"),
        (listener("networks = []"), "p.toml:4:12: listener[0].networks: expected a list of 1 to"),
        (
            listener("networks = [\"10.0.0.0/33\"]"),
            "p.toml:4:13: listener[0].networks[0]: expected",
        ),
        (
            listener("networks = [\"010.0.0.0/8\"]"),
            "p.toml:4:13: listener[0].networks[0]: expected",
        ),
        (
            listener("networks = [\"fe80::1%eth0\"]"),
            "p.toml:4:13: listener[0].networks[0]: expected",
        ),
        (
            listener("schemes = [\"digest\"]"),
            "p.toml:4:12: listener[0].schemes[0]: expected one of",
        ),
        (listener("[listener.api_key]"), "listener[0].api_key: `schemes` does not name `api_key`"),
        (
            listener("secret_header = \"a b\""),
            "p.toml:4:17: listener[0].secret_header: expected the",
        ),
        (
            listener("token_lifetime = \"0s\""),
            "p.toml:4:18: listener[0].token_lifetime: expected a",
        ),
        (
            listener("").replace("id = \"a\"", "id = \"a.b\""),
            "p.toml:2:6: listener[0].id: expected an id",
        ),
        (
            listener("").replace("id = \"a\"", "id = \"\""),
            "p.toml:2:6: listener[0].id: expected an id",
        ),
        (listener("").replace("id = \"a\"", &long), "p.toml:2:6: listener[0].id: expected an id"),
        (
            format!("{GUARD}{}", listener("")),
            "p.toml:6:6: listener[0].id: `a` is the name of the guard at p.toml:1:1 too",
        ),
        (
            format!("{}{}", listener(""), listener("")),
            "p.toml:5:6: listener[1].id: `a` is the name of the guard at p.toml:1:1 too",
        ),
    ] {
        let told = told(&text).concat();
        assert!(told.contains(expected), "{text}\n{told}");
    }
}

#[test]
fn each_name_that_is_not_known_or_no_table_is_told_at_its_place() {
    for (text, expected) in [
        ("[sever]", "p.toml:1:2: sever: unknown, did you mean `server`?"),
        (
            "[nothing]",
            "p.toml:1:2: nothing: unknown: expected one of `server`, `tls`, `store`, `trust`, \
             `authz`, `log`, `passwords`, `guard`, `listener`, `mount`",
        ),
        ("listen = 1", "p.toml:1:1: listen: unknown, did you mean `server.listen`?"),
        ("[server]\nlistne = 1", "p.toml:2:1: server.listne: unknown, did you mean `listen`?"),
        (
            "[log]\n\"é\\n\" = 1",
            "p.toml:2:1: log.\"é\\n\": unknown: expected one of `format`, `level`",
        ),
        ("server = 5", "p.toml:1:10: server: expected a table `[server]`, found the number `5`"),
        (
            "[guard]\nname = \"a\"",
            "p.toml:1:1: guard: expected at most 1000 tables `[[guard]]`, found a table",
        ),
        (
            "guard = [1]",
            "p.toml:1:10: guard[0]: expected a table `[[guard]]`, found the number `1`",
        ),
    ] {
        check(text, &[expected]);
    }
}

#[test]
fn each_wrong_value_is_told_at_its_place() {
    for (text, expected) in [
        (
            "[server]\n  listen = 8080",
            "p.toml:2:12: server.listen: expected an address with a port, as `127.0.0.1:8080` or \
             `[::1]:8080`, found the number `8080`",
        ),
        (
            "[server]\nlisten = \"localhost\"",
            "p.toml:2:10: server.listen: expected an address with a port, as `127.0.0.1:8080` or \
             `[::1]:8080`, found the text `localhost`",
        ),
        (
            "[server]\nmax_connections = 0",
            "p.toml:2:19: server.max_connections: expected a whole number from 1 to 1000000, found \
             the number `0`",
        ),
        (
            "[server]\ndrain = 20",
            "p.toml:2:9: server.drain: expected a time from `\"0s\"` to `\"10m\"`, found the number \
             `20`",
        ),
        (
            "[server]\ndrain = \"601s\"",
            "p.toml:2:9: server.drain: expected a time from `\"0s\"` to `\"10m\"`, found the text \
             `601s`",
        ),
        (
            "[trust]\npeers = [\"10.0.0.1/8\"]",
            "p.toml:2:10: trust.peers[0]: expected one of networks, as `10.0.0.0/8` or \
             `2001:db8::1`, but not all, found the text `10.0.0.1/8`",
        ),
        (
            "[trust]\npeers = [\"::1\",\n \"::1\"]",
            "p.toml:3:2: trust.peers[1]: `::1` is there twice",
        ),
        (
            "[log]\nlevel = \"loud\"",
            "p.toml:2:9: log.level: expected one of `error`, `warn`, `info`, `debug`, found the \
             text `loud`",
        ),
        (
            "[passwords]\nmemory_kib = 19455",
            "p.toml:2:14: passwords.memory_kib: expected a whole number from 19456 to 262144, found \
             the number `19455`",
        ),
        (
            "[passwords]\npasses = 1",
            "p.toml:2:10: passwords.passes: expected a whole number from 2 to 16, found the number \
             `1`",
        ),
    ] {
        check(text, &[expected]);
    }
}

#[test]
fn a_wrong_secret_is_refused_unseen() {
    for (text, expected) in [
        (
            "[store]\nmaster_key = \"CANARY\"",
            "p.toml:2:14: store.master_key: has no place in a file: set the environment variable \
             `PORTCULLIS_MASTER_KEY` instead",
        ),
        (
            "[store]\nurl = \"mysql://CANARY\"",
            "p.toml:2:7: store.url: expected a URL, as `postgres://user@host/database`, for TLS \
             with `?sslmode=verify-full&sslrootcert=FILE`, found something else, which is not shown",
        ),
        (
            "[store]\nurl = \"postgres://u:CANARY@h/d?sslmode=prefer\"",
            "p.toml:2:7: store.url: expected a URL, as `postgres://user@host/database`, for TLS \
             with `?sslmode=verify-full&sslrootcert=FILE`, found something else, which is not shown",
        ),
    ] {
        check(text, &[expected]);
    }
}

#[test]
fn each_mistake_of_a_guard_is_told_at_its_place() {
    for (more, expected) in [
        (
            "networks = []",
            "p.toml:5:12: guard[0].networks: expected a list of 1 to 10000 networks, as \
             `10.0.0.0/8` or `2001:db8::1`, found an empty list",
        ),
        (
            "hosts = [\"a:80\"]",
            "p.toml:5:10: guard[0].hosts[0]: expected one of host names or addresses without a \
             port, as `api.example.com`, found the text `a:80`",
        ),
        ("hosts = [\"A\", \"a\"]", "p.toml:5:15: guard[0].hosts[1]: `a` is there twice"),
        (
            "path = \"/a/../b\"",
            "p.toml:5:8: guard[0].path: expected a path that starts with `/`, without `//`, `.`, \
             `..`, `?` and `#`, found the text `/a/../b`",
        ),
        (
            "methods = [\"get\"]",
            "p.toml:5:12: guard[0].methods[0]: expected one of methods in capitals, as `GET`, found \
             the text `get`",
        ),
        (
            "ability = \"\"",
            "p.toml:5:11: guard[0].ability: expected the name of an ability, at most 100 \
             characters, found the text ``",
        ),
        (
            "strip_path = \"yes\"",
            "p.toml:5:14: guard[0].strip_path: expected `true` or `false`, found the text `yes`",
        ),
        ("[guard.basik]", "p.toml:5:8: guard[0].basik: unknown, did you mean `basic`?"),
        ("[guard.api_key]", "p.toml:5:1: guard[0].api_key: `schemes` does not name `api_key`"),
        (
            "basic = 1",
            "p.toml:5:9: guard[0].basic: expected a table of options, found the number `1`",
        ),
        (
            "[guard.basic]\nrealm = 1",
            "p.toml:6:9: guard[0].basic.realm: expected a text, found the number `1`",
        ),
        (
            "[[guard]]\nname = \"a\"\npath = \"/a\"\nupstream = \"http://h\"\nschemes = [\"basic\"]",
            "p.toml:6:8: guard[1].name: `a` is the name of the guard at p.toml:1:1 too",
        ),
        (
            "[[guard]]\nname = \"b\"\nupstream = \"http://h\"\nschemes = [\"basic\"]",
            "p.toml:5:1: guard[1].path: the guard at p.toml:1:1 answers for `/` too",
        ),
    ] {
        check(&format!("{GUARD}{more}"), &[expected]);
    }
}

#[test]
fn an_upstream_is_a_url_of_a_protocol_that_is_spoken() {
    for (url, good) in [
        ("http://h", true),
        ("http://h:1/base", true),
        ("http://[::1]:9000", true),
        ("http://[::1]", true),
        ("https://h", true),
        ("h2c://h:1/base", true),
        ("ftp://h", false),
        ("http://u:p@h", false),
        ("http://h/?q", false),
        ("http://h/#f", false),
        ("http://h:0", false),
        ("http://h:99999", false),
        ("http://:80", false),
        ("h:80", false),
        ("/path", false),
        ("", false),
    ] {
        let text = GUARD.replace("http://h", url);
        assert_eq!(read(&text).is_ok(), good, "{url}: {:?}", told(&text));
    }
}

#[test]
fn upstreams_are_none_or_one_or_several() {
    for (lines, count) in [
        ("", 0),
        ("upstream = \"http://h\"", 1),
        ("upstreams = [\"http://h\"]", 1),
        ("upstreams = [\"http://h\", \"https://i\"]\nupstream = \"h2c://j\"", 3),
    ] {
        let text = GUARD.replace("upstream = \"http://h\"", lines);
        assert_eq!(read(&text).unwrap().guards[0].upstreams.len(), count, "{lines}");
    }
}

#[test]
fn a_guard_that_demands_nothing_is_told_all_it_lacks() {
    check(
        "[[guard]]",
        &[
            "p.toml:1:1: guard[0].name: missing: expected a name of 1 to 63 of `a`-`z`, `0`-`9` and \
             `-`, not starting with `-`",
            "p.toml:1:1: guard[0].schemes: missing: expected `schemes`, `networks` or both",
        ],
    );
}

#[test]
fn one_mistake_does_not_make_another() {
    let other = GUARD.replace("\"a\"", "\"b\"");
    let hosts = "hosts = [\"a:80\"]\n";
    for (text, count) in [
        (format!("{GUARD}{hosts}{other}{hosts}"), 2),
        (format!("{}[guard.basic]\nrealm = \"r\"", GUARD.replace("[\"basic", "[\"basik")), 1),
        (GUARD.replace("\"http", "http"), 1),
        ("[server]\nmax_connections = = 3".to_owned(), 1),
        ("[trust]\npeers = [\n  \"::1\",\n  10.0.0.0/8,\n]".to_owned(), 1),
        ("server = \n[log]\nlevel = \"info\"".to_owned(), 1),
    ] {
        assert_eq!(told(&text).len(), count, "{text}: {:?}", told(&text));
    }
}

#[test]
fn two_guards_may_not_answer_for_one_place_however_it_is_written() {
    let guard = |name: &str, route: &str| {
        let text = GUARD.replace("\"a\"", &format!("\"{name}\""));
        text + route + "\n"
    };
    let first = guard("a", "hosts = [\"x.example\", \"y_1\"]\npath = \"/p/\"");
    for (route, count) in [
        ("hosts = [\"X.example\"]\npath = \"/p\"", 1),
        ("hosts = [\"y_1\", \"x.example\"]\npath = \"/p\"", 2),
        ("hosts = [\"x.example\"]\npath = \"/p/q\"", 0),
        ("path = \"/p\"", 0),
    ] {
        let text = first.clone() + &guard("b", route);
        assert_eq!(told(&text).len(), count, "{route}: {:?}", told(&text));
    }
}

#[test]
fn an_unknown_scheme_is_told_with_those_that_are_known() {
    check(
        &GUARD.replace("basic", "basik"),
        &["p.toml:4:12: guard[0].schemes[0]: expected one of `api_key`, `basic`, `bearer`, \
           `shared_secret`, found the text `basik`"],
    );
}

#[test]
fn all_mistakes_of_a_file_are_told_in_its_order() {
    let text = "[server]\nlisten = 1\ndrian = 2\nmax_connections = = 3\n\n[log]\nlevel = 4\n\
                [log]\n[[guard]]\nname = \"A\"\nupstream =\n";
    let told = read(text).unwrap_err().to_string();
    let places: Vec<_> = told.lines().filter_map(|line| line.split(": ").next()).collect();
    assert_eq!(
        places,
        [
            "p.toml:2:10",
            "p.toml:3:1",
            "p.toml:4:19",
            "p.toml:7:9",
            "p.toml:8:2",
            "p.toml:10:8",
            "p.toml:11:11",
            "7 mistakes"
        ],
        "{told}"
    );
}

#[test]
fn what_is_not_toml_is_told_once_and_shows_no_secret() {
    for (text, expected) in [
        ("[store]\nurl = \"CANARY", "p.toml:2:14: invalid basic string, expected `\"`"),
        (
            "[store]\nurl = CANARY",
            "p.toml:2:7: string values must be quoted, expected literal string",
        ),
        ("[log]\nlevel = \"info\"\nlevel = \"warn\"", "p.toml:3:1: duplicate key"),
    ] {
        check(text, &[expected]);
    }
}

#[test]
fn a_file_that_cannot_be_read_at_all_is_one_mistake() {
    let long = vec![b'#'; usize::try_from(MAX_FILE).unwrap() + 1];
    for (bytes, expected) in [
        (&b"a = \"\xff\""[..], "p.toml: is not UTF-8 from byte 5 on\n1 mistake"),
        (&long[..], "p.toml: has more than 1048576 bytes\n1 mistake"),
    ] {
        let mistakes = parse("p.toml", bytes, &nothing, &KNOWN).unwrap_err();
        assert_eq!(mistakes.to_string(), expected);
    }
    assert!(parse("p.toml", &long[1..], &nothing, &KNOWN).is_ok());
    let folder = tempfile::tempdir().unwrap();
    let absent = load(Some(&folder.path().join("absent")), &nothing, &KNOWN).unwrap_err();
    assert!(absent.to_string().contains("absent: cannot be read: "), "{absent}");
    let file = folder.path().join("p.toml");
    std::fs::write(&file, "[log]\nlevel = \"warn\"").unwrap();
    assert_eq!(load(Some(&file), &nothing, &KNOWN).unwrap().log.level, LogLevel::Warn);
}

#[test]
fn the_environment_prevails_and_its_mistakes_name_the_variable() {
    let drawn = MasterKey::draw().unwrap();
    let key = drawn.expose_text();
    let good = |name: &str| match name {
        "PORTCULLIS_LISTEN" => Some("0.0.0.0:1".to_owned()),
        "PORTCULLIS_DATA" => Some("/data".to_owned()),
        "PORTCULLIS_DATABASE_URL" => Some("postgresql://db".to_owned()),
        "PORTCULLIS_MASTER_KEY" => Some(key.to_owned()),
        "PORTCULLIS_AUTHZ_SECRET" => Some("s".repeat(32)),
        _ => None,
    };
    let config = parse("p.toml", b"[server]\nlisten = \"[::1]:2\"", &good, &KNOWN).unwrap();
    assert_eq!(config.server.listen, "0.0.0.0:1".parse().unwrap());
    assert_eq!(config.store.data, Path::new("/data"));
    assert_eq!(config.store.url.unwrap().expose(), "postgresql://db");
    assert_eq!(config.store.master_key.unwrap().id(), MasterKey::parse(key).unwrap().id());
    assert_eq!(config.authz.secret.unwrap().expose(), "s".repeat(32));

    let bad = |_: &str| Some("CANARY".to_owned());
    let mistakes = parse("p.toml", b"[server]\nlisten = 1", &bad, &KNOWN).unwrap_err();
    let told: Vec<_> = mistakes.iter().map(ToString::to_string).collect();
    let address = "an address with a port, as `127.0.0.1:8080` or `[::1]:8080`";
    assert_eq!(
        told,
        [
            format!("p.toml:2:10: server.listen: expected {address}, found the number `1`"),
            "PORTCULLIS_AUTHZ_SECRET: authz.secret: expected 32 to 512 visible characters, as \
             `openssl rand -hex 32` makes them, found something else, which is not shown"
                .to_owned(),
            "PORTCULLIS_DATABASE_URL: store.url: expected a URL, as \
             `postgres://user@host/database`, for TLS with \
             `?sslmode=verify-full&sslrootcert=FILE`, found something else, which is not shown"
                .to_owned(),
            format!(
                "PORTCULLIS_LISTEN: server.listen: expected {address}, found the text `CANARY`"
            ),
            "PORTCULLIS_MASTER_KEY: store.master_key: expected 32 random bytes in base64, \
             44 characters, as `openssl rand -base64 32` makes them, found something else, which \
             is not shown"
                .to_owned(),
        ]
    );
}

#[test]
fn a_variable_that_is_set_but_empty_is_a_mistake() {
    for variable in keys::all().filter_map(Key::variable) {
        let empty = |name: &str| (name == variable).then(String::new);
        let mistakes = load(None, &empty, &KNOWN).unwrap_err();
        let origins: Vec<_> = mistakes.iter().map(|mistake| &mistake.origin).collect();
        assert_eq!(origins, [&Origin::Variable { variable }]);
    }
}

#[test]
fn no_secret_is_shown() {
    let secret = |name: &str| match name {
        "PORTCULLIS_AUTHZ_SECRET" => Some("CANARY".repeat(7)),
        "PORTCULLIS_MASTER_KEY" => Some(format!("{}A=", "CANARY".repeat(7))),
        _ => None,
    };
    let config =
        parse("p.toml", b"[store]\nurl = \"postgres://u:CANARY@h/d\"", &secret, &KNOWN).unwrap();
    assert!(!format!("{config:?}").contains("CANARY"));
}

#[test]
fn a_mistake_that_is_found_later_joins_the_others() {
    let mut mistakes = Mistakes::default();
    let place = read(GUARD).unwrap().guards[0].place.clone();
    mistakes.push(Mistake {
        origin: Origin::Variable { variable: "V" },
        key: String::new(),
        message: "m".into(),
    });
    mistakes.push(Mistake::at(&place, "guard[0]", "cannot be built"));
    assert_eq!(mistakes.to_string(), "p.toml:1:1: guard[0]: cannot be built\nV: m\n2 mistakes");
    let json: Vec<_> = mistakes.iter().map(|it| serde_json::to_value(it).unwrap()).collect();
    let expected = serde_json::json!([
        {"file": "p.toml", "line": 1, "column": 1, "key": "guard[0]", "message": "cannot be built"},
        {"variable": "V", "key": "", "message": "m"},
    ]);
    assert_eq!(serde_json::Value::Array(json), expected);
}

#[test]
fn beyond_a_bound_mistakes_and_guards_are_only_counted() {
    let mut text = String::from("[log]\n");
    (0..=MAX_MISTAKES).for_each(|number| writeln!(text, "x{number} = 1").unwrap());
    let mistakes = read(&text).unwrap_err();
    assert_eq!((mistakes.iter().count(), mistakes.count()), (MAX_MISTAKES, MAX_MISTAKES + 1));
    assert!(mistakes.to_string().ends_with("\n1001 mistakes, of which 1000 are shown"));

    let guard = |number| GUARD.replace("\"a\"", &format!("\"a{number}\"\npath = \"/{number}\""));
    let guards = |count| (0..count).map(guard).collect::<String>();
    assert_eq!(read(&guards(MAX_GUARDS)).unwrap().guards.len(), MAX_GUARDS);
    check(
        &guards(MAX_GUARDS + 1),
        &["p.toml:1:1: guard: expected at most 1000 tables `[[guard]]`, found 1001"],
    );
}

/// What a table must have of which there may be several.
const NEEDED: &[(&str, &[&str])] =
    &[("guard", &["name", "schemes"]), ("listener", &["id", "upstream"]), ("mount", &["dialect"])];

/// A good file in which `key` has the value `value`, that value being last in it.
fn file_with(key: &Key, value: &str) -> String {
    let mut text = String::new();
    if (key.section, key.name) == ("server", "redirect") {
        text.push_str("tls = { certificate = \"c\", key = \"k\" }\n");
    }
    if let Some((section, needed)) = NEEDED.iter().find(|(name, _)| *name == key.section) {
        writeln!(text, "[[{section}]]").unwrap();
        for name in needed.iter().filter(|it| **it != key.name) {
            let other = keys::all().find(|key| key.section == *section && key.name == *name);
            writeln!(text, "{name} = {}", other.unwrap().example()).unwrap();
        }
    } else {
        writeln!(text, "[{}]", key.section).unwrap();
        for name in ["certificate", "key"].iter().filter(|it| **it != key.name) {
            // One makes no sense without the other.
            if key.section == "tls" {
                writeln!(text, "{name} = \"a.pem\"").unwrap();
            }
        }
    }
    write!(text, "{} = {value}", key.name).unwrap();
    text
}

fn is_listed(section: &str) -> bool {
    NEEDED.iter().any(|(name, _)| *name == section)
}

#[test]
fn a_certificate_its_key_and_what_needs_them_come_together() {
    let missing = "missing: a certificate and its key need each other";
    for (text, mistakes) in [
        ("[tls]\ncertificate = \"c\"\nkey = \"k\"", vec![]),
        ("[tls]\n", vec![]),
        ("[tls]\ncertificate = \"c\"", vec![format!("p.toml:1:1: tls.key: {missing}")]),
        ("[tls]\nkey = \"k\"", vec![format!("p.toml:1:1: tls.certificate: {missing}")]),
        (
            "[tls]\nclient_ca = \"c\"",
            ["certificate", "key"].map(|it| format!("p.toml:1:1: tls.{it}: {missing}")).to_vec(),
        ),
        (
            "[server]\nredirect = \"127.0.0.1:80\"",
            vec![
                "p.toml:2:12: server.redirect: there is nothing to redirect to without a \
                  `tls.certificate`"
                    .to_owned(),
            ],
        ),
        (
            "[authz]\nclient_certificate = true",
            vec![
                "p.toml:2:22: authz.client_certificate: no client has a certificate without a \
                  `tls.client_ca`"
                    .to_owned(),
            ],
        ),
    ] {
        let told = read(text).err().unwrap_or_default();
        assert_eq!(told.iter().map(ToString::to_string).collect::<Vec<_>>(), mistakes, "{text}");
    }
}

#[test]
fn every_key_of_the_table_is_read() {
    for key in keys::all() {
        let text = file_with(key, "1979-05-27");
        let mistakes = read(&text).err().unwrap_or_default();
        let found: Vec<_> = mistakes.iter().collect();
        let mark = if is_listed(key.section) { "[0]" } else { "" };
        let path = format!("{}{mark}.{}", key.section, key.name);
        assert_eq!(found.len(), 1, "{path}: {mistakes}");
        assert_eq!(found[0].key, path);
        assert!(!found[0].message.contains("unknown"), "{mistakes}");
        let place =
            Place { file: "p.toml".into(), line: text.lines().count(), column: key.name.len() + 4 };
        assert_eq!(found[0].origin, Origin::Place(place));
    }
}

#[test]
fn every_example_is_good_and_every_default_is_what_holds_without_it() {
    for key in keys::all().filter(|key| !matches!(key.home, Home::Only(_))) {
        let config = read(&file_with(key, key.example()));
        let config = config.unwrap_or_else(|told| panic!("{}: {told}", key.name));
        if !is_listed(key.section) && matches!(key.absence, Absence::Default(_)) {
            assert_eq!(format!("{config:?}"), format!("{:?}", read("").unwrap()), "{}", key.name);
        }
    }
}

#[test]
fn the_sample_is_a_good_file_as_it_is_and_with_every_line_put_in() {
    let sample = sample();
    assert_eq!(format!("{:?}", read(&sample).unwrap()), format!("{:?}", read("").unwrap()));
    let bare = |line: &str| {
        let rest = line.strip_prefix('#').filter(|rest| !rest.starts_with(' '));
        rest.unwrap_or(line).to_owned() + "\n"
    };
    let all: String = sample.lines().map(bare).collect();
    let config = read(&all).unwrap();
    let listens: Vec<bool> = config.guards.iter().map(|it| it.listener.is_some()).collect();
    assert_eq!(listens, [false, true]);
    assert!(config.store.url.is_some());
}

#[test]
fn page_and_sample_name_every_key() {
    for (text, sample) in [(markdown(&[], &[]), false), (sample(), true)] {
        for header in HEADERS {
            assert!(text.contains(&format!("[{}]", header.name)), "{}", header.name);
        }
        for key in keys::all() {
            assert!(text.contains(&format!("`{}`", key.name)) || sample, "{}", key.name);
            assert!(text.contains(key.name), "{}", key.name);
            assert!(key.variable().is_none_or(|it| text.contains(it)), "{}", key.name);
        }
    }
}

/// Whether every mistake of `bytes` says what is wrong, and where in them.
fn every_mistake_has_a_place(bytes: &[u8]) -> bool {
    let Err(mistakes) = parse("p.toml", bytes, &nothing, &KNOWN) else { return true };
    let text = std::str::from_utf8(bytes);
    let width = |line: usize| {
        let line = text.ok()?.split('\n').nth(line.checked_sub(1)?)?;
        Some(line.chars().count())
    };
    let placed = |mistake: &Mistake| match &mistake.origin {
        Origin::File { .. } => text.is_err(),
        Origin::Place(place) => {
            width(place.line).is_some_and(|width| (1..=width + 1).contains(&place.column))
        }
        Origin::Variable { .. } => false,
    };
    mistakes.count() > 0 && mistakes.iter().all(|it| placed(it) && !it.message.is_empty())
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        let _any = parse("p.toml", &bytes, &nothing, &KNOWN).map_err(|told| told.to_string());
    }

    #[test]
    fn a_damaged_file_never_panics(
        at in 0_usize..4_000,
        length in 0_usize..40,
        junk in "[\\[\\]{}=.,\"'#\\n a-é0-9]{0,24}",
    ) {
        let mut text: Vec<char> = sample().replace("\n#", "\n").chars().collect();
        let start = at.min(text.len());
        let end = (start + length).min(text.len());
        text.splice(start..end, junk.chars());
        let text: String = text.into_iter().collect();
        let _any = read(&text).map_err(|told| told.to_string());
    }

    #[test]
    fn every_mistake_in_arbitrary_bytes_has_a_place(
        bytes in prop::collection::vec(any::<u8>(), 0..512),
        text in "([\\[\\]{}=.,\"'#\r\n\ta-eé0-9]|\\[\\[?(guard|server|log)\\]?\\]\n){0,60}",
    ) {
        prop_assert!(every_mistake_has_a_place(&bytes));
        prop_assert!(every_mistake_has_a_place(text.as_bytes()), "{text}");
    }

    #[test]
    fn every_mistake_in_a_damaged_file_has_a_place(
        damages in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..40, "\\PC{0,6}\r?\n?"), 1..6),
    ) {
        let mut text: Vec<char> = sample().replace("\n#", "\n").chars().collect();
        for (at, length, junk) in damages {
            let start = at.index(text.len() + 1);
            let end = (start + length).min(text.len());
            text.splice(start..end, junk.chars());
        }
        let text: String = text.into_iter().collect();
        prop_assert!(every_mistake_has_a_place(text.as_bytes()), "{text}");
    }
}

#[test]
fn nobody_can_believe_everybody() {
    for section in ["trust", "authz"] {
        for all in ["0.0.0.0/0", "::/0"] {
            let told = told(&format!("[{section}]\npeers = [\"10.0.0.1\", \"{all}\"]")).concat();
            assert!(told.starts_with(&format!("p.toml:2:22: {section}.peers[1]: ")), "{told}");
        }
    }
}
