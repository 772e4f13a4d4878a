//! Runs the program on both databases: its tokens are valid, and the audit trail verifies.

use std::process::Command;

use authority::audit::chain::Place;
use authority::audit::read::{Audit, Outcome};
use authority::env::{Clock as _, SystemClock};
use storage::StoreError;
use storage::model::AuditFilter;
use test_support::world::EMAIL;
use test_support::{Db, World};
use token_domain::Span;
use token_domain::usage::Hour;

#[test]
fn an_organisation_gets_valid_tokens_and_a_trail_that_verifies() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let written = db.path("tokens");
        let fill = |org: &str| {
            let mut seed = Command::new(env!("CARGO_BIN_EXE_nolapse-bench-seed"));
            seed.args(["--database-url", &db.url().to_string(), "--org", org, "--tag-key", &"07".repeat(32)])
                .args(["--tokens", "3", "--access-scopes", "2", "--actors", "2", "--events", "2", "--tokens-file"])
                .arg(&written);
            seed.output().unwrap()
        };
        let missing = fill("nobody");
        assert!(
            !missing.status.success() && String::from_utf8_lossy(&missing.stderr).contains("set the deployment up")
        );
        let filled = fill("acme");
        assert!(filled.status.success(), "{filled:?}");
        let secrets = std::fs::read_to_string(&written).unwrap();
        assert_eq!(secrets.lines().count(), 3);
        for secret in secrets.lines() {
            assert!(world.is_live(secret).await);
        }
        let trail = Some(world.owner.organization_id);
        let verified = Audit::new(db.store().clone()).verify(trail, Place::START, None).await.unwrap();
        assert!(matches!(verified.outcome, Outcome::Whole));
        let all = AuditFilter::chain(trail, 0, 100);
        let read = db.store().read(move |reads| Box::pin(async move { reads.list_audit(&all).await }));
        let events = read.await.unwrap();
        let actions: Vec<&str> = events.iter().map(|event| event.action.as_str()).collect();
        assert_eq!(
            actions,
            ["project.seed", "access_scope.seed", "actor.seed", "event.seed", "event.seed", "token.seed"]
        );
    });
}

#[test]
fn a_month_of_history_has_uses_by_hour_and_attempts_and_a_trail_that_verifies() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let organization = world.owner.organization_id;
        let write = |email: &str| {
            let mut history = Command::new(env!("CARGO_BIN_EXE_nolapse-demo-history"));
            history.args(["--database-url", &db.url().to_string(), "--org", "acme", "--email", email]);
            history.output().unwrap()
        };
        let missing = write("nobody@acme.example");
        assert!(
            !missing.status.success() && String::from_utf8_lossy(&missing.stderr).contains("nobody has that address")
        );
        let written = write(EMAIL);
        assert!(written.status.success(), "{written:?}");

        let now = SystemClock::default().now();
        let (first, end) = (Hour::of(now - Span::days(30)), Hour::of(now + Span::days(1)));
        let read = db.store().read(move |reads| {
            Box::pin(async move {
                let usage = reads.organization_usage(organization, first, end).await?;
                let policies = reads.list_trust_policies(organization, 10).await?;
                let attempts = reads.list_trust_attempts(policies[0].id, 100).await?;
                Ok::<_, StoreError>((usage, policies, attempts))
            })
        });
        let (usage, policies, attempts) = read.await.unwrap();
        assert!(usage.len() > 600, "{} hours", usage.len());
        assert!(
            usage.iter().any(|hour| hour.counts.denied > 0) && usage.iter().any(|hour| hour.counts.insufficient > 0)
        );
        assert!(usage.iter().all(|hour| hour.hour <= Hour::of(now)), "nothing is used in the future");
        assert_eq!(policies.len(), 1);
        let exchanged = attempts.iter().filter(|attempt| attempt.token_id.is_some()).count();
        assert!((10..attempts.len()).contains(&exchanged), "{exchanged} of {}", attempts.len());
        let verified = Audit::new(db.store().clone()).verify(Some(organization), Place::START, None).await.unwrap();
        assert!(matches!(verified.outcome, Outcome::Whole));
    });
}
