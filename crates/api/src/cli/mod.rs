//! The command line. Exit codes: 0 done, 1 failed, with one line on standard error that says what to do, 2 usage.

mod audit;
mod backup;
mod config;
mod copy;
mod doctor;
mod import;
mod ledger;
mod mail;
mod migrate;
mod openapi;
mod order;
mod organization;
mod output;
mod password;
mod person;
mod reference;
mod restore;
mod selftest;
mod serve;
mod setup;
mod sources;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use storage::Store;

use crate::assembly::{database_url, store_options};
use crate::config::Config;

/// A command that failed: what standard error says.
pub(crate) type Failure = Box<dyn std::error::Error>;

/// Does something with the database, also while a server uses it.
fn with_store(config: &Config, work: impl AsyncFnOnce(&Store) -> Result<(), Failure>) -> Result<(), Failure> {
    let background = serve::background()?;
    background.block_on(async {
        let handle = background.handle().clone();
        let store = Store::open(&database_url(config)?, store_options(&config.database), handle).await?;
        let done = work(&store).await;
        store.shutdown().await;
        done
    })
}

/// A self-hosted authority for API tokens.
#[derive(Debug, Parser)]
#[command(name = "nolapse-api", version, arg_required_else_help = true)]
struct Cli {
    /// Taken before the name of a command as well, and handed on to it.
    #[command(flatten)]
    _sources: sources::SourceArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API.
    Serve(serve::Args),
    /// Create the first organisation and its owner.
    Setup(setup::Args),
    /// Migrate the schema of the database up or down.
    Migrate(migrate::Args),
    /// Write a consistent copy of an SQLite database to a new file. The service may be running.
    Backup(backup::Args),
    /// Copy an SQLite database into an empty PostgreSQL database. No server may use either.
    Copy(copy::Args),
    /// Put a copy in the place of an SQLite database, and repeat the revocations it does not have. No server may run.
    Restore(restore::Args),
    /// Check the ledger of revocations, or repeat what a database has lost.
    Ledger(ledger::Args),
    /// Manage the account of a person: password, e-mail address, status and second factor.
    Person(person::Args),
    /// List and show organisations, set their token caps, disable and enable them.
    Organization(organization::Args),
    /// Import keys of another system by their hashes, from a file.
    Import(import::Args),
    /// Verify audit trails.
    Audit(audit::Args),
    /// Print or check the configuration.
    Config(config::Args),
    /// Find out whether mail can be sent.
    Mail(mail::Args),
    /// Check configuration, files, database and nodes, and say what to do. Changes nothing; exits with 1 if there is a problem.
    Doctor(doctor::Args),
    /// Find out, on nodes that run, how soon a new token is valid on each, and that a revoked one is valid on none.
    Selftest(selftest::Args),
    /// Print the API document.
    Openapi,
    /// Print a generated reference page or file.
    Reference(reference::Args),
}

/// Runs the command these arguments name; the first is the program.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(usage) => {
            // Help and version are not errors: `print` writes them to standard output. Its write errors are ignored.
            let _ = usage.print();
            return if usage.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
    match carry_out(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::complain(&failure.to_string());
            ExitCode::FAILURE
        }
    }
}

fn carry_out(command: Command) -> Result<(), Failure> {
    match command {
        Command::Serve(args) => serve::run(args),
        Command::Setup(args) => setup::run(args),
        Command::Migrate(args) => migrate::run(args),
        Command::Backup(args) => backup::run(args),
        Command::Copy(args) => copy::run(args),
        Command::Restore(args) => restore::run(&args),
        Command::Ledger(args) => ledger::run(args),
        Command::Person(args) => person::run(&args),
        Command::Organization(args) => organization::run(args),
        Command::Import(args) => import::run(&args),
        Command::Audit(args) => audit::run(args),
        Command::Doctor(args) => doctor::run(args),
        Command::Selftest(args) => selftest::run(&args),
        Command::Config(args) => config::run(args),
        Command::Mail(args) => mail::run(args),
        Command::Openapi => openapi::run(),
        Command::Reference(args) => reference::run(&args),
    }
}
