//! `nlp scan`: finds leaked tokens in files, in what is staged, in a history, or on standard input.
//!
//! Cheap checks come first: a vector search for the prefix, then the shape, then the checksum. Only tokens with a good
//! checksum are reported, so that no finding is a look-alike.
//!
//! **Invariant:** offline unless `--check` or `--revoke` is given, and no secret is ever printed: a finding shows the hint
//! and a fingerprint.

mod allow;
mod baseline;
mod check;
mod content;
mod detect;
mod finding;
mod git;
mod history;
mod ignored;
mod report;
mod revoke;
mod sarif;
mod staged;
mod tree;

use std::io::Read as _;
use std::path::PathBuf;

pub(crate) use finding::{Finding, Place, gather};
pub(crate) use git::open;
pub(crate) use history::{between, commit, remote_tips};
pub(crate) use ignored::Ignored;
pub(crate) use staged::staged;

use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::output::{Format, Printer};
use crate::settings::Settings;
use content::Scanner;

/// Options of `scan`.
#[derive(Debug, Clone, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[command(
    after_help = "Exit codes: 0 nothing found, 10 tokens found, 11 tokens found of which some are live (--check) and were not revoked.\n\
A line with `nlp:allow <reason>` is passed over; `.nlpignore` names files as `.gitignore` does."
)]
pub(crate) struct Args {
    /// The files and folders to scan. Defaults to the current folder.
    #[arg(conflicts_with_all = ["staged", "history", "stdin"])]
    paths: Vec<PathBuf>,
    /// Scan the staged changes.
    #[arg(long, conflicts_with_all = ["history", "stdin"])]
    staged: bool,
    /// Scan the git history: all versions of all files in all branches and tags, or in the commits of RANGE.
    #[arg(long, value_name = "RANGE", num_args = 0..=1, require_equals = true, default_missing_value = "", conflicts_with = "stdin")]
    history: Option<String>,
    /// Scan standard input.
    #[arg(long)]
    stdin: bool,
    /// An earlier report (`-o json`), whose findings are not reported again.
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Validate the tokens that were found. Only these tokens are sent, and only to the authority, in one request if the
    /// credential in use has the scope `authority:validate`.
    #[arg(long)]
    check: bool,
    /// Revoke the tokens that were found, or with `--check` those that are valid. Asks for confirmation once. No sign-in
    /// is required, because the holder of a token may revoke it.
    #[arg(long)]
    revoke: bool,
    /// Skip the confirmation of the revocation.
    #[arg(long, requires = "revoke")]
    yes: bool,
    /// Also scan files that are excluded by `.gitignore`, `.nlpignore` and similar files.
    #[arg(long)]
    no_ignore: bool,
    /// Skip binary files larger than this many bytes, unless they are named.
    #[arg(long, value_name = "BYTES", default_value_t = tree::BINARY_LIMIT)]
    max_binary_size: u64,
}

/// How much was scanned.
#[derive(Debug, Default)]
pub(crate) struct Looked {
    /// Files, blobs or streams that were read.
    pub(crate) items: u64,
    /// Their bytes.
    pub(crate) bytes: u64,
    /// Large binaries and unreadable files, which were skipped.
    pub(crate) skipped: u64,
    /// Files and folders that could not be read.
    pub(crate) unread: Vec<Unread>,
}

/// A file or folder that could not be read.
#[derive(Debug)]
pub(crate) struct Unread {
    /// Its name, and why.
    why: String,
    /// Whether it was named on the command line, and not found in a folder.
    is_named: bool,
}

/// Runs the command.
pub(crate) fn run(settings: &Settings, printer: &Printer, args: &Args) -> Result<Exit> {
    let earlier = args.baseline.as_deref().map(baseline::read).transpose()?.unwrap_or_default();
    let (places, looked) = if args.stdin {
        stdin()?
    } else if args.staged {
        let repo = open()?;
        staged(&repo, ignored(&repo, args))?
    } else if let Some(range) = &args.history {
        let repo = open()?;
        history::history(&repo, range, ignored(&repo, args), printer.progress())?
    } else {
        tree::tree(&args.paths, &tree::Limits { binary: args.max_binary_size, ignore: !args.no_ignore })?
    };
    let mut findings = gather(places, &earlier);
    let asked = if findings.is_empty() { Ok(()) } else { ask(settings, args, &mut findings) };
    // Also if the authority cannot be asked: what was found must not be lost.
    match printer.format() {
        Format::Text => printer.text(&report::text(&findings, &looked, printer.is_terminal()))?,
        Format::Sarif => printer.document(&sarif::document(&findings, &looked))?,
        Format::Json | Format::Ndjson => printer.value(&report::json(&findings, &looked))?,
    }
    if let Some(unread) = report::unread(&looked) {
        printer.note(&unread);
    }
    asked?;
    let live = findings.iter().any(|finding| finding.live == Some(true));
    match (findings.is_empty(), live) {
        (true, _) if looked.unread.iter().any(|unread| unread.is_named) => {
            Err(Failure::new("no tokens found, but not everything could be read")
                .next("change the permissions, or leave it out"))
        }
        (true, _) => Ok(Exit::Done),
        (false, false) => Ok(Exit::Findings),
        (false, true) => Ok(Exit::LiveFindings),
    }
}

fn ignored(repo: &gix::Repository, args: &Args) -> Ignored {
    if args.no_ignore { Ignored::default() } else { Ignored::of(repo) }
}

/// Does what `--check` and `--revoke` ask of the authority.
fn ask(settings: &Settings, args: &Args, findings: &mut [Finding]) -> Result<()> {
    if args.check {
        check::check(settings, findings)?;
    }
    if args.revoke {
        revoke::revoke(&settings.client()?.anonymous(), &settings.url()?, findings, args.yes)?;
    }
    Ok(())
}

fn stdin() -> Result<(Vec<Place>, Looked)> {
    let mut scanner = Scanner::new();
    let bytes = scanner
        .stream(&mut std::io::stdin().lock().by_ref(), "-")
        .map_err(|error| Failure::new(format!("standard input cannot be read: {error}")))?;
    Ok((scanner.finish(), Looked { items: 1, bytes, ..Looked::default() }))
}

/// The places of tokens in a text, for hooks.
pub(crate) fn text(text: &[u8], name: &str) -> Vec<Place> {
    let mut scanner = Scanner::new();
    scanner.whole(text, name);
    scanner.finish()
}

/// A report as text, for hooks.
pub(crate) fn plain(findings: &[Finding]) -> String {
    report::text(findings, &Looked::default(), false)
}
