//! A live secret in every text of every request: wherever somebody may paste one by mistake, it is refused or left out, and none is
//! found afterwards in an answer, the database or the log.
//!
//! The texts come from the API document, so that a new field of a new operation is tried without a row of its own.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use token_domain::person::BuiltInRole;
use token_format::PlainToken;

use super::document::{Operation, operations};
use super::principals::Home;
use super::rows::{For, ROWS, Row};
use super::side::{Names, Side, email};
use super::{SERVICE_TOKEN, World};
use crate::support::{Backend, Request, Server, both, texts};

both!(no_text_of_any_request_keeps_a_secret);

/// In every secret, twelve digits that nothing else has.
const MARK: [u8; 6] = [0xde, 0xad, 0xbe, 0xef, 0x5e, 0xc4];
const MARK_DIGITS: &[u8] = b"deadbeef5ec4";
/// Deep enough for every request there is.
const DEEPEST: usize = 4;

/// Where a text stands in a body: names of fields, and `[]` for an entry of a list.
type Place = Vec<String>;

fn secret(number: usize) -> String {
    let mut random = [0; 16];
    random[..6].copy_from_slice(&MARK);
    random[8..].copy_from_slice(&(number as u64).to_be_bytes());
    let token = PlainToken::from_random(random);
    let hex = format!("{number:052x}");
    match number % 3 {
        0 => token.expose().to_owned(),
        1 => format!("nls_deadbeef5ec4{hex}"),
        _ => format!("nli_deadbeef5ec4{hex}"),
    }
}

/// The places of texts in the body of an operation.
fn places(document: &Value, operation: &Operation) -> BTreeSet<Place> {
    let described = &document["paths"][&operation.path][operation.method.to_lowercase()]["requestBody"]["content"];
    let mut all = BTreeSet::new();
    for content in described.as_object().into_iter().flat_map(Map::values) {
        collect(document, &content["schema"], &mut Vec::new(), &mut all);
    }
    // A password that is chosen is hashed, and then no test could sign in.
    all.retain(|place| !place.is_empty() && place[0] != "new_password");
    all
}

fn collect(document: &Value, schema: &Value, place: &mut Place, all: &mut BTreeSet<Place>) {
    if place.len() > DEEPEST {
        return;
    }
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        collect(document, &document["components"]["schemas"][name], place, all);
    }
    for choice in ["oneOf", "anyOf", "allOf"] {
        for schema in schema[choice].as_array().into_iter().flatten() {
            collect(document, schema, place, all);
        }
    }
    let is = |kind: &str| match &schema["type"] {
        Value::String(is) => is == kind,
        Value::Array(are) => are.iter().any(|is| is == kind),
        _ => false,
    };
    if is("string") {
        all.insert(place.clone());
    }
    if is("array") {
        within(document, &schema["items"], "[]", place, all);
    }
    let properties = schema["properties"].as_object();
    for (name, schema) in properties.into_iter().flatten() {
        within(document, schema, name, place, all);
    }
    if is("object") && properties.is_none_or(Map::is_empty) {
        // Whatever a caller likes, its names too.
        for name in ["note", "a secret as a name"] {
            place.push(name.to_owned());
            all.insert(place.clone());
            place.pop();
        }
    }
}

fn within(document: &Value, schema: &Value, name: &str, place: &mut Place, all: &mut BTreeSet<Place>) {
    place.push(name.to_owned());
    collect(document, schema, place, all);
    place.pop();
}

/// The body with the secret in this place.
fn put(body: &mut Value, place: &[String], secret: &str) {
    let Some((first, rest)) = place.split_first() else {
        *body = json!(secret);
        return;
    };
    let inner = match first.as_str() {
        "[]" => {
            *body = json!([Value::Null]);
            &mut body[0]
        }
        name => {
            if !body.is_object() {
                *body = json!({});
            }
            let name = if name == "a secret as a name" { secret } else { name };
            &mut body[name]
        }
    };
    put(inner, rest, secret);
}

/// Somebody whom the operation lets in.
fn credential(side: &mut Side, server: &Server, row: &Row, owner: &str) -> Option<String> {
    let bound = (row.whom == For::Bound).then(|| side.project.clone());
    match row.whom {
        For::Anybody => None,
        For::Service => Some(SERVICE_TOKEN.to_owned()),
        For::Tokens | For::TokensAlone | For::Bound => {
            let asked = json!({"name": side.fresh(), "scopes": ["admin", "self:rotate"], "project_id": bound});
            let [secret] = texts(&side.owner.post("/v1/tokens", &asked).expect(201), ["secret"]);
            Some(secret)
        }
        For::AnybodyGood | For::Holders | For::People | For::Unbound => {
            Some(server.signed_in(owner).credential().to_owned())
        }
    }
}

fn no_text_of_any_request_keeps_a_secret(backend: Backend) {
    let mut world = World::new(backend);
    let document = world.wire.get("/openapi.json").expect(200);
    let owner = email(BuiltInRole::Owner, Server::ORGANIZATION);
    let mut tried = 0;
    for (operation, row) in operations(&document).iter().zip(ROWS) {
        assert_eq!(operation.id, row.operation);
        let mut places: Vec<Option<Place>> = places(&document, operation).into_iter().map(Some).collect();
        // Once with a secret as the name of the client alone.
        places.push(None);
        for place in places {
            let names: Names = world.make(row, Home::Here, &owner);
            let mut body = row.body.map(|body| body(&names));
            tried += 1;
            let secret = secret(tried);
            if let Some(place) = &place {
                put(body.get_or_insert_with(|| json!({})), place, &secret);
            }
            let path = operation.filled(|name| names[name].clone());
            let query = names.iter().fold(row.query.to_owned(), |q, (name, v)| q.replace(&format!("{{{name}}}"), v));
            let path = if query.is_empty() { path } else { format!("{path}?{query}") };
            let mut request = Request::new(&operation.method, &path).header("User-Agent", secret.clone());
            if let Some(credential) = credential(&mut world.here, &world.server, row, &owner) {
                request = request.bearer(&credential);
            }
            let answer = world.wire.ask(match body {
                Some(Value::String(form)) => {
                    request.header("Content-Type", "application/x-www-form-urlencoded").body(form)
                }
                Some(body) => request.json(&body),
                None => request,
            });
            let cell = format!("{} {place:?}", operation.id);
            assert!(answer.status < 500, "{cell}: {}", answer.text());
            assert!(!has_mark(&answer.body), "{cell}: {}", answer.text());
        }
        // Their session may have been ended.
        world.here.owner = world.server.signed_in(&owner);
        world.here.clear_roles();
        world.rejoin();
    }
    assert!(tried > 250, "{tried} texts");
    world.server.stop();
    for (what, bytes) in [("the database", world.server.database.dump()), ("the log", world.server.log().into_bytes())]
    {
        if let Some(at) = bytes.windows(MARK_DIGITS.len()).position(|window| window == MARK_DIGITS) {
            let around = &bytes[at.saturating_sub(400)..(at + 200).min(bytes.len())];
            panic!("a secret is in {what}: {}", String::from_utf8_lossy(around));
        }
    }
    println!("{tried} texts");
}

fn has_mark(bytes: &[u8]) -> bool {
    bytes.windows(MARK_DIGITS.len()).any(|window| window == MARK_DIGITS)
}
