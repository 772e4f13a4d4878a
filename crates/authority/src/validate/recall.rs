//! What is remembered about a token, before anything is made of it: to be decided about, which counts as a use, or left.

use std::net::IpAddr;
use std::sync::Arc;

use token_domain::{Requirement, Timestamp};
use token_format::PlainToken;

use super::fetch::Asked;
use super::{Entry, Outcome, OutcomeKind, Validator};
use crate::error::Failure;
use crate::legacy::ForeignKey;
use crate::origin::{Caller, Presentation};

/// What is remembered about a presented text, as of the moment it was looked up. Nothing is counted until
/// [`Recalled::decide`].
pub struct Recalled<'v> {
    validator: &'v Validator,
    known: Known,
    now: Timestamp,
}

enum Known {
    /// A token, good or bad.
    Token(Arc<Entry>),
    /// There is none.
    Unknown,
    /// There can be none.
    Malformed,
}

impl Validator {
    /// What is known about a presented text without a read; `None` if it takes one.
    pub fn recall(&self, text: &str) -> Option<Recalled<'_>> {
        match PlainToken::parse(text) {
            Ok(token) => self.recall_token(&token),
            Err(_) => match self.foreign(text) {
                Some(key) => self.recall_foreign(&key),
                None => Some(self.recalled(Known::Malformed, self.context.now())),
            },
        }
    }

    /// As [`Validator::recall`], for a key of another system.
    pub fn recall_foreign(&self, key: &ForeignKey) -> Option<Recalled<'_>> {
        self.recall_digest(&self.context.keyring.digest(key.alias()), self.context.now())
    }

    /// As [`Validator::recall`], for a text already known to be token-shaped.
    pub fn recall_token(&self, token: &PlainToken) -> Option<Recalled<'_>> {
        let now = self.context.now();
        if self.is_mistyped(token) {
            return Some(self.recalled(Known::Malformed, now));
        }
        self.recall_digest(&self.context.keyring.digest(token), now)
    }

    /// As [`Validator::recall`], with a read where it takes one.
    ///
    /// # Errors
    /// Only when it cannot be known: the store fails, or the lane for misses or slow hashes is full.
    pub async fn look_up(&self, text: &str) -> Result<Recalled<'_>, Failure> {
        if let Some(recalled) = self.recall(text) {
            return Ok(recalled);
        }
        let (token, foreign) = (PlainToken::parse(text), self.foreign(text));
        let asked = match (&token, &foreign) {
            (Ok(token), _) => Asked::token(token),
            (Err(_), Some(key)) => Asked::foreign(key),
            (Err(_), None) => return Ok(self.recalled(Known::Malformed, self.context.now())),
        };
        let digest = self.context.keyring.digest(asked.token);
        let found = Box::pin(self.find(asked, &digest)).await;
        let found = found.inspect_err(|_| self.counters.count(OutcomeKind::Unavailable))?;
        Ok(self.recalled(found.map_or(Known::Unknown, Known::Token), self.context.now()))
    }

    pub(super) fn recall_digest(&self, digest: &secret_hash::Tag, now: Timestamp) -> Option<Recalled<'_>> {
        if let Some(entry) = self.known(digest, now) {
            return Some(self.recalled(Known::Token(entry), now));
        }
        self.is_known_unknown(digest, now).then(|| self.recalled(Known::Unknown, now))
    }

    const fn recalled(&self, known: Known, now: Timestamp) -> Recalled<'_> {
        Recalled { validator: self, known, now }
    }
}

impl Recalled<'_> {
    /// What is known about it, good or bad; nothing if there is no such token.
    pub const fn entry(&self) -> Option<&Arc<Entry>> {
        match &self.known {
            Known::Token(entry) => Some(entry),
            Known::Unknown | Known::Malformed => None,
        }
    }

    /// The caller who presents the token from that address, if it is valid.
    pub fn caller(&self, presented_from: Option<IpAddr>) -> Option<Caller> {
        match &self.known {
            Known::Token(entry) => entry.caller(self.now).filter(|_| entry.admits(|| presented_from)),
            Known::Unknown | Known::Malformed => None,
        }
    }

    /// Decides, and counts the use.
    pub fn decide(self, requirement: &Requirement, presented: &dyn Presentation) -> Outcome {
        let Self { validator, known, now } = self;
        match known {
            Known::Token(entry) => validator.answer(entry, requirement, now, presented),
            Known::Unknown => validator.refuse(OutcomeKind::Unknown),
            Known::Malformed => validator.refuse(OutcomeKind::Malformed),
        }
    }
}
