//! Webhooks against a real receiver: which messages arrive, how they are signed, and what happens when the receiver fails, hangs
//! or has an address that is not allowed.

pub(crate) mod receiver;

use serde_json::{Value, json};

use self::receiver::{Receiver, Turn, verifies};
use crate::support::{Backend, Client, Options, Server, both, eventually, texts};

both!(
    events_arrive_signed_with_ids_and_names_and_no_secret,
    a_rotated_secret_signs_beside_the_one_before,
    a_failure_is_tried_again_under_the_same_id_and_no_redirect_is_followed,
    an_endpoint_that_is_gone_is_disabled,
    an_address_that_is_not_allowed_is_never_connected_to,
    one_that_hangs_holds_up_no_other,
    a_delivery_is_replayed,
    nothing_is_sent_for_a_change_that_did_not_happen,
);

fn options() -> Options {
    Options::default().with("webhooks.enabled", true).with("outbound.allowed_networks", "127.0.0.0/8")
}

fn path(owner: &mut Client) -> String {
    let [organization] = texts(&owner.get("/v1/me").expect(200), ["org_id"]);
    format!("/v1/organizations/{organization}/webhooks")
}

/// Creates a webhook; returns its path and its secret.
#[track_caller]
fn webhook(owner: &mut Client, url: &str, events: &[&str]) -> (String, String) {
    let path = path(owner);
    let made = owner.post(&path, &json!({"url": url, "events": events}));
    assert_eq!(made.header("cache-control"), Some("no-store"));
    let [id, secret] = texts(&made.expect(201), ["id", "secret"]);
    (format!("{path}/{id}"), secret)
}

fn deliveries(owner: &mut Client, webhook: &str) -> Vec<Value> {
    owner.get(&format!("{webhook}/deliveries?limit=100")).expect(200)["deliveries"].as_array().unwrap().clone()
}

/// Waits until the newest delivery has this status.
#[track_caller]
fn until(owner: &mut Client, webhook: &str, status: &str) -> Value {
    eventually(status, || {
        let newest = deliveries(owner, webhook).into_iter().next()?;
        (newest["status"] == status).then_some(newest)
    })
}

#[test]
fn the_receiver_of_these_tests_accepts_the_published_vector() {
    let (secret, header) =
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    let content = r#"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}"#;
    assert!(verifies(secret, content, header));
    assert!(!verifies(secret, &content.replace("614", "615"), header));
}

fn events_arrive_signed_with_ids_and_names_and_no_secret(backend: Backend) {
    let receiver = Receiver::start();
    let server = Server::start(backend, options());
    let mut owner = server.owner();
    let (hook, secret) = webhook(&mut owner, &receiver.url("http"), &["token.revoke", "token.create"]);
    let [id, token] = texts(&owner.create("nightly build"), ["id", "secret"]);
    owner.patch(&format!("/v1/tokens/{id}"), &json!({"name": "nightly"})).expect(200);
    owner.revoke(&id);
    let got = receiver.wait_for(2);
    let kinds: Vec<Value> = got.iter().map(|one| one.json()["type"].clone()).collect();
    assert_eq!(kinds, ["token.create", "token.revoke"], "renaming was not asked for");
    for one in &got {
        assert_eq!(one.line, "POST /hook?key=1 HTTP/1.1");
        assert_eq!(one.header("content-type"), "application/json");
        assert!(one.is_signed_by(&secret), "{one:?}");
        assert!(!one.body.contains(&token) && !one.body.contains("nlp_"), "{}", one.body);
    }
    let revoked = got[1].json();
    let data = &revoked["data"];
    assert_eq!(
        (&data["target_kind"], &data["target_id"], &data["target_name"]),
        (&json!("token"), &json!(id), &json!("nightly"))
    );
    let [org, user] = texts(&owner.get("/v1/me").expect(200), ["org_id", "user_id"]);
    assert_eq!((&data["org_id"], &data["actor"]), (&json!(org), &json!(format!("user:{user}"))));
    let events = owner.get("/v1/audit?action=token.revoke").expect(200)["events"].clone();
    assert_eq!((&data["seq"], &data["detail"]), (&events[0]["seq"], &events[0]["detail"]));
    until(&mut owner, &hook, "delivered");
    let shown = deliveries(&mut owner, &hook);
    let ids: Vec<&str> = shown.iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [got[1].header("webhook-id"), got[0].header("webhook-id")]);
    assert_eq!((&shown[0]["attempts"], &shown[0]["response_code"]), (&json!(1), &json!(204)));
    let page = owner.get(&format!("{hook}/deliveries?limit=1")).expect(200);
    let next = owner.get(&format!("{hook}/deliveries?limit=1&cursor={}", page["next_cursor"].as_str().unwrap()));
    assert_eq!(next.expect(200)["deliveries"][0]["id"], ids[1]);
    assert_eq!(owner.get("/v1/audit/verify").expect(200)["ok"], true);
    assert!(!server.log().contains("whsec_") && !owner.get(&hook).text().contains(&secret), "shown once");
    let all = path(&mut owner);
    for _ in 1..10 {
        webhook(&mut owner, "https://127.0.0.1:9/", &["project.delete"]);
    }
    owner
        .post(&all, &json!({"url": "https://127.0.0.1:9/", "events": ["role.create"]}))
        .fails(409, "too many webhooks");
}

fn a_rotated_secret_signs_beside_the_one_before(backend: Backend) {
    let receiver = Receiver::start();
    let server = Server::start(backend, options());
    let mut owner = server.owner();
    let (hook, first) = webhook(&mut owner, &receiver.url("http"), &["token.create"]);
    let [second] = texts(&owner.call(&format!("{hook}/rotate-secret")).expect(200), ["secret"]);
    owner.create("a");
    let got = &receiver.wait_for(1)[0];
    assert!(got.is_signed_by(&first) && got.is_signed_by(&second), "{got:?}");
    let [third] = texts(&owner.call(&format!("{hook}/rotate-secret")).expect(200), ["secret"]);
    owner.create("b");
    let got = &receiver.wait_for(2)[1];
    assert!(!got.is_signed_by(&first) && got.is_signed_by(&second) && got.is_signed_by(&third), "{got:?}");
}

fn a_failure_is_tried_again_under_the_same_id_and_no_redirect_is_followed(backend: Backend) {
    let (receiver, elsewhere) = (Receiver::start(), Receiver::start());
    receiver.then([Turn::Answer(500), Turn::Redirect(elsewhere.url("http"))]);
    let server = Server::start(backend, options());
    let mut owner = server.owner();
    let (hook, secret) = webhook(&mut owner, &receiver.url("http"), &["token.create"]);
    owner.create("a");
    let got = receiver.wait_for(2);
    assert_eq!(got[0].header("webhook-id"), got[1].header("webhook-id"));
    assert_eq!(got[0].body, got[1].body);
    assert!(got.iter().all(|one| one.is_signed_by(&secret)), "{got:?}");
    let shown = eventually("the redirect is recorded", || {
        deliveries(&mut owner, &hook).into_iter().find(|one| one["attempts"] == 2)
    });
    assert_eq!((&shown["status"], &shown["response_code"]), (&json!("pending"), &json!(307)));
    assert!(shown["next_attempt_at"].as_str() > shown["last_attempt_at"].as_str(), "{shown}");
    eventually("both failures are counted", || (owner.get(&hook).expect(200)["failures"] == 2).then_some(()));
    assert_eq!(elsewhere.connections(), 0, "redirects that were followed");
}

fn an_endpoint_that_is_gone_is_disabled(backend: Backend) {
    let receiver = Receiver::start();
    receiver.then([Turn::Answer(410)]);
    let server = Server::start(backend, options());
    let mut owner = server.owner();
    let (hook, _) = webhook(&mut owner, &receiver.url("http"), &["token.create"]);
    owner.create("a");
    until(&mut owner, &hook, "failed");
    let disabled = eventually("it is disabled", || {
        let shown = owner.get(&hook).expect(200);
        (shown["enabled"] == false).then_some(shown)
    });
    assert!(disabled["gone_at"].is_string(), "{disabled}");
    let events = owner.get("/v1/audit?action=webhook.update").expect(200)["events"].clone();
    assert_eq!((&events[0]["actor"], &events[0]["detail"]["reason"]), (&json!("system"), &json!("gone")));
    owner.create("b");
    assert_eq!(deliveries(&mut owner, &hook).len(), 1, "nothing is queued for it");
    owner.call(&format!("{hook}/test")).fails(409, "webhook disabled");
    let enabled = owner.patch(&hook, &json!({"enabled": true})).expect(200);
    assert_eq!((&enabled["enabled"], &enabled["gone_at"]), (&json!(true), &Value::Null));
    owner.create("c");
    assert_eq!(receiver.wait_for(2)[1].json()["data"]["target_name"], "c");
}

fn an_address_that_is_not_allowed_is_never_connected_to(backend: Backend) {
    let receiver = Receiver::start();
    let server = Server::start(backend, options().with("outbound.allowed_networks", "10.0.0.0/8"));
    let mut owner = server.owner();
    for url in [receiver.url("http"), receiver.url("https"), receiver.url("http").replace("127.0.0.1", "localhost")] {
        let (hook, _) = webhook(&mut owner, &url, &["token.create"]);
        owner.create("a");
        let shown =
            eventually("an attempt", || deliveries(&mut owner, &hook).into_iter().find(|one| one["attempts"] == 1));
        assert_eq!((&shown["error"], &shown["response_code"]), (&json!("address_not_allowed"), &Value::Null), "{url}");
        owner.delete(&hook).expect(204);
    }
    assert_eq!(receiver.connections(), 0);
}

fn one_that_hangs_holds_up_no_other(backend: Backend) {
    let (hanging, dripping, good) = (Receiver::start(), Receiver::start(), Receiver::start());
    hanging.then(vec![Turn::Hang; 9]);
    dripping.then(vec![Turn::Drip; 9]);
    let server = Server::start(backend, options());
    let mut owner = server.owner();
    let (hangs, _) = webhook(&mut owner, &hanging.url("http"), &["token.create"]);
    let (drips, _) = webhook(&mut owner, &dripping.url("http"), &["token.create"]);
    owner.create("a");
    hanging.wait_for(1);
    dripping.wait_for(1);
    webhook(&mut owner, &good.url("http"), &["token.create"]);
    for n in 0..10 {
        owner.create(&format!("b{n}"));
    }
    good.wait_for(10);
    for hook in [hangs, drips] {
        let first = eventually("the attempt is over", || {
            deliveries(&mut owner, &hook).into_iter().find(|one| one["attempts"] == 1 && one["status"] == "pending")
        });
        assert_eq!(first["error"], "no_answer");
        let tried = deliveries(&mut owner, &hook).iter().filter(|one| one["attempts"] != 0).count();
        assert_eq!(tried, 1, "what failed is not followed by the next at once");
    }
}

fn a_delivery_is_replayed(backend: Backend) {
    let receiver = Receiver::start();
    let server = Server::start(backend, options());
    let mut owner = server.owner();
    let (hook, secret) = webhook(&mut owner, &receiver.url("http"), &["project.delete"]);
    let tested = owner.call(&format!("{hook}/test")).expect(202);
    assert_eq!((&tested["event"], &tested["status"]), (&json!("webhook.test"), &json!("pending")));
    let [id] = texts(&tested, ["id"]);
    until(&mut owner, &hook, "delivered");
    let replayed = owner.call(&format!("{hook}/deliveries/{id}/replay")).expect(202);
    assert_eq!((&replayed["status"], &replayed["attempts"]), (&json!("pending"), &json!(0)));
    let got = receiver.wait_for(2);
    assert!(got.iter().all(|one| one.header("webhook-id") == id && one.is_signed_by(&secret)), "{got:?}");
    assert_eq!(got[0].body, got[1].body);
    until(&mut owner, &hook, "delivered");
    owner.call(&format!("{hook}/deliveries/00000000-0000-0000-0000-000000000000/replay")).fails(404, "not found");
    let actions: Vec<Value> = owner.get("/v1/audit?order=newest&limit=2").expect(200)["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["action"].clone())
        .collect();
    assert_eq!(actions, ["webhook.replay", "webhook.test"]);
}

fn nothing_is_sent_for_a_change_that_did_not_happen(backend: Backend) {
    let receiver = Receiver::start();
    let server = Server::start(backend, options());
    let mut owner = server.owner();
    let (hook, _) = webhook(&mut owner, &receiver.url("http"), &["token.create", "token.revoke", "project.create"]);
    owner.post("/v1/tokens", &json!({"name": "a", "scopes": ["no such scope"]})).expect(400);
    let projects = path(&mut owner).replace("/webhooks", "/projects");
    owner.post(&projects, &json!({"slug": "fleet"})).expect(201);
    owner.post(&projects, &json!({"slug": "fleet"})).expect(409);
    let [id] = texts(&owner.create("b"), ["id"]);
    owner.revoke(&id);
    owner.revoke(&id);
    let kinds: Vec<Value> = deliveries(&mut owner, &hook).iter().map(|one| one["event"].clone()).collect();
    assert_eq!(kinds, ["token.revoke", "token.create", "project.create"]);
}

// It waits a minute for the claim to be over, on one database: the other's claims are tested in the store.
#[test]
fn what_was_committed_before_a_crash_arrives_after_it() {
    let receiver = Receiver::start();
    receiver.then([Turn::Hang]);
    let mut server = Server::start(Backend::Sqlite, options());
    let mut owner = server.owner();
    let (hook, secret) = webhook(&mut owner, &receiver.url("http"), &["token.create"]);
    owner.create("a");
    let first = receiver.wait_for(1)[0].clone();
    server.kill();
    server.serve();
    let mut owner = server.owner();
    assert_eq!(deliveries(&mut owner, &hook)[0]["status"], "pending");
    let again = receiver.wait_for(2)[1].clone();
    assert_eq!(again.header("webhook-id"), first.header("webhook-id"));
    assert!(again.is_signed_by(&secret), "{again:?}");
    let shown = until(&mut owner, &hook, "delivered");
    assert_eq!(shown["attempts"], 1, "the attempt that nobody recorded does not count");
}

#[test]
fn of_several_nodes_one_sends_each_event() {
    const COUNT: usize = 40;
    let receivers = [Receiver::start(), Receiver::start(), Receiver::start()];
    let server = Server::start(Backend::PostgreSql, options());
    let beside = server.beside(options());
    let mut owner = server.owner();
    let hooks = receivers.each_ref().map(|receiver| webhook(&mut owner, &receiver.url("http"), &["token.create"]).0);
    let mut other = beside.owner();
    for n in 0..COUNT {
        let by = if n % 2 == 0 { &mut owner } else { &mut other };
        by.create(&format!("t{n}"));
    }
    for (receiver, hook) in receivers.iter().zip(&hooks) {
        receiver.wait_for(COUNT);
        eventually("all are recorded", || {
            deliveries(&mut owner, hook).iter().all(|one| one["status"] == "delivered").then_some(())
        });
        let mut ids: Vec<String> = receiver.got().iter().map(|one| one.header("webhook-id").to_owned()).collect();
        ids.sort();
        ids.dedup();
        assert_eq!((receiver.got().len(), ids.len()), (COUNT, COUNT), "each once");
    }
}

#[test]
fn a_webhook_can_be_disabled_and_deleted_while_they_are_switched_off() {
    let mut server = Server::start(Backend::Sqlite, options());
    let (hook, _) = webhook(&mut server.owner(), "https://127.0.0.1:9/", &["token.create"]);
    server.stop();
    server.options = Options::default();
    server.serve();
    let mut owner = server.owner();
    owner.call(&format!("{hook}/test")).fails(403, "webhooks are off");
    owner.patch(&hook, &json!({"enabled": false})).expect(200);
    owner.delete(&hook).expect(204);
    owner.get(&hook).fails(404, "not found");
}
