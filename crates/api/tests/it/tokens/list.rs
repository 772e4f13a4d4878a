//! `GET /v1/tokens`: order, filters, pages.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::support::{Backend, Client, Options, Server, both, eventually, later, texts};

both!(
    newest_first_and_in_full,
    filters_by_status_and_name,
    limits_are_checked,
    cursors_are_checked,
    a_walk_neither_misses_nor_repeats,
    only_the_own_organisation_is_listed,
);

#[track_caller]
fn ids(page: &Value) -> Vec<String> {
    page["tokens"].as_array().unwrap().iter().map(|token| token["id"].as_str().unwrap().to_owned()).collect()
}

fn newest_first_and_in_full(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    assert_eq!(owner.get("/v1/tokens").text(), r#"{"tokens":[],"next_cursor":null}"#);
    let mut made: Vec<String> =
        (0..5).map(|n| texts(&owner.create(&format!("token {n}")), ["id"])[0].clone()).collect();
    made.reverse();
    let page = owner.get("/v1/tokens").expect(200);
    assert_eq!(ids(&page), made);
    assert_eq!(page["next_cursor"], Value::Null);
    for token in page["tokens"].as_array().unwrap() {
        assert_eq!(*token, owner.token(token["id"].as_str().unwrap()));
        assert_eq!(token.get("secret"), None);
    }
}

fn filters_by_status_and_name(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let id = |made: Value| texts(&made, ["id"])[0].clone();
    let expiring = json!({"name": "100% Expiring_soon", "scopes": ["execute"], "expires_at": later(2)});
    let expired = id(owner.post("/v1/tokens", &expiring).expect(201));
    let active = id(owner.create("Plain"));
    let revoked = id(owner.create("Éclair dead"));
    owner.revoke(&revoked);
    let rotating = id(owner.create("rotated plainly"));
    let successor = id(owner.rotate(&rotating, &json!({})));
    let superseded = id(owner.create("superseded"));
    let after = id(owner.rotate(&superseded, &json!({"grace_period_seconds": 0})));
    eventually("the expiry", || (owner.token(&expired)["status"] == "expired").then_some(()));

    let rows: [(&str, &[&String]); 16] = [
        ("status=active", &[&after, &successor, &active]),
        ("status=rotating", &[&rotating]),
        ("status=revoked", &[&superseded, &revoked]),
        ("status=expired", &[&expired]),
        ("name=plain", &[&successor, &rotating, &active]),
        ("name=PLAIN", &[&successor, &rotating, &active]),
        ("name=plain&status=active", &[&successor, &active]),
        ("name=%25", &[&expired]),
        ("name=_", &[&expired]),
        ("name=100%25+Exp", &[&expired]),
        ("name=%C3%89clair", &[&revoked]),
        // The same name in decomposed form (NFD), as macOS writes it.
        ("name=E%CC%81clair", &[&revoked]),
        ("name=%20plain%09", &[&successor, &rotating, &active]),
        ("name='", &[]),
        ("name=nothing", &[]),
        ("name=&limit=2", &[&after, &superseded]),
    ];
    for (query, expected) in rows {
        let page = owner.get(&format!("/v1/tokens?{query}")).expect(200);
        assert_eq!(ids(&page).iter().collect::<Vec<_>>(), expected, "{query}");
    }
    for status in ["", "Active", "dead", "active,revoked"] {
        let body = owner.get(&format!("/v1/tokens?status={status}")).fails(400, "invalid request");
        assert_eq!(body["field"], "status");
    }
    let long = owner.get(&format!("/v1/tokens?name={}", "x".repeat(101))).fails(400, "invalid request");
    assert_eq!(long["field"], "name");
}

fn limits_are_checked(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    for number in 0..3 {
        owner.create(&format!("token {number}"));
    }
    for (limit, count, more) in [("1", 1, true), ("2", 2, true), ("3", 3, false), ("1000", 3, false)] {
        let page = owner.get(&format!("/v1/tokens?limit={limit}")).expect(200);
        assert_eq!((ids(&page).len(), page["next_cursor"].is_string()), (count, more), "{limit}");
    }
    for limit in ["0", "1001", "-1", "1.5", "x", "", "99999999999", "+1"] {
        let body = owner.get(&format!("/v1/tokens?limit={limit}")).fails(400, "invalid request");
        assert_eq!(body["field"], "limit", "{limit}");
    }
    let body = owner.get("/v1/tokens?limit=1&limit=2").fails(400, "invalid request");
    assert_eq!(body["field"], "limit");
}

fn cursors_are_checked(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    owner.create("one");
    owner.create("two");
    let [good] = texts(&owner.get("/v1/tokens?limit=1").expect(200), ["next_cursor"]);
    let cut = &good[..good.len() - 1];
    for cursor in ["", "x", ".", "1.2", cut, &format!("{good}0"), "9223372036854775807.0", "-1.0", "%F0%9F%98%80"] {
        let body = owner.get(&format!("/v1/tokens?cursor={cursor}")).fails(400, "invalid request");
        assert_eq!(body["field"], "cursor", "{cursor}");
    }
    // A cursor is only a place in the order: the token it names need not exist.
    let elsewhere = format!("/v1/tokens?cursor=253402300799999999.{}", "f".repeat(32));
    assert_eq!(ids(&owner.get(&elsewhere).expect(200)).len(), 2);
}

fn a_walk_neither_misses_nor_repeats(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let before: Vec<String> =
        (0..250).map(|n| texts(&owner.create(&format!("token {n}")), ["id"])[0].clone()).collect();
    for limit in [1, 7, 100, 249, 250] {
        let mut walker = server.caller(owner.credential());
        let seen = walk(&mut walker, limit, || drop(owner.create("meanwhile")));
        let unique: HashSet<&String> = seen.iter().collect();
        assert_eq!(unique.len(), seen.len(), "repeats with limit {limit}");
        let old: Vec<&String> = seen.iter().filter(|id| before.contains(id)).collect();
        assert!(old.iter().rev().copied().eq(before.iter()), "limit {limit}: {} of 250", old.len());
    }
}

/// All ids from the first page to the last; `between` runs after some of the pages.
fn walk(caller: &mut Client, limit: usize, mut between: impl FnMut()) -> Vec<String> {
    let mut seen = Vec::new();
    let mut path = format!("/v1/tokens?limit={limit}");
    for page_number in 0.. {
        let page = caller.get(&path).expect(200);
        seen.extend(ids(&page));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        assert_eq!(ids(&page).len(), limit, "only the last page is short");
        path = format!("/v1/tokens?limit={limit}&cursor={cursor}");
        if page_number % 16 == 0 {
            between();
        }
    }
    seen
}

fn only_the_own_organisation_is_listed(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let facts = server.facts();
    let elsewhere = facts.add_organization("elsewhere");
    let other = facts.add_person("other@elsewhere.example");
    facts.join(elsewhere, &other, token_domain::person::BuiltInRole::Owner);
    let mut owner = server.owner();
    let mut other = server.signed_in("other@elsewhere.example");
    let [own] = texts(&owner.create("own"), ["id"]);
    let [theirs] = texts(&other.create("theirs"), ["id"]);
    assert_eq!(ids(&owner.get("/v1/tokens").expect(200)), [own.as_str()]);
    assert_eq!(ids(&other.get("/v1/tokens?limit=1").expect(200)), [theirs.as_str()]);
    assert_eq!(ids(&owner.get("/v1/tokens?name=theirs").expect(200)), [] as [&str; 0]);
}
