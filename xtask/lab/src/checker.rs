//! Judges a history: whether each validation said what is possible, given what clients had been told before.
//!
//! A validation may say what the last change made of the token that was acknowledged before it was sent, or what any
//! change makes of it that may take effect while it is under way: one sent before its answer, and one of unknown outcome,
//! which stays possible until the token is revoked for good. So there are two violations: "valid" after an acknowledged
//! revocation, and 401 although every acknowledged change says otherwise, which is how a lost change shows.

use crate::history::{Change, History, Life, Look, Outcome, Said, State};
use std::fmt;

/// A validation that said what is not possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    pub(crate) look: Look,
    /// The last change acknowledged before.
    pub(crate) after: Change,
}

/// What was found in a history.
#[derive(Clone, Debug, Default)]
pub(crate) struct Findings {
    pub(crate) violations: Vec<Violation>,
    /// Validations that had one right answer, and gave it: of good tokens and of others.
    pub(crate) rightly_valid: usize,
    pub(crate) rightly_invalid: usize,
    /// Validations that overlapped a change, so that either answer was right.
    pub(crate) either: usize,
    /// Validations that said nothing.
    pub(crate) unanswered: usize,
}

/// Judges everything.
pub(crate) fn check(history: &History) -> Findings {
    let mut found = Findings::default();
    for look in &history.looks {
        let Some((base, possible)) = history.lives.get(look.token).and_then(|life| expected(life, look)) else {
            found.either += 1;
            continue;
        };
        let said = match look.said {
            Said::Valid => true,
            Said::Invalid => false,
            Said::Nothing => {
                found.unanswered += 1;
                continue;
            }
        };
        match possible {
            [true, true] => found.either += 1,
            _ if !possible[usize::from(said)] => found.violations.push(Violation { look: *look, after: base }),
            [_, true] => found.rightly_valid += 1,
            [_, false] => found.rightly_invalid += 1,
        }
    }
    found
}

/// The last change acknowledged before a validation was sent, and whether it may say "not valid" and "valid".
fn expected(life: &Life, look: &Look) -> Option<(Change, [bool; 2])> {
    let is_base = |change: &Change| change.outcome == Outcome::Acknowledged && change.answered < look.sent;
    let at = life.changes.iter().rposition(is_base)?;
    let base = life.changes[at];
    let mut possible = [false; 2];
    possible[usize::from(base.to == State::Valid)] = true;
    if life.changes[..=at].iter().any(|change| is_base(change) && change.to == State::Revoked) {
        return Some((base, [true, false]));
    }
    let unknown = life.changes[..at].iter().filter(|change| change.outcome == Outcome::Unknown);
    let under_way = life.changes[at + 1..].iter().filter(|change| change.sent < look.answered);
    for change in unknown.chain(under_way) {
        possible[usize::from(change.to == State::Valid)] = true;
    }
    Some((base, possible))
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { look, after } = self;
        let ms = |nanos: u64| nanos / 1_000_000;
        let said = if look.said == Said::Valid { "valid" } else { "401" };
        write!(
            f,
            "token {}: node {} said {said} at {}–{} ms, though node {} had acknowledged {:?} at {}–{} ms, {} µs before",
            look.token,
            look.node,
            ms(look.sent),
            ms(look.answered),
            after.node,
            after.to,
            ms(after.sent),
            ms(after.answered),
            look.sent.saturating_sub(after.answered) / 1_000,
        )
    }
}

#[cfg(test)]
mod variants;

#[cfg(test)]
mod tests {
    use super::*;
    use Outcome::{Acknowledged, Unknown};
    use Said::{Invalid, Valid};

    fn change(sent: u64, answered: u64, to: State, outcome: Outcome) -> Change {
        Change { sent, answered, node: 0, to, outcome }
    }

    #[test]
    fn a_validation_may_say_what_changes_before_and_around_it_allow() {
        let made = change(0, 10, State::Valid, Acknowledged);
        let revoked = change(20, 30, State::Revoked, Acknowledged);
        let perhaps = change(20, 30, State::Revoked, Unknown);
        let off = change(20, 30, State::Disabled, Acknowledged);
        let on = change(40, 50, State::Valid, Acknowledged);
        let perhaps_off = change(60, 70, State::Disabled, Unknown);
        let table: [(&[Change], [u64; 2], Said, bool); 18] = [
            (&[made], [11, 12], Valid, true),
            (&[made], [11, 12], Invalid, false),
            (&[made, revoked], [11, 19], Invalid, false),
            (&[made, revoked], [11, 21], Invalid, true),
            (&[made, revoked], [29, 40], Valid, true),
            // Sent in the same nanosecond: not after the answer.
            (&[made, revoked], [30, 40], Valid, true),
            (&[made, revoked], [31, 40], Valid, false),
            (&[made, revoked], [31, 40], Invalid, true),
            (&[made, perhaps], [31, 40], Valid, true),
            (&[made, perhaps], [31, 40], Invalid, true),
            (&[made, perhaps, change(35, 45, State::Revoked, Acknowledged)], [46, 47], Valid, false),
            (&[made, off], [31, 32], Valid, false),
            (&[made, off, on], [31, 41], Valid, true),
            (&[made, off, on], [51, 52], Invalid, false),
            (&[made, off, on, perhaps_off], [71, 72], Valid, true),
            (&[made, off, on, perhaps_off], [71, 72], Invalid, true),
            (&[made, perhaps_off, change(80, 90, State::Valid, Acknowledged)], [91, 92], Invalid, true),
            // Nothing is known of a token whose making is not acknowledged yet.
            (&[made], [5, 8], Invalid, true),
        ];
        for (changes, [sent, answered], said, is_right) in table {
            let look = Look { token: 0, sent, answered, node: 1, said };
            let history = History { lives: vec![Life { changes: changes.to_vec() }], looks: vec![look] };
            assert_eq!(check(&history).violations.is_empty(), is_right, "{changes:?} {look:?}");
        }
    }

    #[test]
    fn what_was_found_is_counted_and_shown() {
        let life = Life {
            changes: vec![
                change(0, 1_000_000, State::Valid, Acknowledged),
                change(2_000_000, 3_000_000, State::Revoked, Acknowledged),
            ],
        };
        let look = |sent, said| Look { token: 0, sent, answered: sent + 100, node: 2, said };
        let looks = vec![
            look(1_500_000, Valid),
            look(2_500_000, Valid),
            look(3_500_000, Invalid),
            look(3_600_000, Said::Nothing),
            look(4_000_000, Valid),
        ];
        let found = check(&History { lives: vec![life], looks });
        assert_eq!((found.rightly_valid, found.rightly_invalid), (1, 1));
        assert_eq!((found.either, found.unanswered, found.violations.len()), (1, 1, 1));
        let shown = found.violations[0].to_string();
        assert!(shown.starts_with("token 0: node 2 said valid at 4–4 ms"), "{shown}");
        assert!(shown.ends_with("1000 µs before"), "{shown}");
    }
}
