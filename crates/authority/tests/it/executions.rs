//! Executions: what becomes the baseline, what is recorded once, what is remembered and for how long.

use authority::executions::{
    ExecutionError, Executions, ListRequest, Measurement, Named, NewBaseline, Submission, Submitted,
};
use authority::records::{Baseline, Execution};
use authority::tokens::Idempotency;
use authority::{Admission, Caller, Via};
use storage::model::AuditFilter;
use test_support::world::origin;
use test_support::{Db, World};
use token_domain::execution::{
    BranchName, CommitHash, Coverage, Outcome, RepositoryName, Strictness, Threshold, Thresholds,
};
use token_domain::id::{Id, Uuid};
use token_domain::{ScopeSet, Span};

fn coverage(text: &str) -> Coverage {
    serde_json::from_str::<Coverage>(text).expect("a coverage")
}

fn name(text: &str) -> RepositoryName {
    RepositoryName::parse(text).expect("a name")
}

fn submission(repository: &str, percent: &str) -> Submission {
    Submission {
        measurement: Measurement {
            repository: name(repository),
            coverage: coverage(percent),
            baseline: None,
            thresholds: Thresholds::default(),
            strictness: Strictness::Lenient,
        },
        branch: BranchName::parse("main").expect("a branch"),
        commit: CommitHash::parse("abcdef0123").expect("a commit"),
        measured_at: None,
        idempotency: None,
    }
}

fn keyed(key: &str, asked: &[u8], submission: Submission) -> Submission {
    Submission { idempotency: Some(Idempotency::new(key, asked)), ..submission }
}

async fn recorded(executions: &Executions, caller: &Caller, submission: Submission) -> Execution {
    match executions.submit(caller, submission, &origin()).await.expect("the database answers") {
        Submitted::Recorded(execution) => execution,
        Submitted::Replayed(execution) => panic!("{} was recorded before", execution.id),
    }
}

async fn history(executions: &Executions, world: &World, repository: &str) -> Vec<Baseline> {
    executions
        .baseline_history(&world.owner, name(repository), None, 100)
        .await
        .expect("the database answers")
        .baselines
}

async fn total(executions: &Executions, world: &World, repository: &str) -> u64 {
    let request =
        ListRequest { organization: Named::new("acme"), repository: name(repository), limit: 100, after: None };
    let page = executions.list(&world.owner, request).await.expect("the database answers");
    assert_eq!(u64::try_from(page.executions.len()), Ok(page.total));
    page.total
}

async fn audited(db: &Db, world: &World) -> Vec<String> {
    let organization = Some(world.owner.organization_id);
    let chain = AuditFilter::chain(organization, 0, 1_000);
    let page = db.store().read(move |reads| Box::pin(async move { reads.list_audit(&chain).await }));
    page.await.expect("the database answers").into_iter().map(|record| record.action).collect()
}

#[test]
fn of_many_first_submissions_at_once_one_becomes_the_baseline() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let executions = Executions::new(&world.context);
        let from = origin();
        let tries =
            (50..58).map(|points| executions.submit(&world.owner, submission("widgets", &points.to_string()), &from));
        let outcomes = futures::future::try_join_all(tries).await.unwrap();
        let baselines = history(&executions, &world, "widgets").await;
        let [baseline] = &baselines[..] else { panic!("{baselines:?}") };
        for submitted in outcomes {
            let Submitted::Recorded(execution) = submitted else { panic!("{submitted:?}") };
            assert_eq!(execution.baseline, baseline.coverage);
            assert_eq!(execution.repository_id, baseline.repository_id);
        }
        assert_eq!(total(&executions, &world, "widgets").await, 8);
        assert_eq!(audited(db, &world).await, [""; 0], "a submission takes nothing from anybody");
    });
}

#[test]
fn a_baseline_that_is_brought_along_is_not_kept() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let executions = Executions::new(&world.context);
        let mut brings = submission("widgets", "80");
        brings.measurement.baseline = Some(coverage("90"));
        let first = recorded(&executions, &world.owner, brings).await;
        assert_eq!((first.baseline, first.outcome), (coverage("90"), Outcome::Fail));
        assert_eq!(history(&executions, &world, "widgets").await, []);
        let missing = executions.baseline(&world.owner, Named::new("acme"), name("widgets")).await;
        assert!(matches!(missing, Err(ExecutionError::NotFound)));
        // Nothing is in force yet, so the next that brings none becomes it, whatever its thresholds.
        let mut next = submission("widgets", "80");
        let none = serde_json::from_str::<Threshold>("0").ok();
        next.measurement.thresholds = Thresholds::new(none, none).unwrap();
        let judged = executions.enforce(&world.owner, &next.measurement).await.unwrap();
        let second = recorded(&executions, &world.owner, next.clone()).await;
        assert_eq!((second.baseline, second.outcome), (coverage("80"), Outcome::Pass));
        assert_eq!(judged, second.evaluation());
        // From then on standing still is a drop of nothing, which thresholds of nothing do not forgive.
        assert_eq!(executions.enforce(&world.owner, &next.measurement).await.unwrap().outcome, Outcome::Fail);
        assert_eq!(recorded(&executions, &world.owner, next).await.outcome, Outcome::Fail);
        let [baseline] = &history(&executions, &world, "widgets").await[..] else { panic!("one baseline") };
        assert_eq!((baseline.coverage, baseline.commit.as_ref()), (coverage("80"), Some(&second.commit)));
    });
}

#[test]
fn a_key_records_one_execution_within_its_window() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let executions = Executions::new(&world.context);
        let first = recorded(&executions, &world.owner, keyed("k", b"a", submission("widgets", "80"))).await;
        for _ in 0..2 {
            match executions
                .submit(&world.owner, keyed("k", b"a", submission("widgets", "80")), &origin())
                .await
                .unwrap()
            {
                Submitted::Replayed(execution) => assert_eq!(execution, first),
                Submitted::Recorded(execution) => panic!("{} is a second one", execution.id),
            }
        }
        let reused = executions.submit(&world.owner, keyed("k", b"b", submission("gadgets", "80")), &origin()).await;
        assert!(matches!(reused, Err(ExecutionError::KeyReused)));
        assert_eq!(total(&executions, &world, "widgets").await, 1);
        // What was refused left nothing behind, not even a repository.
        let repositories = executions.repositories(&world.owner, None, 10).await.unwrap().repositories;
        assert_eq!(repositories.len(), 1);
        // Another caller's key is another key.
        let via = Via::Token {
            token_id: world.issue(&["execute"]).await.token.id,
            user_id: None,
            project_id: None,
            boundary: None,
            ends_at: None,
        };
        let other = Caller { via, ..world.owner };
        recorded(&executions, &other, keyed("k", b"b", submission("widgets", "80"))).await;

        world.clock.advance(Span::days(1));
        let later = recorded(&executions, &world.owner, keyed("k", b"c", submission("widgets", "80"))).await;
        assert_ne!(later.id, first.id);
        // The other caller's is over as well; the one just used is not.
        world.clock.advance(Span::seconds(1));
        assert_eq!(executions.forget_old(None).await.unwrap(), 1);
        assert_eq!(executions.forget_old(None).await.unwrap(), 0);
        assert_eq!(total(&executions, &world, "widgets").await, 3);
    });
}

#[test]
fn of_many_with_one_key_at_once_one_is_recorded() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let executions = Executions::new(&world.context);
        let from = origin();
        let same =
            (0..8).map(|_| executions.submit(&world.owner, keyed("k", b"a", submission("widgets", "80")), &from));
        let outcomes = futures::future::try_join_all(same).await.unwrap();
        let new = outcomes.iter().filter(|submitted| matches!(submitted, Submitted::Recorded(_))).count();
        assert_eq!((new, total(&executions, &world, "widgets").await), (1, 1));

        // Of different requests with one key, whatever their repositories, one has it.
        let repositories: Vec<String> = (0..8).map(|number| format!("r{number}")).collect();
        let different = repositories.iter().map(|repository| {
            executions.submit(&world.owner, keyed("other", repository.as_bytes(), submission(repository, "80")), &from)
        });
        let outcomes = futures::future::join_all(different).await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
        assert!(outcomes.into_iter().filter_map(Result::err).all(|error| matches!(error, ExecutionError::KeyReused)));
    });
}

#[test]
fn a_baseline_set_by_hand_is_in_force_in_the_history_and_in_the_trail() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let executions = Executions::new(&world.context);
        let set = async |percent: &str, commit: Option<&str>| {
            let commit = commit.map(|commit| CommitHash::parse(commit).unwrap());
            let new = NewBaseline { coverage: coverage(percent), commit, measured_at: None };
            executions.set_baseline(&world.owner, name("widgets"), new, &origin()).await.unwrap()
        };
        // Before anything was submitted.
        let first = set("80", None).await;
        assert_eq!((first.seq, first.coverage, first.measured_at), (1, coverage("80"), world.context.now()));
        world.clock.advance(Span::seconds(1));
        assert_eq!(set("80", None).await, first, "a repeated request changes nothing");
        let submitted = recorded(&executions, &world.owner, submission("widgets", "79.5")).await;
        assert_eq!((submitted.baseline, submitted.outcome), (coverage("80"), Outcome::Warn));
        let second = set("80", Some("0123456")).await;
        let third = set("79.5", Some("0123456")).await;
        assert_eq!(history(&executions, &world, "widgets").await, [third.clone(), second.clone(), first.clone()]);
        assert_eq!(executions.baseline(&world.owner, Named::new("acme"), name("widgets")).await.unwrap(), third);
        assert_eq!(recorded(&executions, &world.owner, submission("widgets", "79.5")).await.outcome, Outcome::Pass);
        assert_eq!(audited(db, &world).await, ["baseline.set"; 3]);

        let page = executions.baseline_history(&world.owner, name("widgets"), None, 2).await.unwrap();
        assert_eq!((page.baselines, page.next), (vec![third, second], Some(2)));
        let page = executions.baseline_history(&world.owner, name("widgets"), page.next, 2).await.unwrap();
        assert_eq!((page.baselines, page.next), (vec![first], None));
        let unknown = executions.baseline_history(&world.owner, name("gadgets"), None, 2).await;
        assert!(matches!(unknown, Err(ExecutionError::NotFound)));
    });
}

#[test]
fn only_what_is_older_than_the_retention_is_forgotten() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let executions = Executions::new(&world.context);
        for _ in 0..4 {
            recorded(&executions, &world.owner, submission("widgets", "80")).await;
            world.clock.advance(Span::days(1));
        }
        // Four days after the first: none is older than that, two are older than two.
        for (days, forgotten) in [(None, 0), (Some(4), 0), (Some(2), 2), (Some(2), 0), (Some(1), 1)] {
            assert_eq!(executions.forget_old(days.map(Span::days)).await.unwrap(), forgotten, "{days:?}");
        }
        assert_eq!(total(&executions, &world, "widgets").await, 1);
        // A forgotten baseline would be another one for the next build: it stays.
        assert_eq!(history(&executions, &world, "widgets").await.len(), 1);
    });
}

#[test]
fn an_organisation_is_named_by_slug_or_id_and_only_by_its_own() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let executions = Executions::new(&world.context);
        recorded(&executions, &world.owner, submission("widgets", "80")).await;
        let id = world.owner.organization_id;
        for (named, expected) in [
            ("acme".to_owned(), true),
            (id.to_string(), true),
            (id.uuid().to_string(), true),
            ("ACME".to_owned(), false),
            ("elsewhere".to_owned(), false),
            (String::new(), false),
            (format!("{id}0"), false),
        ] {
            let baseline = executions.baseline(&world.owner, Named::new(&named), name("widgets")).await;
            let request =
                ListRequest { organization: Named::new(&named), repository: name("widgets"), limit: 1, after: None };
            let list = executions.list(&world.owner, request).await;
            match (baseline, list) {
                (Ok(_), Ok(_)) => assert!(expected, "{named}"),
                (Err(ExecutionError::ForeignOrganization), Err(ExecutionError::ForeignOrganization)) => {
                    assert!(!expected, "{named}");
                }
                other => panic!("{named}: {other:?}"),
            }
        }
        // Another organisation does not see an execution by its id.
        let execution = recorded(&executions, &world.owner, submission("widgets", "80")).await;
        assert_eq!(executions.get(&world.owner, execution.id).await.unwrap(), execution);
        let stranger = Caller {
            organization_id: Id::from_uuid(Uuid::from_u128(9)),
            via: world.owner.via,
            effective: ScopeSet::EMPTY,
            admission: Admission::default(),
        };
        assert!(matches!(executions.get(&stranger, execution.id).await, Err(ExecutionError::NotFound)));
    });
}
