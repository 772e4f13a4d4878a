//! A demotion bites at once: a person's key is validated without a pause, by several at a time, while the person's role
//! goes up and down. Whoever asks after the change is over must see the role that it left behind.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

use authority::Failure;
use authority::records::TokenDetails;
use authority::tokens::KeyRequest;
use authority::validate::{Outcome, Validator};
use storage::model::Touched;
use test_support::world::origin;
use test_support::{Db, World};
use token_domain::Requirement;
use token_domain::person::{BuiltInRole, RoleRef};
use token_domain::text::{AgentType, Name};
use token_domain::token::Lifetime;
use tokio::runtime::Builder;

/// Those who ask, side by side.
const HUNTERS: usize = 4;
/// Questions of each in one round, after the demotion.
const AFTERWARDS: usize = 50;
/// Demotions; more than ten thousand questions after one, all told.
const ROUNDS: usize = 60;

/// One demotion, as the hunters see it.
#[derive(Default)]
struct Round {
    demoted: AtomicBool,
    accepted_before: AtomicU64,
    refused_after: AtomicU64,
    wrong: AtomicU64,
}

/// Asks on a thread and a runtime of its own, as a worker of the server does.
fn hunter(validator: Arc<Validator>, secret: String, asks: Requirement, round: Arc<Round>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(hunt(validator, secret, asks, round));
    })
}

async fn hunt(validator: Arc<Validator>, secret: String, asks: Requirement, round: Arc<Round>) {
    let mut afterwards = 0;
    while afterwards < AFTERWARDS {
        // Looked at before the question is put: if the change was over by then, its outcome must be seen.
        let demoted = round.demoted.load(Ordering::SeqCst);
        let outcome = validator.validate(&secret, &asks, &origin).await.expect("an answer");
        let counter = match (outcome, demoted) {
            (Outcome::Live(_), false) => &round.accepted_before,
            (Outcome::Insufficient { .. }, true) => &round.refused_after,
            // The question and the change overlapped; either answer is right.
            (Outcome::Insufficient { .. }, false) => continue,
            (Outcome::Live(_) | Outcome::Elsewhere(_) | Outcome::Invalid, true)
            | (Outcome::Elsewhere(_) | Outcome::Invalid, false) => &round.wrong,
        };
        counter.fetch_add(1, Ordering::SeqCst);
        afterwards += usize::from(demoted);
        tokio::task::yield_now().await;
    }
}

async fn set_role(world: &World, db: &Db, role: BuiltInRole) {
    let (organization, user) = (world.owner.organization_id, world.owner.user_id().expect("a person"));
    let change = db.store().write(move |tx| {
        Box::pin(
            async move { Ok::<_, Failure>(tx.set_membership_role(organization, user, RoleRef::BuiltIn(role)).await?) },
        )
    });
    assert!(change.await.expect("a change").is_some());
    world.context.fences().raise(Touched::Organization(organization));
}

#[test]
fn a_demoted_persons_key_has_no_old_right_left() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let request = KeyRequest {
            name: Name::parse("key").unwrap(),
            scopes: Some(vec!["org:write".to_owned(), "read".to_owned()]),
            agent_type: AgentType::none(),
            project_id: None,
            lifetime: Lifetime::Unlimited,
            details: TokenDetails::default(),
            idempotency: None,
        };
        let key = world.tokens.issue_key(&world.owner, request, &origin()).await.unwrap();
        let asks = world.context.catalogue().require_all(&["org:write"]).unwrap();
        let (mut before, mut after) = (0, 0);
        for _ in 0..ROUNDS {
            set_role(&world, db, BuiltInRole::Admin).await;
            let round = Arc::new(Round::default());
            let hunters: Vec<_> = (0..HUNTERS)
                .map(|_| {
                    let secret = key.secret.expose().to_owned();
                    hunter(Arc::clone(&world.validator), secret, asks, Arc::clone(&round))
                })
                .collect();
            while round.accepted_before.load(Ordering::SeqCst) < 20 {
                tokio::task::yield_now().await;
            }
            set_role(&world, db, BuiltInRole::Viewer).await;
            round.demoted.store(true, Ordering::SeqCst);
            for hunter in hunters {
                hunter.join().unwrap();
            }
            assert_eq!(round.wrong.load(Ordering::SeqCst), 0, "answers with the old rights after the change");
            before += round.accepted_before.load(Ordering::SeqCst);
            after += round.refused_after.load(Ordering::SeqCst);
        }
        assert_eq!(after, (ROUNDS * HUNTERS * AFTERWARDS) as u64);
        assert!(after >= 10_000 && before >= 1_000, "{before} before, {after} after");
    });
}
