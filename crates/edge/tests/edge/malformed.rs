//! Malformed and unusual requests over a real socket: every row of `edge.rows` is sent as it stands and must get
//! exactly its status, headers and body.
//!
//! A row is:
//! ```text
//! == what it shows
//! > GET /health HTTP/1.1\r\n        bytes to send; \r \n \t \0 \\ \xHH are read, the line's own end is not sent
//! >*70000 a                         the same bytes many times
//! < 200                             the status
//! < {"status":"ok"}                 the exact body; left out when there is none
//! <h allow: GET, HEAD               a header that must be there
//! <closes                           the server ends the connection after the answer
//! <below                            answered below the application: no request id
//! ```
//! A request without a `Host` line of its own gets none: the rows say everything that goes over the wire.

use crate::server::EdgeServer;
use crate::wire::Wire;

#[derive(Default)]
struct Row {
    name: String,
    sent: Vec<u8>,
    status: u16,
    body: Option<String>,
    headers: Vec<(String, String)>,
    closes: bool,
    below: bool,
}

fn rows(text: &str) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if let Some(name) = line.strip_prefix("== ") {
            rows.push(Row { name: name.to_owned(), ..Row::default() });
            continue;
        }
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let row = rows.last_mut().unwrap_or_else(|| panic!("line {}: no row yet", number + 1));
        if let Some(bytes) = line.strip_prefix("> ") {
            row.sent.extend(unescape(bytes));
        } else if let Some((count, bytes)) = line.strip_prefix(">*").and_then(|rest| rest.split_once(' ')) {
            row.sent.extend(unescape(bytes).repeat(count.parse().unwrap()));
        } else if let Some((name, value)) = line.strip_prefix("<h ").and_then(|rest| rest.split_once(": ")) {
            row.headers.push((name.to_owned(), value.to_owned()));
        } else if line == "<closes" {
            row.closes = true;
        } else if line == "<below" {
            row.below = true;
        } else if let Some(text) = line.strip_prefix("< ") {
            if row.status == 0 {
                row.status = text.parse().unwrap();
            } else {
                row.body = Some(text.to_owned());
            }
        } else {
            panic!("line {}: {line}", number + 1);
        }
    }
    rows
}

fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut letters = text.bytes();
    while let Some(byte) = letters.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        bytes.push(match letters.next().unwrap() {
            b'r' => b'\r',
            b'n' => b'\n',
            b't' => b'\t',
            b'0' => 0,
            b'\\' => b'\\',
            b'x' => {
                let digits = [letters.next().unwrap(), letters.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            other => panic!("\\{}", char::from(other)),
        });
    }
    bytes
}

/// Checks the answer to a row; the error says what is wrong.
fn judge(server: &EdgeServer, row: &Row) -> Result<(), String> {
    let mut wire = Wire::open(server.address);
    wire.send(&row.sent);
    let head = row.sent.starts_with(b"HEAD ");
    let answer = wire.answer(head).ok_or("no answer")?;
    let expected = row.body.clone().unwrap_or_default();
    if answer.status != row.status || answer.text() != expected {
        return Err(format!("{} {}\n     not {} {expected}", answer.status, answer.text(), row.status));
    }
    for (name, value) in &row.headers {
        if answer.header(name) != Some(value) {
            return Err(format!("{name}: {:?}, not {value:?}", answer.header(name)));
        }
    }
    if answer.header("x-request-id").is_none() != row.below {
        return Err(format!("X-Request-ID: {:?}", answer.header("x-request-id")));
    }
    if !row.below && answer.status >= 400 && answer.header("content-type") != Some("application/json") {
        return Err(format!("Content-Type: {:?}", answer.header("content-type")));
    }
    if row.closes && !wire.ends() {
        return Err("the connection stays open".to_owned());
    }
    if !row.closes {
        // A malformed request must not disturb the next one on its connection.
        wire.send(b"GET /health HTTP/1.1\r\nHost: t\r\n\r\n");
        let next = wire.answer(false).ok_or("the connection did not survive")?;
        if (next.status, next.text().as_str()) != (200, r#"{"status":"ok"}"#) {
            return Err(format!("the next request on the connection got {} {}", next.status, next.text()));
        }
    }
    Ok(())
}

#[test]
fn every_row_gets_exactly_its_answer() {
    let server = EdgeServer::start(|_| ());
    let rows = rows(include_str!("edge.rows"));
    assert!(rows.len() >= 80, "rows went missing: {} are left", rows.len());
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|row| judge(&server, row).err().map(|wrong| format!("== {}\n     {wrong}", row.name)))
        .collect();
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}
