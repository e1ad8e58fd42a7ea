//! What the files come to, and what becomes of it when they change.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};

use portcullis_core::time::Moment;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::ProtocolVersion;
use tempfile::TempDir;

use super::*;
use crate::config::{Environment, Known};

/// A clock that stands where a test sets it.
#[derive(Debug)]
struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Moment {
        Moment { boot: 0, wall: Timestamp::from_millis(self.0.load(Ordering::Relaxed)) }
    }
}

/// At the start of a year.
fn year(year: i32) -> Timestamp {
    Timestamp::from_millis(date_time_ymd(year, 1, 1).unix_timestamp() * 1_000)
}

fn clock(at: Timestamp) -> Arc<Hand> {
    Arc::new(Hand(AtomicI64::new(at.millis())))
}

/// A folder with files for `[tls]`.
struct Place(TempDir);

impl Place {
    /// A certificate that is good in 2026, and its key.
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        let (certificate, key) = pair();
        place.write("chain.pem", &certificate);
        place.write("key.pem", &key);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let partial = self.path("partial");
        fs::write(&partial, text).unwrap();
        fs::rename(partial, self.path(name)).unwrap();
    }

    /// Its settings, with `client_ca` or without.
    fn settings(&self, client_ca: bool) -> config::Tls {
        let at = |name| self.path(name).display().to_string();
        let (chain, key, ca) = (at("chain.pem"), at("key.pem"), at("clients.pem"));
        let mut text = format!("[tls]\ncertificate = \"{chain}\"\nkey = \"{key}\"\n");
        if client_ca {
            text.push_str(&format!("client_ca = \"{ca}\"\n"));
        }
        let nothing: Environment<'_> = &|_| None;
        let known = Known { schemes: &[], dialects: &[] };
        config::parse("p.toml", text.as_bytes(), nothing, &known).unwrap().tls.unwrap()
    }
}

fn pair() -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(["server.example".to_owned()]).unwrap();
    (params.not_before, params.not_after) = (date_time_ymd(2026, 1, 1), date_time_ymd(2027, 1, 1));
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

/// An authority, in PEM, and a certificate that it gave a client until 2027.
fn authority() -> (String, CertificateDer<'static>) {
    let own = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = params.self_signed(&own).unwrap().pem();
    let issuer = Issuer::from_params(&params, &own);
    let mut client = CertificateParams::new(["client.example".to_owned()]).unwrap();
    (client.not_before, client.not_after) = (date_time_ymd(2026, 1, 1), date_time_ymd(2027, 1, 1));
    let key = KeyPair::generate().unwrap();
    (root, client.signed_by(&key, &issuer).unwrap().der().clone())
}

/// What `check` says of the files at the start of 2026: mistakes, or warnings.
fn told(settings: &config::Tls, at: Timestamp) -> Result<Vec<String>, Vec<String>> {
    let clock: Arc<dyn Clock> = clock(at);
    let mistakes = |them: config::Mistakes| them.iter().map(ToString::to_string).collect();
    check(settings, &clock).map_err(mistakes)
}

/// Spoils the files of a place, given another certificate and the place's own key.
type Spoil = fn(&Place, &str, &str);

const SPOILS: &[(Spoil, &[&str])] = &[
    (|_, _, _| {}, &[]),
    (
        |place, _, _| fs::remove_file(place.path("chain.pem")).unwrap(),
        &["tls.certificate: `chain.pem` cannot be read: No such file or directory (os error 2)"],
    ),
    (
        |place, _, _| {
            ["chain.pem", "key.pem", "clients.pem"].iter().for_each(|name| {
                place.write(name, "");
            })
        },
        &[
            "tls.certificate: `chain.pem` holds no certificate",
            "tls.client_ca: `clients.pem` holds no certificate",
            "tls.key: `key.pem` holds no private key that is not encrypted",
        ],
    ),
    (
        |place, other, _| place.write("chain.pem", other),
        &["tls.key: `key.pem` is not the private key of the certificate"],
    ),
    (
        |place, other, _| place.write("key.pem", other),
        &["tls.key: `key.pem` holds no private key that is not encrypted"],
    ),
    (
        |place, _, key| place.write("key.pem", key.repeat(2)),
        &["tls.key: `key.pem` holds several private keys"],
    ),
    (
        |place, _, key| place.write("key.pem", key.replace("END", "CANARY")),
        &["tls.key: `key.pem` is not PEM"],
    ),
    (
        |place, _, key| place.write("key.pem", key.replace("\n", "\n-CANARY ")),
        &["tls.key: `key.pem` is not PEM"],
    ),
    (
        |place, _, _| place.write("key.pem", wrapped("PRIVATE KEY")),
        &["tls.key: `key.pem` holds a private key that cannot be used"],
    ),
    (
        |place, _, _| place.write("key.pem", wrapped("ENCRYPTED PRIVATE KEY")),
        &["tls.key: `key.pem` holds no private key that is not encrypted"],
    ),
    (
        |place, _, _| place.write("chain.pem", wrapped("CERTIFICATE")),
        &["tls.certificate: `chain.pem` holds a certificate that cannot be read"],
    ),
    (
        |place, other, _| place.write("clients.pem", format!("{other}{}", wrapped("CERTIFICATE"))),
        &["tls.client_ca: `clients.pem` holds a certificate that cannot be read"],
    ),
    (
        |place, _, _| place.write("chain.pem", vec![b'\n'; (1 << 20) + 1]),
        &["tls.certificate: `chain.pem` has more than 1048576 bytes"],
    ),
    (
        |place, _, _| place.write("chain.pem", b"\xff\xfe"),
        &["tls.certificate: `chain.pem` holds no certificate"],
    ),
];

#[test]
fn each_file_that_does_not_do_is_told_with_its_key_and_nothing_of_what_it_holds() {
    let (other, _) = pair();
    let key_of_place = |place: &Place| fs::read_to_string(place.path("key.pem")).unwrap();
    for (number, (spoil, expected)) in SPOILS.iter().enumerate() {
        let place = Place::new();
        place.write("clients.pem", authority().0);
        let key = key_of_place(&place);
        spoil(&place, &other, &key);
        let folder = format!("{}/", place.0.path().display());
        let mistakes = told(&place.settings(true), year(2026)).err().unwrap_or_default();
        let mistakes: Vec<_> = mistakes
            .iter()
            .map(|it| it.replace(&folder, "").replacen("p.toml:1:1: ", "", 1))
            .collect();
        assert_eq!(mistakes, *expected, "case {number}");
    }
}

/// Something that is no more than its wrapping says.
fn wrapped(kind: &str) -> String {
    format!("-----BEGIN {kind}-----\nQ0FOQVJZ\n-----END {kind}-----\n")
}

#[test]
fn a_certificate_out_of_its_time_and_a_key_for_everybody_are_warned_of() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let (certificate, key) = (place.path("chain.pem"), place.path("key.pem"));
    let expired = format!("`{}` holds a certificate that has expired", certificate.display());
    let early = format!("`{}` holds a certificate that is not valid yet", certificate.display());
    let open =
        format!("`{}` is a private key, and everybody on this machine may read it", key.display());
    for (at, mode, expected) in [
        (2026, 0o600, vec![]),
        (2026, 0o640, vec![]),
        (2026, 0o644, vec![open.clone()]),
        (2025, 0o600, vec![early]),
        (2028, 0o604, vec![expired, open]),
    ] {
        fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(told(&place.settings(false), year(at)), Ok(expected), "{at} {mode:o}");
    }
}

/// Terms of the files as they are.
fn settled(place: &Place, client_ca: bool) -> Terms {
    let clock: Arc<dyn Clock> = clock(year(2026));
    Files::read(&place.settings(client_ca)).unwrap().settle(&clock).unwrap()
}

#[test]
fn both_protocols_are_offered_and_nothing_early() {
    let config = settled(&Place::new(), false).config;
    assert_eq!(config.alpn_protocols, [b"h2".to_vec(), b"http/1.1".to_vec()]);
    assert_eq!(config.max_early_data_size, 0);
    let suites = &config.crypto_provider().cipher_suites;
    let versions: Vec<_> = suites.iter().map(|it| it.version().version).collect();
    let known = [ProtocolVersion::TLSv1_2, ProtocolVersion::TLSv1_3];
    assert!(versions.iter().all(|version| known.contains(version)), "{versions:?}");
}

#[test]
fn tickets_end_with_the_files_that_they_were_made_under() {
    let place = Place::new();
    let (before, after) = (settled(&place, false).config, settled(&place, false).config);
    let ticket = before.ticketer.encrypt(b"session").unwrap();
    assert_eq!(before.ticketer.decrypt(&ticket).as_deref(), Some(&b"session"[..]));
    assert_eq!(after.ticketer.decrypt(&ticket), None);
}

#[test]
fn what_a_client_has_proven_is_never_resumed() {
    let place = Place::new();
    place.write("clients.pem", authority().0);
    let config = settled(&place, true).config;
    assert_eq!((config.send_tls13_tickets, config.ticketer.enabled()), (0, false));
    assert!(!config.session_storage.put(vec![1], vec![2]));
}

#[test]
fn a_clients_certificate_is_good_by_the_roots_and_the_time_of_the_moment() {
    let place = Place::new();
    let ((root, certificate), (other, _)) = (authority(), authority());
    place.write("clients.pem", &root);
    let (tell, terms) = watch::channel(settled(&place, true));
    let by = terms.borrow().clients.clone().unwrap();
    let client = Client::proven(&[certificate], by, terms);
    let end = year(2027).millis();
    let at = |millis: i64| Timestamp::from_millis(millis);
    // An end is noticed within a minute.
    assert!(client.is_good(at(end - 50_000)));
    assert!(client.is_good(at(end + 1_000)));
    assert!(!client.is_good(at(end + 10_001)));
    // Other roots count at once, and those of the handshake again if they come back.
    for (roots, good) in [(other.clone(), false), (format!("{other}{root}"), true), (root, true)] {
        place.write("clients.pem", &roots);
        tell.send_replace(settled(&place, true));
        assert_eq!(client.is_good(year(2026)), good);
    }
    tell.send_replace(settled(&place, false));
    assert!(!client.is_good(year(2026)));
}

/// What was written to the log.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Page {
    /// The lines since the last time, without their ends, which name a folder.
    fn lines(&self) -> Vec<&'static str> {
        let text = String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap();
        let known = ["what they held stands", "count from now on"];
        let known = |line: &str| known.into_iter().find(|it| line.contains(it)).unwrap();
        text.lines().map(known).collect()
    }
}

/// Lets the files be looked at often.
async fn looked_at() {
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_changed_counts_if_it_is_good_and_is_complained_of_once_if_it_is_not() {
    let page = Page::default();
    let writer = page.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
    let _logged = tracing::subscriber::set_default(subscriber);
    let place = Place::new();
    let clock = clock(year(2026));
    let (mut tls, follow) = Tls::start(place.settings(false), clock.clone()).unwrap();
    tokio::spawn(follow);
    let mut changed = || {
        tls.terms.has_changed().unwrap() && {
            tls.terms.mark_unchanged();
            true
        }
    };

    looked_at().await;
    assert_eq!((page.lines(), changed()), (vec![], false));

    let (certificate, key) = pair();
    place.write("chain.pem", &certificate);
    place.write("key.pem", &key);
    looked_at().await;
    assert_eq!((page.lines(), changed()), (vec!["count from now on"], true));

    // Bad as a file, as a pair, in its time, and gone.
    let spoils: [&dyn Fn(); 4] = [
        &|| place.write("chain.pem", "nonsense"),
        &|| place.write("chain.pem", pair().0),
        &|| {
            place.write("chain.pem", &certificate);
            clock.0.store(year(2028).millis(), Ordering::Relaxed);
        },
        &|| fs::remove_file(place.path("key.pem")).unwrap(),
    ];
    for spoil in spoils {
        spoil();
        looked_at().await;
        assert_eq!((page.lines(), changed()), (vec!["what they held stands"], false));
    }

    clock.0.store(year(2026).millis(), Ordering::Relaxed);
    place.write("key.pem", &key);
    looked_at().await;
    assert_eq!((page.lines(), changed()), (vec!["count from now on"], true));
}

#[tokio::test(start_paused = true)]
async fn a_pair_that_is_replaced_one_after_the_other_is_given_time() {
    let page = Page::default();
    let writer = page.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
    let _logged = tracing::subscriber::set_default(subscriber);
    let place = Place::new();
    let (tls, follow) = Tls::start(place.settings(false), clock(year(2026))).unwrap();
    tokio::spawn(follow);
    looked_at().await;
    let (certificate, key) = pair();
    place.write("chain.pem", certificate);
    tokio::time::sleep(Duration::from_secs(1)).await;
    place.write("key.pem", key);
    looked_at().await;
    assert_eq!(page.lines(), ["count from now on"]);
    assert!(tls.terms.has_changed().unwrap());
}

#[tokio::test(start_paused = true)]
async fn what_is_not_valid_yet_is_complained_of_once_and_counts_when_it_is() {
    let page = Page::default();
    let writer = page.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
    let _logged = tracing::subscriber::set_default(subscriber);
    let (place, clock) = (Place::new(), clock(year(2025)));
    let (tls, follow) = Tls::start(place.settings(false), clock.clone()).unwrap();
    tokio::spawn(follow);
    let (certificate, key) = pair();
    place.write("chain.pem", certificate);
    place.write("key.pem", key);
    looked_at().await;
    assert_eq!(page.lines(), ["what they held stands"]);
    assert!(!tls.terms.has_changed().unwrap());
    clock.0.store(year(2026).millis(), Ordering::Relaxed);
    looked_at().await;
    assert_eq!(page.lines(), ["count from now on"]);
    assert!(tls.terms.has_changed().unwrap());
}
