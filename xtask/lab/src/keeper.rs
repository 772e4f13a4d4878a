//! `cargo xtask cluster up|down|status`: a cluster that outlives the command that starts it.
//!
//! `up` starts this program once more, in the background, to own all servers; `down` ends that process, and with it
//! everything it owns.

use crate::cluster::{Cluster, EMAIL, PASSWORD, Shape};
use crate::node::Node;
use crate::postgres::{pid, signal, until};
use client::{Client, Plain};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use task_support::args::Args;
use task_support::fail::{Context as _, Fail, Result};
use task_support::process::POLL;
use task_support::services::{Redis, tail};
use task_support::{interrupt, project, say};

/// The name under which `up` starts the process in the background.
const KEEP: &str = "keep";

/// `cargo xtask cluster up|down|status`
pub(crate) fn task(what: &str, args: Args) -> Result {
    let home = project::target_directory()?.join("cluster");
    match what {
        "up" => up(&home, args),
        "down" => args.finish().and_then(|()| down(&home)),
        "status" => args.finish().and_then(|()| status(&home)),
        KEEP => keep(&home, args),
        _ => Err(Fail::usage(format!("cluster {what:?} does not exist: up, down or status"))),
    }
}

fn up(home: &Path, mut args: Args) -> Result {
    let shape = Shape::read(&mut args)?;
    args.finish()?;
    if keeper(home).is_some() {
        return Err(Fail::new("a cluster is up already").fix("cargo xtask cluster down"));
    }
    let shape = shape.built()?;
    std::fs::create_dir_all(home).attempt(|| format!("create {}", home.display()))?;
    let log = home.join("cluster.log");
    let output = File::create(&log).attempt(|| format!("create {}", log.display()))?;
    let errors = output.try_clone().attempt(|| format!("share {}", log.display()))?;
    let program = std::env::current_exe().attempt(|| "find this program".into())?;
    let mut command = Command::new(program);
    command.args(["cluster", KEEP]).args(shape.options()).process_group(0).stdin(Stdio::null());
    let mut child = command.stdout(output).stderr(errors).spawn().attempt(|| "start the cluster's process".into())?;
    say::step(format!("starting, which {} says more about", log.display()));
    let mut failed = false;
    let stated = until("the cluster is not up", || {
        failed = child.try_wait().is_ok_and(|status| status.is_some());
        if failed { Some(None) } else { state(home).filter(|state| state["keeper"] == child.id()).map(Some) }
    })?;
    match stated {
        Some(_) => status(home),
        None => Err(Fail::new(format!("the cluster did not start:\n{}", tail(&log)))),
    }
}

/// Owns the cluster until it is told to end.
fn keep(home: &Path, mut args: Args) -> Result {
    let shape = Shape::read(&mut args)?.built()?;
    args.finish()?;
    let cluster = Cluster::start(&shape, home)?;
    let state = json!({
        "keeper": std::process::id(),
        "front": cluster.address,
        "nodes": cluster.nodes.iter().map(Node::address).collect::<Vec<_>>(),
        "postgres": cluster.database.ports(),
        "redis": cluster.redis.as_ref().map(Redis::url),
    });
    // Renamed into place, so that nobody reads half of it.
    let (file, draft) = (state_file(home), home.join("state.json.new"));
    std::fs::write(&draft, format!("{state:#}\n")).attempt(|| format!("write {}", draft.display()))?;
    std::fs::rename(&draft, &file).attempt(|| format!("write {}", file.display()))?;
    while !interrupt::seen() {
        sleep(POLL);
    }
    std::fs::remove_file(&file).attempt(|| format!("remove {}", file.display()))
}

fn down(home: &Path) -> Result {
    let Some(keeper) = keeper(home) else {
        say::note("no cluster is up");
        return Ok(());
    };
    say::step("stopping the cluster");
    signal(pid(keeper), Signal::TERM);
    until("the cluster does not stop", || (!is_keeper(keeper)).then_some(()))
}

fn status(home: &Path) -> Result {
    let state = state(home).filter(|_| keeper(home).is_some());
    let state = state.ok_or_else(|| Fail::new("no cluster is up").fix("cargo xtask cluster up"))?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let is_ready = |address: &str| Client::new(address, Plain::LocalOnly).and_then(|node| node.ready()).is_ok();
    let word = |address: &str| if is_ready(address) { "ready" } else { "not ready" };
    let front = text(&state["front"]);
    say::out(format!("front      {front}   {}", word(&front)));
    for node in state["nodes"].as_array().into_iter().flatten().map(text) {
        say::out(format!("node       {node}   {}", word(&node)));
    }
    say::out(format!("PostgreSQL on the ports {} of 127.0.0.1", state["postgres"]));
    if let Some(redis) = state["redis"].as_str() {
        say::out(format!("Redis      {redis}"));
    }
    say::out(format!("sign in    {EMAIL}   {PASSWORD:?}"));
    say::out(format!("logs       {}   (stop it: cargo xtask cluster down)", home.display()));
    Ok(())
}

fn state_file(home: &Path) -> PathBuf {
    home.join("state.json")
}

fn state(home: &Path) -> Option<Value> {
    serde_json::from_str(&std::fs::read_to_string(state_file(home)).ok()?).ok()
}

/// The process that owns the cluster, if it lives.
fn keeper(home: &Path) -> Option<u32> {
    u32::try_from(state(home)?["keeper"].as_u64()?).ok().filter(|id| is_keeper(*id))
}

/// Whether a process is one that owns a cluster: its number may be another program's by now.
fn is_keeper(id: u32) -> bool {
    let words = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
    let mut words = words.split(|byte| *byte == 0).skip(1);
    words.next() == Some(b"cluster".as_slice()) && words.next() == Some(KEEP.as_bytes())
}
