//! Names, labels, slugs and e-mail addresses: text that people choose, checked once where it comes in.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;
use unicode_general_category::{GeneralCategory, get_general_category};
use unicode_normalization::UnicodeNormalization;
use unicode_security::mixed_script::MixedScript as _;

/// How a text that [`holds_secret`] is refused, whatever field it was sent for.
pub const HOLDS_SECRET: &str = "must not contain a token or another secret";

/// Why a text was refused; the message completes the sentence "`field` …".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidText {
    /// Nothing is left after trimming.
    #[error("must not be empty")]
    Empty,
    /// Longer than the rule allows, counted in characters after normalisation.
    #[error("must have at most {0} characters")]
    TooLong(usize),
    /// A control, bidirectional-control, surrogate, private-use or unassigned character.
    #[error("must not contain control, bidirectional-control or unassigned characters")]
    Forbidden,
    /// A token, a session or the code of an invitation: put there by mistake, every reader of names would see it.
    #[error("{HOLDS_SECRET}")]
    Secret,
    /// Letters that look alike and are of different scripts, or that cannot be seen.
    #[error("must not mix scripts or contain invisible characters, because it could be mistaken for another address")]
    Confusable,
    /// Not of the pattern the field asks for.
    #[error("must {0}")]
    Shape(&'static str),
}

/// Whether a character may stand in a name: nothing invisible that changes how its neighbours read.
pub(crate) fn is_allowed(character: char) -> bool {
    match get_general_category(character) {
        GeneralCategory::Control
        | GeneralCategory::Surrogate
        | GeneralCategory::PrivateUse
        | GeneralCategory::Unassigned
        | GeneralCategory::LineSeparator
        | GeneralCategory::ParagraphSeparator => false,
        // Joiners are part of ordinary writing (Persian, emoji); every other format character is bidi or invisible.
        GeneralCategory::Format => matches!(character, '\u{200c}' | '\u{200d}'),
        _ => true,
    }
}

/// A text in NFC, the form that names are stored in: to search for it.
pub fn composed(text: &str) -> String {
    text.nfc().collect()
}

/// Whether a character leaves a mark. Fillers and blank patterns are letters and symbols to Unicode and nothing to the eye.
fn is_seen(character: char) -> bool {
    let is_blank = matches!(
        character,
        '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}' | '\u{34f}'
    ) || matches!(character, '\u{180b}'..='\u{180f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}');
    !is_blank && !character.is_whitespace() && !matches!(get_general_category(character), GeneralCategory::Format)
}

/// The secrets of this service by their prefixes, with how many letters and digits follow at least.
pub const SECRETS: [(&str, usize); 5] = [("nlp_", 40), ("nls_", 64), ("nli_", 64), ("nle_", 64), ("nlr_", 64)];

/// Whether a text holds what looks like a token, a session or the code of an invitation. Whether it is good does not matter: it
/// may have been, or become so elsewhere.
pub fn holds_secret(text: &str) -> bool {
    SECRETS.iter().any(|(prefix, body)| {
        text.match_indices(prefix).any(|(at, _)| {
            let rest = &text.as_bytes()[at + prefix.len()..];
            rest.get(..*body).is_some_and(|run| run.iter().all(u8::is_ascii_alphanumeric))
        })
    })
}

/// Checks a text that somebody sends: trims it, normalises it to NFC and checks length, characters and that it shows something
/// and no secret.
pub(crate) fn clean(text: &str, longest: usize) -> Result<String, InvalidText> {
    clean_with(text, longest, is_allowed)
}

/// The same with another opinion on which characters may stand.
pub(crate) fn clean_with(text: &str, longest: usize, is_allowed: impl Fn(char) -> bool) -> Result<String, InvalidText> {
    let text = clean_stored_with(text, longest, is_allowed)?;
    if !text.chars().any(is_seen) {
        return Err(InvalidText::Empty);
    }
    if holds_secret(&text) {
        return Err(InvalidText::Secret);
    }
    Ok(text)
}

/// Checks a text that is read back: a rule on what a text shows may be newer than a row and must not make it unreadable.
pub(crate) fn clean_stored(text: &str, longest: usize) -> Result<String, InvalidText> {
    clean_stored_with(text, longest, is_allowed)
}

/// The same with another opinion on which characters may stand.
pub(crate) fn clean_stored_with(
    text: &str,
    longest: usize,
    is_allowed: impl Fn(char) -> bool,
) -> Result<String, InvalidText> {
    let trimmed = text.trim();
    // Normalisation can only be asked of text of sane size; four bytes a character bounds it before any work.
    if trimmed.len() > longest.saturating_mul(16) {
        return Err(InvalidText::TooLong(longest));
    }
    let normalised: String = trimmed.nfc().collect();
    if normalised.is_empty() {
        return Err(InvalidText::Empty);
    }
    if !normalised.chars().all(is_allowed) {
        return Err(InvalidText::Forbidden);
    }
    if normalised.chars().count() > longest {
        return Err(InvalidText::TooLong(longest));
    }
    Ok(normalised)
}

/// A text to look for in names, as names are stored (trimmed, NFC), without regard to case. "E" and a combining accent find
/// "é": a script that does not find its own token makes a second one.
pub fn needle(text: &str) -> String {
    folded(&composed(text.trim()))
}

/// A text with every capital letter made small, letter by letter: where a search compares, on both sides.
///
/// A letter stays as it is if its small form is more than one character (only "İ"), so that a place in one text is a place in
/// the other. Full case folding, which makes "ß" equal to "ss", is not what people expect of a search for part of a name.
pub fn folded(text: &str) -> String {
    text.chars().map(small).collect()
}

fn small(letter: char) -> char {
    let mut form = letter.to_lowercase();
    match (form.next(), form.next()) {
        (Some(small), None) => small,
        _ => letter,
    }
}

/// The capitals beyond ASCII of the letters in a folded text, and the small letter of each, in the same order: what a database
/// has to replace in a text, after making ASCII small, before it can find this one in it.
pub fn capitals_of(folded: &str) -> (String, String) {
    let letters: BTreeSet<char> = folded.chars().collect();
    let pairs = letters.iter().flat_map(|small| {
        let capitals = CAPITALS.get(small).map(Vec::as_slice).unwrap_or_default();
        capitals.iter().map(|capital| (*capital, *small))
    });
    pairs.unzip()
}

/// By small letter. A small letter may have several, one of them in no table of upper-case forms: "ẞ" of "ß".
static CAPITALS: LazyLock<HashMap<char, Vec<char>>> = LazyLock::new(|| {
    let mut capitals: HashMap<char, Vec<char>> = HashMap::new();
    for capital in ('\u{80}'..=char::MAX).filter(|letter| small(*letter) != *letter) {
        capitals.entry(small(capital)).or_default().push(capital);
    }
    capitals
});

/// Declares a checked text: private, made only by its own `parse`, shown and serialised as it is.
macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, ::serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The text, as checked and normalised.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}
pub(crate) use text_type;

text_type! {
    /// A display name: 1–100 characters after trimming, NFC, nothing invisible.
    Name
}
text_type! {
    /// A slug: lower-case ASCII letters, digits and inner hyphens, at most 100.
    Slug
}
text_type! {
    /// A token's `agent_type`: empty, or `[a-z0-9_]{1,64}`. A label, with no effect on access.
    AgentType
}
text_type! {
    /// An e-mail address as its owner writes it; compare by [`Email::key`].
    Email
}

impl Name {
    /// The most characters a name may have.
    pub const LONGEST: usize = 100;

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

    /// The case-folded form on which uniqueness is asked.
    pub fn key(&self) -> String {
        self.0.to_lowercase().nfc().collect()
    }
}

impl Slug {
    /// The most characters a slug may have.
    pub const LONGEST: usize = 100;

    /// Checks `^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`.
    ///
    /// # Errors
    /// Anything else, or more than 100 characters.
    pub fn parse(text: &str) -> Result<Self, InvalidText> {
        const SHAPE: InvalidText =
            InvalidText::Shape("be lower-case letters, digits and hyphens, starting and ending with a letter or digit");
        if text.is_empty() {
            return Err(InvalidText::Empty);
        }
        if text.chars().count() > Self::LONGEST {
            return Err(InvalidText::TooLong(Self::LONGEST));
        }
        let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let fits = text.bytes().all(inner) && !text.starts_with('-') && !text.ends_with('-');
        if fits { Ok(Self(text.to_owned())) } else { Err(SHAPE) }
    }
}

impl AgentType {
    /// Checks a token's label.
    ///
    /// # Errors
    /// Anything but the empty text or up to 64 of `a–z`, `0–9` and `_`; a secret.
    pub fn parse(text: &str) -> Result<Self, InvalidText> {
        let checked = Self::parse_stored(text)?;
        if holds_secret(text) { Err(InvalidText::Secret) } else { Ok(checked) }
    }

    /// Reads a label back that was accepted before the rule on secrets was.
    ///
    /// # Errors
    /// As [`Self::parse`], but for secrets.
    pub fn parse_stored(text: &str) -> Result<Self, InvalidText> {
        let fits = text.len() <= 64 && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidText::Shape("be empty or up to 64 lower-case letters, digits and underscores"))
        }
    }

    /// The empty label.
    pub fn none() -> Self {
        Self(String::new())
    }
}

impl Email {
    /// The longest address that mail can carry (RFC 5321, section 4.5.3.1.3, less the angle brackets).
    pub const LONGEST: usize = 254;

    /// Checks an address: one `@` with something on both sides, no white space. Whether it exists only mail can tell.
    ///
    /// # Errors
    /// Anything else, or more than 254 characters.
    pub fn parse(text: &str) -> Result<Self, InvalidText> {
        let (text, at) = Self::shaped(clean(text, Self::LONGEST)?)?;
        // Each part by itself: a local part in Greek at a Latin domain is ordinary.
        let mut parts = std::iter::once(&text[..at]).chain(text[at + 1..].split('.'));
        let plain = |part: &str| part.is_ascii() || (part.is_single_script() && part.chars().all(is_seen));
        if parts.all(plain) { Ok(Self(text)) } else { Err(InvalidText::Confusable) }
    }

    /// Reads an address back that was accepted before, or looks for one: it has the shape, and may pass for another.
    ///
    /// # Errors
    /// As [`Self::parse`], but for what an address passes for.
    pub fn parse_stored(text: &str) -> Result<Self, InvalidText> {
        let (text, _) = Self::shaped(clean_stored(text, Self::LONGEST)?)?;
        Ok(Self(text))
    }

    /// The text, if it has the shape of an address, and where its `@` is.
    fn shaped(text: String) -> Result<(String, usize), InvalidText> {
        const SHAPE: InvalidText = InvalidText::Shape("be an e-mail address such as ada@example.org");
        let at = text.rfind('@').ok_or(SHAPE)?;
        let (local, domain) = (&text[..at], &text[at + 1..]);
        let fits = !local.is_empty()
            && !domain.is_empty()
            && !local.contains('@')
            && !text.chars().any(char::is_whitespace)
            && !domain.starts_with('.')
            && !domain.ends_with('.')
            && !domain.contains("..");
        if fits { Ok((text, at)) } else { Err(SHAPE) }
    }

    /// The form on which addresses are unique and looked up: lower case throughout.
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_normalised_and_bounded() {
        assert_eq!(Name::parse("  CI  runner ").unwrap().as_str(), "CI  runner");
        assert_eq!(Name::parse("e\u{301}").unwrap().as_str(), "é");
        assert_eq!(Name::parse("nlp_0011 and nls_").unwrap().as_str(), "nlp_0011 and nls_");
        assert_eq!(Name::parse("한\u{3164}").unwrap().as_str(), "한\u{3164}");
        assert_eq!(Name::parse("👩‍💻").unwrap().as_str(), "👩‍💻");
        assert_eq!(Name::parse(&"é".repeat(100)).unwrap().as_str().chars().count(), 100);
        for (text, why) in [
            ("", InvalidText::Empty),
            (" \t\n ", InvalidText::Empty),
            ("a\nb", InvalidText::Forbidden),
            ("a\u{0}b", InvalidText::Forbidden),
            ("pay\u{202e}moc", InvalidText::Forbidden),
            ("a\u{feff}b", InvalidText::Forbidden),
            ("\u{e000}", InvalidText::Forbidden),
            ("\u{3164}", InvalidText::Empty),
            ("\u{2800} \u{2800}", InvalidText::Empty),
            ("\u{200d}\u{200c}", InvalidText::Empty),
            ("\u{ffa0}\u{115f}", InvalidText::Empty),
            ("nlp_00112233445566778899aabbccddeeff550c911c", InvalidText::Secret),
            (&format!("the key xnlp_{}.", "A9".repeat(20)), InvalidText::Secret),
            (&format!("nls_{}", "0f".repeat(32)), InvalidText::Secret),
            (&format!("of nli_{}", "0f".repeat(32)), InvalidText::Secret),
            (&format!("of nle_{}", "0f".repeat(32)), InvalidText::Secret),
            (&format!("of nlr_{}", "0f".repeat(32)), InvalidText::Secret),
            (&"a".repeat(101), InvalidText::TooLong(100)),
            (&"a".repeat(1_000_000), InvalidText::TooLong(100)),
        ] {
            assert_eq!(Name::parse(text), Err(why), "{text:.20}");
        }
    }

    #[test]
    fn what_was_accepted_before_stays_readable_and_is_not_accepted_again() {
        use crate::access::{ActorName, Description, ExternalId, Metadata, ScopeDisplayName};
        use crate::execution::{BranchName, RepositoryName};
        type Reader = (&'static str, fn(&str) -> Result<String, InvalidText>, fn(&str) -> Result<String, InvalidText>);
        macro_rules! reader {
            ($type:ident) => {
                (
                    stringify!($type),
                    |text| $type::parse(text).map(|read| read.to_string()),
                    |text| $type::parse_stored(text).map(|read| read.to_string()),
                )
            };
        }
        let readers: [Reader; 5] = [
            reader!(Name),
            reader!(ActorName),
            reader!(ScopeDisplayName),
            reader!(Description),
            reader!(RepositoryName),
        ];
        for (name, parse, parse_stored) in readers {
            for (text, why) in [
                ("\u{3164}", InvalidText::Empty),
                ("nlp_00112233445566778899aabbccddeeff550c911c", InvalidText::Secret),
            ] {
                assert_eq!(parse(text), Err(why), "{name} {text}");
                assert_eq!(parse_stored(text).as_deref(), Ok(text), "{name} {text}");
            }
            assert_eq!(parse_stored("a\u{0}"), Err(InvalidText::Forbidden), "{name}");
        }
        // Of these a text that shows nothing is their owners' affair.
        let token = "nlp_00112233445566778899aabbccddeeff550c911c";
        assert_eq!(ExternalId::parse(token).unwrap_err(), InvalidText::Secret);
        assert_eq!(ExternalId::parse_stored(token).unwrap().as_str(), token);
        assert_eq!(BranchName::parse(token).unwrap_err(), InvalidText::Secret);
        assert_eq!(BranchName::parse_stored(token).unwrap().as_str(), token);
        for json in [format!(r#"{{"plan":["{token}"]}}"#), format!(r#"{{"{token}":1}}"#)] {
            assert_eq!(Metadata::parse(&json), Err(crate::access::InvalidMetadata::Secret));
            assert!(serde_json::from_str::<Metadata>(&json).is_err());
            assert_eq!(Metadata::parse_stored(&json).unwrap().as_json(), json);
        }
        let address = format!("nls_{}@example.org", "0f".repeat(32));
        assert_eq!(Email::parse(&address), Err(InvalidText::Secret));
        assert_eq!(Email::parse_stored(&address).as_ref().map(Email::as_str), Ok(address.as_str()));
    }

    #[test]
    fn what_is_looked_for_is_spelled_as_names_are_stored() {
        let rows = [
            ("CI", "ci"),
            (" ci\t", "ci"),
            ("Cafe\u{301}", "café"),
            ("E\u{301}", "é"),
            ("ΣΊΣΥΦΟΣ", "σίσυφοσ"),
            ("STRASSE", "strasse"),
            ("STRAẞE", "straße"),
            ("İ", "İ"),
            ("", ""),
            ("  ", ""),
            ("a  b", "a  b"),
        ];
        for (text, expected) in rows {
            assert_eq!(needle(text), expected, "{text:?}");
        }
        for name in ["CI runner", "e\u{301}", "  ÅNGSTRÖM ", "👩‍💻"] {
            assert_eq!(folded(Name::parse(name).unwrap().as_str()), needle(name), "{name}");
        }
    }

    #[test]
    fn every_capital_of_a_letter_is_known() {
        for (text, capitals, smalls) in [
            ("ci 7", "", ""),
            ("ärger", "Ä", "ä"),
            ("ß", "ẞ", "ß"),
            ("ǆ", "Ǆǅ", "ǆǆ"),
            ("k", "\u{212a}", "k"),
            ("", "", ""),
        ] {
            assert_eq!(capitals_of(text), (capitals.to_owned(), smalls.to_owned()), "{text}");
        }
        // Replaced letter by letter, as a database does it, any text is as it is folded.
        for text in ["ÄRGER mit Straßen", "ΑΒΓ Жж", "ǅ", "\u{212a}elvin", "İ"] {
            let (capitals, smalls) = capitals_of(&folded(text));
            let replaced: String = text
                .to_ascii_lowercase()
                .chars()
                .map(|letter| {
                    capitals.chars().position(|one| one == letter).map_or(letter, |at| smalls.chars().nth(at).unwrap())
                })
                .collect();
            assert_eq!(replaced, folded(text));
        }
    }

    #[test]
    fn slugs_are_ascii() {
        for good in ["a", "7", "acme", "a-b--c", &"a".repeat(100)] {
            assert!(Slug::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "A", "ä", "a_b", "a b", &"a".repeat(101)] {
            assert!(Slug::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn agent_types_are_labels() {
        for good in ["", "github_actions", "a", &"x".repeat(64)] {
            assert!(AgentType::parse(good).is_ok(), "{good}");
        }
        for bad in ["A", "a-b", "a b", &"x".repeat(65)] {
            assert!(AgentType::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn addresses_that_pass_for_others_are_refused() {
        for good in [
            "ada@example.org",
            "josé@correo.es",
            "иван@пример.рф",
            "иван@example.org",
            "用户@例子.中国",
            "δοκιμή@παράδειγμα.gr",
        ] {
            assert!(Email::parse(good).is_ok(), "{good}");
        }
        for (what, bad) in [
            ("a Cyrillic a", "\u{430}da@example.org"),
            ("a Cyrillic e in the domain", "ada@\u{435}xample.org"),
            ("a Greek omicron", "c\u{3bf}o@corp.example"),
            ("a zero-width joiner", "a\u{200d}da@example.org"),
            ("a zero-width non-joiner", "ada@exam\u{200c}ple.org"),
            ("a filler", "ada\u{3164}@example.org"),
            ("a variation selector", "ada\u{fe0f}@example.org"),
        ] {
            assert_eq!(Email::parse(bad), Err(InvalidText::Confusable), "{what}");
            assert_eq!(Email::parse_stored(bad).as_ref().map(Email::as_str), Ok(bad), "{what}: was accepted before");
        }
    }

    #[test]
    fn addresses_keep_their_case_and_compare_without_it() {
        assert_eq!(Email::parse(" Ada@Example.org ").unwrap().key(), "ada@example.org");
        for bad in ["", "ada", "@x", "a@", "a b@x.y", "a@@b", "a@.b", "a@b..c", "a\u{7}@b.c"] {
            assert!(Email::parse(bad).is_err(), "{bad}");
        }
    }
}
