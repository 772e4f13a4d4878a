//! Mail that waits: taken by one at a time, given back, and the codes of invitations that were mailed.

use crate::run::{founded, read, write};
use storage::model::QueuedMail;
use test_support::Db;
use test_support::records::{after, id};
use token_domain::id::MailId;

fn message(number: u64, due: u32) -> QueuedMail {
    QueuedMail {
        id: id(number),
        organization_id: None,
        recipient: "ada@example.org".to_owned(),
        letter: "{}".to_owned(),
        attempts: 0,
        created_at: after(due),
        due_at: after(due),
    }
}

#[test]
fn a_message_is_taken_by_one_until_the_moment_named_and_the_one_due_first_goes_first() {
    Db::each(async |db| {
        let store = db.store();
        founded(store).await;
        let (late, early) = (message(901, 20), message(902, 10));
        let records = [late.clone(), early.clone()];
        let queued = write(store, move |tx| {
            Box::pin(async move {
                for record in &records {
                    tx.queue_mail(record).await?;
                }
                Ok(())
            })
        });
        queued.await.unwrap();
        let claim =
            async |now, until| write(store, move |tx| Box::pin(tx.claim_mail(after(now), after(until)))).await.unwrap();
        assert_eq!(claim(9, 100).await, None, "nothing is due");
        let taken = claim(20, 100).await.unwrap();
        assert_eq!(taken, QueuedMail { attempts: 1, due_at: after(100), ..early.clone() });
        assert_eq!(claim(20, 100).await.map(|mail| mail.id), Some(late.id));
        assert_eq!(claim(99, 200).await, None, "both are taken");
        let defer = async |id: MailId, attempts| {
            write(store, move |tx| Box::pin(tx.defer_mail(id, attempts, after(50)))).await.unwrap()
        };
        assert!(!defer(early.id, 2).await, "of another attempt");
        assert!(defer(early.id, 1).await);
        assert_eq!(claim(50, 200).await.map(|mail| (mail.id, mail.attempts)), Some((early.id, 2)));
        assert_eq!(claim(100, 200).await.map(|mail| mail.id), Some(late.id), "whoever had it did not come back");
        let id = early.id;
        for there in [true, false] {
            assert_eq!(write(store, move |tx| Box::pin(tx.delete_mail(id))).await, Ok(there));
        }
        assert_eq!(read(store, |reads| Box::pin(reads.count_mail())).await, 1);
    });
}
