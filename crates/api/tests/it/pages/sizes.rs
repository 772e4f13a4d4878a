//! The cost of pages with many tokens: statements and bytes.

use std::thread::sleep;
use std::time::Duration;

use serde_json::json;
use token_domain::person::BuiltInRole;
use token_domain::usage::UseCounts;

use super::browser::Browser;
use crate::support::{Backend, Database, Options, Proxy, Server, both, texts};

both!(pages_are_light_however_many_tokens_there_are, pages_are_light_with_a_month_behind_them, long_lists_have_pages,);

/// Pages that show tokens or count them.
const PAGES: [&str; 17] = [
    "/tokens",
    "/tokens?scope=execute&q=Token",
    "/tokens?unused_days=30&expires_before=2030-01-01",
    "/",
    "/usage",
    "/usage?over=week",
    "/usage?over=quarter",
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
    // The server polls the list of servers all the while, on a connection of its own: on a busy machine a page takes as long
    // as many polls.
    let before = proxy.statements();
    sleep(Duration::from_secs(1));
    let is_own: Vec<bool> = proxy.statements().iter().zip(&before).map(|(now, before)| now > before).collect();
    let of_pages = || {
        let counts = proxy.statements();
        let is_own = |number: usize| is_own.get(number).copied().unwrap_or(false);
        counts.iter().enumerate().filter(|(number, _)| !is_own(*number)).map(|(_, count)| count).sum::<u64>()
    };
    let counted = |browser: &mut Browser, path: &str| {
        // The minimum of several tries, because other work of the server also runs statements.
        let tries = (0..5).map(|_| {
            let before = of_pages();
            let length = browser.page(path).len();
            (of_pages() - before, length)
        });
        tries.min().unwrap()
    };
    let few: Vec<u64> = PAGES.iter().map(|path| counted(&mut browser, path).0).collect();
    server.owner().create("the first of all");
    server.facts().fill_tokens(10_000);
    for (path, few) in PAGES.into_iter().zip(few) {
        let (statements, length) = counted(&mut browser, path);
        println!("{path}: {statements} statements ({few} without tokens), {length} bytes");
        assert!((1..=MOST_STATEMENTS).contains(&statements), "{path}: {statements} statements");
        assert!(length <= NEXT, "{path}: {length} bytes");
    }
    // A search looks at ten thousand at a time, and says when there are more.
    let page = browser.page("/tokens?q=the+first");
    let (_, link) = page.split_once("older tokens to look through. <a href=\"").expect(&page);
    let next = link.split_once('"').unwrap().0.replace("&#38;", "&");
    assert!(browser.page(&next).contains("the first of all"), "{next}");
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

/// The busiest number of uses in an hour: as wide as any that a deployment is likely to see.
const BUSY: u64 = 9_999_999;

fn pages_are_light_with_a_month_behind_them(backend: Backend) {
    let server = Server::start(backend, Options::default());
    server.facts().fill_history();
    let mut owner = server.owner();
    let [id] = texts(&owner.create("used in every hour, with any outcome"), ["id"]);
    server.facts().fill_uses(&id, 95 * 24, UseCounts { allowed: BUSY, insufficient: BUSY, denied: BUSY });
    let mut browser = Browser::of_owner(&server);
    let found = owner.get("/v1/tokens?q=CI+on+main").expect(200)["tokens"].clone();
    let [token] = texts(&found[0], ["id"]);
    let pages = ["day", "week", "quarter"].map(|over| format!("/usage?over={over}"));
    let tokens = [&token, &id]
        .into_iter()
        .flat_map(|id| ["", "/rotate", "/revoke", "/edit"].map(|page| format!("/tokens/{id}{page}")).into_iter());
    let others = ["/", "/tokens", "/audit", "/audit?action=token.create", "/trust", "/members", "/settings"];
    for path in pages.into_iter().chain(tokens).chain(others.map(str::to_owned)) {
        let page = browser.page(&path);
        println!("{path}: {} bytes", page.len());
        assert!(page.len() <= NEXT, "{path}: {} bytes", page.len());
    }
    let week = browser.page("/usage?over=week");
    assert_eq!(week.matches("<th scope=row>").count(), 7 * 24 + 1, "every hour has its line in the table");
}

fn long_lists_have_pages(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    for number in 0..24 {
        server.facts().add_member(&format!("member-{number}@acme.example"), BuiltInRole::Viewer);
    }
    let [organization] = texts(&owner.get("/v1/me").expect(200), ["org_id"]);
    let base = format!("/v1/organizations/{organization}");
    let project = owner.post(&format!("{base}/projects"), &json!({"slug": "chat"})).expect(201);
    let [project] = texts(&project, ["projectId"]);
    for number in 0..30 {
        let inside = format!("{base}/projects/{project}");
        owner.post(&format!("{inside}/scopes"), &json!({"slug": format!("tenant-{number}")})).expect(201);
        let actor = json!({"name": format!("Sensor {number}"), "actorType": "device"});
        owner.post(&format!("{inside}/actors"), &actor).expect(201);
    }
    let mut browser = Browser::of_owner(&server);
    let rows = |page: &str| page.matches("<th scope=\"row\">").count();
    let next = |page: &str, after: &str| {
        let (_, rest) = page.split_once(after).unwrap_or_else(|| panic!("no {after} in {page}"));
        let (link, _) = rest.split_once("\" rel=\"next\"").unwrap();
        link.rsplit_once("href=\"").unwrap().1.replace("&#38;", "&")
    };
    let members = browser.page("/members");
    assert_eq!(rows(&members), 20, "of 25");
    let rest = browser.page(&next(&members, "</tbody>"));
    assert_eq!(rows(&rest), 5);
    assert!(rest.contains("href=\"/members\">First page"), "{rest}");

    let path = format!("/projects/{project}");
    let page = browser.page(&path);
    assert_eq!(rows(&page), 50, "25 access scopes and 25 actors");
    assert!(page.contains("1 to 25 of 30 access scopes") && page.contains("1 to 25 of 30 actors"), "{page}");
    let link = next(&page, "Actors</h2>");
    assert_eq!(link, format!("{path}?actors=2"));
    let second = browser.page(&link);
    assert_eq!(rows(&second), 30, "25 access scopes and 5 actors");
    assert_eq!(next(&second, "Access scopes</h2>"), format!("{path}?scopes=2&actors=2"));
    for page in [members, rest, page, second] {
        assert!(page.len() <= NEXT, "{} bytes", page.len());
    }
}
