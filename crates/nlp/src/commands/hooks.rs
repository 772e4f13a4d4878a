//! `nlp hooks`: keeps tokens out of commits, pushes, and the tool calls of a coding assistant.

use std::io::{BufRead as _, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command as Process;

use serde_json::json;

use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::output::Printer;
use crate::scan;
use crate::settings::Settings;

/// The line that identifies an installed hook.
const MARK: &str = "# nlp hooks: scans for nolapse tokens";
/// The hooks that are installed.
const HOOKS: [Event; 2] = [Event::PreCommit, Event::PrePush];
/// The other hooks, which a folder for all repositories has to hand on to the repository. Left out are those that run
/// several times for each command of git (`reference-transaction`, `post-index-change`), and one whose presence changes
/// what git does (`push-to-checkout`).
const OTHERS: [&str; 17] = [
    "applypatch-msg",
    "pre-applypatch",
    "post-applypatch",
    "pre-merge-commit",
    "prepare-commit-msg",
    "commit-msg",
    "post-commit",
    "pre-rebase",
    "post-checkout",
    "post-merge",
    "pre-receive",
    "update",
    "post-receive",
    "post-update",
    "pre-auto-gc",
    "post-rewrite",
    "sendemail-validate",
];
/// Bytes of the longest input from a coding assistant.
const LONGEST: u64 = 16 * 1024 * 1024;
/// The exit code that makes a coding assistant stop.
const BLOCK: u8 = 2;

#[derive(Debug, Clone, clap::Subcommand)]
pub(crate) enum Command {
    /// Install hooks that scan before each commit and push.
    Install {
        /// Install for all your repositories, with `core.hooksPath` of git.
        #[arg(long)]
        global: bool,
    },
    /// Called by the hooks.
    Run {
        /// The hook.
        event: Event,
        /// The arguments from git.
        #[arg(hide = true)]
        arguments: Vec<String>,
    },
}

/// When a hook runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Event {
    /// Before a commit: scans the staged changes.
    PreCommit,
    /// Before a push: scans the commits that the remote does not have.
    PrePush,
    /// Before a coding assistant runs a tool: reads JSON from standard input, and exits with 2 to block the tool.
    Assistant,
}

impl Event {
    const fn name(self) -> &'static str {
        match self {
            Self::PreCommit => "pre-commit",
            Self::PrePush => "pre-push",
            Self::Assistant => "assistant",
        }
    }
}

/// Whether a repository has our hooks.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Our hook is installed and git runs it.
    Installed(PathBuf),
    /// There is no hook of ours.
    Missing,
    /// Our hook is installed, but git takes hooks from another folder.
    Shadowed { file: PathBuf, by: PathBuf },
}

pub(super) fn run(settings: &Settings, printer: &Printer, command: &Command) -> Result<Exit> {
    match command {
        Command::Install { global } => install(settings, printer, *global).map(|()| Exit::Done),
        Command::Run { event: Event::PreCommit, .. } => pre_commit(),
        Command::Run { event: Event::PrePush, arguments } => pre_push(printer, arguments),
        // A call that cannot be read is stopped as well: every other code lets it through.
        Command::Run { event: Event::Assistant, .. } => {
            assistant().map_err(|failure| failure.ending(Exit::Command(BLOCK)))
        }
    }
}

/// Runs git in a folder and returns its output.
fn git(folder: &Path, arguments: &[&str]) -> Result<Option<String>> {
    let output = Process::new("git")
        .current_dir(folder)
        .args(arguments)
        .output()
        .map_err(|error| Failure::new(format!("git cannot be started: {error}")))?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Ok((output.status.success() && !text.is_empty()).then_some(text))
}

/// The folder git takes hooks from, and the one it would take them from without `core.hooksPath`.
fn folders(folder: &Path) -> Result<Option<(PathBuf, PathBuf)>> {
    let Some(used) = git(folder, &["rev-parse", "--git-path", "hooks"])? else { return Ok(None) };
    let Some(common) = git(folder, &["rev-parse", "--git-common-dir"])? else { return Ok(None) };
    Ok(Some((folder.join(used), folder.join(common).join("hooks"))))
}

/// The state of the hooks of a folder's repository; `None` outside a repository or without git.
pub(super) fn state(folder: &Path) -> Option<State> {
    let (used, own) = folders(folder).ok().flatten()?;
    let name = Event::PreCommit.name();
    if is_ours(&used.join(name)) {
        return Some(State::Installed(used.join(name)));
    }
    let file = own.join(name);
    Some(if is_ours(&file) { State::Shadowed { file, by: used } } else { State::Missing })
}

fn is_ours(file: &Path) -> bool {
    std::fs::read_to_string(file).is_ok_and(|text| text.contains(MARK))
}

fn install(settings: &Settings, printer: &Printer, global: bool) -> Result<()> {
    let here = Path::new(".");
    let folder = if global {
        global_folder(settings)?
    } else {
        let (used, own) = folders(here)?.ok_or_else(|| {
            Failure::usage("this is not a git repository").next("run it inside one, or: nlp hooks install --global")
        })?;
        if used != own {
            printer.note(&format!(
                "note: core.hooksPath points to {}, so the hooks are installed there and not in {}",
                used.display(),
                own.display()
            ));
        }
        used
    };
    // Only a folder of ours hides the hooks of repositories: a configured one has done so before.
    let chains = global && settings.folders().config.as_ref().is_some_and(|config| folder.starts_with(config));
    let mut hooks = HOOKS.map(|event| (event.name(), call(event))).to_vec();
    if chains {
        hooks.extend(OTHERS.map(|name| (name, format!("{MARK}\n"))));
        for (name, text) in &mut hooks {
            text.push_str(&own_hook(name));
        }
    }
    // Read all of them before any is written, so that a refusal leaves nothing half done.
    let mut texts = Vec::new();
    for (name, call) in hooks {
        let file = folder.join(name);
        if let Some(text) = with_call(&file, name, &call)? {
            texts.push((file, text));
        }
    }
    for (file, text) in &texts {
        write_hook(file, text)
            .map_err(|error| Failure::new(format!("{} cannot be written: {error}", file.display())))?;
    }
    if chains {
        configure(&folder)?;
        printer.note(&format!(
            "note: core.hooksPath points to {} for all your repositories; a repository's own hooks are run from there,\n  \
             except reference-transaction, post-index-change and push-to-checkout",
            folder.display()
        ));
    }
    let installed = HOOKS.map(|event| folder.join(event.name()).display().to_string());
    printer.done(&format!("installed {}", installed.join(" and ")), &json!({ "installed": installed }))
}

/// The folder of hooks for every repository: the configured one, else a folder of ours.
fn global_folder(settings: &Settings) -> Result<PathBuf> {
    if let Some(folder) = git(Path::new("."), &["config", "--global", "--type=path", "core.hooksPath"])? {
        return Ok(PathBuf::from(folder));
    }
    Ok(settings.folders().config.as_ref().ok_or_else(crate::folders::no_home)?.join("hooks"))
}

/// Makes git take the hooks of all repositories from this folder.
fn configure(folder: &Path) -> Result<()> {
    let status = Process::new("git").args(["config", "--global", "core.hooksPath"]).arg(folder).status()?;
    if !status.success() {
        return Err(Failure::new("git could not set core.hooksPath").next("git config --global --edit"));
    }
    Ok(())
}

/// The lines of a hook that scan. Git passes the pushed references on standard input, which has to reach the lines below
/// as well.
fn call(event: Event) -> String {
    let name = event.name();
    if event == Event::PrePush {
        return format!(
            "{MARK}\nnlp_refs=$(cat)\nprintf '%s\\n' \"$nlp_refs\" | nlp hooks run {name} \"$@\" || exit $?\n\
             if [ -n \"$nlp_refs\" ]; then exec <<NLP_REFS\n$nlp_refs\nNLP_REFS\nfi\n"
        );
    }
    format!("{MARK}\nnlp hooks run {name} \"$@\" || exit $?\n")
}

/// The lines that run a repository's own hook, which git does not run because of `core.hooksPath`.
fn own_hook(name: &str) -> String {
    format!("own=$(git rev-parse --git-common-dir)/hooks/{name}\nif [ -x \"$own\" ]; then exec \"$own\" \"$@\"; fi\n")
}

/// The text of a hook with our lines in it, below what is there; `None` if it has them.
fn with_call(file: &Path, name: &str, call: &str) -> Result<Option<String>> {
    let text = match std::fs::read(file) {
        // A program, or a script that cannot be written back as it was.
        Ok(bytes) => String::from_utf8(bytes).unwrap_or_default(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Some(format!("#!/bin/sh\n{call}"))),
        Err(error) => return Err(Failure::new(format!("{} cannot be read: {error}", file.display()))),
    };
    if text.contains(MARK) {
        return Ok(None);
    }
    let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
    if !is_shell(first) {
        return Err(Failure::new(format!(
            "{} already exists and is no shell script, so nothing was installed",
            file.display()
        ))
        .next(format!(
            "let it run `nlp hooks run {name}` with its own arguments and standard input, and end as that does"
        )));
    }
    Ok(Some(format!("{first}\n{call}{rest}")))
}

/// Whether the first line of a script names a shell that understands our lines.
fn is_shell(first: &str) -> bool {
    let name = |word: &str| word.rsplit('/').next().unwrap_or(word).to_owned();
    first.strip_prefix("#!").is_some_and(|program| {
        program.split_whitespace().any(|word| ["sh", "bash", "dash", "ash", "ksh", "zsh"].contains(&&*name(word)))
    })
}

fn write_hook(file: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(file, text)?;
    let mut permissions = file.metadata()?.permissions();
    permissions.set_mode(permissions.mode() | 0o111);
    std::fs::set_permissions(file, permissions)
}

/// Prints the findings, and how to override the hook.
fn block(findings: &[scan::Finding], way_out: &str) {
    // Write errors are ignored: the exit code says the same.
    let _ = write!(
        std::io::stderr(),
        "{}nlp: a token was found: revoke it if it was anywhere public, take it out, and try again\n  \
         a line may keep one that is meant to be there: nlp:allow <reason>\n  {way_out}\n",
        scan::plain(findings)
    );
}

fn pre_commit() -> Result<Exit> {
    let repo = scan::open()?;
    let (places, _) = scan::staged(&repo, scan::Ignored::of(&repo))?;
    let findings = scan::gather(places, &std::collections::BTreeSet::new());
    if findings.is_empty() {
        return Ok(Exit::Done);
    }
    block(&findings, "to commit anyway: git commit --no-verify");
    Ok(Exit::Findings)
}

fn pre_push(printer: &Printer, arguments: &[String]) -> Result<Exit> {
    let repo = scan::open()?;
    let mut tips = Vec::new();
    let mut hidden = Vec::new();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        // `<local ref> <local id> <remote ref> <remote id>`; an id of zeros means that the ref does not exist.
        let words: Vec<_> = line.split_whitespace().collect();
        let [_, local, _, remote] = words.as_slice() else { continue };
        let commit = |text: &str| scan::commit(&repo, text);
        tips.extend(commit(local));
        hidden.extend(commit(remote));
    }
    // Skip commits that this remote is known to have. Another one may be private where this one is public.
    if let Some(remote) = arguments.first() {
        hidden.extend(scan::remote_tips(&repo, remote)?);
    }
    if tips.is_empty() {
        return Ok(Exit::Done);
    }
    let (places, _) = scan::between(&repo, tips, hidden, scan::Ignored::of(&repo), printer.progress())?;
    let findings = scan::gather(places, &std::collections::BTreeSet::new());
    if findings.is_empty() {
        return Ok(Exit::Done);
    }
    block(&findings, "to push anyway: git push --no-verify");
    Ok(Exit::Findings)
}

/// Reads a tool call from standard input, and blocks it if its arguments contain a token.
fn assistant() -> Result<Exit> {
    let mut input = Vec::new();
    std::io::stdin().lock().take(LONGEST + 1).read_to_end(&mut input)?;
    if input.len() as u64 > LONGEST {
        return Err(Failure::new(format!("the tool call is longer than {LONGEST} bytes, and was not scanned")));
    }
    let value: serde_json::Value = serde_json::from_slice(&input).map_err(|_| {
        Failure::new("standard input is not JSON").next("install this command as a hook that runs before tool calls")
    })?;
    let mut texts = Vec::new();
    strings(&value, &mut texts);
    let places: Vec<_> = texts.iter().flat_map(|text| scan::text(text.as_bytes(), "tool input")).collect();
    let findings = scan::gather(places, &std::collections::BTreeSet::new());
    if findings.is_empty() {
        return Ok(Exit::Done);
    }
    let hints: Vec<_> = findings.iter().map(|finding| finding.hint.as_str()).collect();
    let _ = writeln!(
        std::io::stderr(),
        "An API token ({}) must not be written down or passed on. Read it from the variable NLP_TOKEN instead.",
        hints.join(", ")
    );
    Ok(Exit::Command(BLOCK))
}

/// Every text of a JSON value, unescaped.
fn strings<'a>(value: &'a serde_json::Value, texts: &mut Vec<&'a str>) {
    match value {
        serde_json::Value::String(text) => texts.push(text),
        serde_json::Value::Array(items) => items.iter().for_each(|item| strings(item, texts)),
        serde_json::Value::Object(fields) => fields.iter().for_each(|(name, item)| {
            texts.push(name);
            strings(item, texts);
        }),
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
    }
}
