//! CI jobs without a stored secret: the identity token of the CI system is exchanged for a token.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;

use client::types;
use serde_json::{Value, json};
use test_issuer::{AUDIENCE, Issuer};

use super::support::{Home, Server, TRUSTING, assert_code, assert_done, said};

/// An authority that trusts the jobs of one repository of an issuer.
fn trusting(issuer: &Issuer) -> Server {
    let server = Server::start_with(TRUSTING);
    let owner = server.owner();
    let policy: types::CreateTrustPolicy = serde_json::from_value(json!({
        "name": "deploy", "issuer": issuer.url, "scopes": ["execute", "read"],
        "match": { "sub": { "glob": "repo:acme/*:ref:refs/heads/main" }, "repository_id": "42" },
    }))
    .unwrap();
    let org = owner.json(["whoami"])["org_id"].as_str().unwrap().to_owned();
    owner.client().create_trust_policy(&org, &policy).unwrap();
    server
}

/// A stand-in for GitHub's service for identity tokens, for one request. Returns its address and the request.
fn github(identity: &str) -> (String, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/token?api-version=2.0", listener.local_addr().unwrap());
    let body = json!({ "count": 1, "value": identity }).to_string();
    let asked = std::thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
        let head: Vec<String> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        head.join("\n")
    });
    (url, asked)
}

#[test]
fn every_ci_system_has_its_way_to_hand_over_the_identity_token() {
    let issuer = Issuer::start();
    let server = trusting(&issuer);
    let new = || issuer.token(&json!({}));
    let home = || Home::new(Some(&server.url));
    let print = |text: &str| format!("#!/bin/sh\necho \"$@\" >\"$HOME/called\"\necho {text}\n");

    let file = home();
    file.write("job.jwt", new());
    let buildkite = home().with("BUILDKITE", "true");
    buildkite.program("buildkite-agent", &print(&new()));
    let circle = home().with("CIRCLECI", "true");
    circle.program("circleci", &print(&new()));
    let (url, asked) = github(&new());
    let actions =
        home().with("ACTIONS_ID_TOKEN_REQUEST_URL", url).with("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "of this job");
    let named = ["NLP_ID_TOKEN", "BITBUCKET_STEP_OIDC_TOKEN", "TFC_WORKLOAD_IDENTITY_TOKEN", "SPACELIFT_OIDC_TOKEN"];
    let variables = named.map(|name| (name, home().with(name, new()), None));
    let others = [
        ("--token-file", file, Some("job.jwt")),
        ("Buildkite", buildkite, None),
        ("CircleCI", circle, None),
        ("GitHub", actions, None),
    ];
    for (what, home, file) in variables.into_iter().chain(others) {
        let file = file.map_or_else(Vec::new, |file| vec!["--token-file", file]);
        let mut command = home.command(env!("CARGO_BIN_EXE_nlp"));
        command.args(["ci", "exchange", "--audience", AUDIENCE, "--scope", "read", "-o", "json"]).args(file);
        let done = super::support::finish(command, "");
        assert_done(&done);
        let made: Value = serde_json::from_slice(&done.stdout).unwrap();
        assert_eq!((&made["scope"], &made["expires_in"]), (&json!("read"), &json!(900)), "{what}");
        let token = made["access_token"].as_str().unwrap();
        assert_done(&Home::new(Some(&server.url)).with("NLP_TOKEN", token).nlp(["token", "validate"]));
        // Only GitHub's log can mask the token.
        let log = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(log, if what == "GitHub" { format!("::add-mask::{token}\n") } else { String::new() }, "{what}");
        if let Ok(called) = std::fs::read_to_string(home.path().join("called")) {
            assert!(called.contains(AUDIENCE), "{what}: {called}");
        }
    }
    let asked = asked.join().unwrap();
    assert!(asked.starts_with("GET /token?api-version=2.0&audience=https%3A%2F%2Ftokens.example.org "), "{asked}");
    assert!(asked.to_lowercase().contains("\nauthorization: bearer of this job"), "{asked}");
}

#[test]
fn a_job_without_a_token_gets_the_reason() {
    let issuer = Issuer::start();
    let server = trusting(&issuer);
    let spent = issuer.token(&json!({}));
    let job = |token: &str| Home::new(Some(&server.url)).with("NLP_ID_TOKEN", token);
    assert_done(&job(&spent).nlp(["ci", "exchange"]));
    let fork = issuer.token(&json!({ "repository_id": "43" }));
    let elsewhere = issuer.token(&json!({ "aud": "https://elsewhere.example.org" }));
    let good = issuer.token(&json!({}));
    for (token, arguments, code, why) in [
        (spent.as_str(), &["--scope", "read"][..], 3, "already exchanged"),
        (&elsewhere, &[], 3, "audience"),
        ("not.a.jwt", &[], 1, "subject_token"),
        (&fork, &[], 4, "trust-policies/test"),
        (&good, &["--scope", "tokens:manage"], 4, "leave out --scope"),
        (&good, &["--organization", "nobody"], 2, "--organization"),
    ] {
        let home = job(token);
        let mut command = home.command(env!("CARGO_BIN_EXE_nlp"));
        command.args(["ci", "exchange", "-o", "json"]).args(arguments);
        let done = super::support::finish(command, "");
        assert_code(&done, code);
        assert!(done.stdout.is_empty() && said(&done).contains(why), "{why}: {}", said(&done));
        assert!(!said(&done).contains(token) || token.len() < 20, "{}", said(&done));
        serde_json::from_slice::<Value>(&done.stderr).unwrap();
    }
    for (variable, advice) in [
        ("GITHUB_ACTIONS", "id-token: write"),
        ("GITLAB_CI", "id_tokens"),
        ("BITBUCKET_BUILD_NUMBER", "oidc: true"),
        ("CI", "NLP_ID_TOKEN"),
    ] {
        let done = Home::new(Some(&server.url)).with(variable, "true").nlp(["ci", "exchange"]);
        assert_code(&done, 4);
        assert!(said(&done).contains(advice), "{variable}: {}", said(&done));
    }
}
