//! Malformed requests: every row of `malformed.rows` is sent unchanged, on both databases, and must get exactly its
//! status and body. No answer is a 5xx, and none repeats a secret of the request.
//!
//! A row is:
//! ```text
//! == what is wrong
//! > POST /v1/tokens                 by the owner; `anonymously` at the end of the line for nobody
//! >h Idempotency-Key: x             a header
//! >b {"name":1}                     the body, with \n \s (a space) \\ \xHH; `*4097` is as many spaces
//! < 400 {"error":"invalid request"}
//! ```
//! How a request is framed, and what comes below the application, is in the `edge` suite.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{Backend, Client, Options, Request, Server, both, texts};

both!(every_row_gets_exactly_its_answer);

/// Stands in requests for a secret, and must not occur in answers.
const CANARY: &str = "s3cr3t";

#[derive(Default)]
struct Row {
    name: String,
    method: String,
    path: String,
    anonymously: bool,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
    status: u16,
    answer: String,
}

fn rows(text: &str) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if let Some(name) = line.strip_prefix("== ") {
            rows.push(Row { name: name.to_owned(), ..Row::default() });
            continue;
        }
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let row = rows.last_mut().unwrap_or_else(|| panic!("line {}: no row yet", number + 1));
        match line.split_once(' ') {
            Some((">", request)) => {
                let mut words = request.split(' ').map(str::to_owned);
                (row.method, row.path) = (words.next().unwrap(), words.next().unwrap());
                row.anonymously = words.next().is_some_and(|word| word == "anonymously");
            }
            Some((">h", header)) => {
                let (name, value) = header.split_once(':').unwrap();
                row.headers.push((name.to_owned(), value.trim().to_owned()));
            }
            None if line == ">b" => row.body = Some(Vec::new()),
            Some((">b", body)) => row.body = Some(bytes(body)),
            Some(("<", answer)) => {
                let (status, body) = answer.split_once(' ').unwrap_or((answer, ""));
                (row.status, row.answer) = (status.parse().unwrap(), body.to_owned());
            }
            _ => panic!("line {}: {line}", number + 1),
        }
    }
    rows
}

fn bytes(text: &str) -> Vec<u8> {
    if let Some(count) = text.strip_prefix('*') {
        return vec![b' '; count.parse().unwrap()];
    }
    let mut bytes = Vec::new();
    let mut letters = text.bytes();
    while let Some(letter) = letters.next() {
        bytes.push(match (letter, letter == b'\\') {
            (plain, false) => plain,
            (_, true) => match letters.next().unwrap() {
                b'n' => b'\n',
                b's' => b' ',
                b'\\' => b'\\',
                b'x' => {
                    let digits = [letters.next().unwrap(), letters.next().unwrap()];
                    u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
                }
                other => panic!("\\{}", char::from(other)),
            },
        });
    }
    bytes
}

/// Creates objects; returns their ids by the names that rows use.
fn existing(owner: &mut Client) -> BTreeMap<&'static str, String> {
    let [org] = texts(&owner.get("/v1/me").expect(200), ["org_id"]);
    let [token] = texts(&owner.create("token"), ["id"]);
    let [revoked] = texts(&owner.create("revoked"), ["id"]);
    owner.revoke(&revoked);
    let [rotating] = texts(&owner.create("rotating"), ["id"]);
    owner.rotate(&rotating, &json!({}));
    let projects = format!("/v1/organizations/{org}/projects");
    let [project] = texts(&owner.post(&projects, &json!({"slug": "fleet"})).expect(201), ["projectId"]);
    let mut make = |rest: &str, body: &Value, id: &str| {
        let made = owner.post(&format!("{projects}/{project}/{rest}"), body).expect(201);
        texts(&made, [id]).into_iter().next().unwrap()
    };
    let scope = make("scopes", &json!({"slug": "taken"}), "accessScopeId");
    let actor = make("actors", &json!({"name": "pump"}), "actorId");
    let names = ["org", "token", "revoked", "rotating", "project", "scope", "actor"];
    names.into_iter().zip([org, token, revoked, rotating, project, scope, actor]).collect()
}

/// Checks the answer to a row; the error says what is wrong.
fn judge(server: &Server, owner: &str, existing: &BTreeMap<&str, String>, row: &Row) -> Result<(), String> {
    let path = existing.iter().fold(row.path.clone(), |path, (name, id)| path.replace(&format!("{{{name}}}"), id));
    let mut request = Request::new(&row.method, &path);
    if !row.anonymously {
        request = request.bearer(owner);
    }
    for (name, value) in &row.headers {
        request = request.header(name, value.clone());
    }
    if let Some(body) = &row.body {
        request = request.body(body.clone());
    }
    let answer = server.anyone().ask(request);
    if (answer.status, answer.text()) != (row.status, row.answer.as_str()) {
        return Err(format!("{} {}\n     not {} {}", answer.status, answer.text(), row.status, row.answer));
    }
    let head = answer.headers.iter().fold(String::new(), |head, (name, value)| head + name + ": " + value + "\n");
    if head.contains(CANARY) || answer.text().to_lowercase().contains(CANARY) {
        return Err(format!("repeats what it was sent: {head}{}", answer.text()));
    }
    if answer.header("x-request-id").is_none() || answer.header("content-type") != Some("application/json") {
        return Err(format!("not the headers of an error: {head}"));
    }
    Ok(())
}

fn every_row_gets_exactly_its_answer(backend: Backend) {
    let rows = rows(include_str!("malformed.rows"));
    assert!(rows.len() >= 250, "rows went missing: {} are left", rows.len());
    assert!(rows.iter().all(|row| (400..500).contains(&row.status)), "every row is the client's fault");
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let existing = existing(&mut owner);
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|row| {
            judge(&server, owner.credential(), &existing, row)
                .err()
                .map(|wrong| format!("== {}\n     {wrong}", row.name))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
    println!("{} rows", rows.len());
    assert!(!server.log().contains(CANARY), "what must not come back is in the log");
}
