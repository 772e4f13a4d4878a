//! `nlp`: the command line of nolapse tokens, for people and scripts, on the public API only.
//!
//! **Invariant:** no argument takes a secret, and only the command that creates a secret prints it.

#![expect(
    clippy::needless_update,
    reason = "request bodies and options get new fields, which must not break code that does not set them"
)]

mod app;
mod commands;
mod credential;
mod exit;
mod failure;
mod folders;
mod output;
mod redact;
mod scan;
mod settings;
mod signals;
mod terminal;

fn main() -> std::process::ExitCode {
    std::process::ExitCode::from(app::run(std::env::args_os()).code())
}
