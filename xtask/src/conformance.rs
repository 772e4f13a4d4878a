//! Tests the API document and the server with third-party programs: a validator, two client generators, whose clients
//! create, validate, rotate and revoke tokens, schemathesis, promtool's check of the metrics, and a Prometheus server
//! that scrapes them.
//!
//! Part of `cargo xtask test --full`. Their inputs are in `xtask/conformance`, with exact versions; pip and npm install
//! under `target/conformance`, Debian's `prometheus` is installed if it is missing.

mod prometheus;

use crate::install;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use task_support::args::Args;
use task_support::fail::{Context as _, Fail, Result};
use task_support::process::{Launch, Server, need, output, run, run_with_input};
use task_support::services::{Tool, find_or_install};
use task_support::{product, project, say};

const SOURCES: &str = "xtask/conformance";
const DOCUMENT: &str = "docs/reference/openapi.json";
/// The first organisation's owner, on a server that runs only during the task.
const EMAIL: &str = "owner@acme.example";
const PASSWORD: &str = "an owner only of this test 7";
/// The name of the package that openapi-python-client generates.
const PACKAGE: &str = "nolapse_tokens_client";
/// Settings for speed: cheap hashing, no access log, no drain delay.
const SETTINGS: &[(&str, &str)] = &[
    ("NOLAPSE__HASHING__INSECURE_TEST_COSTS", "true"),
    ("NOLAPSE__HASHING__TOKEN_SCHEME", "sha256"),
    ("NOLAPSE__HASHING__ARGON2_MEMORY_KIB", "8"),
    ("NOLAPSE__HASHING__ARGON2_PASSES", "1"),
    ("NOLAPSE__LOG__ACCESS", "false"),
    ("NOLAPSE__SERVER__DRAIN_DELAY_SECONDS", "0"),
];

/// `cargo xtask conformance`
pub(crate) fn alone(args: Args) -> Result {
    args.finish()?;
    task()
}

/// Runs all conformance tests.
pub(crate) fn task() -> Result {
    let folder = project::target_directory()?.join("conformance");
    std::fs::create_dir_all(&folder).attempt(|| format!("create {}", folder.display()))?;
    let python = install::python(&project::root().join(SOURCES).join("requirements.txt"), &folder.join("python"))?;
    let node = node(&folder)?;
    let promtool = find_or_install(Tool::Promtool)?;
    let document = project::root().join(DOCUMENT);

    say::step("the API document, by openapi-spec-validator");
    run(Command::new(python.join("openapi-spec-validator")).arg(&document))?;

    let mut deployment = Deployment::start()?;
    say::step("a client made by openapi-python-client");
    run(Command::new(python.join("openapi-python-client"))
        .args(["generate", "--meta", "none", "--overwrite", "--path"])
        .arg(&document)
        .arg("--output-path")
        .arg(folder.join(PACKAGE))
        // Standard output is dropped: it is about the generator's formatter.
        .stdout(Stdio::null()))?;
    run(deployment
        .visit(python.join("python"))
        .arg(project::root().join(SOURCES).join("client.py"))
        .env("PYTHONPATH", &folder))?;

    say::step("a client over types made by openapi-typescript");
    run(node_program(&node, "openapi-typescript").arg(&document).args(["-o", "schema.d.ts"]))?;
    let options = ["--strict", "--skipLibCheck", "--module", "nodenext", "--target", "es2022", "--outDir", "out"];
    run(node_program(&node, "tsc").args(options).arg("client.ts"))?;
    run(deployment.visit(need("node", "nodejs")?).arg(node.join("out/client.js")))?;

    say::step("the metrics, by promtool");
    deployment.check_metrics(&promtool)?;
    say::step("the alerts, by promtool");
    run(Command::new(&promtool)
        .args(["check", "rules"])
        .arg(project::root().join("packaging/prometheus-alerts.yaml")))?;
    say::step("the metrics, by a Prometheus that scrapes them");
    prometheus::scrape(&deployment.base)?;

    // Run both before reporting a failure of the first: a run takes minutes.
    let runs = ["session", "token"].map(|credential| {
        say::step(format!("every operation by a {credential}, by schemathesis"));
        run(deployment
            .visit(python.join("schemathesis"))
            .arg("--config-file")
            .arg(project::root().join(SOURCES).join("schemathesis.toml"))
            .args(["run", "--no-color", "--seed", "1", "--max-examples", "20", "--continue-on-failure"])
            .arg(format!("{}/openapi.json", deployment.base))
            .env("SCHEMATHESIS_HOOKS", "hooks")
            .env("PYTHONPATH", project::root().join(SOURCES))
            // Keep compiled Python files out of the sources.
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("NOLAPSE_AS", credential)
            .current_dir(&folder))
    });
    deployment.stop()?;
    runs.into_iter().collect()
}

/// Makes a folder with the packages of `package.json` and the client.
fn node(folder: &Path) -> Result<PathBuf> {
    let (sources, folder) = (project::root().join(SOURCES), folder.join("node"));
    std::fs::create_dir_all(&folder).attempt(|| format!("create {}", folder.display()))?;
    for name in ["package.json", "client.ts"] {
        std::fs::copy(sources.join(name), folder.join(name)).attempt(|| format!("copy {SOURCES}/{name}"))?;
    }
    install::once(&sources.join("package.json"), &folder.join("installed.json"), || {
        run(Command::new(need("npm", "npm")?)
            .args(["install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"])
            .current_dir(&folder)
            .stdout(std::io::stderr()))
        .map_err(|fail| Fail::new(fail.to_string()).fix("npm has to reach its registry: npm ping"))
    })?;
    Ok(folder)
}

fn node_program(folder: &Path, name: &str) -> Command {
    let mut command = Command::new(folder.join("node_modules/.bin").join(name));
    command.current_dir(folder).stdout(std::io::stderr());
    command
}

/// A server with an owner, over a temporary database.
struct Deployment {
    server: Server,
    base: String,
    _folder: tempfile::TempDir,
}

impl Deployment {
    fn start() -> Result<Self> {
        let program = product::build(product::Profile::Dev)?;
        let folder = tempfile::tempdir().attempt(|| "make a folder for the database".into())?;
        let url = format!("sqlite://{}", folder.path().join("nolapse.db").display());
        let mut setup = Command::new(&program);
        setup.args(["setup", "--org", "acme", "--email", EMAIL, "--password-stdin", "--database-url", &url]);
        run_with_input(setup.envs(SETTINGS.iter().copied()).stdout(Stdio::null()), format!("{PASSWORD}\n").as_bytes())?;
        let launch = Launch::new(&program).args(["serve", "--listen", "127.0.0.1:0", "--database-url", &url]);
        let launch = SETTINGS.iter().fold(launch, |launch, (name, value)| launch.env(name, value));
        let mut server = launch.directory(folder.path()).start(Stdio::piped(), Stdio::null())?;
        let base = product::listening(&mut server, |_| {})?;
        Ok(Self { server, base, _folder: folder })
    }

    /// A command with the server's address and the owner's password in its environment.
    fn visit(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env("NOLAPSE_URL", &self.base).env("NOLAPSE_EMAIL", EMAIL).env("NOLAPSE_PASSWORD", PASSWORD);
        command
    }

    fn check_metrics(&self, promtool: &Path) -> Result {
        let text = output(Command::new(need("curl", "curl")?).args(["-sSf", &format!("{}/metrics", self.base)]))?;
        run_with_input(Command::new(promtool).args(["check", "metrics"]), &text)
    }

    fn stop(&mut self) -> Result {
        let status = self.server.stop()?;
        if status.success() { Ok(()) } else { Err(Fail::new(format!("the server stopped with {status}"))) }
    }
}
