//! Audit trails, the log of changes, idempotency keys, named values.

use crate::run::{founded, read, write};
use storage::model::{AuditHead, AuditRecord, IdempotencyRecord, LogEntry, Principal, Touched};
use storage::{Constraint, StoreError};
use test_support::Db;
use test_support::records::{self, T0, after, id};
use token_domain::id::OrganizationId;

fn event(organization_id: Option<OrganizationId>, head: AuditHead, target: &str) -> AuditRecord {
    let seq = head.seq + 1;
    let mut hash = [0xAB; 32];
    hash[..8].copy_from_slice(&seq.to_be_bytes());
    AuditRecord {
        seq,
        organization_id,
        at: after(u32::try_from(seq).unwrap()),
        action: if seq % 2 == 0 { "token.create" } else { "token.revoke" }.to_owned(),
        actor: if seq % 3 == 0 { Principal::Service } else { Principal::User(id(7)) },
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
            tx.append_audit(&record).await?;
            Ok(record)
        })
    })
    .await
    .unwrap()
}

#[test]
fn a_trail_is_a_chain_of_its_own() {
    Db::each(async |db| {
        let (org, _) = founded(db.store()).await;
        let head = write(db.store(), move |tx| Box::pin(tx.audit_head(Some(org)))).await;
        assert_eq!(head, Ok(AuditHead { seq: 0, hash: [0; 32] }));
        let mut records = Vec::new();
        for number in 0..6 {
            records.push(append(db, Some(org), if number < 4 { "a" } else { "b" }).await);
        }
        let deployment = append(db, None, "").await;
        assert_eq!(deployment.seq, 1, "trails are numbered apart");
        let seqs = |page: &[AuditRecord]| page.iter().map(|record| record.seq).collect::<Vec<_>>();

        let all = read(db.store(), |r| Box::pin(r.audit_page(Some(org), 0, 100, None, None, None))).await;
        assert_eq!(all, records);
        assert!(all.windows(2).all(|pair| pair[1].prev_hash == pair[0].hash));
        let page = read(db.store(), |r| Box::pin(r.audit_page(Some(org), 2, 2, None, None, None))).await;
        assert_eq!(seqs(&page), [3, 4]);
        let page =
            read(db.store(), |r| Box::pin(r.audit_page(Some(org), 0, 9, Some("token.create"), None, None))).await;
        assert_eq!(seqs(&page), [2, 4, 6]);
        let service = Some(Principal::Service);
        let page = read(db.store(), |r| Box::pin(r.audit_page(Some(org), 0, 9, None, service, None))).await;
        assert_eq!(seqs(&page), [3, 6]);
        let page = read(db.store(), |r| Box::pin(r.audit_page(Some(org), 0, 9, None, None, Some("b")))).await;
        assert_eq!(seqs(&page), [5, 6]);
        let page = read(db.store(), |r| Box::pin(r.audit_page(None, 0, 9, None, None, None))).await;
        assert_eq!(page, [deployment]);
    });
}

#[test]
fn an_event_that_does_not_follow_the_last_is_refused() {
    Db::each(async |db| {
        let first = append(db, None, "").await;
        for (seq, prev_hash) in [(1, [0; 32]), (3, first.hash), (2, [1; 32])] {
            let mut record = event(None, AuditHead { seq: seq - 1, hash: prev_hash }, "");
            record.seq = seq;
            let refused = write(db.store(), move |tx| Box::pin(async move { tx.append_audit(&record).await })).await;
            assert!(matches!(refused, Err(StoreError::Broken(_))), "{seq}: {refused:?}");
        }
        let page = read(db.store(), |r| Box::pin(r.audit_page(None, 0, 9, None, None, None))).await;
        assert_eq!(page, [first]);
    });
}

#[test]
fn events_of_many_writers_at_once_form_one_chain() {
    Db::each(async |db| {
        let appends = (0..40).map(|_| append(db, None, ""));
        let mut seqs: Vec<i64> = futures::future::join_all(appends).await.into_iter().map(|r| r.seq).collect();
        seqs.sort_unstable();
        assert_eq!(seqs, (1..=40).collect::<Vec<_>>());
        let page = read(db.store(), |r| Box::pin(r.audit_page(None, 0, 99, None, None, None))).await;
        assert!(page.windows(2).all(|pair| pair[1].prev_hash == pair[0].hash));
    });
}

#[test]
fn the_log_is_numbered_in_order_of_commit() {
    Db::each(async |db| {
        let store = db.store();
        assert_eq!(read(store, |r| Box::pin(r.log_tail())).await, 0);
        assert_eq!(read(store, |r| Box::pin(r.log_start())).await, None);
        let all = [Touched::Token(id(1)), Touched::Organization(id(2)), Touched::Created(id(3))];
        let last = write(store, move |tx| {
            Box::pin(async move {
                assert_eq!(tx.append_log(&[], T0).await?, 0);
                tx.append_log(&all, after(1)).await
            })
        });
        assert_eq!(last.await, Ok(3));
        let entries = read(store, |r| Box::pin(r.log_after(0, 10))).await;
        let expected: Vec<_> = (1..).zip(all).map(|(seq, touched)| LogEntry { seq, touched, at: after(1) }).collect();
        assert_eq!(entries, expected);
        assert_eq!(read(store, |r| Box::pin(r.log_after(1, 1))).await, expected[1..2]);
        assert_eq!(read(store, |r| Box::pin(r.log_after(3, 10))).await, []);

        // A unit that fails takes its numbers back with it: the log has no gaps.
        let failed = write(store, move |tx| {
            Box::pin(async move {
                tx.append_log(&all, after(2)).await?;
                Err::<(), _>(StoreError::Broken("on purpose".to_owned()))
            })
        });
        assert!(failed.await.is_err());
        assert_eq!(read(store, |r| Box::pin(r.log_tail())).await, 3);

        let removed = write(store, move |tx| {
            Box::pin(async move {
                tx.append_log(&[Touched::Token(id(4))], after(0)).await?;
                assert_eq!(tx.delete_log_before(after(1), 10).await?, 0, "the front is not older");
                assert_eq!(tx.delete_log_before(after(2), 2).await?, 2);
                tx.delete_log_before(after(2), 10).await
            })
        });
        assert_eq!(removed.await, Ok(2));
        assert_eq!(read(store, |r| Box::pin(r.log_start())).await, None);
        assert_eq!(read(store, |r| Box::pin(r.log_tail())).await, 4, "numbers are never used again");
    });
}

#[test]
fn no_reader_of_the_log_sees_a_later_entry_before_an_earlier_one() {
    Db::each(async |db| {
        let store = db.store();
        let writes = (0..60_u64).map(|number| {
            write(store, move |tx| {
                Box::pin(async move { tx.append_log(&[Touched::Token(id(number))], T0).await.map(drop) })
            })
        });
        let polls = async {
            let (mut seen, mut applied) = (Vec::new(), 0);
            while seen.len() < 60 {
                let entries = read(store, |r| Box::pin(r.log_after(applied, 7))).await;
                seen.extend(entries.iter().map(|entry| entry.seq));
                applied = seen.last().copied().unwrap_or(0);
                tokio::task::yield_now().await;
            }
            seen
        };
        let (written, seen) = futures::future::join(futures::future::join_all(writes), polls).await;
        assert!(written.iter().all(Result::is_ok));
        assert_eq!(seen, (1..=60).collect::<Vec<_>>());
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
                    tx.insert_token(&records::token(org, number)).await?;
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
