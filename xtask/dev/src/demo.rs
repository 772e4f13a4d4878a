//! Demonstration data of a new development server, so that every page shows something: tokens in use, one being
//! rotated, one revoked, one leaked, a replaced secret that is still used, people, projects. It comes about through the
//! public API, so all its times are recent; the month before is written by `nolapse-demo-history` (`bench/seed`).
//! `--empty` leaves out both.

use client::options::{CreateKeyOptions, CreateTokenOptions, RotateTokenOptions};
use client::types::{
    CreateActor, CreateInvitation, CreateKey, CreateProject, CreateRole, CreateScope, CreateToken, FoundCredentials,
    Reason, RotateToken, ValidateRequest,
};
use client::{Client, Error, Result, Secret};

/// A token: name, scopes, days until it expires, number of uses, description.
type Row = (&'static str, &'static [&'static str], Option<u32>, usize, &'static str);

const TOKENS: [Row; 7] = [
    ("Deploy preview", &["execute"], Some(7), 9, "Ends soon on purpose: the trial is for a week."),
    ("Release robot", &["execute", "scans:run", "projects:read"], Some(365), 24, "Tags and publishes. Ask Ada."),
    ("Repeater, office network", &["bot", "repeaters:read", "scripts:read", "self:rotate"], None, 40, ""),
    ("Partner: Globex", &["read"], Some(180), 15, "Handed to a customer; only from their network."),
    ("Terraform", &["projects:read", "projects:manage", "tokens:read"], Some(30), 3, ""),
    ("Load test", &["execute", "read"], Some(1), 120, ""),
    ("Workshop in June", &["scans:read"], Some(90), 2, "Its secret was found in a public repository."),
];

/// Fills an empty organisation: `person` creates, `anyone` (without a credential) validates.
pub(crate) fn fill(anyone: &Client, person: &Client) -> Result<()> {
    let mut made = Vec::new();
    for (name, scopes, days, uses, description) in TOKENS {
        let mut body = CreateToken {
            name: name.to_owned(),
            scopes: owned(scopes),
            description: Some(description.to_owned()).filter(|text| !text.is_empty()),
            expires_in_days: days,
            ..CreateToken::default()
        };
        if name.starts_with("Partner") {
            body.external_id = Some("customer/globex".to_owned());
            body.metadata = Some([("plan".to_owned(), "gold".into())].into_iter().collect());
            body.allowed_networks = Some(owned(&["198.51.100.0/24", "127.0.0.0/8"]));
        }
        let token = person.create_token(&CreateTokenOptions::default(), &body)?;
        let home = if name.starts_with("Partner") { "198.51.100.7" } else { "10.0.3.7" };
        for turn in 0..uses {
            // Gateways ask for different scopes, sometimes for one that the token lacks.
            let wanted = if turn % 7 == 6 { "org:write" } else { scopes[turn % scopes.len()] };
            present(anyone, &token.secret, &[wanted], if turn % 5 == 4 { "198.51.100.20" } else { home })?;
        }
        made.push((token.id, token.secret));
    }
    // One token is being rotated, with a grace period; another was rotated without one, and its old secret is still
    // used.
    for (index, grace_seconds) in [(1, 86_400), (4, 0)] {
        let body = RotateToken { grace_period_seconds: Some(grace_seconds), ..RotateToken::default() };
        person.rotate_token(&made[index].0, &RotateTokenOptions::default(), &body)?;
    }
    present(anyone, &made[4].1, &[], "10.0.3.7")?;
    let reason = Reason { reason: Some("unused".to_owned()), note: Some("The test is over.".to_owned()) };
    person.revoke_with_reason(&made[5].0, &reason)?;
    anyone.revoke_credentials(&FoundCredentials { credentials: vec![made[6].1.clone()] })?;
    let key = CreateKey {
        name: "laptop".to_owned(),
        scopes: Some(owned(&["scans:read", "user:read"])),
        expires_in_days: Some(90),
        ..CreateKey::default()
    };
    person.create_key(&CreateKeyOptions::default(), &key)?;
    let organization = person.get_me()?.org_id;
    let invitation = CreateInvitation { email: "grace@localhost.example".to_owned(), role: "admin".to_owned() };
    person.create_invitation(&organization, &invitation)?;
    let scopes = owned(&["tokens:read", "scans:run", "projects:read"]);
    person.create_role(&organization, &CreateRole { name: "Release manager".to_owned(), scopes })?;
    let project = CreateProject { slug: "chat".to_owned(), name: Some("Chat".to_owned()) };
    let project = person.create_project(&organization, &project)?.project_id;
    let scope = CreateScope { slug: "acme".to_owned(), name: Some("Acme Ltd".to_owned()), ..CreateScope::default() };
    let scope = person.create_scope(&organization, &project, &scope)?.access_scope_id;
    for (name, kind, scope) in [("gateway-7", "service", Some(scope)), ("sensor in the lobby", "device", None)] {
        let actor = CreateActor {
            name: name.to_owned(),
            actor_type: Some(kind.to_owned()),
            access_scope_id: scope,
            ..CreateActor::default()
        };
        person.create_actor(&organization, &project, &actor)?;
    }
    Ok(())
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// Validates a token as if used from this address. Refusals and missing scopes are intended: the charts show them.
fn present(anyone: &Client, token: &Secret, wanted: &[&str], from: &str) -> Result<()> {
    let question = ValidateRequest {
        token: token.clone(),
        required_scopes: Some(owned(wanted)),
        ip: Some(from.to_owned()),
        ..ValidateRequest::default()
    };
    match anyone.validate(&question) {
        Ok(_) => Ok(()),
        Err(Error::Refused(refusal)) if matches!(refusal.status, 401 | 403) => Ok(()),
        Err(error) => Err(error),
    }
}
