//! The processor instructions of a request for a cached token, counted by callgrind. They do not depend on how busy the
//! machine is, so that a change of 2 % is visible.
//!
//! The check compares the product's instructions beyond those of *bare*, without the keyed digest: the framework's
//! share is given, and under valgrind, which has no SHA instructions, the digest takes ten times as many as on a
//! processor.

use super::backend::Backend;
use super::callgrind::{Counter, Counts};
use super::cost::precise;
use super::goals::{Figure, Goal, Outcome};
use super::plan::Plan;
use super::stock::Stock;
use std::cmp::Reverse;
use std::fmt::Write as _;
use task_support::fail::{Context as _, Fail, Result};
use task_support::{project, say};

/// The file with the committed count.
const FILE: &str = "bench/results/instructions.txt";
/// Percent above the committed count that count as a regression. Compilers and library versions cause smaller changes.
const TOLERANCE: u64 = 5;
/// Functions listed by the profile.
const LISTED: usize = 10;
/// The part that the names of the digest's functions have in common.
const DIGEST: &str = "sha2::";

/// The purpose of functions in the profile, by a part of their names; the first match counts.
const MEANINGS: &[(&str, &str)] = &[
    (
        "__memset",
        "The framework clears the table for 96 header fields, a byte at a time by this count, of *bare* as well.",
    ),
    (
        "sha2::",
        "The keyed digest under which the token is remembered: valgrind's processor has no SHA instructions, real ones need a tenth.",
    ),
    ("digest::", "The keyed digest is put together and finished."),
    ("__memcpy", "Bytes are moved: what was read, parts of the request and the answer, what futures hold."),
    ("MessageType>::decode", "The framework turns the request's head into a method, a path and headers."),
    ("httparse", "The framework tells the names of headers from their values."),
    (
        "guard",
        "Our guard gives the request its id, counts it, and asks for an answer at once before anything is routed.",
    ),
    ("InnerDispatcher<T,S,B,X,U>::poll_request", "The framework takes a request off what has arrived."),
    ("InnerDispatcher<T,S,B,X,U>::poll_response", "The framework hands the request over and takes its answer."),
    ("Dispatcher<T,S,B,X,U> as core::future", "The framework's loop of one connection: read, answer, write."),
    ("time::sleep", "The connection's timers are looked at: keep-alive, and the time a head may take."),
    ("from_utf8", "The framework and the body's parser make sure of UTF-8."),
    ("serde_json", "The body is parsed, its text borrowed."),
    ("crc32", "The checksum that keeps mistyped tokens from being looked up."),
    ("PlainToken", "The token's shape and its checksum are read."),
    ("token_format", "The token's shape and its checksum are read."),
    ("decide", "The facts are judged, at this very moment."),
    ("TokenFacts", "The status follows from the facts."),
    ("cache", "One of 256 shards is looked into, under its lock."),
    ("Entry", "The facts are put together, and the use is counted."),
    ("alidat", "Our handler: from the body's bytes to the answer."),
    ("encoder", "The framework writes the answer's head."),
    ("hashbrown", "The framework's table of headers."),
    ("mi_malloc", "A piece of memory is taken."),
    ("mi_free", "A piece of memory is given back."),
    ("tokio::runtime", "The runtime wakes up for the connection and goes back to sleep."),
    ("actix_web", "The framework makes a request of it, and an answer."),
];

/// The counts of one request, for the product and for the baseline.
struct Request {
    product: Counts,
    bare: Counts,
}

impl Request {
    fn count() -> Result<Self> {
        let counter = Counter::prepare(Backend::Sqlite)?;
        Ok(Self { product: counter.of_product()?, bare: counter.of_bare()? })
    }

    /// The number that the check compares.
    fn own(&self) -> u64 {
        self.product.total().saturating_sub(self.bare.total() + self.product.of(DIGEST))
    }
}

/// `cargo xtask bench instructions`: compares the count with the committed one. `--write` replaces that, except in a
/// run of all benchmarks, so that no regression is accepted by accident.
pub(super) fn measure(plan: &Plan, _: &mut Stock) -> Result<Outcome> {
    let request = Request::count()?;
    let own = request.own();
    if plan.write && !plan.is_part {
        let path = project::root().join(FILE);
        std::fs::write(&path, format!("{own}\n")).attempt(|| format!("write {FILE}"))?;
    } else {
        judge(own, committed()?)?;
    }
    let Request { product, bare } = &request;
    let (all, digest, ground) = (product.total(), product.of(DIGEST), bare.total());
    let [ours, theirs] = [product, bare].map(|counts| precise(counts.allocations) / 100.0);
    let text = format!(
        "| of a request, outside the kernel | nolapse-api | bare | beyond |\n| --- | ---: | ---: | ---: |\n\
         | instructions | {all} | {ground} | {} |\n| of those, SHA-256 without SHA instructions | {digest} | 0 | {digest} |\n\
         | the rest | {} | {ground} | **{own}** |\n| allocations | {ours:.2} | {theirs:.2} | {:.2} |\n\n\
         The rest may be {TOLERANCE} % above what is committed.\n",
        all.saturating_sub(ground),
        all - digest,
        ours - theirs,
    );
    let figure = Figure { goal: Goal::Allocations, on: None, value: ours - theirs };
    Ok(Outcome { text, figures: vec![figure] })
}

/// `cargo xtask bench profile`: the functions with the most instructions.
pub(super) fn profile(_: &Plan, _: &mut Stock) -> Result<Outcome> {
    let Request { product, bare } = Request::count()?;
    let of_bare = |name: &String| bare.functions.get(name).copied().unwrap_or(0);
    let all = product.functions.iter().map(|(name, count)| Row { name, count: *count, of_bare: of_bare(name) });
    let rows: Vec<Row<'_>> = all.collect();
    Ok(Outcome::text(format!(
        "Each function's own instructions of a request for a token the server knows, {} in all, and of *bare*'s {}.\n\n{}\n\
         Those that take most beyond *bare*'s:\n\n{}",
        product.total(),
        bare.total(),
        listed(rows.clone(), product.total(), |row| row.count),
        listed(rows, product.total(), |row| row.count.saturating_sub(row.of_bare)),
    )))
}

/// A function of a profile.
#[derive(Clone, Copy)]
struct Row<'a> {
    name: &'a String,
    count: u64,
    of_bare: u64,
}

/// The rows with the greatest `weight`, as a table.
fn listed(mut rows: Vec<Row<'_>>, total: u64, weight: impl Fn(&Row<'_>) -> u64) -> String {
    rows.sort_by_key(|row| Reverse(weight(row)));
    let mut table = String::from(
        "| instructions | share | of bare | function | what it is for |\n| ---: | ---: | ---: | --- | --- |\n",
    );
    for Row { name, count, of_bare } in rows.into_iter().take(LISTED) {
        let meaning = MEANINGS.iter().find(|(part, _)| name.contains(part)).map_or("", |(_, meaning)| meaning);
        let share = 100.0 * precise(count) / precise(total);
        // Writing to a String cannot fail.
        let _ = writeln!(table, "| {count} | {share:.1} % | {of_bare} | `{name}` | {meaning} |");
    }
    table
}

/// The check as part of all tests; skipped without valgrind, but never in CI.
pub(super) fn check() -> Result {
    if !project::in_ci() && task_support::process::which("valgrind").is_none() {
        say::note("valgrind is not installed: the instructions of a validation are not counted");
        return Ok(());
    }
    let committed = committed()?;
    say::step("the instructions of a validation, under callgrind");
    judge(Request::count()?.own(), committed)
}

/// The committed count.
///
/// # Errors
/// If the file is missing or malformed.
fn committed() -> Result<u64> {
    let fix = "cargo xtask bench instructions --write";
    let text = std::fs::read_to_string(project::root().join(FILE)).attempt(|| format!("read {FILE}"));
    let text = text.map_err(|fail| fail.fix(fix))?;
    text.trim().parse().attempt(|| format!("read {FILE}")).map_err(|fail| fail.fix(fix))
}

/// # Errors
/// If there are more instructions than the committed count allows.
fn judge(count: u64, committed: u64) -> Result {
    let most = committed + committed * TOLERANCE / 100;
    say::note(format!(
        "{count} instructions a validation beyond bare's; {committed} are committed, {most} are allowed"
    ));
    if count <= most {
        return Ok(());
    }
    let text =
        format!("a validation takes {count} instructions beyond bare's, more than {TOLERANCE} % above {committed}");
    Err(Fail::new(text)
        .fix("cargo xtask bench profile shows where they go; if it has to be, cargo xtask bench instructions --write"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_counts_only_the_products_own_instructions() {
        let counts = |functions: &[(&str, u64)]| Counts {
            functions: functions.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect(),
            allocations: 0,
        };
        let product = counts(&[("sha2::compress", 7_000), ("http::parse", 900), ("decide", 50)]);
        let request = Request { product, bare: counts(&[("http::parse", 800)]) };
        assert_eq!(request.own(), 150);
    }

    #[test]
    fn rows_are_listed_by_their_weight() {
        let names = ["httparse::parse".to_owned(), "decide".to_owned()];
        let rows =
            [(&names[0], 900, 890), (&names[1], 50, 0)].map(|(name, count, of_bare)| Row { name, count, of_bare });
        let first = |table: String| table.lines().nth(2).map(str::to_owned).unwrap();
        let all = first(listed(rows.to_vec(), 1_000, |row| row.count));
        assert_eq!(
            all,
            "| 900 | 90.0 % | 890 | `httparse::parse` | The framework tells the names of headers from their values. |"
        );
        let beyond = first(listed(rows.to_vec(), 1_000, |row| row.count - row.of_bare));
        assert!(beyond.starts_with("| 50 | 5.0 % | 0 | `decide` |"), "{beyond}");
    }

    #[test]
    fn an_increase_beyond_the_tolerance_is_a_regression() {
        for (count, is_fine) in [(8_000, true), (7_000, true), (8_400, true), (8_401, false)] {
            assert_eq!(judge(count, 8_000).is_ok(), is_fine, "{count}");
        }
        assert!(judge(9_000, 8_000).unwrap_err().to_string().contains("cargo xtask bench profile"));
    }
}
