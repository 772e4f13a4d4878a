//! The table a benchmark prints, and its place in `bench/results/README.md`.

use super::backend::Backend;
use super::cost::precise;
use super::goal_table;
use super::goals::Figure;
use super::plan::Plan;
use super::stats::Spread;
use super::wrk::Seen;
use std::process::Command;
use std::time::Duration;
use task_support::fail::{Context as _, Result};
use task_support::process::output;
use task_support::project;
use task_support::services::{Tool, find_or_install};

/// The page with the last results.
const PAGE: &str = "bench/results/README.md";
/// What the page begins with when it is new.
const PREFACE: &str = "# Performance\n\nThe tables are written by `cargo xtask bench <name> --write`; nobody edits their \
numbers by hand. Times differ between machines, ratios within\none interleaved run do not. *bare* is the same web framework with \
the same body parsed and a fixed answer.\n";

/// One server in one round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Round {
    per_second: f64,
    latency_ms: [f64; 3],
    cpu_us: f64,
    memory_mib: f64,
}

impl Round {
    /// Requests in a second.
    pub(super) const fn per_second(&self) -> f64 {
        self.per_second
    }

    /// The 50th, 99th and 99.9th percentiles of latency, in milliseconds.
    pub(super) const fn latency_ms(&self) -> [f64; 3] {
        self.latency_ms
    }

    /// Processor time of a request in microseconds.
    pub(super) const fn cpu_us(&self) -> f64 {
        self.cpu_us
    }

    /// From the clients' results, the processor time used meanwhile, and the resident bytes afterwards.
    pub(super) fn new(seen: &Seen, cpu: Duration, memory: u64) -> Self {
        let requests = precise(seen.requests);
        Self {
            per_second: requests / seen.duration.as_secs_f64(),
            latency_ms: seen.latency_us.map(|us| precise(us) / 1e3),
            cpu_us: cpu.as_secs_f64() * 1e6 / requests,
            memory_mib: precise(memory) / f64::from(1 << 20),
        }
    }
}

/// A column: its title, how to read it from a round, and its decimals.
type Column = (&'static str, fn(&Round) -> f64, usize);

const COLUMNS: [Column; 6] = [
    ("requests/s", |round| round.per_second, 0),
    ("p50 ms", |round| round.latency_ms[0], 2),
    ("p99 ms", |round| round.latency_ms[1], 2),
    ("p99.9 ms", |round| round.latency_ms[2], 2),
    ("CPU µs/request", |round| round.cpu_us, 2),
    ("memory MiB", |round| round.memory_mib, 1),
];

/// The table: medians of both, by their names, and the second's ratio to the first within each pair of rounds.
///
/// Without latencies if requests are pipelined. wrk corrects latencies for requests that waited for others, by the
/// number of answers of a connection, but measures only one latency for each batch, so the corrected ones are
/// meaningless. Source: wrk, `stats_correct`.
pub(super) fn table([ground, name]: [&str; 2], pairs: &[(Round, Round)], pipeline: u32) -> String {
    let columns = || COLUMNS.iter().filter(|(column, ..)| pipeline == 1 || !column.ends_with(" ms"));
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let head = std::iter::once("median").chain(columns().map(|column| column.0)).map(str::to_owned).collect();
    let rule = std::iter::once("---".to_owned()).chain(columns().map(|_| "---:".to_owned())).collect();
    let medians = |name: &str, of: fn(&(Round, Round)) -> Round| {
        let cell = |(_, read, decimals): &Column| {
            format!("{:.decimals$}", Spread::of(pairs.iter().map(|pair| read(&of(pair)))).median)
        };
        std::iter::once(name.to_owned()).chain(columns().map(cell)).collect()
    };
    let ratio = |(_, read, _): &Column| {
        let Spread { min, median, max } = Spread::of(pairs.iter().map(|(bare, product)| read(product) / read(bare)));
        format!("**{median:.2}** ({min:.2}–{max:.2})")
    };
    let ratios = std::iter::once("ratio (least–most)".to_owned()).chain(columns().map(ratio)).collect();
    [head, rule, medians(ground, |pair| pair.0), medians(name, |pair| pair.1), ratios].map(line).concat()
}

/// The measured commit, with a mark if there are uncommitted changes.
pub(super) fn commit() -> Result<String> {
    let git = |arguments: &[&str]| -> Result<String> {
        let text = output(Command::new("git").current_dir(project::root()).args(arguments))?;
        Ok(String::from_utf8_lossy(&text).trim().to_owned())
    };
    let commit = git(&["rev-parse", "--short", "HEAD"])?;
    // Ignore the files that benchmarks write.
    let status = git(&["status", "--porcelain", "--untracked-files=no", "--", ":!docs", ":!bench/results"])?;
    let changed = if status.is_empty() { "" } else { " with changes" };
    Ok(format!("{commit}{changed}"))
}

/// The commit, the machine and the versions a table belongs to, in one sentence.
pub(super) fn origin(plan: &Plan, commit: &str) -> Result<String> {
    let model = cpu_model(&std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default());
    let cores = std::thread::available_parallelism().attempt(|| "count the processor cores".into())?;
    let kernel =
        std::fs::read_to_string("/proc/sys/kernel/osrelease").attempt(|| "read the kernel's version".into())?;
    let database = match plan.backend {
        Backend::Sqlite => String::new(),
        Backend::Postgres => {
            let version = output(Command::new(find_or_install(Tool::Initdb)?).arg("--version"))?;
            format!(", PostgreSQL {}", version_in(&String::from_utf8_lossy(&version)))
        }
    };
    let kernel = version_in(&kernel);
    Ok(format!("Commit {commit}; {model}, {cores} cores, Linux {kernel}{database}; `{}`.", plan.command()))
}

/// The first version number in a program's version output, without a distribution's suffix.
fn version_in(text: &str) -> &str {
    let number = text.split_whitespace().find(|word| word.starts_with(|first: char| first.is_ascii_digit()));
    let number = number.unwrap_or_default();
    number.split(|next: char| !next.is_ascii_digit() && next != '.').next().unwrap_or(number)
}

fn cpu_model(cpuinfo: &str) -> String {
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    model.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.trim().to_owned())
}

/// Replaces the section with the plan's title in the page, and the figures in the table of goals. Text outside their
/// marks stays unchanged.
pub(super) fn write(plan: &Plan, section: &str, figures: &[Figure], commit: &str) -> Result {
    let path = project::root().join(PAGE);
    let page = match std::fs::read_to_string(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => PREFACE.to_owned(),
        page => page.attempt(|| format!("read {PAGE}"))?,
    };
    let page = goal_table::replaced(&page, figures, &plan.command(), commit);
    std::fs::write(&path, replaced(&page, &plan.title(), section)).attempt(|| format!("write {PAGE}"))
}

fn replaced(page: &str, title: &str, section: &str) -> String {
    let (begin, end) = (format!("<!-- measured: {title} -->"), "<!-- /measured -->");
    let block = format!("{begin}\n## {title}\n\n{section}\n{end}\n");
    if let Some((before, rest)) = page.split_once(&begin)
        && let Some((_, after)) = rest.split_once(end)
    {
        return format!("{before}{block}{}", after.strip_prefix('\n').unwrap_or(after));
    }
    format!("{}\n\n{block}", page.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(per_second: f64, cpu_us: f64) -> Round {
        Round { per_second, latency_ms: [0.25, 1.0, 2.0], cpu_us, memory_mib: 10.0 }
    }

    #[test]
    fn ratios_are_taken_within_pairs() {
        // The machine slowed down between the rounds; the ratio within each stays what it is.
        let pairs = [(round(100.0, 6.0), round(90.0, 6.6)), (round(50.0, 12.0), round(45.0, 13.2))];
        let table = table(["bare", "nolapse-api"], &pairs, 1);
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(lines.len(), 5);
        assert!(lines[0].starts_with("| median | requests/s | p50 ms"));
        assert_eq!(lines[2], "| bare | 75 | 0.25 | 1.00 | 2.00 | 9.00 | 10.0 |");
        assert_eq!(lines[3], "| nolapse-api | 68 | 0.25 | 1.00 | 2.00 | 9.90 | 10.0 |");
        assert!(lines[4].contains("| **0.90** (0.90–0.90) |") && lines[4].contains("| **1.10** (1.10–1.10) |"));
    }

    #[test]
    fn latencies_of_batches_are_left_out() {
        let table = table(["bare", "nolapse-api"], &[(round(100.0, 6.0), round(90.0, 6.6))], 16);
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(lines[0], "| median | requests/s | CPU µs/request | memory MiB |");
        assert_eq!(lines[1], "| --- | ---: | ---: | ---: |");
        assert_eq!(lines[2], "| bare | 100 | 6.00 | 10.0 |");
    }

    #[test]
    fn a_round_is_per_request() {
        let seen = Seen {
            requests: 2_000,
            duration: Duration::from_secs(2),
            latency_us: [250, 1_000, 2_000],
            refused: 0,
            failed: 0,
        };
        let round = Round::new(&seen, Duration::from_millis(20), 10 << 20);
        assert_eq!(round, Round { per_second: 1_000.0, cpu_us: 10.0, ..round_template() });
    }

    fn round_template() -> Round {
        round(0.0, 0.0)
    }

    #[test]
    fn a_section_replaces_its_older_self_and_nothing_else() {
        let page = replaced(&replaced("# Performance\n", "validate", "before"), "validate-cold", "kept");
        let page = replaced(&page, "validate", "new");
        assert_eq!(page.matches("## validate\n").count(), 1);
        assert!(page.contains("new") && page.contains("kept") && !page.contains("before"), "{page}");
        assert_eq!(replaced(&page, "validate", "new"), page, "writing twice changes nothing");
    }

    #[test]
    fn versions_are_found_among_other_words() {
        assert_eq!(version_in("initdb (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), "15.18");
        assert_eq!(version_in("6.1.44-amd64\n"), "6.1.44");
        assert_eq!(version_in(""), "");
    }

    #[test]
    fn the_processor_is_named() {
        assert_eq!(cpu_model("processor : 0\nmodel name\t: AMD EPYC 9R14\n"), "AMD EPYC 9R14");
        assert_eq!(cpu_model(""), std::env::consts::ARCH);
    }
}
