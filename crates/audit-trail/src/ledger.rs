//! The ledger: files outside of the database that list the changes which took rights away. When an older copy of the database is
//! restored, the changes that the copy lacks are found here and made again.
//!
//! An entry is an event of an audit trail, cut down to ids: its number and hash say whether a database has it, its action and ids
//! what to repeat if not. A folder holds parts, named by when they began; each is a line that says whose ledger it is, then one line
//! an entry. Every line begins with the first half of its SHA-256, so that a line which a crash tore is recognised: it is left
//! out, and because every process begins a part of its own, nothing is ever written behind it.
//!
//! **Invariant:** an entry holds ids, moments and the names of an action and of fields, never a secret, a digest of one, or text of
//! people.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError, read_dir, remove_file};
use std::io::{BufRead as _, BufReader, Error, ErrorKind, Result, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, chown};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use token_domain::id::{OrganizationId, TokenId};
use token_domain::{Span, Timestamp};

use crate::chain::{hex, unhex};

/// The version of the format.
const FORMAT: u32 = 1;
/// A part that has grown beyond this is followed by another.
const PART_BYTES: u64 = 8 * 1024 * 1024;
/// One that is older is, too, so that it can be removed when its time has come.
const PART_AGE: Span = Span::days(1);
/// The characters of a line's checksum.
const SUM: usize = 16;
/// The longest line that is read: a thousand ids fit many times.
const LONGEST: u64 = 16 * 1024 * 1024;
/// The most tokens that a line names. An entry with more of them has several lines.
const MOST_TOKENS: usize = 1_000;
/// How a part is named: the prefix, the microseconds since 1970, a number to tell namesakes apart, the ending.
const PREFIX: &str = "revoked-";
const ENDING: &str = ".ledger";
/// The file that is there while a replay is under way.
const UNFINISHED: &str = "replay-unfinished";
/// The file that a server locks which writes to the folder.
const LOCK: &str = "server.lock";

/// One change that took rights away, or gave some back that a later entry may have taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Whose trail has the event; nothing for the deployment's own.
    pub organization_id: Option<OrganizationId>,
    /// Its number there.
    pub seq: i64,
    /// Its hash.
    pub hash: [u8; 32],
    /// When.
    pub at: Timestamp,
    /// What.
    pub action: String,
    /// To what.
    pub target_id: String,
    /// The tokens that it ended.
    pub tokens: Vec<TokenId>,
    /// When they end, if that was not at once.
    pub until: Option<Timestamp>,
    /// What of the target was changed, by names, where one action stands for several changes.
    pub changed: Vec<String>,
}

/// What bounds a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long a part is kept.
    pub keep: Span,
    /// The most bytes of all parts. The oldest go first.
    pub max_bytes: u64,
}

/// A folder with the parts of a ledger.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

/// A folder that a server has for itself, until this is dropped. The kernel lets go of it with the process.
#[derive(Debug)]
pub struct Hold {
    _locked: File,
}

/// How many entries and damaged lines a part has, and which database it is of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The database it is of, where that was known when it began.
    pub database: Option<String>,
    /// Its entries.
    pub entries: u64,
    /// Lines that are not as they were written, the last one included if it was torn.
    pub damaged: u64,
}

/// Appends to a folder. Makes nothing before the first entry.
#[derive(Debug)]
pub struct Writer {
    folder: Folder,
    limits: Limits,
    part: Option<Part>,
}

/// What an append did beside it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Appended {
    /// Parts that were removed although they were not old enough, because of their size.
    pub removed_early: usize,
}

#[derive(Debug)]
struct Part {
    path: PathBuf,
    file: File,
    bytes: u64,
    began: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Head {
    ledger: u32,
    database: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    trail: Option<String>,
    seq: i64,
    hash: String,
    at: i64,
    action: String,
    target: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tokens: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<i64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    changed: Vec<String>,
}

impl Line {
    /// An entry, with these of its tokens.
    fn of(entry: &Entry, tokens: &[TokenId]) -> Self {
        Self {
            trail: entry.organization_id.map(|id| id.to_string()),
            seq: entry.seq,
            hash: hex(&entry.hash),
            at: entry.at.as_micros(),
            action: entry.action.clone(),
            target: entry.target_id.clone(),
            tokens: tokens.iter().map(ToString::to_string).collect(),
            until: entry.until.map(Timestamp::as_micros),
            changed: entry.changed.clone(),
        }
    }
}

impl Folder {
    /// The folder at this path, which need not be there yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Its parts, the oldest first; none where there is no folder.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn parts(&self) -> Result<Vec<PathBuf>> {
        let found = match read_dir(&self.0) {
            Ok(found) => found,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut parts = Vec::new();
        for file in found {
            let path = file?.path();
            if began(&path).is_some() {
                parts.push(path);
            }
        }
        // Their names begin with as many digits each.
        parts.sort();
        Ok(parts)
    }

    /// When its oldest part began: the ledger has every entry since then. Nothing where it has no part.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn oldest_began(&self) -> Result<Option<Timestamp>> {
        Ok(self.parts()?.first().and_then(|part| began(part)))
    }

    /// When its newest part began; nothing where there is none.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn newest_began(&self) -> Result<Option<Timestamp>> {
        Ok(self.parts()?.last().and_then(|part| began(part)))
    }

    /// Whether a replay was begun and did not end.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn has_unfinished_replay(&self) -> Result<bool> {
        self.0.join(UNFINISHED).try_exists()
    }

    /// Notes, on disk, that a replay begins. What it repeats is newer than what is still lost: an interrupted replay would be
    /// taken for the end of what was lost.
    ///
    /// # Errors
    /// The disk's.
    pub fn begin_replay(&self) -> Result<()> {
        let path = self.0.join(UNFINISHED);
        OpenOptions::new().append(true).create(true).mode(0o600).open(&path)?.sync_all()?;
        hand_over(&path);
        self.sync()
    }

    /// Notes that it ended.
    ///
    /// # Errors
    /// The disk's.
    pub fn end_replay(&self) -> Result<()> {
        if remove(&self.0.join(UNFINISHED))? { self.sync() } else { Ok(()) }
    }

    /// Takes the folder for a server, and makes it if need be; nothing if another server has it. Commands beside the server do not
    /// ask: each of their parts is their own.
    ///
    /// # Errors
    /// It cannot be made or locked.
    pub fn hold(&self) -> Result<Option<Hold>> {
        self.make()?;
        let path = self.0.join(LOCK);
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(&path)?;
        hand_over(&path);
        match file.try_lock() {
            Ok(()) => Ok(Some(Hold { _locked: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn make(&self) -> Result<()> {
        if !self.0.is_dir() {
            DirBuilder::new().recursive(true).mode(0o700).create(&self.0)?;
            hand_over(&self.0);
        }
        Ok(())
    }

    fn sync(&self) -> Result<()> {
        File::open(&self.0)?.sync_all()
    }

    fn remove_old(&self, limits: Limits, now: Timestamp) -> Result<Appended> {
        let mut kept = Vec::new();
        for path in self.parts()? {
            let is_old = began(&path).is_some_and(|began| began + PART_AGE + limits.keep < now);
            if is_old {
                remove(&path)?;
            } else {
                // Another process may have removed it.
                let bytes = path.metadata().map_or(0, |found| found.len());
                kept.push((path, bytes));
            }
        }
        let mut total: u64 = kept.iter().map(|(_, bytes)| bytes).sum();
        let mut removed_early = 0;
        for (path, bytes) in kept {
            if total <= limits.max_bytes {
                break;
            }
            remove(&path)?;
            total -= bytes;
            removed_early += 1;
        }
        Ok(Appended { removed_early })
    }
}

/// Removes a file; false if there is none, for example because another process removed it.
fn remove(file: &Path) -> Result<bool> {
    match remove_file(file) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Gives a new folder or part to whoever has the folder that it is in: a command that root runs leaves nothing that the service
/// cannot read. Anybody else may not, and need not.
fn hand_over(path: &Path) {
    let Some(Ok(folder)) = path.parent().map(Path::metadata) else { return };
    if path.metadata().is_ok_and(|own| own.uid() != folder.uid()) {
        let _ = chown(path, Some(folder.uid()), Some(folder.gid()));
    }
}

/// When a part of that name began.
pub fn began(path: &Path) -> Option<Timestamp> {
    let name = path.file_name()?.to_str()?.strip_prefix(PREFIX)?.strip_suffix(ENDING)?;
    let (micros, _) = name.split_once('-')?;
    micros.parse().ok().map(Timestamp::from_micros)
}

/// Reads a part and hands its entries over in their order.
///
/// # Errors
/// The file cannot be read; its format is of a newer program; what `take` fails with.
pub fn read(part: &Path, mut take: impl FnMut(Entry) -> Result<()>) -> Result<Reading> {
    use std::io::Read as _;
    let mut lines = BufReader::new(File::open(part)?);
    let mut reading = Reading::default();
    let (mut line, mut is_first) = (Vec::new(), true);
    loop {
        line.clear();
        if (&mut lines).take(LONGEST).read_until(b'\n', &mut line)? == 0 {
            return Ok(reading);
        }
        let Some(text) = checked(&line) else {
            reading.damaged += 1;
            is_first = false;
            continue;
        };
        if std::mem::take(&mut is_first)
            && let Ok(head) = serde_json::from_slice::<Head>(text)
        {
            if head.ledger != FORMAT {
                let what = format!("{} is of a newer program (format {})", part.display(), head.ledger);
                return Err(Error::new(ErrorKind::InvalidData, what));
            }
            reading.database = head.database;
            continue;
        }
        match entry(text) {
            Some(entry) => {
                reading.entries += 1;
                take(entry)?;
            }
            None => reading.damaged += 1,
        }
    }
}

/// The text of a line, if it is as it was written.
fn checked(line: &[u8]) -> Option<&[u8]> {
    let line = line.strip_suffix(b"\n")?;
    let (sum, text) = line.split_at_checked(SUM)?;
    let text = text.strip_prefix(b" ")?;
    (sum == sum_of(text).as_bytes()).then_some(text)
}

fn sum_of(text: &[u8]) -> String {
    let mut sum = hex(&Sha256::digest(text).into());
    sum.truncate(SUM);
    sum
}

fn entry(text: &[u8]) -> Option<Entry> {
    let line: Line = serde_json::from_slice(text).ok()?;
    let organization_id = match line.trail {
        None => None,
        Some(id) => Some(OrganizationId::parse(&id).ok()?),
    };
    Some(Entry {
        organization_id,
        seq: line.seq,
        hash: unhex(&line.hash)?,
        at: Timestamp::from_micros(line.at),
        action: line.action,
        target_id: line.target,
        tokens: line.tokens.iter().map(|id| TokenId::parse(id).ok()).collect::<Option<_>>()?,
        until: line.until.map(Timestamp::from_micros),
        changed: line.changed,
    })
}

fn write_line(out: &mut Vec<u8>, line: &impl Serialize) -> Result<()> {
    let text = serde_json::to_vec(line)?;
    out.extend_from_slice(sum_of(&text).as_bytes());
    out.push(b' ');
    out.extend_from_slice(&text);
    out.push(b'\n');
    Ok(())
}

impl Writer {
    /// A writer to this folder.
    pub const fn new(folder: Folder, limits: Limits) -> Self {
        Self { folder, limits, part: None }
    }

    /// Appends entries of a database, or none to begin the first part; they are on disk when this returns. After a failure the next
    /// entries begin another part.
    ///
    /// # Errors
    /// The disk's.
    pub fn append(&mut self, database: Option<&str>, entries: &[Entry], now: Timestamp) -> Result<Appended> {
        let mut text = Vec::new();
        for entry in entries {
            let mut tokens = entry.tokens.chunks(MOST_TOKENS);
            write_line(&mut text, &Line::of(entry, tokens.next().unwrap_or_default()))?;
            for further in tokens {
                write_line(&mut text, &Line::of(entry, further))?;
            }
        }
        let mut appended = Appended::default();
        let is_full = |part: &Part| part.bytes >= PART_BYTES || part.began + PART_AGE <= now;
        // Taken out, so that a part with a half-written line is not written to again.
        let (mut part, is_new) = if let Some(part) = self.part.take().filter(|part| !is_full(part)) {
            (part, false)
        } else {
            let part = self.begin(database, now)?;
            // A replay reads all that was there when it began, and writes as it goes.
            if !self.folder.has_unfinished_replay()? {
                appended = self.folder.remove_old(self.limits, now)?;
            }
            (part, true)
        };
        let written = part.file.write_all(&text).and_then(|()| part.file.sync_data());
        if written.is_err() && is_new {
            // A disk that fails for hours is tried often: it does not leave a part each time.
            let _ = remove_file(&part.path);
        }
        written?;
        part.bytes += text.len() as u64;
        self.part = Some(part);
        Ok(appended)
    }

    /// Begins a part. It is behind all others, whatever the clock says.
    fn begin(&self, database: Option<&str>, now: Timestamp) -> Result<Part> {
        self.folder.make()?;
        let newest = self.folder.parts()?.last().and_then(|path| began(path));
        let began = newest.map_or(now, |newest| now.max(newest + Span::micros(1)));
        let mut head = Vec::new();
        write_line(&mut head, &Head { ledger: FORMAT, database: database.map(str::to_owned) })?;
        let name = format!("{PREFIX}{:016}-{}{ENDING}", began.as_micros(), std::process::id());
        let path = self.folder.0.join(name);
        let mut file = OpenOptions::new().append(true).create_new(true).mode(0o600).open(&path)?;
        hand_over(&path);
        let written = file.write_all(&head).and_then(|()| file.sync_all()).and_then(|()| self.folder.sync());
        if written.is_err() {
            // As above.
            let _ = remove_file(&path);
        }
        written?;
        Ok(Part { path, file, bytes: head.len() as u64, began })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use token_domain::id::{Id, Uuid};

    use super::*;

    const LIMITS: Limits = Limits { keep: Span::days(30), max_bytes: 64 * 1024 * 1024 };

    fn day(day: u32) -> Timestamp {
        Timestamp::from_micros(1_768_469_531_123_456) + Span::days(day)
    }

    fn entry(seq: i64) -> Entry {
        let id = Uuid::from_u128(0x0190_163d_8694_739b_aea5_966c_26f8_ad91);
        Entry {
            organization_id: (seq % 2 == 0).then(|| Id::from_uuid(id)),
            seq,
            hash: [7; 32],
            at: day(0),
            action: "token.bulk_revoke".to_owned(),
            target_id: String::new(),
            tokens: vec![Id::from_uuid(id); 3],
            until: (seq % 3 == 0).then(|| day(1)),
            changed: if seq % 3 == 0 { vec!["disabled".to_owned()] } else { Vec::new() },
        }
    }

    fn all(folder: &Folder) -> (Vec<Entry>, Reading) {
        let (mut entries, mut total) = (Vec::new(), Reading::default());
        for part in folder.parts().unwrap() {
            let reading = read(&part, |entry| {
                entries.push(entry);
                Ok(())
            });
            let reading = reading.unwrap();
            total.entries += reading.entries;
            total.damaged += reading.damaged;
            total.database = reading.database;
        }
        (entries, total)
    }

    #[test]
    fn entries_read_back_as_they_were_appended_by_any_number_of_writers() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::new(place.path().join("not/there/yet"));
        assert_eq!(folder.parts().unwrap(), Vec::<PathBuf>::new());
        let mut expected = Vec::new();
        for first in [1, 3, 5] {
            let entries = [entry(first), entry(first + 1)];
            let mut writer = Writer::new(folder.clone(), LIMITS);
            // The clock stands still, or goes back: the parts are in their order nevertheless.
            writer.append(Some("a database"), &entries, day(0)).unwrap();
            expected.extend(entries);
        }
        let (entries, reading) = all(&folder);
        assert_eq!(entries, expected);
        assert_eq!(reading, Reading { database: Some("a database".to_owned()), entries: 6, damaged: 0 });
    }

    #[test]
    fn a_line_that_was_torn_or_changed_anywhere_is_left_out_and_counted() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::new(place.path());
        Writer::new(folder.clone(), LIMITS).append(None, &[entry(1), entry(2)], day(0)).unwrap();
        let part = folder.parts().unwrap().remove(0);
        let whole = fs::read(&part).unwrap();
        let second = whole.len() - 1 - whole[..whole.len() - 1].iter().rev().position(|byte| *byte == b'\n').unwrap();
        for cut in second + 1..whole.len() {
            fs::write(&part, &whole[..cut]).unwrap();
            let (entries, reading) = all(&folder);
            assert_eq!((entries, reading.damaged), (vec![entry(1)], 1), "cut at {cut}");
            // What comes later is in a part of its own, and is read.
            Writer::new(folder.clone(), LIMITS).append(None, &[entry(3)], day(0)).unwrap();
            assert_eq!(all(&folder).0, [entry(1), entry(3)]);
            remove_file(folder.parts().unwrap().remove(1)).unwrap();
        }
        for flipped in second..whole.len() - 1 {
            let mut changed = whole.clone();
            changed[flipped] ^= 1;
            fs::write(&part, &changed).unwrap();
            let (entries, reading) = all(&folder);
            assert!(!entries.contains(&entry(2)) && reading.damaged > 0, "changed at {flipped}");
        }
    }

    #[test]
    fn parts_are_followed_by_others_and_removed_by_age_and_by_size() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::new(place.path());
        let limits = Limits { keep: Span::days(3), ..LIMITS };
        let mut writer = Writer::new(folder.clone(), limits);
        for today in 0..10 {
            for _ in 0..2 {
                assert_eq!(writer.append(None, &[entry(1)], day(today)).unwrap(), Appended::default());
            }
        }
        // Three days after the last entry that could be in it: the parts of days 5 to 9.
        assert_eq!(folder.parts().unwrap().len(), 5);

        let one = folder.parts().unwrap()[0].metadata().unwrap().len();
        let mut small = Writer::new(folder.clone(), Limits { max_bytes: 2 * one, ..limits });
        let appended = small.append(None, &[entry(1)], day(9)).unwrap();
        assert_eq!(appended.removed_early, 4, "the head of the new part counts as well");
        assert_eq!(all(&folder).0.len(), 3, "a part of two entries, and the new one");
    }

    #[test]
    fn a_replay_that_did_not_end_is_known_until_one_ends() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::new(place.path());
        for expected in [false, true, true] {
            assert_eq!(folder.has_unfinished_replay().unwrap(), expected);
            folder.begin_replay().unwrap();
        }
        for _ in 0..2 {
            folder.end_replay().unwrap();
            assert!(!folder.has_unfinished_replay().unwrap());
        }
        assert!(!Folder::new("/nowhere/at/all").has_unfinished_replay().unwrap());
    }

    #[test]
    fn an_entry_with_very_many_tokens_is_read_again_in_lines_that_are_not_too_long() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::new(place.path());
        let many = Entry { tokens: vec![Id::from_uuid(Uuid::from_u128(7)); 100_001], ..entry(1) };
        let few = Entry { tokens: Vec::new(), ..entry(2) };
        Writer::new(folder.clone(), LIMITS).append(None, &[many.clone(), few.clone()], day(0)).unwrap();
        let (read, reading) = all(&folder);
        assert_eq!((read.len(), reading.damaged), (102, 0));
        assert_eq!(read.last(), Some(&few));
        assert!(read[..101].iter().all(|read| (read.seq, read.hash, read.at) == (many.seq, many.hash, many.at)));
        assert_eq!(read[..101].iter().map(|read| read.tokens.len()).sum::<usize>(), 100_001);
    }

    #[test]
    fn nothing_is_removed_while_a_replay_is_under_way() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::new(place.path());
        let short = Limits { keep: Span::days(1), ..LIMITS };
        let write = |at: Timestamp| Writer::new(folder.clone(), short).append(None, &[entry(1)], at).unwrap();
        write(day(0));
        folder.begin_replay().unwrap();
        write(day(40));
        assert_eq!(folder.parts().unwrap().len(), 2);
        folder.end_replay().unwrap();
        write(day(80));
        assert_eq!(folder.parts().unwrap().len(), 1, "the limits count again");
    }

    #[test]
    fn a_folder_is_of_one_server_until_it_lets_go_and_anybody_may_write_a_part() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::new(place.path().join("not/there/yet"));
        let held = folder.hold().unwrap().unwrap();
        assert!(folder.hold().unwrap().is_none());
        Writer::new(folder.clone(), LIMITS).append(None, &[entry(1)], day(0)).unwrap();
        assert_eq!(all(&folder).0, [entry(1)], "the file of the lock is no part");
        drop(held);
        assert!(folder.hold().unwrap().is_some());
    }

    #[test]
    fn a_ledger_of_a_newer_program_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let mut text = Vec::new();
        write_line(&mut text, &Head { ledger: 2, database: None }).unwrap();
        let part = place.path().join("revoked-0000000000000001-1.ledger");
        fs::write(&part, text).unwrap();
        let refused = read(&part, |_| Ok(())).unwrap_err();
        assert!(refused.to_string().contains("newer program"), "{refused}");
    }
}
