//! A server, the commands beside it, and raw requests to it.

use std::fs;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::TcpStream;
use std::ops::Deref;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
pub(crate) use base64::engine::general_purpose::STANDARD as BASE64;
use portcullis_core::id::Revision;
use portcullis_core::time::{Clock, Moment, Timestamp};
use portcullis_store::audit::Entry;
use portcullis_store::{Store, Target};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// Longer than anything takes that works: what hangs fails instead.
const PATIENCE: Duration = Duration::from_secs(30);

/// One installation, and the environment of its commands.
pub(crate) struct Home {
    folder: TempDir,
    variables: Vec<(&'static str, String)>,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    pub(crate) fn with(variables: &[(&'static str, String)]) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), variables: variables.to_vec() }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Writes a file beside the data folder, and says where.
    pub(crate) fn write(&self, name: &str, content: &str) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
        command.env_clear().envs(self.variables.iter().cloned()).stdin(Stdio::null());
        command.arg("--data").arg(self.data()).args(arguments);
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// What a command that must succeed prints.
    #[track_caller]
    pub(crate) fn done(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    #[track_caller]
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.done(&[&["--json"], arguments].concat())).unwrap()
    }

    /// Sets a password as a person does, on standard input.
    pub(crate) fn set_password(&self, login: &str, password: &str) -> Output {
        let mut command = self.command(&["user", "password", login]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        writeln!(child.stdin.take().unwrap(), "{password}").unwrap();
        child.wait_with_output().unwrap()
    }

    pub(crate) fn store(&self) -> Store {
        Store::open(Target::Sqlite(self.data()), Arc::new(StandingClock)).unwrap()
    }

    /// The audit trail, newest first.
    pub(crate) fn audit(&self) -> Vec<Entry> {
        let all = Revision(i64::MAX);
        wait(self.store().read(move |reading| reading.list_audit(all, 1_000))).unwrap()
    }
}

/// Runs `future` to its end.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

#[derive(Debug)]
struct StandingClock;

impl Clock for StandingClock {
    fn now(&self) -> Moment {
        Moment { boot: 0, wall: Timestamp::from_millis(0) }
    }
}

/// A server that answers; it ends with this.
pub(crate) struct Server {
    pub(crate) address: String,
    pub(crate) home: Home,
    stdout: Heard,
    stderr: Heard,
    running: Running,
}

/// What is left of a server that was told to stop.
pub(crate) struct Ended {
    pub(crate) home: Home,
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Server {
    /// `serve` on a free port, with `config` beside that.
    pub(crate) fn serve(home: Home, config: &str) -> Self {
        let config = format!("[server]\nlisten = \"127.0.0.1:0\"\n{config}");
        let file = home.write("portcullis.toml", &config);
        let command = home.command(&["serve", "--config", &file]);
        Self::start(home, command, |_, stderr| address(stderr))
    }

    /// The same, and it may open so many files at once.
    pub(crate) fn serve_within(home: Home, files: u32, config: &str) -> Self {
        let config = format!("[server]\nlisten = \"127.0.0.1:0\"\n{config}");
        let file = home.write("portcullis.toml", &config);
        let serve = home.command(&["serve", "--config", &file]);
        let mut within = Command::new("prlimit");
        within.arg(format!("--nofile={files}:{files}")).arg(serve.get_program());
        within.args(serve.get_args());
        Self::start(home, within, |_, stderr| address(stderr))
    }

    fn start(
        home: Home,
        mut command: Command,
        ready: impl FnOnce(&mut Heard, &mut Heard) -> String,
    ) -> Self {
        let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut running = Running(piped.spawn().unwrap());
        let mut stdout = Heard::of(running.0.stdout.take().unwrap());
        let mut stderr = Heard::of(running.0.stderr.take().unwrap());
        let address = ready(&mut stdout, &mut stderr);
        Self { address, home, stdout, stderr, running }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        connect(&self.address)
    }

    /// Sends a head without its end, and reads until the server closes.
    pub(crate) fn send(&self, head: &str) -> Answer {
        self.ask(&format!("{head}\r\nHost: any\r\nConnection: close\r\n\r\n"))
    }

    /// Sends `request` as it is, and reads until the server closes.
    pub(crate) fn ask(&self, request: &str) -> Answer {
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).unwrap();
        Answer::read(&mut stream)
    }

    /// What follows `start` on a line that it wrote before it answered.
    pub(crate) fn said(&self, start: &str) -> &str {
        let mut lines = self.stderr.text.lines();
        lines.find_map(|line| line.strip_prefix(start)).unwrap()
    }

    /// Waits for a line of the log that holds `part`.
    pub(crate) fn wait_for_line(&mut self, part: &str) {
        self.stderr.wait(|line| line.contains(part).then_some(()), part);
    }

    /// The memory that it holds, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        let status = format!("/proc/{}/status", self.running.0.id());
        let status = fs::read_to_string(status).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1_024
    }

    /// The processor time that it has used, in hundredths of a second.
    pub(crate) fn processor_time(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.running.0.id())).unwrap();
        let fields = stat.rsplit_once(')').unwrap().1.split_whitespace();
        fields.skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum()
    }

    /// Asks it to end, as an init system does.
    pub(crate) fn terminate(&self) {
        let pid = Pid::from_child(&self.running.0);
        kill_process(pid, Signal::TERM).unwrap();
    }

    /// Waits until it has ended of itself.
    pub(crate) fn ended(mut self) -> Ended {
        let code = self.running.0.wait().unwrap().code();
        let (stdout, stderr) = (self.stdout.rest(), self.stderr.rest());
        Ended { home: self.home, code, stdout, stderr }
    }

    pub(crate) fn stop(self) -> Ended {
        self.terminate();
        self.ended()
    }

    /// Ends it without a word, as a power cut does.
    pub(crate) fn kill(self) -> Home {
        let Self { home, running, .. } = self;
        drop(running);
        home
    }
}

/// Where a server says that it listens.
fn address(stderr: &mut Heard) -> String {
    let url = stderr.wait_for("listening on ");
    url.split_once("://").unwrap().1.to_owned()
}

pub(crate) fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended needs no end.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// What a process says on one stream, read as it is said so that it never waits.
struct Heard {
    lines: Receiver<String>,
    text: String,
}

impl Heard {
    fn of(stream: impl Read + Send + 'static) -> Self {
        let (tell, lines) = channel();
        thread::spawn(move || {
            let lines = BufReader::new(stream).lines();
            lines.map_while(Result::ok).try_for_each(|line| tell.send(line))
        });
        Self { lines, text: String::new() }
    }

    /// What follows `start` on the first line that begins with it.
    fn wait_for(&mut self, start: &str) -> String {
        self.wait(|line| line.strip_prefix(start).map(str::to_owned), start)
    }

    /// What `find` finds on the first line on which it finds something.
    fn wait<T>(&mut self, find: impl Fn(&str) -> Option<T>, wanted: &str) -> T {
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            self.text.push_str(&format!("{line}\n"));
            if let Some(found) = find(&line) {
                return found;
            }
        }
        panic!("it never said `{wanted}`, but: {}", self.text)
    }

    fn rest(self) -> String {
        self.lines.iter().fold(self.text, |text, line| format!("{text}{line}\n"))
    }
}

/// A running quickstart, and what it made.
pub(crate) struct Quickstart {
    server: Server,
    pub(crate) made: Value,
}

impl Quickstart {
    pub(crate) fn start(home: Home) -> Self {
        let command = home.command(&["quickstart", "--listen", "127.0.0.1:0"]);
        let file = home.data().join("quickstart.json");
        let mut server = Server::start(home, command, |stdout, _| stdout.wait_for("Written to"));
        let made: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        let url = made["base_url"].as_str().unwrap();
        server.address = url.strip_prefix("http://").unwrap().to_owned();
        Self { server, made }
    }

    pub(crate) fn text(&self, pointer: &str) -> &str {
        self.made.pointer(pointer).and_then(Value::as_str).unwrap()
    }

    /// Asks the demo, with a line of header or none.
    pub(crate) fn get(&self, credential: &str) -> Answer {
        let separator = if credential.is_empty() { "" } else { "\r\n" };
        self.send(&format!("GET /demo/hello HTTP/1.1{separator}{credential}"))
    }

    pub(crate) fn basic(&self) -> String {
        basic(self.text("/basic/username"), self.text("/basic/password"))
    }

    pub(crate) fn api_key(&self) -> String {
        format!("X-Api-Key: {}", self.text("/api_key/key"))
    }

    /// A session of the owner, signed in to Journyx with this secret of its part of the file.
    pub(crate) fn session(&self, secret: &str) -> String {
        let (username, password) = (&self.made["journyx"]["username"], self.text(secret));
        let body = serde_json::json!({ "username": username, "password": password }).to_string();
        let answer = self.ask(&format!(
            "POST /api/v1/login HTTP/1.1\r\nHost: any\r\nOrigin: any\r\nConnection: close\r\n\
             Accept: application/json\r\nX-Requested-With: XMLHttpRequest\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        ));
        answer.header("x-session-id").unwrap().to_owned()
    }

    /// Ends it without a word, as a power cut does.
    pub(crate) fn kill(self) -> Home {
        self.server.kill()
    }

    pub(crate) fn stop(self) -> Ended {
        self.server.stop()
    }
}

impl Deref for Quickstart {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

/// Everything that came back on a connection.
pub(crate) struct Answer(pub(crate) String);

impl Answer {
    /// Reads until the other side closes, or breaks off.
    pub(crate) fn read(stream: &mut impl Read) -> Self {
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer) {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => panic!("it hangs"),
            Ok(_) | Err(_) => Self(text(&answer)),
        }
    }

    #[track_caller]
    pub(crate) fn status(&self) -> u16 {
        self.0
            .split(' ')
            .nth(1)
            .unwrap_or_else(|| panic!("no answer: {:?}", self.0))
            .parse()
            .unwrap()
    }

    pub(crate) fn body(&self) -> &str {
        self.0.split_once("\r\n\r\n").unwrap().1
    }

    /// Name and value of each header, in the order in which they were sent.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (String, &str)> {
        let head = self.0.split_once("\r\n\r\n").unwrap().0;
        let pairs = head.lines().skip(1).map(|line| line.split_once(": ").unwrap());
        pairs.map(|(name, value)| (name.to_lowercase(), value))
    }

    pub(crate) fn header(&self, wanted: &str) -> Option<&str> {
        self.headers().find(|(name, _)| name == wanted).map(|(_, value)| value)
    }

    /// Everything but what names this very request, after its id and length were checked.
    #[track_caller]
    pub(crate) fn anonymous(&self) -> String {
        let id = self.header("portcullis-request-id");
        let id = id.unwrap_or_else(|| panic!("not an answer of ours: {:?}", self.0));
        assert_eq!(uuid::Uuid::parse_str(id).unwrap().get_version_num(), 7);
        assert_eq!(self.header("content-length").unwrap(), self.body().len().to_string());
        let mut text = format!("{}\n", self.status());
        for (name, value) in self.headers() {
            let own = ["connection", "content-length", "date", "portcullis-request-id"];
            if !own.contains(&&*name) {
                text.push_str(&format!("{name}: {value}\n"));
            }
        }
        format!("{text}\n{}", self.body().replace(id, "ID"))
    }
}

/// The URL of an empty database on a PostgreSQL server.
pub(crate) fn database(server: &str, name: &str) -> String {
    let mut admin = postgres::Client::connect(server, postgres::NoTls).unwrap();
    admin.batch_execute(&format!("DROP DATABASE IF EXISTS {name}")).unwrap();
    admin.batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
    let (server, _) = server.rsplit_once('/').unwrap();
    format!("{server}/{name}")
}

pub(crate) fn basic(login: &str, password: &str) -> String {
    format!("Authorization: Basic {}", BASE64.encode(format!("{login}:{password}")))
}

pub(crate) fn unknown_key() -> String {
    let key = portcullis_core::token::TokenKind::new("key").draw().unwrap();
    format!("X-Api-Key: {}", key.expose_text())
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
