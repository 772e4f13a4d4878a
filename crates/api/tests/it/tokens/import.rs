//! `POST /v1/tokens/import` and the command `import`: keys of other systems, accepted wherever a token is.

use serde_json::{Value, json};

use crate::support::{Backend, Options, Request, Server, both, texts};

both!(
    a_key_of_another_system_is_accepted_wherever_a_token_is,
    each_row_gets_a_result_and_the_same_rows_make_nothing_twice,
    what_cannot_be_meant_is_refused,
    the_command_imports_a_file_and_goes_on_where_it_was_interrupted,
);

const IMPORT: &str = "/v1/tokens/import";
/// SHA-256 of the part behind the id of [`SANCTUM`].
const SANCTUM_HASH: &str = "30e5245aa6e8fd52cb525b526a85995a764bd5c29947b02b81fa3b2e9575ae27";
const SANCTUM: &str = "12|V1a7oQ2kZr9LmXc4TbYw8NhEu5PsGd6JfRt3KiAq";

fn importing() -> Options {
    Options::default().with("tokens.legacy_lookup", true).with("tokens.legacy_shapes", "alphabet=alnum length=40 id=|")
}

fn row(hash: &str) -> Value {
    json!({"name": "laptop", "hash": hash, "scopes": ["admin"]})
}

fn a_key_of_another_system_is_accepted_wherever_a_token_is(backend: Backend) {
    let server = Server::start(backend, importing());
    let mut owner = server.owner();
    let mut anonymous = server.anyone();
    assert!(!anonymous.is_valid(SANCTUM));
    let done = owner.post(IMPORT, &json!({"items": [row(SANCTUM_HASH)]})).expect(200);
    let id = done["results"][0]["id"].as_str().unwrap().to_owned();
    // Twice: read from the store, then from memory.
    for _ in 0..2 {
        assert!(anonymous.is_valid(SANCTUM));
        let mut holder = server.anyone().with(SANCTUM);
        assert_eq!(holder.get("/v1/tokens/self").expect(200)["id"], json!(id));
        assert_eq!(holder.get("/v1/auth/forward?scope=execute").status, 200);
        let by_header = Request::new("GET", "/v1/tokens/self").header("X-API-Key", SANCTUM);
        assert_eq!(server.anyone().ask(by_header).status, 200);
        let form = format!("token={}", SANCTUM.replace('|', "%7C"));
        let form = Request::new("POST", "/v1/oauth/introspect").body(form);
        assert_eq!(owner.ask(form).expect(200)["active"], json!(true));
    }
    assert_eq!(owner.post("/v1/tokens/lookup", &json!({"token": SANCTUM})).expect(200)["id"], json!(id));
    let mut stranger = server.anyone().with("12|V1a7oQ2kZr9LmXc4TbYw8NhEu5PsGd6JfRt3KiAx");
    assert_eq!(stranger.get("/v1/tokens/self").status, 401);
    assert_eq!(stranger.get("/v1/auth/forward?scope=execute").status, 401);
    let both = Request::new("GET", "/v1/tokens/self").header("X-API-Key", format!("13|{}", "a".repeat(40)));
    assert_eq!(server.anyone().with(SANCTUM).ask(both).status, 400, "two keys: choosing one would be a guess");
    owner.revoke(&id);
    assert!(!anonymous.is_valid(SANCTUM));
    assert_eq!(server.anyone().with(SANCTUM).get("/v1/tokens/self").status, 401);
}

fn each_row_gets_a_result_and_the_same_rows_make_nothing_twice(backend: Backend) {
    let server = Server::start(backend, importing());
    let mut owner = server.owner();
    let rows =
        json!({"items": [row(SANCTUM_HASH), row("0123"), row(SANCTUM_HASH), {"name": "n", "hash": "1".repeat(64)}]});
    let mut dry = rows.clone();
    dry["dry_run"] = json!(true);
    dry["known_key"] = json!(SANCTUM);
    let told = owner.post(IMPORT, &dry).expect(200);
    let numbers = |told: &Value| ["created", "existing", "refused"].map(|name| told[name].as_u64().unwrap());
    assert_eq!((numbers(&told), &told["known_key_row"]), ([1, 0, 3], &json!(0)), "{told}");
    let done = owner.post(IMPORT, &rows).expect(200);
    assert_eq!(numbers(&done), [1, 0, 3], "{done}");
    let results = done["results"].as_array().unwrap();
    let fields: Vec<&Value> = results.iter().map(|result| &result["field"]).collect();
    assert_eq!(fields, [&Value::Null, &json!("hash"), &json!("hash"), &json!("scopes")]);
    let again = owner.post(IMPORT, &rows).expect(200);
    assert_eq!((numbers(&again), &again["results"][0]["id"]), ([0, 1, 3], &results[0]["id"]), "{again}");

    let trail = server.facts().audit();
    let events: Vec<_> = trail.iter().filter(|event| event.action == "token.import").collect();
    let [event] = events.as_slice() else { panic!("{events:?}") };
    let detail: Value = serde_json::from_str(&event.detail).unwrap();
    assert_eq!((&detail["count"], &detail["tokens"][0]), (&json!(1), &results[0]["id"]));
}

fn what_cannot_be_meant_is_refused(backend: Backend) {
    let server = Server::start(backend, importing());
    let mut owner = server.owner();
    let many: Vec<Value> = (0..1_001).map(|_| row(SANCTUM_HASH)).collect();
    for (body, field) in [
        (json!({}), "items"),
        (json!({"items": []}), "items"),
        (json!({"items": many}), "items"),
        (json!({"items": [row(SANCTUM_HASH)], "preset": "keychain"}), "preset"),
        (json!({"items": [row(SANCTUM_HASH)], "known_key": SANCTUM}), "known_key"),
    ] {
        assert_eq!(owner.post(IMPORT, &body).fails(400, "invalid request")["field"], json!(field));
    }
    let [reader] = texts(&owner.create_with("reader", &["tokens:read"]), ["secret"]);
    let body = json!({"items": [row(SANCTUM_HASH)]});
    assert_eq!(server.anyone().with(&reader).post(IMPORT, &body).status, 403);
    let [manager] = texts(&owner.create_with("manager", &["tokens:manage"]), ["secret"]);
    let told = server.anyone().with(&manager).post(IMPORT, &body).expect(200);
    assert_eq!((&told["created"], &told["results"][0]["field"]), (&json!(0), &json!("scopes")), "{told}");

    let server = Server::start(backend, Options::default());
    server.owner().post(IMPORT, &body).fails(409, "imports not looked up");
}

fn the_command_imports_a_file_and_goes_on_where_it_was_interrupted(backend: Backend) {
    let mut server = Server::start(backend, importing());
    server.stop();
    let import = |server: &Server, arguments: &[&str], input: &str| {
        let all = [&["import", "-", "--organization", Server::ORGANIZATION], arguments].concat();
        server.command(&all, input)
    };
    let line = |n: u64| format!("{{\"name\":\"n{n}\",\"hash\":\"{n:064x}\"}}\n");
    let first: String = (1..=700).map(line).collect();
    let all: String = (1..=1_200).map(line).collect();
    let dry = import(&server, &["--scope", "execute", "--dry-run"], &first);
    assert!(dry.succeeds().ends_with("700 rows: 700 would be created, 0 imported before, 0 refused\n"), "{dry:?}");
    let done = import(&server, &["--scope", "execute"], &first);
    assert!(done.succeeds().ends_with("700 rows: 700 created, 0 imported before, 0 refused\n"), "{done:?}");
    let rest = import(&server, &["--scope", "execute"], &all);
    assert!(rest.succeeds().ends_with("1200 rows: 500 created, 700 imported before, 0 refused\n"), "{rest:?}");
    let bad = import(&server, &["--scope", "execute"], &format!("{{\"secret\n{}{{\"name\":\"x\"}}\n", line(1)));
    assert_eq!(bad.code, Some(1), "{bad:?}");
    assert!(
        bad.out.contains("line 1: row is not a JSON object") && bad.out.contains("line 3: hash is required"),
        "{bad:?}"
    );
    assert!(!format!("{bad:?}").contains("secret"), "a message repeats the row");
    let table = format!("\u{feff}name;token;abilities\r\nlaptop;{SANCTUM_HASH};\"[\"\"execute\"\"]\"\r\n");
    let table = import(&server, &["--preset", "sanctum"], &table);
    assert!(table.succeeds().contains("1 created"), "{table:?}");
    let nowhere = server.command(&["import", "-", "--organization", "nowhere"], "");
    assert!(nowhere.fails(1).contains("no organisation has this slug"));

    server.serve();
    assert!(server.anyone().is_valid(SANCTUM));
}
