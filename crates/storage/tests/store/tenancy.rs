//! What spans projects, access scopes, actors and their tokens.

use crate::projects::{actor, actor_token, furnished, project, scope};
use crate::run::{read, write};
use crate::tokens::insert;
use storage::model::{IdempotencyRecord, ProjectContents, Revocation};
use storage::{Constraint, StoreError};
use test_support::Db;
use test_support::records::{self, after, id};
use token_domain::id::{AccessScopeId, ActorId, TokenId};
use token_domain::record::{Principal, Token};
use token_domain::text::Name;
use token_domain::token::{GraceMode, RevokeReason};

const REVOKED: Revocation = Revocation { at: after_one(), reason: RevokeReason::OwnerRemoved, by: Principal::System };

const fn after_one() -> token_domain::Timestamp {
    token_domain::Timestamp::from_micros(records::T0.as_micros() + 1_000_000)
}

#[test]
fn actors_are_counted_by_boundary() {
    Db::each(async |db| {
        let store = db.store();
        furnished(store).await;
        let counts = async |project, scopes: Vec<AccessScopeId>| {
            read(store, move |r| Box::pin(async move { r.actor_counts(project, &scopes).await })).await
        };
        assert_eq!(counts(id(1), vec![id(1), id(2), id(3)]).await, vec![(id(1), 2)]);
        assert_eq!(counts(id(2), vec![id(1)]).await, vec![], "of another project");
        assert_eq!(counts(id(1), vec![]).await, vec![]);
        let mut ids = read(store, |r| Box::pin(r.actor_ids(id(1), id(1), 9))).await;
        ids.sort();
        assert_eq!(ids, vec![id(1), id(2)]);
        assert_eq!(read(store, |r| Box::pin(r.actor_ids(id(1), id(1), 1))).await.len(), 1);
        assert_eq!(read(store, |r| Box::pin(r.actor_ids(id(2), id(1), 9))).await, vec![]);
    });
}

#[test]
fn many_actors_move_at_once() {
    Db::each(async |db| {
        let store = db.store();
        furnished(store).await;
        // More than two statements' worth.
        let many: Vec<ActorId> = (1_000..2_203).map(id).collect();
        write(store, |tx| {
            Box::pin(async move {
                for number in 1_000..2_203 {
                    tx.insert_actor(&actor(id(1), None, number)).await?;
                }
                Ok(())
            })
        })
        .await
        .unwrap();
        let places = async |project, ids: Vec<ActorId>| {
            read(store, move |r| Box::pin(async move { r.places_of_actors(project, &ids).await })).await
        };
        let relocate = async |project, ids: Vec<ActorId>, to: Option<AccessScopeId>| {
            write(store, move |tx| Box::pin(async move { tx.move_actors(project, &ids, to, after(9)).await })).await
        };
        let found = places(id(1), many.clone()).await;
        assert_eq!((found.len(), found.iter().all(|(_, place)| place.is_none())), (1_203, true));
        assert_eq!(relocate(id(1), many.clone(), Some(id(2))).await, Ok(1_203));
        let found = places(id(1), many.clone()).await;
        assert_eq!((found.len(), found.iter().all(|(_, place)| *place == Some(id(2)))), (1_203, true));
        let moved = read(store, |r| Box::pin(r.actor(id(1), id(1_000)))).await.unwrap();
        assert_eq!((moved.access_scope_id, moved.updated_at), (Some(id(2)), after(9)));
        assert_eq!(relocate(id(1), many[..2].to_vec(), None).await, Ok(2));

        assert_eq!(places(id(2), many.clone()).await, vec![], "of another project");
        assert_eq!(relocate(id(2), many.clone(), Some(id(3))).await, Ok(0));
        assert_eq!(places(id(1), vec![id(1), id(9_999)]).await, vec![(id(1), Some(id(1)))]);
        let elsewhere = relocate(id(1), vec![id(1)], Some(id(3))).await;
        assert!(matches!(elsewhere, Err(StoreError::Conflict(Constraint::Reference(_)))), "{elsewhere:?}");
    });
}

#[test]
fn an_actors_living_tokens_follow_it() {
    Db::each(async |db| {
        let store = db.store();
        let org = furnished(store).await;
        let holder = actor(id(1), None, 3);
        insert(store, vec![actor_token(org, &holder, 1), actor_token(org, &holder, 2), records::token(org, 3)]).await;
        write(store, move |tx| {
            Box::pin(async move {
                tx.revoke_token(org, id(1), &REVOKED).await?;
                let name = Name::parse("Renamed").unwrap();
                tx.update_tokens_of_actor(id(3), &name, Some(after(50))).await
            })
        })
        .await
        .unwrap();
        let token = async |number: u64| {
            let found = read(store, move |r| Box::pin(r.token(org, id(number)))).await.unwrap();
            (found.name.to_string(), found.facts.expires_at)
        };
        assert_eq!(token(1).await, ("Token 1".to_owned(), None), "dead");
        assert_eq!(token(2).await, ("Renamed".to_owned(), Some(after(50))));
        assert_eq!(token(3).await, ("Token 3".to_owned(), None), "of nobody");
    });
}

#[test]
fn a_project_goes_with_all_that_is_in_it() {
    Db::each(async |db| {
        let store = db.store();
        let org = furnished(store).await;
        let bound = |number, of| Token { project_id: Some(id(of)), ..records::token(org, number) };
        let successor = Token { rotated_from: Some(id(1)), ..actor_token(org, &actor(id(1), None, 1), 2) };
        let tokens = vec![
            actor_token(org, &actor(id(1), None, 1), 1),
            successor,
            bound(3, 1),
            bound(4, 1),
            bound(5, 2),
            records::token(org, 6),
        ];
        insert(store, tokens).await;
        let key = IdempotencyRecord {
            organization_id: org,
            principal: Principal::System,
            operation: "tokens.create".to_owned(),
            key: "k".to_owned(),
            request_digest: [1; 32],
            token_id: id(2),
            created_at: after(0),
        };
        write(store, move |tx| {
            Box::pin(async move {
                let rotated =
                    tx.supersede_active(org, id(1), id(2), after(0), after(90), GraceMode::Fixed, after(0)).await?;
                assert!(rotated.is_some());
                tx.insert_idempotency(&key).await?;
                let revocation = Revocation { at: after(0), reason: RevokeReason::Leaked, ..REVOKED };
                tx.revoke_token(org, id(4), &revocation).await.map(drop)
            })
        })
        .await
        .unwrap();
        let contents = async |project, now| read(store, move |r| Box::pin(r.project_contents(project, now))).await;
        let held = ProjectContents { access_scopes: 2, actors: 3, live_tokens: 3 };
        assert_eq!(contents(id(1), after(1)).await, held);
        assert_eq!(contents(id(1), after(90)).await, ProjectContents { live_tokens: 2, ..held }, "the grace is over");

        let gone = write(store, move |tx| {
            Box::pin(async move {
                tx.empty_project(id(1), &REVOKED).await?;
                tx.delete_project(org, id(1)).await
            })
        });
        assert_eq!(gone.await, Ok(true));
        let token = async |number: u64| {
            let found: Option<Token> = read(store, move |r| Box::pin(r.token(org, TokenId::clone(&id(number))))).await;
            found.map(|token| (token.project_id, token.facts.revoked.map(|revoked| revoked.reason)))
        };
        assert_eq!((token(1).await, token(2).await), (None, None));
        assert_eq!(token(3).await, Some((None, Some(RevokeReason::OwnerRemoved))));
        assert_eq!(token(4).await, Some((None, Some(RevokeReason::Leaked))), "dead before");
        assert_eq!(token(5).await, Some((Some(id(2)), None)), "of another project");
        assert_eq!(token(6).await, Some((None, None)));
        assert_eq!(contents(id(1), after(1)).await, ProjectContents::default());
        assert_eq!(contents(id(2), after(1)).await, ProjectContents { access_scopes: 1, actors: 0, live_tokens: 1 });
        // Nothing is left that would be in the way of another of the same ids.
        write(store, move |tx| {
            Box::pin(async move {
                tx.insert_project(&project(org, 1)).await?;
                tx.insert_access_scope(&scope(id(1), 1)).await
            })
        })
        .await
        .unwrap();
    });
}
