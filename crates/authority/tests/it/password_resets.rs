//! Forgotten passwords: what a mailed code is good for, how long, and what a stranger learns from a request.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers as well")]

use std::sync::Mutex;

use authority::MailPolicy;
use authority::env::Clock as _;
use authority::hashing::TotpCode;
use authority::mail::{Composed, Outbox};
use authority::operator::{Operator, Order, PersonAct};
use authority::password_resets::{PasswordResets, ResetError};
use authority::people::NewPassword;
use authority::second_factors::{Proof, SecondFactors};
use authority::sessions::{Presented, SignInError};
use storage::model::AuditFilter;
use test_support::world::{EMAIL, Options, PASSWORD, SeededEntropy, origin};
use test_support::{Db, World};
use token_domain::id::OrganizationId;
use token_domain::record::Verified;
use token_domain::text::Email;
use token_domain::{Span, Timestamp};

const NEW: &str = "an unlikely string of words 7";
const HOUR: Span = Span::seconds(3_600);

struct Ground {
    world: World,
    outbox: Outbox,
    resets: PasswordResets,
}

impl Ground {
    async fn new(db: &Db) -> Self {
        let mut options = Options::default();
        options.policy.mail = Some(MailPolicy { links: "https://tokens.example.org".to_owned(), keep: Span::days(3) });
        let world = World::with(db, options).await;
        let ground = Self { outbox: Outbox::new(&world.context), resets: PasswordResets::new(&world.context), world };
        ground.verify(Some(ground.world.context.now())).await;
        ground
    }

    /// The deployment vouches for the owner's address since then, or nobody does.
    async fn verify(&self, at: Option<Timestamp>) {
        let (user, email) = (self.world.owner.user_id().unwrap(), Email::parse(EMAIL).unwrap());
        let verified = at.map(|at| Verified { at, by: None });
        let now = self.world.context.now();
        let store = self.world.context.store();
        store.write(move |tx| Box::pin(async move { tx.set_email(user, &email, verified, now).await })).await.unwrap();
    }

    async fn request(&self, address: &str) {
        self.resets.request(&Email::parse(address).unwrap(), &origin()).await.unwrap();
    }

    /// Sends what is due.
    async fn sent(&self) -> Vec<Composed> {
        let handed = Mutex::new(Vec::new());
        let server = |mail: Composed| {
            handed.lock().unwrap().push(mail);
            async { Ok(()) }
        };
        self.outbox.send_due(server).await.unwrap();
        handed.into_inner().unwrap()
    }

    /// The code that a request for the owner has mailed.
    async fn code(&self) -> String {
        self.request(EMAIL).await;
        let sent = self.sent().await;
        code_in(sent.iter().find(|mail| mail.text.contains("nlr_")).unwrap())
    }

    async fn confirm(&self, code: &str, password: &str) -> Result<(), ResetError> {
        self.resets.confirm(code, NewPassword::new(password.to_owned().into()).unwrap(), &origin()).await
    }

    async fn is_refused(&self, code: &str, why: &str) {
        let refused = self.confirm(code, NEW).await;
        assert!(matches!(refused, Err(ResetError::InvalidCode)), "{why}: {refused:?}");
    }

    async fn operate(&self, email: &str, act: PersonAct) {
        let email = Email::parse(email).unwrap();
        let order = Order::for_person(&email, act, self.world.context.now(), &SeededEntropy::new(7)).unwrap();
        Operator::new(&self.world.context).carry_out(&order).await.unwrap();
    }

    async fn signs_in(&self, password: &str) -> bool {
        self.world.sessions.sign_in(EMAIL, password.to_owned().into(), None, &origin()).await.is_ok()
    }
}

fn other_password() -> PersonAct {
    let password = NewPassword::new("some other words entirely".to_owned().into()).unwrap();
    let (email, policy) = (Email::parse(EMAIL).unwrap(), Options::default().policy);
    PersonAct::set_password(password, &email, &policy, &SeededEntropy::new(9)).unwrap()
}

fn code_in(mail: &Composed) -> String {
    let begin = mail.text.find("nlr_").unwrap();
    mail.text[begin..begin + 68].to_owned()
}

async fn actions(db: &Db, trail: Option<OrganizationId>) -> Vec<(String, String)> {
    let chain = AuditFilter::chain(trail, 0, 1_000);
    let read = db.store().read(move |reads| Box::pin(async move { reads.list_audit(&chain).await }));
    read.await.unwrap().into_iter().map(|event| (event.action, event.detail)).collect()
}

#[test]
fn a_code_sets_the_password_once_ends_all_sessions_and_is_recorded_where_the_person_belongs() {
    Db::each(async |db| {
        let ground = Ground::new(db).await;
        let world = &ground.world;
        let signed_in = world.sessions.sign_in(EMAIL, PASSWORD.to_owned().into(), None, &origin()).await.unwrap();
        let code = ground.code().await;
        assert!(ground.signs_in(PASSWORD).await, "a request changes nothing");
        ground.confirm(&code, NEW).await.unwrap();
        assert!(ground.signs_in(NEW).await && !ground.signs_in(PASSWORD).await);
        let before = world.sessions.authenticate(&Presented::Session(signed_in.token), &origin()).await;
        assert!(before.is_err(), "a session from before");
        ground.is_refused(&code, "used").await;
        let told: Vec<String> = ground.sent().await.into_iter().map(|mail| mail.subject).collect();
        assert!(told.contains(&"Your password was changed".to_owned()), "{told:?}");
        for trail in [None, Some(world.owner.organization_id)] {
            let events = actions(db, trail).await;
            let reset: Vec<_> = events.iter().filter(|(action, _)| action == "user.password.reset").collect();
            assert_eq!(reset.len(), 1, "{trail:?}: {events:?}");
            assert!(events.iter().all(|(_, detail)| !detail.contains(EMAIL) && !detail.contains("nlr_")));
        }
        let deployment = actions(db, None).await;
        for expected in ["user.password.reset.request", "user.password.reset.denied"] {
            assert!(deployment.iter().any(|(action, _)| action == expected), "{expected}: {deployment:?}");
        }
    });
}

#[test]
fn only_the_latest_code_counts_and_for_an_hour_after_its_request() {
    Db::each(async |db| {
        let ground = Ground::new(db).await;
        let first = ground.code().await;
        let second = ground.code().await;
        ground.is_refused(&first, "replaced by a later message").await;
        ground.world.clock.advance(HOUR);
        ground.is_refused(&second, "an hour is over").await;
        let third = ground.code().await;
        ground.world.clock.advance(Span::seconds(3_599));
        let weak = ground.confirm(&third, "ada@example.org ada").await;
        assert!(matches!(weak, Err(ResetError::Weak(_))), "{weak:?}");
        ground.confirm(&third, NEW).await.unwrap();
    });
}

#[test]
fn a_request_does_and_answers_the_same_for_every_address() {
    Db::each(async |db| {
        let ground = Ground::new(db).await;
        let counters = ground.world.context.store().counters();
        let count = || (counters.reads(), counters.writes());
        let mut work = Vec::new();
        for address in [EMAIL, "nobody@example.org"] {
            let before = count();
            ground.request(address).await;
            let after = count();
            work.push((after.0 - before.0, after.1 - before.1));
        }
        assert_eq!(work, [(0, 1), (0, 1)], "reads and writes");
        let sent = ground.sent().await;
        assert_eq!(sent.iter().map(|mail| mail.to.as_str()).collect::<Vec<_>>(), [EMAIL]);
        let waiting = db.store().read(|reads| Box::pin(reads.count_mail())).await.unwrap();
        assert_eq!(waiting, 0, "nothing stays for an address without an account");
    });
}

#[test]
fn the_message_goes_to_the_address_as_its_person_wrote_it() {
    Db::each(async |db| {
        let ground = Ground::new(db).await;
        ground.request(&EMAIL.to_uppercase()).await;
        let sent = ground.sent().await;
        assert_eq!(sent.iter().map(|mail| mail.to.as_str()).collect::<Vec<_>>(), [EMAIL]);
    });
}

#[test]
fn any_change_of_password_address_or_standing_ends_a_code_and_a_message_that_waits() {
    Db::each(async |db| {
        const ELSEWHERE: &str = "elsewhere@example.org";
        let moved = |email: &str| PersonAct::SetEmail { email: email.to_owned() };
        let changes = [
            ("another password", vec![(EMAIL, other_password())]),
            ("another address and back", vec![(EMAIL, moved(ELSEWHERE)), (ELSEWHERE, moved(EMAIL))]),
            ("off and on again", vec![(EMAIL, PersonAct::Disable), (EMAIL, PersonAct::Enable)]),
            ("the address verified again", vec![(EMAIL, moved(EMAIL))]),
        ];
        for (what, acts) in changes {
            let ground = Ground::new(db).await;
            let code = ground.code().await;
            ground.request(EMAIL).await;
            ground.world.clock.advance(Span::seconds(1));
            for (email, act) in acts {
                ground.operate(email, act).await;
            }
            ground.is_refused(&code, what).await;
            let subjects: Vec<String> = ground.sent().await.into_iter().map(|mail| mail.subject).collect();
            assert!(!subjects.contains(&"Choose a new password".to_owned()), "{what}: {subjects:?}");
        }
    });
}

#[test]
fn an_address_that_the_deployment_does_not_vouch_for_gets_no_code() {
    Db::each(async |db| {
        let ground = Ground::new(db).await;
        let (user, email) = (ground.world.owner.user_id().unwrap(), Email::parse(EMAIL).unwrap());
        let code = ground.code().await;
        let by_organization =
            Some(Verified { at: ground.world.context.now(), by: Some(ground.world.owner.organization_id) });
        for verified in [None, by_organization] {
            let (email, now) = (email.clone(), ground.world.context.now());
            let store = ground.world.context.store();
            let unverified =
                store.write(move |tx| Box::pin(async move { tx.set_email(user, &email, verified, now).await }));
            unverified.await.unwrap();
            ground.is_refused(&code, "verified no more").await;
            ground.request(EMAIL).await;
            assert_eq!(ground.sent().await, [], "{verified:?}");
        }
    });
}

#[test]
fn a_person_who_is_switched_off_or_has_no_password_gets_no_code() {
    Db::each(async |db| {
        let ground = Ground::new(db).await;
        ground.operate(EMAIL, PersonAct::Disable).await;
        ground.request(EMAIL).await;
        assert_eq!(ground.sent().await, []);
        ground.operate(EMAIL, PersonAct::Enable).await;
        let (user, now) = (ground.world.owner.user_id().unwrap(), ground.world.context.now());
        let store = ground.world.context.store();
        store.write(move |tx| Box::pin(async move { tx.set_password(user, None, now).await })).await.unwrap();
        ground.request(EMAIL).await;
        assert_eq!(ground.sent().await, []);
    });
}

#[test]
fn a_message_that_waited_longer_than_its_code_counts_is_not_sent() {
    Db::each(async |db| {
        let ground = Ground::new(db).await;
        ground.request(EMAIL).await;
        ground.world.clock.advance(HOUR);
        assert_eq!(ground.sent().await, []);
    });
}

#[test]
fn a_second_factor_stays_and_is_asked_for() {
    Db::each(async |db| {
        let ground = Ground::new(db).await;
        let world = &ground.world;
        let signed_in = world.sessions.sign_in(EMAIL, PASSWORD.to_owned().into(), None, &origin()).await.unwrap();
        let caller = world.sessions.authenticate(&Presented::Session(signed_in.token), &origin()).await.unwrap();
        let factors = SecondFactors::new(&world.context);
        let secret = factors.begin(&caller, &origin()).await.unwrap().secret;
        let step = || world.clock.wall().as_micros() / Span::seconds(30).as_micros();
        let code = TotpCode::parse(&secret.shown(step())).unwrap();
        factors.confirm(&caller, code, &origin()).await.unwrap();
        let code = ground.code().await;
        ground.confirm(&code, NEW).await.unwrap();
        let alone = world.sessions.sign_in(EMAIL, NEW.to_owned().into(), None, &origin()).await;
        assert!(matches!(alone, Err(SignInError::SecondFactorRequired)), "{alone:?}");
        world.clock.advance(Span::seconds(30));
        let proof = Proof::Code(TotpCode::parse(&secret.shown(step())).unwrap());
        let home = origin();
        let with = world.sessions.sign_in_with(EMAIL, NEW.to_owned().into(), None, Some(&proof), &home);
        with.await.unwrap();
    });
}

#[test]
fn an_address_gets_few_messages_and_its_last_code_stays_good() {
    Db::each(async |db| {
        let ground = Ground::new(db).await;
        for _ in 0..10 {
            ground.request(EMAIL).await;
        }
        let sent = ground.sent().await;
        assert_eq!(sent.len(), 3);
        ground.confirm(&code_in(sent.last().unwrap()), NEW).await.unwrap();
    });
}

#[test]
fn without_mail_nothing_is_requested() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let resets = PasswordResets::new(&world.context);
        let refused = resets.request(&Email::parse(EMAIL).unwrap(), &origin()).await;
        assert!(matches!(refused, Err(ResetError::NoMail)), "{refused:?}");
    });
}

#[test]
fn of_two_uses_of_a_code_at_once_one_counts() {
    Db::each(async |db| {
        let ground = Ground::new(db).await;
        let code = ground.code().await;
        let (one, other) = tokio::join!(ground.confirm(&code, NEW), ground.confirm(&code, "quite another string 8"));
        assert_eq!([one.is_ok(), other.is_ok()].into_iter().filter(|ok| *ok).count(), 1, "{one:?} {other:?}");
    });
}
