//! The life of tokens: what happens once, what happens at once, what is written down.

use authority::records::TokenDetails;
use authority::tokens::{Idempotency, IssueRequest, RotateRequest, TokenError};
use test_support::world::{Options, origin};
use test_support::{Db, World};
use token_domain::Span;
use token_domain::text::{AgentType, Name};
use token_domain::token::{GraceMode, Lifetime, RevokeReason, Status};

fn request(key: Option<(&str, &[u8])>) -> IssueRequest {
    IssueRequest {
        name: Name::parse("CI").expect("a name"),
        scopes: vec!["execute".to_owned()],
        agent_type: AgentType::none(),
        project_id: None,
        lifetime: Lifetime::Unlimited,
        details: TokenDetails::default(),
        idempotency: key.map(|(key, asked)| Idempotency::new(key, asked)),
    }
}

#[test]
fn a_retry_with_the_same_key_makes_no_second_token() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let first = world.tokens.issue(&world.owner, request(Some(("k", b"a"))), &origin()).await.unwrap();
        let again = world.tokens.issue(&world.owner, request(Some(("k", b"a"))), &origin()).await;
        assert!(matches!(again, Err(TokenError::Replayed { token_id }) if token_id == first.token.id));
        let other = world.tokens.issue(&world.owner, request(Some(("k", b"b"))), &origin()).await;
        assert!(matches!(other, Err(TokenError::KeyReused)));
        world.clock.advance(Span::days(1));
        let later = world.tokens.issue(&world.owner, request(Some(("k", b"a"))), &origin()).await.unwrap();
        assert_ne!(later.token.id, first.token.id);
        world.context.forget_old().await.unwrap();
    });
}

#[test]
fn of_many_with_one_key_at_once_one_is_carried_out() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let tries = (0..8)
            .map(|_| world.tokens.issue(&world.owner, request(Some(("k", b"a"))), &*Box::leak(Box::new(origin()))));
        let outcomes = futures::future::join_all(tries).await;
        let made = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(made, 1);
        assert!(outcomes.into_iter().filter_map(Result::err).all(|error| matches!(error, TokenError::Replayed { .. })));
    });
}

#[test]
fn of_many_rotations_at_once_one_wins() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let old = world.issue(&["read"]).await;
        let from = origin();
        let tries = (0..8).map(|_| world.tokens.rotate(&world.owner, old.token.id, RotateRequest::default(), &from));
        let outcomes = futures::future::join_all(tries).await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
        let lost = outcomes.into_iter().filter_map(Result::err);
        assert!(lost.into_iter().all(|error| matches!(error, TokenError::WrongStatus(Status::Rotating))));
    });
}

#[test]
fn a_cap_counts_live_tokens_and_does_not_stop_a_rotation() {
    Db::each(async |db| {
        let mut options = Options::default();
        options.policy.token_cap = Some(1);
        let world = World::with(db, options).await;
        let only = world.issue(&["read"]).await;
        let refused = world.tokens.issue(&world.owner, request(None), &origin()).await;
        assert!(matches!(refused, Err(TokenError::CapReached { used: 1, cap: 1 })), "{refused:?}");
        let rotate = RotateRequest { grace: Some(Span::ZERO), ..RotateRequest::default() };
        let new = world.tokens.rotate(&world.owner, only.token.id, rotate, &origin()).await.unwrap();
        assert_eq!(new.old_status, Status::Revoked);
        assert!(!world.is_live(only.secret.expose()).await && world.is_live(new.secret.expose()).await);
        world.tokens.revoke(&world.owner, new.token.id, &origin()).await.unwrap();
        world.tokens.issue(&world.owner, request(None), &origin()).await.unwrap();
    });
}

#[test]
fn of_many_creates_at_the_cap_none_goes_over() {
    Db::each(async |db| {
        let mut options = Options::default();
        options.policy.token_cap = Some(3);
        let world = World::with(db, options).await;
        let from = origin();
        let tries = (0..10).map(|_| world.tokens.issue(&world.owner, request(None), &from));
        let outcomes = futures::future::join_all(tries).await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 3);
    });
}

#[test]
fn nobody_grants_what_they_lack() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let mut weak = world.owner;
        weak.effective = world.context.catalogue().restore(&["tokens:manage", "read"]).unwrap().effective();
        let refused = world.tokens.issue(&weak, request(None), &origin()).await;
        let Err(TokenError::Excess { missing: names, .. }) = refused else { panic!("{refused:?}") };
        assert_eq!(names, ["execute"]);
    });
}

#[test]
fn an_expiry_chosen_as_a_span_starts_anew_and_one_chosen_as_a_moment_stays() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let start = world.context.now();
        let moment = start + Span::days(10);
        let spanned = world.issue_for(&["read"], Lifetime::For(Span::days(3))).await;
        let fixed = world.issue_for(&["read"], Lifetime::Until(moment)).await;
        world.clock.advance(Span::days(2));
        let rotate =
            |id| world.tokens.rotate(&world.owner, id, RotateRequest::default(), Box::leak(Box::new(origin())));
        let spanned = rotate(spanned.token.id).await.unwrap();
        let fixed = rotate(fixed.token.id).await.unwrap();
        assert_eq!(spanned.token.facts.expires_at, Some(start + Span::days(5)));
        assert_eq!(fixed.token.facts.expires_at, Some(moment));
        assert_eq!(spanned.grace_ends_at, start + Span::days(3), "a grace never outlives the old token's own end");
    });
}

#[test]
fn a_rotation_taken_back_leaves_the_old_token_active_and_the_new_one_dead() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let old = world.issue(&["read"]).await;
        let new = world.tokens.rotate(&world.owner, old.token.id, RotateRequest::default(), &origin()).await.unwrap();
        assert!(world.is_live(new.secret.expose()).await);
        let back = world.tokens.cancel_rotation(&world.owner, old.token.id, &origin()).await.unwrap();
        assert_eq!(back.facts.status(world.context.now()), Status::Active);
        assert!(world.is_live(old.secret.expose()).await && !world.is_live(new.secret.expose()).await);
        let dead = world.tokens.get(&world.owner, new.token.id).await.unwrap();
        assert_eq!(dead.facts.revoked.unwrap().reason, RevokeReason::RotationCancelled);
        let again = world.tokens.cancel_rotation(&world.owner, old.token.id, &origin()).await;
        assert!(matches!(again, Err(TokenError::WrongStatus(Status::Active))));
    });
}

#[test]
fn a_rotation_taken_back_ends_whatever_its_successor_was_rotated_to() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let old = world.issue(&["read"]).await;
        let rotate =
            async |id| world.tokens.rotate(&world.owner, id, RotateRequest::default(), &origin()).await.unwrap();
        let new = rotate(old.token.id).await;
        let heir = rotate(new.token.id).await;
        let heirs_heir = rotate(heir.token.id).await;
        world.tokens.cancel_rotation(&world.owner, old.token.id, &origin()).await.unwrap();
        assert!(world.is_live(old.secret.expose()).await);
        for dead in [&new, &heir, &heirs_heir] {
            assert!(!world.is_live(dead.secret.expose()).await);
        }
    });
}

#[test]
fn a_rotation_without_a_grace_is_a_revocation_wherever_the_clock_goes() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let old = world.issue(&["read"]).await;
        let request = RotateRequest { grace: Some(Span::micros(0)), ..RotateRequest::default() };
        world.tokens.rotate(&world.owner, old.token.id, request, &origin()).await.unwrap();
        for back in [Span::micros(1), Span::micros(200_000), Span::days(1)] {
            world.clock.set(world.context.now() - back);
            assert!(!world.is_live(old.secret.expose()).await, "{back:?} earlier");
        }
        let again = world.tokens.cancel_rotation(&world.owner, old.token.id, &origin()).await;
        assert!(matches!(again, Err(TokenError::WrongStatus(Status::Revoked))));
    });
}

#[test]
fn in_first_use_mode_the_old_token_dies_soon_after_the_new_one_is_used() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let old = world.issue(&["read"]).await;
        let request = RotateRequest { mode: GraceMode::FirstUse, ..RotateRequest::default() };
        let new = world.tokens.rotate(&world.owner, old.token.id, request, &origin()).await.unwrap();
        world.clock.advance(Span::seconds(3_600));
        assert!(world.is_live(old.secret.expose()).await, "not used yet: the whole grace counts");
        assert!(world.is_live(new.secret.expose()).await);
        let ends = world.context.now() + Span::seconds(300);
        // The first use is written down beside the answer; look until it is.
        loop {
            let old = world.tokens.get(&world.owner, old.token.id).await.unwrap();
            if old.facts.superseded.unwrap().grace_ends_at == ends {
                break;
            }
            tokio::task::yield_now().await;
        }
        world.clock.advance(Span::seconds(299));
        assert!(world.is_live(old.secret.expose()).await);
        world.clock.advance(Span::seconds(1));
        // A read may see the commit a moment before whoever made it does, and has what is remembered looked up again.
        while world.is_live(old.secret.expose()).await {
            tokio::task::yield_now().await;
        }
        assert!(world.is_live(new.secret.expose()).await);
    });
}

#[test]
fn uses_are_written_down_by_a_flush_and_never_go_back() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let issued = world.issue(&["read"]).await;
        let id = issued.token.id;
        assert_eq!(world.tokens.get(&world.owner, id).await.unwrap().last_used_at, None);
        world.clock.advance(Span::seconds(7));
        let used = world.context.now();
        for _ in 0..10 {
            assert!(world.is_live(issued.secret.expose()).await);
        }
        assert_eq!(world.validator.flush().await.unwrap(), 1);
        assert_eq!(world.tokens.get(&world.owner, id).await.unwrap().last_used_at, Some(used));
        assert_eq!(world.validator.flush().await.unwrap(), 0, "nothing new to write");
        world.clock.set(used - Span::seconds(5));
        assert!(world.is_live(issued.secret.expose()).await);
        world.validator.flush().await.unwrap();
        assert_eq!(world.tokens.get(&world.owner, id).await.unwrap().last_used_at, Some(used));
    });
}
