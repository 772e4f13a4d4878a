//! Names of scopes from a request, in an answer that repeats them.

/// The name, unless it looks like a secret sent by mistake: answers are logged and shared.
pub(super) fn shown(name: &str) -> &str {
    if token_domain::text::holds_secret(name) { "(not repeated: it looks like a secret)" } else { name }
}
