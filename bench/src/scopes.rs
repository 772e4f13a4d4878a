//! The time of a check against the scope catalogue, in nanoseconds: runs the benchmark of `token-domain` and reads
//! criterion's estimates.

use super::goals::Outcome;
use super::plan::Plan;
use super::stock::Stock;
use serde_json::Value;
use std::fmt::Write as _;
use std::path::Path;
use task_support::fail::{Context as _, Fail, Result};
use task_support::process::run;
use task_support::project;

/// Groups of that benchmark, and what they measure.
const GROUPS: [(&str, &str); 2] =
    [("by name", "from names, as a validation sends them"), ("prepared", "from a requirement made at start")];
/// Scopes required in each.
const REQUIRED: [u32; 3] = [1, 8, 64];
/// Seconds criterion measures for, by size.
const SECONDS: [u32; 3] = [1, 3, 5];

/// `cargo xtask bench scopes`: the table.
pub(super) fn measure(plan: &Plan, _: &mut Stock) -> Result<Outcome> {
    let seconds = SECONDS[plan.size.index].to_string();
    run(project::cargo().args(["bench", "--locked", "--package", "token-domain", "--bench", "scopes", "--"]).args([
        "--noplot",
        "--warm-up-time",
        "1",
        "--measurement-time",
        &seconds,
    ]))?;
    let folder = project::target_directory()?.join("criterion");
    let mut rows = String::new();
    for (group, about) in GROUPS {
        let cells: Vec<_> = REQUIRED.iter().map(|count| estimate(&folder, group, *count)).collect::<Result<_>>()?;
        // Writing to a String cannot fail.
        let _ = writeln!(rows, "| {about} | {} |", cells.join(" | "));
    }
    let head = REQUIRED.map(|count| format!("{count} required, ns")).join(" | ");
    Ok(Outcome::text(format!(
        "Of a token that carries 64 scopes; medians (95 % interval).\n\n| check | {head} |\n| --- | ---: | ---: | ---: |\n{rows}"
    )))
}

fn estimate(folder: &Path, group: &str, count: u32) -> Result<String> {
    let file = folder.join(group).join(count.to_string()).join("new/estimates.json");
    let text = std::fs::read_to_string(&file).attempt(|| format!("read {}", file.display()))?;
    read(&text).ok_or_else(|| Fail::new(format!("{} holds no median", file.display())))
}

/// The median of criterion's estimates, with its confidence interval.
fn read(estimates: &str) -> Option<String> {
    let json: Value = serde_json::from_str(estimates).ok()?;
    let median = &json["median"];
    let bound = |name: &str| median["confidence_interval"][name].as_f64();
    let (middle, low, high) = (median["point_estimate"].as_f64()?, bound("lower_bound")?, bound("upper_bound")?);
    Some(format!("{middle:.1} ({low:.1}–{high:.1})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_read_with_its_interval() {
        let text = r#"{"mean":{"point_estimate":9.0},"median":{"confidence_interval":{"confidence_level":0.95,
            "lower_bound":2.04,"upper_bound":2.11},"point_estimate":2.06,"standard_error":0.01}}"#;
        assert_eq!(read(text).unwrap(), "2.1 (2.0–2.1)");
        for broken in ["", "{}", r#"{"median":{"point_estimate":1.0}}"#] {
            assert_eq!(read(broken), None, "{broken}");
        }
    }
}
