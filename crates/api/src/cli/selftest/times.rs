//! How long something took, over all rounds of the self-test.

use std::fmt::Write as _;
use std::time::Duration;

/// What [`Times::figures`] shows, in the same width.
pub(super) const HEAD: &str = "      p50       p99       max";
/// Upper bounds of the histogram's rows, in microseconds.
const BOUNDS_US: [u128; 11] =
    [500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 500_000, 1_000_000, 10_000_000];
/// Width of the longest bar.
const BAR: usize = 40;

/// Times of one kind.
#[derive(Clone, Debug, Default)]
pub(super) struct Times(Vec<Duration>);

impl Times {
    pub(super) fn add(&mut self, time: Duration) {
        self.0.push(time);
    }

    pub(super) fn joined(all: &[Self]) -> Self {
        Self(all.iter().flat_map(|times| times.0.iter().copied()).collect())
    }

    /// The percentile by the nearest rank; `None` without times.
    fn percentile(&self, percent: usize) -> Option<Duration> {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        sorted.get((sorted.len() * percent).div_ceil(100).saturating_sub(1)).copied()
    }

    /// The median, the 99th percentile and the maximum.
    pub(super) fn figures(&self) -> String {
        let shown = |percent| self.percentile(percent).map_or_else(|| "-".to_owned(), milliseconds);
        format!("{:>9} {:>9} {:>9}", shown(50), shown(99), shown(100))
    }

    /// A row for each size that occurs.
    pub(super) fn histogram(&self) -> String {
        let mut counts = [0_usize; BOUNDS_US.len() + 1];
        for time in &self.0 {
            counts[BOUNDS_US.iter().take_while(|bound| time.as_micros() > **bound).count()] += 1;
        }
        let most = counts.iter().copied().max().unwrap_or(0).max(1);
        let mut text = String::new();
        for (at, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let bound = BOUNDS_US.get(at).map_or_else(
                || format!("over {} ms", BOUNDS_US[BOUNDS_US.len() - 1] / 1_000),
                |bound| format!("≤ {}.{} ms", bound / 1_000, bound % 1_000 / 100),
            );
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{bound:>14}  {count:>6}  {}", "#".repeat((count * BAR).div_ceil(most)));
        }
        text
    }
}

fn milliseconds(time: Duration) -> String {
    let micros = time.as_micros();
    format!("{}.{} ms", micros / 1_000, micros % 1_000 / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_those_of_the_sorted_times() {
        let mut times = Times::default();
        assert_eq!(times.figures().split_whitespace().collect::<Vec<_>>(), ["-", "-", "-"]);
        for ms in (1..=200).rev() {
            times.add(Duration::from_millis(ms));
        }
        assert_eq!(times.figures(), " 100.0 ms  198.0 ms  200.0 ms");
        assert_eq!(times.figures().len(), HEAD.len());
    }

    #[test]
    fn a_histogram_has_a_row_for_each_size_there_is() {
        let times = Times([300, 400, 700, 20_000_000].map(Duration::from_micros).to_vec());
        let text = times.histogram();
        let rows: Vec<Vec<_>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(rows.len(), 3);
        assert_eq!(rows[0][..4], ["≤", "0.5", "ms", "2"]);
        assert_eq!(rows[1][..4], ["≤", "1.0", "ms", "1"]);
        assert_eq!(rows[2][..4], ["over", "10000", "ms", "1"]);
        assert_eq!(rows[0][4].len(), 2 * rows[1][4].len());
    }
}
