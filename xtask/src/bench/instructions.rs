//! How many processor instructions a cached validation takes, counted by callgrind: a number that does not depend on how
//! busy the machine is, so a change of one in fifty shows.
//!
//! The program counted is the example `validations` of `authority`. What it does besides validating is the same for any
//! number of validations, so the difference of two runs, divided by how many more there were, is the price of one.

use super::cost::precise;
use super::goals::Outcome;
use super::plan::Plan;
use super::stock::Stock;
use crate::fail::{Context as _, Fail, Result};
use crate::process::{output, run};
use crate::services::{Tool, find_or_install};
use crate::{project, say};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// Validations of the two runs.
const FEW: u64 = 1_000;
const MANY: u64 = 21_000;
/// Where the count that was committed is.
const FILE: &str = "xtask/src/bench/instructions.txt";
/// How many in a hundred more there may be before it is a regression. Compilers and library versions move a few.
const TOLERANCE: u64 = 5;
/// Functions listed by the profile.
const LISTED: usize = 10;

/// What functions of the profile are for, by a part of their names; the first that fits.
const MEANINGS: &[(&str, &str)] = &[
    (
        "sha2",
        "the keyed digest under which the token is remembered (valgrind's processor has no SHA instructions, real ones do)",
    ),
    ("digest::", "the keyed digest under which the token is remembered"),
    ("hmac", "the keyed digest under which the token is remembered"),
    ("crc32", "the checksum that keeps mistyped tokens from being looked up"),
    ("PlainToken", "the shape and the checksum of what was presented"),
    ("token_format", "the shape and the checksum of what was presented"),
    ("decide", "the decision about the facts, at this very moment"),
    ("TokenFacts", "the status that follows from the facts"),
    ("cache", "the look into one of 256 shards, under its lock"),
    ("Entry", "the facts put together, and the use counted"),
    ("validate", "the way from the text to the answer"),
    ("memcpy", "copies of the facts and of the digest"),
    ("memmove", "copies of the facts and of the digest"),
    ("memset", "memory wiped or made ready"),
    ("zeroize", "the token's bytes wiped from memory"),
    ("malloc", "an allocation"),
    ("free", "an allocation given back"),
    ("core::iter", "a loop over the bytes of the token or of the digest, left as a call"),
    ("core::ops::try_trait", "a loop over the bytes of the token, left as a call"),
    ("main", "the loop of the counted program"),
];

/// `cargo xtask bench instructions`: the count, held against the committed one. `--write` commits it anew, unless it is one of all
/// benchmarks: a regression is not to be written down in passing.
pub(super) fn measure(plan: &Plan, _: &mut Stock) -> Result<Outcome> {
    let count = count()?;
    if plan.write && !plan.is_part {
        let path = project::root().join(FILE);
        std::fs::write(&path, format!("{count}\n")).attempt(|| format!("write {FILE}"))?;
    } else {
        judge(count, committed()?.ok_or_else(|| nothing_committed("there is nothing to hold the count against"))?)?;
    }
    Ok(Outcome::text(format!(
        "{count} instructions, from the token's text to the answer's bytes; not more than {TOLERANCE} % above what is committed.\n"
    )))
}

/// `cargo xtask bench profile`: the functions that take most of them.
pub(super) fn profile(_: &Plan, _: &mut Stock) -> Result<Outcome> {
    let counted = Counted::build()?;
    let annotate = crate::process::need("callgrind_annotate", "valgrind")?;
    let own = |validations: u64| -> Result<BTreeMap<String, u64>> {
        let file = counted.run(validations)?;
        let text = output(Command::new(&annotate).arg("--auto=no").arg("--threshold=100").arg(&file))?;
        Ok(functions(&String::from_utf8_lossy(&text)))
    };
    let (few, many) = (own(FEW)?, own(MANY)?);
    let costs = costs(&few, &many);
    let total: u64 = costs.iter().map(|(_, count)| count).sum();
    if total == 0 {
        return Err(Fail::new("callgrind_annotate listed no functions"));
    }
    let mut table = String::from("| instructions | share | function | what it is for |\n| ---: | ---: | --- | --- |\n");
    for (name, count) in costs.iter().take(LISTED) {
        let meaning = MEANINGS.iter().find(|(part, _)| name.contains(part)).map_or("", |(_, meaning)| meaning);
        let share = 100.0 * precise(*count) / precise(total);
        // Writing to a String cannot fail.
        let _ = writeln!(table, "| {} | {share:.1} % | `{name}` | {meaning} |", count / (MANY - FEW));
    }
    Ok(Outcome::text(format!("Of a cached validation, each function's own instructions.\n\n{table}")))
}

/// The same check as a part of all tests; skipped on a machine of one's own that has no valgrind.
pub(crate) fn check() -> Result {
    if !project::in_ci() && crate::process::which("valgrind").is_none() {
        say::note("valgrind is not installed: the instructions of a validation are not counted");
        return Ok(());
    }
    let Some(committed) = committed()? else {
        say::note(nothing_committed("the instructions of a validation are not counted").to_string());
        return Ok(());
    };
    say::step("the instructions of a cached validation, under callgrind");
    judge(count()?, committed)
}

/// The committed count, if there is one.
fn committed() -> Result<Option<u64>> {
    match std::fs::read_to_string(project::root().join(FILE)) {
        Ok(text) => text.trim().parse().attempt(|| format!("read {FILE}")).map(Some),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).attempt(|| format!("read {FILE}")),
    }
}

fn nothing_committed(consequence: &str) -> Fail {
    Fail::new(format!("{FILE} is missing: {consequence}")).fix("cargo xtask bench instructions --write")
}

fn count() -> Result<u64> {
    let counted = Counted::build()?;
    let totals = [FEW, MANY].map(|validations| counted.run(validations).and_then(|file| total(&file)));
    let [few, many] = totals;
    many?
        .checked_sub(few?)
        .map(|more| more / (MANY - FEW))
        .ok_or_else(|| Fail::new("more validations took fewer instructions"))
}

/// # Errors
/// If there are more instructions than the committed count allows.
fn judge(count: u64, committed: u64) -> Result {
    let most = committed + committed * TOLERANCE / 100;
    say::note(format!("{count} instructions a validation; {committed} are committed, {most} are allowed"));
    if count <= most {
        return Ok(());
    }
    Err(Fail::new(format!("a cached validation takes {count} instructions, more than {TOLERANCE} % above {committed}"))
        .fix("cargo xtask bench profile shows where they go; if it has to be, cargo xtask bench instructions --write"))
}

/// The program that is counted, built, with valgrind at hand.
struct Counted {
    valgrind: PathBuf,
    program: PathBuf,
    folder: TempDir,
}

impl Counted {
    fn build() -> Result<Self> {
        let valgrind = find_or_install(Tool::Valgrind)?;
        say::step("building the program that is counted");
        // Optimised and with names: the release build has none.
        let profile = "release-dev";
        run(project::cargo().args([
            "build",
            "--locked",
            "--package",
            "authority",
            "--example",
            "validations",
            "--profile",
            profile,
        ]))?;
        let program = project::target_directory()?.join(profile).join("examples/validations");
        let folder = tempfile::Builder::new().prefix("nolapse-callgrind-").tempdir();
        Ok(Self { valgrind, program, folder: folder.attempt(|| "make a folder".into())? })
    }

    /// Runs it; where the profile is.
    fn run(&self, validations: u64) -> Result<PathBuf> {
        let file = self.folder.path().join(format!("callgrind.{validations}"));
        run(Command::new(&self.valgrind)
            .args(["--tool=callgrind", "--quiet"])
            .arg(format!("--callgrind-out-file={}", file.display()))
            .arg(&self.program)
            .arg(validations.to_string())
            .stdout(Stdio::null()))?;
        Ok(file)
    }
}

/// The instructions of a profile.
fn total(file: &Path) -> Result<u64> {
    let text = std::fs::read_to_string(file).attempt(|| format!("read {}", file.display()))?;
    total_of(&text).ok_or_else(|| Fail::new(format!("{} has no total", file.display())))
}

fn total_of(profile: &str) -> Option<u64> {
    profile.lines().find_map(|line| line.strip_prefix("totals: ")?.trim().parse().ok())
}

/// What each function takes in the second run beyond the first, most first.
fn costs(few: &BTreeMap<String, u64>, many: &BTreeMap<String, u64>) -> Vec<(String, u64)> {
    let beyond = |(name, count): (&String, &u64)| {
        let count = count.saturating_sub(few.get(name).copied().unwrap_or(0));
        (count > 0).then(|| (name.clone(), count))
    };
    let mut costs: Vec<_> = many.iter().filter_map(beyond).collect();
    costs.sort_by_key(|(_, count)| Reverse(*count));
    costs
}

/// The functions of `callgrind_annotate`'s list: instructions by name, without file, object and hash. Copies of one
/// function count together.
fn functions(text: &str) -> BTreeMap<String, u64> {
    let line = |line: &str| {
        let (count, rest) = line.trim_start().split_once(" (")?;
        let count: u64 = count.replace(',', "").parse().ok()?;
        let (_, rest) = rest.split_once("%)")?;
        let (place, _) = rest.rsplit_once(" [").unwrap_or((rest, ""));
        // `file:function`; the function may have colons in pairs, the file has none.
        let name = place.trim().split_once(':').map_or(place.trim(), |(_, name)| name);
        let name = name.rsplit_once("::h").filter(|(_, hash)| hash.len() == 16).map_or(name, |(name, _)| name);
        (name != "PROGRAM TOTALS").then(|| (name.to_owned(), count))
    };
    let mut functions = BTreeMap::new();
    for (name, count) in text.lines().filter_map(line) {
        *functions.entry(name).or_insert(0) += count;
    }
    functions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_of_a_profile_is_read() {
        assert_eq!(total_of("version: 1\nevents: Ir\nsummary: 12\n\nfn=(1)\n1 2\ntotals: 987654\n"), Some(987_654));
        assert_eq!(total_of("events: Ir\n"), None);
    }

    #[test]
    fn functions_are_read_without_where_they_are() {
        let text = "--------\nProfile data file 'x'\n26,341,987 (100.0%)  PROGRAM TOTALS\n\nIr  file:function\n\
                    12,000,000 (45.55%)  ???:sha2::sha256::soft::compress::h0123456789abcdef [/folder/validations]\n\
                    \x20   500 ( 0.01%)  /rustc/lib.rs:<core::option::Option<T> as core::fmt::Debug>::fmt [/folder/validations]\n\
                    2 ( 0.00%)  ???:sha2::sha256::soft::compress::h00000000000000ff [/folder/validations]\n";
        let expected =
            [("<core::option::Option<T> as core::fmt::Debug>::fmt", 500), ("sha2::sha256::soft::compress", 12_000_002)];
        assert_eq!(functions(text), expected.map(|(name, count)| (name.to_owned(), count)).into());
    }

    #[test]
    fn what_both_runs_took_is_left_out() {
        let run = |counts: &[(&str, u64)]| counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
        let costs =
            costs(&run(&[("start", 900), ("decide", 10)]), &run(&[("start", 900), ("decide", 30), ("find", 50)]));
        assert_eq!(costs, [("find".to_owned(), 50), ("decide".to_owned(), 20)]);
    }

    #[test]
    fn a_regression_is_named_and_a_little_more_is_none() {
        for (count, is_fine) in [(8_000, true), (7_000, true), (8_400, true), (8_401, false)] {
            assert_eq!(judge(count, 8_000).is_ok(), is_fine, "{count}");
        }
        assert!(judge(9_000, 8_000).unwrap_err().to_string().contains("cargo xtask bench profile"));
    }
}
