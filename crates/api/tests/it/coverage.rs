//! Every operation of the API document that asks for a credential, called with none, with a bad one, with one that
//! lacks the scope, and from another organisation.
//!
//! The operations come from the document the server serves, so a new one fails this test until it has a row in
//! [`CALLS`], and one that asks for no credential until somebody writes it into [`OPEN`].

use std::collections::BTreeMap;

use serde_json::{Value, json};
use token_domain::person::BuiltInRole;

use crate::support::{Answer, Backend, Client, Options, Request, Server, both, texts};

both!(every_operation_is_guarded);

/// Operations that anybody may call: probes, documents, and those whose body is the credential.
const OPEN: [&str; 8] =
    ["create_session", "get_badge", "get_catalog", "health", "metrics", "ready", "run_setup", "validate"];

/// Families whose suites (`tenancy`, `executions`) call each operation with the right credential and from another
/// organisation; here their operations are called with none, a bad one, and one that lacks the scope.
const FAMILIES: [&str; 7] = [
    "/v1/organizations/{org_id}/projects",
    "/v1/scopes",
    "/v1/actors",
    "/v1/executions",
    "/v1/enforcements",
    "/v1/baselines",
    "/v1/repos",
];

/// How an operation is called so that it succeeds, given the right credential.
struct Call {
    operation: &'static str,
    body: Option<fn() -> Value>,
    succeeds: u16,
}

const fn call(operation: &'static str, succeeds: u16) -> Call {
    Call { operation, body: None, succeeds }
}

const fn with_body(operation: &'static str, body: fn() -> Value, succeeds: u16) -> Call {
    Call { operation, body: Some(body), succeeds }
}

/// One row for each operation that asks for a credential.
const CALLS: [Call; 18] = [
    call("cancel_rotation", 200),
    with_body(
        "change_password",
        || json!({"current_password": Server::PASSWORD, "new_password": Server::PASSWORD}),
        204,
    ),
    with_body("create_for_person", || json!({"email": Server::OWNER, "organization": Server::ORGANIZATION}), 201),
    with_body("create_token", || json!({"name": "covered", "scopes": ["execute"]}), 201),
    call("delete_all", 204),
    call("delete_current", 204),
    call("delete_session", 204),
    with_body("edit_me", || json!({"name": "Owner"}), 200),
    with_body("edit_token", || json!({"name": "covered"}), 200),
    call("export_audit", 200),
    call("get_me", 200),
    call("get_token", 200),
    call("list_audit", 200),
    call("list_sessions", 200),
    call("list_tokens", 200),
    call("revoke_token", 204),
    with_body("rotate_token", || json!({}), 200),
    call("verify_audit", 200),
];

/// What a front end presents; the credential of one operation.
const SERVICE_TOKEN: &str = "the-service-token-of-this-deployment";

/// An operation as the document has it.
struct Operation {
    id: String,
    method: String,
    path: String,
    has_body: bool,
    /// The scheme and its scopes, for each way to show a credential.
    security: Vec<(String, Vec<String>)>,
}

fn operations(document: &Value) -> Vec<Operation> {
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let requirements = operation["security"].as_array().unwrap_or_else(|| panic!("{method} {path}: security"));
            let security = requirements.iter().flat_map(|requirement| requirement.as_object().unwrap());
            let names = |scopes: &Value| {
                scopes.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
            };
            all.push(Operation {
                id: operation["operationId"].as_str().unwrap().to_owned(),
                method: method.to_uppercase(),
                path: path.clone(),
                has_body: operation.get("requestBody").is_some(),
                security: security.map(|(scheme, scopes)| (scheme.clone(), names(scopes))).collect(),
            });
        }
    }
    all
}

/// The world of one check: an organisation with things in it, and another one beside it.
struct World {
    server: Server,
    owner: Client,
    stranger: Client,
    /// A good credential that may do nothing asked for here.
    powerless: String,
}

impl World {
    fn new(backend: Backend) -> Self {
        let server = Server::start(backend, Options::default().with("sessions.service_token", SERVICE_TOKEN));
        let facts = server.facts();
        let elsewhere = facts.add_organization("elsewhere");
        let other = facts.add_person("owner@elsewhere.example");
        facts.join(elsewhere, &other, BuiltInRole::Owner);
        let mut owner = server.owner();
        let stranger = server.signed_in("owner@elsewhere.example");
        let [powerless] = texts(&owner.create_with("powerless", &["files:read"]), ["secret"]);
        Self { server, owner, stranger, powerless }
    }

    /// Things that exist, by the name of the path parameter that asks for them. Made anew for each check.
    fn existing(&mut self) -> BTreeMap<&'static str, String> {
        let [token] = texts(&self.owner.create("subject"), ["id"]);
        let mut other_session = self.server.owner();
        let sessions = other_session.get("/v1/sessions").expect(200);
        let current = sessions["sessions"].as_array().unwrap().iter().find(|session| session["current"] == true);
        let [session] = texts(current.unwrap(), ["id"]);
        let nothing = || "018f0000-0000-7000-8000-000000000001".to_owned();
        let of_families = ["org_id", "project_id", "scope_id", "actor_id", "execution_id", "repo"];
        let mut values: BTreeMap<_, _> = of_families.into_iter().map(|name| (name, nothing())).collect();
        values.extend([("token_id", token), ("session_id", session)]);
        values
    }

    fn ask(&self, operation: &Operation, call: &Call, path: &str, credential: Option<(&str, &str)>) -> Answer {
        let mut request = Request::new(&operation.method, path);
        if let Some((scheme, text)) = credential {
            request = match scheme {
                "bearer" => request.bearer(text),
                "api_key" => request.header("X-API-Key", text),
                other => panic!("a scheme this test does not know: {other}"),
            };
        }
        if let Some(body) = call.body {
            request = request.json(&body());
        }
        self.server.anyone().ask(request)
    }
}

/// The path with its parameters filled in.
fn filled(path: &str, values: impl Fn(&str) -> String) -> String {
    let mut parts = path.split('{');
    let mut filled = parts.next().unwrap().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}').unwrap();
        filled.push_str(&values(name));
        filled.push_str(rest);
    }
    filled
}

fn every_operation_is_guarded(backend: Backend) {
    let mut world = World::new(backend);
    let document = world.server.anyone().get("/openapi.json").json();
    let operations = operations(&document);
    let mut open: Vec<&str> = operations.iter().filter(|o| o.security.is_empty()).map(|o| o.id.as_str()).collect();
    open.sort_unstable();
    assert_eq!(open, OPEN, "an operation without a credential needs a reason: write it into OPEN, or guard it");
    let guarded = || operations.iter().filter(|operation| !operation.security.is_empty());
    let in_family = |operation: &&Operation| FAMILIES.iter().any(|family| operation.path.starts_with(family));
    let (families, guarded): (Vec<&Operation>, Vec<&Operation>) = guarded().partition(in_family);
    let mut known: Vec<&str> = guarded.iter().map(|operation| operation.id.as_str()).collect();
    known.sort_unstable();
    let rows: Vec<&str> = CALLS.iter().map(|call| call.operation).collect();
    assert_eq!(known, rows, "every guarded operation has a row in CALLS, and every row an operation");

    for operation in families {
        let call = Call { operation: "", body: None, succeeds: 0 };
        let path = filled(&operation.path, |_| "018f0000-0000-7000-8000-000000000001".to_owned());
        world.ask(operation, &call, &path, None).fails(401, "authentication required");
        // Where there is a body, one that does not fit may be refused first; the families' suites send fitting ones.
        if !operation.has_body {
            refuses_bad_credentials(&mut world, operation, &call);
            refuses_lacking_scopes(&mut world, operation, &call);
        }
    }
    for operation in guarded {
        let call = CALLS.iter().find(|call| call.operation == operation.id).unwrap();
        refuses_bad_credentials(&mut world, operation, call);
        refuses_lacking_scopes(&mut world, operation, call);
        hides_what_is_foreign(&mut world, operation, call);
        succeeds(&mut world, operation, call);
    }
}

fn refuses_bad_credentials(world: &mut World, operation: &Operation, call: &Call) {
    let existing = world.existing();
    let path = filled(&operation.path, |name| existing[name].clone());
    let none = world.ask(operation, call, &path, None);
    none.fails(401, "authentication required");
    assert_eq!(none.header("www-authenticate"), Some(r#"Bearer realm="nolapse""#), "{}", operation.id);
    let unknown = "nlp_00112233445566778899aabbccddeeff550c911c";
    for (scheme, _) in &operation.security {
        for bad in ["nonsense", "nlp_", unknown] {
            let answer = world.ask(operation, call, &path, Some((scheme, bad)));
            answer.fails(401, "invalid token");
            assert!(answer.header("www-authenticate").unwrap().contains("invalid_token"), "{}", operation.id);
        }
    }
}

fn refuses_lacking_scopes(world: &mut World, operation: &Operation, call: &Call) {
    let existing = world.existing();
    let path = filled(&operation.path, |name| existing[name].clone());
    for (scheme, scopes) in &operation.security {
        let answer = world.ask(operation, call, &path, Some((scheme, &world.powerless)));
        match (operation.id.as_str(), scopes.is_empty()) {
            // Its credential is the service token alone: a token is no such thing.
            ("create_for_person", _) => drop(answer.fails(401, "invalid token")),
            // Any session will do, but it has to be one.
            (_, true) => drop(answer.fails(403, "forbidden")),
            (_, false) => {
                let body = answer.fails(403, "insufficient scope");
                assert_eq!(body["missing"], json!(scopes), "{}", operation.id);
                assert!(answer.header("www-authenticate").unwrap().contains("insufficient_scope"));
            }
        }
    }
}

fn hides_what_is_foreign(world: &mut World, operation: &Operation, call: &Call) {
    if !operation.path.contains('{') {
        return;
    }
    let existing = world.existing();
    let before = world.owner.token(&existing["token_id"]);
    let stranger = world.stranger.credential().to_owned();
    let path = filled(&operation.path, |name| existing[name].clone());
    let foreign = world.ask(operation, call, &path, Some(("bearer", &stranger)));
    let path = filled(&operation.path, |_| "018f0000-0000-7000-8000-000000000001".to_owned());
    let absent = world.ask(operation, call, &path, Some(("bearer", &stranger)));
    foreign.fails(404, "not found");
    assert_eq!(foreign.bare(), absent.bare(), "{}: foreign and absent differ", operation.id);
    // And nothing happened to it.
    assert_eq!(world.owner.token(&existing["token_id"]), before, "{}", operation.id);
    let sessions = world.owner.get("/v1/sessions").expect(200);
    let is_there = |session: &Value| session["id"] == existing["session_id"];
    assert!(sessions["sessions"].as_array().unwrap().iter().any(is_there), "{}", operation.id);
}

/// With the right credential the same call works: what was refused above was refused for the reason tested.
fn succeeds(world: &mut World, operation: &Operation, call: &Call) {
    let existing = world.existing();
    if operation.id == "cancel_rotation" {
        world.owner.rotate(&existing["token_id"], &json!({}));
    }
    let path = filled(&operation.path, |name| existing[name].clone());
    let session = world.server.owner();
    let credential = if operation.id == "create_for_person" { SERVICE_TOKEN } else { session.credential() };
    world.ask(operation, call, &path, Some(("bearer", credential))).expect(call.succeeds);
    // It may have ended every session there was.
    world.owner = world.server.owner();
}
