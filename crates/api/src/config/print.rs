//! `config print`: the effective values with the origin of each, secrets masked.

use std::fmt::Write as _;

use super::Loaded;
use super::keys::{KEYS, TWIN_LISTS, TWINS};

impl Loaded {
    /// A TOML text that, but for masked secrets, would load to the same configuration; each line ends with the origin.
    pub fn print(&self) -> String {
        let mut text = String::new();
        let mut section = "";
        // The files of secrets have been read by now: their keys bear the origin.
        let is_twin = |path: &str| TWINS.iter().chain(TWIN_LISTS).any(|(_, twin)| *twin == path);
        for key in KEYS.iter().filter(|key| !is_twin(key.path)) {
            if key.section() != section {
                section = key.section();
                let gap = if text.is_empty() { "" } else { "\n" };
                // Writing to a String cannot fail.
                let _ = writeln!(text, "{gap}[{section}]");
            }
            let _ = match self.settings.get(key.path) {
                Some(setting) => {
                    writeln!(text, "{} = {}  # {}", key.name(), setting.value.print(key.kind), setting.origin)
                }
                None => writeln!(text, "# {} is unset", key.name()),
            };
        }
        text
    }
}
