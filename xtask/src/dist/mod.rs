//! `cargo xtask dist`: builds what is distributed: a Debian package, archives of both programs, a bill of materials,
//! and checksums of these files. Packs the crates that are published as well, without publishing them.
//!
//! `dpkg-deb` builds the package from a tree written here. cargo-deb would need the same list in a manifest, and would
//! be one more program to build first.

mod bill;
mod deb;
mod portable;
mod trial;

use std::path::{Path, PathBuf};
use std::process::Command;
use task_support::args::Args;
use task_support::fail::{Context as _, Result};
use task_support::process::{output, run};
use task_support::product::{self, Profile};
use task_support::{project, say};

/// The distributed programs, each with its package in the workspace.
const PROGRAMS: &[(&str, &str)] = &[("api", "nolapse-api"), ("nlp", "nlp")];

/// The published crates.
const CRATES: [&str; 2] = ["token-format", "client"];

/// The content of a release.
#[derive(Clone)]
struct Release {
    version: String,
    profile: Profile,
    /// The Rust target: `x86_64-unknown-linux-gnu`.
    target: String,
    programs: Vec<PathBuf>,
    /// The folder of the results.
    folder: PathBuf,
}

/// `cargo xtask dist [--dev] [--trial]`
pub(crate) fn task(mut args: Args) -> Result {
    let profile = if args.flag("--dev") { Profile::Dev } else { Profile::Release };
    let is_tried = args.flag("--trial");
    args.finish()?;
    let folder = project::target_directory()?.join("dist");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).attempt(|| format!("empty {}", folder.display()))?;
    }
    make_folder(&folder)?;
    let mut programs = Vec::new();
    for (package, name) in PROGRAMS {
        say::step(format!("building {name}"));
        programs.push(product::build_program(package, name, profile)?);
    }
    let release = Release { version: version()?, profile, target: target()?, programs, folder };
    // A development build skips musl, which would compile every dependency a second time.
    let packed = if profile == Profile::Dev { None } else { portable::build(&release.target, profile)? };
    let (target, programs) =
        packed.as_ref().map_or((&release.target, &release.programs), |(target, programs)| (target, programs));

    let mut made = Vec::new();
    say::step("archives");
    for program in programs {
        made.push(archive(&release, target, program)?);
    }
    say::step("the bill of materials");
    made.push(bill::write(&release)?);
    say::step("the Debian package");
    let package = deb::write(&release)?;
    if is_tried {
        trial::run_with(&release, &package)?;
    }
    made.push(package);
    say::step("the published crates");
    publish(profile)?;
    checksums(&release, &made)?;
    for file in &made {
        say::note(file.display());
    }
    Ok(())
}

fn make_folder(folder: &Path) -> Result {
    std::fs::create_dir_all(folder).attempt(|| format!("create {}", folder.display()))
}

/// The version all our packages share.
fn version() -> Result<String> {
    let text = std::fs::read_to_string(project::root().join("Cargo.toml")).attempt(|| "read Cargo.toml".into())?;
    let manifest: toml::Table = text.parse().attempt(|| "parse Cargo.toml".into())?;
    let version = manifest.get("workspace").and_then(|w| w.get("package")).and_then(|p| p.get("version"));
    let version = version.and_then(toml::Value::as_str).ok_or("it has no workspace.package.version");
    version.map(str::to_owned).attempt(|| "read the version in Cargo.toml".into())
}

/// The target that `rustc` builds for by default.
fn target() -> Result<String> {
    let said = output(Command::new("rustc").arg("-vV"))?;
    let text = String::from_utf8_lossy(&said).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: ")).ok_or("rustc -vV names no host");
    host.map(str::to_owned).attempt(|| "ask rustc".into())
}

/// Packs the published crates and builds them from what was packed.
fn publish(profile: Profile) -> Result {
    let mut cargo = project::cargo();
    cargo.args(["publish", "--dry-run", "--locked"]).args(CRATES.iter().flat_map(|name| ["--package", name]));
    if profile == Profile::Dev {
        cargo.arg("--allow-dirty");
    }
    run(&mut cargo)
}

/// One program with its licence, in a folder of its own.
fn archive(release: &Release, target: &str, program: &Path) -> Result<PathBuf> {
    let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let inside = format!("{name}-{}-{target}", release.version);
    let folder = release.folder.join(&inside);
    make_folder(&folder)?;
    copy(program, &folder.join(&name))?;
    copy(&project::root().join("LICENSE"), &folder.join("LICENSE"))?;
    let file = release.folder.join(format!("{inside}.tar.gz"));
    // Reproducible: the same programs give the same bytes.
    run(Command::new("tar")
        .args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mtime=@0", "-czf"])
        .arg(&file)
        .arg("-C")
        .arg(&release.folder)
        .arg(&inside))?;
    std::fs::remove_dir_all(&folder).attempt(|| format!("remove {}", folder.display()))?;
    Ok(file)
}

fn copy(from: &Path, to: &Path) -> Result {
    std::fs::copy(from, to).map(drop).attempt(|| format!("copy {} to {}", from.display(), to.display()))
}

/// `SHA256SUMS`, as `sha256sum --check` reads it.
fn checksums(release: &Release, made: &[PathBuf]) -> Result {
    let names = made.iter().filter_map(|file| file.file_name());
    let sums = output(Command::new("sha256sum").current_dir(&release.folder).args(names))?;
    let file = release.folder.join("SHA256SUMS");
    std::fs::write(&file, sums).attempt(|| format!("write {}", file.display()))
}
