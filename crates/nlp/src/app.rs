//! Parses the command line, runs the command, and returns the exit code.

use std::ffi::OsString;
use std::io::Write as _;

use clap::Parser as _;

use crate::commands::Cli;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Format, Printer, wipe_progress};
use crate::settings::Settings;

/// Runs the command in these arguments, the first of which is the program's name.
pub(crate) fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(usage) => {
            // Help and version are not errors. Write errors are ignored.
            if !usage.use_stderr() {
                let _ = usage.print();
                return Exit::Done;
            }
            // The message repeats the arguments, and one of them may be a secret.
            let said = usage.render().to_string();
            let shown = token_format::redact(&said).to_string();
            let _ = if shown == said { usage.print() } else { write!(std::io::stderr(), "{shown}") };
            return Exit::Usage;
        }
    };
    let printer = Printer::new(cli.output, cli.field);
    let done = Settings::new(cli.common).and_then(|settings| cli.command.run(&settings, &printer));
    match done {
        Ok(exit) => exit,
        Err(failure) => {
            complain(&printer, &failure);
            failure.exit()
        }
    }
}

/// Says on standard error why the command failed. Write errors are ignored.
fn complain(printer: &Printer, failure: &Failure) {
    wipe_progress();
    let _ = match printer.format() {
        Format::Text => writeln!(std::io::stderr(), "nlp: {failure}"),
        Format::Json | Format::Ndjson | Format::Sarif => writeln!(std::io::stderr(), "{}", failure.json()),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_and_option_is_explained() {
        fn walk(command: &clap::Command) {
            for option in command.get_arguments().filter(|option| !option.is_hide_set()) {
                assert!(option.get_help().is_some(), "{} {}", command.get_name(), option.get_id());
            }
            for below in command.get_subcommands() {
                assert!(below.get_about().is_some(), "{}", below.get_name());
                walk(below);
            }
        }
        walk(&Cli::command());
    }

    #[test]
    fn no_option_takes_a_secret() {
        fn walk(command: &clap::Command) {
            for option in command.get_arguments() {
                let name = option.get_id().as_str();
                assert!(!["token", "secret", "password", "key"].contains(&name), "{} --{name}", command.get_name());
            }
            command.get_subcommands().for_each(walk);
        }
        walk(&Cli::command());
    }
}
