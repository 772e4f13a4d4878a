//! A bar chart of uses: how often tokens were valid, lacked a scope, or were refused, in each hour or day of a period.

use std::fmt::Write as _;

use token_domain::Timestamp;
use token_domain::usage::{Step, UseCounts};

use crate::show;

/// The height of the tallest bar.
const HEIGHT: u32 = 80;

/// The counts of one hour or day, as a line of the table.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) label: String,
    pub(super) counts: [String; 3],
}

/// The data of `chart.html`.
#[derive(Clone, Debug)]
pub(super) struct Chart {
    /// The bars of each kind as one path, which is much shorter than an element for each: a line of the width of a bar for
    /// each hour or day, from the top of the kind below.
    pub(super) paths: [(&'static str, String); 3],
    /// The hours or days with any uses.
    pub(super) rows: Vec<Row>,
    /// The number of hours or days.
    pub(super) width: usize,
    pub(super) is_used: bool,
    /// All uses of the period in words, for screen readers.
    pub(super) uses: String,
    /// The sums of the three kinds.
    pub(super) totals: [String; 3],
    /// The most uses of one bar.
    pub(super) busiest: String,
    /// What a bar stands for: hour or day.
    pub(super) part: &'static str,
    /// Where the period begins.
    pub(super) begins: String,
}

/// All uses of a bar, with any outcome.
fn total(counts: &UseCounts) -> u64 {
    counts.allowed + counts.insufficient + counts.denied
}

impl Chart {
    /// A chart of the counts of each hour or day, scaled to the highest.
    pub(super) fn of(parts: &[(Timestamp, UseCounts)], step: Step) -> Self {
        let most = parts.iter().map(|(_, counts)| total(counts)).max().unwrap_or(0);
        let mut sum = UseCounts::default();
        for (_, counts) in parts {
            sum += *counts;
        }
        let mut paths = [("allowed", String::new()), ("lacking", String::new()), ("refused", String::new())];
        for (x, (_, counts)) in parts.iter().enumerate() {
            let mut y = HEIGHT;
            for ((_, path), count) in paths.iter_mut().zip([counts.allowed, counts.insufficient, counts.denied]) {
                let height = height(count, most);
                if height > 0 {
                    // Writing to a String cannot fail.
                    let _ = write!(path, "M{x} {y}v-{height}");
                    y = y.saturating_sub(height);
                }
            }
        }
        Self {
            paths,
            rows: parts.iter().filter(|(_, counts)| total(counts) > 0).map(|part| Row::of(part, step)).collect(),
            width: parts.len(),
            is_used: most > 0,
            uses: show::count(total(&sum), "use"),
            totals: [sum.allowed, sum.insufficient, sum.denied].map(show::number),
            busiest: show::number(most),
            part: step.as_str(),
            begins: parts.first().map(|(begins, _)| label(*begins, step)).unwrap_or_default(),
        }
    }
}

/// The height of a count. A count above zero is visible even beside a much higher bar.
fn height(count: u64, most: u64) -> u32 {
    let scaled = count.saturating_mul(u64::from(HEIGHT)) / most.max(1);
    u32::try_from(scaled).unwrap_or(HEIGHT).max(u32::from(count > 0) * 2)
}

fn label(begins: Timestamp, step: Step) -> String {
    match step {
        Step::Hour => format!("{}, {}", show::date(begins), show::clock(begins)),
        Step::Day => show::date(begins),
    }
}

impl Row {
    /// Without year and zone, which the table's head and the axis have: there may be hundreds of rows.
    fn of((begins, counts): &(Timestamp, UseCounts), step: Step) -> Self {
        let (day, time) = (show::date(*begins), show::clock(*begins));
        let day = day.rsplit_once(' ').map_or(day.as_str(), |(day, _)| day);
        Self {
            label: match step {
                Step::Hour => format!("{day}, {}", time.trim_end_matches(" UTC")),
                Step::Day => day.to_owned(),
            },
            counts: [counts.allowed, counts.insufficient, counts.denied].map(show::number),
        }
    }
}

#[cfg(test)]
mod tests {
    use token_domain::Span;

    use super::*;

    #[test]
    fn the_busiest_part_is_as_high_as_the_chart_and_a_single_use_shows() {
        let begins = Timestamp::parse_rfc3339("2026-01-15T09:00:00Z").unwrap();
        let counts = |allowed, insufficient, denied| UseCounts { allowed, insufficient, denied };
        let parts = [
            (begins, counts(600, 300, 100)),
            (begins + Span::seconds(3_600), counts(1, 0, 0)),
            (begins + Span::seconds(7_200), counts(0, 0, 0)),
        ];
        let chart = Chart::of(&parts, Step::Hour);
        let path = |index: usize| chart.paths[index].1.as_str();
        assert_eq!((path(0), path(1), path(2)), ("M0 80v-48M1 80v-2", "M0 32v-24", "M0 8v-8"));
        assert_eq!(
            (chart.width, chart.uses.as_str(), chart.busiest.as_str()),
            (3, "1\u{202f}001 uses", "1\u{202f}000")
        );
        let rows: Vec<&str> = chart.rows.iter().map(|row| row.label.as_str()).collect();
        assert_eq!(rows, ["15 Jan, 09:00", "15 Jan, 10:00"], "what was not used has no row");
        assert_eq!(chart.begins, "15 Jan 2026, 09:00 UTC");
        assert!(chart.is_used);
        assert!(!Chart::of(&[], Step::Day).is_used);
    }
}
