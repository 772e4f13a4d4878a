//! `nlp probe`: measures how soon changes hold on every node. It creates a token and validates it on every node until
//! each accepts it, then revokes it and validates until each refuses it, and prints the times as a histogram.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use client::{Client, Error, Plain, Secret, types};
use serde_json::{Value, json};

use super::token::{Family, New, create};
use crate::failure::{Failure, Result};
use crate::output::Printer;
use crate::settings::Settings;
use crate::signals::Interrupts;

/// How long the probe waits for a node before it fails.
const PATIENCE: Duration = Duration::from_mins(1);
/// Upper bounds of the histogram's rows, in microseconds.
const BOUNDS_US: [u128; 9] = [500, 1_000, 2_000, 5_000, 10_000, 50_000, 100_000, 1_000_000, 10_000_000];
/// Width of the longest bar.
const BAR: usize = 40;

/// Options of `probe`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// The address of another node to measure. May be repeated. The node at `--url` is always measured.
    #[arg(long, value_name = "URL")]
    node: Vec<String>,
    /// The number of tokens to create and revoke.
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// The scope of the tokens, which are revoked before the command ends.
    #[arg(long, default_value = "read", value_name = "SCOPE")]
    scope: String,
}

/// How long something took, on every node and in every round.
#[derive(Debug, Default)]
struct Times {
    all: Vec<Duration>,
    /// How often a node's first answer was the old one.
    late: u32,
}

pub(crate) fn run(settings: &Settings, printer: &Printer, args: &Args) -> Result<()> {
    let client = settings.signed_in()?;
    let mut nodes = vec![client.anonymous()];
    for url in &args.node {
        // Plain HTTP is permitted: a node may be in a private network, and only the probe's own token is sent to it.
        nodes.push(Client::new(url, Plain::Anywhere)?);
    }
    let (mut made_times, mut revoked_times) = (Times::default(), Times::default());
    let interrupts = Interrupts::watch(printer, "nlp token list --status active --name 'nlp probe'".to_owned())?;
    let progress = printer.progress();
    for round in 1..=args.rounds {
        progress.tell(|| format!("round {round} of {}", args.rounds));
        let new = New {
            name: format!("nlp probe {round}"),
            scopes: vec![args.scope.clone()],
            expires_in_days: Some(1),
            ..New::default()
        };
        let made = create(&client, Family::Organization, new)?;
        let seen = follow(&nodes, &made.secret, true, &mut made_times, &interrupts);
        // Revoke the token also after a failure or Ctrl-C, so that the probe leaves none behind.
        Family::Organization
            .revoke(&client, &made.id)
            .map_err(|failure| failure.after(format!("the token {} of the probe was not revoked", made.id)))?;
        seen?;
        follow(&nodes, &made.secret, false, &mut revoked_times, &interrupts)?;
    }
    let value = json!({
        "nodes": nodes.iter().map(Client::base).collect::<Vec<_>>(),
        "rounds": args.rounds,
        "created": made_times.json(),
        "revoked": revoked_times.json(),
    });
    if printer.is_text() {
        let text = format!(
            "a new token validates, {} nodes, {} rounds\n{}\na revoked token does not validate\n{}",
            nodes.len(),
            args.rounds,
            made_times.histogram(),
            revoked_times.histogram()
        );
        printer.text(&text)?;
    } else {
        printer.value(&value)?;
    }
    if revoked_times.late > 0 {
        return Err(Failure::new(format!(
            "a revoked token was still reported as valid {} times after the response to its revocation",
            revoked_times.late
        ))
        .next(
            "this is expected with cluster.consistency = relaxed; otherwise check that all nodes use the same database",
        ));
    }
    Ok(())
}

/// Validates the token on each node until the answer is as expected.
fn follow(nodes: &[Client], token: &Secret, expected: bool, times: &mut Times, interrupts: &Interrupts) -> Result<()> {
    for node in nodes {
        let began = Instant::now();
        loop {
            let asked = Instant::now();
            let good = is_good(node, token);
            interrupts.check().map_err(|failure| failure.after("the probe's tokens are revoked"))?;
            let good = good?;
            if good == expected {
                times.all.push(if asked == began { asked.elapsed() } else { began.elapsed() });
                break;
            }
            times.late += 1;
            if began.elapsed() > PATIENCE {
                return Err(Failure::new(format!(
                    "{} did not apply the change within {} s",
                    node.base(),
                    PATIENCE.as_secs()
                )));
            }
        }
    }
    Ok(())
}

fn is_good(node: &Client, token: &Secret) -> Result<bool> {
    match node.validate(&types::ValidateRequest { token: token.clone(), ..Default::default() }) {
        Ok(_) => Ok(true),
        Err(Error::Refused(refusal)) if refusal.status == 401 => Ok(false),
        Err(error) => Err(error.into()),
    }
}

impl Times {
    /// A percentile, in microseconds.
    fn percentile_us(&self, percent: usize) -> u128 {
        let mut sorted: Vec<_> = self.all.iter().map(Duration::as_micros).collect();
        sorted.sort_unstable();
        let at = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
        sorted.get(at).copied().unwrap_or_default()
    }

    fn json(&self) -> Value {
        let number = |value: u128| u64::try_from(value).unwrap_or(u64::MAX);
        json!({
            "answers": self.all.len(),
            "wrong_first": self.late,
            "p50_us": number(self.percentile_us(50)),
            "p99_us": number(self.percentile_us(99)),
            "max_us": number(self.percentile_us(100)),
        })
    }

    fn histogram(&self) -> String {
        let mut counts = [0_usize; BOUNDS_US.len() + 1];
        for time in &self.all {
            counts[BOUNDS_US.iter().take_while(|bound| time.as_micros() > **bound).count()] += 1;
        }
        let most = counts.iter().copied().max().unwrap_or(0).max(1);
        let mut text = String::new();
        for (at, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let bound = BOUNDS_US.get(at).map_or_else(
                || format!("over {} ms", BOUNDS_US[BOUNDS_US.len() - 1] / 1000),
                |bound| format!("≤ {}.{} ms", bound / 1000, bound % 1000 / 100),
            );
            let bar = "#".repeat((count * BAR).div_ceil(most));
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{bound:>14}  {count:>6}  {bar}");
        }
        let _ = writeln!(
            text,
            "  50 % within {} µs, 99 % within {} µs, nodes that answered with the old state first: {}",
            self.percentile_us(50),
            self.percentile_us(99),
            self.late
        );
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_has_a_row_for_each_size_there_is() {
        let times = Times { all: [300, 400, 700, 20_000_000].map(Duration::from_micros).to_vec(), late: 1 };
        let text = times.histogram();
        let rows: Vec<Vec<_>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(rows[0][..4], ["≤", "0.5", "ms", "2"]);
        assert_eq!(rows[1][..4], ["≤", "1.0", "ms", "1"]);
        assert_eq!(rows[2][..4], ["over", "10000", "ms", "1"]);
        assert_eq!(times.percentile_us(50), 400);
        assert_eq!(Times::default().percentile_us(99), 0);
    }
}
