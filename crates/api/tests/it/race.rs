//! Revocation is immediate: after the answer to a revocation has been read, no node accepts the credential any more.
//!
//! Client threads, the hunters, ask about a credential continuously while it is revoked. Each reads the flag "the
//! answer was read" before it sends the first byte of a question: if it was set, the credential must be refused. If the
//! revocation had not been sent when an answer arrived, the credential must have been accepted. The test uses only what
//! clients see.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Barrier, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Answer, Backend, Chance, Client, Options, Request, Server, Wire, at_length, both, texts};

both!(revoked_means_revoked);

/// Groups of a revoker and its hunters, running in parallel.
const CELLS: usize = 2;
/// Hunters per cell, each with its own connection.
const HUNTERS: usize = 2;
/// Questions of each hunter after the answer to the revocation.
const AFTERWARDS: u32 = 10;
/// Revocations on SQLite and on PostgreSQL, which takes three times as long: five thousand in all. Each is followed by
/// `HUNTERS × AFTERWARDS` questions and the revoker's own, a hundred thousand together.
const REVOCATIONS: [usize; 2] = [4_000, 1_000];
/// The long version: two million questions.
const REVOCATIONS_FULL: [usize; 2] = [76_000, 20_000];

/// Pauses between two questions of a hunter while the revocation runs, chosen at random.
const PAUSES: [Duration; 4] =
    [Duration::ZERO, Duration::from_micros(50), Duration::from_micros(300), Duration::from_millis(1)];

/// The counts and failures of all cells.
#[derive(Default)]
struct Tally {
    revocations: AtomicU64,
    /// Questions sent after the answer to the revocation was read.
    afterwards: AtomicU64,
    /// Questions concurrent with the revocation, for which either answer is right.
    overlapping: AtomicU64,
    /// Questions answered before the revocation was sent.
    before: AtomicU64,
    wrong: Mutex<Vec<String>>,
}

/// The state of one revocation, shared by the revoker and its hunters.
#[derive(Default)]
struct Round {
    question: Mutex<Vec<u8>>,
    /// The number of hunters that have seen the credential accepted.
    warm: AtomicU32,
    /// The revocation may have been sent.
    revoking: AtomicBool,
    /// The answer to the revocation has been read.
    revoked: AtomicBool,
    /// The hunters are between the two barriers of a round.
    running: AtomicBool,
    over: AtomicBool,
}

/// Ends the hunters when the revoker panics, so that they do not wait at a barrier for ever and the panic is reported.
struct Dismissal<'a>(&'a Round, &'a Barrier);

impl Drop for Dismissal<'_> {
    fn drop(&mut self) {
        self.0.over.store(true, Ordering::SeqCst);
        self.0.revoking.store(true, Ordering::SeqCst);
        self.0.revoked.store(true, Ordering::SeqCst);
        if self.0.running.load(Ordering::SeqCst) {
            self.1.wait();
        }
        self.1.wait();
    }
}

/// How a credential is made, asked about, and revoked.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Delete,
    RotateWithoutGrace,
    CancelRotation,
    EndSession,
}

/// Frequent kinds are listed several times, so that they are chosen more often.
const KINDS: [Kind; 8] = [
    Kind::Delete,
    Kind::Delete,
    Kind::Delete,
    Kind::Delete,
    Kind::RotateWithoutGrace,
    Kind::RotateWithoutGrace,
    Kind::CancelRotation,
    Kind::EndSession,
];

fn revoked_means_revoked(backend: Backend) {
    run(backend, REVOCATIONS);
}

at_length!(|backend| run(backend, REVOCATIONS_FULL));

fn run(backend: Backend, [on_sqlite, on_postgresql]: [usize; 2]) {
    let revocations = match backend {
        Backend::Sqlite => on_sqlite,
        Backend::PostgreSql => on_postgresql,
    };
    let options = Options::default().with("log.filter", "warn").with("rate_limit.sign_in_concurrent_per_account", 100);
    let server = Server::start(backend, options);
    let mut chance = Chance::seeded(0x7ace);
    let tally = Tally::default();
    std::thread::scope(|scope| {
        for _ in 0..CELLS {
            let (chance, server, tally) = (chance.fork(), &server, &tally);
            scope.spawn(move || cell(server, chance, revocations / CELLS, tally));
        }
    });
    let count = |counter: &AtomicU64| counter.load(Ordering::SeqCst);
    let (revoked, afterwards) = (count(&tally.revocations), count(&tally.afterwards));
    println!(
        "{revoked} revocations; {afterwards} questions afterwards, {} during, {} before",
        count(&tally.overlapping),
        count(&tally.before)
    );
    let wrong = tally.wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} wrong answers, the first: {}", wrong.len(), wrong[0]);
    assert_eq!(revoked, u64::try_from(revocations / CELLS * CELLS).unwrap());
    assert!(afterwards >= revoked * u64::from(AFTERWARDS) * u64::try_from(HUNTERS).unwrap());
    assert!(count(&tally.overlapping) > revoked / 10, "hardly any question met a revocation");
}

fn cell(server: &Server, mut chance: Chance, rounds: usize, tally: &Tally) {
    let round = Round::default();
    // The revoker and its hunters begin and end each round together.
    let gate = Barrier::new(HUNTERS + 1);
    std::thread::scope(|scope| {
        for number in 0..HUNTERS {
            let (chance, round, gate) = (chance.fork(), &round, &gate);
            scope.spawn(move || hunt(server.address(), number, chance, round, gate, tally));
        }
        let _dismissal = Dismissal(&round, &gate);
        let mut revoker = Revoker { server, owner: server.owner(), validator: server.anyone() };
        for _ in 0..rounds {
            let kind = *chance.pick(&KINDS);
            let prey = revoker.make(kind);
            *round.question.lock().unwrap() = prey.question.bytes();
            round.warm.store(0, Ordering::SeqCst);
            round.revoking.store(false, Ordering::SeqCst);
            round.revoked.store(false, Ordering::SeqCst);
            round.running.store(true, Ordering::SeqCst);
            gate.wait();
            while round.warm.load(Ordering::SeqCst) < u32::try_from(HUNTERS).unwrap() {
                std::thread::yield_now();
            }
            for _ in 0..chance.below(200) {
                std::hint::spin_loop();
            }
            round.revoking.store(true, Ordering::SeqCst);
            let answer = revoker.revoke(&prey);
            round.revoked.store(true, Ordering::SeqCst);
            tally.revocations.fetch_add(1, Ordering::SeqCst);
            // The revoker itself asks at once: no other question can follow the answer sooner.
            let asked = revoker.validator.ask(prey.question.clone());
            judge(tally, &asked, &format!("{kind:?}: the revoker"));
            if let Some(heir) = prey.heir(&answer)
                && !revoker.validator.is_valid(&heir)
            {
                tally.wrong.lock().unwrap().push(format!("{kind:?}: the heir was refused"));
            }
            gate.wait();
            round.running.store(false, Ordering::SeqCst);
        }
    });
}

/// Counts a question sent after the answer to the revocation was read, and checks its answer.
fn judge(tally: &Tally, answer: &Answer, who: &str) {
    tally.afterwards.fetch_add(1, Ordering::SeqCst);
    if answer.status != 401 {
        tally.wrong.lock().unwrap().push(format!("{who}: accepted afterwards: {} {}", answer.status, answer.text()));
    }
}

fn hunt(address: SocketAddr, number: usize, mut chance: Chance, round: &Round, gate: &Barrier, tally: &Tally) {
    let mut wire = Wire::open(address).unwrap();
    loop {
        gate.wait();
        if round.over.load(Ordering::SeqCst) {
            return;
        }
        let question = round.question.lock().unwrap().clone();
        let mut was_accepted = false;
        let mut afterwards = 0;
        while afterwards < AFTERWARDS {
            let is_revoked = round.revoked.load(Ordering::SeqCst);
            let answer = wire.send(&question).and_then(|()| wire.answer(false));
            let may_be_revoked = round.revoking.load(Ordering::SeqCst);
            let answer = match answer {
                Ok(answer) => answer,
                Err(error) => {
                    // Recorded without a panic, because the other threads wait at the barrier.
                    tally.wrong.lock().unwrap().push(format!("hunter {number}: {error}"));
                    wire = Wire::open(address).unwrap();
                    continue;
                }
            };
            match (is_revoked, may_be_revoked) {
                (true, _) => {
                    judge(tally, &answer, &format!("hunter {number}"));
                    afterwards += 1;
                }
                (false, true) => {
                    tally.overlapping.fetch_add(1, Ordering::SeqCst);
                    if !matches!(answer.status, 200 | 401) {
                        tally.wrong.lock().unwrap().push(format!("hunter {number}: {answer:?}"));
                    }
                }
                (false, false) => {
                    tally.before.fetch_add(1, Ordering::SeqCst);
                    if answer.status != 200 {
                        tally.wrong.lock().unwrap().push(format!("hunter {number}: refused before: {answer:?}"));
                    }
                }
            }
            if !was_accepted {
                was_accepted = true;
                round.warm.fetch_add(1, Ordering::SeqCst);
            } else if !is_revoked {
                // Random pauses, so that questions meet the revocation at every stage and leave it processor time.
                std::thread::sleep(*chance.pick(&PAUSES));
            }
        }
        gate.wait();
    }
}

/// A credential that is about to be revoked.
struct Prey {
    question: Request<'static>,
    /// The token whose rotation or deletion ends it, or the session itself.
    handle: String,
    kind: Kind,
}

impl Prey {
    /// The token that must be valid after the revocation: the successor of a rotation.
    fn heir(&self, answer: &Answer) -> Option<String> {
        match self.kind {
            Kind::RotateWithoutGrace => Some(texts(&answer.json(), ["secret"])[0].clone()),
            Kind::Delete | Kind::CancelRotation | Kind::EndSession => None,
        }
    }
}

struct Revoker<'a> {
    server: &'a Server,
    owner: Client,
    validator: Client,
}

impl Revoker<'_> {
    fn make(&mut self, kind: Kind) -> Prey {
        let about = |secret: &Value| Request::new("POST", "/v1/auth/validate").json(&json!({ "token": secret }));
        let (question, handle) = match kind {
            Kind::Delete | Kind::RotateWithoutGrace => {
                let made = self.owner.create("prey");
                (about(&made["secret"]), made["id"].as_str().unwrap().to_owned())
            }
            Kind::CancelRotation => {
                let [id] = texts(&self.owner.create("prey"), ["id"]);
                (about(&self.owner.rotate(&id, &json!({}))["secret"]), id)
            }
            Kind::EndSession => {
                let session = self.server.owner();
                let credential = session.credential().to_owned();
                (Request::new("GET", "/v1/me").bearer(&credential), credential)
            }
        };
        Prey { question, handle, kind }
    }

    /// Revokes, and returns when the successful answer has been read completely. On a busy machine the database may be
    /// unavailable for a moment; then the revocation is not guaranteed, and the request is sent again.
    fn revoke(&mut self, prey: &Prey) -> Answer {
        let handle = &prey.handle;
        loop {
            let (answer, status) = match prey.kind {
                Kind::Delete => (self.owner.delete(&format!("/v1/tokens/{handle}")), 204),
                Kind::RotateWithoutGrace => {
                    let body = json!({"grace_period_seconds": 0});
                    (self.owner.post(&format!("/v1/tokens/{handle}/rotate"), &body), 200)
                }
                Kind::CancelRotation => (self.owner.call(&format!("/v1/tokens/{handle}/rotate/cancel")), 200),
                Kind::EndSession => (self.server.caller(handle).delete("/v1/sessions/current"), 204),
            };
            if answer.status != 503 {
                assert_eq!(answer.status, status, "{answer:?}");
                return answer;
            }
        }
    }
}
