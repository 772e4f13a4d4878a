//! Secrets from files: every secret key has a twin that names a file holding it.

use std::path::Path;

use zeroize::Zeroizing;

use super::key::{Kind, Raw, Refusal, Value};
use super::keys::{self, TWIN_LISTS, TWINS};
use super::layers::{Gathered, Origin, Setting};
use super::problem::Problem;

/// Replaces twins by what their files hold. Of a key and its twin, the one of the higher layer wins; both in one layer
/// is a problem, since neither order would be obvious.
pub(super) fn resolve(gathered: &mut Gathered) {
    for (plain, twin) in TWINS {
        let Some(file) = gathered.settings.remove(twin) else { continue };
        if let Some(direct) = gathered.settings.get(plain) {
            if direct.origin.rank() > file.origin.rank() {
                continue;
            }
            if direct.origin.rank() == file.origin.rank() {
                let wrong = format!("is set beside {plain}");
                gathered.problems.push(Problem::new(twin, file.origin, wrong, "set one of the two"));
                continue;
            }
        }
        if let Some(value) = read(gathered, plain, twin, &file) {
            gathered.settings.insert(plain, Setting { value, origin: file.origin });
        }
    }
    for (plain, twin) in TWIN_LISTS {
        let Some(Setting { value: Value::List(paths), origin }) = gathered.settings.remove(twin) else { continue };
        for path in paths {
            let file = Setting { value: Value::Text(path), origin: origin.clone() };
            let Some(Value::List(more)) = read(gathered, plain, twin, &file) else { continue };
            if let Some(Setting { value: Value::List(items), origin }) = gathered.settings.get_mut(plain) {
                items.extend(more);
                *origin = file.origin;
            }
        }
    }
}

/// Reads one secret file and lets the plain key's kind judge what it holds.
fn read(gathered: &mut Gathered, plain: &str, twin: &str, file: &Setting) -> Option<Value> {
    let Value::Text(path) = &file.value else { return None };
    let mut refuse = |origin: &Origin, wrong: String, right: String| {
        gathered.problems.push(Problem::new(twin, origin.clone(), format!("{path:?} {wrong}"), right));
        None
    };
    let text = match std::fs::read_to_string(Path::new(path)).map(Zeroizing::new) {
        Ok(text) => text,
        Err(error) => return refuse(&file.origin, format!("cannot be read ({error})"), "name a readable file".into()),
    };
    // Editors and `echo` end a file with a line break; a secret never does.
    let secret = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    if secret.is_empty() {
        return refuse(&file.origin, "is empty".into(), format!("put {plain} in it"));
    }
    let kind = keys::find(plain)?.kind;
    let raw = if kind == Kind::HexKeys { Raw::List(vec![secret.to_owned()]) } else { Raw::Untyped(secret.to_owned()) };
    match kind.accept(raw) {
        Ok(value) => Some(value),
        Err(Refusal { wrong: _, right }) => {
            refuse(&file.origin, format!("holds something that does not fit {plain}"), right)
        }
    }
}
