//! Names of repositories, branches and commits, as version control and its hosts have them.

use crate::text::{InvalidText, clean, clean_stored, holds_secret, is_allowed, text_type};

text_type! {
    /// A repository's name, alone or under its owners: `widgets`, `acme/widgets`, `acme/tools/widgets`.
    RepositoryName
}
text_type! {
    /// A branch, or whatever a build without one calls itself: `main`, `feature/x`, `refs/pull/7/merge`.
    BranchName
}
text_type! {
    /// A commit's hash or an unambiguous beginning of it: 4–64 hexadecimal digits, in lower case.
    CommitHash
}

impl RepositoryName {
    /// The most characters a name may have.
    pub const LONGEST: usize = 200;

    /// Checks a name: parts of visible characters between slashes, in NFC. Hosts differ in what they allow (letters of any
    /// script, inner spaces), so only what none of them does is refused: what paths, URLs and patterns read as their own.
    ///
    /// # Errors
    /// Empty or more than 200 characters, an empty part, `.` or `..` as a part, a part that begins or ends with a space,
    /// one of `\ : * ? " < > | # %`, or a character that cannot be seen.
    pub fn parse(text: &str) -> Result<Self, InvalidText> {
        Self::shaped(clean(text, Self::LONGEST)?)
    }

    /// Reads a name back that was accepted before.
    ///
    /// # Errors
    /// As [`Self::parse`], but for what a name shows.
    pub fn parse_stored(text: &str) -> Result<Self, InvalidText> {
        Self::shaped(clean_stored(text, Self::LONGEST)?)
    }

    fn shaped(text: String) -> Result<Self, InvalidText> {
        const SHAPE: InvalidText = InvalidText::Shape(
            r#"be a repository such as acme/widgets: no empty, . or .. part, none of \ : * ? " < > | # %"#,
        );
        let is_part = |part: &str| !matches!(part, "" | "." | "..") && part.trim() == part;
        let fits = text.split('/').all(is_part) && !text.contains(['\\', ':', '*', '?', '"', '<', '>', '|', '#', '%']);
        if fits { Ok(Self(text)) } else { Err(SHAPE) }
    }
}

impl BranchName {
    /// The most characters a branch may have.
    pub const LONGEST: usize = 255;

    /// Checks the rules of git-check-ref-format(1), and that nothing in it is invisible. The text is kept as it is:
    /// to git, two spellings of one letter are two branches.
    ///
    /// # Errors
    /// Whatever git would refuse as a branch, more than 255 characters, and a secret.
    pub fn parse(text: &str) -> Result<Self, InvalidText> {
        let checked = Self::parse_stored(text)?;
        if holds_secret(text) { Err(InvalidText::Secret) } else { Ok(checked) }
    }

    /// Reads a branch back that was accepted before the rule on secrets was.
    ///
    /// # Errors
    /// As [`Self::parse`], but for secrets.
    pub fn parse_stored(text: &str) -> Result<Self, InvalidText> {
        const SHAPE: InvalidText = InvalidText::Shape(
            r"be a branch as git allows it: such as main or feature/x, without spaces and ~ ^ : ? * [ \",
        );
        if text.is_empty() {
            return Err(InvalidText::Empty);
        }
        if text.chars().count() > Self::LONGEST {
            return Err(InvalidText::TooLong(Self::LONGEST));
        }
        if !text.chars().all(is_allowed) {
            return Err(InvalidText::Forbidden);
        }
        let is_part = |part: &str| {
            // Git compares these bytes: `.LOCK` is a name like any other.
            let is_lock = part.as_bytes().ends_with(b".lock");
            !part.is_empty() && !part.starts_with('.') && !is_lock
        };
        let fits = text.split('/').all(is_part)
            && !text.contains([' ', '~', '^', ':', '?', '*', '[', '\\'])
            && !text.contains("..")
            && !text.contains("@{")
            && !text.starts_with('-')
            && !text.ends_with('.')
            && text != "@";
        if fits { Ok(Self(text.to_owned())) } else { Err(SHAPE) }
    }
}

impl CommitHash {
    /// Checks hexadecimal digits of either case; 40 are a whole SHA-1, 64 a whole SHA-256, and 4 the least
    /// that git abbreviates to (core.abbrev in git-config(1)).
    ///
    /// # Errors
    /// Anything else, fewer than 4 digits or more than 64.
    pub fn parse(text: &str) -> Result<Self, InvalidText> {
        const SHAPE: InvalidText = InvalidText::Shape("be a commit hash of 4 to 64 hexadecimal digits");
        let fits = (4..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if fits { Ok(Self(text.to_ascii_lowercase())) } else { Err(SHAPE) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_are_parts_between_slashes() {
        for good in
            ["widgets", "acme/widgets", "a/b/c/d", ".github", "my.repo_1-x", "C++", "Ünïcode/名前", "Our Team/Repo"]
        {
            assert_eq!(RepositoryName::parse(good).unwrap().as_str(), good);
        }
        assert_eq!(RepositoryName::parse(" acme/e\u{301} ").unwrap().as_str(), "acme/é");
        assert!(RepositoryName::parse(&"é".repeat(200)).is_ok());
        for bad in [
            "",
            " ",
            "/",
            "/a",
            "a/",
            "a//b",
            ".",
            "..",
            "a/../b",
            "a/.",
            "a / b",
            "a\\b",
            "a:b",
            "https://x/y",
            "a?b",
            "a#b",
            "a%2fb",
            "<a>",
            "a\"b",
            "a|b",
            "a*",
            "a\nb",
            "a\0b",
            "a\u{202e}b",
            &"a".repeat(201),
        ] {
            assert!(RepositoryName::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn branches_follow_git() {
        for good in [
            "main",
            "feature/x",
            "refs/pull/7/merge",
            "v1.0",
            "a@b",
            "@a",
            "{a}",
            "release-1",
            "日本",
            "a-",
            "x.LOCK",
            "e\u{301}",
            "a'b",
            "user!",
            "HEAD",
        ] {
            assert_eq!(BranchName::parse(good).unwrap().as_str(), good);
        }
        assert!(BranchName::parse(&"é".repeat(255)).is_ok());
        for bad in [
            "",
            " ",
            "a b",
            "a..b",
            ".a",
            "a/.b",
            "a.lock",
            "a.lock/b",
            "a/",
            "/a",
            "a//b",
            "a.",
            "@",
            "a@{b",
            "a~b",
            "a^b",
            "a:b",
            "a?b",
            "a*b",
            "a[b",
            "a\\b",
            "-a",
            "a\u{7f}b",
            "a\tb",
            "a\u{202e}b",
        ] {
            assert!(BranchName::parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(BranchName::parse(&"a".repeat(300)), Err(InvalidText::TooLong(255)));
    }

    #[test]
    fn commits_are_hexadecimal() {
        for (good, kept) in [("abcd", "abcd"), ("ABCDEF0", "abcdef0"), (&"0".repeat(64), &"0".repeat(64)[..])] {
            assert_eq!(CommitHash::parse(good).unwrap().as_str(), kept);
        }
        for bad in ["", "abc", "abc123g", "abc 123", "０１２３４５６", &"0".repeat(65)] {
            assert!(CommitHash::parse(bad).is_err(), "{bad}");
        }
    }
}
