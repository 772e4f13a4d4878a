//! The Debian package: both programs, a service with its own user, manual pages and completions.

use super::{Release, copy, make_folder};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use task_support::fail::{Context as _, Fail, Result};
use task_support::process::{need, output, run};
use task_support::product::Profile;
use task_support::project;

/// Scripts that dpkg runs.
const SCRIPTS: [&str; 3] = ["postinst", "prerm", "postrm"];
/// The systemd units. `postinst` enables the service only; the socket is for deployments that must not refuse
/// connections during a restart.
const UNITS: [&str; 2] = ["nolapse-api.service", "nolapse-api.socket"];
/// Documents in the package, by their paths in the repository.
const DOCUMENTS: [&str; 3] = ["docs/OPERATIONS.md", "docs/SECURITY.md", "config/default.toml"];

/// Writes the package beside the archives.
pub(super) fn write(release: &Release) -> Result<PathBuf> {
    let dpkg = need("dpkg-deb", "dpkg")?;
    let architecture = architecture(&release.target)?;
    let tree = release.folder.join("deb");
    let root = project::root();
    let packaging = root.join("packaging");

    for program in &release.programs {
        place(program, &tree.join("usr/bin").join(program.file_name().unwrap_or_default()), 0o755)?;
    }
    for unit in UNITS {
        place(&packaging.join(unit), &tree.join("usr/lib/systemd/system").join(unit), 0o644)?;
    }
    place(&packaging.join("nolapse.toml"), &tree.join("etc/nolapse/nolapse.toml"), 0o640)?;
    place(&root.join("LICENSE"), &tree.join("usr/share/doc/nolapse/copyright"), 0o644)?;
    for document in DOCUMENTS {
        let name = Path::new(document).file_name().unwrap_or_default();
        place(&root.join(document), &tree.join("usr/share/doc/nolapse").join(name), 0o644)?;
    }
    pages(release, &tree)?;

    let control = tree.join("DEBIAN");
    for script in SCRIPTS {
        place(&packaging.join("debian").join(script), &control.join(script), 0o755)?;
    }
    text(&control.join("conffiles"), "/etc/nolapse/nolapse.toml\n")?;
    let size = installed_kib(&tree)?;
    text(&control.join("control"), &control_file(&release.version, architecture, size))?;

    let file = release.folder.join(format!("nolapse_{}_{architecture}.deb", release.version));
    let compression = if release.profile == Profile::Dev { "-Znone" } else { "-Zxz" };
    run(Command::new(dpkg).args(["--build", "--root-owner-group", compression]).arg(&tree).arg(&file))?;
    std::fs::remove_dir_all(&tree).attempt(|| format!("remove {}", tree.display()))?;
    Ok(file)
}

/// Debian's name of an architecture.
fn architecture(target: &str) -> Result<&'static str> {
    match target.split('-').next() {
        Some("x86_64") => Ok("amd64"),
        Some("aarch64") => Ok("arm64"),
        _ => Err(Fail::new(format!("no Debian package is made for {target}"))),
    }
}

fn control_file(version: &str, architecture: &str, size_kib: u64) -> String {
    format!(
        "Package: nolapse\nVersion: {version}\nArchitecture: {architecture}\nSection: admin\nPriority: optional\n\
         Installed-Size: {size_kib}\nDepends: adduser, libc6 (>= 2.36)\nRecommends: ca-certificates\n\
         Suggests: git, libsecret-tools\nMaintainer: nolapse <packages@nolapse.example>\n\
         Description: self-hosted authority for API tokens\n nolapse-api issues tokens, says whether one is good, rotates \
         and revokes them.\n nlp is its command line, and finds leaked tokens in files and histories.\n"
    )
}

/// Writes manual pages and completions, with `nlp` itself.
fn pages(release: &Release, tree: &Path) -> Result {
    let nlp = release.programs.iter().find(|program| program.ends_with("nlp"));
    let nlp = nlp.ok_or_else(|| Fail::new("nlp was not built"))?;
    let pages = tree.join("usr/share/man/man1");
    make_folder(&pages)?;
    run(Command::new(nlp).arg("man").arg(&pages))?;
    for (shell, file) in [
        ("bash", "usr/share/bash-completion/completions/nlp"),
        ("zsh", "usr/share/zsh/vendor-completions/_nlp"),
        ("fish", "usr/share/fish/vendor_completions.d/nlp.fish"),
    ] {
        let completions = output(Command::new(nlp).args(["completions", shell]))?;
        text(&tree.join(file), &String::from_utf8_lossy(&completions))?;
    }
    Ok(())
}

fn place(from: &Path, to: &Path, mode: u32) -> Result {
    if let Some(folder) = to.parent() {
        make_folder(folder)?;
    }
    copy(from, to)?;
    let permissions = std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(to, permissions).attempt(|| format!("set the mode of {}", to.display()))
}

fn text(file: &Path, text: &str) -> Result {
    if let Some(folder) = file.parent() {
        make_folder(folder)?;
    }
    std::fs::write(file, text).attempt(|| format!("write {}", file.display()))
}

/// The installed size in KiB, as `du` counts it.
fn installed_kib(tree: &Path) -> Result<u64> {
    let said = output(Command::new("du").args(["-sk", "--exclude=DEBIAN"]).arg(tree))?;
    let text = String::from_utf8_lossy(&said).into_owned();
    text.split_whitespace().next().unwrap_or_default().parse().attempt(|| "read what du printed".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn architectures_have_debian_names() {
        assert_eq!(architecture("x86_64-unknown-linux-gnu").unwrap(), "amd64");
        assert_eq!(architecture("aarch64-unknown-linux-musl").unwrap(), "arm64");
        assert!(architecture("riscv64gc-unknown-linux-gnu").is_err());
    }

    #[test]
    fn the_control_file_ends_with_a_line_and_has_no_empty_one() {
        let text = control_file("1.2.3", "amd64", 5);
        assert!(text.ends_with('\n') && !text.contains("\n\n"), "{text}");
        assert!(text.contains("\nVersion: 1.2.3\n"));
    }
}
