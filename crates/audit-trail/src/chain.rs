//! The hash chain of a trail: each event's hash covers the hash before it, so that no event can be changed, removed, moved or
//! added without breaking the chain from there on. `docs/SECURITY.md` describes it for other programs.
//!
//! An attacker who can write to the database can also recompute the chain from any event on. That shows only against a
//! [`Place`] somebody remembered elsewhere, which is why every answer and every file names one.

use std::fmt;

use sha2::{Digest, Sha256};
use token_domain::record::{AuditHead, AuditRecord};

/// What the hashes of this version of the chain begin with.
const VERSION: &[u8] = b"nolapse-tokens/audit/v1\0";

/// An event of a trail by its number and hash: what to remember of a trail to notice later that it was rewritten. Shown
/// as `17.` and 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The event's number; zero is before the first.
    pub seq: i64,
    /// Its hash; zeros before the first.
    pub hash: [u8; 32],
}

/// The text is not a valid place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be the number of an event, a full stop and its hash in 64 lower-case hexadecimal digits")]
pub struct InvalidPlace;

/// What is wrong with a trail, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Break {
    /// The first event that is not as it was written.
    pub seq: i64,
    /// How.
    pub fault: Fault,
}

/// How an event is not as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not there, although later ones are.
    Missing,
    /// One of its fields was changed: its hash is of something else.
    Changed,
    /// Its hash does not continue that of the event before it: one of the two was replaced.
    Unlinked,
    /// It is not the one that was remembered: it and perhaps all before it were replaced.
    Replaced,
    /// It was there once, and the trail now ends before it.
    CutOff,
    /// It comes after the recorded end of the trail: it was not added by the service.
    Added,
    /// What is stored cannot be an event at all.
    Unreadable,
}

/// A walk along a trail.
#[derive(Clone, Copy, Debug)]
pub struct Chain {
    reached: Place,
    remembered: Option<Place>,
}

impl Place {
    /// Before the first event.
    pub const START: Self = Self { seq: 0, hash: [0; 32] };

    /// Reads what the display wrote.
    ///
    /// # Errors
    /// Any other text.
    pub fn parse(text: &str) -> Result<Self, InvalidPlace> {
        let (seq, digits) = text.split_once('.').ok_or(InvalidPlace)?;
        let seq = seq.parse().ok().filter(|seq| *seq >= 0).ok_or(InvalidPlace)?;
        let place = Self { seq, hash: unhex(digits).ok_or(InvalidPlace)? };
        // One spelling only: no plus sign, no zeros in front, no capitals.
        if place.to_string() == text { Ok(place) } else { Err(InvalidPlace) }
    }

    /// The place of an event.
    pub const fn of(record: &AuditRecord) -> Self {
        Self { seq: record.seq, hash: record.hash }
    }
}

impl From<AuditHead> for Place {
    fn from(head: AuditHead) -> Self {
        Self { seq: head.seq, hash: head.hash }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.seq, hex(&self.hash))
    }
}

impl Fault {
    /// A short name, for programs; it never changes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Changed => "changed",
            Self::Unlinked => "unlinked",
            Self::Replaced => "replaced",
            Self::CutOff => "cut_off",
            Self::Added => "added",
            Self::Unreadable => "unreadable",
        }
    }
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seq = self.seq;
        match self.fault {
            Fault::Missing => write!(f, "event {seq} is missing"),
            Fault::Changed => write!(f, "event {seq} was changed: its hash is not that of its fields"),
            Fault::Unlinked => {
                write!(f, "event {seq} does not follow event {}: one of the two was replaced", seq.saturating_sub(1))
            }
            Fault::Replaced => write!(f, "event {seq} is not the one that was remembered: it was replaced"),
            Fault::CutOff => write!(f, "event {seq} was there once, and the trail ends before it"),
            Fault::Added => write!(f, "event {seq} stands behind the end of the trail: it was added by other means"),
            Fault::Unreadable => write!(f, "event {seq} cannot be read: what is stored is no event"),
        }
    }
}

impl Chain {
    /// Starts after a place, whose hash is trusted.
    pub const fn after(place: Place) -> Self {
        Self { reached: place, remembered: None }
    }

    /// On the way the chain must come through this place.
    #[must_use]
    pub const fn through(self, remembered: Place) -> Self {
        Self { remembered: Some(remembered), ..self }
    }

    /// The last event that was found good.
    pub const fn reached(&self) -> Place {
        self.reached
    }

    /// Takes the next event of the trail.
    ///
    /// # Errors
    /// When it is not the one that was written next.
    pub fn take(&mut self, record: &AuditRecord) -> Result<(), Break> {
        let expected = self.reached.seq.saturating_add(1);
        let broken = |seq, fault| Err(Break { seq, fault });
        if record.seq != expected {
            return broken(expected, Fault::Missing);
        }
        if hash(record) != record.hash {
            return broken(expected, Fault::Changed);
        }
        if record.prev_hash != self.reached.hash {
            return broken(expected, Fault::Unlinked);
        }
        let place = Place::of(record);
        if self.remembered.is_some_and(|remembered| remembered.seq == place.seq && remembered != place) {
            return broken(expected, Fault::Replaced);
        }
        self.reached = place;
        Ok(())
    }

    /// Says that there are no more events.
    ///
    /// # Errors
    /// When a remembered one was not reached.
    pub fn end(&self) -> Result<(), Break> {
        match self.remembered {
            Some(remembered) if remembered.seq > self.reached.seq => {
                Err(Break { seq: self.reached.seq.saturating_add(1), fault: Fault::CutOff })
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// The hash of an event: SHA-256 over a version label, the hash before it, its number and time, and every text, each with
/// its length in front, so that no two events share an encoding.
pub fn hash(record: &AuditRecord) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(VERSION);
    hasher.update(record.prev_hash);
    hasher.update(record.seq.to_be_bytes());
    hasher.update(record.at.as_micros().to_be_bytes());
    let organization = record.organization_id.map(|id| id.to_string()).unwrap_or_default();
    let fields = [
        &organization,
        &record.action,
        &record.actor,
        &record.target_kind,
        &record.target_id,
        &record.request_id,
        &record.detail,
    ];
    for field in fields {
        hasher.update((field.len() as u64).to_be_bytes());
        hasher.update(field.as_bytes());
    }
    hasher.finalize().into()
}

/// A hash in 64 lower-case hexadecimal digits.
pub fn hex(hash: &[u8; 32]) -> String {
    let digit = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble)]);
    hash.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Reads [`hex`] back, in lower case only.
pub(crate) fn unhex(digits: &str) -> Option<[u8; 32]> {
    let nibble = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    if pairs.len() != 32 || !rest.is_empty() {
        return None;
    }
    let mut hash = [0; 32];
    for (byte, [high, low]) in hash.iter_mut().zip(pairs) {
        *byte = nibble(*high)? << 4 | nibble(*low)?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use token_domain::Timestamp;

    use super::*;

    /// A trail of `length` events.
    fn trail(length: i64) -> Vec<AuditRecord> {
        let mut reached = Place::START;
        let mut all = Vec::new();
        for seq in 1..=length {
            let mut record = AuditRecord {
                seq,
                organization_id: None,
                at: Timestamp::from_micros(1_768_469_531_123_456 + seq),
                action: "token.create".to_owned(),
                actor: "system".to_owned(),
                target_kind: "token".to_owned(),
                target_id: format!("t{seq}"),
                request_id: "r".to_owned(),
                detail: "{}".to_owned(),
                prev_hash: reached.hash,
                hash: [0; 32],
            };
            record.hash = hash(&record);
            reached = Place::of(&record);
            all.push(record);
        }
        all
    }

    fn walk(mut chain: Chain, records: &[AuditRecord]) -> Result<Place, (i64, Fault)> {
        let named = |broken: Break| (broken.seq, broken.fault);
        for record in records {
            chain.take(record).map_err(named)?;
        }
        chain.end().map_err(named).map(|()| chain.reached())
    }

    /// The event after these changes, with a hash that fits it.
    fn forged(record: &AuditRecord, change: impl FnOnce(&mut AuditRecord)) -> AuditRecord {
        let mut forged = record.clone();
        change(&mut forged);
        forged.hash = hash(&forged);
        forged
    }

    #[test]
    fn a_trail_as_written_is_whole() {
        let records = trail(5);
        let end = Place::of(&records[4]);
        assert_eq!(walk(Chain::after(Place::START), &records), Ok(end));
        assert_eq!(walk(Chain::after(Place::of(&records[1])), &records[2..]), Ok(end));
        assert_eq!(walk(Chain::after(Place::START).through(Place::of(&records[2])), &records), Ok(end));
        assert_eq!(walk(Chain::after(Place::START), &[]), Ok(Place::START));
    }

    #[test]
    fn whatever_is_done_to_it_is_found_and_named() {
        use Fault::{Changed, CutOff, Missing, Replaced, Unlinked};
        let whole = trail(6);
        let with = |place: usize, record: AuditRecord| {
            let mut records = whole.clone();
            records[place] = record;
            records
        };
        let mut swapped = whole.clone();
        swapped.swap(1, 2);
        let mut renumbered = swapped.clone();
        (renumbered[1].seq, renumbered[2].seq) = (2, 3);
        let mut inserted = whole.clone();
        inserted.insert(3, whole[2].clone());
        let rows: [(&str, Vec<AuditRecord>, (i64, Fault)); 9] = [
            ("changed", with(2, AuditRecord { action: "token.revoke".to_owned(), ..whole[2].clone() }), (3, Changed)),
            ("changed with its hash", with(2, forged(&whole[2], |r| r.action.push('x'))), (4, Unlinked)),
            ("first removed", whole[1..].to_vec(), (1, Missing)),
            ("one removed", [&whole[..2], &whole[3..]].concat(), (3, Missing)),
            (
                "one removed and numbered anew",
                [&whole[..2], &[forged(&whole[3], |r| r.seq = 3)]].concat(),
                (3, Unlinked),
            ),
            ("swapped", swapped, (2, Missing)),
            ("swapped and numbered anew", renumbered, (2, Changed)),
            ("inserted", inserted, (4, Missing)),
            ("cut off", whole[..5].to_vec(), (6, CutOff)),
        ];
        let remembered = Place::of(&whole[5]);
        for (what, records, expected) in rows {
            assert_eq!(walk(Chain::after(Place::START).through(remembered), &records), Err(expected), "{what}");
        }
        // A chain computed anew from some event on is whole by itself, and not what was remembered.
        let mut rewritten = whole[..4].to_vec();
        rewritten.push(forged(&whole[4], |r| r.actor = "service".to_owned()));
        let before = rewritten[4].hash;
        rewritten.push(forged(&whole[5], |r| r.prev_hash = before));
        assert!(walk(Chain::after(Place::START), &rewritten).is_ok());
        assert_eq!(walk(Chain::after(Place::START).through(remembered), &rewritten), Err((6, Replaced)));
    }

    #[test]
    fn every_field_is_covered() {
        let record = trail(1).remove(0);
        let changes: [fn(&mut AuditRecord); 11] = [
            |r| r.seq += 1,
            |r| r.organization_id = Some(token_domain::Id::from_uuid(token_domain::id::Uuid::from_u128(1))),
            |r| r.at = Timestamp::from_micros(r.at.as_micros() + 1),
            |r| r.action.push('x'),
            |r| r.actor.push('x'),
            |r| r.target_kind.push('x'),
            |r| r.target_id.push('x'),
            |r| r.request_id.push('x'),
            |r| r.detail.push(' '),
            |r| r.prev_hash[31] ^= 1,
            // A letter that moves from one field to its neighbour is a change too.
            |r| {
                r.target_id.insert(0, 'n');
                r.target_kind.pop();
            },
        ];
        for (number, change) in changes.into_iter().enumerate() {
            assert_ne!(forged(&record, change).hash, record.hash, "{number}");
        }
    }

    #[test]
    fn a_place_reads_back_and_nothing_else_does() {
        let place = Place { seq: 17, hash: [0xa5; 32] };
        let text = place.to_string();
        assert_eq!(Place::parse(&text), Ok(place));
        let digits = "a5".repeat(32);
        for text in [
            "",
            "17",
            &digits,
            &format!("17.{}", &digits[1..]),
            &format!("17.{digits}0"),
            &format!("+17.{digits}"),
            &format!("017.{digits}"),
            &format!("-1.{digits}"),
            &text.to_uppercase(),
            &format!("99999999999999999999.{digits}"),
        ] {
            assert_eq!(Place::parse(text), Err(InvalidPlace), "{text}");
        }
    }
}
