//! Roles of an organisation: what one may be called, and who may give, change or take one.

use unicode_normalization::UnicodeNormalization;
use unicode_security::confusable_detection::skeleton;
use unicode_security::{RestrictionLevel, RestrictionLevelDetection};

use crate::person::BuiltInRole;
use crate::scope::ScopeSet;
use crate::text::{InvalidText, Name};

/// The rights of a member or a token in an organisation, as compared when they are given to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Power {
    scopes: ScopeSet,
    rank: Rank,
}

/// Owners and administrators may do the same; what sets owners apart is that only they decide about owners.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Other,
    Owner,
}

/// How one power goes beyond another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beyond {
    /// It is the power of an owner.
    Owner,
    /// It has these scopes on top; never empty.
    Scopes(ScopeSet),
}

impl Power {
    /// The power of an owner.
    pub const fn of_owner(scopes: ScopeSet) -> Self {
        Self { scopes, rank: Rank::Owner }
    }

    /// The power of anybody else.
    pub const fn of(scopes: ScopeSet) -> Self {
        Self { scopes, rank: Rank::Other }
    }

    /// The scopes, with all they cover.
    pub const fn scopes(&self) -> ScopeSet {
        self.scopes
    }

    /// Checks that a holder of this power may give the other power, and may change or remove members who have it. The other
    /// power must not exceed their own.
    ///
    /// # Errors
    /// How the other goes beyond.
    pub fn reaches(&self, other: &Self) -> Result<(), Beyond> {
        if other.rank > self.rank {
            return Err(Beyond::Owner);
        }
        let excess = other.scopes.difference(self.scopes);
        if excess.is_empty() { Ok(()) } else { Err(Beyond::Scopes(excess)) }
    }
}

/// The name of an organisation's own role: a [`Name`] that does not look like that of a built-in role.
///
/// People decide by the name alone whether to give somebody a role, so a name that merely looks like another is refused:
/// words that mix letters of several alphabets, and what looks like a built-in role (UTS 39, sections 4 and 5.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleName(Name);

impl RoleName {
    /// Checks a role's name.
    ///
    /// # Errors
    /// The text is not a [`Name`], has a word of mixed alphabets, or is or looks like the name of a built-in role.
    pub fn parse(text: &str) -> Result<Self, InvalidText> {
        let name = Self(Name::parse(text)?);
        let likeness_of_name = name.likeness();
        if BuiltInRole::ALL.iter().any(|role| likeness(role.as_str()) == likeness_of_name) {
            return Err(InvalidText::Shape("not be, or look like, owner, admin, member or viewer"));
        }
        if !name.0.as_str().split(|letter: char| !letter.is_alphabetic()).all(is_of_one_writing) {
            return Err(InvalidText::Shape("not mix letters of several alphabets in one word"));
        }
        Ok(name)
    }

    /// The name.
    pub const fn name(&self) -> &Name {
        &self.0
    }

    /// Whether the two look the same to people.
    pub fn looks_like(&self, other: &Name) -> bool {
        self.likeness() == likeness(other.as_str())
    }

    fn likeness(&self) -> String {
        likeness(self.0.as_str())
    }
}

/// One script, or those that are written together (Latin beside Han, kana or hangul).
fn is_of_one_writing(word: &str) -> bool {
    word.check_restriction_level(RestrictionLevel::HighlyRestrictive)
}

/// The same for any two texts that look the same in lower case. Folded twice: the likeness of a digit may be a capital.
fn likeness(text: &str) -> String {
    let fold = |text: &str| skeleton(&text.to_lowercase().nfc().collect::<String>()).collect::<String>();
    fold(&fold(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope::ScopeCatalogue;

    #[test]
    fn nobody_reaches_beyond_what_they_hold() {
        let catalogue = ScopeCatalogue::built_in().unwrap();
        let set = |names: &[&str]| catalogue.restore(names).unwrap().effective();
        let all = set(&["admin"]);
        let (owner, admin) = (Power::of_owner(all), Power::of(all));
        let reader = Power::of(set(&["read", "org:read"]));
        let manager = Power::of(set(&["org.memberships:manage", "read"]));
        for (one, other, expected) in [
            (owner, owner, Ok(())),
            (owner, admin, Ok(())),
            (admin, owner, Err(Beyond::Owner)),
            (admin, admin, Ok(())),
            (admin, reader, Ok(())),
            (reader, reader, Ok(())),
            (manager, reader, Err(Beyond::Scopes(set(&["org:read"])))),
            (reader, manager, Err(Beyond::Scopes(set(&["org.memberships:manage"])))),
            (Power::of(ScopeSet::EMPTY), Power::of(ScopeSet::EMPTY), Ok(())),
            (Power::of_owner(ScopeSet::EMPTY), reader, Err(Beyond::Scopes(reader.scopes()))),
        ] {
            assert_eq!(one.reaches(&other), expected, "{one:?} {other:?}");
        }
    }

    #[test]
    fn role_names_are_what_they_look_like() {
        for good in ["Auditors", "Команда QA", "Équipe rouge", "監査チームA", "Ελεγκτές", "tier 2 ops", "owners", "x"]
        {
            assert_eq!(
                RoleName::parse(good).map(|name| name.name().as_str().to_owned()),
                Ok(good.to_owned()),
                "{good}"
            );
        }
        for mixed in ["Аuditors", "sсans", "Admіnistrators", "Τeam", "a\u{0430}"] {
            let refused = RoleName::parse(mixed).unwrap_err().to_string();
            assert_eq!(refused, "must not mix letters of several alphabets in one word", "{mixed}");
        }
        for taken in ["owner", "Admin", " VIEWER ", "member", "0wner", "ownеr", "admіn", "ａｄｍｉｎ"] {
            let refused = RoleName::parse(taken).unwrap_err().to_string();
            assert_eq!(refused, "must not be, or look like, owner, admin, member or viewer", "{taken}");
        }
        assert_eq!(RoleName::parse("  "), Err(InvalidText::Empty));
        assert_eq!(RoleName::parse(&"a".repeat(101)), Err(InvalidText::TooLong(100)));
    }

    #[test]
    fn whole_words_of_another_alphabet_are_told_by_their_likeness() {
        let name = |text: &str| Name::parse(text).unwrap();
        let roles = RoleName::parse("cape").unwrap();
        for same in ["Cape", "саре", "CAPE"] {
            assert!(roles.looks_like(&name(same)), "{same}");
        }
        for other in ["capes", "tape", "кап"] {
            assert!(!roles.looks_like(&name(other)), "{other}");
        }
    }
}
