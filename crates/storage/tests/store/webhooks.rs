//! Webhooks and their deliveries: queued with an event, claimed by one node, recorded once, repeated, pruned.

use crate::run::{founded, read, write};
use storage::Store;
use storage::model::{AttemptEnd, DeliveryAttempt, NewDelivery, WebhookSecrets};
use test_support::Db;
use test_support::records::{T0, after, id};
use token_domain::record::{DeliveryError, DeliveryState, Principal, Webhook, WebhookDelivery};

fn webhook(number: u64, organization: u64) -> Webhook {
    Webhook {
        id: id(number),
        organization_id: id(organization),
        url: "https://hooks.example.com/a".to_owned(),
        description: None,
        events: vec!["token.create".to_owned(), "token.revoke".to_owned()],
        is_enabled: true,
        gone_at: None,
        previous_until: None,
        failures: 0,
        created_at: T0,
        created_by: Principal::User(id(7)),
        updated_at: T0,
        updated_by: Principal::System,
    }
}

fn delivery(number: u64, webhook: u64, second: u32) -> NewDelivery {
    NewDelivery {
        webhook_id: id(webhook),
        id: id(number),
        event: "token.create".to_owned(),
        body: format!("{{\"n\":{number}}}"),
        created_at: after(second),
    }
}

async fn add(store: &Store, webhooks: &[Webhook], deliveries: &[NewDelivery]) {
    let (webhooks, deliveries) = (webhooks.to_vec(), deliveries.to_vec());
    let added = write(store, move |tx| {
        Box::pin(async move {
            for webhook in &webhooks {
                tx.insert_webhook(webhook, b"sealed").await?;
            }
            tx.queue_deliveries(&deliveries).await
        })
    });
    added.await.unwrap();
}

async fn due(store: &Store, second: u32) -> Vec<u64> {
    let due = read(store, move |r| Box::pin(async move { r.due_webhooks(after(second), 10).await })).await;
    due.into_iter().filter_map(|found| (0..100).find(|number| id(*number) == found)).collect()
}

async fn deliveries(store: &Store, webhook: u64) -> Vec<WebhookDelivery> {
    read(store, move |r| Box::pin(async move { r.list_deliveries(id(webhook), None, 10).await })).await
}

#[test]
fn webhooks_are_kept_by_organisation_with_their_secrets_apart() {
    Db::each(async |db| {
        let store = db.store();
        let (org, _) = founded(store).await;
        let other = write(store, move |tx| {
            Box::pin(async move { tx.insert_organization(&test_support::records::organization(2)).await })
        });
        other.await.unwrap();
        let whole = Webhook { description: Some("a".to_owned()), ..webhook(11, 1) };
        add(store, &[webhook(10, 1), whole.clone(), webhook(20, 2)], &[]).await;
        let all = read(store, move |r| Box::pin(async move { r.list_webhooks(org, 10).await })).await;
        assert_eq!(all, [webhook(10, 1), whole]);
        assert_eq!(read(store, move |r| Box::pin(r.webhook(org, id(20)))).await, None, "another's");
        let rotated = Webhook { previous_until: Some(after(100)), ..webhook(10, 1) };
        let (changed, foreign) =
            (Webhook { url: "https://b".to_owned(), is_enabled: false, ..webhook(10, 1) }, webhook(20, 1));
        let record = rotated.clone();
        let told = write(store, move |tx| {
            Box::pin(async move {
                let rotated = tx.rotate_webhook_secret(&record, b"other").await?;
                let resealed =
                    WebhookSecrets { current: b"again".to_vec(), previous: Some((b"before".to_vec(), after(100))) };
                let stale = tx.reseal_webhook(id(10), &resealed, b"sealed").await?;
                let fresh = tx.reseal_webhook(id(10), &resealed, b"other").await?;
                let updated = tx.update_webhook(&changed).await?;
                Ok([rotated, stale, fresh, updated, tx.update_webhook(&foreign).await?])
            })
        });
        assert_eq!(told.await.unwrap(), [true, false, true, true, false]);
        let found = read(store, move |r| Box::pin(r.webhook(org, id(10)))).await.unwrap();
        assert_eq!(
            (found.url.as_str(), found.is_enabled, found.previous_until),
            ("https://b", false, Some(after(100)))
        );
        let deleted = write(store, move |tx| {
            Box::pin(async move { Ok([tx.delete_webhook(org, id(20)).await?, tx.delete_webhook(org, id(10)).await?]) })
        });
        assert_eq!(deleted.await.unwrap(), [false, true]);
    });
}

#[test]
fn a_webhook_is_claimed_by_one_and_rests_until_it_is_due_again() {
    Db::each(async |db| {
        let store = db.store();
        founded(store).await;
        let off = Webhook { is_enabled: false, ..webhook(12, 1) };
        let queued = [delivery(30, 11, 20), delivery(31, 10, 10), delivery(32, 10, 15), delivery(33, 12, 1)];
        add(store, &[webhook(10, 1), webhook(11, 1), off], &queued).await;
        assert_eq!(due(store, 9).await, [0_u64; 0], "nothing is due, and one is disabled");
        assert_eq!(due(store, 20).await, [10, 11]);
        let claim = async |now, until| {
            write(store, move |tx| Box::pin(tx.claim_webhook(id(10), after(now), after(until)))).await.unwrap()
        };
        let claimed = claim(20, 80).await.unwrap();
        assert_eq!((claimed.webhook, claimed.secrets.current), (webhook(10, 1), b"sealed".to_vec()));
        assert!(claim(21, 81).await.is_none(), "somebody has it");
        assert_eq!(due(store, 79).await, [11]);
        let found = read(store, move |r| Box::pin(async move { r.due_deliveries(id(10), after(20), 10).await })).await;
        let shown: Vec<_> = found.iter().map(|due| (due.body.as_str(), due.attempts)).collect();
        assert_eq!(shown, [("{\"n\":31}", 0), ("{\"n\":32}", 0)]);
        let release = async |claimed: u32, held: Option<u32>| {
            let released = write(store, move |tx| {
                Box::pin(async move {
                    let released = tx.release_webhook(id(10), after(claimed), held.map(after), 1).await?;
                    tx.plan_webhook(id(10)).await?;
                    Ok(released)
                })
            });
            released.await.unwrap()
        };
        assert!(!release(79, None).await, "of another claim");
        assert!(release(80, Some(40)).await);
        assert_eq!(due(store, 39).await, [11], "it rests");
        assert_eq!(due(store, 40).await, [11, 10], "one that was never served comes first");
        assert!(claim(40, 100).await.is_some());
        assert!(claim(100, 200).await.is_some(), "whoever had it did not come back");
    });
}

#[test]
fn an_attempt_is_recorded_once_and_what_ended_is_sent_again() {
    Db::each(async |db| {
        let store = db.store();
        founded(store).await;
        add(store, &[webhook(10, 1)], &[delivery(30, 10, 10), delivery(31, 10, 11)]).await;
        let end = async |number: u64, before: u32, status: Option<u16>, end: AttemptEnd| {
            let error = status.is_none().then_some(DeliveryError::NoAnswer);
            let attempt = DeliveryAttempt { before, at: after(20), status, error, end };
            write(store, move |tx| Box::pin(async move { tx.end_delivery_attempt(id(10), id(number), &attempt).await }))
                .await
                .unwrap()
        };
        assert!(end(30, 0, None, AttemptEnd::Again(after(25))).await);
        assert!(!end(30, 0, Some(204), AttemptEnd::Delivered).await, "of an attempt that was recorded");
        assert!(end(30, 1, Some(204), AttemptEnd::Delivered).await);
        assert!(!end(30, 2, Some(500), AttemptEnd::Failed).await, "it arrived");
        assert!(end(31, 0, Some(410), AttemptEnd::Failed).await);
        let found = deliveries(store, 10).await;
        let shown: Vec<_> = found.iter().map(|one| (one.state, one.attempts, one.status, one.error)).collect();
        let (failed, delivered) = (DeliveryState::Failed(after(20)), DeliveryState::Delivered(after(20)));
        assert_eq!(shown, [(failed, 1, Some(410), None), (delivered, 2, Some(204), None)]);
        let replay = async |number: u64| {
            write(store, move |tx| Box::pin(tx.replay_delivery(id(10), id(number), after(50)))).await.unwrap()
        };
        assert!(replay(31).await && !replay(31).await && !replay(99).await);
        let found = read(store, move |r| Box::pin(r.webhook_delivery(id(10), id(31)))).await.unwrap();
        assert_eq!((found.state, found.attempts, found.created_at), (DeliveryState::Pending(after(50)), 0, after(50)));
        let old = write(store, move |tx| Box::pin(tx.fail_old_deliveries(id(10), after(51), after(60))));
        assert_eq!(old.await.unwrap(), 1);
        assert_eq!(deliveries(store, 10).await[0].error, Some(DeliveryError::WaitedTooLong));
        let forget = async |before: u32, limit| {
            write(store, move |tx| Box::pin(tx.delete_deliveries_before(after(before), limit))).await.unwrap()
        };
        assert_eq!((forget(10, 10).await, forget(100, 1).await, forget(100, 10).await), (0, 1, 1));
        assert_eq!(deliveries(store, 10).await, []);
    });
}

#[test]
fn the_end_of_a_trail_says_whether_somebody_wants_to_be_told() {
    Db::each(async |db| {
        let store = db.store();
        let (org, _) = founded(store).await;
        for has_webhooks in [true, false] {
            let noted = write(store, move |tx| {
                Box::pin(async move {
                    tx.audit_head(Some(org)).await?;
                    tx.set_has_webhooks(org, has_webhooks).await
                })
            });
            noted.await.unwrap();
            let head = write(store, move |tx| Box::pin(tx.audit_head(Some(org)))).await.unwrap();
            assert_eq!(head.has_webhooks, has_webhooks);
        }
    });
}
