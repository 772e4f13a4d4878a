//! A server killed at any moment: acknowledged changes survive, no change is half done, and none lacks its event in the
//! audit trail.
//!
//! Clients create, rotate, revoke and sign in, each request with its own id, and note which requests were acknowledged.
//! After a random number of those the server is killed. The test then asks the next server about them over HTTP and
//! reads the database directly: every acknowledged request has exactly one event, every other at most one, and rows and
//! events agree in both directions.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};
use token_domain::Timestamp;
use token_domain::record::{AuditRecord, Token};
use token_domain::token::RevokeReason;

use crate::support::{Backend, Chance, Client, Options, Request, Server, at_length, both, now, texts};

both!(acknowledged_changes_survive_a_kill);

/// Databases in parallel, each with a server that is killed repeatedly: on PostgreSQL the first change after a kill
/// waits five seconds for the dead node, and these waits overlap.
const LANES: usize = 4;
/// The total of kills on SQLite, and on PostgreSQL, where a cycle takes those five seconds.
const KILLS: [usize; 2] = [300, 60];
/// The long version.
const KILLS_FULL: [usize; 2] = [5_000, 1_000];
/// Clients of a server.
const CLIENTS: usize = 3;
/// The most acknowledged requests before a kill.
const LONGEST_CYCLE: usize = 40;

fn acknowledged_changes_survive_a_kill(backend: Backend) {
    run(backend, KILLS);
}

at_length!(|backend| run(backend, KILLS_FULL));

fn run(backend: Backend, [on_sqlite, on_postgresql]: [usize; 2]) {
    let kills = match backend {
        Backend::Sqlite => on_sqlite,
        Backend::PostgreSql => on_postgresql,
    };
    let mut chance = Chance::seeded(0xdead);
    std::thread::scope(|scope| {
        for _ in 0..LANES {
            let chance = chance.fork();
            scope.spawn(move || lane(backend, chance, kills / LANES));
        }
    });
}

/// A request and its result.
#[derive(Debug)]
enum Deed {
    Created {
        id: String,
        secret: String,
    },
    /// A rotation without grace: the old token is invalid.
    Rotated {
        old: String,
        id: String,
        secret: String,
    },
    /// A rotation with a grace: both tokens are valid.
    Superseded {
        old: String,
        id: String,
        secret: String,
    },
    Revoked {
        id: String,
    },
    SignedIn {
        session: String,
    },
    SignedOut {
        session: String,
    },
}

/// The requests of a client.
#[derive(Default)]
struct Journal {
    /// Acknowledged requests with their ids.
    done: Vec<(String, Deed)>,
    /// The ids of unanswered requests, which may have been carried out.
    unknown: Vec<String>,
    /// Tokens and sessions that an unanswered request concerned.
    doubtful: HashSet<String>,
}

/// The expected state of a credential after all acknowledged requests.
#[derive(Clone, Debug)]
struct Known {
    secret: String,
    is_live: bool,
}

#[derive(Default)]
struct World {
    /// By token id, or by session token.
    known: HashMap<String, Known>,
    doubtful: HashSet<String>,
    /// The number and hash of the last event that was read.
    end: (i64, [u8; 32]),
    deeds: usize,
}

fn lane(backend: Backend, mut chance: Chance, kills: usize) {
    let options = Options::default()
        .with("log.filter", "warn")
        .with("rate_limit.sign_in_concurrent_per_account", 100)
        .with("rate_limit.sign_in_attempts", 1_000);
    let mut server = Server::start(backend, options);
    let credential = server.owner().credential().to_owned();
    let mut world = World::default();
    for kill in 0..kills {
        let begun = now();
        let journals = live_and_die(&mut server, &credential, &mut chance, kill);
        server.serve();
        for journal in &journals {
            world.learn(journal);
        }
        world.ask(&server, &journals, &mut chance);
        world.read(&server, &journals, Some(begun));
    }
    world.read_all(&server);
    server.stop();
    println!("{kills} kills, {} acknowledged requests", world.deeds);
    assert!(world.deeds > kills * 4, "hardly anything was acknowledged");
}

/// Clients send requests until the server is killed.
fn live_and_die(server: &mut Server, credential: &str, chance: &mut Chance, kill: usize) -> Vec<Journal> {
    let acknowledged = AtomicU32::new(0);
    let enough = u32::try_from(1 + chance.below(LONGEST_CYCLE)).unwrap();
    let spin = chance.below(20_000);
    let address = server.address();
    let journals: Mutex<Vec<Journal>> = Mutex::default();
    std::thread::scope(|scope| {
        for number in 0..CLIENTS {
            let (mut chance, journals, acknowledged) = (chance.fork(), &journals, &acknowledged);
            let mut owner = Client::new(address).with(credential);
            scope.spawn(move || {
                let mut journal = Journal::default();
                let mut live: Vec<(String, String)> = Vec::new();
                for deed in 0.. {
                    let request_id = format!("kill-{kill}.client-{number}.{deed}");
                    if !act(&mut owner, &mut chance, &request_id, &mut live, &mut journal) {
                        break;
                    }
                    acknowledged.fetch_add(1, Ordering::SeqCst);
                }
                journals.lock().unwrap().push(journal);
            });
        }
        while acknowledged.load(Ordering::SeqCst) < enough {
            std::thread::yield_now();
        }
        // Kill at a random moment between two acknowledgements.
        for _ in 0..spin {
            std::hint::spin_loop();
        }
        server.kill();
    });
    journals.into_inner().unwrap()
}

/// Sends one request. Returns false if the server is gone.
fn act(
    owner: &mut Client,
    chance: &mut Chance,
    request_id: &str,
    live: &mut Vec<(String, String)>,
    journal: &mut Journal,
) -> bool {
    let token = if live.is_empty() { None } else { Some(live.swap_remove(chance.below(live.len()))) };
    let new = |body: &Value| texts(body, ["id", "secret"]);
    let (subject, path, method, body) = match (chance.below(10), token) {
        (0..=1, Some((id, _))) => (Some(id.clone()), format!("/v1/tokens/{id}"), "DELETE", None),
        (2..=3, Some((id, _))) => {
            let body = json!({"grace_period_seconds": 0});
            (Some(id.clone()), format!("/v1/tokens/{id}/rotate"), "POST", Some(body))
        }
        (4, Some((id, _))) => {
            let body = json!({"grace_period_seconds": 3600});
            (Some(id.clone()), format!("/v1/tokens/{id}/rotate"), "POST", Some(body))
        }
        (5, kept) => {
            live.extend(kept);
            let body = json!({"email": Server::OWNER, "password": Server::PASSWORD});
            (None, "/v1/sessions".to_owned(), "POST", Some(body))
        }
        (_, kept) => {
            live.extend(kept);
            (None, "/v1/tokens".to_owned(), "POST", Some(json!({"name": request_id, "scopes": ["execute"]})))
        }
    };
    let request = Request::new(method, &path).header("X-Request-ID", request_id);
    let request = match &body {
        Some(body) => request.json(body),
        None => request,
    };
    let Ok(answer) = owner.try_ask(request) else {
        journal.unknown.push(request_id.to_owned());
        journal.doubtful.extend(subject);
        return false;
    };
    let deed = match (answer.status, subject) {
        (204, Some(id)) => Deed::Revoked { id },
        (200, Some(old)) => {
            let body = answer.json();
            let [id, secret] = new(&body);
            live.push((id.clone(), secret.clone()));
            if body["old_token_status"] == "revoked" {
                Deed::Rotated { old, id, secret }
            } else {
                Deed::Superseded { old, id, secret }
            }
        }
        (201, None) if path == "/v1/sessions" => {
            let [session] = texts(&answer.json(), ["token"]);
            if chance.below(2) == 0 {
                journal.done.push((request_id.to_owned(), Deed::SignedIn { session: session.clone() }));
                return sign_out(owner, request_id, session, journal);
            }
            Deed::SignedIn { session }
        }
        (201, None) => {
            let [id, secret] = new(&answer.json());
            live.push((id.clone(), secret.clone()));
            Deed::Created { id, secret }
        }
        _ => panic!("{request_id}: {method} {path}: {answer:?}"),
    };
    journal.done.push((request_id.to_owned(), deed));
    true
}

fn sign_out(owner: &Client, request_id: &str, session: String, journal: &mut Journal) -> bool {
    let request_id = format!("{request_id}.out");
    let request = Request::new("DELETE", "/v1/sessions/current").header("X-Request-ID", request_id.clone());
    let Ok(answer) = owner.with(&session).try_ask(request) else {
        journal.unknown.push(request_id);
        journal.doubtful.insert(session);
        return false;
    };
    answer.expect(204);
    journal.done.push((request_id, Deed::SignedOut { session }));
    true
}

impl World {
    /// Adds the acknowledged results of a client.
    fn learn(&mut self, journal: &Journal) {
        for (_, deed) in &journal.done {
            self.deeds += 1;
            let mut now_live = |key: &String, secret: &String| {
                self.known.insert(key.clone(), Known { secret: secret.clone(), is_live: true });
            };
            match deed {
                Deed::Created { id, secret } | Deed::Superseded { id, secret, .. } => now_live(id, secret),
                Deed::SignedIn { session } => now_live(session, session),
                Deed::Rotated { old, id, secret } => {
                    now_live(id, secret);
                    self.dies(old);
                }
                Deed::Revoked { id } => self.dies(id),
                Deed::SignedOut { session } => self.dies(session),
            }
        }
        self.doubtful.extend(journal.doubtful.iter().cloned());
    }

    fn dies(&mut self, key: &String) {
        self.known.get_mut(key).unwrap_or_else(|| panic!("{key} was never made")).is_live = false;
    }

    /// Asks the server about all credentials of the last cycle, and about a few older ones.
    fn ask(&self, server: &Server, journals: &[Journal], chance: &mut Chance) {
        let mut keys: HashSet<&String> = HashSet::new();
        for (_, deed) in journals.iter().flat_map(|journal| &journal.done) {
            match deed {
                Deed::Created { id, .. } | Deed::Revoked { id } => drop(keys.insert(id)),
                Deed::Rotated { old, id, .. } | Deed::Superseded { old, id, .. } => keys.extend([old, id]),
                Deed::SignedIn { session } | Deed::SignedOut { session } => drop(keys.insert(session)),
            }
        }
        let all: Vec<&String> = self.known.keys().collect();
        keys.extend((0..5).filter(|_| !all.is_empty()).map(|_| *chance.pick(&all)));
        let mut anyone = server.anyone();
        for key in keys {
            if self.doubtful.contains(key) {
                continue;
            }
            let Known { secret, is_live } = &self.known[key];
            let is_good = if secret.starts_with("nls_") {
                server.caller(secret).get("/v1/me").status == 200
            } else {
                anyone.is_valid(secret)
            };
            assert_eq!(is_good, *is_live, "{key}: acknowledged, and not so after the crash");
        }
    }

    /// Reads what the last cycle wrote, and compares events with requests and new rows with events.
    fn read(&mut self, server: &Server, journals: &[Journal], since: Option<Timestamp>) {
        let facts = server.facts();
        let organization = facts.organization(Server::ORGANIZATION).id;
        let events = facts.audit_after(Some(organization), self.end);
        if let Some(last) = events.last() {
            self.end = (last.seq, last.hash);
        }
        let mut by_request: HashMap<&str, usize> = HashMap::new();
        for event in &events {
            *by_request.entry(event.request_id.as_str()).or_default() += 1;
        }
        for journal in journals {
            for (request_id, deed) in &journal.done {
                assert_eq!(by_request.get(request_id.as_str()), Some(&1), "{request_id} was acknowledged: {deed:?}");
            }
            for request_id in &journal.unknown {
                assert!(by_request.get(request_id.as_str()).is_none_or(|count| *count == 1), "{request_id}");
            }
        }
        let tokens = facts.tokens(organization, |token| since.is_some_and(|since| token.facts.created_at < since));
        agree(&tokens, &events, since.is_some());
    }

    /// Reads everything again, from the first event on.
    fn read_all(&mut self, server: &Server) {
        self.end = (0, [0; 32]);
        self.read(server, &[], None);
        let facts = server.facts();
        let opened: HashSet<String> = facts
            .audit()
            .into_iter()
            .filter(|event| event.action == "session.create")
            .map(|event| event.target_id)
            .collect();
        for session in facts.sessions(&facts.user(Server::OWNER)) {
            assert!(opened.contains(&session.id.to_string()), "a session without its event: {}", session.id);
        }
    }
}

/// Asserts that rows and events agree. With `partly`, these are the events of a cycle and the tokens made in it, so an
/// event may concern an older token.
fn agree(tokens: &[Token], events: &[AuditRecord], partly: bool) {
    let by_id: HashMap<String, &Token> = tokens.iter().map(|token| (token.id.to_string(), token)).collect();
    let mut made: HashSet<String> = HashSet::new();
    let mut superseded: HashMap<String, String> = HashMap::new();
    let mut revoked: HashSet<&str> = HashSet::new();
    for event in events {
        match event.action.as_str() {
            "token.create" => assert!(made.insert(event.target_id.clone()), "made twice: {event:?}"),
            "token.rotate" => {
                let detail: Value = serde_json::from_str(&event.detail).unwrap();
                let successor = detail["successor"].as_str().unwrap().to_owned();
                assert!(made.insert(successor.clone()), "made twice: {event:?}");
                assert!(superseded.insert(event.target_id.clone(), successor).is_none(), "rotated twice: {event:?}");
            }
            "token.revoke" => assert!(revoked.insert(&event.target_id), "revoked twice: {event:?}"),
            _ => {}
        }
    }
    let listed: HashSet<String> = by_id.keys().cloned().collect();
    assert_eq!(made, listed, "tokens and the events that made them differ");
    for (old, successor) in &superseded {
        let new = by_id[successor];
        assert_eq!(new.rotated_from.map(|id| id.to_string()).as_ref(), Some(old), "half a rotation");
        match by_id.get(old) {
            Some(token) => {
                let by = token.facts.superseded.map(|superseded| superseded.by.to_string());
                assert_eq!(by.as_ref(), Some(successor), "half a rotation");
            }
            None => assert!(partly, "an event about no token: {old}"),
        }
    }
    for (id, token) in &by_id {
        assert_eq!(token.facts.superseded.is_some(), superseded.contains_key(id), "{id} was rotated without an event");
        let is_requested = token.facts.revoked.is_some_and(|revoked| revoked.reason == RevokeReason::Requested);
        assert_eq!(is_requested, revoked.contains(id.as_str()), "{id} was revoked without an event, or the reverse");
        assert_eq!(token.rotated_from.is_some(), superseded.values().any(|successor| successor == id), "{id}");
    }
}
