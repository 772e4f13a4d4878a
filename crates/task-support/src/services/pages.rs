//! What the dashboard's tests need beside the servers: Chromium, its driver, axe-core, which checks accessibility, and
//! oidc-provider, an identity provider that people sign in at. The last two are installed in exact versions under `target/pages`,
//! for tests only.

use super::{Tool, find_or_install};
use crate::fail::{Context as _, Fail, Result};
use crate::process::{need, run};
use crate::project;
use std::process::Command;

/// Finds or installs all three.
///
/// # Errors
/// Names the one command that installs what is missing.
pub fn prepare() -> Result {
    for tool in [Tool::Chromium, Tool::Chromedriver] {
        find_or_install(tool)?;
    }
    let (sources, folder) = (project::root().join("xtask/pages"), project::target_directory()?.join("pages"));
    std::fs::create_dir_all(&folder).attempt(|| format!("create {}", folder.display()))?;
    let list = sources.join("package.json");
    let wanted = std::fs::read_to_string(&list).attempt(|| format!("read {}", list.display()))?;
    let done = folder.join("installed.json");
    if std::fs::read_to_string(&done).is_ok_and(|there| there == wanted) {
        return Ok(());
    }
    std::fs::copy(&list, folder.join("package.json")).attempt(|| "copy xtask/pages/package.json".into())?;
    run(Command::new(need("npm", "npm")?)
        .args(["install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--loglevel=error"])
        .current_dir(&folder)
        .stdout(std::io::stderr()))
    .map_err(|fail| Fail::new(fail.to_string()).fix("npm has to reach its registry: npm ping"))?;
    std::fs::write(&done, wanted).attempt(|| format!("write {}", done.display()))
}
