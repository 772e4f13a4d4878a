//! Validation: what is read, what is remembered, and for how long.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use authority::env::SystemEntropy;
use authority::hashing::Scheme;
use authority::operator::{Operator, OperatorError, Order, OrganizationAct};
use authority::shared::{SharedAnswer, SharedCache};
use authority::tokens::RotateRequest;
use authority::validate::{CacheLimits, Limits, Outcome};
use futures::FutureExt as _;
use futures::future::{BoxFuture, join, join_all};
use storage::StoreError;
use test_support::world::{Options, origin};
use test_support::{Db, World};
use token_domain::record::Candidate;
use token_domain::text::Slug;
use token_domain::token::Lifetime;
use token_domain::{Requirement, Span, Timestamp};
use tokio::sync::Semaphore;

#[test]
fn a_known_token_is_not_read_again() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let issued = world.issue(&["execute"]).await;
        let before = world.reads();
        for _ in 0..100 {
            assert!(world.is_live(issued.secret.expose()).await);
        }
        assert_eq!(world.reads() - before, 1);
    });
}

#[test]
fn a_thousand_simultaneous_misses_make_one_read_and_one_slow_hash() {
    Db::each(async |db| {
        let options = |key: u8| {
            let mut options = Options { tag_key: [key; 32], ..Options::default() };
            options.policy.scheme = Scheme::Bcrypt { cost: 4 };
            options
        };
        let issued = World::with(db, options(1)).await.issue(&["execute"]).await;
        // Without its tag the token is proven on another thread: on SQLite, too, the others come while the first is at it.
        let world = World::with(db, options(2)).await;
        let before = world.reads();
        let checks = (0..1_000).map(|_| world.is_live(issued.secret.expose()));
        assert!(join_all(checks).await.into_iter().all(|live| live));
        assert_eq!((world.reads() - before, world.context.lane().runs()), (1, 1));
    });
}

/// A shared cache whose first answers come when they are let go, and others at once.
struct Slow {
    asked: AtomicUsize,
    let_go: Semaphore,
}

impl Default for Slow {
    fn default() -> Self {
        Self { asked: AtomicUsize::new(0), let_go: Semaphore::new(0) }
    }
}

impl SharedCache for Slow {
    fn get(&self, _name: [u8; 32]) -> BoxFuture<'_, SharedAnswer> {
        let is_first = self.asked.fetch_add(1, Ordering::SeqCst) == 0;
        async move {
            if is_first && let Ok(let_go) = self.let_go.acquire().await {
                let_go.forget();
            }
            SharedAnswer::Nothing
        }
        .boxed()
    }

    fn put(&self, _name: [u8; 32], _sealed: Vec<u8>, _lifetime: Span) {}
}

#[test]
fn who_waits_for_the_shared_cache_keeps_nobody_from_the_database_and_still_makes_one_read() {
    Db::each(async |db| {
        let cache = Arc::new(Slow::default());
        let options = Options { limits: Limits { miss_places: 1, ..Limits::default() }, ..Options::default() };
        let world = World::sharing(db, options, Some(Arc::clone(&cache) as _)).await;
        let (slow, other) = (world.issue(&["read"]).await, world.issue(&["read"]).await);
        let before = world.reads();
        let waiting = join_all((0..10).map(|_| world.is_live(slow.secret.expose())));
        let served = async {
            assert!(world.is_live(other.secret.expose()).await);
            assert_eq!((cache.asked.load(Ordering::SeqCst), world.reads() - before), (2, 1));
            cache.let_go.add_permits(1);
        };
        let (live, ()) = join(waiting, served).await;
        assert!(live.into_iter().all(|live| live));
        assert_eq!((cache.asked.load(Ordering::SeqCst), world.reads() - before), (2, 2), "ten misses of one token");
    });
}

#[test]
fn malformed_tokens_are_not_looked_up() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let before = world.reads();
        let wrong_checksum = "nlp_00112233445566778899aabbccddeeff550c911d";
        for text in ["", "nlp_", "x", wrong_checksum, "nls_00", &"n".repeat(100_000)] {
            assert!(!world.is_live(text).await);
        }
        assert_eq!(world.reads(), before);
    });
}

#[test]
fn an_unknown_token_is_remembered_until_a_token_is_made_or_five_seconds_pass() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let unknown = "nlp_00112233445566778899aabbccddeeff550c911c";
        let before = world.reads();
        for _ in 0..10 {
            assert!(!world.is_live(unknown).await);
        }
        assert_eq!(world.reads() - before, 1);
        world.issue(&["read"]).await;
        assert!(!world.is_live(unknown).await);
        assert_eq!(world.reads() - before, 2);
        world.clock.advance(Span::seconds(5));
        assert!(!world.is_live(unknown).await);
        assert_eq!(world.reads() - before, 3);
    });
}

#[test]
fn the_end_of_an_expiry_is_exact_whatever_is_remembered() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let ends = world.context.now() + Span::seconds(60);
        let issued = world.issue_for(&["read"], Lifetime::Until(ends)).await;
        assert!(world.is_live(issued.secret.expose()).await);
        world.clock.set(Timestamp::from_micros(ends.as_micros() - 1));
        assert!(world.is_live(issued.secret.expose()).await);
        world.clock.set(ends);
        assert!(!world.is_live(issued.secret.expose()).await);
    });
}

#[test]
fn the_end_of_a_grace_is_exact_whatever_is_remembered() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let old = world.issue(&["read"]).await;
        assert!(world.is_live(old.secret.expose()).await);
        let request = RotateRequest { grace: Some(Span::seconds(30)), ..RotateRequest::default() };
        let new = world.tokens.rotate(&world.owner, old.token.id, request, &origin()).await.unwrap();
        assert!(world.is_live(old.secret.expose()).await && world.is_live(new.secret.expose()).await);
        world.clock.set(Timestamp::from_micros(new.grace_ends_at.as_micros() - 1));
        assert!(world.is_live(old.secret.expose()).await);
        world.clock.set(new.grace_ends_at);
        assert!(!world.is_live(old.secret.expose()).await && world.is_live(new.secret.expose()).await);
    });
}

#[test]
fn a_revocation_outdates_what_is_remembered_of_that_token_alone() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let (doomed, other) = (world.issue(&["read"]).await, world.issue(&["read"]).await);
        assert!(world.is_live(doomed.secret.expose()).await && world.is_live(other.secret.expose()).await);
        world.tokens.revoke(&world.owner, doomed.token.id, &origin()).await.unwrap();
        let before = world.reads();
        assert!(!world.is_live(doomed.secret.expose()).await && world.is_live(other.secret.expose()).await);
        assert_eq!(world.reads() - before, 1, "only the revoked token is read again");
    });
}

#[test]
fn switching_an_organisation_off_bites_at_once() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let issued = world.issue(&["read"]).await;
        assert!(world.is_live(issued.secret.expose()).await);
        let organization = world.owner.organization_id;
        let read = db.store().read(move |reads| Box::pin(reads.organization(organization)));
        let slug = read.await.unwrap().unwrap().slug;
        let operator = Operator::new(&world.context);
        let order = |act| Order::on_organization(&slug, act, world.context.now(), &SystemEntropy).unwrap();
        for act in [OrganizationAct::Disable, OrganizationAct::Disable] {
            let done = operator.carry_out(&order(act)).await;
            assert_eq!(done.ok(), Some(organization.to_string()), "doing it again is no failure");
            assert!(!world.is_live(issued.secret.expose()).await);
        }
        operator.carry_out(&order(OrganizationAct::Enable)).await.unwrap();
        assert!(world.is_live(issued.secret.expose()).await);
        let nowhere = Slug::parse("nowhere").unwrap();
        let order = Order::on_organization(&nowhere, OrganizationAct::Enable, world.context.now(), &SystemEntropy);
        let refused = operator.carry_out(&order.unwrap()).await;
        assert!(matches!(refused, Err(OperatorError::NoSuchOrganization)));
    });
}

#[test]
fn without_the_lease_every_answer_is_read() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let issued = world.issue(&["read"]).await;
        assert!(world.is_live(issued.secret.expose()).await);
        world.lease.set(false);
        let before = world.reads();
        for _ in 0..3 {
            assert!(world.is_live(issued.secret.expose()).await);
        }
        assert_eq!(world.reads() - before, 3);
        world.lease.set(true);
        assert!(world.is_live(issued.secret.expose()).await);
        assert_eq!(world.reads() - before, 3);
    });
}

#[test]
fn a_restart_proves_tokens_by_their_tags_and_runs_no_slow_hash() {
    Db::each(async |db| {
        let bcrypt = || {
            let mut options = Options::default();
            options.policy.scheme = Scheme::Bcrypt { cost: 4 };
            options
        };
        let first = World::with(db, bcrypt()).await;
        let issued = first.issue(&["read"]).await;
        let second = World::with(db, bcrypt()).await;
        assert!(second.is_live(issued.secret.expose()).await);
        assert_eq!(second.context.lane().runs(), 0);
    });
}

#[test]
fn a_lost_tag_key_costs_one_slow_hash_a_token_and_nothing_else() {
    Db::each(async |db| {
        let options = |key: u8| {
            let mut options = Options { tag_key: [key; 32], ..Options::default() };
            options.policy.scheme = Scheme::Bcrypt { cost: 4 };
            options
        };
        let first = World::with(db, options(1)).await;
        let issued = first.issue(&["read"]).await;
        let lost = World::with(db, options(2)).await;
        assert!(lost.is_live(issued.secret.expose()).await);
        assert_eq!(lost.context.lane().runs(), 1);
        lost.context.drain().await;
        let after = World::with(db, options(2)).await;
        assert!(after.is_live(issued.secret.expose()).await);
        assert_eq!(after.context.lane().runs(), 0, "the tag was written again");
    });
}

#[test]
fn an_earlier_tag_key_still_proves_and_is_replaced() {
    Db::each(async |db| {
        let mut options = Options { tag_key: [1; 32], ..Options::default() };
        options.policy.scheme = Scheme::Bcrypt { cost: 4 };
        let issued = World::with(db, options.clone()).await.issue(&["read"]).await;
        let changed = Options { tag_key: [2; 32], previous_keys: vec![[1; 32]], ..options.clone() };
        let world = World::with(db, changed).await;
        assert!(world.is_live(issued.secret.expose()).await);
        world.context.drain().await;
        let alone = World::with(db, Options { tag_key: [2; 32], ..options }).await;
        assert!(alone.is_live(issued.secret.expose()).await);
        assert_eq!((world.context.lane().runs(), alone.context.lane().runs()), (0, 0));
    });
}

#[test]
fn a_row_is_brought_to_the_configured_scheme_when_its_token_validates() {
    Db::each(async |db| {
        let issued = World::new(db).await.issue(&["read"]).await;
        let mut options = Options::default();
        options.policy.scheme = Scheme::Bcrypt { cost: 4 };
        let world = World::with(db, options).await;
        assert!(world.is_live(issued.secret.expose()).await);
        world.context.drain().await;
        let (organization, id) = (world.owner.organization_id, issued.token.id);
        let kept = db.store().write(move |tx| Box::pin(tx.candidate(organization, id))).await;
        let kept: Result<Option<Candidate>, StoreError> = kept;
        let kept = kept.unwrap().unwrap();
        assert!(kept.secret.secret_hash.starts_with("$2b$04$"), "{}", kept.secret.secret_hash);
        assert!(world.is_live(issued.secret.expose()).await);
    });
}

#[test]
fn the_cache_keeps_to_its_bytes_and_stays_right() {
    Db::each(async |db| {
        let small = Limits { cache: CacheLimits { max_bytes: 256 * 800 }, ..Limits::default() };
        let world = World::with(db, Options { limits: small, ..Options::default() }).await;
        let secrets = world.seed(5_000).await;
        for secret in &secrets {
            assert!(world.is_live(secret.expose()).await);
        }
        let cached = world.validator.cached();
        assert!(cached > 200 && cached < 2_000, "{cached} entries in 200 KiB");
    });
}

#[test]
fn a_spray_of_unknown_tokens_pushes_nothing_out_and_grows_nothing() {
    Db::each(async |db| {
        let limits = Limits { negative_entries: 1_000, ..Limits::default() };
        let world = World::with(db, Options { limits, ..Options::default() }).await;
        let issued = world.issue(&["read"]).await;
        assert!(world.is_live(issued.secret.expose()).await);
        for number in 0_u128..5_000 {
            let unknown = token_format::PlainToken::from_random(number.to_be_bytes());
            assert!(!world.is_live(unknown.expose()).await);
        }
        assert!(world.validator.cached_unknown() <= 1_024);
        let before = world.reads();
        assert!(world.is_live(issued.secret.expose()).await);
        assert_eq!(world.reads(), before);
    });
}

#[test]
fn what_is_required_is_checked_on_every_hit() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let issued = world.issue(&["read"]).await;
        let requirement = world.context.catalogue().require_all(&["execute"]).unwrap();
        for _ in 0..2 {
            let outcome = world.validator.validate(issued.secret.expose(), &requirement, &origin).await.unwrap();
            let Outcome::Insufficient { missing, .. } = outcome else { panic!("{outcome:?}") };
            assert_eq!(world.context.catalogue().names(missing), ["execute"]);
            assert!(world.is_live(issued.secret.expose()).await);
        }
        let nothing = world.validator.validate(issued.secret.expose(), &Requirement::NOTHING, &origin).await.unwrap();
        let Outcome::Live(entry) = nothing else { panic!("{nothing:?}") };
        let expected =
            format!("{{\"valid\":true,\"org_id\":\"{}\",\"scopes\":[\"read\"]}}", world.owner.organization_id);
        assert_eq!(std::str::from_utf8(entry.answer().as_ref()).unwrap(), expected);
    });
}
