//! Where a page of a list begins, for lists that run from the newest back in time.

use std::fmt;

use token_domain::Timestamp;
use token_domain::id::{Id, Kind, Uuid};

/// A place in a list: after this entry, going back in time. On the wire a text that callers pass on unread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor<K: Kind> {
    pub(crate) created_at: Timestamp,
    pub(crate) id: Id<K>,
}

/// A text that no page ended with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be the unchanged next_cursor of the previous page")]
pub struct InvalidCursor;

impl<K: Kind> Cursor<K> {
    /// Reads a cursor back.
    ///
    /// # Errors
    /// Any text that [`Cursor`]'s display did not write.
    pub fn parse(text: &str) -> Result<Self, InvalidCursor> {
        let (micros, id) = text.split_once('.').ok_or(InvalidCursor)?;
        let micros: i64 = micros.parse().map_err(|_| InvalidCursor)?;
        let id = Uuid::try_parse(id).map_err(|_| InvalidCursor)?;
        let cursor = Self { created_at: Timestamp::from_micros(micros), id: Id::from_uuid(id) };
        let moments = Timestamp::EPOCH..=Timestamp::MAX;
        if moments.contains(&cursor.created_at) && cursor.to_string() == text { Ok(cursor) } else { Err(InvalidCursor) }
    }
}

impl<K: Kind> fmt::Display for Cursor<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.created_at.as_micros(), self.id.uuid().simple())
    }
}

/// Cuts a list that was read with one entry more than asked for, and says where the next page begins: `place` of the last
/// entry that stays, or nothing when this is the last page.
pub(crate) fn cut<T, P>(entries: &mut Vec<T>, limit: u32, place: impl FnOnce(&T) -> P) -> Option<P> {
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = entries.len() > wanted;
    entries.truncate(wanted);
    entries.last().filter(|_| more).map(place)
}

#[cfg(test)]
mod tests {
    use token_domain::id::kind;

    use super::*;

    #[test]
    fn a_cursor_reads_back_and_nothing_else_does() {
        let cursor = Cursor::<kind::Token> {
            created_at: Timestamp::from_micros(1_768_469_531_000_001),
            id: Id::from_uuid(Uuid::from_u128(7)),
        };
        assert_eq!(Cursor::parse(&cursor.to_string()), Ok(cursor));
        let id = "00000000000000000000000000000007";
        for text in ["", ".", "1", "1.", "-1.x", &format!("-1.{id}"), &format!("+1.{id}"), &format!("01.{id}"), "9e9.7"]
        {
            assert_eq!(Cursor::<kind::Token>::parse(text), Err(InvalidCursor), "{text}");
        }
    }

    #[test]
    fn only_a_page_with_more_behind_it_says_where_to_go_on() {
        for (read, kept, next) in [(0, 0, None), (1, 1, None), (2, 2, None), (3, 2, Some(1))] {
            let mut entries: Vec<u32> = (0..read).collect();
            let place = cut(&mut entries, 2, |last| *last);
            assert_eq!((u32::try_from(entries.len()).ok(), place), (Some(kept), next), "{read}");
        }
    }
}
