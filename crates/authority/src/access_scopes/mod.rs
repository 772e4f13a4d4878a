//! Access scopes: tenant boundaries inside a project. (The scopes that a token carries are something else.)

mod assign;
mod delete;

use std::collections::HashMap;
use std::sync::Arc;

use storage::model::{AccessScopeEdit, ActorFilter, Change, Listing, Page, ScopedTo};
use storage::{Reads, StoreError};
use token_domain::access::{Description, Metadata, ScopeDisplayName, Topic, namespaced};
use token_domain::id::AccessScopeId;
use token_domain::record::{AccessScope, Actor};
use token_domain::text::Slug;

pub use assign::Assigned;

use crate::actors::bring_up_to_date;
use crate::context::Context;
use crate::origin::Origin;
use crate::projects::{Ground, TenancyError};
use crate::unit::TOO_MANY;

/// An access scope asked for.
#[derive(Clone, Debug)]
pub struct NewAccessScope {
    /// Its slug, for good.
    pub slug: Slug,
    /// Its name.
    pub name: Option<ScopeDisplayName>,
    /// What it is for.
    pub description: Option<Description>,
    /// The caller's own notes.
    pub metadata: Option<Metadata>,
    /// Whether its actors may act at all.
    pub is_active: bool,
}

/// A change to an access scope.
#[derive(Clone, Debug, Default)]
pub struct AccessScopeChange {
    /// The slug, which must be the one it has.
    pub slug: Option<Slug>,
    /// What changes.
    pub edit: AccessScopeEdit,
}

/// Whether a list says how many actors each access scope has, which costs a look at every one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ActorCounts {
    /// It does not.
    #[default]
    LeftOut,
    /// It does.
    Included,
}

/// An access scope in a list.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The access scope.
    pub access_scope: AccessScope,
    /// How many actors it has, if that was asked for.
    pub actors: Option<u64>,
}

/// Access scopes.
pub struct AccessScopes {
    context: Arc<Context>,
}

impl AccessScopes {
    /// Over a context.
    pub fn new(context: &Arc<Context>) -> Self {
        Self { context: Arc::clone(context) }
    }

    /// Makes an access scope. Of two at once with one slug, one is made.
    ///
    /// # Errors
    /// A slug in use in this project.
    pub async fn create(
        &self,
        ground: Ground,
        request: NewAccessScope,
        origin: &Origin,
    ) -> Result<AccessScope, TenancyError> {
        let now = self.context.now();
        let access_scope = AccessScope {
            id: self.context.id(now)?,
            project_id: ground.project(),
            slug: request.slug,
            name: request.name,
            description: request.description,
            metadata: request.metadata,
            is_active: request.is_active,
            created_at: now,
            updated_at: now,
        };
        let made = access_scope.clone();
        self.context
            .change(ground.ask(origin), move |change| {
                Box::pin(async move {
                    let project = ground.open(change).await?;
                    change.tx.insert_access_scope(&made).await?;
                    let event = change
                        .event("access_scope.create")
                        .on("access_scope", made.id)
                        .with("project_id", project.id.to_string())
                        .with("slug", made.slug.as_str());
                    Ok::<_, TenancyError>(change.record(event).await?)
                })
            })
            .await?;
        Ok(access_scope)
    }

    /// A page of the project's access scopes; for an actor of one, of that one.
    ///
    /// # Errors
    /// No such project.
    pub async fn list(
        &self,
        ground: Ground,
        listing: Listing,
        counts: ActorCounts,
    ) -> Result<Page<Listed>, TenancyError> {
        let found = self.context.store.read(move |reads| {
            Box::pin(async move {
                if ground.look(reads).await?.is_none() {
                    return Ok(None);
                }
                let page = match ground.boundary() {
                    None => reads.list_access_scopes(ground.project(), &listing).await?,
                    Some(own) => {
                        let items: Vec<_> = reads.access_scope(ground.project(), own).await?.into_iter().collect();
                        let total = u64::try_from(items.len()).unwrap_or(u64::MAX);
                        Page { items: if listing.paging.page() == 1 { items } else { Vec::new() }, total }
                    }
                };
                counted(reads, ground, page, counts).await.map(Some)
            })
        });
        found.await?.ok_or(TenancyError::NotFound)
    }

    /// An access scope.
    ///
    /// # Errors
    /// No such access scope.
    pub async fn get(&self, ground: Ground, id: AccessScopeId) -> Result<AccessScope, TenancyError> {
        let found = self.context.store.read(move |reads| Box::pin(find(reads, ground, id)));
        found.await?.ok_or(TenancyError::NotFound)
    }

    /// A page of its actors.
    ///
    /// # Errors
    /// No such access scope.
    pub async fn actors(
        &self,
        ground: Ground,
        id: AccessScopeId,
        listing: Listing,
    ) -> Result<Page<Actor>, TenancyError> {
        let context = Arc::clone(&self.context);
        let found = self.context.store.read(move |reads| {
            Box::pin(async move {
                let Some(access_scope) = find(reads, ground, id).await? else { return Ok(None) };
                let filter = ActorFilter { project_id: ground.project(), scoped_to: ScopedTo::This(access_scope.id) };
                let mut page = reads.list_actors(&filter, &listing).await?;
                bring_up_to_date(reads, &context.uses, &mut page.items).await?;
                Ok(Some(page))
            })
        });
        found.await?.ok_or(TenancyError::NotFound)
    }

    /// The topic that an actor of the access scope means by a topic.
    ///
    /// # Errors
    /// No such access scope; a topic that is too long with the slug in front.
    pub async fn namespace(&self, ground: Ground, id: AccessScopeId, topic: &Topic) -> Result<Topic, TenancyError> {
        let access_scope = self.get(ground, id).await?;
        Ok(namespaced(&access_scope.slug, topic)?)
    }

    /// Changes what may change of it. Whether it is active shows at the next validation of its actors' tokens.
    ///
    /// # Errors
    /// No such access scope, another slug.
    pub async fn edit(
        &self,
        ground: Ground,
        id: AccessScopeId,
        AccessScopeChange { slug, edit }: AccessScopeChange,
        origin: &Origin,
    ) -> Result<AccessScope, TenancyError> {
        self.context
            .change(ground.ask(origin), move |change| {
                Box::pin(async move {
                    let project = ground.open(change).await?;
                    let before = change.tx.access_scope(project.id, id).await?.ok_or(TenancyError::NotFound)?;
                    if slug.is_some_and(|slug| slug != before.slug) {
                        return Err(TenancyError::SlugFixed);
                    }
                    let now = change.now;
                    let after = change.tx.update_access_scope(project.id, id, &edit, now).await?;
                    let after = after.ok_or(TenancyError::NotFound)?;
                    let mut event =
                        change.event("access_scope.update").on("access_scope", id).with("changed", changed(&edit));
                    if before.is_active != after.is_active {
                        let actors = change.tx.actor_ids(project.id, id, TOO_MANY).await?;
                        ground.fence(change, &actors).await?;
                        let counts = change.tx.actor_counts(project.id, &[id]).await?;
                        let count: u64 = counts.into_iter().map(|(_, count)| count).sum();
                        event = event.with("is_active", after.is_active).with("actors", count);
                    }
                    change.record(event).await?;
                    Ok(after)
                })
            })
            .await
    }
}

/// The access scope, if its project is the caller's and it is not outside their boundary.
async fn find(reads: &mut Reads, ground: Ground, id: AccessScopeId) -> Result<Option<AccessScope>, StoreError> {
    if !ground.sees(Some(id)) || ground.look(reads).await?.is_none() {
        return Ok(None);
    }
    reads.access_scope(ground.project(), id).await
}

async fn counted(
    reads: &mut Reads,
    ground: Ground,
    page: Page<AccessScope>,
    counts: ActorCounts,
) -> Result<Page<Listed>, StoreError> {
    let found: HashMap<AccessScopeId, u64> = match counts {
        ActorCounts::LeftOut => HashMap::new(),
        ActorCounts::Included => {
            let ids: Vec<_> = page.items.iter().map(|access_scope| access_scope.id).collect();
            reads.actor_counts(ground.project(), &ids).await?.into_iter().collect()
        }
    };
    let listed = |access_scope: AccessScope| Listed {
        actors: match counts {
            ActorCounts::LeftOut => None,
            ActorCounts::Included => Some(found.get(&access_scope.id).copied().unwrap_or(0)),
        },
        access_scope,
    };
    Ok(Page { items: page.items.into_iter().map(listed).collect(), total: page.total })
}

/// The names of what a change sets, for the trail.
fn changed(edit: &AccessScopeEdit) -> Vec<&'static str> {
    let AccessScopeEdit { name, description, metadata, is_active } = edit;
    let all = [
        ("name", *name != Change::Keep),
        ("description", *description != Change::Keep),
        ("metadata", *metadata != Change::Keep),
        ("is_active", is_active.is_some()),
    ];
    all.into_iter().filter(|(_, is_set)| *is_set).map(|(name, _)| name).collect()
}
