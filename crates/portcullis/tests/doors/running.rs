//! A proxy that runs with its file of `examples/`.

use std::fs;
use std::io::{BufRead as _, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

/// The files, in a folder for each proxy.
pub(crate) const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");

/// How long the proxy may be silent before it is asked again whether it answers.
const PACE: Duration = Duration::from_millis(50);
/// How often it is asked.
const TRIES: usize = 600;

/// What runs behind and beside the proxy.
pub(crate) struct Places<'a> {
    pub(crate) portcullis: &'a str,
    pub(crate) upstream: &'a str,
    pub(crate) secret: &'a str,
}

/// How one proxy is run.
pub(crate) struct Kind {
    /// Its files in `examples/`.
    files: &'static [&'static str],
    /// Its arguments, and what it needs to find in its folder besides.
    command: fn(&Path, &Places<'_>) -> Vec<String>,
}

pub(crate) const NGINX: Kind = Kind { files: &["nginx/portcullis.conf"], command: nginx };
pub(crate) const CADDY: Kind = Kind {
    files: &["caddy/Caddyfile"],
    command: |_, _| ["run", "--config", "Caddyfile"].map(String::from).to_vec(),
};
pub(crate) const TRAEFIK: Kind = Kind {
    files: &["traefik/traefik.yml", "traefik/dynamic.yml"],
    command: |_, _| vec!["--configFile=traefik.yml".to_owned()],
};

/// A proxy that answers; it ends with this.
pub(crate) struct Running {
    pub(crate) address: String,
    child: Child,
    _lines: Receiver<String>,
    _folder: TempDir,
}

impl Running {
    pub(crate) fn start(program: &Path, kind: &Kind, places: &Places<'_>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        for file in kind.files {
            let source = PathBuf::from(EXAMPLES).join(file);
            let text = fs::read_to_string(&source).unwrap();
            let text = text
                .replace("127.0.0.1:8080", places.portcullis)
                .replace("127.0.0.1:9000", places.upstream)
                .replace("8000", &port.to_string());
            fs::write(folder.path().join(source.file_name().unwrap()), text).unwrap();
        }
        let mut command = Command::new(program);
        command.env_clear().env("HOME", folder.path()).current_dir(folder.path());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("PORTCULLIS_AUTHZ_SECRET", places.secret);
        command.args((kind.command)(folder.path(), places));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (tell, lines) = channel();
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        for stream in [Box::new(out) as Box<dyn Read + Send>, Box::new(err)] {
            let tell = tell.clone();
            thread::spawn(move || {
                let lines = BufReader::new(stream).lines().map_while(Result::ok);
                lines.for_each(|line| drop(tell.send(line)));
            });
        }
        let address = format!("127.0.0.1:{port}");
        wait(&address, &lines);
        Self { address, child, _lines: lines, _folder: folder }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended of itself. nginx leaves its workers behind unless it is asked to end.
        let pid = rustix::process::Pid::from_child(&self.child);
        if rustix::process::kill_process(pid, rustix::process::Signal::TERM).is_err() {
            return;
        }
        drop(self.child.wait());
    }
}

/// Waits until the proxy knows where to ask.
fn wait(address: &str, lines: &Receiver<String>) {
    let mut said = String::new();
    for _ in 0..TRIES {
        if TcpStream::connect(address).is_ok() {
            let answer = super::place::ask(address, "GET /orders HTTP/1.1", "");
            if answer.0.contains(" 401 ") {
                return;
            }
        }
        said.extend(lines.recv_timeout(PACE).map(|line| line + "\n"));
    }
    panic!("it does not answer: {said}")
}

/// The file is for `conf.d/`: it gets a `nginx.conf` around it, which writes to its folder alone.
fn nginx(folder: &Path, places: &Places<'_>) -> Vec<String> {
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {name};"))
        .concat();
    let main = format!(
        "daemon off; pid nginx.pid; error_log stderr notice; events {{}}\n\
         http {{ access_log off; {temporary} include portcullis.conf; }}\n"
    );
    fs::write(folder.join("nginx.conf"), main).unwrap();
    let secret = format!("proxy_set_header Portcullis-Door-Secret \"{}\";\n", places.secret);
    fs::write(folder.join("portcullis-secret.conf"), secret).unwrap();
    let folder = folder.to_str().unwrap();
    ["-p", folder, "-c", &format!("{folder}/nginx.conf"), "-e", "stderr"].map(String::from).to_vec()
}
