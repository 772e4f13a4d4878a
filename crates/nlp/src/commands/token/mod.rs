//! `nlp token` and `nlp key`: tokens of the organisation, and personal keys.

mod create;
mod family;
mod list;
mod revoke;
mod rotate;
mod show;
mod usage;
mod validate;

pub(super) use create::{New, create};
pub(super) use family::Family;
pub(super) use rotate::{Rotation, taken_back};

use crate::failure::Result;
use crate::output::Printer;
use crate::settings::Settings;

/// The columns of a list, and the first fields of a single token.
const COLUMNS: [&str; 7] = ["id", "name", "hint", "status", "scopes", "expires_at", "last_used_at"];

#[derive(Debug, Clone, clap::Subcommand)]
pub(crate) enum Command {
    /// Create a token. Its secret is shown only once.
    Create(create::Args),
    /// List tokens, newest first.
    List(list::Args),
    /// Show a token.
    Show(show::Args),
    /// Rotate: create a new secret. The old one stays valid for the grace period.
    Rotate(rotate::Args),
    /// Cancel a rotation: the old token is active again and the new one is revoked.
    CancelRotation(rotate::CancelArgs),
    /// Revoke tokens. This takes effect immediately.
    Revoke(revoke::Args),
    /// Create another token with the same name, scopes, project and restrictions.
    Duplicate(create::DuplicateArgs),
    /// Validate a token, read from an environment variable, --token-file or standard input.
    Validate(validate::Args),
    /// Show the usage of a token.
    Usage(usage::Args),
}

/// What can be done with one's own keys.
#[derive(Debug, Clone, clap::Subcommand)]
pub(crate) enum KeyCommand {
    /// Create a key. Its secret is shown only once.
    Create(create::Args),
    /// List your keys, newest first.
    List(list::Args),
    /// Show a key.
    Show(show::Args),
    /// Rotate: create a new secret. The old one stays valid for the grace period.
    Rotate(rotate::Args),
    /// Cancel a rotation: the old key is active again and the new one is revoked.
    CancelRotation(rotate::CancelArgs),
    /// Revoke keys. This takes effect immediately.
    Revoke(revoke::Args),
}

pub(super) fn run(settings: &Settings, printer: &Printer, command: &Command) -> Result<()> {
    let family = Family::Organization;
    match command {
        Command::Create(args) => create::run(settings, printer, family, args),
        Command::List(args) => list::run(settings, printer, family, args),
        Command::Show(args) => show::run(settings, printer, family, args),
        Command::Rotate(args) => rotate::run(settings, printer, family, args),
        Command::CancelRotation(args) => rotate::cancel(settings, printer, family, args),
        Command::Revoke(args) => revoke::run(settings, printer, family, args),
        Command::Duplicate(args) => create::duplicate(settings, printer, args),
        Command::Validate(args) => validate::run(settings, printer, args),
        Command::Usage(args) => usage::run(settings, printer, args),
    }
}

pub(super) fn run_key(settings: &Settings, printer: &Printer, command: &KeyCommand) -> Result<()> {
    let family = Family::Personal;
    match command {
        KeyCommand::Create(args) => create::run(settings, printer, family, args),
        KeyCommand::List(args) => list::run(settings, printer, family, args),
        KeyCommand::Show(args) => show::run(settings, printer, family, args),
        KeyCommand::Rotate(args) => rotate::run(settings, printer, family, args),
        KeyCommand::CancelRotation(args) => rotate::cancel(settings, printer, family, args),
        KeyCommand::Revoke(args) => revoke::run(settings, printer, family, args),
    }
}
