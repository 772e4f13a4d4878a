//! The decision: may this credential do this, now?
//!
//! Caches hold facts, never verdicts, so this runs on every request and must stay cheap: comparisons and ANDs only.

use crate::id::{OrganizationId, TokenId};
use crate::person::PersonStanding;
use crate::policy::Idle;
use crate::scope::{Missing, Requirement, ScopeSet};
use crate::tenant::ActorStanding;
use crate::time::Timestamp;
use crate::token::{Kind, RevokeReason, Status, TokenFacts};

/// Everything known about a token that bears on what it may do, as read in one go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// The token.
    pub token_id: TokenId,
    /// Its organisation.
    pub organization_id: OrganizationId,
    /// Set when the whole organisation was switched off.
    pub organization_disabled_at: Option<Timestamp>,
    /// The token's own life.
    pub facts: TokenFacts,
    /// What it was granted, umbrellas and `implies` expanded.
    pub granted: ScopeSet,
    /// Whose it is.
    pub holder: Holder,
    /// When it stops counting for want of use, if its organisation asks for that.
    pub idle: Option<Idle>,
}

/// Whose token it is, with what can take its rights away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// The organisation's own.
    Organization,
    /// A person's.
    Person(PersonStanding),
    /// An actor's.
    Actor(ActorStanding),
}

/// Why a credential does not count. The wire shows one answer for all of them; metrics and the audit trail tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Denial {
    /// Killed.
    Revoked(RevokeReason),
    /// Past its expiry.
    Expired,
    /// The organisation is switched off.
    OrganizationDisabled,
    /// Its owner is switched off.
    PersonDisabled,
    /// Its owner is no longer a member.
    PersonRemoved,
    /// Its actor is switched off.
    ActorDisabled,
    /// Its actor's time is over.
    ActorExpired,
    /// Its actor's tenant boundary is switched off.
    AccessScopeInactive,
    /// It has not been used for longer than its organisation's policy has it.
    Idle,
}

/// What a credential may do, now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Counts, and covers what was asked.
    Allowed {
        /// Active or rotating.
        status: Status,
        /// What it may do at this moment.
        effective: ScopeSet,
    },
    /// Counts, and does not cover what was asked.
    Insufficient {
        /// What is lacking.
        missing: Missing,
        /// What it may do at this moment.
        effective: ScopeSet,
    },
    /// Does not count.
    Denied(Denial),
}

impl Denial {
    /// A stable label for metrics and the audit trail.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Revoked(RevokeReason::Superseded) => "superseded",
            Self::Revoked(
                RevokeReason::Requested
                | RevokeReason::RotationCancelled
                | RevokeReason::Leaked
                | RevokeReason::OwnerRemoved
                | RevokeReason::Policy,
            ) => "revoked",
            Self::Expired => "expired",
            Self::OrganizationDisabled => "organization_disabled",
            Self::PersonDisabled => "person_disabled",
            Self::PersonRemoved => "person_removed",
            Self::ActorDisabled => "actor_disabled",
            Self::ActorExpired => "actor_expired",
            Self::AccessScopeInactive => "access_scope_inactive",
            Self::Idle => "idle",
        }
    }
}

impl Credential {
    /// The kind of token.
    pub const fn kind(&self) -> Kind {
        match self.holder {
            Holder::Organization => Kind::Organization,
            Holder::Person(_) => Kind::Personal,
            Holder::Actor(_) => Kind::Actor,
        }
    }

    /// The scopes it has while it is live: those granted, cut to those that its owner has now.
    pub fn effective(&self) -> ScopeSet {
        match &self.holder {
            Holder::Organization | Holder::Actor(_) => self.granted,
            Holder::Person(person) => self.granted.intersection(person.ceiling.unwrap_or(ScopeSet::EMPTY)),
        }
    }
}

/// Decides about a token of which no use is known but what was read with it.
pub fn decide(credential: &Credential, requirement: &Requirement, now: Timestamp) -> Verdict {
    decide_used(credential, None, requirement, now)
}

/// Decides, given the last use that is known besides what was read. Pure, and the only place where a token is said to be
/// good.
pub fn decide_used(
    credential: &Credential,
    last_used: Option<Timestamp>,
    requirement: &Requirement,
    now: Timestamp,
) -> Verdict {
    let status = match live(credential, last_used, now) {
        Ok(status) => status,
        Err(denial) => return Verdict::Denied(denial),
    };
    let effective = credential.effective();
    match requirement.check(&effective) {
        Ok(()) => Verdict::Allowed { status, effective },
        Err(missing) => Verdict::Insufficient { missing, effective },
    }
}

fn live(credential: &Credential, last_used: Option<Timestamp>, now: Timestamp) -> Result<Status, Denial> {
    let status = credential.facts.status(now);
    match status {
        Status::Active | Status::Rotating => {}
        Status::Expired => return Err(Denial::Expired),
        Status::Revoked => {
            let reason = credential.facts.revocation(now).map_or(RevokeReason::Requested, |revoked| revoked.reason);
            return Err(Denial::Revoked(reason));
        }
    }
    if credential.organization_disabled_at.is_some() {
        return Err(Denial::OrganizationDisabled);
    }
    match &credential.holder {
        Holder::Person(person) if person.disabled_at.is_some() => return Err(Denial::PersonDisabled),
        Holder::Person(person) if person.ceiling.is_none() => return Err(Denial::PersonRemoved),
        Holder::Organization | Holder::Person(_) => {}
        Holder::Actor(actor) => actor_live(actor, now)?,
    }
    match credential.idle {
        Some(idle) if idle.ends_at(last_used) <= now => Err(Denial::Idle),
        Some(_) | None => Ok(status),
    }
}

fn actor_live(actor: &ActorStanding, now: Timestamp) -> Result<(), Denial> {
    if actor.disabled_at.is_some() {
        return Err(Denial::ActorDisabled);
    }
    if actor.expires_at.is_some_and(|expires_at| expires_at <= now) {
        return Err(Denial::ActorExpired);
    }
    match &actor.access_scope {
        Some(access_scope) if !access_scope.active => Err(Denial::AccessScopeInactive),
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::id::{AccessScopeId, ActorId, ProjectId, UserId};
    use crate::scope::ScopeCatalogue;
    use crate::tenant::AccessScopeStanding;
    use crate::text::Slug;
    use crate::time::Span;

    const T0: Timestamp = Timestamp::from_micros(1_000_000_000);

    fn credential(catalogue: &ScopeCatalogue, scopes: &[&str], holder: Holder) -> Credential {
        Credential {
            token_id: TokenId::from_uuid(Uuid::from_u128(1)),
            organization_id: OrganizationId::from_uuid(Uuid::from_u128(2)),
            organization_disabled_at: None,
            facts: TokenFacts::new(T0, Some(T0 + Span::seconds(100))),
            granted: catalogue.restore(scopes).unwrap().effective(),
            holder,
            idle: None,
        }
    }

    fn person(ceiling: Option<ScopeSet>) -> PersonStanding {
        PersonStanding { user_id: UserId::from_uuid(Uuid::from_u128(3)), disabled_at: None, ceiling }
    }

    fn actor() -> ActorStanding {
        ActorStanding {
            actor_id: ActorId::from_uuid(Uuid::from_u128(4)),
            project_id: ProjectId::from_uuid(Uuid::from_u128(5)),
            disabled_at: None,
            expires_at: Some(T0 + Span::seconds(50)),
            access_scope: Some(AccessScopeStanding {
                id: AccessScopeId::from_uuid(Uuid::from_u128(6)),
                slug: Slug::parse("tenant").unwrap(),
                active: true,
            }),
        }
    }

    fn denial(credential: &Credential, now: Timestamp) -> Option<Denial> {
        match decide(credential, &Requirement::NOTHING, now) {
            Verdict::Denied(denial) => Some(denial),
            Verdict::Allowed { .. } | Verdict::Insufficient { .. } => None,
        }
    }

    #[test]
    fn every_cause_of_denial_is_told_apart() {
        let catalogue = ScopeCatalogue::built_in().unwrap();
        let plain = credential(&catalogue, &["execute"], Holder::Organization);
        let with = |change: &dyn Fn(&mut Credential)| {
            let mut changed = plain.clone();
            change(&mut changed);
            changed
        };
        let held = |holder: Holder| with(&|c| c.holder = holder.clone());
        let all = Some(catalogue.expand(catalogue.find("admin")));
        let inactive = AccessScopeStanding { active: false, ..actor().access_scope.unwrap() };
        let rows = [
            (plain.clone(), None),
            (with(&|c| c.organization_disabled_at = Some(T0)), Some(Denial::OrganizationDisabled)),
            (
                with(&|c| c.facts = c.facts.revoke(T0, RevokeReason::Leaked)),
                Some(Denial::Revoked(RevokeReason::Leaked)),
            ),
            (with(&|c| c.facts.expires_at = Some(T0)), Some(Denial::Expired)),
            (
                with(&|c| c.idle = Some(Idle { after: Span::seconds(60), since: T0 - Span::seconds(119) })),
                Some(Denial::Idle),
            ),
            (with(&|c| c.idle = Some(Idle { after: Span::seconds(61), since: T0 - Span::seconds(119) })), None),
            (held(Holder::Person(person(all))), None),
            (held(Holder::Person(person(None))), Some(Denial::PersonRemoved)),
            (
                held(Holder::Person(PersonStanding { disabled_at: Some(T0), ..person(all) })),
                Some(Denial::PersonDisabled),
            ),
            (held(Holder::Actor(actor())), None),
            (held(Holder::Actor(ActorStanding { access_scope: None, ..actor() })), None),
            (held(Holder::Actor(ActorStanding { disabled_at: Some(T0), ..actor() })), Some(Denial::ActorDisabled)),
            (held(Holder::Actor(ActorStanding { expires_at: Some(T0), ..actor() })), Some(Denial::ActorExpired)),
            (
                held(Holder::Actor(ActorStanding { access_scope: Some(inactive), ..actor() })),
                Some(Denial::AccessScopeInactive),
            ),
        ];
        for (credential, expected) in rows {
            assert_eq!(denial(&credential, T0 + Span::seconds(1)), expected, "{credential:?}");
        }
    }

    #[test]
    fn a_use_that_is_known_keeps_a_token_from_falling_idle() {
        let catalogue = ScopeCatalogue::built_in().unwrap();
        let mut plain = credential(&catalogue, &["read"], Holder::Organization);
        plain.facts.expires_at = None;
        plain.idle = Some(Idle { after: Span::days(30), since: T0 });
        let end = T0 + Span::days(30) + Idle::SLACK;
        let at = |used, now| matches!(decide_used(&plain, used, &Requirement::NOTHING, now), Verdict::Allowed { .. });
        assert!(at(None, end - Span::micros(1)) && !at(None, end));
        assert!(at(Some(T0 + Span::micros(1)), end) && !at(Some(T0 + Span::micros(1)), end + Span::micros(1)));
        assert!(!at(Some(T0 - Span::days(1)), end), "an older use shortens nothing");
    }

    #[test]
    fn a_person_cannot_do_through_a_key_what_their_role_forbids() {
        let catalogue = ScopeCatalogue::built_in().unwrap();
        let ceiling = catalogue.restore(&["read", "tokens:read"]).unwrap().effective();
        let key = credential(&catalogue, &["execute", "tokens:read"], Holder::Person(person(Some(ceiling))));
        let asks = |scope: &str| decide(&key, &catalogue.require_all(&[scope]).unwrap(), T0);
        assert!(matches!(asks("tokens:read"), Verdict::Allowed { status: Status::Active, .. }));
        assert!(matches!(asks("read"), Verdict::Allowed { .. }));
        let Verdict::Insufficient { missing, .. } = asks("execute") else { panic!("allowed") };
        assert_eq!(catalogue.names(missing.0), ["execute"]);
    }

    #[test]
    fn a_dead_token_is_never_merely_insufficient() {
        let catalogue = ScopeCatalogue::built_in().unwrap();
        let mut dead = credential(&catalogue, &["read"], Holder::Organization);
        dead.facts = dead.facts.revoke(T0, RevokeReason::Requested);
        let requirement = catalogue.require_all(&["execute"]).unwrap();
        assert_eq!(decide(&dead, &requirement, T0), Verdict::Denied(Denial::Revoked(RevokeReason::Requested)));
    }
}
