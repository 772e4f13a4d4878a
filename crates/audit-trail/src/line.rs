//! A trail in a file: one JSON object a line, each an event with everything its hash covers, so that the file can be
//! verified without the service that wrote it.
//!
//! `detail` is the text that was hashed, not the object it spells: parsed and written again, it need not be the same
//! bytes.

use serde::{Deserialize, Serialize};
use token_domain::Timestamp;
use token_domain::id::OrganizationId;
use token_domain::record::AuditRecord;

use crate::chain::{hex, unhex};

/// The media type of such a file.
pub const MEDIA_TYPE: &str = "application/x-ndjson";

/// A line that is no event. Says which field, and never repeats what is in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLine {
    /// Not a JSON object with the fields of an event.
    #[error("is not an event: {0}")]
    Json(String),
    /// A field that does not read back as it was written.
    #[error("is not an event: `{0}` is not of the form it is exported in")]
    Field(&'static str),
}

#[derive(Serialize, Deserialize)]
struct Line {
    // Written as null when absent: a line without the field is not an event.
    #[serde(deserialize_with = "Option::deserialize")]
    org_id: Option<String>,
    seq: i64,
    at: String,
    action: String,
    actor: String,
    target_kind: String,
    target_id: String,
    request_id: String,
    detail: String,
    prev_hash: String,
    hash: String,
}

/// Writes an event as a line, with its line end.
///
/// # Errors
/// Never in practice: texts and numbers serialise.
pub fn write(record: &AuditRecord, out: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    let line = Line {
        org_id: record.organization_id.map(|id| id.to_string()),
        seq: record.seq,
        at: record.at.rfc3339_micros(),
        action: record.action.clone(),
        actor: record.actor.clone(),
        target_kind: record.target_kind.clone(),
        target_id: record.target_id.clone(),
        request_id: record.request_id.clone(),
        detail: record.detail.clone(),
        prev_hash: hex(&record.prev_hash),
        hash: hex(&record.hash),
    };
    serde_json::to_writer(&mut *out, &line)?;
    out.push(b'\n');
    Ok(())
}

/// Reads a line back, without its line end.
///
/// # Errors
/// Anything that [`write()`] does not write. Fields that are not an event's are passed over.
pub fn read(line: &[u8]) -> Result<AuditRecord, InvalidLine> {
    let line: Line = serde_json::from_slice(line).map_err(|error| InvalidLine::Json(position(&error)))?;
    let organization = |text: &String| {
        OrganizationId::parse(text).ok().filter(|id| id.to_string() == *text).ok_or(InvalidLine::Field("org_id"))
    };
    let moment = Timestamp::parse_rfc3339(&line.at).ok().filter(|at| at.rfc3339_micros() == line.at);
    Ok(AuditRecord {
        seq: line.seq,
        organization_id: line.org_id.as_ref().map(organization).transpose()?,
        at: moment.ok_or(InvalidLine::Field("at"))?,
        action: line.action,
        actor: line.actor,
        target_kind: line.target_kind,
        target_id: line.target_id,
        request_id: line.request_id,
        detail: line.detail,
        prev_hash: unhex(&line.prev_hash).ok_or(InvalidLine::Field("prev_hash"))?,
        hash: unhex(&line.hash).ok_or(InvalidLine::Field("hash"))?,
    })
}

/// Where in the line and what kind of thing is wrong; the parser's own text may repeat what stands there.
fn position(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Eof => "it ends too early",
        serde_json::error::Category::Syntax | serde_json::error::Category::Io => "it is not JSON",
        serde_json::error::Category::Data => "a field is missing or of another type",
    };
    format!("{what} (column {})", error.column())
}

#[cfg(test)]
mod tests {
    use token_domain::id::{Id, Uuid};

    use super::*;

    fn record() -> AuditRecord {
        AuditRecord {
            seq: 7,
            organization_id: Some(Id::from_uuid(Uuid::from_u128(0x0190_163d_8694_739b_aea5_966c_26f8_ad91))),
            at: Timestamp::from_micros(1_768_469_531_123_456),
            action: "token.create".to_owned(),
            actor: "system".to_owned(),
            target_kind: "token".to_owned(),
            target_id: "\u{2028}\"\\".to_owned(),
            request_id: "r\n".to_owned(),
            detail: r#"{"name":"ü"}"#.to_owned(),
            prev_hash: [1; 32],
            hash: [0xfe; 32],
        }
    }

    fn written(record: &AuditRecord) -> String {
        let mut out = Vec::new();
        write(record, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn an_event_is_one_line_and_reads_back() {
        for record in [record(), AuditRecord { organization_id: None, ..record() }] {
            let line = written(&record);
            assert_eq!(line.find('\n'), Some(line.len() - 1), "{line}");
            assert_eq!(read(line.trim_end().as_bytes()), Ok(record));
        }
        let known = "{\"org_id\":null,\"seq\":7,\"at\":\"2026-01-15T09:32:11.123456Z\",\"action\":\"token.create\"";
        assert!(written(&AuditRecord { organization_id: None, ..record() }).starts_with(known));
    }

    #[test]
    fn what_was_not_written_so_does_not_read() {
        let line = written(&record());
        let line = line.trim_end();
        let upper = "fe".repeat(32).to_uppercase();
        for (found, replacement, expected) in [
            ("2026-01-15T09:32:11.123456Z", "2026-01-15T09:32:11.1234567Z", "at"),
            ("2026-01-15T09:32:11.123456Z", "2026-01-15T10:32:11.123456+01:00", "at"),
            ("2026-01-15T09:32:11.123456Z", "yesterday", "at"),
            ("\"org_0", "\"ORG_0", "org_id"),
            (&"fe".repeat(32), &upper, "hash"),
            (&"01".repeat(32), "01", "prev_hash"),
        ] {
            let changed = line.replace(found, replacement);
            assert_ne!(changed, line, "{found}");
            assert_eq!(read(changed.as_bytes()), Err(InvalidLine::Field(expected)), "{changed}");
        }
        for text in [
            "",
            "{}",
            "[]",
            "7",
            &line[..line.len() - 1],
            &format!("{line}{line}"),
            &line.replace("org_id", "org"),
            &line.replace(":7,", ":\"s3cret\","),
        ] {
            let refused = read(text.as_bytes()).unwrap_err();
            assert!(matches!(&refused, InvalidLine::Json(_)) && !refused.to_string().contains("s3cret"), "{refused}");
        }
    }
}
