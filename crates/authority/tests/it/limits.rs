//! Limits on strangers: who is held, who never is, and what the trail says of it.

use authority::env::random;
use authority::hashing::Argon2Params;
use authority::records::TokenDetails;
use authority::sessions::{SignInError, SignedIn};
use authority::tokens::{KeyRequest, RotateRequest, TokenError};
use authority::{Origin, Policy};
use serde_json::Value;
use storage::model::AuditFilter;
use test_support::world::{EMAIL, Options, PASSWORD, origin};
use test_support::{Db, World};
use token_domain::Span;
use token_domain::id::OrganizationId;
use token_domain::record::AuditRecord;
use token_domain::text::{AgentType, Name};
use token_domain::token::{GraceMode, Lifetime};

async fn sign_in(world: &World, email: &str, password: &str, from: &Origin) -> Result<SignedIn, SignInError> {
    world.sessions.sign_in(email, password.to_owned().into(), None, from).await
}

fn at(address: &str, agent: &str) -> Origin {
    Origin { client_ip: Some(address.parse().expect("an address")), user_agent: Some(agent.to_owned()), ..origin() }
}

async fn events(db: &Db, organization: Option<OrganizationId>) -> Vec<AuditRecord> {
    let chain = AuditFilter::chain(organization, 0, 1_000);
    let page = db.store().read(move |reads| Box::pin(async move { reads.list_audit(&chain).await }));
    page.await.expect("the trail")
}

async fn events_of(db: &Db, organization: Option<OrganizationId>, action: &str) -> Vec<Value> {
    let all = events(db, organization).await;
    let wanted = all.into_iter().filter(|event| event.action == action);
    wanted.map(|event| serde_json::from_str(&event.detail).expect("an object")).collect()
}

#[test]
fn behind_one_address_a_known_person_with_the_right_password_gets_in() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let home = at("192.0.2.1", "browser");
        sign_in(&world, EMAIL, PASSWORD, &home).await.unwrap();
        let guesser = at("192.0.2.1", "guesser");
        for number in 0..101 {
            let refused = sign_in(&world, &format!("user{number}@example.org"), "x", &guesser).await;
            assert!(refused.is_err());
        }
        let held = sign_in(&world, "ada.b@example.org", "x", &guesser).await;
        assert!(matches!(held, Err(SignInError::TooMany(_))), "{held:?}");
        sign_in(&world, EMAIL, PASSWORD, &home).await.expect("a known device is nobody's stranger");
        // Also when the guesses are at this very account.
        for _ in 0..50 {
            assert!(sign_in(&world, EMAIL, "x", &at("192.0.2.9", "guesser")).await.is_err());
        }
        sign_in(&world, EMAIL, PASSWORD, &home).await.unwrap();
    });
}

#[test]
fn known_devices_survive_a_restart() {
    Db::each(async |db| {
        let home = at("192.0.2.1", "browser");
        {
            let world = World::new(db).await;
            sign_in(&world, EMAIL, PASSWORD, &home).await.unwrap();
        }
        let world = World::new(db).await;
        // All the places for strangers at this account are taken, and its bound is reached.
        for number in 0..32 {
            for _ in 0..10 {
                let _ =
                    sign_in(&world, EMAIL, "wrong wrong wrong", &at(&format!("198.51.100.{number}"), "guesser")).await;
            }
        }
        let stranger = sign_in(&world, EMAIL, PASSWORD, &at("203.0.113.1", "browser")).await;
        assert!(matches!(stranger, Err(SignInError::TooMany(_))), "{stranger:?}");
        sign_in(&world, EMAIL, PASSWORD, &home).await.expect("known from before the restart");
        let alarms = events_of(db, None, "session.create.alarm").await;
        assert_eq!(alarms.len(), 1, "{alarms:?}");
    });
}

#[test]
fn a_new_password_makes_strangers_of_all_devices() {
    Db::each(async |db| {
        use authority::people::NewPassword;
        use authority::sessions::Presented;
        let home = at("192.0.2.1", "browser");
        let world = World::new(db).await;
        let signed_in = sign_in(&world, EMAIL, PASSWORD, &home).await.unwrap();
        let caller = world.sessions.authenticate(&Presented::Session(signed_in.token), &home).await.unwrap();
        let new = NewPassword::new("another long password".to_owned().into()).unwrap();
        world.people.change_password(&caller, PASSWORD.to_owned().into(), new, &home).await.unwrap();
        // In the process that changed it, and in the next.
        for world in [world, World::new(db).await] {
            for number in 0..12 {
                for _ in 0..10 {
                    let guesser = at(&format!("198.51.100.{number}"), "guesser");
                    let _ = sign_in(&world, EMAIL, "wrong wrong wrong", &guesser).await;
                }
            }
            let held = sign_in(&world, EMAIL, "another long password", &home).await;
            assert!(matches!(held, Err(SignInError::TooMany(_))), "{held:?}");
        }
    });
}

#[test]
fn a_flood_of_long_addresses_leaves_few_rows_and_each_says_who_and_from_where() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let long = "a".repeat(60_000);
        for number in 0..300 {
            let from = at("192.0.2.1", &format!("client {number} nls_{}", "0f".repeat(32)));
            let refused = sign_in(&world, &format!("{long}{number}@example.org"), "x", &from).await;
            assert!(refused.is_err());
        }
        let denied = events_of(db, None, "session.create.denied").await;
        let limited = events_of(db, None, "session.create.limited").await;
        assert_eq!(denied.len() + limited.len(), 20, "in an hour of one network");
        for event in denied.iter().chain(&limited) {
            assert_eq!(event["client_ip"], "192.0.2.1");
            assert_eq!(event["account"].as_str().map(str::len), Some(32), "a digest: {event}");
            assert_eq!(event.get("agent"), None, "a secret in the client's name is not kept");
        }
        sign_in(&world, EMAIL, "wrong wrong wrong", &at("192.0.2.2", "curl/8")).await.unwrap_err();
        let event = events_of(db, None, "session.create.denied").await.pop().unwrap();
        assert_eq!((&event["agent"], &event["not_recorded_before"]), (&Value::from("curl/8"), &Value::from(280)));
        world.clock.advance(Span::seconds(3_600));
        sign_in(&world, "x@example.org", "x", &at("192.0.2.1", "c")).await.unwrap_err();
        let after = events_of(db, None, "session.create.denied").await.len()
            + events_of(db, None, "session.create.limited").await.len();
        assert_eq!(after, 22);
    });
}

#[test]
fn raising_the_cost_of_passwords_takes_hold_at_the_next_sign_in_by_one_run_of_the_lane() {
    Db::each(async |db| {
        World::new(db).await;
        let dearer = Argon2Params { memory_kib: 64, iterations: 3, parallelism: 1 };
        let policy = Policy { password: dearer, ..Options::default().policy };
        let world = World::with(db, Options { policy, ..Options::default() }).await;
        let stored = async || {
            let key = EMAIL.to_owned();
            let found = db.store().read(move |reads| Box::pin(async move { reads.account_by_email_key(&key).await }));
            found.await.unwrap().unwrap().password_hash.unwrap()
        };
        let before = stored().await;
        let runs = world.context.lane().runs();
        sign_in(&world, EMAIL, "wrong wrong wrong", &origin()).await.unwrap_err();
        assert_eq!(
            (world.context.lane().runs() - runs, stored().await),
            (1, before.clone()),
            "a guess changes nothing"
        );
        sign_in(&world, EMAIL, PASSWORD, &origin()).await.unwrap();
        world.context.drain().await;
        let after = stored().await;
        assert!(before.contains("m=8,t=1") && after.contains("m=64,t=3,p=1"), "{before} {after}");
        let world = World::with(
            db,
            Options { policy: Policy { password: dearer, ..Options::default().policy }, ..Options::default() },
        )
        .await;
        sign_in(&world, EMAIL, PASSWORD, &origin()).await.expect("the same password");
        world.context.drain().await;
        assert_eq!(stored().await, after, "once is enough");
    });
}

#[test]
fn sign_ins_at_the_same_time_as_a_rehash_are_not_refused() {
    Db::each(async |db| {
        sign_in(&World::new(db).await, EMAIL, PASSWORD, &origin()).await.unwrap();
        for iterations in 2..8 {
            let dearer = Argon2Params { memory_kib: 8, iterations, parallelism: 1 };
            let policy = Policy { password: dearer, ..Options::default().policy };
            let world = World::with(db, Options { policy, ..Options::default() }).await;
            let from = origin();
            let one = || sign_in(&world, EMAIL, PASSWORD, &from);
            let (first, second) = tokio::join!(one(), one());
            for signed_in in [first, second] {
                signed_in.expect("the password was right all the time");
            }
            world.context.drain().await;
        }
    });
}

#[test]
fn a_wrong_service_token_is_counted_and_recorded() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let from = at("192.0.2.1", "front end");
        let mut waits = 0;
        for _ in 0..300 {
            waits += usize::from(world.sessions.refuse_front_end(&from).await.is_err());
        }
        assert_eq!(waits, 290);
        assert_eq!(events_of(db, None, "service_token.denied").await.len(), 10);
        assert_eq!(events_of(db, None, "service_token.limited").await.len(), 10, "and no more rows within the hour");
    });
}

#[test]
fn a_person_has_so_many_keys_and_rotating_them_takes_none() {
    Db::each(async |db| {
        let policy = Policy { key_cap: 3, ..Options::default().policy };
        let world = World::with(db, Options { policy, ..Options::default() }).await;
        let key = || KeyRequest {
            name: Name::parse("a key").unwrap(),
            scopes: Some(vec!["read".to_owned()]),
            agent_type: AgentType::none(),
            project_id: None,
            lifetime: Lifetime::Unlimited,
            details: TokenDetails::default(),
            idempotency: None,
        };
        let mut made = Vec::new();
        for _ in 0..3 {
            made.push(world.tokens.issue_key(&world.owner, key(), &origin()).await.unwrap());
        }
        let refused = world.tokens.issue_key(&world.owner, key(), &origin()).await;
        assert!(matches!(refused, Err(TokenError::KeyCapReached { used: 3, cap: 3 })), "{refused:?}");
        let request = RotateRequest { grace: Some(Span::seconds(60)), ..RotateRequest::default() };
        world.tokens.rotate_key(&world.owner, made[0].token.id, request, &origin()).await.unwrap();
        world.issue(&["read"]).await;
        world.tokens.revoke_key(&world.owner, made[1].token.id, &origin()).await.unwrap();
        world.tokens.revoke_key(&world.owner, made[2].token.id, &origin()).await.unwrap();
        world.tokens.issue_key(&world.owner, key(), &origin()).await.expect("there is room again");
    });
}

#[test]
fn a_grace_that_a_first_use_shortens_is_recorded() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let old = world.issue(&["read"]).await;
        let request = RotateRequest { mode: GraceMode::FirstUse, ..RotateRequest::default() };
        let new = world.tokens.rotate(&world.owner, old.token.id, request, &origin()).await.unwrap();
        assert!(world.is_live(new.secret.expose()).await);
        world.context.drain().await;
        let own = events(db, Some(world.owner.organization_id)).await;
        let event = own.iter().find(|event| event.action == "token.grace_shortened").expect("an event");
        assert_eq!(event.target_id, old.token.id.to_string());
        assert_eq!(event.actor, format!("token:{}", new.token.id));
    });
}

#[test]
fn a_guessed_code_of_an_invitation_is_recorded() {
    Db::each(async |db| {
        use authority::invitations::{Acceptance, InvitationCode, Invitations};
        use std::sync::Arc;
        let world = World::new(db).await;
        let sessions = Arc::new(authority::sessions::Sessions::new(&world.context, &world.validator).unwrap());
        let invitations = Invitations::new(&world.context, &sessions);
        let guess: [u8; 32] = random(&authority::env::SystemEntropy).unwrap();
        let acceptance =
            Acceptance { code: InvitationCode::from_random(guess), name: None, password: None, caller: None };
        invitations.accept(acceptance, &at("192.0.2.7", "guesser")).await.unwrap_err();
        let denied = events_of(db, None, "invitation.accept.denied").await;
        assert_eq!((denied.len(), &denied[0]["client_ip"]), (1, &Value::from("192.0.2.7")));
    });
}

#[test]
fn a_tag_key_that_is_lost_before_any_was_noted_is_told_by_what_it_made() {
    Db::each(async |db| {
        use authority::tag_key::{TagKeyChange, note_tag_key};
        let world = World::with(db, Options { tag_key: [7; 32], ..Options::default() }).await;
        world.issue(&["read"]).await;
        let world = World::with(db, Options { tag_key: [9; 32], ..Options::default() }).await;
        assert_eq!(note_tag_key(&world.context).await.unwrap(), TagKeyChange::Lost);
        assert_eq!(events_of(db, None, "tag_key.lost").await.len(), 1);
        assert_eq!(note_tag_key(&world.context).await.unwrap(), TagKeyChange::None, "said once");
    });
}

#[test]
fn a_changed_tag_key_is_noticed_and_a_lost_one_is_told_from_a_rotated_one() {
    Db::each(async |db| {
        use authority::tag_key::{TagKeyChange, note_tag_key};
        let rows = [
            ([7; 32], vec![], TagKeyChange::None),
            ([7; 32], vec![], TagKeyChange::None),
            ([8; 32], vec![[7; 32]], TagKeyChange::Rotated),
            ([8; 32], vec![], TagKeyChange::None),
            ([9; 32], vec![], TagKeyChange::Lost),
        ];
        for (tag_key, previous_keys, expected) in rows {
            let world = World::with(db, Options { tag_key, previous_keys, ..Options::default() }).await;
            assert_eq!(note_tag_key(&world.context).await.unwrap(), expected, "{tag_key:?}");
        }
        let lost = events_of(db, None, "tag_key.lost").await;
        assert_eq!((lost.len(), &lost[0]["second_factors"]), (1, &Value::from(0)));
        assert_eq!(events_of(db, None, "tag_key.rotate").await.len(), 1);
    });
}
