//! Sending to webhooks, with what changes while a node does so.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers as well")]

use std::sync::Mutex;

use authority::webhooks::{NewWebhook, Posted, Unsent, WebhookEdit, Webhooks};
use storage::StoreError;
use test_support::world::{Options, origin};
use test_support::{Db, World};
use token_domain::Span;
use token_domain::id::WebhookId;

const OLD: &str = "https://old.example/hook";
const NEW: &str = "https://new.example/hook";

/// A world with a webhook that waits for two deliveries.
async fn waiting(db: &Db) -> (World, Webhooks, WebhookId) {
    let mut options = Options::default();
    options.policy.webhooks = true;
    let world = World::with(db, options).await;
    let webhooks = Webhooks::new(&world.context);
    let new = NewWebhook {
        once: None,
        url: OLD.to_owned(),
        description: None,
        events: vec!["token.create".to_owned()],
        is_enabled: true,
    };
    let (made, _) = webhooks.create(&world.owner, world.owner.organization_id, new, &origin()).await.unwrap();
    for _ in 0..2 {
        world.issue(&["read"]).await;
        world.clock.advance(Span::seconds(1));
    }
    (world, webhooks, made.id)
}

/// What happens to a webhook while its first delivery is under way.
#[derive(Clone, Copy, Debug)]
enum Meanwhile {
    Moved,
    Disabled,
    Deleted,
    OrganizationDisabled,
}

async fn happen(world: &World, webhooks: &Webhooks, id: WebhookId, what: Meanwhile) {
    let organization = world.owner.organization_id;
    let edit = async |edit| {
        webhooks.edit(&world.owner, organization, id, edit, &origin()).await.unwrap();
    };
    match what {
        Meanwhile::Moved => edit(WebhookEdit { url: Some(NEW.to_owned()), ..WebhookEdit::default() }).await,
        Meanwhile::Disabled => edit(WebhookEdit { is_enabled: Some(false), ..WebhookEdit::default() }).await,
        Meanwhile::Deleted => webhooks.delete(&world.owner, organization, id, &origin()).await.unwrap(),
        Meanwhile::OrganizationDisabled => {
            let now = world.context.now();
            let write = world.context.store().write(move |tx| {
                Box::pin(async move { tx.set_organization_disabled(organization, Some(now), now).await.map(drop) })
            });
            let disabled: Result<(), StoreError> = write.await;
            disabled.unwrap();
        }
    }
}

#[test]
fn nothing_more_is_sent_where_a_webhook_was_moved_disabled_or_deleted_meanwhile() {
    for what in [Meanwhile::Moved, Meanwhile::Disabled, Meanwhile::Deleted, Meanwhile::OrganizationDisabled] {
        Db::each(async |db| {
            let (world, webhooks, id) = waiting(db).await;
            let urls: Mutex<Vec<String>> = Mutex::default();
            let send = |posted: Posted| {
                urls.lock().unwrap().push(posted.url);
                let is_first = urls.lock().unwrap().len() == 1;
                let (world, webhooks) = (&world, &webhooks);
                async move {
                    if is_first {
                        happen(world, webhooks, id, what).await;
                    }
                    Ok::<u16, Unsent>(204)
                }
            };
            webhooks.deliver(id, send).await.unwrap();
            assert_eq!(*urls.lock().unwrap(), [OLD], "{what:?}");
            // What is left goes to the new address, and only if there is one.
            world.clock.advance(Span::seconds(120));
            webhooks.deliver(id, send).await.unwrap();
            let expected: &[&str] = if matches!(what, Meanwhile::Moved) { &[OLD, NEW] } else { &[OLD] };
            assert_eq!(*urls.lock().unwrap(), expected, "{what:?}");
        });
    }
}

#[test]
fn an_endpoint_that_is_gone_disables_no_webhook_that_was_moved_meanwhile() {
    Db::each(async |db| {
        let (world, webhooks, id) = waiting(db).await;
        let send = |_: Posted| {
            let (world, webhooks) = (&world, &webhooks);
            async move {
                happen(world, webhooks, id, Meanwhile::Moved).await;
                Ok::<u16, Unsent>(410)
            }
        };
        webhooks.deliver(id, send).await.unwrap();
        let found = webhooks.get(&world.owner, world.owner.organization_id, id).await.unwrap();
        assert!(found.is_enabled && found.gone_at.is_none() && found.url == NEW, "{found:?}");
    });
}
