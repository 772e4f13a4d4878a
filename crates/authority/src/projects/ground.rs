//! The ground a caller stands on: one project of their organisation, and how far they may see in it.
//!
//! **Invariant:** access scopes and actors are reached through a [`Ground`] alone, and a ground is made from a caller
//! alone, so no request can name an organisation, a project or a boundary that is not the caller's.

use storage::{Reads, StoreError};
use token_domain::ScopeSet;
use token_domain::id::{AccessScopeId, ActorId, OrganizationId, ProjectId};
use token_domain::record::Project;

use super::TenancyError;
use crate::change::{Ask, Change};
use crate::origin::{Caller, Origin};
use crate::unit::{FENCED_SINGLY, TOO_MANY};

/// One project, as one caller may see it.
#[derive(Clone, Copy, Debug)]
pub struct Ground {
    caller: Caller,
    project_id: ProjectId,
}

impl Ground {
    /// The project that a request names. Whether it exists is found out when something is asked of it.
    ///
    /// # Errors
    /// Another organisation than the caller's, another project than the one the credential is bound to.
    pub fn of(caller: &Caller, organization: OrganizationId, project: ProjectId) -> Result<Self, TenancyError> {
        check_organization(caller, organization)?;
        if caller.bound_project().is_some_and(|bound| bound != project) {
            return Err(TenancyError::NotFound);
        }
        Ok(Self::new(caller, project))
    }

    /// The project that the caller's credential is bound to.
    ///
    /// # Errors
    /// A credential that is bound to none.
    pub fn bound(caller: &Caller) -> Result<Self, TenancyError> {
        caller.bound_project().map(|project| Self::new(caller, project)).ok_or(TenancyError::NotBound)
    }

    fn new(caller: &Caller, project_id: ProjectId) -> Self {
        Self { caller: *caller, project_id }
    }

    pub(crate) const fn organization(&self) -> OrganizationId {
        self.caller.organization_id
    }

    pub(crate) const fn project(&self) -> ProjectId {
        self.project_id
    }

    pub(crate) const fn caller(&self) -> &Caller {
        &self.caller
    }

    pub(crate) const fn effective(&self) -> ScopeSet {
        self.caller.effective
    }

    /// The one access scope the caller may see, when it is an actor of one.
    pub(crate) const fn boundary(&self) -> Option<AccessScopeId> {
        self.caller.boundary()
    }

    /// Whether the caller may see what belongs to this access scope, or to none.
    pub(crate) fn sees(&self, access_scope: Option<AccessScopeId>) -> bool {
        self.boundary().is_none_or(|boundary| access_scope == Some(boundary))
    }

    /// The project itself, which everything inside needs to be there.
    pub(crate) async fn look(&self, reads: &mut Reads) -> Result<Option<Project>, StoreError> {
        reads.project(self.organization(), self.project_id).await
    }

    /// What a change on this ground is asked for with.
    pub(crate) fn ask(&self, origin: &Origin) -> Ask {
        Ask::by(&self.caller, origin)
    }

    /// The project, in a change on this ground by a caller who may still see all of it.
    pub(crate) async fn open(&self, change: &mut Change<'_>) -> Result<Project, TenancyError> {
        let caller = change.caller()?;
        // An actor may have been put into an access scope since the request came in.
        if caller.boundary().is_some() {
            return Err(TenancyError::Confined);
        }
        if caller.bound_project().is_some_and(|bound| bound != self.project_id) {
            return Err(TenancyError::NotFound);
        }
        change.tx.project(self.organization(), self.project_id).await?.ok_or(TenancyError::NotFound)
    }

    /// Fences what is remembered of these actors' tokens, so that a change to the actors shows at the next validation.
    pub(crate) async fn fence(&self, change: &mut Change<'_>, actors: &[ActorId]) -> Result<(), StoreError> {
        if actors.is_empty() {
            return Ok(());
        }
        let tokens =
            if actors.len() > FENCED_SINGLY { None } else { Some(change.tx.tokens_of_actors(actors, TOO_MANY).await?) };
        change.touching().touch_tokens(self.organization(), tokens);
        Ok(())
    }
}

/// Another organisation is not there.
pub(super) fn check_organization(caller: &Caller, organization: OrganizationId) -> Result<(), TenancyError> {
    if caller.organization_id == organization { Ok(()) } else { Err(TenancyError::NotFound) }
}
