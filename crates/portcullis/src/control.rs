//! The local control socket: a command tells the server of its folder that there is news.
//!
//! A client says `wake` and a newline, and is answered `ok` and a newline once the server knows.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::{SocketAddr, UnixStream as BlockingStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

/// Listens in `folder`, and calls `wake` for every client that asks for it.
///
/// The caller holds the folder's lock, so a socket that is already there is a dead server's and is
/// replaced. Needs a tokio runtime; `wake` runs on it and must not block. Fails when others than
/// the owner may enter the folder, or when its path is longer than a socket address allows.
pub(crate) fn serve(folder: &Path, wake: impl Fn() + Send + Sync + 'static) -> io::Result<Control> {
    let path = folder.join(SOCKET);
    refuse_open_folder(folder)?;
    refuse_long(&path)?;
    remove_stale(&path)?;
    let listener = UnixListener::bind(&path)?;
    // Made before the mode is set, so that a failure still removes the file.
    let control = Control { path, task: tokio::spawn(accept(listener, Arc::new(wake), PATIENCE)) };
    fs::set_permissions(&control.path, Permissions::from_mode(OWNER_ONLY))?;
    Ok(control)
}

/// A control socket that is being served; dropping it removes its file.
#[derive(Debug)]
pub(crate) struct Control {
    path: PathBuf,
    task: JoinHandle<()>,
}

impl Drop for Control {
    fn drop(&mut self) {
        self.task.abort();
        // What stays behind is replaced by the next server.
        drop(fs::remove_file(&self.path));
    }
}

/// Wakes the server of `folder`, if there is one; waits a few seconds for its answer at most.
///
/// Fails when there is a server but it does not answer.
pub(crate) fn ring(folder: &Path) -> io::Result<Rung> {
    let mut stream = match BlockingStream::connect(folder.join(SOCKET)) {
        Ok(stream) => stream,
        Err(error) if is_nobody_home(&error) => return Ok(Rung::NobodyHome),
        Err(error) => return Err(error),
    };
    stream.set_read_timeout(Some(RING_TIMEOUT))?;
    stream.set_write_timeout(Some(RING_TIMEOUT))?;
    stream.write_all(WAKE)?;
    let mut answer = [0; DONE.len()];
    stream.read_exact(&mut answer)?;
    if answer == DONE {
        return Ok(Rung::Heard);
    }
    Err(io::Error::new(ErrorKind::InvalidData, "the server's answer is not understood"))
}

/// What came of [`ring`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Rung {
    /// The server knows.
    Heard,
    /// No server serves this folder.
    NobodyHome,
}

/// A path too long for a socket address is an invalid input: no server can listen there either.
fn is_nobody_home(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NotFound | ErrorKind::ConnectionRefused | ErrorKind::InvalidInput
    )
}

fn refuse_open_folder(folder: &Path) -> io::Result<()> {
    if fs::metadata(folder)?.permissions().mode() & OTHERS == 0 {
        return Ok(());
    }
    let problem = format!("the folder `{}` is open to other users", folder.display());
    Err(io::Error::new(ErrorKind::PermissionDenied, problem))
}

fn refuse_long(path: &Path) -> io::Result<()> {
    SocketAddr::from_pathname(path).map(drop).map_err(|_| {
        let problem =
            format!("the path `{}` is longer than a socket address allows", path.display());
        io::Error::new(ErrorKind::InvalidInput, problem)
    })
}

/// Removes a socket, and nothing else that might bear its name.
fn remove_stale(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() => fs::remove_file(path),
        Ok(_) => {
            let problem = format!("`{}` is in the way and is no socket", path.display());
            Err(io::Error::new(ErrorKind::AlreadyExists, problem))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Serves until aborted, which ends the open connections too.
async fn accept(
    listener: UnixListener,
    wake: Arc<impl Fn() + Send + Sync + 'static>,
    patience: Duration,
) {
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if open.len() < MAX_CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    let wake = Arc::clone(&wake);
                    open.spawn(async move { timeout(patience, converse(stream, &*wake)).await });
                }
                // Out of file descriptors, most likely: asking again at once would only spin.
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
            Some(_ended) = open.join_next() => {}
        }
    }
}

async fn converse(mut stream: UnixStream, wake: &impl Fn()) -> io::Result<()> {
    let (reader, mut writer) = stream.split();
    let mut line = Vec::with_capacity(WAKE.len());
    BufReader::new(reader.take(MAX_LINE)).read_until(b'\n', &mut line).await?;
    if line == WAKE {
        wake();
        writer.write_all(DONE).await?;
    }
    Ok(())
}

const SOCKET: &str = "control.sock";
const WAKE: &[u8] = b"wake\n";
const DONE: &[u8] = b"ok\n";
/// Read and write for the owner, nothing for anyone else.
const OWNER_ONLY: u32 = 0o600;
/// The mode bits that let group and others in.
const OTHERS: u32 = 0o077;
/// More than any command is long.
const MAX_LINE: u64 = 16;
/// Later connections wait in the system's backlog, no longer than those before them may take.
const MAX_CONNECTIONS: usize = 8;
/// How long a client may take over its line and the answer.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long a command waits for the server: longer than a full house of silent clients lasts.
const RING_TIMEOUT: Duration = Duration::from_secs(3);
/// How long to leave a system alone that cannot accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests;
