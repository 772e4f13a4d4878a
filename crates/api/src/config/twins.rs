//! Secrets from files: every secret key has a twin key that names a file with the secret.

use std::path::Path;

use ::config::{Value, ValueKind};
use zeroize::Zeroizing;

use super::key::{Key, Kind, Raw, Refusal};
use super::keys::{self, TWIN_LISTS, TWINS};
use super::layer::Layer;
use super::problem::Problem;

/// Replaces twins by the contents of their files; returns the problems.
pub(super) fn resolve(layers: &mut [Layer]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (plain, twin) in TWINS {
        if let Some(key) = keys::find(plain) {
            problems.extend(resolve_one(layers, key, twin).err());
        }
    }
    for (plain, twin) in TWIN_LISTS {
        if let Some(key) = keys::find(plain) {
            problems.extend(resolve_list(layers, key, twin));
        }
    }
    problems
}

/// The highest layer with the key or its twin wins. Both in one layer is a problem, since neither precedence would be
/// obvious. Files of lower layers are not read.
fn resolve_one(layers: &mut [Layer], key: &'static Key, twin: &'static str) -> Result<(), Problem> {
    let files: Vec<Option<Value>> = layers.iter_mut().map(|layer| layer.values.remove(twin)).collect();
    for (layer, file) in layers.iter_mut().zip(files).rev() {
        match (layer.values.contains_key(key.path), file) {
            (false, None) => {}
            (true, None) => return Ok(()),
            (true, Some(file)) => {
                let wrong = format!("is set together with {}", key.path);
                return Err(Problem::new(twin, origin(&file), wrong, "set one of the two"));
            }
            (false, Some(file)) => {
                let origin = origin(&file);
                let secret = read(key, twin, &text(file), &origin)?;
                layer.values.insert(key.path, Value::new(Some(&origin), secret));
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Adds the files of the highest layer that names any, one item per file, to the list of the highest layer that has
/// one.
fn resolve_list(layers: &mut [Layer], key: &'static Key, twin: &'static str) -> Vec<Problem> {
    let files: Vec<Value> = layers.iter_mut().rev().filter_map(|layer| layer.values.remove(twin)).collect();
    let Some(files) = files.into_iter().next() else { return Vec::new() };
    let (origin, mut problems) = (origin(&files), Vec::new());
    let Some(list) = layers.iter_mut().rev().find_map(|layer| layer.values.get_mut(key.path)) else { return problems };
    for file in files.into_array().unwrap_or_default() {
        match read(key, twin, &text(file), &origin) {
            Ok(secret) => {
                let mut items = list.clone().into_array().unwrap_or_default();
                items.push(secret.into());
                *list = Value::new(Some(&origin), items);
            }
            Err(problem) => problems.push(problem),
        }
    }
    problems
}

/// Reads one secret file and validates its content by the key's kind: the secret, or one item of a list.
fn read(key: &Key, twin: &str, path: &str, origin: &str) -> Result<ValueKind, Problem> {
    let refuse = |wrong: String, right: String| Problem::new(twin, origin, format!("{path:?} {wrong}"), right);
    let text = std::fs::read_to_string(Path::new(path))
        .map(Zeroizing::new)
        .map_err(|error| refuse(format!("cannot be read ({error})"), "use a readable file".into()))?;
    let secret = without_line_break(&text);
    if secret.is_empty() {
        return Err(refuse("is empty".into(), format!("write {} to it", key.path)));
    }
    let kind = if key.kind == Kind::HexKeys { Kind::HexKey } else { key.kind };
    kind.accept(Raw::Untyped(secret.to_owned()))
        .map_err(|Refusal { wrong: _, right }| refuse(format!("does not contain a valid value of {}", key.path), right))
}

/// The text of a secret file. Editors and `echo` end a file with a line break; a secret never ends with one.
pub(crate) fn without_line_break(text: &str) -> &str {
    text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line))
}

fn origin(value: &Value) -> String {
    value.origin().unwrap_or_default().to_owned()
}

/// The path of a secret file, which its kind has validated to be a string.
fn text(file: Value) -> String {
    file.into_string().unwrap_or_default()
}
