//! Turns a failed second pass into a 400 that names the field and says what would be right, without repeating the value.
//!
//! `serde` puts the rejected value into its messages (`invalid type: string "…", expected u64`). The value may be a
//! secret, so only the part after the last `, expected ` is kept, which does not contain it.

use serde_path_to_error::Path;

use crate::error::ApiError;

/// The error for serde's message about the value at this path.
pub(super) fn explain(path: &Path, message: &str) -> ApiError {
    let path = match path.to_string() {
        top if top == "." => String::new(),
        path => path.chars().filter(|letter| !letter.is_control()).take(100).collect(),
    };
    let message = message.rsplit_once(" at line ").map_or(message, |(message, _)| message);
    if let Some(name) = message.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
        let field = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        return ApiError::invalid(field, "is required");
    }
    let advice = if message.starts_with("must ") {
        // Messages of this service's own types have this form and never contain the value.
        message.to_owned()
    } else {
        match message.rsplit_once(", expected ") {
            Some((_, expected)) => must_be(expected),
            None => wrong_text(message).to_owned(),
        }
    };
    if path.is_empty() {
        ApiError::from(crate::codes::Code::MalformedRequest).message(format!("The body {advice}."))
    } else {
        ApiError::invalid(path, advice)
    }
}

/// What a text must be that the standard library could not parse as a number or a boolean.
fn wrong_text(message: &str) -> &'static str {
    if message.contains("`true` or `false`") {
        "must be true or false"
    } else if ["digit", "integer", "number"].iter().any(|word| message.contains(word)) {
        "must be a whole number, neither negative nor too large"
    } else {
        "has the wrong format"
    }
}

/// What a value of another type is told: `expected` is serde's name of the type.
pub fn must_be(expected: &str) -> String {
    format!("must be {}", plain(expected))
}

/// Translates Rust's type names into JSON's.
fn plain(expected: &str) -> String {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, neither negative nor too large".to_owned(),
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number that is not too large".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "an object".to_owned(),
        "unit" => "null".to_owned(),
        other if other.starts_with("struct ") => "an object".to_owned(),
        other => other.chars().filter(|letter| !letter.is_control()).take(200).collect(),
    }
}
