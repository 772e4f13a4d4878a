//! Trust policies, the attempts under them, and the identity tokens that were exchanged.

use crate::run::{founded, read, write};
use test_support::Db;
use test_support::records::{self, T0, after, id};
use token_domain::record::{Principal, TrustAttempt, TrustOutcome, TrustPolicy};
use token_domain::text::Name;
use token_domain::trust::{Conditions, Preset};

fn policy(number: u64, organization: u64) -> TrustPolicy {
    let conditions = serde_json::json!({"sub": {"glob": "a/*"}, "repository_id": {"in": ["1", "2"]}});
    TrustPolicy {
        id: id(number),
        organization_id: id(organization),
        name: Name::parse("deploy").unwrap(),
        preset: Preset::Generic,
        issuer: "https://issuer.example.org".to_owned(),
        audience: None,
        conditions: Conditions::read(conditions.as_object().unwrap()).unwrap(),
        scopes: vec!["execute".to_owned(), "read".to_owned()],
        project_id: None,
        actor_id: None,
        ttl_seconds: 900,
        is_enabled: true,
        created_at: T0,
        created_by: Principal::User(id(7)),
        updated_at: T0,
        updated_by: Principal::Token(id(8)),
    }
}

fn attempt(number: u64, policy: u64) -> TrustAttempt {
    TrustAttempt {
        policy_id: id(policy),
        id: id(number),
        at: after(1),
        outcome: TrustOutcome::Claims,
        claim: Some("sub".to_owned()),
        subject: Some("a/b".to_owned()),
        address: Some("192.0.2.1".to_owned()),
        token_id: Some(id(9)),
    }
}

#[test]
fn policies_are_kept_by_organisation_and_found_by_issuer() {
    Db::each(async |db| {
        let store = db.store();
        let (org, _) = founded(store).await;
        let whole = TrustPolicy {
            audience: Some("deploy".to_owned()),
            project_id: Some(id(4)),
            actor_id: Some(id(5)),
            preset: Preset::GitHub,
            issuer: "https://other.example.org".to_owned(),
            ..policy(11, 1)
        };
        let off = TrustPolicy { is_enabled: false, ..policy(12, 1) };
        let all = [policy(10, 1), whole.clone(), off];
        let added = all.clone();
        write(store, move |tx| {
            Box::pin(async move {
                tx.insert_organization(&records::organization(2)).await?;
                for policy in added.iter().chain([&policy(20, 2)]) {
                    tx.insert_trust_policy(policy).await?;
                }
                Ok(())
            })
        })
        .await
        .unwrap();
        assert_eq!(read(store, move |r| Box::pin(async move { r.list_trust_policies(org, 10).await })).await, all);
        assert_eq!(read(store, move |r| Box::pin(r.trust_policy(org, id(11)))).await, Some(whole.clone()));
        assert_eq!(read(store, move |r| Box::pin(r.trust_policy(org, id(20)))).await, None, "another's");
        assert_eq!(read(store, move |r| Box::pin(r.trust_policy_by_id(id(20)))).await, Some(policy(20, 2)));
        let issuer = "https://issuer.example.org";
        for (organization, limit, expected) in [
            (None, 10, vec![policy(10, 1), policy(20, 2)]),
            (Some(org), 10, vec![policy(10, 1)]),
            (None, 1, vec![policy(10, 1)]),
        ] {
            let found = read(store, move |r| {
                Box::pin(async move { r.trust_policies_of_issuer(issuer, organization, limit).await })
            });
            assert_eq!(found.await, expected, "switched off ones are left out");
        }
        let changed = TrustPolicy { ttl_seconds: 60, is_enabled: false, updated_at: after(2), ..policy(10, 1) };
        let (record, foreign) = (changed.clone(), TrustPolicy { ttl_seconds: 61, ..policy(20, 1) });
        let told = write(store, move |tx| {
            Box::pin(
                async move { Ok((tx.update_trust_policy(&record).await?, tx.update_trust_policy(&foreign).await?)) },
            )
        });
        assert_eq!(told.await.unwrap(), (true, false), "another organisation's stays");
        assert_eq!(read(store, move |r| Box::pin(r.trust_policy(org, id(10)))).await, Some(changed));
        let gone = write(store, move |tx| {
            Box::pin(async move {
                Ok((tx.delete_trust_policy(org, id(20)).await?, tx.delete_trust_policy(org, id(10)).await?))
            })
        });
        assert_eq!(gone.await.unwrap(), (false, true));
    });
}

#[test]
fn the_newest_attempts_are_kept_and_go_with_their_policy() {
    Db::each(async |db| {
        let store = db.store();
        let (org, _) = founded(store).await;
        let told = write(store, move |tx| {
            Box::pin(async move {
                tx.insert_trust_policy(&policy(10, 1)).await?;
                tx.insert_trust_policy(&policy(11, 1)).await?;
                tx.insert_trust_attempt(&attempt(30, 11), 3).await?;
                let mut told = Vec::new();
                for number in 31..36 {
                    told.push(tx.insert_trust_attempt(&attempt(number, 10), 3).await?);
                }
                told.push(tx.insert_trust_attempt(&attempt(40, 99), 3).await?);
                Ok(told)
            })
        });
        assert_eq!(told.await.unwrap(), [true, true, true, true, true, false]);
        let attempts =
            |policy: u64| read(store, move |r| Box::pin(async move { r.list_trust_attempts(id(policy), 10).await }));
        assert_eq!(attempts(10).await, [attempt(35, 10), attempt(34, 10), attempt(33, 10)]);
        assert_eq!(attempts(11).await, [attempt(30, 11)]);
        write(store, move |tx| Box::pin(async move { tx.delete_trust_policy(org, id(10)).await })).await.unwrap();
        assert_eq!(attempts(10).await, []);
    });
}

#[test]
fn failed_attempts_are_those_under_policies_in_force_since_a_moment() {
    Db::each(async |db| {
        let store = db.store();
        let (org, _) = founded(store).await;
        let off = TrustPolicy { is_enabled: false, ..policy(12, 1) };
        write(store, move |tx| {
            Box::pin(async move {
                tx.insert_organization(&records::organization(2)).await?;
                for policy in [&policy(10, 1), &policy(11, 1), &off, &policy(20, 2)] {
                    tx.insert_trust_policy(policy).await?;
                }
                let good = TrustAttempt { outcome: TrustOutcome::Exchanged, ..attempt(31, 10) };
                let late = TrustAttempt { at: after(5), ..attempt(30, 10) };
                for attempt in [&good, &late, &attempt(32, 11), &attempt(33, 12), &attempt(34, 20)] {
                    tx.insert_trust_attempt(attempt, 3).await?;
                }
                Ok(())
            })
        })
        .await
        .unwrap();
        let failed = |since: u32, limit: u32| {
            read(store, move |r| Box::pin(async move { r.failed_trust_attempts(org, after(since), limit).await }))
        };
        let late = TrustAttempt { at: after(5), ..attempt(30, 10) };
        assert_eq!(failed(1, 10).await, [late.clone(), attempt(32, 11)]);
        assert_eq!(failed(2, 10).await, std::slice::from_ref(&late));
        assert_eq!(failed(1, 1).await, [late]);
    });
}

#[test]
fn an_identity_token_is_spent_once() {
    Db::each(async |db| {
        let store = db.store();
        let spend = |byte: u8, until: u32| {
            write(store, move |tx| Box::pin(async move { tx.spend_identity(&[byte; 32], after(until)).await }))
        };
        assert!(spend(1, 10).await.unwrap());
        assert!(!spend(1, 20).await.unwrap());
        assert!(spend(2, 20).await.unwrap());
        let forget = |before: u32| {
            write(store, move |tx| Box::pin(async move { tx.delete_identities_before(after(before), 10).await }))
        };
        assert_eq!(forget(10).await.unwrap(), 0);
        assert_eq!(forget(11).await.unwrap(), 1);
        assert!(spend(1, 30).await.unwrap());
        assert!(!spend(2, 30).await.unwrap());
    });
}
