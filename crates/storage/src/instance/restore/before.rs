//! What the database before knows and the copy that is to take its place has not heard of.
//!
//! A trail is a chain of hashes: two databases that have the same event at a number have the same events before it. So what the
//! copy lacks of a trail is what follows the last event that both have. Only the tables of the audit trails are read, as they were
//! from the beginning on: the database before may be one that an earlier version left.

use crate::backend::sqlite::establish;
use crate::error::StoreError;
use crate::rows::{AuditEventRow, NIL_TRAIL};
use crate::schema::{audit_events, audit_heads};
use crate::sql_types::{Bind as _, Digest32};
use diesel::prelude::*;
use std::marker::PhantomData;
use std::path::Path;
use token_domain::Timestamp;
use token_domain::id::OrganizationId;
use token_domain::record::AuditRecord;

use super::{Copied, Restoration};

/// The most events that are read at once.
const PAGE: i64 = 1_000;

/// The database before, beside the copy. It is closed before one of them gets another name.
pub struct Before<'r> {
    restoration: PhantomData<&'r Restoration>,
    present: SqliteConnection,
    copy: SqliteConnection,
    /// The trails that are still to be read.
    trails: Vec<OrganizationId>,
    /// The trail that is being read, and the number that it was read up to.
    at: Option<(OrganizationId, i64)>,
    has_all: bool,
}

impl Before<'_> {
    pub(super) fn open(present: &Path, copy: &Path) -> Result<Option<Self>, StoreError> {
        let (mut present, mut copy) = (establish(present)?, establish(copy)?);
        let [Some(first), Some(of_copy)] = [hash(&mut present, NIL_TRAIL, 1)?, hash(&mut copy, NIL_TRAIL, 1)?] else {
            return Ok(None);
        };
        if first != of_copy {
            return Err(StoreError::Broken("it is of another deployment than the copy".to_owned()));
        }
        let mut has_all = true;
        for trail in trails(&mut copy)? {
            if let Some((seq, last, _)) = end(&mut copy, trail)? {
                has_all &= hash(&mut present, trail, seq)? == Some(last);
            }
        }
        let trails = trails(&mut present)?;
        Ok(Some(Self { restoration: PhantomData, present, copy, trails, at: None, has_all }))
    }

    /// Whether it has every event of the copy, so that it knows whatever happened since.
    pub const fn has_all_of_the_copy(&self) -> bool {
        self.has_all
    }

    /// The next events that the copy has not heard of; nothing after the last.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn next_events(&mut self) -> Result<Option<Vec<AuditRecord>>, StoreError> {
        loop {
            let (trail, after) = match self.at {
                Some(at) => at,
                None => match self.trails.pop() {
                    Some(trail) => (trail, self.shared(trail)?),
                    None => return Ok(None),
                },
            };
            let page = audit_events::table
                .filter(audit_events::trail.eq(trail.bind()).and(audit_events::seq.gt(after)))
                .order(audit_events::seq)
                .limit(PAGE);
            let rows: Vec<AuditEventRow> = page.select(AuditEventRow::as_select()).load(&mut self.present)?;
            let events: Vec<AuditRecord> = rows.into_iter().map(AuditRecord::from).collect();
            self.at = events.last().map(|last| (trail, last.seq));
            if !events.is_empty() {
                return Ok(Some(events));
            }
        }
    }

    /// The number of the last event of a trail that both have; zero if they share none.
    fn shared(&mut self, trail: OrganizationId) -> Result<i64, StoreError> {
        let Some((seq, ..)) = end(&mut self.copy, trail)? else { return Ok(0) };
        if self.is_shared(trail, seq)? {
            return Ok(seq);
        }
        let (mut shared, mut parted) = (0, seq);
        while parted - shared > 1 {
            let middle = shared.midpoint(parted);
            if self.is_shared(trail, middle)? { shared = middle } else { parted = middle }
        }
        Ok(shared)
    }

    fn is_shared(&mut self, trail: OrganizationId, seq: i64) -> Result<bool, StoreError> {
        let here = hash(&mut self.present, trail, seq)?;
        Ok(here.is_some() && here == hash(&mut self.copy, trail, seq)?)
    }
}

impl std::fmt::Debug for Before<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Before").field("at", &self.at).field("has_all", &self.has_all).finish_non_exhaustive()
    }
}

/// What a copy says of itself; nothing of one that was never set up.
pub(super) fn copied(copy: &Path) -> Result<Option<Copied>, StoreError> {
    let mut copy = establish(copy)?;
    let Some(first) = hash(&mut copy, NIL_TRAIL, 1)? else { return Ok(None) };
    let mut newest = Timestamp::EPOCH;
    for trail in trails(&mut copy)? {
        if let Some((.., at)) = end(&mut copy, trail)? {
            newest = newest.max(at);
        }
    }
    Ok(Some(Copied { first, newest }))
}

fn trails(database: &mut SqliteConnection) -> Result<Vec<OrganizationId>, StoreError> {
    Ok(audit_heads::table.order(audit_heads::trail).select(audit_heads::trail).load(database)?)
}

/// The last event of a trail: its number, its hash and when it was.
fn end(
    database: &mut SqliteConnection,
    trail: OrganizationId,
) -> Result<Option<(i64, [u8; 32], Timestamp)>, StoreError> {
    let last = audit_events::table
        .filter(audit_events::trail.eq(trail.bind()))
        .order(audit_events::seq.desc())
        .select((audit_events::seq, audit_events::hash, audit_events::at));
    let last: Option<(i64, Digest32, Timestamp)> = last.first(database).optional()?;
    Ok(last.map(|(seq, Digest32(hash), at)| (seq, hash, at)))
}

fn hash(database: &mut SqliteConnection, trail: OrganizationId, seq: i64) -> Result<Option<[u8; 32]>, StoreError> {
    let event = audit_events::table.find((trail.bind(), seq)).select(audit_events::hash);
    let hash: Option<Digest32> = event.first(database).optional()?;
    Ok(hash.map(|Digest32(hash)| hash))
}

#[cfg(test)]
mod tests {
    use super::*;
    use diesel::connection::SimpleConnection as _;

    /// A database as the first version made it, with one trail of these events, each told from others by a letter.
    fn database(path: &Path, events: &str) {
        let mut statements = vec![String::from(
            "CREATE TABLE audit_heads (trail BLOB NOT NULL PRIMARY KEY, seq INTEGER NOT NULL, hash BLOB NOT NULL);
             CREATE TABLE audit_events (
                 trail BLOB, seq INTEGER, at INTEGER, action TEXT, actor TEXT, target_kind TEXT, target_id TEXT,
                 request_id TEXT, detail TEXT, prev_hash BLOB, hash BLOB, PRIMARY KEY (trail, seq));
             INSERT INTO audit_heads VALUES (zeroblob(16), 0, zeroblob(32))",
        )];
        for (seq, letter) in (1_i64..).zip(events.chars()) {
            let hash = format!("{:02x}", u32::from(letter)).repeat(32);
            statements.push(format!(
                "INSERT INTO audit_events VALUES (zeroblob(16), {seq}, {seq}, 'a', 'b', '', '', '', '{letter}', zeroblob(32), x'{hash}')",
            ));
        }
        establish(path).unwrap().batch_execute(&statements.join(";")).unwrap();
    }

    #[test]
    fn what_the_copy_lacks_is_what_follows_the_last_event_that_both_have() {
        for (present, copy, expected, has_all) in [
            ("abcdef", "abcdef", "", true),
            ("abcdef", "abc", "def", true),
            ("abcdef", "abcxyz", "def", false),
            ("abcdef", "abcdex", "f", false),
            ("abcdef", "axyzuvwtsr", "bcdef", false),
            ("abc", "abcdef", "", false),
            ("abx", "abcdef", "x", false),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let (one, other) = (folder.path().join("present.db"), folder.path().join("copy.db"));
            database(&one, present);
            database(&other, copy);
            let mut before = Before::open(&one, &other).unwrap().unwrap();
            let mut found = String::new();
            while let Some(events) = before.next_events().unwrap() {
                found.extend(events.into_iter().map(|event| event.detail));
            }
            assert_eq!((&*found, before.has_all_of_the_copy()), (expected, has_all), "{present} {copy}");
            let copied = copied(&other).unwrap().unwrap();
            assert_eq!((copied.first, copied.newest.as_micros()), ([b'a'; 32], i64::try_from(copy.len()).unwrap()));
        }
    }

    #[test]
    fn what_is_empty_tells_nothing_and_what_is_of_another_deployment_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for (name, events) in [("empty.db", ""), ("own.db", "ab"), ("other.db", "xb")] {
            database(&path(name), events);
        }
        assert!(Before::open(&path("empty.db"), &path("own.db")).unwrap().is_none());
        assert_eq!(copied(&path("empty.db")).unwrap(), None);
        let refused = Before::open(&path("other.db"), &path("own.db")).unwrap_err();
        assert!(refused.to_string().contains("another deployment"), "{refused}");
    }
}
