//! Generates the typed client's types and methods from `docs/reference/openapi.json`, and reports what that document
//! lacks.
//!
//! The usual generators do not fit: typify reads neither OpenAPI 3.1's `type: [x, null]` nor an `allOf` that flattens
//! an optional part, and progenitor's clients are asynchronous. This project writes the document itself, so the subset
//! of JSON Schema that it uses is known; anything else is an error that names the place.
//!
//! **Invariant:** the output depends on the document alone, and is formatted as `cargo fmt` would leave it.

mod flaws;
mod names;
mod operations;
mod schema;
mod types;

pub use flaws::flaws;
use schema::Document;
use std::io::Write as _;
use std::process::{Command, Stdio};
use task_support::fail::{Context as _, Fail, Result};
use task_support::project;

/// The document's path.
const DOCUMENT: &str = "docs/reference/openapi.json";

/// One of the generated files.
#[derive(Clone, Copy)]
pub enum Part {
    /// The types of request and response bodies.
    Types,
    /// One method for each operation.
    Operations,
}

/// Generates a file of the client from the document on disk.
///
/// # Errors
/// Names the schema or operation that uses something the generator does not know.
pub fn make(part: Part) -> Result<Vec<u8>> {
    let text = std::fs::read_to_string(project::root().join(DOCUMENT)).attempt(|| format!("read {DOCUMENT}"))?;
    let document = Document::parse(&text)?;
    let source = match part {
        Part::Types => types::write(&document)?,
        Part::Operations => operations::write(&document)?,
    };
    format(&source)
}

/// The source, formatted by rustfmt.
fn format(source: &str) -> Result<Vec<u8>> {
    let mut command = Command::new("rustfmt");
    command.args(["--edition", "2024", "--emit", "stdout", "--quiet"]).current_dir(project::root());
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| Fail::new(format!("cannot start rustfmt: {error}")).fix("rustup component add rustfmt"))?;
    let mut stdin = child.stdin.take().ok_or_else(|| Fail::new("rustfmt without a standard input"))?;
    let source = source.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(source.as_bytes()));
    let output = child.wait_with_output().attempt(|| "run rustfmt".into())?;
    let written = writer.join().is_ok_and(|written| written.is_ok());
    if output.status.success() && written {
        Ok(output.stdout)
    } else {
        Err(Fail::new("rustfmt refuses the generated client: the generator wrote something that is not Rust"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_is_generated_from_the_committed_document() {
        for (part, expected) in [(Part::Types, "pub struct CreateToken {"), (Part::Operations, "pub fn create_token(")]
        {
            let made = String::from_utf8(make(part).unwrap()).unwrap();
            assert!(made.starts_with("//!"), "{}", &made[..80]);
            assert!(made.contains(expected), "no {expected}");
        }
    }
}
