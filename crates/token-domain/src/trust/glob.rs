//! Patterns for claims: `*` stands for any number of characters that are not `/`, everything else for itself.

use std::fmt;

/// A pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob(String);

/// Why a text is no pattern; the message completes a sentence that names the claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidGlob {
    /// Nothing, or too long.
    #[error("must have a pattern of 1 to {} characters", Glob::LONGEST)]
    Length,
    /// More stars than anybody needs: each may have to be tried at every character.
    #[error("must have at most {} stars in its pattern", Glob::MOST_STARS)]
    Stars,
    /// It would match anything without a `/`, which is no condition.
    #[error("must have something other than stars in its pattern")]
    Anything,
}

impl Glob {
    /// The most characters.
    pub const LONGEST: usize = 512;
    /// The most stars.
    pub const MOST_STARS: usize = 8;

    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, InvalidGlob> {
        if text.is_empty() || text.chars().count() > Self::LONGEST {
            return Err(InvalidGlob::Length);
        }
        if text.bytes().filter(|byte| *byte == b'*').count() > Self::MOST_STARS {
            return Err(InvalidGlob::Stars);
        }
        if text.bytes().all(|byte| byte == b'*') {
            return Err(InvalidGlob::Anything);
        }
        Ok(Self(text.to_owned()))
    }

    /// The pattern.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How many characters stand for themselves.
    pub fn literals(&self) -> usize {
        self.0.chars().filter(|letter| *letter != '*').count()
    }

    /// Whether the pattern covers the whole text.
    ///
    /// Goes back to the last star alone when a character does not fit, so that the time is the product of both lengths at
    /// most.
    pub fn matches(&self, text: &str) -> bool {
        let (pattern, text) = (self.0.as_bytes(), text.as_bytes());
        let (mut at, mut seen) = (0, 0);
        // Behind the last star, and how far the text is that the star stands for.
        let mut last: Option<(usize, usize)> = None;
        while seen < text.len() {
            match pattern.get(at) {
                Some(b'*') => {
                    at += 1;
                    last = Some((at, seen));
                }
                Some(byte) if *byte == text[seen] => {
                    at += 1;
                    seen += 1;
                }
                Some(_) | None => {
                    let Some((behind, covered)) = last else { return false };
                    if text[covered] == b'/' {
                        return false;
                    }
                    last = Some((behind, covered + 1));
                    (at, seen) = (behind, covered + 1);
                }
            }
        }
        pattern[at..].iter().all(|byte| *byte == b'*')
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stays_within_a_segment() {
        let rows = [
            ("refs/heads/*", "refs/heads/main", true),
            ("refs/heads/*", "refs/heads/", true),
            ("refs/heads/*", "refs/heads/a/b", false),
            ("refs/heads/*", "refs/tags/main", false),
            ("refs/*/v*", "refs/tags/v1.2", true),
            ("refs/*/v*", "refs/tags/1.2", false),
            ("repo:acme/*", "repo:acme/api", true),
            ("repo:acme/*", "repo:acme/api:ref:refs/heads/main", false),
            ("repo:acme/*:ref:refs/heads/*", "repo:acme/api:ref:refs/heads/main", true),
            ("*b", "aab", true),
            ("*b", "a/b", false),
            ("a*b*c", "abbc", true),
            ("a*b*c", "acb", false),
            ("main", "main", true),
            ("main", "main2", false),
            ("main", "Main", false),
            ("main", "", false),
            // Nothing but the star is special.
            ("m?in", "main", false),
            ("[m]ain", "main", false),
            ("**x", "yx", true),
            ("*ü", "aü", true),
        ];
        for (pattern, text, expected) in rows {
            assert_eq!(Glob::parse(pattern).unwrap().matches(text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_pattern_is_bounded_and_says_something() {
        assert_eq!(Glob::parse(""), Err(InvalidGlob::Length));
        assert_eq!(Glob::parse(&"x".repeat(513)), Err(InvalidGlob::Length));
        assert_eq!(Glob::parse("x*********"), Err(InvalidGlob::Stars));
        for anything in ["*", "**"] {
            assert_eq!(Glob::parse(anything), Err(InvalidGlob::Anything));
        }
    }
}
