//! Audit trails, the log of changes, idempotency keys, named values.

use crate::run::{founded, read, write};
use crate::sql::Sql;
use storage::model::{AuditFilter, IdempotencyRecord, LogPlace, Touched};
use storage::{Constraint, StoreError};
use test_support::records::{self, T0, after, id};
use test_support::{Backend, Db};
use token_domain::access::Direction;
use token_domain::id::{OrganizationId, kind};
use token_domain::record::{AuditHead, AuditRecord, Principal};
use token_domain::{Span, Timestamp};

pub(crate) fn event(organization_id: Option<OrganizationId>, head: AuditHead, target: &str) -> AuditRecord {
    let seq = head.seq + 1;
    let mut hash = [0xAB; 32];
    hash[..8].copy_from_slice(&seq.to_be_bytes());
    AuditRecord {
        seq,
        organization_id,
        at: after(u32::try_from(seq).unwrap()),
        action: if seq % 2 == 0 { "token.create" } else { "token.revoke" }.to_owned(),
        actor: if seq % 3 == 0 { Principal::Service } else { Principal::User(id(7)) }.to_string(),
        target_kind: "token".to_owned(),
        target_id: target.to_owned(),
        request_id: format!("request-{seq}"),
        detail: r#"{"name":"ü"}"#.to_owned(),
        prev_hash: head.hash,
        hash,
    }
}

async fn append(db: &Db, organization: Option<OrganizationId>, target: &'static str) -> AuditRecord {
    write(db.store(), move |tx| {
        Box::pin(async move {
            let record = event(organization, tx.audit_head(organization).await?, target);
            tx.append_audit(record.clone()).await?;
            Ok(record)
        })
    })
    .await
    .unwrap()
}

async fn list(db: &Db, filter: AuditFilter) -> Vec<AuditRecord> {
    read(db.store(), move |r| Box::pin(async move { r.list_audit(&filter).await })).await
}

#[test]
fn a_trail_is_a_chain_of_its_own() {
    Db::each(async |db| {
        let (org, _) = founded(db.store()).await;
        let empty = AuditHead { seq: 0, hash: [0; 32], at: Timestamp::EPOCH, has_webhooks: false };
        assert_eq!(read(db.store(), |r| Box::pin(r.audit_end(Some(org)))).await, None);
        let head = write(db.store(), move |tx| Box::pin(tx.audit_head(Some(org)))).await;
        assert_eq!(head, Ok(empty));
        let mut records = Vec::new();
        for number in 0..6 {
            records.push(append(db, Some(org), if number < 4 { "a" } else { "b" }).await);
        }
        let deployment = append(db, None, "").await;
        assert_eq!(deployment.seq, 1, "trails are numbered apart");
        assert_eq!(list(db, AuditFilter::chain(Some(org), 0, 100)).await, records);
        assert!(records.windows(2).all(|pair| pair[1].prev_hash == pair[0].hash));
        assert_eq!(list(db, AuditFilter::chain(None, 0, 9)).await, [deployment]);
        let last = AuditHead { seq: 6, hash: records[5].hash, at: records[5].at, has_webhooks: false };
        assert_eq!(read(db.store(), |r| Box::pin(r.audit_end(Some(org)))).await, Some(last));
        let mut trails = read(db.store(), |r| Box::pin(r.audit_trails())).await;
        trails.sort_by_key(Option::is_some);
        assert_eq!(trails, [None, Some(org)]);
        let since = async |moment| read(db.store(), move |r| Box::pin(r.trails_since(moment))).await;
        assert_eq!(since(records[5].at).await, [Some(org)], "the deployment's one event is older");
        assert_eq!(since(records[5].at + Span::micros(1)).await, []);
        let asked: Vec<i64> = (0..1_200).rev().collect();
        let hashes = read(db.store(), move |r| Box::pin(async move { r.hashes_of_events(Some(org), &asked).await }));
        let mut hashes = hashes.await;
        hashes.sort();
        let expected: Vec<(i64, Vec<u8>)> = records.iter().map(|record| (record.seq, record.hash.to_vec())).collect();
        assert_eq!(hashes, expected);
    });
}

#[test]
fn a_trail_is_narrowed_by_everything_it_is_asked_for() {
    Db::each(async |db| {
        let (org, _) = founded(db.store()).await;
        for number in 0..6 {
            append(db, Some(org), if number < 4 { "a" } else { "b" }).await;
        }
        // Event n is of second n; even ones are creations, every third is the front end's, the last two are on "b".
        let all = || AuditFilter::chain(Some(org), 0, 100);
        let newest = || AuditFilter { direction: Direction::Descending, after: None, ..all() };
        let user = Some(Principal::User(id(7)));
        let created = Some("token.create".to_owned());
        let on_b = Some("b".to_owned());
        let rows: [(AuditFilter, &[i64]); 22] = [
            (all(), &[1, 2, 3, 4, 5, 6]),
            (AuditFilter { after: None, ..all() }, &[1, 2, 3, 4, 5, 6]),
            (AuditFilter { after: Some(2), limit: 2, ..all() }, &[3, 4]),
            (AuditFilter { after: Some(6), ..all() }, &[]),
            (newest(), &[6, 5, 4, 3, 2, 1]),
            (AuditFilter { after: Some(4), limit: 2, ..newest() }, &[3, 2]),
            (AuditFilter { after: Some(2), up_to: Some(4), ..all() }, &[3, 4]),
            (AuditFilter { after: Some(4), up_to: Some(2), ..newest() }, &[3, 2]),
            (AuditFilter { action: created.clone(), ..all() }, &[2, 4, 6]),
            (AuditFilter { action: created.clone(), after: Some(6), ..newest() }, &[4, 2]),
            (AuditFilter { action: Some("token".to_owned()), ..all() }, &[]),
            (AuditFilter { actor: Some(Principal::Service), ..all() }, &[3, 6]),
            (AuditFilter { actor: user, limit: 2, ..newest() }, &[5, 4]),
            (AuditFilter { actor: Some(Principal::Token(id(7))), ..all() }, &[]),
            (AuditFilter { target_id: on_b.clone(), ..all() }, &[5, 6]),
            (AuditFilter { target_id: on_b, action: created, actor: Some(Principal::Service), ..all() }, &[6]),
            (AuditFilter { from: Some(after(3)), ..all() }, &[3, 4, 5, 6]),
            (AuditFilter { from: Some(after(3) + Span::micros(1)), ..all() }, &[4, 5, 6]),
            (AuditFilter { until: Some(after(3)), ..newest() }, &[2, 1]),
            (AuditFilter { from: Some(after(2)), until: Some(after(5)), ..all() }, &[2, 3, 4]),
            (AuditFilter { from: Some(after(7)), ..all() }, &[]),
            (AuditFilter { from: Some(after(5)), until: Some(after(2)), ..all() }, &[]),
        ];
        for (filter, expected) in rows {
            let asked = format!("{filter:?}");
            let seqs: Vec<i64> = list(db, filter).await.iter().map(|record| record.seq).collect();
            assert_eq!(seqs, expected, "{asked}");
        }
    });
}

#[test]
fn an_event_that_does_not_follow_the_last_is_refused() {
    Db::each(async |db| {
        let first = append(db, None, "").await;
        for (seq, prev_hash) in [(1, [0; 32]), (3, first.hash), (2, [1; 32])] {
            let mut record = event(None, AuditHead { seq: seq - 1, hash: prev_hash, at: T0, has_webhooks: false }, "");
            record.seq = seq;
            let refused = write(db.store(), move |tx| Box::pin(async move { tx.append_audit(record).await })).await;
            assert!(matches!(refused, Err(StoreError::Broken(_))), "{seq}: {refused:?}");
        }
        assert_eq!(list(db, AuditFilter::chain(None, 0, 9)).await, [first]);
    });
}

#[test]
fn events_of_many_writers_at_once_form_one_chain() {
    Db::each(async |db| {
        let appends = (0..40).map(|_| append(db, None, ""));
        let mut seqs: Vec<i64> = futures::future::join_all(appends).await.into_iter().map(|r| r.seq).collect();
        seqs.sort_unstable();
        assert_eq!(seqs, (1..=40).collect::<Vec<_>>());
        let page = list(db, AuditFilter::chain(None, 0, 99)).await;
        assert!(page.windows(2).all(|pair| pair[1].prev_hash == pair[0].hash));
    });
}

/// The shard of what touches token 1 first.
pub(crate) fn shard(db: &Db) -> i16 {
    match db.backend() {
        Backend::Sqlite => 0,
        Backend::PostgreSql => i16::from(id::<kind::Token>(1).uuid().into_bytes()[15] % 64),
    }
}

/// Entries of a shard after a number: number, kind and id.
async fn log_after(sql: &mut Sql, shard: i16, seq: usize) -> Vec<String> {
    let id = match sql {
        Sql::Sqlite(_) => "lower(hex(touched_id))",
        Sql::PostgreSql(_) => "replace(touched_id::text, '-', '')",
    };
    let entry = format!("seq || ' ' || touched || ' ' || {id} AS line");
    sql.lines(&format!("SELECT {entry} FROM revocation_log WHERE shard = {shard} AND seq > {seq} ORDER BY seq")).await
}

#[test]
fn the_log_is_numbered_in_order_of_commit() {
    Db::each(async |db| {
        let (store, shard) = (db.store(), shard(db));
        let mut sql = Sql::connect(db.url()).await;
        assert_eq!(read(store, move |r| Box::pin(r.log_tail(shard))).await, 0);
        let all = [Touched::Token(id(1)), Touched::Organization(id(2)), Touched::Created(id(3))];
        let last = write(store, move |tx| {
            Box::pin(async move {
                assert_eq!(tx.append_log(Vec::new(), T0).await?.place(), None);
                assert_eq!(tx.log_tail(shard).await?, 0);
                let logged = tx.append_log(all.to_vec(), after(1)).await?;
                Ok((tx.log_tail(shard).await?, logged))
            })
        });
        let (last, logged) = last.await.unwrap();
        assert_eq!(last, 3);
        assert_eq!(logged.place(), Some(LogPlace { shard, seq: 3 }));
        let expected = [(1, "token"), (2, "organization"), (3, "created")];
        assert_eq!(
            log_after(&mut sql, shard, 0).await,
            expected
                .map(|(number, touched)| format!("{number} {touched} {}", id::<kind::Token>(number).uuid().simple()))
        );

        // A unit that fails takes its numbers back with it: the log has no gaps.
        let failed = write(store, move |tx| {
            Box::pin(async move {
                tx.append_log(all.to_vec(), after(2)).await?;
                Err::<(), _>(StoreError::Broken("on purpose".to_owned()))
            })
        });
        assert!(failed.await.is_err());
        assert_eq!(read(store, move |r| Box::pin(r.log_tail(shard))).await, 3);

        let removed = write(store, move |tx| {
            Box::pin(async move {
                tx.append_log(vec![Touched::Token(id(1))], after(0)).await?;
                assert_eq!(tx.delete_log_before(after(1), 10).await?, 0, "the front is not older");
                assert_eq!(tx.delete_log_before(after(2), 2).await?, 2);
                tx.delete_log_before(after(2), 10).await
            })
        });
        assert_eq!(removed.await, Ok(2));
        assert_eq!(log_after(&mut sql, shard, 0).await, [] as [&str; 0]);
        assert_eq!(read(store, move |r| Box::pin(r.log_tail(shard))).await, 4, "numbers are never used again");
    });
}

#[test]
fn old_entries_of_every_shard_are_forgotten_up_to_a_limit() {
    Db::each(async |db| {
        let store = db.store();
        for number in 1..=40 {
            let touched = vec![Touched::Token(id(number)), Touched::Created(id(number))];
            write(store, move |tx| Box::pin(async move { tx.append_log(touched, T0).await.map(drop) })).await.unwrap();
        }
        let forget = |limit| write(store, move |tx| Box::pin(tx.delete_log_before(after(1), limit)));
        assert_eq!(forget(50).await, Ok(50));
        assert_eq!(forget(50).await, Ok(30));
        assert_eq!(forget(50).await, Ok(0));
    });
}

#[test]
fn no_reader_of_the_log_sees_a_later_entry_before_an_earlier_one() {
    Db::each(async |db| {
        let (store, shard) = (db.store(), shard(db));
        let writes = (0..60_u64).map(|number| {
            let touched = vec![Touched::Token(id(1)), Touched::Token(id(number))];
            write(store, move |tx| Box::pin(async move { tx.append_log(touched, T0).await.map(drop) }))
        });
        let polls = async {
            let mut sql = Sql::connect(db.url()).await;
            let mut seen: Vec<usize> = Vec::new();
            while seen.len() < 120 {
                let entries = log_after(&mut sql, shard, seen.last().copied().unwrap_or(0)).await;
                seen.extend(entries.iter().map(|entry| entry.split(' ').next().unwrap().parse::<usize>().unwrap()));
                tokio::task::yield_now().await;
            }
            seen
        };
        let (written, seen) = futures::future::join(futures::future::join_all(writes), polls).await;
        assert!(written.iter().all(Result::is_ok));
        assert_eq!(seen, (1..=120).collect::<Vec<_>>());
    });
}

#[test]
fn a_key_is_remembered_per_caller_and_operation() {
    Db::each(async |db| {
        let store = db.store();
        let (org, user) = founded(store).await;
        let record = |number: u32, key: &str| IdempotencyRecord {
            organization_id: org,
            principal: Principal::User(user),
            operation: "tokens.create".to_owned(),
            key: key.to_owned(),
            request_digest: [3; 32],
            token_id: id(u64::from(number)),
            created_at: after(number),
        };
        let records: Vec<_> = (1..=5).map(|number| record(number, &format!("key-{number}"))).collect();
        let copies = records.clone();
        write(store, move |tx| {
            Box::pin(async move {
                for (number, record) in (1..).zip(&copies) {
                    tx.insert_token(&records::kept(records::token(org, number))).await?;
                    tx.insert_idempotency(record).await?;
                }
                Ok(())
            })
        })
        .await
        .unwrap();
        let find =
            |principal, operation, key| read(store, move |r| Box::pin(r.idempotency(org, principal, operation, key)));
        assert_eq!(find(Principal::User(user), "tokens.create", "key-1").await.as_ref(), Some(&records[0]));
        assert_eq!(find(Principal::Service, "tokens.create", "key-1").await, None);
        assert_eq!(find(Principal::User(user), "tokens.rotate", "key-1").await, None);
        assert_eq!(find(Principal::User(user), "tokens.create", "key-9").await, None);

        let again = record(2, "key-1");
        let refused = write(store, move |tx| Box::pin(async move { tx.insert_idempotency(&again).await })).await;
        assert_eq!(refused, Err(StoreError::Conflict(Constraint::Idempotency)));

        let forgotten = write(store, move |tx| {
            Box::pin(async move {
                let few = tx.delete_idempotency_before(after(5), 2).await?;
                Ok((few, tx.delete_idempotency_before(after(5), 100).await?))
            })
        });
        assert_eq!(forgotten.await, Ok((2, 2)));
        assert_eq!(find(Principal::User(user), "tokens.create", "key-2").await, None);
        assert!(find(Principal::User(user), "tokens.create", "key-5").await.is_some());
    });
}

#[test]
fn named_values_are_set_and_claimed_once() {
    Db::each(async |db| {
        let store = db.store();
        assert_eq!(read(store, |r| Box::pin(r.meta_get("set_up"))).await, None);
        let claims = (0..8).map(|number| {
            write(store, move |tx| Box::pin(async move { tx.meta_insert("set_up", &number.to_string()).await }))
        });
        let won = futures::future::join_all(claims).await.into_iter().filter(|claim| *claim == Ok(true)).count();
        assert_eq!(won, 1);
        let changed = write(store, |tx| {
            Box::pin(async move {
                tx.meta_set("set_up", "a").await?;
                tx.meta_set("set_up", "b").await?;
                tx.meta_get("set_up").await
            })
        });
        assert_eq!(changed.await, Ok(Some("b".to_owned())));
    });
}
