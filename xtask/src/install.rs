//! Installs programs from `PyPI`, in exact versions, under the target folder.

use std::path::{Path, PathBuf};
use std::process::Command;
use task_support::fail::{Context as _, Fail, Result};
use task_support::process::run;
use task_support::say;
use task_support::services::{Tool, find_or_install};

/// Makes a virtual environment with these requirements, and returns its folder of programs.
pub(crate) fn python(requirements: &Path, environment: &Path) -> Result<PathBuf> {
    let programs = environment.join("bin");
    once(requirements, &environment.join("installed.txt"), || {
        let python = find_or_install(Tool::Python)?;
        run(Command::new(python).args(["-m", "venv", "--clear"]).arg(environment))?;
        run(Command::new(programs.join("pip"))
            .args(["install", "--quiet", "--disable-pip-version-check", "--requirement"])
            .arg(requirements))
        .map_err(|fail| Fail::new(fail.to_string()).fix("pip has to reach its index: pip download pip"))
    })?;
    Ok(programs)
}

/// Installs, unless `done` records that this list is installed.
pub(crate) fn once(list: &Path, done: &Path, install: impl FnOnce() -> Result) -> Result {
    let wanted = std::fs::read_to_string(list).attempt(|| format!("read {}", list.display()))?;
    if std::fs::read_to_string(done).is_ok_and(|there| there == wanted) {
        return Ok(());
    }
    say::step(format!("installing what {} names", list.display()));
    install()?;
    std::fs::write(done, &wanted).attempt(|| format!("write {}", done.display()))
}
