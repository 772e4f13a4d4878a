//! Counts of uses, by token and hour.

use crate::run::{founded, read, write};
use storage::model::TokenCount;
use storage::{Store, StoreError};
use test_support::records::{self, T0, after, id};
use test_support::{Backend, Db};
use token_domain::id::TokenId;
use token_domain::record::{ScopeUse, TokenOrigin};
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

fn origin(token: u64, address: &str, agent: Option<&str>, at: u32) -> TokenOrigin {
    let (first_used_at, last_used_at) = (after(at), after(at));
    TokenOrigin {
        token_id: id(token),
        address: address.to_owned(),
        agent: agent.map(str::to_owned),
        first_used_at,
        last_used_at,
    }
}

/// Concurrent flushes of two nodes, each of which drops addresses of the same tokens that the other may be writing: neither
/// may deadlock.
#[test]
fn two_nodes_that_note_addresses_at_once_do_not_deadlock() {
    Db::on(Backend::PostgreSql, storage::StoreOptions::default(), async |db| {
        const TOKENS: u32 = 12;
        let store = db.store();
        with_tokens(store, TOKENS).await;
        let flush = |addresses: [u32; 4], at: u32| {
            let of = |token: u32| addresses.map(|host| origin(token.into(), &format!("10.0.0.{host}"), None, at));
            let origins: Vec<_> = (1..=TOKENS).flat_map(of).collect();
            write(store, move |tx| Box::pin(async move { tx.record_origins(&origins).await }))
        };
        for round in 0..25 {
            // Each makes four of eight the last used ones, and so the others those that are too many.
            let one = flush([10, 11, 12, 13], 2 * round);
            let other = flush([10, 14, 15, 16], 2 * round + 1);
            let (one, other) = futures::future::join(one, other).await;
            assert_eq!((one, other), (Ok(()), Ok(())), "round {round}");
        }
        flush([10, 11, 12, 13], 60).await.unwrap();
        let ids: Vec<TokenId> = (1..=TOKENS).map(|token| id(token.into())).collect();
        let known = read(store, move |r| Box::pin(async move { r.origins_of(&ids).await })).await;
        assert_eq!(known.len(), 5 * 12);
    });
}

#[test]
fn the_last_five_addresses_of_a_token_stay() {
    Db::each(async |db| {
        let store = db.store();
        with_tokens(store, 2).await;
        let note = async |origins: Vec<TokenOrigin>| {
            let noted = write(store, move |tx| Box::pin(async move { tx.record_origins(&origins).await }));
            noted.await.unwrap();
        };
        let known = async |tokens: &'static [u64]| {
            let ids: Vec<TokenId> = tokens.iter().map(|token| id(*token)).collect();
            read(store, move |r| Box::pin(async move { r.origins_of(&ids).await })).await
        };
        note(vec![]).await;
        // The second is older than what is known, and the token 9 is not there.
        note(vec![origin(1, "203.0.113.7", Some("curl/8"), 10), origin(2, "2001:db8::7", None, 5)]).await;
        note(vec![origin(1, "203.0.113.7", None, 4), origin(9, "203.0.113.7", None, 4)]).await;
        assert_eq!(known(&[1]).await, [origin(1, "203.0.113.7", Some("curl/8"), 10)]);
        note(vec![origin(1, "203.0.113.7", Some("wget"), 20)]).await;
        let again = TokenOrigin { first_used_at: after(10), ..origin(1, "203.0.113.7", Some("wget"), 20) };
        assert_eq!(known(&[1, 2, 9]).await, [again, origin(2, "2001:db8::7", None, 5)]);
        note((1..=7).map(|host| origin(1, &format!("10.0.0.{host}"), None, 30 + host)).collect()).await;
        let addresses: Vec<String> = known(&[1]).await.into_iter().map(|origin| origin.address).collect();
        assert_eq!(addresses, ["10.0.0.7", "10.0.0.6", "10.0.0.5", "10.0.0.4", "10.0.0.3"]);
        assert_eq!(known(&[2]).await.len(), 1);
    });
}

#[test]
fn scopes_that_tokens_were_used_for_are_kept_by_name() {
    Db::each(async |db| {
        let store = db.store();
        with_tokens(store, 2).await;
        let used = |token: u64, scope: &str, at: u32| ScopeUse {
            token_id: id(token),
            scope: scope.to_owned(),
            last_used_at: after(at),
        };
        let notes = [used(1, "scans:read", 1), used(1, "scans:run", 1), used(2, "execute", 1), used(9, "execute", 1)];
        let later = [used(1, "scans:read", 9), used(1, "scans:run", 0)];
        for noted in [notes.to_vec(), later.to_vec()] {
            write(store, move |tx| Box::pin(async move { tx.record_scope_uses(&noted).await })).await.unwrap();
        }
        let known = async |token: u64| read(store, move |r| Box::pin(r.scope_uses(id(token)))).await;
        assert_eq!(known(1).await, [used(1, "scans:read", 9), used(1, "scans:run", 1)]);
        assert_eq!((known(2).await.len(), known(9).await.len()), (1, 0));
    });
}
