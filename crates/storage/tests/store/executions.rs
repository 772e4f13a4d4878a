//! Repositories, baselines and executions: what is written, listed, counted and forgotten.

use crate::run::{founded, read, write};
use storage::model::{ExecutionFilter, ExecutionKey};
use storage::{Constraint, Store, StoreError};
use test_support::Db;
use test_support::records::{self, T0, after, id};
use token_domain::Timestamp;
use token_domain::execution::{
    BranchName, CommitHash, Coverage, Outcome, RepositoryName, Strictness, Threshold, Thresholds,
};
use token_domain::id::{ExecutionId, OrganizationId, RepositoryId};
use token_domain::record::{Baseline, Execution, Principal, Repository};
use token_domain::text::Slug;

fn name(text: &str) -> RepositoryName {
    RepositoryName::parse(text).expect("a name")
}

fn coverage(text: &str) -> Coverage {
    serde_json::from_str::<Coverage>(text).expect("a coverage")
}

fn execution(repository: &Repository, number: u64) -> Execution {
    Execution {
        id: id(number),
        organization_id: repository.organization_id,
        repository_id: repository.id,
        repository: repository.name.clone(),
        branch: BranchName::parse("main").expect("a branch"),
        commit: CommitHash::parse("abcdef0123").expect("a commit"),
        coverage: coverage("83.1"),
        baseline: coverage("83.6"),
        thresholds: Thresholds::default(),
        strictness: Strictness::Lenient,
        outcome: Outcome::Warn,
        measured_at: None,
        submitted_by: Principal::Token(id(7)),
        created_at: T0,
    }
}

fn baseline(repository: RepositoryId, seq: i64) -> Baseline {
    Baseline {
        repository_id: repository,
        seq,
        coverage: coverage("80.0001"),
        commit: CommitHash::parse("0123456").ok(),
        measured_at: T0,
        set_at: after(1),
        set_by: Principal::System,
    }
}

async fn register(store: &Store, org: OrganizationId, number: u64, text: &str) -> Repository {
    let name = name(text);
    write(store, move |tx| Box::pin(async move { tx.register_repository(id(number), org, &name, T0).await }))
        .await
        .expect("the database answers")
}

/// Records an execution as a submission does.
async fn submit(store: &Store, record: Execution) -> Result<(), StoreError> {
    write(store, move |tx| {
        Box::pin(async move {
            assert!(tx.note_submission(record.repository_id, record.coverage, record.created_at).await?);
            tx.insert_execution(&record).await
        })
    })
    .await
}

async fn repository(store: &Store, org: OrganizationId, text: &str) -> Option<Repository> {
    let name = name(text);
    read(store, move |r| Box::pin(async move { r.repository(org, &name).await })).await
}

async fn list(store: &Store, repository_id: RepositoryId, after: Option<(Timestamp, ExecutionId)>) -> Vec<Execution> {
    let filter = ExecutionFilter { repository_id, after, limit: 2 };
    read(store, move |r| Box::pin(async move { r.list_executions(&filter).await })).await
}

#[test]
fn every_field_reads_back() {
    Db::each(async |db| {
        let store = db.store();
        let (org, user) = founded(store).await;
        let registered = register(store, org, 1, "acme/tools/Wïdgets").await;
        assert_eq!((registered.execution_count, registered.last, registered.created_at), (0, None, T0));
        let full = Execution {
            branch: BranchName::parse("feature/Ü").unwrap(),
            commit: CommitHash::parse(&"f".repeat(64)).unwrap(),
            coverage: coverage("100"),
            baseline: coverage("0"),
            thresholds: Thresholds::new(
                serde_json::from_str::<Threshold>("0").ok(),
                serde_json::from_str::<Threshold>("100").ok(),
            )
            .unwrap(),
            strictness: Strictness::Strict,
            outcome: Outcome::Pass,
            measured_at: Some(Timestamp::EPOCH),
            submitted_by: Principal::User(user),
            created_at: after(3),
            ..execution(&registered, 2)
        };
        submit(store, execution(&registered, 1)).await.unwrap();
        submit(store, full.clone()).await.unwrap();
        let get = async |org, number| read(store, move |r| Box::pin(r.execution(org, id(number)))).await;
        assert_eq!(get(org, 1).await, Some(execution(&registered, 1)));
        assert_eq!(get(org, 2).await, Some(full));
        assert_eq!((get(org, 3).await, get(id(9), 1).await), (None, None));
        let found = repository(store, org, "acme/tools/Wïdgets").await.unwrap();
        assert_eq!(
            found,
            Repository { execution_count: 2, last: Some((coverage("100"), after(3))), ..registered.clone() }
        );
        assert_eq!(repository(store, id(9), "acme/tools/Wïdgets").await, None);
        assert_eq!(repository(store, org, "ACME/tools/Wïdgets").await, None);

        let plain = Baseline { commit: None, ..baseline(registered.id, 1) };
        for record in [plain.clone(), baseline(registered.id, 2)] {
            write(store, move |tx| Box::pin(async move { tx.append_baseline(&record).await })).await.unwrap();
        }
        let repository = registered.id;
        assert_eq!(read(store, move |r| Box::pin(r.baseline(repository))).await, Some(baseline(repository, 2)));
        let history = read(store, move |r| Box::pin(r.baseline_history(repository, None, 9))).await;
        assert_eq!(history, [baseline(repository, 2), plain.clone()]);
        assert_eq!(read(store, move |r| Box::pin(r.baseline_history(repository, Some(2), 9))).await, [plain]);
        assert_eq!(read(store, |r| Box::pin(r.baseline(id(9)))).await, None);
    });
}

#[test]
fn a_name_is_registered_once_in_an_organisation() {
    Db::each(async |db| {
        let store = db.store();
        let (org, _) = founded(store).await;
        let first = register(store, org, 1, "widgets").await;
        assert_eq!(register(store, org, 2, "widgets").await, first);
        // Another case is another repository; another organisation has its own.
        assert_eq!(register(store, org, 3, "Widgets").await.id, id(3));
        write(store, |tx| Box::pin(async move { tx.insert_organization(&records::organization(2)).await }))
            .await
            .unwrap();
        assert_eq!(register(store, id(2), 4, "widgets").await.id, id(4));
        let missing = write(store, |tx| {
            Box::pin(async move { tx.register_repository(id(5), id(99), &name("widgets"), T0).await })
        });
        assert!(matches!(missing.await, Err(StoreError::Conflict(Constraint::Reference(_)))));
        assert_eq!(write(store, |tx| Box::pin(tx.note_submission(id(99), coverage("1"), T0))).await, Ok(false));
    });
}

#[test]
fn of_many_who_register_at_once_one_makes_the_baseline() {
    Db::each(async |db| {
        let (org, _) = founded(db.store()).await;
        let first_submission = |number| {
            write(db.store(), move |tx| {
                Box::pin(async move {
                    let repository = tx.register_repository(id(number), org, &name("widgets"), T0).await?;
                    let found = tx.baseline(repository.id).await?;
                    if found.is_none() {
                        tx.append_baseline(&baseline(repository.id, 1)).await?;
                    }
                    Ok((repository.id, found.is_none()))
                })
            })
        };
        let outcomes = futures::future::try_join_all((1..=8).map(first_submission)).await.unwrap();
        assert_eq!(outcomes.iter().filter(|(_, made)| *made).count(), 1);
        let widgets = repository(db.store(), org, "widgets").await.unwrap().id;
        assert!(outcomes.iter().all(|(id, _)| *id == widgets));
        assert_eq!(read(db.store(), move |r| Box::pin(r.baseline_history(widgets, None, 9))).await.len(), 1);
    });
}

#[test]
fn lists_go_on_where_they_stopped() {
    Db::each(async |db| {
        let store = db.store();
        let (org, _) = founded(store).await;
        let widgets = register(store, org, 1, "widgets").await;
        let gadgets = register(store, org, 2, "gadgets").await;
        submit(store, execution(&gadgets, 100)).await.unwrap();
        for number in 1..=7 {
            // Three to a moment: the id decides among them.
            let created_at = after(u32::try_from(number).unwrap() / 3);
            submit(store, Execution { created_at, ..execution(&widgets, number) }).await.unwrap();
        }
        let (mut seen, mut place) = (Vec::new(), None);
        loop {
            let page = list(store, widgets.id, place).await;
            let Some(last) = page.last() else { break };
            place = Some((last.created_at, last.id));
            seen.extend(page.into_iter().map(|execution| execution.id));
        }
        assert_eq!(seen, (1..=7).rev().map(id).collect::<Vec<ExecutionId>>());

        for (number, text) in (10..).zip(["Z", "a/b", "a-b", "Ä", "aa"]) {
            register(store, org, number, text).await;
        }
        let (mut names, mut last): (Vec<String>, Option<RepositoryName>) = (Vec::new(), None);
        loop {
            let place = last.clone();
            let page =
                read(store, move |r| Box::pin(async move { r.list_repositories(org, place.as_ref(), 2).await })).await;
            let Some(end) = page.last() else { break };
            last = Some(end.name.clone());
            names.extend(page.iter().map(|repository| repository.name.to_string()));
        }
        assert_eq!(names, ["Z", "a-b", "a/b", "aa", "gadgets", "widgets", "Ä"]);
        assert_eq!(read(store, |r| Box::pin(r.list_repositories(id(9), None, 9))).await, []);
    });
}

#[test]
fn the_published_coverage_is_the_last_one() {
    Db::each(async |db| {
        let store = db.store();
        let (org, _) = founded(store).await;
        let widgets = register(store, org, 1, "widgets").await;
        let look = async |slug: &str, repository: &str, branch: Option<&str>| {
            let (slug, repository) = (Slug::parse(slug).unwrap(), name(repository));
            let branch = branch.map(|branch| BranchName::parse(branch).unwrap());
            read(store, move |r| {
                Box::pin(async move { r.published_coverage(&slug, &repository, branch.as_ref()).await })
            })
            .await
        };
        assert_eq!(look("org-1", "widgets", None).await, None);
        for (number, branch, percent) in [(1, "main", "10"), (2, "dev", "20"), (3, "main", "30"), (4, "dev", "40")] {
            let record = Execution {
                branch: BranchName::parse(branch).unwrap(),
                coverage: coverage(percent),
                created_at: after(u32::try_from(number).unwrap()),
                ..execution(&widgets, number)
            };
            submit(store, record).await.unwrap();
        }
        for (slug, repository, branch, expected) in [
            ("org-1", "widgets", None, Some("40")),
            ("org-1", "widgets", Some("main"), Some("30")),
            ("org-1", "widgets", Some("dev"), Some("40")),
            ("org-1", "widgets", Some("other"), None),
            ("org-1", "gadgets", None, None),
            ("org-2", "widgets", None, None),
            ("org-2", "widgets", Some("main"), None),
        ] {
            assert_eq!(look(slug, repository, branch).await, expected.map(coverage), "{slug} {repository} {branch:?}");
        }
        // The last coverage is still known after the executions are removed.
        assert_eq!(write(store, |tx| Box::pin(tx.delete_executions_before(after(9), 9))).await, Ok(4));
        assert_eq!(look("org-1", "widgets", None).await, Some(coverage("40")));
        assert_eq!(look("org-1", "widgets", Some("main")).await, None);
        write(store, move |tx| Box::pin(tx.set_organization_disabled(org, Some(T0), T0))).await.unwrap();
        assert_eq!(look("org-1", "widgets", None).await, None);
    });
}

#[test]
fn the_oldest_are_forgotten_first_and_with_their_keys() {
    Db::each(async |db| {
        let store = db.store();
        let (org, _) = founded(store).await;
        let [widgets, gadgets] = [register(store, org, 1, "widgets").await, register(store, org, 2, "gadgets").await];
        for number in 1..=6 {
            let of = if number % 3 == 0 { &gadgets } else { &widgets };
            let created_at = after(u32::try_from(number).unwrap());
            submit(store, Execution { created_at, ..execution(of, number) }).await.unwrap();
            let key = key(org, &number.to_string(), number);
            write(store, move |tx| Box::pin(async move { tx.insert_execution_key(&key).await })).await.unwrap();
        }
        let forget = async |before, limit| {
            write(store, move |tx| Box::pin(tx.delete_executions_before(after(before), limit))).await.unwrap()
        };
        let counts = async || {
            let count = async |text| repository(store, org, text).await.unwrap().execution_count;
            (count("widgets").await, count("gadgets").await)
        };
        assert_eq!((forget(1, 10).await, counts().await), (0, (4, 2)));
        assert_eq!((forget(6, 2).await, counts().await), (2, (2, 2)));
        assert_eq!((forget(6, 10).await, counts().await), (3, (0, 1)));
        for number in 1..=6 {
            let text = number.to_string();
            let found =
                read(store, move |r| Box::pin(async move { r.execution_key(org, Principal::System, &text).await }))
                    .await;
            assert_eq!(found.is_some(), number == 6, "{number}");
        }
    });
}

fn key(organization_id: OrganizationId, key: &str, execution: u64) -> ExecutionKey {
    ExecutionKey {
        organization_id,
        principal: Principal::System,
        key: key.to_owned(),
        request_digest: [3; 32],
        execution_id: id(execution),
        created_at: after(u32::try_from(execution).expect("a small number")),
    }
}

#[test]
fn a_key_is_used_once_by_its_caller() {
    Db::each(async |db| {
        let store = db.store();
        let (org, user) = founded(store).await;
        let widgets = register(store, org, 1, "widgets").await;
        for number in 1..=3 {
            submit(store, execution(&widgets, number)).await.unwrap();
        }
        let insert = async |record: ExecutionKey| {
            write(store, move |tx| Box::pin(async move { tx.insert_execution_key(&record).await })).await
        };
        let find = async |principal| read(store, move |r| Box::pin(r.execution_key(org, principal, "k"))).await;
        assert_eq!(insert(key(org, "k", 1)).await, Ok(()));
        assert_eq!(insert(key(org, "k", 2)).await, Err(StoreError::Conflict(Constraint::Submission)));
        assert_eq!(insert(ExecutionKey { principal: Principal::User(user), ..key(org, "k", 2) }).await, Ok(()));
        assert_eq!(find(Principal::System).await, Some(key(org, "k", 1)));
        assert_eq!(find(Principal::Anonymous).await, None);
        let remove =
            async || write(store, move |tx| Box::pin(tx.delete_execution_key(org, Principal::System, "k"))).await;
        assert_eq!((remove().await, remove().await), (Ok(true), Ok(false)));
        assert_eq!(insert(key(org, "k", 3)).await, Ok(()));
        let forget =
            async |before| write(store, move |tx| Box::pin(tx.delete_execution_keys_before(after(before), 10))).await;
        assert_eq!((forget(2).await, forget(3).await, forget(4).await), (Ok(0), Ok(1), Ok(1)));
        let executions = list(store, widgets.id, None).await;
        assert_eq!(executions.len(), 2, "an execution outlives its key");
    });
}

#[test]
fn the_schema_refuses_what_the_domain_would() {
    Db::each(async |db| {
        let store = db.store();
        let (org, _) = founded(store).await;
        let widgets = register(store, org, 1, "widgets").await;
        write(store, |tx| Box::pin(async move { tx.insert_organization(&records::organization(2)).await }))
            .await
            .unwrap();
        let foreign = Execution { organization_id: id(2), ..execution(&widgets, 1) };
        let refused = submit(store, foreign).await;
        assert!(matches!(refused, Err(StoreError::Conflict(Constraint::Reference(_)))), "{refused:?}");
        let twice = async |seq| {
            let record = baseline(widgets.id, seq);
            write(store, move |tx| Box::pin(async move { tx.append_baseline(&record).await })).await
        };
        assert_eq!(twice(1).await, Ok(()));
        assert!(matches!(twice(1).await, Err(StoreError::Conflict(Constraint::Other(_)))));
        assert_eq!(twice(0).await, Err(StoreError::Conflict(Constraint::Check("baselines_seq_range".to_owned()))));
    });
}
