//! `nolapse-api audit verify FILE`: without a server, without a database.

use crate::support::{Backend, Finished, Options, Server, both, finish, program};

both!(a_file_is_verified_offline);

fn verify(arguments: &[&str], input: &str) -> Finished {
    let mut command = program(&[]);
    command.args(["audit", "verify"]).args(arguments);
    finish(command, input)
}

fn a_file_is_verified_offline(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    for name in ["a", "b", "c"] {
        owner.create(name);
    }
    let answer = owner.get("/v1/audit/export");
    let head = answer.header("nolapse-audit-head").unwrap().to_owned();
    let text = answer.text().to_owned();
    let lines: Vec<&str> = text.lines().collect();
    let joined = |lines: &[&str]| lines.join("\n") + "\n";

    let file = server.database.folder().join("audit.ndjson");
    std::fs::write(&file, &text).unwrap();
    let path = file.to_str().unwrap();
    let whole = verify(&[path], "");
    assert!(whole.succeeds().starts_with("whole: events 1 to 4 of org_") && whole.out.contains(&head), "{whole:?}");
    verify(&[path, "--expect-head", &head], "").succeeds();
    verify(&["-"], &text).succeeds();
    verify(&["-"], text.trim_end()).succeeds();
    assert_eq!(verify(&["-"], "").succeeds(), "no events\n");

    // A part of a trail is verified from the hash in its first line, or from a remembered one.
    let later = joined(&lines[2..]);
    assert!(verify(&["-"], &later).succeeds().starts_with("whole: events 3 to 4"));
    let second: serde_json::Value = serde_json::from_str(lines[1]).unwrap();
    let place = format!("2.{}", second["hash"].as_str().unwrap());
    verify(&["-", "--after", &place], &later).succeeds();
    let wrong = format!("2.{}", "0".repeat(64));

    let mut swapped = lines.clone();
    swapped.swap(1, 2);
    let changed = text.replacen("token.create", "token.update", 1);
    let shown = text.replacen("\"seq\":3", "\"seq\":\"3\"", 1);
    let other = text.replacen("\"org_0", "\"ORG_0", 1);
    // File, options, texts of the output.
    let rows: [(String, &[&str], &[&str]); 9] = [
        (changed, &[], &["line 2", "event 2 was changed"]),
        (joined(&[&lines[..1], &lines[2..]].concat()), &[], &["line 2", "event 2 is missing"]),
        (joined(&swapped), &[], &["line 2", "event 2 is missing"]),
        (joined(&lines[..3]), &["--expect-head", &head], &["event 4 was there once"]),
        (String::new(), &["--expect-head", &head], &["event 1 was there once"]),
        (later, &["--after", &wrong], &["line 1", "event 3 does not follow event 2"]),
        (text[..text.len() - 10].to_owned(), &[], &["line 4", "is not an event"]),
        (shown, &[], &["line 3", "is not an event"]),
        (other, &[], &["line 1", "org_id"]),
    ];
    for (input, options, parts) in rows {
        let said = verify(&[&["-"], options].concat(), &input);
        let error = said.fails(1);
        assert!(parts.iter().all(|part| error.contains(part)) && said.out.is_empty(), "{parts:?}: {said:?}");
    }

    // Without a file, the command verifies all trails of the database.
    let all = server.command(&["audit", "verify"], "");
    assert_eq!(all.succeeds().lines().count(), 2, "{all:?}");
}

#[test]
fn what_cannot_be_read_exits_with_1_and_misuse_with_2() {
    assert!(verify(&["/no/such/file"], "").fails(1).contains("cannot be read"));
    for arguments in
        [&["-", "--expect-head", "5"][..], &["--expect-head", &format!("5.{}", "0".repeat(64))], &["a", "b"]]
    {
        verify(arguments, "").fails(2);
    }
}
