//! When and from where sessions are used: noted once a minute and beside the request, so that reading waits for no write.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use token_domain::id::SessionId;
use token_domain::record::SessionUse;
use token_domain::{Span, Timestamp};

use super::Sessions;
use crate::origin::Origin;

/// How far the time that is written may be behind the last use.
const EVERY: Span = Span::seconds(60);
/// The most sessions remembered.
const MOST: usize = 10_000;

/// When the last use of each session was noted by this node.
#[derive(Debug, Default)]
pub(super) struct Noted(Mutex<HashMap<SessionId, Timestamp>>);

impl Noted {
    /// Whether a use at that moment is to be written down; if so, no other is for a minute.
    pub(super) fn is_due(&self, id: SessionId, now: Timestamp) -> bool {
        // Nothing panics while it is held.
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.get(&id).is_some_and(|at| now < *at + EVERY) {
            return false;
        }
        if noted.len() >= MOST {
            noted.retain(|_, at| now < *at + EVERY);
            // More in one minute: each is noted once more, which is cheaper than to go through all of them at each use.
            if noted.len() >= MOST {
                noted.clear();
            }
        }
        noted.insert(id, now);
        true
    }
}

/// The use of a session that a request is.
pub(super) fn of(session_id: SessionId, origin: &Origin, now: Timestamp) -> SessionUse {
    SessionUse { session_id, last_used_at: now, address: origin.client_ip.map(|address| address.to_string()) }
}

impl Sessions {
    /// Notes that a session is used, unless that was noted a moment ago. The request does not wait for it, and what cannot be
    /// written is left out: the next minute brings another use.
    pub(super) fn note_use(&self, id: SessionId, origin: &Origin) {
        let now = self.context.now();
        if !self.noted.is_due(id, now) {
            return;
        }
        let (store, used) = (self.context.store.clone(), of(id, origin, now));
        self.context.units.spawn(async move {
            let written = store.write(move |tx| Box::pin(async move { tx.note_session_use(&used).await })).await;
            if let Err(error) = written {
                tracing::debug!(%error, session = %id, "the last use of a session was not written down");
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use test_support::records::id;

    use super::*;

    #[test]
    fn a_use_is_noted_once_a_minute_and_memory_is_bounded() {
        let begun = Timestamp::parse_rfc3339("2026-01-15T09:00:00Z").unwrap();
        let noted = Noted::default();
        for (number, seconds, due) in
            [(1, 0, true), (1, 59, false), (2, 59, true), (1, 60, true), (1, 61, false), (2, 61, false)]
        {
            assert_eq!(noted.is_due(id(number), begun + Span::seconds(seconds)), due, "{number} after {seconds} s");
        }
        let later = begun + Span::seconds(600);
        for number in 0..20_000 {
            noted.is_due(id(number), begun + Span::seconds(300));
        }
        assert!(noted.is_due(id(50_000), later));
        assert!(noted.0.lock().unwrap().len() <= 2);
    }
}
