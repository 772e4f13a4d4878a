//! Lists of executions and repositories: order, pages, totals.

use serde_json::{Value, json};

use super::{body, submit, token};
use crate::support::{Backend, Client, Options, Server, both};

both!(executions_are_newest_first, a_walk_sees_each_execution_once, repositories_are_by_name);

#[track_caller]
fn ids(page: &Value) -> Vec<String> {
    let executions = page["executions"].as_array().unwrap();
    executions.iter().map(|execution| execution["id"].as_str().unwrap().to_owned()).collect()
}

fn executions_are_newest_first(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut ci = token(&mut server.owner(), &["execute"]);
    let path = "/v1/executions?org=acme&repo=acme%2Fwidgets";
    let nothing = ci.get(path);
    assert_eq!(nothing.text(), r#"{"executions":[],"total":0,"next_cursor":null}"#);
    let mut made: Vec<Value> = (0..12).map(|step| submit(&mut ci, 80.0 + f64::from(step))).collect();
    made.reverse();
    let mut elsewhere = body(1.0);
    elsewhere["repo"] = json!("gadgets");
    ci.post("/v1/executions", &elsewhere).expect(201);

    let page = ci.get(path).expect(200);
    assert_eq!((page["executions"].as_array().unwrap().len(), &page["total"]), (10, &json!(12)));
    for (entry, told) in page["executions"].as_array().unwrap().iter().zip(&made) {
        let expected = json!({"id": told["id"], "repo": told["repo"], "branch": told["branch"],
            "outcome": told["outcome"], "delta": told["delta"], "created_at": told["created_at"]});
        assert_eq!(*entry, expected);
    }
    for (limit, count, more) in [("1", 1, true), ("11", 11, true), ("12", 12, false), ("100", 12, false)] {
        let page = ci.get(&format!("{path}&limit={limit}")).expect(200);
        assert_eq!((ids(&page).len(), page["next_cursor"].is_string(), &page["total"]), (count, more, &json!(12)));
    }
}

fn a_walk_sees_each_execution_once(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut ci = token(&mut server.owner(), &["execute"]);
    let before: Vec<String> = (0..25).map(|_| submit(&mut ci, 80.0)["id"].as_str().unwrap().to_owned()).collect();
    let mut writer = ci.with(ci.credential());
    let seen = walk(&mut ci, || drop(submit(&mut writer, 80.0)));
    assert!(seen.iter().rev().eq(&before), "what came meanwhile is before the first page");
}

fn walk(ci: &mut Client, mut between: impl FnMut()) -> Vec<String> {
    let path = "/v1/executions?org=acme&repo=acme/widgets&limit=7";
    let mut page = ci.get(path).expect(200);
    let mut seen = ids(&page);
    while let Some(cursor) = page["next_cursor"].as_str() {
        between();
        page = ci.get(&format!("{path}&cursor={cursor}")).expect(200);
        seen.extend(ids(&page));
    }
    seen
}

fn repositories_are_by_name(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut ci = token(&mut server.owner(), &["execute"]);
    for name in ["b", "a/z", "Ä", "a-z", "B"] {
        let mut asked = body(80.0);
        asked["repo"] = json!(name);
        ci.post("/v1/executions", &asked).expect(201);
    }
    let second = submit(&mut ci, 81.5);
    super::put(&mut ci, "/v1/baselines/set-before", &json!({"coverage": 1})).expect(200);
    let mut names = Vec::new();
    let mut path = "/v1/repos?limit=2".to_owned();
    loop {
        let page = ci.get(&path).expect(200);
        names.extend(page["repos"].as_array().unwrap().iter().map(|repo| repo["repo"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/v1/repos?limit=2&cursor={}", cursor.replace('/', "%2F").replace('Ä', "%C3%84"));
    }
    assert_eq!(names, ["B", "a-z", "a/z", "acme/widgets", "b", "set-before", "Ä"]);
    let page = ci.get("/v1/repos").expect(200);
    assert_eq!(
        page["repos"][3],
        json!({"repo": "acme/widgets", "executions": 1, "coverage": 81.5,
            "last_execution_at": second["created_at"], "created_at": second["created_at"]})
    );
    assert_eq!(page["repos"][5]["coverage"], Value::Null, "nothing was submitted yet");
}
