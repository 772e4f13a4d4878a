//! The ground a caller stands on: one project of their organisation, and how far they may see in it.
//!
//! **Invariant:** access scopes and actors are reached through a [`Ground`] alone, and a ground is made from a caller
//! alone, so no request can name an organisation, a project or a boundary that is not the caller's.

use storage::model::{Principal, Project};
use storage::{Reads, StoreError, Tx};
use token_domain::ScopeSet;
use token_domain::id::{AccessScopeId, ActorId, OrganizationId, ProjectId};

use super::TenancyError;
use crate::audit::Trail;
use crate::origin::{Caller, Via};
use crate::unit::{FENCED_SINGLY, Touching};

/// One project, as one caller may see it.
#[derive(Clone, Copy, Debug)]
pub struct Ground {
    organization_id: OrganizationId,
    project_id: ProjectId,
    boundary: Option<AccessScopeId>,
    by: Principal,
    effective: ScopeSet,
}

impl Ground {
    /// The project that a request names. Whether it exists is found out when something is asked of it.
    ///
    /// # Errors
    /// Another organisation than the caller's, another project than the one the credential is bound to.
    pub fn of(caller: &Caller, organization: OrganizationId, project: ProjectId) -> Result<Self, TenancyError> {
        check_organization(caller, organization)?;
        if bound_project(caller).is_some_and(|bound| bound != project) {
            return Err(TenancyError::NotFound);
        }
        Ok(Self::new(caller, project))
    }

    /// The project that the caller's credential is bound to.
    ///
    /// # Errors
    /// A credential that is bound to none.
    pub fn bound(caller: &Caller) -> Result<Self, TenancyError> {
        bound_project(caller).map(|project| Self::new(caller, project)).ok_or(TenancyError::NotBound)
    }

    fn new(caller: &Caller, project_id: ProjectId) -> Self {
        let boundary = match caller.via {
            Via::Session { .. } => None,
            Via::Token { boundary, .. } => boundary,
        };
        Self {
            organization_id: caller.organization_id,
            project_id,
            boundary,
            by: caller.principal(),
            effective: caller.effective,
        }
    }

    pub(crate) const fn organization(&self) -> OrganizationId {
        self.organization_id
    }

    pub(crate) const fn project(&self) -> ProjectId {
        self.project_id
    }

    pub(crate) const fn by(&self) -> Principal {
        self.by
    }

    pub(crate) const fn effective(&self) -> ScopeSet {
        self.effective
    }

    /// The one access scope the caller may see, when it is an actor of one.
    pub(crate) const fn boundary(&self) -> Option<AccessScopeId> {
        self.boundary
    }

    /// Whether the caller may see what belongs to this access scope, or to none.
    pub(crate) fn sees(&self, access_scope: Option<AccessScopeId>) -> bool {
        self.boundary.is_none_or(|boundary| access_scope == Some(boundary))
    }

    /// The project itself, which everything inside needs to be there.
    pub(crate) async fn look(&self, reads: &mut Reads) -> Result<Option<Project>, StoreError> {
        reads.project(self.organization_id, self.project_id).await
    }

    /// Begins a change: locks the end of the organisation's trail, so that changes in it happen one after the other, and
    /// makes sure that the project is there.
    pub(crate) async fn open(&self, tx: &mut Tx) -> Result<(Trail, Project), TenancyError> {
        if self.boundary.is_some() {
            return Err(TenancyError::Confined);
        }
        let trail = Trail::open(tx, Some(self.organization_id)).await?;
        let project = tx.project(self.organization_id, self.project_id).await?.ok_or(TenancyError::NotFound)?;
        Ok((trail, project))
    }

    /// Fences what is remembered of these actors' tokens, so that a change to the actors shows at the next validation.
    pub(crate) async fn fence(&self, tx: &mut Tx, touching: &Touching, actors: &[ActorId]) -> Result<(), StoreError> {
        if actors.is_empty() {
            return Ok(());
        }
        let tokens = if actors.len() > FENCED_SINGLY { None } else { Some(tx.tokens_of_actors(actors).await?) };
        touching.touch_tokens(self.organization_id, tokens);
        Ok(())
    }
}

/// The project a credential is bound to.
pub(super) const fn bound_project(caller: &Caller) -> Option<ProjectId> {
    match caller.via {
        Via::Session { .. } => None,
        Via::Token { project_id, .. } => project_id,
    }
}

/// Another organisation is not there.
pub(super) fn check_organization(caller: &Caller, organization: OrganizationId) -> Result<(), TenancyError> {
    if caller.organization_id == organization { Ok(()) } else { Err(TenancyError::NotFound) }
}
