//! The layers a configuration is made of, each read on its own: defaults, file, environment, flags.
//!
//! A general layering library would merge them for us, but it stops at the first value that does not fit and forgets the
//! line; an operator deserves every problem at once, with the place of each.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::key::{Raw, Refusal, Value};
use super::keys::{self, KEYS};
use super::problem::Problem;

/// Where a value came from; later variants win over earlier ones.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// The built-in default.
    Default,
    /// A line of the configuration file, counted from 1; 0 is the whole file.
    File(PathBuf, usize),
    /// An environment variable.
    Environment(String),
    /// A command-line flag.
    Flag(String),
}

impl Origin {
    /// The layer alone, so that two values of one layer compare equal.
    pub(super) const fn rank(&self) -> u8 {
        match self {
            Self::Default => 0,
            Self::File(..) => 1,
            Self::Environment(_) => 2,
            Self::Flag(_) => 3,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path, 0) => write!(f, "{}", path.display()),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

/// One accepted value and its origin.
#[derive(Clone)]
pub struct Setting {
    /// What it is.
    pub value: Value,
    /// Where it came from.
    pub origin: Origin,
}

/// The settings gathered so far, by path, and what was wrong on the way.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) settings: BTreeMap<&'static str, Setting>,
    pub(super) problems: Vec<Problem>,
}

impl Gathered {
    /// Takes a value if its key exists and its kind accepts it; notes a problem otherwise.
    fn take(&mut self, path: &str, raw: Raw, origin: Origin) {
        let Some(key) = keys::find(path) else {
            self.problems.push(Problem::new(path, origin, "is not a key", suggestion(path)));
            return;
        };
        match key.kind.accept(raw) {
            Ok(value) => {
                self.settings.insert(key.path, Setting { value, origin });
            }
            Err(Refusal { wrong, right }) => self.problems.push(Problem::new(key.path, origin, wrong, right)),
        }
    }

    /// The defaults of the table.
    pub(super) fn defaults(&mut self) {
        for key in KEYS {
            let Some(literal) = key.default else { continue };
            match DeValue::parse(literal) {
                Ok(value) => self.take(key.path, raw(value.get_ref()), Origin::Default),
                Err(error) => {
                    self.problems.push(Problem::new(key.path, Origin::Default, error.to_string(), "report this"));
                }
            }
        }
    }

    /// A configuration file: sections are tables, and every line with a problem is reported.
    pub(super) fn file(&mut self, path: &Path) {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                let wrong = format!("cannot be read ({error})");
                self.problems.push(Problem::new(
                    "",
                    Origin::File(path.into(), 0),
                    wrong,
                    "name a readable file, or none",
                ));
                return;
            }
        };
        let line = |span: Range<usize>| {
            text.char_indices().take_while(|(at, _)| *at < span.start).filter(|(_, letter)| *letter == '\n').count() + 1
        };
        let at = |span: Range<usize>| Origin::File(path.into(), line(span));
        let (document, errors) = DeTable::parse_recoverable(&text);
        for error in errors {
            let origin = at(error.span().unwrap_or(0..0));
            self.problems.push(Problem::new("", origin, error.message(), "see config/default.toml for the form"));
        }
        for (section, content) in document.get_ref() {
            let DeValue::Table(entries) = content.get_ref() else {
                let origin = at(section.span());
                self.problems.push(Problem::new(
                    section.get_ref(),
                    origin,
                    "is not a section",
                    suggestion(section.get_ref()),
                ));
                continue;
            };
            for (name, value) in entries {
                let key = format!("{}.{}", section.get_ref(), name.get_ref());
                self.take(&key, raw(value.get_ref()), at(name.span()));
            }
        }
    }

    /// The environment: conventional names first, so that the systematic `NOLAPSE__SECTION__NAME` wins over them.
    pub(super) fn environment(&mut self, variables: &[(String, String)]) {
        for (name, value) in variables {
            if let Some(key) = KEYS.iter().find(|key| key.alias == Some(name.as_str())) {
                self.take(key.path, Raw::Untyped(value.clone()), Origin::Environment(name.clone()));
            }
        }
        for (name, value) in variables {
            let origin = || Origin::Environment(name.clone());
            if let Some(rest) = name.strip_prefix("NOLAPSE__") {
                let path = rest.to_lowercase().replace("__", ".");
                self.take(&path, Raw::Untyped(value.clone()), origin());
            } else if let Some(key) = near_miss(name) {
                self.problems.push(Problem::new(key.path, origin(), "is not read", format!("write {}", key.env())));
            }
        }
    }

    /// Flags: `(key path, flag as typed, value)`.
    pub(super) fn flags(&mut self, flags: &[(&str, &str, String)]) {
        for (path, flag, value) in flags {
            self.take(path, Raw::Untyped(value.clone()), Origin::Flag((*flag).to_owned()));
        }
    }
}

/// `NOLAPSE_DATABASE_URL`, single underscores: meant for a key, and silently without effect if it were let pass.
fn near_miss(name: &str) -> Option<&'static super::key::Key> {
    let rest = name.strip_prefix("NOLAPSE_")?;
    KEYS.iter().find(|key| key.alias != Some(name) && key.path.replace('.', "_").eq_ignore_ascii_case(rest))
}

fn raw(value: &DeValue<'_>) -> Raw {
    match value {
        DeValue::String(text) => Raw::Text(text.to_string()),
        DeValue::Boolean(flag) => Raw::Bool(*flag),
        DeValue::Integer(number) => {
            let digits = number.as_str().replace('_', "");
            u64::from_str_radix(&digits, number.radix()).map_or(Raw::Other("an integer out of range"), Raw::Integer)
        }
        DeValue::Array(items) => items
            .iter()
            .map(|item| item.get_ref().as_str().map(str::to_owned))
            .collect::<Option<_>>()
            .map_or(Raw::Other("a list of something other than strings"), Raw::List),
        DeValue::Float(_) => Raw::Other("a decimal number"),
        DeValue::Datetime(_) => Raw::Other("a date"),
        DeValue::Table(_) => Raw::Other("a table"),
    }
}

/// What to write in place of an unknown key: the nearest known one, or where to look.
fn suggestion(path: &str) -> String {
    KEYS.iter().map(|key| (distance(path, key.path), key.path)).min().filter(|(edits, _)| *edits <= 4).map_or_else(
        || "see `nolapse-api reference config` for the keys".into(),
        |(_, near)| format!("did you mean {near}?"),
    )
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
