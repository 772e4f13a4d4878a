//! A baseline: an earlier report, whose findings are not reported again.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;

use crate::failure::{Failure, Result};

/// The fields of a report that a baseline needs.
#[derive(Deserialize)]
struct Report {
    findings: Vec<Known>,
}

#[derive(Deserialize)]
struct Known {
    fingerprint: String,
}

/// The fingerprints of an earlier report.
///
/// # Errors
/// If the file is not a report.
pub(super) fn read(file: &Path) -> Result<BTreeSet<String>> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::new(format!("the baseline {} cannot be read: {error}", file.display())))?;
    let report: Report = serde_json::from_str(&text).map_err(|_| {
        Failure::usage(format!("{} is not a report of nlp scan", file.display()))
            .next("create one with: nlp scan -o json > baseline.json")
    })?;
    Ok(report.findings.into_iter().map(|known| known.fingerprint).collect())
}
