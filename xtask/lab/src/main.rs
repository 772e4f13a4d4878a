//! A cluster on this machine (`cargo xtask cluster`), and faults in it while clients watch (`cargo xtask chaos`).

mod chaos;
mod checker;
mod cluster;
mod faults;
mod front;
mod history;
mod keeper;
mod load;
mod node;
mod postgres;
mod psql;
mod report;

use std::process::ExitCode;
use task_support::args::Args;
use task_support::fail::{Fail, Result};

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let task = words.next().unwrap_or_default();
    task_support::main(|| run(&task, words.collect()))
}

/// `chaos …`, or `cluster up|down|status …`
fn run(task: &str, mut words: Vec<String>) -> Result {
    match task {
        "chaos" => chaos::task(Args::new(words)),
        "cluster" if !words.is_empty() => {
            let what = words.remove(0);
            keeper::task(&what, Args::new(words))
        }
        _ => Err(Fail::usage("which? cargo xtask cluster up|down|status, or cargo xtask chaos")),
    }
}
