//! Organisations: those a person is in, and what one is called.

mod error;
mod found;
mod seat;
mod usage;

use std::sync::Arc;

use storage::{StoreError, Tx};
use token_domain::leak::LeakAction;
use token_domain::person::{RoleRef, SecondFactorRule};
use token_domain::record::{Home, MembershipStanding, Organization};
use token_domain::text::{Name, Slug};

pub use error::OrganizationError;
pub use found::NewOrganization;
pub use seat::Seat;

use crate::change::Change;
use crate::context::Context;
use crate::cursor::cut;
use crate::error::Failure;
use crate::origin::{Caller, Origin, Proven, Via};
use crate::rights::Refused;
use crate::standing::{name_of_role, role_name};

const WRITE: &str = "org:write";

/// Organisations.
pub struct Organizations {
    context: Arc<Context>,
}

/// An organisation as a caller sees it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The organisation.
    pub organization: Organization,
    /// The role the person behind the caller has there, and what it is called; nothing for a caller who is no person.
    pub role: Option<(RoleRef, String)>,
    /// The maximum number of valid tokens.
    pub token_cap: Option<u32>,
}

/// A page of organisations, by slug.
#[derive(Clone, Debug)]
pub struct OrganizationPage {
    /// The organisations.
    pub organizations: Vec<Seen>,
    /// The slug the next page begins after; nothing when this is the last.
    pub next: Option<Slug>,
}

/// A change to an organisation.
#[derive(Clone, Debug, Default)]
pub struct OrganizationChange {
    /// The slug, which must be the one it has.
    pub slug: Option<Slug>,
    /// A new name.
    pub name: Option<Name>,
    /// Whether its people need a second factor.
    pub second_factor: Option<SecondFactorRule>,
    /// What is done with its tokens that others report as leaked.
    pub leak_action: Option<LeakAction>,
    /// Whether it makes tokens of its own under trust policies alone.
    pub trust_only: Option<bool>,
}

impl Organizations {
    /// Over a context.
    pub fn new(context: &Arc<Context>) -> Self {
        Self { context: Arc::clone(context) }
    }

    /// The organisations of the signed-in person; a token, or a session by an identity provider, sees the one it is for.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn list(
        &self,
        caller: &Caller,
        after: Option<Slug>,
        limit: u32,
    ) -> Result<OrganizationPage, OrganizationError> {
        let Via::Session { user_id, proven: Proven::Here, .. } = caller.via else {
            let own = self.get(&Seat::of(caller, caller.organization_id)?).await?;
            let own = Some(own).filter(|own| after.is_none_or(|slug| own.organization.slug.as_str() > slug.as_str()));
            return Ok(OrganizationPage { organizations: own.into_iter().collect(), next: None });
        };
        let read = self.context.store.read(move |reads| {
            Box::pin(async move { reads.organizations_of_user(user_id, after.as_ref(), limit + 1).await })
        });
        let mut homes = read.await?;
        let next = cut(&mut homes, limit, |last| last.organization.slug.clone());
        let organizations = homes
            .into_iter()
            .map(|Home { organization, membership, custom_name }| {
                let name = name_of_role(membership.role, custom_name.as_ref());
                self.seen(organization, Some((membership.role, name)))
            })
            .collect();
        Ok(OrganizationPage { organizations, next })
    }

    /// The caller's organisation.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn get(&self, seat: &Seat) -> Result<Seen, OrganizationError> {
        let (id, person) = (seat.organization(), seat.person());
        let read = self.context.store.read(move |reads| {
            Box::pin(async move {
                Ok(match person {
                    Some(user) => reads.membership_standing(id, user).await?.map(by_member),
                    None => reads.organization(id).await?.map(|organization| (organization, None)),
                })
            })
        });
        let found: Option<(Organization, _)> = read.await?;
        let (organization, role) = found.ok_or(Refused::Gone)?;
        Ok(self.seen(organization, role))
    }

    /// Changes the caller's organisation: its name, whether its people need a second factor, what is done about leaked tokens, and
    /// whether workloads get theirs under trust policies alone. Sessions of people who lack a second factor go on, to set one up.
    ///
    /// # Errors
    /// Another slug, a caller who may not by now; a person who would ask others for the second factor they lack, and shut
    /// themselves out.
    pub async fn edit(
        &self,
        seat: &Seat,
        asked: OrganizationChange,
        origin: &Origin,
    ) -> Result<Seen, OrganizationError> {
        let mine = *seat;
        let (organization, role) = self
            .context
            .change(seat.ask(origin), move |change| {
                Box::pin(async move {
                    mine.open(change, WRITE)?;
                    let (id, now) = (mine.organization(), change.now);
                    let before = change.tx.organization(id).await?.ok_or(OrganizationError::NotFound)?;
                    if asked.slug.is_some_and(|slug| slug != before.slug) {
                        return Err(OrganizationError::SlugFixed);
                    }
                    let name = asked.name.filter(|name| *name != before.name);
                    let rule = asked.second_factor.filter(|rule| *rule != before.second_factor);
                    let leaks = asked.leak_action.filter(|action| *action != before.leak_action);
                    let trust_only = asked.trust_only.filter(|trust_only| *trust_only != before.trust_only);
                    if name.is_none() && rule.is_none() && leaks.is_none() && trust_only.is_none() {
                        return as_seen(change.tx, &mine).await;
                    }
                    let mut event = change.event("organization.update").on("organization", id);
                    if let Some(name) = name {
                        change.tx.rename_organization(id, &name, now).await?;
                        event = event.with("name", name.as_str());
                    }
                    if let Some(rule) = rule {
                        check_may_protect(change, &mine, Protection::of(rule.is_required()))?;
                        if rule.is_required() && !has_second_factor(change.tx, &mine).await? {
                            return Err(OrganizationError::OwnSecondFactorMissing);
                        }
                        change.tx.set_second_factor_rule(id, rule, now).await?;
                        event = event.with("second_factor", rule.as_str());
                    }
                    if let Some(action) = leaks {
                        check_may_protect(change, &mine, Protection::of(action > before.leak_action))?;
                        change.tx.set_leak_action(id, action, now).await?;
                        event = event.with("leak_action", action.as_str());
                    }
                    if let Some(trust_only) = trust_only {
                        check_may_protect(change, &mine, Protection::of(trust_only))?;
                        change.tx.set_trust_only(id, trust_only, now).await?;
                        event = event.with("trust_only", trust_only);
                    }
                    change.record(event).await?;
                    // Within the change: the caller may lose the right right after it, and it was carried out all the same.
                    as_seen(change.tx, &mine).await
                })
            })
            .await?;
        Ok(self.seen(organization, role))
    }

    fn seen(&self, organization: Organization, role: Option<(RoleRef, String)>) -> Seen {
        let token_cap = organization.token_cap.or(self.context.policy.token_cap);
        Seen { organization, role, token_cap }
    }
}

/// The organisation, and the role in it of the person behind a caller, as this unit leaves them.
async fn as_seen(tx: &mut Tx, seat: &Seat) -> Result<(Organization, Option<(RoleRef, String)>), OrganizationError> {
    let id = seat.organization();
    let found = match seat.person() {
        Some(user) => tx.membership_standing(id, user).await?.map(by_member),
        None => tx.organization(id).await?.map(|organization| (organization, None)),
    };
    Ok(found.ok_or(Refused::Gone)?)
}

/// A member's organisation, and the role they have in it.
fn by_member(standing: MembershipStanding) -> (Organization, Option<(RoleRef, String)>) {
    let role = role_name(&standing);
    (standing.organization, Some((standing.role, role)))
}

/// What a change does to how well the organisation is protected.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Protection {
    Tightened,
    Relaxed,
}

impl Protection {
    const fn of(is_tightened: bool) -> Self {
        if is_tightened { Self::Tightened } else { Self::Relaxed }
    }
}

/// Whether the caller may decide about what protects the organisation: a person who is signed in and proved it lately. A token of
/// the organisation may ask for more, never for less; a personal key neither.
fn check_may_protect(change: &Change<'_>, seat: &Seat, protection: Protection) -> Result<(), OrganizationError> {
    match (seat.signed_in(), seat.person()) {
        (Some(_), _) => Ok(change.check_proven_lately()?),
        (None, None) if protection == Protection::Tightened => Ok(()),
        (None, _) => Err(OrganizationError::KeyRefused),
    }
}

/// Whether the person behind a caller has a second factor; where there is no person, nobody can be shut out.
async fn has_second_factor(tx: &mut Tx, seat: &Seat) -> Result<bool, StoreError> {
    let Some(person) = seat.person() else { return Ok(true) };
    let standing = tx.membership_standing(seat.organization(), person).await?;
    Ok(standing.is_some_and(|standing| standing.second_factor_since.is_some()))
}

/// An organisation without a name is called by its slug.
fn named_after(slug: &Slug) -> Result<Name, Failure> {
    // A slug is no longer than a name may be and has no character that a name may not have.
    Name::parse(slug.as_str()).map_err(|error| Failure::Inconsistent(format!("a name from {slug}: {error}")))
}
