//! The scopes that a list of scopes covers, computed from the served catalogue by an independent implementation, so
//! that expectations do not come from the code under test.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// The catalogue.
pub(super) struct Catalogue {
    implied: BTreeMap<String, Vec<String>>,
    required: BTreeMap<String, Vec<String>>,
    kinds: BTreeMap<String, Vec<String>>,
}

impl Catalogue {
    pub(super) fn read(answer: &Value) -> Self {
        let entries = answer["scopes"].as_array().unwrap();
        let column = |field: &str| {
            entries.iter().map(|entry| (entry["name"].as_str().unwrap().to_owned(), names(&entry[field]))).collect()
        };
        Self { implied: column("implies"), required: column("requires"), kinds: column("kinds") }
    }

    /// Whether tokens of this kind may have the scope.
    pub(super) fn may_carry(&self, kind: &str, scope: &str) -> bool {
        self.kinds[scope].iter().any(|allowed| allowed == kind)
    }

    /// All scopes that tokens of this kind may have.
    pub(super) fn carried_by(&self, kind: &str) -> Vec<String> {
        self.kinds.keys().filter(|scope| self.may_carry(kind, scope)).cloned().collect()
    }

    /// All scopes that these names cover.
    pub(super) fn covered(&self, granted: &[String]) -> BTreeSet<String> {
        let mut open: Vec<String> = granted.to_vec();
        let mut covered = BTreeSet::new();
        while let Some(name) = open.pop() {
            if !covered.insert(name.clone()) {
                continue;
            }
            for implied in &self.implied[&name] {
                if implied == "*" {
                    open.extend(self.implied.keys().cloned());
                } else {
                    open.push(implied.clone());
                }
            }
            let actions = format!("{name}:");
            open.extend(self.implied.keys().filter(|other| other.starts_with(&actions)).cloned());
        }
        covered
    }

    /// The missing scopes for an operation that requires `scope`: the scope itself or its companions.
    pub(super) fn missing(&self, covered: &BTreeSet<String>, scope: &str) -> Vec<String> {
        let asked = std::iter::once(scope.to_owned()).chain(self.required[scope].iter().cloned());
        asked.filter(|name| !covered.contains(name)).collect()
    }
}

fn names(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}
