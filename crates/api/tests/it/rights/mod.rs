//! Nothing comes into being by a right that is gone: every act that takes a right away, at once with every act that gives
//! something by it.
//!
//! Operations come from the document that the server serves, and each has a row in [`rows`], so that a new one fails until
//! somebody has said whether it gives, takes or neither. The pairs are made from the rows. What is asserted needs no clock:
//! within an organisation's audit trail, what was given stands before what took the right away, or is not there; and an
//! answer that says it was done has its event.

mod rows;

use std::time::Duration;

use serde_json::{Value, json};

use self::rows::{GIFTS, Gift, Holder, LOSSES, Loss, NEITHER};
use crate::support::{Answer, App, Backend, Chance, Client, Options, Request, Server, both, is_full, texts};

both!(
    every_operation_has_a_row,
    nothing_is_made_by_a_token_that_is_gone,
    nothing_is_made_by_a_key_that_is_gone,
    nothing_is_made_by_a_session_that_is_gone,
    no_session_outlives_what_it_stands_on,
    no_password_alone_signs_in_once_a_second_factor_counts,
    an_invitation_ends_with_the_credential_that_made_it,
    a_token_in_its_grace_gives_nothing_that_lasts,
    a_key_changes_nothing_that_signing_in_stands_on,
);

/// Requests that give, under way at once.
const GIVERS: usize = 2;
/// What makes the requests meet at every stage of each other; in microseconds.
const OFFSETS: [u64; 6] = [0, 500, 1_500, 4_000, 9_000, 18_000];

fn rounds() -> usize {
    if is_full() { 20 } else { 2 }
}

fn session_rounds() -> usize {
    if is_full() { 400 } else { 60 }
}

/// Somebody whose right is about to be taken away.
struct Held {
    /// What they show.
    credential: String,
    /// The token's id; nothing for a session.
    token: Option<String>,
    /// Who they are, and a session of theirs that is not the one at stake; nothing for a token of the organisation.
    person: Option<(String, Client)>,
}

struct World {
    server: Server,
    owner: Client,
    /// The paths of the organisation and of its project.
    org: String,
    project: String,
    count: usize,
}

impl World {
    fn new(backend: Backend) -> Self {
        // A hash that takes about as long as the requests take to meet.
        let options = Options::default().bcrypt().with("hashing.bcrypt_cost", 7);
        let options = options.with("server.keep_alive_seconds", 600).with("rate_limit.leak_reports", 1_000_000);
        // Who is kept waiting is not asked here.
        let options =
            options.with("rate_limit.sign_in_attempts", 1_000).with("rate_limit.sign_in_concurrent_per_account", 100);
        let server = Server::start(backend, options);
        let mut owner = server.owner();
        let [id] = texts(&owner.get("/v1/me").expect(200), ["org_id"]);
        let org = format!("/v1/organizations/{id}");
        let made = owner.post(&format!("{org}/projects"), &json!({"slug": "ground"})).expect(201);
        let project = format!("{org}/projects/{}", texts(&made, ["projectId"])[0]);
        Self { server, owner, org, project, count: 0 }
    }

    fn fresh(&mut self) -> String {
        self.count += 1;
        format!("n{}", self.count)
    }

    fn holder(&mut self, kind: Holder) -> Held {
        let name = self.fresh();
        if kind == Holder::Token {
            let [id, secret] = texts(&self.owner.create_with(&name, &["admin"]), ["id", "secret"]);
            return Held { credential: secret, token: Some(id), person: None };
        }
        let email = format!("{name}@acme.example");
        let asked = json!({"email": email, "role": "admin"});
        let code = self.owner.post(&format!("{}/invitations", self.org), &asked).expect(201)["code"].clone();
        let asked = json!({"code": code, "password": Server::PASSWORD});
        let joined = self.server.anyone().post("/v1/invitations/accept", &asked).expect(201);
        let [user] = texts(&joined, ["user_id"]);
        let mut other = self.server.signed_in(&email);
        if kind == Holder::Session {
            let credential = self.server.signed_in(&email).credential().to_owned();
            return Held { credential, token: None, person: Some((user, other)) };
        }
        let asked = json!({"name": name, "scopes": ["admin"]});
        let [id, secret] = texts(&other.post("/v1/me/keys", &asked).expect(201), ["id", "secret"]);
        Held { credential: secret, token: Some(id), person: Some((user, other)) }
    }

    /// Deletes the roles that were made.
    fn clear_roles(&mut self) {
        let path = format!("{}/roles", self.org);
        for role in self.owner.get(&path).expect(200)["roles"].as_array().unwrap() {
            if role["built_in"] == false {
                self.owner.delete(&format!("{path}/{}", texts(role, ["id"])[0])).expect(204);
            }
        }
    }

    /// There may only be so many.
    fn clear_trust_policies(&mut self) {
        let path = format!("{}/trust-policies", self.org);
        let all = self.owner.get(&path).expect(200)["trust_policies"].as_array().unwrap().clone();
        for policy in all.iter().take(all.len().saturating_sub(40)) {
            self.owner.delete(&format!("{path}/{}", texts(policy, ["id"])[0])).expect(204);
        }
    }

    /// What the givers send, with all that it is tried on made before.
    fn gift(&mut self, gift: &Gift, held: &mut Held) -> Vec<(String, String, Option<Value>)> {
        (0..GIVERS).map(|_| (gift.prepare)(self, held)).collect()
    }

    /// The newest events of changes: the request and the number of each.
    fn events(&mut self) -> Vec<(String, i64)> {
        let page = self.owner.get("/v1/audit?order=newest&limit=100").expect(200);
        let read = |event: &Value| {
            let [request] = texts(event, ["request_id"]);
            (request, event["seq"].as_i64().unwrap())
        };
        // That a replaced secret was presented is recorded under the request that presented it, and gives nothing.
        let is_change = |event: &&Value| event["action"] != "token.reuse_detected";
        page["events"].as_array().unwrap().iter().filter(is_change).map(read).collect()
    }
}

fn every_operation_has_a_row(backend: Backend) {
    every_operation_is_told(&mut World::new(backend));
}

fn nothing_is_made_by_a_token_that_is_gone(backend: Backend) {
    try_pairs_of(backend, Holder::Token);
}

fn nothing_is_made_by_a_key_that_is_gone(backend: Backend) {
    try_pairs_of(backend, Holder::Key);
}

fn nothing_is_made_by_a_session_that_is_gone(backend: Backend) {
    try_pairs_of(backend, Holder::Session);
}

/// Every pair of a loss and a gift that stands on what is lost, for one kind of credential.
fn try_pairs_of(backend: Backend, holder: Holder) {
    let mut world = World::new(backend);
    let mut chance = Chance::seeded(0x0016);
    let (mut pairs, mut tries, mut met) = (0, 0, 0);
    for loss in LOSSES.iter().filter(|loss| loss.holder == holder) {
        for gift in GIFTS.iter().filter(|gift| is_pair(loss, gift)) {
            pairs += 1;
            for round in 0..rounds() {
                met += usize::from(try_pair(&mut world, &mut chance, loss, gift, round));
                tries += 1;
            }
        }
    }
    println!("{pairs} pairs, {tries} tries, {met} of them with a refusal while under way");
    assert!(met > tries / 20, "they meet: {met} of {tries}");
}

/// Whether what is lost is what the gift stands on.
fn is_pair(loss: &Loss, gift: &Gift) -> bool {
    let stands_on_it = match gift.operation {
        // Of two rotations of one token at once, one is refused: that is not for this test.
        "rotate_self" => !matches!(loss.operation, "rotate_token" | "rotate_key"),
        // What somebody offered in a session stands on their place, not on the session.
        "accept_invitation" if loss.holder == Holder::Session => {
            matches!(loss.operation, "remove_member" | "edit_member")
        }
        // A viewer proves who they are as an administrator does.
        "prove_session" => loss.what != "the person is made a viewer",
        _ => true,
    };
    gift.holders.contains(&loss.holder) && stands_on_it
}

/// Every operation gives, takes, or is said to do neither.
fn every_operation_is_told(world: &mut World) {
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
    // The short forms of a credential that is bound to a project are the same verbs.
    known.retain(|id| !id.ends_with("_bound"));
    let untold: Vec<_> = known.iter().filter(|id| !told.contains(*id)).collect();
    let gone: Vec<_> = told.iter().filter(|id| !known.contains(*id)).collect();
    assert!(untold.is_empty() && gone.is_empty(), "without a row: {untold:?}; rows without an operation: {gone:?}");
}

/// One try of a pair. Whether a giver was refused, so that the two met.
fn try_pair(world: &mut World, chance: &mut Chance, loss: &Loss, gift: &Gift, round: usize) -> bool {
    let pair = format!("{} by a {:?} while {}, try {round}", gift.operation, loss.holder, loss.what);
    let mut held = world.holder(loss.holder);
    let asked = world.gift(gift, &mut held);
    let (take_id, give_ids) = (world.fresh(), (0..GIVERS).map(|_| world.fresh()).collect::<Vec<_>>());
    let offset = Duration::from_micros(*chance.pick(&OFFSETS));
    let client_of = |_| if gift.is_anyones { world.server.anyone() } else { world.server.caller(&held.credential) };
    let mut givers: Vec<Client> = asked.iter().map(client_of).collect();
    for giver in &mut givers {
        // The connections are open, and the credential is known.
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
    assert!(taken.status < 300, "{pair}: {} {}", taken.status, taken.text());
    judge(world, &pair, &take_id, &give_ids, &given)
}

/// Within the trail, everything that was given stands before what took the right away.
fn judge(world: &mut World, pair: &str, take_id: &str, give_ids: &[String], given: &[Answer]) -> bool {
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
    refused
}

/// Sessions that are being made, by the password or from another session, while the person changes the password or signs out
/// everywhere: whichever comes first, none of them is left.
fn no_session_outlives_what_it_stands_on(backend: Backend) {
    let mut world = World::new(backend);
    let mut chance = Chance::seeded(0x0017);
    let (mut made_before, mut refused) = (0, 0);
    for round in 0..session_rounds() {
        let mut held = world.holder(Holder::Session);
        let me = world.server.caller(&held.credential).get("/v1/me").expect(200);
        let [email] = texts(&me, ["email"]);
        let slug = world.fresh();
        let mut holder = world.server.caller(&held.credential);
        holder.post("/v1/organizations", &json!({ "slug": slug })).expect(201);
        let changes_password = round % 2 == 0;
        let switch = ("switched", Request::new("POST", "/v1/sessions/switch").json(&json!({ "organization": slug })));
        // Signing in with the right password after everybody was signed out is no fault.
        let sign_in = json!({"email": email, "password": Server::PASSWORD});
        let sign_ins = (0..if changes_password { GIVERS } else { 0 })
            .map(|_| ("signed in", Request::new("POST", "/v1/sessions").json(&sign_in), world.server.anyone()));
        let mut asked = vec![(switch.0, switch.1, holder)];
        asked.extend(sign_ins);
        let offset = Duration::from_micros(*chance.pick(&OFFSETS));
        let made = std::thread::scope(|threads| {
            let started: Vec<_> = asked
                .into_iter()
                .map(|(how, request, mut client)| threads.spawn(move || (how, client.ask(request))))
                .collect();
            std::thread::sleep(offset);
            let other = &mut held.person.as_mut().unwrap().1;
            if changes_password {
                let new = "another one of this test";
                let asked = json!({"current_password": Server::PASSWORD, "new_password": new});
                other.post("/v1/me/password", &asked).expect(204);
            } else {
                other.delete("/v1/sessions").expect(204);
            }
            started.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        for (how, answer) in made {
            if answer.status != 201 {
                assert_eq!(answer.status, 401, "round {round}, {how}: {}", answer.text());
                refused += 1;
                continue;
            }
            made_before += 1;
            let [token] = texts(&answer.json(), ["token"]);
            let status = world.server.caller(&token).get("/v1/me").status;
            assert_eq!(status, 401, "round {round}: a session is left, {how} at the same moment");
        }
    }
    println!("{made_before} sessions were made first, and ended; {refused} were refused");
    assert!(made_before > 0 && refused > 0, "both orders occur: {made_before}, {refused}");
}

/// Signing in by the password alone while a second factor is confirmed: whichever comes first, no such session is left.
fn no_password_alone_signs_in_once_a_second_factor_counts(backend: Backend) {
    let mut world = World::new(backend);
    let mut chance = Chance::seeded(0x0018);
    let (mut made_before, mut refused) = (0, 0);
    for round in 0..session_rounds() / 2 {
        let mut held = world.holder(Holder::Session);
        let me = world.server.caller(&held.credential).get("/v1/me").expect(200);
        let sign_in = json!({"email": me["email"], "password": Server::PASSWORD});
        let person = &mut held.person.as_mut().unwrap().1;
        let [secret] = texts(&person.call("/v1/me/totp").expect(201), ["secret"]);
        let code = App::new(&secret).code();
        let offset = Duration::from_micros(*chance.pick(&OFFSETS));
        let made = std::thread::scope(|threads| {
            let mut started = Vec::new();
            for _ in 0..GIVERS {
                let (mut anyone, sign_in) = (world.server.anyone(), &sign_in);
                started.push(threads.spawn(move || anyone.post("/v1/sessions", sign_in)));
            }
            std::thread::sleep(offset);
            person.post("/v1/me/totp/confirm", &json!({ "code": code })).expect(200);
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

fn an_invitation_ends_with_the_credential_that_made_it(backend: Backend) {
    let mut world = World::new(backend);
    for holder in [Holder::Token, Holder::Key] {
        for is_revoked in [false, true] {
            let mut held = world.holder(holder);
            let asked = json!({"email": format!("{}@guests.example", world.fresh()), "role": "viewer"});
            let path = format!("{}/invitations", world.org);
            let code = world.server.caller(&held.credential).post(&path, &asked).expect(201)["code"].clone();
            if is_revoked {
                let id = held.token.clone().unwrap();
                match &mut held.person {
                    Some((_, person)) => person.delete(&format!("/v1/me/keys/{id}")).expect(204),
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

fn a_token_in_its_grace_gives_nothing_that_lasts(backend: Backend) {
    let mut world = World::new(backend);
    let held = world.holder(Holder::Token);
    let id = held.token.clone().unwrap();
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
    // It goes on working otherwise, and its owner can take the rotation back.
    old.patch(&world.project, &json!({"name": "another"})).expect(200);
    world.owner.call(&format!("/v1/tokens/{id}/rotate/cancel")).expect(200);
    old.post("/v1/tokens", &json!({"name": "another", "scopes": ["read"]})).expect(201);
}

fn a_key_changes_nothing_that_signing_in_stands_on(backend: Backend) {
    let mut world = World::new(backend);
    let mut held = world.holder(Holder::Key);
    let mut key = world.server.caller(&held.credential);
    let session = {
        let other = &mut held.person.as_mut().unwrap().1;
        let sessions = other.get("/v1/sessions").expect(200)["sessions"].clone();
        texts(&sessions[0], ["id"])[0].clone()
    };
    let rule = json!({"require_second_factor": true});
    key.patch("/v1/me", &json!({"email": "thief@acme.example"})).fails(403, "session needed");
    key.delete(&format!("/v1/sessions/{session}")).fails(403, "session needed");
    key.delete("/v1/sessions").fails(403, "session needed");
    key.patch(&world.org, &rule).fails(403, "session needed");
    key.patch("/v1/me", &json!({"name": "Somebody"})).expect(200);
    held.person.as_mut().unwrap().1.get("/v1/me").expect(200);
}
