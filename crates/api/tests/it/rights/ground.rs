//! The fixtures: a server, organisations on it, and the people, tokens and keys whose rights the tests take away.

use std::sync::Arc;

use serde_json::{Value, json};

use super::GIVERS;
use super::rows::{Gift, Holder};
use crate::support::{App, Backend, Client, Options, Server, enrol, texts};

/// The credential of a front end.
pub(super) const SERVICE_TOKEN: &str = "the-service-token-of-this-deployment";

/// Starts a server whose password hashes are slow enough for requests to overlap while one is computed.
pub(super) fn serving(backend: Backend) -> Arc<Server> {
    let options = Options::default().bcrypt().with("hashing.bcrypt_cost", 7);
    let options = options.with("server.keep_alive_seconds", 600).with("rate_limit.leak_reports", 1_000_000);
    let options = options.with("sessions.service_token", SERVICE_TOKEN).with("webhooks.enabled", true);
    // These tests sign in often: the limits on sign-ins are tested elsewhere.
    let options = options
        .with("tokens.legacy_lookup", true)
        .with("rate_limit.sign_in_attempts", 1_000)
        .with("rate_limit.sign_in_concurrent_per_account", 100);
    Arc::new(Server::start(backend, options))
}

/// A caller whose right the test takes away.
pub(super) struct Held {
    /// The credential presented.
    pub(super) credential: String,
    /// The id that the loss acts on: of the token, its predecessor, its actor or the person's role. `None` for a
    /// session.
    pub(super) id: Option<String>,
    /// The person behind the credential; `None` for a token of the organisation or of an actor.
    pub(super) person: Option<Person>,
    /// The authenticator app of a second factor that is not confirmed yet.
    pub(super) app: Option<App>,
    /// Unused recovery codes.
    pub(super) codes: Vec<String>,
}

/// A person behind a credential.
pub(super) struct Person {
    pub(super) id: String,
    pub(super) email: String,
    /// Another session of this person, which the loss may be requested with.
    pub(super) other: Client,
}

/// An organisation, its owner, and a project in it.
pub(super) struct World {
    /// Shared with the worlds of other threads, each of which has an organisation of its own.
    pub(super) server: Arc<Server>,
    pub(super) owner: Client,
    /// The paths of the organisation and of its project.
    pub(super) org: String,
    pub(super) project: String,
    /// Roles that the current try needs, which `clear_roles` keeps.
    roles: Vec<String>,
    /// A member whose role `edit_member` changes.
    bystander: Option<String>,
    /// The organisation's slug, also the prefix of all names made in it.
    slug: String,
    count: usize,
}

impl World {
    pub(super) fn new(backend: Backend) -> Self {
        Self::beside(&serving(backend), 0)
    }

    /// A world with an organisation of its own, on a server shared with other worlds.
    pub(super) fn beside(server: &Arc<Server>, number: usize) -> Self {
        let slug = format!("w{number}");
        let mut founder = server.owner();
        founder.post("/v1/organizations", &json!({ "slug": slug })).expect(201);
        let switched = founder.post("/v1/sessions/switch", &json!({ "organization": slug })).expect(201);
        let mut owner = server.caller(&texts(&switched, ["token"])[0]);
        let [id] = texts(&owner.get("/v1/me").expect(200), ["org_id"]);
        let org = format!("/v1/organizations/{id}");
        let made = owner.post(&format!("{org}/projects"), &json!({"slug": "ground"})).expect(201);
        let project = format!("{org}/projects/{}", texts(&made, ["projectId"])[0]);
        Self { server: Arc::clone(server), owner, org, project, roles: Vec::new(), bystander: None, slug, count: 0 }
    }

    /// The organisation's slug.
    pub(super) fn slug(&self) -> &str {
        &self.slug
    }

    pub(super) fn fresh(&mut self) -> String {
        self.count += 1;
        format!("{}n{}", self.slug, self.count)
    }

    /// Makes a new caller whose right can be taken away.
    pub(super) fn holder(&mut self, kind: Holder) -> Held {
        self.roles.clear();
        let name = self.fresh();
        let held = |credential, id, person| Held { credential, id, person, app: None, codes: Vec::new() };
        match kind {
            Holder::Token => {
                let [id, secret] = texts(&self.owner.create_with(&name, &["admin"]), ["id", "secret"]);
                held(secret, Some(id), None)
            }
            Holder::Successor => {
                let [id] = texts(&self.owner.create_with(&name, &["admin"]), ["id"]);
                let [secret] = texts(&self.owner.rotate(&id, &json!({})), ["secret"]);
                held(secret, Some(id), None)
            }
            Holder::Actor => {
                let asked = json!({"name": name, "scopes": ["org:read", "projects:manage", "execute", "self:rotate"]});
                let made = self.owner.post(&format!("{}/actors", self.project), &asked).expect(201);
                let [id, secret] = texts(&made, ["actorId", "accessToken"]);
                held(secret, Some(id), None)
            }
            Holder::Session => {
                let person = self.person(&name, &json!("admin"));
                held(self.server.signed_in(&person.email).credential().to_owned(), None, Some(person))
            }
            Holder::WithRole => {
                let role = self.role(&["admin"]);
                let person = self.person(&name, &json!(role));
                held(self.server.signed_in(&person.email).credential().to_owned(), Some(role), Some(person))
            }
            Holder::Key => {
                let mut person = self.person(&name, &json!("admin"));
                let asked = json!({"name": name, "scopes": ["admin"]});
                let [id, secret] = texts(&person.other.post("/v1/me/keys", &asked).expect(201), ["id", "secret"]);
                held(secret, Some(id), Some(person))
            }
        }
    }

    /// A new member with a verified address, signed in.
    fn person(&mut self, name: &str, role: &Value) -> Person {
        let email = format!("{name}@acme.example");
        let asked = json!({"email": email, "role": role});
        let code = self.owner.post(&format!("{}/invitations", self.org), &asked).expect(201)["code"].clone();
        let asked = json!({"code": code, "password": Server::PASSWORD});
        let joined = self.server.anyone().post("/v1/invitations/accept", &asked).expect(201);
        let [id] = texts(&joined, ["user_id"]);
        self.server.facts().verify(&email);
        let other = self.server.signed_in(&email);
        Person { id, email, other }
    }

    /// The id of the bystander, who is invited at the first call.
    pub(super) fn bystander(&mut self) -> String {
        if self.bystander.is_none() {
            let name = self.fresh();
            self.bystander = Some(self.person(&name, &json!("viewer")).id);
        }
        self.bystander.clone().unwrap()
    }

    /// Makes a role that stays until the current try ends.
    pub(super) fn role(&mut self, scopes: &[&str]) -> String {
        let asked = json!({"name": self.fresh(), "scopes": scopes});
        let [id] = texts(&self.owner.post(&format!("{}/roles", self.org), &asked).expect(201), ["id"]);
        self.roles.push(id.clone());
        id
    }

    /// Deletes the roles of earlier tries, because an organisation has a cap on roles.
    pub(super) fn clear_roles(&mut self) {
        let path = format!("{}/roles", self.org);
        for role in self.owner.get(&path).expect(200)["roles"].as_array().unwrap() {
            if role["built_in"] == false && self.roles.iter().all(|id| role["id"] != **id) {
                self.owner.delete(&format!("{path}/{}", texts(role, ["id"])[0])).expect(204);
            }
        }
    }

    /// Sets up a second factor and keeps its recovery codes. That ends `person.other`, which is signed in again.
    pub(super) fn enrol(&mut self, held: &mut Held) {
        if !held.codes.is_empty() {
            return;
        }
        let person = held.person.as_mut().unwrap();
        held.codes = enrol(&mut self.server.caller(&held.credential)).1;
        let sign_in =
            json!({"email": person.email, "password": Server::PASSWORD, "recovery_code": held.codes.pop().unwrap()});
        let made = self.server.anyone().post("/v1/sessions", &sign_in).expect(201);
        person.other = self.server.caller(&texts(&made, ["token"])[0]);
    }

    /// Deletes trust policies of earlier tries, because an organisation has a cap on them.
    pub(super) fn clear_trust_policies(&mut self) {
        let path = format!("{}/trust-policies", self.org);
        let all = self.owner.get(&path).expect(200)["trust_policies"].as_array().unwrap().clone();
        for policy in all.iter().take(all.len().saturating_sub(40)) {
            self.owner.delete(&format!("{path}/{}", texts(policy, ["id"])[0])).expect(204);
        }
    }

    /// Deletes webhooks of earlier tries, because an organisation has a cap on them.
    pub(super) fn clear_webhooks(&mut self) {
        let path = format!("{}/webhooks", self.org);
        let all = self.owner.get(&path).expect(200)["webhooks"].as_array().unwrap().clone();
        for webhook in all.iter().take(all.len().saturating_sub(4)) {
            self.owner.delete(&format!("{path}/{}", texts(webhook, ["id"])[0])).expect(204);
        }
    }

    /// Creates a webhook; returns its path.
    pub(super) fn webhook(&mut self) -> String {
        self.clear_webhooks();
        let path = format!("{}/webhooks", self.org);
        let made = json!({"url": "https://127.0.0.1:9/hook", "events": ["project.delete"]});
        let [id] = texts(&self.owner.post(&path, &made).expect(201), ["id"]);
        format!("{path}/{id}")
    }

    /// The requests for the gift: method, path and body. Whatever they act on is created here.
    pub(super) fn gift(&mut self, gift: &Gift, held: &mut Held) -> Vec<(String, String, Option<Value>)> {
        (0..GIVERS).map(|_| (gift.prepare)(self, held)).collect()
    }

    /// The newest events that record a change: request id and sequence number of each.
    pub(super) fn events(&mut self) -> Vec<(String, i64)> {
        let page = self.owner.get("/v1/audit?order=newest&limit=100").expect(200);
        let read = |event: &Value| {
            let [request] = texts(event, ["request_id"]);
            (request, event["seq"].as_i64().unwrap())
        };
        // Events about a reused secret or a wrong code carry the request's id too, but record no change.
        let is_change = |event: &&Value| {
            let [action] = texts(event, ["action"]);
            action != "token.reuse_detected" && !action.ends_with(".denied")
        };
        page["events"].as_array().unwrap().iter().filter(is_change).map(read).collect()
    }
}
