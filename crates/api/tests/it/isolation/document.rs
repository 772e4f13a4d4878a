//! The operations of the served API document.

use serde_json::Value;

/// One operation.
pub(super) struct Operation {
    pub(super) id: String,
    pub(super) method: String,
    pub(super) path: String,
    /// Whether it requires a credential.
    pub(super) is_guarded: bool,
    /// The required scope; `None` if any valid credential is enough.
    pub(super) scope: Option<String>,
}

/// All operations, sorted by id.
pub(super) fn operations(document: &Value) -> Vec<Operation> {
    let paths = document["paths"].as_object().unwrap();
    let mut all: Vec<_> = paths
        .iter()
        .flat_map(|(path, methods)| methods.as_object().unwrap().iter().map(|(m, o)| operation(path, m, o)))
        .collect();
    all.sort_by(|one, other| one.id.cmp(&other.id));
    all
}

fn operation(path: &str, method: &str, operation: &Value) -> Operation {
    let ways = operation["security"].as_array().unwrap_or_else(|| panic!("{method} {path} says nothing of security"));
    let mut scopes: Vec<Vec<String>> = ways
        .iter()
        .flat_map(|way| way.as_object().unwrap().values())
        .map(|scopes| scopes.as_array().unwrap().iter().map(|scope| scope.as_str().unwrap().to_owned()).collect())
        .collect();
    scopes.dedup();
    assert!(scopes.len() <= 1, "{method} {path}: every way to show a credential takes the same scope");
    let scopes = scopes.pop();
    Operation {
        id: operation["operationId"].as_str().unwrap().to_owned(),
        method: method.to_uppercase(),
        path: path.to_owned(),
        is_guarded: scopes.is_some(),
        scope: scopes.unwrap_or_default().pop(),
    }
}

impl Operation {
    /// The names of the path parameters, in order.
    pub(super) fn parameters(&self) -> Vec<&str> {
        self.path.split('{').skip(1).map(|part| part.split_once('}').unwrap().0).collect()
    }

    /// The path with each parameter replaced.
    pub(super) fn filled(&self, value: impl Fn(&str) -> String) -> String {
        let mut parts = self.path.split('{');
        let mut filled = parts.next().unwrap().to_owned();
        for part in parts {
            let (name, rest) = part.split_once('}').unwrap();
            filled.push_str(&value(name));
            filled.push_str(rest);
        }
        filled
    }
}
