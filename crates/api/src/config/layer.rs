//! One layer of the configuration: the values of one source, each validated by its key and marked with its origin.
//!
//! A layer is a source for the `config` crate, which merges the layers and keeps the origin of each value. Sources are
//! parsed here and not by that crate: its parsers stop at the first invalid value and know neither lines nor variables,
//! while an operator should see all problems at once, with the place of each.

use std::collections::BTreeMap;
use std::fmt;

use ::config::{ConfigError, Map, Source, Value};

use super::key::{Raw, Refusal};
use super::keys;
use super::near;
use super::problem::Problem;

/// The values of one source by key, and what was wrong with the others.
#[derive(Clone, Default)]
pub(super) struct Layer {
    pub(super) values: BTreeMap<&'static str, Value>,
    pub(super) problems: Vec<Problem>,
}

impl Layer {
    /// Adds a value if its key exists and its kind accepts it; otherwise records a problem. The later of two values for
    /// a key wins.
    pub(super) fn take(&mut self, path: &str, raw: Raw, origin: String) {
        let Some(key) = keys::find(path) else {
            return self.refuse(path, origin, "is not a key", near::suggestion(path));
        };
        match key.kind.accept(raw) {
            Ok(value) => {
                self.values.insert(key.path, Value::new(Some(&origin), value));
            }
            Err(Refusal { wrong, right }) => self.refuse(key.path, origin, wrong, right),
        }
    }

    /// Records a problem.
    pub(super) fn refuse(&mut self, key: &str, origin: String, wrong: impl Into<String>, right: impl Into<String>) {
        self.problems.push(Problem::new(key, origin, wrong, right));
    }
}

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        Ok(self.values.iter().map(|(path, value)| ((*path).to_owned(), value.clone())).collect())
    }
}

/// Shows which keys are set but not their values, some of which are secrets.
impl fmt::Debug for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Layer").field("keys", &self.values.keys()).finish_non_exhaustive()
    }
}
