//! Nodes that share a Redis: what it saves, and that nothing it does changes an answer.

use std::io::Write as _;
use std::net::TcpListener;
use std::time::Duration;

use rustix::process::Signal;
use task_support::services::{Redis, Reply};

use super::cluster;
use crate::support::{Client, Options, Request, Server, eventually, texts};

/// What nodes keep of tokens.
const ENTRIES: &str = "nolapse:*:token:*";

fn with(redis: &Redis) -> Options {
    Options::default().with("redis.url", redis.url())
}

/// Two servers that are connected to a Redis.
fn pair(redis: &Redis) -> Vec<Server> {
    let servers = cluster(2, &with(redis));
    servers.iter().for_each(until_up);
    servers
}

#[track_caller]
fn until_up(server: &Server) {
    eventually("Redis to be connected", || (server.metrics().get("nolapse_redis_up") == 1).then_some(()));
}

#[track_caller]
fn until_down(server: &Server) {
    eventually("Redis to be missed", || (server.metrics().get("nolapse_redis_up") == 0).then_some(()));
}

fn outcome(server: &Server, outcome: &str) -> u64 {
    server.metrics().get(&format!("nolapse_shared_cache_total{{outcome=\"{outcome}\"}}"))
}

/// Waits until both have applied the same of the log, and their looks at it since are over.
fn until_even(servers: &[Server]) {
    let applied = |server: &Server| server.metrics().get("nolapse_log_applied_seq");
    eventually("the nodes to be even", || (applied(&servers[0]) == applied(&servers[1])).then_some(()));
    // Two polls.
    std::thread::sleep(Duration::from_millis(250));
}

/// Waits until each server takes what the other has read: soon after its start it does not.
#[track_caller]
fn until_sharing(owner: &mut Client, servers: &[Server]) {
    for (reader, other) in [(0, 1), (1, 0)] {
        eventually("a hit", || {
            let [secret] = texts(&owner.create("shared"), ["secret"]);
            let hits = outcome(&servers[other], "hit");
            assert!(servers[reader].anyone().is_valid(&secret));
            until_even(servers);
            assert!(servers[other].anyone().is_valid(&secret));
            (outcome(&servers[other], "hit") > hits).then_some(())
        });
    }
}

/// A token that the first server has read and passed on: its id, its secret, and its entry.
fn passed_on(redis: &Redis, owner: &mut Client, first: &Server) -> (String, String, (Vec<u8>, Vec<u8>)) {
    let before = redis.all(ENTRIES).unwrap();
    eventually("an entry in Redis", || {
        // Another each time: on a busy machine Redis counts as slow and is left alone for a second.
        let [id, secret] = texts(&owner.create("passed on"), ["id", "secret"]);
        assert!(first.anyone().is_valid(&secret));
        for _ in 0..20 {
            let now = redis.all(ENTRIES).unwrap();
            if let Some(entry) = now.into_iter().find(|(key, _)| before.iter().all(|(known, _)| known != key)) {
                return Some((id, secret, entry));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        None
    })
}

#[test]
fn a_token_that_one_node_has_read_costs_another_no_read() {
    let redis = Redis::start().unwrap();
    let servers = pair(&redis);
    let mut owner = servers[0].owner();
    let (secret, (key, value)) = eventually("a hit", || {
        let (_, secret, entry) = passed_on(&redis, &mut owner, &servers[0]);
        until_even(&servers);
        let (reads, hits) = (servers[1].metrics().candidate_reads(), outcome(&servers[1], "hit"));
        assert!(servers[1].anyone().is_valid(&secret));
        let asked = servers[1].metrics().candidate_reads() - reads;
        let is_hit = outcome(&servers[1], "hit") == hits + 1;
        assert_eq!(asked, u64::from(!is_hit), "the database is asked if Redis has no answer, and only then");
        is_hit.then_some((secret, entry))
    });
    let hits = outcome(&servers[1], "hit");
    assert!(servers[1].anyone().is_valid(&secret));
    assert_eq!(outcome(&servers[1], "hit"), hits, "and then it is remembered");
    for shown in [key, value] {
        let text = String::from_utf8_lossy(&shown);
        assert!(!text.contains(&secret[4..20]) && !text.contains("read") && !text.contains("org_"), "{text}");
    }
}

#[test]
fn a_node_that_starts_takes_nothing_that_was_read_before() {
    let redis = Redis::start().unwrap();
    let servers = pair(&redis);
    let mut owner = servers[0].owner();
    until_sharing(&mut owner, &servers);
    eventually("an answer of Redis", || {
        let (_, secret, _) = passed_on(&redis, &mut owner, &servers[0]);
        let third = servers[0].beside(with(&redis));
        until_up(&third);
        assert!(third.anyone().is_valid(&secret));
        assert_eq!(outcome(&third, "hit"), 0, "the database may have been restored between the two");
        (outcome(&third, "refused") > 0).then_some(())
    });
}

#[test]
fn an_entry_from_before_a_revocation_is_refused_whoever_revoked_the_token() {
    let redis = Redis::start().unwrap();
    let servers = pair(&redis);
    let mut owner = servers[0].owner();
    until_sharing(&mut owner, &servers);
    for (asked, revoker) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        for round in 0..6 {
            let (id, secret, (key, old)) = passed_on(&redis, &mut owner, &servers[0]);
            until_even(&servers);
            let (mut anyone, mut revoker) = (servers[asked].anyone(), servers[revoker].caller(owner.credential()));
            revoker.revoke(&id);
            redis.plant(&key, &old).unwrap();
            if round % 2 == 1 {
                // Until the node that made the change has applied its log entry too: before, it takes nothing from the cache.
                until_even(&servers);
            }
            assert!(!anyone.is_valid(&secret), "asked {asked}, round {round}");
        }
        assert!(outcome(&servers[asked], "refused") > 0, "Redis was asked, and not believed");
    }
}

#[test]
fn an_entry_under_the_name_of_another_token_makes_nothing_valid() {
    let redis = Redis::start().unwrap();
    let servers = pair(&redis);
    let mut owner = servers[0].owner();
    let (_, good, (_, live)) = passed_on(&redis, &mut owner, &servers[0]);
    let (id, revoked, (key, _)) = passed_on(&redis, &mut owner, &servers[0]);
    owner.revoke(&id);
    let (_, fresh, (other, entry)) = passed_on(&redis, &mut owner, &servers[0]);
    until_even(&servers);
    for planted in [&live, &entry, &b"{}".to_vec(), &vec![0; 4_096], &vec![0x41; 100_000]] {
        redis.plant(&key, planted).unwrap();
        assert!(servers.iter().all(|server| !server.anyone().is_valid(&revoked)));
    }
    // The other way round: a good token stays good whatever is said about it.
    redis.plant(&other, &live[..live.len() - 1]).unwrap();
    assert!(servers[1].anyone().is_valid(&fresh) && servers[1].anyone().is_valid(&good));
}

#[test]
fn a_change_of_the_organisation_outdates_the_entries_of_all_its_tokens() {
    let redis = Redis::start().unwrap();
    let servers = pair(&redis);
    let mut owner = servers[0].owner();
    until_sharing(&mut owner, &servers);
    let person = servers[0].facts().add_member("bob@acme.example", token_domain::person::BuiltInRole::Member);
    let mut bob = servers[0].signed_in("bob@acme.example");
    let before = redis.all(ENTRIES).unwrap();
    let (secret, (key, old)) = eventually("an entry in Redis", || {
        let made = bob.post("/v1/me/keys", &serde_json::json!({"name": "mine", "scopes": ["read"]})).expect(201);
        let [secret] = texts(&made, ["secret"]);
        assert!(servers[0].anyone().is_valid(&secret));
        std::thread::sleep(Duration::from_millis(300));
        let now = redis.all(ENTRIES).unwrap();
        now.into_iter().find(|(key, _)| before.iter().all(|(known, _)| known != key)).map(|entry| (secret, entry))
    });
    until_even(&servers);
    let organization = servers[0].facts().organization(Server::ORGANIZATION).id;
    owner.delete(&format!("/v1/organizations/{organization}/members/{}", person.id)).expect(204);
    redis.plant(&key, &old).unwrap();
    assert!(servers.iter().all(|server| !server.anyone().is_valid(&secret)));
}

#[test]
fn a_redis_that_forgets_hangs_dies_and_comes_back_changes_no_answer() {
    let mut redis = Redis::start().unwrap();
    let servers = pair(&redis);
    let mut owner = servers[0].owner();
    let mut check = |what: &str| {
        let [id, secret] = texts(&owner.create("checked"), ["id", "secret"]);
        for server in &servers {
            assert!(server.anyone().is_valid(&secret), "{what}");
        }
        owner.revoke(&id);
        for server in &servers {
            assert!(!server.anyone().is_valid(&secret), "{what}");
        }
    };
    check("with it");
    redis.ask(&["FLUSHALL"]).unwrap();
    check("flushed");
    redis.signal(Signal::STOP);
    check("hanging");
    servers.iter().for_each(until_down);
    check("missed");
    redis.signal(Signal::CONT);
    servers.iter().for_each(until_up);
    check("back");
    redis.kill().unwrap();
    check("killed");
    servers.iter().for_each(until_down);
    redis.start_again().unwrap();
    servers.iter().for_each(until_up);
    check("back and empty");
    for server in &servers {
        let log = server.log();
        assert_eq!(log.matches("Redis cannot be used").count(), 2, "once each time it was lost\n{log}");
        assert_eq!(log.matches("Redis is back").count(), 2, "{log}");
    }
}

#[test]
fn a_redis_is_reached_by_a_unix_socket() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("redis.sock").display().to_string();
    let redis = Redis::start_with(&["--unixsocket", &socket]).unwrap();
    let servers = cluster(2, &Options::default().with("redis.url", format!("unix://{socket}")));
    servers.iter().for_each(until_up);
    until_sharing(&mut servers[0].owner(), &servers);
    drop(redis);
}

#[test]
fn a_redis_is_reached_by_tls_if_its_certificate_is_of_the_named_authority() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: String| {
        let path = folder.path().join(name).display().to_string();
        std::fs::write(&path, text).unwrap();
        path
    };
    let certified = || rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (made, stranger) = (certified(), certified());
    let certificate = file("certificate.pem", made.cert.pem());
    let key = file("key.pem", made.signing_key.serialize_pem());
    let stranger = file("stranger.pem", stranger.cert.pem());
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let tls = ["--tls-port", &port, "--tls-cert-file", &certificate, "--tls-key-file", &key];
    let _redis =
        Redis::start_with(&[&tls[..], &["--tls-ca-cert-file", &certificate, "--tls-auth-clients", "no"]].concat());
    let options = Options::default().with("redis.url", format!("rediss://localhost:{port}"));
    let servers = cluster(2, &options.clone().with("redis.ca_file", &certificate));
    servers.iter().for_each(until_up);
    until_sharing(&mut servers[0].owner(), &servers);
    for untrusting in [options.clone().with("redis.ca_file", &stranger), options] {
        let server = servers[0].beside(untrusting);
        server.says(&["Redis cannot be used", "certificate"]);
        assert_eq!(server.metrics().get("nolapse_redis_up"), 0);
    }
}

#[test]
fn a_question_that_names_a_revocation_takes_nothing_from_redis() {
    let redis = Redis::start().unwrap();
    let servers = cluster(2, &with(&redis).with("cluster.consistency", "relaxed"));
    servers.iter().for_each(until_up);
    let mut owner = servers[0].owner();
    until_sharing(&mut owner, &servers);
    for _ in 0..10 {
        let (id, secret, (key, old)) = passed_on(&redis, &mut owner, &servers[0]);
        let revoked = owner.delete(&format!("/v1/tokens/{id}"));
        let place = revoked.header("x-nlp-revocation-seq").expect("its place in the log").to_owned();
        redis.plant(&key, &old).unwrap();
        for server in &servers {
            let request = Request::new("POST", "/v1/auth/validate").header("X-Nlp-Min-Seq", &place);
            let answer = server.anyone().ask(request.json(&serde_json::json!({ "token": secret })));
            assert_eq!(answer.status, 401, "{}", answer.text());
        }
    }
}

#[test]
fn a_redis_that_is_absent_at_the_start_is_waited_for_by_nobody() {
    let mut redis = Redis::start().unwrap();
    redis.kill().unwrap();
    let server = Server::start(crate::support::Backend::PostgreSql, with(&redis));
    let mut owner = server.owner();
    let [_, secret] = texts(&owner.create("without"), ["id", "secret"]);
    assert!(server.anyone().is_valid(&secret));
    server.says(&["Redis cannot be used"]);
    redis.start_again().unwrap();
    until_up(&server);
}

#[test]
fn a_server_that_answers_nonsense_is_no_redis() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut stream = stream;
                while stream.write_all(b"$5\r\nnonsense\r\n*-7\r\n+OK\r\n\0\xff").is_ok() {
                    std::thread::sleep(Duration::from_millis(5));
                }
            });
        }
    });
    let options = Options::default().with("redis.url", format!("redis://127.0.0.1:{port}"));
    let servers = cluster(2, &options);
    let mut owner = servers[0].owner();
    for _ in 0..5 {
        let (id, secret) = super::known_everywhere(&mut owner, &servers);
        owner.revoke(&id);
        assert!(servers.iter().all(|server| !server.anyone().is_valid(&secret)));
    }
}

#[test]
fn sentinels_lead_to_the_server_that_took_over() {
    let (first, second) = (Redis::start().unwrap(), Redis::start().unwrap());
    second.ask(&["REPLICAOF", "127.0.0.1", &first.port().to_string()]).unwrap();
    let sentinel = first.watched_as("main").unwrap();
    let url = format!("redis+sentinel://127.0.0.1:1,127.0.0.1:{}/main", sentinel.port());
    let servers = cluster(2, &Options::default().with("redis.url", url));
    servers.iter().for_each(until_up);
    let mut owner = servers[0].owner();
    passed_on(&first, &mut owner, &servers[0]);
    // Refused until the sentinel has found the replica and the replica is in step.
    eventually("a failover", || sentinel.ask(&["SENTINEL", "FAILOVER", "main"]).ok());
    let listeners = || second.ask(&["CLIENT", "LIST", "TYPE", "PUBSUB"]);
    eventually("both nodes at the other server", || {
        let Reply::Bytes(list) = listeners().ok()? else { return None };
        (String::from_utf8_lossy(&list).lines().count() >= 2).then_some(())
    });
    servers.iter().for_each(until_up);
    let (id, secret, _) = passed_on(&second, &mut owner, &servers[0]);
    assert!(servers[1].anyone().is_valid(&secret));
    owner.revoke(&id);
    assert!(servers.iter().all(|server| !server.anyone().is_valid(&secret)));
}

#[test]
fn a_replica_at_the_address_is_left_alone_until_it_is_one_no_more() {
    let (first, second) = (Redis::start().unwrap(), Redis::start().unwrap());
    second.ask(&["REPLICAOF", "127.0.0.1", &first.port().to_string()]).unwrap();
    let servers = cluster(2, &with(&second));
    for server in &servers {
        server.says(&["Redis cannot be used", "is a replica"]);
        assert_eq!(server.metrics().get("nolapse_redis_up"), 0);
    }
    second.ask(&["REPLICAOF", "NO", "ONE"]).unwrap();
    servers.iter().for_each(until_up);
    until_sharing(&mut servers[0].owner(), &servers);
    second.ask(&["REPLICAOF", "127.0.0.1", &first.port().to_string()]).unwrap();
    servers.iter().for_each(until_down);
}

#[test]
fn a_user_who_may_not_ask_for_the_role_is_served_all_the_same() {
    let redis = Redis::start().unwrap();
    let user = ["ACL", "SETUSER", "nodes", "on", ">s3cret", "~nolapse:*", "&nolapse:*", "+@all", "-role"];
    redis.ask(&user).unwrap();
    let url = format!("redis://nodes:s3cret@127.0.0.1:{}", redis.port());
    let servers = cluster(2, &Options::default().with("redis.url", url));
    servers.iter().for_each(until_up);
    until_sharing(&mut servers[0].owner(), &servers);
}

#[test]
fn hints_are_heard_and_a_flood_of_forged_ones_hurts_nobody() {
    let redis = Redis::start().unwrap();
    let servers = pair(&redis);
    let mut owner = servers[0].owner();
    let heard = || servers[1].metrics().get("nolapse_redis_hints_received_total");
    let before = heard();
    let (id, _) = super::known_everywhere(&mut owner, &servers);
    owner.revoke(&id);
    eventually("a hint", || (heard() > before).then_some(()));
    let channels = redis.ask(&["PUBSUB", "CHANNELS", "nolapse:*:changes"]).unwrap();
    let Reply::List(channels) = channels else { panic!("{channels:?}") };
    let [Reply::Bytes(channel)] = channels.as_slice() else { panic!("{channels:?}") };
    for _ in 0..2_000 {
        redis.ask(&[b"PUBLISH", channel.as_slice(), b"forged"]).unwrap();
    }
    let (id, secret) = super::known_everywhere(&mut owner, &servers);
    owner.revoke(&id);
    assert!(servers.iter().all(|server| !server.anyone().is_valid(&secret)));
}
