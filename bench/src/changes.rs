//! Creating and revoking tokens, with everything that is part of a change (transaction, audit row, log entry, fence).
//! There is no baseline server; the time of a disk sync, measured in the same minutes, is printed beside them.

use super::against::turn;
use super::client::Client;
use super::contender::Amounts;
use super::goals::{Figure, Goal, Outcome};
use super::plan::Plan;
use super::report::Round;
use super::request::{Answer, Order};
use super::stage::{GENERATOR_CORE, Stage};
use super::stats::Spread;
use super::stock::Stock;
use super::wrk::{Generator, Load};
use std::fmt::{self, Write as _};
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};
use task_support::fail::{Context as _, Fail, Result};
use task_support::say;

/// Disk syncs of one sample.
const SYNCS: usize = 200;
/// Tokens to revoke in each round, by size.
const REVOKED: [usize; 3] = [200, 1_000, 4_000];
/// The hash scheme of the product, and the number of concurrent clients.
const CREATES: [(&str, u32); 4] = [("bcrypt", 1), ("bcrypt", 16), ("sha256", 1), ("sha256", 16)];
const REVOKES: [u32; 2] = [1, 16];
const SCHEME: &str = "NOLAPSE__HASHING__TOKEN_SCHEME";
/// The number of names, from which created tokens get random ones.
const NAMES: usize = 1_000;
/// Length of a token's id as text.
const ID_LENGTH: usize = 36;

/// `cargo xtask bench create`: the table.
pub(super) fn create(plan: &Plan, stock: &mut Stock) -> Result<Outcome> {
    stock.clear();
    let stage = Stage::prepare(plan.profile, plan.backend)?;
    let folder = stage.folder.path();
    let names: Vec<String> = (0..NAMES).map(|number| format!("bench {number:06}")).collect();
    stage.product.seed(1, &folder.join("tokens"))?;
    write_lines(&folder.join("tokens"), &names)?;
    let mut rows = Vec::new();
    for (scheme, clients) in CREATES {
        say::step(format!("creating with {scheme}, {clients} at once"));
        let product = stage.product.with(SCHEME, scheme);
        let running = product.start()?;
        let client = Client::sign_in(&running)?;
        let (before, after) = (r#"{"name":""#, r#"","scopes":["execute"]}"#);
        let head = format!(
            "POST /v1/tokens HTTP/1.1\r\nHost: localhost\r\n{}\r\nContent-Length: {}\r\n\r\n{before}",
            client.header(),
            before.len() + names[0].len() + after.len(),
        );
        let generator = Generator::prepare(folder, "create", "tokens", (&head, after), GENERATOR_CORE)?;
        let mut rounds = Vec::new();
        for _ in 0..plan.size.rounds {
            let time = Duration::from_secs(plan.size.seconds);
            let load = Load { connections: clients, ..Load::usual(running.port, time, Order::Random) };
            rounds.push(turn(&generator, &running, &load, &product.observed(&running), Answer::Live)?);
        }
        rows.push((format!("{scheme} | {clients}"), rounds));
    }
    let cpu = |rounds: &[Round]| median(rounds, &|round| round.cpu_us() / 1e3);
    let figures = CREATES.iter().zip(&rows).flat_map(|(kind, (_, rounds))| match kind {
        ("bcrypt", 1) => vec![(Goal::CreateBcryptCpu, cpu(rounds))],
        ("sha256", 1) => vec![(Goal::CreateCpu, cpu(rounds))],
        ("sha256", 16) => {
            vec![(Goal::CreateCpuAtOnce, cpu(rounds)), (Goal::CreateRate, median(rounds, &Round::per_second))]
        }
        (_, _) => Vec::new(),
    });
    let figures = figures.map(|(goal, value)| Figure { goal, on: Some(plan.backend), value }).collect();
    let text = format!(
        "{} rounds of {} s.\n\n{}",
        plan.size.rounds,
        plan.size.seconds,
        table("scheme | clients", &rows, &Sync::measure(folder)?)
    );
    Ok(Outcome { text, figures })
}

/// `cargo xtask bench revoke`: the table.
pub(super) fn revoke(plan: &Plan, stock: &mut Stock) -> Result<Outcome> {
    stock.clear();
    let count = REVOKED[plan.size.index];
    let stage = Stage::prepare(plan.profile, plan.backend)?;
    let folder = stage.folder.path();
    let every = usize::try_from(plan.size.rounds).unwrap_or(1) * REVOKES.len() * count;
    stage.product.fill(&Amounts { tokens: every, ..Amounts::default() }, &folder.join("tokens"))?;
    let running = stage.product.start()?;
    let client = Client::sign_in(&running)?;
    let ids = token_ids(&client, every)?;
    let mut parts = ids.chunks(count);
    let head = "DELETE /v1/tokens/";
    let tail = format!(" HTTP/1.1\r\nHost: localhost\r\n{}\r\n\r\n", client.header());
    let generator = Generator::prepare(folder, "revoke", "tokens", (head, &tail), GENERATOR_CORE)?;
    let mut rows = Vec::new();
    for clients in REVOKES {
        say::step(format!("revoking, {clients} at once"));
        let mut rounds = Vec::new();
        for part in parts.by_ref().take(usize::try_from(plan.size.rounds).unwrap_or(1)) {
            write_lines(&folder.join("tokens"), part)?;
            let time = Duration::from_mins(2);
            let load = Load { connections: clients, ..Load::usual(running.port, time, Order::Once) };
            rounds.push(turn(&generator, &running, &load, &stage.product.observed(&running), Answer::Live)?);
        }
        rows.push((clients.to_string(), rounds));
    }
    let sync = Sync::measure(folder)?;
    let alone = rows.first().map(|(_, rounds)| rounds.as_slice()).unwrap_or_default();
    let latency = |at: usize| median(alone, &|round| round.latency_ms()[at]);
    let figures = [(Goal::RevokeWait, latency(0) - sync.half_ms), (Goal::RevokeTail, latency(1))];
    let figures = figures.map(|(goal, value)| Figure { goal, on: Some(plan.backend), value }).to_vec();
    let text = format!("{} rounds of {count} tokens.\n\n{}", plan.size.rounds, table("clients", &rows, &sync));
    Ok(Outcome { text, figures })
}

fn median(rounds: &[Round], read: &dyn Fn(&Round) -> f64) -> f64 {
    Spread::of(rounds.iter().map(read)).median
}

/// The ids of `count` tokens, newest first.
fn token_ids(client: &Client, count: usize) -> Result<Vec<String>> {
    let mut ids = Vec::with_capacity(count);
    let mut path = "/v1/tokens?limit=1000".to_owned();
    loop {
        let answer = client.get(&path)?;
        let tokens = answer["tokens"].as_array().map(Vec::as_slice).unwrap_or_default();
        ids.extend(tokens.iter().filter_map(|token| token["id"].as_str()).map(str::to_owned));
        match answer["next_cursor"].as_str() {
            Some(next) if ids.len() < count => path = format!("/v1/tokens?limit=1000&cursor={next}"),
            Some(_) | None => break,
        }
    }
    ids.truncate(count);
    if ids.len() == count && ids.iter().all(|id| id.len() == ID_LENGTH) {
        return Ok(ids);
    }
    Err(Fail::new(format!("{} tokens are listed instead of {count}, or an id is no UUID", ids.len())))
}

fn write_lines(file: &Path, lines: &[String]) -> Result {
    std::fs::write(file, lines.join("\n") + "\n").attempt(|| format!("write {}", file.display()))
}

/// How long the disk takes to make one page durable, in milliseconds: the lower bound of a commit.
struct Sync {
    /// The median.
    half_ms: f64,
    /// The 99th percentile.
    tail_ms: f64,
}

impl Sync {
    fn measure(folder: &Path) -> Result<Self> {
        let name = || "measure the disk".to_owned();
        let mut file = File::create(folder.join("sync")).attempt(name)?;
        let mut taken = Vec::with_capacity(SYNCS);
        for _ in 0..SYNCS {
            let started = Instant::now();
            file.write_all(&[0x5a; 4096]).attempt(name)?;
            file.sync_data().attempt(name)?;
            taken.push(started.elapsed().as_secs_f64() * 1e3);
        }
        taken.sort_by(f64::total_cmp);
        Ok(Self { half_ms: taken[SYNCS / 2], tail_ms: taken[SYNCS * 99 / 100] })
    }
}

impl fmt::Display for Sync {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { half_ms, tail_ms } = self;
        write!(f, "One wait for the disk, in the same folder: p50 {half_ms:.2} ms, p99 {tail_ms:.2} ms.")
    }
}

fn table(head: &str, rows: &[(String, Vec<Round>)], sync: &Sync) -> String {
    let columns = head.split('|').count();
    let mut text = format!(
        "| {head} | per second (least–most) | p50 ms | p99 ms | CPU ms each |\n|{}{}\n",
        " --- |".repeat(columns),
        " ---: |".repeat(4)
    );
    for (name, rounds) in rows {
        let of = |read: &dyn Fn(&Round) -> f64| Spread::of(rounds.iter().map(read));
        let rate = of(&|round| round.per_second());
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "| {name} | {:.0} ({:.0}–{:.0}) | {:.2} | {:.2} | {:.3} |",
            rate.median,
            rate.min,
            rate.max,
            of(&|round| round.latency_ms()[0]).median,
            of(&|round| round.latency_ms()[1]).median,
            of(&|round| round.cpu_us() / 1e3).median,
        );
    }
    format!("{text}\n{sync}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wrk::Seen;

    #[test]
    fn a_row_has_the_medians_of_its_rounds() {
        let round = |per_second: u64, cpu: u64| {
            let seen = Seen {
                requests: per_second,
                duration: Duration::from_secs(1),
                latency_us: [per_second, 2 * per_second, 0],
                refused: 0,
                failed: 0,
            };
            Round::new(&seen, Duration::from_millis(cpu), 0)
        };
        let rows = [("sha256 | 16".to_owned(), vec![round(1_000, 100), round(3_000, 300), round(2_000, 400)])];
        let table = table("scheme | clients", &rows, &Sync { half_ms: 1.0, tail_ms: 2.0 });
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(lines[0], "| scheme | clients | per second (least–most) | p50 ms | p99 ms | CPU ms each |");
        assert_eq!(lines[1], "| --- | --- | ---: | ---: | ---: | ---: |");
        assert_eq!(lines[2], "| sha256 | 16 | 2000 (1000–3000) | 2.00 | 4.00 | 0.100 |");
        assert_eq!(lines[4], "One wait for the disk, in the same folder: p50 1.00 ms, p99 2.00 ms.");
    }

    #[test]
    fn a_disk_sync_is_measured() {
        let folder = tempfile::tempdir().unwrap();
        let sync = Sync::measure(folder.path()).unwrap();
        assert!(0.0 < sync.half_ms && sync.half_ms <= sync.tail_ms);
        assert_eq!(std::fs::metadata(folder.path().join("sync")).unwrap().len(), 4096 * SYNCS as u64);
    }
}
