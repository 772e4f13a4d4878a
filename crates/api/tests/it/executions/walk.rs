//! The scripts of the documentation, run unchanged: the walk-through with curl, and the script of a CI job.

use std::path::PathBuf;
use std::process::Command;

use serde_json::json;

use super::token;
use crate::support::{Backend, Client, Finished, Options, Server, both, finish};

both!(the_walk_prints_what_the_documentation_shows, a_job_ends_as_the_verdict_says);

const README: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/ci/README.md"));

/// A script of the documentation, with its settings and the path to curl and jq as its environment.
fn script(name: &str, settings: &[(&str, &str)]) -> Command {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "../../docs/ci", name].iter().collect();
    let mut command = Command::new("sh");
    command.arg(path).env_clear().envs(settings.iter().copied());
    command.env("PATH", std::env::var_os("PATH").unwrap());
    command
}

fn the_walk_prints_what_the_documentation_shows(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let url = format!("http://{}", server.address());
    let settings = [
        ("NOLAPSE_URL", url.as_str()),
        ("NOLAPSE_ORG", Server::ORGANIZATION),
        ("NOLAPSE_EMAIL", Server::OWNER),
        ("NOLAPSE_PASSWORD", Server::PASSWORD),
    ];
    let walked = finish(script("walk.sh", &settings), "");
    let shown = README.split("```console\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let (_, expected) = shown.split_once('\n').unwrap();
    assert_eq!(walked.succeeds(), expected);
    assert_eq!(walked.err, "");
}

/// Runs the CI script with this machine's `jq` and `curl`.
fn job(server: &Server, ci: &Client, run_state: &str, further: &[(&str, &str)]) -> Finished {
    let file = server.database.folder().join("nolapse.json");
    std::fs::write(&file, run_state).unwrap();
    let url = format!("http://{}", server.address());
    let mut settings = vec![
        ("NOLAPSE_URL", url.as_str()),
        ("NOLAPSE_TOKEN", ci.credential()),
        ("GITHUB_REPOSITORY", "acme/widgets"),
        ("GITHUB_REF_NAME", "main"),
        ("GITHUB_SHA", "9fceb02d0ae598e95dc970b74767f19372d61af8"),
    ];
    settings.extend_from_slice(further);
    let mut command = script("submit.sh", &settings);
    command.arg(&file);
    finish(command, "")
}

fn a_job_ends_as_the_verdict_says(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let mut ci = token(&mut owner, &["execute"]);
    for (run_state, line, code) in [
        (r#"{"coverage":83.6}"#, "nolapse: pass, coverage moved by 0.00 points", 0),
        (r#"{"coverage":83.1}"#, "nolapse: warn, coverage moved by -0.50 points", 0),
        (r#"{"coverage":83.1,"strict_mode":true}"#, "nolapse: warn, coverage moved by -0.50 points", 1),
        (r#"{"coverage":82.6}"#, "nolapse: fail, coverage moved by -1.00 points", 1),
        (r#"{"coverage":85,"branch":"dev","head_sha":"abcdef0"}"#, "nolapse: pass, coverage moved by +1.40 points", 0),
    ] {
        let ended = job(&server, &ci, run_state, &[]);
        assert_eq!(ended.code, Some(code), "{ended:?}");
        assert!(ended.out.starts_with(line) && ended.out.contains("(exe_"), "{ended:?}");
    }
    let page = ci.get("/v1/executions?org=acme&repo=acme/widgets").expect(200);
    assert_eq!((&page["total"], &page["executions"][0]["branch"]), (&json!(5), &json!("dev")));
    // Without a verdict the job fails, and its message does not contain the token.
    let refused = |ci: &Client, run_state: &str, further: &[(&str, &str)], reason: &str| {
        let ended = job(&server, ci, run_state, further);
        assert!(ended.fails(2).contains(reason), "{ended:?}");
        assert!(!ended.err.contains("nlp_") && ended.out.is_empty(), "{ended:?}");
    };
    refused(&ci, r#"{"coverage":101}"#, &[], "the authority answered 400: invalid request");
    refused(&ci, r#"{"coverage":"83"}"#, &[], "a number called coverage");
    refused(&token(&mut owner, &["read"]), r#"{"coverage":83}"#, &[], "the authority answered 403: insufficient scope");
    refused(&ci, r#"{"coverage":83}"#, &[("NOLAPSE_URL", "http://tokens.example.org")], "https://");
    // Plain HTTP must be allowed explicitly; `LOCALHOST` in capitals does not count as this machine.
    let plain = format!("http://LOCALHOST:{}", server.address().port());
    refused(&ci, r#"{"coverage":83}"#, &[("NOLAPSE_URL", plain.as_str())], "NOLAPSE_ALLOW_HTTP=1");
    refused(
        &ci,
        r#"{"coverage":83}"#,
        &[("NOLAPSE_URL", plain.as_str()), ("NOLAPSE_ALLOW_HTTP", "yes")],
        "NOLAPSE_ALLOW_HTTP=1",
    );
    let allowed =
        job(&server, &ci, r#"{"coverage":83.6}"#, &[("NOLAPSE_URL", plain.as_str()), ("NOLAPSE_ALLOW_HTTP", "1")]);
    assert!(allowed.succeeds().starts_with("nolapse: pass"), "{allowed:?}");
}
