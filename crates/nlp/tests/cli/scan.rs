//! What the scanner finds in files, in an index and in a history, and what it ignores.

use data_encoding::BASE64;
use serde_json::Value;

use super::support::{Home, Server, assert_code, assert_done, said, token};

fn report(home: &Home, arguments: &[&str]) -> Value {
    let mut command = home.command(env!("CARGO_BIN_EXE_nlp"));
    command.arg("scan").args(arguments).args(["-o", "json"]);
    let done = super::support::finish(command, "");
    assert!([Some(0), Some(10)].contains(&done.status.code()), "{}", said(&done));
    serde_json::from_slice(&done.stdout).unwrap()
}

fn places(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap().iter();
    let places = findings.flat_map(|finding| finding["places"].as_array().unwrap().iter());
    places.map(|place| format!("{}:{}:{}", place["file"].as_str().unwrap(), place["line"], place["column"])).collect()
}

#[test]
fn planted_tokens_are_found_however_they_are_written_and_look_alikes_are_not() {
    let home = Home::new(None);
    home.write("tree/plain.env", format!("A=1\nTOKEN={}\n", token(1)));
    home.write("tree/suffix.txt", format!("{}_prod", token(2)));
    home.write("tree/deep/secret.yaml", format!("data:\n  token: {}\n", BASE64.encode(token(3).as_bytes())));
    home.write("tree/auth.txt", BASE64.encode(format!("user:{}", token(4)).as_bytes()));
    home.write("tree/url.txt", format!("https://x.example/?t={}", token(5).replace('_', "%5F")));
    home.write("tree/.hidden", token(6));
    home.write("tree/same-again.txt", format!("\n\n{}", token(1)));
    // None of these is a finding.
    home.write("tree/slip.txt", token(7).replace("nlp_", "nlp_0"));
    home.write("tree/sample.md", "nlp_00112233445566778899aabbccddeeff550c911c");
    home.write(
        "tree/allowed.rs",
        format!("let t = \"{}\"; // nlp:allow a revoked one, for the parser's test\n", token(8)),
    );
    home.write("tree/.gitignore", "target/\n");
    home.write("tree/.git/HEAD", "ref: refs/heads/main\n");
    home.write("tree/target/build.log", token(9));
    home.write("tree/.nlpignore", "fixtures/\n");
    home.write("tree/fixtures/a.txt", token(10));
    let mut binary = vec![0_u8; 2 * 1024 * 1024];
    binary.extend_from_slice(token(11).as_bytes());
    home.write("tree/image.bin", &binary);
    let found = report(&home, &["tree"]);
    assert_eq!(found["findings"].as_array().unwrap().len(), 6, "{found}");
    let mut places = places(&found);
    places.sort();
    assert_eq!(
        places,
        [
            "tree/.hidden:1:1",
            "tree/auth.txt:1:5",
            "tree/deep/secret.yaml:2:10",
            "tree/plain.env:2:7",
            "tree/same-again.txt:3:1",
            "tree/suffix.txt:1:1",
            "tree/url.txt:1:22",
        ]
    );
    let all = report(&home, &["tree", "--no-ignore", "--max-binary-size", "4000000"]);
    assert_eq!(all["findings"].as_array().unwrap().len(), 9, "{all}");
    for format in ["text", "json", "ndjson", "sarif"] {
        let done = home.nlp(["scan", "tree", "-o", format]);
        assert_code(&done, 10);
        for seed in 1..12 {
            assert!(!said(&done).contains(&token(seed)), "{format} prints a secret");
        }
    }
}

#[test]
fn a_path_that_was_named_is_scanned_or_the_scan_fails() {
    let home = Home::new(None);
    home.write("clean.txt", "nothing");
    home.write("leak.txt", token(1));
    let mut binary = vec![0_u8; 2 * 1024 * 1024];
    binary.extend_from_slice(token(2).as_bytes());
    home.write("image.bin", &binary);
    std::os::unix::fs::symlink("leak.txt", home.path().join("link")).unwrap();
    let mut mkfifo = home.command("mkfifo");
    mkfifo.arg("pipe");
    assert_done(&super::support::finish(mkfifo, ""));
    // Opening this file works, for every user, and reading it does not.
    let unreadable = "/proc/self/mem";
    for (paths, code, says) in [
        (vec![unreadable], 1, "/proc/self/mem"),
        (vec!["clean.txt", unreadable], 1, "not everything could be read"),
        (vec!["leak.txt", unreadable], 10, "not scanned: /proc/self/mem"),
        (vec!["pipe"], 2, "neither a file nor a folder"),
        (vec!["missing"], 2, "does not exist"),
        (vec!["image.bin"], 10, "image.bin:1:"),
        (vec!["link"], 10, "link:1:1"),
        (vec!["clean.txt"], 0, ""),
    ] {
        let mut command = home.command(env!("CARGO_BIN_EXE_nlp"));
        command.arg("scan").args(&paths);
        let done = super::support::finish(command, "");
        assert_code(&done, code);
        assert!(said(&done).contains(says), "{paths:?}: {}", said(&done));
    }
    for format in ["json", "sarif"] {
        let done = home.nlp(["scan", "leak.txt", unreadable, "-o", format]);
        assert_code(&done, 10);
        assert!(String::from_utf8_lossy(&done.stdout).contains(unreadable), "{format}: {}", said(&done));
    }
}

#[test]
fn names_of_files_are_shown_without_secrets_and_control_characters() {
    let home = Home::new(None);
    home.write(&format!("nlp_{}.env", token(1)), token(2));
    home.write("a\u{1b}[31m\nb.txt", token(3));
    for format in ["text", "json", "sarif"] {
        let done = home.nlp(["scan", "-o", format]);
        assert_code(&done, 10);
        assert!(!said(&done).contains(&token(1)), "{format}: {}", said(&done));
        assert!(!said(&done).contains('\u{1b}'), "{format}: {}", said(&done));
    }
    let text = said(&home.nlp(["scan"]));
    assert!(text.contains(&format!("nlp_{}….env:1:1", &token(1)[..8])), "{text}");
    assert!(text.contains("a\u{fffd}[31m\u{fffd}b.txt:1:1"), "{text}");
}

#[test]
fn findings_are_reported_even_if_the_authority_cannot_be_asked() {
    let home = Home::new(Some("http://127.0.0.1:1"));
    home.write("leak/a.txt", token(1));
    home.write("clean/a.txt", "nothing");
    for (arguments, code) in [
        (["scan", "--check", "leak"], 1),
        (["scan", "--revoke", "leak"], 2),
        (["scan", "--check", "clean"], 0),
        (["scan", "--revoke", "clean"], 0),
    ] {
        let done = home.nlp(arguments);
        assert_code(&done, code);
        let reported = String::from_utf8_lossy(&done.stdout).contains("leak/a.txt:1:1");
        assert_eq!(reported, code != 0, "{arguments:?}: {}", said(&done));
    }
    // Nothing was found, so no address is needed.
    let home = Home::new(None);
    assert_code(&home.nlp(["scan", "--revoke"]), 0);
}

#[test]
fn a_baseline_leaves_out_what_is_known() {
    let home = Home::new(None);
    home.write("a.txt", token(1));
    let known = report(&home, &["a.txt"]);
    home.write("baseline.json", known.to_string());
    assert_code(&home.nlp(["scan", "a.txt", "--baseline", "baseline.json"]), 0);
    home.write("a.txt", format!("{}\n{}", token(1), token(2)));
    let new = report(&home, &["a.txt", "--baseline", "baseline.json"]);
    assert_eq!(places(&new), ["a.txt:2:1"]);
    assert_code(&home.nlp(["scan", "a.txt", "--baseline", "a.txt"]), 2);
}

#[test]
fn sarif_has_a_result_for_each_place() {
    let home = Home::new(None);
    home.write("a b.txt", format!("{}\n{}", token(1), token(1)));
    let done = home.nlp(["scan", "-o", "sarif"]);
    assert_code(&done, 10);
    let document: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(document["version"], "2.1.0");
    let results = document["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    let place = &results[1]["locations"][0]["physicalLocation"];
    assert_eq!((&place["artifactLocation"]["uri"], &place["region"]["startLine"]), (&"a%20b.txt".into(), &2.into()));
}

#[test]
fn a_credential_that_may_validate_batches_checks_all_findings_in_one_request() {
    let server = Server::start();
    let owner = server.owner();
    let live = |name: &str| owner.json(["token", "create", name, "--scope", "read"]);
    let (one, two) = (live("one"), live("two"));
    let made = owner.json(["token", "create", "scanner", "--scope", "authority:validate"]);
    let secret = |made: &Value| made["secret"].as_str().unwrap().to_owned();
    let counted = |metric: &str| -> u32 {
        let text = server.metrics();
        let lines = text.lines().filter(|line| line.starts_with(metric));
        lines.map(|line| line.rsplit(' ').next().unwrap().parse::<u32>().unwrap()).sum()
    };
    let batches = |status: u16| {
        counted(&format!(
            "nolapse_http_requests_total{{method=\"POST\",route=\"/v1/auth/validate/batch\",status=\"{status}\"}}"
        ))
    };
    for (credential, requests) in [(secret(&made), 1), (secret(&one), 1 + 3), (String::new(), 3)] {
        let home = Home::new(Some(&server.url)).with("NLP_TOKEN", credential);
        home.write("a.txt", format!("{}\n{}\n{}", secret(&one), token(1), secret(&two)));
        let before = counted("nolapse_http_responses_total");
        let done = home.nlp(["scan", "--check", "-o", "json", "a.txt"]);
        assert_code(&done, 11);
        let report: Value = serde_json::from_slice(&done.stdout).unwrap();
        let live: Vec<_> = report["findings"].as_array().unwrap().iter().map(|finding| &finding["live"]).collect();
        assert_eq!(live, [true, false, true]);
        // Reading the metrics is a request as well.
        assert_eq!(counted("nolapse_http_responses_total") - before, requests + 1);
    }
    assert_eq!([batches(200), batches(403)], [1, 1]);
}

#[test]
fn standard_input_is_scanned() {
    let home = Home::new(None);
    assert_code(&home.nlp_with(["scan", "--stdin"], &format!("x {}", token(1))), 10);
    assert_code(&home.nlp_with(["scan", "--stdin"], "nothing"), 0);
}

#[test]
fn staged_tokens_are_found_and_committed_ones_are_not_reported_again() {
    let home = Home::new(None);
    assert_done(&home.git(["init", "-q"]));
    home.write("old.txt", token(1));
    assert_done(&home.git(["add", "old.txt"]));
    assert_eq!(places(&report(&home, &["--staged"])), ["old.txt:1:1"]);
    assert_done(&home.git(["commit", "-q", "-m", "one"]));
    assert_code(&home.nlp(["scan", "--staged"]), 0);
    home.write("old.txt", format!("{}\n{}", token(1), token(2)));
    assert_code(&home.nlp(["scan", "--staged"]), 0);
    assert_done(&home.git(["add", "old.txt"]));
    home.write("old.txt", "clean by now");
    assert_eq!(places(&report(&home, &["--staged"])), ["old.txt:2:1"]);
}

#[test]
fn a_renamed_file_is_no_new_leak() {
    let home = Home::new(None);
    assert_done(&home.git(["init", "-q"]));
    home.write("old.txt", token(1));
    assert_done(&home.git(["add", "old.txt"]));
    assert_done(&home.git(["commit", "-q", "-m", "one"]));
    assert_done(&home.git(["mv", "old.txt", "new.txt"]));
    assert_code(&home.nlp(["scan", "--staged"]), 0);
    home.write("new.txt", token(2));
    assert_done(&home.git(["add", "new.txt"]));
    assert_eq!(places(&report(&home, &["--staged"])), ["new.txt:1:1"]);
}

#[test]
fn files_that_a_scan_leaves_out_are_left_out_of_staged_changes_and_histories_too() {
    let home = Home::new(None);
    assert_done(&home.git(["init", "-q"]));
    home.write(".nlpignore", "fixtures/\n*.sample\n");
    home.write("deep/.nlpignore", "/made.txt\n!kept.sample\n");
    for (seed, name) in (1..).zip([
        "fixtures/a.txt",
        "sub/fixtures/kept.sample",
        "x.sample",
        "deep/made.txt",
        "deep/kept.sample",
        "deep/more/made.txt",
        "plain.txt",
    ]) {
        home.write(name, token(seed));
    }
    assert_done(&home.git(["add", "."]));
    let reported = ["deep/kept.sample:1:1", "deep/more/made.txt:1:1", "plain.txt:1:1"];
    assert_eq!(places(&report(&home, &["."])), reported);
    assert_eq!(places(&report(&home, &["--staged"])), reported);
    assert_done(&home.git(["commit", "-q", "-m", "all"]));
    assert_eq!(places(&report(&home, &["--history"])), reported);
    assert_eq!(places(&report(&home, &["--history", "--no-ignore"])).len(), 7);
}

#[test]
fn folders_that_are_not_checked_out_are_scanned_in_a_sparse_index() {
    let home = Home::new(None);
    assert_done(&home.git(["init", "-q"]));
    home.write("in/a.txt", "clean");
    home.write("out/deep/b.txt", "clean");
    assert_done(&home.git(["add", "."]));
    assert_done(&home.git(["commit", "-q", "-m", "clean"]));
    home.write("out/deep/b.txt", token(1));
    assert_done(&home.git(["commit", "-q", "-a", "-m", "leak"]));
    assert_done(&home.git(["sparse-checkout", "set", "--cone", "--sparse-index", "in"]));
    assert!(said(&home.git(["ls-files", "--sparse"])).contains("out/\n"));
    assert_code(&home.nlp(["scan", "--staged"]), 0);
    assert_done(&home.git(["reset", "-q", "--soft", "HEAD~1"]));
    assert_eq!(places(&report(&home, &["--staged"])), ["out/deep/b.txt:1:1"]);
}

#[test]
fn a_repository_that_cannot_be_read_is_not_reported_as_clean() {
    let home = Home::new(None);
    let leaky = |name: &str| {
        assert_done(&home.git(["init", "-q", name]));
        home.write(&format!("{name}/a.txt"), token(1));
        assert_done(&home.git(["-C", name, "add", "a.txt"]));
        assert_done(&home.git(["-C", name, "commit", "-q", "-m", "leak"]));
        assert_done(&home.git(["-C", name, "rm", "-q", "a.txt"]));
        assert_done(&home.git(["-C", name, "commit", "-q", "-m", "removed"]));
    };
    leaky("reftable");
    home.write("reftable/.git/config", "[core]\nrepositoryformatversion = 1\n[extensions]\nrefStorage = reftable\n");
    leaky("unreadable");
    home.write("unreadable/.git/refs/heads/other", "no id\n");
    leaky("dangling");
    home.write("dangling/.git/refs/heads/other", format!("{}\n", "1".repeat(40)));
    leaky("whole");
    assert_done(&home.git(["-C", "whole", "config", "uploadpack.allowFilter", "true"]));
    let whole = format!("file://{}/whole", home.path().display());
    assert_done(&home.git(["clone", "-q", "--filter=blob:none", &whole, "partial"]));
    assert_done(&home.git(["init", "-q", "--object-format=sha256", "sha256"]));
    for (folder, says) in [
        ("reftable", "references are stored as \"reftable\""),
        ("unreadable", "cannot read a reference"),
        ("dangling", "refs/heads/other is broken"),
        ("partial", "this is a partial clone"),
        ("sha256", "objectFormat"),
    ] {
        let mut command = home.command(env!("CARGO_BIN_EXE_nlp"));
        command.args(["scan", "--history"]).current_dir(home.path().join(folder));
        let done = super::support::finish(command, "");
        assert_code(&done, 1);
        assert!(said(&done).contains(says), "{folder}: {}", said(&done));
    }
}

#[test]
fn a_removed_token_is_found_in_the_history_with_its_commit() {
    let home = Home::new(None);
    assert_done(&home.git(["init", "-q"]));
    for (number, text) in
        [token(1), "clean".to_owned(), format!("x\n{}", token(2)), "clean again".to_owned()].iter().enumerate()
    {
        home.write("dir/file.txt", text);
        assert_done(&home.git(["add", "dir/file.txt"]));
        assert_done(&home.git(["commit", "-q", "-m", &format!("commit {number}")]));
    }
    assert_code(&home.nlp(["scan", "dir"]), 0);
    let all = report(&home, &["--history"]);
    assert_eq!(places(&all), ["dir/file.txt:1:1", "dir/file.txt:2:1"]);
    assert_eq!(all["scanned"]["items"], 4);
    let first = String::from_utf8(home.git(["rev-list", "--max-parents=0", "HEAD"]).stdout).unwrap();
    let place = &all["findings"][0]["places"][0];
    assert_eq!(place["commit"].as_str().unwrap(), first.trim());
    assert_eq!(place["author"], "Ada <ada@acme.example>");
    assert_eq!(places(&report(&home, &["--history=HEAD~2..HEAD"])), ["dir/file.txt:2:1"]);
    assert_eq!(places(&report(&home, &["--history=HEAD~1..HEAD"])), [] as [String; 0]);
    // What both sides have is in neither difference.
    assert_eq!(places(&report(&home, &["--history=HEAD...main"])), [] as [String; 0]);
    assert_eq!(places(&report(&home, &["--history=HEAD~2...main"])), ["dir/file.txt:2:1"]);
    // Also in packed objects.
    assert_done(&home.git(["gc", "-q"]));
    assert_eq!(places(&report(&home, &["--history"])).len(), 2);
    assert_code(&home.nlp(["scan", "--history=no-such-branch"]), 2);
}
