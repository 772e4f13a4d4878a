//! The program as a command: arguments, an environment without that of the tests, exit code and output.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The result of a command.
#[derive(Clone, Debug)]
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Finished {
    /// Its standard output; panics if it failed.
    #[track_caller]
    pub(crate) fn succeeds(&self) -> &str {
        assert_eq!(self.code, Some(0), "{self:?}");
        &self.out
    }

    /// Its standard error; panics unless it failed with this exit code.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32) -> &str {
        assert_eq!(self.code, Some(code), "{self:?}");
        &self.err
    }
}

/// Names an optimised build of the same sources, which `cargo xtask test` makes: servers of tests cost a quarter with it.
const OPTIMISED: &str = "NOLAPSE_TEST_PROGRAM";

/// A build of the program under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Build {
    /// The optimised one, where there is one.
    Any,
    /// Cargo's for tests: with pages that only developers see, and with checks for overflow.
    Debug,
}

impl Build {
    /// Its path.
    pub(crate) fn path(self) -> PathBuf {
        let optimised = match self {
            Self::Any => std::env::var_os(OPTIMISED),
            Self::Debug => None,
        };
        optimised.map_or_else(|| env!("CARGO_BIN_EXE_nolapse-api").into(), PathBuf::from)
    }

    /// It, with exactly this environment.
    pub(crate) fn command(self, environment: &[(String, String)]) -> Command {
        let mut command = Command::new(self.path());
        command.env_clear().envs(environment.iter().cloned());
        // A failing test should show where the program panicked, and a coverage run must find its profile.
        for name in ["RUST_BACKTRACE", "LLVM_PROFILE_FILE"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
    }
}

/// The program under test, with exactly this environment.
pub(crate) fn program(environment: &[(String, String)]) -> Command {
    Build::Any.command(environment)
}

/// Runs a command to its end, with `input` on its standard input.
pub(crate) fn finish(mut command: Command, input: &str) -> Finished {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The write fails if a command that reads nothing has ended already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Finished { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}
