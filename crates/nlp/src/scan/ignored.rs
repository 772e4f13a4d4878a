//! Files that a scan leaves out by name.

/// Names files as `.gitignore` does, for scans alone.
pub(super) const FILE: &str = ".nlpignore";
