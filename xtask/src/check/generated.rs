//! Rule: generated files are up to date.
//!
//! They are committed so that readers and diffs show them, and compared with what the generator writes now.

use super::Finding;
use super::architecture::Architecture;
use super::graph;
use super::members::Members;
use client_generator::Part;
use std::process::Command;
use task_support::fail::{Context as _, Result};
use task_support::process::output;
use task_support::{project, say};

/// The variable that names a `nolapse-api` to generate with.
const PROGRAM: &str = "NOLAPSE_API_PROGRAM";

/// How to generate a file.
#[derive(Clone, Copy)]
enum Maker {
    /// The output of `nolapse-api` with these arguments.
    Binary(&'static [&'static str]),
    /// The picture of the workspace's packages.
    Graph,
    /// A part of the typed client, from the OpenAPI document.
    Client(Part),
}

/// Every generated file and its generator.
const FILES: &[(&str, Maker)] = &[
    ("docs/crates.svg", Maker::Graph),
    ("docs/reference/openapi.json", Maker::Binary(&["openapi"])),
    // After the document, from which they are generated.
    ("crates/client/src/generated/types.rs", Maker::Client(Part::Types)),
    ("crates/client/src/generated/operations.rs", Maker::Client(Part::Operations)),
    ("docs/reference/config.md", Maker::Binary(&["reference", "config"])),
    ("docs/reference/errors.md", Maker::Binary(&["reference", "errors"])),
    ("docs/reference/scopes.md", Maker::Binary(&["reference", "scopes"])),
    ("config/default.toml", Maker::Binary(&["reference", "defaults"])),
];

/// The input of the generators in this program.
pub(super) struct Sources<'a> {
    /// The tables of `docs/ARCHITECTURE.md`.
    pub(super) architecture: &'a Architecture,
    /// The workspace as cargo sees it.
    pub(super) members: &'a Members,
}

/// Generates every file and compares, or replaces files that differ if `write`.
pub(super) fn check(sources: &Sources<'_>, write: bool) -> Result<Vec<Finding>> {
    let mut found = Vec::new();
    for (path, maker) in FILES {
        let made = match maker {
            Maker::Client(part) => client_generator::make(*part)?,
            Maker::Graph => graph::draw(sources.architecture, sources.members).into_bytes(),
            Maker::Binary(arguments) => output(api().args(*arguments))?,
        };
        let file = project::root().join(path);
        let kept = std::fs::read(&file).ok();
        match compare(path, kept.as_deref(), &made) {
            None => {}
            Some(_) if write => {
                let folder = file.parent().unwrap_or(&file);
                std::fs::create_dir_all(folder).attempt(|| format!("create {}", folder.display()))?;
                std::fs::write(&file, &made).attempt(|| format!("write {path}"))?;
                say::note(format!("wrote {path}"));
            }
            Some(finding) => found.push(finding),
        }
    }
    Ok(found)
}

/// The program that makes most of them: built here, or the one that a variable names. CI has built it with the tests, and building
/// it alone selects other features of a third of its dependencies.
fn api() -> Command {
    if let Some(program) = std::env::var_os(PROGRAM) {
        return Command::new(program);
    }
    let mut cargo = project::cargo();
    cargo.args(["run", "--quiet", "--locked", "--package", "api", "--"]);
    cargo
}

fn compare(path: &str, kept: Option<&[u8]>, made: &[u8]) -> Option<Finding> {
    let problem = match kept {
        None => "is missing",
        Some(kept) if kept != made => "is out of date",
        Some(_) => return None,
    };
    Some(Finding::new(path, format!("{problem}: cargo xtask check --write, then commit it")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_and_stale_files_are_found() {
        assert_eq!(compare("docs/a", Some(b"same"), b"same"), None);
        assert!(compare("docs/a", None, b"new").unwrap().text.starts_with("is missing"));
        assert!(compare("docs/a", Some(b"old"), b"new").unwrap().text.starts_with("is out of date"));
    }
}
