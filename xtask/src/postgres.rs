//! A private PostgreSQL for one run: found or installed, started, and taken down again.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail, ensure};

/// A server that lives as long as this.
pub(crate) struct Postgres {
    /// How the tests reach it.
    pub(crate) url: String,
    programs: PathBuf,
    folder: PathBuf,
}

impl Postgres {
    /// Starts one on a free port of the loopback address.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let programs = match find() {
            Some(programs) => programs,
            None => {
                install()?;
                find().context("postgresql was installed, but initdb is not there")?
            }
        };
        let folder =
            std::env::temp_dir().join(format!("portcullis-postgres-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        if is_root() {
            let owned = Command::new("chown").arg("postgres").arg(&folder).status()?;
            ensure!(owned.success(), "chown of the temporary folder failed");
        }
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
        let server = Self { url, programs, folder };
        let data = server.folder.join("data");
        server.run(
            "initdb",
            &["-A", "trust", "-U", "postgres", "-E", "UTF8", "-N", "-D"],
            &data,
        )?;
        let options = format!(
            "-p {port} -k {} -c listen_addresses=127.0.0.1 -c fsync=off",
            server.folder.display()
        );
        let log = server.folder.join("log");
        let log = log.to_string_lossy();
        server.run("pg_ctl", &["-w", "-l", &log, "-o", &options, "start", "-D"], &data)?;
        Ok(server)
    }

    fn run(&self, program: &str, arguments: &[&str], data: &Path) -> anyhow::Result<()> {
        let path = self.programs.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        command.args(arguments).arg(data).current_dir(&self.folder);
        let status = command.stdout(Stdio::null()).stdin(Stdio::null()).status()?;
        ensure!(status.success(), "{program} failed");
        Ok(())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let data = self.folder.join("data");
        if let Err(error) = self.run("pg_ctl", &["-m", "immediate", "stop", "-D"], &data) {
            crate::print(&format!("the private PostgreSQL could not be stopped: {error:#}\n"));
        }
        // What is left lies in the temporary folder.
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

fn find() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    folders.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders.extend(std::env::split_paths(&path));
    folders
        .into_iter()
        .find(|folder| folder.join("initdb").is_file() && folder.join("pg_ctl").is_file())
}

fn install() -> anyhow::Result<()> {
    if !is_root() {
        bail!("PostgreSQL is missing: apt-get install postgresql");
    }
    for arguments in [&["update"][..], &["install", "-y", "--no-install-recommends", "postgresql"]]
    {
        let status = Command::new("apt-get").args(arguments).stdin(Stdio::null()).status()?;
        ensure!(status.success(), "apt-get failed: install postgresql by hand");
    }
    Ok(())
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|told| told.stdout.trim_ascii() == b"0")
}
