//! `cargo xtask test`: runs every test of the workspace, on both databases.

use crate::install;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use task_support::args::Args;
use task_support::fail::Result;
use task_support::process::run;
use task_support::product::{self, Profile};
use task_support::{project, say, services};

/// The variable that makes tests run their long versions.
const FULL: &str = "NOLAPSE_TEST_FULL";

/// The variable that names an optimised server to the tests.
const PROGRAM: &str = "NOLAPSE_TEST_PROGRAM";

/// How long the faults of a run in a cluster go on, and the seed of their order, in every run and with `--full`. This seed has nine of
/// the eleven usual faults in a minute, a failover among them. Starting the cluster and the last look take about a minute more.
const CHAOS: [&str; 2] = ["--seconds=60", "--seed=894"];
const CHAOS_FULL: [&str; 2] = ["--seconds=600", "--seed=11"];

/// What to run.
struct Plan {
    /// One package instead of the whole workspace.
    package: Option<String>,
    /// Names of tests; empty means all.
    filters: Vec<String>,
    /// Environment variables of every test run.
    variables: Vec<(OsString, OsString)>,
}

impl Plan {
    /// `cargo` with the subcommand, the packages and the variables.
    fn cargo(&self, subcommand: &[&str]) -> Command {
        let mut cargo = project::cargo();
        cargo.args(subcommand).arg("--locked").envs(self.variables.iter().cloned());
        match &self.package {
            Some(package) => cargo.args(["--package", package]),
            None => cargo.arg("--workspace"),
        };
        cargo
    }

    /// Whether a selected package has a library; cargo fails on documentation tests of a binary package.
    fn has_documentation_tests(&self) -> bool {
        let has_library = |name: &String| project::root().join("crates").join(name).join("src/lib.rs").exists();
        self.filters.is_empty() && self.package.as_ref().is_none_or(has_library)
    }

    /// Whether all tests are selected.
    fn is_everything(&self) -> bool {
        self.package.is_none() && self.filters.is_empty()
    }
}

/// `cargo xtask test [--full] [-p PACKAGE] [filter…]`
pub(crate) fn task(mut args: Args) -> Result {
    let full = args.flag("--full");
    let package = args.value("-p")?;
    let filters = args.words()?;

    // Some tests count instructions with valgrind, to show that work is bounded.
    services::find_or_install(services::Tool::Valgrind)?;
    services::find_or_install(services::Tool::Tmux)?;
    say::step("starting PostgreSQL");
    let services = services::for_tests()?;
    let mut variables = services.as_ref().map(services::Services::variables).unwrap_or_default();
    if full {
        variables.push((FULL.into(), "1".into()));
    }
    let mut plan = Plan { package, filters, variables };

    say::step("gateways");
    for gateway in services::GATEWAYS {
        services::find_or_install(gateway)?;
    }

    say::step("Redis");
    services::find_or_install(services::Tool::RedisServer)?;

    say::step("Chromium and axe-core");
    services::prepare_pages()?;

    say::step("published clients");
    install::python(
        &project::root().join("xtask/clients/requirements.txt"),
        &project::target_directory()?.join("clients"),
    )?;

    let optimised = plan.is_everything().then(optimised).transpose()?;
    plan.variables.extend(optimised.iter().map(|program| (PROGRAM.into(), program.into())));

    say::step("unit and integration tests");
    if has_nextest() {
        run(plan.cargo(&["nextest", "run", "--no-fail-fast"]).args(&plan.filters))?;
    } else {
        say::note("cargo-nextest is not installed: one test program after the other");
        // `--tests` selects the same as nextest: no benches and no documentation tests, which run afterwards in both
        // cases.
        run(plan.cargo(&["test", "--no-fail-fast", "--tests"]).args(filters_of_cargo_test(&plan.filters)))?;
    }
    if plan.has_documentation_tests() {
        say::step("documentation tests");
        run(&mut plan.cargo(&["test", "--doc"]))?;
    }
    if let Some(program) = optimised {
        loom()?;
        say::step("what a request takes, counted");
        run(project::cargo().args(["run", "--quiet", "--locked", "--package", "bench", "--", "check"]))?;
        chaos(if full { CHAOS_FULL } else { CHAOS }, &program)?;
        if full {
            crate::conformance::task()?;
        }
    }
    Ok(())
}

/// `cargo test` takes one filter before `--` and any number after it.
fn filters_of_cargo_test(filters: &[String]) -> Vec<String> {
    if filters.is_empty() {
        Vec::new()
    } else {
        std::iter::once("--".to_owned()).chain(filters.iter().cloned()).collect()
    }
}

fn has_nextest() -> bool {
    project::cargo()
        .args(["nextest", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Builds what is counted after the tests. They start it as well: a server costs them a quarter of one that is not optimised, which
/// saves more than the build takes.
fn optimised() -> Result<PathBuf> {
    say::step("the optimised server");
    Ok(product::build_together(&product::MEASURED, Profile::Named)?.join("nolapse-api"))
}

/// Runs the loom model in a target folder of its own: `--cfg loom` changes every crate's fingerprint.
fn loom() -> Result {
    say::step("the revocation fence under loom, every interleaving");
    run(project::cargo()
        .args(["test", "--locked", "--release", "--package", "fence", "--test", "loom"])
        .arg("--target-dir")
        .arg(project::target_directory()?.join("loom"))
        .env("RUSTFLAGS", "--cfg loom")
        // Link-time optimisation takes minutes and does not help a model checker.
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"))
}

/// Three nodes on a primary with a standby, and faults of the usual kinds: the verdict is about what clients were told, and never
/// about how long it took.
fn chaos(options: [&str; 2], program: &Path) -> Result {
    say::step("many nodes under faults");
    services::find_or_install(services::Tool::Faketime)?;
    // Together with the tests, whose features the packages are built for already.
    run(project::cargo().args(["build", "--quiet", "--locked", "--workspace", "--tests", "--bin", "lab"]))?;
    run(project::outside(project::target_directory()?.join("debug/lab"))
        .args(["chaos", "--patroni"])
        .args(options)
        .arg(format!("--program={}", program.display())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use task_support::process::shown;

    fn plan(package: Option<&str>, filters: &[&str]) -> Plan {
        Plan {
            package: package.map(str::to_owned),
            filters: filters.iter().copied().map(str::to_owned).collect(),
            variables: vec![(FULL.into(), "1".into())],
        }
    }

    #[test]
    fn packages_and_variables_reach_cargo() {
        let whole = plan(None, &[]).cargo(&["nextest", "run"]);
        assert!(shown(&whole).ends_with("nextest run --locked --workspace"), "{}", shown(&whole));
        assert!(whole.get_envs().any(|(name, value)| name == FULL && value == Some("1".as_ref())));
        let one = plan(Some("storage"), &["tokens"]).cargo(&["test"]);
        assert!(shown(&one).ends_with("test --locked --package storage"), "{}", shown(&one));
    }

    #[test]
    fn the_loom_model_runs_only_with_all_tests() {
        assert!(plan(None, &[]).is_everything());
        assert!(!plan(Some("storage"), &[]).is_everything());
        assert!(!plan(None, &["tokens"]).is_everything());
    }

    #[test]
    fn documentation_is_tested_where_there_is_a_library() {
        assert!(plan(None, &[]).has_documentation_tests());
        assert!(plan(Some("token-format"), &[]).has_documentation_tests());
        assert!(!plan(Some("xtask"), &[]).has_documentation_tests());
        assert!(!plan(None, &["tokens"]).has_documentation_tests());
    }

    #[test]
    fn filters_follow_the_dashes_for_cargo_test() {
        assert!(filters_of_cargo_test(&[]).is_empty());
        assert_eq!(filters_of_cargo_test(&["a".into(), "b".into()]), ["--", "a", "b"]);
    }
}
