//! Rule: the API document is complete, as `client_generator::flaws` judges it.

use super::Finding;
use task_support::fail::{Context as _, Result};
use task_support::project;

/// The document, as `nolapse-api openapi` writes it.
const DOCUMENT: &str = "docs/reference/openapi.json";

/// Reads the document and checks it.
pub(super) fn check() -> Result<Vec<Finding>> {
    let text = std::fs::read_to_string(project::root().join(DOCUMENT)).attempt(|| format!("read {DOCUMENT}"))?;
    let document = serde_json::from_str(&text).attempt(|| format!("read {DOCUMENT} as JSON"))?;
    Ok(client_generator::flaws(&document).into_iter().map(|text| Finding::new(DOCUMENT, text)).collect())
}
