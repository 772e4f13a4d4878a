//! Configuration: flag over environment over file over default, every problem named at once.
//!
//! Each step of loading has its own file: `read` makes a `layer` of each source and validates the values by
//! [`key::Kind`], `twins` replaces secret files by their contents, `merged` merges the layers with the `config` crate,
//! `rules` checks rules that span keys, and [`sections`] is the typed result. **Invariant:** no value of a secret
//! reaches a message, a `Debug` or `config print`.

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

use layer::Layer;
use merged::Merged;
use problem::{Problem, Problems};
pub(crate) use sections::Config;
pub(crate) use twins::without_line_break;

/// The sources. Loading reads nothing from the process itself, so that a test can set the environment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources {
    /// The configuration file, if one was named.
    pub(crate) file: Option<PathBuf>,
    /// Environment variables as name and value; those of other programs are ignored.
    pub(crate) environment: Vec<(String, String)>,
    /// Flags: key path, flag as typed, value.
    pub(crate) flags: Vec<(&'static str, &'static str, String)>,
}

impl Sources {
    /// The environment of this process, with the file in `NOLAPSE_CONFIG` unless a flag names one. Variables that are
    /// not UTF-8 are ignored: no valid value of a key needs one.
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
    /// The typed configuration.
    pub(crate) config: Config,
    merged: Merged,
}

/// Who names a database on the command line means this one, and not where another is reached without its pooler.
fn flag_counts_alone(layers: &mut [Layer]) {
    if let Some((flags, others)) = layers.split_last_mut()
        && flags.values.contains_key("database.url")
    {
        for layer in others {
            layer.values.remove("database.direct_url");
        }
    }
}

/// Loads the configuration, or returns all problems.
pub(crate) fn load(sources: &Sources) -> Result<Loaded, Problems> {
    let mut layers = read::layers(sources);
    let mut problems: Vec<Problem> = layers.iter_mut().flat_map(|layer| std::mem::take(&mut layer.problems)).collect();
    problems.extend(twins::resolve(&mut layers));
    flag_counts_alone(&mut layers);
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
