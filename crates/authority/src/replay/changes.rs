//! The changes that a replay makes again, each under the locks and guards that every change has.

use audit_trail::ledger::Entry;
use storage::model::{ActorEdit, Change as Edit, Revocation, Touched};
use token_domain::id::{ActorId, OrganizationId, ProjectId, TokenId, UserId};
use token_domain::person::{BuiltInRole, RoleRef};
use token_domain::record::TokenOwner;
use token_domain::tenant::ActorStatus;
use token_domain::token::RevokeReason;

use super::LedgerError;
use super::run::Replay;
use super::state::State;
use crate::change::Change;

/// How many tokens are revoked at once.
const AT_ONCE: usize = 500;

/// What became of a change to be made again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Made,
    Needless,
    /// It would leave the organisation without an owner.
    ByHand,
}

impl Replay {
    pub(super) async fn revoke(&mut self, entry: &Entry, ids: Vec<TokenId>) -> Result<(), LedgerError> {
        let (Some(organization), Some(ask)) = (entry.organization_id, self.ask(entry).await?) else { return Ok(()) };
        for ids in ids.chunks(AT_ONCE) {
            let (ids, why, ask) = (ids.to_vec(), because(entry), ask.clone());
            let work = self.context.change(ask, move |change| {
                Box::pin(async move {
                    change.touching().touch_tokens(organization, Some(ids.clone()));
                    let revocation = revocation(change, RevokeReason::Requested);
                    let revoked = change.tx.revoke_tokens(organization, &ids, &revocation).await?;
                    record(change, revoked, why).await
                })
            });
            let revoked = work.await?;
            self.done.tokens += revoked;
            self.done.needless += u64::from(revoked == 0);
        }
        Ok(())
    }

    /// Revokes every key of a person in the organisation, those that the entry does not name as well.
    async fn revoke_keys(&mut self, entry: &Entry) -> Result<(), LedgerError> {
        let Ok(user) = UserId::parse(&entry.target_id) else { return Ok(()) };
        let (Some(organization), Some(ask)) = (entry.organization_id, self.ask(entry).await?) else { return Ok(()) };
        let why = because(entry);
        let work = self.context.change(ask, move |change| {
            Box::pin(async move {
                change.touch(Touched::Organization(organization));
                let revocation = revocation(change, RevokeReason::OwnerRemoved);
                let owner = TokenOwner::Person(user);
                let revoked = change.tx.revoke_tokens_of_owner(organization, owner, &revocation).await?;
                record(change, revoked, why).await
            })
        });
        self.done.tokens += work.await?;
        Ok(())
    }

    pub(super) async fn empty_project(&mut self, entry: &Entry) -> Result<(), LedgerError> {
        let most = u32::try_from(AT_ONCE).unwrap_or(u32::MAX);
        let Ok(project) = ProjectId::parse(&entry.target_id) else { return Ok(()) };
        let Some(organization) = entry.organization_id else { return Ok(()) };
        if self.context.store.read(move |reads| Box::pin(reads.project(organization, project))).await?.is_none() {
            return Ok(());
        }
        loop {
            let found = self.context.store.read(move |reads| Box::pin(reads.tokens_of_project(project, most))).await?;
            // In the order of their ids, which begin with when they were made: those behind were made since, and are not meant.
            let meant: Vec<TokenId> = found.into_iter().filter(|token| token.made_at() <= entry.at).collect();
            if meant.is_empty() {
                break;
            }
            self.revoke(entry, meant).await?;
        }
        self.by_hand(entry);
        Ok(())
    }

    pub(super) async fn end_grace(&mut self, entry: &Entry) -> Result<(), LedgerError> {
        let (Ok(token), Some(end)) = (TokenId::parse(&entry.target_id), entry.until) else { return Ok(()) };
        let (Some(organization), Some(ask)) = (entry.organization_id, self.ask(entry).await?) else { return Ok(()) };
        let why = because(entry);
        let work = self.context.change(ask, move |change| {
            Box::pin(async move {
                change.touch(Touched::Token(token));
                let ended = change.tx.end_grace_by(organization, token, end).await?.is_some();
                if ended {
                    let event = change.event("token.grace_shortened").on("token", token);
                    let event = event.with("grace_period_ends_at", end.rfc3339_seconds());
                    change.record(event.with("repeats", why)).await?;
                }
                Ok::<_, LedgerError>(ended)
            })
        });
        let ended = work.await?;
        self.count(ended);
        Ok(())
    }

    pub(super) async fn end_sessions(&mut self, entry: &Entry) -> Result<(), LedgerError> {
        let Ok(user) = UserId::parse(&entry.target_id) else {
            self.by_hand(entry);
            return Ok(());
        };
        let Some(ask) = self.ask(entry).await? else { return Ok(()) };
        let why = because(entry);
        let work = self.context.change(ask.holding(user), move |change| {
            Box::pin(async move {
                let ended = change.tx.delete_sessions_of_user(user, None).await?;
                if ended > 0 {
                    let event = change.event("session.delete").on("user", user).with("sessions_ended", ended);
                    change.record(event.with("repeats", why)).await?;
                }
                Ok::<_, LedgerError>(ended > 0)
            })
        });
        let ended = work.await?;
        self.count(ended);
        Ok(())
    }

    /// Repeats a change that nothing has given back.
    pub(super) async fn take_away(&mut self, state: State, entry: &Entry) -> Result<(), LedgerError> {
        if state == State::Rotated {
            return self.revoke(entry, entry.tokens.clone()).await;
        }
        let Some(ask) = self.ask(entry).await? else { return Ok(()) };
        if state == State::Member {
            self.revoke_keys(entry).await?;
        }
        let why = because(entry);
        let outcome = match state {
            State::OrganizationOff => match entry.target_id.parse() {
                Ok(organization) => {
                    let work = self.context.change(ask, move |change| {
                        Box::pin(async move { organization_off(change, organization, why).await })
                    });
                    work.await?
                }
                Err(_) => Outcome::Needless,
            },
            State::ActorOff => match (entry.organization_id, ActorId::parse(&entry.target_id)) {
                (Some(organization), Ok(actor)) => {
                    let work = self.context.change(ask, move |change| {
                        Box::pin(async move { actor_off(change, organization, actor, why).await })
                    });
                    work.await?
                }
                (None, _) | (_, Err(_)) => Outcome::Needless,
            },
            State::PersonOff | State::Member | State::MemberOff | State::Rotated => {
                let Ok(user) = UserId::parse(&entry.target_id) else { return Ok(()) };
                let organization = entry.organization_id;
                let work = self.context.change(ask.holding(user), move |change| {
                    Box::pin(async move {
                        match (state, organization) {
                            (State::PersonOff, _) => person_off(change, user, why).await,
                            (State::MemberOff, Some(organization)) => member_off(change, organization, user, why).await,
                            (State::Member, Some(organization)) => remove(change, organization, user, why).await,
                            (State::MemberOff | State::Member, None)
                            | (State::OrganizationOff | State::ActorOff | State::Rotated, _) => Ok(Outcome::Needless),
                        }
                    })
                });
                work.await?
            }
        };
        match outcome {
            Outcome::Made => self.count(true),
            Outcome::Needless => self.count(false),
            Outcome::ByHand => self.by_hand(entry),
        }
        Ok(())
    }
}

/// The event that is repeated, as events say it: what it was, its number, and the trail is the same.
fn because(entry: &Entry) -> String {
    format!("{} {}", entry.action, entry.seq)
}

fn revocation(change: &Change<'_>, reason: RevokeReason) -> Revocation {
    Revocation { at: change.now, reason, by: change.by() }
}

/// Records the revocation of these tokens, and returns their number.
async fn record(change: &mut Change<'_>, revoked: Vec<TokenId>, why: String) -> Result<u64, LedgerError> {
    let event = match revoked.as_slice() {
        [] => return Ok(0),
        [token] => change.event("token.revoke").on("token", token),
        tokens => {
            let named: Vec<String> = tokens.iter().map(ToString::to_string).collect();
            change.event("token.bulk_revoke").with("count", named.len()).with("tokens", named)
        }
    };
    change.record(event.with("repeats", why)).await?;
    Ok(revoked.len() as u64)
}

async fn organization_off(
    change: &mut Change<'_>,
    organization: OrganizationId,
    why: String,
) -> Result<Outcome, LedgerError> {
    change.touch(Touched::Organization(organization));
    let found = change.tx.organization(organization).await?;
    if found.is_none_or(|found| found.disabled_at.is_some()) {
        return Ok(Outcome::Needless);
    }
    change.tx.set_organization_disabled(organization, Some(change.now), change.now).await?;
    let event = change.event("organization.disable").on("organization", organization);
    change.record(event.with("repeats", why)).await?;
    Ok(Outcome::Made)
}

async fn actor_off(
    change: &mut Change<'_>,
    organization: OrganizationId,
    actor: ActorId,
    why: String,
) -> Result<Outcome, LedgerError> {
    change.touch(Touched::Organization(organization));
    let Some((found, project)) = change.tx.actor_of_organization(organization, actor).await? else {
        return Ok(Outcome::Needless);
    };
    if found.disabled_at.is_some() {
        return Ok(Outcome::Needless);
    }
    let edit = ActorEdit { disabled_at: Edit::Set(change.now), ..ActorEdit::default() };
    change.tx.update_actor(project.id, actor, &edit, change.now).await?;
    let event = change.event("actor.update").on("actor", actor).with("changed", vec!["disabled_at"]);
    change.record(event.with("status", ActorStatus::Disabled.as_str()).with("repeats", why)).await?;
    Ok(Outcome::Made)
}

async fn person_off(change: &mut Change<'_>, user: UserId, why: String) -> Result<Outcome, LedgerError> {
    let found = change.tx.user(user).await?;
    if found.is_none_or(|found| found.disabled_at.is_some()) {
        return Ok(Outcome::Needless);
    }
    change.tx.set_user_disabled(user, Some(change.now), change.now).await?;
    crate::operator::fence(change, user).await?;
    let ended = change.tx.delete_sessions_of_user(user, None).await?;
    let event = change.event("user.disable").on("user", user).with("sessions_ended", ended);
    change.record(event.with("repeats", why)).await?;
    Ok(Outcome::Made)
}

async fn member_off(
    change: &mut Change<'_>,
    organization: OrganizationId,
    user: UserId,
    why: String,
) -> Result<Outcome, LedgerError> {
    change.touch(Touched::Organization(organization));
    let found = change.tx.membership_standing(organization, user).await?;
    if found.is_none_or(|found| found.disabled_at.is_some()) {
        return Ok(Outcome::Needless);
    }
    change.tx.set_membership_disabled(organization, user, Some(change.now)).await?;
    let ended = change.tx.delete_sessions_of_member(organization, user, None).await?;
    let event = change.event("member.disable").on("user", user).with("sessions_ended", ended);
    change.record(event.with("repeats", why)).await?;
    Ok(Outcome::Made)
}

async fn remove(
    change: &mut Change<'_>,
    organization: OrganizationId,
    user: UserId,
    why: String,
) -> Result<Outcome, LedgerError> {
    change.touch(Touched::Organization(organization));
    let Some(found) = change.tx.membership_standing(organization, user).await? else {
        return Ok(Outcome::Needless);
    };
    // One of the lost changes may have made another member an owner.
    if found.role == RoleRef::BuiltIn(BuiltInRole::Owner) && change.tx.count_owners(organization).await? <= 1 {
        return Ok(Outcome::ByHand);
    }
    let ended = change.tx.delete_sessions_of_member(organization, user, None).await?;
    change.tx.delete_membership(organization, user).await?;
    let event = change.event("member.remove").on("user", user).with("sessions_ended", ended);
    change.record(event.with("repeats", why)).await?;
    Ok(Outcome::Made)
}
