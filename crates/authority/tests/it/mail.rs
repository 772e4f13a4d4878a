//! The outbox by a clock that stands still: what is kept how long, and what codes are good for.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers as well")]

use std::sync::{Arc, Mutex};

use authority::invitations::{Acceptance, InvitationCode, Invitations};
use authority::mail::{Composed, Outbox, Undelivered};
use authority::organizations::Seat;
use authority::people::PersonError;
use authority::sessions::{Presented, Sessions};
use authority::{Caller, MailPolicy};
use storage::model::AuditFilter;
use test_support::world::{EMAIL, Options, PASSWORD, origin};
use test_support::{Db, World};
use token_domain::Span;
use token_domain::person::{BuiltInRole, RoleRef};
use token_domain::record::Verified;
use token_domain::text::Email;

const GUEST: &str = "guest@example.org";

/// A world that sends mail, its outbox, and its invitations.
async fn mailing(db: &Db) -> (World, Outbox, Invitations, Seat) {
    let mut options = Options::default();
    options.policy.mail = Some(MailPolicy { links: "https://tokens.example.org".to_owned(), keep: Span::days(3) });
    let world = World::with(db, options).await;
    let sessions = Sessions::new(&world.context, &world.validator).expect("password parameters");
    let invitations = Invitations::new(&world.context, &Arc::new(sessions));
    let seat = Seat::of(&world.owner, world.owner.organization_id).expect("their own");
    let outbox = Outbox::new(&world.context);
    (world, outbox, invitations, seat)
}

/// Sends what is due to a server that answers so; what it was handed.
async fn send(outbox: &Outbox, answer: Result<(), Undelivered>) -> Vec<Composed> {
    let handed = Mutex::new(Vec::new());
    let server = |mail: Composed| {
        handed.lock().unwrap().push(mail);
        let answer = answer.clone();
        async move { answer }
    };
    outbox.send_due(server).await.unwrap();
    handed.into_inner().unwrap()
}

fn later() -> Result<(), Undelivered> {
    Err(Undelivered::Later("451 not now".to_owned()))
}

async fn invite(invitations: &Invitations, seat: &Seat) -> InvitationCode {
    let email = Email::parse(GUEST).unwrap();
    let viewer = RoleRef::BuiltIn(BuiltInRole::Viewer);
    invitations.create(seat, email, viewer, &origin()).await.unwrap().1
}

fn code_in(mail: &Composed) -> InvitationCode {
    let begin = mail.text.find("nli_").unwrap();
    InvitationCode::parse(&mail.text[begin..begin + 68]).unwrap()
}

fn acceptance(code: &InvitationCode) -> Acceptance {
    Acceptance { code: code.clone(), name: None, password: Some(PASSWORD.to_owned().into()), caller: None }
}

#[test]
fn each_attempt_has_a_code_of_its_own_and_the_last_one_counts_for_the_whole_deployment() {
    Db::each(async |db| {
        let (world, outbox, invitations, seat) = mailing(db).await;
        invite(&invitations, &seat).await;
        let first = send(&outbox, later()).await.remove(0);
        assert_eq!(send(&outbox, Ok(())).await, [], "it is not due yet");
        world.clock.advance(Span::seconds(5));
        let second = send(&outbox, Ok(())).await.remove(0);
        assert_eq!((second.to.as_str(), &first.message_id), (GUEST, &second.message_id));
        assert!(invitations.accept(acceptance(&code_in(&first)), &origin()).await.is_err(), "replaced");
        let accepted = invitations.accept(acceptance(&code_in(&second)), &origin()).await.unwrap();
        assert_eq!(accepted.standing.user.verified, Some(Verified { at: world.context.now(), by: None }));
        world.clock.advance(Span::days(1));
        assert_eq!(send(&outbox, Ok(())).await, [], "sent is sent");
    });
}

#[test]
fn the_code_of_the_answer_counts_for_the_organisation_alone() {
    Db::each(async |db| {
        let (world, _, invitations, seat) = mailing(db).await;
        let code = invite(&invitations, &seat).await;
        let accepted = invitations.accept(acceptance(&code), &origin()).await.unwrap();
        let by = Some(world.owner.organization_id);
        assert_eq!(accepted.standing.user.verified, Some(Verified { at: world.context.now(), by }));
    });
}

#[test]
fn an_invitation_that_was_withdrawn_is_not_sent() {
    Db::each(async |db| {
        let (_, outbox, invitations, seat) = mailing(db).await;
        invite(&invitations, &seat).await;
        let id = invitations.list(&seat, None, 10).await.unwrap().invitations[0].invitation.id;
        invitations.withdraw(&seat, id, &origin()).await.unwrap();
        assert_eq!(send(&outbox, Ok(())).await, []);
        assert_eq!((outbox.counters().sent(), outbox.counters().dropped(), outbox.counters().waiting()), (0, 0, 0));
    });
}

#[test]
fn what_cannot_be_delivered_is_dropped_when_it_was_kept_as_long_as_configured() {
    Db::each(async |db| {
        let (world, outbox, invitations, seat) = mailing(db).await;
        invite(&invitations, &seat).await;
        let mut attempts: u64 = 0;
        while outbox.counters().dropped() == 0 {
            attempts += u64::try_from(send(&outbox, later()).await.len()).unwrap();
            world.clock.advance(Span::seconds(3_600));
            assert!(attempts < 100, "it is tried for ever");
        }
        // Hourly for three days; the last one would have been tried again too late.
        assert_eq!((attempts, outbox.counters().deferred()), (73, 72));
        assert_eq!(send(&outbox, Ok(())).await, []);
        let trail = AuditFilter::chain(Some(world.owner.organization_id), 0, 100);
        let events =
            db.store().read(move |reads| Box::pin(async move { reads.list_audit(&trail).await })).await.unwrap();
        let dropped = events.iter().find(|event| event.action == "mail.drop").unwrap();
        assert!(dropped.detail.contains("kept too long") && !dropped.detail.contains(GUEST), "{}", dropped.detail);
    });
}

/// The owner, in a session that was just proven.
async fn proven(world: &World) -> Caller {
    let signed_in = world.sessions.sign_in(EMAIL, PASSWORD.to_owned().into(), None, &origin()).await.unwrap();
    world.sessions.authenticate(&Presented::Session(signed_in.token), &origin()).await.unwrap()
}

/// The code in a message to an address that was requested.
fn address_code_in(mail: &Composed) -> String {
    let begin = mail.text.find("nle_").unwrap();
    mail.text[begin..begin + 68].to_owned()
}

#[test]
fn a_code_for_an_address_counts_for_its_person_address_and_day_and_only_the_latest() {
    Db::each(async |db| {
        let (world, outbox, ..) = mailing(db).await;
        let owner = proven(&world).await;
        let ask = async |address: &str| {
            let email = Email::parse(address).unwrap();
            world.people.edit_me(&owner, None, Some(email), &origin()).await.unwrap();
            let mut sent = send(&outbox, Ok(())).await;
            assert_eq!((sent.len(), sent[0].to.as_str()), (1, address));
            address_code_in(&sent.remove(0))
        };
        let verify = async |code: &str| world.people.verify_email(&owner, code, &origin()).await;
        let refused = async |code: &str, why: &str| {
            let refused = verify(code).await;
            assert!(matches!(refused, Err(PersonError::WrongAddressCode)), "{why}: {refused:?}");
        };
        let first = ask("one@example.org").await;
        let again = ask("one@example.org").await;
        refused(&first, "replaced by a later message").await;
        ask("two@example.org").await;
        refused(&again, "of an address that is no longer requested").await;
        let late = ask("three@example.org").await;
        world.clock.advance(Span::days(1));
        let owner = proven(&world).await;
        let verify = async |code: &str| world.people.verify_email(&owner, code, &origin()).await;
        assert!(matches!(verify(&late).await, Err(PersonError::WrongAddressCode)), "a day is over");
        let email = Email::parse("three@example.org").unwrap();
        world.people.edit_me(&owner, None, Some(email), &origin()).await.unwrap();
        let good = address_code_in(&send(&outbox, Ok(())).await.remove(0));
        let me = verify(&good).await.unwrap().standing.user;
        assert_eq!((me.email.as_str(), me.pending_email), ("three@example.org", None));
        assert_eq!(me.verified, Some(Verified { at: world.context.now(), by: None }));
        assert!(matches!(verify(&good).await, Err(PersonError::WrongAddressCode)), "good once");
    });
}

#[test]
fn a_code_for_an_address_that_is_no_longer_requested_is_not_sent() {
    Db::each(async |db| {
        let (world, outbox, ..) = mailing(db).await;
        let owner = proven(&world).await;
        for address in ["one@example.org", "two@example.org"] {
            world.people.edit_me(&owner, None, Some(Email::parse(address).unwrap()), &origin()).await.unwrap();
        }
        let sent = send(&outbox, Ok(())).await;
        assert_eq!(sent.iter().map(|mail| mail.to.as_str()).collect::<Vec<_>>(), ["two@example.org"]);
    });
}

#[test]
fn an_earlier_message_that_waits_replaces_no_code_that_was_delivered() {
    Db::each(async |db| {
        let (world, outbox, ..) = mailing(db).await;
        let owner = proven(&world).await;
        // Longer by its key, which small letters of some languages make it.
        let long = format!("{}@example.org", "\u{130}".repeat(200));
        for address in ["one@example.org", "two@example.org", &long] {
            world.people.edit_me(&owner, None, Some(Email::parse(address).unwrap()), &origin()).await.unwrap();
            if address != long {
                assert_eq!(send(&outbox, later()).await.len(), 1, "{address}");
            }
        }
        let sent = send(&outbox, Ok(())).await;
        assert_eq!(sent.iter().map(|mail| mail.to.as_str()).collect::<Vec<_>>(), [&long]);
        world.clock.advance(Span::seconds(60));
        assert_eq!(send(&outbox, Ok(())).await, [], "the earlier ones were withdrawn");
        let me = world.people.verify_email(&owner, &address_code_in(&sent[0]), &origin()).await.unwrap();
        assert_eq!(me.standing.user.email.as_str(), long);
    });
}

#[test]
fn messages_to_addresses_of_ones_choice_are_few() {
    Db::each(async |db| {
        let (world, ..) = mailing(db).await;
        let owner = proven(&world).await;
        let ask = async |n: usize| {
            let email = Email::parse(&format!("stranger{n}@example.org")).unwrap();
            world.people.edit_me(&owner, None, Some(email), &origin()).await
        };
        for n in 0..5 {
            ask(n).await.unwrap();
        }
        assert!(matches!(ask(5).await, Err(PersonError::TooMany(_))));
        let waiting = db.store().read(|reads| Box::pin(reads.count_mail())).await.unwrap();
        assert_eq!(waiting, 1, "each takes the place of the one before");
        let trail = AuditFilter::chain(Some(world.owner.organization_id), 0, 100);
        let events =
            db.store().read(move |reads| Box::pin(async move { reads.list_audit(&trail).await })).await.unwrap();
        assert!(events.iter().any(|event| event.action == "user.email.limited"));
    });
}

#[test]
fn a_message_under_way_is_nobody_elses_for_a_minute_and_is_sent_again_then() {
    Db::each(async |db| {
        let (world, outbox, invitations, seat) = mailing(db).await;
        invite(&invitations, &seat).await;
        // A node that stops while it sends: its future is dropped.
        let (tell, told) = tokio::sync::oneshot::channel();
        let tell = Mutex::new(Some(tell));
        let hanging = outbox.send_due(|_| {
            tell.lock().unwrap().take().unwrap().send(()).unwrap();
            std::future::pending()
        });
        tokio::select! {
            _ = hanging => panic!("the server took it"),
            taken = told => taken.unwrap(),
        }
        let beside = Outbox::new(&world.context);
        world.clock.advance(Span::seconds(59));
        assert_eq!(send(&beside, Ok(())).await, []);
        world.clock.advance(Span::seconds(1));
        assert_eq!(send(&beside, Ok(())).await.len(), 1);
    });
}
