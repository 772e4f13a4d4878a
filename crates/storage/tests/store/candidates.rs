//! The cold read of a validation.

use crate::run::{founded, read, write};
use crate::tokens::insert;
use test_support::Db;
use test_support::records::{self, after, id};
use token_domain::person::{BuiltInRole, RoleRef};
use token_domain::record::{OwnerState, Token, TokenOwner};
use token_domain::token::GraceMode;

#[test]
fn a_token_comes_with_everything_that_bears_on_it() {
    Db::each(async |db| {
        let store = db.store();
        let (org, owner) = founded(store).await;
        let role = records::role(org, 1);
        write(store, move |tx| {
            Box::pin(async move {
                tx.insert_role(&role).await?;
                for number in 2..=3 {
                    tx.insert_user(&records::user(number), None).await?;
                }
                tx.insert_membership(&records::membership(org, id(2), RoleRef::Custom(role.id))).await?;
                tx.set_user_disabled(id(2), Some(after(1)), after(1)).await?;
                tx.set_organization_disabled(org, Some(after(2)), after(2)).await.map(drop)
            })
        })
        .await
        .unwrap();
        let personal = |number, user| Token { owner: TokenOwner::Person(user), ..records::token(org, number) };
        let tokens = vec![records::token(org, 1), personal(2, owner), personal(3, id(2)), personal(4, id(3))];
        insert(store, tokens.clone()).await;

        let mut found = Vec::new();
        for hint in 1..=4 {
            let mut candidates = store.candidates(hint).await.unwrap();
            assert_eq!(candidates.len(), 1);
            found.extend(candidates.pop());
        }
        for (candidate, token) in found.iter().zip(&tokens) {
            assert_eq!(&candidate.token, token);
            assert_eq!(candidate.organization_disabled_at, Some(after(2)));
            assert!(!candidate.first_use_pending);
        }
        assert!(matches!(found[0].owner, OwnerState::Organization));
        let owners: Vec<_> = found[1..].iter().map(|candidate| format!("{:?}", candidate.owner)).collect();
        let person = |user_id, disabled_at, role, custom_scopes| {
            format!("{:?}", OwnerState::Person { user_id, disabled_at, role, custom_scopes })
        };
        assert_eq!(owners[0], person(owner, None, Some(RoleRef::BuiltIn(BuiltInRole::Owner)), None));
        let scopes = Some(records::role(org, 1).scopes);
        assert_eq!(owners[1], person(id(2), Some(after(1)), Some(RoleRef::Custom(id(1))), scopes));
        assert_eq!(owners[2], person(id(3), None, None, None));

        assert!(store.candidates(99).await.unwrap().is_empty());
        assert_eq!(store.counters().candidate_reads(), 5);
    });
}

#[test]
fn colliding_hints_give_every_candidate() {
    Db::each(async |db| {
        let store = db.store();
        let (org, _) = founded(store).await;
        let tokens: Vec<_> = (1..=3).map(|number| records::token(org, number)).collect();
        let made = tokens.clone();
        let made = write(store, move |tx| {
            Box::pin(async move {
                for token in made {
                    let mut new = records::kept(token);
                    new.secret.lookup_hint = i64::MAX;
                    tx.insert_token(&new).await?;
                }
                Ok(())
            })
        });
        made.await.unwrap();
        let mut found: Vec<_> = store.candidates(i64::MAX).await.unwrap().into_iter().map(|c| c.token).collect();
        found.sort_by_key(|token| token.id);
        assert_eq!(found, tokens);
    });
}

#[test]
fn a_first_use_is_pending_until_it_is_recorded() {
    Db::each(async |db| {
        let store = db.store();
        let (org, _) = founded(store).await;
        let mut tokens: Vec<_> = (1..=4).map(|number| records::token(org, number)).collect();
        tokens[1].rotated_from = Some(id(1));
        tokens[3].rotated_from = Some(id(3));
        insert(store, tokens).await;
        let rotate = move |old, by, mode| {
            write(store, move |tx| Box::pin(tx.supersede_active(org, old, by, after(1), after(99), mode, after(1))))
        };
        rotate(id(1), id(2), GraceMode::FirstUse).await.unwrap().unwrap();
        rotate(id(3), id(4), GraceMode::Fixed).await.unwrap().unwrap();
        let pending = async |hint| store.candidates(hint).await.unwrap()[0].first_use_pending;
        assert!(pending(2).await);
        assert!(!pending(1).await && !pending(3).await && !pending(4).await);
        write(store, |tx| Box::pin(tx.shorten_grace(id(2), after(2), after(50)))).await.unwrap();
        assert!(!pending(2).await);
        // Taken back, a rotation leaves its successor without a predecessor to cut short.
        write(store, move |tx| Box::pin(tx.cancel_supersession(org, id(3), after(2)))).await.unwrap().unwrap();
        assert!(!pending(4).await);
        assert_eq!(read(store, |r| Box::pin(r.candidates(2))).await.len(), 1);
    });
}
