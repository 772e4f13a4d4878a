//! What people write about an access scope.

use crate::text::{InvalidText, clean, clean_stored, clean_stored_with, clean_with, is_allowed, text_type};

text_type! {
    /// An access scope's display name: 1–255 characters after trimming, NFC, nothing invisible.
    ScopeDisplayName
}
text_type! {
    /// A description: 1–500 characters after trimming, NFC, nothing invisible; lines and tabs may stay.
    Description
}

impl ScopeDisplayName {
    /// The most characters a name may have.
    pub const LONGEST: usize = 255;

    /// Checks a display name.
    ///
    /// # Errors
    /// Empty after trimming, too long, or holding a character that cannot be seen.
    pub fn parse(text: &str) -> Result<Self, InvalidText> {
        clean(text, Self::LONGEST).map(Self)
    }

    /// Reads a name back that was accepted before.
    ///
    /// # Errors
    /// As [`Self::parse`], but for what a name shows.
    pub fn parse_stored(text: &str) -> Result<Self, InvalidText> {
        clean_stored(text, Self::LONGEST).map(Self)
    }
}

/// Whether a character may stand in a description.
fn may_stand(character: char) -> bool {
    is_allowed(character) || matches!(character, '\n' | '\r' | '\t')
}

impl Description {
    /// The most characters a description may have.
    pub const LONGEST: usize = 500;

    /// Checks a description. Every end of line becomes one line feed.
    ///
    /// # Errors
    /// Empty after trimming, too long, or holding a character that cannot be seen, other than line ends and tabs.
    pub fn parse(text: &str) -> Result<Self, InvalidText> {
        clean_with(text, Self::LONGEST, may_stand).map(|text| Self::with_line_feeds(&text))
    }

    /// Reads a description back that was accepted before.
    ///
    /// # Errors
    /// As [`Self::parse`], but for what a description shows.
    pub fn parse_stored(text: &str) -> Result<Self, InvalidText> {
        clean_stored_with(text, Self::LONGEST, may_stand).map(|text| Self::with_line_feeds(&text))
    }

    fn with_line_feeds(text: &str) -> Self {
        Self(text.replace("\r\n", "\n").replace('\r', "\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_one_line_and_descriptions_may_have_more() {
        assert_eq!(ScopeDisplayName::parse(" Acme e\u{301} ").unwrap().as_str(), "Acme é");
        assert_eq!(Description::parse("\n one\r\n\ttwo\rthree \n").unwrap().as_str(), "one\n\ttwo\nthree");
        assert!(ScopeDisplayName::parse(&"é".repeat(255)).is_ok());
        assert!(Description::parse(&"é".repeat(500)).is_ok());
        for text in ["", " \n ", "a\0b", "a\u{1b}[31m", "a\u{202e}b", "a\u{2028}b", &"a".repeat(501)] {
            assert!(ScopeDisplayName::parse(text).is_err(), "{text:?}");
            assert!(Description::parse(text).is_err(), "{text:?}");
        }
        assert_eq!(ScopeDisplayName::parse("a\nb"), Err(InvalidText::Forbidden));
        assert_eq!(ScopeDisplayName::parse(&"a".repeat(256)), Err(InvalidText::TooLong(255)));
    }
}
