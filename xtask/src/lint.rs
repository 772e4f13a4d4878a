//! `cargo xtask lint`: runs third-party linters over the files that are not Rust: the Dockerfile, the compose file, shell
//! scripts, the systemd unit, the pre-commit manifest, and the CI recipes of the book.
//!
//! `xtask/lint/requirements.txt` lists the linters with exact versions.

use crate::install;
use std::path::{Path, PathBuf};
use std::process::Command;
use task_support::args::Args;
use task_support::fail::{Context as _, Fail, Result};
use task_support::process::{need, output, run};
use task_support::{project, say};

/// Scripts whose names do not end with `.sh`.
const SCRIPTS: &[&str] = &[".ci/run", "packaging/debian/postinst", "packaging/debian/postrm", "packaging/debian/prerm"];
/// The highest exposure that `systemd-analyze security` may report for the unit, in tenths.
const EXPOSURE: &str = "--threshold=12";
/// Files with a published schema, each with the schema's name.
const SCHEMAS: &[(&str, &str)] = &[
    ("packaging/compose.yaml", "vendor.compose-spec"),
    ("docs/ci/gitlab-ci.yml", "vendor.gitlab-ci"),
    ("docs/ci/github-action/action.yml", "vendor.github-actions"),
    ("docs/ci/github-action/example-workflow.yml", "vendor.github-workflows"),
];
/// The page whose YAML blocks are CI configuration files. The first line of a block is a comment with the file's name.
const RECIPES: &str = "docs/book/src/ci.md";
/// The schemas of these files.
const RECIPE_SCHEMAS: &[(&str, &str)] = &[
    (".github/workflows/deploy.yml", "vendor.github-workflows"),
    (".gitlab-ci.yml", "vendor.gitlab-ci"),
    ("bitbucket-pipelines.yml", "vendor.bitbucket-pipelines"),
    (".woodpecker.yaml", "vendor.woodpecker-ci"),
];

/// `cargo xtask lint`
pub(crate) fn task(args: Args) -> Result {
    args.finish()?;
    let programs = programs()?;
    let linter = |name: &str| {
        let mut command = Command::new(programs.join(name));
        command.current_dir(project::root());
        command
    };
    say::step("the Dockerfile, by hadolint");
    run(linter("hadolint").arg("packaging/Dockerfile"))?;
    say::step("shell scripts, by ShellCheck");
    run(linter("shellcheck").args(SCRIPTS).args(shell_scripts()?))?;
    say::step("the systemd unit, by systemd-analyze");
    let analyze = need("systemd-analyze", "systemd")?;
    run(Command::new(analyze)
        .args(["security", "--offline=true", "--no-pager", EXPOSURE])
        .arg(project::root().join("packaging/nolapse-api.service"))
        .stdout(std::process::Stdio::null()))
    .map_err(|fail| {
        Fail::new(fail.to_string()).fix("systemd-analyze security --offline=true packaging/nolapse-api.service")
    })?;
    say::step("files with a published schema, by check-jsonschema");
    for (file, schema) in SCHEMAS {
        run(linter("check-jsonschema").args(["--builtin-schema", schema, file]))?;
    }
    run(linter("pre-commit").args(["validate-manifest", ".pre-commit-hooks.yaml"]))?;
    let folder = tempfile::tempdir().attempt(|| "make a folder for the recipes".into())?;
    for (name, text) in recipes()? {
        let schema = RECIPE_SCHEMAS.iter().find(|(file, _)| *file == name);
        let (_, schema) =
            schema.ok_or_else(|| Fail::new(format!("{RECIPES} has {name:?}, which has no schema here")))?;
        let file = folder.path().join(name.replace('/', "-"));
        std::fs::write(&file, text).attempt(|| format!("write {}", file.display()))?;
        run(linter("check-jsonschema").args(["--builtin-schema", schema]).arg(&file))?;
    }
    Ok(())
}

/// The folder of the linters, installed first if need be.
pub(crate) fn programs() -> Result<PathBuf> {
    let requirements = project::root().join("xtask/lint/requirements.txt");
    install::python(&requirements, &project::target_directory()?.join("lint"))
}

/// The scripts in the repository whose names end with `.sh`.
fn shell_scripts() -> Result<Vec<PathBuf>> {
    let listed = output(Command::new("git").arg("-C").arg(project::root()).args(["ls-files", "*.sh"]))?;
    Ok(String::from_utf8_lossy(&listed).lines().map(PathBuf::from).collect())
}

/// The blocks of YAML on the page of recipes, each with its file's name.
fn recipes() -> Result<Vec<(String, String)>> {
    let page = project::root().join(Path::new(RECIPES));
    blocks(&std::fs::read_to_string(&page).attempt(|| format!("read {}", page.display()))?)
}

fn blocks(page: &str) -> Result<Vec<(String, String)>> {
    let block = |text: &str| {
        let (first, _) = text.split_once('\n')?;
        let name = first.strip_prefix("# ")?.split_whitespace().next()?;
        Some((name.to_owned(), text.to_owned()))
    };
    let texts = page.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default());
    texts
        .map(|text| {
            block(text).ok_or_else(|| Fail::new(format!("{RECIPES}: a block does not begin with `# FILE`:\n{text}")))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipe_begins_with_the_name_of_its_file() {
        let page =
            "x\n```yaml\n# .gitlab-ci.yml\na: 1\n```\ny\n```sh\nls\n```\n```yaml\n# a.yml on GitHub\nb: 2\n```\n";
        let found = blocks(page).unwrap();
        let names: Vec<_> = found.iter().map(|(name, text)| (name.as_str(), text.lines().count())).collect();
        assert_eq!(names, [(".gitlab-ci.yml", 2), ("a.yml", 2)]);
        assert!(blocks("```yaml\na: 1\n```\n").is_err());
    }

    #[test]
    fn every_ci_system_of_the_book_has_a_recipe() {
        let names: Vec<_> = recipes().unwrap().into_iter().map(|(name, _)| name).collect();
        for (file, _) in RECIPE_SCHEMAS {
            assert!(names.iter().any(|name| name == file), "{file} is not in {RECIPES}");
        }
    }
}
