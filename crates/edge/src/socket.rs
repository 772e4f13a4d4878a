//! A Unix-domain socket to listen on, for a gateway on the same machine.
//!
//! The file system says who may connect: the socket is open to the user and the group of this process and to nobody else.
//! Its folder decides who may put something else in its place, and is the operator's to make.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// The user and the group may connect, which takes the right to write.
const MODE: u32 = 0o660;

/// A socket that this process bound.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bound {
    path: PathBuf,
    file: FileId,
}

/// Tells a file from a later one at the same path, also where the file system gives that one the same inode number.
#[derive(Debug, PartialEq, Eq)]
struct FileId {
    device: u64,
    inode: u64,
    /// The last change of the file's metadata (here its mode, at binding): seconds and nanoseconds.
    changed: (i64, i64),
}

/// Binds to this path. A socket that a server left behind when it was killed is replaced; one that somebody listens on is
/// not, and neither is anything else.
///
/// # Errors
/// `AddrInUse` in both those cases, or the system's.
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

/// Whether a socket is there and nobody listens on it.
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
    /// Removes the socket of a server that has stopped. The socket of a successor, which replaced it while this server was
    /// still ending, stays. One that cannot be removed is replaced at the next start.
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
        // The file system's clock moves every few milliseconds.
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
