//! A right that has been taken away grants nothing any more: each operation that takes a right away (a loss) runs
//! concurrently with each operation that uses that right to create or change something (a gift).
//!
//! The operations come from the OpenAPI document of the running server, and each needs a row in [`rows`]: a new
//! operation fails until its row says whether it is a gift, a loss or neither. The pairs are made from the rows. The
//! assertions need no clock: in the organisation's audit trail, the event of a gift stands before the event of the loss
//! or is absent, and a refused request has no event.

mod ground;
mod rows;
mod sessions;

use std::time::Duration;

use serde_json::json;

use self::ground::{World, serving};
use self::rows::{GIFTS, Gift, Holder, KEEPS_THE_ROUTES, LOSSES, Loss, NEITHER};
use crate::support::{Answer, Backend, Chance, Client, Request, Server, both, is_full, texts};

both!(
    every_operation_has_a_row,
    nothing_is_made_by_a_token_that_is_gone,
    nothing_is_made_by_a_key_that_is_gone,
    nothing_is_made_by_a_session_that_is_gone,
    nothing_is_made_by_an_actor_that_is_gone,
    an_invitation_ends_with_the_credential_that_made_it,
    a_token_in_its_grace_creates_nothing_that_outlives_it,
    a_key_cannot_change_how_its_owner_signs_in,
);

/// Threads that try pairs, each in an organisation of its own.
const WORLDS: usize = 6;
/// Concurrent requests for the gift of a pair.
const GIVERS: usize = 2;
/// Delays of the loss after the gift, in microseconds, chosen so that the two requests overlap at every stage.
const OFFSETS: [u64; 6] = [0, 500, 1_500, 4_000, 9_000, 18_000];

/// Gifts that may find nothing to change, and then record nothing: the bystander may have the role from an earlier try.
const UNRECORDED: [&str; 1] = ["edit_member"];

fn rounds() -> usize {
    if is_full() { 10 } else { 1 }
}

fn every_operation_has_a_row(backend: Backend) {
    assert_every_operation_has_a_row(&mut World::new(backend));
}

fn nothing_is_made_by_a_token_that_is_gone(backend: Backend) {
    try_pairs_of(backend, &[Holder::Token, Holder::Successor]);
}

fn nothing_is_made_by_a_key_that_is_gone(backend: Backend) {
    try_pairs_of(backend, &[Holder::Key]);
}

fn nothing_is_made_by_a_session_that_is_gone(backend: Backend) {
    try_pairs_of(backend, &[Holder::Session, Holder::WithRole]);
}

fn nothing_is_made_by_an_actor_that_is_gone(backend: Backend) {
    try_pairs_of(backend, &[Holder::Actor]);
}

/// Tries every pair of a loss and a gift that needs the lost right, for these kinds of credentials.
fn try_pairs_of(backend: Backend, holders: &[Holder]) {
    let server = serving(backend);
    let losses = LOSSES.iter().filter(|loss| holders.contains(&loss.holder));
    let pairs: Vec<_> = losses
        .flat_map(|loss| GIFTS.iter().map(move |gift| (loss, gift)))
        .filter(|(loss, gift)| is_pair(loss, gift))
        .collect();
    // A try mostly waits for the disk, so several run in parallel, each in an organisation of its own.
    let met: usize = std::thread::scope(|threads| {
        let started: Vec<_> = (0..WORLDS)
            .map(|number| {
                let (server, mine) = (&server, pairs.iter().skip(number).step_by(WORLDS));
                threads.spawn(move || {
                    let mut world = World::beside(server, number);
                    let mut chance = Chance::seeded(0x0016 + number as u64);
                    let tries = mine.flat_map(|pair| (0..rounds()).map(move |round| (pair, round)));
                    tries.filter(|((loss, gift), round)| try_pair(&mut world, &mut chance, loss, gift, *round)).count()
                })
            })
            .collect();
        started.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    let tries = pairs.len() * rounds();
    println!("{} pairs, {tries} tries, {met} of them with a refusal while under way", pairs.len());
    assert!(met > tries / 20, "they meet: {met} of {tries}");
}

/// Whether the gift needs the right that the loss takes away.
fn is_pair(loss: &Loss, gift: &Gift) -> bool {
    let is_left_a_viewer = loss.operation == "delete_role" || loss.what.ends_with("made a viewer");
    let stands_on_it = match gift.operation {
        // One of two concurrent rotations of a token is refused anyway: another test covers that.
        "rotate_self" => !matches!(loss.operation, "rotate_token" | "rotate_key" | "rotate_actor"),
        // An invitation made in a session depends on the inviter's membership, not on the session.
        "accept_invitation" if loss.holder == Holder::Session => {
            matches!(loss.operation, "remove_member" | "edit_member" | "leave_organization")
        }
        // Viewers may do these to their own account and keys. A second factor is set up only once: with `confirm_totp`
        // as the loss, these gifts are refused for that reason alone.
        "prove_session" | "edit_me" | "verify_email" | "edit_key" | "cancel_key_rotation" => !is_left_a_viewer,
        "start_totp" | "confirm_totp" | "delete_totp" | "create_recovery_codes" => {
            !is_left_a_viewer && loss.operation != "confirm_totp"
        }
        // A viewer may rotate their keys in a session, but not with a key: the answer contains the other key's secret.
        "rotate_key" if loss.holder != Holder::Key => !is_left_a_viewer,
        _ => true,
    };
    let gives_what_is_lost = loss.what != KEEPS_THE_ROUTES
        || matches!(
            gift.operation,
            "create_token"
                | "rotate_token"
                | "cancel_rotation"
                | "create_actor"
                | "create_invitation"
                | "add_member"
                | "accept_invitation"
                | "edit_member"
        );
    gift.holders.contains(&loss.holder) && stands_on_it && gives_what_is_lost
}

/// Every operation is listed as a gift, a loss or neither.
fn assert_every_operation_has_a_row(world: &mut World) {
    let document = world.owner.get("/openapi.json").expect(200);
    let paths = document["paths"].as_object().unwrap();
    let mut known: Vec<&str> = paths
        .values()
        .flat_map(|methods| methods.as_object().unwrap().values())
        .map(|operation| operation["operationId"].as_str().unwrap())
        .collect();
    let mut told: Vec<&str> = GIFTS.iter().map(|gift| gift.operation).collect();
    told.extend(LOSSES.iter().map(|loss| loss.operation));
    told.extend(NEITHER);
    known.sort_unstable();
    told.sort_unstable();
    told.dedup();
    // The short paths for credentials that are bound to a project call the same functions.
    known.retain(|id| !id.ends_with("_bound"));
    let untold: Vec<_> = known.iter().filter(|id| !told.contains(*id)).collect();
    let gone: Vec<_> = told.iter().filter(|id| !known.contains(*id)).collect();
    assert!(untold.is_empty() && gone.is_empty(), "without a row: {untold:?}; rows without an operation: {gone:?}");
}

/// Tries a pair once. Returns whether a gift was refused, which shows that the loss overtook it.
fn try_pair(world: &mut World, chance: &mut Chance, loss: &Loss, gift: &Gift, round: usize) -> bool {
    let pair = format!("{} by a {:?} while {}, try {round}", gift.operation, loss.holder, loss.what);
    let mut held = world.holder(loss.holder);
    let asked = world.gift(gift, &mut held);
    let (take_id, give_ids) = (world.fresh(), (0..GIVERS).map(|_| world.fresh()).collect::<Vec<_>>());
    let offset = Duration::from_micros(*chance.pick(&OFFSETS));
    let client_of = |_| if gift.is_anyones { world.server.anyone() } else { world.server.caller(&held.credential) };
    let mut givers: Vec<Client> = asked.iter().map(client_of).collect();
    for giver in &mut givers {
        // Opens the connections, and caches the credential.
        let status = giver.get("/v1/organizations").status;
        assert_eq!(status, if gift.is_anyones { 401 } else { 200 });
    }
    let (taken, given) = std::thread::scope(|threads| {
        let started: Vec<_> = givers
            .iter_mut()
            .zip(&asked)
            .zip(&give_ids)
            .map(|((giver, (method, path, body)), id)| {
                threads.spawn(move || {
                    let request = Request::new(method, path).header("X-Request-ID", id);
                    giver.ask(match body {
                        Some(body) => request.json(body),
                        None => request,
                    })
                })
            })
            .collect();
        std::thread::sleep(offset);
        let taken = (loss.take)(world, &mut held, &take_id);
        (taken, started.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<Answer>>())
    });
    if gift.ends_others && taken.status == 401 {
        // The gift won the race and ended the session that the loss was requested with.
        assert!(given.iter().any(|answer| answer.status < 300), "{pair}: {}", taken.text());
        return false;
    }
    assert!(taken.status < 300, "{pair}: {} {}", taken.status, taken.text());
    judge(world, &pair, gift, &take_id, &give_ids, &given)
}

/// Asserts that all events of gifts stand before the loss in the trail. Returns whether a gift was refused.
fn judge(world: &mut World, pair: &str, gift: &Gift, take_id: &str, give_ids: &[String], given: &[Answer]) -> bool {
    let events = world.events();
    let of =
        |id: &str| -> Vec<i64> { events.iter().filter(|(request, _)| request == id).map(|(_, seq)| *seq).collect() };
    let ends = of(take_id)
        .into_iter()
        .min()
        .unwrap_or_else(|| panic!("{pair}: nothing was recorded of what took the right away"));
    let mut refused = false;
    for (id, answer) in give_ids.iter().zip(given) {
        let is_right = answer.status < 500 && answer.status != 400;
        assert!(is_right, "{pair}: done, or refused for the right that is gone: {} {}", answer.status, answer.text());
        if let Some(late) = of(id).into_iter().find(|seq| *seq > ends) {
            panic!(
                "{pair}: event {late} gives by a right that event {ends} took away: {} {}",
                answer.status,
                answer.text()
            );
        }
        refused |= answer.status >= 400;
        if answer.status >= 400 {
            assert_eq!(of(id).len(), 0, "{pair}: refused, and done: {}", answer.text());
        }
    }
    // Without this, a gift that records nothing would pass whenever it came. Of two that ask for the same, one may find
    // nothing left to change.
    let recorded = give_ids.iter().map(|id| of(id).len()).sum::<usize>();
    let is_done = given.iter().any(|answer| answer.status < 300);
    let records = !UNRECORDED.contains(&gift.operation);
    assert!(!is_done || recorded > 0 || !records, "{pair}: done, and nothing recorded of it");
    refused
}

fn an_invitation_ends_with_the_credential_that_made_it(backend: Backend) {
    let mut world = World::new(backend);
    for holder in [Holder::Token, Holder::Key] {
        for is_revoked in [false, true] {
            let mut held = world.holder(holder);
            let asked = json!({"email": format!("{}@guests.example", world.fresh()), "role": "viewer"});
            let path = format!("{}/invitations", world.org);
            let code = world.server.caller(&held.credential).post(&path, &asked).expect(201)["code"].clone();
            if is_revoked {
                let id = held.id.clone().unwrap();
                match &mut held.person {
                    Some(person) => person.other.delete(&format!("/v1/me/keys/{id}")).expect(204),
                    None => world.owner.delete(&format!("/v1/tokens/{id}")).expect(204),
                };
            }
            let asked = json!({"code": code, "password": Server::PASSWORD});
            let accepted = world.server.anyone().post("/v1/invitations/accept", &asked);
            if is_revoked {
                accepted.fails(401, "invalid invitation");
            } else {
                accepted.expect(201);
            }
        }
    }
}

fn a_token_in_its_grace_creates_nothing_that_outlives_it(backend: Backend) {
    let mut world = World::new(backend);
    let held = world.holder(Holder::Token);
    let id = held.id.clone().unwrap();
    let mut old = world.server.caller(&held.credential);
    world.owner.rotate(&id, &json!({}));
    let invitation = json!({"email": "guest@guests.example", "role": "viewer"});
    for (path, body) in [
        (format!("/v1/tokens/{id}/rotate/cancel"), json!({})),
        ("/v1/tokens".to_owned(), json!({"name": "heir", "scopes": ["read"]})),
        (format!("{}/actors", world.project), json!({"name": "heir"})),
        (format!("{}/invitations", world.org), invitation),
    ] {
        old.post(&path, &body).fails(403, "token was rotated");
    }
    let member = world.bystander();
    let role = json!({"role": "admin"});
    old.patch(&format!("{}/members/{member}", world.org), &role).fails(403, "token was rotated");
    let role = world.role(&["roles:read"]);
    let wider = json!({"scopes": ["admin"]});
    old.patch(&format!("{}/roles/{role}", world.org), &wider).fails(403, "token was rotated");
    let policy = format!("{}/token-policy", world.org);
    old.ask(Request::new("PUT", &policy).json(&json!({"kinds": {}}))).fails(403, "token was rotated");
    let asked = json!({"name": "sensor", "expiresAt": "2099-01-01T00:00:00.000Z"});
    let made = world.owner.post(&format!("{}/actors", world.project), &asked).expect(201);
    let actor = format!("{}/actors/{}", world.project, texts(&made, ["actorId"])[0]);
    world.owner.patch(&actor, &json!({"status": "disabled"})).expect(200);
    for longer in
        [json!({"status": "active"}), json!({"expiresAt": null}), json!({"expiresAt": "2099-01-02T00:00:00.000Z"})]
    {
        old.patch(&actor, &longer).fails(403, "token was rotated");
    }
    old.patch(&actor, &json!({"expiresAt": "2098-01-01T00:00:00.000Z"})).expect(200);
    // The rotated token still works for everything else, and its owner can cancel the rotation.
    old.patch(&world.project, &json!({"name": "another"})).expect(200);
    world.owner.call(&format!("/v1/tokens/{id}/rotate/cancel")).expect(200);
    old.post("/v1/tokens", &json!({"name": "another", "scopes": ["read"]})).expect(201);
}

fn a_key_cannot_change_how_its_owner_signs_in(backend: Backend) {
    let mut world = World::new(backend);
    let mut held = world.holder(Holder::Key);
    let mut key = world.server.caller(&held.credential);
    let session = {
        let other = &mut held.person.as_mut().unwrap().other;
        let sessions = other.get("/v1/sessions").expect(200)["sessions"].clone();
        texts(&sessions[0], ["id"])[0].clone()
    };
    let rule = json!({"require_second_factor": true});
    key.patch("/v1/me", &json!({"email": "thief@acme.example"})).fails(403, "session needed");
    key.delete(&format!("/v1/sessions/{session}")).fails(403, "session needed");
    key.delete("/v1/sessions").fails(403, "session needed");
    key.patch(&world.org, &rule).fails(403, "session needed");
    key.patch("/v1/me", &json!({"name": "Somebody"})).expect(200);
    held.person.as_mut().unwrap().other.get("/v1/me").expect(200);
}
