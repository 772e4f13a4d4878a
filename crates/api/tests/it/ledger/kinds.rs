//! The ways to end a token or session, each as a row.

use serde_json::{Value, json};
use token_domain::person::BuiltInRole;

use crate::support::{Client, Request, Server, texts};

/// Defines the ways, and their list: none can be left out of it.
macro_rules! kinds {
    ($($(#[doc = $what:literal])+ $kind:ident,)+) => {
        /// A way to end a token or session.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Kind { $($(#[doc = $what])+ $kind,)+ }

        impl Kind {
            /// All, in an order in which each can be done after those before it.
            pub(super) const ALL: &[Self] = &[$(Self::$kind,)+];
        }
    };
}

kinds! {
    /// Revoked by its id.
    Revoked,
    /// Revoked with a reason.
    RevokedForReason,
    /// Revoked with `POST /v1/oauth/revoke` by a caller that holds it.
    Presented,
    /// Revoked by itself.
    ByItself,
    /// Revoked with others that a filter finds.
    Bulk,
    /// Reported as leaked.
    Leaked,
    /// Rotated without a grace.
    Rotated,
    /// Rotated with a grace that is not over.
    RotatedWithGrace,
    /// A successor whose rotation was taken back.
    RotationCancelled,
    /// A personal key, revoked.
    Key,
    /// Of a deleted actor.
    OfActor,
    /// Of an actor that was switched off.
    OfDisabledActor,
    /// Bound to a deleted project.
    OfProject,
    /// A key of a member who was removed.
    OfRemovedMember,
    /// A key of a member who left.
    OfMemberWhoLeft,
    /// A key of a member who was disabled in the organisation.
    OfDisabledMember,
    /// A key of a person who was disabled by the operator.
    OfDisabledPerson,
    /// A session that was signed out.
    Session,
    /// A session that an administrator ended.
    SessionOfMember,
    /// A session that ended with a new password.
    SessionBeforePassword,
    /// A token of a disabled organisation. This must be the last row: no request succeeds in that organisation afterwards.
    OfOrganization,
}

/// A credential that is to be ended.
pub(super) struct Doomed {
    pub(super) kind: Kind,
    pub(super) secret: String,
    /// What to name when it is ended: the token, or what it ends with.
    id: String,
}

impl Kind {
    /// Makes a credential, and what it ends with.
    #[track_caller]
    pub(super) fn make(self, server: &Server) -> Doomed {
        let mut owner = server.owner();
        let name = format!("{self:?}");
        let [id, secret] = match self {
            Self::Revoked
            | Self::RevokedForReason
            | Self::Presented
            | Self::ByItself
            | Self::Bulk
            | Self::Leaked
            | Self::Rotated
            | Self::RotatedWithGrace
            | Self::OfOrganization => texts(&owner.create(&name), ["id", "secret"]),
            Self::RotationCancelled => {
                let [id] = texts(&owner.create(&name), ["id"]);
                let [successor] = texts(&owner.rotate(&id, &json!({"grace_period_seconds": 3600})), ["secret"]);
                [id, successor]
            }
            Self::Key => key(&mut owner),
            Self::OfActor | Self::OfDisabledActor => {
                let project = project(&mut owner, &name.to_lowercase());
                let actor = owner.post(&format!("{project}/actors"), &json!({"name": "device"})).expect(201);
                let [id, secret] = texts(&actor, ["actorId", "accessToken"]);
                [format!("{project}/actors/{id}"), secret]
            }
            Self::OfProject => {
                let project = project(&mut owner, "with-a-token");
                let id = project.rsplit('/').next().unwrap();
                let asked = json!({"name": name, "scopes": ["execute"], "project_id": id});
                let [secret] = texts(&owner.post("/v1/tokens", &asked).expect(201), ["secret"]);
                [project, secret]
            }
            Self::OfRemovedMember | Self::OfMemberWhoLeft | Self::OfDisabledMember | Self::OfDisabledPerson => {
                let mut member = self.member(server);
                let [_, secret] = key(&mut member);
                [member.credential().to_owned(), secret]
            }
            Self::Session | Self::SessionOfMember | Self::SessionBeforePassword => {
                let secret = self.member(server).credential().to_owned();
                [secret.clone(), secret]
            }
        };
        Doomed { kind: self, secret, id }
    }

    /// The address of the member of this row.
    fn email(self) -> String {
        format!("{self:?}@acme.example").to_lowercase()
    }

    /// A new member of the organisation, signed in.
    fn member(self, server: &Server) -> Client {
        server.facts().add_member(&self.email(), BuiltInRole::Admin);
        server.signed_in(&self.email())
    }
}

impl Doomed {
    /// Whether it works.
    #[track_caller]
    pub(super) fn is_live(&self, server: &Server) -> bool {
        let is_session = matches!(self.kind, Kind::Session | Kind::SessionOfMember | Kind::SessionBeforePassword);
        if !is_session {
            return server.anyone().is_valid(&self.secret);
        }
        let answer = server.caller(&self.secret).get("/v1/me");
        assert!([200, 401].contains(&answer.status), "{answer:?}");
        answer.status == 200
    }

    /// Ends it. `owner` is signed in.
    #[track_caller]
    pub(super) fn end(&self, server: &Server, owner: &mut Client) {
        let Self { kind, secret, id } = self;
        let [org] = texts(&owner.get("/v1/me").expect(200), ["org_id"]);
        let member = || format!("/v1/organizations/{org}/members/{}", server.facts().user(&kind.email()).id);
        match kind {
            Kind::Revoked => owner.revoke(id),
            Kind::RevokedForReason => {
                owner.post(&format!("/v1/tokens/{id}/revoke"), &json!({"reason": "unused"})).expect(204);
            }
            Kind::Presented => {
                let form = format!("token={secret}");
                let request = Request::new("POST", "/v1/oauth/revoke");
                let request = request.header("Content-Type", "application/x-www-form-urlencoded").body(form);
                assert_eq!(server.caller(secret).ask(request).status, 200);
            }
            Kind::ByItself => drop(server.caller(secret).delete("/v1/tokens/self").expect(204)),
            Kind::Bulk => {
                let asked = json!({"filter": {"name": "Bulk"}, "reason": "unused", "expected_count": 1});
                owner.post("/v1/tokens/bulk-revoke", &asked).expect(200);
            }
            Kind::Leaked => {
                server.anyone().post("/v1/credentials/revoke", &json!({"credentials": [secret]})).expect(202);
            }
            Kind::Rotated => drop(owner.rotate(id, &json!({"grace_period_seconds": 0}))),
            Kind::RotatedWithGrace => drop(owner.rotate(id, &json!({"grace_period_seconds": 60}))),
            Kind::RotationCancelled => drop(owner.call(&format!("/v1/tokens/{id}/rotate/cancel")).expect(200)),
            Kind::Key => drop(owner.delete(&format!("/v1/me/keys/{id}")).expect(204)),
            Kind::OfActor | Kind::OfProject => drop(owner.delete(id).expect(204)),
            Kind::OfDisabledActor => drop(owner.patch(id, &json!({"status": "disabled"})).expect(200)),
            Kind::OfRemovedMember => drop(owner.delete(&member()).expect(204)),
            Kind::OfMemberWhoLeft => {
                let path = format!("/v1/organizations/{org}/members/me");
                server.caller(id).delete(&path).expect(204);
            }
            Kind::OfDisabledMember => drop(owner.patch(&member(), &json!({"status": "disabled"})).expect(200)),
            Kind::OfDisabledPerson => {
                server.command(&["person", "disable", "--email", &kind.email()], "").succeeds();
            }
            Kind::Session => drop(server.caller(secret).delete("/v1/sessions/current").expect(204)),
            Kind::SessionOfMember => drop(owner.delete(&format!("{}/sessions", member())).expect(204)),
            Kind::SessionBeforePassword => {
                let arguments = ["person", "set-password", "--email", &kind.email(), "--password-stdin"];
                server.command(&arguments, "another password of this test").succeeds();
            }
            Kind::OfOrganization => {
                server.command(&["organization", "disable", "--org", Server::ORGANIZATION], "").succeeds();
            }
        }
    }
}

/// Makes a personal key of the caller; its id and its secret.
#[track_caller]
fn key(person: &mut Client) -> [String; 2] {
    texts(&person.post("/v1/me/keys", &json!({"name": "key"})).expect(201), ["id", "secret"])
}

/// Makes a project; its path.
#[track_caller]
pub(super) fn project(owner: &mut Client, slug: &str) -> String {
    let [org] = texts(&owner.get("/v1/me").expect(200), ["org_id"]);
    let path = format!("/v1/organizations/{org}/projects");
    let made: Value = owner.post(&path, &json!({"slug": slug})).expect(201);
    let [id] = texts(&made, ["projectId"]);
    format!("{path}/{id}")
}

/// Makes one credential of each kind, all of which work.
#[track_caller]
pub(super) fn one_of_each(server: &Server) -> Vec<Doomed> {
    let all: Vec<Doomed> = Kind::ALL.iter().map(|kind| kind.make(server)).collect();
    for one in &all {
        assert!(one.is_live(server), "{:?}", one.kind);
    }
    all
}

/// Ends all of them.
#[track_caller]
pub(super) fn end(server: &Server, all: &[Doomed]) {
    let mut owner = server.owner();
    for one in all {
        one.end(server, &mut owner);
    }
}

/// None of them works.
#[track_caller]
pub(super) fn are_dead(server: &Server, all: &[Doomed]) {
    let revived: Vec<Kind> = all.iter().filter(|one| one.is_live(server)).map(|one| one.kind).collect();
    assert!(revived.is_empty(), "revived: {revived:?}");
}
