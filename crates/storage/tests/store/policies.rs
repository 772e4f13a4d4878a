//! Token policies: kept by kind, replaced whole, and read with every token that is looked up.

use crate::run::{founded, read, write};
use crate::tokens::insert;
use test_support::Db;
use test_support::records::{self, T0, after, id};
use token_domain::Span;
use token_domain::record::{Principal, StoredRule, TokenOwner, TokenTerms};
use token_domain::token::{Kind, RevokeReason};

fn rule(organization: u64, kind: Kind) -> StoredRule {
    StoredRule {
        organization_id: id(organization),
        kind,
        is_permitted: true,
        default_lifetime: None,
        longest_lifetime: None,
        idle_after: Some(Span::days(3)),
        scopes: None,
        updated_at: T0,
        updated_by: Principal::System,
    }
}

#[test]
fn rules_are_kept_by_organisation_and_kind() {
    Db::each(async |db| {
        let store = db.store();
        let (org, _) = founded(store).await;
        let whole = StoredRule {
            is_permitted: false,
            default_lifetime: Some(Span::days(1)),
            longest_lifetime: Some(Span::days(2)),
            idle_after: None,
            scopes: Some(vec!["scans".to_owned(), "execute".to_owned()]),
            updated_by: Principal::User(id(7)),
            ..rule(1, Kind::Personal)
        };
        let rules = [rule(1, Kind::Actor), whole];
        let added = rules.clone();
        write(store, move |tx| {
            Box::pin(async move {
                tx.insert_organization(&records::organization(2)).await?;
                for rule in added.iter().chain([&rule(2, Kind::Personal)]) {
                    tx.insert_token_rule(rule).await?;
                }
                Ok(())
            })
        })
        .await
        .unwrap();
        assert_eq!(read(store, move |r| Box::pin(r.token_rules(org))).await, rules);
        let gone = write(store, move |tx| Box::pin(async move { tx.delete_token_rules(org).await })).await.unwrap();
        assert_eq!(gone, 2);
        assert_eq!(read(store, move |r| Box::pin(r.token_rules(org))).await, []);
        assert_eq!(read(store, move |r| Box::pin(r.token_rules(id(2)))).await.len(), 1, "another's stays");
    });
}

#[test]
fn the_terms_of_a_new_token_are_the_cap_and_the_rule_of_its_kind() {
    Db::each(async |db| {
        let store = db.store();
        let (org, _) = founded(store).await;
        write(store, move |tx| {
            Box::pin(async move {
                tx.insert_organization(&records::organization(2)).await?;
                tx.insert_token_rule(&rule(1, Kind::Personal)).await?;
                tx.set_trust_only(org, true, T0).await?;
                tx.set_token_cap(org, Some(7), T0).await.map(drop)
            })
        })
        .await
        .unwrap();
        let nothing = TokenTerms::default();
        for (organization, kind, expected) in [
            (
                org,
                Kind::Personal,
                TokenTerms { token_cap: Some(7), trust_only: true, rule: Some(rule(1, Kind::Personal)) },
            ),
            (org, Kind::Organization, TokenTerms { token_cap: Some(7), trust_only: true, rule: None }),
            (id(2), Kind::Personal, nothing.clone()),
            (id(3), Kind::Personal, nothing),
        ] {
            let terms = read(store, move |r| Box::pin(r.token_terms(organization, kind))).await;
            assert_eq!(terms, expected, "{organization} {kind:?}");
        }
    });
}

#[test]
fn a_candidate_brings_the_rule_of_its_kind() {
    Db::each(async |db| {
        let store = db.store();
        let (org, user) = founded(store).await;
        let mut personal = records::token(org, 2);
        personal.owner = TokenOwner::Person(user);
        insert(store, vec![records::token(org, 1), personal]).await;
        write(store, |tx| Box::pin(async move { tx.insert_token_rule(&rule(1, Kind::Personal)).await })).await.unwrap();
        let found = [store.candidates(1).await.unwrap(), store.candidates(2).await.unwrap()];
        assert_eq!(found.each_ref().map(|found| found[0].idle_after), [None, Some(Span::days(3))]);
    });
}

#[test]
fn live_tokens_of_a_kind_come_newest_first_for_all_owners() {
    Db::each(async |db| {
        let store = db.store();
        let (org, user) = founded(store).await;
        let mut tokens: Vec<_> = (1..=6).map(|number| records::token(org, number)).collect();
        for (token, seconds) in tokens.iter_mut().zip([1, 2, 2, 3, 4, 5]) {
            token.facts.created_at = after(seconds);
        }
        tokens[4].owner = TokenOwner::Person(user);
        tokens[5].facts = tokens[5].facts.revoke(after(5), RevokeReason::Requested);
        tokens[5].revoked_by = Some(Principal::System);
        insert(store, tokens).await;
        let list = async |kind, place, limit| {
            let found = read(store, move |r| Box::pin(r.live_tokens_of_kind(org, kind, place, after(9), limit))).await;
            found.into_iter().map(|token| token.id).collect::<Vec<_>>()
        };
        assert_eq!(list(Kind::Organization, None, 9).await, [id(4), id(3), id(2), id(1)]);
        assert_eq!(list(Kind::Organization, Some((after(2), id(3))), 1).await, [id(2)]);
        assert_eq!(list(Kind::Personal, None, 9).await, [id(5)]);
        assert_eq!(list(Kind::Actor, None, 9).await, []);
    });
}
