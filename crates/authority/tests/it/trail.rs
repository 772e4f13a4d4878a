//! The audit trail: every change has its row, every row its place in the chain.

use authority::audit::hash;
use authority::organizations::Seat;
use authority::roles::{NewRole, RoleChange, Roles};
use authority::tokens::RotateRequest;
use serde_json::{Value, json};
use storage::StoreError;
use storage::model::AuditFilter;
use test_support::world::{EMAIL, PASSWORD, origin};
use test_support::{Db, World, records};
use token_domain::Span;
use token_domain::id::OrganizationId;
use token_domain::person::RoleRef;
use token_domain::record::AuditRecord;
use token_domain::role::RoleName;

async fn trail_of(db: &Db, organization: Option<OrganizationId>) -> Vec<AuditRecord> {
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
        let own = trail_of(db, Some(world.owner.organization_id)).await;
        let actions: Vec<&str> = own.iter().map(|record| record.action.as_str()).collect();
        assert_eq!(actions, ["token.create", "token.rotate", "token.revoke", "session.create"]);
        assert_chained(&own);
        let deployment = trail_of(db, None).await;
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
        let own = trail_of(db, Some(world.owner.organization_id)).await;
        assert_eq!(own.iter().filter(|record| record.action == "token.reuse_detected").count(), 1);
        assert_chained(&own);
    });
}

#[test]
fn a_changed_record_has_another_hash() {
    Db::each(async |db| {
        let world = World::new(db).await;
        world.issue(&["read"]).await;
        let record = trail_of(db, Some(world.owner.organization_id)).await.remove(0);
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

/// The one event of this kind in the organisation's trail: whom it was done to, and its detail.
async fn only_event(db: &Db, world: &World, action: &str) -> (String, Value) {
    let trail = trail_of(db, Some(world.owner.organization_id)).await;
    let mut events = trail.into_iter().filter(|event| event.action == action);
    let event = events.next().expect("an event");
    assert!(events.next().is_none(), "one act, one event");
    (event.target_id, serde_json::from_str(&event.detail).expect("an object"))
}

#[test]
fn ending_all_sessions_is_one_event_however_many_there_were() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let (organization, user) = (world.owner.organization_id, world.owner.user_id().unwrap());
        let added = db.store().write(move |tx| {
            Box::pin(async move {
                for number in 0..1_200 {
                    let session = records::session(organization, user, 10_000 + number);
                    tx.insert_session(&session, &records::digest(session.id)).await?;
                }
                Ok::<_, StoreError>(())
            })
        });
        added.await.unwrap();
        let ended = world.sessions.end_all(&world.owner, user, None, &origin()).await.unwrap();
        assert_eq!(ended, 1_201, "the one that asked as well");
        let (target, detail) = only_event(db, &world, "session.delete").await;
        assert_eq!((target, &detail["sessions_ended"]), (user.to_string(), &json!(1_201)));
        assert_eq!(detail["sessions_ended_ids"].as_array().unwrap().len(), 1_000, "of a bounded size");
    });
}

#[test]
fn a_change_of_a_role_says_how_many_wear_it_also_beyond_those_it_names() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let organization = world.owner.organization_id;
        let seat = Seat::of(&world.owner, organization).unwrap();
        let roles = Roles::new(&world.context);
        let asked = NewRole { name: RoleName::parse("Runner").unwrap(), scopes: vec!["scans:run".to_owned()] };
        let role = RoleRef::Custom(roles.create(&seat, asked, &origin()).await.unwrap().id);
        let added = db.store().write(move |tx| {
            Box::pin(async move {
                for number in 0..1_003 {
                    let user = records::user(10_000 + number);
                    tx.insert_user(&user, None).await?;
                    tx.insert_membership(&records::membership(organization, user.id, role)).await?;
                }
                Ok::<_, StoreError>(())
            })
        });
        added.await.unwrap();
        let change = RoleChange { name: None, scopes: Some(vec!["scans:read".to_owned()]) };
        roles.edit(&seat, role, change, &origin()).await.unwrap();
        let (_, detail) = only_event(db, &world, "role.update").await;
        assert_eq!(detail["members"], 1_003);
        assert_eq!(detail["members_ids"].as_array().unwrap().len(), 1_000);
    });
}
