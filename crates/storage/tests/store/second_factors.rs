//! Second factors: begun, confirmed once, each time step and each recovery code spent once.

use crate::run::{founded, read, write};
use storage::Store;
use test_support::Db;
use test_support::records::{after, digest, session};
use token_domain::id::{OrganizationId, UserId};
use token_domain::person::SecondFactorRule;
use token_domain::record::{MembershipStanding, SecondFactor};

fn factor(user_id: UserId, secret: u8) -> SecondFactor {
    SecondFactor { user_id, sealed_secret: vec![secret; 65], created_at: after(1), confirmed_at: None, last_step: 0 }
}

async fn begin(store: &Store, record: SecondFactor) -> bool {
    write(store, move |tx| Box::pin(async move { tx.begin_second_factor(&record).await })).await.unwrap()
}

async fn confirm(store: &Store, user: UserId, step: i64) -> bool {
    write(store, move |tx| Box::pin(tx.confirm_second_factor(user, step, after(2)))).await.unwrap()
}

async fn standing(store: &Store, organization: OrganizationId, user: UserId) -> MembershipStanding {
    read(store, move |r| Box::pin(r.membership_standing(organization, user))).await.unwrap()
}

#[test]
fn it_can_be_begun_again_until_it_is_confirmed_and_counts_only_then() {
    Db::each(async |db| {
        let store = db.store();
        let (org, user) = founded(store).await;
        assert_eq!(read(store, |r| Box::pin(r.second_factor(user))).await, None);
        assert!(!confirm(store, user, 5).await, "nothing is under way");
        assert!(begin(store, factor(user, 1)).await);
        assert!(begin(store, factor(user, 2)).await, "begun anew");
        assert_eq!(read(store, |r| Box::pin(r.second_factor(user))).await, Some(factor(user, 2)));
        assert_eq!(standing(store, org, user).await.second_factor_since, None);
        let spent = write(store, move |tx| Box::pin(tx.spend_step(user, 9))).await;
        assert_eq!(spent, Ok(false), "no code of it counts yet");

        assert!(confirm(store, user, 5).await);
        assert!(!confirm(store, user, 6).await, "confirmed once");
        assert!(!begin(store, factor(user, 3)).await, "what is confirmed is not replaced");
        let confirmed = SecondFactor { confirmed_at: Some(after(2)), last_step: 5, ..factor(user, 2) };
        assert_eq!(read(store, |r| Box::pin(r.second_factor(user))).await, Some(confirmed.clone()));
        assert_eq!(standing(store, org, user).await.second_factor_since, Some(after(2)));

        let resealed = write(store, move |tx| {
            Box::pin(async move {
                let wrong = tx.reseal_second_factor(user, &[4; 65], &[1; 65]).await?;
                Ok((wrong, tx.reseal_second_factor(user, &[4; 65], &confirmed.sealed_secret).await?))
            })
        });
        assert_eq!(resealed.await, Ok((false, true)));
    });
}

#[test]
fn a_time_step_is_spent_once_and_with_it_all_before() {
    Db::each(async |db| {
        let store = db.store();
        let (_, user) = founded(store).await;
        begin(store, factor(user, 1)).await;
        confirm(store, user, 5).await;
        let attempts = (0..16).map(|_| write(store, move |tx| Box::pin(tx.spend_step(user, 7))));
        let won = futures::future::join_all(attempts).await.into_iter().filter(|spent| *spent == Ok(true)).count();
        assert_eq!(won, 1);
        for (step, expected) in [(5, false), (6, false), (7, false), (8, true), (8, false)] {
            let spent = write(store, move |tx| Box::pin(tx.spend_step(user, step))).await;
            assert_eq!(spent, Ok(expected), "{step}");
        }
    });
}

#[test]
fn a_recovery_code_is_spent_once_and_goes_with_its_factor() {
    Db::each(async |db| {
        let store = db.store();
        let (_, user) = founded(store).await;
        begin(store, factor(user, 1)).await;
        confirm(store, user, 5).await;
        let count = async || read(store, |r| Box::pin(r.count_recovery_codes(user))).await;
        let replace = async |digests: [[u8; 32]; 3]| {
            write(store, move |tx| Box::pin(async move { tx.replace_recovery_codes(user, &digests).await })).await
        };
        replace([[1; 32], [2; 32], [3; 32]]).await.unwrap();
        assert_eq!(count().await, 3);
        replace([[4; 32], [5; 32], [6; 32]]).await.unwrap();
        assert_eq!(count().await, 3, "the old ones are gone");
        let spend = async |digest: [u8; 32]| {
            write(store, move |tx| Box::pin(async move { tx.spend_recovery_code(user, &digest).await })).await
        };
        assert_eq!(spend([1; 32]).await, Ok(false));
        assert_eq!((spend([4; 32]).await, spend([4; 32]).await), (Ok(true), Ok(false)));
        assert_eq!(count().await, 2);
        let removed = write(store, move |tx| {
            Box::pin(async move { Ok((tx.delete_second_factor(user).await?, tx.delete_second_factor(user).await?)) })
        });
        assert_eq!(removed.await, Ok((true, false)));
        assert_eq!(count().await, 0);
    });
}

#[test]
fn an_organisation_that_asks_for_one_finds_out_who_lacks_it() {
    Db::each(async |db| {
        let store = db.store();
        let (org, user) = founded(store).await;
        let opened = session(org, user, 1);
        let digest = digest(opened.id);
        write(store, move |tx| Box::pin(async move { tx.insert_session(&opened, &digest).await })).await.unwrap();
        let lacks = async || {
            let by_session = read(store, |r| Box::pin(async move { r.session_by_digest(&digest).await })).await;
            let by_session = by_session.unwrap().standing;
            assert_eq!(by_session, standing(store, org, user).await);
            by_session.lacks_second_factor()
        };
        assert!(!lacks().await);
        let ruled =
            write(store, move |tx| Box::pin(tx.set_second_factor_rule(org, SecondFactorRule::Required, after(3))));
        let ruled = ruled.await.unwrap().unwrap();
        assert_eq!((ruled.second_factor, ruled.updated_at), (SecondFactorRule::Required, after(3)));
        assert!(lacks().await);
        begin(store, factor(user, 1)).await;
        assert!(lacks().await, "one that is not confirmed is none");
        confirm(store, user, 1).await;
        assert!(!lacks().await);
        let removed = write(store, move |tx| Box::pin(tx.delete_second_factor(user)));
        assert_eq!(removed.await, Ok(true));
        assert!(lacks().await);
    });
}
