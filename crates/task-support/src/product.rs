//! The programs that tasks build and start: `nolapse-api`, and `bare` beside it in benchmarks.

use crate::fail::{Context as _, Fail, Result};
use crate::process::{POLL, Server, run};
use crate::{interrupt, project};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// What a server prints once it accepts connections, before its address.
const LISTENING: &str = "listening on ";
/// How long a start may take; migrations of a new database are part of it.
const PATIENCE: Duration = Duration::from_mins(1);

/// How a program is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Quick to build, for work.
    Dev,
    /// As shipped, for benchmarks.
    Release,
    /// Nearly as shipped, with the names of functions, for profiles.
    Named,
}

/// What is counted and measured, and tested in a run of all tests: the server, what fills its database, and the baseline.
pub const MEASURED: [(&str, &str); 3] = [("api", "nolapse-api"), ("seed", "nolapse-bench-seed"), ("bare", "bare")];

/// Builds `nolapse-api` and returns its path.
pub fn build(profile: Profile) -> Result<PathBuf> {
    build_program("api", "nolapse-api", profile)
}

/// A platform to cross-compile for.
#[derive(Clone, Copy, Debug)]
pub struct Platform<'a> {
    /// The Rust target: `x86_64-unknown-linux-musl`.
    pub target: &'a str,
    /// The C compiler for it: some dependencies contain C.
    pub compiler: &'a Path,
}

/// Builds the program `name` of `package`.
pub fn build_program(package: &str, name: &str, profile: Profile) -> Result<PathBuf> {
    build_for(package, name, profile, None)
}

/// Builds several programs, given as package and name, at once: what they share is compiled once, with the features of all.
/// Returns the folder they are in.
pub fn build_together(programs: &[(&str, &str)], profile: Profile) -> Result<PathBuf> {
    build_in(programs, profile, None)
}

/// As [`build_program`], for a platform.
pub fn build_for(package: &str, name: &str, profile: Profile, platform: Option<Platform<'_>>) -> Result<PathBuf> {
    Ok(build_in(&[(package, name)], profile, platform)?.join(name))
}

fn build_in(programs: &[(&str, &str)], profile: Profile, platform: Option<Platform<'_>>) -> Result<PathBuf> {
    let mut cargo = project::cargo();
    cargo.args(["build", "--locked"]);
    for (package, name) in programs {
        cargo.args(["--package", package, "--bin", name]);
    }
    let mut folder = project::target_directory()?;
    if let Some(Platform { target, compiler }) = platform {
        cargo.args(["--target", target]).env(format!("CC_{}", target.replace('-', "_")), compiler);
        folder.push(target);
    }
    folder.push(match profile {
        Profile::Dev => "debug",
        Profile::Release => {
            cargo.arg("--release");
            "release"
        }
        Profile::Named => {
            cargo.args(["--profile", "release-dev"]);
            "release-dev"
        }
    });
    run(&mut cargo)?;
    Ok(folder)
}

/// Waits for the server's `listening on http://…` and returns that address, without a final slash. Every line the
/// server prints on standard output goes to `pass_on`, now and later.
///
/// # Errors
/// If the server ends first or takes too long.
pub fn listening(server: &mut Server, pass_on: fn(&str)) -> Result<String> {
    let stdout = server.take_stdout().ok_or_else(|| Fail::new("the server was started without a pipe"))?;
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(std::result::Result::ok) {
            if let Some(address) = line.trim().strip_prefix(LISTENING) {
                // Sending fails once the first address was received; ignore that.
                let _ = sender.send(address.trim_end_matches('/').to_owned());
            }
            pass_on(&line);
        }
    });
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        interrupt::check()?;
        match receiver.recv_timeout(POLL) {
            Ok(address) => return Ok(address),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                let status = server.stop()?;
                return Err(Fail::new(format!("the server ended before it listened: {status}")));
            }
        }
    }
    Err(Fail::new(format!("the server did not listen within {} s", PATIENCE.as_secs())))
}

/// The port of an address such as `http://127.0.0.1:8080`.
pub fn port(base: &str) -> Result<u16> {
    let digits = base.rsplit(':').next().unwrap_or_default();
    digits.parse().attempt(|| format!("read the port of {base}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::Launch;
    use std::process::Stdio;

    fn script(text: &str) -> Server {
        Launch::new("sh").args(["-c", text]).start(Stdio::piped(), Stdio::inherit()).unwrap()
    }

    #[test]
    fn the_address_is_found_among_other_lines() {
        let mut server = script("echo setting up; echo listening on http://127.0.0.1:4321/; exec sleep 600");
        let base = listening(&mut server, |_| {}).unwrap();
        assert_eq!(base, "http://127.0.0.1:4321");
        assert_eq!(port(&base).unwrap(), 4321);
    }

    #[test]
    fn a_server_that_ends_first_is_an_error() {
        let fail = listening(&mut script("echo no database; exit 1"), |_| {}).unwrap_err();
        assert!(fail.to_string().contains("ended before it listened"), "{fail}");
    }
}
