//! Every exit code, and the output for programs when a command fails.

use serde_json::Value;

use super::support::{Home, OWNER, Server, assert_code, assert_done, said, token};

#[test]
fn every_exit_code_has_its_meaning() {
    let server = Server::start();
    let owner = server.owner();
    let known = owner.json(["token", "create", "reader", "--scope", "read"]);
    let secret = known["secret"].as_str().unwrap();
    let reader = Home::new(Some(&server.url)).with("NLP_TOKEN", secret);
    let stranger = Home::new(Some(&server.url)).with("NOLAPSE_TOKEN", token(1));
    let nobody = Home::new(Some(&server.url));
    let nowhere = Home::new(Some("http://127.0.0.1:1"));

    assert_code(&owner.nlp(["whoami"]), 0);
    assert_code(&nowhere.nlp(["scope", "list"]), 1);
    assert_code(&owner.nlp(["token", "show", "0190163d-8694-739b-aea5-966c26f8ad91"]), 1);
    assert_code(&owner.nlp(["token", "create"]), 2);
    assert_code(&owner.nlp(["no-such-command"]), 2);
    assert_code(&Home::new(None).nlp(["scope", "list"]), 2);
    assert_code(&Home::new(Some("http://tokens.example.org")).nlp(["scope", "list"]), 2);
    assert_code(&owner.nlp(["token", "list", "-o", "sarif"]), 2);
    assert_code(&stranger.nlp(["token", "validate"]), 3);
    assert_code(&stranger.nlp(["whoami"]), 3);
    assert_code(&nobody.nlp(["whoami"]), 4);
    assert_code(&reader.nlp(["token", "list"]), 4);
    assert_code(&reader.nlp(["token", "validate", "--require", "read"]), 0);
    assert_code(&reader.nlp(["token", "validate", "--require", "tokens:manage"]), 4);
    nobody.write("leak.txt", token(2));
    assert_code(&nobody.nlp(["scan", "leak.txt"]), 10);
    assert_code(&nobody.nlp(["scan", "--check", "leak.txt"]), 10);
    nobody.write("leak.txt", secret);
    assert_code(&nobody.nlp(["scan", "--check", "leak.txt"]), 11);
    // Without a terminal the question cannot be asked, and nothing is revoked.
    assert_code(&nobody.nlp(["scan", "--revoke", "leak.txt"]), 2);
    assert_code(&nobody.nlp(["scan", "--yes", "leak.txt"]), 2);
    assert_code(&nobody.nlp(["scan", "--check", "leak.txt"]), 11);
    let revoked = nobody.nlp(["scan", "--revoke", "--yes", "-o", "json", "leak.txt"]);
    assert_code(&revoked, 10);
    let report: Value = serde_json::from_slice(&revoked.stdout).unwrap();
    assert_eq!(report["findings"][0]["revoked"], true);
    assert_code(&nobody.nlp(["scan", "--check", "leak.txt"]), 10);
    assert_code(&reader.nlp(["token", "validate"]), 3);
    // Password guesses are rate limited.
    let login = ["login", "--email", OWNER, "--password-stdin"];
    let codes: Vec<_> = (0..40).map(|_| nobody.nlp_with(login, "wrong password\n").status.code().unwrap()).collect();
    assert!(codes.contains(&5) && codes.iter().all(|code| [3, 4, 5].contains(code)), "{codes:?}");
}

#[test]
fn a_failure_is_one_object_on_standard_error_and_nothing_else() {
    let server = Server::start();
    let stranger = Home::new(Some(&server.url)).with("NLP_TOKEN", token(1));
    for format in ["json", "ndjson"] {
        let done = stranger.nlp(["token", "list", "-o", format]);
        assert_code(&done, 3);
        assert!(done.stdout.is_empty());
        let value: Value = serde_json::from_slice(&done.stderr).unwrap();
        let error = value["error"].as_object().unwrap();
        assert_eq!(error.keys().collect::<Vec<_>>(), ["code", "message", "next", "request_id"]);
        assert!(error["request_id"].is_string(), "{value}");
        assert!(!said(&done).contains(&token(1)), "the secret was printed");
    }
}

#[test]
fn a_secret_given_as_an_argument_is_not_repeated() {
    let secrets = ["nls", "nli", "nle"].map(|prefix| format!("{prefix}_{}", "0123456789abcdef".repeat(4)));
    for secret in secrets.into_iter().chain([token(3)]) {
        for arguments in [
            &["verify", "--offline", "x"][..],
            &["token", "show", "x"],
            &["scan", "--stdin", "x"],
            &["scan"],
            &["audit", "verify"],
            &["whoami", "--token-file"],
            &["whoami", "--profile"],
            &["exec", "--token-file", "token.txt", "--url", "http://127.0.0.1:1", "--"],
        ] {
            for format in ["text", "json"] {
                let home = Home::new(None);
                home.write("token.txt", token(1));
                let mut command = home.command(env!("CARGO_BIN_EXE_nlp"));
                // An escape sequence, as in the name of a file, does not reach the terminal either.
                command.args(["-o", format]).args(arguments).arg(format!("{secret}\u{1b}[31m"));
                let done = super::support::finish(command, "");
                let text = said(&done);
                assert!(matches!(done.status.code(), Some(1 | 2)), "{arguments:?}: {text}");
                assert!(!text.contains(&secret[12..]) && !text.contains('\u{1b}'), "{arguments:?}: {text}");
            }
        }
    }
}

#[test]
fn programs_read_usage_errors_as_well() {
    let home = Home::new(None);
    for (arguments, said_so) in [
        (&["no-such-command", "-o", "json"][..], "no-such-command"),
        (&["-o", "ndjson", "token", "create"], "<NAME>"),
        (&["token", "--output=json"], "requires a subcommand"),
        (&["-o", "json", "token"], "a command is missing"),
    ] {
        let mut command = home.command(env!("CARGO_BIN_EXE_nlp"));
        command.args(arguments);
        let done = super::support::finish(command, "");
        assert_code(&done, 2);
        assert!(done.stdout.is_empty(), "{}", said(&done));
        let value: Value = serde_json::from_slice(&done.stderr).unwrap();
        assert_eq!(value["error"]["code"], "usage");
        let message = value["error"]["message"].as_str().unwrap();
        assert!(message.contains(said_so) && !message.contains("Usage:"), "{message}");
    }
}

#[test]
fn completions_and_pages_are_written_without_an_authority() {
    let home = Home::new(None);
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let done = home.nlp(["completions", shell]);
        assert_done(&done);
        assert!(String::from_utf8_lossy(&done.stdout).contains("access-scope"), "{shell}");
    }
    assert_done(&home.nlp(["man", "man1"]));
    assert!(home.path().join("man1/nlp-token-create.1").exists() || home.path().join("man1/nlp.1").exists());
}
