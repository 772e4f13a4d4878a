//! The layers merged by the `config` crate: each key has the value of the highest layer that sets it, with its origin.

use ::config::{ConfigError, Map, Value};

use super::keys::KEYS;
use super::layer::Layer;
use super::sections::Config;

/// The effective values. They hold secrets in plain text, so this is not printable; see [`super::print`].
pub(super) struct Merged(::config::Config);

impl Merged {
    /// Merges layers, each winning over those before it.
    pub(super) fn of(layers: Vec<Layer>) -> Result<Self, ConfigError> {
        let mut builder = ::config::Config::builder();
        for key in KEYS {
            // A section without any set key is empty, not missing.
            builder = builder.set_default(key.section(), Map::<String, Value>::new())?;
        }
        for layer in layers {
            builder = builder.add_source(layer);
        }
        builder.build().map(Self)
    }

    /// The typed configuration.
    pub(super) fn typed(&self) -> Result<Config, ConfigError> {
        self.0.clone().try_deserialize()
    }

    /// The value of a key and its origin; `None` if it is unset.
    pub(super) fn get(&self, path: &str) -> Option<Value> {
        let (section, name) = path.split_once('.')?;
        self.0.get_table(section).ok()?.remove(name)
    }

    /// A whole number; `None` if it is unset or was refused.
    pub(super) fn number(&self, path: &str) -> Option<u64> {
        self.0.get(path).ok()
    }

    /// Whether a switch is on.
    pub(super) fn flag(&self, path: &str) -> bool {
        self.0.get_bool(path).unwrap_or(false)
    }

    /// A text; `None` if it is unset or was refused.
    pub(super) fn text(&self, path: &str) -> Option<String> {
        self.0.get_string(path).ok()
    }

    /// Where the value of a key came from.
    pub(super) fn origin(&self, path: &str) -> String {
        let value = self.get(path);
        value.as_ref().and_then(Value::origin).unwrap_or("default").to_owned()
    }
}
