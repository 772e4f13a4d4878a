//! A caller's seat in an organisation: where people, roles and the organisation itself are decided about.
//!
//! **Invariant:** members, roles and invitations are reached through a [`Seat`] alone, and a seat is made from a caller
//! alone, so no request can name an organisation that is not the caller's.

use storage::Tx;
use storage::model::Principal;
use token_domain::id::{OrganizationId, UserId};
use token_domain::person::RoleRef;
use token_domain::role::Power;
use token_domain::scope::Missing;

use super::OrganizationError;
use crate::audit::Trail;
use crate::context::Context;
use crate::error::Failure;
use crate::origin::{Caller, Via};
use crate::sessions::is_welcome;
use crate::unit::{FENCED_SINGLY, Touching};

/// A caller in their own organisation.
#[derive(Clone, Debug)]
pub struct Seat(Caller);

impl Seat {
    /// The caller's place in the organisation a request names.
    ///
    /// # Errors
    /// Another organisation than the caller's.
    pub fn of(caller: &Caller, organization: OrganizationId) -> Result<Self, OrganizationError> {
        if caller.organization_id == organization { Ok(Self(caller.clone())) } else { Err(OrganizationError::NotFound) }
    }

    pub(crate) const fn organization(&self) -> OrganizationId {
        self.0.organization_id
    }

    pub(crate) const fn by(&self) -> Principal {
        self.0.principal()
    }

    /// The person behind the caller, if there is one.
    pub(crate) const fn person(&self) -> Option<UserId> {
        self.0.user_id()
    }

    /// The person, if they are signed in.
    pub(crate) const fn signed_in(&self) -> Option<UserId> {
        match self.0.via {
            Via::Session { user_id, .. } => Some(user_id),
            Via::Token { .. } => None,
        }
    }

    /// Begins a change that takes `scope`: locks the end of the organisation's trail, so that changes in it happen one
    /// after the other, and only then looks at what the caller may do. Of two administrators who demote each other at
    /// once, the second is none any more when it is their turn.
    pub(crate) async fn open(
        &self,
        context: &Context,
        tx: &mut Tx,
        scope: &str,
    ) -> Result<(Trail, Power), OrganizationError> {
        if is_bound(&self.0) {
            return Err(OrganizationError::Confined);
        }
        let trail = Trail::open(tx, Some(self.organization())).await?;
        let power = self.power(context, tx).await?;
        let catalogue = context.catalogue();
        let requirement = catalogue
            .require_all(&[scope])
            .map_err(|_| Failure::Inconsistent(format!("the catalogue has no {scope}")))?;
        requirement.check(&power.scopes()).map_err(|Missing(missing)| {
            OrganizationError::Lacks(catalogue.names(missing).into_iter().map(str::to_owned).collect())
        })?;
        Ok((trail, power))
    }

    /// What the caller may do now. A personal key never has its owner's rank: about owners decides who is signed in as one.
    async fn power(&self, context: &Context, tx: &mut Tx) -> Result<Power, OrganizationError> {
        let Some(user) = self.person() else { return Ok(Power::of(self.0.effective)) };
        let standing = tx.membership_standing(self.organization(), user).await?.filter(is_welcome);
        let standing = standing.ok_or(OrganizationError::Gone)?;
        let role = context.power(standing.role, standing.custom_scopes.as_deref())?;
        Ok(match self.0.via {
            Via::Session { .. } => role,
            Via::Token { .. } => Power::of(self.0.effective.intersection(role.scopes())),
        })
    }

    /// The power of a role of this organisation, and the name of one of its own.
    pub(crate) async fn role(&self, context: &Context, tx: &mut Tx, role: RoleRef) -> Result<Power, OrganizationError> {
        let scopes = match role {
            RoleRef::BuiltIn(_) => None,
            RoleRef::Custom(id) => {
                let found = tx.role(self.organization(), id).await?.ok_or(OrganizationError::NoSuchRole)?;
                Some(found.scopes)
            }
        };
        Ok(context.power(role, scopes.as_deref())?)
    }

    /// Fences what is remembered of these people's keys, so that a change to the people shows at the next validation.
    pub(crate) async fn fence(
        &self,
        tx: &mut Tx,
        touching: &Touching,
        people: &[UserId],
    ) -> Result<(), OrganizationError> {
        let organization = self.organization();
        let keys =
            if people.len() > FENCED_SINGLY { None } else { Some(tx.keys_of_people(organization, people).await?) };
        touching.touch_tokens(organization, keys);
        Ok(())
    }
}

/// Whether the credential is bound to a project.
pub(super) const fn is_bound(caller: &Caller) -> bool {
    matches!(caller.via, Via::Token { project_id: Some(_), .. })
}
