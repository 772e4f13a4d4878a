//! Second factors: set up once, asked for at every sign-in, each code good once, guesses few, organisations that insist.

use authority::env::{Clock as _, SystemEntropy};
use authority::hashing::{RecoveryCode, TotpCode, TotpSecret};
use authority::operator::{Operator, OperatorError, Order, PersonAct};
use authority::organizations::{OrganizationChange, OrganizationError, Organizations, Seat, Seen};
use authority::second_factors::{Proof, SecondFactorError, SecondFactors};
use authority::sessions::{AuthError, Presented, SignInError, SignedIn};
use authority::{Caller, Origin};
use storage::model::AuditFilter;
use test_support::world::{EMAIL, Options, PASSWORD, origin};
use test_support::{Db, World};
use token_domain::Span;
use token_domain::person::SecondFactorRule;

/// The length of a time step.
const STEP: Span = Span::seconds(30);

/// A person with an app, at a world's clock.
struct App<'a> {
    world: &'a World,
    factors: SecondFactors,
    secret: TotpSecret,
    recovery: Vec<RecoveryCode>,
    caller: Caller,
}

impl<'a> App<'a> {
    /// The owner, signed in, with a second factor that was just set up.
    async fn set_up(world: &'a World) -> Self {
        let factors = SecondFactors::new(&world.context);
        let caller = caller(world, &sign_in(world, None).await.expect("a session")).await.expect("an answer");
        let secret = factors.begin(&caller, &origin()).await.expect("an answer").secret;
        let recovery = factors.confirm(&caller, code(world, &secret), &origin()).await.expect("an answer");
        Self { world, factors, secret, recovery, caller }
    }

    /// The code the app shows now.
    fn code(&self) -> Proof {
        Proof::Code(code(self.world, &self.secret))
    }

    /// The code of the next step, to which the clock moves on.
    fn next_code(&self) -> Proof {
        self.world.clock.advance(STEP);
        self.code()
    }
}

/// By the machine's clock, as an app has it.
fn step(world: &World) -> i64 {
    world.clock.wall().as_micros() / STEP.as_micros()
}

fn code(world: &World, secret: &TotpSecret) -> TotpCode {
    TotpCode::parse(&secret.shown(step(world))).expect("six digits")
}

/// A code that is none of the three that are right now.
fn wrong_code(world: &World, secret: &TotpSecret) -> Proof {
    let right: Vec<String> = (-1..=1).map(|offset| secret.shown(step(world) + offset)).collect();
    let wrong = (0..4).map(|n| format!("{n:06}")).find(|code| !right.contains(code)).expect("six digits");
    Proof::Code(TotpCode::parse(&wrong).expect("six digits"))
}

/// Has the caller's organisation ask for a second factor, or no longer.
async fn set_rule(world: &World, caller: &Caller, rule: SecondFactorRule) -> Result<Seen, OrganizationError> {
    let seat = Seat::of(caller, caller.organization_id)?;
    let change = OrganizationChange { second_factor: Some(rule), ..OrganizationChange::default() };
    Organizations::new(&world.context).edit(&seat, change, &origin()).await
}

async fn sign_in(world: &World, proof: Option<&Proof>) -> Result<SignedIn, SignInError> {
    world.sessions.sign_in_with(EMAIL, PASSWORD.to_owned().into(), None, proof, &origin()).await
}

async fn caller(world: &World, signed_in: &SignedIn) -> Result<Caller, AuthError> {
    world.sessions.authenticate(&Presented::Session(signed_in.token.clone()), &origin()).await
}

#[test]
fn it_is_asked_for_once_it_is_confirmed() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let factors = SecondFactors::new(&world.context);
        let elsewhere = sign_in(&world, None).await.unwrap();
        let here = caller(&world, &sign_in(&world, None).await.unwrap()).await.unwrap();
        let confirm = async |secret: &TotpSecret| factors.confirm(&here, code(&world, secret), &origin()).await;
        let nothing = TotpSecret::from_random([1; 20]);
        assert!(matches!(confirm(&nothing).await, Err(SecondFactorError::NotSet)));
        let first = factors.begin(&here, &origin()).await.unwrap();
        assert_eq!(first.account.as_str(), EMAIL);
        let second = factors.begin(&here, &origin()).await.unwrap();
        assert!(sign_in(&world, None).await.is_ok(), "begun is not set up");
        assert_eq!(factors.status(&here).await.unwrap().since, None);
        assert!(matches!(confirm(&first.secret).await, Err(SecondFactorError::WrongCode)), "it was begun anew");
        let recovery = confirm(&second.secret).await.unwrap();
        assert_eq!(recovery.len(), 10);
        let status = factors.status(&here).await.unwrap();
        assert_eq!((status.since, status.recovery_codes_left), (Some(world.context.now()), 10));
        assert!(matches!(confirm(&second.secret).await, Err(SecondFactorError::AlreadySet)));
        assert!(matches!(factors.begin(&here, &origin()).await, Err(SecondFactorError::AlreadySet)));

        assert!(matches!(sign_in(&world, None).await, Err(SignInError::SecondFactorRequired)));
        assert!(matches!(caller(&world, &elsewhere).await, Err(AuthError::Invalid)), "other sessions have ended");
        world.clock.advance(STEP);
        let proof = Proof::Code(code(&world, &second.secret));
        assert!(sign_in(&world, Some(&proof)).await.is_ok());
    });
}

#[test]
fn only_the_right_password_learns_that_there_is_one() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let app = App::set_up(&world).await;
        let proof = app.next_code();
        for proof in [None, Some(&proof)] {
            let wrong = "not the password".to_owned();
            let refused = world.sessions.sign_in_with(EMAIL, wrong.into(), None, proof, &origin()).await;
            assert!(matches!(refused, Err(SignInError::Denied)));
        }
        assert!(sign_in(&world, Some(&proof)).await.is_ok(), "a wrong password uses up no code");
    });
}

#[test]
fn a_code_is_good_once_and_at_its_time() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let app = App::set_up(&world).await;
        let confirmed_with = app.code();
        assert!(matches!(sign_in(&world, Some(&confirmed_with)).await, Err(SignInError::WrongCode)), "it was used");
        let next = app.next_code();
        let at_once =
            futures::future::join_all(
                (0..8).map(|_| {
                    let from = Origin { client_ip: None, ..origin() };
                    let next = &next;
                    let world = &world;
                    async move {
                        world.sessions.sign_in_with(EMAIL, PASSWORD.to_owned().into(), None, Some(next), &from).await
                    }
                }),
            );
        let won = at_once.await.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(won, 1, "of several at once one gets in");
        let late = app.next_code();
        world.clock.advance(STEP);
        assert!(sign_in(&world, Some(&late)).await.is_ok(), "one step late is in time");
        let too_late = app.next_code();
        world.clock.advance(Span::seconds(60));
        assert!(matches!(sign_in(&world, Some(&too_late)).await, Err(SignInError::WrongCode)));
    });
}

#[test]
fn codes_go_by_the_clock_as_it_is_after_it_was_a_day_ahead() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let app = App::set_up(&world).await;
        world.clock.set_ahead(Span::days(1));
        world.clock.set_back(Span::days(1));
        assert_eq!(world.context.now().since(world.clock.wall()), Span::days(1), "what has ended stays ended");
        assert!(sign_in(&world, Some(&app.next_code())).await.is_ok());
    });
}

#[test]
fn guesses_at_codes_wait_and_a_recovery_code_gets_past_the_guesser() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let app = App::set_up(&world).await;
        let wrong = wrong_code(&world, &app.secret);
        let mut outcomes = Vec::new();
        for _ in 0..8 {
            outcomes.push(sign_in(&world, Some(&wrong)).await);
        }
        let refused = |outcome: &Result<SignedIn, SignInError>| matches!(outcome, Err(SignInError::TooMany(_)));
        assert_eq!(outcomes.iter().filter(|outcome| refused(outcome)).count(), 3, "five are looked at");
        assert!(refused(&sign_in(&world, Some(&app.next_code())).await) || step(&world) > 0);
        let recovery = Proof::Recovery(app.recovery[0].clone());
        assert!(sign_in(&world, Some(&recovery)).await.is_ok());
        assert!(matches!(sign_in(&world, Some(&recovery)).await, Err(SignInError::WrongCode)), "it is good once");
        assert_eq!(app.factors.status(&app.caller).await.unwrap().recovery_codes_left, 9);
        world.clock.advance(Span::seconds(3_600));
        assert!(sign_in(&world, Some(&app.code())).await.is_ok(), "nobody is shut out for ever");

        let trail = AuditFilter::chain(Some(app.caller.organization_id), 0, 100);
        let read = db.store().read(move |reads| Box::pin(async move { reads.list_audit(&trail).await }));
        let events = read.await.unwrap();
        let denied = events.iter().filter(|event| event.action == "session.create.denied");
        assert_eq!(denied.clone().count(), 6, "five wrong codes, and a recovery code that was spent");
        assert!(denied.clone().all(|event| event.detail.contains("wrong")));
        let last: Vec<&str> =
            events.iter().rev().filter(|e| e.action == "session.create").map(|e| e.detail.as_str()).collect();
        assert!(last[0].contains("\"totp\"") && last[1].contains("\"recovery_code\""), "{last:?}");
    });
}

#[test]
fn recovery_codes_are_made_anew_for_a_code() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let app = App::set_up(&world).await;
        let renew = async |proof: Proof| app.factors.renew_recovery_codes(&app.caller, &proof, &origin()).await;
        let wrong = wrong_code(&world, &app.secret);
        assert!(matches!(renew(wrong).await, Err(SecondFactorError::WrongCode)));
        let anew = renew(app.next_code()).await.unwrap();
        let old = Proof::Recovery(app.recovery[0].clone());
        assert!(matches!(sign_in(&world, Some(&old)).await, Err(SignInError::WrongCode)));
        let after_a_recovery_code = renew(Proof::Recovery(anew[0].clone())).await.unwrap();
        assert_eq!(after_a_recovery_code.len(), 10);
        let old = Proof::Recovery(anew[1].clone());
        assert!(matches!(renew(old).await, Err(SecondFactorError::WrongCode)));
    });
}

#[test]
fn removing_it_takes_password_and_code() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let app = App::set_up(&world).await;
        let remove = async |password: &str, proof: &Proof| {
            app.factors.remove(&app.caller, password.to_owned().into(), proof, &origin()).await
        };
        let proof = app.next_code();
        assert!(matches!(remove("not the password", &proof).await, Err(SecondFactorError::WrongPassword)));
        let wrong = wrong_code(&world, &app.secret);
        assert!(matches!(remove(PASSWORD, &wrong).await, Err(SecondFactorError::WrongCode)));
        let elsewhere = sign_in(&world, Some(&Proof::Recovery(app.recovery[0].clone()))).await.unwrap();
        remove(PASSWORD, &proof).await.unwrap();
        assert!(matches!(caller(&world, &elsewhere).await, Err(AuthError::Invalid)), "other sessions have ended");
        assert!(sign_in(&world, None).await.is_ok());
        assert!(matches!(remove(PASSWORD, &app.next_code()).await, Err(SecondFactorError::NotSet)));
        assert_eq!(app.factors.status(&app.caller).await.unwrap().recovery_codes_left, 0);
    });
}

#[test]
fn an_organisation_that_asks_for_one_lets_nobody_do_more_than_set_it_up() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let factors = SecondFactors::new(&world.context);
        let required = async |caller: &Caller, rule| set_rule(&world, caller, rule).await;
        let plain = caller(&world, &sign_in(&world, None).await.unwrap()).await.unwrap();
        let refused = required(&plain, SecondFactorRule::Required).await;
        assert!(matches!(refused, Err(OrganizationError::OwnSecondFactorMissing)), "nobody shuts themselves out");

        let app = App::set_up(&world).await;
        let changed = required(&app.caller, SecondFactorRule::Required).await.unwrap();
        assert_eq!(changed.organization.second_factor, SecondFactorRule::Required);
        let full = sign_in(&world, Some(&app.next_code())).await.unwrap();
        assert!(!full.lacks_second_factor && caller(&world, &full).await.is_ok());

        // Whoever removes theirs is left with a session for setting up another one.
        let here = caller(&world, &full).await.unwrap();
        factors.remove(&here, PASSWORD.to_owned().into(), &app.next_code(), &origin()).await.unwrap();
        assert!(matches!(caller(&world, &full).await, Err(AuthError::SecondFactorRequired)));
        let confined = sign_in(&world, None).await.unwrap();
        assert!(confined.lacks_second_factor);
        assert!(matches!(caller(&world, &confined).await, Err(AuthError::SecondFactorRequired)));
        let presented = Presented::Session(confined.token.clone());
        let enrolling = world.sessions.authenticate_to_enrol(&presented, &origin()).await.unwrap();
        let secret = factors.begin(&enrolling, &origin()).await.unwrap().secret;
        factors.confirm(&enrolling, code(&world, &secret), &origin()).await.unwrap();
        assert!(caller(&world, &confined).await.is_ok(), "from now on it is good for everything");

        required(&enrolling, SecondFactorRule::Optional).await.unwrap();
        world.clock.advance(STEP);
        let proof = Proof::Code(code(&world, &secret));
        factors.remove(&enrolling, PASSWORD.to_owned().into(), &proof, &origin()).await.unwrap();
        assert!(!sign_in(&world, None).await.unwrap().lacks_second_factor);
    });
}

#[test]
fn who_operates_the_deployment_can_take_one_away() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let app = App::set_up(&world).await;
        let signed_in = sign_in(&world, Some(&app.next_code())).await.unwrap();
        let operator = Operator::new(&world.context);
        let reset = |text: &str| {
            let email = token_domain::text::Email::parse(text).unwrap();
            Order::for_person(&email, PersonAct::ResetSecondFactor, world.context.now(), &SystemEntropy).unwrap()
        };
        let nobody = operator.carry_out(&reset("nobody@example.org")).await;
        assert!(matches!(nobody, Err(OperatorError::NoSuchPerson)));
        let done = operator.carry_out(&reset("ADA@example.org")).await.ok();
        assert_eq!(done, app.caller.user_id().map(|id| id.to_string()));
        assert!(matches!(caller(&world, &signed_in).await, Err(AuthError::Invalid)), "their sessions have ended");
        assert!(sign_in(&world, None).await.is_ok());
        assert!(matches!(operator.carry_out(&reset(EMAIL)).await, Err(OperatorError::NoSecondFactor)));
        let chain = AuditFilter::chain(None, 0, 100);
        let read = db.store().read(move |reads| Box::pin(async move { reads.list_audit(&chain).await }));
        assert_eq!(read.await.unwrap().last().unwrap().action, "user.second_factor.reset");
    });
}

#[test]
fn no_key_sets_one_up() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let token = world.issue(&["admin"]).await;
        let presented = Presented::Token(token.secret.clone());
        let key = world.sessions.authenticate(&presented, &origin()).await.unwrap();
        let factors = SecondFactors::new(&world.context);
        assert!(matches!(factors.begin(&key, &origin()).await, Err(SecondFactorError::NotSignedIn)));
        assert!(matches!(factors.status(&key).await, Err(SecondFactorError::NotSignedIn)));
        // It may ask for one all the same: there is nobody behind it to shut out.
        assert!(set_rule(&world, &key, SecondFactorRule::Required).await.is_ok());
    });
}

#[test]
fn the_secret_is_sealed_and_moves_to_a_new_key_when_it_is_used() {
    Db::each(async |db| {
        let first = [7; 32];
        let second = [8; 32];
        let world = World::new(db).await;
        let app = App::set_up(&world).await;
        let user = app.caller.user_id().unwrap();
        let stored = async || {
            let found = db.store().read(move |reads| Box::pin(reads.second_factor(user))).await;
            found.unwrap().unwrap().sealed_secret
        };
        let before = stored().await;
        assert!(!before.windows(20).any(|window| window == app.secret.expose()), "it is not there in the clear");

        let restarted =
            |tag_key, previous_keys| World::with(db, Options { tag_key, previous_keys, ..Options::default() });
        let world = restarted(second, vec![first]).await;
        world.clock.set(app.world.context.now() + STEP);
        let proof = Proof::Code(code(&world, &app.secret));
        assert!(sign_in(&world, Some(&proof)).await.is_ok());
        let after = stored().await;
        assert_ne!(before, after);

        // From now on the old key is not needed; without the new one codes cannot be checked, and recovery codes can.
        let world = restarted(second, Vec::new()).await;
        world.clock.set(app.world.context.now() + STEP + STEP);
        let proof = Proof::Code(code(&world, &app.secret));
        assert!(sign_in(&world, Some(&proof)).await.is_ok());
        let world = restarted(first, Vec::new()).await;
        world.clock.set(app.world.context.now() + STEP + STEP + STEP);
        let proof = Proof::Code(code(&world, &app.secret));
        assert!(matches!(sign_in(&world, Some(&proof)).await, Err(SignInError::Failed(_))));
        let recovery = Proof::Recovery(app.recovery[0].clone());
        assert!(sign_in(&world, Some(&recovery)).await.is_ok());
    });
}
