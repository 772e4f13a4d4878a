//! Roles: the built-in ones, which stay as they are, and those an organisation makes for itself.
//!
//! **Invariant:** no role ever holds more than its author or editor held at that moment, so no detour over roles gives
//! anybody what they lack.

mod change;
mod end;

use std::sync::Arc;

use storage::Tx;
use token_domain::id::RoleId;
use token_domain::person::{BuiltInRole, RoleRef};
use token_domain::record::CustomRole;
use token_domain::role::RoleName;

pub use change::{NewRole, RoleChange};

use crate::context::Context;
use crate::organizations::{OrganizationError, Seat};

/// The scope that changes take.
const WRITE: &str = "roles:write";
/// How many roles an organisation may make: more than anybody tells apart, and few enough to be listed at once.
pub const MOST_ROLES: usize = 100;

/// The roles of organisations.
pub struct Roles {
    context: Arc<Context>,
}

/// A role.
#[derive(Clone, Debug)]
pub enum Role {
    /// One of the four that every organisation has.
    BuiltIn(BuiltInRole),
    /// One the organisation made.
    Custom(CustomRole),
}

impl Roles {
    /// Over a context.
    pub fn new(context: &Arc<Context>) -> Self {
        Self { context: Arc::clone(context) }
    }

    /// Every role of the caller's organisation: the built-in ones, strongest first, then its own by name.
    ///
    /// # Errors
    /// A credential that is bound to a project.
    pub async fn list(&self, seat: &Seat) -> Result<Vec<Role>, OrganizationError> {
        seat.check_unbound()?;
        let organization = seat.organization();
        let own = self.context.store.read(move |reads| Box::pin(reads.roles(organization))).await?;
        Ok(BuiltInRole::ALL.into_iter().map(Role::BuiltIn).chain(own.into_iter().map(Role::Custom)).collect())
    }

    /// A role of the caller's organisation.
    ///
    /// # Errors
    /// No such role; a credential that is bound to a project.
    pub async fn get(&self, seat: &Seat, role: RoleRef) -> Result<Role, OrganizationError> {
        seat.check_unbound()?;
        let (organization, id) = match role {
            RoleRef::BuiltIn(role) => return Ok(Role::BuiltIn(role)),
            RoleRef::Custom(id) => (seat.organization(), id),
        };
        let found = self.context.store.read(move |reads| Box::pin(reads.role(organization, id))).await?;
        found.map(Role::Custom).ok_or(OrganizationError::NotFound)
    }
}

/// The id of a role that can be changed.
const fn own(role: RoleRef) -> Result<RoleId, OrganizationError> {
    match role {
        RoleRef::Custom(id) => Ok(id),
        RoleRef::BuiltIn(role) => Err(OrganizationError::BuiltIn(role)),
    }
}

/// The organisation's roles besides one, none of which may be taken for another.
async fn check_name(
    tx: &mut Tx,
    seat: &Seat,
    name: &RoleName,
    besides: Option<RoleId>,
) -> Result<usize, OrganizationError> {
    let others = tx.roles(seat.organization()).await?;
    let others: Vec<&CustomRole> = others.iter().filter(|other| Some(other.id) != besides).collect();
    if others.iter().any(|other| name.looks_like(&other.name)) {
        return Err(OrganizationError::RoleNameTaken);
    }
    Ok(others.len())
}
