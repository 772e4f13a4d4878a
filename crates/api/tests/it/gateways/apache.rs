//! Apache with `mod_auth_openidc`, unmodified: it uses standard introspection. nginx terminates TLS in between, because
//! the module requires TLS.

use std::fs;

use super::app::App;
use super::gateway::{Gateway, Kind};
use super::page::{Page, replaced};
use super::{TOLD, told};
use crate::support::{Answer, Backend, Options, Request, Server, Wire, texts};

const MEBIBYTE: usize = 1024 * 1024;

#[test]
fn apache_introspects_every_request() {
    let server = Server::start(Backend::Sqlite, Options::default());
    let mut owner = server.owner();
    let organization = owner.get("/v1/me").expect(200)["org_id"].as_str().unwrap().to_owned();
    let [own] = texts(&owner.create_with("gateway", &["authority:introspect"]), ["secret"]);
    let [id, right] = texts(&owner.create_with("right", &["execute", "scans:read"]), ["id", "secret"]);
    let [lacking] = texts(&owner.create_with("lacking", &["tokens:read"]), ["secret"]);
    let app = App::start();
    let folder = tempfile::tempdir().unwrap();
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (folder.path().join("certificate.pem"), folder.path().join("key.pem"));
    fs::write(&certificate, certified.cert.pem()).unwrap();
    fs::write(&key, certified.signing_key.serialize_pem()).unwrap();
    let (certificate, key) = (certificate.display().to_string(), key.display().to_string());
    let page = Page::read("apache.md");
    let authority = server.address().to_string();
    let pairs = [
        ("/etc/nginx/tokens.example.org.crt", certificate.as_str()),
        ("/etc/nginx/tokens.example.org.key", &key),
        ("127.0.0.1:8080", &authority),
    ];
    let tls = Gateway::run(Kind::Nginx, &replaced(&page.block("nginx"), &pairs));
    let pairs = [
        ("https://tokens.example.org:8443", format!("https://localhost:{}", tls.address().port())),
        ("nlp_00112233445566778899aabbccddeeff550c911c", own),
        ("127.0.0.1:3000", app.address().to_string()),
    ];
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(from, to)| (*from, to.as_str())).collect();
    // The test's own certificate, which the system does not trust.
    let trusted = format!("OIDCCABundlePath {certificate}\n");
    let gateway = Gateway::run(Kind::Apache, &(trusted + &replaced(&page.block("apache"), &pairs)));

    let ask = |request: &Request<'_>| -> Answer { Wire::open(gateway.address()).unwrap().ask(request).unwrap() };
    let stops = |request: &Request<'_>| -> Answer {
        let before = app.requests();
        let answer = ask(request);
        assert_eq!((answer.status, app.requests()), (401, before), "{answer:?}");
        answer
    };
    let get = || Request::new("GET", "/a?b=c");
    let mut spoofed = get().bearer(&right);
    for name in TOLD {
        spoofed = spoofed.header(name, "spoofed");
    }
    for request in [get().bearer(&right), spoofed] {
        let sent = ask(&request).expect(200);
        assert_eq!(told(&sent), [&organization, &id, "organization", "execute scans:read read", "", "", ""], "{sent}");
        assert_eq!(sent["path"], "/a?b=c");
        assert!(!sent.to_string().contains(&right), "the token reaches the application: {sent}");
    }
    let bearer = |token: &str| get().bearer(token);
    for request in [get(), bearer("nlp_00112233445566778899aabbccddeeff550c911c"), bearer("nonsense")] {
        let answer = stops(&request);
        assert!(
            answer.header("www-authenticate").is_some_and(|challenge| challenge.starts_with("Bearer ")),
            "{answer:?}"
        );
    }
    stops(&get().bearer(&lacking));
    let head = ask(&Request::new("HEAD", "/").bearer(&right));
    assert_eq!((head.status, head.body.len()), (200, 0));
    let large = ask(&Request::new("POST", "/").bearer(&right).body(vec![b'x'; 5 * MEBIBYTE])).expect(200);
    assert_eq!(large["length"], 5 * MEBIBYTE);
    let preflight = ask(&Request::new("OPTIONS", "/").header("X-Nlp-Org", "spoofed")).expect(200);
    assert_eq!(told(&preflight), [""; 7].map(str::to_owned), "{preflight}");
    owner.revoke(&id);
    stops(&get().bearer(&right));
    drop(server);
    stops(&get().bearer(&lacking));
}
