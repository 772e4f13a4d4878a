//! Scanning what a commit would add: the staged versions of changed files, without the secrets of their committed
//! versions.

use std::collections::{BTreeMap, BTreeSet};

use gix::bstr::{BString, ByteSlice as _};
use gix::index::entry::{Mode, Stage};
use gix::{ObjectId, Repository};

use super::content::Scanner;
use super::finding::Place;
use super::git::failed;
use super::{Looked, tree};
use crate::failure::Result;

/// Scans the index against the last commit.
pub(crate) fn staged(repo: &Repository) -> Result<(Vec<Place>, Looked)> {
    let index = repo.index_or_empty().map_err(|error| failed("read the index")(&error))?;
    let head = repo.head_tree_id_or_empty().map_err(|error| failed("read HEAD")(&error))?;
    let committed = repo.index_from_tree(&head).map_err(|error| failed("read HEAD")(&error))?;
    let before: BTreeMap<BString, ObjectId> =
        committed.entries().iter().map(|entry| (entry.path(&committed).to_owned(), entry.id)).collect();
    let mut places = Vec::new();
    let mut looked = Looked::default();
    for entry in index.entries() {
        let path = entry.path(&index);
        let old = before.get(path);
        let unchanged = old == Some(&entry.id);
        // Skip conflicts, which cannot be committed, and submodules.
        if unchanged || entry.stage() != Stage::Unconflicted || entry.mode == Mode::COMMIT {
            continue;
        }
        let mut scanner = Scanner::new();
        let blob = repo.find_blob(entry.id).map_err(|error| failed("read a staged file")(&error))?;
        if tree::is_large_binary(&blob.data) {
            looked.skipped += 1;
            continue;
        }
        looked.items += 1;
        looked.bytes += blob.data.len() as u64;
        scanner.whole(&blob.data, &path.to_str_lossy());
        let found = scanner.finish();
        if found.is_empty() {
            continue;
        }
        let known = match old {
            Some(id) => tokens(repo, *id)?,
            None => BTreeSet::new(),
        };
        places.extend(found.into_iter().filter(|place| !known.contains(&place.token)));
    }
    Ok((places, looked))
}

/// The tokens a blob has.
fn tokens(repo: &Repository, id: ObjectId) -> Result<BTreeSet<super::finding::Token>> {
    let blob = repo.find_blob(id).map_err(|error| failed("read a committed file")(&error))?;
    let mut scanner = Scanner::new();
    scanner.whole(&blob.data, "");
    Ok(scanner.finish().into_iter().map(|place| place.token).collect())
}
