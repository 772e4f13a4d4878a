//! `cargo xtask dist --trial`: installs, upgrades, removes and purges the package on a clean Debian that runs systemd.
//!
//! debootstrap creates the system once, in the target folder. systemd-nspawn boots it without a network and with an
//! overlay in memory, so that every trial starts from the same files. Both need root.

use super::{Release, copy, deb, make_folder};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use task_support::fail::{Context as _, Fail, Result};
use task_support::process::run;
use task_support::services::{Tool, find_or_install};
use task_support::{project, say};

/// The oldest Debian release that the package supports.
const SUITE: &str = "bookworm";
/// What is installed beside the essential packages: systemd, the package's dependencies, and what `trial.sh` uses.
const INCLUDE: &str = "--include=systemd,systemd-sysv,dbus,adduser,curl";
/// The folder of the trial inside the container.
const INSIDE: &str = "/trial";
/// The unit that runs the trial and then stops the system.
const UNIT: &str = "trial.service";

/// Tries the package that was just written.
pub(super) fn run_with(release: &Release, package: &Path) -> Result {
    let nspawn = find_or_install(Tool::Nspawn)?;
    let system = system()?;
    let folder = release.folder.join("trial");
    make_folder(&folder)?;
    let later = Release { version: format!("{}+later", release.version), folder: folder.clone(), ..release.clone() };
    let later = deb::write(&later)?;
    copy(package, &folder.join("now.deb"))?;
    std::fs::rename(&later, folder.join("later.deb")).attempt(|| format!("rename {}", later.display()))?;
    copy(&project::root().join("xtask/dist/trial.sh"), &folder.join("trial.sh"))?;
    let unit = folder.join(UNIT);
    std::fs::write(&unit, unit_file()).attempt(|| format!("write {}", unit.display()))?;

    say::step("the package on a clean Debian");
    let mount = |option: &str, from: &Path, to: &str| format!("--{option}={}:{to}", from.display());
    run(Command::new(nspawn)
        .args(["--quiet", "--register=no", "--keep-unit", "--private-network", "--volatile=overlay"])
        .args(["--console=pipe", "--boot"])
        .arg(format!("--directory={}", system.display()))
        .arg(mount("bind", &folder, INSIDE))
        .arg(mount("bind-ro", &unit, &format!("/etc/systemd/system/{UNIT}")))
        .arg(format!("systemd.wants={UNIT}"))
        .stdin(Stdio::null())
        .stdout(Stdio::null()))?;
    let said = std::fs::read_to_string(folder.join("log")).attempt(|| "read what the trial printed".into())?;
    say::note(&said);
    let passed = said.ends_with("TRIAL PASSED\n");
    std::fs::remove_dir_all(&folder).attempt(|| format!("remove {}", folder.display()))?;
    if passed { Ok(()) } else { Err(Fail::new("the package failed its trial")) }
}

/// The folder of a clean Debian, made first if need be.
fn system() -> Result<PathBuf> {
    let folder = project::target_directory()?.join("debian").join(SUITE);
    if folder.exists() {
        return Ok(folder);
    }
    let debootstrap = find_or_install(Tool::Debootstrap)?;
    say::step(format!("a clean Debian {SUITE}"));
    // Created under another name and renamed when complete, so that an interrupted run leaves no half of a system.
    let half = folder.with_extension("half");
    if half.exists() {
        std::fs::remove_dir_all(&half).attempt(|| format!("remove {}", half.display()))?;
    }
    make_folder(&half)?;
    run(Command::new(debootstrap).args(["--variant=minbase", INCLUDE, SUITE]).arg(&half).stdout(Stdio::null()))?;
    std::fs::rename(&half, &folder).attempt(|| format!("rename {}", half.display()))?;
    Ok(folder)
}

fn unit_file() -> String {
    format!(
        "[Unit]\nAfter=multi-user.target\n[Service]\nType=oneshot\n\
         ExecStart=/bin/sh -c 'sh {INSIDE}/trial.sh {INSIDE}/now.deb {INSIDE}/later.deb >{INSIDE}/log 2>&1'\n\
         ExecStopPost=/bin/systemctl poweroff --no-block\n"
    )
}
