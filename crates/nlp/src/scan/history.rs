//! Scanning a history: every blob once, in however many commits it is.
//!
//! Commits are walked oldest first, and known trees are skipped, so the work grows with the changes only. The first
//! commit with a blob is the one that added it. Objects are read instead of patches: a patch repeats a line that moves,
//! and computing it costs far more than reading the object.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gix::bstr::{BStr, BString, ByteSlice as _};
use gix::objs::tree::EntryKind;
use gix::revision::plumbing::Spec;
use gix::{ObjectId, Repository};

use super::content::Scanner;
use super::finding::{Commit, Place};
use super::git::{failed, unread};
use super::ignored::Ignored;
use super::{Looked, tree};
use crate::failure::{Failure, Result};
use crate::output::Progress;

/// Blobs a thread takes at a time.
const BATCH: usize = 32;
/// Bytes of the cache of delta bases, for each thread.
const CACHE: usize = 32 * 1024 * 1024;

/// A blob to scan.
struct Blob {
    id: ObjectId,
    path: BString,
    /// The commit that added it, as its index in the walk.
    commit: usize,
}

/// Scans all branches and tags, or the commits of a range as `git log` takes one.
pub(super) fn history(
    repo: &Repository,
    range: &str,
    ignored: Ignored,
    progress: Progress,
) -> Result<(Vec<Place>, Looked)> {
    if range.is_empty() {
        return between(repo, all_tips(repo)?, Vec::new(), ignored, progress);
    }
    let parsed = repo.rev_parse(range).map_err(|error| Failure::usage(format!("{range:?} is not a range: {error}")))?;
    let (tips, hidden) = match parsed.detach() {
        Spec::Include(id) => (vec![id], Vec::new()),
        Spec::Range { from, to } => (vec![to], vec![from]),
        Spec::Merge { theirs, ours } => {
            let shared = repo.merge_bases_many(theirs, &[ours]).map_err(|error| failed("find a merge base")(&error))?;
            (vec![theirs, ours], shared.into_iter().map(gix::Id::detach).collect())
        }
        Spec::Exclude(_) | Spec::IncludeOnlyParents(_) | Spec::ExcludeParents(_) => {
            return Err(Failure::usage(format!("{range:?} does not include any commits"))
                .next("for example: --history=main..HEAD"));
        }
    };
    between(repo, tips, hidden, ignored, progress)
}

/// The commits at the tips of all branches and tags, and HEAD.
///
/// # Errors
/// If a reference cannot be read: what only it leads to would be left out.
fn all_tips(repo: &Repository) -> Result<Vec<ObjectId>> {
    let references = repo.references().map_err(|error| failed("list references")(&error))?;
    let all = references.all().map_err(|error| failed("list references")(&error))?;
    let mut tips = Vec::new();
    for reference in all {
        let mut reference = reference.map_err(|error| failed("read a reference")(&error).next("git fsck"))?;
        // A symbolic reference names another one, which is in this list unless it does not exist.
        if reference.try_id().is_none() {
            continue;
        }
        let name = reference.name().as_bstr().to_string();
        let broken = |error: &dyn std::fmt::Display| {
            unread(repo, "read what it points to")(error).after(format_args!("the reference {name} is broken"))
        };
        let id = reference.peel_to_id().map_err(|error| broken(&error))?;
        let header = id.header().map_err(|error| broken(&error))?;
        // A tag may also point to a tree or a blob, which is in no commit.
        if header.kind() == gix::objs::Kind::Commit {
            tips.push(id.detach());
        }
    }
    tips.extend(repo.head_id().ok().map(gix::Id::detach));
    Ok(tips)
}

/// Scans the commits that are reachable from `tips` and not from `hidden`.
pub(crate) fn between(
    repo: &Repository,
    tips: Vec<ObjectId>,
    hidden: Vec<ObjectId>,
    ignored: Ignored,
    progress: Progress,
) -> Result<(Vec<Place>, Looked)> {
    let mut repo = repo.clone();
    repo.object_cache_size_if_unset(CACHE);
    let mut seen = HashSet::new();
    let mut blobs = Vec::new();
    for id in &hidden {
        let known = root(&repo, *id)?;
        collect(&repo, known, BString::default().as_bstr(), 0, &mut seen, &mut Vec::new())?;
    }
    let commits = commits(&repo, tips, hidden)?;
    for (at, commit) in commits.iter().enumerate() {
        progress.tell(|| format!("commit {} of {}, {} blobs", at + 1, commits.len(), blobs.len()));
        let tree = root(&repo, *commit)?;
        collect(&repo, tree, BString::default().as_bstr(), at, &mut seen, &mut blobs)?;
    }
    drop(seen);
    // Sort versions of a file next to each other: git stores them as deltas of one another.
    blobs.sort_by(|one, other| (&one.path, other.commit).cmp(&(&other.path, one.commit)));
    read(&repo, &blobs, &commits, ignored, progress)
}

/// The commit of an id in hexadecimal, if there is one.
pub(crate) fn commit(repo: &Repository, id: &str) -> Option<ObjectId> {
    let id = ObjectId::from_hex(id.as_bytes()).ok()?;
    repo.find_object(id).ok()?.peel_to_commit().ok().map(|commit| commit.id)
}

/// The commits that a remote is known to have: the tips of its tracking branches.
pub(crate) fn remote_tips(repo: &Repository, remote: &str) -> Result<Vec<ObjectId>> {
    // A push to an address without a name passes the address, which no branches track.
    if !repo.remote_names().contains(remote.as_bytes().as_bstr()) {
        return Ok(Vec::new());
    }
    let references = repo.references().map_err(|error| failed("list references")(&error))?;
    let prefix = format!("refs/remotes/{remote}/");
    let branches = references.prefixed(prefix.as_str()).map_err(|error| failed("list references")(&error))?;
    Ok(branches.flatten().filter_map(|mut branch| branch.peel_to_commit().ok().map(|commit| commit.id)).collect())
}

/// The commits to look at, oldest first.
fn commits(repo: &Repository, tips: Vec<ObjectId>, hidden: Vec<ObjectId>) -> Result<Vec<ObjectId>> {
    use gix::revision::walk::Sorting;
    use gix::traverse::commit::simple::CommitTimeOrder;
    let walk = repo
        .rev_walk(tips)
        .with_hidden(hidden)
        .sorting(Sorting::ByCommitTime(CommitTimeOrder::NewestFirst))
        .all()
        .map_err(|error| failed("walk the commits")(&error))?;
    let ids = walk.map(|info| info.map(|info| info.id)).collect::<std::result::Result<Vec<_>, _>>();
    let mut ids = ids.map_err(|error| failed("walk the commits")(&error))?;
    ids.reverse();
    Ok(ids)
}

fn root(repo: &Repository, commit: ObjectId) -> Result<ObjectId> {
    let commit = repo.find_commit(commit).map_err(|error| failed("read a commit")(&error))?;
    Ok(commit.tree_id().map_err(|error| failed("read a commit")(&error))?.detach())
}

/// Adds the unseen blobs below a tree.
fn collect(
    repo: &Repository,
    tree: ObjectId,
    path: &BStr,
    commit: usize,
    seen: &mut HashSet<ObjectId>,
    blobs: &mut Vec<Blob>,
) -> Result<()> {
    if !seen.insert(tree) {
        return Ok(());
    }
    let object = repo.find_tree(tree).map_err(|error| unread(repo, "read a tree")(&error))?;
    let decoded = object.decode().map_err(|error| failed("read a tree")(&error))?;
    for entry in &decoded.entries {
        let below = || {
            let mut below = BString::from(path);
            if !below.is_empty() {
                below.push(b'/');
            }
            below.extend_from_slice(entry.filename);
            below
        };
        let id = entry.oid.to_owned();
        match entry.mode.kind() {
            EntryKind::Tree => {
                if !seen.contains(&id) {
                    collect(repo, id, below().as_bstr(), commit, seen, blobs)?;
                }
            }
            EntryKind::Blob | EntryKind::BlobExecutable | EntryKind::Link => {
                if seen.insert(id) {
                    blobs.push(Blob { id, path: below(), commit });
                }
            }
            // A submodule.
            EntryKind::Commit => {}
        }
    }
    Ok(())
}

/// Reads and scans the blobs, on every processor.
fn read(
    repo: &Repository,
    blobs: &[Blob],
    commits: &[ObjectId],
    mut ignored: Ignored,
    progress: Progress,
) -> Result<(Vec<Place>, Looked)> {
    let shared = repo.clone().into_sync();
    let next = AtomicUsize::new(0);
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let parts = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..workers).map(|_| scope.spawn(|| part(&shared.to_thread_local(), blobs, &next, progress))).collect();
        threads.into_iter().map(std::thread::ScopedJoinHandle::join).collect::<Vec<_>>()
    });
    let mut places = Vec::new();
    let mut looked = Looked::default();
    for part in parts {
        let (found, part_looked) = part.map_err(|_| Failure::new("a scanning thread stopped unexpectedly"))??;
        for (blob, mut place) in found {
            let blob = &blobs[blob];
            if ignored.has(blob.path.as_bstr()) {
                continue;
            }
            place.commit = Some(Arc::new(describe(repo, commits[blob.commit])?));
            places.push(place);
        }
        looked.items += part_looked.items;
        looked.bytes += part_looked.bytes;
        looked.skipped += part_looked.skipped;
    }
    Ok((places, looked))
}

/// One thread's work: takes batches until none is left.
fn part(
    repo: &Repository,
    blobs: &[Blob],
    next: &AtomicUsize,
    progress: Progress,
) -> Result<(Vec<(usize, Place)>, Looked)> {
    let mut found = Vec::new();
    let mut looked = Looked::default();
    loop {
        let from = next.fetch_add(BATCH, Ordering::Relaxed);
        if from >= blobs.len() {
            return Ok((found, looked));
        }
        progress.tell(|| format!("blob {} of {}", from, blobs.len()));
        for (offset, blob) in blobs[from..blobs.len().min(from + BATCH)].iter().enumerate() {
            let object = repo.find_blob(blob.id).map_err(|error| unread(repo, "read a blob")(&error))?;
            if tree::is_large_binary(&object.data) {
                looked.skipped += 1;
                continue;
            }
            looked.items += 1;
            looked.bytes += object.data.len() as u64;
            let mut scanner = Scanner::new();
            scanner.whole(&object.data, &blob.path.to_str_lossy());
            found.extend(scanner.finish().into_iter().map(|place| (from + offset, place)));
        }
    }
}

/// A commit, as reports show it.
fn describe(repo: &Repository, id: ObjectId) -> Result<Commit> {
    let commit = repo.find_commit(id).map_err(|error| failed("read a commit")(&error))?;
    let author = commit.author().map_err(|error| failed("read a commit")(&error))?;
    let date = chrono::DateTime::from_timestamp(author.seconds(), 0).unwrap_or_default();
    Ok(Commit {
        id: id.to_string(),
        author: format!("{} <{}>", author.name.to_str_lossy(), author.email.to_str_lossy()),
        date: date.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
    })
}
