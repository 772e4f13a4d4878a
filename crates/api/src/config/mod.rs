//! Configuration: flag over environment over file over default, every problem named at once.
//!
//! Loading goes in steps, each in its own file: `read` makes a `layer` of each source and lets the keys' [`key::Kind`] judge
//! the values, `twins` replaces secret files by what they hold, `merged` is the layers made one by the `config` crate,
//! `rules` checks what spans keys, and [`sections`] is the typed result.
//! **Invariant:** no value of a secret reaches a message, a `Debug` or `config print`.

pub(crate) mod key;
pub(crate) mod keys;
pub(crate) mod print;
pub(crate) mod problem;
pub(crate) mod reference;
pub(crate) mod secret;
pub(crate) mod sections;

mod layer;
mod merged;
mod near;
mod read;
mod rules;
mod twins;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use merged::Merged;
use problem::{Problem, Problems};
pub(crate) use sections::Config;

/// Where to load from. Nothing is read from the process itself, so that a test can say what the environment is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources {
    /// The configuration file, if one was named.
    pub(crate) file: Option<PathBuf>,
    /// Environment variables as name and value; those that are not ours are passed over.
    pub(crate) environment: Vec<(String, String)>,
    /// Flags: key path, flag as typed, value.
    pub(crate) flags: Vec<(&'static str, &'static str, String)>,
}

impl Sources {
    /// The environment of this process, with the file named by `NOLAPSE_CONFIG` unless a flag names one. A variable that
    /// is not UTF-8 is passed over, as no key of ours can be set by it.
    pub(crate) fn of_process(file: Option<PathBuf>, flags: Vec<(&'static str, &'static str, String)>) -> Self {
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
pub(crate) struct Loaded {
    /// What the service runs on.
    pub(crate) config: Config,
    merged: Merged,
}

/// Loads, or says everything that is wrong.
pub(crate) fn load(sources: &Sources) -> Result<Loaded, Problems> {
    let mut layers = read::layers(sources);
    let mut problems: Vec<Problem> = layers.iter_mut().flat_map(|layer| std::mem::take(&mut layer.problems)).collect();
    problems.extend(twins::resolve(&mut layers));
    // Reached only if the table of keys and the structs disagree, which a test forbids.
    let disagree = |error: ::config::ConfigError| {
        Problems(vec![Problem::new("", "the table of keys", error.to_string(), "report this")])
    };
    let merged = Merged::of(layers).map_err(disagree)?;
    rules::check(&merged, &mut problems);
    if !problems.is_empty() {
        return Err(Problems(problems));
    }
    Ok(Loaded { config: merged.typed().map_err(disagree)?, merged })
}
