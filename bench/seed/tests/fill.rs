//! Runs the program on both databases: its tokens are valid, and the audit trail verifies.

use std::process::Command;

use authority::audit::chain::Place;
use authority::audit::read::{Audit, Outcome};
use storage::model::AuditFilter;
use test_support::{Db, World};

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
