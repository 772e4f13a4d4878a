//! A new user's first week with the generated client, whose paths, bodies and answers come from the API document: a
//! server that deviates from the document fails here. The other suites, which write their own requests, test malformed
//! requests and the exact bytes of answers.

use std::io::Read as _;

use client::options::{
    CreateKeyOptions, CreateTokenOptions, DeleteProjectOptions, ExportAuditOptions, ListAuditOptions,
    ListMembersOptions, ListTokensOptions, RotateTokenOptions, VerifyAuditOptions,
};
use client::types::{
    AcceptInvitation, CreateActor, CreateInvitation, CreateKey, CreateProject, CreateRole, CreateScope, CreateToken,
    EditMember, EditToken, Reason, RotateActor, RotateToken, SignIn, ValidToken, ValidateRequest,
};
use client::{Client, Error, Plain, Refusal, Result, Secret};

use crate::support::{Backend, Options, Server, both};

both!(
    a_token_goes_from_its_creation_over_a_rotation_to_its_end,
    a_tenant_of_a_project_has_actors_whose_tokens_say_so,
    somebody_joins_with_a_role_and_makes_a_key_within_it,
    a_trail_tells_all_that_and_verifies,
    a_refusal_says_what_it_refuses
);

const NEWCOMER: &str = "newcomer@acme.example";
const PASSWORD: &str = "a newcomer of this journey";

fn anyone(server: &Server) -> Client {
    Client::new(&format!("http://{}", server.address()), Plain::LocalOnly).unwrap()
}

/// A client with the session of that person.
fn signed_in(anyone: &Client, email: &str, password: &str) -> Client {
    let body = SignIn { email: email.to_owned(), password: password.into(), ..SignIn::default() };
    anyone.with(anyone.create_session(&body).unwrap().token)
}

fn owner(anyone: &Client) -> Client {
    signed_in(anyone, Server::OWNER, Server::PASSWORD)
}

fn asked(token: &Secret, scopes: &[&str]) -> ValidateRequest {
    let required = Some(owned(scopes)).filter(|scopes| !scopes.is_empty());
    let detail = Some(true);
    ValidateRequest { token: token.clone(), required_scopes: required, detail, ..ValidateRequest::default() }
}

fn validated(anyone: &Client, token: &Secret) -> Result<ValidToken> {
    anyone.validate(&asked(token, &[]))
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[track_caller]
fn refused<T: std::fmt::Debug>(answer: Result<T>, status: u16) -> Refusal {
    match answer {
        Err(Error::Refused(refusal)) if refusal.status == status => *refusal,
        other => panic!("not a {status}: {other:?}"),
    }
}

fn token(name: &str, scopes: &[&str]) -> CreateToken {
    CreateToken { name: name.to_owned(), scopes: owned(scopes), ..CreateToken::default() }
}

fn a_token_goes_from_its_creation_over_a_rotation_to_its_end(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let anyone = anyone(&server);
    let owner = owner(&anyone);
    let once = CreateTokenOptions { idempotency_key: Some("first".to_owned()) };
    let body = CreateToken { expires_in_days: Some(90), ..token("ci", &["execute", "scans:read"]) };
    let made = owner.create_token(&once, &body).unwrap();
    // A retry creates no second token, and does not show the secret again.
    assert_ne!(owner.create_token(&once, &body).ok().map(|again| again.secret), Some(made.secret.clone()));
    let listed = owner.list_tokens(&ListTokensOptions::default()).unwrap();
    assert_eq!(listed.tokens.iter().map(|token| token.id.as_str()).collect::<Vec<_>>(), [made.id.as_str()]);

    let valid = validated(&anyone, &made.secret).unwrap();
    assert!(valid.valid && valid.scopes.contains(&"scans:read".to_owned()), "{valid:?}");
    anyone.validate(&asked(&made.secret, &["scans:read"])).unwrap();
    assert_eq!(refused(anyone.validate(&asked(&made.secret, &["org:write"])), 403).missing, ["org:write"]);

    let own = anyone.with(made.secret.clone()).get_self().unwrap();
    assert_eq!((own.id.as_str(), own.status.as_str()), (made.id.as_str(), "active"));
    let edit = EditToken { description: Some(Some("for main".to_owned())), ..EditToken::default() };
    assert_eq!(owner.edit_token(&made.id, &edit).unwrap().description.as_deref(), Some("for main"));
    let edit = EditToken { description: Some(None), ..EditToken::default() };
    assert_eq!(owner.edit_token(&made.id, &edit).unwrap().description, None, "null clears it");

    let grace = RotateToken { grace_period_seconds: Some(3_600), ..RotateToken::default() };
    let next = owner.rotate_token(&made.id, &RotateTokenOptions::default(), &grace).unwrap();
    assert_eq!((next.old_token_id.as_str(), next.old_token_status.as_str()), (made.id.as_str(), "rotating"));
    assert!(validated(&anyone, &made.secret).is_ok() && validated(&anyone, &next.secret).is_ok());
    owner.revoke_token(&made.id).unwrap();
    refused(validated(&anyone, &made.secret), 401);
    let reason = Reason { reason: Some("leaked".to_owned()), note: None };
    owner.revoke_with_reason(&next.id, &reason).unwrap();
    refused(validated(&anyone, &next.secret), 401);
    let found = owner.get_token(&next.id).unwrap();
    assert_eq!((found.status.as_str(), found.revoked_reason.as_deref()), ("revoked", Some("leaked")));
}

fn a_tenant_of_a_project_has_actors_whose_tokens_say_so(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let anyone = anyone(&server);
    let owner = owner(&anyone);
    let organization = owner.get_me().unwrap().org_id;
    let project = CreateProject { slug: "chat".to_owned(), name: None };
    let project = owner.create_project(&organization, &project).unwrap().project_id;
    let tenant = CreateScope { slug: "globex".to_owned(), ..CreateScope::default() };
    let tenant = owner.create_scope(&organization, &project, &tenant).unwrap();
    let actor = CreateActor {
        name: "gateway-7".to_owned(),
        actor_type: Some("service".to_owned()),
        access_scope_id: Some(tenant.access_scope_id.clone()),
        ..CreateActor::default()
    };
    let actor = owner.create_actor(&organization, &project, &actor).unwrap();
    let valid = validated(&anyone, &actor.access_token).unwrap();
    assert_eq!(valid.actor_id.as_deref(), Some(actor.actor_id.as_str()));
    assert_eq!(valid.access_scope.map(|scope| (scope.id, scope.slug)), Some((tenant.access_scope_id, tenant.slug)));

    let at_once = RotateActor { grace_period_seconds: Some(0) };
    let rotated = owner.rotate_actor(&organization, &project, &actor.actor_id, &at_once).unwrap();
    refused(validated(&anyone, &actor.access_token), 401);
    validated(&anyone, &rotated.access_token).unwrap();

    let trial = DeleteProjectOptions { dry_run: Some(true), ..DeleteProjectOptions::default() };
    let concerned = owner.delete_project(&organization, &project, &trial).unwrap().unwrap();
    assert_eq!((concerned.access_scopes, concerned.actors), (1, 1));
    owner.delete_project(&organization, &project, &DeleteProjectOptions::default()).unwrap();
    refused(validated(&anyone, &rotated.access_token), 401);
}

fn somebody_joins_with_a_role_and_makes_a_key_within_it(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let anyone = anyone(&server);
    let owner = owner(&anyone);
    let organization = owner.get_me().unwrap().org_id;
    let role = CreateRole { name: "Reader".to_owned(), scopes: owned(&["scans:read", "user:read", "user:write"]) };
    let role = owner.create_role(&organization, &role).unwrap();
    let invitation = CreateInvitation { email: NEWCOMER.to_owned(), role: role.id.clone() };
    let invitation = owner.create_invitation(&organization, &invitation).unwrap();
    let accept =
        AcceptInvitation { code: invitation.code, name: Some("New".to_owned()), password: Some(PASSWORD.into()) };
    let accepted = anyone.accept_invitation(&accept).unwrap();
    assert!(accepted.new_account && accepted.org_id == organization, "{accepted:?}");
    let members = owner.list_members(&organization, &ListMembersOptions::default()).unwrap().members;
    assert_eq!(members.len(), 2);

    let newcomer = signed_in(&anyone, NEWCOMER, PASSWORD);
    let key =
        |scopes: &[&str]| CreateKey { name: "laptop".to_owned(), scopes: Some(owned(scopes)), ..CreateKey::default() };
    let made = newcomer.create_key(&CreateKeyOptions::default(), &key(&["scans:read"])).unwrap();
    let valid = validated(&anyone, &made.secret).unwrap();
    assert_eq!(valid.owner.map(|owner| owner.id), Some(accepted.user_id.clone()));
    refused(newcomer.create_key(&CreateKeyOptions::default(), &key(&["org:write"])), 403);
    refused(newcomer.create_token(&CreateTokenOptions::default(), &token("ci", &["execute"])), 403);

    // A key loses a scope that its owner's role loses, and ends with the owner's membership.
    let viewer = EditMember { role: Some(Some("viewer".to_owned())), ..EditMember::default() };
    assert_eq!(owner.edit_member(&organization, &accepted.user_id, &viewer).unwrap().role, "viewer");
    owner.delete_role(&organization, &role.id).unwrap();
    owner.remove_member(&organization, &accepted.user_id).unwrap();
    refused(validated(&anyone, &made.secret), 401);
    refused(newcomer.get_me(), 401);
}

fn a_trail_tells_all_that_and_verifies(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let owner = owner(&anyone(&server));
    let made = owner.create_token(&CreateTokenOptions::default(), &token("ci", &["execute"])).unwrap();
    owner.revoke_token(&made.id).unwrap();
    let about =
        ListAuditOptions { target: Some(made.id), order: Some("oldest".to_owned()), ..ListAuditOptions::default() };
    let events = owner.list_audit(&about).unwrap().events;
    assert_eq!(events.iter().map(|event| event.action.as_str()).collect::<Vec<_>>(), ["token.create", "token.revoke"]);
    let verified = owner.verify_audit(&VerifyAuditOptions::default()).unwrap();
    assert!(verified.ok && verified.complete && verified.first_bad.is_none(), "{verified:?}");
    let mut lines = String::new();
    owner.export_audit(&ExportAuditOptions::default()).unwrap().read_to_string(&mut lines).unwrap();
    assert_eq!(u64::try_from(lines.lines().count()).unwrap(), verified.checked);
}

fn a_refusal_says_what_it_refuses(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let anyone = anyone(&server);
    let owner = owner(&anyone);
    let wrong = SignIn { email: Server::OWNER.to_owned(), password: "not it".into(), ..SignIn::default() };
    assert_eq!(refused(anyone.create_session(&wrong), 401).error, "invalid credentials");
    let unnamed = refused(owner.create_token(&CreateTokenOptions::default(), &token("", &["execute"])), 400);
    assert_eq!(unnamed.field.as_deref(), Some("name"));
    assert!(unnamed.request_id.is_some() && !unnamed.message.is_empty(), "{unnamed:?}");
    refused(anyone.get_me(), 401);
    refused(owner.get_token("00000000-0000-7000-8000-000000000000"), 404);
}
