//! Median and extremes of a few rounds. Three to seven rounds justify no finer statistics.

/// Smallest, middle and largest of some rounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spread {
    /// Smallest.
    pub(super) min: f64,
    /// Middle; the mean of the two middle ones if their number is even.
    pub(super) median: f64,
    /// Largest.
    pub(super) max: f64,
}

impl Spread {
    /// The spread of `values`; every field is NaN if `values` is empty.
    pub(super) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<_> = values.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let at = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
        let last = sorted.len().saturating_sub(1);
        let median = f64::midpoint(at(last / 2), at(sorted.len() / 2));
        Self { min: at(0), median, max: at(last) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_and_the_extremes() {
        for (values, expected) in [
            (vec![3.0], (3.0, 3.0, 3.0)),
            (vec![3.0, 1.0, 2.0], (1.0, 2.0, 3.0)),
            (vec![4.0, 1.0, 2.0, 3.0], (1.0, 2.5, 4.0)),
        ] {
            let Spread { min, median, max } = Spread::of(values.clone());
            assert_eq!((min, median, max), expected, "{values:?}");
        }
        assert!(Spread::of([]).median.is_nan());
    }
}
