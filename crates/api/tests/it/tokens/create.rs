//! `POST /v1/tokens`: new tokens, and refusals with their texts.

use serde_json::{Value, json};
use token_format::PlainToken;

use crate::support::{Backend, Options, Server, both, later, texts};

both!(
    a_token_is_made_as_asked,
    what_is_left_out_has_defaults,
    both_forms_of_expiry,
    scopes_keep_their_order_and_lose_duplicates,
    a_companion_that_is_missing_is_a_warning,
    nobody_grants_what_they_lack,
    bad_requests_name_the_field,
    at_most_64_scopes,
    the_organisation_is_the_callers,
    a_project_must_be_of_the_organisation,
    the_cap_counts_live_tokens,
    the_cap_of_an_organisation_goes_before_the_deployments,
    a_token_is_good_at_once,
);

/// The fields of a token in the order of the answer; `secret` is the last, only at creation.
const FIELDS: [&str; 23] = [
    "id",
    "kind",
    "name",
    "description",
    "status",
    "scopes",
    "agent_type",
    "project_id",
    "external_id",
    "metadata",
    "allowed_networks",
    "hint",
    "created_at",
    "created_by",
    "expires_at",
    "last_used_at",
    "last_used_from",
    "grace_period_ends_at",
    "rotated_from",
    "rotated_to",
    "revoked_at",
    "revoked_reason",
    "revoked_note",
];

#[track_caller]
fn assert_fields(text: &str, expected: &[&str]) {
    // `Value` sorts keys, so the test reads their order from the text.
    let body: Value = serde_json::from_str(text).unwrap();
    assert_eq!(body.as_object().unwrap().len(), expected.len(), "{text}");
    let places: Vec<_> = expected.iter().map(|field| text.find(&format!("\"{field}\":"))).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{text}");
}

fn a_token_is_made_as_asked(backend: Backend) {
    let server = Server::start(backend, Options::default().bcrypt());
    let mut owner = server.owner();
    let me = owner.get("/v1/me").expect(200);
    let expires_at = later(3600);
    let asked = json!({
        "name": "  CI on main ✓ ", "scopes": ["execute", "tokens:read"], "agent_type": "github_actions",
        "expires_at": expires_at, "unknown_field": {"is": "ignored"},
    });
    let answer = owner.post("/v1/tokens", &asked);
    let made = answer.expect(201);
    assert_fields(answer.text(), &[&FIELDS[..], &["secret"]].concat());
    assert_eq!(answer.header("cache-control"), Some("no-store"));

    let [id, secret, created_at] = texts(&made, ["id", "secret", "created_at"]);
    assert!(PlainToken::parse(&secret).unwrap().is_checksummed());
    assert_eq!(&id[14..15], "7", "a UUID of version 7: {id}");
    assert_eq!(created_at.len(), "2026-01-15T09:32:11Z".len());
    let mut expected = json!({
        "id": id, "kind": "organization", "name": "CI on main ✓", "status": "active",
        "scopes": ["execute", "tokens:read"], "agent_type": "github_actions", "project_id": null,
        "hint": format!("{}…", &secret[..8]), "created_at": created_at,
        "created_by": format!("user:{}", me["user_id"].as_str().unwrap()), "expires_at": expires_at,
        "last_used_at": null, "last_used_from": [], "grace_period_ends_at": null, "rotated_from": null, "rotated_to": null,
        "revoked_at": null, "revoked_reason": null, "revoked_note": null,
        "description": null, "external_id": null, "metadata": null, "allowed_networks": null,
    });
    let answer = owner.get(&format!("/v1/tokens/{id}"));
    assert_eq!(answer.expect(200), expected, "the secret is shown once");
    assert_fields(answer.text(), &FIELDS);
    expected["secret"] = secret.into();
    assert_eq!(made, expected);
}

fn what_is_left_out_has_defaults(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let nulls = json!({"name": "b", "scopes": ["read"], "agent_type": null, "project_id": null, "expires_at": null, "expires_in_days": null});
    for body in
        [json!({"name": "a", "scopes": ["read"]}), nulls, json!({"name": "c", "scopes": ["read"], "agent_type": ""})]
    {
        let made = owner.post("/v1/tokens", &body).expect(201);
        assert_eq!(
            (&made["agent_type"], &made["expires_at"], &made["project_id"]),
            (&json!(""), &Value::Null, &Value::Null)
        );
        assert_eq!(made.get("warnings"), None);
    }
    // A token with `tokens:manage` creates tokens too; the trail and `created_by` name it.
    let manager = owner.create_with("manager", &["tokens:manage", "execute"]);
    let mut manager_client = server.caller(manager["secret"].as_str().unwrap());
    let made = manager_client.create("by a token");
    assert_eq!(made["created_by"], format!("token:{}", manager["id"].as_str().unwrap()));
}

fn both_forms_of_expiry(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let mut create = |more: Value| {
        let mut body = json!({"name": "expiring", "scopes": ["execute"]});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        owner.post("/v1/tokens", &body)
    };
    let offset = create(json!({"expires_at": "2099-01-15T10:32:11.987654321+01:00"})).expect(201);
    assert_eq!(offset["expires_at"], "2099-01-15T09:32:11Z");

    // The expiry has the creation's time of day; a test that runs over midnight may get either of two days.
    let before = later(7 * 86_400);
    let days = create(json!({"expires_in_days": 7})).expect(201);
    let after = later(7 * 86_400);
    let [expires_at] = texts(&days, ["expires_at"]);
    assert!(before <= expires_at && expires_at <= after, "{before} {expires_at} {after}");
    assert!(create(json!({"expires_in_days": 36_500})).status == 201);

    let rows = [
        (json!({"expires_at": later(-1)}), "expires_at", "must be in the future"),
        (json!({"expires_at": later(0)}), "expires_at", "must be in the future"),
        (json!({"expires_at": "1970-01-01T00:00:00Z"}), "expires_at", "must be in the future"),
        (json!({"expires_in_days": 0}), "expires_in_days", "must be 1 to 36500"),
        (json!({"expires_in_days": 36_501}), "expires_in_days", "must be 1 to 36500"),
        (json!({"expires_in_days": -1}), "expires_in_days", "must be a whole number, neither negative nor too large"),
        (json!({"expires_in_days": 1.5}), "expires_in_days", "must be a whole number, neither negative nor too large"),
        (
            json!({"expires_in_days": 1, "expires_at": later(60)}),
            "expires_in_days",
            "must not be sent together with expires_at",
        ),
    ];
    for (more, field, message) in rows {
        let body = create(more.clone()).fails(400, "invalid request");
        assert_eq!((&body["field"], &body["message"]), (&json!(field), &json!(format!("{field} {message}"))), "{more}");
    }
    for text in ["", "tomorrow", "2099-01-15", "2099-13-01T00:00:00Z", "2099-01-15T09:32:11", "10000-01-01T00:00:00Z"] {
        let body = create(json!({ "expires_at": text })).fails(400, "invalid request");
        assert_eq!(body["field"], "expires_at", "{text}");
    }
}

fn scopes_keep_their_order_and_lose_duplicates(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let asked = ["scans:read", "execute", "issues:read", "execute", "scans:read", "admin"];
    let made = owner.create_with("ordered", &asked);
    assert_eq!(made["scopes"], json!(["scans:read", "execute", "issues:read", "admin"]));
    let [id, secret] = texts(&made, ["id", "secret"]);
    assert_eq!(owner.token(&id)["scopes"], made["scopes"]);
    assert_eq!(owner.validate(&secret).expect(200)["scopes"], made["scopes"]);
}

fn a_companion_that_is_missing_is_a_warning(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let made = owner.create_with("lonely", &["scans:run", "execute"]);
    let warnings = made["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 1);
    assert_eq!((&warnings[0]["scope"], &warnings[0]["requires"]), (&json!("scans:run"), &json!(["projects:read"])));
    assert!(warnings[0]["message"].as_str().unwrap().contains("projects:read"));
    let [secret] = texts(&made, ["secret"]);
    let asked = json!({"token": secret, "required_scopes": ["scans:run"]});
    assert_eq!(owner.post("/v1/auth/validate", &asked).expect(403)["missing"], json!(["projects:read"]));

    let paired = owner.create_with("paired", &["scans:run", "projects:read"]);
    assert_eq!(paired.get("warnings"), None);
    let asked = json!({"token": paired["secret"], "required_scopes": ["scans:run"]});
    owner.post("/v1/auth/validate", &asked).expect(200);
}

fn nobody_grants_what_they_lack(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let narrow = owner.create_with("narrow", &["tokens:manage", "execute", "scans"]);
    let mut narrow = server.caller(narrow["secret"].as_str().unwrap());
    for within in [&["execute"][..], &["read"], &["scans:read", "tokens:manage"], &["scans"]] {
        narrow.create_with("within", within);
    }
    let rows: [(&[&str], &[&str]); 4] = [
        (&["execute", "issues:read"], &["issues:read"]),
        // `manage` does not imply `read`.
        (&["tokens:read"], &["tokens:read"]),
        (&["scans:read", "org:read", "issues:manage"], &["org:read", "issues:manage"]),
        (&["org.memberships:read"], &["org.memberships:read"]),
    ];
    for (asked, excess) in rows {
        let answer = narrow.post("/v1/tokens", &json!({"name": "beyond", "scopes": asked}));
        let body = answer.fails(403, "insufficient scope");
        let mut missing: Vec<&str> = body["missing"].as_array().unwrap().iter().map(|v| v.as_str().unwrap()).collect();
        let mut excess = excess.to_vec();
        missing.sort_unstable();
        excess.sort_unstable();
        assert_eq!(missing, excess, "{asked:?}");
        assert!(answer.header("www-authenticate").unwrap().contains("insufficient_scope"));
    }
    // `admin` covers everything, so only a caller with all scopes can grant it.
    let body =
        narrow.post("/v1/tokens", &json!({"name": "beyond", "scopes": ["admin"]})).fails(403, "insufficient scope");
    assert!(body["missing"].as_array().unwrap().contains(&json!("admin")), "{body}");
    let names: Vec<Value> = owner.get("/v1/tokens").expect(200)["tokens"].as_array().unwrap().clone();
    assert!(names.iter().all(|token| token["name"] != "beyond"), "nothing was made");
}

fn bad_requests_name_the_field(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let long = "x".repeat(101);
    let control = "must not contain control, bidirectional-control or unassigned characters";
    let rows = [
        (json!({"scopes": ["execute"]}), "name", "is required"),
        (json!({"name": null, "scopes": ["execute"]}), "name", "must be a string"),
        (json!({"name": 7, "scopes": ["execute"]}), "name", "must be a string"),
        (json!({"name": "", "scopes": ["execute"]}), "name", "must not be empty"),
        (json!({"name": " \u{a0}\t ", "scopes": ["execute"]}), "name", "must not be empty"),
        (json!({"name": long, "scopes": ["execute"]}), "name", "must have at most 100 characters"),
        (json!({"name": "a\nb", "scopes": ["execute"]}), "name", control),
        (json!({"name": "a\u{7f}b", "scopes": ["execute"]}), "name", control),
        (json!({"name": "pay\u{202e}moc", "scopes": ["execute"]}), "name", control),
        (json!({"name": "a\u{2066}b", "scopes": ["execute"]}), "name", control),
        (json!({"name": "a\u{feff}b", "scopes": ["execute"]}), "name", control),
        (json!({"name": "a"}), "scopes", "is required"),
        (json!({"name": "a", "scopes": "execute"}), "scopes", "must be a list"),
        (json!({"name": "a", "scopes": [1]}), "scopes[0]", "must be a string"),
        (
            json!({"name": "a", "scopes": []}),
            "scopes",
            "must name at least one scope; GET /v1/scopes/catalog lists them",
        ),
        (
            json!({"name": "a", "scopes": ["execute", "fly"]}),
            "scopes",
            "has an unknown scope: fly; GET /v1/scopes/catalog lists them",
        ),
        (
            json!({"name": "a", "scopes": ["Execute"]}),
            "scopes",
            "has an unknown scope: a name in `scopes`; GET /v1/scopes/catalog lists them",
        ),
        (
            json!({"name": "a", "scopes": ["execute", "user:read"]}),
            "scopes",
            "must leave out user:read, which organization tokens cannot have",
        ),
        (
            json!({"name": "a", "scopes": ["execute"], "agent_type": "GitHub"}),
            "agent_type",
            "must be empty or up to 64 lower-case letters, digits and underscores",
        ),
        (
            json!({"name": "a", "scopes": ["execute"], "agent_type": "x".repeat(65)}),
            "agent_type",
            "must be empty or up to 64 lower-case letters, digits and underscores",
        ),
        (json!({"name": "a", "scopes": ["execute"], "agent_type": 1}), "agent_type", "must be a string"),
    ];
    for (body, field, message) in rows {
        let answer = owner.post("/v1/tokens", &body);
        let refused = answer.fails(400, "invalid request");
        assert_eq!(
            (&refused["field"], &refused["message"]),
            (&json!(field), &json!(format!("{field} {message}"))),
            "{body}"
        );
    }
    for (name, kept) in [("x", "x"), (&long[1..], &long[1..]), ("e\u{301}", "é"), ("👩‍💻", "👩‍💻")] {
        assert_eq!(owner.create(name)["name"], kept);
    }
    for good in ["x".repeat(64), "_9".to_owned()] {
        let made =
            owner.post("/v1/tokens", &json!({"name": "a", "scopes": ["execute"], "agent_type": good})).expect(201);
        assert_eq!(made["agent_type"], good);
    }
}

/// Uses an operator's catalogue, which is larger than the built-in one.
fn at_most_64_scopes(backend: Backend) {
    let folder = tempfile::tempdir().unwrap();
    let mut catalogue = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/scopes.toml")).to_owned();
    let names: Vec<String> = (0..70).map(|number| format!("extra{number}:read")).collect();
    for name in &names {
        let entry = ["\n[[scope]]\nname = \"", name, "\"\ndescription = \"Extra.\"\ngroup = \"Extra\"\n"];
        catalogue.push_str(&entry.concat());
    }
    let file = folder.path().join("scopes.toml");
    std::fs::write(&file, catalogue).unwrap();
    let server = Server::start(backend, Options::default().with("scopes.file", file.display()));
    let mut owner = server.owner();
    let made = owner.post("/v1/tokens", &json!({"name": "many", "scopes": names[..64]})).expect(201);
    assert_eq!(made["scopes"].as_array().unwrap().len(), 64);
    let body =
        owner.post("/v1/tokens", &json!({"name": "too many", "scopes": names[..65]})).fails(400, "invalid request");
    assert_eq!((&body["field"], &body["message"]), (&json!("scopes"), &json!("scopes must name at most 64 scopes")));
}

fn the_organisation_is_the_callers(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let facts = server.facts();
    let elsewhere = facts.add_organization("elsewhere");
    let mut owner = server.owner();
    let [own] = texts(&owner.get("/v1/me").expect(200), ["org_id"]);
    for field in ["org_id", "organization", "organization_id", "orgId"] {
        let asked = json!({"name": "mine", "scopes": ["execute"], field: elsewhere.to_string()});
        let made = owner.post("/v1/tokens", &asked).expect(201);
        assert_eq!(owner.validate(made["secret"].as_str().unwrap()).expect(200)["org_id"], own);
    }
}

fn a_project_must_be_of_the_organisation(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    for (id, message) in [
        ("018f0000-0000-7000-8000-000000000001", Some("project_id must be a project of this organisation")),
        ("not-an-id", None),
        ("", None),
    ] {
        let asked = json!({"name": "a", "scopes": ["execute"], "project_id": id});
        let body = owner.post("/v1/tokens", &asked).fails(400, "invalid request");
        assert_eq!(body["field"], "project_id");
        assert!(message.is_none_or(|message| body["message"] == message), "{body}");
    }
}

fn the_cap_counts_live_tokens(backend: Backend) {
    let server = Server::start(backend, Options::default().with("tokens.cap_per_organization", 3));
    let mut owner = server.owner();
    let first = owner.create("one");
    let [second] = texts(&owner.create("two"), ["id"]);
    // The cap never prevents a rotation, though there is one more token during the grace.
    let [third] = texts(&owner.create("three"), ["id"]);
    owner.rotate(&third, &json!({}));
    let refused = |body: Value, used: u32| {
        let error = body["error"].as_str().unwrap();
        let expected = format!("token limit reached for your plan ({used}/3 tokens used). ");
        assert!(error.starts_with(&expected), "{error}");
        assert_eq!((&body["used"], &body["limit"], &body["statusCode"]), (&json!(used), &json!(3), &json!(402)));
    };
    let more = json!({"name": "four", "scopes": ["execute"]});
    refused(owner.post("/v1/tokens", &more).expect(402), 4);
    owner.revoke(&second);
    refused(owner.post("/v1/tokens", &more).expect(402), 3);
    owner.revoke(first["id"].as_str().unwrap());
    owner.post("/v1/tokens", &more).expect(201);
    refused(owner.post("/v1/tokens", &more).expect(402), 3);

    // Of ten concurrent requests for the last place under the cap, exactly one succeeds.
    owner.revoke(&third);
    let callers: Vec<_> = (0..10).map(|_| server.caller(owner.credential())).collect();
    let asked = &more;
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let ask = |mut caller: crate::support::Client| scope.spawn(move || caller.post("/v1/tokens", asked).status);
        let asking: Vec<_> = callers.into_iter().map(ask).collect();
        asking.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 402).count(), 9, "{statuses:?}");
}

fn the_cap_of_an_organisation_goes_before_the_deployments(backend: Backend) {
    let server = Server::start(backend, Options::default().with("tokens.cap_per_organization", 1));
    let cap = |limit: &[&str]| {
        let arguments = [&["organization", "cap", "--org", Server::ORGANIZATION], limit].concat();
        server.command(&arguments, "").succeeds();
    };
    let mut owner = server.owner();
    owner.create("one");
    let more = json!({"name": "more", "scopes": ["execute"]});
    let body = owner.post("/v1/tokens", &more).expect(402);
    let exact = "token limit reached for your plan (1/1 tokens used). ";
    assert!(body["error"].as_str().unwrap().starts_with(exact), "{body}");
    cap(&["--tokens", "2"]);
    owner.post("/v1/tokens", &more).expect(201);
    owner.post("/v1/tokens", &more).expect(402);
    cap(&["--tokens", "0"]);
    owner.post("/v1/tokens", &more).expect(402);
    cap(&["--default"]);
    owner.post("/v1/tokens", &more).expect(402);
}

fn a_token_is_good_at_once(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    // A new connection each time, so that every worker is asked.
    for number in 0..20 {
        let [secret] = texts(&owner.create(&format!("token {number}")), ["secret"]);
        for _ in 0..3 {
            assert!(server.anyone().is_valid(&secret));
        }
    }
}
