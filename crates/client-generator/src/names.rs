//! Converts names of the document to Rust names.

/// Keywords, which cannot be names of fields or arguments.
const KEYWORDS: &[&str] = &[
    "as", "async", "await", "box", "break", "const", "continue", "crate", "dyn", "else", "enum", "extern", "false",
    "fn", "for", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub", "ref", "return", "self",
    "static", "struct", "super", "trait", "true", "type", "unsafe", "use", "where", "while", "yield",
];

/// A type's or variant's name: `Page_AccessScope` and `rotation_cancelled` become `PageAccessScope` and
/// `RotationCancelled`.
pub(super) fn pascal(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut start = true;
    for character in name.chars() {
        if !character.is_ascii_alphanumeric() {
            start = true;
        } else if start {
            out.extend(character.to_uppercase());
            start = false;
        } else {
            out.push(character);
        }
    }
    if out.starts_with(|first: char| first.is_ascii_digit()) { format!("N{out}") } else { out }
}

/// A field's or argument's name: `accessScopeId` and `Idempotency-Key` become `access_scope_id` and
/// `idempotency_key`; a keyword gets a final underscore.
pub(super) fn snake(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    let mut after_lower = false;
    for character in name.chars() {
        if character.is_ascii_alphanumeric() {
            if character.is_ascii_uppercase() && after_lower {
                out.push('_');
            }
            after_lower = !character.is_ascii_uppercase();
            out.extend(character.to_lowercase());
        } else {
            if !out.is_empty() && !out.ends_with('_') {
                out.push('_');
            }
            after_lower = false;
        }
    }
    if KEYWORDS.contains(&out.as_str()) {
        out.push('_');
    }
    out
}

/// A documentation comment of one or more lines. rustfmt indents it.
pub(super) fn comment(text: &str) -> String {
    text.lines().map(|line| format!("/// {}\n", line.trim_end()).replace("/// \n", "///\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_conventions_of_rust() {
        for (given, type_name, field) in [
            ("Page_AccessScope", "PageAccessScope", "page_access_scope"),
            ("accessScopeId", "AccessScopeId", "access_scope_id"),
            ("Idempotency-Key", "IdempotencyKey", "idempotency_key"),
            ("rotation_cancelled", "RotationCancelled", "rotation_cancelled"),
            ("type", "Type", "type_"),
            ("2fa", "N2fa", "2fa"),
        ] {
            assert_eq!((pascal(given).as_str(), snake(given).as_str()), (type_name, field));
        }
    }

    #[test]
    fn comments_keep_their_lines() {
        assert_eq!(comment("One.\n\nTwo."), "/// One.\n///\n/// Two.\n");
    }
}
