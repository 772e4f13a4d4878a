//! Writing down uses takes its share of the time and no more, keeps what it cannot write, counts each use in its hour, and
//! what waits for it is shown to whoever reads.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use authority::policies::{AskedRule, Policies};
use authority::tokens::ListRequest;
use authority::usage::{FlushShare, Next};
use authority::validate::{CacheLimits, Limits, Outcome};
use test_support::records::T0;
use test_support::sql::Sql;
use test_support::world::{Options, origin};
use test_support::{Db, World};
use token_domain::id::TokenId;
use token_domain::policy::KindRule;
use token_domain::token::Kind;
use token_domain::usage::{Step, Stretch, UseCounts};
use token_domain::{Requirement, Span, Timestamp};
use token_format::PlainToken;

use crate::uses::{counts, written};

/// Tokens whose uses one unit of work writes.
const UNIT: usize = 64;
const SHARE: FlushShare = FlushShare::percent(2).expect("a share");

async fn used(world: &World, tokens: usize) -> Vec<PlainToken> {
    let secrets = world.seed(tokens).await;
    for secret in &secrets {
        assert!(world.is_live(secret.expose()).await);
    }
    secrets
}

fn waiting(world: &World) -> usize {
    world.validator.uses().backlog(world.context.now()).tokens
}

async fn flush(world: &World) -> usize {
    world.validator.flush().await.expect("a flush")
}

/// Flushes at a pace, and says what comes behind each rest; how many rests there were.
async fn paced(world: &World, next: impl Fn(usize) -> Next) -> usize {
    let rests = AtomicUsize::new(0);
    let rest = |_: Duration| std::future::ready(next(rests.fetch_add(1, Ordering::Relaxed) + 1));
    world.validator.flush_at_pace(|| SHARE, rest).await.expect("a flush");
    rests.into_inner()
}

/// What a report of two days shows, hours without a use left out: it adds what waits to what is written.
async fn shown(world: &World, id: TokenId) -> Vec<(String, UseCounts)> {
    let stretch = Stretch::new(T0, T0 + Span::days(2), Step::Hour).expect("a stretch");
    let parts = world.tokens.usage(&world.owner, id, stretch).await.expect("a report");
    let counted = parts.into_iter().filter(|(_, counts)| !counts.is_empty());
    counted.map(|(begins, counts)| (begins.rfc3339_seconds(), counts)).collect()
}

async fn last_use(world: &World, id: TokenId) -> Option<Timestamp> {
    world.tokens.get(&world.owner, id).await.expect("a token").last_used_at
}

#[test]
fn it_rests_between_units_and_never_behind_the_last() {
    Db::each(async |db| {
        let world = World::new(db).await;
        for (tokens, rests) in [(0, 0), (1, 0), (UNIT, 0), (UNIT + 1, 1), (4 * UNIT, 3)] {
            used(&world, tokens).await;
            let writes = db.store().counters().writes();
            assert_eq!(paced(&world, |_| Next::Unit).await, rests, "{tokens}");
            let units = tokens.div_ceil(UNIT);
            assert_eq!(db.store().counters().writes() - writes, u64::try_from(units).unwrap(), "{tokens}");
            assert_eq!(waiting(&world), 0);
        }
    });
}

#[test]
fn it_goes_on_where_it_was_and_a_stop_writes_the_rest() {
    Db::each(async |db| {
        let world = World::new(db).await;
        used(&world, 4 * UNIT).await;
        let stop = |_| Next::Stop;
        assert_eq!(paced(&world, stop).await, 1);
        assert_eq!(waiting(&world), 3 * UNIT);
        // Later uses wait behind the earlier ones.
        let late = world.issue(&["read"]).await;
        assert!(world.is_live(late.secret.expose()).await);
        assert_eq!(paced(&world, stop).await, 1);
        assert_eq!(waiting(&world), 2 * UNIT + 1);
        assert_eq!(paced(&world, |_| Next::Unit).await, 1, "the round is finished, and the next has not begun");
        assert_eq!(waiting(&world), 1);
        assert_eq!(written(&world, late.token.id).await, []);
        assert!(world.is_live(late.secret.expose()).await);
        assert_eq!(flush(&world).await, 1);
        assert_eq!(written(&world, late.token.id).await[0].1, counts(2, 0, 0));
        assert_eq!((waiting(&world), flush(&world).await), (0, 0));
    });
}

#[test]
fn a_clean_stop_never_rests() {
    Db::each(async |db| {
        let world = World::new(db).await;
        used(&world, 3 * UNIT).await;
        paced(&world, |_| Next::Stop).await;
        used(&world, 2 * UNIT).await;
        assert_eq!(flush(&world).await, 4 * UNIT, "what was left of the round and what came since");
        assert_eq!(waiting(&world), 0);
    });
}

#[test]
fn it_does_not_rest_while_more_waits_than_is_remembered() {
    Db::each(async |db| {
        let limits = Limits { cache: CacheLimits { max_bytes: 256 * 600 }, ..Limits::default() };
        let world = World::with(db, Options { limits, ..Options::default() }).await;
        used(&world, 32 * UNIT).await;
        let remembered = world.validator.cached();
        assert!(world.validator.evicted() > 0 && (4 * UNIT..16 * UNIT).contains(&remembered), "{remembered}");
        // The rests are those behind which no more is left than is remembered, and something is.
        let rests = (1..32).filter(|units| (32 - units) * UNIT <= remembered).count();
        assert!((4..16).contains(&rests));
        let most = AtomicUsize::new(0);
        let found = paced(&world, |_| {
            most.fetch_max(waiting(&world), Ordering::Relaxed);
            Next::Unit
        });
        assert_eq!(found.await, rests);
        assert!(most.into_inner() <= remembered);
    });
}

#[test]
fn uses_that_cannot_be_written_are_kept_and_shown() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let issued = world.issue(&["read"]).await;
        let id = issued.token.id;
        assert!(world.is_live(issued.secret.expose()).await);
        used(&world, 2 * UNIT).await;
        let mut sql = Sql::connect(db.url()).await;
        sql.run("ALTER TABLE token_usage RENAME TO away").await.unwrap();
        for _ in 0..2 {
            assert!(world.validator.flush().await.is_err());
            assert!(world.validator.flush_at_pace(|| SHARE, |_| std::future::ready(Next::Unit)).await.is_err());
            assert!(world.is_live(issued.secret.expose()).await);
        }
        sql.run("ALTER TABLE away RENAME TO token_usage").await.unwrap();
        assert_eq!(shown(&world, id).await[0].1, counts(3, 0, 0));
        assert_eq!(flush(&world).await, 2 * UNIT + 2, "its later uses are a row of their own");
        assert_eq!(written(&world, id).await[0].1, counts(3, 0, 0));
        assert_eq!(shown(&world, id).await[0].1, counts(3, 0, 0));
    });
}

/// A token is followed from its use into the list, a round, the database, past its eviction: nothing shown ever changes.
#[test]
fn reads_include_unwritten_uses() {
    Db::each(async |db| {
        let world = World::new(db).await;
        // The ids are made in this order: one of the first unit, one of the last.
        let first = world.issue(&["read"]).await;
        world.clock.advance(Span::seconds(1));
        used(&world, 2 * UNIT).await;
        world.clock.advance(Span::seconds(1));
        let last = world.issue(&["read"]).await;
        let moment = world.context.now();
        let ids = [first.token.id, last.token.id];
        for issued in [&first, &last] {
            assert_eq!(last_use(&world, issued.token.id).await, None);
            assert!(world.is_live(issued.secret.expose()).await);
            assert!(world.is_live(issued.secret.expose()).await);
        }
        for step in ["noted", "in a round", "forgotten by the cache", "written"] {
            match step {
                "in a round" => assert_eq!(paced(&world, |_| Next::Stop).await, 1),
                "forgotten by the cache" => world.validator.clear(),
                "written" => assert!(flush(&world).await > 0),
                _ => {}
            }
            let request = ListRequest { limit: 1_000, ..ListRequest::default() };
            let page = world.tokens.list(&world.owner, request).await.unwrap();
            for id in ids {
                assert_eq!(last_use(&world, id).await, Some(moment), "{step}");
                assert_eq!(shown(&world, id).await, [("2026-01-15T09:00:00Z".to_owned(), counts(2, 0, 0))], "{step}");
                let listed = page.tokens.iter().find(|token| token.id == id).unwrap();
                assert_eq!(listed.last_used_at, Some(moment), "{step}");
            }
        }
        let stored = ids.map(|id| written(&world, id));
        for stored in stored {
            assert_eq!(stored.await[0].1, counts(2, 0, 0));
        }
    });
}

#[test]
fn uses_are_counted_in_the_hour_they_were_in() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let turn = Timestamp::parse_rfc3339("2026-01-15T10:00:00Z").unwrap();
        let second = Span::seconds(1);
        world.clock.set(turn - second);
        let issued = world.issue(&["read"]).await;
        let (id, secret) = (issued.token.id, issued.secret.expose());
        assert!(world.is_live(secret).await);
        used(&world, 3 * UNIT).await;
        let rests = AtomicUsize::new(0);
        let rest = |_: Duration| async {
            match rests.fetch_add(1, Ordering::Relaxed) {
                // It waits in the round, and is used again before the hour ends.
                0 => {
                    assert!(world.is_live(secret).await);
                    world.clock.set(turn);
                }
                // The next unit closed the hour. From here on it is the next one.
                1 => assert!(world.is_live(secret).await),
                _ => {}
            }
            Next::Unit
        };
        world.validator.flush_at_pace(|| SHARE, rest).await.unwrap();
        let nine = ("2026-01-15T09:00:00Z".to_owned(), counts(2, 0, 0));
        let ten = ("2026-01-15T10:00:00Z".to_owned(), counts(1, 0, 0));
        assert_eq!(written(&world, id).await, std::slice::from_ref(&nine), "the hour that is over is written first");
        let both = [nine, ten];
        assert_eq!(shown(&world, id).await, both);
        world.clock.advance(second);
        flush(&world).await;
        assert_eq!(written(&world, id).await, both);
        assert_eq!(last_use(&world, id).await, Some(turn));
    });
}

/// Were it judged by what is written alone, it would be refused, and revoked for good.
#[test]
fn an_evicted_token_is_not_idle_while_its_last_use_waits() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let rule = KindRule { idle_after: Some(Span::days(1)), ..KindRule::default() };
        let rules = vec![AskedRule { kind: Kind::Organization, rule, scopes: None }];
        let policies = Policies::new(&world.context);
        policies.set(&world.owner, world.owner.organization_id, rules, &origin()).await.unwrap();
        let issued = world.issue(&["read"]).await;
        for _ in 0..3 {
            world.clock.advance(Span::seconds(86_000));
            assert!(world.is_live(issued.secret.expose()).await);
            world.validator.clear();
        }
        assert_eq!(written(&world, issued.token.id).await, []);
    });
}

#[test]
fn the_backlog_says_how_much_waits_and_since_when() {
    Db::each(async |db| {
        let world = World::new(db).await;
        used(&world, UNIT + 1).await;
        world.clock.advance(Span::seconds(7));
        paced(&world, |_| Next::Stop).await;
        used(&world, 2).await;
        let backlog = world.validator.uses().backlog(world.context.now());
        assert_eq!((backlog.tokens, backlog.age), (3, Span::seconds(7)));
        flush(&world).await;
        let backlog = world.validator.uses().backlog(world.context.now());
        assert_eq!((backlog.tokens, backlog.age), (0, Span::seconds(0)));
    });
}

#[test]
fn entries_that_made_room_are_let_go_of_while_their_uses_wait() {
    Db::each(async |db| {
        let tiny = Limits { cache: CacheLimits { max_bytes: 256 * 500 }, ..Limits::default() };
        let world = World::with(db, Options { limits: tiny, ..Options::default() }).await;
        let secrets = world.seed(2_500).await;
        let (mut entries, mut most) = (Vec::new(), 0);
        for round in 0..2 {
            for (number, secret) in secrets.iter().enumerate() {
                let outcome = world.validator.validate(secret.expose(), &Requirement::NOTHING, &origin).await.unwrap();
                let Outcome::Live(entry) = outcome else { panic!("{outcome:?} in round {round}") };
                entries.push((entry.token_id(), Arc::downgrade(&entry)));
                drop(entry);
                if number % 100 == 0 {
                    world.context.drain().await;
                    most = most.max(entries.iter().filter(|(_, entry)| entry.strong_count() > 0).count());
                }
            }
        }
        // What is remembered, a quarter of it, and the two times 256 and the hundred that come between two looks.
        let bound = world.validator.cached() * 9 / 4 + 2 * 256 + 100;
        assert!(most <= bound && bound < 2_500, "{most} entries are alive, {bound} may be");
        // They show meanwhile, and are written as if nothing had been let go of.
        let all = [entries[0].0, entries[1_250].0, entries[2_499].0];
        let expected = [("2026-01-15T09:00:00Z".to_owned(), counts(2, 0, 0))];
        for id in all {
            assert_eq!(shown(&world, id).await, expected);
            assert_eq!(last_use(&world, id).await, Some(T0));
        }
        assert_eq!(flush(&world).await, 2_500, "each of them once");
        for id in all {
            assert_eq!(written(&world, id).await, expected);
        }
    });
}
