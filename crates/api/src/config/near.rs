//! Suggestions for misspelt keys.

use super::key::Key;
use super::keys::KEYS;

/// What to write instead of an unknown key: the nearest known one, or a pointer to the reference.
pub(super) fn suggestion(path: &str) -> String {
    KEYS.iter().map(|key| (distance(path, key.path), key.path)).min().filter(|(edits, _)| *edits <= 4).map_or_else(
        || "see `nolapse-api reference config` for the keys".into(),
        |(_, near)| format!("did you mean {near}?"),
    )
}

/// The key that a variable with single underscores, such as `NOLAPSE_DATABASE_URL`, was meant for. Ignored, the
/// variable would silently have no effect.
pub(super) fn missed(variable: &str) -> Option<&'static Key> {
    let rest = variable.strip_prefix("NOLAPSE_")?;
    KEYS.iter().find(|key| key.alias != Some(variable) && key.path.replace('.', "_").eq_ignore_ascii_case(rest))
}

/// Levenshtein distance over bytes; keys are ASCII.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let substituted = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
