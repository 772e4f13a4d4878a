//! `/metrics` as numbers, to measure the cost of requests.

use std::collections::BTreeMap;

/// A scrape: the value of each sample, by its name with labels.
#[derive(Clone, Debug)]
pub(crate) struct Metrics(BTreeMap<String, f64>);

impl Metrics {
    /// Parses the text of a scrape.
    pub(crate) fn parse(text: &str) -> Self {
        let samples = text.lines().filter(|line| !line.starts_with('#')).map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("not a sample: {line}"));
            (name.to_owned(), value.parse().unwrap())
        });
        Self(samples.collect())
    }

    /// The value of a sample; panics if it is missing.
    #[track_caller]
    pub(crate) fn get(&self, name: &str) -> u64 {
        let value = self.0.get(name).unwrap_or_else(|| panic!("no {name} in {:#?}", self.0.keys()));
        assert!(value.fract() == 0.0 && *value >= 0.0, "{name} {value}");
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts, checked above")]
        let value = *value as u64;
        value
    }

    /// bcrypt and argon2 computations so far.
    pub(crate) fn slow_hashes(&self) -> u64 {
        self.get("nolapse_slow_hashes_total")
    }

    /// Reads of the database made for validation so far.
    pub(crate) fn candidate_reads(&self) -> u64 {
        self.get("nolapse_candidate_reads_total")
    }

    /// Validations so far with this outcome.
    pub(crate) fn validations(&self, outcome: &str) -> u64 {
        self.get(&format!("nolapse_validations_total{{outcome=\"{outcome}\"}}"))
    }
}
