//! `config print`: the effective values with the origin of each, secrets masked.

use std::fmt::Write as _;

use ::config::{Value, ValueKind};

use super::Loaded;
use super::key::{Kind, mask_url};
use super::keys::{KEYS, TWIN_LISTS, TWINS};

impl Loaded {
    /// A TOML text that, except for masked secrets, loads to the same configuration. Each line ends with the origin.
    pub(crate) fn print(&self) -> String {
        let mut text = String::new();
        let mut section = "";
        // Secret files have been read into their secrets, whose lines show the origin.
        let is_twin = |path: &str| TWINS.iter().chain(TWIN_LISTS).any(|(_, twin)| *twin == path);
        for key in KEYS.iter().filter(|key| !is_twin(key.path)) {
            if key.section() != section {
                section = key.section();
                let gap = if text.is_empty() { "" } else { "\n" };
                // Writing to a String cannot fail.
                let _ = writeln!(text, "{gap}[{section}]");
            }
            let _ = match self.merged.get(key.path) {
                Some(value) => {
                    let origin = value.origin().unwrap_or_default();
                    writeln!(text, "{} = {}  # {origin}", key.name(), literal(&value, key.kind))
                }
                None => writeln!(text, "# {} is unset", key.name()),
            };
        }
        text
    }
}

/// A value as a TOML literal, with secrets and the passwords in URLs masked.
fn literal(value: &Value, kind: Kind) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    match &value.kind {
        ValueKind::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| literal(item, kind)).collect();
            format!("[{}]", items.join(", "))
        }
        _ if kind.is_secret() => quoted("***"),
        ValueKind::String(text) if kind == Kind::DatabaseUrl => quoted(&mask_url(text)),
        ValueKind::String(text) => quoted(text),
        // Booleans and integers: a kind accepts no other types.
        number_or_flag => number_or_flag.to_string(),
    }
}
