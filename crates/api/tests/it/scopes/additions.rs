//! An operator's own scopes: those of other services, added to the catalogue by a file.

use serde_json::json;
use token_domain::person::BuiltInRole;

use crate::support::{Backend, Database, Options, Server, both, texts};

both!(an_operators_scopes_are_scopes_like_any_other, a_file_that_cannot_be_used_stops_the_start);

const ACME: &str = r#"
[[scope]]
name = "acme"
description = "Everything at Acme."
group = "Acme"

[[scope]]
name = "acme:read"
description = "Look at what Acme has."
group = "Acme"

[[scope]]
name = "acme:write"
description = "Change it."
group = "Acme"
requires = ["acme:read"]

[[role]]
name = "member"
scopes = ["acme:read"]

[[preset]]
name = "Acme reader"
description = "Looks at what Acme has."
scopes = ["acme:read"]
kinds = ["organization"]
"#;

fn with_file(backend: Backend, text: &str) -> (Database, Options, String) {
    let database = Database::new(backend);
    let path = database.folder().join("acme.toml");
    std::fs::write(&path, text).unwrap();
    let path = path.display().to_string();
    (database, Options::default().with("scopes.additions", &path), path)
}

fn an_operators_scopes_are_scopes_like_any_other(backend: Backend) {
    let (database, options, _) = with_file(backend, ACME);
    let server = Server::start_on(database, options);
    let mut owner = server.owner();
    let catalog = owner.get("/v1/scopes/catalog").expect(200);
    assert_eq!(catalog["scopes"].as_array().unwrap().last().unwrap()["name"], "acme:write");
    assert_eq!(catalog["presets"].as_array().unwrap().last().unwrap()["name"], "Acme reader");

    let [secret] = texts(&owner.create_with("a", &["acme"]), ["secret"]);
    let asks = |required: &str| {
        server.anyone().post("/v1/auth/validate", &json!({"token": secret, "required_scopes": [required]})).status
    };
    assert_eq!([asks("acme:read"), asks("acme:write"), asks("acme"), asks("read")], [200, 200, 200, 403]);

    // Members get the scopes that the file gives to the role, and other roles get none.
    let facts = server.facts();
    for (role, may) in [(BuiltInRole::Admin, 3), (BuiltInRole::Member, 1), (BuiltInRole::Viewer, 0)] {
        let email = format!("{}@acme.example", role.as_str());
        facts.add_member(&email, role);
        let me = server.signed_in(&email).get("/v1/me").expect(200);
        let scopes = me["scopes"].as_array().unwrap();
        let added = scopes.iter().filter(|scope| scope.as_str().unwrap().starts_with("acme")).count();
        assert_eq!(added, may, "{}", role.as_str());
    }
}

fn a_file_that_cannot_be_used_stops_the_start(backend: Backend) {
    let rows = [
        (
            "[[scope]]\nname = \"scans:export\"\ndescription = \"d\"\ngroup = \"g\"\n",
            "line 2: \"scans:export\" is in the catalogue's own",
        ),
        (
            "[[scope]]\nname = \"Acme\"\ndescription = \"d\"\ngroup = \"g\"\n",
            "line 2: \"Acme\" must be the name of a scope",
        ),
        ("[[role]]\nname = \"viewer\"\nscopes = [\"admin\"]\n", "line 3: \"admin\" was not added by this file"),
        ("nonsense", "acme.toml"),
    ];
    for (text, said) in rows {
        let (database, options, path) = with_file(backend, text);
        let mut server = Server::start_on(database, Options::default());
        server.stop();
        server.options = options;
        let status = server.try_serve().unwrap_err();
        assert_eq!(status.code(), Some(1));
        let log = server.log_since_start();
        assert!(log.contains(said) && log.contains(&path), "{said}\n{log}");
    }
}
