//! Reading the fields of a row, and naming the one that is wrong.

use serde_json::{Map, Value};
use token_domain::Timestamp;

/// Seconds since 1970 stay below this until the year 5138; from it on a number counts milliseconds.
const FIRST_MILLISECONDS: i64 = 100_000_000_000;

/// Why a row is not imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The field, as the row names it or should.
    pub field: &'static str,
    /// A sentence about it.
    pub message: String,
}

impl Fault {
    pub(super) fn new(field: &'static str, what: impl std::fmt::Display) -> Self {
        Self { field, message: format!("{field} {what}") }
    }
}

pub(super) fn text<'f>(fields: &'f Map<String, Value>, field: &'static str) -> Result<Option<&'f str>, Fault> {
    match fields.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Fault::new(field, "must be a text")),
    }
}

/// A moment: RFC 3339, a date with or without a time in UTC, or seconds or milliseconds since 1970. A spreadsheet's
/// `01/02/2027` is refused, because it is the second of January to one reader and the first of February to another.
pub(super) fn moment(fields: &Map<String, Value>, field: &'static str) -> Result<Option<Timestamp>, Fault> {
    let unreadable = || Fault::new(field, "must be a moment such as 2027-01-31T00:00:00Z, or seconds since 1970");
    let number = |number: i64| match number {
        0..FIRST_MILLISECONDS => Ok(number.saturating_mul(1_000_000)),
        FIRST_MILLISECONDS..=253_402_300_799_999 => Ok(number.saturating_mul(1_000)),
        _ => Err(unreadable()),
    };
    let micros = match fields.get(field) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(given)) => number(given.as_i64().ok_or_else(unreadable)?)?,
        Some(Value::String(text)) => {
            let text = text.trim();
            if text.is_empty() {
                return Ok(None);
            }
            if text.bytes().all(|byte| byte.is_ascii_digit()) {
                number(text.parse().map_err(|_| unreadable())?)?
            } else {
                let tried = [text.to_owned(), format!("{}Z", text.replacen(' ', "T", 1)), format!("{text}T00:00:00Z")];
                let found = tried.iter().find_map(|text| Timestamp::parse_rfc3339(text).ok());
                found.ok_or_else(unreadable)?.as_micros()
            }
        }
        Some(_) => return Err(unreadable()),
    };
    Ok(Some(Timestamp::from_micros(micros)))
}
