//! The rows of a file, one at a time: a JSON object per line, or the table of a spreadsheet (RFC 4180, with commas, semicolons
//! or tabs) whose first line names the fields.

use std::io::{self, BufRead, Read as _};

use authority::imports::Fault;
use serde_json::{Map, Value};

/// The longest row that is read, in bytes. A longer line is refused, so that it is not held in memory.
const LONGEST: usize = 64 * 1024;
const MARK: &[u8] = "\u{feff}".as_bytes();

/// The next row of the file, or why it cannot be read, with its line number.
#[derive(Debug)]
pub(super) enum Next {
    Row(u64, Value),
    Bad(u64, Fault),
    End,
}

/// How rows are written.
enum Form {
    Json,
    Table { separator: u8, names: Vec<String> },
}

/// The rows of a file, of which one at a time is in memory.
pub(super) struct Rows {
    source: Box<dyn BufRead>,
    form: Form,
    number: u64,
}

impl Rows {
    /// Tells the form by how the file begins: a JSON object begins with a brace.
    pub(super) fn read(mut source: Box<dyn BufRead>) -> io::Result<Self> {
        let start = source.fill_buf()?;
        let start = start.strip_prefix(MARK).unwrap_or(start);
        let is_json = start.trim_ascii_start().first().is_none_or(|first| *first == b'{');
        let mut rows = Self { source, form: Form::Json, number: 0 };
        if !is_json {
            let head = rows.line()?.and_then(Result::ok).unwrap_or_default();
            let head = head.strip_prefix(MARK).unwrap_or(&head);
            let count = |separator: u8| head.split(|byte| *byte == separator).count();
            let separator = [b',', b';', b'\t'].into_iter().max_by_key(|separator| count(*separator)).unwrap_or(b',');
            let names = fields(head, separator).into_iter().map(|name| name.trim().to_owned()).collect();
            rows.form = Form::Table { separator, names };
        }
        Ok(rows)
    }

    pub(super) fn next(&mut self) -> io::Result<Next> {
        loop {
            let first = self.number + 1;
            let Some(line) = self.line()? else { return Ok(Next::End) };
            let Ok(mut row) = line else { return Ok(Next::Bad(first, bad("is longer than 64 KiB"))) };
            match &self.form {
                Form::Json => {
                    let row = row.strip_prefix(MARK).unwrap_or(&row);
                    if row.trim_ascii().is_empty() {
                        continue;
                    }
                    // The parser's own message would repeat a part of the line.
                    return Ok(match serde_json::from_slice(row) {
                        Ok(row) => Next::Row(first, row),
                        Err(_) => Next::Bad(first, bad("is not a JSON object on one line")),
                    });
                }
                Form::Table { .. } => {
                    // A line break within quotes is a part of the field.
                    while row.split(|byte| *byte == b'"').count() % 2 == 0 {
                        match self.line()? {
                            Some(Ok(more)) if row.len() + more.len() <= LONGEST => row.extend_from_slice(&more),
                            Some(_) => return Ok(Next::Bad(first, bad("is longer than 64 KiB"))),
                            None => return Ok(Next::Bad(first, bad("has a quote that is not closed"))),
                        }
                    }
                    if row.trim_ascii().is_empty() {
                        continue;
                    }
                    return Ok(self.record(first, &row));
                }
            }
        }
    }

    /// The fields of a record by the names of the first line; empty ones are left out.
    fn record(&self, number: u64, row: &[u8]) -> Next {
        let Form::Table { separator, names } = &self.form else { return Next::End };
        let found = fields(row, *separator);
        if found.len() != names.len() {
            return Next::Bad(number, bad("has another number of fields than the first line"));
        }
        let pairs = names.iter().cloned().zip(found).filter(|(_, value)| !value.is_empty());
        Next::Row(number, Value::Object(pairs.map(|(name, value)| (name, Value::String(value))).collect::<Map<_, _>>()))
    }

    /// The next line with its end; an error if it is too long.
    fn line(&mut self) -> io::Result<Option<Result<Vec<u8>, ()>>> {
        let longest = u64::try_from(LONGEST).unwrap_or(u64::MAX);
        let mut line = Vec::new();
        if self.source.by_ref().take(longest).read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        self.number += 1;
        if line.len() < LONGEST || line.last() == Some(&b'\n') {
            return Ok(Some(Ok(line)));
        }
        loop {
            line.clear();
            let read = self.source.by_ref().take(longest).read_until(b'\n', &mut line)?;
            if read == 0 || line.last() == Some(&b'\n') {
                return Ok(Some(Err(())));
            }
        }
    }
}

fn bad(what: &str) -> Fault {
    Fault { field: "row", message: format!("row {what}") }
}

/// The fields of a record; a quote within quotes is doubled.
fn fields(row: &[u8], separator: u8) -> Vec<String> {
    let row = row.strip_suffix(b"\n").unwrap_or(row);
    let row = row.strip_suffix(b"\r").unwrap_or(row);
    let (mut fields, mut field, mut is_quoted) = (Vec::new(), Vec::new(), false);
    let mut bytes = row.iter().copied().peekable();
    let text = |field: &mut Vec<u8>| String::from_utf8_lossy(&std::mem::take(field)).into_owned();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' if is_quoted && bytes.peek() == Some(&b'"') => field.extend(bytes.next()),
            b'"' => is_quoted = !is_quoted,
            byte if byte == separator && !is_quoted => fields.push(text(&mut field)),
            byte => field.push(byte),
        }
    }
    fields.push(text(&mut field));
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &'static [u8]) -> Vec<Next> {
        let mut rows = Rows::read(Box::new(bytes)).unwrap();
        let mut found = Vec::new();
        loop {
            match rows.next().unwrap() {
                Next::End => return found,
                next => found.push(next),
            }
        }
    }

    #[test]
    fn a_spreadsheets_file_is_read_as_rows_of_named_fields() {
        let bytes = "\u{feff}name;hash;expires\r\n\"a;b\";$2b$10$x;\r\n\"say \"\"hi\"\"\";$2b$10$x;2027-01-01\r\nc;$2b$10$x;01/02/2027\r\nd;;\r\ne;$2b$10$x;2027-01-01";
        let rows = all(bytes.as_bytes());
        let rows: Vec<(u64, String)> = rows
            .iter()
            .map(|row| match row {
                Next::Row(number, row) => (*number, row.to_string()),
                other => panic!("{other:?}"),
            })
            .collect();
        let expected = [
            (2, r#"{"hash":"$2b$10$x","name":"a;b"}"#),
            (3, r#"{"expires":"2027-01-01","hash":"$2b$10$x","name":"say \"hi\""}"#),
            (4, r#"{"expires":"01/02/2027","hash":"$2b$10$x","name":"c"}"#),
            (5, r#"{"name":"d"}"#),
            (6, r#"{"expires":"2027-01-01","hash":"$2b$10$x","name":"e"}"#),
        ];
        let shown: Vec<(u64, Value)> =
            rows.iter().map(|(number, row)| (*number, serde_json::from_str(row).unwrap())).collect();
        let expected: Vec<(u64, Value)> =
            expected.iter().map(|(number, row)| (*number, serde_json::from_str(row).unwrap())).collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn rows_that_cannot_be_read_are_numbered_and_the_others_go_on() {
        let lines = b"{\"a\":1}\n\n{\"secret\nnot json\n{\"b\":2}";
        let found: Vec<String> = all(lines).iter().map(|row| format!("{row:?}")).collect();
        assert_eq!(found.len(), 4, "{found:?}");
        assert!(found[1].contains("Bad(3") && found[2].contains("Bad(4") && found[3].contains("Row(5"), "{found:?}");
        assert!(!found.concat().contains("secret"), "a message repeats the line: {found:?}");
        let table = all(b"name,hash\na\n\"x\ny\",h\n\"open,h\n");
        let found: Vec<String> = table.iter().map(|row| format!("{row:?}")).collect();
        assert!(found[0].contains("another number of fields"), "{found:?}");
        assert!(found[1].contains("Row(3"), "a line break within quotes: {found:?}");
        assert!(found[2].contains("not closed"), "{found:?}");
    }
}
