//! What signing in costs, counted in instructions: for an address that somebody has and for one that nobody has. Times vary
//! with the machine and its other work; instructions do not, and a difference in them is what a patient listener measures.

use std::process::{Command, Stdio};

use authority::Policy;
use authority::hashing::Scheme;
use authority::sessions::SignInError;
use storage::StoreOptions;
use test_support::world::{EMAIL, Options, origin};
use test_support::{Backend, Db, World};

/// The address to sign in with, and how often.
const ADDRESS: &str = "NOLAPSE_COST_ADDRESS";
const ATTEMPTS: &str = "NOLAPSE_COST_ATTEMPTS";

/// Instructions of a process that sets up a deployment and then tries to sign in so many times.
fn instructions(address: &str, attempts: u32) -> u64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().expect("this program"))
        .args(["cost::attempts", "--exact", "--ignored", "--test-threads=1"])
        .env(ADDRESS, address)
        .env(ATTEMPTS, attempts.to_string())
        .stdin(Stdio::null())
        .output()
        .expect("valgrind, which `apt-get install valgrind` brings");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let collected = said.lines().find_map(|line| line.split_once("Collected :")).expect("a count").1;
    collected.trim().parse().expect("a number")
}

#[test]
#[ignore = "a minute under valgrind: cargo nextest run -p authority --run-ignored only instructions"]
fn an_unknown_address_costs_the_instructions_of_a_known_one() {
    const TIMES: u32 = 4;
    let unknown = "nobody@example.org";
    let ground = instructions(unknown, 0);
    let [known, unknown] = [EMAIL, unknown].map(|address| instructions(address, TIMES) - ground);
    let permille = known.abs_diff(unknown) * 1_000 / known;
    println!("known {known}, unknown {unknown}: {permille} permille apart");
    assert!(permille <= 10, "known {known}, unknown {unknown}");
}

/// What is counted above. The real cost of a hash: a cheap one would leave the rest of the way no smaller than it is.
#[test]
#[ignore = "counted by another test"]
fn attempts() {
    let number = |name| std::env::var(name).ok().and_then(|text: String| text.parse::<u32>().ok());
    let (Ok(address), Some(attempts)) = (std::env::var(ADDRESS), number(ATTEMPTS)) else { return };
    Db::on(Backend::Sqlite, StoreOptions::default(), async |db| {
        let policy = Policy { scheme: Scheme::Sha256, ..Policy::default() };
        let world = World::with(db, Options { policy, ..Options::default() }).await;
        for _ in 0..attempts {
            let refused = world.sessions.sign_in(&address, "not the password".to_owned().into(), None, &origin()).await;
            assert!(matches!(refused, Err(SignInError::Denied)));
        }
    });
}
