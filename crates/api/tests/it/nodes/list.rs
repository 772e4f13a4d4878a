//! `GET /v1/nodes`, and warnings about nodes with other settings.

use serde_json::{Value, json};

use super::{cluster, known_everywhere};
use crate::support::{Backend, Options, Server, both, eventually, texts};

const SERVICE_TOKEN: &str = "a-service-token-of-forty-characters-long";

fn with_service_token() -> Options {
    Options::default().with("sessions.service_token", SERVICE_TOKEN)
}

fn list(server: &Server) -> Value {
    server.caller(SERVICE_TOKEN).get("/v1/nodes").expect(200)
}

fn nodes(server: &Server) -> Vec<Value> {
    list(server)["nodes"].as_array().unwrap().clone()
}

#[test]
fn operators_see_every_node_and_nobody_else_does() {
    let mut servers = cluster(3, &with_service_token());
    assert_eq!(list(&servers[0])["strict"], true);
    let listed = nodes(&servers[0]);
    assert_eq!(listed.len(), 3, "the command that set it up has left: {listed:?}");
    for node in &listed {
        assert_eq!(node["version"], env!("CARGO_PKG_VERSION"));
        assert_eq!(node["consistency"], "strict");
        assert_eq!(node["tag_key"], listed[0]["tag_key"]);
        assert!((1..=5_000).contains(&node["lease_remaining_ms"].as_u64().unwrap()), "{node}");
    }
    let mut owner = servers[0].owner();
    let (id, _) = known_everywhere(&mut owner, &servers);
    owner.revoke(&id);
    eventually("all to report that they have applied it", || {
        nodes(&servers[1]).iter().all(|node| node["behind"] == 0 && node["applied_lag_ms"] == 0).then_some(())
    });
    assert_eq!(owner.get("/v1/nodes").expect(200)["nodes"].as_array().unwrap().len(), 3, "who set it up operates it");
    servers[0].anyone().get("/v1/nodes").expect(401);
    let applied = servers.iter().map(|server| server.metrics().get("nolapse_log_applied_seq")).min().unwrap();
    assert!(applied >= 2, "a token made and revoked: {applied}");

    let mut last = servers.pop().unwrap();
    last.stop();
    assert_eq!(nodes(&servers[0]).len(), 2, "a node that stops leaves the list at once");
}

#[test]
fn a_node_says_where_it_is_reached_and_one_relaxed_node_makes_the_deployment_relaxed() {
    let first = Server::start(Backend::PostgreSql, with_service_token());
    let named = "https://tokens-2.example:8443";
    let second =
        first.beside(with_service_token().with("cluster.advertise", named).with("cluster.consistency", "relaxed"));
    let expected = [first.address().to_string(), named.to_owned()];
    eventually("both addresses", || {
        let shown: Vec<Value> = nodes(&second).iter().map(|node| node["address"].clone()).collect();
        (shown == expected).then_some(())
    });
    assert_eq!(list(&first)["strict"], false);
}

both!(the_configuration_names_the_operators);

fn the_configuration_names_the_operators(backend: Backend) {
    let mut server =
        Server::start(backend, with_service_token().with("deployment.operator_organization", "operations"));
    let warned = |server: &Server| server.log().matches("names an organisation that does not exist").count();
    let mut first = server.owner();
    assert_eq!(warned(&server), 1, "{}", server.log());
    first.get("/v1/nodes").fails(404, "not found");

    first.post("/v1/organizations", &json!({"slug": "operations"})).expect(201);
    let switched = first.post("/v1/sessions/switch", &json!({"organization": "operations"})).expect(201);
    let mut second = server.caller(&texts(&switched, ["token"])[0]);
    second.get("/v1/nodes").expect(200);
    first.get("/v1/nodes").fails(404, "not found");
    list(&server);
    server.restart();
    assert_eq!(warned(&server), 1, "it exists now: {}", server.log());
}

#[test]
fn a_node_that_stands_still_lags_by_the_age_of_the_oldest_change_it_has_not_applied() {
    let servers = cluster(2, &with_service_token());
    let mut owner = servers[0].owner();
    let (id, _) = known_everywhere(&mut owner, &servers);
    let standing = nodes(&servers[0])[1]["id"].clone();
    servers[1].signal(rustix::process::Signal::STOP);
    std::thread::scope(|scope| {
        // Answered once the lease of the other is over.
        scope.spawn(|| owner.revoke(&id));
        let mut lag = 0;
        for at_least in [1, 300, 600] {
            lag = eventually("the lag to grow", || {
                let listed = nodes(&servers[0]);
                let node = listed.iter().find(|node| node["id"] == standing)?;
                assert!(node["applied_lag_ms"].as_i64().unwrap() >= lag, "{node}");
                node["applied_lag_ms"].as_i64().filter(|lag| *lag >= at_least && node["behind"] != 0)
            });
        }
        servers[1].signal(rustix::process::Signal::CONT);
    });
    eventually("both to be up to date", || {
        nodes(&servers[0]).iter().all(|node| node["applied_lag_ms"] == 0 && node["behind"] == 0).then_some(())
    });
}

#[test]
fn an_sqlite_file_has_no_nodes() {
    let server = Server::start(Backend::Sqlite, with_service_token());
    assert_eq!(list(&server), serde_json::json!({"nodes": [], "strict": true}));
    assert!(!server.anyone().get("/metrics").text().contains("nolapse_lease_remaining_seconds"));
}

#[test]
fn nodes_with_different_tag_keys_answer_rightly_and_are_warned_of() {
    let first = Server::start(Backend::PostgreSql, Options::default());
    let other_key = "a".repeat(64);
    let second = first.beside(Options::default().with("keys.tag_key", &other_key));
    let servers = [first, second];
    let mut owner = servers[0].owner();
    for _ in 0..10 {
        let (id, secret) = known_everywhere(&mut owner, &servers);
        assert!(servers[0].anyone().is_valid(&secret));
        servers[1].caller(owner.credential()).revoke(&id);
        assert!(servers.iter().all(|server| !server.anyone().is_valid(&secret)));
    }
    for server in &servers {
        eventually("the warning", || server.log().contains("uses a different tag key").then_some(()));
    }
    // The first node's key is in use, so no key counts as lost.
    let events = servers[0].facts().deployment_audit();
    assert!(events.iter().all(|event| event.action != "tag_key.lost"), "{events:?}");
}
