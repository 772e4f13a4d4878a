//! The cost of pages with many tokens: statements and bytes.

use serde_json::json;

use super::browser::Browser;
use crate::support::{Backend, Database, Options, Proxy, Server, both};

both!(pages_are_light_however_many_tokens_there_are);

/// Pages that show tokens or count them.
const PAGES: [&str; 15] = [
    "/tokens",
    "/tokens?scope=execute&q=Token",
    "/tokens?unused_days=30&expires_before=2030-01-01",
    "/",
    "/usage",
    "/tokens/new",
    "/keys",
    "/trust",
    "/trust/new",
    "/members",
    "/roles",
    "/projects",
    "/audit",
    "/settings",
    "/settings/policy",
];
/// The most statements of a page, including those that begin and end transactions.
const MOST_STATEMENTS: u64 = 20;

#[test]
fn no_page_asks_more_of_the_database_when_there_are_ten_thousand_tokens() {
    let database = Database::new(Backend::PostgreSql);
    let proxy = Proxy::to(database.server_address()).unwrap();
    let options = Options::default().through(database.url_through(proxy.port()));
    let server = Server::start_on(database, options);
    let mut browser = Browser::of_owner(&server);
    let counted = |browser: &mut Browser, path: &str| {
        // The minimum of several tries, because background work of the server also runs statements.
        let tries = (0..5).map(|_| {
            let before = proxy.statements();
            let length = browser.page(path).len();
            (proxy.statements() - before, length)
        });
        tries.min().unwrap()
    };
    let few: Vec<u64> = PAGES.iter().map(|path| counted(&mut browser, path).0).collect();
    server.facts().fill_tokens(10_000);
    for (path, few) in PAGES.into_iter().zip(few) {
        let (statements, length) = counted(&mut browser, path);
        println!("{path}: {statements} statements ({few} without tokens), {length} bytes");
        assert!(statements <= MOST_STATEMENTS, "{path}: {statements} statements");
        assert!(length <= NEXT, "{path}: {length} bytes");
    }
}

/// The most bytes of a first page with all its resources, and of the next page.
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
