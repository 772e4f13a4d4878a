//! Once a change that takes rights away is answered, it holds on every node.

use serde_json::json;

use super::{cluster, known_everywhere};
use crate::support::{Client, Options, Server, texts};

/// Changes of each kind.
const ROUNDS: usize = 60;

/// Clients of each node with open connections, so that a question can follow an answer at once.
struct Callers {
    owners: Vec<Client>,
    anyone: Vec<Client>,
}

impl Callers {
    /// Signs in once; the session is valid on every node.
    fn of(servers: &[Server]) -> Self {
        Self::with(servers, servers[0].owner().credential())
    }

    fn with(servers: &[Server], credential: &str) -> Self {
        Self {
            owners: servers.iter().map(|server| server.caller(credential)).collect(),
            anyone: servers.iter().map(Server::anyone).collect(),
        }
    }
}

#[test]
fn a_revocation_holds_on_every_node_once_it_is_answered() {
    let servers = cluster(3, &Options::default());
    let mut callers = Callers::of(&servers);
    let count = servers.len();
    for round in 0..ROUNDS * count {
        let at = round % count;
        let [id, secret] = texts(&callers.owners[(at + 1) % count].create("prey"), ["id", "secret"]);
        assert!(callers.anyone.iter_mut().all(|anyone| anyone.is_valid(&secret)), "good on every node at once");
        let heir = match round / count % 3 {
            0 => {
                callers.owners[at].revoke(&id);
                None
            }
            1 => Some(callers.owners[at].rotate(&id, &json!({"grace_period_seconds": 0}))),
            _ => {
                let reason = json!({"reason": "leaked"});
                callers.owners[at].post(&format!("/v1/tokens/{id}/revoke"), &reason).expect(204);
                None
            }
        };
        for ahead in 1..=count {
            let node = (at + ahead) % count;
            assert!(!callers.anyone[node].is_valid(&secret), "round {round}: revoked on {at}, good on {node}");
        }
        if let Some(heir) = heir {
            let [secret] = texts(&heir, ["secret"]);
            assert!(callers.anyone.iter_mut().all(|anyone| anyone.is_valid(&secret)), "the heir is good everywhere");
        }
    }
    let acknowledged: u64 = servers.iter().map(|server| server.metrics().get("nolapse_ack_wait_seconds_count")).sum();
    assert!(acknowledged >= u64::try_from(ROUNDS * count).unwrap(), "{acknowledged} changes waited");
    for server in &servers {
        assert!(!server.log().contains("all leases had expired"), "{}", server.log());
    }
}

#[test]
fn many_at_once_on_all_nodes_keep_the_promise() {
    let servers = cluster(2, &Options::default());
    let owner = servers[0].owner();
    std::thread::scope(|scope| {
        for lane in 0..4_usize {
            let (servers, credential) = (&servers, owner.credential());
            scope.spawn(move || {
                let mut callers = Callers::with(servers, credential);
                for round in 0..ROUNDS {
                    let (at, other) = ((lane + round) % 2, (lane + round + 1) % 2);
                    let [id, secret] = texts(&callers.owners[at].create("prey"), ["id", "secret"]);
                    assert!(callers.anyone[other].is_valid(&secret));
                    callers.owners[at].revoke(&id);
                    assert!(!callers.anyone[other].is_valid(&secret), "lane {lane}, round {round}");
                }
            });
        }
    });
}

#[test]
fn what_concerns_a_person_or_an_organisation_holds_on_every_node() {
    let servers = cluster(2, &Options::default());
    let mut callers = Callers::of(&servers);
    let organization = callers.owners[0].get("/v1/me").expect(200)["org_id"].as_str().unwrap().to_owned();
    for round in 0..ROUNDS / 6 {
        let (at, other) = (round % 2, (round + 1) % 2);
        let email = format!("person-{round}@acme.example");
        let invitation = json!({"email": email, "role": "admin"});
        let invited = callers.owners[at].post(&format!("/v1/organizations/{organization}/invitations"), &invitation);
        let accepting = json!({"code": invited.expect(201)["code"], "password": Server::PASSWORD});
        let member = callers.anyone[other].post("/v1/invitations/accept", &accepting).expect(201);
        let path = format!("/v1/organizations/{organization}/members/{}", member["user_id"].as_str().unwrap());

        let mut person = servers[other].signed_in(&email);
        let [key] = texts(&person.post("/v1/me/keys", &json!({"name": "key"})).expect(201), ["secret"]);
        assert!(callers.anyone.iter_mut().all(|anyone| anyone.is_valid(&key)));
        callers.owners[at].patch(&path, &json!({"status": "disabled"})).expect(200);
        assert!(!callers.anyone[other].is_valid(&key), "round {round}: the person is switched off");
        person.get("/v1/me").expect(401);
        callers.owners[other].patch(&path, &json!({"status": "active"})).expect(200);
        assert!(callers.anyone[at].is_valid(&key), "round {round}: and on again");

        // A changed password ends the person's other sessions, on every node.
        let mut here = servers[at].signed_in(&email);
        let mut there = servers[other].signed_in(&email);
        there.get("/v1/me").expect(200);
        let change = json!({"current_password": Server::PASSWORD, "new_password": "another password of this test"});
        here.post("/v1/me/password", &change).expect(204);
        there.get("/v1/me").expect(401);
        let (mut old, mut new) = (servers[other].anyone(), servers[other].anyone());
        old.post("/v1/sessions", &json!({"email": email, "password": Server::PASSWORD})).expect(401);
        new.post("/v1/sessions", &json!({"email": email, "password": "another password of this test"})).expect(201);

        callers.owners[at].delete(&path).expect(204);
        assert!(!callers.anyone[other].is_valid(&key), "round {round}: the person is removed");
    }
}

#[test]
fn a_grace_ends_on_every_node_at_once_whatever_was_remembered() {
    let servers = cluster(2, &Options::default());
    let mut callers = Callers::of(&servers);
    let (id, secret) = known_everywhere(&mut callers.owners[0], &servers);
    let rotated = callers.owners[0].rotate(&id, &json!({"grace_period_seconds": 2}));
    // Once one node refuses the token, all others must: they follow the same clock.
    while callers.anyone[1].is_valid(&secret) {}
    assert!(!callers.anyone[0].is_valid(&secret));
    let [heir] = texts(&rotated, ["secret"]);
    assert!(callers.anyone.iter_mut().all(|anyone| anyone.is_valid(&heir)));
}

#[test]
fn whoever_revokes_again_may_rely_on_it_as_well() {
    let servers = cluster(2, &Options::default());
    let mut owner = servers[0].owner();
    let credential = owner.credential().to_owned();
    for round in 0..ROUNDS {
        let (id, secret) = known_everywhere(&mut owner, &servers);
        std::thread::scope(|scope| {
            for client in 0..4 {
                let (server, other) = (&servers[0], &servers[1]);
                let (id, secret, credential) = (&id, &secret, &credential);
                scope.spawn(move || {
                    let (mut revoker, mut anyone) = (server.caller(credential), other.anyone());
                    revoker.revoke(id);
                    assert!(!anyone.is_valid(secret), "round {round}, client {client}");
                });
            }
        });
    }
}
