//! How much a page weighs: counted, with many tokens.

use serde_json::json;

use super::browser::Browser;
use crate::support::{Backend, Options, Server, both};

both!(pages_are_light_however_many_tokens_there_are);

/// A first page with all it loads, and the next one.
const FIRST: usize = 60 * 1024;
const NEXT: usize = 25 * 1024;

fn pages_are_light_however_many_tokens_there_are(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    for number in 0..60 {
        let name = format!("Deployment of service number {number} to production");
        let body = json!({"name": name, "scopes": ["execute", "scans:run", "projects:read", "tokens:read"], "expires_in_days": 30});
        owner.post("/v1/tokens", &body).expect(201);
    }
    let mut browser = Browser::of_owner(&server);
    let page = browser.page("/tokens");
    let mut loaded = page.len();
    for part in page.split('"').filter(|part| part.starts_with("/assets/")).collect::<std::collections::BTreeSet<_>>() {
        let asset = browser.get(part);
        assert_eq!(
            (asset.status, asset.header("cache-control")),
            (200, Some("public, max-age=31536000, immutable")),
            "{part}"
        );
        loaded += asset.body.len();
    }
    assert!(page.len() <= NEXT, "{} bytes", page.len());
    assert!(loaded <= FIRST, "{loaded} bytes");
    let next =
        page.split('"').find(|part| part.starts_with("/tokens?") && part.contains("cursor=")).unwrap().to_owned();
    assert!(browser.page(&next.replace("&#38;", "&").replace("&amp;", "&")).len() <= NEXT);
    for path in ["/", "/audit", "/settings", "/members"] {
        assert!(browser.page(path).len() <= NEXT, "{path}");
    }
}
