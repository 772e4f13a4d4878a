//! The clients of a chaos run. Each keeps what it asked and was told; none of them knows of the faults.
//!
//! Owners make tokens and change them at one node after the other, and ask all nodes right after each answer. Watchers ask
//! about tokens that were changed lately. Clients of the front make and revoke tokens through it, as applications do.

use crate::cluster::{EMAIL, ORGANISATION, PASSWORD};
use crate::history::{Change, History, Life, Look, Moment, Outcome, Said, State, Stopwatch};
use client::options::{CreateKeyOptions, CreateTokenOptions, RotateTokenOptions};
use client::types::{
    AcceptInvitation, CreateInvitation, CreateKey, CreateToken, EditMember, EditToken, MemberStatus, Reason,
    RotateToken, SignIn, ValidateRequest,
};
use client::{Client, Error, Plain, Secret};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::Duration;
use task_support::chance::Chance;
use task_support::fail::{Context as _, Result};

/// How many tokens the watchers choose from.
const WATCHED: usize = 48;
/// Between two tries of a change whose outcome is unknown.
const PAUSE: Duration = Duration::from_millis(50);
/// How many tokens of each client are looked at once more at the end.
const LOOKED_BACK_AT: usize = 1_000;
/// A revocation is tried so often before its token is left as it is.
const TRIES: usize = 200;

/// What all clients share.
pub(crate) struct Load {
    /// A client of each node with the owner's session, and one of the front.
    owners: Vec<Client>,
    front: Client,
    stopwatch: Stopwatch,
    is_over: AtomicBool,
    tokens: AtomicUsize,
    watched: Mutex<Vec<(usize, Secret)>>,
}

/// What a client has seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) lives: Vec<(usize, Life)>,
    pub(crate) looks: Vec<Look>,
    /// Names of tokens that were changed: as read at the end, they must be what was acknowledged last.
    pub(crate) names: Vec<Named>,
    /// How long acknowledged revocations took, from sending to the answer, and when each was sent.
    pub(crate) revocations: Vec<(Moment, Moment)>,
    /// Answers that no fault explains.
    pub(crate) unexpected: Vec<String>,
    /// Requests through the front, and those of them that failed.
    pub(crate) front_requests: usize,
    pub(crate) front_failures: Vec<String>,
    secrets: Vec<(usize, Secret)>,
}

/// The names that a token may have: the last that was acknowledged, and those of unknown outcome.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    id: String,
    possible: Vec<String>,
}

/// How many clients of each kind there are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crowd {
    pub(crate) owners: usize,
    pub(crate) watchers: usize,
    pub(crate) of_front: usize,
}

impl Load {
    /// Signs in.
    pub(crate) fn new(nodes: &[String], front: &str, stopwatch: Stopwatch) -> Result<Self> {
        let clients: client::Result<Vec<Client>> =
            nodes.iter().map(|node| Client::new(node, Plain::LocalOnly)).collect();
        let clients = clients.attempt(|| "use the nodes' addresses".into())?;
        let body = SignIn {
            email: EMAIL.into(),
            password: PASSWORD.into(),
            organization: Some(ORGANISATION.into()),
            ..SignIn::default()
        };
        let session = clients[0].create_session(&body).attempt(|| "sign in".into())?;
        let front = Client::new(front, Plain::LocalOnly).attempt(|| "use the front's address".into())?;
        Ok(Self {
            owners: clients.iter().map(|client| client.with(session.token.clone())).collect(),
            front: front.with(session.token),
            stopwatch,
            is_over: AtomicBool::new(false),
            tokens: AtomicUsize::new(0),
            watched: Mutex::default(),
        })
    }

    /// Runs the clients until `until` returns; what each has seen.
    pub(crate) fn run<T>(&self, crowd: Crowd, seed: u64, until: impl FnOnce() -> Result<T>) -> (Result<T>, Vec<Seen>) {
        let mut chance = Chance::new(seed);
        std::thread::scope(|scope| {
            let mut threads = Vec::new();
            for number in 0..crowd.owners {
                let chance = chance.fork();
                threads.push(scope.spawn(move || Worker::new(self, chance).own(number)));
            }
            for _ in 0..crowd.watchers {
                let chance = chance.fork();
                threads.push(scope.spawn(move || Worker::new(self, chance).watch()));
            }
            for _ in 0..crowd.of_front {
                let chance = chance.fork();
                threads.push(scope.spawn(move || Worker::new(self, chance).use_front()));
            }
            let result = until();
            self.is_over.store(true, Ordering::SeqCst);
            let join = |thread: std::thread::ScopedJoinHandle<'_, Seen>| match thread.join() {
                Ok(what) => what,
                Err(panic) => std::panic::resume_unwind(panic),
            };
            (result, threads.into_iter().map(join).collect())
        })
    }

    /// Asks every node about the latest tokens, and reads names back, once all is calm again.
    pub(crate) fn look_back(&self, seen: &mut [Seen]) {
        for seen in seen {
            let mut worker = Worker { load: self, chance: Chance::new(0), seen: std::mem::take(seen) };
            for (token, secret) in std::mem::take(&mut worker.seen.secrets).into_iter().rev().take(LOOKED_BACK_AT) {
                for node in 0..self.owners.len() {
                    worker.look(node, token, &secret);
                }
            }
            for named in std::mem::take(&mut worker.seen.names) {
                match self.owners[0].get_token(&named.id) {
                    Ok(token) if named.possible.contains(&token.name) => {}
                    Ok(token) => worker.seen.unexpected.push(format!(
                        "token {} is called {:?} and not {:?}, as was acknowledged",
                        named.id, token.name, named.possible
                    )),
                    Err(error) => worker.seen.unexpected.push(format!("token {} is lost: {error}", named.id)),
                }
            }
            *seen = worker.seen;
        }
    }

    fn watched(&self) -> MutexGuard<'_, Vec<(usize, Secret)>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst)
    }
}

/// All that was seen, as one history.
pub(crate) fn history(seen: &[Seen]) -> History {
    let mut history = History::default();
    for (token, life) in seen.iter().flat_map(|seen| &seen.lives) {
        if history.lives.len() <= *token {
            history.lives.resize(token + 1, Life::default());
        }
        history.lives[*token] = life.clone();
    }
    history.looks = seen.iter().flat_map(|seen| seen.looks.iter().copied()).collect();
    history
}

struct Worker<'a> {
    load: &'a Load,
    chance: Chance,
    seen: Seen,
}

/// A token, as its owner knows it.
struct Token {
    number: usize,
    id: String,
    secret: Secret,
    life: Life,
}

/// Somebody with a key, whom the owner switches off and on.
struct Person {
    organization: String,
    id: String,
    key: Token,
}

impl<'a> Worker<'a> {
    fn new(load: &'a Load, chance: Chance) -> Self {
        Self { load, chance, seen: Seen::default() }
    }

    fn node(&mut self) -> usize {
        self.chance.below(self.load.owners.len())
    }

    /// Makes tokens and takes rights away until the run is over.
    fn own(mut self, number: usize) -> Seen {
        let mut person = None;
        while !self.load.is_over() {
            if person.is_none() {
                person = self.invite(number);
            }
            let Some(mut token) = self.create() else {
                sleep(PAUSE);
                continue;
            };
            self.look_everywhere(&token);
            match self.chance.below(10) {
                0 | 1 => self.rotate(&mut token),
                2 => self.rename(&token),
                3 => {
                    if let Some(one) = person.take() {
                        person = self.switch(one);
                    }
                }
                4 => {
                    // Left as it is: looked at to the end.
                    self.keep(token);
                    continue;
                }
                _ => {}
            }
            self.revoke(&mut token);
            self.keep(token);
        }
        if let Some(person) = person {
            self.keep(person.key);
        }
        self.seen
    }

    fn keep(&mut self, token: Token) {
        self.seen.lives.push((token.number, token.life));
        self.seen.secrets.push((token.number, token.secret));
    }

    /// Sends a change; whether it was acknowledged, and what it said.
    fn change<T>(
        &mut self,
        what: &str,
        to: State,
        call: impl FnOnce(&Client) -> client::Result<T>,
    ) -> (Change, Option<T>) {
        let node = self.node();
        let sent = self.load.stopwatch.now();
        let answer = call(&self.load.owners[node]);
        let answered = self.load.stopwatch.now();
        let (outcome, said) = match answer {
            Ok(said) => (Outcome::Acknowledged, Some(said)),
            Err(error) => {
                if !is_outage(&error) {
                    self.seen.unexpected.push(format!("{what} at node {node}: {error:?}"));
                }
                (Outcome::Unknown, None)
            }
        };
        (Change { sent, answered, node, to, outcome }, said)
    }

    fn begin(&mut self, change: Change, id: String, secret: Secret) -> Token {
        let number = self.load.tokens.fetch_add(1, Ordering::SeqCst);
        let mut watched = self.load.watched();
        if watched.len() < WATCHED {
            watched.push((number, secret.clone()));
        } else {
            watched[number % WATCHED] = (number, secret.clone());
        }
        drop(watched);
        Token { number, id, secret, life: Life { changes: vec![change] } }
    }

    fn create(&mut self) -> Option<Token> {
        let body = CreateToken { name: "prey".into(), scopes: vec!["execute".into()], ..CreateToken::default() };
        let (change, made) =
            self.change("create", State::Valid, |owner| owner.create_token(&CreateTokenOptions::default(), &body));
        made.map(|made| self.begin(change, made.id, made.secret))
    }

    fn revoke(&mut self, token: &mut Token) {
        let with_reason = self.chance.below(5) == 0;
        let reason = Reason { reason: Some("leaked".into()), ..Reason::default() };
        let id = token.id.clone();
        for _ in 0..TRIES {
            let (change, said) = self.change("revoke", State::Revoked, |owner| {
                if with_reason { owner.revoke_with_reason(&id, &reason) } else { owner.revoke_token(&id) }
            });
            token.life.changes.push(change);
            if said.is_some() {
                self.seen.revocations.push((change.sent, change.answered - change.sent));
                break;
            }
            if self.load.is_over() {
                break;
            }
            sleep(PAUSE);
        }
        self.look_everywhere(token);
    }

    /// Rotates without grace: the old token ends, a new one begins.
    fn rotate(&mut self, token: &mut Token) {
        let body = RotateToken { grace_period_seconds: Some(0), ..RotateToken::default() };
        let id = token.id.clone();
        let (change, made) = self
            .change("rotate", State::Revoked, |owner| owner.rotate_token(&id, &RotateTokenOptions::default(), &body));
        token.life.changes.push(change);
        self.look_everywhere(token);
        if let Some(made) = made {
            let heir = self.begin(Change { to: State::Valid, ..change }, made.id, made.secret);
            self.look_everywhere(&heir);
            self.keep(heir);
        }
    }

    fn rename(&mut self, token: &Token) {
        let (mut last, mut unknown) = ("prey".to_owned(), Vec::new());
        for number in 0..3 {
            let name = format!("prey {number}");
            let body = EditToken { name: Some(Some(name.clone())), ..EditToken::default() };
            let (_, said) = self.change("edit", State::Valid, |owner| owner.edit_token(&token.id, &body));
            match said {
                Some(_) => last = name,
                None => unknown.push(name),
            }
        }
        unknown.push(last);
        self.seen.names.push(Named { id: token.id.clone(), possible: unknown });
    }

    /// Invites somebody who makes a key. Tried at one node; nothing where that fails.
    fn invite(&mut self, number: usize) -> Option<Person> {
        let node = self.node();
        let owner = self.load.owners[node].clone();
        let organization = owner.get_me().ok()?.org_id;
        let email = format!("person-{number}-{}@acme.example", self.chance.hex(12));
        let invitation = CreateInvitation { email: email.clone(), role: "admin".into() };
        let code = owner.create_invitation(&organization, &invitation).ok()?.code;
        let accept = AcceptInvitation { code, name: None, password: Some(PASSWORD.into()) };
        let id = owner.anonymous().accept_invitation(&accept).ok()?.user_id;
        let sign_in = SignIn { email, password: PASSWORD.into(), ..SignIn::default() };
        let session = owner.anonymous().create_session(&sign_in).ok()?;
        let body = CreateKey { name: "key".into(), ..CreateKey::default() };
        let sent = self.load.stopwatch.now();
        let made = owner.with(session.token).create_key(&CreateKeyOptions::default(), &body).ok()?;
        let answered = self.load.stopwatch.now();
        let change = Change { sent, answered, node, to: State::Valid, outcome: Outcome::Acknowledged };
        let key = self.begin(change, made.id, made.secret);
        self.look_everywhere(&key);
        Some(Person { organization, id, key })
    }

    /// Switches somebody off and on again; nothing where an outcome is unknown, as it might come later.
    fn switch(&mut self, mut person: Person) -> Option<Person> {
        for (status, to) in [(MemberStatus::Disabled, State::Disabled), (MemberStatus::Active, State::Valid)] {
            let body = EditMember { status: Some(Some(status)), ..EditMember::default() };
            let (change, said) =
                self.change("switch", to, |owner| owner.edit_member(&person.organization, &person.id, &body));
            person.key.life.changes.push(change);
            self.look_everywhere(&person.key);
            if said.is_none() {
                self.keep(person.key);
                return None;
            }
        }
        Some(person)
    }

    /// Asks every node, each once, from a random one on.
    fn look_everywhere(&mut self, token: &Token) {
        let (count, first) = (self.load.owners.len(), self.node());
        for ahead in 0..count {
            self.look((first + ahead) % count, token.number, &token.secret);
        }
    }

    fn look(&mut self, node: usize, token: usize, secret: &Secret) {
        let body = ValidateRequest { token: secret.clone(), ..ValidateRequest::default() };
        let sent = self.load.stopwatch.now();
        let answer = self.load.owners[node].anonymous().validate(&body);
        let answered = self.load.stopwatch.now();
        let said = match answer {
            Ok(answer) if answer.valid => Said::Valid,
            Ok(_) => Said::Invalid,
            Err(Error::Refused(refusal)) if refusal.status == 401 => Said::Invalid,
            Err(error) => {
                if !is_outage(&error) {
                    self.seen.unexpected.push(format!("validate at node {node}: {error:?}"));
                }
                Said::Nothing
            }
        };
        self.seen.looks.push(Look { token, sent, answered, node, said });
    }

    /// Asks about tokens that were made or changed lately, at any node.
    fn watch(mut self) -> Seen {
        while !self.load.is_over() {
            let (node, at) = (self.node(), self.chance.below(WATCHED));
            let chosen = self.load.watched().get(at).cloned();
            match chosen {
                Some((token, secret)) => {
                    self.look(node, token, &secret);
                    // A node that is not there refuses at once.
                    if self.seen.looks.last().is_some_and(|look| look.said == Said::Nothing) {
                        sleep(PAUSE / 10);
                    }
                }
                None => sleep(PAUSE),
            }
        }
        self.seen
    }

    /// Makes, validates and revokes tokens through the front. Each request must succeed at once.
    fn use_front(mut self) -> Seen {
        let front = self.load.front.clone();
        let body =
            CreateToken { name: "through the front".into(), scopes: vec!["execute".into()], ..CreateToken::default() };
        while !self.load.is_over() {
            let made = front.create_token(&CreateTokenOptions::default(), &body);
            let Some(made) = self.through_front("create", made) else {
                sleep(PAUSE);
                continue;
            };
            let validate = ValidateRequest { token: made.secret, ..ValidateRequest::default() };
            for _ in 0..8 {
                let answer = front.anonymous().validate(&validate);
                self.through_front("validate", answer);
            }
            let answer = front.revoke_token(&made.id);
            self.through_front("revoke", answer);
        }
        self.seen
    }

    fn through_front<T>(&mut self, what: &str, answer: client::Result<T>) -> Option<T> {
        self.seen.front_requests += 1;
        answer
            .inspect_err(|error| {
                let at = self.load.stopwatch.now() / 1_000_000;
                self.seen.front_failures.push(format!("{what} at {at} ms: {error}"));
            })
            .ok()
    }
}

/// Whether an error is what a fault brings about: no answer, 503, or too late.
fn is_outage(error: &Error) -> bool {
    match error {
        Error::Unreachable(_) => true,
        Error::Refused(refusal) => [408, 503].contains(&refusal.status),
        Error::Address(_) | Error::Unreadable(_) => false,
    }
}
