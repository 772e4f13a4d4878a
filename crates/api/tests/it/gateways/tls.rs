//! The chapter on TLS in `docs/OPERATIONS.md`: either proxy in front of the service, with its own certificate.

use std::fs;
use std::process::Command;

use serde_json::json;

use super::gateway::{Gateway, Kind};
use super::page::{Page, replaced};
use crate::support::{Backend, Options, Server, texts};

/// The service's host name in the chapter.
const NAME: &str = "tokens.example.org";

fn behind(kind: Kind) {
    let folder = tempfile::tempdir().unwrap();
    let certified = rcgen::generate_simple_self_signed([NAME.to_owned()]).unwrap();
    let [certificate, key] = ["certificate.pem", "key.pem"].map(|name| folder.path().join(name).display().to_string());
    fs::write(&certificate, certified.cert.pem()).unwrap();
    fs::write(&key, certified.signing_key.serialize_pem()).unwrap();

    let page = Page::read("../OPERATIONS.md").chapter("Behind TLS");
    let settings: toml::Table = page.block("toml").parse().unwrap();
    let mut options = Options::default().unset_up();
    for (key, value) in settings["server"].as_table().unwrap() {
        let texts = value.as_array().map_or_else(|| vec![value], |list| list.iter().collect());
        let texts: Vec<&str> = texts.into_iter().map(|text| text.as_str().unwrap()).collect();
        options.set(&format!("server.{key}"), texts.join(","));
    }
    let mut server = Server::start(Backend::Sqlite, options);
    // The set-up link has the public URL.
    server.says(&[&format!("https://{NAME}/setup#")]);
    server.stop();
    server.set_up().succeeds();
    server.serve();

    let address = server.address().to_string();
    let pairs = [
        ("/etc/ssl/tokens.example.org.crt", certificate.as_str()),
        ("/etc/ssl/tokens.example.org.key", &key),
        ("127.0.0.1:8080", &address),
    ];
    let proxy = Gateway::run(kind, &replaced(&page.block(kind.program()), &pairs));
    let port = proxy.address().port();
    // Status and body.
    let ask = |path: &str, more: &[&str]| {
        let asked = Command::new("curl")
            .args(["--silent", "--show-error", "--cacert", &certificate, "--write-out", "\n%{http_code}"])
            .args(["--resolve", &format!("{NAME}:{port}:127.0.0.1"), &format!("https://{NAME}:{port}{path}")])
            .args(more)
            .output()
            .expect("curl");
        let said = String::from_utf8(asked.stdout).unwrap();
        let (body, status) = said.rsplit_once('\n').unwrap();
        assert_ne!(status, "000", "{}", String::from_utf8_lossy(&asked.stderr));
        (status.parse::<u16>().unwrap(), body.to_owned())
    };
    assert_eq!(ask("/ready", &[]).0, 200);
    let sign_in = json!({"email": Server::OWNER, "password": Server::PASSWORD}).to_string();
    assert_eq!(ask("/v1/sessions", &["--data", &sign_in]).0, 201);
    // A person signs in at the public URL, and the cookie is `Secure`.
    let form = ["--include", "--header", "Origin: https://tokens.example.org", "--data-urlencode"];
    let (email, password) = (format!("email={}", Server::OWNER), format!("password={}", Server::PASSWORD));
    let (status, page) = ask("/sign-in", &[&form[..], &[&email, "--data-urlencode", &password]].concat());
    let cookie = page.lines().find(|line| line.to_ascii_lowercase().starts_with("set-cookie:"));
    assert!(status == 303 && cookie.is_some_and(|cookie| cookie.contains("; Secure")), "{status} {page}");

    // The client's address is the one that the proxy sees, whatever the client claims.
    let mut owner = server.owner();
    for (networks, expected) in [(json!(["127.0.0.1/32"]), 200), (json!(["203.0.113.0/24"]), 403)] {
        let body = json!({"name": "a", "scopes": ["admin"], "allowed_networks": networks});
        let [secret] = texts(&owner.post("/v1/tokens", &body).expect(201), ["secret"]);
        let bearer = format!("Authorization: Bearer {secret}");
        let spoofed = "X-Forwarded-For: 203.0.113.7";
        let (status, body) = ask("/v1/tokens", &["--header", &bearer, "--header", spoofed]);
        assert_eq!(status, expected, "{networks}: {body}");
    }
}

#[test]
fn nginx_with_tls_in_front() {
    behind(Kind::Nginx);
}

#[test]
fn caddy_with_tls_in_front() {
    behind(Kind::Caddy);
}
