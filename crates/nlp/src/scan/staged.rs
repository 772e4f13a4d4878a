//! Scanning what a commit would add: the staged versions of changed files, without the secrets of their committed
//! versions.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use gix::bstr::{BString, ByteSlice as _};
use gix::index::entry::{Mode, Stage};
use gix::{ObjectId, Repository};

use super::content::Scanner;
use super::finding::Place;
use super::git::{failed, unread};
use super::ignored::Ignored;
use super::{Looked, tree};
use crate::failure::Result;

/// Scans the index against the last commit.
pub(crate) fn staged(repo: &Repository, mut ignored: Ignored) -> Result<(Vec<Place>, Looked)> {
    let index = repo.index_or_empty().map_err(|error| failed("read the index")(&error))?;
    let head = repo.head_tree_id_or_empty().map_err(|error| failed("read HEAD")(&error))?;
    let head = repo.index_from_tree(&head).map_err(|error| unread(repo, "read HEAD")(&error))?;
    let committed = files(repo, &head)?;
    // By content, so that a file that is only renamed is not reported.
    let known_blobs: HashSet<ObjectId> = committed.values().copied().collect();
    let mut places = Vec::new();
    let mut looked = Looked::default();
    for (path, id) in files(repo, &index)? {
        if known_blobs.contains(&id) {
            continue;
        }
        let mut scanner = Scanner::new();
        let blob = repo.find_blob(id).map_err(|error| unread(repo, "read a staged file")(&error))?;
        if tree::is_large_binary(&blob.data) {
            looked.skipped += 1;
            continue;
        }
        looked.items += 1;
        looked.bytes += blob.data.len() as u64;
        scanner.whole(&blob.data, &path.to_str_lossy());
        let found = scanner.finish();
        if found.is_empty() || ignored.has(path.as_bstr()) {
            continue;
        }
        let known = match committed.get(&path) {
            Some(id) => tokens(repo, *id)?,
            None => BTreeSet::new(),
        };
        places.extend(found.into_iter().filter(|place| !known.contains(&place.token)));
    }
    Ok((places, looked))
}

/// The files of an index by path, without conflicts, which cannot be committed, and submodules.
fn files(repo: &Repository, index: &gix::index::State) -> Result<BTreeMap<BString, ObjectId>> {
    let mut files = BTreeMap::new();
    for entry in index.entries() {
        if entry.stage() != Stage::Unconflicted || entry.mode == Mode::COMMIT {
            continue;
        }
        let path = entry.path(index);
        if entry.mode.is_sparse() {
            // A sparse index has one entry for a folder that is not checked out.
            let folder =
                repo.index_from_tree(&entry.id).map_err(|error| unread(repo, "read a folder of the index")(&error))?;
            let below = self::files(repo, &folder)?;
            files.extend(below.into_iter().map(|(name, id)| ([path.as_bytes(), name.as_slice()].concat().into(), id)));
        } else {
            files.insert(path.to_owned(), entry.id);
        }
    }
    Ok(files)
}

/// The tokens a blob has.
fn tokens(repo: &Repository, id: ObjectId) -> Result<BTreeSet<super::finding::Token>> {
    let blob = repo.find_blob(id).map_err(|error| unread(repo, "read a committed file")(&error))?;
    let mut scanner = Scanner::new();
    scanner.whole(&blob.data, "");
    Ok(scanner.finish().into_iter().map(|place| place.token).collect())
}
