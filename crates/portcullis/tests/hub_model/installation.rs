//! An installation under test: the binary itself, commands beside it, and its realms' mounts.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;
use tempfile::TempDir;

use crate::client::Mount;

/// The realm of a walk, how it is reached, and the Owner it begins with.
#[derive(Clone, Debug)]
pub(crate) struct Realm {
    pub(crate) top: u64,
    pub(crate) name: String,
    pub(crate) keeper: u64,
    pub(crate) secret: String,
    pub(crate) mount: Mount,
}

/// Data folder and environment of an installation.
pub(crate) struct Installation {
    folder: TempDir,
    database: Option<String>,
}

impl Installation {
    /// An empty one; none if the engine is not here.
    pub(crate) fn make(place: &Path, engine: &str, name: &str) -> Option<Self> {
        let folder = tempfile::tempdir_in(place).unwrap();
        if engine == "sqlite" {
            return Some(Self { folder, database: None });
        }
        let url = std::env::var("PORTCULLIS_TEST_POSTGRES").ok()?;
        let mut admin = postgres::Client::connect(&url, postgres::NoTls).unwrap();
        admin.batch_execute(&format!("DROP DATABASE IF EXISTS t_{name}")).unwrap();
        admin.batch_execute(&format!("CREATE DATABASE t_{name}")).unwrap();
        let (server, _) = url.rsplit_once('/')?;
        Some(Self { folder, database: Some(format!("{server}/t_{name}")) })
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn command(&self, arguments: &[impl AsRef<OsStr>]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
        command.env_clear().stdin(Stdio::null());
        command.envs(self.database.iter().map(|url| ("PORTCULLIS_DATABASE_URL", url)));
        command.arg("--data").arg(self.data()).args(arguments);
        command
    }

    pub(crate) fn run(&self, arguments: &[impl AsRef<OsStr>]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// What a command that must succeed prints with `--json`.
    #[track_caller]
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[&["--json"], arguments].concat());
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {told}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Makes realm `at` with its Owner; the first is the root.
    pub(crate) fn realm(&self, at: usize) -> Realm {
        let name = format!("Realm {at}");
        let top = match at {
            0 => self.json(&["org", "show", "1"]),
            _ => self.json(&["org", "create", &name, "--realm"]),
        };
        let (host, prefix) = match at {
            0 => ("127.0.0.1".to_owned(), String::new()),
            _ => (
                format!("realm-{at}.example"),
                if at.is_multiple_of(2) { "/hub" } else { "" }.to_owned(),
            ),
        };
        let (number, name) = (top["number"].as_u64().unwrap(), top["name"].as_str().unwrap());
        let (keeper, secret) = self.owner(&format!("keeper-{at}"), number, number);
        let (name, mount) = (name.to_owned(), Mount { address: String::new(), host, prefix });
        Realm { top: number, name, keeper, secret, mount }
    }

    /// Makes an Owner of an organization, and says their number and secret.
    pub(crate) fn owner(&self, login: &str, organization: u64, realm: u64) -> (u64, String) {
        let (organization, realm) = (organization.to_string(), realm.to_string());
        let made = self.json(&["user", "create", login, "--organization", &organization]);
        let place = ["--organization", &organization, "--realm", &realm];
        self.json(&[&["role", "grant", "Owner", login], &place[..]].concat());
        let secret = self.json(&["user", "secret", login, "--realm", &realm]);
        (made["number"].as_u64().unwrap(), secret["secret"].as_str().unwrap().to_owned())
    }

    /// Serves every realm; a connection is kept however slow the machine is.
    pub(crate) fn serve(&self, realms: &mut [Realm]) -> Server {
        let mounts = realms.iter().map(|realm| {
            let Realm { top, mount: Mount { host, prefix, .. }, .. } = realm;
            let hosts = if *top == 1 { String::new() } else { format!("hosts = [\"{host}\"]\n") };
            let path = if prefix.is_empty() { "/" } else { prefix };
            format!(
                "[[mount]]\nname = \"hub-{top}\"\ndialect = \"journey_hub\"\norganization = {top}\n\
                 {hosts}path = \"{path}\"\n"
            )
        });
        let config = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\nidle_timeout = \"10m\"\n[trust]\n\
             peers = [\"127.0.0.0/8\"]\n[log]\nlevel = \"error\"\n{}",
            mounts.collect::<String>()
        );
        let file = self.folder.path().join("portcullis.toml");
        fs::write(&file, config).unwrap();
        let server = Server::start(self.command(&["serve", "--config", file.to_str().unwrap()]));
        for realm in realms {
            realm.mount.address.clone_from(&server.address);
        }
        server
    }
}

/// A server that answers; it ends with this.
pub(crate) struct Server {
    pub(crate) address: String,
    pub(crate) process: Child,
    log: Arc<Mutex<String>>,
}

impl Server {
    fn start(mut command: Command) -> Self {
        let mut process = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let mut told = String::new();
        let address = loop {
            let Some(Ok(line)) = lines.next() else { panic!("it ended: {told}") };
            match line.strip_prefix("listening on http://") {
                Some(address) => break address.to_owned(),
                None => writeln!(told, "{line}").unwrap(),
            }
        };
        let (log, lines) = (Arc::new(Mutex::new(told)), lines.map_while(Result::ok));
        let heard = Arc::clone(&log);
        let hear = move |line: String| writeln!(heard.lock().unwrap(), "{line}").unwrap();
        thread::spawn(move || lines.for_each(hear));
        Self { address, process, log }
    }
}

impl Server {
    /// What it has complained of.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that has ended needs no end.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
