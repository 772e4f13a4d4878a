//! Restoring a copy of an SQLite database, by the command and by hand.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::json;

use super::kinds::{are_dead, end, one_of_each, project};
use super::{back_up, beside, folder, has_repeated, make, put_back};
use crate::support::{Backend, Fault, Faults, Options, Server, texts};

/// What there is of a ledger when a copy is restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    /// All.
    All,
    /// Nothing.
    Nothing,
    /// What happened after the revocations.
    Later,
}

impl Kept {
    /// Brings the ledger of a stopped server into this state.
    fn bring_about(self, server: &mut Server) {
        if self != Self::All {
            fs::remove_dir_all(folder(server)).unwrap();
        }
        if self == Self::Later {
            server.serve();
            server.says(&["begins now: it does not know what was revoked before"]);
            server.stop();
        }
    }
}

#[test]
fn what_ended_after_a_backup_stays_dead_when_it_is_restored_by_the_command_whatever_there_is_of_the_ledger() {
    for kept in [Kept::All, Kept::Nothing, Kept::Later] {
        let mut server = Server::start(Backend::Sqlite, Options::default());
        let doomed = one_of_each(&server);
        let copy = back_up(&server);
        end(&server, &doomed);
        are_dead(&server, &doomed);
        server.stop();
        kept.bring_about(&mut server);
        let said = server.command(&["restore", copy.to_str().unwrap()], "");
        let text = said.succeeds();
        for part in
            ["the database before is", "the newest event of the copy is of", "repeated what the database had lost"]
        {
            assert!(text.contains(part), "{kept:?}: {text}");
        }
        assert_eq!(text.contains("the ledger lacked"), kept != Kept::All, "{kept:?}: {text}");
        assert_eq!(text.contains("no ledger was kept"), kept == Kept::Nothing, "{text}");
        assert!(text.contains("to be done again by hand: user.password.set"), "{text}");
        assert!(!text.contains("actor.update"), "it was switched off again: {text}");
        assert_eq!(said.err, "", "the database before knows all that happened since");
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
}

#[test]
fn a_database_before_that_tells_nothing_is_named_and_so_is_the_time_that_the_ledger_does_not_cover() {
    type Damage = fn(&Path);
    let damages: [(&str, Damage); 4] = [
        ("there is no database before", |file| fs::remove_file(file).unwrap()),
        ("cannot be compared", |file| fs::write(file, vec![0xAA; 100_000]).unwrap()),
        // All but the first page.
        ("cannot be compared", |file| {
            let mut bytes = fs::read(file).unwrap();
            bytes[4096..].fill(0xFF);
            fs::write(file, bytes).unwrap();
        }),
        ("mixture of two databases", |file| fs::write(beside(file, ".overwritten"), "").unwrap()),
    ];
    for (said_of_it, damage) in damages {
        for kept in [Kept::All, Kept::Later, Kept::Nothing] {
            let mut server = Server::start(Backend::Sqlite, Options::default());
            let [id, secret] = make(&server);
            let copy = back_up(&server);
            server.owner().revoke(&id);
            server.stop();
            kept.bring_about(&mut server);
            damage(&server.database.file());
            let said = server.command(&["restore", copy.to_str().unwrap()], "");
            assert!(said.succeeds().contains(said_of_it), "{kept:?}: {said:?}");
            let warned = match kept {
                Kept::All => "",
                Kept::Later => "when the ledger begins, may be valid again; revoke it again",
                Kept::Nothing => "after that may be valid again; revoke it again",
            };
            assert!(said.err.contains(warned) && said.err.is_empty() == warned.is_empty(), "{kept:?}: {said:?}");
            server.serve();
            assert_eq!(server.anyone().is_valid(&secret), kept != Kept::All, "{kept:?}");
        }
    }
}

#[test]
fn what_was_revoked_after_another_restoration_stays_dead_when_a_copy_from_before_it_is_restored() {
    let mut server = Server::start(Backend::Sqlite, Options::default());
    let [[first, _], [second, doomed]] = [make(&server), make(&server)];
    let earlier = back_up(&server);
    let renamed = server.database.folder().join("earlier.db");
    fs::rename(earlier, &renamed).unwrap();
    server.owner().revoke(&first);
    let later = back_up(&server);
    server.stop();
    server.command(&["restore", renamed.to_str().unwrap()], "").succeeds();
    server.serve();
    server.owner().revoke(&second);
    server.stop();
    fs::remove_dir_all(folder(&server)).unwrap();
    let said = server.command(&["restore", later.to_str().unwrap()], "");
    assert!(said.succeeds().contains("the ledger lacked"), "{said:?}");
    assert!(said.err.contains("WARNING"), "the database before lacks events of the copy: {said:?}");
    server.serve();
    assert!(!server.anyone().is_valid(&doomed));
}

#[test]
fn a_ledger_that_cannot_be_completed_leaves_the_database_in_its_place() {
    let mut server = Server::start(Backend::Sqlite, Options::default());
    let faults = Faults::new(server.database.folder());
    let [id, secret] = make(&server);
    let copy = back_up(&server);
    server.owner().revoke(&id);
    server.stop();
    let restore = ["restore", copy.to_str().unwrap()];
    let own = folder(&server);
    let other = Server::start(Backend::Sqlite, Options::default());
    server.options.set("ledger.directory", folder(&other).display());
    let refused = server.command(&restore, "");
    assert!(refused.fails(1).contains("another deployment"), "{refused:?}");
    server.options.set("ledger.directory", own.display());
    fs::remove_dir_all(&own).unwrap();
    faults.begin(Fault::Ledger);
    let refused = server.command_with(&faults.variables(), &restore, "");
    assert!(refused.fails(1).contains("nothing was restored"), "{refused:?}");
    assert!(!beside(&server.database.file(), ".restoring").exists());
    server.serve();
    assert!(!server.anyone().is_valid(&secret), "it is the database before");
}

#[test]
fn the_ledger_of_a_deployment_that_is_set_up_under_the_server_has_everything() {
    let mut server = Server::start(Backend::Sqlite, Options::default().unset_up());
    let asked = json!({"code": server.setup_code(), "organization": Server::ORGANIZATION, "organization_name": "ACME Ltd.",
                       "email": Server::OWNER, "name": "Owner", "password": Server::PASSWORD});
    server.anyone().post("/v1/setup", &asked).expect(201);
    let [id, secret] = make(&server);
    let copy = back_up(&server);
    server.owner().revoke(&id);
    server.stop();
    fs::remove_file(server.database.file()).unwrap();
    let said = server.command(&["restore", copy.to_str().unwrap()], "");
    assert!(said.succeeds().contains("the ledger begins at"), "{said:?}");
    assert_eq!(said.err, "", "it began with the deployment");
    server.serve();
    assert!(!server.anyone().is_valid(&secret));
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
fn an_actor_that_was_switched_on_again_stays_on_and_a_rename_is_nothing_to_repeat() {
    for is_lost_as_well in [true, false] {
        let mut server = Server::start(Backend::Sqlite, Options::default());
        let mut owner = server.owner();
        let actors = format!("{}/actors", project(&mut owner, "with-an-actor"));
        let made = owner.post(&actors, &json!({"name": "device"})).expect(201);
        let [id, secret] = texts(&made, ["actorId", "accessToken"]);
        let path = format!("{actors}/{id}");
        let switch = |server: &Server, status: &str| {
            server.owner().patch(&path, &json!({"status": status})).expect(200);
        };
        let copy = back_up(&server);
        owner.patch(&path, &json!({"name": "renamed"})).expect(200);
        switch(&server, "disabled");
        if is_lost_as_well {
            switch(&server, "active");
        }
        server.stop();
        let said = server.command(&["restore", copy.to_str().unwrap()], "");
        assert!(!said.succeeds().contains("by hand"), "{said:?}");
        server.serve();
        if !is_lost_as_well {
            assert!(!server.anyone().is_valid(&secret), "repeated");
            switch(&server, "active");
            server.stop();
            // A replay compares the entries of the ten seconds before the last one again.
            server.command(&["ledger", "replay"], "").succeeds();
            server.serve();
        }
        assert!(server.anyone().is_valid(&secret), "{is_lost_as_well}: {}", server.log_since_start());
    }
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
fn a_deleted_project_loses_the_tokens_that_its_deletion_does_not_name_and_keeps_those_made_since() {
    let mut server = Server::start(Backend::Sqlite, Options::default());
    let path = project(&mut server.owner(), "deleted");
    let within = |server: &Server| {
        let asked = json!({"name": "of it", "scopes": ["execute"], "project_id": path.rsplit('/').next().unwrap()});
        let [secret] = texts(&server.owner().post("/v1/tokens", &asked).expect(201), ["secret"]);
        secret
    };
    let before = back_up(&server);
    let unnamed = within(&server);
    let aside = server.database.folder().join("unnamed.db");
    server.command(&["backup", aside.to_str().unwrap()], "").succeeds();
    server.stop();
    put_back(&server, &before);
    server.serve();
    // Deleted in a database that has never heard of the token.
    server.owner().delete(&path).expect(204);
    server.stop();
    let said = server.command(&["restore", aside.to_str().unwrap()], "");
    assert!(said.succeeds().contains("to be done again by hand: project.delete"), "{said:?}");
    server.serve();
    assert!(!server.anyone().is_valid(&unnamed));
    let since = within(&server);
    server.stop();
    // A replay compares the entries of the ten seconds before the last one again.
    server.command(&["ledger", "replay"], "").succeeds();
    server.serve();
    assert!(server.anyone().is_valid(&since));
}

#[test]
fn a_restoration_that_is_killed_at_any_step_leaves_one_database_or_the_other_or_is_asked_for_again() {
    let mut server = Server::start(Backend::Sqlite, Options::default());
    let faults = Faults::new(server.database.folder());
    let [[id, doomed], [_, good]] = [make(&server), make(&server)];
    let copy = back_up(&server);
    let restore = ["restore", copy.to_str().unwrap()];
    server.owner().revoke(&id);
    // A mixture of two databases cannot be compared with the ledger, which therefore has to be complete then.
    for (is_overwritten, kept) in [(false, Kept::Nothing), (true, Kept::All)] {
        let mut refused = 0;
        for step in 1.. {
            server.stop();
            kept.bring_about(&mut server);
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
            assert!(anyone.is_valid(&good) && !anyone.is_valid(&doomed), "step {step}, {kept:?}");
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
fn what_is_found_after_a_replay_is_repeated_although_it_is_older() {
    let mut server = Server::start(Backend::Sqlite, Options::default());
    let [[first, secret], [second, other]] = [make(&server), make(&server)];
    let copy = |server: &Server, name: &str| {
        let path = server.database.folder().join(name);
        server.command(&["backup", path.to_str().unwrap()], "").succeeds();
        path
    };
    let oldest = copy(&server, "oldest.db");
    server.owner().revoke(&first);
    server.stop();
    fs::remove_dir_all(folder(&server)).unwrap();
    server.serve();
    server.owner().revoke(&second);
    let whole = copy(&server, "whole.db");
    server.stop();
    // Its disk fails: nothing says any more that the first was revoked.
    fs::remove_file(server.database.file()).unwrap();
    let restored = server.command(&["restore", oldest.to_str().unwrap()], "");
    restored.succeeds();
    assert!(restored.err.contains("WARNING"), "{restored:?}");
    server.serve();
    assert!(server.anyone().is_valid(&secret) && !server.anyone().is_valid(&other));
    let newer = copy(&server, "newer.db");
    server.stop();
    // The disk is back, and the database that is to be replaced knows it.
    put_back(&server, &whole);
    let restored = server.command(&["restore", newer.to_str().unwrap()], "");
    assert!(restored.succeeds().contains("the ledger lacked 1 changes"), "{restored:?}");
    server.serve();
    assert!(!server.anyone().is_valid(&secret) && !server.anyone().is_valid(&other));
}

#[test]
fn a_database_behind_a_symbolic_link_is_replaced_where_it_is() {
    let mut server = Server::start(Backend::Sqlite, Options::default());
    let [id, secret] = make(&server);
    let copy = back_up(&server);
    server.owner().revoke(&id);
    server.stop();
    let (file, place) = (server.database.file(), server.database.folder().join("elsewhere"));
    fs::create_dir(&place).unwrap();
    let real = place.join("real.db");
    for suffix in ["", "-wal", "-shm"] {
        let _ = fs::rename(beside(&file, suffix), beside(&real, suffix));
    }
    symlink(&real, &file).unwrap();
    for _ in 0..2 {
        server.command(&["restore", copy.to_str().unwrap()], "").succeeds();
        assert!(file.is_symlink() && real.is_file());
    }
    assert!(!fs::read_dir(&place).unwrap().any(|found| {
        let name = found.unwrap().file_name().into_string().unwrap();
        name.contains(".restoring") || name.contains(".overwritten")
    }));
    server.serve();
    assert!(!server.anyone().is_valid(&secret));
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
    // `restore` would read the revocation of the damaged line from it.
    fs::remove_file(server.database.file()).unwrap();
    let restored = server.command(&["restore", copy.to_str().unwrap()], "");
    assert!(restored.succeeds().contains("WARNING: 1 lines of the ledger are damaged"), "{restored:?}");
    server.serve();
    let live = tokens.iter().filter(|[_, secret]| server.anyone().is_valid(secret)).count();
    assert_eq!(live, 1, "the other line is as it was written");
}
