//! Uses are counted in memory and written down in batches; many tokens can be asked about at once; what the cache holds is
//! counted in bytes.

use authority::usage;
use authority::validate::{CacheLimits, Limits, Outcome};
use test_support::records::T0;
use test_support::world::{Options, origin};
use test_support::{Db, World};
use token_domain::id::TokenId;
use token_domain::usage::{Hour, UseCounts};
use token_domain::{Requirement, Span};

/// What is written down of a token, by hours.
#[expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers as well")]
pub(crate) async fn written(world: &World, id: TokenId) -> Vec<(String, UseCounts)> {
    let (first, end) = (Hour::of(T0), Hour::of(T0 + Span::days(3)));
    let read = world.context.store().read(move |reads| Box::pin(reads.token_usage(id, first, end)));
    read.await.unwrap().into_iter().map(|part| (part.hour.begins().rfc3339_seconds(), part.counts)).collect()
}

pub(crate) fn counts(allowed: u64, insufficient: u64, denied: u64) -> UseCounts {
    UseCounts { allowed, insufficient, denied }
}

#[test]
fn uses_are_counted_by_what_became_of_them_and_by_hour() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let issued = world.issue(&["read"]).await;
        let (id, secret) = (issued.token.id, issued.secret.expose());
        let execute = world.context.catalogue().require_all(&["execute"]).unwrap();
        for _ in 0..3 {
            assert!(world.is_live(secret).await);
        }
        let lacking = world.validator.validate(secret, &execute, &origin).await.unwrap();
        assert!(matches!(lacking, Outcome::Insufficient { .. }));
        let writes = db.store().counters().writes();
        assert_eq!(world.validator.flush().await.unwrap(), 1);
        assert_eq!(db.store().counters().writes() - writes, 1, "one unit of work, whatever there is");
        assert_eq!(written(&world, id).await, [("2026-01-15T09:00:00Z".to_owned(), counts(3, 1, 0))]);
        assert_eq!(world.validator.flush().await.unwrap(), 0, "nothing new");

        world.clock.advance(Span::seconds(3_600));
        assert!(world.is_live(secret).await);
        world.tokens.revoke(&world.owner, id, &origin()).await.unwrap();
        for _ in 0..2 {
            assert!(!world.is_live(secret).await);
        }
        world.validator.flush().await.unwrap();
        let expected = [("2026-01-15T09:00:00Z", counts(3, 1, 0)), ("2026-01-15T10:00:00Z", counts(1, 0, 2))];
        assert_eq!(written(&world, id).await, expected.map(|(begins, counts)| (begins.to_owned(), counts)));
    });
}

#[test]
fn an_entry_that_was_evicted_or_replaced_takes_no_use_with_it() {
    Db::each(async |db| {
        let tiny = Limits { cache: CacheLimits { max_bytes: 256 * 600 }, ..Limits::default() };
        let world = World::with(db, Options { limits: tiny, ..Options::default() }).await;
        let issued = world.issue(&["read"]).await;
        assert!(world.is_live(issued.secret.expose()).await);
        for secret in world.seed(2_000).await {
            assert!(world.is_live(secret.expose()).await);
        }
        assert!(world.validator.evicted() > 0);
        world.validator.clear();
        assert!(world.is_live(issued.secret.expose()).await);
        assert_eq!(world.validator.flush().await.unwrap(), 2_001, "each token once");
        assert_eq!(written(&world, issued.token.id).await[0].1, counts(2, 0, 0));
    });
}

#[test]
fn counts_older_than_the_retention_are_forgotten() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let issued = world.issue(&["read"]).await;
        for _ in 0..2 {
            assert!(world.is_live(issued.secret.expose()).await);
            world.validator.flush().await.unwrap();
            world.clock.advance(Span::days(1));
        }
        assert_eq!(usage::forget_old(world.context.store(), world.context.now(), Span::days(3)).await.unwrap(), 0);
        assert_eq!(usage::forget_old(world.context.store(), world.context.now(), Span::days(1)).await.unwrap(), 1);
        assert_eq!(written(&world, issued.token.id).await, [("2026-01-16T09:00:00Z".to_owned(), counts(1, 0, 0))]);
    });
}

#[test]
fn a_batch_is_answered_in_its_order_and_reads_each_token_once() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let secrets = world.seed(200).await;
        let dead = world.issue(&["read"]).await;
        world.tokens.revoke(&world.owner, dead.token.id, &origin()).await.unwrap();
        let mut asked = Vec::new();
        for (at, secret) in secrets.iter().enumerate() {
            asked.push(secret.expose());
            asked.push(["", "nlp_", "not a token", dead.secret.expose()][at % 4]);
            asked.push(secrets[at / 2].expose());
        }
        let before = world.reads();
        let outcomes = world.validator.validate_each(&asked, &origin).await.unwrap();
        let lives: Vec<bool> = outcomes.iter().map(|outcome| matches!(outcome, Outcome::Live(_))).collect();
        let expected: Vec<bool> = (0..asked.len()).map(|at| at % 3 != 1).collect();
        assert_eq!(lives, expected);
        assert_eq!(world.reads() - before, 201, "each live one once, and the dead one");
        let again = world.reads();
        world.validator.validate_each(&asked, &origin).await.unwrap();
        assert_eq!(world.reads(), again);

        world.validator.flush().await.unwrap();
        assert_eq!(written(&world, dead.token.id).await[0].1, counts(0, 0, 100), "each time counts");
        assert!(world.validator.validate_each::<&str>(&[], &origin).await.unwrap().is_empty());
    });
}

#[test]
fn a_token_is_remembered_in_two_hundred_bytes() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let secrets = world.seed(2_000).await;
        for secret in &secrets {
            assert!(world.is_live(secret.expose()).await);
        }
        let (bytes, tokens) = (world.validator.cached_bytes(), world.validator.cached());
        assert_eq!((tokens, world.validator.evicted()), (2_000, 0));
        assert!(bytes / tokens <= 200, "{} bytes a token", bytes / tokens);
        world.validator.clear();
        assert_eq!((world.validator.cached_bytes(), world.validator.cached()), (0, 0));
    });
}

#[test]
fn eviction_spares_what_was_asked_for_lately_and_strangers_cause_none() {
    Db::each(async |db| {
        let max_bytes = 256 * 4_096;
        let limits = Limits { cache: CacheLimits { max_bytes }, ..Limits::default() };
        let world = World::with(db, Options { limits, ..Options::default() }).await;
        let busy = world.issue(&["read"]).await;
        let crowd = world.seed(8_000).await;
        assert!(world.is_live(busy.secret.expose()).await);
        let mut reads = world.reads();
        let mut read_again = 0;
        for secret in &crowd {
            assert!(world.is_live(secret.expose()).await);
            assert!(world.is_live(busy.secret.expose()).await);
            // One read for the newcomer; any more is the busy one's, pushed out.
            read_again += world.reads() - reads - 1;
            reads = world.reads();
        }
        assert_eq!(read_again, 0, "a token in constant use is never pushed out");
        let evicted = world.validator.evicted();
        assert!(evicted > 1_000, "{evicted}");
        assert!(world.validator.cached_bytes() <= max_bytes);
        for number in 0_u128..3_000 {
            let unknown = token_format::PlainToken::from_random(number.to_be_bytes());
            assert!(!world.is_live(unknown.expose()).await);
        }
        assert_eq!(world.validator.evicted(), evicted, "strangers push nobody out");
        let nothing = Requirement::NOTHING;
        let whole = world.validator.validate(busy.secret.expose(), &nothing, &origin).await.unwrap();
        let Outcome::Live(entry) = whole else { panic!("{whole:?}") };
        assert_eq!(entry.credential().granted, world.context.catalogue().restore(&["read"]).unwrap().effective());
    });
}
