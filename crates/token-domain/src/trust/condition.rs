//! What the claims of a token must be, claim by claim. All conditions hold together, and a claim that is not there meets
//! none.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::glob::{Glob, InvalidGlob};
use crate::text::{HOLDS_SECRET, holds_secret};

/// The conditions of a policy, by claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conditions(BTreeMap<String, Expected>);

/// What one claim must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// This text.
    Exact(String),
    /// One of these texts.
    OneOf(Vec<String>),
    /// A text of this pattern.
    Pattern(Glob),
}

/// Why an object holds no conditions.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidConditions {
    /// No condition at all: every workload of the issuer would pass.
    #[error("must have at least one condition")]
    None,
    /// Too many.
    #[error("must have at most {} conditions", Conditions::MOST)]
    TooMany,
    /// A name that no claim has.
    #[error("must name claims of 1 to {} characters without control characters", Conditions::LONGEST_NAME)]
    Name,
    /// Something else than a condition.
    #[error("must be a string, a number, true or false, {{\"glob\": …}} or {{\"in\": […]}} for {0}")]
    Form(String),
    /// A text that is too long, or a list that is empty or too long.
    #[error("must have 1 to 64 strings of at most 512 characters for {0}")]
    Length(String),
    /// An invalid pattern.
    #[error("{1} for {0}")]
    Pattern(String, InvalidGlob),
    /// A claim that is judged anyway, of every token.
    #[error("must not have {0}, which is checked for every token")]
    Judged(String),
    /// A token, a session or the code of an invitation.
    #[error("{HOLDS_SECRET}")]
    Secret,
}

/// One condition beside what a token has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The claim.
    pub claim: String,
    /// What it must be, as it was written.
    pub expected: Value,
    /// What the token has; nothing where the claim is absent, or is a list or an object.
    pub actual: Option<String>,
    /// Whether they agree.
    pub is_met: bool,
}

/// How much conditions ask for; the greater is the more specific: more claims first, then more of them exact, then fewer
/// choices, then longer patterns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Weight {
    claims: usize,
    exact: usize,
    lists: usize,
    literals: usize,
}

/// Claims that every token is judged by, so that a condition on one would only seem to add something.
const JUDGED: [&str; 6] = ["iss", "aud", "exp", "nbf", "iat", "jti"];

impl Conditions {
    /// The most conditions.
    pub const MOST: usize = 16;
    /// The longest name of a claim.
    pub const LONGEST_NAME: usize = 128;
    /// The most texts to choose from.
    pub const MOST_CHOICES: usize = 64;

    /// Reads conditions as they are written.
    ///
    /// # Errors
    /// What is wrong with the first that cannot be read.
    pub fn read(object: &Map<String, Value>) -> Result<Self, InvalidConditions> {
        if object.is_empty() {
            return Err(InvalidConditions::None);
        }
        // First: other refusals repeat names of claims.
        if serde_json::to_string(object).is_ok_and(|text| holds_secret(&text)) {
            return Err(InvalidConditions::Secret);
        }
        if object.len() > Self::MOST {
            return Err(InvalidConditions::TooMany);
        }
        let one = |(claim, value): (&String, &Value)| {
            if claim.is_empty() || claim.chars().count() > Self::LONGEST_NAME || claim.chars().any(char::is_control) {
                return Err(InvalidConditions::Name);
            }
            if JUDGED.contains(&claim.as_str()) {
                return Err(InvalidConditions::Judged(claim.clone()));
            }
            Ok((claim.clone(), Expected::read(claim, value)?))
        };
        object.iter().map(one).collect::<Result<_, _>>().map(Self)
    }

    /// As they were written.
    pub fn written(&self) -> Value {
        Value::Object(self.0.iter().map(|(claim, expected)| (claim.clone(), expected.written())).collect())
    }

    /// What a claim must be, if anything.
    pub fn of(&self, claim: &str) -> Option<&Expected> {
        self.0.get(claim)
    }

    /// How many claims are asked about.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Whether a claim is pinned: to a text, or to one of several.
    pub fn pins(&self, claim: &str) -> bool {
        matches!(self.of(claim), Some(Expected::Exact(_) | Expected::OneOf(_)))
    }

    /// Whether all of them are met.
    pub fn are_met_by(&self, claims: &Map<String, Value>) -> bool {
        self.0.iter().all(|(claim, expected)| text_of(claims, claim).is_some_and(|text| expected.matches(&text)))
    }

    /// Each of them beside what a token has.
    pub fn judge(&self, claims: &Map<String, Value>) -> Vec<Judged> {
        let one = |(claim, expected): (&String, &Expected)| {
            let actual = text_of(claims, claim);
            Judged {
                claim: claim.clone(),
                expected: expected.written(),
                is_met: actual.as_deref().is_some_and(|text| expected.matches(text)),
                actual: actual.map(Cow::into_owned),
            }
        };
        self.0.iter().map(one).collect()
    }

    /// How much they ask for.
    pub fn weight(&self) -> Weight {
        let mut weight = Weight { claims: self.0.len(), exact: 0, lists: 0, literals: 0 };
        for expected in self.0.values() {
            match expected {
                Expected::Exact(_) => weight.exact += 1,
                Expected::OneOf(_) => weight.lists += 1,
                Expected::Pattern(glob) => weight.literals += glob.literals(),
            }
        }
        weight
    }
}

impl Expected {
    fn read(claim: &str, value: &Value) -> Result<Self, InvalidConditions> {
        let form = || InvalidConditions::Form(claim.to_owned());
        let length = || InvalidConditions::Length(claim.to_owned());
        let text = |value: &Value| {
            let text = scalar(value).ok_or_else(form)?;
            let is_good = !text.is_empty() && text.chars().count() <= Glob::LONGEST;
            if is_good { Ok(text.into_owned()) } else { Err(length()) }
        };
        let Value::Object(object) = value else { return text(value).map(Self::Exact) };
        let mut entries = object.iter();
        let (Some((kind, value)), None) = (entries.next(), entries.next()) else { return Err(form()) };
        match (kind.as_str(), value) {
            ("glob", Value::String(pattern)) => {
                let read = Glob::parse(pattern);
                read.map(Self::Pattern).map_err(|error| InvalidConditions::Pattern(claim.to_owned(), error))
            }
            ("in", Value::Array(choices)) if !choices.is_empty() && choices.len() <= Conditions::MOST_CHOICES => {
                choices.iter().map(text).collect::<Result<_, _>>().map(Self::OneOf)
            }
            ("in", Value::Array(_)) => Err(length()),
            _ => Err(form()),
        }
    }

    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Exact(expected) => expected == text,
            Self::OneOf(choices) => choices.iter().any(|choice| choice == text),
            Self::Pattern(glob) => glob.matches(text),
        }
    }

    fn written(&self) -> Value {
        match self {
            Self::Exact(text) => json!(text),
            Self::OneOf(choices) => json!({ "in": choices }),
            Self::Pattern(glob) => json!({"glob": glob.as_str()}),
        }
    }
}

/// What a claim says, as text. A name that begins with `/` is a pointer into an object (RFC 6901), such as
/// `/kubernetes.io/namespace`. A list or an object says nothing that could be compared.
fn text_of<'c>(claims: &'c Map<String, Value>, claim: &str) -> Option<Cow<'c, str>> {
    let Some(pointer) = claim.strip_prefix('/') else { return scalar(claims.get(claim)?) };
    let (first, rest) = pointer.split_once('/').map_or((pointer, None), |(first, rest)| (first, Some(rest)));
    let value = claims.get(&first.replace("~1", "/").replace("~0", "~"))?;
    match rest {
        None => scalar(value),
        Some(rest) => scalar(value.pointer(&format!("/{rest}"))?),
    }
}

fn scalar(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Bool(true) => Some(Cow::Borrowed("true")),
        Value::Bool(false) => Some(Cow::Borrowed("false")),
        // A fraction has several spellings.
        Value::Number(number) if !number.is_f64() => Some(Cow::Owned(number.to_string())),
        Value::Number(_) | Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        let Value::Object(object) = value else { panic!("{value}") };
        object
    }

    fn read(value: Value) -> Result<Conditions, InvalidConditions> {
        Conditions::read(&object(value))
    }

    #[test]
    fn every_condition_has_to_be_met_and_an_absent_claim_meets_none() {
        let claims = object(json!({
            "sub": "repo:acme/api:ref:refs/heads/main", "repository_id": "42", "run_attempt": 2, "is_admin": false,
            "groups": ["a"], "ratio": 1.5, "nothing": null, "kubernetes.io": {"namespace": "ci", "a/b": {"c~d": "x"}},
        }));
        let rows = [
            (json!({"repository_id": "42"}), true),
            (json!({"repository_id": 42}), true),
            (json!({"run_attempt": "2"}), true),
            (json!({"is_admin": false}), true),
            (json!({"is_admin": "false"}), true),
            (json!({"is_admin": true}), false),
            (json!({"repository_id": "42", "ref": "refs/heads/main"}), false),
            (json!({"ref": {"glob": "refs/*/x"}}), false),
            (json!({"groups": "a"}), false),
            (json!({"ratio": "1.5"}), false),
            (json!({"nothing": "null"}), false),
            (json!({"repository_id": {"in": ["41", 42]}}), true),
            (json!({"repository_id": {"in": ["4", "422"]}}), false),
            (json!({"sub": {"glob": "repo:acme/*:ref:refs/heads/main"}}), true),
            (json!({"sub": {"glob": "repo:*"}}), false),
            (json!({"/kubernetes.io/namespace": "ci"}), true),
            (json!({"/kubernetes.io/a~1b/c~0d": "x"}), true),
            (json!({"/kubernetes.io/pod": "ci"}), false),
            (json!({"/sub/0": "r"}), false),
            (json!({"/repository_id": "42"}), true),
        ];
        for (written, expected) in rows {
            let conditions = read(written.clone()).unwrap();
            assert_eq!(conditions.are_met_by(&claims), expected, "{written}");
            let judged = conditions.judge(&claims);
            assert_eq!(judged.iter().all(|one| one.is_met), expected, "{written}: {judged:?}");
            assert_eq!(read(conditions.written()).unwrap(), conditions, "it reads back");
        }
    }

    #[test]
    fn what_is_no_condition_is_named() {
        let rows = [
            (json!({}), "at least one"),
            (json!({"": "x"}), "must name claims"),
            (json!({"a\u{7}": "x"}), "must name claims"),
            (json!({"iss": "https://x"}), "must not have iss"),
            (json!({"aud": "x"}), "must not have aud"),
            (json!({"a": null}), "for a"),
            (json!({"a": ["x"]}), "for a"),
            (json!({"a": 1.5}), "for a"),
            (json!({"a": ""}), "1 to 64 strings"),
            (json!({"a": "x".repeat(513)}), "1 to 64 strings"),
            (json!({"a": {}}), "for a"),
            (json!({"a": {"glob": "x", "in": ["x"]}}), "for a"),
            (json!({"a": {"regex": ".*"}}), "for a"),
            (json!({"a": {"glob": 1}}), "for a"),
            (json!({"a": {"glob": "*"}}), "something other than stars"),
            (json!({"a": {"in": []}}), "1 to 64 strings"),
            (json!({"a": {"in": [["x"]]}}), "for a"),
            (json!({"a": {"in": vec!["x"; 65]}}), "1 to 64 strings"),
        ];
        for (written, expected) in rows {
            let refused = read(written.clone()).unwrap_err().to_string();
            assert!(refused.contains(expected), "{written}: {refused}");
        }
        let many: Map<String, Value> = (0..17).map(|n| (format!("c{n}"), json!("x"))).collect();
        assert_eq!(Conditions::read(&many), Err(InvalidConditions::TooMany));
    }

    #[test]
    fn the_more_specific_conditions_weigh_more() {
        let ascending = [
            json!({"a": {"glob": "x*"}}),
            json!({"a": {"glob": "xy*"}}),
            json!({"a": {"in": ["x", "y"]}}),
            json!({"a": "x"}),
            json!({"a": {"glob": "x*"}, "b": {"glob": "x*"}}),
            json!({"a": "x", "b": {"glob": "x*"}}),
            json!({"a": "x", "b": "y"}),
        ];
        let weights: Vec<Weight> = ascending.into_iter().map(|written| read(written).unwrap().weight()).collect();
        assert!(weights.windows(2).all(|pair| pair[0] < pair[1]), "{weights:?}");
        let tie = [json!({"a": "x"}), json!({"b": "y"})].map(|written| read(written).unwrap().weight());
        assert_eq!(tie[0], tie[1]);
    }
}
