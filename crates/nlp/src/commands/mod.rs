//! Every command, one file each.

mod access_scope;
mod actor;
mod audit;
mod ci;
mod completions;
mod doctor;
mod exec;
mod hooks;
mod login;
mod logout;
mod man;
mod member;
mod organization;
mod probe;
mod project;
mod role;
mod scope;
mod sync;
mod token;
mod verify;
mod whoami;

use serde::Serialize;
use serde_json::Value;

use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::output::{Format, Printer};
use crate::scan;
use crate::settings::{Common, Settings};

/// The command line of nolapse tokens.
#[derive(Debug, clap::Parser)]
#[command(
    name = "nlp",
    version,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = "Exit codes: 0 done, 1 failed, 2 usage, 3 invalid token, 4 insufficient scope or not signed in, \
                  5 rate-limited, 10 tokens found, 11 live tokens found.\n\
                  A secret is never an argument: standard input, --token-file, NLP_TOKEN or NOLAPSE_TOKEN."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    /// The output format.
    #[arg(short, long, global = true, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    pub(crate) output: Format,
    /// Print only this field of the result, such as `secret` or `owner.id`.
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) field: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Sign in: create a personal key and store it for later commands.
    Login(login::Args),
    /// Sign out: revoke the stored key and delete it.
    Logout(logout::Args),
    /// Show the current account and credential.
    Whoami,
    /// Check the configuration of nlp, with a hint for each problem.
    Doctor,
    /// Manage tokens of the organisation.
    #[command(subcommand)]
    Token(token::Command),
    /// Manage your personal keys.
    #[command(subcommand)]
    Key(token::KeyCommand),
    /// List and check scopes.
    #[command(subcommand)]
    Scope(scope::Command),
    /// Manage projects.
    Project(project::Args),
    /// Manage access scopes, which separate actors within a project.
    AccessScope(access_scope::Args),
    /// Manage the actors of a project.
    Actor(actor::Args),
    /// Manage the members of the organisation.
    Member(member::Args),
    /// Manage the roles of the organisation.
    Role(role::Args),
    /// List, verify and export the audit trail.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Get tokens for CI jobs without a stored secret.
    #[command(subcommand)]
    Ci(ci::Command),
    /// Run a command with a token in its environment.
    Exec(exec::Args),
    /// Rotate a token and store the new one where it is used.
    Sync(sync::Args),
    /// Find leaked tokens in files, staged changes or the git history.
    Scan(scan::Args),
    /// Install git hooks that keep tokens out of commits.
    #[command(subcommand)]
    Hooks(hooks::Command),
    /// Check the checksum of a token offline. Nothing is sent.
    Verify(verify::Args),
    /// Measure how fast new and revoked tokens take effect on every node.
    Probe(probe::Args),
    /// Print shell completions.
    Completions(completions::Args),
    /// Write manual pages.
    Man(man::Args),
}

impl Command {
    pub(crate) fn run(self, settings: &Settings, printer: &Printer) -> Result<Exit> {
        if let Self::Scan(args) = &self {
            return scan::run(settings, printer, args);
        }
        printer.refuse_sarif()?;
        match self {
            Self::Doctor => return doctor::run(settings, printer),
            Self::Exec(args) => return exec::run(settings, printer, &args),
            Self::Hooks(command) => return hooks::run(settings, printer, &command),
            Self::Login(args) => login::run(settings, printer, &args),
            Self::Logout(args) => logout::run(settings, printer, &args),
            Self::Whoami => whoami::run(settings, printer),
            Self::Token(command) => token::run(settings, printer, &command),
            Self::Key(command) => token::run_key(settings, printer, &command),
            Self::Scope(command) => scope::run(settings, printer, &command),
            Self::Project(args) => project::run(settings, printer, &args),
            Self::AccessScope(args) => access_scope::run(settings, printer, &args),
            Self::Actor(args) => actor::run(settings, printer, &args),
            Self::Member(args) => member::run(settings, printer, &args),
            Self::Role(args) => role::run(settings, printer, &args),
            Self::Audit(command) => audit::run(settings, printer, &command),
            Self::Ci(command) => ci::run(settings, printer, &command),
            Self::Sync(args) => sync::run(settings, printer, &args),
            Self::Verify(args) => verify::run(settings, printer, &args),
            Self::Probe(args) => probe::run(settings, printer, &args),
            Self::Completions(args) => completions::run(printer, &args),
            Self::Man(args) => man::run(printer, &args),
            // Handled above, because only `scan` may write SARIF.
            Self::Scan(_) => Ok(()),
        }
        .map(|()| Exit::Done)
    }
}

/// A response as JSON, with the API's field names.
fn json<T: Serialize>(answer: &T) -> Result<Value> {
    serde_json::to_value(answer).map_err(|error| Failure::new(error.to_string()))
}

/// A body from JSON, where enumerations are plain text whatever their type in the client.
fn from_json<T: serde::de::DeserializeOwned>(body: Value) -> Result<T> {
    serde_json::from_value(body).map_err(|error| Failure::new(error.to_string()))
}

/// Responses as JSON.
fn jsons<T: Serialize>(answers: &[T]) -> Result<Vec<Value>> {
    answers.iter().map(json).collect()
}

/// How much of a list is wanted.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Limit {
    /// At most this many entries.
    #[arg(long, default_value_t = 100, value_name = "N", conflicts_with = "all")]
    limit: usize,
    /// Return all entries.
    #[arg(long)]
    all: bool,
}

impl Limit {
    /// Fetches pages until there are enough entries, and says so if there are more. `page` returns a page's entries and
    /// the cursor of the next page.
    fn gather<T>(
        &self,
        printer: &Printer,
        mut page: impl FnMut(Option<String>, usize) -> Result<(Vec<T>, Option<String>)>,
    ) -> Result<Vec<T>> {
        /// The most that one page has.
        const PAGE: usize = 1000;
        let wanted = if self.all { usize::MAX } else { self.limit };
        let mut entries = Vec::new();
        let mut cursor = None;
        loop {
            let left = wanted.saturating_sub(entries.len());
            if left == 0 {
                break;
            }
            let (mut more, next) = page(cursor, left.min(PAGE))?;
            entries.append(&mut more);
            cursor = next;
            if cursor.is_none() {
                break;
            }
        }
        if cursor.is_some() || entries.len() > wanted {
            printer.note(&format!("only the first {wanted} are shown; --all returns all"));
        }
        entries.truncate(wanted);
        Ok(entries)
    }

    /// As [`gather`](Self::gather), for lists with page numbers: `page` takes the number and the size of a page, and
    /// returns its entries and the response's paging fields.
    fn gather_numbered<T>(
        &self,
        printer: &Printer,
        mut page: impl FnMut(u64, u64) -> Result<(Vec<T>, Value)>,
    ) -> Result<Vec<T>> {
        /// The most that one page has.
        const PAGE: u64 = 100;
        self.gather(printer, |cursor, _| {
            let number = cursor.and_then(|cursor| cursor.parse().ok()).unwrap_or(1);
            let (entries, meta) = page(number, PAGE)?;
            let last = meta["totalPages"].as_u64().unwrap_or(0);
            Ok((entries, (number < last).then(|| (number + 1).to_string())))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printer() -> Printer {
        Printer::new(Format::Json, None)
    }

    #[test]
    fn numbered_pages_are_gathered_until_the_last() {
        for (all, limit, expected, calls) in [(true, 0, 250, 3), (false, 100, 100, 1), (false, 101, 101, 2)] {
            let mut asked = Vec::new();
            let found = Limit { limit, all }
                .gather_numbered(&printer(), |number, size| {
                    asked.push(number);
                    let first = (number - 1) * size;
                    Ok(((first..(first + size).min(250)).collect(), serde_json::json!({ "totalPages": 3 })))
                })
                .unwrap();
            assert_eq!(found, (0..expected).collect::<Vec<u64>>());
            assert_eq!(asked, (1..=calls).collect::<Vec<u64>>());
        }
    }

    #[test]
    fn pages_are_gathered_until_there_is_enough() {
        for (limit, all, expected, calls) in
            [(100, false, 100, 1), (2500, false, 2500, 3), (1, true, 3000, 4), (0, false, 0, 0)]
        {
            let mut asked = 0;
            let found = Limit { limit, all }
                .gather(&printer(), |cursor, size| {
                    asked += 1;
                    let from: usize = cursor.map_or(0, |cursor| cursor.parse().unwrap());
                    let upto = (from + size).min(3000);
                    Ok(((from..upto).collect(), (from < 3000).then(|| upto.to_string())))
                })
                .unwrap();
            assert_eq!(found, (0..expected).collect::<Vec<_>>());
            assert_eq!(asked, calls);
        }
    }
}
