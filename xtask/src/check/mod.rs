//! `cargo xtask check`: rules about the structure of the project that the compiler does not check.
//!
//! Every rule is a function from plain data to [`Finding`]s, tested on data that breaks it; this file only collects the
//! data and prints. All rules run, so that one call shows every finding.

mod architecture;
mod arrows;
mod circles;
mod contents;
mod doors;
mod generated;
mod graph;
mod members;
mod migrations;
mod modules;
mod openapi;
mod outside;
mod tidy;

use architecture::Architecture;
use members::Members;
use std::fmt;
use task_support::args::Args;
use task_support::fail::{Context as _, Fail, Result};
use task_support::{interrupt, project, say};

/// The file with the tables that several rules compare the workspace with.
const ARCHITECTURE: &str = "docs/ARCHITECTURE.md";
/// The file that lists the external crates.
const DEPENDENCIES: &str = "docs/reference/dependencies.md";

/// A breach of a rule: where it is and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Finding {
    place: String,
    text: String,
}

impl Finding {
    fn new(place: impl Into<String>, text: impl Into<String>) -> Self {
        Self { place: place.into(), text: text.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.text)
    }
}

/// `cargo xtask check [--write]`
pub(crate) fn task(mut args: Args) -> Result {
    let write = args.flag("--write");
    args.finish()?;
    let text = |file: &str| {
        std::fs::read_to_string(project::root().join(file))
            .attempt(|| format!("read {file}, which says what may depend on what"))
    };
    let architecture = Architecture::parse(&text(ARCHITECTURE)?, &text(DEPENDENCIES)?)?;
    let members = Members::read()?;
    let files = tidy::tracked_files()?;

    let mut findings = Vec::new();
    let mut rule = |name: &str, found: Vec<Finding>| {
        say::step(format!("{name}: {}", if found.is_empty() { "in order".into() } else { found.len().to_string() }));
        for finding in &found {
            say::raw(finding);
        }
        findings.extend(found);
        interrupt::check()
    };
    rule("arrows between our packages", arrows::check(&architecture, &members))?;
    rule("crates from outside", outside::check(&architecture, &members))?;
    rule("what must not even be linked", contents::check(&architecture)?)?;
    rule("doors inside packages", doors::check(&architecture, &files))?;
    rule("circles inside packages", circles::check(&files))?;
    rule("places that ARCHITECTURE names", modules::check(&architecture, &files))?;
    rule("lints in every package", members::check_lints(&members))?;
    rule("files", tidy::check(&files))?;
    rule("migrations", migrations::check(&files, write)?)?;
    let generated = generated::check(&generated::Sources { architecture: &architecture, members: &members }, write)?;
    rule("generated files", generated)?;
    rule("the API document", openapi::check()?)?;

    match findings.len() {
        0 => Ok(()),
        1 => Err(Fail::new("1 thing to put right, above")),
        n => Err(Fail::new(format!("{n} things to put right, above"))),
    }
}
