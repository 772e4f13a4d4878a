//! Sessions that are created while the right to create them is taken away: whichever comes first, no session remains.

use std::time::Duration;

use serde_json::json;

use super::ground::{Held, SERVICE_TOKEN, World};
use super::rows::Holder;
use super::{GIVERS, OFFSETS};
use crate::support::{App, Backend, Chance, Client, Request, Server, both, is_full, texts};

both!(no_session_outlives_the_right_to_create_it, no_password_alone_signs_in_once_a_second_factor_counts);

fn rounds() -> usize {
    if is_full() { 400 } else { 60 }
}

/// An operation that ends sessions.
struct Ending {
    what: &'static str,
    /// The ways of creating a session that must fail afterwards.
    ends: &'static [Making],
    take: fn(&mut World, &mut Held),
    /// Restores the right; sessions created before or meanwhile stay ended.
    restore: fn(&mut World, &mut Held),
}

/// How a session is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Making {
    /// With the password.
    SignedIn,
    /// From the session that is ended.
    Switched,
    /// By a front end with the service token.
    VouchedFor,
}

const ENDINGS: &[Ending] = &[
    Ending {
        what: "the password is changed",
        // A front end may still create sessions.
        ends: &[Making::SignedIn, Making::SignedIn, Making::Switched],
        take: |_, held| {
            let asked = json!({"current_password": Server::PASSWORD, "new_password": "another one of this test"});
            other(held).post("/v1/me/password", &asked).expect(204);
        },
        restore: |_, _| {},
    },
    Ending {
        what: "the person signs out everywhere",
        // Signing in with the password still works.
        ends: &[Making::Switched],
        take: |_, held| {
            other(held).delete("/v1/sessions").expect(204);
        },
        restore: |_, _| {},
    },
    Ending {
        what: "the person is switched off, and on again",
        ends: &[Making::SignedIn, Making::VouchedFor],
        take: |world, held| set_status(world, held, "disabled"),
        restore: |world, held| set_status(world, held, "active"),
    },
    Ending {
        what: "the person is removed, and joins again",
        ends: &[Making::SignedIn, Making::VouchedFor],
        take: |world, held| {
            let path = format!("{}/members/{}", world.org, held.person.as_ref().unwrap().id);
            world.owner.delete(&path).expect(204);
        },
        restore: |world, held| {
            let email = &held.person.as_ref().unwrap().email;
            let asked = json!({"email": email, "role": "admin"});
            let made = world.owner.post(&format!("{}/invitations", world.org), &asked).expect(201);
            let asked = json!({"code": made["code"], "password": Server::PASSWORD});
            world.server.anyone().post("/v1/invitations/accept", &asked).expect(201);
        },
    },
];

fn other(held: &mut Held) -> &mut Client {
    &mut held.person.as_mut().unwrap().other
}

fn set_status(world: &mut World, held: &Held, status: &str) {
    let path = format!("{}/members/{}", world.org, held.person.as_ref().unwrap().id);
    world.owner.patch(&path, &json!({ "status": status })).expect(200);
}

impl World {
    /// The client and the request that create a session in this way.
    fn making(&mut self, making: Making, held: &Held) -> (Client, Request<'static>) {
        let person = held.person.as_ref().unwrap();
        match making {
            Making::SignedIn => {
                let asked = json!({"email": person.email, "password": Server::PASSWORD, "organization": self.slug()});
                (self.server.anyone(), Request::new("POST", "/v1/sessions").json(&asked))
            }
            Making::VouchedFor => {
                let asked = json!({"user_id": person.id, "organization": self.slug()});
                let front_end = self.server.caller(SERVICE_TOKEN);
                (front_end, Request::new("POST", "/v1/sessions/create").json(&asked))
            }
            Making::Switched => {
                let slug = self.fresh();
                let mut holder = self.server.caller(&held.credential);
                holder.post("/v1/organizations", &json!({ "slug": slug })).expect(201);
                (holder, Request::new("POST", "/v1/sessions/switch").json(&json!({ "organization": slug })))
            }
        }
    }
}

fn no_session_outlives_the_right_to_create_it(backend: Backend) {
    let mut world = World::new(backend);
    let mut chance = Chance::seeded(0x0017);
    for ending in ENDINGS {
        let (mut made_before, mut refused) = (0, 0);
        for round in 0..rounds() / 2 {
            let mut held = world.holder(Holder::Session);
            let asked: Vec<_> = ending.ends.iter().map(|making| (making, world.making(*making, &held))).collect();
            let offset = Duration::from_micros(*chance.pick(&OFFSETS));
            let made = std::thread::scope(|threads| {
                let started: Vec<_> = asked
                    .into_iter()
                    .map(|(how, (mut client, request))| threads.spawn(move || (how, client.ask(request))))
                    .collect();
                std::thread::sleep(offset);
                (ending.take)(&mut world, &mut held);
                started.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
            });
            (ending.restore)(&mut world, &mut held);
            for (how, answer) in made {
                let what = format!("{}, round {round}, {how:?}", ending.what);
                if answer.status != 201 {
                    // To a front end the person does not exist.
                    let refusal = if *how == Making::VouchedFor { 404 } else { 401 };
                    assert_eq!(answer.status, refusal, "{what}: {}", answer.text());
                    refused += 1;
                    continue;
                }
                made_before += 1;
                let [token] = texts(&answer.json(), ["token"]);
                let status = world.server.caller(&token).get("/v1/me").status;
                assert_eq!(status, 401, "{what}: a session is left that was made at the same moment");
            }
        }
        println!("{}: {made_before} sessions were made first, and ended; {refused} were refused", ending.what);
        assert!(made_before > 0 && refused > 0, "{}: both orders occur: {made_before}, {refused}", ending.what);
    }
}

/// Signing in by the password alone while a second factor is confirmed.
fn no_password_alone_signs_in_once_a_second_factor_counts(backend: Backend) {
    let mut world = World::new(backend);
    let mut chance = Chance::seeded(0x0018);
    let (mut made_before, mut refused) = (0, 0);
    for round in 0..rounds() / 2 {
        let mut held = world.holder(Holder::Session);
        let sign_in = json!({"email": held.person.as_ref().unwrap().email, "password": Server::PASSWORD});
        let [secret] = texts(&other(&mut held).call("/v1/me/totp").expect(201), ["secret"]);
        let code = App::new(&secret).code();
        let offset = Duration::from_micros(*chance.pick(&OFFSETS));
        let made = std::thread::scope(|threads| {
            let mut started = Vec::new();
            for _ in 0..GIVERS {
                let (mut anyone, sign_in) = (world.server.anyone(), &sign_in);
                started.push(threads.spawn(move || anyone.post("/v1/sessions", sign_in)));
            }
            std::thread::sleep(offset);
            other(&mut held).post("/v1/me/totp/confirm", &json!({ "code": code })).expect(200);
            started.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        for answer in made {
            if answer.status != 201 {
                answer.fails(401, "second factor required");
                refused += 1;
                continue;
            }
            made_before += 1;
            let [token] = texts(&answer.json(), ["token"]);
            let status = world.server.caller(&token).get("/v1/me").status;
            assert_eq!(status, 401, "round {round}: a session by the password alone is left");
        }
    }
    println!("{made_before} sessions were made first, and ended; {refused} were refused");
    assert!(made_before > 0 && refused > 0, "both orders occur: {made_before}, {refused}");
}
