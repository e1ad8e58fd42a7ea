//! find, read, lookup, check and decide, warm: nanoseconds and heap allocations for each scheme.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark measures, prints, and may fail loudly"
)]

use std::hint::black_box;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Request;
use ipnet::IpNet;
use portcullis_core::ability::SIGN_FOR_USERS;
use portcullis_core::authenticator::{Authenticator, Begun};
use portcullis_core::guard::{Definition, Kind, MAX_NETWORKS, Source};
use portcullis_core::id::Id;
use portcullis_core::keyring::{Binding, Keyring};
use portcullis_core::limits::{Limits, Site};
use portcullis_core::organization::{Organization, State};
use portcullis_core::password::{Cost, PasswordVerifier, Verdict};
use portcullis_core::policy::{Decision, Question};
use portcullis_core::principal::{Grant, Holder, User};
use portcullis_core::request::{RequestHead, TrustedPeers};
use portcullis_core::scheme::signature::{Form, sign};
use portcullis_core::scheme::{self, Claim, Issued, Options, Presented, SchemeName};
use portcullis_core::seal::{MacKey, MasterKey, Pepper, PepperId, Peppers};
use portcullis_core::secret::{Scratch, SecretBuf};
use portcullis_core::time::{Clock, Moment, Timestamp};
use portcullis_store::credentials::NewCredential;
use portcullis_store::memory::{Followed, Follower, Lease, Memory};
use portcullis_store::organizations::NewOrganization;
use portcullis_store::sessions::NewSession;
use portcullis_store::users::NewUser;
use portcullis_store::{Store, StoreError, Target, Write, Writing};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

const ROUNDS: u32 = 200_000;
/// How long after its last use the session expires.
const IDLE: Duration = Duration::from_secs(3_600);
const PASSWORD: &str = "correct horse";
/// A server token, of the length that ours have.
const SERVER_KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const SERVER_SECRET: &str = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210";

#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn now(&self) -> Moment {
        Moment { boot: 1, wall: Timestamp::from_millis(1_700_000_000_000) }
    }
}

/// The least nanoseconds of five runs, and the allocations of one.
fn measure(name: &str, mut work: impl FnMut()) -> u128 {
    work();
    let mut best = u128::MAX;
    for _ in 0..5 {
        let begun = Instant::now();
        (0..ROUNDS).for_each(|_| work());
        best = best.min(begun.elapsed().as_nanos() / u128::from(ROUNDS));
    }
    let profiler = dhat::Profiler::builder().testing().build();
    (0..1_000).for_each(|_| work());
    let blocks = dhat::HeapStats::get().total_blocks;
    drop(profiler);
    println!("{name:<28} {best:>6} ns   {blocks:>4} allocations in 1000");
    best
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(Target::Sqlite(folder.path().into()), Arc::new(Still)).unwrap();
    let peppers = Arc::new(Peppers::new(Pepper::new(PepperId(1), &[1; 32]), vec![]));
    let issue = |name| {
        let kind = scheme::ALL.iter().find(|kind| kind.name == name).unwrap();
        kind.issue.unwrap()(&peppers).unwrap()
    };
    let (issued, session) = (issue(scheme::API_KEY), issue(scheme::SESSION));
    let key = issued.shown.expose_text().to_owned();
    let token = session.shown.expose_text().to_owned();
    let password =
        PasswordVerifier::make(&SecretBuf::new(PASSWORD), Cost::OWASP, peppers.current()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let write = Write::new("bench", "setup").unwrap();
    let password = password.to_bytes();
    let master = Arc::new(MasterKey::fresh().unwrap());
    let sealing = Arc::clone(&master);
    let made = store.write(write, move |it| {
        let owner = fill(it, &password, issued, session)?;
        give_server_token(it, &sealing, owner)
    });
    runtime.block_on(made).unwrap();
    let memory = Arc::new(Memory::empty(master).unwrap());
    let followed = Arc::new(Followed { memory: Arc::clone(&memory), lease: Lease::none() });
    let _follower = Follower::start(&store, &followed, Arc::new(Still), "bench").unwrap();
    let authenticator = Authenticator::new(Arc::clone(&memory), peppers, Cost::OWASP).unwrap();

    let mac = MacKey::fresh().unwrap();
    measure("bare HMAC-SHA-256, 49 bytes", || {
        black_box(mac.digest(&[black_box(&[7; 49])]));
    });
    let signed = check_alone();
    for (prefix, accepted) in [("", "alone"), ("/all", "beside every other")] {
        println!("each {accepted}");
        let time = |name, secret| judge(&authenticator, prefix, name, secret);
        let key_time = time(scheme::API_KEY, &key);
        let basic_time = time(scheme::BASIC, PASSWORD);
        let session_time = time(scheme::SESSION, &token);
        let signed_time = time(scheme::SIGNATURE, &signed);
        println!("signature / API key          {:>6} %", signed_time * 100 / key_time);
        println!("session / API key            {:>6} %", session_time * 100 / key_time);
        println!("warm Basic / API key         {:>6} %", basic_time * 100 / key_time);
    }
    println!("api_key alone, and from one of so many networks");
    let time = |prefix| judge(&authenticator, prefix, scheme::API_KEY, &key);
    let none = time("");
    for prefix in ["/near", "/far"] {
        println!("{prefix} / none {:>6} %", time(prefix) * 100 / none);
    }
}

/// The check of a signature beside the HMAC that it is; what was signed.
fn check_alone() -> String {
    let secret = MacKey::of_text(SERVER_SECRET.as_bytes());
    let signed = sign(Form::Documented, (SERVER_KEY, &secret), Still.now().wall, "=admin").unwrap();
    let signed = signed.expose_text().to_owned();
    let (message, _) = signed.trim_start_matches("tkn_").rsplit_once('_').unwrap();
    let bare = measure("bare HMAC of a server token", || {
        black_box(secret.digest(&[black_box(message.as_bytes())]));
    });
    let kind = scheme::ALL.iter().find(|kind| kind.name == scheme::SIGNATURE).unwrap();
    let (checking, keyring) = ((kind.build)(&Options::new()).unwrap(), server_keyring());
    let check = measure("a server token's check", || {
        let (mut scratch, claim) = (Scratch::new(), Claim::new(black_box(signed.as_bytes())));
        let Ok(Presented::Signed(token)) = checking.read(claim, &mut scratch) else { return };
        black_box(checking.prove(&token, &keyring, Still.now().wall)).unwrap();
    });
    println!("check - bare HMAC            {:>6} ns", check.saturating_sub(bare));
    signed
}

/// One owner with a password, a key and a session, behind one guard.
fn fill(
    it: &mut Writing<'_>,
    password: &[u8],
    key: Issued,
    session: Issued,
) -> Result<(Id<User>, Id<Organization>), StoreError> {
    let root = it
        .insert_organization(&NewOrganization { parent: None, name: "Root".into(), realm: true })?
        .id;
    let login = Some("owner".to_owned());
    let owner = it
        .insert_user(&NewUser {
            organization: root,
            login,
            email: None,
            name: "Owner".into(),
            signs_in: true,
        })?
        .id;
    it.set_password(owner, password)?;
    let parent = it.insert_credential(&NewCredential {
        scheme: scheme::API_KEY,
        key: key.key,
        verifier: key.verifier.to_bytes().to_vec(),
        owner,
        label: String::new(),
        read_only: false,
        not_before: None,
        expires: None,
        limits: Limits::default(),
    })?;
    let ends = it.now.plus(IDLE * 20);
    it.insert_session(&NewSession {
        scheme: scheme::SESSION,
        key: session.key,
        verifier: session.verifier.to_bytes().to_vec(),
        owner,
        parent,
        read_only: false,
        expires: it.now.plus(IDLE),
        idle: IDLE,
        ends,
        limits: Limits::default(),
    })?;
    it.insert_guard(root, Source::Store, &definition("all", scheme::ALL))?;
    let key = scheme::ALL.iter().filter(|kind| kind.name == scheme::API_KEY);
    let key: Vec<_> = key.copied().collect();
    for (name, networks) in [("near", 1), ("far", MAX_NETWORKS)] {
        let networks = Some((0..networks).map(network).collect());
        let definition = Definition { networks, ..definition(name, &key) };
        it.insert_guard(root, Source::Store, &definition)?;
    }
    for kind in scheme::ALL {
        let name = kind.name.as_str().replace('_', "-");
        it.insert_guard(root, Source::Store, &definition(&name, &[*kind]))?;
    }
    it.set_organization_state(root, State::Active)?;
    Ok((owner, root))
}

fn server_keyring() -> Keyring {
    Keyring::new(SecretBuf::new(SERVER_SECRET), Options::new())
}

/// A server token that `owner` answers for, who may sign on behalf of others.
fn give_server_token(
    it: &mut Writing<'_>,
    master: &MasterKey,
    (owner, realm): (Id<User>, Id<Organization>),
) -> Result<(), StoreError> {
    let role = it.insert_role(Some(realm), "Signer", &[SIGN_FOR_USERS])?;
    it.set_grant(Holder::User(owner), Grant { role, organization: realm }, State::Active)?;
    let keyring = server_keyring();
    let scheme = scheme::SIGNATURE;
    let binding = Binding { scheme, key: SERVER_KEY, owner: owner.as_bytes() };
    it.insert_credential(&NewCredential {
        scheme,
        key: SERVER_KEY.into(),
        verifier: keyring.seal(master, binding)?,
        owner,
        label: String::new(),
        read_only: false,
        not_before: None,
        expires: None,
        limits: Limits::default(),
    })
    .map(drop)
}

/// One of many networks, that of the caller the first.
fn network(number: usize) -> IpNet {
    let [.., high, low] = number.to_be_bytes();
    let caller = if number == 0 { [192, 0, 2, 0] } else { [10, high, low, 0] };
    IpNet::new(caller.into(), 24).unwrap()
}

fn definition(name: &str, schemes: &[scheme::Kind]) -> Definition {
    Definition {
        kind: Kind::Route,
        name: name.into(),
        hosts: vec![],
        prefix: format!("/{name}"),
        upstreams: vec![http::Uri::from_static("http://127.0.0.1:9")],
        upgrades: vec![],
        identity: vec![],
        assertion: false,
        schemes: schemes.iter().map(|kind| (kind.name, Options::new())).collect(),
        networks: None,
        client_certificate: false,
        methods: vec![],
        ability: None,
        pass_credential: false,
        strip_prefix: false,
    }
}

fn judge(
    authenticator: &Authenticator<Arc<Memory>>,
    prefix: &str,
    name: SchemeName,
    secret: &str,
) -> u128 {
    let kind = scheme::ALL.iter().find(|kind| kind.name == name).unwrap();
    let (header, value) = (kind.present)("owner", secret);
    let own = format!("/{}", name.as_str().replace('_', "-"));
    let path = if prefix.is_empty() { own.as_str() } else { prefix };
    let request = Request::get(path).header("Host", "any").header(header, value.expose());
    let parts = request.body(()).unwrap().into_parts().0;
    let now = Still.now().wall;
    let peer = IpAddr::from([192, 0, 2, 1]);
    let head = RequestHead::from_connection(&parts, peer, &TrustedPeers::default(), now).unwrap();
    let guards = authenticator.lookup().guards();
    let guard = guards.find(head.host(), head.path()).unwrap();
    let site = Site::guard(guard, head.client());
    // Remembers the password, so that what follows is warm.
    if let Begun::Pending(mut pending) = authenticator.begin(&guard.schemes, &site, &head) {
        let verdict = authenticator.slow_check(&mut pending).run().unwrap();
        authenticator.conclude(&pending, matches!(verdict, Verdict::Right { .. }), now);
    }
    measure(name.as_str(), || {
        let begun = authenticator.begin(&guard.schemes, &site, black_box(&head));
        let Begun::Authenticated(who) = begun else { return };
        let question = Question::of(&head, Some(&who), &guard.schemes);
        let decision = guard.policy.decide(&question, authenticator.lookup());
        assert!(matches!(decision, Decision::Allow(_)));
    })
}
