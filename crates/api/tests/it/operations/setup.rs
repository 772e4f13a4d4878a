//! Creating the first organisation and its owner: by command, or by the link that an empty server prints.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use serde_json::json;

use crate::support::{Backend, Build, Options, Request, Server, both};

both!(
    setup_prints_the_organisation_and_happens_once,
    setup_refuses_what_is_wrong,
    the_link_sets_up_once,
    nothing_works_before,
    of_several_at_once_one_sets_up,
    a_server_that_is_set_up_prints_no_link,
);

fn setup_prints_the_organisation_and_happens_once(backend: Backend) {
    let mut server = Server::start(backend, Options::default().unset_up());
    server.stop();
    let done = server.set_up();
    let id = done.succeeds().strip_suffix('\n').unwrap();
    assert!(id.starts_with("org_") && id.len() == 30, "{id}");
    let again = server.set_up();
    assert!(again.fails(1).contains("already set up"), "{again:?}");
    assert_eq!(again.out, "");
    server.serve();
    let mut owner = server.owner();
    let me = owner.get("/v1/me").expect(200);
    assert_eq!((&me["org_id"], &me["name"]), (&json!(id), &json!("Owner")));
    let events = server.facts().deployment_audit();
    assert_eq!(events.iter().filter(|event| event.action == "deployment.setup").count(), 1);
}

fn setup_refuses_what_is_wrong(backend: Backend) {
    let mut server = Server::start(backend, Options::default().unset_up());
    server.stop();
    let rows: [(&[&str], &str, i32); 7] = [
        (&["setup", "--org", "acme", "--email", "a@b.example", "--password-stdin"], "too short\n", 1),
        (&["setup", "--org", "acme", "--email", "a@b.example", "--password-stdin"], "", 1),
        (&["setup", "--org", "acme", "--email", "a@b.example"], "a password of this test\n", 2),
        (
            &["setup", "--org", "Not A Slug", "--email", "a@b.example", "--password-stdin"],
            "a password of this test\n",
            2,
        ),
        (&["setup", "--org", "acme", "--email", "no address", "--password-stdin"], "a password of this test\n", 2),
        (&["setup", "--org", "acme", "--password-stdin"], "a password of this test\n", 2),
        (&["setup", "--email", "a@b.example", "--password-stdin"], "a password of this test\n", 2),
    ];
    for (arguments, input, code) in rows {
        let refused = server.command(arguments, input);
        let said = refused.fails(code);
        assert!(!said.is_empty() && refused.out.is_empty(), "{arguments:?}: {refused:?}");
        assert!(!said.contains("too short\n") && !said.contains("a password of this test"), "{said}");
    }
    server.set_up().succeeds();
}

/// Runs the command at a terminal, which `script` provides.
#[test]
fn a_password_that_is_typed_is_not_shown() {
    let mut server = Server::start(Backend::Sqlite, Options::default().unset_up());
    server.stop();
    let url = server.database.url();
    let program = Build::Any.path();
    let program = program.display();
    let setup = format!("{program} setup --org acme --email {} --password-stdin --database-url {url}", Server::OWNER);
    let mut terminal = Command::new("script")
        .args(["--quiet", "--return", "--command", &setup, "/dev/null"])
        .env("NOLAPSE__KEYS__TAG_KEY_PATH", server.tag_key_file())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("util-linux's script");
    let mut screen = terminal.stdout.take().unwrap();
    let (mut shown, mut byte) = (Vec::new(), [0]);
    while !shown.ends_with(b"Password of the owner: ") {
        assert_eq!(screen.read(&mut byte).unwrap(), 1, "{}", String::from_utf8_lossy(&shown));
        shown.push(byte[0]);
    }
    let mut keys = terminal.stdin.take().unwrap();
    keys.write_all(format!("{}\n", Server::PASSWORD).as_bytes()).unwrap();
    screen.read_to_end(&mut shown).unwrap();
    let shown = String::from_utf8(shown).unwrap();
    assert!(terminal.wait().unwrap().success() && shown.contains("org_"), "{shown}");
    assert!(!shown.contains(Server::PASSWORD), "{shown}");
    server.serve();
    server.owner();
}

fn the_link_sets_up_once(backend: Backend) {
    let mut server = Server::start(backend, Options::default().unset_up());
    let first = server.setup_code();
    assert!(first.len() == 32 && first.bytes().all(|byte| byte.is_ascii_hexdigit()), "{first}");
    // Each start makes a new code, and invalidates the earlier ones.
    server.restart();
    let valid = server.setup_code();
    assert_ne!(first, valid);

    let body = |code: &str| {
        json!({"code": code, "organization": "acme", "organization_name": "ACME Ltd.", "email": Server::OWNER,
               "name": "Owner", "password": Server::PASSWORD})
    };
    let mut caller = server.anyone();
    for wrong in [&first, "", &valid.to_uppercase().replace(|c: char| c.is_ascii_digit(), "A"), &valid[1..]] {
        caller.post("/v1/setup", &body(wrong)).fails(403, "wrong set-up code");
    }
    for (field, value) in [
        ("organization", json!("Not A Slug")),
        ("email", json!("x")),
        ("password", json!("short")),
        ("name", json!("a\nb")),
    ] {
        let mut bad = body(&valid);
        bad[field] = value;
        assert_eq!(caller.post("/v1/setup", &bad).fails(400, "invalid request")["field"], field);
    }
    let page = |server: &Server| server.anyone().get("/setup").text().to_owned();
    assert!(page(&server).contains("action=\"/setup\""), "the form, while there is nothing");
    let done = caller.post("/v1/setup", &body(&valid)).expect(201);
    assert!(page(&server).contains("is set up") && !page(&server).contains("<form"), "and no form afterwards");
    // As the page says, the slug cannot be changed.
    let place = format!("/v1/organizations/{}", done["org_id"].as_str().unwrap());
    let renamed = Request::new("PATCH", &place).json(&json!({"slug": "other"}));
    assert_eq!(server.owner().ask(renamed).fails(400, "slug cannot be changed")["field"], "slug");
    assert!(done["org_id"].as_str().unwrap().starts_with("org_"));
    caller.post("/v1/setup", &body(&valid)).fails(409, "already set up");
    assert!(!server.anyone().is_valid("nlp_00112233445566778899aabbccddeeff550c911c"), "it is known from now on");
    server.anyone().get("/ready").expect(200);
    let me = server.owner().get("/v1/me").expect(200);
    assert_eq!((&me["org_id"], &me["user_id"], &me["role"]), (&done["org_id"], &done["user_id"], &json!("owner")));
    assert_eq!(server.facts().organization("acme").name.as_str(), "ACME Ltd.");

    // After the next start neither the page nor the code works.
    server.restart();
    let late = server.anyone().post("/v1/setup", &body(&valid));
    late.fails(409, "already set up");
    let password = server.log().contains(Server::PASSWORD);
    assert!(!password, "the password was logged");
}

fn nothing_works_before(backend: Backend) {
    let server = Server::start(backend, Options::default().unset_up());
    // If the database is empty because its URL is wrong, valid tokens must not be called invalid.
    let token = json!({"token": "nlp_00112233445566778899aabbccddeeff550c911c"});
    for (method, path, body) in [
        ("POST", "/v1/auth/validate", token.clone()),
        ("POST", "/v1/auth/validate", json!({"token": "nonsense"})),
        ("POST", "/v1/auth/validate", json!([])),
        ("GET", "/v1/auth/forward", json!({})),
        ("POST", "/v1/auth/forward", json!({})),
        ("POST", "/v1/oauth/introspect", token),
        ("POST", "/v1/sessions", json!({"email": Server::OWNER, "password": Server::PASSWORD})),
        ("GET", "/v1/tokens", json!({})),
        ("GET", "/v1/scopes/catalog", json!({})),
        ("GET", "/v1/badge/acme/widgets", json!({})),
        ("GET", "/docs/", json!({})),
        ("GET", "/nothing", json!({})),
    ] {
        let answer = server.anyone().ask(Request::new(method, path).json(&body));
        assert_eq!(answer.fails(503, "not set up")["statusCode"], 503, "{method} {path}");
        assert_eq!(answer.header("retry-after"), Some("1"), "{method} {path}");
    }
    assert_eq!(server.anyone().get("/ready").expect(503)["failing"], json!(["setup"]));
    for path in ["/health", "/metrics", "/openapi.json"] {
        server.anyone().get(path).expect(200);
    }
    let page = server.anyone().get("/setup");
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let form = Request::new("POST", "/sign-in")
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(b"email=owner%40acme.example&password=wrong");
    let refused = server.anyone().ask(form);
    assert_eq!(refused.status, 503);
    assert!(refused.text().contains("says nothing about your password"), "{}", refused.text());
    for (path, leads_to) in [("/", "/sign-in?next=%2F"), ("/sign-in", "/setup")] {
        let answer = server.anyone().get(path);
        assert_eq!((answer.status, answer.header("location")), (303, Some(leads_to)), "{path}");
    }
    let assets: Vec<&str> = page.text().split('"').filter(|text| text.starts_with("/assets/")).collect();
    assert!(assets.len() >= 3, "{assets:?}");
    for file in assets {
        assert_eq!(server.anyone().get(file).status, 200, "{file}");
    }
}

fn of_several_at_once_one_sets_up(backend: Backend) {
    let server = Server::start(backend, Options::default().unset_up());
    let code = server.setup_code();
    let mut statuses: Vec<u16> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..6)
            .map(|n| {
                let (mut caller, code) = (server.anyone(), &code);
                scope.spawn(move || {
                    let body = json!({"code": code, "organization": format!("acme-{n}"),
                                      "email": format!("owner-{n}@acme.example"), "password": Server::PASSWORD});
                    caller.post("/v1/setup", &body).status
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409]);
}

fn a_server_that_is_set_up_prints_no_link(backend: Backend) {
    let mut server = Server::start(backend, Options::default());
    server.stop();
    assert!(!server.log().contains("/setup#"), "{}", server.log());
}
