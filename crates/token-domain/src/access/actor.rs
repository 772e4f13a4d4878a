//! What an actor is called, by us and elsewhere, and what sort of thing it is.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::text::{InvalidText, clean, clean_stored, holds_secret, is_allowed, text_type};

/// The sort of thing that acts. A label: it has no effect on access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActorType {
    /// A thing in the field.
    Device,
    /// A person of the tenant, who is not a person of this service.
    User,
    /// A machine that serves.
    Server,
    /// A program that acts for somebody.
    Agent,
    /// A program that serves others.
    Service,
    /// One conversation or run, which ends by itself.
    Session,
    /// A program that directs others.
    Orchestrator,
    /// A program that only looks on.
    Observer,
}

text_type! {
    /// An actor's name: 1–255 characters after trimming, NFC, nothing invisible.
    ActorName
}
text_type! {
    /// What another system calls the actor: 1–255 characters, kept exactly as given, so that it compares there too.
    ExternalId
}

impl ActorType {
    /// Every type.
    pub const ALL: [Self; 8] = [
        Self::Device,
        Self::User,
        Self::Server,
        Self::Agent,
        Self::Service,
        Self::Session,
        Self::Orchestrator,
        Self::Observer,
    ];

    /// The name on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::User => "user",
            Self::Server => "server",
            Self::Agent => "agent",
            Self::Service => "service",
            Self::Session => "session",
            Self::Orchestrator => "orchestrator",
            Self::Observer => "observer",
        }
    }

    /// Reads the name back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|actor_type| actor_type.as_str() == text)
    }
}

impl fmt::Display for ActorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl ActorName {
    /// The most characters a name may have.
    pub const LONGEST: usize = 255;

    /// Checks a name by the rules of [`crate::text::Name`], at its own length.
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

impl ExternalId {
    /// The most characters an id may have.
    pub const LONGEST: usize = 255;

    /// Checks a foreign id without changing it.
    ///
    /// # Errors
    /// Empty, too long, white space at either end, a character that cannot be seen, or a secret.
    pub fn parse(text: &str) -> Result<Self, InvalidText> {
        let checked = Self::parse_stored(text)?;
        if holds_secret(text) { Err(InvalidText::Secret) } else { Ok(checked) }
    }

    /// Reads a foreign id back that was accepted before the rule on secrets was.
    ///
    /// # Errors
    /// As [`Self::parse`], but for secrets.
    pub fn parse_stored(text: &str) -> Result<Self, InvalidText> {
        if text.is_empty() {
            return Err(InvalidText::Empty);
        }
        if text.chars().count() > Self::LONGEST {
            return Err(InvalidText::TooLong(Self::LONGEST));
        }
        if !text.chars().all(is_allowed) {
            return Err(InvalidText::Forbidden);
        }
        if text.trim() != text {
            return Err(InvalidText::Shape("not begin or end with white space"));
        }
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_known_by_one_name_everywhere() {
        for actor_type in ActorType::ALL {
            assert_eq!(ActorType::parse(actor_type.as_str()), Some(actor_type));
            let json = format!("\"{actor_type}\"");
            assert_eq!(serde_json::to_string(&actor_type).unwrap(), json);
            assert_eq!(serde_json::from_str::<ActorType>(&json).unwrap(), actor_type);
        }
        for text in ["", "Device", "robot", "device "] {
            assert_eq!(ActorType::parse(text), None, "{text}");
        }
    }

    #[test]
    fn names_are_trimmed_and_foreign_ids_are_not() {
        assert_eq!(ActorName::parse(" Pump e\u{301} ").unwrap().as_str(), "Pump é");
        assert_eq!(ExternalId::parse("e\u{301}").unwrap().as_str(), "e\u{301}");
        for longest in ["a".repeat(255), "é".repeat(255)] {
            assert!(ActorName::parse(&longest).is_ok() && ExternalId::parse(&longest).is_ok());
        }
        for text in ["", " ", "a\nb", "a\0", "a\u{202e}", &"a".repeat(256)] {
            assert!(ActorName::parse(text).is_err(), "{text:?}");
            assert!(ExternalId::parse(text).is_err(), "{text:?}");
        }
        assert!(ExternalId::parse(" 42").is_err());
    }
}
