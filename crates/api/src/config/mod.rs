//! Configuration: flag over environment over file over default, every problem named at once.
//!
//! Loading goes in steps, each in its own file: [`layers`] reads values and lets their [`key::Kind`] judge them, `twins`
//! replaces secret files by what they hold, `rules` checks what spans keys, and [`sections`] is the typed result.
//! **Invariant:** no value of a secret reaches a message, a `Debug` or `config print`.

pub mod key;
pub mod keys;
pub mod layers;
pub mod print;
pub mod problem;
pub mod reference;
pub mod secret;
pub mod sections;

mod rules;
mod twins;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use key::Value;
use layers::{Gathered, Origin, Setting};
use problem::{Problem, Problems};
pub use sections::Config;

/// Where to load from. Nothing is read from the process itself, so that a test can say what the environment is.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The configuration file, if one was named.
    pub file: Option<PathBuf>,
    /// Environment variables as name and value; those that are not ours are passed over.
    pub environment: Vec<(String, String)>,
    /// Flags: key path, flag as typed, value.
    pub flags: Vec<(&'static str, &'static str, String)>,
}

impl Sources {
    /// The environment of this process, with the file named by `NOLAPSE_CONFIG` unless a flag names one. A variable that
    /// is not UTF-8 is passed over, as no key of ours can be set by it.
    pub fn of_process(file: Option<PathBuf>, flags: Vec<(&'static str, &'static str, String)>) -> Self {
        let environment =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self {
            file: file.or_else(|| std::env::var_os("NOLAPSE_CONFIG").map(PathBuf::from)),
            environment: environment.collect(),
            flags,
        }
    }
}

/// A configuration without problems, with the origin of each value.
pub struct Loaded {
    /// What the service runs on.
    pub config: Config,
    settings: BTreeMap<&'static str, Setting>,
}

/// Loads, or says everything that is wrong.
pub fn load(sources: &Sources) -> Result<Loaded, Problems> {
    let mut gathered = Gathered::default();
    gathered.defaults();
    if let Some(path) = &sources.file {
        gathered.file(path);
    }
    gathered.environment(&sources.environment);
    gathered.flags(&sources.flags);
    twins::resolve(&mut gathered);
    rules::check(&mut gathered);
    let Gathered { settings, mut problems } = gathered;
    if problems.is_empty() {
        match Config::deserialize(tree(&settings)) {
            Ok(config) => return Ok(Loaded { config, settings }),
            // Reached only if the table and the structs disagree, which a test forbids.
            Err(error) => problems.push(Problem::new("", Origin::Default, error.to_string(), "report this")),
        }
    }
    Err(Problems(problems))
}

/// The settings as the nested object the typed sections are read from. Absent optional keys stay absent.
fn tree(settings: &BTreeMap<&'static str, Setting>) -> Json {
    let mut root = Map::new();
    for key in keys::KEYS {
        let section = root.entry(key.section()).or_insert_with(|| Json::Object(Map::new()));
        if let (Json::Object(section), Some(setting)) = (section, settings.get(key.path)) {
            section.insert(key.name().to_owned(), json(&setting.value));
        }
    }
    Json::Object(root)
}

fn json(value: &Value) -> Json {
    match value {
        Value::Bool(flag) => Json::from(*flag),
        Value::Integer(number) => Json::from(*number),
        Value::Text(text) => Json::from(text.clone()),
        Value::List(items) => Json::from(items.clone()),
    }
}
