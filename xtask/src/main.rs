//! Local development: the project's own tasks, run as `cargo xtask <task>`.
//!
//! Plain processes and few crates, none of the product: this program builds in seconds and works while the product does
//! not compile. Progress goes to standard error; a failure names the command that fixes it.

mod book;
mod check;
mod conformance;
mod dist;
mod install;
mod lint;
mod test;

use std::os::unix::process::CommandExt as _;
use std::process::ExitCode;
use task_support::args::Args;
use task_support::fail::{Context as _, Fail, Result};
use task_support::{project, say, services};

/// One task: its name, usage, description and function.
struct Task {
    name: &'static str,
    usage: &'static str,
    about: &'static str,
    run: fn(Args) -> Result,
}

/// Every task; `help` is generated from this table.
const TASKS: &[Task] = &[
    Task {
        name: "dev",
        usage: "dev [--fresh] [--empty] [--once] [--listen ADDR]",
        about: "a server with a first token and the request that validates it; --once checks all that and stops",
        run: dev,
    },
    Task {
        name: "test",
        usage: "test [--full] [-p PACKAGE] [filter…]",
        about: "all tests, with a throw-away PostgreSQL; --full runs the long versions",
        run: test::task,
    },
    Task {
        name: "cluster",
        usage: "cluster up|down|status [--nodes N] [--patroni] [--pgbouncer] [--redis] [--program PATH]",
        about: "nodes on one PostgreSQL behind HAProxy, in the background: --patroni adds a synchronous standby that takes over, \
                --pgbouncer a pooler, --redis what nodes may share; --program runs a nolapse-api that is built already",
        run: |args| lab("cluster", args),
    },
    Task {
        name: "chaos",
        usage: "chaos [--seconds N] [--seed S] [--fault NAME,…|none] [--faults] [--owners N] [--relaxed] [--nodes N] [--patroni] [--redis] …",
        about: "faults in such a cluster under load, and a verdict on what clients saw; --faults lists them, --relaxed is \
                to be found at fault",
        run: |args| lab("chaos", args),
    },
    Task {
        name: "conformance",
        usage: "conformance",
        about: "the API document, the server and its metrics, tried by a validator, generated clients, schemathesis and \
                Prometheus; part of test --full",
        run: conformance::alone,
    },
    Task {
        name: "services",
        usage: "services [--durable] -- <command…>",
        about: "runs a command with a throw-away PostgreSQL around it",
        run: services::task,
    },
    Task {
        name: "check",
        usage: "check [--write]",
        about: "arrows, dependencies, tidiness, generated files; --write makes generated files anew",
        run: check::task,
    },
    Task {
        name: "bench",
        usage: "bench <name>|all [--quick|--full] [--backend sqlite|postgres] [--pipeline N] [--tokens N] [--dev] [--write]",
        about: "the product against a bare server, interleaved, and what it takes otherwise; `bench` alone lists them; \
                --write puts tables and goals into bench/results, --dev takes a build without optimisation, for \
                work on a benchmark",
        run: bench,
    },
    Task {
        name: "dist",
        usage: "dist [--dev] [--trial]",
        about: "a Debian package, archives (static where musl is installed), a bill of materials and their checksums, in the \
                target folder; --dev packs a build without optimisation and not for musl, --trial installs, upgrades and \
                purges the package on a clean Debian",
        run: dist::task,
    },
    Task {
        name: "lint",
        usage: "lint",
        about: "runs linters over the Dockerfile, the compose file, shell scripts, the systemd unit and the book's CI recipes",
        run: lint::task,
    },
    Task { name: "book", usage: "book", about: "the book as pages, by mdBook", run: book::task },
    Task { name: "help", usage: "help", about: "this list", run: help },
];

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_else(|| "help".to_owned());
    task_support::main(|| run(&name, Args::new(arguments)))
}

fn run(name: &str, args: Args) -> Result {
    let name = if matches!(name, "--help" | "-h") { "help" } else { name };
    match TASKS.iter().find(|task| task.name == name) {
        Some(task) => (task.run)(args),
        None => Err(Fail::usage(format!("there is no task {name:?}"))),
    }
}

/// A development server.
fn dev(args: Args) -> Result {
    instead("dev", args.all())
}

/// A task of the package `lab`.
fn lab(task: &str, args: Args) -> Result {
    instead("lab", std::iter::once(task.to_owned()).chain(args.all()).collect())
}

/// Runs a package that is separate because it needs the client that `check --write` generates. It replaces this process
/// (exec), so that only it receives Ctrl-C.
fn instead(package: &str, arguments: Vec<String>) -> Result {
    let mut cargo = project::cargo();
    let error = cargo.args(["run", "--quiet", "--locked", "--package", package, "--"]).args(arguments).exec();
    Err(error).attempt(|| "start cargo".into())
}

/// Runs the package of the benchmarks.
fn bench(args: Args) -> Result {
    let mut cargo = project::cargo();
    task_support::process::run(cargo.args(["run", "--quiet", "--locked", "--package", "bench", "--"]).args(args.all()))
}

fn help(args: Args) -> Result {
    args.finish()?;
    say::out("Tasks of the nolapse tokens project: cargo xtask <task>\n");
    for task in TASKS {
        say::out(format!("  {}\n      {}", task.usage, task.about));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_has_one_name_and_its_usage_begins_with_it() {
        for (at, task) in TASKS.iter().enumerate() {
            assert!(task.usage.starts_with(task.name), "{}", task.usage);
            assert!(TASKS[at + 1..].iter().all(|other| other.name != task.name), "{} twice", task.name);
        }
    }

    #[test]
    fn an_unknown_task_is_a_usage_error() {
        assert_eq!(run("tset", Args::new([])).unwrap_err().code(), 2);
    }
}
