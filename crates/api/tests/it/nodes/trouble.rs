//! Nodes that are suspended, killed, disconnected, or of another version.

use rustix::process::Signal;

use super::{cluster, known_everywhere};
use crate::support::{Backend, Database, Options, Proxy, Server, eventually, texts};

const OVER: &str = "all leases had expired";

#[test]
fn a_suspended_node_is_waited_for_and_calls_no_revoked_token_valid() {
    let servers = cluster(2, &Options::default());
    let mut owner = servers[0].owner();
    let known: Vec<(String, String)> = (0..20).map(|_| known_everywhere(&mut owner, &servers)).collect();
    let mut waking: Vec<_> = (0..4).map(|_| servers[1].anyone()).collect();
    for anyone in &mut waking {
        assert!(anyone.is_valid(&known[0].1));
    }
    servers[1].signal(Signal::STOP);
    // In parallel: each waits until the suspended node's lease is over.
    std::thread::scope(|scope| {
        for (id, _) in &known {
            let mut owner = servers[0].caller(owner.credential());
            scope.spawn(move || owner.revoke(id));
        }
    });
    // The log explains the wait: the node was removed from the list, or the change waited until all leases had expired.
    eventually("a word about it", || {
        let log = servers[0].log();
        (log.contains("removed from the list") || log.contains(OVER)).then_some(())
    });
    servers[1].signal(Signal::CONT);
    for (number, (_, secret)) in known.iter().enumerate() {
        let answer = waking[number % 4].validate(secret);
        assert!([401, 503].contains(&answer.status), "{answer:?}");
    }
    eventually("the node to be back", || (servers[1].anyone().get("/ready").status == 200).then_some(()));
    let (id, secret) = known_everywhere(&mut owner, &servers);
    owner.revoke(&id);
    assert!(!servers[1].anyone().is_valid(&secret));
}

#[test]
fn the_revoking_node_may_be_stopped_between_commit_and_answer() {
    let servers = cluster(2, &Options::default());
    let mut owner = servers[0].owner();
    for _ in 0..5 {
        let (id, secret) = known_everywhere(&mut owner, &servers);
        let mut revoker = servers[0].caller(owner.credential());
        std::thread::scope(|scope| {
            let answered = scope.spawn(move || revoker.revoke(&id));
            // Suspends the node at a random moment of the request.
            servers[0].signal(Signal::STOP);
            std::thread::sleep(std::time::Duration::from_millis(200));
            servers[0].signal(Signal::CONT);
            answered.join().unwrap();
        });
        assert!(servers.iter().all(|server| !server.anyone().is_valid(&secret)));
    }
}

#[test]
fn a_node_that_is_killed_is_waited_for_once_and_then_taken_off_the_list() {
    let mut servers = cluster(2, &Options::default());
    let mut owner = servers[0].owner();
    let (id, _) = known_everywhere(&mut owner, &servers);
    servers[1].kill();
    owner.revoke(&id);
    eventually("the list to be without it", || servers[0].log().contains("removed from the list").then_some(()));
    let before = servers[0].log().matches(OVER).count();
    for _ in 0..20 {
        let (id, _) = known_everywhere(&mut owner, &servers[..1]);
        owner.revoke(&id);
    }
    assert_eq!(servers[0].log().matches(OVER).count(), before, "nobody waits for it any more");
    servers[1].serve();
    let (id, secret) = known_everywhere(&mut owner, &servers);
    servers[1].caller(owner.credential()).revoke(&id);
    assert!(!servers[0].anyone().is_valid(&secret));
}

#[test]
fn a_node_that_is_cut_off_answers_from_memory_until_its_lease_is_over_and_changes_nothing() {
    let database = Database::new(Backend::PostgreSql);
    let proxy = Proxy::to(database.server_address()).unwrap();
    let through = database.url_through(proxy.port());
    let first = Server::start_on(database, Options::default());
    let second = first.beside(Options::default().through(through).with("database.connect_timeout_ms", 500));
    let servers = [first, second];
    let mut owner = servers[0].owner();
    let (id, secret) = known_everywhere(&mut owner, &servers);
    let (_, good) = known_everywhere(&mut owner, &servers);
    let mut cut_off = servers[1].anyone();
    proxy.cut();
    owner.revoke(&id);
    // The answer came after the disconnected node's lease was over.
    let answer = cut_off.validate(&secret);
    assert_eq!(answer.status, 503, "{answer:?}");
    assert_eq!(cut_off.validate(&good).status, 503);
    assert_eq!(servers[1].caller(owner.credential()).delete("/v1/tokens/none").status, 503);
    assert!(servers[1].metrics().get("nolapse_fail_closed_total") > 0);
    proxy.open();
    eventually("the node to be back", || (cut_off.validate(&good).status == 200).then_some(()));
    assert!(!cut_off.is_valid(&secret));
}

#[test]
fn a_node_whose_primary_may_have_been_replaced_by_its_standby_says_nothing_until_it_knows() {
    let first = Server::start(Backend::PostgreSql, Options::default());
    // A server of this database alone: it says that commits wait for a standby, and they do not reach it while `away` has a row.
    sql(
        &first,
        "CREATE TABLE public.away (row int); \
         CREATE FUNCTION public.current_setting(name text) RETURNS text LANGUAGE sql AS $$SELECT CASE name \
         WHEN 'synchronous_standby_names' THEN 'standby' ELSE pg_catalog.current_setting(name) END$$; \
         CREATE FUNCTION public.pg_logical_emit_message(flag boolean, prefix text, content text) RETURNS void \
         LANGUAGE plpgsql AS $$BEGIN IF EXISTS (SELECT FROM public.away) THEN RAISE 'away'; END IF; END$$; \
         DO $$BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = public, pg_catalog', current_database()); END$$",
    );
    // Connected before that, the first one knows of no standby.
    let second = first.beside(Options::default());
    let servers = [first, second];
    let mut owner = servers[0].owner();
    let (_, known) = known_everywhere(&mut owner, &servers);
    let [fresh] = texts(&owner.create("not asked about yet"), ["secret"]);
    let mut anyone = servers[1].anyone();
    sql(&servers[0], "INSERT INTO away VALUES (1)");
    eventually("its lease to end", || (anyone.validate(&known).status == 503).then_some(()));
    assert_eq!(anyone.validate(&fresh).status, 503, "the server before may not know that it was revoked");
    assert_eq!(anyone.get("/ready").status, 503);
    assert_eq!(servers[1].caller(owner.credential()).delete("/v1/tokens/none").status, 503);
    eventually("a word about it", || servers[1].log().contains("commits nothing to its standby").then_some(()));
    assert!(servers[0].anyone().is_valid(&known), "no standby, no doubt");
    sql(&servers[0], "DELETE FROM away");
    eventually("the standby to be there again", || (anyone.validate(&known).status == 200).then_some(()));
    assert!(anyone.is_valid(&fresh));
    let (id, secret) = known_everywhere(&mut owner, &servers);
    owner.revoke(&id);
    assert!(!anyone.is_valid(&secret));
}

#[test]
fn a_restored_older_database_is_noticed_and_empties_the_cache() {
    let servers = cluster(2, &Options::default());
    let mut owner = servers[0].owner();
    let (id, _) = known_everywhere(&mut owner, &servers);
    owner.revoke(&id);
    let (_, secret) = known_everywhere(&mut owner, &servers);
    // Simulates a restored backup, which has neither the token nor the log entries made after it.
    sql(
        &servers[0],
        "DELETE FROM token_usage; DELETE FROM tokens WHERE revoked_at IS NULL; DELETE FROM revocation_log; \
         UPDATE revocation_clock SET n = 0",
    );
    for server in &servers {
        eventually("it to be noticed", || server.log().contains("an older copy has replaced").then_some(()));
        assert!(!server.anyone().is_valid(&secret));
    }
}

#[test]
fn a_node_refuses_a_schema_that_it_does_not_know_or_that_is_behind_and_says_which() {
    let server = Server::start(Backend::PostgreSql, Options::default());
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    sql(&server, "INSERT INTO __diesel_schema_migrations (version) VALUES ('20990101000000')");
    let refused = server.command(&serve, "");
    assert!(refused.fails(1).contains("20990101000000"), "{refused:?}");
    let mut behind = Server::start_on(Database::new(Backend::PostgreSql), Options::default());
    behind.stop();
    behind.options.set("database.migrate_at_start", false);
    sql(&behind, "DELETE FROM __diesel_schema_migrations WHERE version = '20260101004400'");
    assert!(behind.try_serve().is_err());
    assert!(behind.log_since_start().contains("20260101004400_nodes"), "{}", behind.log_since_start());
    // A running server continues.
    assert_eq!(server.anyone().get("/ready").status, 200);
}

#[test]
fn a_node_refuses_to_serve_beside_nodes_of_other_rules() {
    // No other node is running that could notice this node's missing reports.
    let mut server = Server::start(Backend::PostgreSql, Options::default());
    server.stop();
    sql(
        &server,
        "INSERT INTO nodes VALUES (gen_random_uuid(), 2, '9.9.9', '', '', 'strict', 1, '', clock_timestamp(), clock_timestamp())",
    );
    let refused = server.command(&["serve", "--listen", "127.0.0.1:0"], "");
    let said = refused.fails(1);
    assert!(said.contains("9.9.9") && said.contains("rules"), "{said}");
}

fn sql(server: &Server, statements: &str) {
    server.database.run(statements);
}
