//! A Unix-domain socket to listen on, for a gateway on the same machine.
//!
//! File permissions decide who may connect: the user and the group of this process, and nobody else. The permissions of
//! the folder, which the operator creates, decide who may replace the socket.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// The user and the group may connect, for which Linux requires write permission.
const MODE: u32 = 0o660;

/// A socket that this process bound.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bound {
    path: PathBuf,
    file: FileId,
}

/// Identifies a file, so that a later one at the same path differs even if it gets the same inode number.
#[derive(Debug, PartialEq, Eq)]
struct FileId {
    device: u64,
    inode: u64,
    /// `ctime` in seconds and nanoseconds: the last change of the file's metadata, which is `bind` setting its mode.
    changed: (i64, i64),
}

/// Binds to this path. A stale socket of a killed server is replaced; a socket with a listener and any other file are
/// not.
///
/// # Errors
/// `AddrInUse` in both those cases, or the system's error.
pub(super) fn bind(path: &Path) -> io::Result<(UnixListener, Bound)> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    let listener = match UnixListener::bind(path) {
        Err(error) if error.kind() == ErrorKind::AddrInUse && is_left_behind(path) => {
            fs::remove_file(path).map_err(named)?;
            UnixListener::bind(path)
        }
        other => other,
    };
    let listener = listener.map_err(named)?;
    fs::set_permissions(path, fs::Permissions::from_mode(MODE)).map_err(named)?;
    let file = fs::symlink_metadata(path).map_err(named)?;
    Ok((listener, Bound { path: path.to_owned(), file: FileId::of(&file) }))
}

/// Whether the path is a socket without a listener.
fn is_left_behind(path: &Path) -> bool {
    let is_socket = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket());
    is_socket && UnixStream::connect(path).is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
}

impl FileId {
    fn of(file: &Metadata) -> Self {
        Self { device: file.dev(), inode: file.ino(), changed: (file.ctime(), file.ctime_nsec()) }
    }
}

impl Bound {
    /// Removes the socket after the server has stopped, unless a successor has replaced it meanwhile. A socket that
    /// cannot be removed is replaced at the next start.
    pub(super) fn remove(&self) {
        let Self { path, file: own } = self;
        let removed = match fs::symlink_metadata(path) {
            Ok(file) if FileId::of(&file) == *own => fs::remove_file(path),
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = removed {
            tracing::warn!(%error, path = %path.display(), "the socket could not be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_socket_that_was_left_behind_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("api.sock");
        let (first, left_behind) = bind(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, MODE);
        assert_eq!(bind(&path).unwrap_err().kind(), ErrorKind::AddrInUse, "somebody listens");
        drop(first);
        // `ctime` advances only every few milliseconds.
        std::thread::sleep(std::time::Duration::from_millis(50));
        let (_second, successor) = bind(&path).unwrap();
        assert_ne!(left_behind, successor);
        left_behind.remove();
        assert!(path.exists(), "a server removes its own socket, not that of its successor");
        successor.remove();
        assert!(!path.exists());
        fs::write(&path, "a file").unwrap();
        assert_eq!(bind(&path).unwrap_err().kind(), ErrorKind::AddrInUse);
        assert_eq!(fs::read_to_string(&path).unwrap(), "a file");
        let nowhere = bind(&folder.path().join("absent/api.sock")).unwrap_err();
        assert!(nowhere.to_string().contains("absent/api.sock"), "{nowhere}");
    }
}
