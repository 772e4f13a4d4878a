//! A service that receives tokens, in miniature: it refuses nonsense without asking the authority, and no token reaches
//! its log.
//!
//! Feed it requests, one header line each:
//! `echo 'Authorization: Bearer nlp_00112233445566778899aabbccddeeff550c911c' | cargo run --example other_service`

use std::fmt;
use std::io::{self, BufRead, Write};

use token_format::{ParseError, PlainToken, redact};

/// Why a request is refused without asking the authority.
#[derive(Debug, PartialEq, Eq)]
enum Refusal {
    /// No `Authorization: Bearer …`.
    NoCredential,
    /// Something that cannot be a token.
    NotAToken(ParseError),
    /// Shaped like a token, but never issued: mistyped, or made up. Leave this check out where tokens made before the
    /// checksum are still in use.
    NeverIssued,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCredential => f.write_str("send Authorization: Bearer and a token"),
            Self::NotAToken(error) => error.fmt(f),
            Self::NeverIssued => f.write_str("no such token was ever issued: check for a mistyped character"),
        }
    }
}

/// Reads the token of a header line; the scheme's case does not matter.
fn credential(header: &str) -> Result<PlainToken, Refusal> {
    let (name, value) = header.split_once(':').ok_or(Refusal::NoCredential)?;
    let (scheme, text) = value.trim().split_once(' ').ok_or(Refusal::NoCredential)?;
    if !name.eq_ignore_ascii_case("authorization") || !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Refusal::NoCredential);
    }
    let token = PlainToken::parse(text.trim()).map_err(Refusal::NotAToken)?;
    if token.is_checksummed() { Ok(token) } else { Err(Refusal::NeverIssued) }
}

/// Writes a log line with tokens redacted; nothing else here writes to the log.
fn log(sink: &mut impl Write, line: fmt::Arguments<'_>) -> io::Result<()> {
    writeln!(sink, "{}", redact(&line.to_string()))
}

/// Answers one request. Where it says "ask", a real service sends the token to the authority's validate endpoint, in the
/// body, and keeps the answer for as long as it may be stale.
fn serve(header: &str, sink: &mut impl Write) -> io::Result<()> {
    log(sink, format_args!("received {header}"))?;
    match credential(header) {
        Ok(token) => log(sink, format_args!("ask the authority about {}", token.hint())),
        Err(refusal) => log(sink, format_args!("401, nobody asked: {refusal}")),
    }
}

fn main() -> io::Result<()> {
    let mut sink = io::stdout().lock();
    io::stdin().lock().lines().try_for_each(|line| serve(&line?, &mut sink))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "nlp_00112233445566778899aabbccddeeff550c911c";

    #[test]
    fn only_issued_tokens_are_sent_to_the_authority() {
        let refused = |header: &str| credential(header).err();
        assert_eq!(refused(&format!("Authorization: Bearer {TOKEN}")), None);
        assert_eq!(refused(&format!("authorization:bearer  {TOKEN} ")), None);
        assert_eq!(refused(&format!("Authorization: Basic {TOKEN}")), Some(Refusal::NoCredential));
        assert_eq!(refused(&format!("X-Trace: Bearer {TOKEN}")), Some(Refusal::NoCredential));
        assert_eq!(refused("Authorization: Bearer nlp_"), Some(Refusal::NotAToken(ParseError::Length { found: 4 })));
        assert_eq!(refused(&format!("Authorization: Bearer {}d", &TOKEN[..43])), Some(Refusal::NeverIssued));
    }

    #[test]
    fn no_token_reaches_the_log() {
        let mut logged = Vec::new();
        serve(&format!("Authorization: Bearer {TOKEN}"), &mut logged).unwrap();
        serve(&format!("X-Wrong-Header: {TOKEN}"), &mut logged).unwrap();
        let logged = String::from_utf8(logged).unwrap();
        assert!(logged.contains("ask the authority about nlp_0011…"), "{logged}");
        assert!(!logged.contains("2233"), "{logged}");
    }
}
