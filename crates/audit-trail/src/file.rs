//! The walk along a file of events.

use std::fmt;
use std::io::{self, BufRead, Read as _};

use token_domain::id::OrganizationId;
use token_domain::record::AuditRecord;

use crate::chain::{Break, Chain, Place};
use crate::line::{self, InvalidLine};

/// Bytes of the longest line that is read: far more than an event has.
const LONGEST_LINE: u64 = 1 << 20;

/// Earlier events that a file is checked against, besides its own chain.
#[derive(Clone, Copy, Debug, Default)]
pub struct Walk {
    /// The event before the first of the file, where the file does not begin with event 1.
    pub after: Option<Place>,
    /// An event the trail must come through, remembered from an earlier time. Only this shows that events were cut off
    /// at the end, or the whole trail computed anew.
    pub remembered: Option<Place>,
}

/// A trail that is as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole {
    /// Whose; nothing for the deployment's own.
    pub organization_id: Option<OrganizationId>,
    /// Its first event.
    pub first: i64,
    /// Its last, which is what to remember.
    pub head: Place,
}

/// Why a file is not a trail as it was written.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// A line is no event.
    #[error("line {0} {1}")]
    Line(u64, InvalidLine),
    /// A line is of another trail than the first.
    #[error("line {0} is of another trail than the first: verify each trail by itself")]
    OtherTrail(u64),
    /// An event is not what was written next.
    #[error("line {0}: {1}")]
    Broken(u64, Break),
    /// It ends before what was remembered.
    #[error("{0}")]
    CutOff(Break),
}

impl Walk {
    /// Verifies event after event; nothing if there is none. `progress` is told the number of each line that is good.
    ///
    /// # Errors
    /// At the first line that is not what was written.
    pub fn along(&self, mut lines: impl BufRead, mut progress: impl FnMut(u64)) -> Result<Option<Whole>, Fault> {
        let mut taken: Option<(AuditRecord, Chain)> = None;
        let mut line = Vec::new();
        for number in 1_u64.. {
            line.clear();
            (&mut lines).take(LONGEST_LINE).read_until(b'\n', &mut line)?;
            if line.is_empty() {
                break;
            }
            let text = line.strip_suffix(b"\n").unwrap_or(&line);
            let record = line::read(text).map_err(|error| Fault::Line(number, error))?;
            let (first, chain) = taken.get_or_insert_with(|| (record.clone(), self.beginning(&record)));
            if first.organization_id != record.organization_id {
                return Err(Fault::OtherTrail(number));
            }
            chain.take(&record).map_err(|broken| Fault::Broken(number, broken))?;
            progress(number);
        }
        let nothing = || self.watching(Chain::after(self.after.unwrap_or(Place::START)));
        let chain = taken.as_ref().map_or_else(nothing, |(_, chain)| *chain);
        chain.end().map_err(Fault::CutOff)?;
        Ok(taken.map(|(first, chain)| Whole {
            organization_id: first.organization_id,
            first: first.seq,
            head: chain.reached(),
        }))
    }

    /// Begins after the given event, or after the hash that the first line names as its predecessor.
    fn beginning(&self, first: &AuditRecord) -> Chain {
        let claimed = Place { seq: first.seq.saturating_sub(1), hash: first.prev_hash };
        self.watching(Chain::after(match self.after {
            Some(place) => place,
            // The hash before the first event is fixed; the file cannot choose it.
            None if first.seq <= 1 => Place::START,
            None => claimed,
        }))
    }

    fn watching(&self, chain: Chain) -> Chain {
        self.remembered.map_or(chain, |remembered| chain.through(remembered))
    }
}

impl fmt::Display for Whole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let trail = self.organization_id.map_or_else(|| "the deployment".to_owned(), |id| id.to_string());
        write!(f, "whole: events {} to {} of {trail}; head {}", self.first, self.head.seq, self.head)
    }
}
