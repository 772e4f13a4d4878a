//! `GET /v1/audit`: order, pages, filters, and isolation of organisations.

use serde_json::{Value, json};
use token_domain::person::BuiltInRole;

use crate::support::{Backend, Options, Server, both, later, texts};

both!(
    events_are_listed_as_they_happened_or_back_in_time,
    a_list_is_followed_from_where_it_ended,
    events_are_narrowed_by_action_actor_target_and_time,
    what_cannot_be_asked_names_the_parameter,
    nobody_reads_the_trail_of_others,
);

fn seqs(list: &Value) -> Vec<i64> {
    list["events"].as_array().unwrap().iter().map(|event| event["seq"].as_i64().unwrap()).collect()
}

fn events_are_listed_as_they_happened_or_back_in_time(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [id] = texts(&owner.create("a"), ["id"]);
    owner.revoke(&id);
    let list = owner.get("/v1/audit").expect(200);
    assert_eq!(list["next_cursor"], Value::Null);
    let events = list["events"].as_array().unwrap();
    let actions: Vec<&str> = events.iter().map(|event| event["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["session.create", "token.create", "token.revoke"]);
    let keys: Vec<&str> = events[1].as_object().unwrap().keys().map(String::as_str).collect();
    let all = ["action", "actor", "at", "detail", "hash", "prev_hash", "request_id", "seq", "target_id", "target_kind"];
    assert_eq!(keys, all);
    assert_eq!((&events[1]["target_kind"], &events[1]["target_id"]), (&json!("token"), &json!(id)));
    assert_eq!(events[2]["prev_hash"], events[1]["hash"]);
    assert!(events[1]["detail"].is_object(), "{}", events[1]);
    let recorded = &server.facts().audit()[1];
    assert_eq!(events[1]["at"], recorded.at.rfc3339_micros());

    assert_eq!(seqs(&owner.get("/v1/audit?order=newest").expect(200)), [3, 2, 1]);
    assert_eq!(seqs(&owner.get("/v1/audit?order=oldest").expect(200)), [1, 2, 3]);
}

fn a_list_is_followed_from_where_it_ended(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    for name in ["a", "b", "c", "d"] {
        owner.create(name);
    }
    for (order, expected) in
        [("oldest", vec![vec![1, 2], vec![3, 4], vec![5]]), ("newest", vec![vec![5, 4], vec![3, 2], vec![1]])]
    {
        let mut pages = Vec::new();
        let mut path = format!("/v1/audit?order={order}&limit=2");
        loop {
            let page = owner.get(&path).expect(200);
            pages.push(seqs(&page));
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            path = format!("/v1/audit?order={order}&limit=2&after={cursor}");
        }
        assert_eq!(pages, expected, "{order}");
    }
    // `after` with the number of the last event seen returns the events since then.
    assert_eq!(seqs(&owner.get("/v1/audit?after=5").expect(200)), [] as [i64; 0]);
    owner.create("e");
    assert_eq!(seqs(&owner.get("/v1/audit?after=5").expect(200)), [6]);
}

fn events_are_narrowed_by_action_actor_target_and_time(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let before = later(-1);
    let mut owner = server.owner();
    let [id, secret] = texts(&owner.create_with("a", &["admin"]), ["id", "secret"]);
    let [made] = texts(&server.caller(&secret).create("b"), ["id"]);
    owner.revoke(&made);
    let me = owner.get("/v1/me").expect(200);
    let [user, org] = texts(&me, ["user_id", "org_id"]);
    let compact = made.replace('-', "").to_uppercase();
    let after = later(2);
    let rows: [(String, &[i64]); 14] = [
        ("action=token.create".into(), &[2, 3]),
        ("action=token.create&order=newest&limit=1".into(), &[3]),
        ("action=token".into(), &[]),
        (format!("actor=user:{user}"), &[1, 2, 4]),
        (format!("actor=token:{id}"), &[3]),
        ("actor=system".into(), &[]),
        (format!("target={made}"), &[3, 4]),
        (format!("target={compact}"), &[3, 4]),
        (format!("target={made}&action=token.revoke&actor=user:{user}"), &[4]),
        (format!("target={org}"), &[]),
        (format!("from={before}"), &[1, 2, 3, 4]),
        (format!("to={before}"), &[]),
        (format!("from={after}"), &[]),
        (format!("from={before}&to={after}&action=token.revoke"), &[4]),
    ];
    for (query, expected) in rows {
        assert_eq!(seqs(&owner.get(&format!("/v1/audit?{query}")).expect(200)), expected, "{query}");
    }
    // An event is included from its own time on, and excluded up to its own time.
    let events = owner.get("/v1/audit").expect(200);
    let at = events["events"][2]["at"].as_str().unwrap();
    assert!(seqs(&owner.get(&format!("/v1/audit?from={at}")).expect(200)).contains(&3));
    assert!(!seqs(&owner.get(&format!("/v1/audit?to={at}")).expect(200)).contains(&3));
}

fn what_cannot_be_asked_names_the_parameter(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let long = "x".repeat(256);
    for (query, parameter) in [
        ("after=", "after"),
        ("after=-1", "after"),
        ("after=one", "after"),
        ("after=99999999999999999999", "after"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("action=", "action"),
        (&format!("action={long}"), "action"),
        ("actor=ada", "actor"),
        ("actor=user:ada", "actor"),
        ("actor=session:0190163d-8694-739b-aea5-966c26f8ad91", "actor"),
        ("target=", "target"),
        (&format!("target={long}"), "target"),
        ("from=yesterday", "from"),
        ("to=2026-01-15", "to"),
        ("order=random", "order"),
        ("order=newest&order=oldest", "order"),
    ] {
        let answer = owner.get(&format!("/v1/audit?{query}"));
        assert_eq!(answer.fails(400, "invalid request")["field"], parameter, "{query}");
    }
    for (path, parameter) in [
        ("/v1/audit/export?after=x", "after"),
        ("/v1/audit/verify?after=5", "after"),
        ("/v1/audit/verify?after=x.y", "after"),
        ("/v1/audit/verify?expect_head=5.00", "expect_head"),
    ] {
        assert_eq!(owner.get(path).fails(400, "invalid request")["field"], parameter, "{path}");
    }
}

fn nobody_reads_the_trail_of_others(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let facts = server.facts();
    let elsewhere = facts.add_organization("elsewhere");
    let stranger = facts.add_person("stranger@elsewhere.example");
    facts.join(elsewhere, &stranger, BuiltInRole::Owner);
    let mut owner = server.owner();
    let [id] = texts(&owner.create("a"), ["id"]);
    let mut stranger = server.signed_in("stranger@elsewhere.example");
    let own = stranger.get("/v1/audit").expect(200);
    assert_eq!(seqs(&own), [1], "their own signing in, and nothing else");
    assert_eq!(own["events"][0]["action"], "session.create");
    assert_eq!(seqs(&stranger.get(&format!("/v1/audit?target={id}")).expect(200)), [] as [i64; 0]);
    assert!(!stranger.get("/v1/audit/export").text().contains(&id));
    assert_eq!(stranger.get("/v1/audit/verify").expect(200)["checked"], 2, "and their own export");
}
