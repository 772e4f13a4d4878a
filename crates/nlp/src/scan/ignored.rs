//! Files that a scan leaves out by name.

/// The file with their names, in the syntax of `.gitignore`; it applies to scans only.
pub(super) const FILE: &str = ".nlpignore";
