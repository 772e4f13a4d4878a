//! Short ways to run a unit of work or of reading in a test.

use storage::{Reads, Store, StoreError, Tx};
use token_domain::id::{OrganizationId, UserId};
use token_domain::person::BuiltInRole;

/// What a closure given to the store returns.
pub(crate) type Step<'c, T> = std::pin::Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'c>>;

/// A unit of work whose error is the store's own.
pub(crate) async fn write<T, F>(store: &Store, work: F) -> Result<T, StoreError>
where
    T: Send + 'static,
    F: for<'c> FnOnce(&'c mut Tx) -> Step<'c, T> + Send + 'static,
{
    store.write(work).await
}

/// A unit of reading that must succeed.
pub(crate) async fn read<T, F>(store: &Store, work: F) -> T
where
    T: Send,
    F: for<'c> FnOnce(&'c mut Reads) -> Step<'c, T> + Send,
{
    store.read(work).await.unwrap()
}

/// Organisation 1 with owner 1.
pub(crate) async fn founded(store: &Store) -> (OrganizationId, UserId) {
    let (organization, user) = (test_support::records::organization(1), test_support::records::user(1));
    let ids = (organization.id, user.id);
    write(store, move |tx| {
        Box::pin(async move {
            tx.insert_organization(&organization).await?;
            tx.insert_user(&user, None).await?;
            tx.insert_membership(&test_support::records::member(organization.id, user.id, BuiltInRole::Owner)).await
        })
    })
    .await
    .unwrap();
    ids
}
