//! Projects of an organisation, and what everything inside a project has in common.

mod delete;
mod error;
mod ground;

use std::sync::Arc;

use storage::model::{Listing, Page};
use token_domain::id::OrganizationId;
use token_domain::record::Project;
use token_domain::text::{Name, Slug, folded, needle};

pub use delete::Contents;
pub use error::TenancyError;
pub use ground::Ground;

use crate::change::Ask;
use crate::context::Context;
use crate::error::Failure;
use crate::origin::{Caller, Origin};
use ground::check_organization;

/// What to do with what is assigned to something that is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IfAssigned {
    /// Take it away.
    #[default]
    Unassign,
    /// Refuse to delete.
    Reject,
}

/// A project asked for.
#[derive(Clone, Debug)]
pub struct NewProject {
    /// Its slug.
    pub slug: Slug,
    /// Its name; its slug when left out.
    pub name: Option<Name>,
}

/// A change to a project.
#[derive(Clone, Debug, Default)]
pub struct ProjectChange {
    /// The slug, which must be the one it has.
    pub slug: Option<Slug>,
    /// A new name; `Clear` for the slug.
    pub name: storage::model::Change<Name>,
}

/// Projects.
pub struct Projects {
    context: Arc<Context>,
}

impl Projects {
    /// Over a context.
    pub fn new(context: &Arc<Context>) -> Self {
        Self { context: Arc::clone(context) }
    }

    /// Makes a project.
    ///
    /// # Errors
    /// Another organisation, a slug in use, a credential that is bound to a project.
    pub async fn create(
        &self,
        caller: &Caller,
        organization: OrganizationId,
        request: NewProject,
        origin: &Origin,
    ) -> Result<Project, TenancyError> {
        check_organization(caller, organization)?;
        if caller.bound_project().is_some() {
            return Err(TenancyError::Confined);
        }
        let now = self.context.now();
        let project = Project {
            id: self.context.id(now)?,
            organization_id: organization,
            name: match request.name {
                Some(name) => name,
                None => named_after(&request.slug)?,
            },
            slug: request.slug,
            created_at: now,
            updated_at: now,
        };
        let made = project.clone();
        self.context
            .change(Ask::by(caller, origin), move |change| {
                Box::pin(async move {
                    if change.caller()?.bound_project().is_some() {
                        return Err(TenancyError::Confined);
                    }
                    change.tx.insert_project(&made).await?;
                    let event = change.event("project.create").on("project", made.id).with("slug", made.slug.as_str());
                    Ok(change.record(event).await?)
                })
            })
            .await?;
        Ok(project)
    }

    /// A page of the organisation's projects; for a credential that is bound to one, of that one.
    ///
    /// # Errors
    /// Another organisation.
    pub async fn list(
        &self,
        caller: &Caller,
        organization: OrganizationId,
        listing: Listing,
    ) -> Result<Page<Project>, TenancyError> {
        check_organization(caller, organization)?;
        let bound = caller.bound_project();
        let page = self.context.store.read(move |reads| {
            Box::pin(async move {
                let Some(project) = bound else { return reads.list_projects(organization, &listing).await };
                let found = reads.project(organization, project).await?;
                let items: Vec<Project> = found.into_iter().filter(|project| is_found(project, &listing)).collect();
                let total = u64::try_from(items.len()).unwrap_or(u64::MAX);
                Ok(Page { items: if listing.paging.page() == 1 { items } else { Vec::new() }, total })
            })
        });
        Ok(page.await?)
    }

    /// The project.
    ///
    /// # Errors
    /// No such project.
    pub async fn get(&self, ground: Ground) -> Result<Project, TenancyError> {
        let found = self.context.store.read(move |reads| Box::pin(async move { ground.look(reads).await })).await?;
        found.ok_or(TenancyError::NotFound)
    }

    /// Renames the project.
    ///
    /// # Errors
    /// No such project, another slug.
    pub async fn edit(&self, ground: Ground, asked: ProjectChange, origin: &Origin) -> Result<Project, TenancyError> {
        use storage::model::Change;

        self.context
            .change(ground.ask(origin), move |change| {
                Box::pin(async move {
                    let project = ground.open(change).await?;
                    if asked.slug.is_some_and(|slug| slug != project.slug) {
                        return Err(TenancyError::SlugFixed);
                    }
                    let name = match asked.name {
                        Change::Keep => return Ok(project),
                        Change::Clear => named_after(&project.slug)?,
                        Change::Set(name) => name,
                    };
                    let event = change.event("project.update").on("project", project.id).with("name", name.as_str());
                    let now = change.now;
                    let changed =
                        change.tx.update_project(ground.organization(), project.id, Some(&name), None, now).await?;
                    change.record(event).await?;
                    changed.ok_or(TenancyError::NotFound)
                })
            })
            .await
    }
}

fn named_after(slug: &Slug) -> Result<Name, Failure> {
    // A slug is shorter than a name may be and has no character that a name may not have.
    Name::parse(slug.as_str()).map_err(|error| Failure::Inconsistent(format!("a name from {slug}: {error}")))
}

fn is_found(project: &Project, listing: &Listing) -> bool {
    let contains = |text: &str, part: &str| folded(text).contains(&needle(part));
    listing
        .search
        .as_deref()
        .is_none_or(|part| contains(project.slug.as_str(), part) || contains(project.name.as_str(), part))
}
