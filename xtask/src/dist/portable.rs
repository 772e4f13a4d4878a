//! Both programs, linked statically with musl, so that they run on any Linux of this architecture with any C library.

use super::PROGRAMS;
use std::path::PathBuf;
use std::process::Command;
use task_support::fail::Result;
use task_support::process::{output, which};
use task_support::product::{self, Platform, Profile};
use task_support::say;

/// The C compiler for musl, from Debian's package `musl-tools`.
const COMPILER: &str = "musl-gcc";

/// Builds the programs; returns the target and their paths, or `None` with a note if this machine cannot build them.
pub(super) fn build(host: &str, profile: Profile) -> Result<Option<(String, Vec<PathBuf>)>> {
    let target = musl(host);
    let installed = output(Command::new("rustc").args(["--print", "target-libdir", "--target", &target]));
    let library = installed.map(|said| PathBuf::from(String::from_utf8_lossy(&said).trim()));
    if !library.is_ok_and(|folder| folder.is_dir()) {
        say::note(format!(
            "the archives need this machine's C library; to make static ones: rustup target add {target}"
        ));
        return Ok(None);
    }
    let Some(compiler) = which(COMPILER) else {
        say::note("the archives need this machine's C library; to make static ones: apt-get install -y musl-tools");
        return Ok(None);
    };
    let mut programs = Vec::new();
    for (package, name) in PROGRAMS {
        say::step(format!("building {name} with musl"));
        let platform = Platform { target: &target, compiler: &compiler };
        programs.push(product::build_for(package, name, profile, Some(platform))?);
    }
    Ok(Some((target, programs)))
}

/// The musl target of the same architecture.
fn musl(host: &str) -> String {
    host.replace("-gnu", "-musl")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_musl_target_has_the_same_architecture() {
        assert_eq!(musl("x86_64-unknown-linux-gnu"), "x86_64-unknown-linux-musl");
        assert_eq!(musl("armv7-unknown-linux-gnueabihf"), "armv7-unknown-linux-musleabihf");
    }
}
