//! `POST /v1/scopes/evaluate` and the presets of the catalogue.

use serde_json::{Value, json};

use crate::support::{Backend, Options, Server, both};

both!(an_evaluation_explains_itself, what_cannot_be_evaluated_names_its_place, presets_can_be_granted_as_they_stand);

fn an_evaluation_explains_itself(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut anyone = server.anyone();
    let rows = [
        (
            json!({"granted": ["scans"], "required": ["scans:run", "scans:read"]}),
            json!({
                "allowed": false, "missing": ["projects:read"],
                "matched": {"scans:run": "scans", "scans:read": "scans"}, "unknown": [],
                "sufficient": [["projects:read", "scans:read", "scans:run"], ["projects:read", "scans"], ["admin"]],
            }),
        ),
        (
            json!({"granted": ["org:read", "admin"], "required": ["org:read"], "org_id": "ignored"}),
            json!({
                "allowed": true, "missing": [], "matched": {"org:read": "org:read"}, "unknown": [],
                "sufficient": [["org:read"], ["admin"]],
            }),
        ),
        (
            json!({"granted": ["execute", "nothing"], "required": ["read", "made-up:read"]}),
            json!({
                "allowed": false, "missing": ["made-up:read"], "matched": {"read": "execute"},
                "unknown": ["nothing", "made-up:read"], "sufficient": [],
            }),
        ),
        (
            json!({"granted": [], "required": []}),
            json!({"allowed": true, "missing": [], "matched": {}, "unknown": [], "sufficient": [[]]}),
        ),
    ];
    for (asked, expected) in rows {
        assert_eq!(anyone.post("/v1/scopes/evaluate", &asked).expect(200), expected, "{asked}");
    }
    // Its result agrees with validation.
    let mut owner = server.owner();
    let made = owner.create_with("a", &["scans"]);
    let question = json!({"token": made["secret"], "required_scopes": ["scans:run", "scans:read"]});
    assert_eq!(anyone.post("/v1/auth/validate", &question).expect(403)["missing"], json!(["projects:read"]));
}

fn what_cannot_be_evaluated_names_its_place(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut anyone = server.anyone();
    let many: Vec<String> = (0..257).map(|number| format!("s{number}")).collect();
    let secret = "nlp_00112233445566778899aabbccddeeff550c911c";
    let rows = [
        (json!({"granted": ["scans", "Scans:read"], "required": []}), "granted[1]"),
        (json!({"granted": [], "required": ["scans:read "]}), "required[0]"),
        (json!({"granted": [], "required": ["scans", "sc\u{430}ns"]}), "required[1]"),
        (json!({"granted": [""], "required": []}), "granted[0]"),
        (json!({"granted": [secret], "required": []}), "granted[0]"),
        (json!({"granted": many, "required": []}), "granted"),
        (json!({"granted": [], "required": many}), "required"),
        (json!({"granted": "scans", "required": []}), "granted"),
        (json!({"granted": [], "required": [1]}), "required[0]"),
        (json!({"granted": [], "required": null}), "required"),
        (json!({"required": []}), "granted"),
    ];
    for (asked, field) in rows {
        let refused = anyone.post("/v1/scopes/evaluate", &asked);
        assert_eq!(refused.fails(400, "invalid request")["field"], field, "{asked}");
        assert!(!refused.text().contains("0011"), "what is no name is not repeated");
    }
    anyone.post("/v1/scopes/evaluate", &json!([])).fails(400, "malformed request");
    anyone.get("/v1/scopes/evaluate").fails(405, "method not allowed");
}

fn presets_can_be_granted_as_they_stand(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let catalog = owner.get("/v1/scopes/catalog").expect(200);
    let presets = catalog["presets"].as_array().unwrap();
    let names: Vec<&Value> = presets.iter().map(|preset| &preset["name"]).collect();
    assert_eq!(names, ["CI runner", "read only", "repeater"]);
    for preset in presets {
        assert!(preset["description"].as_str().is_some_and(|text| text.ends_with('.')));
        assert!(preset["kinds"].as_array().unwrap().contains(&json!("organization")));
        let made = owner.post("/v1/tokens", &json!({"name": preset["name"], "scopes": preset["scopes"]})).expect(201);
        assert_eq!(made["scopes"], preset["scopes"]);
        assert_eq!(made.get("warnings"), None, "{made}");
    }
}
