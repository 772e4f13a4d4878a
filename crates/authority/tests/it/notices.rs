//! What people are told about tokens, by a clock that stands still: whom, once, and not too much.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers as well")]

use std::sync::Mutex;

use authority::leaks::Leaks;
use authority::mail::{Composed, Outbox};
use authority::notices::{MailSettings, NoticeSettings};
use authority::records::Token;
use authority::tokens::RotateRequest;
use authority::{MailPolicy, Origin};
use storage::model::AuditFilter;
use test_support::world::{EMAIL, Options, origin};
use test_support::{Db, World};
use token_domain::record::Verified;
use token_domain::text::Email;
use token_domain::token::Lifetime;
use token_domain::{Requirement, Span};

/// A world that sends mail, with an owner whose address is verified; and its outbox.
pub(crate) async fn mailing(db: &Db) -> (World, Outbox) {
    let mut options = Options::default();
    options.policy.mail = Some(MailPolicy { links: "https://tokens.example.org".to_owned(), keep: Span::days(3) });
    let world = World::with(db, options).await;
    verify(&world, Some(Verified { at: world.context.now(), by: None })).await;
    let outbox = Outbox::new(&world.context);
    (world, outbox)
}

/// Says who vouches for the owner's address.
async fn verify(world: &World, verified: Option<Verified>) {
    let (user, now) = (world.owner.user_id().unwrap(), world.context.now());
    let write = world.context.store().write(move |tx| {
        Box::pin(async move { tx.set_email(user, &Email::parse(EMAIL).unwrap(), verified, now).await })
    });
    assert!(write.await.unwrap());
}

/// The mail that is due.
pub(crate) async fn sent(outbox: &Outbox) -> Vec<Composed> {
    let handed = Mutex::new(Vec::new());
    let take = |mail: Composed| {
        handed.lock().unwrap().push(mail);
        async { Ok(()) }
    };
    outbox.send_due(take).await.unwrap();
    handed.into_inner().unwrap()
}

/// The details of the events of an action, the first one first.
pub(crate) async fn events(world: &World, action: &str) -> Vec<serde_json::Value> {
    let chain = AuditFilter::chain(Some(world.owner.organization_id), 0, 1_000);
    let read = world.context.store().read(move |reads| Box::pin(async move { reads.list_audit(&chain).await }));
    let events = read.await.unwrap().into_iter().filter(|event| event.action == action);
    events.map(|event| serde_json::from_str(&event.detail).unwrap()).collect()
}

async fn living(world: &World, days: u32) -> Token {
    world.issue_for(&["read"], Lifetime::For(Span::days(days))).await.token
}

#[test]
fn a_token_is_warned_of_at_each_stage_once_whoever_sweeps() {
    Db::each(async |db| {
        let (world, outbox) = mailing(db).await;
        assert_eq!(world.context.warn_of_expiry().await.unwrap(), 0, "the first round only finds its places");
        let token = living(&world, 60).await;
        for (advance, warned) in [(29, 0), (2, 1), (1, 0), (20, 0), (3, 1), (4, 0), (1, 0)] {
            world.clock.advance(Span::days(advance));
            // Two nodes at once, and one that starts anew and has forgotten nothing.
            let (one, other) = tokio::join!(world.context.warn_of_expiry(), world.context.warn_of_expiry());
            assert_eq!(one.unwrap() + other.unwrap(), warned, "{advance}");
            assert_eq!(world.context.warn_of_expiry().await.unwrap(), 0);
            let mail = sent(&outbox).await;
            assert_eq!(mail.len(), warned, "{mail:?}");
            for mail in mail {
                assert_eq!(mail.to, EMAIL);
                assert!(
                    mail.text.contains(&format!("https://tokens.example.org/tokens/{}\n", token.id)),
                    "{}",
                    mail.text
                );
            }
        }
        let days: Vec<_> =
            events(&world, "token.expiring").await.into_iter().map(|detail| detail["days"].clone()).collect();
        assert_eq!(days, [30, 7]);
    });
}

#[test]
fn a_token_that_lives_no_longer_than_a_stage_is_not_warned_of_at_it() {
    Db::each(async |db| {
        let (world, _) = mailing(db).await;
        world.context.warn_of_expiry().await.unwrap();
        for days in [1, 7, 30] {
            living(&world, days).await;
        }
        let hours = |hours: u32| Span::seconds(hours * 3_600);
        let mut warned = Vec::new();
        for hour in 0..(31 * 24) {
            warned.extend(std::iter::repeat_n(hour / 24, world.context.warn_of_expiry().await.unwrap()));
            world.clock.advance(hours(1));
        }
        // A day before seven days, seven days before thirty, a day before thirty.
        assert_eq!(warned, [6, 23, 29]);
    });
}

#[test]
fn after_an_outage_only_the_shortest_stage_is_told_and_nothing_of_what_ended() {
    Db::each(async |db| {
        let (world, outbox) = mailing(db).await;
        world.context.warn_of_expiry().await.unwrap();
        living(&world, 60).await;
        living(&world, 40).await;
        let revoked = living(&world, 60).await;
        let rotated = living(&world, 60).await;
        world.tokens.revoke(&world.owner, revoked.id, &origin()).await.unwrap();
        let grace = RotateRequest { grace: Some(Span::days(30)), ..RotateRequest::default() };
        world.tokens.rotate(&world.owner, rotated.id, grace, &origin()).await.unwrap();
        world.clock.advance(Span::seconds(60 * 86_400 - 3_600));
        // The first, and the successor of the rotated one.
        assert_eq!(world.context.warn_of_expiry().await.unwrap(), 2);
        let mail = sent(&outbox).await;
        assert_eq!(mail.len(), 1, "one message a person");
        assert_eq!(mail[0].subject, "2 tokens end within a day");
        let days: Vec<_> =
            events(&world, "token.expiring").await.into_iter().map(|detail| detail["days"].clone()).collect();
        assert_eq!(days, [1, 1]);
    });
}

#[test]
fn many_tokens_are_few_messages_with_twenty_names_each() {
    Db::each(async |db| {
        let (world, outbox) = mailing(db).await;
        world.context.warn_of_expiry().await.unwrap();
        for _ in 0..250 {
            living(&world, 60).await;
        }
        world.clock.advance(Span::days(31));
        assert_eq!(world.context.warn_of_expiry().await.unwrap(), 250);
        let mail = sent(&outbox).await;
        assert_eq!(mail.len(), 2, "one for each read");
        assert_eq!(mail[0].subject, "200 tokens end within 30 days");
        assert_eq!(mail[0].text.matches("/tokens/").count(), 20);
        assert!(mail[0].text.contains("And 180 more."), "{}", mail[0].text);
    });
}

#[test]
fn who_switched_mail_off_gets_none_and_the_trail_has_it_anyway() {
    Db::each(async |db| {
        let (world, outbox) = mailing(db).await;
        let settings = NoticeSettings::new(&world.context);
        let all = MailSettings { token_expiring: true, token_new_address: true };
        assert_eq!(settings.get(&world.owner).await.unwrap(), all);
        let some = MailSettings { token_expiring: false, ..all };
        assert_eq!(settings.set(&world.owner, some, &origin()).await.unwrap(), some);
        assert_eq!(settings.get(&world.owner).await.unwrap(), some);
        world.context.warn_of_expiry().await.unwrap();
        living(&world, 60).await;
        world.clock.advance(Span::days(31));
        assert_eq!(world.context.warn_of_expiry().await.unwrap(), 1);
        assert_eq!(sent(&outbox).await, []);
        assert_eq!(events(&world, "token.expiring").await.len(), 1);
        assert_eq!(events(&world, "user.notices.update").await.len(), 1);
    });
}

#[test]
fn a_leak_and_a_reuse_are_told_at_once_at_verified_addresses_alone() {
    Db::each(async |db| {
        let (world, outbox) = mailing(db).await;
        let leaks = Leaks::new(&world.context, &world.validator, 100);
        let leaked = world.issue(&["read"]).await;
        leaks.revoke_found(&[leaked.secret.expose().to_owned()], &origin()).await.unwrap();
        leaks.revoke_found(&[leaked.secret.expose().to_owned()], &origin()).await.unwrap();
        let mail = sent(&outbox).await;
        assert_eq!(mail.len(), 1, "the maker is an owner as well, and is told once");
        assert_eq!((mail[0].to.as_str(), mail[0].subject.as_str()), (EMAIL, "A token leaked and was revoked"));
        assert!(!mail[0].text.contains("nlp_"), "{}", mail[0].text);

        let old = world.issue(&["read"]).await;
        let at_once = RotateRequest { grace: Some(Span::ZERO), ..RotateRequest::default() };
        world.tokens.rotate(&world.owner, old.token.id, at_once, &origin()).await.unwrap();
        for _ in 0..3 {
            assert!(!world.is_live(old.secret.expose()).await);
        }
        world.context.drain().await;
        let mail = sent(&outbox).await;
        assert_eq!(mail.len(), 1, "{mail:?}");
        assert_eq!(mail[0].subject, "A rotated token was used again");
    });
}

#[test]
fn nobody_is_told_at_an_address_that_is_not_verified() {
    Db::each(async |db| {
        let (world, outbox) = mailing(db).await;
        verify(&world, None).await;
        let leaks = Leaks::new(&world.context, &world.validator, 100);
        let leaked = world.issue(&["read"]).await;
        leaks.revoke_found(&[leaked.secret.expose().to_owned()], &origin()).await.unwrap();
        assert_eq!(sent(&outbox).await, []);
        assert_eq!(events(&world, "token.leaked").await.len(), 1);
    });
}

#[test]
fn a_flood_of_leaks_is_no_flood_of_mail() {
    Db::each(async |db| {
        let (world, outbox) = mailing(db).await;
        let leaks = Leaks::new(&world.context, &world.validator, 100);
        let mut secrets = Vec::new();
        for _ in 0..40 {
            secrets.push(world.issue(&["read"]).await.secret.expose().to_owned());
        }
        leaks.revoke_found(&secrets, &origin()).await.unwrap();
        assert_eq!(sent(&outbox).await.len(), 30);
        assert_eq!(events(&world, "token.leaked").await.len(), 40);
    });
}

#[test]
fn ordinary_notices_never_use_up_what_alarms_may_take() {
    Db::each(async |db| {
        let (world, outbox) = mailing(db).await;
        world.context.warn_of_expiry().await.unwrap();
        // One message a day, until a person gets no more of them.
        for _ in 0..40 {
            living(&world, 60).await;
            world.clock.advance(Span::seconds(1));
        }
        let used = async |world: &World, issued: &authority::tokens::Issued, address: &str| {
            let from = Origin { presented_from: Some(address.parse().unwrap()), ..origin() };
            world.validator.validate(issued.secret.expose(), &Requirement::NOTHING, &from).await.unwrap();
            world.validator.flush().await.unwrap();
            world.context.tell_of_new_addresses().await.unwrap()
        };
        let mut told = 0;
        for number in 0..40 {
            let issued = world.issue(&["read"]).await;
            used(&world, &issued, "203.0.113.1").await;
            told += used(&world, &issued, &format!("198.51.100.{number}")).await;
        }
        assert_eq!(told, 40);
        assert_eq!(sent(&outbox).await.len(), 30, "a person has had enough of these");
        let leaked = world.issue(&["read"]).await;
        let leaks = Leaks::new(&world.context, &world.validator, 100);
        leaks.revoke_found(&[leaked.secret.expose().to_owned()], &origin()).await.unwrap();
        let mail = sent(&outbox).await;
        assert_eq!(
            mail.iter().map(|mail| mail.subject.as_str()).collect::<Vec<_>>(),
            ["A token leaked and was revoked"]
        );
    });
}

#[test]
fn a_new_address_is_told_once_a_day_and_the_first_one_never() {
    Db::each(async |db| {
        let (world, outbox) = mailing(db).await;
        let issued = world.issue(&["read"]).await;
        let used = async |address: &str| {
            let from = Origin {
                presented_from: Some(address.parse().unwrap()),
                user_agent: Some("curl/8".to_owned()),
                ..origin()
            };
            world.validator.validate(issued.secret.expose(), &Requirement::NOTHING, &from).await.unwrap();
            world.validator.flush().await.unwrap();
            let (one, other) =
                tokio::join!(world.context.tell_of_new_addresses(), world.context.tell_of_new_addresses());
            one.unwrap() + other.unwrap()
        };
        assert_eq!(used("203.0.113.1").await, 0, "there is none that would be known");
        assert_eq!(used("203.0.113.1").await, 0);
        world.clock.advance(Span::seconds(120));
        assert_eq!(used("203.0.113.2").await, 1);
        let mail = sent(&outbox).await;
        assert_eq!(mail.len(), 1);
        assert!(mail[0].text.contains("From: 203.0.113.2\nClient: “curl/8”\n"), "{}", mail[0].text);
        world.clock.advance(Span::seconds(120));
        assert_eq!(used("203.0.113.1").await + used("203.0.113.2").await, 0, "known");
        assert_eq!(used("203.0.113.3").await, 0, "told of another one today");
        world.clock.advance(Span::days(1));
        assert_eq!(used("203.0.113.4").await, 1);
        let addresses: Vec<_> =
            events(&world, "token.new_address").await.into_iter().map(|detail| detail["address"].clone()).collect();
        assert_eq!(addresses, ["203.0.113.2", "203.0.113.4"]);
    });
}

#[test]
fn without_mail_and_webhooks_no_address_is_noted() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let issued = world.issue(&["read"]).await;
        for address in ["203.0.113.1", "203.0.113.2"] {
            let from = Origin { presented_from: Some(address.parse().unwrap()), ..origin() };
            world.validator.validate(issued.secret.expose(), &Requirement::NOTHING, &from).await.unwrap();
            world.validator.flush().await.unwrap();
        }
        let read =
            world.context.store().read(move |reads| Box::pin(async move { reads.list_address_notices(10).await }));
        assert_eq!(read.await.unwrap(), []);
    });
}
