//! Which passwords people may choose, after NIST SP 800-63B (section 5.1.1.2): long ones, of any characters, that are not
//! what everybody tries first. No rules of composition: they make passwords worse.
//!
//! Refused are the usual words, however decorated with digits, signs and capitals; walks along the alphabet or the
//! keyboard (`walks`); one piece or word over and over; and what is made of the person's own name, address or organisation. Lists of
//! millions of leaked passwords are not looked at: nearly all of them are shorter than what is asked for here, and the rest
//! is of these kinds.

mod walks;

use std::collections::HashSet;
use std::sync::LazyLock;

use secret_hash::password::{MAX_CHARS, MIN_CHARS, Password, PasswordError};
use walks::is_mostly_walks;
use zeroize::Zeroizing;

/// Words that passwords are made of when nobody thinks about it, one a line.
const WORDS: &str = include_str!("passwords/words.txt");
/// Letters that must be left of a password when words that it repeats are taken away.
const LEAST_ONCE: usize = 8;
/// Shorter parts of a name or address are too common to be personal.
const SHORTEST_OWN: usize = 3;
/// Letters that must be left of a password after the person's own names and addresses are removed.
const LEAST_OTHER: usize = 4;

/// Why a password is refused; the message completes the sentence "`field` …" and reveals nothing of the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// Fewer characters than the deployment asks for.
    #[error("must have at least {0} characters; several words are easy to remember")]
    TooShort(usize),
    /// More than can be hashed.
    #[error("must have at most {MAX_CHARS} characters")]
    TooLong,
    /// Among the first that anybody tries: a usual word, a walk along the keyboard, something twice.
    #[error("must not be a common password or a repetition; several unrelated words are better")]
    Common,
    /// Made of the person's own name, address or organisation.
    #[error("must not be based on your name, your e-mail address or your organisation")]
    Own,
}

/// A password somebody chooses, 12 to 1024 characters of any kind, that is not a common one.
pub struct NewPassword {
    password: Password,
    folded: Zeroizing<String>,
}

impl NewPassword {
    /// Makes the checks that do not depend on the person.
    ///
    /// # Errors
    /// Too short, too long, or one that everybody tries.
    pub fn new(mut text: Zeroizing<String>) -> Result<Self, WeakPassword> {
        let password = Password::new(std::mem::take(&mut *text)).map_err(|error| match error {
            PasswordError::TooShort => WeakPassword::TooShort(MIN_CHARS),
            PasswordError::TooLong => WeakPassword::TooLong,
        })?;
        let folded = Zeroizing::new(password.expose().to_lowercase());
        if is_common(&folded) || is_repetition(&folded) || is_mostly_walks(&folded) {
            return Err(WeakPassword::Common);
        }
        Ok(Self { password, folded })
    }

    /// Checks it against the deployment's minimum length and the person's full names and addresses (`about`).
    pub(crate) fn suits(&self, min_chars: usize, about: &[&str]) -> Result<(), WeakPassword> {
        if self.password.chars() < min_chars {
            return Err(WeakPassword::TooShort(min_chars));
        }
        if is_own(&self.folded, about) { Err(WeakPassword::Own) } else { Ok(()) }
    }

    /// The password, to be hashed.
    pub(crate) fn into_password(self) -> Password {
        self.password
    }
}

impl std::fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewPassword(…)")
    }
}

/// One of the words, or two of them, with anything that is no letter around and between them.
fn is_common(folded: &str) -> bool {
    static KNOWN: LazyLock<HashSet<&str>> = LazyLock::new(|| WORDS.lines().collect());
    static LONGEST: LazyLock<usize> = LazyLock::new(|| WORDS.lines().map(str::len).max().unwrap_or(0));
    let core = folded.trim_matches(|letter: char| !letter.is_alphabetic() && letter != '@' && letter != '$');
    let core: Zeroizing<String> = Zeroizing::new(core.chars().map(plain).filter(|c| c.is_alphabetic()).collect());
    // Nothing longer is two of them; without a bound each of a thousand places would look at a thousand letters.
    if core.len() > 2 * *LONGEST {
        return false;
    }
    if KNOWN.contains(core.as_str()) {
        return true;
    }
    core.char_indices().skip(1).any(|(at, _)| {
        let (one, other) = core.split_at(at);
        KNOWN.contains(one) && KNOWN.contains(other)
    })
}

/// The letter that a digit or sign stands for when people decorate words.
const fn plain(letter: char) -> char {
    match letter {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    }
}

/// A piece over and over, whatever stands between; or words of which little is left when each is taken once.
fn is_repetition(folded: &str) -> bool {
    let all: Zeroizing<Vec<char>> = Zeroizing::new(folded.chars().collect());
    let letters: Zeroizing<Vec<char>> =
        Zeroizing::new(all.iter().copied().filter(|letter| letter.is_alphabetic()).collect());
    if repeats(&all) || repeats(&letters) {
        return true;
    }
    let mut seen = HashSet::new();
    let words = folded.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    let (mut once, mut again) = (0, 0);
    for word in words {
        let length = if seen.insert(word) { &mut once } else { &mut again };
        *length += word.chars().count();
    }
    again > 0 && once < LEAST_ONCE
}

/// Whether a text is its own beginning over and over, at least twice: found by its longest border (Knuth, Morris and Pratt,
/// 1977), in as many steps as it has characters.
fn repeats(text: &[char]) -> bool {
    let mut borders: Vec<usize> = Vec::with_capacity(text.len());
    for (at, letter) in text.iter().enumerate() {
        let mut border = at.checked_sub(1).map_or(0, |before| borders[before]);
        while border > 0 && text[border] != *letter {
            border = borders[border - 1];
        }
        borders.push(if at > 0 && text[border] == *letter { border + 1 } else { 0 });
    }
    borders.last().is_some_and(|border| *border > 0 && 2 * border >= text.len())
}

/// Whether next to nothing is left once everything about the person and all non-letters are removed.
fn is_own(folded: &str, about: &[&str]) -> bool {
    let mut words: Vec<String> = Vec::new();
    for text in about {
        let text = text.to_lowercase();
        words.extend(text.split(|letter: char| !letter.is_alphanumeric()).map(str::to_owned));
        words.push(text.chars().filter(|letter| letter.is_alphanumeric()).collect());
        words.push(text);
    }
    words.retain(|word| word.chars().count() >= SHORTEST_OWN);
    // Longest first, so that a part does not spoil the whole.
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    let mut rest = Zeroizing::new(folded.to_owned());
    for word in &words {
        rest = Zeroizing::new(rest.replace(word.as_str(), " "));
    }
    let left = rest.chars().filter(|letter| letter.is_alphabetic()).count();
    rest.as_str() != folded && left < LEAST_OTHER
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(text: &str) -> Result<(), WeakPassword> {
        NewPassword::new(text.to_owned().into()).map(drop)
    }

    #[test]
    fn common_passwords_are_refused() {
        for text in [
            "passwordpassword",
            "Password1234",
            "Password123!",
            "P@ssw0rd2024",
            "  password  1",
            "123password321",
            "Welcome 2 Admin!",
            "adminpassword",
            "iloveyou12345",
            "Administrator1",
            "correct horse".repeat(0).as_str(),
            "aaaaaaaaaaaa",
            "abababababab",
            "abc1abc1abc1",
            "            ",
            "🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑",
            "123456789012",
            "abcdefghijkl",
            "zyxwvutsrqpo",
            "qwertyuiop[]",
            "1qaz2wsx3edc",
            "asdfghjkl123",
            "qwerty123456",
            "QAZwsxEDCrfv",
            "staplestaple",
            "Staple-Staple-1",
            "battery staple battery staple",
            "horse horse horse",
            "moon 12 moon 34 moon",
            "umbrellaumbrellaumb",
        ] {
            let expected = if text.is_empty() { WeakPassword::TooShort(12) } else { WeakPassword::Common };
            assert_eq!(chosen(text), Err(expected), "{text}");
        }
    }

    #[test]
    fn anything_else_of_the_length_is_taken() {
        for text in [
            "correct horse battery staple",
            "a password of this test",
            "another long password",
            "twelve chars",
            "пароль из букв 🔑🔑",
            "xkcd-936-was-right",
            "Tr0ub4dor&3 and more",
            "the horse the battery the staple",
            "0x7f3a91c2d4e8",
        ] {
            assert_eq!(chosen(text), Ok(()), "{text}");
        }
        assert_eq!(chosen("elevenchars"), Err(WeakPassword::TooShort(12)));
        assert_eq!(chosen(&"long and dull ".repeat(80)), Err(WeakPassword::TooLong));
        assert_eq!(chosen(&"x".repeat(1 << 20)), Err(WeakPassword::TooLong));
    }

    #[test]
    fn nobody_takes_their_own_name() {
        let about = ["ada.lovelace@example.org", "Ada Lovelace", "Analytical Engines", "engines-1837"];
        for (text, expected) in [
            ("ada.lovelace@example.org", Err(WeakPassword::Own)),
            ("AdaLovelace1815!", Err(WeakPassword::Own)),
            ("Lovelace-1815-", Err(WeakPassword::Own)),
            ("analyticalengines", Err(WeakPassword::Own)),
            ("engines-1837-ada", Err(WeakPassword::Own)),
            ("Analytical Engines of Ada", Err(WeakPassword::Own)),
            ("lovelace and the bernoulli numbers", Ok(())),
            ("correct horse battery staple", Ok(())),
            ("0x7f3a91c2d4e8", Ok(())),
        ] {
            let password = NewPassword::new(text.to_owned().into()).unwrap();
            assert_eq!(password.suits(12, &about), expected, "{text}");
        }
    }

    #[test]
    fn a_deployment_may_ask_for_more() {
        let password = |text: &str| NewPassword::new(text.to_owned().into()).unwrap();
        assert_eq!(password("twelve chars").suits(13, &[]), Err(WeakPassword::TooShort(13)));
        assert_eq!(password("twelve chars!").suits(13, &[]), Ok(()));
        assert_eq!(format!("{:?}", password("twelve chars")), "NewPassword(…)");
    }

    #[test]
    fn the_words_are_words_in_order() {
        let words: Vec<&str> = WORDS.lines().collect();
        assert!(words.len() > 250 && words.is_sorted() && words.windows(2).all(|pair| pair[0] != pair[1]));
        assert!(words.iter().all(|word| word.len() >= 3 && word.bytes().all(|letter| letter.is_ascii_lowercase())));
    }
}
