//! What signing in costs, counted in instructions: for an address that somebody has, for one whose password was stored when
//! hashes were cheaper, and for one that nobody has. Times vary
//! with the machine and its other work; instructions do not, and a difference in them is what a patient listener measures.

use std::process::{Command, Stdio};

use authority::Policy;
use authority::hashing::{Argon2Params, Scheme};
use authority::sessions::SignInError;
use storage::StoreOptions;
use test_support::world::{EMAIL, Options, origin};
use test_support::{Backend, Db, World};

/// The address to sign in with, and how often.
const ADDRESS: &str = "NOLAPSE_COST_ADDRESS";
const ATTEMPTS: &str = "NOLAPSE_COST_ATTEMPTS";
/// The passes by which the password was stored; today's are three.
const PASSES: &str = "NOLAPSE_COST_PASSES";

/// Instructions of a process that sets up a deployment and then tries to sign in so many times.
fn instructions(address: &str, passes: u32, attempts: u32) -> u64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().expect("this program"))
        .args(["cost::attempts", "--exact", "--ignored", "--test-threads=1"])
        .env(ADDRESS, address)
        .env(ATTEMPTS, attempts.to_string())
        .env(PASSES, passes.to_string())
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
    let counts = [(EMAIL, 3), (EMAIL, 1), (unknown, 3)]
        .map(|(address, passes)| instructions(address, passes, TIMES) - instructions(address, passes, 0));
    let [known, older, _] = counts;
    let spread = counts.iter().max().unwrap() - counts.iter().min().unwrap();
    println!(
        "known {known}, by an older hash {older}, unknown {}: {} permille apart",
        counts[2],
        spread * 1_000 / known
    );
    assert!(spread * 1_000 / known <= 10, "{counts:?}");
}

/// What is counted above. The real cost of a hash: a cheap one would leave the rest of the way no smaller than it is.
#[test]
#[ignore = "counted by another test"]
fn attempts() {
    let number = |name| std::env::var(name).ok().and_then(|text: String| text.parse::<u32>().ok());
    let (Ok(address), Some(attempts), Some(passes)) = (std::env::var(ADDRESS), number(ATTEMPTS), number(PASSES)) else {
        return;
    };
    Db::on(Backend::Sqlite, StoreOptions::default(), async |db| {
        let by = |iterations| Policy {
            scheme: Scheme::Sha256,
            password: Argon2Params { iterations, ..Argon2Params::DEFAULT },
            ..Policy::default()
        };
        World::with(db, Options { policy: by(passes), ..Options::default() }).await;
        let world = World::with(db, Options { policy: by(3), ..Options::default() }).await;
        for _ in 0..attempts {
            let refused = world.sessions.sign_in(&address, "not the password".to_owned().into(), None, &origin()).await;
            assert!(matches!(refused, Err(SignInError::Denied)));
        }
    });
}
