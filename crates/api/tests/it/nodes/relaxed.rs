//! `cluster.consistency = "relaxed"`: a change is answered at once, and a question may name the log place that the
//! answering node must have applied.

use serde_json::json;

use super::{cluster, known_everywhere};
use crate::support::{Answer, Client, Options, Request};

fn ask(client: &mut Client, secret: &str, min_seq: &str) -> Answer {
    client
        .ask(Request::new("POST", "/v1/auth/validate").header("X-Nlp-Min-Seq", min_seq).json(&json!({"token": secret})))
}

#[test]
fn a_question_that_names_a_revocation_is_answered_knowing_of_it() {
    let servers = cluster(2, &Options::default().with("cluster.consistency", "relaxed"));
    let mut owners: Vec<Client> = servers.iter().map(crate::support::Server::owner).collect();
    let mut anyone: Vec<Client> = servers.iter().map(crate::support::Server::anyone).collect();
    for round in 0..60 {
        let (at, other) = (round % 2, (round + 1) % 2);
        let (id, secret) = known_everywhere(&mut owners[at], &servers);
        let answer = owners[at].delete(&format!("/v1/tokens/{id}"));
        assert_eq!(answer.status, 204);
        let seq = answer.header("x-nlp-revocation-seq").expect("its place in the log").to_owned();
        assert_eq!(ask(&mut anyone[other], &secret, &seq).status, 401, "round {round}");
        assert_eq!(ask(&mut anyone[at], &secret, &seq).status, 401, "round {round}");
        // Revoked already: the second revocation writes no log entry, so there is nothing to wait for.
        owners[other].delete(&format!("/v1/tokens/{id}")).expect(204);
    }
    let (_, good) = known_everywhere(&mut owners[0], &servers);
    assert_eq!(ask(&mut anyone[1], &good, "3.9000000000").status, 200, "a place far ahead is read for");
    let detailed = json!({"token": good, "detail": true});
    let request = Request::new("POST", "/v1/auth/validate").header("X-Nlp-Min-Seq", "3.9000000000").json(&detailed);
    assert_eq!(anyone[1].ask(request).expect(200)["name"], "known");
    for wrong in ["", "1", "64.1", "1.0", "x.y", "1.2.3"] {
        assert_eq!(ask(&mut anyone[1], &good, wrong).status, 400, "{wrong:?}");
    }
}

#[test]
fn a_strict_node_answers_once_it_holds_and_names_no_place() {
    let servers = cluster(2, &Options::default());
    let mut owner = servers[0].owner();
    let (id, secret) = known_everywhere(&mut owner, &servers);
    let answer = owner.delete(&format!("/v1/tokens/{id}"));
    assert_eq!((answer.status, answer.header("x-nlp-revocation-seq")), (204, None));
    assert_eq!(ask(&mut servers[1].anyone(), &secret, "any text").status, 401, "what is strict needs no header");
}
