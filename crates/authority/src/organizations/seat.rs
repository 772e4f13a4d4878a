//! A caller's seat in an organisation: where people, roles and the organisation itself are decided about.
//!
//! **Invariant:** members, roles and invitations are reached through a [`Seat`] alone, and a seat is made from a caller
//! alone, so no request can name an organisation that is not the caller's.

use token_domain::id::{OrganizationId, SessionId, UserId};
use token_domain::person::RoleRef;
use token_domain::record::Principal;
use token_domain::role::Power;
use token_domain::scope::Missing;

use super::OrganizationError;
use crate::change::{Ask, Change};
use crate::error::Failure;
use crate::origin::{Caller, Origin, Via};
use crate::rights::Refused;
use crate::unit::{FENCED_SINGLY, TOO_MANY};

/// A caller in their own organisation.
#[derive(Clone, Copy, Debug)]
pub struct Seat(Caller);

impl Seat {
    /// The caller's place in the organisation a request names.
    ///
    /// # Errors
    /// Another organisation than the caller's.
    pub fn of(caller: &Caller, organization: OrganizationId) -> Result<Self, OrganizationError> {
        if caller.organization_id == organization { Ok(Self(*caller)) } else { Err(OrganizationError::NotFound) }
    }

    pub(crate) const fn organization(&self) -> OrganizationId {
        self.0.organization_id
    }

    /// Refuses a credential that is bound to a project: what belongs to the whole organisation is not of that project.
    pub(crate) const fn check_unbound(&self) -> Result<(), OrganizationError> {
        if is_bound(&self.0) { Err(OrganizationError::Confined) } else { Ok(()) }
    }

    /// The caller as the trail names them.
    pub(crate) fn principal(&self) -> Principal {
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

    /// Whether the caller came with this session.
    pub fn is_session(&self, id: SessionId) -> bool {
        matches!(self.0.via, Via::Session { session_id, .. } if session_id == id)
    }

    /// What a change by the caller is asked for with.
    pub(crate) fn ask(&self, origin: &Origin) -> Ask {
        Ask::by(&self.0, origin)
    }

    /// What the caller may do and decide about, in a change that takes `scope`. Changes in an organisation happen one after
    /// the other: of two administrators who demote each other at once, the second has lost the right when it is their turn.
    pub(crate) fn open(&self, change: &Change<'_>, scope: &str) -> Result<Power, OrganizationError> {
        let caller = change.caller()?;
        if caller.organization_id != self.organization() {
            return Err(OrganizationError::NotFound);
        }
        if is_bound(caller) {
            return Err(OrganizationError::Confined);
        }
        let power = change.power()?;
        let context = change.context();
        let catalogue = context.catalogue();
        let requirement = catalogue
            .require_all(&[scope])
            .map_err(|_| Failure::Inconsistent(format!("the catalogue has no {scope}")))?;
        requirement.check(&power.scopes()).map_err(|Missing(missing)| {
            Refused::Lacks(catalogue.names(missing).into_iter().map(str::to_owned).collect())
        })?;
        Ok(power)
    }

    /// The power of a role of this organisation, and the name of one of its own.
    pub(crate) async fn role(&self, change: &mut Change<'_>, role: RoleRef) -> Result<Power, OrganizationError> {
        let scopes = match role {
            RoleRef::BuiltIn(_) => None,
            RoleRef::Custom(id) => {
                let found = change.tx.role(self.organization(), id).await?.ok_or(OrganizationError::NoSuchRole)?;
                Some(found.scopes)
            }
        };
        Ok(change.context().power(role, scopes.as_deref())?)
    }

    /// Fences what is remembered of these people's keys, so that a change to the people shows at the next validation.
    pub(crate) async fn fence(&self, change: &mut Change<'_>, people: &[UserId]) -> Result<(), OrganizationError> {
        let organization = self.organization();
        let keys = if people.len() > FENCED_SINGLY {
            None
        } else {
            Some(change.tx.keys_of_people(organization, people, TOO_MANY).await?)
        };
        change.touching().touch_tokens(organization, keys);
        Ok(())
    }
}

/// Whether the credential is bound to a project.
pub(super) const fn is_bound(caller: &Caller) -> bool {
    caller.bound_project().is_some()
}
