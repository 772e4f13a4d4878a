//! What others ask for the same check: the fastest of them, with its documented settings and everything in memory, beside
//! the product in the same rounds and under the same generator.
//!
//! Its program is in `xtask/peers`; npm installs what it needs, in exact versions, under `target/peers`.

use super::against::turn;
use super::cases::{Answer, Order, Request, VALIDATE, find};
use super::contender::{Running, start_peer};
use super::goals::{Figure, Goal, Outcome};
use super::plan::Plan;
use super::report::Round;
use super::stage::{GENERATOR_CORE, SERVER_CORE};
use super::stats::Spread;
use super::stock::{RUN_IN, Stock};
use super::tokens;
use super::wrk::{CONNECTIONS, Generator, Load};
use crate::fail::{Context as _, Fail, Result};
use crate::process::{need, run as run_command};
use crate::{project, say};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Tokens that a peer has stored; more make it no faster.
const STORED: usize = 10_000;
/// Where their programs are, and what is copied from there.
const SOURCES: &str = "xtask/peers";
const MANIFEST: &str = "package.json";

/// A server of others.
struct Peer {
    /// As it is called by those who make it.
    name: &'static str,
    /// Its program: `node <script> <count> <file>` writes tokens and prints where it listens.
    script: &'static str,
    /// Length of its tokens.
    token_length: usize,
    request: Request,
}

/// The fastest one known comes first; whichever is fastest here counts.
const PEERS: &[Peer] = &[Peer {
    name: "oidc-provider, introspection",
    script: "oidc-provider.mjs",
    token_length: 43,
    request: Request {
        line: "POST /token/introspection",
        // `bench:a-bench-needs-no-secret`, as the program knows its client.
        headers: &[
            "Authorization: Basic YmVuY2g6YS1iZW5jaC1uZWVkcy1uby1zZWNyZXQ=",
            "Content-Type: application/x-www-form-urlencoded",
        ],
        body: "token={token}",
    },
}];

/// What is asked of the product, and the goal of a peer's cost beside it.
const ASKED: [(&str, Goal); 2] = [("validate", Goal::PeerValidate), ("introspect", Goal::PeerIntrospect)];

/// `cargo xtask bench peers`: the table.
pub(super) fn run(plan: &Plan, stock: &mut Stock) -> Result<Outcome> {
    let installed = install()?;
    let seeded = stock.seeded(plan, plan.amount())?;
    let folder = seeded.stage.folder.path().to_owned();
    let mut own = Vec::new();
    for (name, _) in ASKED {
        let request = find(name).map_or(VALIDATE, |case| case.request);
        let credential = request.needs().map(|scope| seeded.credential(scope)).transpose()?.unwrap_or_default();
        let (head, tail) = request.cut(tokens::TOKEN_LENGTH, &credential);
        own.push(Generator::prepare(&folder, name, "tokens", (&head, &tail), GENERATOR_CORE)?);
    }
    seeded.warm()?;
    let (mut names, mut rounds) = (Vec::new(), Vec::new());
    for peer in PEERS {
        say::step(format!("{}, {STORED} tokens", peer.name));
        let (running, theirs) = peer.start(&installed, &folder)?;
        theirs.run(&Load::usual(running.port, RUN_IN, Order::Random))?;
        let time = Duration::from_secs(plan.size.seconds);
        let mut of_peer = Vec::new();
        for round in 1..=plan.size.rounds {
            say::step(format!("round {round} of {}", plan.size.rounds));
            let observed = [running.observed()];
            let product = seeded.running()?;
            let first = product.while_stopped(|| {
                turn(&theirs, &running, &Load::usual(running.port, time, Order::Random), &observed, Answer::Live)
            })?;
            let mut all = vec![first];
            for generator in &own {
                all.push(turn(
                    generator,
                    product,
                    &Load::usual(product.port, time, Order::Random),
                    &seeded.observed()?,
                    Answer::Live,
                )?);
            }
            of_peer.push(all);
        }
        names.push(peer.name);
        rounds.push(of_peer);
    }
    let text = format!(
        "{} rounds of {} s, {CONNECTIONS} connections; {} tokens of the product, {STORED} of each peer.\n\n{}",
        plan.size.rounds,
        plan.size.seconds,
        plan.amount(),
        table(&names, &rounds),
    );
    Ok(Outcome { text, figures: figures(&rounds) })
}

/// Of each peer, of each round: itself, then the product as asked in [`ASKED`].
type Rounds = [Vec<Vec<Round>>];

fn ratio(rounds: &[Vec<Round>], asked: usize) -> Spread {
    Spread::of(rounds.iter().map(|round| round[0].cpu_us() / round[1 + asked].cpu_us()))
}

fn figures(rounds: &Rounds) -> Vec<Figure> {
    let fastest = |asked: usize| rounds.iter().map(|rounds| ratio(rounds, asked).median).reduce(f64::min);
    let figure = |(asked, (_, goal)): (usize, &(&str, Goal))| {
        fastest(asked).map(|value| Figure { goal: *goal, on: None, value })
    };
    ASKED.iter().enumerate().filter_map(figure).collect()
}

fn table(names: &[&str], rounds: &Rounds) -> String {
    let mut text = String::from(
        "| server | checks/s | p50 ms | p99 ms | CPU µs/check | peer's CPU, of this one's (least–most) |\n\
         | --- | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for (peer, rounds) in names.iter().zip(rounds) {
        let servers = std::iter::once(*peer).chain(ASKED.iter().map(|(name, _)| *name));
        for (at, name) in servers.enumerate() {
            let median = |read: &dyn Fn(&Round) -> f64| Spread::of(rounds.iter().map(|round| read(&round[at]))).median;
            let compared = match at.checked_sub(1) {
                None => "1.0".to_owned(),
                Some(asked) => {
                    let Spread { min, median, max } = ratio(rounds, asked);
                    format!("**{median:.1}** ({min:.1}–{max:.1})")
                }
            };
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "| {name} | {:.0} | {:.2} | {:.2} | {:.2} | {compared} |",
                median(&Round::per_second),
                median(&|round| round.latency_ms()[0]),
                median(&|round| round.latency_ms()[1]),
                median(&Round::cpu_us),
            );
        }
    }
    text
}

impl Peer {
    /// Starts it on the server's core, and makes the generator that asks it.
    fn start(&self, installed: &Installed, folder: &Path) -> Result<(Running, Generator)> {
        let file = "peer-tokens";
        let script = installed.folder.join(self.script);
        let words = [script.display().to_string(), STORED.to_string(), folder.join(file).display().to_string()];
        let running = start_peer(&installed.node, words, folder, SERVER_CORE)?;
        let (head, tail) = self.request.cut(self.token_length, "");
        Ok((running, Generator::prepare(folder, "peer", file, (&head, &tail), GENERATOR_CORE)?))
    }
}

/// Peers that can be started.
struct Installed {
    node: PathBuf,
    folder: PathBuf,
}

/// Copies the programs of peers and lets npm install what they need, unless it has.
fn install() -> Result<Installed> {
    let (node, npm) = (need("node", "nodejs")?, need("npm", "npm")?);
    let (sources, folder) = (project::root().join(SOURCES), project::target_directory()?.join("peers"));
    std::fs::create_dir_all(&folder).attempt(|| format!("create {}", folder.display()))?;
    for peer in PEERS {
        let source = sources.join(peer.script);
        std::fs::copy(&source, folder.join(peer.script)).attempt(|| format!("copy {}", source.display()))?;
    }
    let wanted = std::fs::read_to_string(sources.join(MANIFEST)).attempt(|| format!("read {SOURCES}/{MANIFEST}"))?;
    let done = folder.join("installed.json");
    if std::fs::read_to_string(&done).is_ok_and(|there| there == wanted) {
        return Ok(Installed { node, folder });
    }
    say::step("installing the peers");
    std::fs::write(folder.join(MANIFEST), &wanted).attempt(|| format!("write {MANIFEST}"))?;
    run_command(
        Command::new(npm)
            .args(["install", "--omit=dev", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"])
            .current_dir(&folder)
            .stdout(std::io::stderr()),
    )
    .map_err(|fail| Fail::new(fail.to_string()).fix("npm has to reach its registry: npm ping"))?;
    std::fs::write(&done, &wanted).attempt(|| format!("write {}", done.display()))?;
    Ok(Installed { node, folder })
}

#[cfg(test)]
mod tests {
    use super::super::wrk::Seen;
    use super::*;

    fn round(cpu_ms: u64) -> Round {
        let seen = Seen {
            requests: 1_000,
            duration: Duration::from_secs(1),
            latency_us: [500, 2_000, 0],
            refused: 0,
            failed: 0,
        };
        Round::new(&seen, Duration::from_millis(cpu_ms), 0)
    }

    #[test]
    fn the_fastest_peer_is_the_one_that_counts() {
        let slow = vec![vec![round(900), round(9), round(10)], vec![round(450), round(9), round(10)]];
        let fast = vec![vec![round(160), round(8), round(10)]];
        let values: Vec<_> = figures(&[slow, fast]).iter().map(|figure| (figure.goal, figure.value)).collect();
        assert_eq!(values, [(Goal::PeerValidate, 20.0), (Goal::PeerIntrospect, 16.0)]);
    }

    #[test]
    fn ratios_are_taken_within_rounds() {
        let rounds = [vec![vec![round(200), round(10), round(20)], vec![round(100), round(5), round(10)]]];
        let table = table(&["peer"], &rounds);
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(lines[2], "| peer | 1000 | 0.50 | 2.00 | 150.00 | 1.0 |");
        assert_eq!(lines[3], "| validate | 1000 | 0.50 | 2.00 | 7.50 | **20.0** (20.0–20.0) |");
        assert_eq!(lines[4], "| introspect | 1000 | 0.50 | 2.00 | 15.00 | **10.0** (10.0–10.0) |");
    }

    #[test]
    fn every_peer_has_its_program_and_exact_versions() {
        let folder = project::root().join(SOURCES);
        for peer in PEERS {
            assert!(folder.join(peer.script).is_file(), "{}", peer.script);
        }
        let manifest: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(folder.join(MANIFEST)).unwrap()).unwrap();
        let versions = manifest["dependencies"].as_object().unwrap();
        assert!(!versions.is_empty());
        for (name, version) in versions {
            let version = version.as_str().unwrap();
            assert!(version.split('.').all(|part| part.parse::<u32>().is_ok()), "{name} {version}");
        }
    }
}
