//! Restoring a copy of an SQLite database, by the command and by hand.

use std::fs;

use serde_json::json;

use super::kinds::{are_dead, end, one_of_each};
use super::{back_up, beside, folder, has_repeated, make, put_back};
use crate::support::{Backend, Faults, Options, Server, texts};

#[test]
fn what_ended_after_a_backup_stays_dead_when_it_is_restored_by_the_command() {
    let mut server = Server::start(Backend::Sqlite, Options::default());
    let doomed = one_of_each(&server);
    let copy = back_up(&server);
    end(&server, &doomed);
    are_dead(&server, &doomed);
    server.stop();
    let said = server.command(&["restore", copy.to_str().unwrap()], "");
    let text = said.succeeds();
    assert!(text.contains("the database before is") && text.contains("repeated what the database had lost"), "{text}");
    assert!(text.contains("to be done again by hand: user.password.set"), "{text}");
    server.serve();
    are_dead(&server, &doomed);
    assert!(!has_repeated(&server), "the command did the work: {}", server.log_since_start());
    server.stop();
    let again = server.command(&["ledger", "replay"], "");
    assert!(again.succeeds().contains("has everything"), "{again:?}");
    server.command(&["audit", "verify"], "").succeeds();
    server.command(&["ledger", "check"], "").succeeds();
    let tried = server.facts().deployment_audit();
    assert_eq!(tried.iter().filter(|event| event.action == "ledger.replay").count(), 1);
}

#[test]
fn a_copy_that_is_put_back_by_hand_is_repaired_before_the_first_answer() {
    let mut server = Server::start(Backend::Sqlite, Options::default());
    let doomed = one_of_each(&server);
    let copy = back_up(&server);
    end(&server, &doomed);
    server.stop();
    put_back(&server, &copy);
    server.serve();
    are_dead(&server, &doomed);
    assert!(has_repeated(&server), "{}", server.log_since_start());
    server.restart();
    assert!(!has_repeated(&server), "once: {}", server.log_since_start());
    are_dead(&server, &doomed);
}

#[test]
fn a_replay_that_was_interrupted_is_begun_again() {
    /// More than the newest entries that a start compares.
    const MANY: usize = 501;
    let mut server = Server::start(Backend::Sqlite, Options::default());
    let [id, lost] = make(&server);
    let copy = back_up(&server);
    server.owner().revoke(&id);
    server.stop();
    put_back(&server, &copy);
    // An interrupted replay leaves many newer entries that the database has, behind one that it still lacks.
    let newer = server.database.folder().join("newer");
    server.options.set("ledger.directory", newer.display());
    server.serve();
    let mut owner = server.owner();
    for _ in 0..MANY {
        let [id] = texts(&owner.create("repeated"), ["id"]);
        owner.revoke(&id);
    }
    assert!(owner.is_valid(&lost));
    server.stop();
    for part in fs::read_dir(&newer).unwrap().map(|part| part.unwrap().path()) {
        fs::rename(&part, folder(&server).join(part.file_name().unwrap())).unwrap();
    }
    server.options.set("ledger.directory", folder(&server).display());
    server.serve();
    assert!(server.anyone().is_valid(&lost), "only the newest are compared");
    server.stop();
    let mark = folder(&server).join("replay-unfinished");
    fs::write(&mark, "").unwrap();
    server.serve();
    assert!(has_repeated(&server) && !server.anyone().is_valid(&lost), "{}", server.log_since_start());
    assert!(!mark.exists());
}

#[test]
fn what_was_given_back_since_is_not_taken_again() {
    let mut server = Server::start(Backend::Sqlite, Options::default());
    let [_, secret] = make(&server);
    let copy = back_up(&server);
    for act in ["disable", "enable"] {
        server.command(&["organization", act, "--org", Server::ORGANIZATION], "").succeeds();
    }
    server.stop();
    server.command(&["restore", copy.to_str().unwrap()], "").succeeds();
    server.serve();
    assert!(server.anyone().is_valid(&secret));
}

#[test]
fn what_was_given_back_after_a_replay_stays_given_back_whatever_is_replayed_later() {
    let mut server = Server::start(Backend::Sqlite, Options::default());
    let [_, secret] = make(&server);
    let copy = back_up(&server);
    server.command(&["organization", "disable", "--org", Server::ORGANIZATION], "").succeeds();
    server.stop();
    server.command(&["restore", copy.to_str().unwrap()], "").succeeds();
    server.serve();
    assert!(!server.anyone().is_valid(&secret), "repeated");
    server.command(&["organization", "enable", "--org", Server::ORGANIZATION], "").succeeds();
    server.stop();
    server.command(&["ledger", "replay"], "").succeeds();
    server.serve();
    assert!(server.anyone().is_valid(&secret), "{}", server.log_since_start());
}

#[test]
fn a_rotation_that_was_taken_back_costs_no_token() {
    let mut server = Server::start(Backend::Sqlite, Options::default());
    let [[kept, kept_secret], [gone, gone_secret]] = [make(&server), make(&server)];
    let copy = back_up(&server);
    let mut owner = server.owner();
    for id in [&kept, &gone] {
        owner.rotate(id, &json!({"grace_period_seconds": 3600}));
        owner.call(&format!("/v1/tokens/{id}/rotate/cancel")).expect(200);
    }
    owner.rotate(&gone, &json!({"grace_period_seconds": 3600}));
    server.stop();
    server.command(&["restore", copy.to_str().unwrap()], "").succeeds();
    server.serve();
    let mut anyone = server.anyone();
    assert!(anyone.is_valid(&kept_secret), "as it was before the rotation");
    assert!(!anyone.is_valid(&gone_secret), "rotated again, and its successor is lost");
}

#[test]
fn a_restoration_that_is_killed_at_any_step_leaves_one_database_or_the_other_or_is_asked_for_again() {
    let mut server = Server::start(Backend::Sqlite, Options::default());
    let faults = Faults::new(server.database.folder());
    let [[id, doomed], [_, good]] = [make(&server), make(&server)];
    let copy = back_up(&server);
    let restore = ["restore", copy.to_str().unwrap()];
    server.owner().revoke(&id);
    for is_overwritten in [false, true] {
        let mut refused = 0;
        for step in 1.. {
            server.stop();
            if is_overwritten {
                fs::write(beside(&server.database.file(), ".overwritten"), "").unwrap();
            }
            let ended = server.command_with(&faults.killing_at(step), &restore, "");
            if ended.code.is_some() {
                ended.succeeds();
                assert!(step > 3, "{step}");
                server.serve();
                break;
            }
            if server.try_serve().is_err() {
                assert!(server.log_since_start().contains("nolapse-api restore"), "{}", server.log_since_start());
                refused += 1;
                server.command(&restore, "").succeeds();
                server.serve();
            }
            let mut anyone = server.anyone();
            assert!(anyone.is_valid(&good) && !anyone.is_valid(&doomed), "step {step}");
        }
        assert!(refused > 0, "between two names");
    }
}

#[test]
fn a_restoration_is_refused_under_a_server_and_of_what_is_no_backup() {
    let mut server = Server::start(Backend::Sqlite, Options::default());
    let [_, secret] = make(&server);
    let copy = back_up(&server);
    let copy = copy.to_str().unwrap();
    let refused = server.command(&["restore", copy], "");
    assert!(refused.fails(1).contains("another process"), "{refused:?}");
    server.stop();
    let other = server.database.folder().join("text");
    fs::write(&other, "no database").unwrap();
    server.command(&["restore", other.to_str().unwrap()], "").fails(1);
    server.command(&["restore", "/nowhere/copy.db"], "").fails(1);
    let file = server.database.file();
    let itself = server.command(&["restore", file.to_str().unwrap()], "");
    assert!(itself.fails(1).contains("the database itself"), "{itself:?}");
    server.serve();
    assert!(server.anyone().is_valid(&secret), "the database is as it was");
}

#[test]
fn a_ledger_of_another_deployment_is_refused() {
    let mut other = Server::start(Backend::Sqlite, Options::default());
    let [id, _] = make(&other);
    other.owner().revoke(&id);
    other.stop();
    let mut server = Server::start(Backend::Sqlite, Options::default());
    server.stop();
    server.options.set("ledger.directory", folder(&other).display());
    assert_eq!(server.try_serve().unwrap_err().code(), Some(1));
    server.says(&["another deployment", "point ledger.directory to another folder"]);
    let by_hand = server.command(&["ledger", "replay", folder(&other).to_str().unwrap()], "");
    assert!(by_hand.fails(1).contains("another deployment"), "{by_hand:?}");
}

#[test]
fn a_damaged_line_is_named_and_left_out() {
    let mut server = Server::start(Backend::Sqlite, Options::default());
    let tokens = [make(&server), make(&server)];
    let copy = back_up(&server);
    let mut owner = server.owner();
    for [id, _] in &tokens {
        owner.revoke(id);
    }
    server.stop();
    let mut parts: Vec<_> = fs::read_dir(folder(&server)).unwrap().map(|part| part.unwrap().path()).collect();
    parts.sort();
    let part = parts.iter().find(|part| fs::read_to_string(part).unwrap().contains("token.revoke")).unwrap();
    let text = fs::read_to_string(part).unwrap();
    fs::write(part, text.replacen("token.revoke", "token.create", 1)).unwrap();
    let checked = server.command(&["ledger", "check"], "");
    assert!(checked.fails(1).contains("1 lines are damaged"), "{checked:?}");
    server.command(&["restore", copy.to_str().unwrap()], "").succeeds();
    server.serve();
    let live = tokens.iter().filter(|[_, secret]| server.anyone().is_valid(secret)).count();
    assert_eq!(live, 1, "the other line is as it was written");
}
