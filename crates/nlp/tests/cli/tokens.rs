//! The life of tokens, and people and projects.

use std::fs::OpenOptions;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use super::support::{Home, Server, assert_code, assert_done, finish, interrupted, kill, said};

fn text(output: &std::process::Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap().trim().to_owned()
}

#[test]
fn a_token_is_made_listed_rotated_and_revoked() {
    let server = Server::start();
    let owner = server.owner();
    let made = owner.json(["token", "create", "ci", "--scope", "execute", "--expires-in-days", "30"]);
    let (id, secret) = (made["id"].as_str().unwrap(), made["secret"].as_str().unwrap());
    assert!(token_format::PlainToken::parse(secret).unwrap().is_checksummed());
    let listed = owner.nlp(["token", "list", "--name", "ci"]);
    assert!(text(&listed).starts_with(&format!("{id}\tci\t")), "{}", said(&listed));
    assert!(!said(&listed).contains(secret));
    assert_eq!(text(&owner.nlp(["token", "show", id, "--field", "status"])), "active");
    let rotated = owner.json(["token", "rotate", id, "--grace", "600"]);
    assert_eq!(rotated["old_token_status"], "rotating");
    assert_eq!(text(&owner.nlp(["token", "cancel-rotation", id, "--field", "status"])), "active");
    let other = owner.json(["token", "duplicate", id, "--name", "ci 2"]);
    assert_eq!(other["scopes"], made["scopes"]);
    assert_done(&owner.nlp(["token", "usage", id]));
    assert_code(&owner.nlp(["token", "revoke", id]), 2);
    assert_done(&owner.nlp(["token", "revoke", id, "--yes"]));
    let gone = Home::new(Some(&server.url)).with("NLP_TOKEN", secret);
    assert_code(&gone.nlp(["token", "validate"]), 3);
    assert_code(&gone.nlp(["verify", "--offline"]), 0);
}

#[test]
fn lists_page_through_and_formats_agree() {
    let server = Server::start();
    let owner = server.owner();
    for number in 0..5 {
        owner.json(["token", "create", &format!("t{number}"), "--scope", "read"]);
    }
    let three = owner.json(["token", "list", "--limit", "3"]);
    assert_eq!(three.as_array().unwrap().len(), 3);
    // A list that was cut says so to people, and only then.
    for (limit, is_cut) in [("3", true), ("5", false)] {
        let done = owner.nlp(["token", "list", "--limit", limit, "--field", "name"]);
        assert_eq!(said(&done).contains("--all returns all"), is_cut, "{}", said(&done));
    }
    let lines = text(&owner.nlp(["token", "list", "--all", "-o", "ndjson"]));
    let names: Vec<_> =
        lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["name"].clone()).collect();
    assert_eq!(names, ["t4", "t3", "t2", "t1", "t0"]);
    let fields = text(&owner.nlp(["token", "list", "--field", "name"]));
    assert_eq!(fields.lines().collect::<Vec<_>>(), ["t4", "t3", "t2", "t1", "t0"]);
    assert_code(&owner.nlp(["token", "list", "--field", "nonsense"]), 2);
}

#[test]
fn a_command_gets_a_token_that_is_revoked_when_it_ends() {
    let server = Server::start();
    let owner = server.owner();
    let mut command = owner.command(env!("CARGO_BIN_EXE_nlp"));
    command.args(["exec", "--scope", "read", "--", "sh", "-c", "printf %s \"$NLP_TOKEN\"; exit 7"]);
    let done = finish(command, "");
    assert_code(&done, 7);
    let secret = text(&done);
    assert!(secret.starts_with("nlp_"), "{}", said(&done));
    assert_code(&Home::new(Some(&server.url)).with("NLP_TOKEN", secret).nlp(["token", "validate"]), 3);
    assert_code(&owner.nlp(["exec", "--", "no-such-program-anywhere"]), 1);
}

#[test]
fn a_rotated_token_is_written_where_it_is_used_or_the_rotation_is_taken_back() {
    let server = Server::start();
    let owner = server.owner();
    let made = owner.json(["token", "create", "deploy", "--scope", "read"]);
    let id = made["id"].as_str().unwrap();
    // A folder in place of the file, so that writing fails.
    std::fs::create_dir_all(owner.path().join("taken")).unwrap();
    let failed = owner.nlp(["sync", "file", "taken", "--rotate", id]);
    assert_code(&failed, 1);
    assert!(said(&failed).contains("was cancelled"), "{}", said(&failed));
    assert_eq!(text(&owner.nlp(["token", "show", id, "--field", "status"])), "active");
    assert_done(&owner.nlp(["sync", "file", "token.txt", "--rotate", id, "--grace", "600"]));
    let file = owner.path().join("token.txt");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let reader = Home::new(Some(&server.url)).with("NLP_TOKEN", std::fs::read_to_string(&file).unwrap());
    let new = reader.json(["token", "show", "self"]);
    assert_eq!(new["rotated_from"].as_str(), Some(id));
    // A stand-in for GitHub's program.
    owner.program("gh", "#!/bin/sh\n[ \"$1\" = auth ] || { echo \"$@\" >\"$HOME/called\"; cat >\"$HOME/given\"; }\n");
    let id = new["id"].as_str().unwrap();
    assert_done(&owner.nlp(["sync", "github-secret", "NLP_TOKEN", "--repo", "acme/widgets", "--rotate", id]));
    assert_eq!(
        std::fs::read_to_string(owner.path().join("called")).unwrap().trim(),
        "secret set NLP_TOKEN --repo acme/widgets"
    );
    assert!(std::fs::read_to_string(owner.path().join("given")).unwrap().starts_with("nlp_"));
}

#[test]
fn an_interrupted_rotation_says_in_which_state_it_is() {
    let server = Server::start();
    let owner = server.owner();
    // Ctrl-C while the place is written.
    let interrupted = |then: &str| {
        owner.program(
            "gh",
            &format!("#!/bin/sh\n[ \"$1\" = auth ] && exit\nkill -INT $PPID\ncat >\"$HOME/given\"\n{then}\n"),
        );
        let made = owner.json(["token", "create", "deploy", "--scope", "read"]);
        let id = made["id"].as_str().unwrap().to_owned();
        let done = owner.nlp(["sync", "github-secret", "NLP_TOKEN", "--rotate", &id, "--finish"]);
        let status = text(&owner.nlp(["token", "show", &id, "--field", "status"]));
        (done, status)
    };
    // What was begun is brought to a state in which both tokens count, and the old one is not ended.
    let (done, status) = interrupted("exit 0");
    assert_done(&done);
    assert!(said(&done).contains("the old one is valid until") && said(&done).contains("interrupt"), "{}", said(&done));
    assert_eq!(status, "rotating");
    let new = std::fs::read_to_string(owner.path().join("given")).unwrap();
    assert_done(&Home::new(Some(&server.url)).with("NLP_TOKEN", &new).nlp(["token", "validate"]));
    // Where it could not be written, the rotation is cancelled.
    let (done, status) = interrupted("exit 1");
    assert_code(&done, 1);
    assert!(said(&done).contains("was cancelled"), "{}", said(&done));
    assert_eq!(status, "active");
}

#[test]
fn ctrl_c_leaves_no_secret_that_nobody_has() {
    let server = Server::start();
    let owner = server.owner().with_key();
    let made = owner.json(["token", "create", "deploy", "--scope", "read"]);
    let id = made["id"].as_str().unwrap();
    for (arguments, state) in [
        (&["token", "rotate", id][..], "the old token is active again: interrupted"),
        (
            &["token", "create", "other", "--scope", "read"],
            "was revoked, because its secret was not shown: interrupted",
        ),
        (&["key", "create", "other", "--scope", "read"], "was revoked, because its secret was not shown: interrupted"),
    ] {
        let done = interrupted(&server, &owner, arguments);
        assert_code(&done, 1);
        assert!(done.stdout.is_empty() && said(&done).contains(state), "{}", said(&done));
        assert_eq!((owner.names("token", "active"), owner.names("token", "rotating")), (vec!["deploy".into()], vec![]));
        assert_eq!(owner.names("key", "active").len(), 1);
    }
}

#[test]
fn a_secret_that_cannot_be_written_does_not_stay() {
    let server = Server::start();
    let owner = server.owner();
    let made = owner.json(["token", "create", "deploy", "--scope", "read"]);
    let id = made["id"].as_str().unwrap();
    for (arguments, state) in [
        (&["token", "rotate", id, "--field", "secret"][..], "the old token is active again"),
        (&["token", "create", "other", "--scope", "read"], "was revoked, because its secret was not shown"),
        (&["token", "duplicate", id, "-o", "json"], "was revoked, because its secret was not shown"),
    ] {
        for is_full in [true, false] {
            let mut command = owner.command(env!("CARGO_BIN_EXE_nlp"));
            let out = if is_full {
                Stdio::from(OpenOptions::new().write(true).open("/dev/full").unwrap())
            } else {
                // A pipe that nobody reads.
                let (reader, writer) = std::io::pipe().unwrap();
                drop(reader);
                writer.into()
            };
            command.args(arguments).stdin(Stdio::null()).stdout(out).stderr(Stdio::piped());
            let done = command.spawn().unwrap().wait_with_output().unwrap();
            assert_code(&done, 1);
            assert!(said(&done).contains(state), "{}", said(&done));
            assert_eq!(
                (owner.names("token", "active"), owner.names("token", "rotating")),
                (vec!["deploy".into()], vec![])
            );
        }
    }
}

#[test]
fn a_command_gets_the_signals_and_no_other_credential() {
    let server = Server::start();
    let owner = server.owner().with_key();
    // Its signals reach it, and its own token is revoked when it ends.
    let mut command = owner.command(env!("CARGO_BIN_EXE_nlp"));
    let waits = "trap 'kill $!; exit 9' TERM; sleep 30 & touch ready; wait";
    command.args(["exec", "--scope", "read", "--", "sh", "-c", waits]).stdin(Stdio::null());
    let mut running = command.spawn().unwrap();
    while !owner.path().join("ready").exists() {
        assert!(running.try_wait().unwrap().is_none(), "the command ended early");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    kill("TERM", running.id());
    assert_eq!(running.wait().unwrap().code(), Some(9));
    assert_eq!(owner.names("token", "active"), [""; 0]);
    // Ctrl-C while the token is created: the command does not start.
    let done = interrupted(&server, &owner, &["exec", "--scope", "read", "--", "touch", "started"]);
    assert_code(&done, 130);
    assert!(said(&done).contains("was not started") && !owner.path().join("started").exists(), "{}", said(&done));
    assert_eq!(owner.names("token", "active"), [""; 0]);
    // Only the named variable holds a token.
    let show = "echo ${NLP_TOKEN-none} ${NOLAPSE_TOKEN-none} ${MYTOK%%_*}";
    let done = owner.nlp(["exec", "--scope", "read", "--env", "MYTOK", "--", "sh", "-c", show]);
    assert_eq!(text(&done), "none none nlp", "{}", said(&done));
}

#[test]
fn an_interrupted_probe_leaves_no_token() {
    let server = Server::start();
    let owner = server.owner();
    // A node that does not answer until the program was interrupted.
    let node = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut command = owner.command(env!("CARGO_BIN_EXE_nlp"));
    command.args(["probe", "--node", &format!("http://{}", node.local_addr().unwrap())]).stderr(Stdio::piped());
    let probe = command.spawn().unwrap();
    let asked = node.accept().unwrap();
    assert_eq!(owner.names("token", "active"), ["nlp probe 1"]);
    kill("INT", probe.id());
    drop((asked, node));
    let done = probe.wait_with_output().unwrap();
    assert_code(&done, 1);
    assert!(said(&done).contains("the probe's tokens are revoked"), "{}", said(&done));
    assert_eq!(owner.names("token", "active"), [""; 0]);
}

#[test]
fn a_variable_of_gitlab_is_set_and_the_old_token_ends_if_that_is_asked() {
    let server = Server::start();
    let owner = server.owner();
    let made = owner.json(["token", "create", "deploy", "--scope", "read"]);
    let id = made["id"].as_str().unwrap();
    // A stand-in for GitLab's program while the variable does not exist: updating fails, setting succeeds.
    owner.program(
        "glab",
        "#!/bin/sh\n[ \"$1\" = auth ] && exit\n[ \"$2\" = set ] || exit 1\necho \"$@\" >\"$HOME/called\"; cat >\"$HOME/given\"\n",
    );
    let done = owner.json(["sync", "gitlab-var", "NLP_TOKEN", "--repo", "acme/widgets", "--rotate", id, "--finish"]);
    assert_eq!(done["finished"], true);
    assert_eq!(
        std::fs::read_to_string(owner.path().join("called")).unwrap().trim(),
        "variable set NLP_TOKEN --masked --repo acme/widgets"
    );
    assert_eq!(text(&owner.nlp(["token", "show", id, "--field", "status"])), "revoked");
    let new = std::fs::read_to_string(owner.path().join("given")).unwrap();
    assert_code(&Home::new(Some(&server.url)).with("NLP_TOKEN", new).nlp(["token", "validate"]), 0);
    // If the place cannot be written, the token is not rotated.
    owner.program("glab", "#!/bin/sh\nexit 1\n");
    let id = done["id"].as_str().unwrap();
    let refused = owner.nlp(["sync", "gitlab-var", "NLP_TOKEN", "--rotate", id]);
    assert_code(&refused, 1);
    assert!(said(&refused).contains("glab auth login"), "{}", said(&refused));
    assert_eq!(text(&owner.nlp(["token", "show", id, "--field", "status"])), "active");
}

#[test]
fn an_exported_trail_is_verified_without_the_authority() {
    let server = Server::start();
    let owner = server.owner();
    owner.json(["token", "create", "one", "--scope", "read"]);
    let asked = owner.json(["audit", "verify"]);
    let head = asked["head"].as_str().unwrap();
    assert_done(&owner.nlp(["audit", "export", "trail.ndjson"]));
    let trail = std::fs::read_to_string(owner.path().join("trail.ndjson")).unwrap();
    drop(server);
    let alone = Home::new(None);
    alone.write("trail.ndjson", &trail);
    let whole = alone.json(["audit", "verify", "trail.ndjson", "--expect-head", head]);
    assert_eq!((&whole["ok"], &whole["head"], &whole["checked"]), (&true.into(), &asked["head"], &asked["checked"]));
    let lines: Vec<_> = trail.lines().collect();
    let first: serde_json::Value = serde_json::from_str(lines[0]).unwrap();
    let after = format!("1.{}", first["hash"].as_str().unwrap());
    let rest = lines[1..].join("\n");
    assert_code(&alone.nlp_with(["audit", "verify", "-", "--after", &after], &rest), 0);
    assert_code(&alone.nlp_with(["audit", "verify", "-"], ""), 0);
    let changed = trail.replacen("token.create", "token.update", 1);
    for (input, said_so) in [(changed.as_str(), "was changed"), (lines[0], "was there once"), ("{}", "is not an event")]
    {
        let done = alone.nlp_with(["audit", "verify", "-", "--expect-head", head], input);
        assert_code(&done, 1);
        assert!(said(&done).contains(said_so), "{}", said(&done));
    }
    assert_code(&alone.nlp(["audit", "verify", "trail.ndjson", "--expect-head", "7"]), 2);
}

#[test]
fn projects_people_and_the_trail_have_commands() {
    let server = Server::start();
    let owner = server.owner();
    let project = owner.json(["project", "create", "widgets"]);
    let project = project["projectId"].as_str().unwrap();
    let scope = owner.json(["access-scope", "--project", project, "create", "room"]);
    let scope = scope["accessScopeId"].as_str().unwrap();
    let actor =
        owner.json(["actor", "--project", project, "create", "sensor", "--type", "device", "--access-scope", scope]);
    assert!(actor["accessToken"].as_str().unwrap().starts_with("nlp_"));
    let actors = owner.json(["actor", "--project", project, "list", "--access-scope", scope]);
    assert_eq!(actors[0]["name"], "sensor");
    assert_done(&owner.nlp(["access-scope", "--project", project, "set", scope, "--active", "false"]));
    let off = Home::new(Some(&server.url)).with("NLP_TOKEN", actor["accessToken"].as_str().unwrap());
    assert_code(&off.nlp(["token", "validate"]), 3);
    assert_done(&owner.nlp(["actor", "--project", project, "delete", actor["actorId"].as_str().unwrap(), "--yes"]));
    assert_done(&owner.nlp(["project", "delete", project, "--yes"]));
    assert_eq!(owner.json(["member", "list"])[0]["role"], "owner");
    let role = owner.json(["role", "create", "Releases", "--scope", "execute"]);
    assert_done(&owner.nlp(["role", "delete", role["id"].as_str().unwrap(), "--yes"]));
    assert_eq!(owner.json(["audit", "list", "--limit", "1"])[0]["action"], "role.delete");
    assert_eq!(owner.json(["audit", "verify"])["ok"], true);
    assert_done(&owner.nlp(["audit", "export", "trail.ndjson"]));
    assert!(std::fs::read_to_string(owner.path().join("trail.ndjson")).unwrap().contains("project.delete"));
    let explained = owner.json(["scope", "explain", "scans:run", "--granted", "scans"]);
    assert_eq!(explained["missing"], serde_json::json!(["projects:read"]));
}

#[test]
fn the_probe_sees_revocations_at_once() {
    let server = Server::start();
    let done = server.owner().json(["probe", "--rounds", "5"]);
    assert_eq!((&done["revoked"]["wrong_first"], &done["created"]["answers"]), (&0.into(), &5.into()));
}
