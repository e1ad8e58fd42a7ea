//! A private `PostgreSQL` for the tests: found or installed, started, and always removed.

use std::ffi::OsStr;
use std::fs;
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::apt;
use crate::shell::{is_root, read, succeeds};

/// How long the server may take to accept connections.
const START_LIMIT: Duration = Duration::from_secs(60);

/// How often we look whether it does.
const POLL: Duration = Duration::from_millis(50);

/// Options of a server whose data nobody will miss, but which many tests call at once.
const OPTIONS: [&str; 4] =
    ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=300"];

/// Keeps the server until its input ends, which it does however this program dies.
///
/// Called with the file of the server's process id, the folder to remove, and the command.
const KEEPER: &str = r#"
pid=$1 folder=$2; shift 2
"$@" >"$folder/log" 2>&1 </dev/null &
cat >/dev/null
while kill -0 $! 2>/dev/null; do
  test -s "$pid" && kill -INT "$(head -n 1 "$pid")" 2>/dev/null
  sleep 0.1
done
rm -rf "$folder"
"#;

/// The folder with `initdb` and `postgres`; else why there is none.
pub(crate) fn find_or_install() -> Result<PathBuf, String> {
    if let Some(folder) = find() {
        return Ok(folder);
    }
    let remedy = "`apt-get install postgresql` as root, or your system's package of the PostgreSQL \
                  server";
    apt::install(&["postgresql"])
        .map_err(|error| format!("no server found; {remedy}: {error:#}"))?;
    find().ok_or_else(|| "installed, but `initdb` is not where Debian puts it".into())
}

fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<PathBuf> = debian.map(|entry| entry.path().join("bin")).collect();
    versions.sort_by_key(|folder| std::cmp::Reverse(version(folder)));
    let told = read(Command::new("pg_config").arg("--bindir")).ok();
    std::env::split_paths(&path)
        .chain(versions)
        .chain(told.map(|folder| folder.trim().into()))
        .find(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file())
}

/// The major version in `/usr/lib/postgresql/15/bin`.
fn version(folder: &Path) -> Option<u32> {
    folder.parent()?.file_name()?.to_str()?.parse().ok()
}

/// A running server; dropping it stops the server and removes its folder.
#[derive(Debug)]
pub(crate) struct Server {
    keeper: Child,
    port: u16,
}

impl Server {
    /// Makes a cluster in a temporary folder and starts it on a free port of 127.0.0.1.
    pub(crate) fn start(binaries: &Path) -> anyhow::Result<Self> {
        let user = User::choose();
        let folder = PathBuf::from(read(&mut user.command("mktemp", mktemp()))?.trim());
        let port = free_port()?;
        let mut server = match keep(&user, binaries, &folder, port) {
            Ok(keeper) => Self { keeper, port },
            Err(error) => {
                fs::remove_dir_all(&folder).context("remove the folder of a failed start")?;
                return Err(error);
            }
        };
        server.wait_until_ready(&folder)?;
        println!("    {} on 127.0.0.1:{port}", folder.display());
        Ok(server)
    }

    /// Where the tests find it.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Waits for the word the server writes once it accepts connections.
    fn wait_until_ready(&mut self, folder: &Path) -> anyhow::Result<()> {
        let start = Instant::now();
        while start.elapsed() < START_LIMIT {
            let state = fs::read_to_string(folder.join("data/postmaster.pid")).unwrap_or_default();
            if state.lines().any(|line| line.trim() == "ready") {
                return Ok(());
            }
            let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
            if log.contains("FATAL") {
                bail!("the server did not start:\n{}", log.trim());
            }
            sleep(POLL);
        }
        bail!("the server was not ready within {} s", START_LIMIT.as_secs())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        if let Err(error) = self.keeper.wait() {
            println!("    PostgreSQL may still be running: {error}");
        }
    }
}

/// Makes the cluster and hands it to the keeper.
fn keep(user: &User, binaries: &Path, folder: &Path, port: u16) -> anyhow::Result<Child> {
    let data = folder.join("data");
    read(
        user.command(binaries.join("initdb"), ["--auth=trust", "--username=postgres"])
            .args(["--no-sync", "--encoding=UTF8", "--locale=C", "--pgdata"])
            .arg(&data),
    )?;
    let mut postgres = user.command(binaries.join("postgres"), ["-h", "127.0.0.1", "-D"]);
    postgres.arg(&data).arg("-k").arg(folder).args(["-p", &port.to_string()]);
    postgres.args(OPTIONS.iter().flat_map(|option| ["-c", option]));
    Command::new("sh")
        .args(["-c", KEEPER, "keeper"])
        .args([&data.join("postmaster.pid"), folder])
        .arg(postgres.get_program())
        .args(postgres.get_args())
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::piped())
        // Out of reach of Ctrl-C, which would end the keeper before the server.
        .process_group(0)
        .spawn()
        .context("start the server")
}

/// Who runs the server: `PostgreSQL` refuses to be root.
#[derive(Debug)]
enum User {
    Ourselves,
    Other(&'static str),
}

impl User {
    fn choose() -> Self {
        if !is_root() {
            return Self::Ourselves;
        }
        let known = succeeds(Command::new("id").args(["-u", "postgres"]));
        Self::Other(if known { "postgres" } else { "nobody" })
    }

    fn command<I: AsRef<OsStr>>(
        &self,
        program: impl AsRef<OsStr>,
        arguments: impl IntoIterator<Item = I>,
    ) -> Command {
        let mut command = match self {
            Self::Ourselves => Command::new(program),
            Self::Other(name) => {
                let mut runuser = Command::new("runuser");
                runuser.args(["-u", name, "--"]).arg(program);
                runuser
            }
        };
        // The folder we are in may be closed to that user.
        command.args(arguments).current_dir(std::env::temp_dir());
        command
    }
}

fn mktemp() -> [std::ffi::OsString; 2] {
    ["-d".into(), std::env::temp_dir().join("portcullis-postgres.XXXXXX").into()]
}

/// A port that was free a moment ago.
fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context("find a free port")?;
    Ok(listener.local_addr()?.port())
}
