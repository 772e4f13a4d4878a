//! Names of scopes as somebody sent them, in an answer that repeats them.

/// The name, unless a secret was put where a name belongs: answers are logged and shown around.
pub(super) fn shown(name: &str) -> &str {
    if token_domain::text::holds_secret(name) { "(not repeated: it looks like a secret)" } else { name }
}
