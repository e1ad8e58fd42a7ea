//! The data folder: made private, and held by one server at a time.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::error::StoreError;

const LOCK_FILE: &str = "server.lock";

/// Makes the data folder, readable by its owner alone, or checks the one that is there.
///
/// # Errors
/// It cannot be made, or others have any right in it.
pub fn prepare(folder: &Path) -> Result<(), StoreError> {
    let failed = |source| failed(folder, "the data folder", source);
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    let mode = fs::metadata(folder).map_err(failed)?.permissions().mode();
    if mode & 0o077 != 0 {
        let reason = "others than its owner have rights in it: chmod 700 it";
        return Err(failed(io::Error::new(io::ErrorKind::PermissionDenied, reason)));
    }
    Ok(())
}

/// That no other server runs on a data folder, for as long as this lives.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Takes the lock; `None` if another server holds it.
    ///
    /// # Errors
    /// The lock file cannot be made.
    pub fn take(folder: &Path) -> Result<Option<Self>, StoreError> {
        let path = folder.join(LOCK_FILE);
        let mut options = File::options();
        let opened = options.create(true).truncate(false).write(true).mode(0o600).open(&path);
        let file = opened.map_err(|source| failed(&path, "the server's lock", source))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(failed(&path, "the server's lock", source)),
        }
    }
}

/// Writes a new private file; `false` if there is one already, which is left alone.
///
/// # Errors
/// It cannot be written.
pub fn write_new(path: &Path, content: &[u8]) -> Result<bool, StoreError> {
    use io::Write as _;
    let failed = |source| failed(path, "writing", source);
    match File::options().create_new(true).write(true).mode(0o600).open(path) {
        Ok(mut file) => {
            file.write_all(content).and_then(|()| file.sync_all()).map_err(failed)?;
            // The name itself must survive a power cut too.
            let folder = path.parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf);
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
            Ok(true)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(failed(error)),
    }
}

fn failed(path: &Path, what: &str, source: io::Error) -> StoreError {
    StoreError::Folder { what: format!("{what} `{}`", path.display()), source }
}
