//! Writing answers: tables for people, JSON for programs.
//!
//! Tables have a header and columns on a terminal; elsewhere a line is tab-separated fields. A closed pipe is not an
//! error, except for secrets, which are shown only once.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use crate::failure::{Failure, Result};
use crate::redact::harmless;

/// How answers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Tables and sentences.
    Text,
    /// One JSON document.
    Json,
    /// A JSON document a line.
    Ndjson,
    /// SARIF 2.1.0; `scan` alone.
    Sarif,
}

/// Writes answers to standard output, and progress to standard error.
#[derive(Debug, Clone)]
pub(crate) struct Printer {
    format: Format,
    field: Option<String>,
    terminal: bool,
    /// Whether everything has to be read.
    must_arrive: bool,
}

/// Whether the terminal shows a progress line. The terminal is the process's, and so is this.
static PROGRESS: AtomicBool = AtomicBool::new(false);

/// Wipes the progress line, if there is one: a shorter line would leave its end standing.
pub(crate) fn wipe_progress() {
    if PROGRESS.swap(false, Ordering::Relaxed) {
        // Write errors are ignored.
        let _ = write!(io::stderr(), "\r\x1b[K");
    }
}

/// A progress line: shown on a terminal, and overwritten by the next line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Progress {
    shown: bool,
}

impl Progress {
    /// Shows the progress, if standard error is a terminal.
    pub(crate) fn tell(self, what: impl FnOnce() -> String) {
        if self.shown {
            PROGRESS.store(true, Ordering::Relaxed);
            // Write errors are ignored.
            let _ = write!(io::stderr(), "\r\x1b[K{}\r", harmless(&what()));
        }
    }
}

impl Printer {
    pub(crate) fn new(format: Format, field: Option<String>) -> Self {
        Self { format, field, terminal: io::stdout().is_terminal(), must_arrive: false }
    }

    /// The same for an answer that cannot be requested again: a closed pipe is an error.
    pub(crate) fn must_arrive(&self) -> Self {
        Self { must_arrive: true, ..self.clone() }
    }

    /// Whether the whole answer is wanted as tables and sentences.
    pub(crate) fn is_text(&self) -> bool {
        self.format == Format::Text && self.field.is_none()
    }

    pub(crate) const fn format(&self) -> Format {
        self.format
    }

    pub(crate) const fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// A progress line, shown for text output on a terminal only.
    pub(crate) fn progress(&self) -> Progress {
        Progress { shown: self.format == Format::Text && io::stderr().is_terminal() }
    }

    /// Prints a text unchanged.
    pub(crate) fn text(&self, text: &str) -> Result<()> {
        self.emit(text)
    }

    /// A note for people, on standard error.
    pub(crate) fn note(&self, text: &str) {
        if self.format == Format::Text {
            wipe_progress();
            // Write errors are ignored.
            let _ = writeln!(io::stderr(), "{}", harmless(text));
        }
    }

    /// Tells GitHub Actions to mask a text in the log.
    pub(crate) fn mask(&self, text: &str) {
        let _ = self;
        // Write errors are ignored: there is no log then.
        let _ = writeln!(io::stderr(), "::add-mask::{text}");
    }

    /// Prints a JSON document, whatever the output format.
    pub(crate) fn document(&self, value: &Value) -> Result<()> {
        let text = serde_json::to_string_pretty(value).map_err(|error| Failure::new(error.to_string()))?;
        self.emit(&format!("{text}\n"))
    }

    /// Prints JSON in the output format.
    pub(crate) fn value(&self, value: &Value) -> Result<()> {
        if let Some(field) = &self.field {
            return self.field(value, field);
        }
        match self.format {
            Format::Ndjson => {
                let lines: Vec<_> = items(value).iter().map(ToString::to_string).collect();
                self.emit(&joined(&lines))
            }
            Format::Json | Format::Text => self.document(value),
            Format::Sarif => Err(only_scan()),
        }
    }

    /// Prints a list: a table of these columns, or JSON.
    pub(crate) fn list(&self, values: &[Value], columns: &[&str]) -> Result<()> {
        let array = Value::Array(values.to_vec());
        if !self.is_text() {
            return self.value(&array);
        }
        let rows: Vec<Vec<String>> =
            values.iter().map(|value| columns.iter().map(|name| cell(pick(value, name))).collect()).collect();
        if self.terminal && rows.is_empty() {
            return self.emit("none\n");
        }
        self.emit(&if self.terminal { table(columns, &rows) } else { tabbed(&rows) })
    }

    /// Prints one object: these fields first, then the others; or JSON.
    pub(crate) fn one(&self, value: &Value, first: &[&str]) -> Result<()> {
        if !self.is_text() {
            return self.value(value);
        }
        let mut names: Vec<&str> = first.iter().copied().filter(|name| pick(value, name).is_some()).collect();
        let rest = value.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
        let rest: Vec<_> = rest.filter(|name| !first.contains(name)).collect();
        names.extend(rest);
        let rows = names.into_iter().filter_map(|name| {
            let field = pick(value, name).filter(|field| !is_empty(field))?;
            Some((words(name), cell(Some(field))))
        });
        let rows: Vec<_> = rows.collect();
        let width =
            if self.terminal { rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0) } else { 0 };
        let separator = if self.terminal { "  " } else { "\t" };
        let lines: Vec<_> = rows.iter().map(|(name, text)| format!("{name:width$}{separator}{text}")).collect();
        self.emit(&joined(&lines))
    }

    /// Reports success: a sentence for people, the object for programs.
    pub(crate) fn done(&self, sentence: &str, value: &Value) -> Result<()> {
        if !self.is_text() {
            return self.value(value);
        }
        self.emit(&format!("{}\n", harmless(sentence)))
    }

    /// Prints one field of each item, raw, one per line.
    fn field(&self, value: &Value, field: &str) -> Result<()> {
        let mut lines = String::new();
        for item in items(value) {
            let found = pick(item, field).ok_or_else(|| {
                let names: Vec<_> = item.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
                Failure::usage(format!("there is no field {field:?}")).next(format!("use one of: {}", names.join(", ")))
            })?;
            lines.push_str(&match found {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            });
            lines.push('\n');
        }
        self.emit(&lines)
    }

    /// Writes to standard output.
    fn emit(&self, text: &str) -> Result<()> {
        wipe_progress();
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            // The reader had enough, such as `… | head`.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe && !self.must_arrive => Ok(()),
            other => other.map_err(|error| Failure::new(format!("cannot write to standard output: {error}"))),
        }
    }

    /// Refuses SARIF, which only `scan` writes.
    pub(crate) fn refuse_sarif(&self) -> Result<()> {
        if self.format == Format::Sarif { Err(only_scan()) } else { Ok(()) }
    }
}

fn only_scan() -> Failure {
    Failure::usage("only `nlp scan` writes SARIF").next("-o json")
}

/// The items of a list, or the single object.
fn items(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        other => vec![other],
    }
}

/// Whether a field says nothing, so that a person need not read it.
fn is_empty(field: &Value) -> bool {
    match field {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    }
}

/// A field by its path: `owner.id`.
fn pick<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |value, name| value.get(name))
}

/// A field as text, without control characters.
fn cell(value: Option<&Value>) -> String {
    let text = match value {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) if text.is_empty() => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Bool(yes)) => if *yes { "yes" } else { "no" }.to_owned(),
        Some(Value::Array(items)) if items.iter().all(|item| !item.is_object() && !item.is_array()) => {
            let texts: Vec<_> = items.iter().map(|item| cell(Some(item))).collect();
            if texts.is_empty() { "-".to_owned() } else { texts.join(" ") }
        }
        Some(other) => other.to_string(),
    };
    without_controls(&text)
}

/// A text with its control characters replaced: a terminal would obey them.
pub(crate) fn without_controls(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { '\u{fffd}' } else { character }).collect()
}

/// The name of a field as words: `created_at` and `createdAt` are both "created at".
fn words(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 2);
    for letter in name.chars() {
        if letter == '_' || letter.is_ascii_uppercase() {
            words.push(' ');
        }
        if letter != '_' {
            words.push(letter.to_ascii_lowercase());
        }
    }
    words
}

fn table(columns: &[&str], rows: &[Vec<String>]) -> String {
    let head = |name: &&str| words(name.rsplit('.').next().unwrap_or(name)).to_uppercase();
    let heads: Vec<String> = columns.iter().map(head).collect();
    let width = |at: usize| {
        rows.iter().map(|row| row[at].chars().count()).chain([heads[at].chars().count()]).max().unwrap_or_default()
    };
    let widths: Vec<_> = (0..columns.len()).map(width).collect();
    let line = |cells: &[String]| {
        let padded: Vec<_> = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("{}\n", padded.join("  ").trim_end())
    };
    std::iter::once(line(&heads)).chain(rows.iter().map(|row| line(row))).collect()
}

fn tabbed(rows: &[Vec<String>]) -> String {
    joined(&rows.iter().map(|row| row.join("\t")).collect::<Vec<_>>())
}

/// Joins lines, each with a line end.
fn joined(lines: &[String]) -> String {
    lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn cells_are_short_and_harmless() {
        for (value, expected) in [
            (json!(null), "-"),
            (json!(""), "-"),
            (json!("a\u{1b}[31mb\n"), "a\u{fffd}[31mb\u{fffd}"),
            (json!(["read", "execute"]), "read execute"),
            (json!([]), "-"),
            (json!(true), "yes"),
            (json!(5), "5"),
            (json!({ "a": 1 }), r#"{"a":1}"#),
        ] {
            assert_eq!(cell(Some(&value)), expected);
        }
        assert_eq!(cell(None), "-");
    }

    #[test]
    fn columns_line_up_by_characters() {
        let rows = vec![vec!["ü".to_owned(), "x".to_owned()], vec!["long name".to_owned(), "y".to_owned()]];
        assert_eq!(table(&["name", "last_used_at"], &rows), "NAME       LAST USED AT\nü          x\nlong name  y\n");
        assert_eq!(tabbed(&rows), "ü\tx\nlong name\ty\n");
    }

    #[test]
    fn fields_are_picked_by_their_path() {
        let value = json!({ "owner": { "id": 5 } });
        assert_eq!(pick(&value, "owner.id"), Some(&json!(5)));
        assert_eq!(pick(&value, "owner.name"), None);
    }
}
