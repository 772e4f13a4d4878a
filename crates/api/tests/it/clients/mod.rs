//! Published client libraries, unmodified: what they send is what they always send. `cargo xtask test` installs them.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use crate::support::{Backend, Options, Server, both, texts};
use crate::tenancy::Project;

both!(oauth4webapi_asks_and_revokes, authlib_asks_and_revokes, the_access_scope_client_walks_through);

/// The paths where they are installed.
const OAUTH4WEBAPI: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/../pages/node_modules/oauth4webapi/build/index.js");
const PYTHON: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/../clients/bin/python");
const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/clients");

/// Runs a script, which fails by itself and says why.
#[track_caller]
fn succeeds(program: &str, arguments: &[&str]) {
    let ran = Command::new(program).args(arguments).env("PYTHONDONTWRITEBYTECODE", "1").output();
    let ran = ran.unwrap_or_else(|error| panic!("{program}: {error}; cargo xtask test installs it"));
    let (said, complained) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success() && said.trim_end().ends_with("done"), "{said}\n{complained}");
}

fn script(name: &str) -> String {
    format!("{SCRIPTS}/{name}")
}

fn oauth4webapi_asks_and_revokes(backend: Backend) {
    assert!(Path::new(OAUTH4WEBAPI).exists(), "oauth4webapi is missing: cargo xtask test installs it");
    // The client compares the issuer with the address that it asked.
    let socket = Arc::new(TcpListener::bind("127.0.0.1:0").unwrap());
    let base = format!("http://{}", socket.local_addr().unwrap());
    let server = Server::start(backend, Options::default().with("server.public_url", &base).listening_on(socket));
    let mut owner = server.owner();
    let [id, secret] = texts(&owner.create_with("resource server", &["authority:introspect"]), ["id", "secret"]);
    let [token] = texts(&owner.create("of a client"), ["secret"]);
    succeeds("node", &[&script("oauth.mjs"), OAUTH4WEBAPI, &base, &id, &secret, &token]);
    assert!(!owner.is_valid(&token), "the client revoked it");
}

fn authlib_asks_and_revokes(backend: Backend) {
    // The client wants an issuer with TLS.
    let server = Server::start(backend, Options::default().with("server.public_url", "https://tokens.example.org"));
    let mut owner = server.owner();
    let [id, secret] = texts(&owner.create_with("resource server", &["authority:introspect"]), ["id", "secret"]);
    let [token] = texts(&owner.create("of a client"), ["secret"]);
    succeeds(PYTHON, &[&script("oauth.py"), &format!("http://{}", server.address()), &id, &secret, &token]);
    assert!(!owner.is_valid(&token), "the client revoked it");
}

fn the_access_scope_client_walks_through(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let project = Project::make(&mut owner, "fleet");
    let scopes = ["access-scopes:read", "access-scopes:manage", "actors:read", "actors:manage"];
    let token = project.bound_token(&mut owner, &scopes);
    succeeds(PYTHON, &[&script("scopes.py"), &format!("http://{}", server.address()), &token]);
}
