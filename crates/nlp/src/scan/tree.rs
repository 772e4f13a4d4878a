//! Scanning files: a parallel walk that honours ignore files.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Seek as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use ignore::{WalkBuilder, WalkState};

use super::content::Scanner;
use super::finding::Place;
use super::{Looked, Unread, ignored, report};
use crate::failure::{Failure, Result};

/// By default larger binaries are skipped: archives and images, whose content is compressed.
pub(super) const BINARY_LIMIT: u64 = 1024 * 1024;
/// Bytes of the first read. Most files are shorter.
const FIRST: usize = 64 * 1024;
/// Larger files are scanned in chunks.
const WHOLE: u64 = 8 * 1024 * 1024;
/// Bytes in which a NUL byte marks a binary, as in git and grep.
const PEEK: usize = 8000;

/// Which files are skipped.
pub(super) struct Limits {
    /// Bytes of the largest binary that is scanned.
    pub(super) binary: u64,
    /// Whether ignore files are honoured.
    pub(super) ignore: bool,
}

/// The results of all threads.
#[derive(Default)]
struct Gathered {
    places: Vec<Place>,
    looked: Looked,
}

/// One thread's results, added to the others when the thread ends.
struct Worker<'a> {
    scanner: Scanner,
    looked: Looked,
    all: &'a Mutex<Gathered>,
}

impl Drop for Worker<'_> {
    fn drop(&mut self) {
        let places = std::mem::take(&mut self.scanner).finish();
        // A poisoned lock means that another thread panicked, which ends the program.
        if let Ok(mut all) = self.all.lock() {
            all.places.extend(places);
            all.looked.items += self.looked.items;
            all.looked.bytes += self.looked.bytes;
            all.looked.skipped += self.looked.skipped;
            all.looked.unread.append(&mut self.looked.unread);
        }
    }
}

/// Scans these files and folders.
///
/// # Errors
/// If one of them does not exist, or is neither a file nor a folder.
pub(super) fn tree(paths: &[PathBuf], limits: &Limits) -> Result<(Vec<Place>, Looked)> {
    let here = [PathBuf::from(".")];
    let paths = if paths.is_empty() { &here } else { paths };
    for path in paths {
        match path.metadata() {
            Ok(found) if found.is_file() || found.is_dir() => {}
            Ok(_) => {
                return Err(Failure::usage(format!("{} is neither a file nor a folder", path.display()))
                    .next("nlp scan --stdin, with it as standard input"));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(Failure::usage(format!("{} does not exist", path.display())));
            }
            Err(error) => return Err(Failure::new(format!("{} cannot be read: {error}", path.display()))),
        }
    }
    let mut walk = WalkBuilder::new(&paths[0]);
    for path in &paths[1..] {
        walk.add(path);
    }
    // Include hidden files, which often hold credentials. `.git` is skipped: its content is compressed, and `--history`
    // reads it.
    walk.hidden(false).filter_entry(|entry| entry.file_name() != ".git");
    if limits.ignore {
        walk.add_custom_ignore_filename(ignored::FILE);
    } else {
        walk.standard_filters(false);
    }
    let all = Mutex::new(Gathered::default());
    walk.build_parallel().run(|| {
        let mut worker = Worker { scanner: Scanner::new(), looked: Looked::default(), all: &all };
        Box::new(move |entry| {
            match entry {
                Ok(entry) if entry.depth() == 0 && entry.path().is_file() => {
                    // A file that was named is scanned whatever its size.
                    worker.file(entry.path(), u64::MAX, true);
                }
                Ok(entry) if entry.file_type().is_some_and(|kind| kind.is_file()) => {
                    worker.file(entry.path(), limits.binary, false);
                }
                Ok(_) => {}
                Err(error) => {
                    let kind = error.io_error().map(std::io::Error::kind);
                    worker.unread(kind, &error.to_string(), error.depth() == Some(0));
                }
            }
            WalkState::Continue
        })
    });
    let gathered = all.into_inner().map_err(|_| Failure::new("a scanning thread stopped unexpectedly"))?;
    Ok((gathered.places, gathered.looked))
}

impl Worker<'_> {
    fn file(&mut self, path: &Path, binary_limit: u64, is_named: bool) {
        match self.scan(path, binary_limit) {
            Ok(Some(bytes)) => {
                self.looked.items += 1;
                self.looked.bytes += bytes;
            }
            Ok(None) => self.looked.skipped += 1,
            Err(error) => self.unread(Some(error.kind()), &format!("{}: {error}", shown(path)), is_named),
        }
    }

    fn unread(&mut self, kind: Option<ErrorKind>, why: &str, is_named: bool) {
        self.looked.skipped += 1;
        // A file that was deleted since it was listed is no gap in the scan.
        if is_named || kind != Some(ErrorKind::NotFound) {
            self.looked.unread.push(Unread { why: report::harmless(why), is_named });
        }
    }

    /// Scans a file; returns its size, or `None` for a large binary.
    fn scan(&mut self, path: &Path, binary_limit: u64) -> std::io::Result<Option<u64>> {
        let mut file = File::open(path)?;
        let mut buffer = self.scanner.take_buffer();
        let read = file.by_ref().take(FIRST as u64).read_to_end(&mut buffer)?;
        let scanned = if read < FIRST {
            self.scanner.whole(&buffer, &shown(path));
            Some(buffer.len() as u64)
        } else {
            let size = file.metadata()?.len();
            let binary = memchr::memchr(0, &buffer[..PEEK]).is_some();
            if binary && size > binary_limit {
                None
            } else if size > WHOLE {
                file.rewind()?;
                self.scanner.give_buffer(buffer);
                return self.scanner.stream(&mut file, &shown(path)).map(Some);
            } else {
                file.read_to_end(&mut buffer)?;
                self.scanner.whole(&buffer, &shown(path));
                Some(buffer.len() as u64)
            }
        };
        self.scanner.give_buffer(buffer);
        Ok(scanned)
    }
}

/// Whether a content in memory is a binary beyond the limit.
pub(super) fn is_large_binary(content: &[u8]) -> bool {
    content.len() as u64 > BINARY_LIMIT && memchr::memchr(0, &content[..PEEK]).is_some()
}

/// A path as a report shows it.
fn shown(path: &Path) -> std::borrow::Cow<'_, str> {
    path.strip_prefix(".").unwrap_or(path).to_string_lossy()
}
