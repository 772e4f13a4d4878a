//! The audit trail: every change has its row, every row its place in the chain.

use authority::audit::hash;
use authority::tokens::RotateRequest;
use storage::model::AuditFilter;
use test_support::world::{EMAIL, PASSWORD, origin};
use test_support::{Db, World};
use token_domain::Span;
use token_domain::id::OrganizationId;
use token_domain::record::AuditRecord;

async fn records(db: &Db, organization: Option<OrganizationId>) -> Vec<AuditRecord> {
    let chain = AuditFilter::chain(organization, 0, 1_000);
    let page = db.store().read(move |reads| Box::pin(async move { reads.list_audit(&chain).await }));
    page.await.expect("the trail")
}

fn assert_chained(records: &[AuditRecord]) {
    let mut before = [0; 32];
    for (number, record) in (1..).zip(records) {
        assert_eq!((record.seq, record.prev_hash, record.hash), (number, before, hash(record)), "{record:?}");
        before = record.hash;
    }
}

#[test]
fn every_verb_leaves_its_row_in_the_chain() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let token = world.issue(&["read"]).await;
        let request = RotateRequest { grace: Some(Span::seconds(10)), ..RotateRequest::default() };
        let new = world.tokens.rotate(&world.owner, token.token.id, request, &origin()).await.unwrap();
        world.tokens.revoke(&world.owner, new.token.id, &origin()).await.unwrap();
        world.tokens.revoke(&world.owner, new.token.id, &origin()).await.unwrap();
        world.sessions.sign_in(EMAIL, PASSWORD.to_owned().into(), None, &origin()).await.unwrap();
        assert!(world.sessions.sign_in(EMAIL, "wrong wrong wrong".to_owned().into(), None, &origin()).await.is_err());
        let own = records(db, Some(world.owner.organization_id)).await;
        let actions: Vec<&str> = own.iter().map(|record| record.action.as_str()).collect();
        assert_eq!(actions, ["token.create", "token.rotate", "token.revoke", "session.create"]);
        assert_chained(&own);
        let deployment = records(db, None).await;
        let actions: Vec<&str> = deployment.iter().map(|record| record.action.as_str()).collect();
        assert_eq!(actions, ["deployment.setup", "session.create.denied"]);
        assert_chained(&deployment);
        for record in own.iter().chain(&deployment) {
            assert!(!record.detail.contains(token.secret.expose()) && !record.detail.contains(PASSWORD));
        }
    });
}

#[test]
fn a_reused_secret_is_recorded_once() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let token = world.issue(&["read"]).await;
        let request = RotateRequest { grace: Some(Span::ZERO), ..RotateRequest::default() };
        world.tokens.rotate(&world.owner, token.token.id, request, &origin()).await.unwrap();
        for _ in 0..5 {
            assert!(!world.is_live(token.secret.expose()).await);
        }
        world.validator.clear();
        assert!(!world.is_live(token.secret.expose()).await);
        world.context.drain().await;
        let own = records(db, Some(world.owner.organization_id)).await;
        assert_eq!(own.iter().filter(|record| record.action == "token.reuse_detected").count(), 1);
        assert_chained(&own);
    });
}

#[test]
fn a_changed_record_has_another_hash() {
    Db::each(async |db| {
        let world = World::new(db).await;
        world.issue(&["read"]).await;
        let record = records(db, Some(world.owner.organization_id)).await.remove(0);
        let changed = [
            AuditRecord { action: "token.revoke".to_owned(), ..record.clone() },
            AuditRecord { target_id: format!("{}x", record.target_id), ..record.clone() },
            AuditRecord { detail: "{}".to_owned(), ..record.clone() },
            AuditRecord { at: record.at + Span::micros(1), ..record.clone() },
            AuditRecord { prev_hash: [1; 32], ..record.clone() },
            AuditRecord { organization_id: None, ..record.clone() },
        ];
        for changed in changed {
            assert_ne!(hash(&changed), record.hash);
        }
    });
}
