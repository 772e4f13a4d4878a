//! One of the two organisations of the matrix, with functions that create objects in it.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use token_domain::person::BuiltInRole;

use super::principals::Principal;
use crate::support::{Client, Server, texts};

/// The object that an operation acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// The caller's own membership.
    Oneself,
    /// A member whose role only manages members.
    Member,
    /// A role that no member has, and that only changes roles.
    Role,
    /// An invitation.
    Invitation,
    /// No object but the organisation and its project.
    Nothing,
    /// A token of the organisation.
    Token,
    /// A token of the organisation that is being rotated.
    RotatingToken,
    /// A personal key of the caller.
    Key,
    /// A personal key of the caller that is being rotated.
    RotatingKey,
    /// The token that authenticates the request; each request gets a new one.
    Itself,
    /// A session of the caller.
    Session,
    /// A project without anything in it.
    EmptyProject,
    /// An access scope without actors.
    AccessScope,
    /// An access scope and an actor in it.
    AccessScopeWithActor,
    /// An actor outside of any access scope.
    Actor,
    /// A trust policy.
    TrustPolicy,
    /// A webhook with a delivery.
    Webhook,
    /// An execution, its repository and the baseline it set.
    Execution,
}

impl Subject {
    /// Whether it is in the project, but outside of the access scope of confined actors.
    pub(super) const fn is_in_project(self) -> bool {
        matches!(self, Self::Token | Self::RotatingToken | Self::AccessScope | Self::AccessScopeWithActor | Self::Actor)
    }

    /// Whether it belongs to one person rather than to the organisation.
    pub(super) const fn is_a_persons(self) -> bool {
        matches!(self, Self::Session | Self::Key | Self::RotatingKey)
    }
}

/// Values for path parameters, queries and bodies, by name.
pub(super) type Names = BTreeMap<&'static str, String>;

/// An organisation with its owner's client.
pub(super) struct Side {
    pub(super) slug: &'static str,
    pub(super) org: String,
    /// The project that all objects are created in.
    pub(super) project: String,
    pub(super) owner: Client,
    /// The id of the role that only manages members.
    managers: String,
    /// The id of the access scope that confined actors belong to.
    confines: String,
    count: u32,
}

/// The e-mail address of the person with that role in the organisation `slug`.
pub(super) fn email(role: BuiltInRole, slug: &str) -> String {
    if role == BuiltInRole::Owner && slug == Server::ORGANIZATION {
        return Server::OWNER.to_owned();
    }
    format!("{role}@{slug}.example")
}

impl Side {
    pub(super) fn new(server: &Server, slug: &'static str) -> Self {
        let mut owner = server.signed_in(&email(BuiltInRole::Owner, slug));
        let [org] = texts(&owner.get("/v1/me").expect(200), ["org_id"]);
        let asked = json!({"slug": slug, "name": slug});
        let made = owner.post(&format!("/v1/organizations/{org}/projects"), &asked).expect(201);
        let [project] = texts(&made, ["projectId"]);
        let asked = json!({"name": "Managers", "scopes": ["org.memberships:manage"]});
        let made = owner.post(&format!("/v1/organizations/{org}/roles"), &asked).expect(201);
        let [managers] = texts(&made, ["id"]);
        let path = format!("/v1/organizations/{org}/projects/{project}/scopes");
        let [confines] = texts(&owner.post(&path, &json!({"slug": "confines"})).expect(201), ["accessScopeId"]);
        Self { slug, org, project, owner, managers, confines, count: 0 }
    }

    /// An unused name that contains the organisation's slug.
    pub(super) fn fresh(&mut self) -> String {
        self.count += 1;
        format!("{}-{}", self.slug, self.count)
    }

    fn in_project(&mut self, rest: &str, body: &Value) -> Value {
        let path = format!("/v1/organizations/{}/projects/{}/{rest}", self.org, self.project);
        self.owner.post(&path, body).expect(201)
    }

    /// Deletes all webhooks but so many of the oldest.
    pub(super) fn clear_webhooks(&mut self, keep: usize) {
        let path = format!("/v1/organizations/{}/webhooks", self.org);
        let all = self.owner.get(&path).expect(200);
        for webhook in all["webhooks"].as_array().unwrap().iter().skip(keep) {
            self.owner.delete(&format!("{path}/{}", texts(webhook, ["id"])[0])).expect(204);
        }
    }

    /// Deletes all custom roles but the one that manages members.
    pub(super) fn clear_roles(&mut self) {
        let path = format!("/v1/organizations/{}/roles", self.org);
        let all = self.owner.get(&path).expect(200);
        for role in all["roles"].as_array().unwrap() {
            let [id] = texts(role, ["id"]);
            if role["built_in"] == false && id != self.managers {
                self.owner.delete(&format!("{path}/{id}")).expect(204);
            }
        }
    }

    fn invite(&mut self, name: &str) -> Value {
        let asked = json!({"email": format!("{name}@guests.example"), "role": self.managers});
        self.owner.post(&format!("/v1/organizations/{}/invitations", self.org), &asked).expect(201)
    }

    /// The token of a new session of a member.
    pub(super) fn session(server: &Server, email: &str) -> String {
        let session = server.anyone().post("/v1/sessions", &json!({"email": email, "password": Server::PASSWORD}));
        let [id] = texts(&session.expect(201), ["id"]);
        id
    }

    /// The token of an actor that is confined to an access scope.
    pub(super) fn confined_actor(&mut self, scopes: &[String]) -> String {
        let asked = json!({"name": self.fresh(), "scopes": scopes, "accessScopeId": self.confines});
        let [secret] = texts(&self.in_project("actors", &asked), ["accessToken"]);
        secret
    }

    /// A new token with the rights of a principal's.
    pub(super) fn twin(&mut self, who: &Principal) -> String {
        if who.is_confined {
            return self.confined_actor(&who.granted);
        }
        let name = self.fresh();
        if who.granted == ["self:rotate"] && who.is_bound {
            let [secret] = texts(&self.in_project("actors", &json!({ "name": name })), ["accessToken"]);
            return secret;
        }
        let project = who.is_bound.then_some(&self.project);
        let asked = json!({"name": name, "scopes": who.granted, "project_id": project});
        let [secret] = texts(&self.owner.post("/v1/tokens", &asked).expect(201), ["secret"]);
        secret
    }

    /// Creates the object that an operation acts on. Sessions and keys are those of `person`.
    pub(super) fn make(&mut self, server: &Server, subject: Subject, person: &str) -> Names {
        let name = self.fresh();
        let mut names: Names =
            [("org_id", self.org.clone()), ("project_id", self.project.clone()), ("fresh", name.clone())].into();
        names.insert("managers", self.managers.clone());
        match subject {
            Subject::Nothing | Subject::Itself | Subject::Oneself => {}
            Subject::Member => {
                let code = self.invite(&name)["code"].clone();
                let asked = json!({"code": code, "password": Server::PASSWORD});
                let accepted = server.anyone().post("/v1/invitations/accept", &asked).expect(201);
                names.insert("user_id", texts(&accepted, ["user_id"])[0].clone());
            }
            Subject::Role => {
                let asked = json!({"name": format!("{name} roles"), "scopes": ["roles:write"]});
                let made = self.owner.post(&format!("/v1/organizations/{}/roles", self.org), &asked).expect(201);
                names.insert("role_id", texts(&made, ["id"])[0].clone());
            }
            Subject::Invitation => {
                names.insert("invitation_id", texts(&self.invite(&name), ["id"])[0].clone());
            }
            Subject::Key | Subject::RotatingKey => {
                // Without a person of this organisation, the key is its owner's.
                let own = person.ends_with(&format!("@{}.example", self.slug));
                let owner = email(BuiltInRole::Owner, self.slug);
                let mut session = server.signed_in(if own { person } else { &owner });
                let [id] = texts(&session.post("/v1/me/keys", &json!({ "name": name })).expect(201), ["id"]);
                if subject == Subject::RotatingKey {
                    session.call(&format!("/v1/me/keys/{id}/rotate")).expect(200);
                }
                names.insert("key_id", id);
            }
            Subject::Token | Subject::RotatingToken => {
                // In the project, so that bound credentials see it, and with a scope that all who rotate it have.
                let asked = json!({"name": name, "scopes": ["tokens:manage"], "project_id": self.project});
                let [id] = texts(&self.owner.post("/v1/tokens", &asked).expect(201), ["id"]);
                if subject == Subject::RotatingToken {
                    self.owner.rotate(&id, &json!({}));
                }
                names.insert("token_id", id);
            }
            Subject::Session => {
                names.insert("session_id", Self::session(server, person));
            }
            Subject::EmptyProject => {
                let path = format!("/v1/organizations/{}/projects", self.org);
                let [id] = texts(&self.owner.post(&path, &json!({"slug": name})).expect(201), ["projectId"]);
                names.insert("project_id", id);
            }
            Subject::AccessScope | Subject::AccessScopeWithActor => {
                let [scope] = texts(&self.in_project("scopes", &json!({"slug": name})), ["accessScopeId"]);
                if subject == Subject::AccessScopeWithActor {
                    let asked = json!({"name": name, "accessScopeId": scope});
                    let [actor] = texts(&self.in_project("actors", &asked), ["actorId"]);
                    names.insert("actor_id", actor);
                }
                names.insert("scope_id", scope);
            }
            Subject::Actor => {
                let [id] = texts(&self.in_project("actors", &json!({"name": name})), ["actorId"]);
                names.insert("actor_id", id);
            }
            Subject::TrustPolicy => {
                let path = format!("/v1/organizations/{}/trust-policies", self.org);
                // An organisation has a cap on trust policies.
                let all = self.owner.get(&path).expect(200)["trust_policies"].as_array().unwrap().clone();
                for policy in all.iter().take(all.len().saturating_sub(40)) {
                    self.owner.delete(&format!("{path}/{}", texts(policy, ["id"])[0])).expect(204);
                }
                let [id] = texts(&self.owner.post(&path, &super::rows::trust_policy(&names)).expect(201), ["id"]);
                names.insert("policy_id", id);
            }
            Subject::Webhook => {
                let path = format!("/v1/organizations/{}/webhooks", self.org);
                // The first is attacked until the end of the operation.
                self.clear_webhooks(1);
                let [id] = texts(&self.owner.post(&path, &super::rows::webhook(&names)).expect(201), ["id"]);
                let [delivery] = texts(&self.owner.call(&format!("{path}/{id}/test")).expect(202), ["id"]);
                names.extend([("webhook_id", id), ("delivery_id", delivery)]);
            }
            Subject::Execution => {
                let asked = json!({"repo": name, "branch": "main", "commit": "0123456789abcdef", "coverage": 80});
                let [id] = texts(&self.owner.post("/v1/executions", &asked).expect(201), ["id"]);
                names.extend([("execution_id", id), ("repo", name), ("org", self.slug.to_owned())]);
            }
        }
        names
    }
}
