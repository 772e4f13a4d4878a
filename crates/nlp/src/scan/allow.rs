//! The comment that allows a token in its line: `nlp:allow <reason>`.

/// The mark of such a line. A reason has to follow.
const MARK: &[u8] = b"nlp:allow";
/// How far from the token the line's ends are searched. People do not write longer lines.
const LONGEST_LINE: usize = 4096;

/// Whether the line around `start..end` has the mark and a reason.
pub(super) fn allows(text: &[u8], start: usize, end: usize) -> bool {
    let floor = start.saturating_sub(LONGEST_LINE);
    let ceiling = text.len().min(end + LONGEST_LINE);
    let from = memchr::memrchr(b'\n', &text[floor..start]).map_or(floor, |at| floor + at + 1);
    let to = memchr::memchr(b'\n', &text[end..ceiling]).map_or(ceiling, |at| end + at);
    let line = &text[from..to];
    memchr::memmem::find(line, MARK).is_some_and(|at| {
        let rest = &line[at + MARK.len()..];
        rest.first().is_some_and(u8::is_ascii_whitespace) && !rest.trim_ascii().is_empty()
    })
}
