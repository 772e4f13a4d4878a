//! Races: two administrators who demote each other, owners who leave together, requests while a member is removed.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::ground::{Org, Person, column};
use crate::support::{Answer, Backend, Client, Options, Server, both, is_full};

both!(
    of_two_administrators_who_demote_each_other_one_remains,
    of_owners_who_go_at_once_one_remains,
    nobody_who_was_removed_is_valid_after_the_answer,
);

fn rounds() -> usize {
    if is_full() { 200 } else { 15 }
}

/// Runs both requests concurrently; returns their statuses, the lower first.
fn at_once<A, B>(one: A, other: B) -> [u16; 2]
where
    A: FnOnce() -> Answer + Send,
    B: FnOnce() -> Answer + Send,
{
    let barrier = Barrier::new(2);
    let mut statuses = std::thread::scope(|threads| {
        let first = threads.spawn(|| {
            barrier.wait();
            one().status
        });
        let second = threads.spawn(|| {
            barrier.wait();
            other().status
        });
        [first.join().unwrap(), second.join().unwrap()]
    });
    statuses.sort_unstable();
    statuses
}

fn count(owner: &mut Client, org: &Org, role: &str) -> usize {
    let members = owner.get(&org.at("members?limit=1000")).expect(200);
    let is_one = |member: &&Value| member["role"] == role && member["status"] == "active";
    members["members"].as_array().unwrap().iter().filter(is_one).count()
}

fn of_two_administrators_who_demote_each_other_one_remains(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let org = Org::of(&mut owner);
    let mut pair = ["one", "two"].map(|name| org.join(&server, &mut owner, &format!("{name}@acme.example"), "admin"));
    let demote = json!({"role": "viewer"});
    for round in 0..rounds() {
        let paths = pair.each_ref().map(|person| person.path.clone());
        let [one, two] = &mut pair;
        let statuses = at_once(|| one.client.patch(&paths[1], &demote), || two.client.patch(&paths[0], &demote));
        assert_eq!(statuses, [200, 403], "round {round}: the second has lost the right by then");
        assert_eq!(count(&mut owner, &org, "admin"), 1, "round {round}");
        for path in &paths {
            owner.patch(path, &json!({"role": "admin"})).expect(200);
        }
    }
}

fn of_owners_who_go_at_once_one_remains(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let org = Org::of(&mut owner);
    // Exactly two owners: the owner from set-up is demoted as soon as they have joined.
    let mut pair = ["one", "two"].map(|name| org.join(&server, &mut owner, &format!("{name}@acme.example"), "owner"));
    let me = owner.get("/v1/me").expect(200)["user_id"].as_str().unwrap().to_owned();
    owner.patch(&org.at(&format!("members/{me}")), &json!({"role": "admin"})).expect(200);
    let leave = org.at("members/me");
    for round in 0..rounds() {
        let paths = pair.each_ref().map(|person| person.path.clone());
        let [one, two] = &mut pair;
        let (one, two) = (&mut one.client, &mut two.client);
        let (step_back, off) = (json!({"role": "admin"}), json!({"status": "disabled"}));
        // Each leaves or demotes themselves, or each acts on the other.
        let (statuses, expected): ([u16; 2], &[[u16; 2]]) = match round % 5 {
            0 => (at_once(|| one.delete(&leave), || two.delete(&leave)), &[[204, 409]]),
            1 => (at_once(|| one.patch(&paths[0], &step_back), || two.patch(&paths[1], &step_back)), &[[200, 409]]),
            2 => (at_once(|| one.patch(&paths[1], &step_back), || two.patch(&paths[0], &step_back)), &[[200, 403]]),
            3 => (at_once(|| one.patch(&paths[1], &off), || two.patch(&paths[0], &off)), &[[200, 401]]),
            _ => (at_once(|| one.delete(&paths[1]), || two.delete(&paths[0])), &[[204, 401]]),
        };
        assert!(expected.contains(&statuses), "round {round}: {statuses:?}");
        assert_eq!(count(&mut owner, &org, "owner"), 1, "round {round}");
        mend(&server, &org, &mut pair);
    }
}

/// Makes both owners again, as the remaining owner.
fn mend(server: &Server, org: &Org, pair: &mut [Person; 2]) {
    let is_owner = |person: &mut Person| {
        let me = person.client.get("/v1/me");
        me.status == 200 && me.json()["role"] == "owner"
    };
    let left = usize::from(!is_owner(&mut pair[0]));
    assert!(is_owner(&mut pair[left]), "one is left");
    let emails = ["one@acme.example", "two@acme.example"];
    let (left, other) = (left, 1 - left);
    let back = json!({"role": "owner", "status": "active"});
    let path = pair[other].path.clone();
    if pair[left].client.patch(&path, &back).status == 404 {
        let code = org.invite(&mut pair[left].client, emails[other], "owner");
        super::ground::accept(server, &code).expect(201);
    }
    pair[other].client = server.signed_in(emails[other]);
}

fn nobody_who_was_removed_is_valid_after_the_answer(backend: Backend) {
    const HUNTERS: usize = 3;
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let org = Org::of(&mut owner);
    let role = org.role(&mut owner, "Runners", &["execute", "user"]);
    let checked = AtomicUsize::new(0);
    for round in 0..rounds() {
        let person = org.join(&server, &mut owner, &format!("person{round}@acme.example"), &role);
        let keys = [person.key(&server, &mut owner, &["execute"]), person.key(&server, &mut owner, &["execute"])];
        for key in &keys {
            assert!(server.anyone().is_valid(key), "remembered as good");
        }
        // Removed, disabled, or given a role without the keys' scopes.
        let (gone, late) = (AtomicBool::new(false), AtomicUsize::new(0));
        std::thread::scope(|threads| {
            for hunter in 0..HUNTERS {
                let (keys, gone, late, checked) = (&keys, &gone, &late, &checked);
                let mut client = server.anyone();
                threads.spawn(move || {
                    let asked = json!({"token": keys[hunter % 2], "required_scopes": ["execute"]});
                    let mut after = 0;
                    while after < 20 {
                        // Read before the request is sent: the guarantee holds only for requests sent after the answer.
                        let is_after = gone.load(Ordering::SeqCst);
                        let status = client.post("/v1/auth/validate", &asked).status;
                        if is_after {
                            late.fetch_add(usize::from(status == 200), Ordering::SeqCst);
                            checked.fetch_add(1, Ordering::SeqCst);
                            after += 1;
                        }
                    }
                });
            }
            match round % 4 {
                0 => drop(owner.delete(&person.path).expect(204)),
                1 => drop(owner.patch(&person.path, &json!({"status": "disabled"})).expect(200)),
                2 => drop(owner.patch(&person.path, &json!({"role": "viewer"})).expect(200)),
                _ => drop(owner.patch(&org.at(&format!("roles/{role}")), &json!({"scopes": ["user"]})).expect(200)),
            }
            gone.store(true, Ordering::SeqCst);
        });
        assert_eq!(late.load(Ordering::SeqCst), 0, "round {round}: valid after the answer");
        owner.patch(&org.at(&format!("roles/{role}")), &json!({"scopes": ["execute", "user"]})).expect(200);
    }
    assert_eq!(checked.load(Ordering::SeqCst), rounds() * HUNTERS * 20);
    let members = owner.get(&org.at("members?limit=1000")).expect(200);
    assert_eq!(column(&members["members"], "role").len(), 1 + rounds() - rounds().div_ceil(4));
}
