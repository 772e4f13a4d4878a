//! What is stored about a token's life, and the status derived from it. Nothing ever sweeps a status column.

use serde::Serialize;

use super::rotation::{GraceMode, NotPossible};
use super::status::Status;
use crate::id::TokenId;
use crate::time::{Span, Timestamp};

/// Everything that decides a token's status, besides the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenFacts {
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops validating by itself; nothing means never.
    pub expires_at: Option<Timestamp>,
    /// Set when a rotation made its successor.
    pub superseded: Option<Superseded>,
    /// Set when it was revoked.
    pub revoked: Option<Revoked>,
}

/// A token that has a successor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Superseded {
    /// When it was rotated.
    pub at: Timestamp,
    /// The token that took its place.
    pub by: TokenId,
    /// Until when both validate (exclusive).
    pub grace_ends_at: Timestamp,
    /// Whether the successor's first use shortens the grace.
    pub mode: GraceMode,
}

/// A token that was revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revoked {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: RevokeReason,
}

/// Why a token was revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RevokeReason {
    /// Someone with the right to do so asked for it.
    Requested,
    /// Its rotation gave no grace, or the grace is over.
    Superseded,
    /// The rotation that made it was cancelled.
    RotationCancelled,
    /// It was reported as found in public.
    Leaked,
    /// The person or actor it belonged to was removed.
    OwnerRemoved,
    /// An organisation's policy (idle, too long-lived) asked for it.
    Policy,
}

impl RevokeReason {
    /// Every reason.
    pub const ALL: [Self; 6] =
        [Self::Requested, Self::Superseded, Self::RotationCancelled, Self::Leaked, Self::OwnerRemoved, Self::Policy];

    /// The name on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Superseded => "superseded",
            Self::RotationCancelled => "rotation_cancelled",
            Self::Leaked => "leaked",
            Self::OwnerRemoved => "owner_removed",
            Self::Policy => "policy",
        }
    }

    /// Reads the name back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}

impl TokenFacts {
    /// The facts of a token just made.
    pub const fn new(created_at: Timestamp, expires_at: Option<Timestamp>) -> Self {
        Self { created_at, expires_at, superseded: None, revoked: None }
    }

    /// The status at a moment. Precedence: revoked, grace over, expired, rotating, active. Ends are exclusive: at the
    /// very microsecond of its expiry a token is expired.
    pub fn status(&self, now: Timestamp) -> Status {
        if self.revoked.is_some() {
            return Status::Revoked;
        }
        if self.superseded.is_some_and(|superseded| superseded.grace_ends_at <= now) {
            return Status::Revoked;
        }
        if self.expires_at.is_some_and(|expires_at| expires_at <= now) {
            return Status::Expired;
        }
        if self.superseded.is_some() { Status::Rotating } else { Status::Active }
    }

    /// The moment at which these facts, left alone, stop being live; nothing when they never do or already are dead.
    pub fn dies_at(&self) -> Option<Timestamp> {
        let grace_end = self.superseded.map(|superseded| superseded.grace_ends_at);
        match (self.expires_at, grace_end) {
            (Some(expiry), Some(grace)) => Some(expiry.min(grace)),
            (expiry, grace) => expiry.or(grace),
        }
    }

    /// When and why it was revoked, counting an ended grace as a revocation by supersession.
    pub fn revocation(&self, now: Timestamp) -> Option<Revoked> {
        self.revoked.or_else(|| {
            self.superseded
                .filter(|superseded| superseded.grace_ends_at <= now)
                .map(|superseded| Revoked { at: superseded.grace_ends_at, reason: RevokeReason::Superseded })
        })
    }

    /// Whether a presentation now is a reuse after supersession: somebody still holds a secret that was replaced.
    pub fn is_reuse(&self, now: Timestamp) -> bool {
        self.superseded.is_some_and(|superseded| superseded.grace_ends_at <= now)
    }

    /// Rotates: names the successor and the end of the grace, which never outlives the token's own expiry.
    ///
    /// # Errors
    /// Only an active token can be rotated; the error says what it is instead.
    pub fn supersede(self, now: Timestamp, by: TokenId, grace: Span, mode: GraceMode) -> Result<Self, NotPossible> {
        match self.status(now) {
            Status::Active => {}
            status @ (Status::Rotating | Status::Revoked | Status::Expired) => {
                return Err(NotPossible { event: "rotated", status });
            }
        }
        let ends = now + grace;
        let grace_ends_at = self.expires_at.map_or(ends, |expires_at| expires_at.min(ends));
        // Without a grace it is a revocation: one that is stored, so that no clock set back brings the token to life again.
        let revoked = (grace_ends_at <= now).then_some(Revoked { at: now, reason: RevokeReason::Superseded });
        Ok(Self { superseded: Some(Superseded { at: now, by, grace_ends_at, mode }), revoked, ..self })
    }

    /// Notes that the successor validated for the first time: in first-use mode the grace shrinks to `remaining`.
    /// Returns the facts unchanged where there is nothing to shorten.
    #[must_use]
    pub fn successor_used(self, now: Timestamp, remaining: Span) -> Self {
        let shortened = self.superseded.map(|superseded| match superseded.mode {
            GraceMode::Fixed => superseded,
            GraceMode::FirstUse => {
                Superseded { grace_ends_at: superseded.grace_ends_at.min(now + remaining), ..superseded }
            }
        });
        Self { superseded: shortened, ..self }
    }

    /// Takes a rotation back while the grace runs.
    ///
    /// # Errors
    /// Only a rotating token can be taken back.
    pub fn cancel_rotation(self, now: Timestamp) -> Result<(Self, TokenId), NotPossible> {
        match (self.status(now), self.superseded) {
            (Status::Rotating, Some(superseded)) => Ok((Self { superseded: None, ..self }, superseded.by)),
            (status, _) => Err(NotPossible { event: "taken back from rotation", status }),
        }
    }

    /// Revokes the token. Revoking a dead one changes nothing: the first reason and time stay.
    #[must_use]
    pub fn revoke(self, at: Timestamp, reason: RevokeReason) -> Self {
        Self { revoked: self.revoked.or(Some(Revoked { at, reason })), ..self }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const T0: Timestamp = Timestamp::from_micros(1_000_000_000);

    fn at(seconds: u32) -> Timestamp {
        T0 + Span::seconds(seconds)
    }

    fn successor() -> TokenId {
        TokenId::from_uuid(Uuid::from_u128(7))
    }

    fn rotated(grace: u32, expires: Option<u32>) -> TokenFacts {
        TokenFacts::new(T0, expires.map(at))
            .supersede(at(1), successor(), Span::seconds(grace), GraceMode::Fixed)
            .unwrap()
    }

    #[test]
    fn status_follows_from_facts_and_clock() {
        let plain = TokenFacts::new(T0, None);
        let expiring = TokenFacts::new(T0, Some(at(10)));
        let rows = [
            (plain, 0, Status::Active),
            (plain, u32::MAX, Status::Active),
            (expiring, 9, Status::Active),
            (expiring, 10, Status::Expired),
            (rotated(5, None), 1, Status::Rotating),
            (rotated(5, None), 5, Status::Rotating),
            (rotated(5, None), 6, Status::Revoked),
            (rotated(0, None), 1, Status::Revoked),
            (rotated(100, Some(10)), 9, Status::Rotating),
            (rotated(100, Some(10)), 10, Status::Revoked),
            (expiring.revoke(at(2), RevokeReason::Requested), 20, Status::Revoked),
            (rotated(5, None).revoke(at(2), RevokeReason::Leaked), 2, Status::Revoked),
        ];
        for (facts, seconds, expected) in rows {
            assert_eq!(facts.status(at(seconds)), expected, "{facts:?} at {seconds}");
        }
    }

    #[test]
    fn the_end_is_exact_to_the_microsecond() {
        let facts = TokenFacts::new(T0, Some(at(10)));
        assert_eq!(facts.status(Timestamp::from_micros(at(10).as_micros() - 1)), Status::Active);
        assert_eq!(facts.status(at(10)), Status::Expired);
        assert_eq!(facts.dies_at(), Some(at(10)));
        assert_eq!(rotated(3, Some(10)).dies_at(), Some(at(4)));
    }

    #[test]
    fn only_an_active_token_rotates() {
        let plain = TokenFacts::new(T0, Some(at(10)));
        let rotate = |facts: TokenFacts, s| facts.supersede(at(s), successor(), Span::seconds(5), GraceMode::Fixed);
        assert!(rotate(plain, 1).is_ok());
        assert_eq!(rotate(plain, 10).unwrap_err().status, Status::Expired);
        assert_eq!(rotate(rotated(5, None), 2).unwrap_err().status, Status::Rotating);
        assert_eq!(rotate(plain.revoke(at(1), RevokeReason::Requested), 2).unwrap_err().status, Status::Revoked);
    }

    #[test]
    fn a_rotation_is_taken_back_only_while_it_runs() {
        let (facts, by) = rotated(5, None).cancel_rotation(at(3)).unwrap();
        assert_eq!((facts.status(at(3)), by), (Status::Active, successor()));
        assert_eq!(rotated(5, None).cancel_rotation(at(6)).unwrap_err().status, Status::Revoked);
        assert_eq!(TokenFacts::new(T0, None).cancel_rotation(at(1)).unwrap_err().status, Status::Active);
    }

    #[test]
    fn first_use_shortens_and_never_lengthens() {
        let first_use = |grace| {
            TokenFacts::new(T0, None).supersede(at(0), successor(), Span::seconds(grace), GraceMode::FirstUse).unwrap()
        };
        let end = |facts: TokenFacts| facts.superseded.unwrap().grace_ends_at;
        assert_eq!(end(first_use(1_000).successor_used(at(10), Span::seconds(300))), at(310));
        assert_eq!(end(first_use(100).successor_used(at(10), Span::seconds(300))), at(100));
        assert_eq!(end(rotated(1_000, None).successor_used(at(10), Span::seconds(300))), at(1_001));
    }

    #[test]
    fn the_first_revocation_stands() {
        let dead = TokenFacts::new(T0, None).revoke(at(1), RevokeReason::Leaked).revoke(at(2), RevokeReason::Requested);
        assert_eq!(dead.revoked, Some(Revoked { at: at(1), reason: RevokeReason::Leaked }));
        let over = rotated(5, None);
        assert_eq!(over.revocation(at(5)), None);
        assert_eq!(over.revocation(at(6)), Some(Revoked { at: at(6), reason: RevokeReason::Superseded }));
        assert!(over.is_reuse(at(6)) && !over.is_reuse(at(5)));
    }
}
