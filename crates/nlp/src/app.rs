//! Parses the command line, runs the command, and returns the exit code.

use std::ffi::OsString;
use std::io::Write as _;

use clap::error::ErrorKind;
use clap::{Parser as _, ValueEnum as _};

use crate::commands::Cli;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Format, Printer, wipe_progress};
use crate::redact::harmless;
use crate::settings::Settings;

/// Runs the command in these arguments, the first of which is the program's name.
pub(crate) fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(usage) => {
            // Help and version are not errors. Write errors are ignored.
            if !usage.use_stderr() {
                let _ = usage.print();
                return Exit::Done;
            }
            let format = format_in(&arguments);
            if format != Format::Text {
                complain(&Printer::new(format, None), &misunderstood(&usage));
                return Exit::Usage;
            }
            // The message repeats the arguments, and one of them may be a secret.
            let said = usage.render().to_string();
            let shown = harmless(&said);
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
        Format::Text => writeln!(std::io::stderr(), "nlp: {}", harmless(&failure.to_string())),
        Format::Json | Format::Ndjson | Format::Sarif => {
            writeln!(std::io::stderr(), "{}", harmless(&failure.json().to_string()))
        }
    };
}

/// The output format in arguments that could not be understood as a whole.
fn format_in(arguments: &[OsString]) -> Format {
    let ours = arguments.iter().take_while(|argument| *argument != "--").filter_map(|argument| argument.to_str());
    let mut format = Format::Text;
    let mut is_value = false;
    for argument in ours {
        let value = argument.strip_prefix("--output=").or_else(|| argument.strip_prefix("-o"));
        let value = if is_value { argument } else { value.unwrap_or_default().trim_start_matches('=') };
        if let Ok(named) = Format::from_str(value, false) {
            format = named;
        }
        is_value = matches!(argument, "-o" | "--output");
    }
    format
}

/// A usage error of the parser: what is wrong, without the usage lines below it.
fn misunderstood(usage: &clap::Error) -> Failure {
    let failure = if usage.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        // Its text is the help.
        Failure::usage("a command is missing")
    } else {
        let said = usage.render().to_string();
        let said = said.strip_prefix("error: ").unwrap_or(&said);
        Failure::usage(said.split("\n\n").next().unwrap_or_default())
    };
    failure.next("--help")
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
    fn the_format_is_known_although_the_arguments_are_not() {
        for (line, expected) in [
            ("nlp nonsense", Format::Text),
            ("nlp -o json nonsense", Format::Json),
            ("nlp nonsense --output ndjson", Format::Ndjson),
            ("nlp nonsense --output=json", Format::Json),
            ("nlp nonsense -ojson", Format::Json),
            ("nlp nonsense -o=sarif", Format::Sarif),
            ("nlp nonsense -o nonsense", Format::Text),
            ("nlp exec --nonsense -- tool -o json", Format::Text),
        ] {
            let arguments: Vec<OsString> = line.split(' ').map(Into::into).collect();
            assert_eq!(format_in(&arguments), expected, "{line}");
        }
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
