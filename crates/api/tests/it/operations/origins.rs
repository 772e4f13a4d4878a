//! Cross-origin requests from listed origins on the hot routes.

use crate::support::{Backend, Options, Request, Server};

const LISTED: &str = "https://app.example";

#[test]
fn a_page_of_a_listed_origin_may_validate() {
    let server = Server::start(Backend::Sqlite, Options::default().with("server.allowed_origins", LISTED));
    let made = server.owner().create("shown to a page");
    let body = format!("{{\"token\":{}}}", made["secret"]);
    let plain = server.anyone().ask(Request::new("POST", "/v1/auth/validate").body(body.clone()));
    for (origin, allowed) in [(LISTED, Some(LISTED)), ("https://evil.example", None), ("null", None)] {
        for path in ["/v1/auth/validate", "/v1/auth/forward", "/v1/oauth/introspect", "/v1/tokens"] {
            let question = Request::new("OPTIONS", path)
                .header("Origin", origin)
                .header("Access-Control-Request-Method", "POST")
                .header("Access-Control-Request-Headers", "content-type");
            let answer = server.anyone().ask(question);
            assert_eq!(answer.header("access-control-allow-origin"), allowed, "{origin} {path}");
            assert_eq!(answer.status == 204, allowed.is_some(), "{origin} {path}: {}", answer.status);
        }
        // The second time the answer comes from the cache.
        for _ in 0..2 {
            let asked = Request::new("POST", "/v1/auth/validate").header("Origin", origin).body(body.clone());
            let answer = server.anyone().ask(asked);
            assert_eq!((answer.status, answer.text()), (200, plain.text()));
            assert_eq!(answer.header("access-control-allow-origin"), allowed, "{origin}");
            assert_eq!(answer.header("vary"), Some("Origin"));
        }
    }
    let answer = server.anyone().ask(Request::new("GET", "/v1/tokens").header("Origin", LISTED));
    let exposed: Vec<&str> = answer.header("access-control-expose-headers").unwrap().split(", ").collect();
    for name in [
        "x-request-id",
        "retry-after",
        "www-authenticate",
        "allow",
        "x-total-count",
        "nolapse-audit-head",
        "x-nlp-revocation-seq",
    ] {
        assert!(exposed.contains(&name), "{name} in {exposed:?}");
    }
}

#[test]
fn without_a_list_no_answer_speaks_of_origins() {
    let server = Server::start(Backend::Sqlite, Options::default());
    let answer = server.anyone().ask(Request::new("GET", "/v1/tokens").header("Origin", LISTED));
    assert_eq!((answer.header("access-control-allow-origin"), answer.header("vary")), (None, None));
}
