//! Runs every command of the book: the `sh` blocks of a page form one script, run in a new home directory against a new
//! authority.

use std::net::TcpListener;
use std::path::{Path, PathBuf};

use serde_json::json;
use test_issuer::{AUDIENCE, Issuer};

use super::support::{Home, Server, TRUSTING, finish, said};

/// The page that sets up an authority by itself. Its address is replaced by a free one.
const START: &str = "start.md";
const ADDRESS: &str = "127.0.0.1:8080";

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/book/src")
}

fn page(name: &str) -> String {
    std::fs::read_to_string(source().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The `sh` blocks of a page, one after the other.
fn script(page: &str) -> String {
    let mut inside = false;
    let mut lines = Vec::new();
    for line in page.lines() {
        match line {
            "```sh" => inside = true,
            "```" => inside = false,
            line if inside => lines.push(line),
            _ => {}
        }
    }
    lines.join("\n")
}

/// The pages below a folder, by their path from it.
fn pages(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(source().join(folder)).unwrap() {
        let path = folder.join(entry.unwrap().file_name());
        if source().join(&path).is_dir() {
            names.extend(pages(&path));
        } else if path.extension().is_some_and(|end| end == "md") {
            names.push(path.to_str().unwrap().to_owned());
        }
    }
    names.sort();
    names
}

/// Runs a page's script. `! command` has to fail, every other command has to succeed.
#[track_caller]
fn runs(home: &Home, name: &str, script: &str) {
    // `set -e` does not stop at a `! command` that succeeds, so such lines become an explicit check.
    let strict: Vec<_> = script
        .lines()
        .map(|line| {
            line.strip_prefix("! ").map_or_else(|| line.to_owned(), |command| format!("if {command}; then exit 99; fi"))
        })
        .collect();
    let mut bash = home.command("bash");
    bash.args(["-euo", "pipefail", "-c", &strict.join("\n")]);
    let done = finish(bash, "");
    assert!(done.status.success(), "{name}: {:?}\n{}", done.status, said(&done));
}

/// The files that a page links to or includes, by their paths from it.
fn files(page: &str) -> impl Iterator<Item = &str> {
    let links = page.split("](").skip(1).filter_map(|rest| rest.split(&[')', '#'][..]).next());
    let includes = page.split("{{#include ").skip(1).filter_map(|rest| rest.split("}}").next());
    links.filter(|link| !link.is_empty() && !link.contains("://")).chain(includes)
}

#[test]
fn every_file_that_a_page_links_to_or_includes_is_there() {
    let mut included = 0;
    for name in pages(Path::new("")) {
        let text = page(&name);
        let folder = source().join(&name).parent().unwrap().to_owned();
        for file in files(&text) {
            assert!(folder.join(file).exists(), "{name}: there is no {file}");
        }
        included += text.matches("{{#include ").count();
    }
    assert!(included >= 10, "the references and the gateways are included");
}

#[test]
fn every_page_is_in_the_summary_and_every_command_of_it_works() {
    let summary = page("SUMMARY.md");
    let settings = [TRUSTING, &[("NOLAPSE__WEBHOOKS__ENABLED", "true")]].concat();
    let (server, issuer) = (Server::start_with(&settings), Issuer::start());
    for name in pages(Path::new("")).iter().filter(|name| *name != "SUMMARY.md") {
        assert!(summary.contains(&format!("({name})")), "{name} is in no chapter");
        let text = script(&page(name));
        if name == START {
            let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
            assert!(text.contains(ADDRESS));
            runs(&Home::new(None), name, &text.replace(ADDRESS, &free));
        } else if !text.is_empty() {
            // The environment of a CI job.
            let home = server.owner().with("ISSUER", issuer.url.clone()).with("AUDIENCE", AUDIENCE);
            runs(&home.with("NLP_ID_TOKEN", issuer.token(&json!({}))), name, &text);
        }
    }
}
