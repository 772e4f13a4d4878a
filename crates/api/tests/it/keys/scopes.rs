//! Every scope of personal keys: a key with it passes, and a key with all others is told that it is missing. Tested on
//! a route of this service where one requires the scope, and with `required_scopes` for all.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Backend, Client, Options, Request, Server, both, texts};

both!(each_scope_opens_what_it_names_and_nothing_else_does);

/// A route that requires the scope: method, path, body, status for a caller with it.
type Route = (&'static str, &'static str, &'static str, u16);

const ORG: &str = "/v1/organizations/{org}";

/// Scope, companion without which it does not work, route.
const ROWS: [(&str, Option<&str>, Option<Route>); 35] = [
    ("scans", None, None),
    ("scans:read", None, None),
    ("scans:manage", None, None),
    ("scans:run", Some("projects:read"), None),
    ("scans:stop", None, None),
    ("scans:delete", None, None),
    ("issues:read", None, None),
    ("issues:manage", None, None),
    ("projects:read", None, Some(("GET", "{base}/projects", "", 200))),
    ("projects:manage", None, Some(("POST", "{base}/projects", r#"{"slug":"{new}"}"#, 201))),
    ("projects:delete", None, Some(("DELETE", "{base}/projects/{project}", "", 204))),
    ("groups:read", None, None),
    ("groups:manage", None, None),
    ("groups:delete", None, None),
    ("roles:read", None, Some(("GET", "{base}/roles", "", 200))),
    ("roles:write", None, Some(("POST", "{base}/roles", r#"{"name":"{new}","scopes":["roles:write"]}"#, 201))),
    ("files:read", None, None),
    ("files:write", None, None),
    ("integration.repos:read", None, None),
    ("repeaters:read", None, None),
    ("repeaters:write", None, None),
    ("bot", None, None),
    ("scripts:read", None, None),
    ("scripts:write", None, None),
    ("org:read", None, Some(("GET", "{base}/token-policy", "", 200))),
    ("org:write", None, Some(("PUT", "{base}/token-policy", r#"{"kinds":{}}"#, 200))),
    ("org.memberships:read", None, Some(("GET", "{base}/members", "", 200))),
    (
        "org.memberships:manage",
        None,
        Some(("POST", "{base}/invitations", r#"{"email":"{new}@guests.example","role":"{managers}"}"#, 201)),
    ),
    ("user", None, None),
    ("user:read", None, Some(("GET", "/v1/me", "", 200))),
    ("user:write", None, Some(("PATCH", "/v1/me", r#"{"name":"Owner"}"#, 200))),
    ("auth-objects", None, None),
    ("auth-objects:read", None, None),
    ("auth-objects:write", None, None),
    ("auth-objects:test", None, None),
];

struct World {
    server: Server,
    owner: Client,
    base: String,
    /// A role with the scopes for inviting, and nothing else.
    managers: String,
    made: usize,
}

impl World {
    fn key(&mut self, scopes: &[&str]) -> String {
        let made = self.owner.post("/v1/me/keys", &json!({"name": "key", "scopes": scopes})).expect(201);
        let [secret] = texts(&made, ["secret"]);
        secret
    }

    fn new_slug(&mut self) -> String {
        self.made += 1;
        format!("p{}", self.made)
    }

    /// Sends a request to the scope's route, after creating a new object for its path.
    fn ask(&mut self, secret: &str, (method, path, body, _): Route) -> crate::support::Answer {
        let (slug, new) = (self.new_slug(), self.new_slug());
        let projects = format!("{}/projects", self.base);
        let [project] = texts(&self.owner.post(&projects, &json!({ "slug": slug })).expect(201), ["projectId"]);
        let path = path.replace("{base}", &self.base).replace("{project}", &project);
        let request = Request::new(method, &path);
        let body = body.replace("{new}", &new).replace("{managers}", &self.managers);
        self.server.caller(secret).ask(if body.is_empty() { request } else { request.body(body) })
    }
}

fn each_scope_opens_what_it_names_and_nothing_else_does(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [org] = texts(&owner.get("/v1/me").expect(200), ["org_id"]);
    let base = ORG.replace("{org}", &org);
    let asked = json!({"name": "managers", "scopes": ["org.memberships:manage"]});
    let [managers] = texts(&owner.post(&format!("{base}/roles"), &asked).expect(201), ["id"]);
    let mut world = World { server, owner, base, managers, made: 0 };
    let names: BTreeSet<&str> = ROWS.iter().map(|(name, _, _)| *name).collect();
    assert_eq!(names.len(), ROWS.len());
    let mut routes = 0;
    for (scope, companion, route) in ROWS {
        let having = world.key(&[&[scope][..], companion.as_slice()].concat());
        // All other scopes, except the umbrella scope that covers this one.
        let umbrella = scope.split(':').next().unwrap();
        let others: Vec<&str> = names.iter().copied().filter(|name| *name != scope && *name != umbrella).collect();
        let lacking = world.key(&others);
        let question = |secret: &str| json!({"token": secret, "required_scopes": [scope]});
        let mut anyone = world.server.anyone();
        let passed = anyone.post("/v1/auth/validate", &question(&having)).expect(200);
        assert_eq!(passed["valid"], Value::Bool(true), "{scope}");
        let refused = anyone.post("/v1/auth/validate", &question(&lacking)).expect(403);
        assert_eq!(refused["missing"], json!([scope]));
        if companion.is_some() {
            let alone = world.key(&[scope]);
            let refused = anyone.post("/v1/auth/validate", &question(&alone)).expect(403);
            assert_eq!(refused["missing"], json!(companion.as_slice()));
        }
        if let Some(route) = route {
            routes += 1;
            world.ask(&having, route).expect(route.3);
            let refused = world.ask(&lacking, route);
            assert_eq!(refused.fails(403, "insufficient scope")["missing"], json!([scope]));
        }
    }
    println!("{} scopes, {routes} on routes of this service", ROWS.len());
}
