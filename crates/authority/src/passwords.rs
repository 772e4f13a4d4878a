//! Which passwords people may choose, after NIST SP 800-63B (section 5.1.1.2): long ones, of any characters, that are not
//! what everybody tries first. No rules of composition: they make passwords worse.
//!
//! Refused are the usual words, however decorated with digits, signs and capitals; runs along the alphabet or the
//! keyboard; one short piece over and over; and what is made of the person's own name, address or organisation. Lists of
//! millions of leaked passwords are not looked at: nearly all of them are shorter than what is asked for here, and the rest
//! is of these kinds.

use std::collections::HashSet;
use std::sync::LazyLock;

use secret_hash::password::{MAX_CHARS, MIN_CHARS, Password, PasswordError};
use zeroize::Zeroizing;

/// Words that passwords are made of when nobody thinks about it, one a line.
const WORDS: &str = include_str!("passwords/words.txt");
/// Keys that lie beside each other, and letters that follow each other.
const LINES: [&str; 18] = [
    "1234567890-=",
    "qwertyuiop[]",
    "asdfghjkl;'",
    "zxcvbnm,./",
    "azertyuiop",
    "qsdfghjklm",
    "wxcvbn",
    "qwertzuiop",
    "yxcvbnm",
    "1qaz",
    "2wsx",
    "3edc",
    "4rfv",
    "5tgb",
    "6yhn",
    "7ujm",
    "8ik,",
    "9ol.",
];
/// The longest piece whose repetition makes no password.
const LONGEST_PIECE: usize = 4;
/// A part of a name or address that is shorter says nothing about whoever uses it.
const SHORTEST_OWN: usize = 3;
/// Letters that must be left of a password when what is about the person is taken away.
const LEAST_OTHER: usize = 4;

/// Why a password is refused; the message completes the sentence "`field` …". Says nothing of what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// Fewer characters than the deployment asks for.
    #[error("must have at least {0} characters: a few words are easy to remember")]
    TooShort(usize),
    /// More than can be hashed.
    #[error("must have at most {MAX_CHARS} characters")]
    TooLong,
    /// Among the first that anybody tries.
    #[error("must not be one of the passwords that are tried first: a few unrelated words are better")]
    Common,
    /// Made of the person's own name, address or organisation.
    #[error("must not be made of your name, your address or your organisation")]
    Own,
}

/// A password somebody chooses, 12 to 1024 characters of any kind, that is not a common one.
pub struct NewPassword {
    password: Password,
    folded: Zeroizing<String>,
}

impl NewPassword {
    /// Checks what can be said of it without knowing whose it is.
    ///
    /// # Errors
    /// Too short, too long, or one that everybody tries.
    pub fn new(mut text: Zeroizing<String>) -> Result<Self, WeakPassword> {
        // Checked first: folding costs work, and a text may be as long as a request.
        let folded = if text.len() > 4 * MAX_CHARS { String::new() } else { text.to_lowercase() };
        let folded = Zeroizing::new(folded);
        let password = Password::new(std::mem::take(&mut *text)).map_err(|error| match error {
            PasswordError::TooShort => WeakPassword::TooShort(MIN_CHARS),
            PasswordError::TooLong => WeakPassword::TooLong,
        })?;
        if is_common(&folded) || is_repetition(&folded) || is_run(&folded) {
            return Err(WeakPassword::Common);
        }
        Ok(Self { password, folded })
    }

    /// Checks it against what a deployment asks for and what is known of the person: names and addresses, whole.
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
    let core = folded.trim_matches(|letter: char| !letter.is_alphabetic() && letter != '@' && letter != '$');
    let core: Zeroizing<String> = Zeroizing::new(core.chars().map(plain).filter(|c| c.is_alphabetic()).collect());
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

/// A piece of at most four characters, over and over.
fn is_repetition(folded: &str) -> bool {
    let letters: Zeroizing<Vec<char>> = Zeroizing::new(folded.chars().collect());
    (1..=LONGEST_PIECE).any(|piece| letters.iter().zip(letters.iter().skip(piece)).all(|(one, later)| one == later))
}

/// Mostly steps to a neighbour: at most every fourth step goes elsewhere.
fn is_run(folded: &str) -> bool {
    let letters: Zeroizing<Vec<char>> = Zeroizing::new(folded.chars().collect());
    let jumps = letters.windows(2).filter(|pair| !is_step(pair[0], pair[1])).count();
    jumps * 4 <= letters.len().saturating_sub(1)
}

/// Whether two characters are the same, follow each other, or lie beside each other on a keyboard.
fn is_step(one: char, other: char) -> bool {
    let follow = u32::from(one).abs_diff(u32::from(other)) <= 1;
    let beside = |line: &str| {
        let place = |letter| line.find(letter);
        place(one).zip(place(other)).is_some_and(|(a, b)| a.abs_diff(b) == 1)
    };
    follow || LINES.iter().any(|line| beside(line))
}

/// What is left when everything about the person and all that is no letter is taken away is next to nothing.
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
    fn what_everybody_tries_is_refused() {
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
