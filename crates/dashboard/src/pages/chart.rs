//! A bar chart of uses: how often tokens were valid, lacked a scope, or were refused, in each hour or day of a period.

use token_domain::Timestamp;
use token_domain::usage::{Step, UseCounts};

use crate::show;

/// The height of the tallest bar.
const HEIGHT: u32 = 80;

/// A bar: the counts of one hour or day, as heights.
#[derive(Clone, Debug)]
pub(super) struct Bar {
    pub(super) x: u32,
    pub(super) allowed: u32,
    pub(super) lacking: u32,
    pub(super) refused: u32,
    /// The top edge of each segment.
    pub(super) allowed_y: u32,
    pub(super) lacking_y: u32,
    pub(super) refused_y: u32,
    pub(super) label: String,
    pub(super) counts: [String; 3],
    pub(super) is_used: bool,
}

/// The data of `chart.html`.
#[derive(Clone, Debug)]
pub(super) struct Chart {
    pub(super) bars: Vec<Bar>,
    pub(super) width: u32,
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
        let bars: Vec<Bar> = (0..).zip(parts).map(|(index, part)| Bar::of(index, part, most.max(1), step)).collect();
        Self {
            width: u32::try_from(bars.len()).unwrap_or(0) * 10,
            is_used: most > 0,
            uses: show::count(total(&sum), "use"),
            totals: [sum.allowed, sum.insufficient, sum.denied].map(show::number),
            busiest: show::number(most),
            part: step.as_str(),
            begins: parts.first().map(|(begins, _)| label(*begins, step)).unwrap_or_default(),
            bars,
        }
    }
}

fn label(begins: Timestamp, step: Step) -> String {
    match step {
        Step::Hour => format!("{}, {}", show::date(begins), show::clock(begins)),
        Step::Day => show::date(begins),
    }
}

impl Bar {
    fn of(index: u32, (begins, counts): &(Timestamp, UseCounts), most: u64, step: Step) -> Self {
        let height = |count: u64| {
            // A count above zero is visible even beside a much higher bar.
            let scaled = count.saturating_mul(u64::from(HEIGHT)) / most;
            u32::try_from(scaled).unwrap_or(HEIGHT).max(u32::from(count > 0) * 2)
        };
        let (allowed, lacking, refused) = (height(counts.allowed), height(counts.insufficient), height(counts.denied));
        let allowed_y = HEIGHT.saturating_sub(allowed);
        let lacking_y = allowed_y.saturating_sub(lacking);
        Self {
            x: index * 10,
            allowed,
            lacking,
            refused,
            allowed_y,
            lacking_y,
            refused_y: lacking_y.saturating_sub(refused),
            label: label(*begins, step),
            counts: [counts.allowed, counts.insufficient, counts.denied].map(show::number),
            is_used: total(counts) > 0,
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
        let [busy, one, none] = [0, 1, 2].map(|index| &chart.bars[index]);
        assert_eq!((busy.allowed, busy.lacking, busy.refused, busy.refused_y), (48, 24, 8, 0));
        assert_eq!((one.allowed, one.allowed_y, one.x), (2, 78, 10));
        assert!(!none.is_used && chart.is_used);
        assert_eq!(
            (chart.width, chart.uses.as_str(), chart.busiest.as_str()),
            (30, "1\u{202f}001 uses", "1\u{202f}000")
        );
        assert_eq!(busy.label, "15 Jan 2026, 09:00 UTC");
        assert!(!Chart::of(&[], Step::Day).is_used);
    }
}
