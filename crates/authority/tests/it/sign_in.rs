//! Signing in: one answer for every reason, the same work for everybody, few guesses at once.

use authority::second_factors::{Evidence, SecondFactorError, SecondFactors};
use authority::sessions::{AuthError, Presented, SignInError, SignedIn};
use authority::{Origin, Refused, Via};
use test_support::world::{EMAIL, FixedClock, PASSWORD, origin};
use test_support::{Db, World};
use token_domain::Span;

async fn sign_in(world: &World, email: &str, password: &str, from: &Origin) -> Result<SignedIn, SignInError> {
    world.sessions.sign_in(email, password.to_owned().into(), None, from).await
}

fn at(address: &str) -> Origin {
    Origin { client_ip: Some(address.parse().expect("an address")), ..origin() }
}

#[test]
fn a_session_belongs_to_its_person_until_it_ends() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let signed_in = sign_in(&world, "  ADA@example.org ", PASSWORD, &origin()).await.unwrap();
        assert_eq!(signed_in.role, "owner");
        let presented = Presented::Session(signed_in.token.clone());
        let caller = world.sessions.authenticate(&presented, &origin()).await.unwrap();
        assert_eq!(Some(signed_in.session.user_id), caller.user_id());
        assert!(matches!(caller.via, Via::Session { session_id, .. } if session_id == signed_in.session.id));
        world.clock.set(signed_in.session.expires_at);
        let late = world.sessions.authenticate(&presented, &origin()).await;
        assert!(matches!(late, Err(AuthError::Invalid)));
        assert_eq!(world.sessions.forget_expired().await.unwrap(), 1);
    });
}

#[test]
fn ending_a_session_ends_it_at_once() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let one = sign_in(&world, EMAIL, PASSWORD, &origin()).await.unwrap();
        let two = sign_in(&world, EMAIL, PASSWORD, &origin()).await.unwrap();
        let user = one.session.user_id;
        // The owner's own, and these two.
        assert_eq!(world.sessions.list(&world.owner).await.unwrap().len(), 3);
        assert!(world.sessions.end(&world.owner, user, one.session.id, &origin()).await.unwrap());
        assert!(!world.sessions.end(&world.owner, user, one.session.id, &origin()).await.unwrap());
        let ended = world.sessions.authenticate(&Presented::Session(one.token), &origin()).await;
        assert!(matches!(ended, Err(AuthError::Invalid)));
        assert!(world.sessions.authenticate(&Presented::Session(two.token), &origin()).await.is_ok());
        assert_eq!(world.sessions.end_all(&world.owner, user, None, &origin()).await.unwrap(), 2);
    });
}

#[test]
fn every_wrong_sign_in_costs_one_hash_and_gets_one_answer() {
    Db::each(async |db| {
        let world = World::new(db).await;
        for (email, password) in [(EMAIL, "wrong wrong wrong"), ("nobody@example.org", PASSWORD)] {
            let before = world.context.lane().runs();
            let refused = sign_in(&world, email, password, &origin()).await;
            assert!(matches!(refused, Err(SignInError::Denied)));
            assert_eq!(world.context.lane().runs() - before, 1, "{email}");
        }
    });
}

#[test]
fn two_hundred_guesses_at_once_run_at_most_ten_hashes() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let from = at("192.0.2.1");
        let before = world.context.lane().runs();
        let guesses = (0..200).map(|_| sign_in(&world, EMAIL, "guess guess guess", &from));
        let outcomes = futures::future::join_all(guesses).await;
        assert!(world.context.lane().runs() - before <= 10);
        assert!(outcomes.iter().filter(|o| matches!(o, Err(SignInError::TooMany(_)))).count() >= 190);
        let owner = sign_in(&world, EMAIL, PASSWORD, &at("198.51.100.7")).await;
        assert!(owner.is_ok(), "the owner is not locked out by a guesser elsewhere");
        world.clock.advance(Span::seconds(3_600));
        assert!(sign_in(&world, EMAIL, PASSWORD, &from).await.is_ok());
    });
}

#[test]
fn a_wait_is_as_long_as_it_is_whatever_is_done_to_the_clock() {
    let steps: [fn(&FixedClock, Span); 2] = [FixedClock::set_ahead, FixedClock::set_back];
    for step in steps {
        Db::each(async |db| {
            let world = World::new(db).await;
            let from = at("192.0.2.1");
            let mut last = Ok(());
            for _ in 0..11 {
                last = sign_in(&world, EMAIL, "guess guess guess", &from).await.map(drop);
            }
            let Err(SignInError::TooMany(told)) = last else { panic!("{last:?}") };
            step(&world.clock, Span::seconds(3_600));
            let after = sign_in(&world, EMAIL, PASSWORD, &from).await.map(drop);
            let Err(SignInError::TooMany(left)) = after else { panic!("{after:?}") };
            assert_eq!(left.retry_after, told.retry_after);
            world.clock.advance(left.retry_after);
            assert!(sign_in(&world, EMAIL, PASSWORD, &from).await.is_ok());
        });
    }
}

#[test]
fn guessers_everywhere_run_few_hashes_and_do_not_shut_the_owner_out() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let home = at("198.51.100.7");
        sign_in(&world, EMAIL, PASSWORD, &home).await.unwrap();
        let before = world.context.lane().runs();
        let addresses: Vec<Origin> = (0..200).map(|n| at(&format!("192.0.2.{n}"))).collect();
        let guesses = addresses.iter().map(|from| sign_in(&world, EMAIL, "guess guess guess", from));
        let (outcomes, owner) =
            futures::future::join(futures::future::join_all(guesses), sign_in(&world, EMAIL, PASSWORD, &home)).await;
        assert!(owner.is_ok(), "from where they signed in before they always get in");
        assert!(world.context.lane().runs() - before <= 10);
        assert!(outcomes.iter().filter(|o| matches!(o, Err(SignInError::TooMany(_)))).count() >= 191);
    });
}

#[test]
fn a_password_that_is_tried_first_or_ones_own_is_not_chosen() {
    Db::each(async |db| {
        use authority::passwords::WeakPassword;
        use authority::people::{NewPassword, PersonError};
        let policy = authority::Policy { password_min_chars: 16, ..test_support::world::Options::default().policy };
        let options = test_support::world::Options { policy, ..test_support::world::Options::default() };
        let world = World::with(db, options).await;
        let here = sign_in(&world, EMAIL, PASSWORD, &origin()).await.unwrap();
        let caller = world.sessions.authenticate(&Presented::Session(here.token), &origin()).await.unwrap();
        let change = async |new: &str| {
            let new = NewPassword::new(new.to_owned().into()).unwrap();
            world.people.change_password(&caller, PASSWORD.to_owned().into(), new, &origin()).await
        };
        assert!(matches!(change(EMAIL).await, Err(PersonError::Weak(WeakPassword::TooShort(16)))), "{EMAIL}");
        assert!(matches!(change("ada@example.org 1").await, Err(PersonError::Weak(WeakPassword::Own))));
        assert!(matches!(change("acme example 1815").await, Err(PersonError::Weak(WeakPassword::Own))));
        assert!(matches!(change("twelve chars").await, Err(PersonError::Weak(WeakPassword::TooShort(16)))));
        change("a password of sixteen").await.unwrap();
    });
}

#[test]
fn guesses_at_the_current_password_are_counted_with_sign_ins() {
    Db::each(async |db| {
        use authority::people::{NewPassword, PersonError};
        let world = World::new(db).await;
        let here = sign_in(&world, EMAIL, PASSWORD, &origin()).await.unwrap();
        let caller = world.sessions.authenticate(&Presented::Session(here.token), &origin()).await.unwrap();
        let mut outcomes = Vec::new();
        for _ in 0..12 {
            let new = NewPassword::new("another long password".to_owned().into()).unwrap();
            outcomes
                .push(world.people.change_password(&caller, "a wrong guess".to_owned().into(), new, &origin()).await);
        }
        assert_eq!(outcomes.iter().filter(|o| matches!(o, Err(PersonError::WrongPassword))).count(), 10);
        assert_eq!(outcomes.iter().filter(|o| matches!(o, Err(PersonError::TooMany(_)))).count(), 2);
    });
}

#[test]
fn a_new_password_ends_the_other_sessions_and_needs_the_old_one() {
    Db::each(async |db| {
        use authority::people::{NewPassword, PersonError};
        let world = World::new(db).await;
        let here = sign_in(&world, EMAIL, PASSWORD, &origin()).await.unwrap();
        let there = sign_in(&world, EMAIL, PASSWORD, &origin()).await.unwrap();
        let caller = world.sessions.authenticate(&Presented::Session(here.token.clone()), &origin()).await.unwrap();
        let new = || NewPassword::new("another long password".to_owned().into()).unwrap();
        let wrong = world.people.change_password(&caller, "not the password".to_owned().into(), new(), &origin()).await;
        assert!(matches!(wrong, Err(PersonError::WrongPassword)));
        world.people.change_password(&caller, PASSWORD.to_owned().into(), new(), &origin()).await.unwrap();
        assert!(world.sessions.authenticate(&Presented::Session(here.token), &origin()).await.is_ok());
        let ended = world.sessions.authenticate(&Presented::Session(there.token), &origin()).await;
        assert!(matches!(ended, Err(AuthError::Invalid)));
        assert!(matches!(sign_in(&world, EMAIL, PASSWORD, &origin()).await, Err(SignInError::Denied)));
        assert!(sign_in(&world, EMAIL, "another long password", &origin()).await.is_ok());
    });
}

#[test]
fn a_proof_is_good_for_its_time_to_the_microsecond() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let factors = SecondFactors::new(&world.context);
        let signed_in = sign_in(&world, EMAIL, PASSWORD, &origin()).await.unwrap();
        let presented = Presented::Session(signed_in.token);
        let caller = world.sessions.authenticate(&presented, &origin()).await.unwrap();
        let fresh = world.context.policy().fresh_proof;
        world.clock.advance(fresh);
        factors.begin(&caller, &origin()).await.unwrap();
        world.clock.advance(Span::micros(1));
        let late = factors.begin(&caller, &origin()).await;
        assert!(matches!(late, Err(SecondFactorError::Refused(Refused::ProofNeeded))), "{late:?}");
        let wrong = Evidence::Password("wrong wrong wrong".to_owned().into());
        let wrong = factors.prove_presence(&caller, wrong, &origin()).await;
        assert!(matches!(wrong, Err(SecondFactorError::WrongPassword)), "{wrong:?}");
        let right = Evidence::Password(PASSWORD.to_owned().into());
        let proven = factors.prove_presence(&caller, right, &origin()).await.unwrap();
        assert_eq!(proven.proven_at, Some(world.context.now()));
        world.clock.advance(fresh);
        factors.begin(&caller, &origin()).await.unwrap();
    });
}
