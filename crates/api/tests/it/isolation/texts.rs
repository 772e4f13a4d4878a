//! A valid secret in every text of every request: wherever somebody may paste one by mistake, it is refused or left
//! out, and no answer, database or log contains it afterwards.
//!
//! The texts come from the API document, so that a new field is tested without a row of its own.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use token_domain::person::BuiltInRole;
use token_format::PlainToken;

use super::World;
use super::document::{Operation, operations};
use super::rows::ROWS;
use super::side::email;
use crate::support::{Backend, Server, both};

both!(no_text_of_any_request_keeps_a_secret);

/// Part of every secret: twelve hexadecimal digits that occur nowhere else.
const MARK: [u8; 6] = [0xde, 0xad, 0xbe, 0xef, 0x5e, 0xc4];
const MARK_DIGITS: &[u8] = b"deadbeef5ec4";
/// The greatest depth at which texts are looked for: deep enough for every request.
const DEEPEST: usize = 4;

/// The path of a text in a body: names of fields, and `[]` for an entry of a list.
type Place = Vec<String>;

fn secret(number: usize) -> String {
    let mut random = [0; 16];
    random[..6].copy_from_slice(&MARK);
    random[8..].copy_from_slice(&(number as u64).to_be_bytes());
    let token = PlainToken::from_random(random);
    let hex = format!("{number:052x}");
    match number % 5 {
        0 => token.expose().to_owned(),
        1 => format!("nls_deadbeef5ec4{hex}"),
        2 => format!("nle_deadbeef5ec4{hex}"),
        3 => format!("nlr_deadbeef5ec4{hex}"),
        _ => format!("nli_deadbeef5ec4{hex}"),
    }
}

/// The paths of all texts in the body of an operation.
fn places(document: &Value, operation: &Operation) -> BTreeSet<Place> {
    let described = &document["paths"][&operation.path][operation.method.to_lowercase()]["requestBody"]["content"];
    let mut all = BTreeSet::new();
    for content in described.as_object().into_iter().flat_map(Map::values) {
        collect(document, &content["schema"], &mut Vec::new(), &mut all);
    }
    // A new password may be any text; setting it to a secret would break later sign-ins.
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
        // A free-form object, whose keys the caller chooses too.
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

/// Puts the secret into the body at this path.
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

fn no_text_of_any_request_keeps_a_secret(backend: Backend) {
    let mut world = World::new(backend);
    let document = world.wire.get("/openapi.json").expect(200);
    let owner = email(BuiltInRole::Owner, Server::ORGANIZATION);
    let mut tried = 0;
    for (operation, row) in operations(&document).iter().zip(ROWS) {
        assert_eq!(operation.id, row.operation);
        let mut places: Vec<Option<Place>> = places(&document, operation).into_iter().map(Some).collect();
        // `None`: the secret is only in the client's name.
        places.push(None);
        for place in places {
            tried += 1;
            let secret = secret(tried);
            let answer = world.allowed(operation, row, &owner, &secret, |body| {
                if let Some(place) = &place {
                    put(body.get_or_insert_with(|| json!({})), place, &secret);
                }
            });
            let cell = format!("{} {place:?}", operation.id);
            assert!(answer.status < 500, "{cell}: {}", answer.text());
            assert!(!has_mark(&answer.body), "{cell}: {}", answer.text());
        }
        world.recover(&owner);
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
