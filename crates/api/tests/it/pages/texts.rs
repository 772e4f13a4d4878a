//! Text that people choose is inert wherever it is shown.

use serde_json::json;

use super::browser::{Browser, encoded};
use crate::support::{Backend, Options, Server, both, texts};

both!(
    hostile_names_are_text,
    names_that_deceive_the_eye_are_refused_or_contained,
    every_page_has_the_policy_and_is_kept_by_nobody
);

const HOSTILE: [&str; 4] =
    ["<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "{{7*7}}", "' onmouseover='alert(1)"];

fn hostile_names_are_text(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut browser = Browser::of_owner(&server);
    let mut owner = server.owner();
    for name in HOSTILE {
        let body = json!({"name": name, "scopes": ["execute"], "description": name, "external_id": name});
        let [id] = texts(&owner.post("/v1/tokens", &body).expect(201), ["id"]);
        for path in [
            "/tokens".to_owned(),
            "/".to_owned(),
            "/audit".to_owned(),
            format!("/tokens/{id}"),
            format!("/tokens/{id}/edit"),
            format!("/tokens/{id}/rotate"),
            format!("/tokens/{id}/revoke"),
            format!("/tokens/new?like={id}"),
        ] {
            let page = browser.page(&path);
            assert!(!page.contains("<script>alert") && !page.contains("<img src=x"), "{path}: {name}");
            assert!(!page.contains("' onmouseover="), "{path}: {name}");
        }
    }
    let [organization] = texts(&owner.get("/v1/me").expect(200), ["org_id"]);
    for name in HOSTILE {
        let body = json!({"name": name, "issuer": "https://idp.example.org", "audience": name, "scopes": ["execute"],
            "match": {"sub": name, "claim": {"in": [name]}}});
        let [id] =
            texts(&owner.post(&format!("/v1/organizations/{organization}/trust-policies"), &body).expect(201), ["id"]);
        for path in ["/trust".to_owned(), format!("/trust/{id}"), "/audit".to_owned()] {
            let page = browser.page(&path);
            assert!(!page.contains("<script>alert") && !page.contains("<img src=x"), "{path}: {name}");
            assert!(!page.contains("' onmouseover="), "{path}: {name}");
        }
    }
    for text in HOSTILE {
        let encoded = encoded(text);
        for path in [
            format!("/tokens?q={encoded}&scope={encoded}&status={encoded}&cursor={encoded}"),
            format!(
                "/tokens/new?name={encoded}&scopes={encoded}&description={encoded}&expires={encoded}&preset={encoded}"
            ),
            format!("/trust/new?name={encoded}&preset={encoded}&issuer={encoded}&more={encoded}&claim.ref={encoded}"),
            format!("/audit?action={encoded}&target={encoded}&actor={encoded}"),
            format!("/sign-in?email={encoded}&next={encoded}"),
        ] {
            let page = browser.page(&path);
            assert!(!page.contains("<script>alert") && !page.contains("<img src=x"), "{path}");
        }
    }
}

fn names_that_deceive_the_eye_are_refused_or_contained(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut browser = Browser::of_owner(&server);
    let mut create = |name: &str| {
        let form = [("name", name), ("scope", "execute"), ("expires", "90d"), ("_nonce", name)];
        browser.submit("/tokens/new", &form)
    };
    for bidi in ["\u{202e}nekot", "a\u{2066}b", "a\u{200f}b", "a\u{7}b", "\u{2800}"] {
        let refused = create(bidi);
        assert_eq!(refused.status, 422, "{bidi:?}: {}", refused.text());
        assert!(refused.text().contains("The name must"), "{}", refused.text());
    }
    // One grapheme of 397 bytes: a letter under 99 marks.
    let tower = format!("e{}", "\u{1e8d0}".repeat(99));
    let made = create(&tower);
    assert_eq!(made.status, 200, "{}", made.text());
    assert!(browser.page("/tokens").contains(&tower));
}

fn every_page_has_the_policy_and_is_kept_by_nobody(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut browser = Browser::of_owner(&server);
    for path in [
        "/",
        "/tokens",
        "/tokens/new",
        "/keys",
        "/keys/new",
        "/check",
        "/trust",
        "/trust/new",
        "/members",
        "/roles",
        "/projects",
        "/usage",
        "/audit",
        "/settings",
        "/settings/email",
        "/settings/policy",
        "/settings/proof",
        "/settings/second-factor",
        "/sign-in",
        "/password-reset",
        "/password-reset/request",
        "/invitation",
    ] {
        let answer = browser.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self';") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
        assert!(!answer.text().contains(" style=") && !answer.text().contains("onclick="), "{path}");
    }
    assert_eq!(browser.get("/nowhere").status, 404);
    let wrong = browser.post("/audit", &[]);
    assert_eq!((wrong.status, wrong.header("allow")), (405, Some("GET, HEAD")));
}
