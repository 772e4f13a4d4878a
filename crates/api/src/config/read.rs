//! Parses the sources into layers: defaults and file, which are TOML; environment and flags, which are texts.

use std::ops::Range;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::Sources;
use super::key::Raw;
use super::keys::KEYS;
use super::layer::Layer;
use super::{near, reference};

/// The layers these sources make, each winning over those before it.
pub(super) fn layers(sources: &Sources) -> Vec<Layer> {
    let file = sources.file.as_deref().map(file);
    let (environment, flags) = (environment(&sources.environment), flags(&sources.flags));
    [Some(defaults()), file, Some(environment), Some(flags)].into_iter().flatten().collect()
}

/// The defaults, which `config/default.toml` lists.
fn defaults() -> Layer {
    document(&reference::default_toml(), |_| "default".to_owned())
}

/// A configuration file.
fn file(path: &Path) -> Layer {
    match std::fs::read_to_string(path) {
        Ok(text) => document(&text, |line| format!("{}:{line}", path.display())),
        Err(error) => {
            let mut layer = Layer::default();
            let wrong = format!("the configuration file cannot be read ({error})");
            layer.refuse("", path.display().to_string(), wrong, "use a readable file, or remove the setting");
            layer
        }
    }
}

/// A TOML document: sections are tables, and every line with a problem is reported. `origin` names a line, counted from 1.
fn document(text: &str, origin: impl Fn(usize) -> String) -> Layer {
    let mut layer = Layer::default();
    let at = |span: Range<usize>| origin(text.get(..span.start).map_or(0, |before| before.matches('\n').count()) + 1);
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let origin = at(error.span().unwrap_or(0..0));
        layer.refuse("", origin, error.message(), "`nolapse-api reference defaults` prints an example file");
    }
    for (section, content) in document.get_ref() {
        let DeValue::Table(entries) = content.get_ref() else {
            let name = section.get_ref();
            layer.refuse(name, at(section.span()), "is not a section", near::suggestion(name));
            continue;
        };
        for (name, value) in entries {
            layer.take(&format!("{}.{}", section.get_ref(), name.get_ref()), raw(value.get_ref()), at(name.span()));
        }
    }
    layer
}

/// The environment: conventional names first, so that the systematic `NOLAPSE__SECTION__NAME` wins over them.
fn environment(variables: &[(String, String)]) -> Layer {
    let mut layer = Layer::default();
    let origin = |name: &str| format!("environment {name}");
    for (name, value) in variables {
        if let Some(key) = KEYS.iter().find(|key| key.alias == Some(name.as_str())) {
            layer.take(key.path, Raw::Untyped(value.clone()), origin(name));
        }
    }
    for (name, value) in variables {
        if let Some(rest) = name.strip_prefix("NOLAPSE__") {
            layer.take(&rest.to_lowercase().replace("__", "."), Raw::Untyped(value.clone()), origin(name));
        } else if let Some(key) = near::missed(name) {
            layer.refuse(key.path, origin(name), "is not a known variable", format!("use {}", key.env()));
        }
    }
    layer
}

/// Flags: `(key path, flag as typed, value)`.
fn flags(flags: &[(&str, &str, String)]) -> Layer {
    let mut layer = Layer::default();
    for (path, flag, value) in flags {
        layer.take(path, Raw::Untyped(value.clone()), format!("flag {flag}"));
    }
    layer
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
