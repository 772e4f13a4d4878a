//! The grammar of a scope's name: `name(.sub)*(:action)?`, each part `[a-z][a-z0-9-]*`.

use std::fmt;

use serde::{Serialize, Serializer};

/// A name of the right grammar; whether it exists is the catalogue's to say.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeName(Box<str>);

/// A text outside the grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be the name of a scope: name, name:action or name.sub:action in lower-case letters, digits and hyphens")]
pub struct InvalidScopeName;

impl ScopeName {
    /// The most characters a name may have.
    pub const LONGEST: usize = 128;

    /// Checks the grammar.
    ///
    /// # Errors
    /// Any other text: empty parts, capitals, white space, letters outside ASCII.
    pub fn parse(text: &str) -> Result<Self, InvalidScopeName> {
        let (resource, action) = match text.split_once(':') {
            Some((resource, action)) => (resource, Some(action)),
            None => (text, None),
        };
        let fits = text.len() <= Self::LONGEST && resource.split('.').all(is_part) && action.is_none_or(is_part);
        if fits { Ok(Self(text.into())) } else { Err(InvalidScopeName) }
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The bare name that is this one's umbrella: `scans` for `scans:read`, nothing for `scans` itself.
    pub fn umbrella(&self) -> Option<&str> {
        self.0.split_once(':').map(|(resource, _)| resource)
    }
}

fn is_part(part: &str) -> bool {
    let mut bytes = part.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_lowercase())
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

impl fmt::Display for ScopeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ScopeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for ScopeName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_grammar() {
        for good in ["execute", "scans:read", "org.memberships:manage", "access-scopes:read", "a.b.c:d-1"] {
            assert_eq!(ScopeName::parse(good).unwrap().as_str(), good);
        }
        let long = "a".repeat(ScopeName::LONGEST + 1);
        for bad in
            ["", ":", "a:", ":a", "a..b", ".a", "a.", "A", "scans:Read", "a:b:c", "1a", "a b", "sсans", "*", &long]
        {
            assert_eq!(ScopeName::parse(bad), Err(InvalidScopeName), "{bad}");
        }
    }

    #[test]
    fn only_an_action_has_an_umbrella() {
        assert_eq!(ScopeName::parse("org.memberships:read").unwrap().umbrella(), Some("org.memberships"));
        assert_eq!(ScopeName::parse("org").unwrap().umbrella(), None);
    }
}
