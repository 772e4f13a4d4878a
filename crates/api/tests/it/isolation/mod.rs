//! The isolation matrix: every operation of the API document, called by every principal, on objects of the caller's own
//! organisation, on objects of another organisation, and on objects that do not exist.
//!
//! The operations come from the OpenAPI document of the running server, so a new one fails until it has a row in
//! [`rows`]. The expected answer follows from the row, the scope in the document and the principal's scopes. In a path
//! with several ids, each is tried as the first foreign one: a foreign organisation, then the caller's organisation
//! with a foreign project.

mod allowed;
mod catalogue;
mod document;
mod nulls;
mod principals;
mod rows;
mod side;
mod texts;

use std::collections::HashMap;

use serde_json::{Value, json};
use token_domain::person::BuiltInRole;

use self::catalogue::Catalogue;
use self::document::Operation;
use self::principals::{Home, Principal, Shows, shown};
use self::rows::{For, ROWS, Row, Tells};
use self::side::{Names, Side, Subject, email};
use crate::support::{Answer, Backend, Client, Options, Request, Server, both};

both!(every_operation_keeps_everybody_to_their_own);

/// The organisation beside the one that set-up makes.
const ELSEWHERE: &str = "elsewhere";
/// The credential of a front end, for one operation only.
const SERVICE_TOKEN: &str = "the-service-token-of-this-deployment";
/// Operations that a credential bound to a project may not call.
const ORGANIZATION_WIDE: [&str; 3] = ["create_project", "preview_policy", "set_policy"];
/// An id that no object has.
const ABSENT: &str = "018f0000-0000-7000-8000-000000000001";

/// Whose objects the request names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    /// The caller's own.
    Own,
    /// From that segment of the path on, those of the other organisation.
    Foreign(usize),
    /// From that segment of the path on, ids that do not exist.
    Absent(usize),
    /// A colleague's, for objects that belong to one person.
    Colleague,
}

/// The answer that a request must get.
#[derive(Debug, PartialEq)]
enum Expected {
    Succeeds,
    Fails(u16, &'static str),
    Lacks(Vec<String>),
}

/// The server with both organisations, which all cells of the matrix share.
struct World {
    server: Server,
    here: Side,
    elsewhere: Side,
    wire: Client,
    catalogue: Catalogue,
    /// Sessions for requests that must fail, by e-mail address; they are reused.
    sessions: HashMap<String, String>,
    asked: usize,
}

impl World {
    fn new(backend: Backend) -> Self {
        // The owners' connections stay idle while other principals send requests, on a busy machine for minutes.
        let options = Options::default()
            .with("sessions.service_token", SERVICE_TOKEN)
            .with("server.keep_alive_seconds", 600)
            .with("server.public_url", "https://tokens.example.org")
            .with("rate_limit.leak_reports", 1_000_000)
            .with("webhooks.enabled", true)
            .with("tokens.keys_per_person", 10_000)
            .with("tokens.legacy_lookup", true);
        let server = Server::start(backend, options);
        let facts = server.facts();
        let organization = facts.add_organization(ELSEWHERE);
        for role in BuiltInRole::ALL {
            let person = facts.add_person(&email(role, ELSEWHERE));
            facts.join(organization, &person, role);
            if role != BuiltInRole::Owner {
                facts.add_member(&email(role, Server::ORGANIZATION), role);
            }
        }
        drop(facts);
        let (here, elsewhere) = (Side::new(&server, Server::ORGANIZATION), Side::new(&server, ELSEWHERE));
        let mut wire = server.anyone();
        let catalogue = Catalogue::read(&wire.get("/v1/scopes/catalog").expect(200));
        Self { server, here, elsewhere, wire, catalogue, sessions: HashMap::new(), asked: 0 }
    }

    fn sides(&mut self, home: Home) -> (&mut Side, &mut Side) {
        match home {
            Home::Here | Home::Nowhere => (&mut self.here, &mut self.elsewhere),
            Home::Elsewhere => (&mut self.elsewhere, &mut self.here),
        }
    }

    /// Adds members again who left.
    fn rejoin(&mut self) {
        let facts = self.server.facts();
        for slug in [Server::ORGANIZATION, ELSEWHERE] {
            let organization = facts.organization(slug).id;
            for role in BuiltInRole::ALL {
                let person = facts.user(&email(role, slug));
                if !facts.is_member(organization, &person) {
                    facts.join_since(person.created_at, organization, &person, role);
                }
            }
        }
    }

    /// Creates the object that an operation acts on, in the principal's own organisation.
    fn make(&mut self, row: &Row, home: Home, person: &str) -> Names {
        let side = match home {
            Home::Here | Home::Nowhere => &mut self.here,
            Home::Elsewhere => &mut self.elsewhere,
        };
        side.make(&self.server, row.subject, person)
    }

    /// The credential that a principal presents. Where the request may succeed it is a new session, since the operation
    /// may end it.
    fn credential(&mut self, who: &Principal, row: &Row, target: Target) -> Option<String> {
        match &who.shows {
            Shows::Token(_) if row.subject == Subject::Itself => Some(self.sides(who.home).0.twin(who)),
            Shows::Nothing => None,
            Shows::Dead(text) | Shows::Token(text) => Some(text.clone()),
            Shows::Session(email) if target == Target::Own => {
                Some(self.server.signed_in(email).credential().to_owned())
            }
            Shows::Session(email) => {
                let server = &self.server;
                let kept = self.sessions.entry(email.clone());
                Some(kept.or_insert_with(|| server.signed_in(email).credential().to_owned()).clone())
            }
        }
    }

    fn ask(&mut self, operation: &Operation, row: &Row, names: &Names, credential: Option<&str>) -> Answer {
        // A JSON string holds a form body, which is sent unquoted.
        let body = row.body.map(|body| match body(names) {
            Value::String(form) => form,
            json => json.to_string(),
        });
        self.send(operation, row, names, credential, body)
    }

    fn send(
        &mut self,
        operation: &Operation,
        row: &Row,
        names: &Names,
        credential: Option<&str>,
        body: Option<String>,
    ) -> Answer {
        self.asked += 1;
        let value = |name: &str| names.get(name).unwrap_or_else(|| panic!("{}: no {name}", operation.id)).clone();
        let mut path = operation.filled(value);
        if !row.query.is_empty() {
            let filled = names.iter().fold(row.query.to_owned(), |q, (name, v)| q.replace(&format!("{{{name}}}"), v));
            path = format!("{path}?{filled}");
        }
        // The service token is not an API token: only `Authorization: Bearer` takes it.
        let way = if row.whom == For::Service { 0 } else { self.asked };
        let request = shown(Request::new(&operation.method, &path), credential, way);
        self.wire.ask(match body {
            Some(body) => request.header("Content-Type", "application/json").body(body),
            None => request,
        })
    }
}

/// The answer that a principal must get.
fn expected(catalogue: &Catalogue, operation: &Operation, row: &Row, who: &Principal, target: Target) -> Expected {
    let missing = || {
        let scope = operation.scope.as_deref()?;
        Some(catalogue.missing(&catalogue.covered(&who.granted), scope)).filter(|missing| !missing.is_empty())
    };
    match (row.whom, &who.shows) {
        (For::Anybody, _) | (For::AnybodyGood, Shows::Nothing | Shows::Session(_) | Shows::Token(_)) => {
            return Expected::Succeeds;
        }
        (_, Shows::Nothing) => return Expected::Fails(401, "authentication required"),
        (For::Service, _) | (_, Shows::Dead(_)) | (For::TokensAlone, Shows::Session(_)) => {
            return Expected::Fails(401, "invalid token");
        }
        (
            For::Holders | For::Operators | For::People | For::Bound | For::Unbound | For::Tokens | For::TokensAlone,
            Shows::Session(_) | Shows::Token(_),
        ) => {}
    }
    if row.whom == For::Operators {
        let has_all = catalogue.missing(&catalogue.covered(&who.granted), "admin").is_empty();
        let is_operator = has_all && who.home == Home::Here && !who.is_bound;
        return if is_operator { Expected::Succeeds } else { Expected::Fails(404, "not found") };
    }
    if let Some(missing) = missing() {
        return Expected::Lacks(missing);
    }
    let names_organization = operation.parameters().first() == Some(&"org_id");
    if names_organization && matches!(target, Target::Foreign(0) | Target::Absent(0)) {
        return Expected::Fails(404, "not found");
    }
    match (row.whom, who.email(), who.is_bound) {
        (For::Unbound, _, true) | (For::People, None, _) | (For::Tokens, Some(_), _) => {
            return Expected::Fails(403, "forbidden");
        }
        (For::Bound, _, false) => return Expected::Fails(400, "credential bound to no project"),
        _ => {}
    }
    match (target, row.tells) {
        (_, Tells::Nothing) => Expected::Succeeds,
        // The last owner cannot leave.
        (Target::Own, _) if row.subject == Subject::Oneself && who.name.starts_with("owner") => {
            Expected::Fails(409, "last owner")
        }
        // A credential that is bound to a project sees that project only, and creates no other.
        (Target::Own, _) if who.is_bound && row.subject == Subject::EmptyProject => Expected::Fails(404, "not found"),
        (Target::Own, _) if who.is_bound && ORGANIZATION_WIDE.contains(&operation.id.as_str()) => {
            Expected::Fails(403, "forbidden")
        }
        // An actor in an access scope sees nothing of the project outside it, and may not change the project.
        (Target::Own, _) if who.is_confined && row.subject.is_in_project() => Expected::Fails(404, "not found"),
        (Target::Own, _) if who.is_confined && operation.id == "edit_project" => Expected::Fails(403, "forbidden"),
        (Target::Own, Tells::Path | Tells::Query) => Expected::Succeeds,
        (Target::Foreign(_) | Target::Absent(_) | Target::Colleague, Tells::Path) => Expected::Fails(404, "not found"),
        (Target::Foreign(_) | Target::Absent(_) | Target::Colleague, Tells::Query) => Expected::Fails(403, "forbidden"),
    }
}

/// The targets that the path and the query of an operation can name.
fn targets(operation: &Operation, row: &Row) -> Vec<Target> {
    if matches!(row.whom, For::Anybody | For::AnybodyGood) {
        return vec![Target::Own];
    }
    let places = match row.tells {
        Tells::Path => operation.parameters().len(),
        Tells::Query | Tells::Nothing => 1,
    };
    let mut targets: Vec<_> = (0..places).flat_map(|at| [Target::Foreign(at), Target::Absent(at)]).collect();
    if row.subject.is_a_persons() {
        targets.push(Target::Colleague);
    }
    targets.push(Target::Own);
    targets
}

/// The names for one request: the caller's own up to segment `from` of the path, then those in `others`.
fn mixed(operation: &Operation, own: &Names, others: &Names, from: usize) -> Names {
    let kept = operation.parameters();
    let kept = &kept[..from.min(kept.len())];
    let mut names = others.clone();
    names.extend(own.iter().filter(|(name, _)| kept.contains(*name)).map(|(name, value)| (*name, value.clone())));
    names
}

/// The same parameters with values that do not exist.
fn absent(names: &Names) -> Names {
    let nothing = |name: &str| match name {
        "repo" | "org" | "fresh" => "absent".to_owned(),
        _ => ABSENT.to_owned(),
    };
    names.keys().map(|name| (*name, nothing(name))).collect()
}

/// The error code of the operation: OAuth endpoints use those of the RFCs.
fn in_words_of(operation: &Operation, error: &'static str) -> &'static str {
    match error {
        _ if !operation.path.starts_with("/v1/oauth/") => error,
        "authentication required" | "invalid token" => "invalid_client",
        "insufficient scope" => "insufficient_scope",
        other => other,
    }
}

fn check(answer: &Answer, expected: &Expected, operation: &Operation, row: &Row, cell: &str) {
    match expected {
        Expected::Succeeds => assert_eq!(answer.status, row.succeeds, "{cell}: {}", answer.text()),
        // Wrong guesses at the service token are rate-limited, whatever the credential.
        Expected::Fails(401, _) if row.takes_service_token() && answer.status == 429 => {
            answer.fails(429, "too many requests");
        }
        Expected::Fails(status, error) => {
            let error = in_words_of(operation, error);
            assert_eq!((answer.status, &answer.json()["error"]), (*status, &json!(error)), "{cell}");
            answer.fails(*status, error);
        }
        Expected::Lacks(missing) => {
            assert_eq!(answer.status, 403, "{cell}: {}", answer.text());
            let error = in_words_of(operation, "insufficient scope");
            assert_eq!(answer.fails(403, error)["missing"], json!(missing), "{cell}");
            let challenge = answer.header("www-authenticate").unwrap_or_else(|| panic!("{cell}: no challenge"));
            assert!(challenge.contains("insufficient_scope"), "{cell}: {challenge}");
        }
    }
    if answer.status == 401 && operation.is_guarded {
        assert!(answer.header("www-authenticate").is_some_and(|value| value.starts_with("Bearer ")), "{cell}");
    }
}

fn every_operation_keeps_everybody_to_their_own(backend: Backend) {
    let mut world = World::new(backend);
    let operations = document::operations(&world.wire.get("/openapi.json").expect(200));
    let known: Vec<&str> = operations.iter().map(|operation| operation.id.as_str()).collect();
    let rows: Vec<&str> = ROWS.iter().map(|row| row.operation).collect();
    assert_eq!(rows, known, "every operation has a row, and every row an operation");
    let scopes = operations.iter().filter_map(|operation| operation.scope.clone());
    let scopes = scopes.filter(|scope| world.catalogue.may_carry("organization", scope)).collect();
    let of_actors = world.catalogue.carried_by("actor");
    let mut everybody = principals::all(&world.server, &mut world.here, &mut world.elsewhere, &scopes, &of_actors);
    // Owners come last: their requests succeed and may delete the object that the others must fail on.
    everybody.sort_by_key(|who| who.name.starts_with("owner"));
    assert!(everybody.len() >= 14);

    let mut cells = 0;
    let all: usize = operations.iter().zip(ROWS).map(|(o, row)| everybody.len() * targets(o, row).len()).sum();
    for (operation, row) in operations.iter().zip(ROWS) {
        let guarded = !matches!(row.whom, For::Anybody | For::AnybodyGood);
        assert_eq!(operation.is_guarded, guarded, "{}: guarded without a reason, or not guarded", operation.id);
        cells += cells_of(&mut world, operation, row, &everybody);
    }
    assert_eq!(cells, all, "every cell was asserted");
    println!("{cells} cells: {} operations, {} principals", operations.len(), everybody.len());
}

/// Asserts every cell of one operation; returns their number.
fn cells_of(world: &mut World, operation: &Operation, row: &Row, everybody: &[Principal]) -> usize {
    let persons = [email(BuiltInRole::Owner, Server::ORGANIZATION), email(BuiltInRole::Owner, ELSEWHERE)];
    let attacked = [world.make(row, Home::Here, &persons[0]), world.make(row, Home::Elsewhere, &persons[1])];
    let mut cells = 0;
    for who in everybody {
        let (own, foreign) = match who.home {
            Home::Here | Home::Nowhere => (&attacked[0], &attacked[1]),
            Home::Elsewhere => (&attacked[1], &attacked[0]),
        };
        let mut last_foreign = None;
        for target in targets(operation, row) {
            let is_owner = who.email().is_some_and(|email| persons.iter().any(|owner| owner == email));
            let names = match target {
                Target::Foreign(from) => mixed(operation, own, foreign, from),
                Target::Absent(from) => mixed(operation, own, &absent(own), from),
                Target::Colleague if is_owner => absent(own),
                Target::Colleague => own.clone(),
                Target::Own if is_owner => own.clone(),
                Target::Own => world.make(row, who.home, who.email().unwrap_or(&persons[0])),
            };
            let cell = format!("{} as {}, {target:?}", operation.id, who.name);
            let credential = world.credential(who, row, target);
            let answer = world.ask(operation, row, &names, credential.as_deref());
            let expected = expected(&world.catalogue, operation, row, who, target);
            check(&answer, &expected, operation, row, &cell);
            if expected == Expected::Succeeds && row.whom != For::Anybody && row.tells != Tells::Nothing {
                let other = world.sides(who.home).1.slug;
                assert!(!answer.text().contains(other), "{cell}: shows what is another's: {}", answer.text());
            }
            let is_held = answer.status == 429;
            if row.body.is_some() && !is_held && matches!(expected, Expected::Fails(401, _) | Expected::Lacks(_)) {
                // A caller without the right gets the same answer for a malformed body.
                let unread = world.send(operation, row, &names, credential.as_deref(), Some("[".to_owned()));
                assert_eq!(unread.bare(), answer.bare(), "{cell}: the body was judged before the caller");
            }
            match target {
                Target::Foreign(_) => last_foreign = Some(answer),
                Target::Absent(_) if row.tells != Tells::Nothing => {
                    let foreign = last_foreign.take().unwrap();
                    // A guess of the service token that is held says nothing of the object.
                    if !is_held && foreign.status != 429 {
                        assert_eq!(
                            foreign.bare(),
                            answer.bare(),
                            "{cell}: what is foreign can be told from what is absent"
                        );
                    }
                }
                Target::Absent(_) | Target::Colleague | Target::Own => {}
            }
            cells += 1;
        }
    }
    if row.subject == Subject::Oneself {
        world.rejoin();
    }
    if row.subject == Subject::Role {
        // An organisation has a cap on roles.
        world.here.clear_roles();
        world.elsewhere.clear_roles();
    }
    if row.subject == Subject::Webhook || operation.id == "create_webhook" {
        // An organisation has a cap on webhooks.
        world.here.clear_webhooks(0);
        world.elsewhere.clear_webhooks(0);
    }
    if row.whom == For::People {
        // The operation may have ended these sessions.
        world.sessions.clear();
        world.here.owner = world.server.signed_in(&persons[0]);
        world.elsewhere.owner = world.server.signed_in(&persons[1]);
    }
    cells
}
