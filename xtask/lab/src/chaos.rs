//! `cargo xtask chaos`: faults in a cluster under load, and a verdict on what clients saw.

use crate::checker;
use crate::cluster::{Cluster, Shape};
use crate::faults::{self, FAULTS, Fault, pause};
use crate::history::Stopwatch;
use crate::load::{self, Crowd, Load};
use crate::node::Node;
use crate::report::{self, Happened};
use std::time::{Duration, Instant};
use task_support::args::Args;
use task_support::chance::Chance;
use task_support::fail::{Context as _, Result};
use task_support::{project, say};

/// How long a run takes if nobody says.
const SECONDS: u64 = 60;
/// On two processor cores more clients only wait longer.
const CROWD: Crowd = Crowd { owners: 4, watchers: 2, of_front: 1 };

/// `cargo xtask chaos [--seconds N] [--seed S] [--fault NAME,…|none] [--owners N] [--relaxed]`, and what a cluster takes.
pub(crate) fn task(mut args: Args) -> Result {
    let mut shape = Shape::read(&mut args)?;
    let seconds = number(&mut args, "--seconds")?.unwrap_or(SECONDS);
    let seed = number(&mut args, "--seed")?.unwrap_or_else(|| u64::from(std::process::id()));
    let names = args.value("--fault")?;
    // They wait for acknowledgements most of the time: with more of them, more is revoked.
    let owners = number(&mut args, "--owners")?.and_then(|owners| usize::try_from(owners).ok());
    let crowd = Crowd { owners: owners.unwrap_or(CROWD.owners), ..CROWD };
    if args.flag("--relaxed") {
        // Answers before acknowledgements, on purpose: the checker must find it.
        shape.consistency = "relaxed";
    }
    if args.flag("--faults") {
        for fault in &FAULTS {
            say::out(format!("{:<12}  {}", fault.name, fault.about));
        }
        return args.finish();
    }
    args.finish()?;
    let logs = project::target_directory()?.join("chaos");
    let mut cluster = Cluster::start(&shape.built()?, &logs)?;
    let faults = faults::chosen(names.as_deref(), &cluster)?;

    let nodes: Vec<String> = cluster.nodes.iter().map(Node::address).collect();
    let stopwatch = Stopwatch::start();
    let load = Load::new(&nodes, &cluster.address, stopwatch)?;
    let mut chance = Chance::new(seed);
    let mut happened = Vec::new();
    say::step(format!("{seconds} s of load and faults, seed {seed}; logs are in {}", logs.display()));
    let (result, mut clients) = load.run(crowd, chance.number(), || {
        // The last fault ends in time for what it leaves behind to be seen.
        let end = Instant::now() + Duration::from_secs(seconds);
        while Instant::now() < end {
            pause(Duration::from_millis(500 + chance.number() % 1_500))?;
            if !faults.is_empty() {
                let fault = *chance.pick(&faults);
                happened.push(let_happen(fault, &mut cluster, &mut chance, stopwatch)?);
            }
        }
        pause(Duration::from_secs(1))
    });
    result?;
    say::step("looking at everything once more");
    load.look_back(&mut clients);
    let history = load::history(&clients);
    let found = checker::check(&history);
    say::out(format!("seed          {seed}, {seconds} s, {} nodes", nodes.len()));
    if let Some(text) = report::acknowledgement(&nodes) {
        say::out(format!("commit → all  {text}"));
    }
    if let Some(text) = report::shared(&nodes) {
        say::out(format!("shared cache  {text}"));
    }
    let is_only_restarts = faults.iter().all(|fault| fault.name == "restart");
    let verdict = report::conclude(&clients, &history, &found, &happened, is_only_restarts);
    if verdict.is_ok() {
        say::out(
            "verdict       good: nothing valid after its revocation was answered, nothing lost that was acknowledged",
        );
    }
    verdict
}

fn let_happen(fault: &Fault, cluster: &mut Cluster, chance: &mut Chance, stopwatch: Stopwatch) -> Result<Happened> {
    let from = stopwatch.now();
    say::step(format!("{} s: {}", from / 1_000_000_000, fault.name));
    fault.happen(cluster, chance)?;
    Ok(Happened { name: fault.name, from, to: stopwatch.now() })
}

fn number(args: &mut Args, name: &str) -> Result<Option<u64>> {
    args.value(name)?.map(|text| text.parse().attempt(|| format!("read {name} {text}"))).transpose()
}
