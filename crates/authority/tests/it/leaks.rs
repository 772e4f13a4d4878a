//! What becomes of tokens that others report as leaked, by a clock that stands still.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers as well")]

use std::sync::Mutex;

use authority::leaks::alerts::{Alert, AlertHosts};
use authority::leaks::{Leaks, Reported};
use authority::policies::{AskedRule, Policies};
use authority::records::Token;
use authority::tokens::{Issued, ListRequest, RotateRequest, TokenError};
use authority::{Caller, Refused};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::json;
use test_support::world::origin;
use test_support::{Db, World};
use token_domain::Span;
use token_domain::id::TokenId;
use token_domain::leak::{LeakAction, LeakSource};
use token_domain::policy::{KindRule, Making};
use token_domain::record::Principal;
use token_domain::token::{Kind, Lifetime, RevokeReason, Status};
use zeroize::Zeroizing;

use crate::notices::{events, mailing, sent};

const HOUR: Span = Span::seconds(3_600);

async fn choose(world: &World, action: LeakAction) {
    let (id, now) = (world.owner.organization_id, world.context.now());
    let write = world.context.store().write(move |tx| Box::pin(tx.set_leak_action(id, action, now)));
    let changed: Result<_, storage::StoreError> = write.await;
    assert_eq!(changed.unwrap().unwrap().leak_action, action);
}

fn service(world: &World) -> Leaks {
    Leaks::new(&world.context, &world.validator, 100)
}

async fn report(world: &World, issued: &Issued) -> Reported {
    service(world).report(issued.secret.expose(), LeakSource::GitHub, &origin()).await.unwrap()
}

async fn token(world: &World, id: TokenId) -> Token {
    world.tokens.get(&world.owner, id).await.unwrap()
}

async fn count(world: &World) -> usize {
    world.tokens.list(&world.owner, ListRequest::default()).await.unwrap().tokens.len()
}

fn successor(token: &Token) -> TokenId {
    token.facts.superseded.unwrap().by
}

#[test]
fn a_reported_token_is_revoked_unless_its_organisation_chose_otherwise() {
    Db::each(async |db| {
        let (world, outbox) = mailing(db).await;
        let leaked = world.issue(&["read"]).await;
        for _ in 0..3 {
            assert_eq!(report(&world, &leaked).await, Reported::Revoked);
        }
        assert!(!world.is_live(leaked.secret.expose()).await);
        assert_eq!(token(&world, leaked.token.id).await.facts.revoked.unwrap().reason, RevokeReason::Leaked);
        assert_eq!(events(&world, "token.leaked").await, [json!({"source": "github", "leak_action": "revoke"})]);
        assert_eq!(events(&world, "token.revoke").await, [json!({"reason": "leaked"})]);
        let mail = sent(&outbox).await;
        assert_eq!(
            mail.iter().map(|mail| mail.subject.as_str()).collect::<Vec<_>>(),
            ["A token leaked and was revoked"]
        );
        let (leaks, from) = (service(&world), origin());
        let unissued = leaks.report("nlp_00112233445566778899aabbccddeeff550c911c", LeakSource::GitHub, &from);
        assert_eq!(unissued.await.unwrap(), Reported::Foreign);
    });
}

#[test]
fn a_token_that_people_are_told_about_goes_on() {
    Db::each(async |db| {
        let (world, outbox) = mailing(db).await;
        choose(&world, LeakAction::Notify).await;
        let leaked = world.issue(&["read"]).await;
        for _ in 0..3 {
            assert_eq!(report(&world, &leaked).await, Reported::Goes);
        }
        assert!(world.is_live(leaked.secret.expose()).await);
        assert_eq!(events(&world, "token.leaked").await, [json!({"source": "github", "leak_action": "notify"})]);
        let mail = sent(&outbox).await;
        assert_eq!(
            mail.iter().map(|mail| mail.subject.as_str()).collect::<Vec<_>>(),
            ["A token leaked and still counts"]
        );
    });
}

#[test]
fn a_rotated_token_ends_within_an_hour_and_its_owner_is_shown_the_next_secret() {
    Db::each(async |db| {
        let (world, outbox) = mailing(db).await;
        choose(&world, LeakAction::RotateGrace1h).await;
        let leaked = world.issue_for(&["read", "self:rotate"], Lifetime::For(Span::days(30))).await;
        let id = leaked.token.id;
        assert_eq!(report(&world, &leaked).await, Reported::Goes);
        let ends = world.context.now() + HOUR;
        let old = token(&world, id).await;
        assert_eq!(old.facts.status(world.context.now()), Status::Rotating);
        assert_eq!(old.facts.superseded.unwrap().grace_ends_at, ends);
        let next = token(&world, successor(&old)).await;
        assert_eq!((&next.name, &next.scopes, next.lifetime), (&old.name, &old.scopes, old.lifetime));
        assert_eq!((next.created_by, next.rotated_from), (Principal::System, Some(id)));
        assert!(world.is_live(leaked.secret.expose()).await);

        // The same report again, and later in the hour, does nothing more.
        for _ in 0..3 {
            assert_eq!(report(&world, &leaked).await, Reported::Goes);
            world.clock.advance(Span::seconds(600));
        }
        assert_eq!(count(&world).await, 2);
        let told = json!({
            "source": "github", "leak_action": "rotate_grace_1h",
            "grace_period_ends_at": ends.rfc3339_seconds(), "successor": next.id.to_string(),
        });
        assert_eq!(events(&world, "token.leaked").await, [told]);
        assert_eq!(events(&world, "token.rotate").await.len(), 1);
        let mail = sent(&outbox).await;
        assert_eq!(mail.len(), 1);
        assert_eq!(mail[0].subject, "A token leaked and ends within an hour");
        assert!(mail[0].text.contains(&format!("Takes over: https://tokens.example.org/tokens/{}\n", next.id)));

        // Who has the leaked secret cannot renew it.
        let thief = caller(&world, leaked.secret.expose()).await;
        let renewed = world.tokens.rotate_own(&thief, RotateRequest::default(), &origin()).await;
        assert!(matches!(renewed, Err(TokenError::WrongStatus(Status::Rotating))), "{renewed:?}");
        let request = authority::tokens::Idempotency::new("k", b"a");
        let made = RotateRequest { idempotency: Some(request), ..RotateRequest::default() };
        let renewed = world.tokens.rotate_own(&thief, made, &origin()).await;
        assert!(
            matches!(renewed, Err(TokenError::WrongStatus(_) | TokenError::Refused(Refused::Superseded))),
            "{renewed:?}"
        );

        // The owner is shown a secret by rotating the successor.
        let at_once = RotateRequest { grace: Some(Span::ZERO), ..RotateRequest::default() };
        let shown = world.tokens.rotate(&world.owner, next.id, at_once, &origin()).await.unwrap();
        assert!(world.is_live(shown.secret.expose()).await);
        assert_eq!(shown.token.scopes, old.scopes);
        assert!(world.is_live(leaked.secret.expose()).await);
        world.clock.set(ends);
        assert!(!world.is_live(leaked.secret.expose()).await);
        assert!(world.is_live(shown.secret.expose()).await);
        // By now it counts no more, and a report revokes it for good.
        assert_eq!(report(&world, &leaked).await, Reported::Revoked);
    });
}

/// The caller that a secret makes.
async fn caller(world: &World, secret: &str) -> Caller {
    world.validator.look_up(secret).await.unwrap().caller(None).unwrap()
}

#[test]
fn of_many_reports_at_once_one_rotates() {
    Db::each(async |db| {
        let world = World::new(db).await;
        choose(&world, LeakAction::RotateGrace1h).await;
        let leaked = world.issue(&["read"]).await;
        let leaks = service(&world);
        let from = origin();
        let reports = (0..8).map(|_| leaks.report(leaked.secret.expose(), LeakSource::GitLab, &from));
        for reported in futures::future::join_all(reports).await {
            assert_eq!(reported.unwrap(), Reported::Goes);
        }
        assert_eq!(count(&world).await, 2);
        assert_eq!((events(&world, "token.leaked").await.len(), events(&world, "token.rotate").await.len()), (1, 1));
    });
}

#[test]
fn a_token_that_is_rotating_keeps_its_successor_and_at_most_an_hour() {
    Db::each(async |db| {
        let world = World::new(db).await;
        choose(&world, LeakAction::RotateGrace1h).await;
        for (grace, left) in [(Span::days(7), HOUR), (Span::seconds(600), Span::seconds(600))] {
            let leaked = world.issue(&["read"]).await;
            let request = RotateRequest { grace: Some(grace), ..RotateRequest::default() };
            let next = world.tokens.rotate(&world.owner, leaked.token.id, request, &origin()).await.unwrap();
            let before = count(&world).await;
            let ends = world.context.now() + left;
            for _ in 0..3 {
                assert_eq!(report(&world, &leaked).await, Reported::Goes);
            }
            let old = token(&world, leaked.token.id).await;
            assert_eq!((successor(&old), old.facts.superseded.unwrap().grace_ends_at), (next.token.id, ends));
            assert_eq!(count(&world).await, before, "no second rotation");
            assert!(world.is_live(leaked.secret.expose()).await);
            world.clock.set(ends);
            assert!(!world.is_live(leaked.secret.expose()).await && world.is_live(next.secret.expose()).await);
        }
        assert_eq!(events(&world, "token.leaked").await.len(), 2);
        assert_eq!(events(&world, "token.grace_shortened").await.len(), 1);
    });
}

#[test]
fn a_token_that_ends_within_the_hour_ends_as_it_would_have() {
    Db::each(async |db| {
        let world = World::new(db).await;
        choose(&world, LeakAction::RotateGrace1h).await;
        let end = world.context.now() + Span::seconds(600);
        let fixed = world.issue_for(&["read"], Lifetime::Until(end)).await;
        let span = world.issue_for(&["read"], Lifetime::For(Span::seconds(600))).await;
        for leaked in [&fixed, &span] {
            assert_eq!(report(&world, leaked).await, Reported::Goes);
            assert_eq!(token(&world, leaked.token.id).await.facts.superseded.unwrap().grace_ends_at, end);
        }
        let next = async |leaked: &Issued| token(&world, successor(&token(&world, leaked.token.id).await)).await;
        assert_eq!(
            next(&fixed).await.facts.expires_at,
            Some(end),
            "what ends at a moment is replaced by what ends then"
        );
        assert_eq!(next(&span).await.lifetime, Some(Span::seconds(600)), "what lives for a time gets that time anew");
        world.clock.set(end);
        for leaked in [&fixed, &span] {
            assert!(!world.is_live(leaked.secret.expose()).await);
        }
    });
}

#[test]
fn what_counts_no_more_or_cannot_be_rotated_is_revoked() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let expired = world.issue_for(&["read"], Lifetime::For(Span::seconds(60))).await;
        world.clock.advance(Span::seconds(60));
        for action in [LeakAction::Notify, LeakAction::RotateGrace1h] {
            choose(&world, action).await;
            let before = events(&world, "token.leaked").await.len();
            let expired = if action == LeakAction::Notify {
                &expired
            } else {
                &world.issue_for(&["read"], Lifetime::For(Span::seconds(1))).await
            };
            world.clock.advance(Span::seconds(60));
            assert_eq!(report(&world, expired).await, Reported::Revoked);
            let told = events(&world, "token.leaked").await;
            assert_eq!((told.len(), &told[before]["leak_action"]), (before + 1, &json!("revoke")));
        }

        // The organisation's policy does not allow a successor.
        let leaked = world.issue(&["read"]).await;
        let none = AskedRule {
            kind: Kind::Organization,
            rule: KindRule { making: Making::Forbidden, ..KindRule::default() },
            scopes: None,
        };
        let policies = Policies::new(&world.context);
        policies.set(&world.owner, world.owner.organization_id, vec![none], &origin()).await.unwrap();
        assert_eq!(report(&world, &leaked).await, Reported::Revoked);
        assert!(!world.is_live(leaked.secret.expose()).await);
        assert_eq!(events(&world, "token.rotate").await.len(), 0);
    });
}

#[test]
fn where_workloads_get_tokens_under_trust_policies_alone_a_leaked_one_is_revoked() {
    Db::each(async |db| {
        let world = World::new(db).await;
        choose(&world, LeakAction::RotateGrace1h).await;
        let leaked = world.issue(&["read"]).await;
        let (id, now) = (world.owner.organization_id, world.context.now());
        let write = world.context.store().write(move |tx| Box::pin(tx.set_trust_only(id, true, now)));
        let changed: Result<_, storage::StoreError> = write.await;
        assert!(changed.unwrap().unwrap().trust_only);
        assert_eq!(report(&world, &leaked).await, Reported::Revoked);
        assert_eq!(count(&world).await, 1);
    });
}

#[test]
fn a_later_report_does_more_only_where_the_organisation_chose_to() {
    Db::each(async |db| {
        let world = World::new(db).await;
        choose(&world, LeakAction::Notify).await;
        let leaked = world.issue(&["read"]).await;
        let mut done = Vec::new();
        for action in
            [LeakAction::Notify, LeakAction::RotateGrace1h, LeakAction::Notify, LeakAction::Revoke, LeakAction::Notify]
        {
            choose(&world, action).await;
            for _ in 0..2 {
                done.push(report(&world, &leaked).await);
            }
        }
        let (goes, revoked) = (Reported::Goes, Reported::Revoked);
        assert_eq!(done, [goes, goes, goes, goes, goes, goes, revoked, revoked, revoked, revoked]);
        let told = events(&world, "token.leaked").await;
        let actions: Vec<_> = told.iter().map(|event| event["leak_action"].as_str().unwrap()).collect();
        assert_eq!(actions, ["notify", "rotate_grace_1h", "revoke"]);
        let (caller, id) = (world.owner, leaked.token.id);
        let token = world.tokens.get(&caller, id).await.unwrap();
        let leak = world.tokens.leak(&token).await.unwrap().unwrap();
        assert_eq!((leak.action, leak.source), (LeakAction::Revoke, LeakSource::GitHub));
    });
}

#[test]
fn a_rotation_that_was_taken_back_is_not_made_again_by_the_same_report() {
    Db::each(async |db| {
        let world = World::new(db).await;
        choose(&world, LeakAction::RotateGrace1h).await;
        let leaked = world.issue(&["read"]).await;
        report(&world, &leaked).await;
        let next = successor(&token(&world, leaked.token.id).await);
        world.tokens.cancel_rotation(&world.owner, leaked.token.id, &origin()).await.unwrap();
        assert_eq!(token(&world, next).await.facts.status(world.context.now()), Status::Revoked);
        assert_eq!(report(&world, &leaked).await, Reported::Goes);
        world.clock.advance(HOUR);
        assert!(world.is_live(leaked.secret.expose()).await, "somebody decided that it was a false alarm");
        assert_eq!(events(&world, "token.rotate").await.len(), 1);
    });
}

#[test]
fn who_holds_a_token_ends_it_whatever_its_organisation_chose() {
    Db::each(async |db| {
        let world = World::new(db).await;
        for action in LeakAction::ALL {
            choose(&world, action).await;
            let (found, asked) = (world.issue(&["read"]).await, world.issue(&["read"]).await);
            report(&world, &found).await;
            let texts = [found.secret.expose().to_owned()];
            service(&world).revoke_found(&texts, &origin()).await.unwrap();
            service(&world).revoke(asked.secret.expose(), None, &origin()).await.unwrap();
            assert!(!world.is_live(found.secret.expose()).await && !world.is_live(asked.secret.expose()).await);
        }
    });
}

#[test]
fn a_report_is_no_use_of_the_token() {
    Db::each(async |db| {
        let world = World::new(db).await;
        choose(&world, LeakAction::Notify).await;
        let leaked = world.issue(&["read"]).await;
        report(&world, &leaked).await;
        world.validator.flush().await.unwrap();
        assert_eq!(token(&world, leaked.token.id).await.last_used_at, None);
    });
}

/// A code host of a test.
struct Host {
    /// What it answers, one after the other; after the last it answers that one.
    answers: Mutex<Vec<Result<Vec<String>, String>>>,
    fetched: Mutex<Vec<Alert>>,
    resolves: Result<(), String>,
    resolved: Mutex<Vec<Alert>>,
}

impl Host {
    fn new(answers: Vec<Result<Vec<String>, String>>) -> Self {
        Self { answers: Mutex::new(answers), fetched: Mutex::default(), resolves: Ok(()), resolved: Mutex::default() }
    }

    fn with(secrets: &[&Issued]) -> Self {
        Self::new(vec![Ok(secrets.iter().map(|issued| issued.secret.expose().to_owned()).collect())])
    }

    fn fetched(&self) -> usize {
        self.fetched.lock().unwrap().len()
    }

    fn resolved(&self) -> usize {
        self.resolved.lock().unwrap().len()
    }
}

impl AlertHosts for Host {
    fn fetch<'h>(&'h self, alert: &'h Alert) -> BoxFuture<'h, Result<Vec<Zeroizing<String>>, String>> {
        self.fetched.lock().unwrap().push(alert.clone());
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
        async { answer.map(|texts| texts.into_iter().map(Zeroizing::new).collect()) }.boxed()
    }

    fn resolve<'h>(&'h self, alert: &'h Alert) -> BoxFuture<'h, Result<(), String>> {
        self.resolved.lock().unwrap().push(alert.clone());
        async { self.resolves.clone() }.boxed()
    }
}

/// A code host that never answers.
struct Hangs;

impl AlertHosts for Hangs {
    fn fetch<'h>(&'h self, _: &'h Alert) -> BoxFuture<'h, Result<Vec<Zeroizing<String>>, String>> {
        futures::future::pending().boxed()
    }

    fn resolve<'h>(&'h self, _: &'h Alert) -> BoxFuture<'h, Result<(), String>> {
        futures::future::pending().boxed()
    }
}

fn alert(number: u64) -> Alert {
    Alert::github("octo-org", "octo-repo", number).unwrap()
}

#[test]
fn an_alert_is_worked_off_once_by_any_number_of_nodes() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let leaked = world.issue(&["read"]).await;
        let (leaks, host) = (service(&world), Host::with(&[&leaked]));
        for _ in 0..3 {
            leaks.queue_alert(&alert(1)).await.unwrap();
        }
        let (one, other) = tokio::join!(leaks.work_off_alerts(&host), leaks.work_off_alerts(&host));
        assert_eq!((one.unwrap() + other.unwrap(), host.fetched(), host.resolved()), (1, 1, 1));
        assert!(!world.is_live(leaked.secret.expose()).await);
        world.clock.advance(Span::days(1));
        assert_eq!(leaks.work_off_alerts(&host).await.unwrap(), 0, "nothing is left of it");

        // A delivery that is repeated is worked off again, and does nothing more.
        leaks.queue_alert(&alert(1)).await.unwrap();
        assert_eq!(leaks.work_off_alerts(&host).await.unwrap(), 1);
        assert_eq!(events(&world, "token.leaked").await.len(), 1);
    });
}

#[test]
fn an_alert_whose_host_is_away_is_tried_again_for_three_days() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let leaked = world.issue(&["read"]).await;
        let leaks = service(&world);
        let away = || Err("away".to_owned());
        let host = Host::new(vec![away(), away(), Ok(vec![leaked.secret.expose().to_owned()])]);
        leaks.queue_alert(&alert(1)).await.unwrap();
        for (after, done, fetched) in [(0, 0, 1), (59, 0, 1), (1, 0, 2), (299, 0, 2), (1, 1, 3), (1_800, 0, 3)] {
            world.clock.advance(Span::seconds(after));
            assert_eq!((leaks.work_off_alerts(&host).await.unwrap(), host.fetched()), (done, fetched), "{after}");
        }
        assert!(!world.is_live(leaked.secret.expose()).await);

        let gone = Host::new(vec![away()]);
        leaks.queue_alert(&alert(2)).await.unwrap();
        for _ in 0..(5 * 24) {
            assert_eq!(leaks.work_off_alerts(&gone).await.unwrap(), 0);
            world.clock.advance(HOUR);
        }
        assert_eq!(gone.fetched(), 9);
        // The operator repaired the token, and delivers the alert again.
        let other = world.issue(&["read"]).await;
        leaks.queue_alert(&alert(2)).await.unwrap();
        assert_eq!(leaks.work_off_alerts(&Host::with(&[&other])).await.unwrap(), 1);
        assert!(!world.is_live(other.secret.expose()).await);
    });
}

#[test]
fn an_attempt_that_a_crash_interrupts_is_made_again() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let leaked = world.issue(&["read"]).await;
        let leaks = service(&world);
        leaks.queue_alert(&alert(1)).await.unwrap();
        let interrupted = tokio::time::timeout(std::time::Duration::from_millis(500), leaks.work_off_alerts(&Hangs));
        assert!(interrupted.await.is_err(), "the process ends while the host is asked");
        let host = Host::with(&[&leaked]);
        assert_eq!(leaks.work_off_alerts(&host).await.unwrap(), 0, "somebody has it, as far as anybody knows");
        world.clock.advance(Span::seconds(60));
        assert_eq!(leaks.work_off_alerts(&host).await.unwrap(), 1);
        assert!(!world.is_live(leaked.secret.expose()).await);
    });
}

#[test]
fn an_alert_is_resolved_once_all_of_ours_in_it_are_revoked() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let leaks = service(&world);
        let (one, other) = (world.issue(&["read"]).await, world.issue(&["read"]).await);
        let foreign = Host::new(vec![Ok(vec!["ghp_of_somebody_else".to_owned(), String::new()])]);
        choose(&world, LeakAction::Notify).await;
        let going = Host::with(&[&one, &other]);
        for (number, host) in [(1, &foreign), (2, &going)] {
            leaks.queue_alert(&alert(number)).await.unwrap();
            assert_eq!(leaks.work_off_alerts(host).await.unwrap(), 1);
            assert_eq!(host.resolved(), 0);
        }
        choose(&world, LeakAction::Revoke).await;
        let refusing = Host { resolves: Err("403".to_owned()), ..Host::with(&[&one, &other]) };
        leaks.queue_alert(&alert(3)).await.unwrap();
        assert_eq!(leaks.work_off_alerts(&refusing).await.unwrap(), 0, "the host was not told");
        assert!(!world.is_live(one.secret.expose()).await && !world.is_live(other.secret.expose()).await);
        world.clock.advance(Span::seconds(60));
        let host = Host::with(&[&one, &other]);
        assert_eq!((leaks.work_off_alerts(&host).await.unwrap(), host.resolved()), (1, 1));
        assert_eq!(events(&world, "token.leaked").await.len(), 4, "told of twice, revoked once each");
    });
}
