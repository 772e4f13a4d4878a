//! Formats times, numbers and statuses for people, in English.

use std::fmt;

use authority::records::{Principal, Token};
use token_domain::token::{RevokeCause, RevokeReason, Status};
use token_domain::{Span, Timestamp};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A time, relative to now in the text and exact in the element's attributes.
///
/// Its `Display` writes HTML that contains no foreign text, so templates may print it with `|safe`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct When {
    at: Timestamp,
    now: Timestamp,
}

impl When {
    pub(crate) const fn new(at: Timestamp, now: Timestamp) -> Self {
        Self { at, now }
    }

    /// `3 h ago`, `in 12 d`, `just now`; a date beyond two months.
    pub(crate) fn relative(&self) -> String {
        let seconds = (self.at.as_micros() - self.now.as_micros()) / 1_000_000;
        let length = length(seconds.abs());
        match seconds {
            _ if seconds.abs() < 45 => "just now".to_owned(),
            _ if seconds.abs() > 60 * DAY => date(self.at),
            past if past < 0 => format!("{length} ago"),
            _ => format!("in {length}"),
        }
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (iso, relative) = (self.at.rfc3339_seconds(), self.relative());
        write!(f, "<time datetime=\"{iso}\" title=\"{}\">{relative}</time>", exact(self.at))
    }
}

/// `2026-01-15 09:32:11 UTC`.
pub(crate) fn exact(at: Timestamp) -> String {
    at.rfc3339_seconds().replace('T', " ").replace('Z', " UTC")
}

/// `15 Jan 2026`.
pub(crate) fn date(at: Timestamp) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let text = at.rfc3339_seconds();
    let part = |range: std::ops::Range<usize>| text.get(range).and_then(|part| part.parse::<usize>().ok()).unwrap_or(1);
    let month = MONTHS.get(part(5..7).saturating_sub(1)).copied().unwrap_or("Jan");
    format!("{} {month} {}", part(8..10), text.get(..4).unwrap_or_default())
}

/// `14:05 UTC`.
pub(crate) fn clock(at: Timestamp) -> String {
    format!("{} UTC", at.rfc3339_seconds().get(11..16).unwrap_or_default())
}

/// `45 s`, `12 min`, `3 h`, `7 d`.
pub(crate) fn length(seconds: i64) -> String {
    match seconds {
        s if s < MINUTE => format!("{s} s"),
        s if s < HOUR => format!("{} min", s / MINUTE),
        s if s < 2 * DAY => format!("{} h", s / HOUR),
        s => format!("{} d", s / DAY),
    }
}

/// `1 day`, `90 days`, `6 hours`.
pub(crate) fn span(span: Span) -> String {
    let seconds = span.as_seconds();
    let (count, unit) = match seconds {
        s if s % DAY == 0 && s > 0 => (s / DAY, "day"),
        s if s % HOUR == 0 && s > 0 => (s / HOUR, "hour"),
        s if s >= MINUTE => (s / MINUTE, "minute"),
        s => (s, "second"),
    };
    if count == 1 { format!("1 {unit}") } else { format!("{count} {unit}s") }
}

/// `12 345`, with a narrow no-break space.
pub(crate) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() * 2);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 token`, `12 tokens`.
pub(crate) fn count(number_of: u64, one: &str) -> String {
    if number_of == 1 { format!("1 {one}") } else { format!("{} {one}s", number(number_of)) }
}

/// Who did something, in words; `names` looks up people's names.
pub(crate) fn principal(principal: Principal, names: impl Fn(token_domain::id::UserId) -> String) -> String {
    match principal {
        Principal::User(user) => names(user),
        Principal::Token(id) => format!("token {}", short(&id.to_string())),
        Principal::Policy(id) => format!("trust policy {}", short(&id.to_string())),
        Principal::Service => "the front end".to_owned(),
        Principal::System => "the service".to_owned(),
        Principal::Anonymous => "anonymous".to_owned(),
    }
}

/// The end of an id, which is random: enough to tell a few ids apart.
pub(crate) fn short(id: &str) -> String {
    let tail: String = id.chars().rev().take(8).collect();
    format!("…{}", tail.chars().rev().collect::<String>())
}

/// A status with its reason and colour. The colour never carries meaning that the text lacks.
#[derive(Clone, Debug)]
pub(crate) struct Badge {
    pub(crate) tone: &'static str,
    pub(crate) text: String,
}

impl Badge {
    /// `by` names who revoked it, if anybody did.
    pub(crate) fn of(token: &Token, now: Timestamp, by: Option<String>) -> Self {
        let facts = &token.facts;
        let (tone, text) = match facts.status(now) {
            Status::Active => match facts.expires_at {
                Some(end) if end - Span::days(14) <= now => {
                    ("warn", format!("Expires in {}", length(end.since(now).as_seconds())))
                }
                Some(_) | None => ("good", "Active".to_owned()),
            },
            Status::Rotating => {
                let ends = facts.superseded.map_or(now, |superseded| superseded.grace_ends_at);
                let until = if ends - Span::days(1) <= now { clock(ends) } else { date(ends) };
                ("info", format!("Rotating until {until}"))
            }
            Status::Expired => ("dead", "Expired".to_owned()),
            Status::Revoked => {
                let by = by.map(|name| format!(" by {name}")).unwrap_or_default();
                ("dead", format!("Revoked{by}: {}", why(token, now)))
            }
        };
        Self { tone, text }
    }
}

/// Why a token is revoked, in a few words.
pub(crate) fn why(token: &Token, now: Timestamp) -> &'static str {
    match (token.explanation.cause, token.facts.revocation(now).map(|revoked| revoked.reason)) {
        (Some(cause), _) => cause_text(cause),
        (None, Some(RevokeReason::Superseded)) => "replaced by its successor",
        (None, Some(RevokeReason::RotationCancelled)) => "its rotation was cancelled",
        (None, Some(RevokeReason::Leaked)) => "leaked",
        (None, Some(RevokeReason::OwnerRemoved)) => "its owner left",
        (None, Some(RevokeReason::Policy)) => "unused for too long",
        (None, Some(RevokeReason::Requested) | None) => "on request",
    }
}

/// A cause as people read it.
pub(crate) const fn cause_text(cause: RevokeCause) -> &'static str {
    match cause {
        RevokeCause::Leaked => "leaked",
        RevokeCause::Replaced => "replaced",
        RevokeCause::PersonLeft => "the person left",
        RevokeCause::Unused => "unused",
        RevokeCause::Other => "another reason",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn moments_are_relative_and_exact_on_demand() {
        let now = at("2026-01-15T12:00:00Z");
        for (moment, expected) in [
            ("2026-01-15T12:00:10Z", "just now"),
            ("2026-01-15T11:59:00Z", "1 min ago"),
            ("2026-01-15T09:00:00Z", "3 h ago"),
            ("2026-01-13T12:00:00Z", "2 d ago"),
            ("2026-01-27T12:00:00Z", "in 12 d"),
            ("2025-01-05T12:00:00Z", "5 Jan 2025"),
        ] {
            assert_eq!(When::new(at(moment), now).relative(), expected, "{moment}");
        }
        assert_eq!(
            When::new(at("2026-01-15T09:00:00Z"), now).to_string(),
            "<time datetime=\"2026-01-15T09:00:00Z\" title=\"2026-01-15 09:00:00 UTC\">3 h ago</time>"
        );
        assert_eq!(clock(now), "12:00 UTC");
    }

    #[test]
    fn numbers_are_grouped_and_counted() {
        for (value, expected) in
            [(0, "0"), (999, "999"), (1_000, "1\u{202f}000"), (1_234_567, "1\u{202f}234\u{202f}567")]
        {
            assert_eq!(number(value), expected);
        }
        assert_eq!((count(1, "token"), count(2_000, "token")), ("1 token".into(), "2\u{202f}000 tokens".into()));
        assert_eq!(span(Span::days(1)), "1 day");
        assert_eq!(span(Span::seconds(3_600 * 6)), "6 hours");
    }
}
