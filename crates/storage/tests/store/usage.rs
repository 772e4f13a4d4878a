//! Counts of uses, by token and hour.

use crate::run::{founded, read, write};
use storage::model::TokenCount;
use storage::{Store, StoreError};
use test_support::records::{self, T0, id};
use test_support::{Backend, Db};
use token_domain::id::TokenId;
use token_domain::usage::{Hour, UsageHour, UseCounts};

const fn counts(allowed: u64, insufficient: u64, denied: u64) -> UseCounts {
    UseCounts { allowed, insufficient, denied }
}

/// The hour that begins `later` hours after that of [`T0`].
fn hour(later: i32) -> Hour {
    Hour::from_number(Hour::of(T0).number() + later).unwrap()
}

fn count(token: u64, later: i32, counts: UseCounts) -> TokenCount {
    TokenCount { token_id: id(token), hour: hour(later), counts }
}

async fn add(store: &Store, added: Vec<TokenCount>) -> Result<(), StoreError> {
    write(store, move |tx| Box::pin(async move { tx.add_counts(&added).await })).await
}

/// The counted uses of a token in the first hundred hours: hours since that of [`T0`], and the counts.
async fn counted(store: &Store, token: u64) -> Vec<(i32, UseCounts)> {
    let token: TokenId = id(token);
    let hours: Vec<UsageHour> = read(store, move |r| Box::pin(r.token_usage(token, hour(0), hour(100)))).await;
    hours.into_iter().map(|found| (found.hour.number() - hour(0).number(), found.counts)).collect()
}

async fn with_tokens(store: &Store, last: u32) {
    let (org, _) = founded(store).await;
    write(store, move |tx| {
        Box::pin(async move {
            for number in 1..=last {
                tx.insert_token(&records::kept(records::token(org, number))).await?;
            }
            Ok(())
        })
    })
    .await
    .unwrap();
}

#[test]
fn counts_add_up_by_token_and_hour() {
    Db::each(async |db| {
        let store = db.store();
        with_tokens(store, 2).await;
        add(store, vec![]).await.unwrap();
        // The same token and hour twice in one flush, two hours, two tokens, and one that is not there.
        let first = vec![
            count(1, 0, counts(1, 2, 3)),
            count(1, 0, counts(10, 20, 30)),
            count(1, 5, counts(7, 0, 0)),
            count(2, 0, counts(0, 0, 1)),
            count(9, 0, counts(1, 1, 1)),
        ];
        add(store, first).await.unwrap();
        add(store, vec![count(1, 5, counts(1, 1, 0)), count(2, 99, counts(2, 0, 0))]).await.unwrap();
        assert_eq!(counted(store, 1).await, [(0, counts(11, 22, 33)), (5, counts(8, 1, 0))]);
        assert_eq!(counted(store, 2).await, [(0, counts(0, 0, 1)), (99, counts(2, 0, 0))]);
        assert_eq!(counted(store, 9).await, []);
        let part = read(store, |r| Box::pin(r.token_usage(id(1), hour(1), hour(5)))).await;
        assert_eq!(part, [], "the end is not part of the stretch");
    });
}

#[test]
fn an_organisation_counts_the_uses_of_all_its_tokens() {
    Db::each(async |db| {
        let store = db.store();
        let (org, _) = founded(store).await;
        let second = records::organization(2);
        let other = second.id;
        write(store, move |tx| {
            Box::pin(async move {
                tx.insert_organization(&second).await?;
                tx.insert_token(&records::kept(records::token(org, 1))).await?;
                tx.insert_token(&records::kept(records::token(org, 2))).await?;
                tx.insert_token(&records::kept(records::token(other, 3))).await
            })
        })
        .await
        .unwrap();
        let added = vec![
            count(1, 0, counts(1, 2, 3)),
            count(2, 0, counts(10, 0, 0)),
            count(2, 4, counts(0, 0, 1)),
            count(3, 0, counts(100, 0, 0)),
            count(9, 0, counts(1, 1, 1)),
        ];
        add(store, added).await.unwrap();
        add(store, vec![count(1, 0, counts(1, 0, 0))]).await.unwrap();
        let of = async |organization| {
            let hours = read(store, move |r| Box::pin(r.organization_usage(organization, hour(0), hour(5)))).await;
            hours.into_iter().map(|found| (found.hour.number() - hour(0).number(), found.counts)).collect::<Vec<_>>()
        };
        assert_eq!(of(org).await, [(0, counts(12, 2, 3)), (4, counts(0, 0, 1))]);
        assert_eq!(of(other).await, [(0, counts(100, 0, 0))]);
        assert_eq!(write(store, |tx| Box::pin(tx.delete_usage_before(hour(4), 10))).await, Ok(3));
        assert_eq!(of(org).await, [(4, counts(0, 0, 1))]);
        assert_eq!(of(other).await, []);
    });
}

#[test]
fn a_flush_of_any_size_is_written_whole() {
    Db::each(async |db| {
        let store = db.store();
        with_tokens(store, 3).await;
        let many = (0..1_203).map(|number| count(1 + number % 3, 0, counts(1, 0, 0))).collect();
        add(store, many).await.unwrap();
        for token in 1..=3 {
            assert_eq!(counted(store, token).await, [(0, counts(401, 0, 0))]);
        }
    });
}

#[test]
fn old_hours_are_forgotten_in_bounded_steps() {
    Db::each(async |db| {
        let store = db.store();
        with_tokens(store, 2).await;
        let added = (0..6).flat_map(|later| [1, 2].map(|token| count(token, later, counts(1, 0, 0)))).collect();
        add(store, added).await.unwrap();
        let forget = move |end, limit| write(store, move |tx| Box::pin(tx.delete_usage_before(end, limit)));
        assert_eq!(forget(hour(0), 10).await, Ok(0));
        assert_eq!(forget(hour(3), 4).await, Ok(4));
        assert_eq!(forget(hour(3), 4).await, Ok(2));
        assert_eq!(forget(hour(3), 4).await, Ok(0));
        for token in [1, 2] {
            let left: Vec<i32> = counted(store, token).await.into_iter().map(|(later, _)| later).collect();
            assert_eq!(left, [3, 4, 5]);
        }
    });
}

/// Concurrent flushes of two nodes, of the same tokens in opposite orders: neither may deadlock or wait long for the other.
#[test]
fn two_nodes_that_flush_at_once_lose_nothing() {
    Db::on(Backend::PostgreSql, storage::StoreOptions::default(), async |db| {
        let store = db.store();
        with_tokens(store, 40).await;
        let flush = |backwards: bool| {
            let mut all: Vec<_> = (1..=40).map(|token| count(token, 0, counts(1, 0, 0))).collect();
            if backwards {
                all.reverse();
            }
            add(store, all)
        };
        for _ in 0..25 {
            let (one, other) = futures::future::join(flush(false), flush(true)).await;
            assert_eq!((one, other), (Ok(()), Ok(())));
        }
        for token in 1..=40 {
            assert_eq!(counted(store, token).await, [(0, counts(50, 0, 0))]);
        }
    });
}
