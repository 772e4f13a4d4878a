//! What a run says at its end.

use crate::checker::Findings;
use crate::history::{History, Moment, Outcome, Said};
use crate::load::Seen;
use client::{Client, Plain};
use std::io::Read as _;
use std::time::Duration;
use task_support::fail::{Fail, Result};
use task_support::say;

/// How many examples of a kind are shown.
const SHOWN: usize = 8;
/// How long after a fault its effects may last: a change waits so long for a node that does not answer.
const AFTERMATH: Duration = Duration::from_secs(6);
/// How long changes waited for all nodes, as nodes count it.
const ACK_WAIT: &str = "nolapse_ack_wait_seconds_bucket";

/// How often facts were looked for in the cache that nodes share.
const SHARED: &str = "nolapse_shared_cache_total";

/// A fault that happened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Happened {
    pub(crate) name: &'static str,
    pub(crate) from: Moment,
    pub(crate) to: Moment,
}

/// Prints all figures.
///
/// # Errors
/// If anything is not as it must be. `must_front_succeed`: no fault excuses a failure through the front.
pub(crate) fn conclude(
    seen: &[Seen],
    history: &History,
    found: &Findings,
    faults: &[Happened],
    must_front_succeed: bool,
) -> Result {
    let changes = || history.lives.iter().flat_map(|life| &life.changes);
    let acknowledged = changes().filter(|change| change.outcome == Outcome::Acknowledged).count();
    let unknown = changes().filter(|change| change.outcome == Outcome::Unknown).count();
    say::out(format!("faults        {}", counted(faults)));
    say::out(format!(
        "tokens        {}, {acknowledged} changes acknowledged, {unknown} of unknown outcome",
        history.lives.len()
    ));
    say::out(format!(
        "validations   {}: {} rightly valid, {} rightly not, {} beside a change, {} without an answer",
        history.looks.len(),
        found.rightly_valid,
        found.rightly_invalid,
        found.either,
        found.unanswered
    ));
    let revocations: Vec<(Moment, Moment)> = seen.iter().flat_map(|seen| seen.revocations.iter().copied()).collect();
    let is_calm = |&(sent, took): &(Moment, Moment)| !faults.iter().any(|fault| overlaps(fault, sent, sent + took));
    let times = |calm| revocations.iter().filter(|one| is_calm(one) == calm).map(|one| one.1).collect::<Vec<Moment>>();
    say::out(format!("revocations   {} acknowledged", revocations.len()));
    say::out(format!("  when calm   {}", percentiles(times(true))));
    say::out(format!("  in trouble  {}", percentiles(times(false))));
    let answered = history.looks.iter().filter(|look| look.said != Said::Nothing);
    say::out(format!("validation    {}", percentiles(answered.map(|look| look.answered - look.sent).collect())));
    let requests: usize = seen.iter().map(|seen| seen.front_requests).sum();
    let failures: Vec<&String> = seen.iter().flat_map(|seen| &seen.front_failures).collect();
    say::out(format!("the front     {requests} requests, {} failed", failures.len()));
    let unexpected: Vec<&String> = seen.iter().flat_map(|seen| &seen.unexpected).collect();

    let mut wrong = Vec::new();
    if !found.violations.is_empty() {
        let valid = found.violations.iter().filter(|one| one.look.said == Said::Valid).count();
        let lost = found.violations.len() - valid;
        wrong.push(format!("{valid} said valid after the answer, {lost} acknowledged changes lost"));
        found.violations.iter().take(SHOWN).for_each(|one| say::out(format!("VIOLATION     {one}")));
    }
    if !unexpected.is_empty() {
        wrong.push(format!("{} answers that no fault explains", unexpected.len()));
        unexpected.iter().take(SHOWN).for_each(|one| say::out(format!("UNEXPECTED    {one}")));
    }
    if must_front_succeed && !failures.is_empty() {
        wrong.push(format!("{} requests failed at the front", failures.len()));
        failures.iter().take(SHOWN).for_each(|one| say::out(format!("FAILED        {one}")));
    }
    if found.rightly_invalid == 0 || found.rightly_valid == 0 {
        wrong.push("the run is too short to show anything".into());
    }
    if wrong.is_empty() { Ok(()) } else { Err(Fail::new(wrong.join("; "))) }
}

/// What nodes counted of how long changes waited until all had applied them: the bound of the histogram's bucket.
pub(crate) fn acknowledgement(nodes: &[String]) -> Option<String> {
    let mut buckets: Vec<(String, u64)> = Vec::new();
    for node in nodes {
        let mut text = String::new();
        Client::new(node, Plain::LocalOnly).and_then(|node| node.metrics()).ok()?.read_to_string(&mut text).ok()?;
        for line in text.lines().filter(|line| line.starts_with(ACK_WAIT)) {
            let bound = line.split('"').nth(1)?;
            let count: u64 = line.rsplit(' ').next()?.parse().ok()?;
            match buckets.iter_mut().find(|bucket| bucket.0 == bound) {
                Some(bucket) => bucket.1 += count,
                None => buckets.push((bound.to_owned(), count)),
            }
        }
    }
    let total = buckets.last()?.1;
    let at = |percent: u64| {
        let bucket = buckets.iter().find(|bucket| bucket.1 * 100 >= total * percent);
        bucket.map_or("?", |bucket| bucket.0.as_str())
    };
    Some(format!("{total} changes: p50 within {} s, p99 within {} s", at(50), at(99)))
}

/// What nodes counted of the cache that they share, since each was last started.
pub(crate) fn shared(nodes: &[String]) -> Option<String> {
    let mut outcomes: Vec<(String, u64)> = Vec::new();
    for node in nodes {
        let mut text = String::new();
        Client::new(node, Plain::LocalOnly).and_then(|node| node.metrics()).ok()?.read_to_string(&mut text).ok()?;
        for line in text.lines().filter(|line| line.starts_with(SHARED)) {
            let (outcome, count) = (line.split('"').nth(1)?, line.rsplit(' ').next()?.parse::<u64>().ok()?);
            match outcomes.iter_mut().find(|known| known.0 == outcome) {
                Some(known) => known.1 += count,
                None => outcomes.push((outcome.to_owned(), count)),
            }
        }
    }
    let texts: Vec<String> = outcomes.iter().map(|(outcome, count)| format!("{outcome} {count}")).collect();
    (!texts.is_empty()).then(|| texts.join(", "))
}

fn overlaps(fault: &Happened, from: Moment, to: Moment) -> bool {
    let aftermath = u64::try_from(AFTERMATH.as_nanos()).unwrap_or(u64::MAX);
    from < fault.to.saturating_add(aftermath) && to > fault.from
}

fn counted(faults: &[Happened]) -> String {
    let mut names: Vec<&str> = faults.iter().map(|fault| fault.name).collect();
    names.sort_unstable();
    names.dedup();
    let count = |name: &str| faults.iter().filter(|fault| fault.name == name).count();
    let texts: Vec<String> = names.iter().map(|name| format!("{name} × {}", count(name))).collect();
    if texts.is_empty() { "none".into() } else { texts.join(", ") }
}

fn percentiles(mut times: Vec<Moment>) -> String {
    times.sort_unstable();
    let Some(last) = times.len().checked_sub(1) else { return "none".into() };
    let at = |percent: usize| {
        let nanos = times[last * percent / 100];
        format!("{}.{} ms", nanos / 1_000_000, nanos / 100_000 % 10)
    };
    format!("p50 {}, p99 {}, longest {} ({} of them)", at(50), at(99), at(100), times.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_sorted_times() {
        let times = (1..=200).rev().map(|ms| ms * 1_000_000).collect();
        assert_eq!(percentiles(times), "p50 100.0 ms, p99 198.0 ms, longest 200.0 ms (200 of them)");
        assert_eq!(percentiles(Vec::new()), "none");
    }

    #[test]
    fn a_change_is_in_trouble_until_the_leases_of_a_fault_are_over() {
        let fault = Happened { name: "kill", from: 1_000_000_000, to: 2_000_000_000 };
        assert!(!overlaps(&fault, 0, 900_000_000));
        assert!(overlaps(&fault, 0, 1_100_000_000));
        assert!(overlaps(&fault, 7_000_000_000, 7_100_000_000));
        assert!(!overlaps(&fault, 8_000_000_000, 8_100_000_000));
        assert_eq!(counted(&[fault, fault]), "kill × 2");
    }
}
