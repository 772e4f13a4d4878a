//! Known devices: noted by digest, the latest of a person kept, forgotten with the person.

use crate::run::{founded, read, write};
use storage::Store;
use test_support::Db;
use test_support::records::after;
use token_domain::id::UserId;

fn digest(number: u8) -> [u8; 32] {
    [number; 32]
}

async fn note(store: &Store, user: UserId, number: u8, at: u32) {
    let work = write(store, move |tx| Box::pin(async move { tx.note_device(user, &digest(number), after(at)).await }));
    work.await.unwrap();
}

async fn known(store: &Store, number: u8) -> bool {
    read(store, move |r| Box::pin(async move { r.is_known_device(&digest(number)).await })).await
}

#[test]
fn a_device_is_known_once_it_was_noted() {
    Db::each(async |db| {
        let store = db.store();
        let (_, user) = founded(store).await;
        assert!(!known(store, 1).await);
        note(store, user, 1, 10).await;
        note(store, user, 1, 20).await;
        assert!(known(store, 1).await && !known(store, 2).await);
        let forgotten = write(store, |tx| Box::pin(tx.delete_devices_before(after(20), 10))).await;
        assert_eq!(forgotten, Ok(0), "seen again since");
        let forgotten = write(store, |tx| Box::pin(tx.delete_devices_before(after(21), 10))).await;
        assert_eq!(forgotten, Ok(1));
        assert!(!known(store, 1).await);
    });
}

#[test]
fn those_used_last_are_kept() {
    Db::each(async |db| {
        let store = db.store();
        let (_, user) = founded(store).await;
        for number in 0..40 {
            note(store, user, number, u32::from(number)).await;
        }
        assert!(!known(store, 7).await && known(store, 8).await && known(store, 39).await);
        let forgotten = write(store, move |tx| Box::pin(tx.forget_devices(user))).await;
        assert_eq!(forgotten, Ok(32));
    });
}
